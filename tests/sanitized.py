"""Run the numerical Python tests, and the fuzzer, on an extension under the address and undefined-behaviour sanitizers.

    python tests/sanitized.py                     ten minutes or so, with building
    python tests/sanitized.py --inputs 1000000    more of the fuzzer

Needs the package installed with its ``test`` extra, pybind11, a GCC or Clang with sanitizers, and Linux. Builds under ``build/``.
"""

from __future__ import annotations

import argparse
import os
import shutil
import site
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

from commands import ROOT, run
from run_all import BUILD, NUMERICAL

NAMES = "address,undefined"


def build() -> Path:
    """Build the extension; return the folder from which ``ksparse`` is then imported."""
    import pybind11

    tree, place = BUILD / "asan-python", BUILD / "asan-python" / "place"
    run(
        *("cmake", "-G", "Ninja", "-S", ROOT, "-B", tree, "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_FLAGS_DEBUG=-O1 -g1"),
        f"-DCMAKE_CXX_FLAGS=-fsanitize={NAMES} -fno-sanitize-recover=all -fno-omit-frame-pointer",
        *(f"-DKSPARSE_BUILD_{part}=OFF" for part in ("C", "COMPILED", "TESTS", "EXAMPLES")),
        *("-DKSPARSE_BUILD_PYTHON=ON", "-DKSPARSE_INSTRUCTION_SETS=avx2", f"-Dpybind11_DIR={pybind11.get_cmake_dir()}"),
        *(f"-D{name}_EXECUTABLE={sys.executable}" for name in ("Python", "Python3")),
    )
    run("cmake", "--build", tree)
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(ROOT / "python" / "ksparse", place / "ksparse")
    for module in tree.rglob("_c*.so"):
        shutil.copy(module, place / "ksparse")
    return place


def interpreter() -> Path:
    """Return a Python that sees this one's packages, but not what editable installations put before them."""
    place = BUILD / "asan-python" / "venv"
    venv.create(place, clear=True)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(place)}))
    (packages / "parent.pth").write_text("\n".join(site.getsitepackages()) + "\n")
    return place / "bin" / "python"


def runtime(name: str) -> str:
    """Return where the library of a sanitizer lies, which has to be loaded before Python."""
    compiler = os.environ.get("CXX", "c++")
    return subprocess.run([compiler, f"-print-file-name={name}"], capture_output=True, text=True, check=True).stdout.strip()


def main() -> None:
    """Build, test and fuzz."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--inputs", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    settings = {
        "PYTHONPATH": str(build()),
        "LD_PRELOAD": f"{runtime('libasan.so')} {runtime('libubsan.so')}",
        "ASAN_OPTIONS": "detect_leaks=0",  # the interpreter's own
        "KSPARSE_ISA": "avx2",
    }
    python = interpreter()
    run(python, "-c", "import ksparse; assert 'asan-python' in ksparse.__file__, ksparse.__file__", **settings)
    fuzz = ("--inputs", str(arguments.inputs), "--seed", str(arguments.seed), "--patience", "600")
    run(python, ROOT / "tests" / "fuzz" / "fuzz.py", *fuzz, **settings)
    tests = [f"tests/python/test_{name}.py" for name in NUMERICAL]
    # Shadow memory needs more address space than these leave.
    run(python, "-m", "pytest", "-q", "-k", "not larger_than_the_memory_that_is_left", *tests, **settings)


if __name__ == "__main__":
    main()

"""Run every test: C++ (release, then sanitizers), consumers of the installed library, Python in every instruction set.

Needs the package installed with its ``test`` extra (``pip install '.[test]'``) and a C++ compiler. Builds under ``build/``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from commands import ROOT, run

BUILD = ROOT / "build"

# What depends on the arithmetic, and so on the instruction set; the rest of the Python tests is run with the best one alone.
NUMERICAL = ("constraints", "fit", "groups", "hard_cases", "invariance", "loss", "many", "path", "search", "storage", "torture")


def cmake_test(build: Path, *options: str) -> None:
    """Configure, build and test the C++ library."""
    run("cmake", "-G", "Ninja", "-S", ROOT, "-B", build, f"-DPython3_EXECUTABLE={sys.executable}", *options)
    run("cmake", "--build", build)
    run("ctest", "--test-dir", build, "--output-on-failure")


def sanitizers_work() -> bool:
    """Whether the compiler can build and start a program under the address and undefined-behaviour sanitizers."""
    compiler = os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        source, program = Path(folder, "main.cpp"), Path(folder, "main")
        source.write_text("int main() { return 0; }\n")
        command = [compiler, "-fsanitize=address,undefined", str(source), "-o", str(program)]
        built = subprocess.run(command, capture_output=True, check=False).returncode == 0
        return built and subprocess.run([str(program)], capture_output=True, check=False).returncode == 0


def test_python(best: str, *others: str) -> None:
    """Test in the best instruction set, then what depends on it in the others."""
    # The package by name as well: its docstrings' examples are those of the installed files.
    run(sys.executable, "-m", "pytest", "-q", "--pyargs", "tests/python", "ksparse", KSPARSE_ISA=best)
    for variant in others:
        run(sys.executable, "-m", "pytest", "-q", *(f"tests/python/test_{name}.py" for name in NUMERICAL), KSPARSE_ISA=variant)


def test_cpp() -> None:
    """Test in release, installed and under sanitizers."""
    prefix = BUILD / "prefix"
    cmake_test(BUILD / "release", "-DCMAKE_BUILD_TYPE=Release", f"-DCMAKE_INSTALL_PREFIX={prefix}")
    run("cmake", "--install", BUILD / "release", "--component", "cpp")
    run(sys.executable, ROOT / "tests" / "run_consumers.py", prefix, BUILD / "install")
    if sanitizers_work():
        options = ["-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_FLAGS_DEBUG=-O1 -g1", "-DKSPARSE_SANITIZE=address,undefined"]
        # The C API is tested over the same headers in release.
        cmake_test(BUILD / "asan-ubsan", *options, "-DKSPARSE_BUILD_EXAMPLES=OFF", "-DKSPARSE_BUILD_C=OFF")
    else:
        print("this compiler has no sanitizers; the C++ tests ran without them")


def main() -> None:
    """Run everything, Python beside C++: the former uses one processor."""
    from ksparse._core import available, supported

    runnable = [name for name in available() if name in supported()]
    with ThreadPoolExecutor() as pool:
        for side in as_completed([pool.submit(test_python, *runnable), pool.submit(test_cpp)]):
            side.result()
    print(
        f"\nAll tests passed: Python in {', '.join(runnable)}; C++ in release, installed, and under sanitizers where they exist."
    )


if __name__ == "__main__":
    main()

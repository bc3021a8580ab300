"""Run every test: C++ (release, then sanitizers), consumers of the installed library, Python in every instruction set.

Needs the package installed with its ``test`` extra (``pip install '.[test]'``) and a C++ compiler. Builds under ``build/``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
# cmake, ninja and ctest of this interpreter's environment come before the system's.
ENVIRONMENT = {**os.environ, "PATH": sysconfig.get_path("scripts") + os.pathsep + os.environ["PATH"]}


# What depends on the arithmetic, and so on the instruction set; the rest of the Python tests is run with the best one alone.
NUMERICAL = ("constraints", "fit", "groups", "hard_cases", "invariance", "loss", "many", "path", "search", "storage")


def run(*command: str | Path, cwd: Path = ROOT, **environment: str) -> None:
    """Run a command, shown first; stop at the first that fails."""
    print("+", *command, flush=True)
    subprocess.run([str(part) for part in command], cwd=cwd, env={**ENVIRONMENT, **environment}, check=True)


def cmake_test(source: Path, build: Path, *options: str) -> None:
    """Configure, build and test a CMake project."""
    run("cmake", "-G", "Ninja", "-S", source, "-B", build, f"-DPython3_EXECUTABLE={sys.executable}", *options)
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


def main() -> None:
    """Run everything in order, quick things first."""
    from ksparse._core import available, supported

    runnable = [name for name in available() if name in supported()]
    best, *others = runnable
    # The package by name as well: its docstrings' examples are those of the installed files.
    run(sys.executable, "-m", "pytest", "-q", "--pyargs", "tests/python", "ksparse", KSPARSE_ISA=best)
    for variant in others:
        run(sys.executable, "-m", "pytest", "-q", *(f"tests/python/test_{name}.py" for name in NUMERICAL), KSPARSE_ISA=variant)

    prefix = BUILD / "prefix"
    cmake_test(ROOT, BUILD / "release", "-DCMAKE_BUILD_TYPE=Release", f"-DCMAKE_INSTALL_PREFIX={prefix}")
    run("cmake", "--install", BUILD / "release", "--component", "cpp")
    run(sys.executable, ROOT / "tests" / "install" / "run.py", prefix, BUILD / "install")
    if sanitizers_work():
        options = ["-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_FLAGS_DEBUG=-O1 -g", "-DKSPARSE_SANITIZE=address,undefined"]
        cmake_test(ROOT, BUILD / "asan-ubsan", *options, "-DKSPARSE_BUILD_EXAMPLES=OFF")
    else:
        print("this compiler has no sanitizers; the C++ tests ran without them")
    print(
        f"\nAll tests passed: Python in {', '.join(runnable)}; C++ in release, installed, and under sanitizers where they exist."
    )


if __name__ == "__main__":
    main()

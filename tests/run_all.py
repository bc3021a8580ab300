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


def cmake_build(build: Path, *options: str, targets: tuple[str, ...] = ("all",)) -> None:
    """Configure and build the C++ library."""
    run("cmake", "-G", "Ninja", "-S", ROOT, "-B", build, f"-DPython3_EXECUTABLE={sys.executable}", *options)
    run("cmake", "--build", build, "--target", *targets)


def cmake_test(build: Path, *options: str) -> None:
    """Configure, build and test the C++ library."""
    cmake_build(build, *options)
    run("ctest", "--test-dir", build, "--output-on-failure")


def test_threads(*options: str) -> None:
    """Test under the thread sanitizer what runs on several threads."""
    build = BUILD / "tsan"
    cmake_build(build, *options, targets=("test_batch", "test_progress", "test_ranges"))
    # The one left out takes a minute and has no other threads than these.
    run(build / "tests" / "cpp" / "test_batch", "~sampled_scans_are_shared_between_budgets")
    run(build / "tests" / "cpp" / "test_progress")
    run(build / "tests" / "cpp" / "test_ranges", "an interrupt*,workers*,a_small_fit*")


def sanitizers_work(names: str) -> bool:
    """Whether the compiler can build and start a program under these sanitizers."""
    compiler = os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        source, program = Path(folder, "main.cpp"), Path(folder, "main")
        source.write_text("int main() { return 0; }\n")
        command = [compiler, f"-fsanitize={names}", str(source), "-o", str(program)]
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
    run(sys.executable, ROOT / "tests" / "run_cpp_page.py")
    # The C API is tested over the same headers in release.
    options = [
        "-DCMAKE_BUILD_TYPE=Debug",
        "-DCMAKE_CXX_FLAGS_DEBUG=-O1 -g1",
        "-DKSPARSE_BUILD_EXAMPLES=OFF",
        "-DKSPARSE_BUILD_C=OFF",
    ]
    for names in ("address,undefined", "thread"):
        if not sanitizers_work(names):
            print(f"this compiler has no {names} sanitizer; the C++ tests ran without")
        elif names == "thread":
            test_threads(*options, f"-DKSPARSE_SANITIZE={names}")
        else:
            cmake_test(BUILD / "asan-ubsan", *options, f"-DKSPARSE_SANITIZE={names}")


def main() -> None:
    """Run everything, Python beside C++: the former uses one processor."""
    from ksparse._core import available, supported

    runnable = [name for name in available() if name in supported()]
    with ThreadPoolExecutor() as pool:
        for side in as_completed([pool.submit(test_python, *runnable), pool.submit(test_cpp)]):
            side.result()
    missing = [
        f"{name} ({what})"
        for name, what in (("clang++", "consumers of a second compiler"), ("pkg-config", "consumers by pkg-config"))
        if shutil.which(name) is None
    ]
    print(
        f"\nAll tests passed: Python in {', '.join(runnable)}; C++ in release, installed, and under sanitizers where they exist."
        + (f"\nNot tested, because it is not installed: {', '.join(missing)}." if missing else "")
    )


if __name__ == "__main__":
    main()

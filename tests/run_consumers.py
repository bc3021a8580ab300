"""Consumers of the library: by find_package, add_subdirectory, FetchContent and pkg-config, from C++ and from C.

Usage: ``python tests/run_consumers.py PREFIX BUILD [--all]``. PREFIX is where ``cmake --install`` put the library with its C API.
By default one C++ consumer is built by each compiler, which takes a minute; ``--all`` builds every compiler, standard and way.
"""

from __future__ import annotations

import argparse
import itertools
import os
import platform
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from commands import ENVIRONMENT, ROOT, run

HERE = ROOT / "tests" / "install"
EXAMPLES = ROOT / "cpp" / "examples"
WARNINGS = "-Wall -Wextra -Wconversion -Werror"
LEAST = "-fno-exceptions -fno-rtti"


def cmake_consumer(source: Path, build: Path, *options: str) -> None:
    """Configure a consumer from nothing, build it and run it."""
    shutil.rmtree(build, ignore_errors=True)
    run("cmake", "-G", "Ninja", "-S", source, "-B", build, *options)
    run("cmake", "--build", build)
    run("ctest", "--test-dir", build, "--output-on-failure")


def cxx_consumer(way: str, compiler: str, standard: int, flags: str, prefix: Path, build: Path, kind: str = "Debug") -> None:
    """Build and run the C++ example as a part of another project."""
    name = "-".join([way, compiler, str(standard), *flags.split()]).replace("+", "x")
    embedded = way != "find_package"
    cmake_consumer(
        HERE / "subproject" if embedded else HERE,
        build / name,
        f"-DPython3_EXECUTABLE={sys.executable}",  # by which Eigen is found, if it is a Python package
        f"-DEMBED_BY={way}" if embedded else f"-DCMAKE_PREFIX_PATH={prefix}",
        f"-DCMAKE_CXX_COMPILER={compiler}",
        f"-DCMAKE_CXX_STANDARD={standard}",
        "-DCMAKE_CXX_EXTENSIONS=OFF",
        f"-DCMAKE_CXX_FLAGS={WARNINGS} {flags}",
        f"-DCMAKE_BUILD_TYPE={kind}",
    )


def pkg_config_consumer(package: str, compiler: list[str], source: Path, prefix: Path, build: Path) -> None:
    """Compile a source with what pkg-config says, and run it."""
    eigen = [Path(path, "cmeel.prefix", "share", "pkgconfig") for path in sys.path]
    ours = next(prefix.glob(f"lib*/**/{package}.pc")).parent
    places = [ours, *(path for path in eigen if path.exists())]
    settings = {**ENVIRONMENT, "PKG_CONFIG_PATH": os.pathsep.join(map(str, places))}
    flags = subprocess.check_output(["pkg-config", "--cflags", "--libs", package], env=settings, text=True)
    program = build / f"by-pkg-config-{package}"
    run(*compiler, *WARNINGS.split(), source, "-o", program, *shlex.split(flags), "-lm")
    run(program, LD_LIBRARY_PATH=str(ours.parent))


def refuses_other_instructions(compiler: str, prefix: Path, build: Path) -> None:
    """Check that a program with other vector instructions than the library does not link: it would free memory wrongly."""
    if platform.machine() not in ("x86_64", "AMD64"):
        return
    eigen = [f"-isystem{path}/cmeel.prefix/include/eigen3" for path in sys.path if Path(path, "cmeel.prefix").exists()]
    folders = [f"-I{prefix}/include", *(eigen or ["-isystem/usr/include/eigen3"]), f"-L{next(prefix.glob('lib*'))}"]
    command = [compiler, "-std=c++17", "-mavx2", "-DKSPARSE_COMPILED", str(EXAMPLES / "quickstart.cpp"), *folders, "-lksparse"]
    done = subprocess.run([*command, "-o", str(build / "mixed")], text=True, capture_output=True, check=False)
    if done.returncode == 0 or "is_compiled_for_alignment" not in done.stderr:
        sys.exit(f"{shlex.join(command)} should not link for the library's alignment, but:\n{done.stderr}")


def main() -> None:
    """Build and run the consumers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("prefix", type=Path)
    parser.add_argument("build", type=Path)
    parser.add_argument("--all", action="store_true", help="every compiler, standard and way")
    arguments = parser.parse_args()
    prefix, build = arguments.prefix.resolve(), arguments.build.resolve()
    compilers = [name for name in ("g++", "clang++") if shutil.which(name)] or ["c++"]
    first, last = compilers[0], compilers[-1]

    cmake_consumer(HERE / "c", build / "c", f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_C_FLAGS=-std=c11 -pedantic {WARNINGS}")
    if shutil.which("pkg-config"):
        pkg_config_consumer("ksparse-c", ["cc", "-std=c11", "-pedantic"], EXAMPLES / "quickstart.c", prefix, build)
        for package in ("ksparse", "ksparse-compiled"):
            pkg_config_consumer(package, [first, "-std=c++17", "-O0"], EXAMPLES / "quickstart.cpp", prefix, build)
    refuses_other_instructions(first, prefix, build)
    if not arguments.all:
        cxx_consumer("find_package", first, 17, "", prefix, build, "Release")
        cxx_consumer("FetchContent", last, 20, LEAST, prefix, build)
        return
    for compiler, standard, flags in itertools.product(compilers, (17, 20), ("", "-fno-rtti", LEAST)):
        cxx_consumer("find_package", compiler, standard, flags, prefix, build, "Debug" if flags else "Release")
        cxx_consumer("FetchContent" if flags else "add_subdirectory", compiler, standard, flags, prefix, build)
    print(f"\n{4 * 3 * len(compilers)} C++ consumers with {' and '.join(compilers)}, and those in C: all built and ran.")


if __name__ == "__main__":
    main()

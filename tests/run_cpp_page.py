"""Run the commands of the page on C++, ``docs/cpp.rst``, as they are written.

Usage: ``python tests/run_cpp_page.py [--headers]``. By default the libraries are built as on the page, and programs are built with them in every way that
the page shows, which takes about two minutes; ``--headers`` only installs the headers and finds them.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from commands import ENVIRONMENT, ROOT

PAGE = ROOT / "docs" / "cpp.rst"
EXAMPLES = ROOT / "cpp" / "examples"
HEADERS_ONLY = "-DKSPARSE_BUILD_C=OFF -DKSPARSE_BUILD_COMPILED=OFF"


def blocks(language: str) -> list[str]:
    """Return the code blocks of the page in a language."""
    text = PAGE.read_text(encoding="utf-8")
    found = re.findall(rf"^\.\. code-block:: {language}\n\n((?:   .*\n|\n)+)", text, re.MULTILINE)
    return [re.sub(r"^   ", "", block, flags=re.MULTILINE).strip() for block in found]


def inline(beginning: str) -> list[str]:
    """Return the commands within the text of the page that begin so."""
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    return re.findall(rf"``({re.escape(beginning)} [^`]*)``", text)


def options() -> list[str]:
    """Return the options of CMake in the table of the page."""
    return re.findall(r"``(KSPARSE_[A-Z_]+)``", PAGE.read_text(encoding="utf-8"))


def shell(command: str, folder: Path, **environment: str) -> None:
    """Run a command in a shell, and show it and its output; stop if it fails."""
    done = subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env={**ENVIRONMENT, **environment},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    print("+", command, f"\n{done.stdout[-3000:]}", flush=True)
    done.check_returncode()


def linked_root(folder: Path) -> Path:
    """Return a folder with links to everything in the repository except its builds, so that ``cmake -B build`` leaves these alone."""
    root = folder / "ksparse"
    root.mkdir()
    for entry in ROOT.iterdir():
        if entry.name not in ("build", ".git"):
            (root / entry.name).symlink_to(entry)
    return root


def project(folder: Path, text: str, programs: dict[str, str]) -> Path:
    """Write a project with one program for each ``target_link_libraries(app ...)`` of a block of the page."""
    folder.mkdir()
    lines = ["cmake_minimum_required(VERSION 3.21)", "project(consumer LANGUAGES C CXX)", "enable_testing()"]
    for line in text.splitlines():
        linked = re.match(r"target_link_libraries\(app (?:PRIVATE) ksparse::(\w+)\)", line)
        if linked is None:
            lines.append(line)
            continue
        name = f"app_{linked[1]}"
        source = EXAMPLES / programs[linked[1]]
        lines += [
            f"add_executable({name} {source})",
            f"target_link_libraries({name} PRIVATE m)",
            line.replace("(app ", f"({name} "),
            f"add_test(NAME {name} COMMAND {name})",
        ]
    (folder / "CMakeLists.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def main() -> None:
    """Run the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--headers", action="store_true", help="only install and find the headers")
    only_headers = parser.parse_args().headers
    places = [Path(path, "cmeel.prefix") for path in sys.path]
    eigen = [str(place) for place in places if place.exists()]  # if Eigen is a Python package
    settings = {"CXXFLAGS": "-O0", "CMAKE_PREFIX_PATH": os.pathsep.join(eigen)}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        root, prefix = linked_root(folder), folder / "prefix"
        (commands,) = blocks("text")
        configure, build, install = commands.replace("PREFIX", str(prefix)).splitlines()
        shell(f"{configure} {HEADERS_ONLY}" if only_headers else configure, root, **settings)
        if not only_headers:
            shell(build, root, **settings)
        shell(install, root, **settings)

        installed, embedded = blocks("cmake")
        programs = {"ksparse": "quickstart.cpp", "compiled": "quickstart.cpp", "ksparse_c": "quickstart.c"}
        settings["CMAKE_PREFIX_PATH"] += os.pathsep + str(prefix)
        if only_headers:
            installed = "\n".join(line for line in installed.splitlines()[:2])
        consumer = project(folder / "consumer", installed, programs)
        shell("cmake -B build", consumer, **settings)
        other = project(folder / "embedded", embedded, programs)
        (other / "third_party").mkdir()
        (other / "third_party" / "ksparse").symlink_to(root)
        shell("cmake -B build", other, **settings)
        if only_headers:
            return
        shell("cmake --build build && ctest --test-dir build --output-on-failure", consumer, **settings)

        (pkgconfig,) = {path.parent for path in prefix.glob("lib*/**/ksparse.pc")}
        found = [str(pkgconfig), *(f"{place}/share/pkgconfig" for place in eigen)]
        settings |= {"PKG_CONFIG_PATH": os.pathsep.join(found), "LD_LIBRARY_PATH": str(pkgconfig.parent)}
        shutil.copy(EXAMPLES / "quickstart.cpp", folder / "app.cpp")
        shutil.copy(EXAMPLES / "quickstart.c", folder / "app.c")
        for command in [*inline("c++"), *inline("cc")]:
            shell(f"{command.replace('-O2', '-O0')} -lm && ./a.out", folder, **settings)
            if shlex.split(command)[0] == "c++":  # the page names the other package
                shell(
                    f"{command.replace('-O2', '-O0').replace('libs ksparse', 'libs ksparse-compiled')} && ./a.out",
                    folder,
                    **settings,
                )
        if shutil.which("doxygen"):
            (command,) = inline("doxygen")
            shell(command, root)
    print("\nThe commands of docs/cpp.rst: all ran.")


if __name__ == "__main__":
    main()

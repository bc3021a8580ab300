"""The commands of the page on C++ work as they are written; ``tests/run_all.py`` runs all of them, this file those that compile nothing."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))

import run_cpp_page  # noqa: E402


def test_every_command_is_run():
    """A command or a block that is added to the page is added to the script that runs the page."""
    text = (ROOT / "docs" / "cpp.rst").read_text(encoding="utf-8")
    assert len(run_cpp_page.blocks("text")) == 1
    assert len(run_cpp_page.blocks("cmake")) == 2
    commands = [run_cpp_page.inline(name) for name in ("c++", "cc", "doxygen")]
    assert [len(found) for found in commands] == [1, 1, 1]
    # Literals that look like commands, of which there are no others.
    others = re.findall(
        r"``((?:cmake|ctest|ninja|make|g\+\+|gcc|clang\+\+|pip|python3?|sudo|apt-get|pkg-config) [^`]*)``",
        " ".join(text.split()),
    )
    assert others == []
    assert run_cpp_page.HEADERS_ONLY in text


def test_every_option_exists():
    """The table of options has those of CMakeLists.txt, except the one that pip sets."""
    defined = re.findall(r"^option\((KSPARSE_\w+)", (ROOT / "CMakeLists.txt").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(run_cpp_page.options()) == set(defined) - {"KSPARSE_BUILD_PYTHON"}


@pytest.mark.skipif(not (shutil.which("cmake") and shutil.which("c++")), reason="there is no CMake or no compiler")
def test_headers_are_installed_and_found():
    """The commands for the headers alone compile nothing, and a project finds what they installed."""
    script = str(ROOT / "tests" / "run_cpp_page.py")
    done = subprocess.run([sys.executable, script, "--headers"], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]

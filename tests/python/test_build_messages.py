"""What the build says where something is missing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(
    not (ROOT / "CMakeLists.txt").is_file() or shutil.which("cmake") is None, reason="needs the sources and CMake"
)


def test_missing_headers_of_python_are_named_with_their_package(tmp_path):
    """As on a Debian machine with python3 but without python3-dev."""
    nowhere = tmp_path / "include"
    nowhere.mkdir()
    options = ["-DKSPARSE_BUILD_PYTHON=ON", *(f"-DKSPARSE_BUILD_{part}=OFF" for part in ("C", "COMPILED", "TESTS", "EXAMPLES"))]
    prefix = Path(sys.prefix, "lib", f"python{sys.version_info[0]}.{sys.version_info[1]}", "site-packages", "cmeel.prefix")
    command = ["cmake", "-S", ROOT, "-B", tmp_path / "build", *options, f"-DPython_EXECUTABLE={sys.executable}"]
    command += [f"-DPython_INCLUDE_DIR={nowhere}", f"-DCMAKE_PREFIX_PATH={prefix}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode != 0
    said = " ".join(done.stderr.split())
    assert "headers of Python (Python.h) are missing" in said, done.stdout + done.stderr
    assert "apt-get install python3-dev" in said

"""What type checkers make of the package."""

import os
import subprocess
import sys
from pathlib import Path

import ksparse
import pytest
import typed_example

EXAMPLE = Path(__file__).parent / "typed_example.py"


def mypy(file, folder):
    """Check a file strictly, as a user of the package that is imported here would."""
    pytest.importorskip("mypy")
    (folder / "mypy.ini").write_text("[mypy]\nstrict = true\n", encoding="utf-8")
    # Only where the package is not installed: mypy takes the path for that of the user's own files.
    package = Path(ksparse.__file__).parent.parent
    environment = {**os.environ, "MYPYPATH": "" if package.name == "site-packages" else str(package)}
    command = [sys.executable, "-m", "mypy", "--config-file", "mypy.ini", "--follow-imports", "silent", str(file)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_a_typed_program_is_clean(tmp_path):
    """Under mypy --strict; the types that it asserts are those of the documentation."""
    done = mypy(EXAMPLE, tmp_path)
    assert done.stdout.startswith("Success: no issues found in 1 source file"), done.stdout + done.stderr


def test_a_wrong_type_is_found(tmp_path):
    """The types come from the package: without them anything would go."""
    (tmp_path / "wrong.py").write_text("import ksparse\n\nnumber: int = ksparse.fit([[0.0]], [0], k='two')\n", encoding="utf-8")
    done = mypy("wrong.py", tmp_path)
    assert 'Argument "k" to "fit" has incompatible type' in done.stdout
    assert 'expression has type "FitResult", variable has type "int"' in done.stdout


def test_the_program_runs():
    """The types are those of what comes back, too."""
    answers = typed_example.main()
    assert answers["stable"] == 1.0
    assert answers["accuracy"] > 0.6

"""The fuzzer runs, and finds nothing in a few seconds."""

import subprocess
import sys
from pathlib import Path

import pytest

FUZZ = Path(__file__).parent.parent / "fuzz" / "fuzz.py"


@pytest.mark.parametrize("options", [(), ("--extreme",)])
def test_no_law_is_broken(options):
    """Some hundred problems of every kind; with other seeds and more time it is run by hand."""
    command = [sys.executable, FUZZ, "--inputs", "1500", "--seed", "11", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "; 0 failures" in done.stdout
    assert "converged" in done.stdout

"""How scripts of the tests run commands."""

from __future__ import annotations

import os
import subprocess
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# cmake, ninja and ctest of this interpreter's environment come before the system's.
ENVIRONMENT = {**os.environ, "PATH": sysconfig.get_path("scripts") + os.pathsep + os.environ["PATH"]}


def run(*command: str | Path, **environment: str) -> None:
    """Run a command, and show it and what it printed when it ends; stop at the first that fails."""
    words, settings = [str(part) for part in command], {**ENVIRONMENT, **environment}
    done = subprocess.run(
        words, cwd=ROOT, env=settings, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    print("+", *words, f"\n{done.stdout}", flush=True)
    done.check_returncode()

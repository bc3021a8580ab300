"""Time of ``import ksparse`` in a fresh interpreter, beside ``import numpy`` alone; and that it leaves scikit-learn alone.

python benchmarks/import_time.py
"""

from __future__ import annotations

import subprocess
import sys

import numpy as np

CODE = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"


def main() -> None:
    for module in ("numpy", "ksparse"):
        runs = [subprocess.run([sys.executable, "-c", CODE.format(module)], capture_output=True, check=True) for _ in range(11)]
        print(
            f"import {module:8s} {1e3 * np.median([float(run.stdout) for run in runs]):6.1f} ms (median of 11 fresh interpreters)"
        )
    check = "import sys, ksparse; print('sklearn' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", check], capture_output=True, check=True, text=True)
    loaded = run.stdout.strip() == "True"
    print(f"scikit-learn is {'IMPORTED TOO' if loaded else 'not imported'}")
    sys.exit(int(loaded))


if __name__ == "__main__":
    main()

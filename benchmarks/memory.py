"""Peak memory of a fit above X and y, against 10 % of X plus 20 MB (Linux).

X has normal numbers in float64, or independent booleans or counts in one byte each, which are read in place.

    python benchmarks/memory.py

Each fit runs in a process of its own; the kernel's high-water mark is reset after the data are made.
"""

from __future__ import annotations

import argparse
import ctypes
import subprocess
import sys
from pathlib import Path

CASES = [
    (200, 20000, 5, "float64"),
    (1000, 5000, 10, "float64"),
    (10000, 1000, 10, "float64"),
    (2000, 2000, 20, "float64"),
    (100000, 500, 10, "float64"),
    (200, 20000, 100, "float64"),
    (1000000, 300, 10, "bool"),
    (10000, 1000, 10, "uint8"),
]
BYTES = {"float64": 8, "bool": 1, "uint8": 1}


def high_water(which: str) -> int:
    """VmHWM or VmRSS of this process, in bytes."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(which))
    return int(line.split()[1]) * 1024


def child(n: int, p: int, k: int, order: str, dtype: str) -> None:
    """Make data, reset the mark, fit, print what was added."""
    import common  # noqa: F401  (one thread)
    import ksparse
    import numpy as np

    rng = np.random.default_rng(0)
    X = np.empty((n, p), dtype, order=order)
    draw = {
        "float64": rng.standard_normal,
        "bool": lambda shape: rng.random(shape) < 0.3,
        "uint8": lambda shape: rng.poisson(3, shape),
    }
    for begin in range(0, n, 1000):
        X[begin : begin + 1000] = draw[dtype]((len(X[begin : begin + 1000]), p))
    signal = X[:, :3].sum(axis=1)
    y = (signal - signal.mean() + rng.standard_normal(n) > 0).astype(float)
    small = np.array(X[:50, :20])
    ksparse.fit(small, y[:50], 2, ridge=1e-2)  # loads what a first call loads
    # Free memory that the allocator keeps would hide what the fit asks for.
    ctypes.CDLL(None).malloc_trim(0)
    before = high_water("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    result = ksparse.fit(X, y, k, ridge=1e-3)
    print(high_water("VmHWM") - before, len(result.support))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--child", nargs=5, metavar=("N", "P", "K", "ORDER", "DTYPE"))
    arguments = parser.parse_args()
    if arguments.child:
        n, p, k, order, dtype = arguments.child
        child(int(n), int(p), int(k), order, dtype)
        return
    print(f"{'case':>32s} {'X':>9s} {'added':>9s} {'allowed':>9s}")
    for n, p, k, dtype in CASES:
        for order in "FC":
            command = [sys.executable, __file__, "--child", str(n), str(p), str(k), order, dtype]
            added = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[0]) / 1e6
            size = n * p * BYTES[dtype] / 1e6
            allowed = 0.1 * size + 20
            case = f"{dtype} {n} x {p}, k {k}, {order}"
            print(
                f"{case:>32s} {size:6.1f} MB {added:6.1f} MB {allowed:6.1f} MB {'ok' if added <= allowed else 'TOO MUCH'}",
                flush=True,
            )


if __name__ == "__main__":
    main()

"""5 folds x 20 values of k x 5 ridges on 2000 x 1000 beside abess's own cross-validation over the same grid, and its memory.

    python benchmarks/cross_validation.py [--threads 2] [--repeats 5]

Times in alternation, the same number of threads each; abess is optional: pip install abess. Peak memory (Linux) is that of a
process of its own, above what it held before the call.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import common
import designs
import numpy as np
from ksparse import KSparseClassifierCV
from memory import high_water

KS = list(range(1, 21))
RIDGES = [0.0, 1e-4, 1e-3, 1e-2, 1e-1]
CASES = {
    "ar0.5": lambda: designs.autoregressive(2000, 1000, 10, 0.5),
    "ar0.9": lambda: designs.autoregressive(2000, 1000, 10, 0.9),
    "rare5%": designs.PUBLIC["rare5%-2000x1000-k10"],
}


def ours(X: np.ndarray, y: np.ndarray, threads: int) -> KSparseClassifierCV:
    """Cross-validate, and fit on all rows."""
    return KSparseClassifierCV(ks=KS, ridge=RIDGES, cv=5, n_jobs=threads).fit(X, y)


def theirs(X: np.ndarray, y: np.ndarray, threads: int) -> None:
    """Cross-validate with abess."""
    from abess import LogisticRegression

    LogisticRegression(support_size=KS, alpha=RIDGES, cv=5, thread=threads).fit(X, y)


def added_memory(case: str, threads: int) -> float:
    """Peak of a child process above what it held, as a part of X."""
    command = [sys.executable, __file__, "--child", case, "--threads", str(threads)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])


def child(case: str, threads: int) -> None:
    """Reset the high-water mark, run, print what was added relative to X."""
    design = CASES[case]()
    y = design.y.astype(int)
    ours(np.array(design.X[:100, :30]), y[:100], threads)  # loads what a first call loads
    ctypes.CDLL(None).malloc_trim(0)
    before = high_water("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    ours(design.X, y, threads)
    print((high_water("VmHWM") - before) / design.X.nbytes)


def main() -> None:
    """Compare on each case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--child", choices=CASES)
    arguments = parser.parse_args()
    threads = arguments.threads
    if arguments.child:
        child(arguments.child, threads)
        return
    os.environ["OMP_NUM_THREADS"] = str(threads)  # abess's
    if not find_spec("abess"):
        print("abess is not installed (pip install abess): ksparse alone")
    for name, make in CASES.items():
        design = make()
        X, y = design.X, design.y.astype(int)
        seconds = common.median_seconds(lambda X=X, y=y: ours(X, y, threads), arguments.repeats)
        line = f"{name:7} ksparse {seconds:.2f} s on {threads} threads, {seconds / common.median_seconds(common.one_pass(X), 20):.0f}"
        line += f" t_pass, peak memory {1 + added_memory(name, threads):.2f} times X"
        if find_spec("abess"):
            ratio = common.paired_ratio(
                lambda X=X, y=y: theirs(X, y, threads), lambda X=X, y=y: ours(X, y, threads), arguments.repeats
            )
            line += f"; abess takes {ratio[1]:.1f} times as long ({ratio[0]:.1f} to {ratio[2]:.1f})"
        print(line, flush=True)


if __name__ == "__main__":
    main()

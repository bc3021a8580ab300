"""One fit on one thread and on several: the ratio of their wall times, taken in turn, and whether the answers are the same.

    python benchmarks/threads.py
    python benchmarks/threads.py --threads 4 --cases tall wide

The machine must be quiet, since other programs take the second core from the fit on two threads first. The tall cases have 2.4 GB.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

import ksparse
import numpy as np

CASES: dict[str, tuple[int, int, type, dict[str, Any]]] = {
    "small": (500, 200, np.float64, {}),
    "middle": (20_000, 2000, np.float64, {}),
    "tall": (3_000_000, 100, np.float64, {}),
    "tall focal": (3_000_000, 100, np.float64, {"loss": "focal"}),
    "wide float32": (500, 1_000_000, np.float32, {}),
}


def problem(n: int, p: int, dtype: type) -> tuple[Any, Any]:
    """X in Fortran order, column by column so that no second copy is needed, and labels of ten features."""
    rng = np.random.default_rng(0)
    X = np.empty((n, p), dtype=dtype, order="F")
    for column in X.T:
        column[:] = rng.standard_normal(n, dtype=np.float32)
    eta = X[:, rng.choice(p, 10, replace=False)] @ np.where(np.arange(10) % 2, 1.0, -1.0)
    return X, rng.random(n) < 1 / (1 + np.exp(-eta))


def seconds(X: Any, y: Any, threads: int, settings: dict[str, Any]) -> tuple[float, Any]:
    """Wall time of a fit, and its result."""
    start = time.perf_counter()
    result = ksparse.fit(X, y, 10, n_jobs=threads, **settings)
    return time.perf_counter() - start, result


def main() -> None:
    """Print one line for each case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=list(CASES))
    arguments = parser.parse_args()
    print(f"{'case':14s} {'n':>9s} {'p':>9s} {'1 thread s':>11s} {arguments.threads:>3d} threads s  ratio  same answer")
    for name in arguments.cases:
        n, p, dtype, settings = CASES[name]
        X, y = problem(n, p, dtype)
        times: dict[int, list[float]] = {1: [], arguments.threads: []}
        answers = {}
        for _ in range(arguments.rounds):
            for threads, list_of in times.items():
                taken, answers[threads] = seconds(X, y, threads, settings)
                list_of.append(taken)
        one, several = (statistics.median(list_of) for list_of in times.values())
        same = np.array_equal(answers[1].coef, answers[arguments.threads].coef)
        print(f"{name:14s} {n:9d} {p:9d} {one:11.4f} {several:13.4f} {one / several:6.2f}  {same}", flush=True)


if __name__ == "__main__":
    main()

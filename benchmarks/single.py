"""Time of a single fit through Python, one thread: small data in milliseconds, large data in passes over X.

    python benchmarks/single.py

t_pass is one ``X.T @ r`` in NumPy on the same data in the same process, taken in alternation with the fit.
"""

from __future__ import annotations

import argparse

import common
import ksparse
import numpy as np
from designs import PUBLIC, Design, autoregressive


def small(loss: str) -> Design:
    """500 rows, 200 features, k = 5."""
    return autoregressive(500, 200, 5, 0.5, loss=loss)


# Name, design, and the figure to reach: milliseconds or passes.
CASES = [
    ("500 x 200, k 5, logistic", lambda: small("logistic"), 0.5, "ms"),
    ("500 x 200, k 5, focal", lambda: small("focal"), 0.5, "ms"),
    ("example data, logistic", PUBLIC["seed-ce"], 0.6, "ms"),
    ("example data, focal", PUBLIC["seed-focal.5"], 0.6, "ms"),
    ("10000 x 1000, k 10", PUBLIC["ar0.5-10000x1000-k10"], 8, "t_pass"),
    ("100000 x 500, k 10", PUBLIC["tall-100000x500-k10"], 8, "t_pass"),
    ("200 x 20000, k 5", PUBLIC["wide-200x20000-k5"], 19, "t_pass"),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=21)
    repeats = parser.parse_args().repeats
    print(f"instruction set {common.instruction_set()}, one thread, X in F order, search auto\n")
    print(
        f"{'case':26s} {'objective':>10s} {'ms':>8s} {'t_pass':>7s} {'quartiles':>13s} {'scans':>6s} {'Newton':>6s} {'refits':>6s}"
    )
    for name, make, figure, unit in CASES:
        design = make()

        def fit(design: Design = design) -> ksparse.FitResult:
            return ksparse.fit(design.X, design.y, design.k, **design.settings)

        result = fit()
        low, middle, high = common.paired_ratio(fit, common.one_pass(design.X), repeats)
        milliseconds = 1e3 * common.median_seconds(fit, repeats)
        reached = (milliseconds if unit == "ms" else middle) <= figure
        print(
            f"{name:26s} {result.objective:10.6f} {milliseconds:8.2f} {middle:7.1f} {f'{low:.1f}-{high:.1f}':>13s}"
            f" {result.n_scans:6d} {result.n_newton:6d} {result.n_refits:6d}  {'ok' if reached else 'NOT REACHED'}: <= {figure} {unit}",
            flush=True,
        )
    overhead = python_overhead()
    print(f"\nof which Python, before and after the core: {1e3 * overhead:.3f} ms")


def python_overhead() -> float:
    """Median seconds of a fit of 20 x 5 with k = 0, which is next to nothing but the way in and out."""
    rng = np.random.default_rng(0)
    X, y = np.asfortranarray(rng.standard_normal((20, 5))), np.arange(20) % 2
    return common.median_seconds(lambda: ksparse.fit(X, y, 0), 500)


if __name__ == "__main__":
    main()

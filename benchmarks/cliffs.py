"""Look for calls that take 20 times as long as their neighbours: one fit for each value of one property, all others as usual.

    python benchmarks/cliffs.py
    python benchmarks/cliffs.py --search fast --axes offset k

Each row has the processor time, the work, and the time divided by that of the value before, per row and column of X. At the end
stand the values whose quotient with a neighbour is above 20.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import common  # noqa: F401  one thread
import ksparse
import numpy as np
import scipy.sparse as sp

USUAL: dict[str, Any] = {
    "n": 2000, "p": 60, "k": 5, "prevalence": 0.5, "offset": 0.0, "gamma": 2.0, "scale": 1.0, "density": 1.0, "loss": "logistic",
    "correlation": 0.3, "weights": 0.0, "ridge": 0.0,
}  # fmt: skip
AXES: dict[str, list[Any]] = {
    "n": [50, 200, 1000, 5000, 20_000, 100_000],
    "p": [6, 20, 60, 96, 97, 192, 193, 400, 2000, 5000],
    "k": [1, 2, 5, 10, 20, 32, 33, 45, 59, 60],
    "prevalence": [0.5, 0.1, 0.02, 0.005, 0.0005],
    "offset": [0.0, 1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6],
    "gamma": [0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0],
    "scale": [1e-12, 1e-6, 1e-3, 1.0, 1e3, 1e6, 1e12],
    "density": [1.0, 0.5, 0.2, 0.1, 0.03, 0.01, 0.003],
    "correlation": [0.0, 0.5, 0.9, 0.99, 0.9999, 0.999999],
    "weights": [0.0, 1.0, 3.0, 6.0],
    "ridge": [0.0, 1e-8, 1e-4, 1e-2, 1.0, 100.0],
    "loss": [
        "logistic", "focal", "asymmetric_focal", "squared_hinge", "huberised_hinge", "exponential", "probit", "cloglog",
        "squared", "huber", "poisson", "gamma", "tweedie", "negative_binomial",
    ],
}  # fmt: skip


def problem(case: dict[str, Any]) -> tuple[Any, Any, dict[str, Any]]:
    """X, y, and further arguments of a fit. Labels and counts do not know of the offset."""
    rng = np.random.default_rng(0)
    n, p = case["n"], case["p"]
    common_part = rng.standard_normal((n, 1))
    rho = case["correlation"]
    X = np.asfortranarray(np.sqrt(rho) * common_part + np.sqrt(1 - rho) * rng.standard_normal((n, p)))
    if case["density"] < 1:
        X[rng.random((n, p)) >= case["density"]] = 0
    eta = X[:, :: max(1, p // 5)][:, :5] @ np.resize([1.0, -1.0], min(5, len(range(0, p, max(1, p // 5)))))
    loss = case["loss"]
    if loss in ("squared", "huber"):
        y = eta + rng.standard_normal(n)
    elif loss in ("poisson", "negative_binomial", "tweedie"):
        y = rng.poisson(np.exp(np.clip(eta, -8, 4))).astype(float)
    elif loss == "gamma":
        y = rng.gamma(2, np.exp(np.clip(eta, -8, 4))) + 1e-6
    else:
        wanted = min(max(round(case["prevalence"] * n), 1), n - 1)
        noisy = eta + rng.logistic(size=n)
        y = (noisy >= np.sort(noisy)[n - wanted]).astype(float)
    arguments: dict[str, Any] = {"loss": loss, "ridge": case["ridge"]}
    if case["offset"]:
        arguments["offset"] = case["offset"] * rng.standard_normal(n)
    if case["weights"]:
        arguments["sample_weight"] = 10 ** (case["weights"] * rng.uniform(-1, 1, n))
    if loss == "focal":
        arguments["gamma"] = case["gamma"]
    X *= case["scale"]
    return (sp.csc_array(X) if case["density"] < 1 else X), y, arguments


def main() -> None:
    """Print all axes, and what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--search", default="auto")
    parser.add_argument("--axes", nargs="+", default=list(AXES), choices=list(AXES))
    parser.add_argument("--loss", default="logistic")
    arguments = parser.parse_args()
    found = []
    for axis in arguments.axes:
        before = None
        print(f"\n{axis:>12s} {'ms':>9s} {'Newton':>7s} {'refits':>7s} {'scans':>6s} {'times':>6s}  status", flush=True)
        for value in AXES[axis]:
            case = {**USUAL, "loss": "focal" if axis == "gamma" else arguments.loss, axis: value}
            X, y, more = problem(case)
            times = []
            while len(times) < 3 and sum(times) < 0.3:
                start = time.thread_time()
                try:
                    result = ksparse.fit(X, y, case["k"], search=arguments.search, **more)
                except ValueError as error:
                    print(f"{value!s:>12s} {error}")
                    break
                times.append(time.thread_time() - start)
            if not times:
                continue
            # Small data take the time of a call, whatever their size.
            cost = min(times) / max(case["n"] * case["p"], 50_000)
            ratio = cost / before if before else 1.0
            before = cost
            if ratio > 20 or ratio < 1 / 20:
                found.append(f"{axis} = {value}: {ratio:.3g} times the value before")
            refits = getattr(result, "n_refits", 0)
            print(
                f"{value!s:>12s} {1e3 * min(times):9.2f} {result.n_newton:7d} {refits:7d} {result.n_scans:6d} {ratio:6.2f}  {result.status}",
                flush=True,
            )
    print("\n" + ("\n".join(found) if found else "no value takes 20 times as long as its neighbours"))


if __name__ == "__main__":
    main()

"""A user's logistic loss, compiled by Numba, against the built-in one: ratios of the time of a fit.

python benchmarks/compiled_loss.py [--repeats 41]
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from pathlib import Path

import ksparse
import numba
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "python"))
import numba_logistic


@numba.cfunc("float64(float64, float64)")
def value(eta, y):
    """Value of a row."""
    return max(-y * eta, 0.0) + math.log1p(math.exp(-abs(eta)))


@numba.cfunc("float64(float64, float64)")
def slope(eta, y):
    """Slope of a row."""
    e = math.exp(-abs(eta))
    return -y * (e / (1 + e) if y * eta >= 0 else 1 / (1 + e))


@numba.cfunc("float64(float64, float64)")
def curvature(eta, y):
    """Curvature of a row."""
    e = math.exp(-abs(eta))
    return e / (1 + e) ** 2


def seconds(X, y, k, loss):
    """Time of one fit."""
    begin = time.perf_counter()
    ksparse.fit(X, y, k, loss=loss)
    return time.perf_counter() - begin


def main():
    """Print a line per size and form, answers compared first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=41)
    repeats = parser.parse_args().repeats
    forms = {
        "block": numba_logistic.loss,
        "three of a row": ksparse.losses.Compiled(value=value, slope=slope, curvature=curvature),
    }
    for n, p, k in [(500, 200, 5), (20000, 200, 10)]:
        rng = np.random.default_rng(0)
        X = np.asfortranarray(rng.standard_normal((n, p)))
        y = X[:, [3, 9, 17]].sum(axis=1) + rng.logistic(size=n) > 0
        for name, loss in forms.items():
            ours, built_in = (ksparse.fit(X, y, k, loss=which) for which in (loss, "logistic"))
            assert ours.support.tolist() == built_in.support.tolist()
            assert abs(ours.objective - built_in.objective) < 1e-12
            pairs = [
                seconds(X, y, k, loss) / seconds(X, y, k, "logistic") for _ in range(repeats if n < 1000 else repeats // 5)
            ]
            low, middle, high = np.percentile(pairs, [25, 50, 75])
            print(
                f"{n} x {p}, k = {k}, {name}: {middle:.2f} [{low:.2f}, {high:.2f}]; {ksparse.build_info()['instruction_set']}"
            )


if __name__ == "__main__":
    main()

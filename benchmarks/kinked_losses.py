"""How often fits with the losses absolute, quantile and hinge are the best of all supports, and how long they take.

    python benchmarks/kinked_losses.py --problems 60

Each problem has 120 rows and 25 correlated features, of which k = 3 are chosen. Every support is fitted approximately (60 iterations of
iterated least squares), and all whose value is within 5 % of the lowest are fitted exactly, by linear programming.
"""

from __future__ import annotations

import argparse
import itertools
import time

import ksparse
import numpy as np
from scipy.optimize import linprog

LOSSES = {"absolute": ksparse.losses.Absolute(), "quantile": ksparse.losses.Quantile(0.3), "hinge": ksparse.losses.Hinge()}


def problem(seed, name, n=120, p=25):
    """Return X and y with heavy-tailed errors and neighbouring columns that correlate."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    X[:, 1::2] += 0.7 * X[:, :-1:2]
    y = X[:, [2, 5, 11]] @ [0.5, -1.0, 1.5] + rng.standard_t(2, n)
    return X, (y > 0) * 1.0 if name == "hinge" else y


def lines(name, y):
    """Return targets and the two slopes of each row."""
    if name == "hinge":
        sign = 2 * y - 1
        return sign, np.maximum(sign, 0), np.minimum(sign, 0)
    tau, factor = (0.5, 2.0) if name == "absolute" else (0.3, 1.0)
    return y, np.full(len(y), factor * tau), np.full(len(y), factor * (tau - 1))


def best_by_enumeration(X, target, high, low, k):
    """Return the lowest value and its support."""
    n, p = X.shape
    supports = np.array(list(itertools.combinations(range(p), k)))
    Z = np.concatenate([X.T[supports], np.ones((len(supports), 1, n))], axis=1)
    half, middle = 0.5 * (high - low), 0.5 * (high + low)
    coef = np.zeros((len(supports), k + 1))
    for _ in range(60):
        weights = half / (1e-3 + np.abs(target - np.einsum("skn,sk->sn", Z, coef)))
        normal = np.einsum("skn,sln->skl", Z * weights[:, None], Z)
        coef = np.linalg.solve(normal, np.einsum("skn,sn->sk", Z, weights * target + middle)[..., None])[..., 0]
    residual = target - np.einsum("skn,sk->sn", Z, coef)
    values = np.maximum(high * residual, low * residual).mean(axis=1)
    exact = []
    for s in np.flatnonzero(values <= 1.05 * values.min()):
        found = linprog(-target, A_eq=Z[s], b_eq=np.zeros(k + 1), bounds=np.column_stack([low, high]), method="highs")
        exact.append((-found.fun / n, supports[s].tolist()))
    return min(exact)


def main():
    """Print the rate for each loss."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", type=int, default=60)
    parser.add_argument("--losses", nargs="+", default=list(LOSSES), choices=list(LOSSES))
    options = parser.parse_args()
    for name in options.losses:
        good, seconds = 0, 0.0
        for seed in range(options.problems):
            X, y = problem(seed, name)
            begin = time.process_time()
            fit = ksparse.fit(X, y, 3, loss=LOSSES[name])
            seconds += time.process_time() - begin
            value, support = best_by_enumeration(X, *lines(name, y), 3)
            good += abs(fit.objective - value) <= 1e-9 * value and fit.support.tolist() == support
        print(
            f"{name}: {good} of {options.problems} are the best support, {1e3 * seconds / options.problems:.0f} ms each",
            flush=True,
        )


if __name__ == "__main__":
    main()

"""k by EBIC over 0..20 on small data beside abess: time, and the criterion that each ends at.

    python benchmarks/criterion.py [--repeats 9]

One thread each, the least of several times, taken in alternation. Each row has ksparse's estimator, its path alone (``fit_path(...).best("ebic")``), and both
criteria, abess's support refitted by ksparse. abess: pip install abess.
"""

from __future__ import annotations

import argparse
import warnings

import common
import ksparse
import numpy as np

SHAPES = ((100, 20), (200, 100), (500, 200), (300, 50), (1000, 100), (400, 400))
FAMILIES = {"gaussian": "squared", "binomial": "logistic", "poisson": "poisson"}


def problem(family: str, n: int, p: int) -> tuple[np.ndarray, np.ndarray]:
    """Return neighbouring columns with correlation 0.3, of which five make y, with noise."""
    rng = np.random.default_rng([n, p])
    X = rng.standard_normal((n, p))
    for j in range(1, p):
        X[:, j] = 0.3 * X[:, j - 1] + np.sqrt(1 - 0.3**2) * X[:, j]
    eta = X[:, rng.choice(p, 5, replace=False)] @ (rng.choice([-1.0, 1.0], 5) * rng.uniform(0.5, 1.5, 5))
    eta /= np.std(eta)
    if family == "gaussian":
        return X, eta + rng.standard_normal(n)
    if family == "binomial":
        return X, (rng.random(n) < 1 / (1 + np.exp(-2 * eta))).astype(float)
    return X, rng.poisson(np.exp(0.7 * eta)).astype(float)


def compare(family: str, n: int, p: int, repeats: int) -> float:
    """Print the line of one case, and return the ratio of times."""
    import abess

    X, y = problem(family, n, p)
    loss, k_max = FAMILIES[family], min(20, p)
    rival = {"gaussian": abess.LinearRegression, "binomial": abess.LogisticRegression, "poisson": abess.PoissonRegression}[
        family
    ]
    kind = ksparse.KSparseClassifier if family == "binomial" else ksparse.KSparseRegressor

    def ours() -> ksparse.FitResult:
        return kind(k="ebic", k_max=k_max, loss=loss).fit(X, y).result_

    def path() -> ksparse.FitResult:
        return ksparse.fit_path(X, y, range(k_max + 1), loss=loss).best("ebic")

    def theirs() -> np.ndarray:
        return np.flatnonzero(rival(support_size=range(k_max + 1), ic_type="ebic", thread=1).fit(X, y).coef_.ravel())

    def ebic(support: np.ndarray) -> float:
        refit = ksparse.fit_path(X, y, [len(support)], loss=loss, always_in=support)
        return float(refit.criterion("ebic")[0])

    times = np.array([[common.seconds(job) for job in (ours, path, theirs)] for _ in range(repeats)]).min(axis=0)
    print(
        f"{loss:9} {n:5} x {p:<4} {1e3 * times[0]:7.1f} ms, path alone {1e3 * times[1]:6.1f}, abess {1e3 * times[2]:6.1f}:"
        f" {times[0] / times[2]:5.2f} of its time, path {times[1] / times[2]:5.2f};"
        f" ebic {ebic(ours().support):.4f}, abess {ebic(theirs()):.4f}",
        flush=True,
    )
    return float(times[0] / times[2])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=9)
    repeats = parser.parse_args().repeats
    warnings.simplefilter("ignore")
    ratios = [compare(family, n, p, repeats) for family in FAMILIES for n, p in SHAPES]
    print(f"slower than abess in {sum(ratio > 1 for ratio in ratios)} of {len(ratios)}; median ratio {np.median(ratios):.2f}")


if __name__ == "__main__":
    main()

"""Time of fits with many features: k near p, from one k to the next, a path over many k, offsets and groups of many columns.

    python benchmarks/large_k.py [--quick] [--loss logistic] [--seed 0]

Designs of Gaussian features, a third of which made y; a ridge of 1e-3 with labels, which so many features would separate. Prints

- k = p, p - 1 and p / 2, beside the same support forced by ``always_in`` and scikit-learn's fit of all columns;
- the time of every k of a list on 2000 x 600, with the largest ratio of one k to the k before (``--quick``: fewer k);
- one ``fit_path`` over k = 1 .. 199 there;
- a logistic fit with offsets of growing spread, and one with a group of 1000 columns among single ones.
"""

from __future__ import annotations

import argparse
import itertools
import warnings

import common
import ksparse
import numpy as np
from sklearn.linear_model import LinearRegression, LogisticRegression


def random_design(seed: int, n: int, p: int, loss: str) -> tuple[np.ndarray, np.ndarray, dict]:
    """X, y and the settings of ksparse.fit."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    eta = X @ (rng.standard_normal(p) * (rng.random(p) < 0.3))
    eta /= eta.std()
    if loss == "squared":
        return X, eta + rng.standard_normal(n), {"loss": loss}
    return X, (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float), {"loss": loss, "ridge": 1e-3}


def timed(X: np.ndarray, y: np.ndarray, k: int, repeats: int = 1, **settings) -> tuple[float, ksparse.FitResult]:
    """Least time of some fits, and the answer."""
    answers: list[ksparse.FitResult] = []
    seconds = min(common.seconds(lambda: answers.append(ksparse.fit(X, y, k, **settings))) for _ in range(repeats))
    return seconds, answers[0]


def near_all(n: int, p: int, loss: str, seed: int) -> None:
    """Time fits of all, nearly all and half of the columns."""
    X, y, settings = random_design(seed, n, p, loss)
    forced, _ = timed(X, y, p, 3, always_in=range(p), **settings)
    model = LinearRegression() if loss == "squared" else LogisticRegression(C=1 / (n * settings["ridge"]))
    print(f"{n} x {p}, {loss}: always_in of all {forced:.3f} s, scikit-learn {common.seconds(lambda: model.fit(X, y)):.3f} s")
    for k in (p, p - 1, p // 2):
        seconds, got = timed(X, y, k, 3, **settings)
        ratio = f", {seconds / forced:.2f} x always_in" if k == p else ""
        print(
            f"  k {k:4d}  {seconds:7.3f} s  F {got.objective:.8f}  {got.n_refits} refits, {got.n_scans} scans{ratio}",
            flush=True,
        )


def from_k_to_k(ks: list[int], loss: str, search: str, seed: int) -> None:
    """Print the time of every k, and the largest step."""
    X, y, settings = random_design(seed, 2000, 600, loss)
    seconds = {}
    for k in ks:
        seconds[k], _ = timed(X, y, k, 3 if k <= 64 else 1, search=search, **settings)
    shown = "  ".join(f"{k}: {seconds[k]:.3f}" for k in ks if k in (1, 2, 8, 16, 32, 33, 48, 49, 96, 97, 200, 300, 400, 600))
    steps = [(seconds[b] / seconds[a], a, b) for a, b in itertools.pairwise(ks) if b == a + 1]
    ratio, a, b = max(steps)
    print(f"2000 x 600, {loss}, {search}: seconds by k  {shown}")
    print(f"  largest step of k by one: {ratio:.2f} x, from {a} to {b}", flush=True)


def path(loss: str, seed: int) -> None:
    """Time one path over many k."""
    X, y, settings = random_design(seed, 2000, 600, loss)
    answers: list[ksparse.PathResult] = []
    seconds = common.seconds(lambda: answers.append(ksparse.fit_path(X, y, range(1, 200), search="fast", **settings)))
    print(f"2000 x 600, {loss}: fit_path over 1 .. 199 {seconds:.2f} s, {answers[0][0].n_refits} refits", flush=True)


def offsets(seed: int) -> None:
    """Time a logistic fit with offsets of some spread."""
    X, y, _ = random_design(seed, 1000, 200, "logistic")
    for spread in (0.0, 1.0, 100.0, 1e4):
        offset = spread * np.random.default_rng(seed + 1).standard_normal(1000)
        seconds, got = timed(X, y, 10, 3, offset=offset)
        print(f"1000 x 200, offset of deviation {spread:g}: {seconds:.3f} s, {got.n_newton} Newton iterations, {got.status}")


def wide_group(seed: int) -> None:
    """Time a fit with a group of 1000 columns among 500 single ones."""
    X, y, settings = random_design(seed, 2000, 1500, "logistic")
    groups = np.r_[np.zeros(1000, dtype=int), 1 + np.arange(500)]
    seconds, got = timed(X, y, 5, groups=groups, **settings)
    print(f"2000 x 1500, a group of 1000, k 5: {seconds:.2f} s, {len(got.support)} columns", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--loss", choices=("squared", "logistic"), nargs="*", default=["squared", "logistic"])
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ksparse.ConvergenceWarning)  # an offset of 1e4 decides most rows
    ks = (
        [*range(1, 40), 48, 49, 64, 65, 96, 97, 200, 201, 300, 301, 400, 401, 599, 600] if arguments.quick else [*range(1, 601)]
    )
    for loss in arguments.loss:
        near_all(1000, 400, loss, arguments.seed)
        near_all(1000, 800, loss, arguments.seed)
        for search in ("fast",) if arguments.quick else ("fast", "auto"):
            from_k_to_k(ks, loss, search, arguments.seed)
        path(loss, arguments.seed)
    offsets(arguments.seed)
    wide_group(arguments.seed)


if __name__ == "__main__":
    main()

"""How often no single swap improves a fit, for every loss, on heavy-tailed features.

    python benchmarks/swap_optimality.py [--problems 300] [--seed 0] [--search auto] [--losses squared_hinge huber] [--largest 8]

Random problems of 4 to 8 features (``--largest`` sets another bound) with Student's t of 2 degrees of freedom, 40 to 120 rows,
k from 1 to 3, half with a ridge of 1e-3. Every support of k features is refitted from zero; the fit is swap-optimal if no support
that differs in one feature is lower by more than 1e-7 of F. Problems in which a refit finds the classes separable have no
minimiser and are left out.
"""

from __future__ import annotations

import argparse
import itertools
import warnings

import common  # noqa: F401  (one thread)
import ksparse
import numpy as np
from ksparse import losses

LABELS = (
    "logistic",
    "focal",
    losses.AsymmetricFocal(),
    "squared_hinge",
    "huberised_hinge",
    "probit",
    "cloglog",
    "exponential",
)
LOSSES = (*LABELS, "squared", "huber", "poisson", "gamma", losses.Tweedie(), losses.NegativeBinomial())


def name_of(loss: object) -> str:
    """Name of a loss in the table."""
    return loss if isinstance(loss, str) else type(loss).__name__


def random_problem(loss: object, seed: int, largest: int):
    """One problem: X, y, k and the settings of ksparse.fit."""
    rng = np.random.default_rng(seed)
    n, p = int(rng.integers(40, 121)), int(rng.integers(4, largest + 1))
    k = int(rng.integers(1, min(p - 1, 3) + 1))
    X = rng.standard_normal((n, p)) / np.sqrt(rng.chisquare(2, n) / 2)[:, None]
    rho = rng.choice([0.0, 0.5, 0.9])
    X[:, 1:] = rho * X[:, :-1] + np.sqrt(1 - rho**2) * X[:, 1:]
    eta = X[:, : min(p, 3)] @ rng.choice([-1.0, 1.0, 2.0], min(p, 3))
    if loss in LABELS:
        y = (eta * rng.choice([0.5, 1.0, 2.0]) + rng.gumbel(size=n) > rng.uniform(-1, 1)).astype(float)
        y[:2] = 0, 1
    elif loss in ("squared", "huber"):
        y = eta + rng.standard_t(2, n)
    else:
        mean = np.exp(np.clip(0.5 * eta / np.sqrt(1 + eta.var()), -3, 3))
        y = rng.gamma(1.0, mean) + 1e-3 if loss == "gamma" else rng.poisson(mean * rng.gamma(2.0, 0.5, n)).astype(float)
        y[0] = 1.0
    return X, y, k, {"loss": loss, "ridge": float(rng.choice([0.0, 1e-3])), "fit_intercept": bool(rng.integers(2))}


def objectives(X: np.ndarray, y: np.ndarray, supports: list[tuple[int, ...]], settings: dict) -> np.ndarray | None:
    """F of every support; None if one separates the classes."""
    fits = [ksparse.fit(X[:, s], y, len(s), always_in=range(len(s)), **settings) for s in supports]
    return None if any(fit.status == "separable" for fit in fits) else np.array([fit.objective for fit in fits])


def judge(loss: object, problems: int, seed: int, search: str, largest: int) -> str:
    """One line of the table."""
    total = optimal = best = refits = 0
    failed = []
    for number in range(seed, seed + problems):
        X, y, k, settings = random_problem(loss, number, largest)
        supports = list(itertools.combinations(range(X.shape[1]), k))
        F = objectives(X, y, supports, settings)
        if F is None:
            continue
        got = ksparse.fit(X, y, k, search=search, **settings)
        chosen = set(got.support.tolist())
        near = np.array([len(chosen & set(s)) >= len(chosen) - 1 for s in supports])
        total += 1
        refits += got.n_refits
        best += got.objective <= F.min() * (1 + 1e-7) + 1e-12
        if got.objective <= F[near].min() * (1 + 1e-7) + 1e-12:
            optimal += 1
        else:
            failed.append(number)
    where = f"  not {failed[:8]}" if failed else ""
    return f"{name_of(loss):18s} {total:5d} problems  swap-optimal {optimal / total:8.3%}  best of all {best / total:8.3%}  {refits / total:6.1f} refits{where}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--search", default="auto")
    parser.add_argument("--losses", nargs="*", default=[])
    parser.add_argument("--largest", type=int, default=8)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # fits that do not converge are judged by their F
    for loss in LOSSES:
        if not arguments.losses or name_of(loss) in arguments.losses:
            print(judge(loss, arguments.problems, arguments.seed, arguments.search, arguments.largest), flush=True)


if __name__ == "__main__":
    main()

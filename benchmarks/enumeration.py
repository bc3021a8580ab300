"""How often a fit finds the best of all supports, and how often no single swap improves it.

    python benchmarks/enumeration.py [--problems 300] [--seed 0] [--search thorough] [--dummies]

Random problems: n 60-200, p 6-16, k 1-4, correlations 0 to 0.98 of three kinds (neighbours, all alike, two factors), both losses,
with and without intercept, half with a ridge of 1e-3. The truth is NumPy's: every support refitted by Newton from zero. The
focal loss is not convex, so that is a local minimum per support; on the 30 lowest supports of each focal problem of seeds 0 to
299, four random restarts found no lower one. Separable problems have no minimiser: they are counted apart.

With --dummies, tables of categories instead: all levels of 3 to 5 of them, p up to 16, with labels that follow a rule of levels (with or
without noise) or a logistic model of them, and a ridge of 1e-4 or 1e-2.
"""

from __future__ import annotations

import argparse
import itertools
import warnings

import common
import ksparse
import numpy as np


def random_problem(seed: int):
    """One problem: X, y, k and the settings of ksparse.fit."""
    rng = np.random.default_rng(seed)
    n, p, k, rho = int(rng.integers(60, 201)), int(rng.integers(6, 17)), int(rng.integers(1, 5)), rng.uniform(0, 0.98)
    noise = rng.standard_normal((n, p))
    kind = seed % 3
    if kind == 0:
        X = noise
        for j in range(1, p):
            X[:, j] = rho * X[:, j - 1] + np.sqrt(1 - rho**2) * noise[:, j]
    elif kind == 1:
        X = np.sqrt(rho) * rng.standard_normal((n, 1)) + np.sqrt(1 - rho) * noise
    else:
        X = np.sqrt(rho) * rng.standard_normal((n, 2)) @ rng.standard_normal((2, p)) + np.sqrt(1 - rho) * noise
    truth = rng.choice(p, k, replace=False)
    eta = X[:, truth] @ (rng.choice([-1.0, 1.0], k) * rng.uniform(0.5, 1.5, k))
    y = (rng.random(n) < 1 / (1 + np.exp(-eta * 2 / eta.std()))).astype(float)
    y[:2] = 0, 1
    settings = {"loss": "focal" if seed % 2 else "logistic", "alpha": rng.uniform(0.2, 0.8), "gamma": 2.0}
    return X, y, k, settings | {"ridge": [0.0, 1e-3][seed // 2 % 2], "fit_intercept": bool(seed // 4 % 2)}


def random_dummies(seed: int):
    """One problem of all levels of a few categories: X, y, k and the settings of ksparse.fit."""
    rng = np.random.default_rng([seed, 1])
    n, k = int(rng.integers(80, 401)), int(rng.integers(1, 5))
    levels = rng.integers(2, 6, int(rng.integers(3, 6)))
    while levels.sum() > 16:
        levels[np.argmax(levels)] -= 1
    # Categories depend on one another, as those of real tables do: part of the rows copy a common code.
    code, columns = rng.integers(0, 60, n), []
    for count in levels:
        shares = rng.dirichlet(np.full(count, 0.8))
        own = rng.choice(count, n, p=shares)
        value = np.where(rng.random(n) < rng.uniform(0, 0.9), rng.choice(count, 60, p=shares)[code], own)
        columns += [value == level for level in range(count)]
    Z = np.column_stack(columns).astype(float)
    Z = Z[:, Z.std(axis=0) > 0]
    X = (Z - Z.mean(axis=0)) / Z.std(axis=0)
    if seed % 3 == 0:
        eta = Z @ rng.standard_normal(Z.shape[1])
        y = rng.random(n) < 1 / (1 + np.exp(-3 * (eta - eta.mean())))
    else:
        # A few levels, or pairs of levels, decide; some labels are flipped.
        y = np.zeros(n, bool)
        for _ in range(int(rng.integers(2, 5))):
            pair = rng.choice(Z.shape[1], 2)
            y |= (Z[:, pair[0]] > 0) & ((Z[:, pair[1]] > 0) | (rng.random() < 0.6))
        y ^= rng.random(n) < [0.0, 0.02, 0.1][int(rng.integers(3))]
    y = y.astype(float)
    y[:2] = 0, 1
    settings = {"loss": "focal" if seed % 2 else "logistic", "alpha": rng.uniform(0.2, 0.8), "gamma": 2.0}
    return X, y, min(k, X.shape[1]), settings | {"ridge": [1e-4, 1e-2][seed // 2 % 2], "fit_intercept": True}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--search", default="fast")
    parser.add_argument("--dummies", action="store_true", help="tables of categories")
    parser.add_argument("--verbose", action="store_true", help="name the problems that were missed")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ksparse.ConvergenceWarning)  # separable ones are counted apart
    best = optimal = total = separable = 0
    for seed in range(arguments.seed, arguments.seed + arguments.problems):
        X, y, k, settings = (random_dummies if arguments.dummies else random_problem)(seed)
        got = ksparse.fit(X, y, k, search=arguments.search, **settings)
        if got.status == "separable":
            separable += 1
            continue
        supports = np.array(list(itertools.combinations(range(X.shape[1]), k)))
        F = common.refit_objectives(X, y, supports, **settings)
        chosen = set(got.support.tolist())
        near = np.array([len(chosen & set(s.tolist())) >= len(chosen) - 1 for s in supports])
        total += 1
        if arguments.verbose and got.objective > F.min() * (1 + 1e-8) + 1e-12:
            print(f"problem {seed}: {got.objective:.8f}, the best is {F.min():.8f} on {supports[F.argmin()].tolist()}")
        best += got.objective <= F.min() * (1 + 1e-8) + 1e-12
        optimal += got.objective <= F[near].min() * (1 + 1e-8) + 1e-12
    print(f"search {arguments.search}: {total} problems ({separable} separable ones left out):", end=" ")
    print(f"best of all supports {best / total:.2%}, swap-optimal {optimal / total:.2%}")


if __name__ == "__main__":
    main()

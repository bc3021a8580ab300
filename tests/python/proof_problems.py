"""Random small problems for proofs, and the enumeration of all their supports; benchmarks/proof.py sweeps over them as well."""

from __future__ import annotations

import itertools

import ksparse
import numpy as np
from scipy import sparse

LOSSES = (
    "logistic",
    ksparse.losses.Focal(0.3, 2.0),
    ksparse.losses.AsymmetricFocal(1.0, 4.0),
    "squared_hinge",
    "huberised_hinge",
    "probit",
    "cloglog",
    "exponential",
    "squared",
    "huber",
    "poisson",
    "gamma",
    "tweedie",
    "negative_binomial",
)


def responses(loss, eta, rng):
    """Draw responses of the kind that a loss takes."""
    name = loss if isinstance(loss, str) else loss.name
    mean = np.exp(np.clip(eta, -4, 2))
    if name in ("squared", "huber"):
        return rng.choice([1.0, 100.0]) * (eta + rng.standard_normal(len(eta)))
    if name in ("poisson", "negative_binomial", "tweedie"):
        counts = rng.poisson(mean) * (rng.gamma(2, 1, len(eta)) if name == "tweedie" else 1.0)
        counts[0] += 1
        return counts.astype(float)
    if name == "gamma":
        return mean * rng.gamma(2, 0.5, len(eta)) + 1e-3
    y = (rng.random(len(eta)) < 1 / (1 + np.exp(-eta + rng.choice([0.0, 1.5])))).astype(float)
    y[:2] = 0, 1
    return y


def small_problem(seed, most_features=9, most_k=3):
    """Return X (of any storage), y, k and settings of a random small problem with any loss and any constraints."""
    rng = np.random.default_rng([seed, 20])
    n, p = int(rng.integers(12, 80)), int(rng.integers(2, most_features + 1))
    k = int(rng.integers(0, min(most_k, p) + 1))
    X = rng.standard_normal((n, p)) + rng.choice([0.0, 2.0]) * rng.standard_normal((n, 1))
    if rng.random() < 0.2:
        X[:, 1] = X[:, 0]  # equal columns
    if rng.random() < 0.15:
        X[:, -1] = 2.0  # a constant column
    X = X * 10.0 ** rng.integers(-2, 3) + rng.choice([0.0, 10.0])
    loss = LOSSES[seed % len(LOSSES)]
    scale = X.std(0).max()
    eta = ((X - X.mean(0)) / scale) @ (rng.standard_normal(p) * (rng.random(p) < 0.5)) * rng.choice([0.5, 2.0])
    y = responses(loss, eta, rng)
    settings = {"loss": loss, "ridge": 10.0 ** rng.uniform(-3, 0) * scale**2, "fit_intercept": bool(rng.random() < 0.7)}
    if rng.random() < 0.4:
        settings["sample_weight"] = rng.choice([0.5, 1.0, 2.0], n)
    if rng.random() < 0.3:
        settings["offset"] = 0.5 * rng.standard_normal(n)
    if rng.random() < 0.2 and k > 0:
        settings["always_in"] = [0]
    if rng.random() < 0.2:
        settings["never_in"] = [p - 1] if p > 1 else []
    if rng.random() < 0.3:
        size = np.abs(rng.standard_normal(p)) / scale + 1e-3 / scale
        settings["bounds"] = (np.zeros(p) if rng.random() < 0.3 else -size, size)
        if rng.random() < 0.3:
            settings["ridge"] = 0.0
    elif rng.random() < 0.25:
        labels = rng.integers(0, max(2, p // 2), p)
        labels[0], labels[-1] = 0, 1  # always_in and never_in name different groups
        settings["groups"] = np.unique(labels, return_inverse=True)[1]
        k = min(k, int(settings["groups"].max()) + 1)
    storage = (np.asarray, np.asfortranarray, sparse.csc_matrix, sparse.csr_matrix, np.float32)[seed % 5]
    return storage(X), y, k, settings


def enumerate_supports(X, y, k, settings, strict=True):
    """Return F of every support of k units, by a fit of its features alone, which must converge if it is ``strict``."""
    settings, p = dict(settings), X.shape[1]
    unit_of = settings.pop("groups", np.arange(p))
    inside = {int(unit_of[j]) for j in settings.pop("always_in", [])}
    outside = {int(unit_of[j]) for j in settings.pop("never_in", [])}
    bounds = settings.pop("bounds", None)
    free = [u for u in np.unique(unit_of).tolist() if u not in inside | outside]
    found = {}
    for chosen in itertools.combinations(free, min(k - len(inside), len(free))):
        units = sorted(inside | set(chosen))
        columns = np.flatnonzero(np.isin(unit_of, units))
        own = {}
        if bounds is not None:  # a search may leave out a feature whose coefficient is nearly 0
            own = {"bounds": (bounds[0][columns], bounds[1][columns]), "always_in": range(len(columns))}
        part = X[:, columns] if len(columns) else X[:, :1]
        budget = len(columns)
        result = ksparse.fit(part, y, budget, search="fast", **settings, **(own if budget else {}))
        assert result.converged or not strict, result.status
        found[tuple(units)] = result.objective
    return found


def worst_support(found, settings, p):
    """Features of the support with the largest F."""
    unit_of = settings.get("groups", np.arange(p))
    return np.flatnonzero(np.isin(unit_of, max(found, key=found.get)))

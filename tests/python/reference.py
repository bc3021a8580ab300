"""Random problems and reference solvers that share no code with ksparse: plain NumPy, written for clarity."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import hypothesis.strategies as st
import numpy as np


@dataclass
class Problem:
    """Data and settings of one problem; ``settings`` are keyword arguments of ``ksparse.fit``."""

    X: np.ndarray
    y: np.ndarray
    settings: dict


def random_problem(seed, n=80, p=8, rho=0.5, loss="logistic", ridge=1e-2, signal=2.0, **settings):
    """Return a problem whose columns correlate with their neighbours and whose labels come from three of them."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    for j in range(1, p):
        X[:, j] = rho * X[:, j - 1] + np.sqrt(1 - rho**2) * X[:, j]
    truth = rng.choice(p, min(3, p), replace=False)
    eta = X[:, truth] @ rng.choice([-1.0, 1.0], len(truth))
    eta *= signal / eta.std()
    y = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float)
    y[:2] = 0, 1  # both classes, whatever was drawn
    return Problem(X, y, {"loss": loss, "ridge": ridge, **settings})


@st.composite
def small_problems(draw, max_features=9):
    """Draw a small problem with any loss, correlation, ridge and intercept; small ridges keep it well posed."""
    loss = draw(st.sampled_from(["logistic", "focal"]))
    return random_problem(
        draw(st.integers(0, 2**32 - 1)),
        n=draw(st.integers(40, 120)),
        p=draw(st.integers(2, max_features)),
        rho=draw(st.sampled_from([0.0, 0.5, 0.9])),
        loss=loss,
        ridge=draw(st.sampled_from([1e-3, 1e-2, 0.1])),
        fit_intercept=draw(st.booleans()),
        alpha=draw(st.sampled_from([0.25, 0.5, 0.7])),
        gamma=draw(st.sampled_from([0.0, 1.0, 2.0, 2.5])),
    )


def plain_terms(m, gamma):
    """Value, slope and curvature of the focal loss with weight 1, in numpy and stable."""
    e = np.exp(-np.abs(m))
    large, small = 1 / (1 + e), e / (1 + e)
    p, q = np.where(m >= 0, large, small), np.where(m >= 0, small, large)
    softplus = np.maximum(-m, 0) + np.log1p(e)
    f = q**gamma
    return f * softplus, -f * (gamma * p * softplus + q), f * p * (gamma * softplus * (gamma * p - q) + (2 * gamma + 1) * q)


def objective(problem, coef, intercept, sample_weight=None, offset=None):
    """F as the documentation defines it."""
    s = problem.settings
    eta = problem.X @ coef + intercept + (0 if offset is None else offset)
    w = np.ones(len(problem.y)) if sample_weight is None else np.asarray(sample_weight, float)
    focal = s.get("loss") == "focal"
    a = np.where(problem.y == 1, s.get("alpha", 0.5), 1 - s.get("alpha", 0.5)) if focal else 1.0
    value = plain_terms((2 * problem.y - 1) * eta, s.get("gamma", 2.0) if focal else 0.0)[0]
    return (w * a * value).sum() / w.sum() + s.get("ridge", 0.0) / 2 * (coef @ coef)


def refit(problem, support):
    """Return the least F on a support, by Newton with the eigenvalues of the Hessian made positive."""
    s = problem.settings
    focal = s.get("loss") == "focal"
    gamma = s.get("gamma", 2.0) if focal else 0.0
    a = np.where(problem.y == 1, s.get("alpha", 0.5), 1 - s.get("alpha", 0.5)) if focal else np.ones(len(problem.y))
    Z = problem.X[:, list(support)]
    penalty = np.full(Z.shape[1], s.get("ridge", 0.0))
    if s.get("fit_intercept", True):
        Z, penalty = np.column_stack([Z, np.ones(len(Z))]), np.append(penalty, 0.0)
    sign, n = 2 * problem.y - 1, len(problem.y)

    def evaluate(b):
        value, slope, curvature = plain_terms(sign * (Z @ b), gamma)
        F = (a * value).sum() / n + (penalty * b * b).sum() / 2
        return F, Z.T @ (a * sign * slope) / n + penalty * b, (Z.T * (a * curvature / n)) @ Z + np.diag(penalty)

    b = np.zeros(Z.shape[1])
    F, gradient, hessian = evaluate(b)
    for _ in range(300):
        if not len(b):
            break
        values, vectors = np.linalg.eigh(hessian)
        step = -vectors @ ((vectors.T @ gradient) / np.maximum(np.abs(values), 1e-12))
        t = 1.0
        while t > 1e-10 and not evaluate(b + t * step)[0] < F:
            t /= 2
        if t <= 1e-10:
            break
        b = b + t * step
        F, gradient, hessian = evaluate(b)
    return F


def best_by_enumeration(problem, k):
    """Return the least F over all supports of k features, or of fewer where there are not as many."""
    p = problem.X.shape[1]
    return min(refit(problem, support) for support in itertools.combinations(range(p), min(k, p)))


def best_single_swap(problem, support):
    """Return the least F over all supports that differ from the given one in one feature."""
    outside = [j for j in range(problem.X.shape[1]) if j not in support]
    swaps = [[j if i == out else i for i in support] for out in support for j in outside]
    return min((refit(problem, swap) for swap in swaps), default=np.inf)


def least_squares(seed, n=60, p=9, rho=0.5, noise=0.3):
    """Return data of a linear model with correlated columns."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    for j in range(1, p):
        X[:, j] = rho * X[:, j - 1] + np.sqrt(1 - rho**2) * X[:, j]
    y = X[:, rng.choice(p, 3, replace=False)] @ [2.0, -1.5, 1.0] + noise * rng.standard_normal(n)
    return X, y


def least_squares_functions(X, y, factor=1.0, shift=0.0):
    """Return the sum of squares and its derivatives, as functions of the coefficients."""
    return {
        "objective": lambda x: factor * float(np.sum((y - X @ x) ** 2)) + shift,
        "gradient": lambda x: -2 * factor * X.T @ (y - X @ x),
        "hessian": lambda x: 2 * factor * X.T @ X,
        "hessian_product": lambda x, v: 2 * factor * X.T @ (X @ v),
    }


def exclusive_levels(seed):
    """Return dummies of categories in which a few levels decide the label, as the odours of mushrooms do."""
    rng = np.random.default_rng([seed, 7])
    n, code = 600, rng.integers(0, 40, 600)
    columns = []
    for count in (9, 5, 4, 6, 7, 3):
        shares = rng.dirichlet(np.full(count, 0.7))
        value = np.where(rng.random(n) < 0.8, rng.choice(count, 40, p=shares)[code], rng.choice(count, n, p=shares))
        columns += [value == level for level in range(count)]
    Z = np.column_stack(columns).astype(float)
    Z = Z[:, Z.std(axis=0) > 0]
    y = (Z[:, :9][:, rng.choice(min(9, Z.shape[1]), 4, replace=False)].sum(axis=1) > 0) ^ (rng.random(n) < 0.02)
    return (Z - Z.mean(axis=0)) / Z.std(axis=0), y.astype(float)

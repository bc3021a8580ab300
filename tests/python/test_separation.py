"""The status ``separable`` says what linear programming says: whether some direction separates the rows, in all or in part."""

import warnings

import ksparse
import numpy as np
import pytest
import scipy.sparse as sps
from ksparse import losses
from scipy.optimize import linprog

FALLING = {
    "logistic": "logistic",
    "focal": "focal",
    "focal 5": losses.Focal(0.25, 5.0),
    "focal 0.5": losses.Focal(0.7, 0.5),
    "asymmetric_focal": "asymmetric_focal",
    "probit": "probit",
    "cloglog": "cloglog",
    "exponential": "exponential",
}


def separates(X, y, weight, fit_intercept, lower=None, upper=None):
    """Whether a direction that runs into no bound has s_i x_i.d >= 0 in every row that counts, and > 0 in one."""
    counts = weight > 0
    sign = np.where(y[counts] > 0, 1.0, -1.0)
    rows = X[counts] * sign[:, None]
    box = [(-1.0, 1.0)] * X.shape[1]
    if lower is not None:
        box = [(0 if np.isfinite(a) else -1, 0 if np.isfinite(b) else 1) for a, b in zip(lower, upper, strict=True)]
    if fit_intercept:
        rows, box = np.column_stack([rows, sign]), [*box, (-1, 1)]
    if rows.shape[1] == 0:
        return False
    rows = rows / np.maximum(np.abs(rows).max(axis=1, keepdims=True), 1e-300)
    rows = rows / np.where(np.abs(rows).max(axis=0) > 0, np.abs(rows).max(axis=0), 1)
    best = linprog(-rows.sum(axis=0), A_ub=-rows, b_ub=np.zeros(len(rows)), bounds=box, method="highs")
    return -best.fun > 1e-7


def small_problem(seed):
    """Few rows and features: continuous, 0/1, heavy-tailed, rounded or of several units, often separable in part."""
    rng = np.random.default_rng(seed)
    n, p = int(rng.integers(8, 60)), int(rng.integers(2, 7))
    k = min(int(rng.integers(1, 4)), p)
    X = rng.standard_normal((n, p))
    kind = rng.integers(5)
    if kind == 1:
        threshold = rng.uniform(0, 1.5)
        X = np.where(threshold < X, 1.0, 0.0)
    elif kind == 2:
        X = X / np.sqrt(rng.chisquare(2, n) / 2)[:, None]
    elif kind == 3:
        X = np.round(X * rng.uniform(0.5, 2))
    elif kind == 4:
        X[:, ::2] = X[:, ::2] > 1
        X[:, 1::2] *= 10.0 ** rng.integers(-4, 5)
    eta = X @ (rng.standard_normal(p) * rng.uniform(0, 4) / np.maximum(X.std(axis=0), 1e-9))
    y = (eta + rng.logistic(size=n) * rng.choice([0.1, 0.5, 1]) > np.median(eta)) * 1
    if y.min() == y.max():
        y[0] = 1 - y[0]
    weight = rng.integers(0, 4, n) * 1.0 if rng.random() < 0.3 else np.ones(n)
    if not (weight[y == 0].sum() > 0 and weight[y == 1].sum() > 0):
        weight = np.ones(n)
    settings = {"sample_weight": weight, "fit_intercept": bool(rng.random() < 0.7)}
    if rng.random() < 0.3:
        settings["offset"] = rng.standard_normal(n) * rng.choice([3, 30])
    return X, y, k, settings, rng


def quietly(*arguments, **settings):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ksparse.ConvergenceWarning)
        return ksparse.fit(*arguments, **settings)


@pytest.mark.parametrize("name", FALLING)
def test_separable_is_what_linear_programming_says(name):
    """With an intercept and without, with weights and offsets; fits that stop for another reason are judged as well."""
    wrong = []
    for seed in range(150):
        X, y, k, settings, _ = small_problem(seed)
        result = quietly(X, y, k, loss=FALLING[name], **settings)
        expected = separates(X[:, result.support], y, settings["sample_weight"], settings["fit_intercept"])
        if (result.status == "separable") != expected:
            wrong.append((seed, result.status))
    assert not wrong


@pytest.mark.parametrize("name", ["logistic", "cloglog", "exponential"])
def test_bounds_and_sparse_columns_are_judged_alike(name):
    """A direction may not run into a bound; rows of a sparse X that are alike are judged as one."""
    wrong = []
    for seed in range(100):
        X, y, k, settings, rng = small_problem(10**6 + seed)
        lower, upper = np.full(X.shape[1], -np.inf), np.full(X.shape[1], np.inf)
        if rng.random() < 0.6:
            lower[rng.random(X.shape[1]) < 0.5] = 0
            upper[rng.random(X.shape[1]) < 0.3] = 3
            settings["bounds"] = (lower, upper)
        stored = sps.csc_matrix(X) if rng.random() < 0.5 else X
        result = quietly(stored, y, k, loss=name, **settings)
        chosen = result.support
        expected = separates(
            X[:, chosen], y, settings["sample_weight"], settings["fit_intercept"], lower[chosen], upper[chosen]
        )
        if (result.status == "separable") != expected:
            wrong.append((seed, result.status))
    assert not wrong


def test_margins_that_an_offset_makes_separate_nothing():
    """F is as good as 0 from the start, and has a proper minimum all the same."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((80, 4))
    y = rng.random(80) < 0.5
    for loss in FALLING.values():
        result = quietly(X, y, 2, loss=loss, offset=np.where(y, 3.5, -30.0), fit_intercept=False)
        assert result.status == "converged"


@pytest.mark.parametrize("loss", ["squared_hinge", "huberised_hinge"])
def test_hinges_have_a_minimum_where_the_rows_are_separated(loss):
    """They are 0 from a margin of 1 on."""
    for seed in range(60):
        X, y, k, settings, _ = small_problem(seed)
        assert quietly(X, y, k, loss=loss, **settings).status != "separable"


def test_a_separable_fit_stops_after_few_iterations():
    """Also where the loss falls so slowly, or rounding is so large, that the tolerance is never met."""
    for name, seed in [("exponential", 58), ("focal", 258), ("focal", 293), ("logistic", 127)]:
        X, y, k, settings, _ = small_problem(seed)
        chosen = quietly(X, y, k, loss=name, **settings).support
        alone = quietly(X[:, chosen], y, len(chosen), loss=name, always_in=range(len(chosen)), **settings)
        assert alone.n_newton <= 150
        patient = quietly(X[:, chosen], y, len(chosen), loss=name, always_in=range(len(chosen)), max_newton=5000, **settings)
        assert patient.n_newton <= 200

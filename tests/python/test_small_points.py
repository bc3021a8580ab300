"""Small whole points: the search against enumeration, and what it reports against the plain formula."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from ksparse._cards.points import search_small_points
from ksparse._loss import terms_by_eta
from ksparse.losses import Focal, Logistic
from scipy.optimize import minimize
from scipy.sparse import csc_array

LOSSES = [Logistic(), Focal(0.4, 2.0)]


def problem(n=300, p=6, seed=0):
    rng = np.random.default_rng(seed)
    X = (rng.random((n, p)) < rng.uniform(0.2, 0.7, p)).astype(float)
    X[:, 1] = np.where(rng.random(n) < 0.7, X[:, 0], X[:, 1])
    eta = X @ rng.normal(size=p) * 1.5 - 0.5
    return X, (eta + rng.logistic(size=n) > 0).astype(float)


def best_loss(score, y, weights, loss):
    """Least average loss over slope and intercept, by scipy."""

    def objective(t):
        value, slope, _ = terms_by_eta(loss, t[0] * score + t[1], y)
        return np.average(value, weights=weights), np.array(
            [np.average(slope * score, weights=weights), np.average(slope, weights=weights)]
        )

    return min(minimize(objective, [a, 0.0], jac=True, method="BFGS", options={"gtol": 1e-9}).fun for a in (0.5, -0.5))


@pytest.mark.parametrize("loss", LOSSES, ids=["logistic", "focal"])
@pytest.mark.parametrize("seed", range(2))
def test_the_best_of_all_points(loss, seed):
    """On a problem that can be enumerated: every support of two columns, and every pair of points up to 2."""
    X, y = problem(p=5, seed=seed)
    found = search_small_points(X, y, None, loss, 2, 2)
    points = [(u, v) for u, v in product(range(-2, 3), repeat=2) if u > 0 or (u == 0 and v > 0)]  # a sign is the slope's
    best = min(best_loss(X[:, pair] @ np.array(z, float), y, None, loss) for pair in combinations(range(5), 2) for z in points)
    assert found.loss == pytest.approx(best, abs=1e-7)


@pytest.mark.parametrize("loss", LOSSES, ids=["logistic", "focal"])
def test_what_is_reported_is_what_it_is(loss):
    """Loss, range, count of columns and stationarity in slope and intercept; and no single change of a point is better."""
    X, y = problem(n=500, p=12, seed=5)
    weights = np.random.default_rng(1).uniform(0.0, 2.0, 500)
    found = search_small_points(csc_array(X), y, weights, loss, 4, 3)
    assert len(found.support) <= 4
    assert np.abs(found.points).max() <= 3
    assert (found.points != 0).all()
    assert found.slope > 0
    score = X[:, found.support] @ found.points
    value = terms_by_eta(loss, found.slope * score + found.intercept, y)[0]
    assert found.loss == pytest.approx(np.average(value, weights=weights), rel=1e-12)
    assert found.loss == pytest.approx(best_loss(score, y, weights, loss), abs=1e-7)
    for t, j in product(range(len(found.support)), range(12)):
        for z in (-3, -1, 1, 3):
            if j in found.support and j != found.support[t]:
                continue
            others = np.delete(np.arange(len(found.support)), t)
            changed = X[:, found.support[others]] @ found.points[others] + z * X[:, j]
            assert best_loss(changed, y, weights, loss) >= found.loss - 1e-6


def test_weights_are_repeated_rows():
    X, y = problem(n=120, p=8, seed=2)
    weights = np.random.default_rng(3).integers(0, 3, 120)
    weighted = search_small_points(X, y, weights.astype(float), Logistic(), 3, 5)
    repeated = search_small_points(np.repeat(X, weights, axis=0), np.repeat(y, weights), None, Logistic(), 3, 5)
    assert weighted.loss == pytest.approx(repeated.loss, abs=1e-9)


def test_many_columns_on_the_card():
    """More chosen columns than bits of a short key, and more cells than are judged at once."""
    rng = np.random.default_rng(4)
    X = (rng.random((1000, 30)) < 0.5).astype(float)
    y = (X @ rng.normal(size=30) + rng.logistic(size=1000) > 0).astype(float)
    found = search_small_points(X, y, None, Logistic(), 20, 5, perturbations=0)
    score = X[:, found.support] @ found.points
    assert 15 <= len(found.support) <= 20
    assert found.loss == pytest.approx(best_loss(score, y, None, Logistic()), abs=1e-6)


def test_separable_columns_give_a_loss_near_zero():
    """Without a ridge the slope grows until the loss is as good as 0; with one it is finite and the loss is not."""
    X = np.array([[1, 0], [1, 1], [0, 1], [0, 0]] * 20, float)
    y = X[:, 0]
    assert search_small_points(X, y, None, Logistic(), 1, 5).loss < 1e-6
    assert search_small_points(X, y, None, Logistic(), 1, 5, ridge=1e-2).loss > 1e-3


@pytest.mark.parametrize("weighted", [False, True])
def test_equal_rows_are_counted_once_without_another_answer(weighted, monkeypatch):
    """With many equal rows the search works on few; it makes the same moves, with weights as well."""
    from ksparse._cards import points

    rng = np.random.default_rng(4)
    X = (rng.random((3000, 7)) < 0.4).astype(float)
    y = (X @ [1, -2, 0, 1, 0, 0, 1] + rng.logistic(size=3000) > 0).astype(float)
    weights = rng.integers(0, 4, 3000).astype(float) if weighted else None
    merged = points._merged(csc_array(X), y, weights)
    assert merged[0].shape[0] < 300
    assert merged[2].sum() == (3000 if weights is None else weights.sum())
    found = points.search_small_points(X, y, weights, Logistic(), 3, 4)
    monkeypatch.setattr(points, "_BITS", 0)
    expected = points.search_small_points(X, y, weights, Logistic(), 3, 4)
    assert (found.support.tolist(), found.points.tolist()) == (expected.support.tolist(), expected.points.tolist())
    assert found.loss == pytest.approx(expected.loss, rel=1e-12)

"""Where a loss has no curvature: at the start, by an offset, and along the way, as the hinges have none in rows that are right."""

from itertools import combinations

import ksparse
import numpy as np
import pytest
import scipy.sparse as sps
from scipy.optimize import least_squares


def data(seed=0):
    """Two of six features matter, and none is centred."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((200, 6))
    X[:, :2] += 1
    eta = 2 * X[:, 0] - X[:, 1]
    labels = (eta + rng.logistic(size=200) > 0) * 1.0
    return X, labels, rng.poisson(np.exp(np.clip(eta, -3, 3))) * 1.0


@pytest.mark.parametrize(
    ("loss", "offset"),
    [
        ("focal", 300.0),
        ("focal", -300.0),
        ("asymmetric_focal", 300.0),
        ("logistic", 720.0),
        ("logistic", 740.0),
        ("logistic", -740.0),
        ("logistic", 800.0),
        ("logistic", -2000.0),
        ("cloglog", -800.0),
        ("probit", 1e6),
        ("squared_hinge", 800.0),
        ("huberised_hinge", 800.0),
    ],
)
def test_a_start_without_curvature_is_left(loss, offset):
    """An offset puts half of the rows far on the wrong side; the answer is the best pair of all."""
    X, y, _ = data()
    settings = {"loss": loss, "offset": np.full(200, offset), "fit_intercept": False}
    best = min(ksparse.fit(X, y, 2, always_in=pair, **settings).objective for pair in combinations(range(6), 2))
    for stored in (X, sps.csc_matrix(X)):
        result = ksparse.fit(stored, y, 2, **settings)
        assert result.converged
        assert result.objective <= best * (1 + 1e-6)
    group = ksparse.fit(X, y, 1, groups=[0, 0, 1, 1, 2, 2], **settings)
    best = min(ksparse.fit(X, y, 2, always_in=pair, **settings).objective for pair in [(0, 1), (2, 3), (4, 5)])
    assert group.objective <= best * (1 + 1e-6)
    batch = ksparse.fit_many(X, np.column_stack([y, y]), 2, **settings)
    assert batch[1].objective == pytest.approx(result.objective, rel=1e-9)


@pytest.mark.parametrize("offset", [-720.0, -800.0, -1000.0])
def test_counts_of_a_mean_that_underflows(offset):
    """A column of ones, a feature that matters, and exp(offset) of 0: the fit is that without the offset."""
    X, _, y = data()
    X[:, 3] = 1
    expected = ksparse.fit(X, y, 3, loss="poisson", fit_intercept=False, always_in=[3])
    shifted = ksparse.fit(X, y, 3, loss="poisson", fit_intercept=False, offset=np.full(200, offset))
    assert shifted.support.tolist() == expected.support.tolist()
    assert shifted.objective == pytest.approx(expected.objective, rel=1e-9)
    assert shifted.coef[3] == pytest.approx(expected.coef[3] - offset, rel=1e-9)


def test_a_column_whose_rows_alone_have_no_curvature_enters():
    """A flag of rows that an offset puts far on the wrong side, beside rows where all is well."""
    X, y, _ = data(1)
    flagged = np.arange(200) >= 180
    X[:, 5] = flagged
    y[flagged] = np.arange(20) < 5
    for loss, far in [("logistic", 800.0), ("focal", 300.0)]:
        offset = np.where(flagged, far, 0.0)
        settings = {"loss": loss, "offset": offset, "fit_intercept": False}
        result = ksparse.fit(X[:, [2, 3, 4, 5]], y, 1, **settings)
        assert result.support.tolist() == [3]


@pytest.mark.parametrize("offset", [740.0, 800.0])
def test_an_intercept_between_rows_that_are_all_far_out(offset):
    """Every row on a straight part of the loss: curvature is to be found nowhere near."""
    X, y, _ = data()
    result = ksparse.fit(X, y, 2, offset=np.where(np.arange(200) % 2, offset, -offset))
    assert result.converged
    assert result.objective < 0.3 * offset


@pytest.mark.parametrize("loss", ["squared_hinge", "huberised_hinge"])
def test_hinges_reach_their_minimum_where_few_rows_are_short_of_it(loss):
    """F = 0 where the rows can be separated, however narrowly, and in few iterations."""
    for seed, noise in enumerate([0.0, 0.02, 0.05]):
        rng = np.random.default_rng(seed)
        X = rng.standard_normal((1000, 500))
        beta = rng.choice([-1, 1], 10) * rng.uniform(0.5, 1.5, 10)
        y = X[:, :10] @ beta + noise * rng.standard_normal(1000) > 0
        result = ksparse.fit(X, y, 10, loss=loss)
        assert result.converged
        assert result.support.tolist() == list(range(10))
        assert result.objective < 1e-20
        assert result.n_newton <= 80
        alone = ksparse.fit(X[:, :10], y, 10, loss=loss, always_in=range(10))
        assert alone.objective < 1e-20
        assert alone.n_newton <= 60


def test_a_squared_hinge_that_few_rows_keep_from_zero():
    """Against SciPy's least squares on the same columns."""
    for seed in range(6):
        rng = np.random.default_rng(seed)
        X = rng.standard_normal((300, 8))
        y = X @ np.ones(8) + 0.02 * rng.standard_normal(300) > 0
        near = np.argsort(np.abs(X @ np.ones(8)))[:3]
        y[near] = ~y[near]
        sign, rows = np.where(y, 1.0, -1.0), np.column_stack([X, np.ones(300)])

        def short_of(beta, sign=sign, rows=rows):
            return np.maximum(1 - sign * (rows @ beta), 0) / np.sqrt(300)

        def slopes(beta, sign=sign, rows=rows):
            return np.where(short_of(beta) > 0, -1.0, 0.0)[:, None] * sign[:, None] * rows / np.sqrt(300)

        truth = least_squares(short_of, np.zeros(9), slopes, xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=5000)
        result = ksparse.fit(X, y, 8, loss="squared_hinge", always_in=range(8))
        assert result.converged
        assert result.objective <= truth.cost * (1 + 1e-9) + 1e-20
        assert result.n_newton <= 100

"""Bounds that leave 0 out: of a feature that is always in they say in what range its coefficient must be."""

import itertools

import ksparse
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from ksparse import KSparseClassifier, KSparseClassifierCV, KSparseRegressor, KSparseSelector
from scipy.optimize import lsq_linear, minimize

N, P = 80, 6
RNG = np.random.default_rng(0)
X = RNG.standard_normal((N, P)) @ (np.eye(P) + 0.3)
X[:, 2] *= 10.0
NUMBERS = X[:, 0] - X[:, 3] + 0.05 * X[:, 2] + RNG.standard_normal(N)
LABELS = (NUMBERS + RNG.logistic(size=N) > 0).astype(float)


def best_squared(required, low, high, k):
    """Enumerate supports that hold what must be in; least squares within bounds by SciPy."""
    best = np.inf
    centred, y = X - X.mean(axis=0), NUMBERS - NUMBERS.mean()
    for others in itertools.combinations(sorted(set(range(P)) - set(required)), k - len(required)):
        support = [*required, *others]
        bounds = (
            [low.get(j, -np.inf) for j in support],
            [high.get(j, np.inf) + 1e-10 for j in support],
        )  # SciPy wants them apart
        best = min(best, lsq_linear(centred[:, support], y, bounds, tol=1e-14).cost / N)
    return best


def best_logistic(required, low, high, k, ridge):
    """Enumerate the same for the logistic loss, by L-BFGS within bounds."""
    best = np.inf
    signs = 2 * LABELS - 1
    for others in itertools.combinations(sorted(set(range(P)) - set(required)), k - len(required)):
        support = [*required, *others]

        def objective(beta, columns=X[:, support]):
            margin = signs * (columns @ beta[:-1] + beta[-1])
            slope = -signs / (1 + np.exp(margin)) / N
            gradient = np.append(columns.T @ slope + ridge * beta[:-1], slope.sum())
            return np.logaddexp(0, -margin).mean() + ridge / 2 * beta[:-1] @ beta[:-1], gradient

        least = np.array([low.get(j, -np.inf) for j in support] + [-np.inf])
        most = np.array([high.get(j, np.inf) for j in support] + [np.inf])
        bounds, start = list(zip(least, most, strict=True)), np.clip(0.0, least, most)
        found = minimize(
            objective,
            start,
            jac=True,
            bounds=bounds,
            method="L-BFGS-B",
            options={"ftol": 1e-15, "gtol": 1e-10, "maxiter": 2000},
        )
        best = min(best, found.fun)
    return best


def bounds_of(low, high):
    lower, upper = np.full(P, -np.inf), np.full(P, np.inf)
    lower[list(low)], upper[list(high)] = list(low.values()), list(high.values())
    return lower, upper


CASES = [
    ([1], {1: 0.5}, {}),
    ([1], {}, {1: -0.5}),
    ([1], {1: 0.25}, {1: 0.75}),
    ([0], {0: 0.1}, {0: 5.0}),  # the bounds do not bind
    ([3], {3: 2.0}, {}),  # against the data, which want it below 0
    ([1, 4], {1: 0.5}, {4: -0.5}),
    ([2, 5], {2: 0.2, 5: 0.5}, {2: 0.3}),
    ([1], {1: 0.5, 0: 0.0}, {3: 0.0}),  # with signs of others
    ([1], {1: 0.5}, {1: 0.5}),  # a coefficient that is given
]


@pytest.mark.parametrize(("required", "low", "high"), CASES)
@pytest.mark.parametrize("store", [np.ascontiguousarray, np.asfortranarray, scipy.sparse.csc_matrix, scipy.sparse.csr_matrix])
def test_the_best_within_bounds(required, low, high, store):
    """By enumeration with another solver."""
    lower, upper = bounds_of(low, high)
    for k in (len(required), len(required) + 1):
        settings = {"always_in": required, "bounds": (lower, upper)}
        result = ksparse.fit(store(X), NUMBERS, k, loss="squared", **settings)
        assert result.status == "converged"
        assert set(required) <= set(result.support.tolist())
        assert (result.coef[result.support] >= lower[result.support]).all()
        assert (result.coef[result.support] <= upper[result.support]).all()
        residual = NUMBERS - X @ result.coef - result.intercept
        np.testing.assert_allclose(result.objective, (residual**2).mean() / 2, rtol=1e-9)
        np.testing.assert_allclose(result.objective, best_squared(required, low, high, k), rtol=1e-7)


@pytest.mark.parametrize(("required", "low", "high"), CASES)
def test_the_best_of_a_logistic_fit_within_bounds(required, low, high):
    """With a ridge penalty as well."""
    bounds = bounds_of(low, high)
    k = len(required) + 1
    for ridge in (0.0, 1e-2):
        result = ksparse.fit(X, LABELS, k, ridge=ridge, always_in=required, bounds=bounds)
        assert result.status == "converged"
        np.testing.assert_allclose(result.objective, best_logistic(required, low, high, k, ridge), rtol=1e-6)


def test_every_entry_takes_them():
    """Paths, batches, streams, resamplings, estimators, alternatives and the summary."""
    settings = {"always_in": [1], "bounds": bounds_of({1: 0.5}, {1: 0.9}), "ridge": 1e-2}
    single = ksparse.fit(X, LABELS, 2, **settings)
    results = [
        ksparse.fit_path(X, LABELS, [1, 2], **settings)[1],
        ksparse.fit_many(X, LABELS, 2, **settings)[0],
        next(iter(ksparse.fit_each([(X, LABELS)], 2, **settings))),
        KSparseClassifier(2, **settings).fit(X, LABELS).result_,
    ]
    for result in results:
        np.testing.assert_allclose(result.objective, single.objective, rtol=1e-9)
    assert 0.5 <= single.coef[1] <= 0.9
    assert ksparse.stability_selection(X, LABELS, 2, rounds=5, **settings).frequency[1] == 1
    model = KSparseClassifierCV(ks=[1, 2], cv=3, **settings).fit(X, LABELS)
    assert 0.5 <= model.coef_[0, 1] <= 0.9
    assert 1 in KSparseSelector(2, **settings).fit(X, LABELS).support_
    regressor = KSparseRegressor(2, always_in=[1], bounds=settings["bounds"]).fit(X, NUMBERS)
    assert 0.5 <= regressor.coef_[1] <= 0.9
    assert not (single.alternatives(2).feature == 1).any()
    assert single.summary(bootstrap=3) is not None


def test_with_groups():
    """All members of a group that must be in are in."""
    bounds = bounds_of({0: 0.5, 1: 0.2}, {})
    result = ksparse.fit(X, NUMBERS, 2, loss="squared", groups=[0, 0, 1, 1, 2, 2], always_in=[1], bounds=bounds)
    assert result.coef[0] >= 0.5
    assert result.coef[1] >= 0.2
    residual = NUMBERS - X @ result.coef - result.intercept
    np.testing.assert_allclose(result.objective, (residual**2).mean() / 2, rtol=1e-9)


def test_a_constant_column_is_refused():
    """Its coefficient is 0, for the intercept does its work; without an intercept it is a column like others."""
    constant = np.column_stack([X, np.full(N, 3.0)])
    settings = {"loss": "squared", "always_in": [P], "bounds": (np.append(np.full(P, -np.inf), 0.5), None)}
    message = "bounds of feature 6 must hold 0, the coefficient of a column that is as good as constant"
    for store in (np.asarray, scipy.sparse.csc_matrix, scipy.sparse.csr_matrix):
        with pytest.raises(ValueError, match=message):
            ksparse.fit(store(constant), NUMBERS, 2, **settings)
    with pytest.raises(ValueError, match=message):
        ksparse.fit_path(constant, NUMBERS, [1, 2], **settings)
    result = ksparse.fit(constant, NUMBERS, 2, fit_intercept=False, **settings)
    assert result.coef[P] >= 0.5
    residual = NUMBERS - constant @ result.coef
    np.testing.assert_allclose(result.objective, (residual**2).mean() / 2, rtol=1e-9)
    # In a batch the problem alone in whose rows the column is constant.
    flag = (np.arange(N) < 40).astype(float)
    weights = np.column_stack([np.ones(N), flag])
    with pytest.warns(ksparse.ConvergenceWarning, match="1 of 2 problems"):
        batch = ksparse.fit_many(np.column_stack([X, flag]), NUMBERS, 2, sample_weight=weights, **settings)
    assert batch.converged.tolist() == [True, False]
    assert message in batch.messages[1]


def test_the_message_says_how():
    """Where the feature may also be left out, its coefficient may be 0."""
    message = r"bounds of feature 1 must hold 0, the coefficient of a feature that is not chosen \(got 0.5.* and .*\); to have it in every model with a coefficient within them, name it in always_in"
    bounds = bounds_of({1: 0.5}, {})
    with pytest.raises(ValueError, match=message):
        ksparse.fit(X, LABELS, 2, bounds=bounds)
    with pytest.raises(ValueError, match=message):
        ksparse.fit(X, LABELS, 2, bounds=bounds, always_in=[0])
    with pytest.raises(ValueError, match=message):
        KSparseClassifier(2, bounds=bounds).fit(X, LABELS)
    with pytest.raises(ValueError, match="must have lower <= upper"):
        ksparse.fit(X, LABELS, 2, bounds=bounds_of({1: 0.5}, {1: 0.4}), always_in=[1])
    frame = pd.DataFrame(X, columns=list("abcdef"))
    assert ksparse.fit(frame, LABELS, 2, bounds=bounds, always_in=["b"]).coef[1] >= 0.5

"""The lower bound of every fit with a ridge or bounds, which the scans of its search give for free."""

from __future__ import annotations

import hypothesis.strategies as st
import ksparse
import numpy as np
import pytest
from hypothesis import given
from proof_problems import enumerate_supports, small_problem
from reference import random_problem


def least(X, y, k, settings):
    """Return the least F that is found on any support of k units, which is not below the least F of all."""
    return min(enumerate_supports(X, y, k, settings, strict=False).values())


@pytest.mark.filterwarnings("ignore::ksparse.ConvergenceWarning")
@given(seed=st.integers(0, 2**31), search=st.sampled_from(["fast", "auto"]))
def test_bound_is_not_above_the_least_objective(seed, search):
    """The bound holds for any loss, storage, weights, offset, bounds and groups, with an intercept or without."""
    X, y, k, settings = small_problem(seed)
    result = ksparse.fit(X, y, k, search=search, **settings)
    assert result.lower_bound <= least(X, y, k, settings) * (1 + 1e-12), (seed, k, settings)
    assert result.lower_bound >= 0
    assert result.gap == pytest.approx((result.objective - result.lower_bound) / abs(result.objective))


@pytest.mark.filterwarnings("ignore::ksparse.ConvergenceWarning")
@given(seed=st.integers(0, 2**31))
def test_bounds_of_a_path_are_not_above_the_least_objectives(seed):
    """One search serves all k, and each has a bound of its own, which falls with k."""
    X, y, k, settings = small_problem(seed)
    named = len(settings.get("always_in", []))
    ks = list(range(named, max(k, named) + 1))
    path = ksparse.fit_path(X, y, ks, **settings)
    for each, bound in zip(ks, path.lower_bounds, strict=True):
        assert bound <= least(X, y, each, settings) * (1 + 1e-12), (seed, each, settings)
    assert np.all(np.diff(path.lower_bounds) <= 0)
    assert np.array_equal(path.gaps, [result.gap for result in path])


@given(seed=st.integers(0, 2**31), tolerance=st.sampled_from([1e-8, 1e-2, 1.0]), max_newton=st.integers(1, 3))
@pytest.mark.filterwarnings("ignore::ksparse.ConvergenceWarning")
def test_bound_needs_no_minimum(seed, tolerance, max_newton):
    """A refit that stops early leaves the intercept away from its optimum, and coefficients as well."""
    X, y, k, settings = small_problem(seed)
    settings["fit_intercept"] = True
    result = ksparse.fit(X, y, k, tolerance=tolerance, max_newton=max_newton, **settings)
    if not np.isnan(result.lower_bound):
        assert result.lower_bound <= least(X, y, k, settings) * (1 + 1e-12), (seed, k, settings)


@pytest.mark.parametrize("loss", ["logistic", "squared", "squared_hinge"])
def test_bound_is_sharp_where_the_ridge_is_large(loss):
    """If the chosen features have the largest gradients of all, the last scan proves the fit, up to the accuracy of its refit."""
    problem = random_problem(4, n=200, p=30, ridge=1.0)
    result = ksparse.fit(problem.X, problem.y, 3, loss=loss, ridge=10.0)
    assert result.gap < 1e-3
    assert result.gap <= ksparse.fit(problem.X, problem.y, 3, loss=loss, ridge=0.01).gap


def test_no_bound_without_anything_that_limits_coefficients():
    """Without a ridge and without bounds on both sides any gradient may be worth any decrease."""
    problem = random_problem(0)
    free = ksparse.fit(problem.X, problem.y, 2, ridge=0.0)
    assert np.isnan(free.lower_bound)
    assert np.isnan(free.gap)
    assert np.isnan(ksparse.fit(problem.X, problem.y, 2, bounds=(0, None)).lower_bound)
    assert ksparse.fit(problem.X, problem.y, 2, bounds=(-0.5, 0.5)).lower_bound > 0


def test_batches_and_estimators_have_the_bounds_of_single_fits():
    """Scans that several problems share say the same as those of each alone."""
    problem = random_problem(5, n=120, p=40)
    Y = np.column_stack([problem.y, problem.X[:, 0] > 0])
    batch = ksparse.fit_many(problem.X, Y, 3, ridge=0.1)
    alone = [ksparse.fit(problem.X, y, 3, ridge=0.1) for y in Y.T]
    assert np.array_equal(batch.lower_bounds, [result.lower_bound for result in alone])
    assert np.array_equal(batch.gaps, [result.gap for result in alone])
    model = ksparse.KSparseClassifier(k=3, ridge=0.1).fit(problem.X, problem.y)
    assert (model.lower_bound_, model.gap_) == (alone[0].lower_bound, alone[0].gap)
    labels = ksparse.KSparseMultiLabelClassifier(k=3, ridge=0.1).fit(problem.X, Y)
    assert np.array_equal(labels.gap_, batch.gaps)
    numbers = ksparse.KSparseRegressor(k=3, ridge=0.1).fit(problem.X, problem.X[:, 0] + problem.y)
    assert numbers.gap_ == numbers.result_.gap > 0
    assert np.isnan(ksparse.KSparseRegressor(k=3).fit(problem.X, problem.y).gap_)


def test_a_proof_is_not_below_the_bound_of_the_fit():
    """What the search knows is not forgotten when a proof ends early."""
    problem = random_problem(1, n=80, p=40, rho=0.9, ridge=1e-3, signal=1.0)
    plain = ksparse.fit(problem.X, problem.y, 5, **problem.settings)
    proved = plain.certify(max_nodes=1)
    assert plain.lower_bound <= proved.lower_bound == proved.proof.lower_bound


def test_bound_takes_no_scan():
    """Fits with and without a bound read X equally often: bounds at +-1e9 change nothing else of the search."""
    problem = random_problem(6, n=150, p=60)
    plain = ksparse.fit(problem.X, problem.y, 4, bounds=(-1e9, None))
    bounded = ksparse.fit(problem.X, problem.y, 4, bounds=(-1e9, 1e9))
    assert np.isnan(plain.lower_bound)
    assert bounded.lower_bound >= 0
    assert (plain.n_scans, plain.n_refits, plain.n_newton) == (bounded.n_scans, bounded.n_refits, bounded.n_newton)

"""A row of weight 0 is the same as no row: whatever its numbers are, none of them reaches a sum."""

import ksparse
import numpy as np
import pytest
import scipy.sparse as sp
from ksparse import KSparseClassifierCV, KSparseRegressorCV
from sklearn.linear_model import LinearRegression

LARGEST = np.finfo(np.float64).max
HUGE = [1e155, -1e300, LARGEST]
LABELS = ["logistic", "focal", "asymmetric_focal", "probit", "cloglog", "exponential", "squared_hinge", "huberised_hinge"]
NUMBERS = ["squared", "huber", "poisson", "gamma", "tweedie", "negative_binomial"]
STORAGES = {"C": np.ascontiguousarray, "F": np.asfortranarray, "csc": sp.csc_array, "csr": sp.csr_array}
storages = pytest.mark.parametrize("store", STORAGES.values(), ids=STORAGES)


def data(loss, seed=0, n=240, p=40, density=0.5):
    """Return X with a constant column and two far from 0 for their spread, and responses that the loss allows."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) * (rng.random((n, p)) < density)
    eta = X[:, 0] - X[:, 1] + 0.5 * X[:, 9]
    X[:, 5], X[:, 6], X[:, 7] = 3, 1000 + rng.standard_normal(n) * 1e-2, rng.random(n) < 0.05
    if loss in LABELS:
        return X, (eta + rng.logistic(size=n) > 0).astype(float)
    if loss in ("squared", "huber"):
        return X, eta + rng.standard_normal(n)
    return X, np.exp(eta / 2) * rng.gamma(2, 0.5, n)


def spoil(X, y, weights, value, seed=1):
    """Return a copy whose rows of weight 0 hold `value`, or many such, and responses that say nothing."""
    rng = np.random.default_rng(seed)
    X, y, absent = X.copy(), y.copy(), np.flatnonzero(weights == 0)
    X[absent] = rng.choice([*HUGE, -LARGEST, 0, 1], (len(absent), X.shape[1])) if value == "many" else value
    y[absent] = 1 - y[absent] if set(y) == {0.0, 1.0} else 1e300
    return X, y


def assert_same(got, right):
    assert got.status == right.status
    np.testing.assert_array_equal(got.support, right.support)
    assert got.objective == pytest.approx(right.objective, rel=1e-12)
    np.testing.assert_allclose(got.coef, right.coef, rtol=1e-6, atol=1e-9)


def some_absent(n, seed=2, count=30):
    rng = np.random.default_rng(seed)
    weights = rng.integers(1, 4, n).astype(float)
    weights[rng.choice(n, count, replace=False)] = 0
    return weights


SETTINGS = {
    "plain": {},
    "groups": {"groups": np.arange(40) // 3},
    "bounds": {"bounds": (-0.5, 0.5)},
    "no intercept": {"fit_intercept": False},
    "far columns": {"always_in": [6]},
    "thorough": {"search": "thorough", "max_rounds": 5},
}


@pytest.mark.filterwarnings("ignore::ksparse.exceptions.ConvergenceWarning")
@storages
@pytest.mark.parametrize("loss", [*LABELS, *NUMBERS])
def test_huge_values_in_rows_of_weight_0(loss, store):
    """Sums passed over 0 times infinity: F was NaN, or another support was chosen, in each storage another."""
    X, y = data(loss)
    weights = some_absent(len(y))
    keep = weights > 0
    offset = np.random.default_rng(3).standard_normal(len(y)) / 10
    for settings in SETTINGS.values():
        right = ksparse.fit(X[keep], y[keep], 3, loss=loss, sample_weight=weights[keep], **settings)
        for value in (1e155, "many"):
            spoiled, responses = spoil(X, y, weights, value)
            assert_same(ksparse.fit(store(spoiled), responses, 3, loss=loss, sample_weight=weights, **settings), right)
    right = ksparse.fit(X[keep], y[keep], 3, loss=loss, sample_weight=weights[keep], offset=offset[keep])
    offset[~keep] = LARGEST
    assert_same(ksparse.fit(store(spoiled), responses, 3, loss=loss, sample_weight=weights, offset=offset), right)


@pytest.mark.parametrize("order", ["C", "F"])
def test_huge_values_in_float32(order):
    X, y = data("logistic")
    X, weights = X.astype(np.float32), some_absent(len(y))
    keep = weights > 0
    right = ksparse.fit(X[keep], y[keep], 3, sample_weight=weights[keep])
    X[~keep] = np.finfo(np.float32).max
    assert_same(ksparse.fit(np.array(X, order=order), y, 3, sample_weight=weights), right)


@storages
def test_half_of_the_rows_of_sparse_columns(store):
    """A sparse X goes over rows with an entry in an active column alone, of which those of weight 0 are none."""
    X, y = data("logistic", n=2000, p=100, density=0.02)
    weights = some_absent(len(y), count=900)
    keep = weights > 0
    right = ksparse.fit(X[keep], y[keep], 4, sample_weight=weights[keep])
    spoiled, responses = spoil(X, y, weights, LARGEST)
    assert_same(ksparse.fit(store(spoiled), responses, 4, sample_weight=weights), right)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("loss", ["logistic", "squared"])
def test_sampled_scans(loss, order):
    """With many rows and columns, all features are scanned with the Hessian of some of the rows."""
    X, y = data(loss, n=2500, p=400, density=1.0)
    weights = some_absent(len(y), count=400)
    keep = weights > 0
    right = ksparse.fit(X[keep], y[keep], 5, loss=loss, sample_weight=weights[keep])
    spoiled, responses = spoil(X, y, weights, "many")
    assert_same(ksparse.fit(np.array(spoiled, order=order), responses, 5, loss=loss, sample_weight=weights), right)


@pytest.mark.parametrize("shape", [(240, 40), (1600, 300)], ids=["cached", "by blocks"])
@storages
def test_batches_whose_problems_leave_out_other_rows(store, shape):
    """Rows are of weight 0 for some of the problems only, and ordinary ones for none of the others."""
    X, y = data("logistic", n=shape[0], p=shape[1])
    rng = np.random.default_rng(4)
    last = np.arange(shape[0]) >= shape[0] - 40
    weights = np.array([rng.integers(0, 3, shape[0]) * ~last for _ in range(5)], float).T
    spoiled, responses = spoil(X, y, np.where(last, 0.0, 1.0), "many")
    batch = ksparse.fit_many(store(spoiled), responses, 3, sample_weight=weights)
    for i in range(5):
        keep = weights[:, i] > 0
        assert_same(batch[i], ksparse.fit(X[keep], y[keep], 3, sample_weight=weights[keep, i]))


@storages
def test_cross_validation_and_stability(store):
    """Folds and rounds are weights over one X, times those of the user; rows left out are judged with these as well."""
    X, y = data("logistic")
    weights = np.where(np.arange(len(y)) < 20, 0.0, 1.0)
    spoiled, responses = spoil(X, y, weights, "many")
    keep = weights > 0
    folds = [(np.flatnonzero(np.arange(len(y)) % 3 != i), np.flatnonzero(np.arange(len(y)) % 3 == i)) for i in range(3)]
    inside = [tuple(part[part >= 20] - 20 for part in fold) for fold in folds]
    got = KSparseClassifierCV(range(4), cv=folds).fit(store(spoiled), responses, sample_weight=weights)
    right = KSparseClassifierCV(range(4), cv=inside).fit(X[keep], y[keep])
    np.testing.assert_allclose(got.cv_results_["mean_test_score"], right.cv_results_["mean_test_score"], rtol=1e-9)
    np.testing.assert_array_equal(got.support_, right.support_)
    of_spoiled, of_plain = (
        ksparse.stability_selection(store(of), y, 3, rounds=20, sample_weight=weights) for of in (spoiled, X)
    )
    np.testing.assert_array_equal(of_spoiled.frequency, of_plain.frequency)


def test_scores_of_numbers():
    """Mean losses of a regression leave rows of weight 0 out, however far off their predictions are."""
    X, y = data("squared")
    weights = np.where(np.arange(len(y)) < 20, 0.0, 1.0)
    spoiled, responses = spoil(X, y, weights, LARGEST)
    keep = weights > 0
    folds = [(np.arange(120), np.arange(120, 240)), (np.arange(120, 240), np.arange(120))]
    got = KSparseRegressorCV(range(4), cv=folds).fit(spoiled, responses, sample_weight=weights)
    assert np.isfinite(got.cv_results_["mean_test_score"]).all()
    chosen = got.support_
    truth = LinearRegression().fit(X[keep][:, chosen], y[keep])
    np.testing.assert_allclose(got.coef_[chosen], truth.coef_, rtol=1e-8)
    assert got.score(spoiled, responses, weights) == pytest.approx(truth.score(X[keep][:, chosen], y[keep]), rel=1e-9)


def test_standard_errors_and_alternatives():
    X, y = data("logistic")
    weights = some_absent(len(y))
    spoiled, responses = spoil(X, y, weights, LARGEST)
    got = ksparse.fit(spoiled, responses, 3, sample_weight=weights)
    right = ksparse.fit(X, y, 3, sample_weight=weights)
    np.testing.assert_allclose(got.alternatives(3).increase, right.alternatives(3).increase, rtol=1e-9)
    np.testing.assert_allclose(got.summary().standard_error, right.summary().standard_error, rtol=1e-9)


def test_not_finite_values_are_refused_in_any_row():
    """A missing value is a question to the user, whatever the row weighs."""
    X, y = data("logistic")
    weights = some_absent(len(y))
    X[weights == 0] = np.nan
    for store in STORAGES.values():
        with pytest.raises(ValueError, match=r"NaN|not finite"):
            ksparse.fit(store(X), y, 3, sample_weight=weights)

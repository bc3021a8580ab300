"""Numbers at the ends of the range: an answer of any size of y and of the weights, or a status that says that there is none."""

import warnings

import ksparse
import mpmath
import numpy as np
import pytest
from ksparse import KSparseClassifierCV

LOSSES = ["squared", "huber", "poisson", "gamma", "tweedie", "negative_binomial"]
of_every_loss = pytest.mark.parametrize("loss", LOSSES)
SIZES = [1e-318, 1e-300, 1e-150, 1e-20, 1e-3, 7.0, 1e6, 1e20, 1e100, 1e150, 1e200, 1e290, 1e306]


def data(loss, seed=0, n=30, p=8):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    eta = X[:, 0] - X[:, 1]
    if loss in ("squared", "huber"):
        return X, eta + rng.standard_normal(n)
    if loss in ("poisson", "negative_binomial"):
        return X, rng.poisson(np.exp(eta)).astype(float)
    return X, np.exp(eta) * rng.gamma(2, 0.5, n) * (1.0 if loss == "gamma" else rng.random(n) > 0.2)


def fit(*args, **settings):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ksparse.exceptions.ConvergenceWarning)
        return ksparse.fit(*args, **settings)


def plain_loss(loss, eta, y):
    """Return the loss of one row as the documentation defines it, with the default parameters, in many digits."""
    away = abs(eta - y)
    if loss == "squared":
        return away**2 / 2
    if loss == "huber":
        threshold = mpmath.mpf(1.35)
        return away**2 / 2 if away <= threshold else threshold * away - threshold**2 / 2
    mu = mpmath.exp(eta)
    with_logarithm = y * mpmath.log(y / mu) if y > 0 else 0
    if loss == "poisson":
        return mu - y + with_logarithm
    if loss == "gamma":
        return y / mu - 1 - mpmath.log(y / mu)
    if loss == "tweedie":
        return 2 * mpmath.sqrt(mu) + (2 * y / mpmath.sqrt(mu) - 4 * mpmath.sqrt(y) if y > 0 else 0)
    return with_logarithm - (y + 1) * mpmath.log((1 + y) / (1 + mu))


def true_objective(loss, X, y, result, weights=None, offset=None, ridge=0.0):
    with mpmath.workdps(700):
        numbers = [[mpmath.mpf(float(x)) for x in row] for row in X[:, result.support]]
        coef = [mpmath.mpf(float(b)) for b in result.coef[result.support]]
        weights = [mpmath.mpf(1 if weights is None else float(weights[i])) for i in range(len(y))]
        total = mpmath.mpf(0)
        for i, row in enumerate(numbers):
            shift = mpmath.mpf(result.intercept) + (0 if offset is None else mpmath.mpf(float(offset[i])))
            eta = mpmath.fdot(row, coef) + shift
            total += weights[i] * plain_loss(loss, eta, mpmath.mpf(float(y[i])))
        return float(total / mpmath.fsum(weights) + ridge / 2 * mpmath.fsum(b**2 for b in coef))


def assert_true(loss, X, y, result, **settings):
    """F is that of the coefficients, and nothing that is called converged holds a number that is not finite."""
    finite = np.isfinite([*result.coef, result.intercept, result.objective]).all()
    assert finite or result.status == "numerical_failure"
    if result.status != "numerical_failure":
        right = true_objective(loss, X, y, result, **settings)
        assert result.objective == pytest.approx(right, rel=1e-10, abs=1e-322)


@of_every_loss
@pytest.mark.parametrize("settings", [{}, {"ridge": 0.1}, {"offset": True}, {"fit_intercept": False}], ids=str)
def test_objective_is_that_of_the_coefficients(loss, settings):
    """It was that of other coefficients where y is far from 1, infinite, or below 0."""
    X, y = data(loss)
    if "offset" in settings:
        settings = {"offset": np.random.default_rng(1).standard_normal(len(y))}
    for size in SIZES:
        responses = np.maximum(y * size, 5e-324) if loss == "gamma" else y * size
        result = fit(X, responses, 2, loss=loss, **settings)
        assert_true(loss, X, responses, result, **{k: v for k, v in settings.items() if k != "fit_intercept"})


@of_every_loss
def test_one_response_of_another_size(loss):
    for value in (1e290, 1e308, 5e-324):
        X, y = data(loss)
        y[3] = value
        assert_true(loss, X, y, fit(X, y, 2, loss=loss))
    y[::2] = 1e200
    assert_true(loss, X, y, fit(X, y, 2, loss=loss))


@pytest.mark.parametrize("loss", ["squared", "poisson", "gamma", "tweedie"])
def test_the_unit_of_y_changes_nothing(loss):
    """Its power is a factor of F; with a log link its logarithm is added to the intercept."""
    X, y = data(loss, n=200, p=20)
    ordinary = fit(X, y, 3, loss=loss)
    power = {"squared": 2, "poisson": 1, "gamma": 0, "tweedie": 0.5}[loss]
    for exponent in (-990, -300, -40, -1, 3, 50, 300, 990):
        result = fit(X, y * 2.0**exponent, 3, loss=loss)
        np.testing.assert_array_equal(result.support, ordinary.support)
        factor = 2.0**exponent if loss == "squared" else 1.0
        np.testing.assert_allclose(result.coef, ordinary.coef * factor, rtol=1e-9)
        if loss != "squared":
            assert result.intercept == pytest.approx(ordinary.intercept + exponent * np.log(2), rel=1e-12, abs=1e-12)
        with np.errstate(over="ignore", under="ignore"):
            objective = ordinary.objective * (np.float64(2) ** (power * exponent / 2)) ** 2
        assert result.objective == pytest.approx(objective, rel=1e-12)
        assert result.status == ("converged" if np.isfinite(objective) else "numerical_failure")


def test_squares_beyond_the_range_are_said_to_be():
    """F of y of 1e200 is 1e400; the coefficients are those of the same y in another unit all the same."""
    X, y = data("squared")
    with pytest.warns(ksparse.exceptions.ConvergenceWarning, match="divide y"):
        result = ksparse.fit(X, y * 1e200, 2, loss="squared")
    np.testing.assert_allclose(result.coef, 1e200 * ksparse.fit(X, y, 2, loss="squared").coef, rtol=1e-9)
    path = fit_path(X, y * 1e200, range(3), loss="squared")
    assert {fit.status for fit in path} == {"numerical_failure"}
    with pytest.warns(ksparse.exceptions.ConvergenceWarning, match="divide y"):
        batch = ksparse.fit_many(X, np.column_stack([y, y * 1e200]), 2, loss="squared")
    assert list(batch.status) == ["converged", "numerical_failure"]


def fit_path(*args, **settings):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ksparse.exceptions.ConvergenceWarning)
        return ksparse.fit_path(*args, **settings)


@pytest.mark.parametrize("loss", ["logistic", "focal", "cloglog", *LOSSES])
def test_the_unit_of_the_weights_changes_nothing(loss):
    """Not a bit of the answer, up to the largest double, whose sum over the rows is infinite."""
    X, y = data(loss)
    y = (y > 0) * 1.0 if loss in ("logistic", "focal", "cloglog") else y
    weights = np.random.default_rng(1).integers(1, 5, len(y)).astype(float)
    ordinary = fit(X, y, 2, loss=loss, sample_weight=weights)
    for exponent in (-1074, -1000, -300, 300, 1000, 1021):
        result = fit(X, y, 2, loss=loss, sample_weight=np.ldexp(weights, exponent))
        np.testing.assert_array_equal(result.coef, ordinary.coef)
        assert (result.objective, result.intercept) == (ordinary.objective, ordinary.intercept)


def test_the_unit_of_the_weights_in_folds_and_rounds():
    """Counts multiply weights, and the product of the largest double and 2 is infinite."""
    X, y = data("squared")
    y = (y > 0) * 1
    weights = np.random.default_rng(1).choice([0.75, 1.5], len(y))
    for exponent in (-1070, 1023):
        some, others = weights, np.ldexp(weights, exponent)
        cv = [
            KSparseClassifierCV(range(4), cv=3, ridge=0.01).fit(X, y, sample_weight=w).cv_results_["mean_test_score"]
            for w in (some, others)
        ]
        np.testing.assert_allclose(*cv, rtol=1e-12)
        rounds = [
            ksparse.stability_selection(X, y, 2, rounds=10, ridge=0.01, sampling="bootstrap", sample_weight=w)
            for w in (some, others)
        ]
        np.testing.assert_array_equal(rounds[0].frequency, rounds[1].frequency)


@pytest.mark.parametrize("loss", ["logistic", *LOSSES])
def test_rows_of_next_to_no_weight(loss):
    """They are as good as absent, and never make a number infinite."""
    X, y = data(loss)
    y = (y > 0) * 1.0 if loss == "logistic" else y
    rng = np.random.default_rng(2)
    light = rng.random(len(y)) < 0.3
    for tiny in (5e-324, 1e-300):
        result = fit(X, y, 2, loss=loss, sample_weight=np.where(light, tiny, 1.0))
        absent = fit(X[~light], y[~light], 2, loss=loss)
        np.testing.assert_array_equal(result.support, absent.support)
        assert result.objective == pytest.approx(absent.objective, rel=1e-12)
        one = fit(X, y, 2, loss=loss, sample_weight=np.where(np.arange(len(y)) == 3, 1.0, tiny))
        assert np.isfinite([*one.coef, one.intercept, one.objective]).all()


@pytest.mark.filterwarnings("ignore::ksparse.ConvergenceWarning")
@pytest.mark.parametrize("loss", ["squared_hinge", "huberised_hinge", "negative_binomial", "tweedie"])
def test_a_path_that_cannot_begin_says_so_for_every_k(loss):
    """As single fits do."""
    X = np.random.default_rng(1).standard_normal((30, 3))
    offset = 1e160 * np.random.default_rng(0).standard_normal(30)
    y = (X[:, 0] > 0) * 1
    path = ksparse.fit_path(X, y, [0, 1, 3], loss=loss, offset=offset)
    assert [result.status for result in path] == [ksparse.fit(X, y, k, loss=loss, offset=offset).status for k in (0, 1, 3)]

"""What must hold of a fit whatever the loss: outside truth, enumeration, storage, units, perfect fits, far tails."""

import itertools
import warnings

import hypothesis.strategies as st
import ksparse
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from ksparse import losses
from ksparse._loss import terms_by_eta
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.linear_model import GammaRegressor, LinearRegression, PoissonRegressor, Ridge, TweedieRegressor

NAMES = list(losses.BY_NAME)
REGRESSION = [name for name in NAMES if losses.BY_NAME[name].responses != "binary"]
LOG_LINK = ["poisson", "gamma", "tweedie", "negative_binomial"]


def data_for(name, *, n=120, p=12, seed=0, noise=1.0):
    """Columns that correlate, and responses from two of them that the loss allows, floats of 24 bits all."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    X[:, 1:] += 0.7 * X[:, :-1]
    X = X.astype(np.float32).astype(np.float64)
    eta = 0.6 * X[:, 2] - 0.8 * X[:, p - 3] + 0.3
    kind = losses.BY_NAME[name].responses
    if kind == "binary":
        return X, (rng.random(n) < expit(1.5 * eta)).astype(float)
    if kind == "finite":
        return X, eta + noise * rng.standard_t(3, n)
    if kind == "positive":
        return X, rng.gamma(2.0, np.exp(eta) / 2)
    return X, rng.poisson(np.exp(eta)).astype(float)


def best_refit(name, X, y, support, *, ridge=0.0, weights=None):
    """F of the best coefficients of a support, by SciPy; the terms of the loss are tested against mpmath apart."""
    loss = losses.BY_NAME[name]()
    Z = np.column_stack([X[:, list(support)], np.ones(len(y))])
    w = np.full(len(y), 1 / len(y)) if weights is None else weights / weights.sum()

    def objective(b):
        value, slope, _ = terms_by_eta(loss, Z @ b, y)
        penalty = ridge * np.append(b[:-1], 0)
        return w @ value + 0.5 * penalty @ b, Z.T @ (w * slope) + penalty

    start = np.zeros(Z.shape[1])
    start[-1] = np.log(y.mean()) if name in LOG_LINK else 0.0
    return minimize(objective, start, jac=True, method="BFGS", options={"gtol": 1e-9}).fun


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", range(3))
def test_the_best_of_all_supports_is_found(name, seed):
    """Of seven features two, which is few enough to try all; no answer is below the best, nor above it."""
    X, y = data_for(name, n=70, p=7, seed=seed)
    result = ksparse.fit(X, y, 2, loss=name, ridge=1e-2, search="thorough")
    every = [best_refit(name, X, y, support, ridge=1e-2) for support in itertools.combinations(range(7), 2)]
    assert result.objective == pytest.approx(min(every), rel=1e-7)
    assert result.converged


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("squared", LinearRegression()),
        ("poisson", PoissonRegressor(alpha=0, tol=1e-10, max_iter=1000)),
        ("gamma", GammaRegressor(alpha=0, tol=1e-10, max_iter=1000)),
        ("tweedie", TweedieRegressor(power=1.5, alpha=0, link="log", tol=1e-10, max_iter=1000)),
        ("poisson", PoissonRegressor(alpha=0.3, tol=1e-10, max_iter=1000)),
        ("tweedie", TweedieRegressor(power=1.5, alpha=0.3, link="log", tol=1e-10, max_iter=1000)),
        ("squared", Ridge(alpha=0.3 * 120)),
    ],
)
def test_scikit_learn_has_the_same_coefficients_on_the_support(name, reference):
    """With weights; scikit-learn's penalty is the same function of alpha (for Ridge, of the sum of weights times ridge)."""
    X, y = data_for(name)
    weights = np.random.default_rng(1).integers(0, 3, 120) / 1.0
    alpha = getattr(reference, "alpha", 0.0)
    if isinstance(reference, Ridge):
        reference.set_params(alpha=0.3 * weights.sum())
        alpha = 0.3
    result = ksparse.fit(X, y, 4, loss=name, ridge=alpha, sample_weight=weights)
    reference.fit(X[:, result.support], y, sample_weight=weights)
    np.testing.assert_allclose(result.coef[result.support], reference.coef_, rtol=2e-4, atol=1e-5)
    assert result.intercept == pytest.approx(reference.intercept_, rel=1e-3, abs=1e-5)
    assert ksparse.KSparseRegressor(4, loss=name, ridge=alpha).fit(X, y, weights).score(X, y, weights) == pytest.approx(
        reference.score(X[:, result.support], y, weights), abs=1e-6
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_answer_is_stationary(name):
    """The gradient by the loss's own slopes, in NumPy, is 0 at the answer of every loss, with weights, an offset and a ridge."""
    X, y = data_for(name)
    rng = np.random.default_rng(2)
    weights, offset = rng.random(120), 0.3 * rng.standard_normal(120)
    result = ksparse.fit(X, y, 3, loss=name, ridge=1e-3, sample_weight=weights, offset=offset)
    value, slope, _ = terms_by_eta(losses.BY_NAME[name](), X @ result.coef + result.intercept + offset, y)
    w = weights / weights.sum()
    assert result.objective == pytest.approx(w @ value + 5e-4 * result.coef @ result.coef, rel=1e-12)
    gradient = (X.T @ (w * slope) + 1e-3 * result.coef)[result.support]
    np.testing.assert_allclose(gradient, 0, atol=1e-7)
    assert w @ slope == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize("name", NAMES)
def test_storage_does_not_matter(name):
    """Order, width of floats, sparse or dense, a memory that cannot be written, a batch, a path."""
    X, y = data_for(name, n=200)
    X = np.where(np.abs(X) > 0.8, X, 0.0)
    plain = ksparse.fit(X, y, 3, loss=name, ridge=1e-3)
    frozen = X.copy()
    frozen.flags.writeable = False
    for form in (np.asfortranarray(X), X.astype(np.float32), sp.csc_array(X), sp.csr_array(X), frozen):
        other = ksparse.fit(form, y, 3, loss=name, ridge=1e-3)
        np.testing.assert_array_equal(other.support, plain.support)
        np.testing.assert_allclose(other.coef, plain.coef, rtol=1e-6, atol=1e-9)
        assert other.objective == pytest.approx(plain.objective, rel=1e-10)
    batch = ksparse.fit_many(X, np.column_stack([y, y[::-1]]), 3, loss=name, ridge=1e-3, n_jobs=2)
    assert batch.objectives[0] == pytest.approx(plain.objective, rel=1e-12)
    assert batch[1].objective == ksparse.fit(X, y[::-1], 3, loss=name, ridge=1e-3).objective
    path = ksparse.fit_path(X, y, range(5), loss=name, ridge=1e-3)
    assert path[3].objective <= plain.objective * (1 + 1e-9)
    assert (np.diff(path.objectives) <= 0).all()
    each = list(ksparse.fit_each([(X, y)], 3, loss=losses.BY_NAME[name](), ridge=1e-3))
    assert each[0].objective == plain.objective


@pytest.mark.parametrize("name", NAMES)
def test_an_integer_weight_is_a_repeated_row(name):
    """F is a weighted mean; rows of weight 0 do not count."""
    X, y = data_for(name)
    weights = np.random.default_rng(3).integers(0, 4, 120)
    a = ksparse.fit(X, y, 3, loss=name, ridge=1e-3, sample_weight=weights)
    b = ksparse.fit(np.repeat(X, weights, 0), np.repeat(y, weights), 3, loss=name, ridge=1e-3)
    np.testing.assert_array_equal(a.support, b.support)
    np.testing.assert_allclose(a.coef, b.coef, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", NAMES)
def test_bounds_and_groups_hold(name):
    """They are the engine's, which does not know the loss."""
    X, y = data_for(name)
    bounded = ksparse.fit(X, y, 4, loss=name, ridge=1e-3, bounds=(-0.1, 0.2))
    assert bounded.coef.min() >= -0.1
    assert bounded.coef.max() <= 0.2
    assert bounded.objective <= ksparse.fit(X, y, 0, loss=name).objective
    grouped = ksparse.fit(X, y, 2, loss=name, ridge=1e-3, groups=np.arange(12) // 2)
    assert len(grouped.groups) == 2
    assert grouped.objective <= ksparse.fit(X, y, 2, loss=name, ridge=1e-3).objective + 1e-12
    stand_ins = ksparse.fit(X, y, 2, loss=name, ridge=1e-3).alternatives(2)
    one = ksparse.fit(np.delete(X, stand_ins.feature[0], axis=1), y, 0, loss=name).objective
    assert (stand_ins.increase >= -1e-9).all()
    assert (stand_ins.objective <= one + 1e-9).all()


@pytest.mark.parametrize("unit", [1e-9, 1e-6, 1e6, 1e9])
@pytest.mark.parametrize("loss", ["squared", "huber"])
def test_the_unit_of_y_does_not_matter(loss, unit):
    """Thousands of grams are kilograms: the same support, coefficients in the other unit, F in its square."""
    X, y = data_for(loss, n=200, p=40)
    at = (lambda u: losses.Huber(1.35 * u)) if loss == "huber" else (lambda u: "squared")
    bounds = (-0.5, 0.7)
    a = ksparse.fit(X, y, 5, loss=at(1.0), ridge=1e-3, bounds=bounds, search="thorough")
    b = ksparse.fit(X, y * unit, 5, loss=at(unit), ridge=1e-3, bounds=(-0.5 * unit, 0.7 * unit), search="thorough")
    np.testing.assert_array_equal(a.support, b.support)
    np.testing.assert_allclose(a.coef * unit, b.coef, rtol=1e-6)
    assert b.intercept == pytest.approx(a.intercept * unit, rel=1e-6)
    assert b.objective == pytest.approx(a.objective * unit**2, rel=1e-9)
    assert b.converged
    assert abs(a.n_newton - b.n_newton) <= 0.2 * a.n_newton


def test_a_far_mean_of_y_does_not_matter():
    """Years, or nanoseconds since 1970: the intercept takes the mean up before anything else is judged."""
    X, y = data_for("squared", n=200, p=40)
    a, b = (ksparse.fit(X, y + shift, 5, loss="squared") for shift in (0.0, 1e9))
    np.testing.assert_array_equal(a.support, b.support)
    np.testing.assert_allclose(a.coef, b.coef, rtol=1e-6, atol=1e-7)
    assert b.converged


@pytest.mark.parametrize("name", [*REGRESSION, "squared_hinge", "huberised_hinge"])
def test_a_perfect_fit_ends_as_converged(name):
    """F down to rounding is the end of every search, not a reason to exchange features for ever, nor separability."""
    X, _ = data_for(name, n=150, p=30)
    X = X[np.abs(X[:, 4] - 0.5 * X[:, 20] + 0.25) > 0.3]
    eta = X[:, 4] - 0.5 * X[:, 20] + 0.25
    y = (eta > 0) * 1.0 if "hinge" in name else np.exp(eta) if name in LOG_LINK else eta
    for loss in (name, *([losses.Huber(1e-3)] if name == "huber" else [])):
        result = ksparse.fit(X, y, 6, loss=loss, search="thorough")
        assert result.status == "converged"
        assert result.objective <= 1e-18
        assert {4, 20} <= set(result.support.tolist())
        assert result.n_refits < 400
        path = ksparse.fit_path(X, y, range(7), loss=loss)
        assert all(fit.converged for fit in path)


@pytest.mark.parametrize("name", ["asymmetric_focal", "probit", "cloglog", "exponential"])
def test_separable_labels_are_named(name):
    """These losses fall towards 0 for ever; the answer is bounded, and says so."""
    X, _ = data_for(name)
    y = X[:, 4] - 0.5 * X[:, 9] > 0.25
    with pytest.warns(ksparse.ConvergenceWarning, match="separable"):
        result = ksparse.fit(X, y, 4, loss=name)
    assert np.isfinite(result.coef).all()
    assert result.objective < 1e-6
    assert ksparse.fit(X, y, 4, loss=name, ridge=1e-3).converged


@pytest.mark.parametrize("name", REGRESSION)
def test_constant_responses_leave_the_support_empty_or_harmless(name):
    """There is nothing to explain: F is 0 with the intercept alone."""
    X, _ = data_for(name)
    result = ksparse.fit(X, np.full(120, 3.0), 4, loss=name)
    assert result.converged
    assert result.objective <= 1e-25
    np.testing.assert_allclose(result.coef, 0, atol=1e-12)


@pytest.mark.parametrize("name", [*LOG_LINK, "exponential"])
def test_far_columns_overflow_nowhere(name):
    """exp(eta) of a first step that is too long is refused by the line search, not a NaN."""
    X, y = data_for(name, n=200)
    X = X * np.logspace(-6, 6, 12)
    X[0] *= 50  # a row far from the others
    result = ksparse.fit(X, y * (1e5 if name in LOG_LINK else 1), 4, loss=name, ridge=0.0)
    assert np.isfinite(result.objective)
    assert result.converged
    assert np.isfinite(result.coef).all()
    shifted = ksparse.fit(X, y, 4, loss=name, offset=np.where(np.arange(200) % 7 == 0, 30.0, -30.0))
    assert np.isfinite(shifted.objective)


def test_outliers_do_not_lead_huber_astray():
    """Half of the rows beyond the threshold from the start, where the loss has no curvature, and the right features all the same."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 40))
    y = 2 * X[:, 5] - X[:, 33] + 0.1 * rng.standard_normal(300)
    y[:60] += rng.choice([-1, 1], 60) * 1e6
    result = ksparse.fit(X, y, 2, loss=losses.Huber(0.3))
    np.testing.assert_array_equal(result.support, [5, 33])
    np.testing.assert_allclose(result.coef[[5, 33]], [2, -1], atol=0.05)
    assert result.converged


def test_responses_at_two_values_beyond_the_threshold():
    """All rows on the linear parts at the best constant, where F is flat and without curvature: scans must still rank features."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 20))
    y = 100.0 * np.sign(X[:, 3] + 0.01 * rng.standard_normal(200))
    result = ksparse.fit(X, y, 1, loss=losses.Huber(0.5))
    np.testing.assert_array_equal(result.support, [3])


@pytest.mark.parametrize("name", NAMES)
def test_results_read_and_resample_whatever_the_loss(name):
    """Summary, formula, expressions and stability selection say something true of it, or why they cannot."""
    X, y = data_for(name, n=200)
    result = ksparse.fit(X, y, 2, loss=name, ridge=1e-4)
    loss = losses.BY_NAME[name]()
    summary = result.summary()
    assert np.isfinite(summary.standard_error).all()
    assert (summary.covariance == "information") == loss.is_likelihood
    assert (summary.odds_ratio is not None) == loss.is_log_odds
    left = result.formula().split(" = ")[0]
    by_name = {"logistic": "log-odds of class 1", **dict.fromkeys(LOG_LINK, "log(mean)"), "squared": "mean", "huber": "mean"}
    assert left == by_name.get(name, "linear predictor of class 1" if loss.is_classification else "linear predictor")
    eta = result.decision_function(X[:1])[0]
    row = X[0]
    import math

    assert eval(result.to_python("linear_predictor"), {"row": row, "math": math}) == pytest.approx(eta, rel=1e-12)
    if not loss.is_classification:
        assert eval(result.to_python(), {"row": row, "math": math}) == pytest.approx(loss.mean(np.array([eta]))[0], rel=1e-12)
        with pytest.raises(ValueError, match="mean"):
            result.to_python("probability")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ksparse.ConvergenceWarning)
        stability = ksparse.stability_selection(X, y, 2, loss=name, ridge=1e-4, rounds=10)
    assert stability.frequency.sum() <= 20
    if not loss.is_log_odds:
        with pytest.raises(ValueError, match=name):
            result.scorecard()
        with pytest.raises(ValueError, match=name):
            result.to_logistic_regression()


@pytest.mark.parametrize("name", NAMES)
def test_criteria_are_those_of_a_likelihood_or_refused(name):
    """Where -2 log L is known but for a constant, differences of AIC are those of F."""
    X, y = data_for(name)
    path = ksparse.fit_path(X, y, range(4), loss=name)
    loss = losses.BY_NAME[name]()
    if loss.deviance(1.0, 1.0) is None:
        assert path.criteria == {}
        with pytest.raises(ValueError, match="likelihood"):
            path.criterion("aic")
        return
    sizes = np.array([len(support) for support in path.supports])
    minus_two = 120 * np.log(path.losses) if name == "squared" else 240 * path.losses
    expected = minus_two + 2 * sizes
    aic = path.criterion("aic")
    np.testing.assert_allclose(aic - aic[0], expected - expected[0], rtol=1e-9, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(name=st.sampled_from(NAMES), seed=st.integers(0, 2**31), k=st.integers(1, 3), ridge=st.sampled_from([1e-3, 1e-2, 0.1]))
def test_between_enumeration_and_single_swaps(name, seed, k, ridge):
    """F is never below the best of all supports, and no single swap lowers it, for any loss, seed, budget and ridge.

    But for the Huberised hinge, whose exchanges are undervalued by a curvature that stands in for none: one of 120 problems of this
    kind had a better swap, by half a percent. There a tenth is allowed.
    """
    X, y = data_for(name, n=60, p=6, seed=seed)
    if losses.BY_NAME[name].responses == "binary" and y.min() == y.max():
        return
    result = ksparse.fit(X, y, k, loss=name, ridge=ridge)
    chosen = set(result.support.tolist())
    supports = [set(support) for support in itertools.combinations(range(6), k)]
    values = {tuple(sorted(s)): best_refit(name, X, y, sorted(s), ridge=ridge) for s in supports}
    swaps = [value for support, value in values.items() if len(set(support) - chosen) <= 1]
    assert result.objective >= min(values.values()) * (1 - 1e-7)
    if name == "huberised_hinge":
        swaps = [value * 1.1 for value in swaps]
    assert result.objective <= min(swaps) * (1 + 1e-6)

"""Features always in, never in, and bounds: against enumeration with SciPy's bounded solver, and what cannot be is named."""

import itertools

import hypothesis.strategies as st
import ksparse
import numpy as np
import pytest
from hypothesis import given, settings
from ksparse import KSparseClassifier, KSparseClassifierCV
from reference import random_problem
from scipy.optimize import minimize


def bounded_minimum(problem, support, lower, upper):
    """Least F on a support within bounds, by L-BFGS-B on an objective that shares no code with ksparse."""
    Z = np.column_stack([problem.X[:, support], np.ones(len(problem.y))])
    sign = 2 * problem.y - 1
    ridge = problem.settings["ridge"]

    def value_and_slope(beta):
        m = sign * (Z @ beta)
        penalty = 0.5 * ridge * np.sum(beta[:-1] ** 2)
        slope = Z.T @ (-sign / (1 + np.exp(m))) / len(m) + np.append(ridge * beta[:-1], 0.0)
        return np.logaddexp(0, -m).mean() + penalty, slope

    bounds = [(lower[j], upper[j]) for j in support] + [(None, None)]
    start = np.zeros(len(support) + 1)
    options = {"ftol": 1e-15, "gtol": 1e-10, "maxiter": 2000}
    return minimize(value_and_slope, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options).fun


def enumerated(problem, k, lower, upper, always=(), never=()):
    """Least F over all supports that the constraints allow."""
    p = problem.X.shape[1]
    free = [j for j in range(p) if j not in always and j not in never]
    size = min(k - len(always), len(free))
    return min(bounded_minimum(problem, [*always, *rest], lower, upper) for rest in itertools.combinations(free, size))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), rho=st.sampled_from([0.0, 0.6, 0.9]), kind=st.sampled_from(["positive", "box", "mixed"]))
def test_bounded_fits_reach_the_best_by_enumeration(seed, rho, kind):
    """Thorough search, p = 7, k = 3."""
    problem = random_problem(seed, n=60, p=7, rho=rho, ridge=1e-2)
    rng = np.random.default_rng(seed)
    lower, upper = np.full(7, -np.inf), np.full(7, np.inf)
    if kind == "positive":
        lower[:] = 0
    elif kind == "box":
        lower[:], upper[:] = -0.3, 0.3
    else:
        lower[rng.random(7) < 0.5] = 0
        upper = np.where(rng.random(7) < 0.5, rng.uniform(0, 0.5, 7), np.inf)
    result = ksparse.fit(problem.X, problem.y, 3, bounds=(lower, upper), search="thorough", **problem.settings)
    assert result.converged
    assert (result.coef >= lower).all()
    assert (result.coef <= upper).all()
    best = enumerated(problem, 3, lower, upper)
    assert result.objective == pytest.approx(best, rel=1e-7)
    assert result.objective == pytest.approx(bounded_minimum(problem, result.support, lower, upper), rel=1e-8)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), always=st.integers(0, 3), never=st.integers(0, 3), bounded=st.booleans())
def test_always_and_never_reach_the_best_by_enumeration(seed, always, never, bounded):
    """With and without bounds on top."""
    problem = random_problem(seed, n=60, p=8, rho=0.7, ridge=1e-2)
    order = np.random.default_rng(seed).permutation(8)
    inside, outside = sorted(order[:always].tolist()), sorted(order[always : always + never].tolist())
    lower, upper = (np.full(8, -0.4), np.full(8, 0.4)) if bounded else (np.full(8, -np.inf), np.full(8, np.inf))
    result = ksparse.fit(
        problem.X,
        problem.y,
        3,
        always_in=inside,
        never_in=outside,
        bounds=(lower, upper) if bounded else None,
        search="thorough",
        **problem.settings,
    )
    assert set(inside) <= set(result.support.tolist())
    assert not set(outside) & set(result.support.tolist())
    assert result.objective == pytest.approx(enumerated(problem, 3, lower, upper, inside, outside), rel=1e-7)


@pytest.mark.parametrize("loss", ["logistic", "focal"])
@pytest.mark.parametrize("search", ["fast", "thorough"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_constraints_hold_with_a_working_set(loss, search, order):
    """Many features, so that searches work inside a part of them; in single fits and along a path."""
    problem = random_problem(5, n=1100, p=300, rho=0.8, loss=loss, ridge=1e-3, signal=4.0)
    X = np.asarray(problem.X, order=order)
    free = ksparse.fit(X, problem.y, 6, loss=loss, ridge=1e-3)
    banned = free.support[:2].tolist()
    wanted = [j for j in range(300) if j not in free.support][:2]
    constraints = {"always_in": wanted, "never_in": banned, "bounds": (-0.5, 0.25), "loss": loss, "ridge": 1e-3}
    single = ksparse.fit(X, problem.y, 6, search=search, **constraints)
    path = ksparse.fit_path(X, problem.y, [2, 4, 6], search=search, **constraints)
    for result in (single, *path):
        assert set(wanted) <= set(result.support.tolist()) | set(np.flatnonzero(result.coef == 0))
        assert not set(banned) & set(result.support.tolist())
        assert result.coef.min() >= -0.5
        assert result.coef.max() <= 0.25
        assert result.converged
    assert path.objectives[-1] <= single.objective * (1 + 1e-9)
    assert (np.diff(path.objectives) <= 0).all()
    assert single.objective >= free.objective


def test_bounds_scale_with_the_columns():
    """Bounds are per unit of the column: a column in other units has other bounds, and the same answer."""
    problem = random_problem(7, n=150, p=12, ridge=0.0)
    scale = 2.0 ** np.arange(-6, 6)
    bounds = (np.full(12, -0.2), np.full(12, 0.3))
    plain = ksparse.fit(problem.X, problem.y, 4, bounds=bounds)
    scaled = ksparse.fit(problem.X * scale, problem.y, 4, bounds=(bounds[0] / scale, bounds[1] / scale))
    assert scaled.support.tolist() == plain.support.tolist()
    assert scaled.objective == pytest.approx(plain.objective, rel=1e-10)
    np.testing.assert_allclose(scaled.coef * scale, plain.coef, rtol=1e-7)
    assert (plain.coef == 0.3).any() or (plain.coef == -0.2).any()


def test_bounds_that_do_not_bind_change_nothing():
    """The same answer as without."""
    problem = random_problem(8, n=200, p=40, rho=0.8, ridge=1e-3)
    free = ksparse.fit(problem.X, problem.y, 5, **problem.settings)
    wide = ksparse.fit(problem.X, problem.y, 5, bounds=(-1e6, 1e6), **problem.settings)
    assert wide.support.tolist() == free.support.tolist()
    assert wide.objective == pytest.approx(free.objective, rel=1e-12)


def test_bounds_make_separable_data_finite():
    """No ridge, no overlap, and yet a minimum; a separation that the bounds do not stop is still named."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 6))
    y = X[:, 2] > 0
    result = ksparse.fit(X, y, 1, bounds=(-2.0, 2.0))
    assert result.converged
    assert result.coef[2] == 2.0
    with pytest.warns(ksparse.ConvergenceWarning, match="separable"):
        assert ksparse.fit(X, y, 1, bounds=(0, None)).status == "separable"


def test_estimators_take_constraints_and_names():
    """By column names of a data frame; k from a criterion and from cross-validation."""
    pandas = pytest.importorskip("pandas")
    problem = random_problem(9, n=200, p=8)
    frame = pandas.DataFrame(problem.X, columns=[f"gene{j}" for j in range(8)])
    settings = {"always_in": ["gene3"], "never_in": ["gene5", 6], "bounds": (0, None), "ridge": 1e-3}
    for model in (
        KSparseClassifier(k=3, **settings),
        KSparseClassifier(k="bic", **settings),
        KSparseClassifierCV(ks=[1, 2, 3], **settings),
    ):
        model.fit(frame, problem.y)
        assert not {5, 6} & set(model.support_)
        assert (model.coef_ >= 0).all()
    assert 3 in KSparseClassifier(k=2, always_in=["gene3"]).fit(frame, problem.y).support_
    with pytest.raises(ValueError, match=r"always_in\[0\] is 'gene9', but X has no such column; did you mean 'gene\d'\?"):
        KSparseClassifier(always_in=["gene9"]).fit(frame, problem.y)
    with pytest.raises(ValueError, match=r"always_in\[1\] is 'GENE3', but X has no such column; did you mean 'gene3'\?"):
        ksparse.fit(frame, problem.y, 2, always_in=[0, "GENE3"])
    with pytest.raises(ValueError, match=r"never_in\[0\] is 'pulse', but X has no such column$"):
        ksparse.fit(frame, problem.y, 2, never_in=["pulse"])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"always_in": [0, 1, 2, 3]}, ValueError, "always_in names 4 features but k is 3"),
        ({"always_in": [8]}, ValueError, r"always_in\[0\] is 8; it must be at most 7, the last feature"),
        ({"always_in": [1, 1]}, ValueError, "always_in names feature 1 twice"),
        ({"always_in": [1], "never_in": [2, 1]}, ValueError, "feature 1 is both in always_in and in never_in"),
        ({"always_in": "x"}, TypeError, "always_in is 'x'; it must be a list of features"),
        ({"never_in": ["x"]}, ValueError, r"never_in\[0\] is 'x', but X has no column names"),
        ({"never_in": [1.5]}, TypeError, r"never_in\[0\] is 1.5; it must be an integer"),
        ({"bounds": (1, 2)}, ValueError, "bounds of feature 0 must hold 0"),
        ({"bounds": (0.0, np.array([1, 1, -1, 1, 1, 1, 1, 1]))}, ValueError, "bounds of feature 2 must have lower <= upper"),
        ({"bounds": (np.nan, None)}, ValueError, "bounds of feature 0 must have lower <= upper"),
        ({"bounds": (np.zeros(3), None)}, ValueError, r"lower has shape \(3,\); it must be a number or have shape \(8,\)"),
        ({"bounds": 1.0}, TypeError, r"bounds is 1.0; it must be \(lower, upper\)"),
        ({"bounds": (None, "a")}, TypeError, "bounds: upper has dtype"),
        ({"bounds": (0, 0), "always_in": [4]}, ValueError, "feature 4 is in always_in, but its bounds leave 0 only"),
    ],
)
def test_what_cannot_be_is_named(arguments, error, message):
    """By the feature, with what was given."""
    problem = random_problem(10)
    with pytest.raises(error, match=message):
        ksparse.fit(problem.X, problem.y, 3, **arguments)


def test_a_path_must_have_room_for_the_features_that_are_always_in():
    """Its smallest k decides."""
    problem = random_problem(11)
    with pytest.raises(ValueError, match="always_in names 2 features but k is 1"):
        ksparse.fit_path(problem.X, problem.y, [1, 3], always_in=[0, 1])
    path = ksparse.fit_path(problem.X, problem.y, [2, 3], always_in=[0, 1], ridge=1e-2)
    assert path[0].support.tolist() == [0, 1]
    with pytest.raises(ValueError, match="k_max is 1 but always_in names 2 features; it must be >= 2"):
        KSparseClassifier(k="bic", k_max=1, always_in=[0, 1]).fit(problem.X, problem.y)

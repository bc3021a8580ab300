"""Hard cases by name: a proper answer with a status and, where needed, a warning that says what to do."""

import ksparse
import numpy as np
import pytest
from reference import random_problem


def finite(result):
    return np.isfinite(result.coef).all() and np.isfinite(result.intercept) and np.isfinite(result.objective)


@pytest.fixture
def problem():
    return random_problem(4, n=120, p=10, ridge=0.0)


def test_k_zero_is_the_intercept_alone(problem):
    """The share of positives, and no feature."""
    result = ksparse.fit(problem.X, problem.y, 0)
    share = problem.y.mean()
    assert len(result.support) == 0
    assert result.intercept == pytest.approx(np.log(share / (1 - share)), rel=1e-7)
    bare = ksparse.fit(problem.X, problem.y, 0, fit_intercept=False)
    assert (bare.intercept, bare.objective) == (0.0, pytest.approx(np.log(2)))


def test_k_equal_to_p_uses_every_feature(problem):
    """The ordinary model."""
    assert len(ksparse.fit(problem.X, problem.y, 10).support) == 10


@pytest.mark.parametrize("ridge", [0.0, 0.1])
def test_fewer_rows_than_k(ridge):
    """Twenty rows, forty features asked of two hundred."""
    wide = random_problem(0, n=20, p=200)
    if ridge:
        assert ksparse.fit(wide.X, wide.y, 40, ridge=ridge).converged
    else:
        with pytest.warns(ksparse.ConvergenceWarning, match="add a ridge penalty"):
            assert finite(ksparse.fit(wide.X, wide.y, 40))


def test_constant_columns_never_enter(problem):
    """With an intercept they are worth nothing; without one they are it."""
    for constant in (0.0, 7.0, 1e150, 1e-150):
        X = problem.X.copy()
        X[:, 3] = constant
        assert 3 not in ksparse.fit(X, problem.y, 10).support
    X[:, 3] = 1.0
    with_column = ksparse.fit(X, problem.y, 10, fit_intercept=False)
    assert with_column.objective == pytest.approx(ksparse.fit(X, problem.y, 9).objective, rel=1e-9)


@pytest.mark.parametrize("factor", [1.0, -3.0, 1e-7])
def test_duplicate_columns_enter_once(problem, factor):
    """A copy in other units adds nothing."""
    X = np.column_stack([problem.X, factor * problem.X[:, :4]])
    result = ksparse.fit(X, problem.y, 14)
    assert result.converged
    assert len(result.support) == 10
    assert result.objective == pytest.approx(ksparse.fit(problem.X, problem.y, 10).objective, rel=1e-9)


@pytest.mark.parametrize("scale", [1e-150, 1e150])
@pytest.mark.parametrize("ridge", [0.0, 1e-2])
def test_columns_at_the_ends_of_the_range(problem, scale, ridge):
    """Neither overflow nor underflow; with a ridge a tiny column is too dear and a huge one costs nothing."""
    result = ksparse.fit(problem.X * scale, problem.y, 3, ridge=ridge)
    assert finite(result)
    assert result.converged
    if not ridge:
        assert list(result.support) == list(ksparse.fit(problem.X, problem.y, 3).support)


@pytest.mark.parametrize("loss", ["logistic", "focal"])
def test_separable_data(problem, loss):
    """Bounded, said, and cured by a ridge."""
    y = (problem.X[:, 2] > 0.1).astype(float)
    with pytest.warns(ksparse.ConvergenceWarning, match=r"separable: .*ridge=1e-3"):
        result = ksparse.fit(problem.X, y, 2, loss=loss)
    assert result.status == "separable"
    assert finite(result)
    assert result.objective < 1e-6
    assert (((problem.X @ result.coef + result.intercept) > 0) == y).all()
    assert ksparse.fit(problem.X, y, 2, loss=loss, ridge=1e-3).converged


def test_partly_separable_data(problem):
    """A rare flag that occurs in one class only has no finite coefficient, though F has a positive limit."""
    X = problem.X.copy()
    X[:, 0] = 0
    X[np.flatnonzero(problem.y == 1)[:7], 0] = 1
    with pytest.warns(ksparse.ConvergenceWarning, match="separable"):
        result = ksparse.fit(X, problem.y, 10)
    assert finite(result)
    assert result.objective > 0.01


def test_all_weight_on_two_rows(problem):
    """One row of each class: separable by any feature that differs."""
    weights = np.zeros(120)
    weights[:2] = 1
    with pytest.warns(ksparse.ConvergenceWarning, match="separable"):
        assert finite(ksparse.fit(problem.X, problem.y, 3, sample_weight=weights))


@pytest.mark.parametrize("size", [30.0, 1e3, 1e6])
@pytest.mark.parametrize("loss", ["logistic", "focal"])
def test_a_misleading_offset(problem, loss, size):
    """A start far out on the tails of the loss, where it has no curvature left: an answer or a status, no NaN."""
    offset = np.where(problem.y == 1, -size, size)
    import warnings

    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        result = ksparse.fit(problem.X, problem.y, 3, loss=loss, offset=offset)
    assert finite(result)


def test_one_row_of_the_rare_class():
    """One positive among many."""
    problem = random_problem(6, n=400, p=20)
    y = np.zeros(400)
    y[17] = 1
    assert finite(ksparse.fit(problem.X, y, 3, ridge=1e-3))


def test_one_row_one_column():
    """The smallest X that has two classes, in every order of memory."""
    for X in (np.array([[0.0], [1.0]]), np.array([[0.0, 3.0], [1.0, 3.0]]), np.asfortranarray([[0.0, 3.0], [1.0, 3.0]])):
        assert ksparse.fit(X, [0, 1], 1, ridge=0.1).support.tolist() == [0]


@pytest.mark.filterwarnings("ignore::ksparse.ConvergenceWarning")
def test_an_entry_that_flies_off_is_refitted_from_where_F_is_known():
    """The model's step led to where Newton does not find back: F was 101.6 and 0.00205 (found by tests/fuzz)."""
    X = np.array([[0, 0, 300, 1], [0, 0, 1, 300], [0, 0, 0, 1], [1, 255, 0, 0], [0, 1, 1, 0]], dtype=float)
    y = np.array([1, 0, 1, 0, 1])
    objectives = [ksparse.fit(X, y, k, fit_intercept=False).objective for k in range(5)]
    assert (np.diff(objectives) <= 1e-12).all()
    X = np.array([[0.0], [-2.0], [1.1363272], [1.0]])
    weights = [1553069.56, 10, 3.28666, 5000]
    lone = ksparse.fit(X, [1, 1, 0, 1], 1, sample_weight=weights, ridge=1.1193e-7)
    assert lone.objective < 3e-5


def test_columns_too_small_to_be_of_use_are_left_out(problem):
    """A spread of 1e-160 needs coefficients of 1e160, which a ridge penalty forbids and doubles may not hold."""
    alone = ksparse.fit(problem.X, problem.y, 10, ridge=1e-3)
    X = np.column_stack([problem.X, 1e-160 * problem.X[:, :3]])
    for options in ({}, {"always_in": [11]}):
        fit = ksparse.fit(X, problem.y, 10, ridge=1e-3, **options)
        assert fit.converged
        assert set(fit.support) <= set(range(10))
    assert ksparse.fit(X, problem.y, 10, ridge=1e-3).objective == pytest.approx(alone.objective, rel=1e-12)
    smallest = ksparse.fit([[0.0], [2e-308]], [0, 1], 1, fit_intercept=False)
    assert finite(smallest)
    assert len(smallest.support) == 0


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_a_constant_column_that_must_be_in_keeps_a_coefficient_of_zero(problem, fit_intercept):
    """It adds nothing; the fit of the others converges."""
    X = problem.X.copy()
    X[:, 3] = 7.0 if fit_intercept else 0.0
    forced = ksparse.fit(X, problem.y, 5, always_in=[3], fit_intercept=fit_intercept)
    free = ksparse.fit(X, problem.y, 4, fit_intercept=fit_intercept)
    assert forced.converged
    assert forced.coef[3] == 0
    assert forced.objective == pytest.approx(free.objective, rel=1e-9)


def test_a_ridge_too_small_to_matter_hides_no_runaway():
    """Two rows that differ by 1e-9 of the column: F falls along them for ever, with a ridge of 1e-300 too (found by tests/fuzz)."""
    X, y, weights = np.array([[1e-6], [0.0], [1000.0]]), [0, 1, 0], [1.0, 1.0, 3.0]
    for ridge in (0.0, 1e-300):
        with pytest.warns(ksparse.ConvergenceWarning, match="separable"):
            ksparse.fit(X, y, 1, sample_weight=weights, loss="focal", alpha=1e-6, gamma=10.0, ridge=ridge)
    assert ksparse.fit(X, y, 1, sample_weight=weights, loss="focal", alpha=1e-6, gamma=10.0, ridge=1e-9).converged

"""What must not matter: order, units, layout, and how weights are written."""

import hypothesis.strategies as st
import ksparse
import numpy as np
import pytest
from hypothesis import given
from reference import random_problem, small_problems


def fit(problem, X=None, y=None, k=3, **more):
    X = problem.X if X is None else X
    return ksparse.fit(X, problem.y if y is None else y, min(k, X.shape[1]), **{**problem.settings, **more})


def assert_same(a, b, rtol=1e-9):
    """Check the objective, and the coefficients where the objective is well curved."""
    assert a.objective == pytest.approx(b.objective, rel=rtol)
    if list(a.support) == list(b.support):  # ties may be broken otherwise
        np.testing.assert_allclose(a.coef, b.coef, rtol=1e-4, atol=1e-5)


@given(problem=small_problems(), seed=st.integers(0, 1000))
def test_order_of_rows_and_columns(problem, seed):
    """A permutation relabels, no more."""
    rng = np.random.default_rng(seed)
    rows, columns = rng.permutation(len(problem.y)), rng.permutation(problem.X.shape[1])
    a, b = fit(problem), fit(problem, problem.X[np.ix_(rows, columns)], problem.y[rows])
    assert a.objective == pytest.approx(b.objective, rel=1e-9)
    if sorted(columns[b.support]) == list(a.support):
        np.testing.assert_allclose(a.coef[columns], b.coef, rtol=1e-4, atol=1e-5)


@given(seed=st.integers(0, 1000), exponents=st.lists(st.integers(-140, 140), min_size=8, max_size=8))
def test_scaling_columns(seed, exponents):
    """Without a ridge the units of a column change its coefficient and nothing else."""
    problem = random_problem(seed, n=200, ridge=0.0, signal=1.0)
    scale = 10.0 ** np.array(exponents)
    a, b = fit(problem), fit(problem, problem.X * scale)
    assert list(a.support) == list(b.support)
    assert a.objective == pytest.approx(b.objective, rel=1e-9)
    np.testing.assert_allclose(a.coef, b.coef * scale, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("shift", [1.0, 1e3, 1e6, 1e9])
def test_shifting_columns(shift):
    """With an intercept, where the zero of a column lies is of no account: years around 2000 are a feature like any other."""
    problem = random_problem(3, n=200, ridge=0.0, signal=1.0)
    a, b = fit(problem), fit(problem, problem.X + shift)
    assert list(a.support) == list(b.support)
    # X + shift itself loses digits of X.
    assert a.objective == pytest.approx(b.objective, rel=max(1e-9, 1e-15 * shift))


@given(problem=small_problems(), seed=st.integers(0, 1000))
def test_integer_weight_equals_repeated_row(problem, seed):
    """Weights are counts; a weight of zero removes the row."""
    weights = np.random.default_rng(seed).integers(0, 4, len(problem.y))
    weights[:2] = 1
    rows = np.repeat(np.arange(len(problem.y)), weights)
    assert_same(fit(problem, sample_weight=weights), fit(problem, problem.X[rows], problem.y[rows]))


@given(problem=small_problems(), factor=st.sampled_from([1e-200, 1e-3, 7.0, 1e200]))
def test_weights_have_no_unit(problem, factor):
    """F is an average: a common factor of the weights cancels."""
    assert_same(fit(problem), fit(problem, sample_weight=np.full(len(problem.y), factor)))


@given(problem=small_problems())
def test_stacking_the_data_twice(problem):
    """The average over twice the rows is the average."""
    assert_same(fit(problem), fit(problem, np.vstack([problem.X] * 2), np.tile(problem.y, 2)))


@given(problem=small_problems())
def test_layout_and_type_of_X(problem):
    """C and F order, blocks of larger arrays, other strides, read-only: the same numbers, the same answer."""
    X = problem.X
    frozen = X.copy()
    frozen.flags.writeable = False
    wide = np.zeros((X.shape[0] + 3, X.shape[1] + 2))
    wide[1:-2, 1:-1] = X
    tall = np.asfortranarray(wide)
    a = fit(problem)
    for other in (
        np.asfortranarray(X),
        frozen,
        wide[1:-2, 1:-1],
        tall[1:-2, 1:-1],
        np.repeat(X, 2, axis=1)[:, ::2],
        X[::-1][::-1],
    ):
        assert_same(a, fit(problem, other), rtol=1e-11)


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int64, np.uint8, np.int8, bool])
def test_other_types_have_the_same_answer(dtype):
    """The answer is that of the same numbers in float64, and X stays what it was."""
    problem = random_problem(1, p=5)
    X = (problem.X > 0).astype(dtype) if np.dtype(dtype).kind in "iub" else problem.X.astype(dtype)
    before = X.copy()
    assert_same(fit(problem, X), fit(problem, X.astype(float)), rtol=1e-13)
    np.testing.assert_array_equal(X, before)


def test_an_offset_shifts_the_linear_predictor():
    """Part of the model handed in as an offset is not found again, and the rest is as it was."""
    problem = random_problem(2, n=300, p=6, ridge=0.0)
    whole = fit(problem, k=6)
    known = problem.X[:, 0] * whole.coef[0]
    rest = fit(problem, problem.X[:, 1:], k=5, offset=known)
    assert rest.objective == pytest.approx(whole.objective, rel=1e-9)
    np.testing.assert_allclose(rest.coef, whole.coef[1:], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(rest.decision_function(problem.X[:, 1:], known), whole.decision_function(problem.X), atol=1e-4)


@pytest.mark.parametrize("order", ["C", "F"])
def test_wide_data_in_both_orders(order):
    """More features than one panel of a scan, and than one pack."""
    problem = random_problem(8, n=123, p=1301, rho=0.7)
    a, b = fit(problem, k=5), fit(problem, np.array(problem.X, order=order), k=5)
    assert_same(a, b, rtol=1e-11)


def test_same_input_same_answer():
    """To the last bit."""
    problem = random_problem(9, p=60)
    a, b = fit(problem, k=5), fit(problem, k=5)
    np.testing.assert_array_equal(a.coef, b.coef)

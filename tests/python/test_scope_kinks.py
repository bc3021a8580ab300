"""Objectives with kinks: sums of absolute values, quantiles, hinges, held against linear programming on every support."""

from __future__ import annotations

from itertools import combinations

import ksparse
import numpy as np
import pytest
from ksparse._kinked_minimum import minimise
from ksparse._scope._kinks import jump_along
from scipy.optimize import linprog

KINDS = ["absolute", "quantile", "hinge"]
TAU = {"absolute": 0.5, "quantile": 0.8}


def data(seed, n=100, p=20, columns=(2, 5, 11)):
    rng = np.random.default_rng(seed)
    X = 0.6 * rng.standard_normal((n, p)) + 0.5 * rng.standard_normal((n, 1))
    return X, X[:, list(columns)] @ np.array([1.0, -2.0, 3.0])[: len(columns)] + rng.standard_t(3, n)


def functions(kind, X, y):
    """Return an objective, the mean of a loss with a kink, and one of its gradients."""
    n = len(y)
    if kind == "hinge":
        sign = np.where(y > 0, 1.0, -1.0)
        return (
            lambda b: np.maximum(0, 1 - sign * (X @ b)).mean(),
            lambda b: -X.T @ (sign * (sign * (X @ b) < 1)) / n,
        )
    tau = TAU[kind]

    def value(b):
        residual = y - X @ b
        return np.maximum(tau * residual, (tau - 1) * residual).mean()

    return value, lambda b: -X.T @ np.where(y - X @ b > 0, tau, tau - 1) / n


def by_linear_programming(kind, X, y, bounds=(None, None)):
    """Return the least value of the objective over all coefficients."""
    n, k = X.shape
    if kind == "hinge":
        sign = np.where(y > 0, 1.0, -1.0)
        cost = np.r_[np.zeros(k), np.full(n, 1 / n)]
        rows = {"A_ub": np.hstack([-sign[:, None] * X, -np.eye(n)]), "b_ub": -np.ones(n)}
        return linprog(cost, **rows, bounds=[bounds] * k + [(0, None)] * n).fun
    tau = TAU[kind]
    cost = np.r_[np.zeros(k), np.full(n, tau / n), np.full(n, (1 - tau) / n)]
    rows = {"A_eq": np.hstack([X, np.eye(n), -np.eye(n)]), "b_eq": y}
    return linprog(cost, **rows, bounds=[bounds] * k + [(0, None)] * 2 * n).fun


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("d", [1, 4])
def test_a_minimum_is_that_of_linear_programming(kind, d):
    """Cutting planes end at the vertex itself, with bounds and without, whatever the units of the columns."""
    X, y = data(d, p=d, columns=range(min(d, 3)))
    for scale, bounds in ((1.0, None), (10.0 ** np.arange(-2, d - 2), None), (1.0, (-0.3, 0.5))):
        value, gradient = functions(kind, X * scale, y)
        low, high = (None, None) if bounds is None else (np.full(d, bound) for bound in bounds)
        found = minimise(
            lambda b, value=value, gradient=gradient: (value(b), gradient(b)),
            np.zeros(d),
            tolerance=1e-6,
            exact=True,
            lower=low,
            upper=high,
        )
        assert found.is_proved
        assert found.value == pytest.approx(by_linear_programming(kind, X * scale, y, bounds or (None, None)), rel=1e-10)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_the_best_support_is_found(kind, seed):
    """Newton's method alone stops at the first kink, and the search with it: every support was refitted by linear programming."""
    X, y = data(seed, n=60, p=8, columns=(1, 4))
    value, gradient = functions(kind, X, y)
    best, support = min((by_linear_programming(kind, X[:, pair], y), pair) for pair in map(list, combinations(range(8), 2)))
    solver = ksparse.ScopeSolver(8, 2)
    solver.solve(value, gradient=gradient)
    assert solver.status == "converged"
    assert solver.support_set.tolist() == support
    assert solver.objective_value == pytest.approx(best, rel=1e-9)


@pytest.mark.parametrize(("shift", "factor", "units"), [(-50.0, 1.0, 1.0), (0.0, 1e6, 1.0), (0.0, 1.0, 1e3)])
def test_neither_units_nor_a_constant_matter(shift, factor, units):
    """Steps that look across the kinks are as wide as the objective says, not as numbers of order one would have it."""
    X, y = data(5)
    scale = units ** np.linspace(-1, 1, 20)
    value, gradient = functions("absolute", X * scale, y)
    solver = ksparse.ScopeSolver(20, 3)
    solver.solve(lambda b: factor * value(b) + shift, gradient=lambda b: factor * gradient(b))
    best = by_linear_programming("absolute", X[:, [2, 5, 11]], y)
    assert solver.support_set.tolist() == [2, 5, 11]
    assert (solver.objective_value - shift) / factor == pytest.approx(best, rel=1e-9)


def test_kinks_in_jax_groups_and_bounds():
    """An objective in JAX has kinks like any other, be it of linear predictors or not."""
    jax = pytest.importorskip("jax")
    X, y = data(0)
    solver = ksparse.ScopeSolver(20, 3)
    solver.solve(lambda b: jax.numpy.abs(y - X @ b).mean())
    assert solver.support_set.tolist() == [2, 5, 11]
    assert solver.objective_value == pytest.approx(2 * by_linear_programming("absolute", X[:, [2, 5, 11]], y), rel=1e-6)
    grouped = ksparse.ScopeSolver(20, 2, group=np.repeat(np.arange(10), 2))
    grouped.solve(lambda b: jax.numpy.abs(y - X @ b).mean() + 0.01 * jax.numpy.sqrt(1e-8 + b @ b))
    assert {4, 5, 10, 11} == set(grouped.support_set.tolist())


def test_bends_that_are_all_but_kinks_take_no_more_steps():
    """Newton's method creeps along a bend much sharper than its steps are long: a search took 5800 of its iterations."""
    X, y = data(0)

    def value(b):
        return np.sqrt((y - X @ b) ** 2 + 1e-10).mean()

    def gradient(b):
        residual = y - X @ b
        return -X.T @ (residual / np.sqrt(residual**2 + 1e-10)) / len(y)

    def hessian(b):
        return (X.T * (1e-10 / ((y - X @ b) ** 2 + 1e-10) ** 1.5)) @ X / len(y)

    solver = ksparse.ScopeSolver(20, 3)
    solver.solve(value, gradient=gradient, hessian=hessian)
    assert solver.support_set.tolist() == [2, 5, 11]
    assert solver.objective_value == pytest.approx(2 * by_linear_programming("absolute", X[:, [2, 5, 11]], y), rel=1e-5)
    assert solver.n_newton < 2000


def test_a_rare_kink_does_not_cost_the_hessian():
    """Steps of a function that only goes up: parameters have a kink at 0, and away from it derivatives know all."""
    jax = pytest.importorskip("jax")
    rng = np.random.default_rng(0)
    steps = np.zeros(100)
    steps[[0, 20, 45, 70, 90]] = [1, 2, 1, 3, 1]
    y = np.cumsum(steps) + 0.3 * rng.standard_normal(100)
    solver = ksparse.ScopeSolver(100, 5)
    solver.solve(lambda w: jax.numpy.sum((y - jax.numpy.cumsum(jax.numpy.abs(w))) ** 2))
    levels = np.split(y, [20, 45, 70, 90])
    assert solver.objective_value <= sum(np.sum((part - part.mean()) ** 2) for part in levels) * (1 + 1e-6)
    assert solver.n_newton < 1000


def test_what_is_smooth_has_no_kink():
    """However sharp a bend is, its slope changes by little over a short enough stretch; one that does not fall is no kink either."""
    assert jump_along(lambda t: -1.0 if t < 0.3 else 2.0) == 3
    assert not jump_along(lambda t: np.tanh(1e3 * (t - 0.3)))
    assert not jump_along(lambda t: t - 0.3)
    assert not jump_along(lambda t: -1.0)
    assert not jump_along(lambda t: -1.0 if t < 0.3 else np.nan)

"""Where a search begins, and what it does at points that have no gradient and are no minima."""

import itertools

import ksparse
import numpy as np
import pytest
from ksparse import FobaSolver, ForwardSolver, GraspSolver, HTPSolver, IHTSolver, OMPSolver, ScopeSolver, scope
from reference import least_squares
from scipy.optimize import minimize

SOLVERS = [ScopeSolver, OMPSolver, ForwardSolver, FobaSolver, GraspSolver, HTPSolver, IHTSolver]
jnp = pytest.importorskip("jax").numpy
DEPTHS = np.array([1.0, 3.0, 2.0, 0.5, 2.5, 0.1])


def covariance(seed, p=7):
    """Return a covariance of trace 1."""
    rng = np.random.default_rng(seed)
    C = np.cov((rng.standard_normal((50, p)) @ rng.standard_normal((p, p))).T)
    return C / np.trace(C)


def variance(C):
    """Return an objective with a maximum at 0: the sparse first principal component of C, of a length that is best."""
    return lambda b: float(-b @ C @ b + (b @ b) ** 2), lambda b: -2 * C @ b + 4 * (b @ b) * b


def pairs(b):
    """Return a saddle at 0, along which the objective falls in pairs of parameters alone."""
    return float(-b[0] * b[1] + 2 * b[2] * b[3] - 0.5 * b[1] * b[4] + np.sum(b**4))


def slope_of_pairs(b):
    """Return its gradient."""
    return np.array([-b[1], -b[0] - 0.5 * b[4], 2 * b[3], 2 * b[2], -0.5 * b[1]]) + 4 * b**3


def slope_of_triple(b):
    """Return the gradient of a point without gradient and without curvature, which three parameters together leave."""
    return np.array([-b[1] * b[2], -b[0] * b[2], -b[0] * b[1], 0.0]) + 4 * b**3


# Objective, gradient, p, k.
STATIONARY_AT_0 = {
    "variance": (*variance(covariance(0)), 7, 2),
    "variance of 3": (*variance(covariance(1, 5)), 5, 3),
    "without correlation": (*variance(np.diag([0.2, 0.4, 0.6, 0.8, 1.0])), 5, 2),
    "double wells": (
        lambda b: float(np.sum(DEPTHS * (b**2 - 1) ** 2)),
        lambda b: 4 * DEPTHS * b * (b**2 - 1),
        6,
        2,
    ),
    "double wells, tilted": (
        lambda b: float(np.sum(DEPTHS * (b**2 - 1) ** 2) + 0.01 * np.sum(b)),
        lambda b: 4 * DEPTHS * b * (b**2 - 1) + 0.01,
        6,
        3,
    ),
    "the lower side": (lambda b: float(np.sum(b**4 - b**2 + 0.3 * b**3)), lambda b: 4 * b**3 - 2 * b + 0.9 * b**2, 4, 2),
    "pairs": (pairs, slope_of_pairs, 5, 2),
    "a triple": (lambda b: float(-b[0] * b[1] * b[2] + np.sum(b**4)), slope_of_triple, 4, 3),
    "fourth powers": (
        lambda b: float(np.sum(-DEPTHS[:4] * b**4 + b**6)),
        lambda b: -4 * DEPTHS[:4] * b**3 + 6 * b**5,
        4,
        2,
    ),
}


def best_by_enumeration(objective, gradient, p, k, low=-np.inf):
    """Least minimum over all supports, of local searches from several points each."""
    rng = np.random.default_rng(1)
    least = np.inf
    for support in map(list, itertools.combinations(range(p), k)):

        def at(z, support=support):
            params = np.zeros(p)
            params[support] = z
            return params

        for _ in range(4):
            start = np.abs(rng.standard_normal(k)) if low == 0 else rng.standard_normal(k)
            done = minimize(
                lambda z: objective(at(z)),
                start,
                jac=lambda z: gradient(at(z))[support],  # noqa: B023
                bounds=[(low, None)] * k,
                method="L-BFGS-B",
                options={"ftol": 1e-14, "gtol": 1e-9},
            )
            least = min(least, float(done.fun))
    return least


@pytest.mark.parametrize("case", STATIONARY_AT_0)
def test_what_has_no_gradient_at_0_is_minimised_all_the_same(case):
    """The best of all supports, from 0 and from any other start; the status says what it is."""
    objective, gradient, p, k = STATIONARY_AT_0[case]
    least = best_by_enumeration(objective, gradient, p, k)
    for start in ({}, {"init_support_set": list(range(k))}, {"init_params": np.linspace(0.5, -0.5, p)}):
        solver = ScopeSolver(p, k)
        params = solver.solve(objective, gradient=gradient, **start)
        assert solver.objective_value == pytest.approx(least, rel=1e-7, abs=1e-9)
        assert objective(params) == pytest.approx(solver.objective_value, rel=1e-12)
        assert solver.status == "converged"


@pytest.mark.parametrize("solver_class", SOLVERS, ids=lambda c: c.__name__)
@pytest.mark.parametrize("case", ["variance", "pairs", "a triple", "fourth powers"])
def test_no_solver_calls_it_converged(solver_class, case):
    """Each leaves 0, and ends at a minimum of the support that it chose, which has no direction of negative curvature."""
    objective, gradient, p, k = STATIONARY_AT_0[case]
    solver = solver_class(p, k)
    params = solver.solve(objective, gradient=gradient)
    assert solver.objective_value < objective(np.zeros(p)) - 1e-4
    support = np.flatnonzero(params)
    assert np.abs(gradient(params)[support]).max() < 1e-4
    steps = 1e-5 * np.eye(p)[support]
    hessian = np.array([(gradient(params + step) - gradient(params - step))[support] / 2e-5 for step in steps])
    assert np.linalg.eigvalsh(0.5 * (hessian + hessian.T))[0] > -1e-4


def test_groups_bounds_and_paths_leave_a_maximum_too():
    """In JAX, where the Hessian is exact."""
    jnp = pytest.importorskip("jax.numpy")
    import jax

    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)

    class NonNegative:
        """Stands for skscope's layer of this name."""

    C = covariance(0)
    objective, gradient = variance(C)

    def in_jax(b):
        return -b @ C @ b + (b @ b) ** 2

    solver = ScopeSolver(7, 2)
    params = solver.solve(in_jax, layers=[NonNegative()])
    assert params.min() >= 0
    assert solver.objective_value == pytest.approx(best_by_enumeration(objective, gradient, 7, 2, low=0), rel=1e-7)

    group = np.array([0, 0, 1, 1, 2, 2, 3])
    solver = ScopeSolver(7, 2, group=group)
    solver.solve(in_jax)
    supports = (np.isin(group, pair) for pair in itertools.combinations(range(4), 2))
    # On a support, the best is the largest eigenvalue, of which the objective is a quarter of the square.
    least = min(-(np.linalg.eigvalsh(C[np.ix_(s, s)])[-1] ** 2) / 4 for s in supports)
    assert solver.objective_value == pytest.approx(least, rel=1e-7)

    solver = ScopeSolver(7, range(4), sample_size=50, ic_method=lambda value, p, s, n: value + 1e-6 * s)
    solver.solve(in_jax)
    assert solver.objective_value == pytest.approx(best_by_enumeration(objective, gradient, 7, 3), rel=1e-7)

    wells = ScopeSolver(6, 2, group=[0, 0, 1, 1, 2, 2])
    wells.solve(lambda b: jnp.sum(DEPTHS * (b**2 - 1) ** 2))
    np.testing.assert_array_equal(wells.support_set, [0, 1, 4, 5] if DEPTHS[4:].sum() > DEPTHS[2:4].sum() else [0, 1, 2, 3])

    many = ScopeSolver(600, 2)  # too many for the whole Hessian
    many.solve(lambda b: -b[0] * b[1] + 2 * b[2] * b[3] + jnp.sum(b**4))
    np.testing.assert_array_equal(many.support_set, [2, 3])
    jax.config.update("jax_enable_x64", before)


@pytest.mark.parametrize("scale", [1e-4, 1e4])
def test_units_of_a_maximum_do_not_matter(scale):
    """Parameters in other units, an objective in others."""
    objective, gradient = variance(covariance(0))
    least = best_by_enumeration(objective, gradient, 7, 2)
    solver = ScopeSolver(7, 2)
    C = covariance(0)
    solver.solve(
        lambda b: 7 * scale * objective(scale * b) - 3,
        gradient=lambda b: 7 * scale**2 * gradient(scale * b),
        hessian=lambda b: 7 * scale**3 * (-2 * C + 8 * scale**2 * np.outer(b, b) + 4 * scale**2 * (b @ b) * np.eye(7)),
    )
    assert solver.objective_value == pytest.approx(7 * scale * least - 3, rel=1e-9)


def test_the_start_that_is_given_is_used():
    """An objective with a deep and narrow minimum that only a start beside it finds."""
    place = np.array([0.0, 3.0, 0.0, -2.0])

    def objective(b):
        return float(b @ b / 10 - 4 * np.exp(-2 * np.sum((b - place) ** 2)) - np.exp(-np.sum((b - [1, 0, 0, 0]) ** 2)))

    def gradient(b):
        other = np.array([1.0, 0, 0, 0])
        return (
            b / 5
            + 16 * (b - place) * np.exp(-2 * np.sum((b - place) ** 2))
            + 2 * (b - other) * np.exp(-np.sum((b - other) ** 2))
        )

    for solver_class in (ScopeSolver, OMPSolver, GraspSolver):
        unaided, aided, both = solver_class(4, 2), solver_class(4, 2), solver_class(4, 2)
        unaided.solve(objective, gradient=gradient)
        beside = place + np.array([0.1, 0.2, -0.1, 0.1])
        aided.solve(objective, gradient=gradient, init_params=beside)
        both.solve(objective, gradient=gradient, init_params=beside, init_support_set=[3, 1])
        assert unaided.objective_value > -2
        for solver in (aided, both):
            np.testing.assert_array_equal(solver.get_support(), [1, 3])
            assert solver.objective_value < -2
            assert solver.status == "converged"


def test_a_saddle_that_cannot_be_left_is_not_called_converged():
    """A gradient that does not belong to its objective: its Hessian promises a descent that is not there."""
    solver = ScopeSolver(2, 2)
    with pytest.warns(ksparse.ConvergenceWarning, match="stalled"):
        solver.solve(
            lambda b: 1.0 + float(b @ b),
            gradient=lambda b: -2 * b,
            hessian=lambda b: -2 * np.eye(2),
            init_support_set=[0, 1],
        )
    assert solver.status == "stalled"


@pytest.mark.parametrize("p", [3, 6])
def test_a_saddle_of_third_order_is_left(p):
    """At 0 neither gradient nor Hessian say that the objective falls: only points nearby do, of three parameters together."""

    def gradient(b):
        slope = b**3
        slope[:3] += np.array([b[1] * b[2], b[0] * b[2], b[0] * b[1]])
        return slope

    solver = ScopeSolver(p, 3)
    solver.solve(lambda b: b[0] * b[1] * b[2] + 0.25 * np.sum(b**4), gradient=gradient)
    assert solver.objective_value == pytest.approx(-0.25, rel=1e-8)
    np.testing.assert_array_equal(solver.get_support(), [0, 1, 2])


@pytest.mark.parametrize("seed", [7, 20])
def test_the_best_pair_is_found_from_a_maximum(seed):
    """The direction in which a maximum falls most steeply, by differences of gradients, need not lead to the best pair."""
    A = np.random.default_rng(seed).standard_normal((30, 7))
    C = A.T @ A / 30
    solver = ScopeSolver(7, 2)
    solver.solve(lambda b: -b @ C @ b + (b @ b) ** 2, gradient=lambda b: -2 * C @ b + 4 * (b @ b) * b)
    best = max(np.linalg.eigvalsh(C[np.ix_(pair, pair)])[-1] for pair in map(list, itertools.combinations(range(7), 2)))
    assert solver.objective_value == pytest.approx(-(best**2) / 4, rel=1e-8)


# ------------------------------------------------------------------------------------------- objectives without a length


def minimal_variance(seed, p=12):
    """Return a covariance and the objective of a portfolio, whose weights are divided by their sum."""
    draw = np.random.default_rng(seed)
    returns = draw.standard_normal((60, 3)) @ draw.standard_normal((3, p)) + draw.standard_normal((60, p))
    covariance = np.cov(returns.T)

    def objective(w):
        w = w / jnp.sum(w)
        return w @ covariance @ w

    return covariance, objective


@pytest.mark.parametrize("seed", range(6))
def test_weights_that_are_divided_by_their_sum(seed):
    """The least variance with a sum of 1 has a formula on each support, 1 / (1 S^-1 1); the length of the parameters stays near 1."""
    covariance, objective = minimal_variance(seed)
    best = min(
        1 / float(np.linalg.inv(covariance[np.ix_(s, s)]).sum()) for s in map(list, itertools.combinations(range(12), 3))
    )
    solver = ScopeSolver(12, 3)
    params = solver.solve(objective, init_params=np.random.default_rng(seed).standard_normal(12))
    assert solver.objective_value == pytest.approx(best, rel=1e-6)
    assert solver.objective_value == pytest.approx(float(objective(params)), rel=1e-5)
    assert 0.5 < np.linalg.norm(params) < 2
    assert solver.n_newton <= 12 * solver.n_refits


def test_mixture_weights_by_absolute_values():
    """Exemplars of clusters, whose weights are absolute values divided by their sum; the best three of twelve points by enumeration."""
    draw = np.random.default_rng(1)
    points = np.concatenate([draw.normal(centre, 0.5, (4, 2)) for centre in ([0, 0], [4, 0], [2, 4])])
    kernel = np.exp(-0.5 * np.linalg.norm(points[:, None] - points, axis=2))

    def objective(w):
        w = jnp.abs(w) / (jnp.sum(jnp.abs(w)) + 1e-7)
        return -jnp.mean(jnp.log(kernel @ w + 1e-7))

    def of_support(support):  # the steps of expectation and maximisation, which converge to the one minimum
        w = np.full(len(support), 1 / len(support))
        for _ in range(400):
            parts = kernel[:, support] * w
            w = (parts / parts.sum(axis=1, keepdims=True)).mean(axis=0)
        return -float(np.mean(np.log(kernel[:, support] @ w + 1e-7)))

    best = min(of_support(list(s)) for s in itertools.combinations(range(12), 3))
    for init in (None, draw.standard_normal(12)):
        solver = ScopeSolver(12, 3)
        solver.solve(objective, init_params=init)
        assert solver.objective_value == pytest.approx(best, rel=1e-5)


def test_an_absolute_value_at_zero_is_seen():
    """JAX takes its derivative there to be 0, so that nothing would enter: least squares with parameters >= 0, by bounds."""
    X, y = least_squares(4, p=8)
    solver, expected = ScopeSolver(8, 3), ScopeSolver(8, 3)
    solver.solve(lambda b: jnp.mean((y - X @ jnp.abs(b)) ** 2))
    expected.solve(lambda b: jnp.mean((y - X @ b) ** 2), layers=[scope.layer.NonNegative(8)])
    assert solver.objective_value <= expected.objective_value * (1 + 1e-6)

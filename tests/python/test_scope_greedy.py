"""skscope's other solvers: exact where the answer is known, never below the best of all, and true to their rules."""

import hypothesis.strategies as st
import ksparse
import numpy as np
import pytest
from hypothesis import given
from ksparse import FobaSolver, ForwardSolver, GraspSolver, HTPSolver, IHTSolver, OMPSolver, ScopeSolver
from reference import least_squares, least_squares_functions

ALL = [OMPSolver, ForwardSolver, FobaSolver, GraspSolver, HTPSolver, IHTSolver]
by_name = pytest.mark.parametrize("solver_class", ALL, ids=lambda c: c.__name__)


def solve(solver_class, functions, p, k, **arguments):
    """Solve with all derivatives."""
    given = {name: arguments.pop(name) for name in ("init_support_set",) if name in arguments}
    solver = solver_class(p, k, **arguments)
    names = ("gradient", "hessian")
    solver.solve(functions["objective"], **{name: functions[name] for name in names}, **given)
    return solver


def orthogonal(seed, p=8, n=20):
    """Return least squares with orthonormal columns, where the k largest of X'y are the exact answer."""
    rng = np.random.default_rng(seed)
    X = np.linalg.qr(rng.standard_normal((n, p)))[0]
    return X, rng.standard_normal(n)


@by_name
@given(seed=st.integers(0, 2**32 - 1), k=st.integers(1, 6))
def test_orthogonal_columns_are_solved_exactly(solver_class, seed, k):
    """Each parameter counts by itself: the k largest correlations win, and their coefficients are these."""
    X, y = orthogonal(seed)
    correlation = X.T @ y
    settings = {"step_size": 0.5} if solver_class in (HTPSolver, IHTSolver) else {}
    solver = solve(solver_class, least_squares_functions(X, y), 8, k, **settings)
    best = np.sort(np.argsort(-np.abs(correlation))[:k])
    np.testing.assert_array_equal(solver.get_support(), best)
    np.testing.assert_allclose(solver.params[best], correlation[best], rtol=1e-7)
    assert solver.status == "converged"


@by_name
@given(seed=st.integers(0, 2**32 - 1), rho=st.sampled_from([0.0, 0.5, 0.9]))
def test_never_better_than_the_search(solver_class, seed, rho):
    """What they find is a refit of some support of k, and ScopeSolver's is no worse, nor is the value another than it is said."""
    X, y = least_squares(seed, rho=rho)
    functions = least_squares_functions(X, y, 1 / len(y))
    solver = solve(solver_class, functions, 9, 3)
    support = solver.support_set
    assert len(support) <= 3
    assert solver.objective_value == pytest.approx(functions["objective"](solver.params), rel=1e-10)
    refitted = np.linalg.lstsq(X[:, support], y, rcond=None)[0]
    np.testing.assert_allclose(solver.params[support], refitted, rtol=1e-6, atol=1e-8)
    assert solve(ScopeSolver, functions, 9, 3, search="thorough").objective_value <= solver.objective_value * (1 + 1e-9)


@given(seed=st.integers(0, 2**32 - 1))
def test_forward_takes_the_best_of_all_entries(seed):
    """Step by step the same as by least squares on each support; and a step of OMP is of the largest gradient."""
    X, y = least_squares(seed, rho=0.9)
    functions = least_squares_functions(X, y)

    def cost(support):
        return float(np.sum((y - X[:, support] @ np.linalg.lstsq(X[:, support], y, rcond=None)[0]) ** 2))

    forward, pursuit = [], []
    for k in range(1, 5):
        forward.append(min(set(range(9)) - set(forward), key=lambda j: cost([*forward, j])))
        rest = y - X[:, pursuit] @ np.linalg.lstsq(X[:, pursuit], y, rcond=None)[0] if pursuit else y
        sizes = np.abs(X.T @ rest)
        sizes[pursuit] = -1
        pursuit.append(int(np.argmax(sizes)))
        np.testing.assert_array_equal(solve(ForwardSolver, functions, 9, k).get_support(), sorted(forward))
        np.testing.assert_array_equal(solve(OMPSolver, functions, 9, k).get_support(), sorted(pursuit))


def test_backward_steps_undo_a_wrong_entry():
    """A column that is nearly the sum of two others enters first, and is dispensable once both are in."""
    rng = np.random.default_rng(0)
    a, b, noise = rng.standard_normal((3, 200))
    others = rng.standard_normal((200, 3))
    X = np.column_stack([a, b, a + b + 0.3 * noise, others])
    y = a + b
    functions = least_squares_functions(X, y, 1 / 200)
    assert 2 in solve(OMPSolver, functions, 6, 3).get_support()
    for use_gradient in (True, False):
        solver = solve(
            FobaSolver,
            functions,
            6,
            3,
            foba_threshold_ratio=0.9,
            threshold=1e-6,
            strict_sparsity=False,
            use_gradient=use_gradient,
        )
        np.testing.assert_array_equal(solver.get_support(), [0, 1])


@pytest.mark.parametrize("use_gradient", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_more_enter_than_may_stay(seed, use_gradient):
    """A column that is nearly the sum of three others enters first, and is found out once all three are in (Zhang 2011)."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((100, 8))
    X[:, 0] = X[:, 1] + X[:, 2] + X[:, 3] + 0.3 * rng.standard_normal(100)
    y = X[:, 1] + X[:, 2] + X[:, 3] + 0.05 * rng.standard_normal(100)
    solver = solve(FobaSolver, least_squares_functions(X, y, 1 / 100), 8, 3, use_gradient=use_gradient)
    np.testing.assert_array_equal(solver.get_support(), [1, 2, 3])


@by_name
def test_groups_and_preselected_groups(solver_class):
    """Groups enter as a whole; the one that must be in is in, and counts."""
    X, y = least_squares(1)
    group = np.array([0, 0, 1, 1, 1, 2, 3, 3, 4])
    solver = solve(solver_class, least_squares_functions(X, y, 1 / 60), 9, 2, group=group, preselect=[4])
    chosen = set(group[solver.support_set].tolist())
    assert 4 in chosen
    assert len(chosen) == 2
    np.testing.assert_array_equal(solver.support_set, np.flatnonzero(np.isin(group, sorted(chosen))))


@by_name
def test_a_start_and_several_sparsities(solver_class):
    """Both are taken as by ScopeSolver; a negative objective as well."""
    X, y = least_squares(1)
    functions = least_squares_functions(X, y, 1 / 60, -1e3)
    solver = solve(
        solver_class,
        functions,
        9,
        [1, 3, 5],
        sample_size=60,
        ic_method=lambda value, p, s, n: n * np.log(value + 1e3) + s * np.log(n),
        init_support_set=[0],
    )
    assert len(solver.support_set) in (1, 3, 5)
    assert solver.information_criterion is not None


def test_a_threshold_ends_early_unless_sparsity_is_strict():
    """Three columns explain all; a fourth brings less than the threshold."""
    X, y = least_squares(1, noise=1e-3)
    functions = least_squares_functions(X, y, 1 / 60)
    free = solve(ForwardSolver, functions, 9, 6, threshold=0.01, strict_sparsity=False)
    assert len(free.support_set) < 6
    assert len(solve(ForwardSolver, functions, 9, 6, threshold=0.01).support_set) == 6


@pytest.mark.parametrize(
    ("solver_class", "arguments", "message"),
    [
        (OMPSolver, {"max_iter": -5}, "max_iter is -5"),
        (OMPSolver, {"threshold": -1.0}, "threshold is -1.0"),
        (FobaSolver, {"foba_threshold_ratio": 2.0}, "foba_threshold_ratio is 2.0"),
        (GraspSolver, {"numeric_solver": print}, "numeric_solver returned NoneType"),
        (HTPSolver, {"step_size": 0.0}, "step_size is 0.0"),
        (IHTSolver, {"max_iter": 0}, "max_iter is 0"),
    ],
)
def test_arguments_are_checked_by_name(solver_class, arguments, message):
    """As those of ScopeSolver."""
    X, y = least_squares(0)
    with pytest.raises(ValueError, match=message):
        solve(solver_class, least_squares_functions(X, y), 9, 3, **arguments)


def test_an_objective_in_jax():
    """Traced and compiled as for ScopeSolver."""
    import jax.numpy as jnp

    X, y = least_squares(0)
    expected = solve(ForwardSolver, least_squares_functions(X, y, 1 / 60), 9, 3)
    solver = ksparse.ForwardSolver(9, 3)
    solver.solve(lambda params: jnp.mean((y - X @ params) ** 2))
    np.testing.assert_array_equal(solver.get_support(), expected.get_support())

"""Settings of skscope, read as skscope reads them."""

import math
import warnings

import numpy as np
import pytest
from ksparse import FobaSolver, ForwardSolver, GraspSolver, HTPSolver, IHTSolver, OMPSolver, ScopeSolver
from reference import least_squares, least_squares_functions
from sklearn.model_selection import KFold

GREEDY = [OMPSolver, ForwardSolver, FobaSolver, GraspSolver, HTPSolver, IHTSolver]
ALL = [ScopeSolver, *GREEDY]
every_solver = pytest.mark.parametrize("solver_class", ALL, ids=lambda c: c.__name__)


def bic(value, p, s, n):
    """Return a criterion."""
    return n * np.log(value) + s * np.log(n)


def solve(solver, functions, **arguments):
    """Solve with all derivatives."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few steps may not be enough for some of them
        solver.solve(functions["objective"], gradient=functions["gradient"], hessian=functions["hessian"], **arguments)
    return solver


@every_solver
@pytest.mark.parametrize("sparsity", [range(4), [2], 3, None])
def test_a_criterion_needs_the_number_of_samples(solver_class, sparsity):
    """With n = 1, log(n) is 0, and most criteria choose the most parameters that they may."""
    functions = least_squares_functions(*least_squares(0), 1 / 60)
    with pytest.raises(ValueError, match="sample_size is 1, but ic_method is given"):
        solve(solver_class(9, sparsity, ic_method=bic), functions)
    assert len(solve(solver_class(9, sparsity, 60, ic_method=bic), functions).get_support()) <= 5


def sparsities(solver, functions):
    """Return the sparsities that a criterion is asked about."""
    seen = []

    def criterion(value, p, s, n):
        seen.append((p, s, n))
        return bic(value, p, s, n)

    solve(solver.set_config(ic_method=criterion), functions)
    return seen


@every_solver
@pytest.mark.parametrize("p", [1, 2, 3, 4, 5, 6, 9, 20])
def test_sparsities_by_default(solver_class, p):
    """skscope's: from the number of preselected ones on, to p / log(log(p)) / log(p) or to 5, that one included."""
    X, y = least_squares(0, p=max(p, 3))
    functions = least_squares_functions(X[:, :p], y, 1 / 60)
    last = p if p <= 5 else int(p / math.log(math.log(p)) / math.log(p))
    assert [s for _, s, _ in sparsities(solver_class(p, None, 60), functions)] == list(range(last + 1))
    if solver_class is ScopeSolver:
        golden = ScopeSolver(p, None, 60, path_type="gs")
        assert [s for _, s, _ in sparsities(golden, functions)] == list(range(last + 1))


def test_sparsities_by_default_are_of_groups_and_of_those_beside_preselected_ones():
    """20 parameters in 4 groups: up to 4 groups; 3 of 4 preselected: 3 or 4."""
    X, y = least_squares(0, p=20)
    functions = least_squares_functions(X, y, 1 / 60)
    group = np.repeat(np.arange(4), 5)
    assert [s for _, s, _ in sparsities(OMPSolver(20, None, 60, group=group), functions)] == [0, 1, 2, 3, 4]
    assert [s for _, s, _ in sparsities(OMPSolver(20, None, 60, group=group, preselect=[0, 1, 2]), functions)] == [3, 4]
    for path_type in ("seq", "gs"):
        solver = ScopeSolver(20, None, 60, group=group, preselect=[0, 1, 2], path_type=path_type)
        assert [s for _, s, _ in sparsities(solver, functions)] == [15, 20]
    assert [
        s for _, s, _ in sparsities(ScopeSolver(9, None, 60, preselect=range(8)), least_squares_functions(*least_squares(0)))
    ] == [8]


def test_a_criterion_is_told_what_skscope_tells_it():
    """ScopeSolver: the number of groups and of parameters chosen; the others: of parameters, and the sparsity."""
    functions = least_squares_functions(*least_squares(0, p=8), 1 / 60)
    group = np.repeat(np.arange(4), 2)
    assert sparsities(ScopeSolver(8, [1, 2, 3], 60, group=group), functions) == [(4, 2, 60), (4, 4, 60), (4, 6, 60)]
    assert sparsities(OMPSolver(8, [1, 2, 3], 60, group=group), functions) == [(8, 1, 60), (8, 2, 60), (8, 3, 60)]


def test_a_hessian_that_is_set_is_used():
    """As an attribute, which is how skscope takes one; one that is given to solve comes first."""
    functions = least_squares_functions(*least_squares(0))
    calls = []

    def hessian(params):
        calls.append(params)
        return functions["hessian"](params)

    solver = ScopeSolver(9, 3)
    solver.hessian = hessian
    solver.use_hessian = True
    solver.solve(functions["objective"], gradient=functions["gradient"])
    assert calls
    del calls[:]
    solver.solve(functions["objective"], gradient=functions["gradient"], hessian=functions["hessian"])
    assert not calls
    solver.hessian = "exact"
    with pytest.raises(TypeError, match="the attribute hessian is 'exact'"):
        solver.solve(functions["objective"], gradient=functions["gradient"])


@pytest.mark.parametrize("solver_class", GREEDY, ids=lambda c: c.__name__)
def test_arguments_by_place(solver_class):
    """The other solvers of skscope take the gradient in the fourth place, ScopeSolver in the sixth."""
    functions = least_squares_functions(*least_squares(0), 1 / 60)
    expected = solve(solver_class(9, 3), functions, init_support_set=[0]).get_support()
    solver = solver_class(9, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        solver.solve(functions["objective"], None, [], functions["gradient"], [0], np.zeros(9))
    np.testing.assert_array_equal(solver.get_support(), expected)
    scope = ScopeSolver(9, 3)
    scope.solve(functions["objective"], None, [], [0], np.zeros(9), functions["gradient"])
    assert len(scope.get_support()) == 3


def test_folds_are_those_of_scikit_learn():
    """KFold with shuffle, as in skscope, so that the same random_state leaves out the same samples."""
    X, y = least_squares(2, n=50)
    seen = []

    def split(data, index):
        seen.append(index.tolist())
        return data[0][index], data[1][index]

    ScopeSolver(9, [1, 3], 50, cv=5, split_method=split, random_state=7).solve(
        lambda x, data: float(np.mean((data[1] - data[0] @ x) ** 2)),
        (X, y),
        gradient=lambda x, data: -2 * data[0].T @ (data[1] - data[0] @ x) / len(data[1]),
    )
    expected = [part.tolist() for pair in KFold(5, shuffle=True, random_state=7).split(X) for part in pair]
    assert sorted(map(sorted, seen)) == sorted(map(sorted, expected))

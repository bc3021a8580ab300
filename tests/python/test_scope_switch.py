"""Programs written for skscope, of which only the import is changed."""

import itertools
import pickle
import warnings

import numpy as np
import pytest
from ksparse import scope
from reference import least_squares, least_squares_functions
from scipy.optimize import minimize
from sklearn.base import clone

jax = pytest.importorskip("jax")
jnp = jax.numpy

SOLVERS = [
    scope.BaseSolver,
    scope.FobaSolver,
    scope.ForwardSolver,
    scope.GraspSolver,
    scope.HTPSolver,
    scope.IHTSolver,
    scope.OMPSolver,
    scope.PDASSolver,
    scope.ScopeSolver,
]
every_solver = pytest.mark.parametrize("solver_class", SOLVERS, ids=lambda c: c.__name__)


def squares(X, y):
    """Return a sum of squares in JAX."""
    return lambda params: jnp.sum((y - X @ params) ** 2)


# --------------------------------------------------------------------------------------------------------------------- names


@pytest.fixture(scope="module")
def skscope():
    """Return the package itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("skscope")


def test_modules_have_skscope_s_names(skscope):
    """An import by any of its ways finds what it names, but for the estimators of skmodel."""
    from ksparse.scope import base_solver, layer, numeric_solver, solver, utilities

    assert {name for name in skscope.__all__ if not hasattr(scope, name)} <= {
        "NonlinearSelection",
        "PortfolioSelection",
        "RobustRegression",
    }
    for ours, theirs in ((layer, "layer"), (numeric_solver, "numeric_solver"), (utilities, "utilities")):
        module = __import__(f"skscope.{theirs}", fromlist=["x"])
        public = [name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__]
        assert [name for name in public if not hasattr(ours, name)] == []
    assert solver.ScopeSolver is scope.ScopeSolver
    assert base_solver.BaseSolver is scope.BaseSolver


@pytest.mark.parametrize("name", ["AIC", "BIC", "GIC", "SIC", "EBIC", "LinearSIC", "LinearGIC"])
def test_criteria_are_skscope_s(skscope, name):
    """To the last digit or so."""
    from skscope import utilities

    draw = np.random.default_rng(0)
    for _ in range(20):
        arguments = draw.uniform(1, 100), int(draw.integers(2, 50)), int(draw.integers(0, 9)), int(draw.integers(3, 500))
        assert getattr(scope.utilities, name)(*arguments) == pytest.approx(getattr(utilities, name)(*arguments), rel=1e-14)


def test_survival_times_are_checked():
    """Events are of bool, times are numbers, and there is an event."""
    check = scope.utilities.check_y_survival
    y = np.array([(True, 1.0), (False, 2.0)], dtype=[("event", bool), ("time", float)])
    for event, time in (check(y), check(y["event"], y["time"]), scope.utilities.check_array_survival(np.ones((2, 3)), y)):
        np.testing.assert_array_equal(event, [True, False])
        np.testing.assert_array_equal(time, [1.0, 2.0])
    assert check(y["event"], None)[1] is None
    for wrong in (([1, 0], [1.0, 2.0]), ([False, False], [1.0, 2.0]), ([True, False], ["a", "b"]), (np.ones(3),)):
        with pytest.raises(ValueError, match=r"events|censored|times|structured|Convert"):
            check(*wrong)
    with pytest.raises(ValueError, match="inconsistent"):
        scope.utilities.check_array_survival(np.ones((3, 3)), y)


@every_solver
def test_parameters_are_as_in_scikit_learn(solver_class):
    """clone, get_params and set_params, and the same by skscope's names; what was set is not changed by a solve."""
    solver = solver_class(9, [2.0], sample_size=60, preselect=np.array([1]))
    before = solver.get_params()
    X, y = least_squares(0)
    solver.solve(squares(X, y))
    assert solver.get_params() == before == solver.get_config()
    assert clone(solver).get_params()["sparsity"] == [2.0]
    assert pickle.loads(pickle.dumps(solver)).get_support().tolist() == solver.get_support().tolist()
    assert solver.set_params(sparsity=3).set_config(cv=1).sparsity == 3


# ------------------------------------------------------------------------------------------------------------------ arguments


@every_solver
@pytest.mark.parametrize(
    "sparsity", [3.0, np.array(3), np.array([3.0]), np.float32(3), [3], (np.int8(3),), {3}], ids=lambda value: repr(value)
)
def test_whole_numbers_of_any_type(solver_class, sparsity):
    """Sparsity, groups and preselected parameters as arrays, lists, and floats that are whole."""
    X, y = least_squares(0)
    functions = least_squares_functions(X, y, 1 / 60)
    solver = solver_class(9, sparsity, group=np.arange(9.0), preselect=np.array([4.0]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        solver.solve(functions["objective"], gradient=functions["gradient"], init_support_set=np.array([1.0, 4.0]))
    assert len(solver.get_support()) <= 3
    assert 4 in solver.get_support()


@pytest.mark.parametrize(
    ("name", "value"), [("sparsity", 2.5), ("sparsity", [1.0, 2.2]), ("group", np.arange(9) / 2), ("preselect", [0.5])]
)
def test_numbers_that_are_not_whole_are_refused(name, value):
    """They are not cut off, as skscope does."""
    functions = least_squares_functions(*least_squares(0))
    with pytest.raises(TypeError, match=f"{name}.*must be (an integer|integers)"):
        scope.ScopeSolver(**{"dimensionality": 9, "sparsity": 3, name: value}).solve(
            functions["objective"], gradient=functions["gradient"]
        )


OF_ONE_OR_TWO = {
    "one, no data": (lambda X, y: lambda b: jnp.sum((y - X @ b) ** 2), False),
    "one, data": (lambda X, y: lambda b: jnp.sum((y - X @ b) ** 2), True),
    "two, no data": (lambda X, y: lambda b, data: jnp.sum((y - X @ b) ** 2), False),
    "two, data": (lambda X, y: lambda b, data: jnp.sum((data[1] - data[0] @ b) ** 2), True),
    "defaults, no data": (lambda X, y: lambda b, X=X, y=y: jnp.sum((y - X @ b) ** 2), False),
    "default, data": (lambda X, y: lambda b, data=None: jnp.sum((data[1] - data[0] @ b) ** 2), True),
    "compiled": (lambda X, y: jax.jit(lambda b: jnp.sum((y - X @ b) ** 2)), True),
    "any number": (lambda X, y: lambda *all: jnp.sum((all[1][1] - all[1][0] @ all[0]) ** 2), True),
}


@pytest.mark.parametrize("case", OF_ONE_OR_TWO)
@pytest.mark.parametrize("with_gradient", [False, True])
def test_objectives_of_one_or_two_arguments(case, with_gradient):
    """With data and without, the objective, its gradient and its Hessian each as they are."""
    X, y = least_squares(0)
    make, has_data = OF_ONE_OR_TWO[case]
    objective = make(X, y)
    arguments = {"gradient": lambda b: -2 * X.T @ (y - X @ b), "hessian": lambda b, data: 2 * X.T @ X} if with_gradient else {}
    solver = scope.ScopeSolver(9, 3)
    solver.solve(objective, (X, y) if has_data else None, **arguments)
    expected = scope.ScopeSolver(9, 3)
    expected.solve(squares(X, y))
    np.testing.assert_allclose(solver.params, expected.params, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
@pytest.mark.parametrize("with_gradient", [False, True])
def test_an_array_of_one_element_is_a_number(shape, with_gradient):
    """Of JAX or of NumPy."""
    X, y = least_squares(0)
    arguments = {"gradient": lambda b: -2 * X.T @ (y - X @ b)} if with_gradient else {}
    solver = scope.ScopeSolver(9, 3)
    solver.solve(lambda b: jnp.sum((y - X @ b) ** 2).reshape(shape), **arguments)
    expected = scope.ScopeSolver(9, 3)
    expected.solve(squares(X, y))
    np.testing.assert_allclose(solver.objective_value, expected.objective_value, rtol=1e-6)


# ----------------------------------------------------------------------------------------------------------- ordinary Python


def huber_by_branches(X, y):
    """Return a robust loss of each row by an `if` of Python; float() is that of a number of the data."""

    def objective(b):
        scale = float(np.std(y))
        total = 0.0
        for i in range(len(y)):
            r = (y[i] - jnp.dot(X[i], b)) / scale
            total = total + (r**2 / 2 if abs(r) <= 1 else abs(r) - 0.5)
        return total

    return objective


def one_branch(X, y):
    """Return a sum of squares that is made larger, at once, above a limit."""

    def objective(b):
        loss = jnp.mean((y - X @ b) ** 2)
        return 2 * loss - 3.0 if loss > 3.0 else loss

    return objective


@pytest.mark.parametrize("solver_class", [scope.ScopeSolver, scope.OMPSolver, scope.HTPSolver])
def test_an_objective_with_branches(solver_class):
    """``if loss > c`` decides at each point anew, and the answer is that of the same objective by jnp.where."""
    X, y = least_squares(3)

    def traceable(b):
        loss = jnp.mean((y - X @ b) ** 2)
        return jnp.where(loss > 3.0, 2 * loss - 3.0, loss)

    solvers = solver_class(9, 3), solver_class(9, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # in float32, as skscope
        solvers[0].solve(one_branch(X, y))
        solvers[1].solve(traceable)
    np.testing.assert_array_equal(solvers[0].get_support(), solvers[1].get_support())
    np.testing.assert_allclose(solvers[0].params, solvers[1].params, rtol=1e-3, atol=1e-4)


def test_an_objective_with_a_branch_for_each_row():
    """The Huber loss, by the value of each residual."""
    X, y = least_squares(3, n=15, p=6)
    scale = np.std(y)

    def traceable(b):
        r = (y - X @ b) / scale
        return jnp.sum(jnp.where(jnp.abs(r) <= 1, r**2 / 2, jnp.abs(r) - 0.5))

    solvers = scope.ScopeSolver(6, 2), scope.ScopeSolver(6, 2)
    solvers[0].solve(huber_by_branches(X, y))
    solvers[1].solve(traceable)
    np.testing.assert_array_equal(solvers[0].get_support(), solvers[1].get_support())
    assert solvers[0].objective_value == pytest.approx(solvers[1].objective_value, rel=1e-5)


# --------------------------------------------------------------------------------------------------------------------- layers


def best_with(X, y, k, kind):
    """Return the least sum of squares over all supports, with sum 1, or in the simplex, or with an offset of -1."""
    values = []
    for support in map(list, itertools.combinations(range(X.shape[1]), k)):
        A = X[:, support]
        if kind == "LinearConstraint":
            system = np.block([[2 * A.T @ A, np.ones((k, 1))], [np.ones((1, k)), np.zeros((1, 1))]])
            w, target = np.linalg.solve(system, np.r_[2 * A.T @ y, 1.0])[:k], y
        elif kind == "SimplexConstraint":
            found = minimize(
                lambda w, A=A: np.sum((y - A @ w) ** 2),
                np.full(k, 1 / k),
                bounds=[(0, None)] * k,
                constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
                method="SLSQP",
                options={"ftol": 1e-12},
            )
            w, target = found.x, y
        else:
            target = y + X.sum(axis=1)
            w = np.linalg.lstsq(A, target, rcond=None)[0]
        values.append(float(np.sum((target - A @ w) ** 2)))
    return min(values)


@pytest.mark.parametrize("solver_class", [scope.ScopeSolver, scope.BaseSolver])
@pytest.mark.parametrize("kind", ["LinearConstraint", "SimplexConstraint", "OffsetSparse"])
def test_layers_end_at_the_constrained_minimum(solver_class, kind):
    """That of enumeration with constrained least squares."""
    draw = np.random.default_rng(5)
    X = draw.standard_normal((40, 7))
    y = X[:, :3] @ [0.5, 0.3, 0.4] + 0.3 * draw.standard_normal(40)
    layer = getattr(scope.layer, kind)(7, *([-1.0] if kind == "OffsetSparse" else []))
    solver = solver_class(7, 3)
    params = solver.solve(squares(X, y), layers=[scope.layer.Identity(7), layer])
    assert solver.objective_value == pytest.approx(best_with(X, y, 3, kind), rel=1e-5)
    assert solver.objective_value == pytest.approx(float(np.sum((y - X @ params) ** 2)), rel=1e-6)
    if kind == "OffsetSparse":
        assert (params == -1.0).sum() == 4
    else:
        assert params.sum() == pytest.approx(1.0, abs=1e-9)
        assert len(solver.get_support()) <= 3
        assert kind == "LinearConstraint" or params.min() >= 0


def test_bounds_after_another_layer_are_cut_off():
    """A box after an offset holds what comes out, not what goes in."""
    X, y = least_squares(0)
    layers = [scope.layer.OffsetSparse(9, 0.5), scope.layer.BoxConstraint(9, -0.2, 0.7)]
    params = scope.ScopeSolver(9, 3).solve(squares(X, y), layers=layers)
    assert params.min() >= -0.2
    assert params.max() <= 0.7


class Doubled(scope.layer.Identity):
    """A layer of a user: half as many parameters go in as come out, each twice."""

    def __init__(self, dimensionality):
        super().__init__(dimensionality)
        self.in_features = dimensionality // 2

    def transform_params(self, params):
        """Return each parameter twice."""
        return jnp.concatenate([params, params])

    def transform_group(self, group):
        """Return the groups of the first half."""
        return group[: self.in_features]


def test_a_layer_of_a_user():
    """It may change the number of parameters."""
    X, y = least_squares(0, p=6)
    params = scope.ScopeSolver(12, 2).solve(squares(np.hstack([X, X]), y), layers=[Doubled(12)])
    expected = scope.ScopeSolver(6, 2).solve(squares(2 * X, y))
    np.testing.assert_allclose(params, np.concatenate([expected, expected]), rtol=1e-5)


def test_layers_that_do_not_fit_are_refused():
    """One after another, and before the objective."""
    X, y = least_squares(0)
    with pytest.raises(ValueError, match=r"layers\[0\] returns 8 parameters, but 9 are expected"):
        scope.ScopeSolver(9, 3).solve(squares(X, y), layers=[scope.layer.Identity(8)])
    functions = least_squares_functions(X, y)
    with pytest.raises(ValueError, match="leave out gradient"):
        scope.ScopeSolver(9, 3).solve(
            functions["objective"], gradient=functions["gradient"], layers=[scope.layer.LinearConstraint(9)]
        )
    with pytest.raises(ValueError, match=r"lower is .* for parameter 0"):
        scope.layer.BoxConstraint(9, 0.5, 1.0)


# -------------------------------------------------------------------------------------------------------------------- solvers


def test_a_numeric_solver_of_the_user_makes_the_refits():
    """With the objective, value and gradient, parameters, columns and data; its parameters are the answer, others than its columns 0."""
    X, y = least_squares(0, p=6)
    calls = []

    def shrunk(objective, value_and_grad, params, columns, data):
        calls.append(columns)
        _, params = scope.convex_solver_LBFGS(objective, value_and_grad, params, columns, data)
        params[columns] = np.clip(params[columns], -0.5, 0.5)
        return objective(params, data), params

    for solver_class in (scope.ScopeSolver, scope.GraspSolver, scope.BaseSolver):
        del calls[:]
        solver = solver_class(6, 2, numeric_solver=shrunk)
        params = solver.solve(
            lambda b, data: np.sum((data[1] - data[0] @ b) ** 2),
            (X, y),
            gradient=lambda b, data: -2 * data[0].T @ (data[1] - data[0] @ b),
        )
        assert calls
        assert np.abs(params).max() <= 0.5
        assert solver.objective_value == pytest.approx(float(np.sum((y - X @ params) ** 2)))


def test_skscope_s_own_numeric_solver_stands_for_ours(skscope):
    """Its default is recognised by its name."""
    X, y = least_squares(0)
    params = scope.ScopeSolver(9, 3, numeric_solver=skscope.convex_solver_LBFGS).solve(squares(X, y))
    np.testing.assert_array_equal(params, scope.ScopeSolver(9, 3).solve(squares(X, y)))
    by_scipy = scope.ScopeSolver(9, 3, numeric_solver=scope.numeric_solver.convex_solver_BFGS).solve(squares(X, y))
    np.testing.assert_allclose(by_scipy, params, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_the_base_solver_tries_all_supports(seed):
    """So that its objective is the least of all; too many are refused."""
    X, y = least_squares(seed, p=7)
    solver = scope.BaseSolver(7, 3)
    solver.solve(squares(X, y))
    values = [
        float(np.sum((y - X[:, s] @ np.linalg.lstsq(X[:, s], y, rcond=None)[0]) ** 2))
        for s in map(list, itertools.combinations(range(7), 3))
    ]
    assert solver.objective_value == pytest.approx(min(values))
    with pytest.raises(ValueError, match="There are 35 supports of 3 groups, and max_iter is 34"):
        scope.BaseSolver(7, 3, max_iter=34).solve(squares(X, y))


def test_the_primal_dual_active_set_is_its_own_proposal():
    """Where it ends, the sacrifices by the formula name the support again."""
    X, y = least_squares(1, noise=0.1)
    solver = scope.PDASSolver(9, 3)
    params = solver.solve(squares(X, y))
    curvature, gradient = 2 * np.sum(X**2, axis=0), -2 * X.T @ (y - X @ params)
    sacrifice = curvature * np.where(params != 0, params, -gradient / curvature) ** 2
    np.testing.assert_array_equal(np.sort(np.argsort(-sacrifice)[:3]), solver.get_support())
    pairs = scope.PDASSolver(8, 2, group=np.repeat(np.arange(4), 2), preselect=[1])
    pairs.solve(squares(X[:, :8], y))
    assert {2, 3} <= set(pairs.get_support().tolist())
    assert len(pairs.get_support()) == 4

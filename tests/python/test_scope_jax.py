"""ScopeSolver with objectives in JAX: the tutorial's own, in both precisions, and what tracing makes of others."""

import _thread
import functools
import gc
import signal
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import jax
import jax.numpy as jnp
import ksparse
import numpy as np
import pytest
from ksparse import ScopeSolver
from ksparse._scope import _jax, _program, _sources
from reference import least_squares, least_squares_functions
from sklearn.model_selection import train_test_split


@pytest.fixture
def cancer():
    """Return the example data, anew for each test: JAX keeps one conversion of an array for both precisions."""
    data = ksparse.datasets.load_imbalanced_cancer()
    return data.X_train, data.y_train


@pytest.fixture(autouse=True)
def precision(request):
    """float64, unless the test says float32; nothing here may change it."""
    double = getattr(request, "param", True)
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", double)
    yield double
    assert jax.config.jax_enable_x64 == double, "the user's configuration was changed"
    jax.config.update("jax_enable_x64", before)


both_precisions = pytest.mark.parametrize("precision", [False, True], ids=["float32", "float64"], indirect=True)


def tutorial(X, y, loss, alpha=0.5, gamma=2):
    """Return an objective as the tutorial has it: a probability without any care for range, a piecewise mean of logarithms."""

    def cross_entropy(params):
        p = 1 / (1 + jnp.exp(-X @ params))
        return jnp.mean(jnp.piecewise(p, [y == 1, y == 0], [lambda p: -jnp.log(p), lambda p: -jnp.log(1 - p)]))

    def focal(params):
        p = 1 / (1 + jnp.exp(-X @ params))
        return jnp.mean(
            jnp.piecewise(
                p,
                [y == 1, y == 0],
                [
                    lambda p: -alpha * (1 - p) ** gamma * jnp.log(p),
                    lambda p: -(1 - alpha) * p**gamma * jnp.log(1 - p),
                ],
            )
        )

    return {"cross_entropy": cross_entropy, "focal": focal}[loss]


@both_precisions
@pytest.mark.parametrize(("loss", "mark"), [("cross_entropy", 0.108536), ("focal", 0.014714)])
@pytest.mark.parametrize("device", [False, True], ids=["numpy", "jax.numpy"])
@pytest.mark.parametrize("linear", [True, False], ids=["linear", "general"])
def test_the_tutorial_runs_as_it_is(cancer, precision, loss, mark, device, linear, monkeypatch):
    """All defaults, data of either kind, either road: the optimum of the built-in loss, no NaN, no warning."""
    X, y = (jnp.asarray(part) for part in cancer) if device else cancer
    if not linear:
        monkeypatch.setattr(_jax, "LinearForm", None)
        monkeypatch.setattr(
            _sources, "derivatives_of", lambda traced, directions, start, linear: _jax.JaxDerivatives(traced, directions)
        )
    solver = ScopeSolver(100, sparsity=8)
    params = solver.solve(tutorial(X, y, loss))
    assert solver.objective_value <= (mark if precision else 1.01 * mark)
    assert np.isfinite(params).all()
    assert solver.status == "converged"
    assert len(solver.get_support()) == 8
    assert params.dtype == np.float64


@both_precisions
@pytest.mark.parametrize("seed", [3, 6, 17])
def test_rows_whose_derivative_is_lost_far_out_do_not_stop_the_descent(precision, seed):
    """On these splits the optimum has linear predictors of -700 and less, where 1 / (1 + exp(-m)) has the derivative inf / inf."""
    data = ksparse.datasets.load_imbalanced_cancer()
    X, y = np.concatenate([data.X_train, data.X_test]), np.concatenate([data.y_train, data.y_test])
    X, _, y, _ = train_test_split(X, y, test_size=0.3, random_state=seed)
    solver = ScopeSolver(100, sparsity=8)
    params = solver.solve(tutorial(X, y, "cross_entropy"))
    assert (X @ params).min() < -700
    expected = ksparse.fit(X, y, 8, fit_intercept=False).objective
    assert solver.objective_value <= expected * (1 + (1e-8 if precision else 1e-4))
    assert solver.status == "converged"


@both_precisions
def test_a_careful_objective_has_the_same_optimum(cancer, precision):
    """Its softplus has a rule of differentiation of its own, without which its curvature at 0 would be 0."""
    X, y = cancer
    sign = 2 * y - 1
    solver = ScopeSolver(100, sparsity=8)
    solver.solve(lambda params: jnp.mean(jax.nn.softplus(-sign * (X @ params))))
    assert solver.objective_value <= (0.108536 if precision else 0.1086)
    assert solver.n_refused == 0


def test_a_naive_objective_that_overflows_on_the_way_is_survived():
    """Rows far out: 1 - p is 0 there, and a whole Newton step makes the objective infinite; the advice says so."""
    rng = np.random.default_rng(0)
    X = rng.standard_cauchy((150, 30))
    y = (rng.random(150) < 1 / (1 + np.exp(-np.clip(X[:, 0] - X[:, 1], -30, 30)))).astype(float)

    def naive(params):
        p = 1 / (1 + jnp.exp(-X @ params))
        return -jnp.mean(y * jnp.log(p) + (1 - y) * jnp.log(1 - p))

    def stable(params):
        return jnp.mean(jax.nn.softplus(-(2 * y - 1) * (X @ params)))

    careless, careful = ScopeSolver(30, 3), ScopeSolver(30, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ksparse.ConvergenceWarning)
        params = careless.solve(naive)
    careful.solve(stable)
    assert np.isfinite(params).all()
    assert np.isfinite(careless.objective_value)
    assert careful.objective_value <= careless.objective_value + 1e-9
    assert careless.n_refused > 0
    assert "softplus" in careless.advice
    assert careful.n_refused == 0


def test_compiled_once_for_other_data_of_the_same_shapes(cancer):
    """Constants are arguments of what is compiled, so that new data, a new function and a new solver need no compilation."""
    X, y = cancer
    _program._COMPILED.clear()  # a full one forgets
    ScopeSolver(100, 3).solve(tutorial(X, y, "focal"))
    sizes = {key: function._cache_size() for key, function in _program._COMPILED.items() if hasattr(function, "_cache_size")}
    rng = np.random.default_rng(0)
    for other in (X, X[::-1].copy(), rng.standard_normal(X.shape)):
        ScopeSolver(100, 3).solve(tutorial(other, y, "focal"))
    assert {
        key: function._cache_size() for key, function in _program._COMPILED.items() if hasattr(function, "_cache_size")
    } == sizes


def test_a_library_function_with_a_rule_of_its_own_is_compiled_once():
    """The rule of softplus is the same function in every trace."""
    X, y = least_squares(0)
    _program._COMPILED.clear()
    ScopeSolver(9, 2).solve(lambda params: jnp.mean(jax.nn.softplus(X @ params) - y * (X @ params) / 50))
    count = len(_program._COMPILED)
    ScopeSolver(9, 2).solve(lambda params: jnp.mean(jax.nn.softplus(X @ params) - y * (X @ params) / 50))
    assert len(_program._COMPILED) == count


def test_other_numbers_are_another_function():
    """A number in the objective is part of its form; data that changed since the last call are seen."""
    X, y = least_squares(0)

    def with_ridge(ridge):
        return lambda params: jnp.mean((y - X @ params) ** 2) + ridge * jnp.sum(params**2)

    values = []
    for ridge in (0.0, 0.1, 0.1 + 1e-12, 10.0):
        solver = ScopeSolver(9, 3)
        solver.solve(with_ridge(ridge))
        values.append(solver.objective_value)
    assert values == sorted(values)
    assert values[3] > values[1]

    objective = with_ridge(0.0)
    first = ScopeSolver(9, 3)
    first.solve(objective)
    y *= 2  # what the function closes over
    second = ScopeSolver(9, 3)
    second.solve(objective)
    assert second.objective_value == pytest.approx(4 * first.objective_value)


def test_the_compiled_are_few():
    """The eldest are forgotten."""
    for i in range(_program._MOST_COMPILED + 5):
        _program.compiled(("filler", i), lambda: (object(), True))
    assert len(_program._COMPILED) == _program._MOST_COMPILED
    for key in [key for key in _program._COMPILED if key[0] == "filler"]:
        del _program._COMPILED[key]
    gc.collect()


@pytest.mark.parametrize("seed", range(3))
def test_the_same_as_with_numpy(seed):
    """Whoever computes the derivatives, the answer is the same."""
    X, y = least_squares(seed)
    functions = least_squares_functions(X, y)
    host, traced = ScopeSolver(9, 3), ScopeSolver(9, 3)
    host.solve(functions["objective"], gradient=functions["gradient"], hessian=functions["hessian"])
    traced.solve(lambda params, data: jnp.sum((data[1] - data[0] @ params) ** 2), (X, y))
    np.testing.assert_array_equal(traced.support_set, host.support_set)
    np.testing.assert_allclose(traced.params, host.params, rtol=1e-9)


def road(objective, p, data=()):
    """Return the class of derivatives that an objective gets."""
    return type(_jax.derivatives_of(_jax.trace(objective, data, p), min(p, 8), np.zeros(p))).__name__


ROADS = {
    "product": (lambda X, y: lambda b: jnp.mean((y - X @ b) ** 2), "LinearDerivatives"),
    "transposed": (lambda X, y: lambda b: jnp.mean((y - b @ X.T) ** 2), "LinearDerivatives"),
    "dot": (lambda X, y: lambda b: jnp.mean((y - jnp.dot(jnp.asarray(X), b)) ** 2), "LinearDerivatives"),
    "negative": (lambda X, y: lambda b: jnp.mean((y + -jnp.asarray(X) @ b) ** 2), "LinearDerivatives"),
    "transposed inside": (lambda X, y: lambda b: jnp.mean((y + -(b @ -jnp.asarray(X).T)) ** 2), "LinearDerivatives"),
    "whole numbers": (lambda X, y: lambda b: jnp.mean((y - np.round(3 * X).astype(int) @ b) ** 2), "LinearDerivatives"),
    "jit": (lambda X, y: jax.jit(lambda b: jnp.mean((y - X @ b) ** 2)), "LinearDerivatives"),
    "jit inside": (lambda X, y: lambda b: jax.jit(lambda A, y, b: jnp.mean((y - A @ b) ** 2))(X, y, b), "LinearDerivatives"),
    "jit that closes over": (lambda X, y: lambda b: jax.jit(lambda b: jnp.mean((y - X @ b) ** 2))(b), "JaxDerivatives"),
    "penalty": (lambda X, y: lambda b: jnp.mean((y - X @ b) ** 2) + jnp.sum(b**2), "LinearDerivatives"),
    "two": (lambda X, y: lambda b: jnp.mean((y - X @ b) ** 2) + jnp.mean(jnp.cosh((X + 1) @ b)), "LinearDerivatives"),
    "coupled rows": (lambda X, y: lambda b: jax.nn.logsumexp(X @ b) - (X @ b)[0], "JaxDerivatives"),
    "coupled products": (lambda X, y: lambda b: jnp.mean((y - X @ b) ** 2 * ((X + 1) @ b)), "JaxDerivatives"),
    "quadratic": (lambda X, y: lambda b: b @ (X.T @ X) @ b - y @ X @ b, "JaxDerivatives"),
    "square of a norm": (lambda X, y: lambda b: jnp.mean((y - X @ b) ** 2) + jnp.sum(b) ** 2, "JaxDerivatives"),
    "not linear": (lambda X, y: lambda b: jnp.mean((y - X @ jnp.tanh(b)) ** 2), "JaxDerivatives"),
    "loop": (
        lambda X, y: lambda b: jax.lax.fori_loop(0, 3, lambda i, s: s + jnp.mean((y - X @ b) ** 2), 0.0),
        "JaxDerivatives",
    ),
}


@pytest.mark.parametrize("case", ROADS)
def test_either_road_has_the_derivatives_of_the_objective(case):
    """Value, gradient, Hessian on active columns, cross curvature and diagonal are those of JAX's own differentiation."""
    X, y = least_squares(1, n=30)
    make, expected = ROADS[case]
    objective = make(X, y)
    assert road(objective, 9) == expected
    columns = np.array([7, 2, 4])
    params = np.zeros(9)
    params[columns] = [0.3, -0.2, 0.1]
    point = _jax.derivatives_of(_jax.trace(objective, (), 9), 4, np.zeros(9)).at(params, columns)
    gradient, hessian = np.asarray(jax.grad(objective)(params)), np.asarray(jax.hessian(objective)(params))
    assert point.value == pytest.approx(float(objective(params)), rel=1e-12)
    every = np.arange(9)
    np.testing.assert_allclose(point.gradient(), gradient, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(point.active()[0], gradient[columns], rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(point.active()[1], hessian[np.ix_(columns, columns)], rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(point.cross(), hessian[:, columns], rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(point.diagonal(every), np.diag(hessian), rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(point.diagonal(every[3:5]), np.diag(hessian)[3:5], rtol=1e-9, atol=1e-11)
    first, second = point.within(every[2:7], np.array([0, 2, 5]))
    np.testing.assert_allclose(first, hessian[2:4, 2:4], rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(second, hessian[4:7, 4:7], rtol=1e-9, atol=1e-11)


def test_coupling_that_shows_late_changes_the_road():
    """Rows that are coupled only far from the start: the check at a later scan finds out, and the search begins anew."""
    X, y = least_squares(2)

    def objective(b):
        eta = X @ b
        return jnp.mean((y - eta) ** 2) + jnp.maximum(jnp.sum(eta[:20]) - 1.0, 0.0) ** 2

    assert road(objective, 9) == "LinearDerivatives"
    solver = ScopeSolver(9, 3)
    solver.solve(objective)
    gradient = np.asarray(jax.grad(objective)(solver.params))
    assert np.abs(gradient[solver.support_set]).max() < 1e-6


def test_an_objective_that_insists_on_float32_is_solved_to_its_digits():
    """Its rounding is a ten-millionth of it, and no reason to go on or to warn."""
    X, y = least_squares(0)

    def objective(params):
        return jnp.mean((jnp.float32(y) - jnp.float32(X) @ params.astype(jnp.float32)) ** 2)

    exact, rough = ScopeSolver(9, 3), ScopeSolver(9, 3)
    exact.solve(lambda params: jnp.mean((y - X @ params) ** 2))
    rough.solve(objective)
    np.testing.assert_array_equal(rough.support_set, exact.support_set)
    np.testing.assert_allclose(rough.params, exact.params, atol=1e-3)


@pytest.mark.parametrize("precision", [False], ids=["float32"], indirect=True)
def test_a_loop_in_float32():
    """Its carry is of the user's precision, and so are the parameters; a loop has no linear predictors."""
    X, y = least_squares(0)

    def objective(params, data):
        def step(total, row):
            return total + (row[1] - row[0] @ params) ** 2, None

        return jax.lax.scan(step, 0.0, data)[0] / 60

    solver, exact = ScopeSolver(9, 3), ScopeSolver(9, 3)
    solver.solve(objective, (X, y))
    exact.solve(lambda params: jnp.mean((y - X @ params) ** 2))
    np.testing.assert_array_equal(solver.support_set, exact.support_set)
    assert solver.objective_value == pytest.approx(exact.objective_value, rel=1e-5)


@jax.custom_jvp
def safe_square(x):
    """Square by a formula that cannot be differentiated at 0, where the rule is needed."""
    return jnp.where(x == 0, 0.0, jnp.exp(2 * jnp.log(jnp.abs(x))))


safe_square.defjvps(lambda tangent, _, x: 2 * x * tangent)


REWRITTEN = {
    "mean": lambda X, y: lambda b: jnp.mean((y - X @ b) ** 2),
    "rule of JAX": lambda X, y: lambda b: jnp.mean(jax.nn.softplus(-X @ b) * jax.nn.relu(y)),
    "piecewise": lambda X, y: tutorial(X, y > 0, "focal"),
    "scan": lambda X, y: lambda b: jax.lax.scan(lambda s, row: (s + (row[1] - row[0] @ b) ** 2, None), 0.0, (X, y))[0],
    "loop": lambda X, y: lambda b: jax.lax.fori_loop(0, 3, lambda i, s: s + jnp.mean((y - X @ b) ** 2) * i, 0.0),
    "cond": lambda X, y: lambda b: jax.lax.cond(jnp.sum(b) > 0, lambda b: jnp.sum(b**2), lambda b: jnp.sum(b**4), b),
    "ranges": lambda X, y: lambda b: jnp.sum(jnp.arange(9.0) * b) ** 2 + jnp.sum(jnp.linspace(0, 1, 9) * b),
    "indices": lambda X, y: lambda b: b[jnp.array([0, 2])].sum() * b.at[1].set(2.0).sum(),
    "linear algebra": lambda X, y: lambda b: jnp.linalg.slogdet(jnp.diag(1 + b**2))[1] + jnp.linalg.norm(b + 1),
    "special": lambda X, y: lambda b: jnp.sum(jax.scipy.special.gammaln(1 + b**2)) + jax.nn.logsumexp(X @ b),
    "a rule of one's own": lambda X, y: lambda b: jnp.mean(safe_square(y - X @ b)),
    "fft": lambda X, y: lambda b: jnp.sum(jnp.abs(jnp.fft.fft(b)) ** 2),
    "vmap and grad": lambda X, y: (
        lambda b: jax.vmap(lambda r: jnp.sum(jax.grad(lambda c: jnp.sum(jnp.tanh(c * r)))(b)) ** 2)(X).sum()
    ),
    "checkpoint": lambda X, y: lambda b: jax.checkpoint(lambda c: jnp.sum(jnp.exp(c)))(b),
    "a cast": lambda X, y: lambda b: jnp.sum(b.astype(jnp.float32) ** 2 * jnp.float32(0.1)),
}


@pytest.mark.parametrize("precision", [False], ids=["float32"], indirect=True)
@pytest.mark.parametrize("case", REWRITTEN)
@pytest.mark.parametrize("params", [np.zeros(9), np.linspace(-0.5, 0.4, 9)], ids=["at 0", "elsewhere"])
def test_what_was_traced_in_float32_is_the_same_function_in_float64(case, params):
    """Written anew, it has the value and the derivatives of the same objective traced in float64, to the digits of float64."""
    X, y = (part.astype(np.float32) for part in least_squares(1, n=12))  # nothing to be rounded
    traced = _jax.trace(REWRITTEN[case](X, y), (), 9)
    assert traced.rewritten
    with _jax.double_precision(True):
        point = _jax.derivatives_of(traced, 9, params).at(params, np.arange(9))
    wide = REWRITTEN[case](*(jnp.asarray(part) for part in (X, y)))
    jax.config.update("jax_enable_x64", True)
    reference, gradient = jax.value_and_grad(wide)(jnp.asarray(params))
    hessian = jax.hessian(wide)(jnp.asarray(params))
    jax.config.update("jax_enable_x64", False)
    digits = 1e-6 if case == "a cast" else 1e-11
    assert point.value == pytest.approx(float(reference), rel=digits, abs=1e-14)
    np.testing.assert_allclose(point.gradient(), gradient, rtol=digits, atol=digits)
    np.testing.assert_allclose(point.active()[1], hessian, rtol=digits, atol=100 * digits)


@pytest.mark.parametrize("precision", [False], ids=["float32"], indirect=True)
def test_what_has_no_form_in_float64_stays_in_float32():
    """Random numbers would be others; such an objective is solved to the digits of float32."""
    X, y = least_squares(0)
    key = jax.random.key(0)

    def objective(params):
        weights = 1 + 0.1 * jax.random.normal(key, (60,))
        return jnp.mean(weights * (y - X @ params) ** 2)

    assert not _jax.trace(objective, (), 9).rewritten
    solver, exact = ScopeSolver(9, 3), ScopeSolver(9, 3)
    solver.solve(objective)
    weights = 1 + 0.1 * np.asarray(jax.random.normal(key, (60,)), dtype=np.float64)
    exact.solve(lambda params: jnp.mean(weights * (y - X @ params) ** 2))
    np.testing.assert_array_equal(solver.support_set, exact.support_set)
    np.testing.assert_allclose(solver.params, exact.params, atol=1e-4)


@pytest.mark.parametrize("precision", [False], ids=["float32"], indirect=True)
def test_the_users_own_functions_work_as_before():
    """A solver between two calls of the same function by the user leaves no trace in JAX."""
    X, y = least_squares(0)

    def objective(params):
        return jnp.mean((y - X @ params) ** 2)

    ScopeSolver(9, 3).solve(objective)
    value = jax.jit(objective)(jnp.zeros(9))
    assert value.dtype == jnp.float32
    ScopeSolver(9, 3).solve(jax.jit(objective))
    assert float(jax.jit(jax.grad(objective))(jnp.zeros(9))[0]) == pytest.approx(float(-2 * X[:, 0] @ y / 60), rel=1e-5)


def test_data_whose_values_are_needed_are_closed_over():
    """A number of data that says how much to do cannot be an argument of what is compiled."""
    X, y = least_squares(0)

    def objective(params, data):
        return sum(jnp.mean((data["y"] - data["X"] @ params) ** 2) for _ in range(data["times"])) / data["times"]

    one, three = ScopeSolver(9, 3), ScopeSolver(9, 3)
    one.solve(objective, {"X": X, "y": y, "times": 1})
    three.solve(objective, {"X": X, "y": y, "times": 3})
    np.testing.assert_allclose(three.params, one.params, rtol=1e-9)


@pytest.mark.parametrize(
    ("objective", "message"),
    [
        (lambda b: b, r"objective returned shape \(9,\); it must return a number"),
        (lambda b: jnp.sum(b) * 1j, "objective returned complex numbers"),
        (lambda b: (jnp.sum(b), jnp.sum(b)), "objective returned 2 arrays"),
        (lambda b: None, "objective returned no arrays"),
        (lambda b: "text", "objective returned something that is neither a number nor an array"),
        (lambda b: jnp.sum(b > 0), "objective returned dtype int64, which has no derivatives"),
        (lambda b: float(b[0]), "objective cannot be traced by JAX.*or give its gradient"),
        (lambda b: np.sum(np.exp(b)), "objective cannot be traced by JAX"),
        (lambda b: 1.0 if b[0] > 0 else 0.0, "objective cannot be traced by JAX"),
        (lambda b: jnp.log(jnp.sum(b)), r"objective is -inf where the search starts, at params = 0 \(all 9 of them\)"),
        (lambda b: jnp.sum(b) / jnp.sum(b), "objective is nan where the search starts, at params = 0"),
        (lambda b: jnp.sum((b - 1) ** 2) + jnp.linalg.norm(b), r"derivative by params\[0\] is nan where the search starts"),
    ],
)
def test_a_bad_objective_is_told_so_and_the_solver_stays_usable(objective, message):
    """As for functions of NumPy."""
    solver = ScopeSolver(9, 3)
    with pytest.raises(ValueError, match=message):
        solver.solve(objective)
    X, y = least_squares(0)
    solver.solve(lambda b: jnp.mean((y - X @ b) ** 2))
    assert solver.status == "converged"


def test_what_an_objective_raises_while_it_is_traced_arrives():
    """The user's own error."""

    def objective(params):
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        ScopeSolver(9, 3).solve(objective)
    with pytest.raises(TypeError, match=r"dot_general|shapes|incompatible"):
        ScopeSolver(9, 3).solve(lambda params: jnp.sum(jnp.ones((4, 5)) @ params))


def test_a_gradient_in_jax_may_be_compiled():
    """jit=True compiles both functions."""
    X, y = least_squares(0)

    def objective(params):
        return jnp.mean((y - X @ params) ** 2)

    solver, exact = ScopeSolver(9, 3), ScopeSolver(9, 3)
    solver.solve(objective, gradient=jax.grad(objective), jit=True)
    exact.solve(objective)
    np.testing.assert_array_equal(solver.support_set, exact.support_set)
    np.testing.assert_allclose(solver.params, exact.params, rtol=1e-2)


INTERRUPTED = """
import faulthandler, gc, os, random, signal, sys, threading, time, traceback, warnings
import jax, jax.numpy as jnp, ksparse, numpy as np

if sys.argv[1] == "handled":
    signal.signal(signal.SIGINT, signal.default_int_handler)
faulthandler.dump_traceback_later(150, exit=True)
warnings.simplefilter("ignore")
rng, chance = np.random.default_rng(0), random.Random(0)

def problem(p):
    X = rng.standard_normal((60, p))
    y = X[:, 0] - 2 * X[:, 1]

    @jax.custom_jvp
    def rows(eta):
        return (y - eta) ** 2

    rows.defjvp(lambda primals, tangents: (rows(*primals), 2 * (primals[0] - y) * tangents[0]))
    return (
        lambda b: jax.jit(lambda b: jnp.mean(rows(X @ jnp.sinh(b))))(b) + jnp.sum(jax.nn.softplus(b)) / 1e4,
        lambda b: float(np.mean((y - X @ b) ** 2)),
        lambda b: -2 * X.T @ (y - X @ b) / 60,
    )

def interrupt(delay):
    time.sleep(delay)
    os.kill(os.getpid(), signal.SIGINT)

def solve_for_ever(size, in_numpy):
    while True:
        p = next(size)
        in_jax, objective, gradient = problem(p)
        if lost_outside:
            raise KeyboardInterrupt
        if in_numpy:
            ksparse.ScopeSolver(p, 3, search="thorough").solve(objective, gradient=gradient)
        else:
            ksparse.ScopeSolver(p, 3).solve(in_jax)
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN and not thread.is_alive():
            return

lost_outside = []  # interrupts that were swallowed between two solves, of which these can know nothing
def swallowed(what):
    inside = any(frame.name == "_handle" for frame in traceback.extract_tb(what.exc_traceback))
    if not inside:
        lost_outside.append(what)
sys.unraisablehook = swallowed
size = iter(int(8 + i % 3) for i in range(10**9))
ksparse.ScopeSolver(8, 3).solve(problem(8)[0])
handler = signal.getsignal(signal.SIGINT)
for count in range(int(sys.argv[2])):
    if count % 8 == 0:
        ksparse._scope._program._COMPILED.clear()
    lost_outside.clear()
    thread = threading.Thread(target=interrupt, args=(chance.uniform(0.01, 0.15),))
    try:
        thread.start()
        solve_for_ever(size, in_numpy=count % 4 == 3)
        print("finished", flush=True)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
    thread.join()
    assert signal.getsignal(signal.SIGINT) is handler
    assert not jax.config.jax_enable_x64
in_jax, objective, gradient = problem(8)
assert ksparse.ScopeSolver(8, 2).solve(in_jax)[:2].all()
print("done", flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for a single child")
@pytest.mark.parametrize("ignored", [False, True], ids=["in the foreground", "ignored at the start"])
def test_an_interrupt_is_never_lost(ignored):
    """At 50 random moments: of a trace, a compilation, a search, a garbage collection. The solver works afterwards, as JAX does."""
    done = run_interrupted("handled", 50, ignored)
    assert done == ["interrupted"] * 50 + ["done"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for a single child")
def test_a_program_that_ignores_interrupts_goes_on_to_do_so():
    """As a shell's background jobs do."""
    assert run_interrupted("as it is", 2, ignored=True) == ["finished"] * 2 + ["done"]


def run_interrupted(how, count, ignored):
    """Return the lines that a child prints which is interrupted so often."""
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN if ignored else signal.default_int_handler)
    try:  # a child inherits what is ignored
        child = subprocess.Popen([sys.executable, "-c", INTERRUPTED, how, str(count)], stdout=subprocess.PIPE, text=True)
    finally:
        signal.signal(signal.SIGINT, handler)
    with child:
        try:
            output = child.communicate(timeout=170)[0]
        except subprocess.TimeoutExpired:
            child.kill()
            raise
    return output.splitlines()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("swallowed", [False, True], ids=["raised", "swallowed"])
def test_an_interrupt_ends_a_search_soon(swallowed):
    """Ctrl-C reaches the caller at the next evaluation, also where it was raised inside of a callback that swallows it."""
    X, y = least_squares(0, n=100, p=60, rho=0.95)
    calls = []

    class Finaliser:
        def __del__(self):
            _thread.interrupt_main()
            for _ in range(1000):  # the signal is answered here
                pass

    def objective(params):
        calls.append(None)
        if len(calls) == 30:
            Finaliser() if swallowed else _thread.interrupt_main()
        return float(np.mean((y - X @ params) ** 2))

    def gradient(params):
        return -2 * X.T @ (y - X @ params) / 100

    solver = ScopeSolver(60, 20, search="thorough")
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    try:
        with pytest.raises(KeyboardInterrupt):
            solver.solve(objective, gradient=gradient)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, handler)
    assert len(calls) <= 31
    with pytest.raises(AttributeError, match="call solve"):
        solver.get_support()
    assert ScopeSolver(60, 2).solve(objective, gradient=gradient).any()


def test_threads_share_what_is_compiled():
    """Solves side by side give the answers of solves one after another."""
    problems = [least_squares(seed) for seed in range(8)]

    def answer(problem):
        X, y = problem
        return ScopeSolver(9, 3).solve(lambda params: jnp.mean((y - X @ params) ** 2))

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(answer, problems))
    for ours, problem in zip(together, problems, strict=True):
        np.testing.assert_array_equal(ours, answer(problem))


def test_groups_of_a_table_of_parameters():
    """Multinomial regression: a row of parameters for each feature, in or out as a whole, no swap of rows lowers it."""
    rng = np.random.default_rng(3)
    n, p, classes = 150, 6, 3
    X = rng.standard_normal((n, p))
    truth = np.zeros((p, classes))
    truth[[1, 4]] = [[2, -1, -1], [-1, 2, -1]]
    labels = np.array([rng.choice(classes, p=np.exp(e) / np.exp(e).sum()) for e in X @ truth])
    Y = np.eye(classes)[labels]

    def objective(params):
        eta = X @ params.reshape(p, classes)
        return jnp.mean(jax.nn.logsumexp(eta, axis=1) - jnp.sum(Y * eta, axis=1)) + 1e-3 * jnp.sum(params**2)

    solver = ScopeSolver(p * classes, 2, group=np.repeat(np.arange(p), classes))
    solver.solve(objective)
    np.testing.assert_array_equal(solver.support_set, [3, 4, 5, 12, 13, 14])
    gradient = np.asarray(jax.grad(objective)(solver.params))
    assert np.abs(gradient[solver.support_set]).max() < 1e-6


def test_without_jax_there_is_a_clear_message():
    """JAX is optional: not imported until it is needed, and named when it is missing."""
    script = """
import sys
sys.modules["jax"] = None
import ksparse, numpy as np
solver = ksparse.ScopeSolver(3, 1)
solver.solve(lambda x: float(np.sum((x - 1) ** 2)), gradient=lambda x: 2 * (x - 1))
try:
    solver.solve(lambda x: x @ x)
except ModuleNotFoundError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (
        "an objective without a gradient function needs jax, which is not installed: pip install 'ksparse[jax]'" in done.stdout
    )


class Model:
    """An objective that is a method, compiled by its class."""

    def __init__(self, X, y):
        self.X, self.y = X, y

    @functools.partial(jax.jit, static_argnums=0)
    def loss(self, params):
        """Return a mean square."""
        return jnp.mean((self.y - self.X @ params) ** 2)

    def twice(self, params):
        """Return it from an inner function."""
        return 2.0 * self.loss(params)


def inner(X, y):
    """Return an objective with a compiled function in it that closes over the data."""
    predictors = jax.jit(lambda params: X @ params)
    compiled = jax.jit(lambda params: jnp.mean((y - predictors(params)) ** 2))
    return lambda params: compiled(params) + 0.01 * jnp.sum(params**2)


def inner_rows(X, y):
    """Return one with a compiled function of each row, in a loop."""
    X, y = jnp.asarray(X), jnp.asarray(y)
    compiled = jax.jit(lambda b: jax.lax.fori_loop(0, len(y), lambda i, s: s + (y[i] - X[i] @ b) ** 2, 0.0) / len(y))
    return lambda params: 1.0 * compiled(params)


@both_precisions
@pytest.mark.parametrize(
    "make",
    [inner, inner_rows, lambda X, y: Model(X, y).loss, lambda X, y: Model(X, y).twice],
    ids=["inner", "rows", "method", "inner method"],
)
def test_an_inner_function_that_closes_over_data_is_compiled_once(precision, make, monkeypatch):
    """Its data are arguments of what is compiled, however deep in the objective it stands."""
    built = []
    compiled = _program.compiled
    for seed in range(3):
        X, y = least_squares(seed, n=37)
        solver = ScopeSolver(9, 3)
        monkeypatch.setattr(
            _jax, "compiled", lambda key, build, seed=seed: compiled(key, lambda: built.append(seed) or build())
        )
        solver.solve(make(X, y))
        monkeypatch.setattr(_jax, "compiled", compiled)
        expected = ScopeSolver(9, 3)
        expected.solve(lambda b, X=X, y=y: jnp.mean((y - X @ b) ** 2) + (0.01 * jnp.sum(b**2) if make is inner else 0.0))
        np.testing.assert_allclose(solver.params, expected.params, rtol=1e-4, atol=1e-5)
    assert set(built) <= {0}


def called_back(X, y):
    """Return a mean square that NumPy computes, and whose derivative NumPy computes as well."""

    @jax.custom_vjp
    def mean_square(e):
        return jax.pure_callback(lambda e: np.asarray(np.mean(np.square(e)), e.dtype), jax.ShapeDtypeStruct((), e.dtype), e)

    def backward(e, slope):
        return (
            slope * jax.pure_callback(lambda e: np.asarray(2 * e / e.size, e.dtype), jax.ShapeDtypeStruct(e.shape, e.dtype), e),
        )

    mean_square.defvjp(lambda e: (mean_square(e), e), backward)
    return lambda params: mean_square(jnp.asarray(y) - jnp.asarray(X) @ params)


def with_a_rule_of_first_order(X, y):
    """Return a mean square with a rule for directions that NumPy computes."""

    @jax.custom_jvp
    def mean_square(e):
        return jax.pure_callback(lambda e: np.asarray(np.mean(np.square(e)), e.dtype), jax.ShapeDtypeStruct((), e.dtype), e)

    @mean_square.defjvp
    def forward(primals, tangents):
        (e,) = primals
        slope = jax.pure_callback(lambda e: np.asarray(2 * e / e.size, e.dtype), jax.ShapeDtypeStruct(e.shape, e.dtype), e)
        return mean_square(e), jnp.sum(slope * tangents[0])

    return lambda params: mean_square(jnp.asarray(y) - jnp.asarray(X) @ params)


@both_precisions
@pytest.mark.parametrize("make", [called_back, with_a_rule_of_first_order])
def test_an_objective_that_is_differentiated_once_is_minimised(precision, make):
    """Differences of gradients stand in for a Hessian that JAX cannot have."""
    X, y = least_squares(2)
    solver, expected = ScopeSolver(9, 3), ScopeSolver(9, 3)
    solver.solve(make(X, y))
    expected.solve(lambda b: jnp.mean((y - X @ b) ** 2))
    np.testing.assert_array_equal(solver.get_support(), expected.get_support())
    np.testing.assert_allclose(solver.params, expected.params, rtol=1e-3, atol=1e-4)
    assert solver.status == "converged"

"""Objectives in JAX with rules of differentiation of the user's own: each solve is of the objective that it was given.

What is compiled is kept for objectives of the same form. Once it was recognised by too little, and a solve over other data returned the
answer to the data before.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ksparse import OMPSolver, ScopeSolver

rng = np.random.default_rng(0)
X = rng.standard_normal((40, 6)).astype(np.float32)
# Responses, and the parameters that explain them.
RESPONSES = [(2 * X[:, 1] - X[:, 4], [1, 4]), (3 * X[:, 0] + X[:, 5], [0, 5])]


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


def squares_by_jvp(y):
    """Return squares of residuals with a rule that closes over y."""

    @jax.custom_jvp
    def rows(eta):
        return (y - eta) ** 2

    rows.defjvp(lambda primals, tangents: (rows(*primals), 2 * (primals[0] - y) * tangents[0]))
    return rows


def squares_by_vjp(y):
    """Return the same with a rule for reverse differentiation, which calls the function itself, as JAX's documentation does."""

    @jax.custom_vjp
    def rows(eta):
        return (y - eta) ** 2

    rows.defvjp(lambda eta: (rows(eta), eta), lambda eta, slope: (2 * (eta - y) * slope,))
    return rows


def squares_by_nested_rules(y):
    """Return the same with a rule that uses a function with a rule of its own."""

    @jax.custom_jvp
    def slope(eta):
        return 2 * (eta - y)

    slope.defjvp(lambda primals, tangents: (slope(*primals), 2 * tangents[0] * (1 + 0 * y)))

    @jax.custom_jvp
    def rows(eta):
        return (y - eta) ** 2

    rows.defjvp(lambda primals, tangents: (rows(*primals), slope(*primals) * tangents[0]))
    return rows


def squares_with_symbolic_zeros(y):
    """Return the same with a rule that is told which tangents vanish."""

    @jax.custom_jvp
    def rows(eta, weight):
        return weight * (y - eta) ** 2

    def rule(primals, tangents):
        eta, weight = primals
        return rows(eta, weight), 2 * weight * (eta - y) * tangents[0]

    rows.defjvp(rule, symbolic_zeros=True)
    return lambda eta: rows(eta, jnp.ones(len(y)))


def squares_by_a_factor(y):
    """Return the same with a rule that closes over a number beside y, as an argument that is not differentiated."""

    @partial(jax.custom_jvp, nondiff_argnums=(0,))
    def rows(factor, eta):
        return factor * (y - eta) ** 2

    rows.defjvp(lambda factor, primals, tangents: (rows(factor, *primals), 2 * factor * (primals[0] - y) * tangents[0]))
    return lambda eta: rows(1.0, eta)


def squares_by_callback(y):
    """Return the same as a value that Python computes, called back from what is compiled."""

    def on_host(eta):
        return np.asarray((y - np.asarray(eta)) ** 2, dtype=np.asarray(eta).dtype)

    @jax.custom_jvp
    def rows(eta):
        return jax.pure_callback(on_host, jax.ShapeDtypeStruct(eta.shape, eta.dtype), eta, vmap_method="sequential")

    rows.defjvp(lambda primals, tangents: (rows(*primals), 2 * (primals[0] - y) * tangents[0]))
    return rows


RULES = {
    "jvp": squares_by_jvp,
    "vjp": squares_by_vjp,
    "nested": squares_by_nested_rules,
    "symbolic zeros": squares_with_symbolic_zeros,
    "an argument that is not differentiated": squares_by_a_factor,
    "callback": squares_by_callback,
}


def solve(objective, data=None):
    """Return the solver, whose objective is checked to be the user's own at its answer."""
    solver = ScopeSolver(6, 2)
    params = solver.solve(objective, data)
    arguments = () if data is None else (data,)
    assert solver.objective_value == pytest.approx(float(objective(jnp.asarray(params), *arguments)), abs=1e-9)
    assert solver.status == "converged"
    return solver


@both_precisions
@pytest.mark.parametrize("rule", ["jvp", "vjp"])
def test_a_rule_over_other_data_is_another_rule(rule, precision):
    """What a rule closes over is not among the arguments of the function that it belongs to."""
    for y, expected in RESPONSES:
        rows = RULES[rule](y)
        assert solve(lambda params, rows=rows: jnp.mean(rows(X @ params))).get_support().tolist() == expected


@pytest.mark.parametrize("rule", [name for name in RULES if name not in ("jvp", "vjp")])
def test_so_is_one_of_any_other_kind(rule):
    """Rules inside of rules, and functions of Python that are called back."""
    for y, expected in RESPONSES:
        rows = RULES[rule](y)
        assert solve(lambda params, rows=rows: jnp.mean(rows(X @ params))).get_support().tolist() == expected


SETTINGS = {
    "jit": lambda mean: jax.jit(mean),
    "checkpoint": lambda mean: jax.checkpoint(mean),
    "scan": lambda mean: lambda b: jax.lax.scan(lambda sum, _: (sum + mean(b) / 2, None), 0.0, jnp.arange(2))[0],
    "cond": lambda mean: lambda b: jax.lax.cond(jnp.sum(b) > 1e9, jnp.sum, mean, b),
}


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("rule", ["jvp", "none"])
def test_a_rule_may_stand_anywhere(setting, rule):
    """In a function that is compiled by itself, in a loop, in a branch."""
    for y, expected in RESPONSES:
        rows = squares_by_jvp(y) if rule == "jvp" else lambda eta, y=y: (y - eta) ** 2
        inner = SETTINGS[setting](lambda params, rows=rows: jnp.mean(rows(X @ params)))
        assert solve(lambda params, inner=inner: inner(params) + 0 * params[0]).get_support().tolist() == expected


@both_precisions
@pytest.mark.parametrize("rule", ["jvp", "vjp"])
def test_a_rule_may_use_the_data(rule, precision):
    """They are arguments of what is traced, of which a rule knows nothing once the trace is over."""

    def objective(params, data):
        return jnp.mean(RULES[rule](data["y"])(data["X"] @ params))

    for y, expected in RESPONSES:
        assert solve(objective, {"X": X, "y": y}).get_support().tolist() == expected


def test_a_rule_may_use_what_the_objective_computed():
    """An array that was made in the objective, of nothing but constants, is a part of the trace as well."""

    def objective_of(y):
        def objective(params):
            centred = jnp.asarray(y) - jnp.mean(y)
            return jnp.mean(squares_by_jvp(centred)(X @ params - jnp.mean(X @ params)))

        return objective

    for y, expected in RESPONSES:
        assert solve(objective_of(y)).get_support().tolist() == expected


def test_numbers_in_a_rule_belong_to_it():
    """A float, and an array without axes, which JAX writes into the equations."""

    def objective_of(number):
        @jax.custom_jvp
        def square(value):
            return (value - number) ** 2

        square.defjvp(lambda primals, tangents: (square(*primals), 2 * (primals[0] - number) * tangents[0]))
        return lambda params: square(params[2]) + jnp.sum(params**2) / 100

    for number in (1.0, -2.0, np.float32(3.0), jnp.asarray(4.0), jnp.asarray(5.0)):
        assert solve(objective_of(number)).params[2] == pytest.approx(float(number) / 1.01)


@both_precisions
def test_data_that_changed_in_place_are_seen(precision):
    """The same function, over the same array with other numbers in it."""
    y = RESPONSES[0][0].copy()
    by_jvp, by_vjp = squares_by_jvp(y), squares_by_vjp(y)
    for values, expected in RESPONSES:
        y[:] = values
        for rows in (by_jvp, by_vjp):
            assert solve(lambda params, rows=rows: jnp.mean(rows(X @ params))).get_support().tolist() == expected


def test_precision_belongs_to_a_rule():
    """The same objective in float32, in float64, and in float32 again."""
    y, expected = RESPONSES[0]
    for double in (False, True, False):
        jax.config.update("jax_enable_x64", double)
        assert solve(lambda params: jnp.mean(squares_by_jvp(y)(X @ params))).get_support().tolist() == expected
    jax.config.update("jax_enable_x64", True)


def test_a_rule_serves_other_solvers():
    """The rule is looked at where the objective is traced, whoever asks."""
    for y, expected in RESPONSES:
        rows = squares_by_vjp(y)
        solver = OMPSolver(6, 2)
        solver.solve(lambda params, rows=rows: jnp.mean(rows(X @ params)))
        assert solver.get_support().tolist() == expected


def test_a_rule_is_compiled_once_and_holds_no_data():
    """Arrays of a rule are arguments of what is compiled: other ones need no compilation, and nothing is kept of them."""
    from ksparse._scope import _program

    _program._COMPILED.clear()
    for i in range(4):
        y = RESPONSES[i % 2][0] + i
        for rows in (squares_by_jvp(y), squares_by_vjp(y)):
            ScopeSolver(6, 2).solve(lambda params, rows=rows: jnp.mean(rows(X @ params)))
    assert len(_program._COMPILED) == 2
    assert all(function._cache_size() == 1 for function in _program._COMPILED.values())

    # What cannot be compared is compiled for one search.
    rows = squares_by_callback(RESPONSES[0][0])
    solve(lambda params: jnp.mean(rows(X @ params)))
    assert len(_program._COMPILED) == 2

"""Convert traced functions, equation by equation: from float32 to float64, or to functions without rules of differentiation."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from .._optional import require

__all__ = [
    "NoDoubleError",
    "Rewriter",
    "aval_of",
    "bodies_of",
    "double_precision",
    "has_narrow",
    "jax_module",
    "rule_of",
    "wide_value",
]


class NoDoubleError(Exception):
    """A function cannot be converted to float64."""


# Primitives whose meaning depends on the number of bits, or on a state.
_OF_BITS = (
    "bitcast_convert_type",
    "reduce_precision",
    "nextafter",
    "pure_callback",
)
# Calls of functions, which can be replaced by the equations of these functions.
_CALLS = {"jit": "jaxpr", "pjit": "jaxpr", "closed_call": "call_jaxpr", "core_call": "call_jaxpr"}
_CALLS_WITH_RULES = {"custom_jvp_call": "call_jaxpr", "custom_vjp_call": "call_jaxpr", "custom_vjp_call_jaxpr": "fun_jaxpr"}


def jax_module() -> Any:
    """Return the module jax, or raise an error that says what it is needed for."""
    return require("jax", "an objective without a gradient function", "'ksparse[jax]'")


@contextmanager
def double_precision(on: bool) -> Iterator[None]:
    """Let JAX compute in float64 in this thread within the context, in which no function of the user may be called."""
    if on:
        with _precision(True):
            yield
    else:
        yield


def _precision(double: bool) -> Any:
    jax = jax_module()
    # It had another name before JAX 0.8.
    return (jax.enable_x64 if hasattr(jax, "enable_x64") else importlib.import_module("jax.experimental").enable_x64)(double)


def aval_of(value: Any) -> Any:
    """Return the abstract value of an array: its shape, dtype, and so on, without its entries."""
    jax = jax_module()
    return jax.typeof(value) if hasattr(jax, "typeof") else jax.core.get_aval(value)  # the latter before JAX 0.6


def bodies_of(equation: Any) -> Iterator[Any]:
    """Yield the functions among the parameters of an equation."""
    for value in equation.params.values():
        for inner in value if isinstance(value, (tuple, list)) else (value,):
            if hasattr(inner, "eqns"):
                yield inner


def rule_of(equation: Any) -> tuple[Any, list[Any], Sequence[bool]]:
    """Return the rule of differentiation of a ``custom_jvp_call``: a traced function, its constants, and which tangents are 0.

    The tangents of arguments that are not real are 0.
    """
    rule = equation.params.get("jvp_jaxpr_fun")  # it had another name before JAX 0.6, and was a function
    function = equation.params["jvp_jaxpr_thunk"] if rule is None else rule.call_wrapped
    jaxpr, constants, vanishes = function(*_constant(equation))
    return jaxpr, list(constants), vanishes


def _constant(equation: Any) -> list[bool]:
    variables = equation.params["call_jaxpr"].jaxpr.invars[equation.params["num_consts"] :]
    return [not np.issubdtype(var.aval.dtype, np.inexact) for var in variables]


def has_narrow(jaxpr: Any) -> bool:
    """Whether anything in a function has the type float32."""
    return any(
        any(getattr(getattr(var, "aval", None), "dtype", None) == np.float32 for var in (*equation.invars, *equation.outvars))
        or any(has_narrow(getattr(body, "jaxpr", body)) for body in bodies_of(equation))
        for equation in jaxpr.eqns
    )


def wide_value(value: Any) -> Any:
    """Return an array as a NumPy array, in float64 if it was in float32."""
    try:
        array = np.asarray(value)
    except TypeError:  # keys of random numbers
        raise NoDoubleError from None
    return array.astype(_wide_kind(array.dtype))


def _wide_kind(value: Any) -> Any:
    if isinstance(value, np.dtype) or (isinstance(value, type) and issubclass(value, np.generic)):
        return {np.dtype(np.float32): np.dtype(np.float64), np.dtype(np.complex64): np.dtype(np.complex128)}.get(
            np.dtype(value), value
        )
    return value


class Rewriter:
    """Converts traced functions.

    Parameters
    ----------
    double : bool
        Whether to convert float32 to float64.
    rules : bool
        Whether to keep the rules of differentiation, which are needed if the result will be differentiated.
    """

    def __init__(self, *, double: bool, rules: bool):
        self._double, self._rules = double, rules

    def rewritten(self, body: Any) -> Any:
        """Return the converted function, which has the same arguments; ``body`` is a Jaxpr or a ClosedJaxpr."""
        jax = jax_module()
        constants = [self._constant(value) for value in getattr(body, "consts", ())]
        jaxpr = getattr(body, "jaxpr", body)
        again = self.function(jaxpr)
        shapes = [jax.ShapeDtypeStruct(var.aval.shape, self._kind(var.aval.dtype)) for var in jaxpr.invars]
        return jax.make_jaxpr(lambda *arguments: again(constants, arguments))(*shapes)

    def function(self, jaxpr: Any) -> Callable[[Sequence[Any], Sequence[Any]], list[Any]]:
        """Return a Python function of constants and arguments that evaluates the converted equations."""

        def run(constants: Sequence[Any], arguments: Sequence[Any]) -> list[Any]:
            values: dict[Any, Any] = dict(zip(jaxpr.constvars, constants, strict=True))
            values.update(zip(jaxpr.invars, arguments, strict=True))

            def read(operand: Any) -> Any:
                if hasattr(operand, "val"):
                    return np.asarray(operand.val, dtype=self._kind(np.dtype(operand.aval.dtype)))
                return values[operand]

            for equation in jaxpr.eqns:
                outputs = self._apply(equation, [read(operand) for operand in equation.invars])
                values.update(zip(equation.outvars, outputs, strict=True))
            return [read(operand) for operand in jaxpr.outvars]

        return run

    def _apply(self, equation: Any, inputs: list[Any]) -> Sequence[Any]:
        name = equation.primitive.name
        if self._double and (name in _OF_BITS or name.startswith(("random_", "threefry"))):
            raise NoDoubleError
        if name in _CALLS:
            return self._inline(equation.params[_CALLS[name]], inputs)
        if name in _CALLS_WITH_RULES:
            if not self._rules:
                return self._inline(equation.params[_CALLS_WITH_RULES[name]], inputs)
            if name != "custom_jvp_call":
                raise NoDoubleError
            return self._with_rule(equation)(*inputs)
        parameters = {key: self._parameter(value) for key, value in equation.params.items()}
        bound = equation.primitive.get_bind_params(parameters)
        functions, parameters = bound if isinstance(bound, tuple) else ((), bound)  # the former before JAX 0.10
        answer = equation.primitive.bind(*functions, *inputs, **parameters)
        return list(answer) if equation.primitive.multiple_results else [answer]

    def _inline(self, body: Any, inputs: list[Any]) -> list[Any]:
        constants = [self._constant(value) for value in getattr(body, "consts", ())]
        return self.function(getattr(body, "jaxpr", body))(constants, inputs)

    def _constant(self, value: Any) -> Any:
        return wide_value(value) if self._double else value

    def _kind(self, dtype: Any) -> Any:
        return _wide_kind(dtype) if self._double else dtype

    def _with_rule(self, equation: Any) -> Callable[..., Sequence[Any]]:
        """Return a function with its rule of differentiation, both converted.

        The rule is necessary: the formula of logaddexp, for example, has no second derivative where its arguments are equal.
        """
        jax = jax_module()
        body, count, constant = equation.params["call_jaxpr"], equation.params["num_consts"], _constant(equation)
        with _precision(False):  # the precision in which the rest of the objective was traced
            rule, rule_constants, vanishes = rule_of(equation)
        tangent = self.function(rule)
        rule_constants = [self._constant(value) for value in rule_constants]

        @jax.custom_jvp
        def function(*arguments: Any) -> tuple[Any, ...]:
            return tuple(self._inline(body, list(arguments)))

        @function.defjvp
        def differentiate(primals: Any, tangents: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
            moving = [direction for direction, still in zip(tangents[count:], constant, strict=True) if not still]
            answer = tangent(rule_constants, (*primals[count:], *moving))
            values, directions = answer[: len(vanishes)], iter(answer[len(vanishes) :])
            return tuple(values), tuple(
                jax.numpy.zeros_like(value) if zero else next(directions) for value, zero in zip(values, vanishes, strict=True)
            )

        return function

    def _parameter(self, value: Any) -> Any:
        """Return a parameter of an equation with converted functions and dtypes."""
        if isinstance(value, tuple):
            parts = [self._parameter(part) for part in value]
            return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
        if not hasattr(value, "eqns"):
            return self._kind(value)
        if not self._double and not _has_rules(value):
            return value
        again = self.rewritten(value)
        if hasattr(value, "jaxpr"):  # a ClosedJaxpr, which has its constants
            return again
        if again.consts:  # a Jaxpr cannot have constants
            if not self._double:
                return value
            raise NoDoubleError
        return again.jaxpr


def _has_rules(body: Any) -> bool:
    return any(
        equation.primitive.name in _CALLS_WITH_RULES or any(map(_has_rules, bodies_of(equation)))
        for equation in getattr(body, "jaxpr", body).eqns
    )

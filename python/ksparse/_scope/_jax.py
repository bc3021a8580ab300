"""Objectives written in JAX: traced once, differentiated, compiled for all supports at once.

An objective is traced to JAX's intermediate form, in which the arrays that it closes over are constants. These become arguments
of the compiled function, so that another objective of the same form, over other data of the same shapes, needs no compilation, and
data that have changed since are seen.

It is traced in the precision that the user has configured, float32 unless ``jax_enable_x64`` is set. What was traced in float32 is
then written anew in float64, equation by equation (:func:`_in_double_precision`), and run so: with a probability of 1 - 1e-8,
which float32 does not know from 1, many an objective is infinite in float32 where its minimum is. (To trace it in float64 in the
first place, inside of ``jax.enable_x64``, would break the user's own functions of float32 afterwards: JAX 0.10 keeps one conversion of
an array of NumPy for both.) An objective that
has no form in float64 is run in float32.

Two forms are told apart by looking at the traced objective:

*of linear predictors*
    the parameters occur in products with known matrices, and otherwise by themselves (as in a penalty), and what is made of these
    numbers z has a diagonal Hessian, which is verified at every scan by a product with random signs. Then only f(z), its slope and
    its curvature are JAX's; gradients, Hessians and diagonals are sums over rows, as in a linear model.
*of any other kind*
    value, gradient and products of the Hessian with a few vectors at a time, by forward over reverse differentiation.
"""

from __future__ import annotations

import hashlib
import importlib
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import numpy as np

from .._optional import require
from ._derivatives import Columns, Derivatives, Matrix, ObjectiveError, Point, ProductPoint, Vector

__all__ = ["NotDiagonalError", "Traced", "derivatives_of", "trace"]

# Compiled functions by the form of the objective and the shapes of its data; the eldest go first.
_COMPILED: OrderedDict[Any, Any] = OrderedDict()
_MOST_COMPILED = 64
_LOCK = threading.Lock()


def jax_module() -> Any:
    """Import JAX, or say what it is for."""
    return require("jax", "an objective without a gradient function", "'ksparse[jax]'")


@contextmanager
def double_precision(on: bool) -> Iterator[None]:
    """Let JAX compute in float64, in this thread and for the time being; no function of the user may be called inside."""
    if on:
        with _precision(True):
            yield
    else:
        yield


def _precision(double: bool) -> Any:
    jax = jax_module()
    # Before JAX 0.8 under another name.
    return (jax.enable_x64 if hasattr(jax, "enable_x64") else importlib.import_module("jax.experimental").enable_x64)(double)


class Traced:
    """An objective in JAX's intermediate form.

    Attributes
    ----------
    jaxpr : jax.extend.core.Jaxpr
        Takes the parameters, then the leaves of the data.
    constants, leaves : list
        What the objective closes over, and its data.
    key : hashable
        Equal for objectives that differ in the values of constants and data alone.
    kind : dtype
        Of the parameters.
    rewritten : bool
        Whether it is in float64 though the user's configuration is not: it is to be run within :func:`double_precision`.
    epsilon : float
        Of the numbers that it returns.
    """

    def __init__(self, closed: Any, leaves: list[Any], p: int, kind: Any, *, rewritten: bool = False):
        self.jaxpr, self.constants, self.leaves = closed.jaxpr, list(closed.consts), leaves
        self.p, self.kind, self.rewritten = p, kind, rewritten
        self.epsilon = float(jax_module().numpy.finfo(closed.out_avals[0].dtype).eps)
        self.key = (_form(closed), p, str(kind), tuple(_kind(value) for value in (*self.constants, *leaves)))


def _kind(value: Any) -> tuple[Any, ...]:
    array = value if hasattr(value, "dtype") else np.asarray(value)
    return tuple(array.shape), str(array.dtype)


def _digest(value: Any) -> tuple[Any, ...]:
    array = np.asarray(value)
    return array.shape, str(array.dtype), hashlib.blake2b(array.tobytes(), digest_size=16).digest()


def _form(closed: Any) -> tuple[str, tuple[Any, ...]]:
    # The printed form shortens no number, but names functions by their addresses, and constants of inner functions not at all.
    numbers: list[Any] = []
    _collect_numbers(closed.jaxpr, numbers)
    return re.sub(r"0x[0-9a-f]+", "0x", str(closed.jaxpr)), tuple(numbers)


def _collect_numbers(jaxpr: Any, numbers: list[Any]) -> None:
    for equation in jaxpr.eqns:
        if equation.primitive.name == "custom_jvp_call":
            # Its rule is known by where it was written; before JAX 0.6 that is not said, and no two rules are the same.
            information = equation.params["call_jaxpr"].jaxpr.debug_info
            numbers.append(getattr(information, "func_src_info", None) or _rule_of(equation))
        for operand in equation.invars:
            if hasattr(operand, "val"):
                numbers.append(_digest(operand.val))
        for value in equation.params.values():
            for inner in value if isinstance(value, (tuple, list)) else (value,):
                for constant in getattr(inner, "consts", ()):
                    numbers.append(_digest(constant))
                inner_jaxpr = getattr(inner, "jaxpr", inner)
                if hasattr(inner_jaxpr, "eqns"):
                    _collect_numbers(inner_jaxpr, numbers)


def trace(objective: Callable[..., Any], data: tuple[Any, ...], p: int) -> Traced:
    """Trace an objective of p parameters, and of data if there are any.

    Raises
    ------
    ObjectiveError
        If it does not return a real number, or cannot be traced.
    """
    jax = jax_module()
    if hasattr(objective, "lower"):  # compiled by the user: what it closes over would be out of reach
        objective = getattr(objective, "__wrapped__", objective)
    kind = jax.dtypes.canonicalize_dtype(np.float64)
    error: Exception | None = None
    # Data as arguments may change without a compilation; but an objective may need their values while it is traced.
    for closes_over in (False, True) if data else (True,):
        leaves, structure = ([], None) if closes_over else jax.tree.flatten(data)
        if not all(hasattr(leaf, "dtype") or isinstance(leaf, (bool, int, float)) for leaf in leaves):
            continue

        def of_leaves(params: Any, *leaves: Any, structure: Any = structure) -> Any:
            return objective(params, *(data if structure is None else jax.tree.unflatten(structure, leaves)))

        try:
            closed, shape = jax.make_jaxpr(of_leaves, return_shape=True)(jax.ShapeDtypeStruct((p,), kind), *leaves)
        except jax.errors.JAXTypeError as failure:  # it needs numbers where tracing has none
            error = failure
            continue
        except TypeError as failure:
            if "not a valid JAX type" not in str(failure):
                raise
            raise ObjectiveError(
                "objective returned something that is neither a number nor an array; it must return a real number"
            ) from failure
        _check_output(shape)
        if kind == np.float64:
            return Traced(closed, leaves, p, kind)
        try:
            with double_precision(True):
                return _in_double_precision(closed, leaves, p)
        except _NoDoubleError:
            return Traced(closed, leaves, p, kind)
    raise ObjectiveError(
        "objective cannot be traced by JAX, since it asks for the values of its parameters (as NumPy's functions, float() and "
        "`if` do): write it with jax.numpy and jax.lax, or give its gradient as gradient=..."
    ) from error


def _check_output(shape: Any) -> None:
    jax = jax_module()
    outputs = jax.tree.leaves(shape)
    if len(outputs) != 1:
        raise ObjectiveError(f"objective returned {len(outputs) or 'no'} arrays; it must return a real number")
    output = outputs[0]
    if output.dtype.kind == "c":
        raise ObjectiveError("objective returned complex numbers, whatever its parameters; it must return a real number")
    if output.dtype.kind != "f" and output.dtype.name not in ("bfloat16",):
        raise ObjectiveError(f"objective returned dtype {output.dtype}, which has no derivatives; it must return a real number")
    if output.shape not in ((), (1,)):
        raise ObjectiveError(f"objective returned shape {output.shape}; it must return a number, such as the mean of these")


# ------------------------------------------------------------------------------------------------------- float32 to float64


class _NoDoubleError(Exception):
    pass


# Their meaning depends on how many bits a number has, or on a state.
_OF_BITS = (
    "bitcast_convert_type",
    "reduce_precision",
    "nextafter",
    "custom_vjp_call",
    "custom_vjp_call_jaxpr",
    "pure_callback",
)


def _in_double_precision(closed: Any, leaves: list[Any], p: int) -> Traced:
    """Write an objective in float32 anew in float64."""
    jax = jax_module()
    constants = [_wide_value(constant) for constant in closed.consts]
    # As the user gave them; where that is float64, nothing is lost.
    leaves = [_wide_value(leaf) for leaf in leaves]

    def build() -> Any:
        wide = _widen(closed.jaxpr)

        def objective(x: Any, *rest: Any) -> Any:
            return wide(rest[: len(constants)], (x, *rest[len(constants) :]))[0]

        try:
            again = jax.make_jaxpr(objective)(jax.ShapeDtypeStruct((p,), np.float64), *constants, *leaves)
        except (TypeError, ValueError, NotImplementedError, KeyError, AttributeError):
            return None
        # The constants are arguments already, as the leaves of data are.
        return None if again.consts or _has_narrow(again.jaxpr) else again

    again = _compiled(("float64", Traced(closed, leaves, p, np.dtype(np.float32)).key), build)
    if again is None:
        raise _NoDoubleError
    return Traced(again, [*constants, *leaves], p, np.dtype(np.float64), rewritten=True)


def _has_narrow(jaxpr: Any) -> bool:
    """Whether anything in a function is of float32."""
    for equation in jaxpr.eqns:
        if any(
            getattr(getattr(var, "aval", None), "dtype", None) == np.float32 for var in (*equation.invars, *equation.outvars)
        ):
            return True
        for value in equation.params.values():
            for inner in value if isinstance(value, tuple) else (value,):
                if hasattr(inner, "eqns") and _has_narrow(getattr(inner, "jaxpr", inner)):
                    return True
    return False


def _wide_value(value: Any) -> Any:
    try:
        array = np.asarray(value)
    except TypeError:  # keys of random numbers
        raise _NoDoubleError from None
    return array.astype(_wide_kind(array.dtype))


def _wide_kind(value: Any) -> Any:
    if isinstance(value, np.dtype) or (isinstance(value, type) and issubclass(value, np.generic)):
        return {np.dtype(np.float32): np.dtype(np.float64), np.dtype(np.complex64): np.dtype(np.complex128)}.get(
            np.dtype(value), value
        )
    return value


def _widen(jaxpr: Any) -> Callable[[Sequence[Any], Sequence[Any]], list[Any]]:
    """Return a function of constants and arguments that does in float64 what a traced function does in float32."""

    def run(constants: Sequence[Any], arguments: Sequence[Any]) -> list[Any]:
        values: dict[Any, Any] = dict(zip(jaxpr.constvars, constants, strict=True))
        values.update(zip(jaxpr.invars, arguments, strict=True))

        def read(operand: Any) -> Any:
            if hasattr(operand, "val"):
                return np.asarray(operand.val, dtype=_wide_kind(np.dtype(operand.aval.dtype)))
            return values[operand]

        for equation in jaxpr.eqns:
            name = equation.primitive.name
            inputs = [read(operand) for operand in equation.invars]
            if name in _OF_BITS or name.startswith(("random_", "threefry")):
                raise _NoDoubleError
            if name == "custom_jvp_call":
                outputs = _with_rule(equation)(*inputs)
            else:
                parameters = {key: _wide_parameter(value) for key, value in equation.params.items()}
                bound = equation.primitive.get_bind_params(parameters)
                functions, parameters = bound if isinstance(bound, tuple) else ((), bound)  # the former before JAX 0.10
                answer = equation.primitive.bind(*functions, *inputs, **parameters)
                outputs = list(answer) if equation.primitive.multiple_results else [answer]
            values.update(zip(equation.outvars, outputs, strict=True))
        return [read(operand) for operand in jaxpr.outvars]

    return run


def _rule_of(equation: Any) -> Any:
    rule = equation.params.get("jvp_jaxpr_fun")  # before JAX 0.6 under another name, and a function
    return equation.params["jvp_jaxpr_thunk"] if rule is None else rule.call_wrapped


def _with_rule(equation: Any) -> Callable[..., Sequence[Any]]:
    """Return a function with a rule of differentiation of its own, both in float64.

    Its formula must not be differentiated instead: where arguments are equal, that of logaddexp has no second derivative.
    """
    jax = jax_module()
    body, count = equation.params["call_jaxpr"], equation.params["num_consts"]
    constant = [not np.issubdtype(var.aval.dtype, np.inexact) for var in body.jaxpr.invars[count:]]
    with _precision(False):  # as the rest of the objective was traced
        rule, rule_constants, vanishes = _rule_of(equation)(*constant)
    primal, tangent = _widen(body.jaxpr), _widen(rule)
    body_constants, rule_constants = ([_wide_value(value) for value in values] for values in (body.consts, rule_constants))

    @jax.custom_jvp
    def function(*arguments: Any) -> tuple[Any, ...]:
        return tuple(primal(body_constants, arguments))

    @function.defjvp
    def differentiate(primals: Any, tangents: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        moving = [direction for direction, still in zip(tangents[count:], constant, strict=True) if not still]
        answer = tangent(rule_constants, (*primals[count:], *moving))
        values, directions = answer[: len(vanishes)], iter(answer[len(vanishes) :])
        return tuple(values), tuple(
            jax.numpy.zeros_like(value) if zero else next(directions) for value, zero in zip(values, vanishes, strict=True)
        )

    return function


def _wide_parameter(value: Any) -> Any:
    """Return a parameter of an equation, functions and numbers in it of float64."""
    if isinstance(value, tuple):
        parts = [_wide_parameter(part) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    if not hasattr(value, "eqns"):
        return _wide_kind(value)
    body = getattr(value, "jaxpr", value)
    jax = jax_module()
    wide = _widen(body)
    constants = [_wide_value(constant) for constant in getattr(value, "consts", ())]
    shapes = [jax.ShapeDtypeStruct(var.aval.shape, _wide_kind(var.aval.dtype)) for var in body.invars]
    again = jax.make_jaxpr(lambda *arguments: wide(constants, arguments))(*shapes)
    if body is not value:
        return again
    if again.consts:  # no place for them
        raise _NoDoubleError
    return again.jaxpr


def _compiled(key: Any, build: Callable[[], Any]) -> Any:
    with _LOCK:
        if key in _COMPILED:
            _COMPILED.move_to_end(key)
            return _COMPILED[key]
    made = build()
    with _LOCK:
        _COMPILED[key] = made
        while len(_COMPILED) > _MOST_COMPILED:
            _COMPILED.popitem(last=False)
    return made


# --------------------------------------------------------------------------------------------------------- any objective


class JaxDerivatives(Derivatives):
    """Value, gradient and products with the Hessian of a traced objective.

    Parameters
    ----------
    traced : Traced
        The objective.
    directions : int
        Products with the Hessian in one call, padded with zeros: the number of active columns, so that a refit's iteration
        is one call.
    """

    def __init__(self, traced: Traced, directions: int):
        jax = jax_module()
        self.p = traced.p
        self.directions = directions
        self.epsilon = traced.epsilon
        jaxpr = traced.jaxpr

        def build() -> Any:
            def evaluate(constants: Any, leaves: Any, x: Any, directions: Any) -> Any:
                def objective(x: Any) -> Any:
                    return jax.core.eval_jaxpr(jaxpr, constants, x, *leaves)[0].reshape(())

                both = jax.value_and_grad(objective)
                (value, gradient), (_, products) = jax.vmap(
                    lambda direction: jax.jvp(both, (x,), (direction,)), out_axes=((None, None), 0)
                )(directions)
                return value, gradient, products

            return jax.jit(evaluate)

        self._function = _compiled((traced.key, "products", directions), build)
        self._constants = [jax.device_put(constant) for constant in traced.constants]
        self._leaves = [jax.device_put(leaf) for leaf in traced.leaves]
        self._kind = traced.kind

    def evaluate(self, params: Vector, columns: Columns) -> tuple[float, Vector, Matrix]:
        """Return value, gradient and the rows of the Hessian that belong to some columns, at most ``directions``."""
        directions = np.zeros((self.directions, self.p), dtype=self._kind)
        directions[np.arange(len(columns)), columns] = 1.0
        value, gradient, products = self._function(
            self._constants, self._leaves, params.astype(self._kind, copy=False), directions
        )
        return (
            float(value),
            np.asarray(gradient, dtype=np.float64),
            np.asarray(products, dtype=np.float64)[: len(columns)],
        )

    def at(self, params: Vector, columns: Columns) -> Point:
        return JaxPoint(self, params, columns)


class JaxPoint(ProductPoint):
    """A point of :class:`JaxDerivatives`: all that a refit asks comes from one call."""

    def __init__(self, of: JaxDerivatives, params: Vector, columns: Columns):
        self._of, self.params, self.columns = of, params, columns
        self.value, self._gradient, first = of.evaluate(params, columns[: of.directions])
        self._first = first
        self._cross: Matrix | None = None

    def gradient(self, columns: Columns | None = None) -> Vector:
        return self._gradient if columns is None else self._gradient[columns]

    def cross(self, columns: Columns | None = None) -> Matrix:
        if self._cross is None:
            rest = self._products(self.columns[self._of.directions :])
            self._cross = np.concatenate([self._first, rest]).T if len(rest) else self._first.T
        return self._cross if columns is None else self._cross[columns]

    def _products(self, columns: Columns) -> Matrix:
        rows = np.empty((len(columns), self._of.p))
        for begin in range(0, len(columns), self._of.directions):
            part = columns[begin : begin + self._of.directions]
            rows[begin : begin + len(part)] = self._of.evaluate(self.params, part)[2]
        return rows

    def diagonal(self, columns: Columns) -> Vector:
        # Not all rows at once: for many columns they would be p x p numbers.
        values = np.empty(len(columns))
        for begin in range(0, len(columns), self._of.directions):
            part = columns[begin : begin + self._of.directions]
            rows = self._of.evaluate(self.params, part)[2]
            values[begin : begin + len(part)] = rows[np.arange(len(part)), part]
        return values


# --------------------------------------------------------------------------------------- objectives of linear predictors


class NotDiagonalError(Exception):
    """What an objective makes of its linear predictors has a Hessian that is not diagonal."""


class _NotLinearError(Exception):
    pass


# A known array: which of the constants and leaves, its sign, and whether it is transposed.
Known = tuple[int, float, bool]


class LinearForm:
    """Which equations of a traced objective are products of the parameters with known matrices."""

    def __init__(self, traced: Traced):
        self.jaxpr = traced.jaxpr  # not what it closes over: compiled functions, which keep this, outlive that
        self.matrices: list[Known] = []
        self.uses_params = False  # elsewhere than in a product
        self._products: dict[tuple[int, ...], int] = {}  # place of the equation -> number of the matrix
        jaxpr = traced.jaxpr
        known: dict[Any, Known] = {var: (i, 1.0, False) for i, var in enumerate((*jaxpr.constvars, *jaxpr.invars[1:]))}
        self._visit(jaxpr, jaxpr.invars[0], known, ())
        if not self.matrices:
            raise _NotLinearError

    def _visit(self, jaxpr: Any, params: Any, known: dict[Any, Known], path: tuple[int, ...]) -> None:
        if any(var is params for var in jaxpr.outvars):
            self.uses_params = True
        for place, equation in enumerate(jaxpr.eqns):
            operands = list(equation.invars)
            if len(operands) == 1 and not hasattr(operands[0], "val") and operands[0] in known:
                self._follow(equation, known)
            if not any(operand is params for operand in operands):
                continue
            here = (*path, place)
            inner = equation.params.get("jaxpr") if equation.primitive.name in ("jit", "pjit", "closed_call") else None
            if inner is not None and not inner.consts and operands.count(params) == 1:
                places = inner.jaxpr.invars
                self._visit(
                    inner.jaxpr,
                    places[[operand is params for operand in operands].index(True)],
                    {var: known[o] for var, o in zip(places, operands, strict=True) if not hasattr(o, "val") and o in known},
                    here,
                )
            elif not self._is_product(equation, params, known, here):
                self.uses_params = True

    def _follow(self, equation: Any, known: dict[Any, Known]) -> None:
        """Note what is a known array but for its sign, its order of axes, or its kind."""
        name, (operand,), (out,) = equation.primitive.name, equation.invars, equation.outvars
        which, sign, transposed = known[operand]
        if name in ("device_put", "copy") or (name == "convert_element_type" and operand.aval.dtype.kind in "iub"):
            known[out] = known[operand]
        elif name == "neg":
            known[out] = (which, -sign, transposed)
        elif name == "transpose" and tuple(equation.params["permutation"]) == (1, 0):
            known[out] = (which, sign, not transposed)

    def _is_product(self, equation: Any, params: Any, known: dict[Any, Known], here: tuple[int, ...]) -> bool:
        if equation.primitive.name != "dot_general":
            return False
        left, right = equation.invars
        (contract_left, contract_right), (batch_left, _) = equation.params["dimension_numbers"]
        matrix, axes = (left, contract_left) if right is params else (right, contract_right)
        if batch_left or matrix is params or hasattr(matrix, "val") or matrix not in known or len(axes) != 1:
            return False
        if len(matrix.aval.shape) != 2 or matrix.aval.dtype.kind not in "iubf":
            return False
        which, sign, transposed = known[matrix]
        entry = (which, sign, transposed != (axes[0] == 0))
        if entry not in self.matrices:
            self.matrices.append(entry)
        self._products[here] = self.matrices.index(entry)
        return True

    def evaluate(self, constants: Sequence[Any], leaves: Sequence[Any], predictors: Sequence[Any], params: Any) -> Any:
        """Return the objective of given linear predictors, and of the parameters where it uses them otherwise."""
        return self._run(self.jaxpr, constants, (params, *leaves), predictors, ())[0].reshape(())

    def _run(
        self, jaxpr: Any, constants: Sequence[Any], arguments: Sequence[Any], predictors: Sequence[Any], path: tuple[int, ...]
    ) -> list[Any]:
        values: dict[Any, Any] = dict(zip(jaxpr.constvars, constants, strict=True))
        values.update(zip(jaxpr.invars, arguments, strict=True))

        def read(operand: Any) -> Any:
            return operand.val if hasattr(operand, "val") else values[operand]

        for place, equation in enumerate(jaxpr.eqns):
            here = (*path, place)
            inputs = [read(operand) for operand in equation.invars]
            if here in self._products:
                outputs = [predictors[self._products[here]]]
            elif any(other[: len(here)] == here for other in self._products):
                outputs = self._run(equation.params["jaxpr"].jaxpr, (), inputs, predictors, here)
            else:
                bound = equation.primitive.get_bind_params(equation.params)
                functions, parameters = bound if isinstance(bound, tuple) else ((), bound)  # the former before JAX 0.10
                answer = equation.primitive.bind(*functions, *inputs, **parameters)
                outputs = list(answer) if equation.primitive.multiple_results else [answer]
            values.update(zip(equation.outvars, outputs, strict=True))
        return [read(operand) for operand in jaxpr.outvars]


class LinearDerivatives(Derivatives):
    """An objective f(M1 x, M2 x, ..., x) with a diagonal Hessian of f, as sums over the rows of the matrices."""

    def __init__(self, traced: Traced, form: LinearForm):
        jax = jax_module()
        self.p = traced.p
        self.epsilon = traced.epsilon
        self.exact_up_to = float("inf")
        known = (*traced.constants, *traced.leaves)
        self.matrices = []
        for which, sign, transposed in form.matrices:
            matrix = sign * np.asarray(known[which], dtype=np.float64)
            self.matrices.append(np.asfortranarray(matrix.T if transposed else matrix))
        self.uses_params = form.uses_params

        def build() -> Any:
            def evaluate(constants: Any, leaves: Any, z: Any, direction: Any) -> Any:
                def of(z: Any) -> Any:
                    *predictors, params = z
                    return form.evaluate(constants, leaves, predictors, params)

                (value, slope), (_, curvature) = jax.jvp(jax.value_and_grad(of), (z,), (direction,))
                return value, slope, curvature

            return jax.jit(evaluate)

        self._function = _compiled((traced.key, "linear"), build)
        count = len(traced.constants)
        values = [jax.device_put(value) for value in known]
        self._constants, self._leaves = values[:count], values[count:]
        self._kind = traced.kind
        self._ones = [np.ones(length, dtype=self._kind) for length in (*map(len, self.matrices), self.p)]
        draw = np.random.default_rng(0)
        self._signs = [draw.choice([-1.0, 1.0], size=len(ones)).astype(self._kind) for ones in self._ones]
        self._gathered: tuple[Columns, list[Matrix]] | None = None
        self._parts: OrderedDict[bytes, list[Matrix]] = OrderedDict()

    def parts(self, columns: Columns) -> list[Matrix]:
        """Return some columns of the matrices, views of consecutive ones; those of the last lists, which are scanned often, are kept."""
        first, last = int(columns[0]), int(columns[-1])
        if last - first == len(columns) - 1 and (np.diff(columns) == 1).all():
            return [matrix[:, first : last + 1] for matrix in self.matrices]
        key = columns.tobytes()
        if key not in self._parts:
            self._parts[key] = [np.asfortranarray(matrix[:, columns]) for matrix in self.matrices]
            while len(self._parts) > 2:
                self._parts.popitem(last=False)
        return self._parts[key]

    def gathered(self, columns: Columns) -> list[Matrix]:
        """Return some columns of the matrices; those of the last call are kept."""
        if self._gathered is None or not np.array_equal(self._gathered[0], columns):
            self._gathered = columns, [np.asfortranarray(matrix[:, columns]) for matrix in self.matrices]
        return self._gathered[1]

    def evaluate(self, z: list[Vector], direction: list[Vector] | None = None) -> tuple[float, list[Vector], list[Vector]]:
        """Return f, its slope and its curvature."""
        value, slope, curvature = self._function(
            self._constants,
            self._leaves,
            [part.astype(self._kind, copy=False) for part in z],
            self._ones if direction is None else direction,
        )
        return (
            float(value),
            [np.asarray(part, dtype=np.float64) for part in slope],
            [np.asarray(part, dtype=np.float64) for part in curvature],
        )

    def without_flat_rows(self, z: list[Vector], value: float, slope: list[Vector]) -> list[Vector]:
        """Return slopes with 0 for NaN where the objective does not change when these numbers do, by one up or down.

        Far out on the right side of it, the loss of a row is 0 and its derivative inf / inf, as that of 1 / (1 + exp(-m)) is.
        """
        lost = [~np.isfinite(part) for part in slope]
        for step in (-1.0, 1.0):
            moved = self.evaluate([np.where(which, part + step, part) for part, which in zip(z, lost, strict=True)])[0]
            if not abs(moved - value) <= 4 * self.epsilon * abs(value):
                return slope
        return [np.where(which, 0.0, part) for part, which in zip(slope, lost, strict=True)]

    def at(self, params: Vector, columns: Columns) -> Point:
        return LinearPoint(self, params, columns)

    def check_diagonal(self, z: list[Vector], curvature: list[Vector]) -> None:
        """Raise NotDiagonalError unless the curvature of f is that of each number alone."""
        signed = self.evaluate(z, self._signs)[2]
        for ours, signs, theirs in zip(curvature, self._signs, signed, strict=True):
            size = float(np.abs(ours).max(initial=0.0))
            known = np.isfinite(ours) & np.isfinite(theirs)
            apart = np.abs(ours * signs - theirs)[known].max(initial=0.0)
            if apart > 1e3 * self.epsilon * size:
                raise NotDiagonalError


class LinearPoint(Point):
    """A point of :class:`LinearDerivatives`."""

    def __init__(self, of: LinearDerivatives, params: Vector, columns: Columns):
        self._of, self.params, self.columns = of, params, columns
        if len(columns):
            coef = params[columns]
            z = [gathered @ coef for gathered in of.gathered(columns)]
        else:
            z = [matrix @ params for matrix in of.matrices]
        self._z = [*z, params]
        self.value, self._slope, curvature = of.evaluate(self._z)
        if np.isfinite(self.value) and not all(np.isfinite(slope).all() for slope in self._slope):
            self._slope = of.without_flat_rows(self._z, self.value, self._slope)
        # A careless formula loses the curvature first (e^2 overflows before e does), of rows that have next to none.
        self._curvature = [
            np.where(np.isfinite(bent) | ~np.isfinite(slope), bent, 0.0)
            for bent, slope in zip(curvature, self._slope, strict=True)
        ]
        self._active: tuple[Vector, Matrix] | None = None
        self._verified = False

    def active(self) -> tuple[Vector, Matrix]:
        if self._active is None:
            gradient = self.active_gradient()
            hessian = np.zeros((len(gradient), len(gradient)))
            for gathered, curvature in zip(self._of.gathered(self.columns), self._curvature, strict=False):
                hessian += gathered.T @ (gathered * curvature[:, None])
            if self._of.uses_params:
                hessian[np.diag_indices(len(gradient))] += self._curvature[-1][self.columns]
            self._active = gradient, hessian
        return self._active

    def active_gradient(self) -> Vector:
        gradient = np.zeros(len(self.columns))
        for gathered, slope in zip(self._of.gathered(self.columns), self._slope, strict=False):
            gradient += gathered.T @ slope
        return gradient + self._slope[-1][self.columns] if self._of.uses_params else gradient

    def gradient(self, columns: Columns | None = None) -> Vector:
        asked = np.arange(self._of.p) if columns is None else columns
        gradient = np.zeros(len(asked))
        for part, slope in zip(self._of.parts(asked), self._slope, strict=False):
            gradient += part.T @ slope
        return gradient + self._slope[-1][asked] if self._of.uses_params else gradient

    def cross(self, columns: Columns | None = None) -> Matrix:
        if not self._verified:
            self._of.check_diagonal(self._z, self._curvature)
            self._verified = True
        asked = np.arange(self._of.p) if columns is None else columns
        cross = np.zeros((len(asked), len(self.columns)))
        gathered = self._of.gathered(self.columns)
        for part, active, curvature in zip(self._of.parts(asked), gathered, self._curvature, strict=False):
            cross += part.T @ (active * curvature[:, None])
        if self._of.uses_params:
            cross += (asked[:, None] == self.columns) * self._curvature[-1][self.columns]
        return cross

    def diagonal(self, columns: Columns) -> Vector:
        diagonal = np.zeros(len(columns))
        for part, curvature in zip(self._of.parts(columns), self._curvature, strict=False):
            for begin in range(0, len(columns), 256):
                diagonal[begin : begin + 256] += (part[:, begin : begin + 256] ** 2).T @ curvature
        return diagonal + self._curvature[-1][columns] if self._of.uses_params else diagonal

    def within(self, columns: Columns, starts: Columns) -> list[Matrix]:
        blocks = [np.zeros((end - begin, end - begin)) for begin, end in pairwise(starts.tolist())]
        for part, curvature in zip(self._of.parts(columns), self._curvature, strict=False):
            weighted = part * curvature[:, None]
            for block, (begin, end) in zip(blocks, pairwise(starts.tolist()), strict=True):
                block += part[:, begin:end].T @ weighted[:, begin:end]
        if self._of.uses_params:
            for block, (begin, end) in zip(blocks, pairwise(starts.tolist()), strict=True):
                block[np.diag_indices(end - begin)] += self._curvature[-1][columns[begin:end]]
        return blocks


def derivatives_of(traced: Traced, directions: int, start: Vector, *, linear: bool = True) -> Derivatives:
    """Return the derivatives of a traced objective by the best form that it has."""
    if linear:
        try:
            derivatives = LinearDerivatives(traced, LinearForm(traced))
            first = derivatives.at(start, np.empty(0, dtype=np.int64))
            if isinstance(first, LinearPoint):
                first.cross()  # verifies the diagonal
            return derivatives
        except (_NotLinearError, NotDiagonalError):
            pass
    return JaxDerivatives(traced, directions)

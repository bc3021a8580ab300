"""Compile traced objectives, and keep the compiled functions for objectives of the same form.

Compilation takes longer than most searches. Therefore a compiled function is kept, and used again for an objective of the same
form with other numbers. Two objectives have the same form if everything from which the compiled function is made is equal: the
equations of the traced function, their parameters, their inner functions, and the rules of differentiation, up to the second
derivatives that a search needs. Arrays do not belong to the form. They are arguments of the compiled function, wherever they
occur in it, and another array of the same shape can be passed. An objective with a part that cannot be compared, such as a
callback to a Python function, is compiled for one search only.
"""

from __future__ import annotations

import dataclasses
import enum
import threading
import types
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ._rewrite import Rewriter, aval_of, bodies_of, jax_module, rule_of

__all__ = ["Form", "RuleError", "compiled", "finished"]

# Compiled functions by the form of the objective. The least recently used ones are removed first.
_COMPILED: OrderedDict[Any, Any] = OrderedDict()
_MOST_COMPILED = 64
_LOCK = threading.Lock()

# A search needs second derivatives, so rules of differentiation, and the rules that these use, belong to the form.
_ORDER = 2

_CALLS_WITH_OWN_BACKWARD_PASS = ("custom_vjp_call", "custom_vjp_call_jaxpr")


class RuleError(Exception):
    """A rule of differentiation cannot be read after the trace, so it must be applied during the trace."""


class Form:
    """The form of a traced function.

    Parameters
    ----------
    closed : ClosedJaxpr
        The traced function.
    order : int, default=2
        The highest order of the derivatives that will be needed.

    Attributes
    ----------
    key : hashable or None
        Equal for functions that differ only in the values of arrays, or None if the function cannot be compared.
    slots : list
        Arrays of inner functions and of rules, which are not among the constants of the function itself.
    has_rules : bool
        Whether the function has a rule of differentiation of its own.
    """

    def __init__(self, closed: Any, order: int = _ORDER):
        self.slots: list[Any] = []
        self.has_rules = False
        self._slot_of: dict[int, int] = {}
        self._seen: dict[tuple[int, int], Any] = {}
        self._has_no_key = False
        form = self._jaxpr(closed.jaxpr, order)
        self.key: Any = None if self._has_no_key else form

    def _jaxpr(self, jaxpr: Any, order: int) -> Any:
        if (id(jaxpr), order) not in self._seen:
            names: dict[Any, int] = {}
            head = tuple(self._name(var, names) for var in (*jaxpr.constvars, *jaxpr.invars))
            equations = []
            for equation in jaxpr.eqns:
                inputs = tuple(self._operand(operand, names) for operand in equation.invars)
                parameters = self._parameters(equation, order)
                outputs = tuple(self._name(var, names) for var in equation.outvars)
                equations.append((equation.primitive, inputs, parameters, outputs, self._context(equation)))
            results = tuple(self._operand(operand, names) for operand in jaxpr.outvars)
            self._seen[id(jaxpr), order] = (len(jaxpr.constvars), head, tuple(equations), results)
        return self._seen[id(jaxpr), order]

    def _name(self, var: Any, names: dict[Any, int]) -> Any:
        names[var] = len(names)
        return self._value(var.aval, 0)

    def _operand(self, operand: Any, names: dict[Any, int]) -> Any:
        if hasattr(operand, "val"):
            return "number", self._content(operand.val), self._value(operand.aval, 0)
        return names[operand]

    def _context(self, equation: Any) -> Any:
        context = getattr(equation, "ctx", None)
        names = ("compute_type", "threefry_partitionable", "cur_abstract_mesh", "xla_metadata")
        return tuple(self._value(getattr(context, name, None), 0) for name in names)

    def _parameters(self, equation: Any, order: int) -> Any:
        name, parameters = equation.primitive.name, equation.params
        if name in _CALLS_WITH_OWN_BACKWARD_PASS:
            if order:
                raise RuleError
            body = parameters.get("call_jaxpr", parameters.get("fun_jaxpr"))
            return self._value(body, 0)
        if name == "custom_jvp_call":
            return self._with_rule(equation, order)
        return tuple((key, self._value(parameters[key], order)) for key in sorted(parameters))

    def _with_rule(self, equation: Any, order: int) -> Any:
        body = self._value(equation.params["call_jaxpr"], 0)
        if not order:
            return body
        self.has_rules = True
        if equation.params.get("symbolic_zeros"):
            raise RuleError
        jax = jax_module()
        try:
            rule, constants, vanishes = rule_of(equation)
        except jax.errors.UnexpectedTracerError:
            raise RuleError from None
        if any(isinstance(constant, jax.core.Tracer) for constant in constants):
            raise RuleError
        return body, self._jaxpr(rule, order - 1), tuple(map(self._array, constants)), tuple(vanishes)

    def _value(self, value: Any, order: int) -> Any:
        """Return the part of the key for a parameter of an equation; numbers have their types, because True equals 1."""
        if value is None or isinstance(value, (bool, int, str, bytes, enum.Enum, np.dtype, type)):
            return type(value), value
        if isinstance(value, (float, complex)):
            return self._content(value)
        if hasattr(value, "eqns"):  # ClosedJaxpr or Jaxpr
            constants = tuple(map(self._array, getattr(value, "consts", ())))
            return self._jaxpr(getattr(value, "jaxpr", value), order), constants
        if isinstance(value, (tuple, list)):
            return type(value), tuple(self._value(part, order) for part in value)
        if isinstance(value, dict):
            return tuple((self._value(key, order), self._value(part, order)) for key, part in value.items())
        if isinstance(value, (np.ndarray, np.generic)) or hasattr(value, "__array__"):
            return self._array(value)
        if dataclasses.is_dataclass(value) and not callable(value):
            return type(value), tuple(self._value(getattr(value, field.name), order) for field in dataclasses.fields(value))
        return self._object(value)

    def _object(self, value: Any) -> Any:
        # Objects of JAX are compared by value. Functions are compared by identity, which is safe only without a closure.
        owner = value if isinstance(value, types.FunctionType) else type(value)
        of_jax = owner.__module__.split(".")[0] in ("jax", "jaxlib")
        is_plain = (
            not callable(value)
            or type(value).__name__ == "Mesh"  # which is called as a decorator
            or (isinstance(value, types.FunctionType) and not value.__closure__)
        )
        try:
            hash(value)
        except TypeError:
            of_jax = False
        if not (of_jax and is_plain):
            self._has_no_key = True
            return None
        return type(value), value

    def _array(self, value: Any) -> Any:
        """Return the part of the key for an array, which is its slot; single numbers are part of the form, as in jaxprs."""
        aval = aval_of(value)
        if not aval.shape:
            return "number", self._content(value), self._value(aval, 0)
        if id(value) not in self._slot_of:
            self._slot_of[id(value)] = len(self.slots)
            self.slots.append(value)
        return "slot", self._slot_of[id(value)], self._value(aval, 0)

    def _content(self, value: Any) -> Any:
        try:
            array = np.asarray(value)
        except TypeError:  # keys of random numbers
            self._has_no_key = True
            return None
        if array.dtype == object:
            self._has_no_key = True
            return None
        return type(value), array.shape, str(array.dtype), array.tobytes()


def compiled(key: Any, build: Callable[[], tuple[Any, bool]]) -> Any:
    """Return the function that is kept under a key, or build it.

    ``build`` returns the function, and whether it may be kept. If the key is None, it is not kept.
    """
    if key is None:
        return build()[0]
    with _LOCK:
        if key in _COMPILED:
            _COMPILED.move_to_end(key)
            return _COMPILED[key]
    made, may_be_kept = build()
    if may_be_kept:
        with _LOCK:
            _COMPILED[key] = made
            while len(_COMPILED) > _MOST_COMPILED:
                _COMPILED.popitem(last=False)
    return made


def finished(evaluate: Callable[..., Any], form: Form, arguments: Sequence[Any]) -> tuple[Any, bool]:
    """Compile a function, without references to the user's objects.

    Parameters
    ----------
    evaluate : callable
        A function of nested lists of arrays.
    form : Form
        The form of the objective that it evaluates.
    arguments : sequence
        Examples of its arguments, which define shapes and dtypes.

    Returns
    -------
    callable
        The compiled function, whose arguments are the slots and then those of ``evaluate``.
    bool
        Whether it may be used with the slots of other objectives of the same form.
    """
    jax = jax_module()
    if form.key is None or not (form.has_rules or form.slots):
        # The function has only equations, or it is used for one search only, after which it is deleted with its references.
        return jax.jit(lambda slots, *arguments: evaluate(*arguments)), form.key is not None
    closed, shape = jax.make_jaxpr(evaluate, return_shape=True)(*arguments)
    structure = jax.tree.structure(shape)
    # As the function is already differentiated, it does not need the rules, or the functions from which they were made.
    plain = Rewriter(double=False, rules=False).rewritten(closed)
    slot_of = {id(value): i for i, value in enumerate(form.slots)}
    may_be_kept = not form.slots or (
        all(id(constant) in slot_of for constant in plain.consts) and not _has_inner_arrays(plain.jaxpr)
    )
    constants = plain.consts
    places = [slot_of[id(constant)] for constant in constants] if form.slots and may_be_kept else None
    if places is not None:
        constants = []

    def run(slots: Any, *arguments: Any) -> Any:
        values = constants if places is None else [slots[place] for place in places]
        return jax.tree.unflatten(structure, jax.core.eval_jaxpr(plain.jaxpr, values, *jax.tree.leaves(arguments)))

    return jax.jit(run), may_be_kept


def _has_inner_arrays(jaxpr: Any) -> bool:
    return any(
        any(aval_of(constant).shape for constant in getattr(body, "consts", ()))
        or _has_inner_arrays(getattr(body, "jaxpr", body))
        for equation in jaxpr.eqns
        for body in bodies_of(equation)
    )

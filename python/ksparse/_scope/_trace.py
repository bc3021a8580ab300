"""Objectives in JAX's intermediate form.

An objective is traced anew in each call, and the arrays that it closes over become arguments of what is compiled (:mod:`._program`), so
that another objective of the same form, over other data of the same shapes, needs no compilation, and data that have changed since
are seen.

It is traced in the precision that the user has configured, float32 unless ``jax_enable_x64`` is set. What was traced in float32 is
then written anew in float64, equation by equation (:mod:`._rewrite`), and run so: with a probability of 1 - 1e-8, which float32 does
not know from 1, many an objective is infinite in float32 where its minimum is. (To trace it in float64 in the first place, inside of
``jax.enable_x64``, would break the user's own functions of float32 afterwards: JAX 0.10 keeps one conversion of an array of NumPy for
both.) An objective that has no form in float64 is run in float32.

Rules of differentiation are looked at after the trace. That is too late for those of ``custom_vjp``, and for those that use
numbers that were computed in the objective: such an objective is differentiated while it is traced.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ._derivatives import ObjectiveError
from ._program import Form, RuleError, compiled
from ._rewrite import NoDoubleError, Rewriter, double_precision, has_narrow, jax_module, wide_value

__all__ = ["Traced", "products_of", "trace"]


class Traced:
    """An objective in JAX's intermediate form.

    Attributes
    ----------
    jaxpr : jax.extend.core.Jaxpr
        Takes the parameters, then the leaves of the data.
    constants, leaves : list
        What the objective closes over, and its data.
    form : Form
        What it is recognised by.
    kind : dtype
        Of the parameters.
    rewritten : bool
        Whether it is in float64 though the user's configuration is not: it is to be run within :func:`double_precision`.
    directions : int or None
        A number if it is differentiated already: it then takes the parameters, so many directions, and the leaves, and returns
        value, gradient, and products of the Hessian with the directions.
    epsilon : float
        Of the numbers that it returns.
    """

    def __init__(
        self,
        closed: Any,
        leaves: list[Any],
        p: int,
        kind: Any,
        *,
        form: Form | None = None,
        rewritten: bool = False,
        directions: int | None = None,
    ):
        self.jaxpr, self.constants, self.leaves = closed.jaxpr, list(closed.consts), leaves
        self.p, self.kind, self.rewritten, self.directions = p, kind, rewritten, directions
        self.epsilon = float(jax_module().numpy.finfo(closed.out_avals[0].dtype).eps)
        self.form = form or (Form(closed) if directions is None else Form(closed, order=0))

    def key_of(self, *use: Any) -> Any:
        """Return the key of what is compiled of the objective for some use; None if it has none."""
        return None if self.form.key is None else (self.form.key, *use)

    def on_device(self) -> tuple[list[Any], list[Any], list[Any]]:
        """Return slots, constants and leaves as arrays of JAX."""
        jax = jax_module()
        slots, constants, leaves = (
            [jax.device_put(value) for value in values] for values in (self.form.slots, self.constants, self.leaves)
        )
        return slots, constants, leaves


def trace(objective: Callable[..., Any], data: tuple[Any, ...], p: int, directions: int = 16) -> Traced:
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
            _check_output(shape)
            try:
                return _in_best_precision(closed, leaves, p, kind)
            except RuleError:
                return _differentiated(of_leaves, leaves, p, kind, directions)
        except jax.errors.JAXTypeError as failure:  # it needs numbers where tracing has none
            error = failure
            continue
        except TypeError as failure:
            if "not a valid JAX type" not in str(failure):
                raise
            raise ObjectiveError(
                "objective returned something that is neither a number nor an array; it must return a real number"
            ) from failure
    raise ObjectiveError(
        "objective cannot be traced by JAX, since it asks for the values of its parameters (as NumPy's functions, float() and "
        "`if` do): write it with jax.numpy and jax.lax, or give its gradient as gradient=..."
    ) from error


def _in_best_precision(closed: Any, leaves: list[Any], p: int, kind: Any) -> Traced:
    traced = Traced(closed, leaves, p, kind)
    if kind == np.float64:
        return traced
    try:
        with double_precision(True):
            return _in_double_precision(closed, traced, p)
    except NoDoubleError:
        return traced


def _in_double_precision(closed: Any, narrow: Traced, p: int) -> Traced:
    """Write an objective in float32 anew in float64."""
    jax = jax_module()
    constants = [wide_value(constant) for constant in closed.consts]
    # As the user gave them; where that is float64, nothing is lost.
    leaves = [wide_value(leaf) for leaf in narrow.leaves]

    def build() -> tuple[Any, bool]:
        wide = Rewriter(double=True, rules=True).function(closed.jaxpr)

        def objective(x: Any, *rest: Any) -> Any:
            return wide(rest[: len(constants)], (x, *rest[len(constants) :]))[0]

        try:
            again = jax.make_jaxpr(objective)(jax.ShapeDtypeStruct((p,), np.float64), *constants, *leaves)
        except (TypeError, ValueError, NotImplementedError, KeyError, AttributeError):
            return None, True
        # What stands in slots is inside of what was made.
        return None if has_narrow(again.jaxpr) else (again, Form(again)), not narrow.form.slots

    shapes = tuple((value.shape, str(value.dtype)) for value in (*constants, *leaves))
    made = compiled(narrow.key_of("float64", shapes), build)
    if made is None:
        raise NoDoubleError
    again, form = made
    return Traced(again, [*constants, *leaves], p, np.dtype(np.float64), form=form, rewritten=True)


def _differentiated(objective: Callable[..., Any], leaves: list[Any], p: int, kind: Any, directions: int) -> Traced:
    """Trace an objective together with its derivatives."""
    jax = jax_module()
    shapes = jax.ShapeDtypeStruct((p,), kind), jax.ShapeDtypeStruct((directions, p), kind)

    def evaluate(x: Any, directions: Any, *leaves: Any, by_reverse: bool = False) -> Any:
        return products_of(lambda x: objective(x, *leaves).reshape(()), x, directions, by_reverse=by_reverse)

    try:
        closed = jax.make_jaxpr(evaluate)(*shapes, *leaves)
    except TypeError as failure:
        # A rule of custom_vjp may call the function that it belongs to, which cannot be differentiated forwards.
        if "forward-mode" not in str(failure):
            raise
        closed = jax.make_jaxpr(lambda *arguments: evaluate(*arguments, by_reverse=True))(*shapes, *leaves)
    if kind != np.float64:
        try:
            with double_precision(True):
                wide = Rewriter(double=True, rules=False).rewritten(closed)
                if not has_narrow(wide.jaxpr):
                    leaves_of_64 = [wide_value(leaf) for leaf in leaves]
                    return Traced(wide, leaves_of_64, p, np.dtype(np.float64), rewritten=True, directions=directions)
        except (NoDoubleError, TypeError, ValueError, NotImplementedError, KeyError, AttributeError):
            pass
    return Traced(Rewriter(double=False, rules=False).rewritten(closed), leaves, p, kind, directions=directions)


def products_of(objective: Callable[..., Any], x: Any, directions: Any, *, by_reverse: bool = False) -> tuple[Any, Any, Any]:
    """Return value and gradient of a function of JAX, and the products of its Hessian with some directions.

    The gradient is differentiated forwards, which is the faster way, or backwards.
    """
    jax = jax_module()
    both = jax.value_and_grad(objective)
    if by_reverse:
        (value, gradient), pull = jax.vjp(both, x)
        return value, gradient, jax.vmap(lambda direction: pull((jax.numpy.zeros_like(value), direction))[0])(directions)
    (value, gradient), (_, products) = jax.vmap(
        lambda direction: jax.jvp(both, (x,), (direction,)), out_axes=((None, None), 0)
    )(directions)
    return value, gradient, products


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

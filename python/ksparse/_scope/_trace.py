"""Trace objectives to JAX's intermediate representation (jaxpr).

An objective is traced in each call. The arrays that it closes over become arguments of the compiled function
(:mod:`._program`). Therefore another objective of the same form, with other data of the same shapes, needs no new compilation,
and changes of the data take effect.

It is traced in the precision that the user has configured, which is float32 unless ``jax_enable_x64`` is set. An objective in
float32 is then converted to float64, equation by equation (:mod:`._rewrite`). The reason is that float32 cannot tell a
probability of 1 - 1e-8 from 1, so that many objectives are infinite at their minimum in float32. (Tracing in float64, within
``jax.enable_x64``, would break the user's own functions in float32 afterwards, because JAX 0.10 keeps one conversion of a NumPy
array for both.) An objective that cannot be converted runs in float32.

Rules of differentiation are read after the trace. This is too late for rules of ``custom_vjp``, and for rules that use numbers
computed in the objective. Such an objective is differentiated while it is traced.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ._calls import without_jit
from ._derivatives import ObjectiveError
from ._program import Form, RuleError, compiled
from ._rewrite import NoDoubleError, Rewriter, double_precision, has_narrow, jax_module, wide_value

__all__ = ["NotTraceableError", "Traced", "products_of", "trace"]


class NotTraceableError(ObjectiveError):
    """An objective needs the values of its parameters, which it does not have while it is traced."""


class Traced:
    """An objective in JAX's intermediate representation.

    Attributes
    ----------
    jaxpr : jax.extend.core.Jaxpr
        The function. Its arguments are the parameters, then the leaves of the data.
    constants, leaves : list
        The arrays that the objective closes over, and those of its data.
    form : Form
        The form of the function, by which compiled code is found again.
    kind : dtype
        Type of the parameters.
    rewritten : bool
        Whether it was converted to float64 although JAX is configured for float32. It must then run within
        :func:`double_precision`.
    directions : int or None
        None, or a number if the function is already differentiated. Its arguments are then the parameters, this number of
        directions, and the leaves; it returns the value, the gradient, and the products of the Hessian with the directions.
    epsilon : float
        Machine epsilon of the numbers that it returns.
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
        """Return the key under which compiled code of the objective for some use is kept, or None."""
        return None if self.form.key is None else (self.form.key, *use)

    def on_device(self) -> tuple[list[Any], list[Any], list[Any]]:
        """Return slots, constants and leaves as JAX arrays."""
        jax = jax_module()
        slots, constants, leaves = (
            [jax.device_put(value) for value in values] for values in (self.form.slots, self.constants, self.leaves)
        )
        return slots, constants, leaves


def trace(objective: Callable[..., Any], data: tuple[Any, ...], p: int, directions: int = 16) -> Traced:
    """Trace an objective of p parameters and, if there are any, of data.

    Raises
    ------
    ObjectiveError
        If it does not return a real number, or cannot be traced.
    """
    jax = jax_module()
    objective = without_jit(objective)
    kind = jax.dtypes.canonicalize_dtype(np.float64)
    error: Exception | None = None
    # Data that are arguments may change without a compilation, but some objectives need their values during the trace.
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
        except jax.errors.JAXTypeError as failure:  # it needs the values of its arguments
            error = failure
            continue
        except TypeError as failure:
            if "not a valid JAX type" not in str(failure):
                raise
            raise ObjectiveError(
                "objective returned something that is neither a number nor an array; it must return a real number"
            ) from failure
    raise NotTraceableError(
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
    """Convert an objective in float32 to float64."""
    jax = jax_module()
    constants = [wide_value(constant) for constant in closed.consts]
    # The original arrays are used, so those in float64 lose no digits.
    leaves = [wide_value(leaf) for leaf in narrow.leaves]

    def build() -> tuple[Any, bool]:
        wide = Rewriter(double=True, rules=True).function(closed.jaxpr)

        def objective(x: Any, *rest: Any) -> Any:
            return wide(rest[: len(constants)], (x, *rest[len(constants) :]))[0]

        try:
            again = jax.make_jaxpr(objective)(jax.ShapeDtypeStruct((p,), np.float64), *constants, *leaves)
        except (TypeError, ValueError, NotImplementedError, KeyError, AttributeError):
            return None, True
        # With slots, their arrays are constants of the new function, so it cannot be kept for other objectives.
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
        # A rule of custom_vjp may call the function that it belongs to, which has no forward-mode derivative.
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
    """Return the value and the gradient of a JAX function, and the products of its Hessian with some directions.

    The gradient is differentiated in forward mode, which is faster, or in reverse mode.
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
    if output.size != 1:
        raise ObjectiveError(f"objective returned shape {output.shape}; it must return a number, such as the mean of these")

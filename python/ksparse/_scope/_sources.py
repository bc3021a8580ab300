"""Where the derivatives of an objective come from: the user's functions, a traced objective, or one that JAX runs as it is.

An objective in JAX is traced where that is possible (:mod:`._trace`). One that asks for the values of its parameters, as ``if loss > c``
and ``float()`` do, is differentiated by JAX while Python runs it. One that cannot be differentiated twice, as with a rule of
``custom_vjp`` that calls back to Python, has a gradient; in the place of the Hessian there are differences of gradients.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ._derivatives import Derivatives, HostDerivatives, ObjectiveError, Vector
from ._jax import Traced, derivatives_of, double_precision, jax_module, trace
from ._trace import NotTraceableError

__all__ = ["Functions", "Source", "source_of"]

# Up to this number of parameters, an objective that is not traced has its Hessian computed whole.
LARGEST_EAGER_HESSIAN = 256


class Functions:
    """The user's functions, each of the parameters and the data."""

    def __init__(
        self,
        objective: Callable[..., Any],
        gradient: Callable[..., Any] | None = None,
        hessian: Callable[..., Any] | None = None,
        hessian_product: Callable[..., Any] | None = None,
    ):
        self.objective, self.gradient, self.hessian, self.hessian_product = objective, gradient, hessian, hessian_product


class Source:
    """A way to compute the derivatives of an objective.

    Attributes
    ----------
    is_compiled : bool
        Whether JAX compiles it, in which time interrupts have to wait.
    is_rewritten : bool
        Whether it is to be run within :func:`double_precision`.
    """

    is_compiled = False
    is_rewritten = False

    def derivatives(self, *, linear: bool, directions: int | None = None) -> Derivatives:
        """Return the derivatives.

        Parameters
        ----------
        linear : bool
            Whether an objective of linear predictors may be treated as one.
        directions : int or None
            Products with the Hessian in one call.
        """
        raise NotImplementedError


class TracedSource(Source):
    """An objective that JAX has traced."""

    is_compiled = True

    def __init__(self, traced: Traced, directions: int):
        self._traced, self._directions = traced, directions
        self.is_rewritten = traced.rewritten
        self._made: dict[
            tuple[bool, int], Derivatives
        ] = {}  # an objective that cannot be recognised is compiled for each of them

    def derivatives(self, *, linear: bool, directions: int | None = None) -> Derivatives:
        key = linear, directions or self._directions
        if key not in self._made:
            self._made[key] = derivatives_of(self._traced, key[1], np.zeros(self._traced.p), linear=linear)
        return self._made[key]


class HostSource(Source):
    """Functions that are called with arrays of NumPy.

    Parameters
    ----------
    functions : Functions
        The user's, or made of them by JAX.
    data : any
        Their last argument.
    p : int
        Number of parameters.
    epsilon : float
        Of the numbers that they return.
    """

    def __init__(self, functions: Functions, data: Any, p: int, *, epsilon: float = HostDerivatives.epsilon):
        self._functions, self._data, self._p, self._epsilon = functions, data, p, epsilon

    def derivatives(self, *, linear: bool, directions: int | None = None) -> Derivatives:
        of = self._functions
        assert of.gradient is not None
        derivatives = HostDerivatives(
            self._p, of.objective, of.gradient, of.hessian, of.hessian_product, (self._data,), epsilon=self._epsilon
        )
        return derivatives


def source_of(functions: Functions, data: Any, p: int, directions: int, start: Vector, *, jit: bool) -> Source:
    """Return the best way to compute the derivatives of an objective, which is tried at ``start``."""
    if functions.gradient is not None:
        if jit:
            objective, gradient = map(jax_module().jit, (functions.objective, functions.gradient))
            functions = Functions(objective, gradient, functions.hessian, functions.hessian_product)
        return HostSource(functions, data, p)
    try:
        source = TracedSource(trace(functions.objective, (data,), p, directions), directions)
    except NotTraceableError as error:
        return _eager(functions.objective, data, p, start, error)
    except ObjectiveError:
        raise
    except (TypeError, ValueError, NotImplementedError) as error:
        return _of_first_order(functions.objective, data, p, start, error)
    try:
        with double_precision(source.is_rewritten):
            source.derivatives(linear=True).at(start, np.zeros(1, dtype=np.int64))
    except ObjectiveError:
        raise
    except (TypeError, ValueError, NotImplementedError) as error:
        return _of_first_order(functions.objective, data, p, start, error)
    return source


def _of_first_order(objective: Callable[..., Any], data: Any, p: int, start: Vector, error: Exception) -> Source:
    """Return the value and the gradient of an objective that JAX cannot differentiate twice."""
    jax = jax_module()
    scalar = _scalar(objective)
    functions = Functions(jax.jit(scalar), jax.jit(jax.grad(scalar)))
    source = HostSource(functions, data, p, epsilon=_epsilon())
    try:
        source.derivatives(linear=False).at(start, np.empty(0, dtype=np.int64)).gradient()
    except (TypeError, ValueError, NotImplementedError, RuntimeError):
        raise error from None
    return source


def _eager(objective: Callable[..., Any], data: Any, p: int, start: Vector, error: ObjectiveError) -> Source:
    """Return the derivatives of an objective that JAX differentiates while Python runs it."""
    jax = jax_module()
    gradient = jax.grad(_scalar(objective))

    def hessian(params: Vector, data: Any) -> Any:
        kind = jax.numpy.result_type(float)
        _, product = jax.linearize(lambda x: gradient(x, data), jax.numpy.asarray(params, dtype=kind))
        return jax.vmap(product)(jax.numpy.eye(p, dtype=kind))

    try:
        if not _is_connected(objective, data, start):
            raise error
    except jax.errors.JAXTypeError:
        raise error from None
    is_twice = p <= LARGEST_EAGER_HESSIAN
    if is_twice:
        try:
            hessian(start, data)
        except (TypeError, ValueError, NotImplementedError):
            is_twice = False
    return HostSource(Functions(objective, gradient, hessian if is_twice else None), data, p, epsilon=_epsilon())


def _is_connected(objective: Callable[..., Any], data: Any, start: Vector) -> bool:
    """Whether JAX knows how the objective depends on its parameters, which ``return float(...)`` would hide from it."""
    jax = jax_module()
    hidden = set()
    draw = np.random.default_rng(0)
    for params in (start, *(start + draw.standard_normal(len(start)) for _ in range(2))):
        is_known: list[bool] = []

        def watched(x: Any, is_known: list[bool] = is_known) -> Any:
            answer = objective(x, data)
            is_known.append(isinstance(answer, jax.core.Tracer))
            return jax.numpy.asarray(answer).reshape(())

        value, _ = jax.value_and_grad(watched)(params)
        if not is_known[-1]:
            hidden.add(float(value))
    return len(hidden) <= 1  # a branch may return a constant


def _scalar(objective: Callable[..., Any]) -> Callable[..., Any]:
    numpy = jax_module().numpy
    return lambda params, data: numpy.asarray(objective(params, data)).reshape(())


def _epsilon() -> float:
    numpy = jax_module().numpy
    return float(numpy.finfo(numpy.result_type(float)).eps)

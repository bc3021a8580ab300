"""Objectives written in JAX: traced once, differentiated, compiled for all supports at once.

Two forms are told apart by looking at the traced objective (:mod:`._trace`):

*of linear predictors*
    the parameters occur in products with known matrices, and otherwise by themselves (as in a penalty), and what is made of these
    numbers z has a diagonal Hessian, which is verified at every scan by a product with random signs (:mod:`._linear`).
*of any other kind*
    value, gradient and products of the Hessian with a few vectors at a time, by forward over reverse differentiation.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ._derivatives import Columns, Derivatives, Matrix, Point, ProductPoint, Vector
from ._linear import LinearDerivatives, LinearForm, LinearPoint, NotDiagonalError, NotLinearError
from ._program import compiled, finished
from ._rewrite import double_precision, jax_module
from ._trace import Traced, products_of, trace

__all__ = ["JaxDerivatives", "NotDiagonalError", "Traced", "derivatives_of", "double_precision", "jax_module", "trace"]


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
        self.directions = directions if traced.directions is None else traced.directions
        self.epsilon = traced.epsilon
        self.curvature_noise = max(self.curvature_noise, 1e3 * self.epsilon)
        jaxpr, is_differentiated = traced.jaxpr, traced.directions is not None

        def evaluate(constants: Any, leaves: Any, x: Any, directions: Any) -> Any:
            if is_differentiated:
                return jax.core.eval_jaxpr(jaxpr, constants, x, directions, *leaves)
            return products_of(lambda x: jax.core.eval_jaxpr(jaxpr, constants, x, *leaves)[0].reshape(()), x, directions)

        self._known = traced.on_device()
        examples = np.zeros(self.p, dtype=traced.kind), np.zeros((self.directions, self.p), dtype=traced.kind)
        self._function = compiled(
            traced.key_of("products", self.directions), lambda: finished(evaluate, traced.form, (*self._known[1:], *examples))
        )
        self._kind = traced.kind

    def evaluate(self, params: Vector, columns: Columns) -> tuple[float, Vector, Matrix]:
        """Return value, gradient and the rows of the Hessian that belong to some columns, at most ``directions``."""
        directions = np.zeros((self.directions, self.p), dtype=self._kind)
        directions[np.arange(len(columns)), columns] = 1.0
        self.before_evaluation()
        value, gradient, products = self._function(*self._known, params.astype(self._kind, copy=False), directions)
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


def derivatives_of(traced: Traced, directions: int, start: Vector, *, linear: bool = True) -> Derivatives:
    """Return the derivatives of a traced objective by the best form that it has."""
    if linear and traced.directions is None:
        try:
            derivatives = LinearDerivatives(traced, LinearForm(traced))
            first = derivatives.at(start, np.empty(0, dtype=np.int64))
            if isinstance(first, LinearPoint):
                first.cross()  # verifies the diagonal
            return derivatives
        except (NotLinearError, NotDiagonalError):
            pass
    return JaxDerivatives(traced, directions)

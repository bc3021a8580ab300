"""Objectives that do not depend on the length of the vector of parameters, such as those that begin with ``w / sum(w)``.

Such an objective has no curvature along the vector of parameters. Refits would let the parameters grow without limit, and then no
other parameter could enter. A penalty, which is 0 at the minimum, therefore keeps the length near 1.
"""

from __future__ import annotations

import numpy as np

from ._derivatives import Columns, Derivatives, Matrix, Point, Vector

__all__ = ["GaugedDerivatives", "is_free_of_length"]

# Relative change of the objective, when all parameters are doubled or halved, that counts as none.
NO_CHANGE = 1e-7
# Least relative change of the objective between two points, without which it is constant.
SOME_CHANGE = 1e-4


def is_free_of_length(derivatives: Derivatives, bounds: tuple[Vector | None, Vector | None]) -> bool:
    """Return whether an objective does not depend on the length of the parameters, and the bounds allow any length."""
    if any(bound is not None and not np.isin(bound, (0.0, np.inf, -np.inf)).all() for bound in bounds):
        return False
    draw = np.random.default_rng(0)
    values = []
    for _ in range(2):
        params = draw.uniform(0.5, 1.5, derivatives.p)
        value = derivatives.value(params)
        if not (np.isfinite(value) and value != 0.0):
            return False
        for factor in (2.0, 0.5):
            if not abs(derivatives.value(factor * params) - value) <= max(NO_CHANGE, 8 * derivatives.epsilon) * abs(value):
                return False
        values.append(value)
    sparse = np.where(np.arange(derivatives.p) == 0, 1.0, 0.0)
    return abs(derivatives.value(sparse) - values[0]) > SOME_CHANGE * abs(values[0]) or values[0] != values[1]


class GaugedDerivatives(Derivatives):
    """An objective f with a penalty on the length, f(x) + weight (|x|^2 - 1)^2.

    Parameters
    ----------
    derivatives : Derivatives
        The objective.
    """

    def __init__(self, derivatives: Derivatives):
        self.of = derivatives
        self.p, self.epsilon = derivatives.p, derivatives.epsilon
        self.exact_up_to, self.curvature_noise = derivatives.exact_up_to, derivatives.curvature_noise
        self.weight = abs(derivatives.value(np.random.default_rng(0).uniform(0.5, 1.5, self.p)))

    def at(self, params: Vector, columns: Columns) -> Point:
        self.of.before_evaluation = self.before_evaluation
        return GaugedPoint(self.of.at(params, columns), self.weight)

    def value(self, params: Vector) -> float:
        return self.of.value(params) + self.weight * (float(params @ params) - 1.0) ** 2


class GaugedPoint(Point):
    """A point of :class:`GaugedDerivatives`."""

    def __init__(self, point: Point, weight: float):
        self._point, self.params, self.columns = point, point.params, point.columns
        excess = float(self.params @ self.params) - 1.0
        self.value = point.value + weight * excess**2
        self._slope, self._across = 4 * weight * excess, 8 * weight

    def active(self) -> tuple[Vector, Matrix]:
        gradient, hessian = self._point.active()
        x = self.params[self.columns]
        return gradient + self._slope * x, hessian + self._slope * np.eye(len(x)) + self._across * np.outer(x, x)

    def active_gradient(self) -> Vector:
        return self._point.active_gradient() + self._slope * self.params[self.columns]

    def gradient(self, columns: Columns | None = None) -> Vector:
        return self._point.gradient(columns) + self._slope * (self.params if columns is None else self.params[columns])

    def cross(self, columns: Columns | None = None) -> Matrix:
        asked = np.arange(len(self.params)) if columns is None else columns
        penalty = self._across * np.outer(self.params[asked], self.params[self.columns])
        return self._point.cross(columns) + penalty + self._slope * (asked[:, None] == self.columns)

    def diagonal(self, columns: Columns) -> Vector:
        return self._point.diagonal(columns) + self._slope + self._across * self.params[columns] ** 2

    def within(self, columns: Columns, starts: Columns) -> list[Matrix]:
        blocks = self._point.within(columns, starts)
        for block, begin, end in zip(blocks, starts[:-1], starts[1:], strict=True):
            x = self.params[columns[begin:end]]
            block += self._slope * np.eye(len(x)) + self._across * np.outer(x, x)
        return blocks

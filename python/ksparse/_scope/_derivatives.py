"""The derivatives of an objective that a search needs, and the ways to compute them without JAX.

:class:`Derivatives` represents an objective. It is evaluated at points with a few non-zero columns.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Derivatives", "HostDerivatives", "ObjectiveError", "Point", "describe"]

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Columns = NDArray[np.int64]


class ObjectiveError(ValueError):
    """An objective or its gradient returned an invalid value; the message names the point."""


def describe(params: Vector) -> str:
    """Describe a point in a message, in short form for long vectors."""
    chosen = np.flatnonzero(params)
    if len(chosen) == 0:
        return f"params = 0 (all {len(params)} of them)"
    shown = ", ".join(f"params[{j}] = {params[j]:.6g}" for j in chosen[:10])
    return f"{shown}{', ...' if len(chosen) > 10 else ''} and 0 elsewhere"


class Point(ABC):
    """An objective and its derivatives at one point, computed when they are asked for.

    ``columns`` are the active ones, in order; all others are 0, but for a start that the user has named.
    """

    params: Vector
    columns: Columns
    value: float

    @abstractmethod
    def active(self) -> tuple[Vector, Matrix]:
        """Return the gradient (d,) and the Hessian (d, d) by active column, the latter as good as steps of a refit need it."""

    def active_by_derivatives(self) -> tuple[Vector, Matrix]:
        """Return the same by derivatives at the point alone, where the Hessian looks further."""
        return self.active()

    def active_exactly(self) -> tuple[Vector, Matrix]:
        """Return the same, the Hessian as good as it gets."""
        return self.active()

    @abstractmethod
    def active_gradient(self) -> Vector:
        """Return the gradient alone."""

    @abstractmethod
    def gradient(self, columns: Columns | None = None) -> Vector:
        """Return the gradient by some columns, or by all."""

    @abstractmethod
    def cross(self, columns: Columns | None = None) -> Matrix:
        """Return some rows (c, d), or all, of the columns of the Hessian that belong to active ones."""

    @abstractmethod
    def diagonal(self, columns: Columns) -> Vector:
        """Return the diagonal of the Hessian at some columns."""

    @abstractmethod
    def within(self, columns: Columns, starts: Columns) -> list[Matrix]:
        """Return the Hessian among columns[starts[i]:starts[i + 1]] for each i."""

    def is_usable(self) -> bool:
        """Whether the value and the derivatives by active columns are finite."""
        if not np.isfinite(self.value):
            return False
        gradient, hessian = self.active()
        return bool(np.isfinite(gradient).all() and np.isfinite(hessian).all())


class Derivatives(ABC):
    """An objective of p parameters."""

    p: int
    epsilon: float = float(np.finfo(np.float64).eps)  # of the numbers in which it computes
    exact_up_to: float = 256  # columns, at one point, of which the Hessian's diagonal is had for a reasonable time
    curvature_noise: float = 1e-9  # part of the largest eigenvalue of a Hessian that may be rounding
    is_kinked: bool = False  # refits are then by a method that allows for kinks (_kinks.py)
    curvature_is_rough: bool = False  # and, by differences, the curvature of a higher power
    before_evaluation: Callable[[], None] = staticmethod(lambda: None)  # called whenever the objective is about to be

    @abstractmethod
    def at(self, params: Vector, columns: Columns) -> Point:
        """Return the point with some active columns."""

    def value(self, params: Vector) -> float:
        """Return the objective alone."""
        return self.at(params, np.empty(0, dtype=np.int64)).value


class ProductPoint(Point):
    """A point whose Hessian is known by its products with vectors, many at a time."""

    _known: tuple[Columns, Vector] | None = None

    @abstractmethod
    def _products(self, columns: Columns) -> Matrix:
        """Return the rows (c, p) of the Hessian that belong to some columns."""

    def active(self) -> tuple[Vector, Matrix]:
        hessian = self.cross()[self.columns]
        return self.active_gradient(), 0.5 * (hessian + hessian.T)

    def active_gradient(self) -> Vector:
        return self.gradient()[self.columns]

    def diagonal(self, columns: Columns) -> Vector:
        return self._products(columns)[np.arange(len(columns)), columns]

    def within(self, columns: Columns, starts: Columns) -> list[Matrix]:
        rows = self._products(columns)
        blocks = []
        for begin, end in pairwise(starts):
            block = rows[begin:end, columns[begin:end]]
            blocks.append(0.5 * (block + block.T))
        return blocks


class HostDerivatives(Derivatives):
    """An objective given by functions that take and return arrays of NumPy.

    Without a Hessian, products with it are differences of gradients, as far apart as balances truncation and rounding
    (Nocedal & Wright 2006, section 8.1): one gradient for each.
    """

    def __init__(
        self,
        p: int,
        objective: Callable[..., Any],
        gradient: Callable[..., Any],
        hessian: Callable[..., Any] | None = None,
        hessian_product: Callable[..., Any] | None = None,
        data: tuple[Any, ...] = (),
        *,
        epsilon: float = Derivatives.epsilon,
    ):
        self.p, self.epsilon = p, epsilon
        self.curvature_noise = max(self.curvature_noise, 1e3 * epsilon)
        self._objective, self._gradient = objective, gradient
        self._hessian, self._hessian_product, self._data = hessian, hessian_product, data
        self.by_differences = hessian is None and hessian_product is None
        self.exact_up_to = float("inf") if hessian is not None else 24 if self.by_differences else 256
        if self.by_differences:
            self.curvature_noise, self.curvature_is_rough = max(1e-5, 10 * np.sqrt(epsilon)), True
        self._columns: dict[int, Vector] = {}  # of the Hessian, by differences at one of the last points
        self._refit: tuple[Columns, Vector, Vector, Matrix] | None = None  # the last point of a refit and its Hessian

    def at(self, params: Vector, columns: Columns) -> Point:
        return HostPoint(self, params, columns, self.value(params))

    def value(self, params: Vector) -> float:
        self.before_evaluation()
        answer = np.asarray(self._objective(params.copy(), *self._data))
        if answer.dtype.kind not in "fiub":
            raise ObjectiveError(f"objective returned {_kind(answer)}; it must return a real number ({describe(params)})")
        if answer.size != 1:
            raise ObjectiveError(f"objective returned shape {answer.shape}; it must return a number ({describe(params)})")
        self._note(answer)
        return float(answer.reshape(()))

    def gradient(self, params: Vector) -> Vector:
        self.before_evaluation()
        return self._vector(self._gradient(params.copy(), *self._data), "gradient", params)

    def hessian(self, params: Vector) -> Matrix | None:
        """Return the whole Hessian where a function gives it."""
        if self._hessian is None:
            return None
        answer = self._real(self._hessian(params.copy(), *self._data), "hessian", params)
        if answer.shape != (self.p, self.p):
            raise ObjectiveError(
                f"hessian returned shape {answer.shape}; it must return shape ({self.p}, {self.p}) ({describe(params)})"
            )
        return answer

    def product(self, params: Vector, gradient: Vector, column: int) -> Vector:
        """Return a column of the Hessian."""
        if self._hessian_product is not None:
            direction = np.zeros(self.p)
            direction[column] = 1.0
            return self._vector(self._hessian_product(params.copy(), direction, *self._data), "hessian_product", params)
        # The unit of a parameter that is zero is not known: 1, as for most.
        length = np.sqrt(self.epsilon) * max(1.0, abs(params[column]))
        for h in (length, -length):
            moved = params.copy()
            moved[column] += h
            there = self.gradient(moved)
            if np.isfinite(there).all():
                return (there - gradient) / (moved[column] - params[column])
        return np.full(self.p, np.nan)

    def quasi_hessian(self, point: HostPoint) -> Matrix:
        """Return a Hessian on active columns by what is known of earlier points: as good as a refit's step needs, at few gradients.

        In a refit the last one is updated by the change of the gradient (BFGS; Nocedal & Wright 2006, equation 6.19); the first is
        made of columns at earlier points, and of differences for columns that have none.
        """
        columns, gradient = point.columns, point.active_gradient()
        hessian: Matrix | None = None
        if not np.isfinite(gradient).all():  # nothing to learn from
            return np.full((len(columns), len(columns)), np.nan)
        if self._refit is not None and np.array_equal(self._refit[0], columns):
            _, params, before, known = self._refit
            step, change = point.params[columns] - params, gradient - before
            bent = known @ step
            curvature, known_curvature = float(step @ change), float(step @ bent)
            if curvature > 1e-10 * np.linalg.norm(step) * np.linalg.norm(change) and known_curvature > 0:
                hessian = known - np.outer(bent, bent) / known_curvature + np.outer(change, change) / curvature
            elif not step.any():
                hessian = known
            elif curvature <= 0 or known_curvature <= 0:  # not convex here: what was known elsewhere may lead astray
                self._columns = {}
        if hessian is None:
            for column in columns.tolist():
                if column not in self._columns:
                    self._columns[column] = self.product(point.params, point.gradient(), column)
            hessian = np.column_stack([self._columns[column][columns] for column in columns.tolist()])
            hessian = 0.5 * (hessian + hessian.T)
            if not np.isfinite(hessian).all():
                self._columns = {}
                return hessian
        self._refit = columns, point.params[columns], gradient, hessian
        return hessian

    def keep_columns(self, columns: Columns, cross: Matrix) -> None:
        """Remember columns of the Hessian at the latest point of a scan, and no others."""
        self._columns = dict(zip(columns.tolist(), cross.T, strict=True))

    def _vector(self, answer: Any, name: str, params: Vector) -> Vector:
        vector = self._real(answer, name, params)
        if vector.shape != (self.p,):
            raise ObjectiveError(f"{name} returned shape {vector.shape}; it must return shape ({self.p},) ({describe(params)})")
        return vector

    def _real(self, answer: Any, name: str, params: Vector) -> NDArray[np.float64]:
        array = np.asarray(answer)
        if array.dtype.kind not in "fiub":
            raise ObjectiveError(f"{name} returned {_kind(array)}; it must return real numbers ({describe(params)})")
        self._note(array)
        return array.astype(np.float64)

    def _note(self, array: NDArray[Any]) -> None:
        if array.dtype.kind == "f" and array.dtype.itemsize < 8:
            self.epsilon = max(self.epsilon, float(np.finfo(array.dtype).eps))


def _kind(array: NDArray[Any]) -> str:
    return {"c": "complex numbers", "O": "objects", "U": "text"}.get(array.dtype.kind, f"dtype {array.dtype}")


class HostPoint(ProductPoint):
    """A point of :class:`HostDerivatives`."""

    def __init__(self, of: HostDerivatives, params: Vector, columns: Columns, value: float):
        self._of, self.params, self.columns, self.value = of, params, columns, value
        self._gradient: Vector | None = None
        self._cross: Matrix | None = None
        self._hessian: Matrix | None = None
        self._quasi: Matrix | None = None

    def gradient(self, columns: Columns | None = None) -> Vector:
        if self._gradient is None:
            self._gradient = self._of.gradient(self.params)
        return self._gradient if columns is None else self._gradient[columns]

    def active(self) -> tuple[Vector, Matrix]:
        if not self._of.by_differences or self._cross is not None:
            return super().active()
        if self._quasi is None:
            self._quasi = self._of.quasi_hessian(self) if len(self.columns) else np.zeros((0, 0))
        return self.active_gradient(), self._quasi

    def active_by_derivatives(self) -> tuple[Vector, Matrix]:
        """Return the same by derivatives at the point alone, where the Hessian looks further."""
        return self.active()

    def active_exactly(self) -> tuple[Vector, Matrix]:
        self.cross()
        return super().active()

    def cross(self, columns: Columns | None = None) -> Matrix:
        if self._cross is None:
            self._cross = np.ascontiguousarray(self._products(self.columns).T)
            if self._of.by_differences:
                self._of.keep_columns(self.columns, self._cross)
        return self._cross if columns is None else self._cross[columns]

    def _products(self, columns: Columns) -> Matrix:
        if self._hessian is None:
            self._hessian = self._of.hessian(self.params)
        if self._hessian is not None:
            return self._hessian[columns]
        rows = np.empty((len(columns), len(self.params)))
        gradient = self.gradient()
        for row, column in zip(rows, columns.tolist(), strict=True):
            row[:] = self._of.product(self.params, gradient, column)
        return rows

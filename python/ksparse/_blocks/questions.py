"""The questions that are asked of every block of rows, and how the answers of several blocks are added.

A question is a small object that can be sent to another process. Its answer for one block depends on the block alone, so it can
be computed again at any time, and the answers for all blocks are added in a fixed order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..losses import Loss

__all__ = [
    "LossOfRows",
    "Moments",
    "NotFiniteError",
    "Question",
    "Responses",
    "Rows",
    "SlopeSizes",
    "SlopesSurvive",
    "Sums",
    "Total",
]

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]


class Rows(NamedTuple):
    """Responses, weights and offset of a block, and the number of its first row among all rows."""

    y: Vector
    weight: Vector | None = None
    offset: Vector | None = None
    first: int = 0

    def block(self, X: Any) -> _core.Block:
        """Return these rows with their X, or a list of columns of it, as the core takes them."""
        return _core.Block(X, self.y, self.weight, self.offset)


class NotFiniteError(ValueError):
    """An entry of X is NaN or infinite."""

    def __init__(self, row: int, column: int, value: float):
        super().__init__(row, column, value)
        self.row, self.column, self.value = row, column, value

    def __str__(self) -> str:
        advice = "; fill in missing values first" if np.isnan(self.value) else ""
        return f"X[{self.row}, {self.column}] is {self.value}; X must be finite, without NaN or infinity{advice}"


@dataclass(frozen=True)
class LossOfRows:
    """A loss in the units of the solver, with the total weight of all rows."""

    loss: Loss
    unit: float  # of y
    total_weight: float
    intercept: bool

    def in_core(self) -> _core.BlockLoss:
        """Return the loss as the core takes it."""
        return _core.BlockLoss(self.loss._kernel(), self.unit, self.total_weight, self.intercept)


class Question:
    """Base class of the questions."""

    def of_block(self, X: Any, rows: Rows) -> Any:
        """Return the answer for one block; X is the matrix, or a list of the columns that the question needs."""
        raise NotImplementedError

    def add(self, one: Any, other: Any) -> Any:
        """Return the answer for two sets of rows together."""
        raise NotImplementedError


class Extent(NamedTuple):
    """Sums of responses. For losses that compare y with the linear predictor itself, they are sums of y - offset."""

    weight: float
    largest: float  # in absolute value
    least: float  # of the values > 0
    response: float  # this and the following are weighted sums
    offset: float
    size: float
    value: float
    square: float


@dataclass(frozen=True)
class Responses(Question):
    """Sums of the responses, relative to a centre and a unit."""

    without_offset: bool
    centre: float = 0.0
    unit: float = 1.0

    def of_block(self, X: Any, rows: Rows) -> Extent:
        """Return the sums of a block."""
        weight = np.ones(len(rows.y)) if rows.weight is None else rows.weight
        counts = weight > 0
        y, weight = rows.y[counts], weight[counts]
        offset = np.zeros(len(y)) if rows.offset is None else rows.offset[counts]
        value = y - offset if self.without_offset else y
        scaled = value / self.unit - self.centre
        sizes = np.maximum(np.abs(y), np.abs(offset)) if self.without_offset else np.abs(y)
        return Extent(
            float(weight.sum()),
            float(sizes.max(initial=0.0)),
            float(np.min(sizes[sizes > 0], initial=np.inf)),
            float(weight @ (y / self.unit)),
            float(weight @ (offset / self.unit)),
            float(weight @ np.abs(scaled)),
            float(weight @ scaled),
            float(weight @ scaled**2),
        )

    def add(self, one: Extent, other: Extent) -> Extent:
        """Return the sums of both."""
        sums = [a + b for a, b in zip(one, other, strict=True)]
        return Extent(sums[0], max(one.largest, other.largest), min(one.least, other.least), *sums[3:])


class ColumnMoments(NamedTuple):
    """Mean and standard deviation of each column, and its sums with the slopes at a constant linear predictor."""

    weight: float
    slope: float
    mean: Vector
    deviation: Vector
    lowest: Vector
    highest: Vector
    by_slope: Vector


@dataclass(frozen=True)
class Moments(Question):
    """Moments of all columns of X, where the linear predictor is an intercept."""

    loss: LossOfRows
    coef: Vector  # the intercept, if there is one

    def of_block(self, X: Any, rows: Rows) -> ColumnMoments:
        """Return the moments of a block, or raise NotFiniteError."""
        *moments, row, column = rows.block(X).moments(self.loss.in_core(), self.coef)
        if row >= 0:
            raise NotFiniteError(rows.first + row, column, float(X[row, column]))
        return ColumnMoments(*moments)

    def add(self, one: ColumnMoments, other: ColumnMoments) -> ColumnMoments:
        """Return the moments of both (Chan, Golub & LeVeque 1983); deviations are compared before they are squared."""
        weight = one.weight + other.weight
        here, there = (one.weight / weight, other.weight / weight) if weight > 0 else (0.0, 0.0)
        apart = other.mean - one.mean
        mean = one.mean * here + other.mean * there
        unit = np.maximum(np.maximum(one.deviation, other.deviation), np.abs(apart))
        unit[unit == 0] = 1.0
        square = here * (one.deviation / unit) ** 2 + there * (other.deviation / unit) ** 2 + here * there * (apart / unit) ** 2
        by_slope = one.by_slope + (one.mean - mean) * one.slope + other.by_slope + (other.mean - mean) * other.slope
        return ColumnMoments(
            weight,
            one.slope + other.slope,
            mean,
            unit * np.sqrt(square),
            np.minimum(one.lowest, other.lowest),
            np.maximum(one.highest, other.highest),
            by_slope,
        )


class Total(NamedTuple):
    """F and its derivatives at a point, as sums over rows (``cpp/include/ksparse/glm/block_sums.hpp``)."""

    value: float
    slope: float
    curvature: float
    lowest_margin: float
    concave: bool
    active: Matrix  # (active, 3 + active)
    panel: Matrix  # (asked, 3 + active)


@dataclass(frozen=True)
class Point(Question):
    """Base class of questions about a point, which is given by coefficients of some of the columns that are read."""

    loss: LossOfRows
    active: list[int]  # places among the columns that are read
    coef: Vector  # in units, the intercept last
    centre: Vector  # of the columns that are read
    factor: Vector

    def _arguments(self) -> tuple[_core.BlockLoss, list[int], Vector, Vector, Vector]:
        return self.loss.in_core(), self.active, self.coef, self.centre, self.factor


@dataclass(frozen=True)
class Sums(Point):
    """F and its derivatives, and the sums that a scan needs of other columns."""

    convex: bool = False
    asked: list[int] | None = None  # places among the columns that are read; None: all

    def of_block(self, X: Any, rows: Rows) -> Total:
        """Return the sums of a block."""
        return Total(*rows.block(X).sums(*self._arguments(), self.convex, self.asked))

    def add(self, one: Total, other: Total) -> Total:
        """Return the sums of both."""
        return Total(
            one.value + other.value,
            one.slope + other.slope,
            one.curvature + other.curvature,
            min(one.lowest_margin, other.lowest_margin),
            one.concave or other.concave,
            one.active + other.active,
            one.panel + other.panel,
        )


class SlopeSizes(Point):
    """The sums that bound the rounding error of the gradient."""

    def of_block(self, X: Any, rows: Rows) -> Vector:
        """Return the sums of a block."""
        return rows.block(X).slope_sizes(*self._arguments())

    def add(self, one: Vector, other: Vector) -> Vector:
        """Return the sums of both."""
        return one + other


@dataclass(frozen=True)
class SlopesSurvive(Point):
    """Whether the slopes of all rows keep their signs after a step, which proves that the classes are not separable."""

    step: Vector
    error: float

    def of_block(self, X: Any, rows: Rows) -> bool:
        """Return the answer for a block."""
        return rows.block(X).slopes_survive(*self._arguments(), self.step, self.error)

    def add(self, one: bool, other: bool) -> bool:
        """Return whether it holds for both."""
        return one and other

"""The units of y and of the columns, from sums over blocks: the same as those of a fit in memory (``glm/unit_choice.hpp``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..losses import Loss
from .questions import ColumnMoments, Extent, LossOfRows, Responses

__all__ = ["Units", "loss_of_rows"]

Vector = NDArray[np.float64]


def _power_of_two_near(x: Any) -> Any:
    return np.ldexp(1.0, np.minimum(np.frexp(x)[1], 1023))


def loss_of_rows(source: Any, loss: Loss, intercept: bool) -> tuple[LossOfRows, Extent]:
    """Choose the unit of the responses of all rows, and return the loss in this unit and the sums of the responses."""
    plain = LossOfRows(loss, 1.0, 1.0, intercept)
    core = plain.in_core()
    beside_offset = core.has_units and not core.predicts_logarithm

    def ask(centre: float, unit: float) -> Extent:
        found: Extent = source.ask(Responses(beside_offset, centre, unit), np.empty(0, dtype=np.int64))
        return found

    extent = ask(0.0, 1.0)
    unit = 1.0
    if core.has_units and extent.largest > 0:
        unit = _unit_of_responses(ask, extent, core.predicts_logarithm, loss.responses == "positive", intercept)
    return LossOfRows(loss, unit, extent.weight, intercept), extent


def _unit_of_responses(ask: Any, extent: Extent, of_logarithm: bool, positive: bool, intercept: bool) -> float:
    """Return a power of two near the standard deviation of y, or near its mean if the loss has a log link."""
    greatest, far = 2.0**1023, 2.0**1000
    unit = float(_power_of_two_near(extent.largest))
    size = ask(0.0, unit).size / extent.weight
    if not size > 0:
        return unit
    near_size = float(_power_of_two_near(size))
    if of_logarithm:
        near_mean = max(min(near_size * unit, greatest), 0.0 if intercept else 1.0)
        if positive:
            near_mean = min(near_mean, min(extent.least, 1.0) * far)
        return max(near_mean, extent.largest / far)
    mean = ask(0.0, unit * near_size).value / extent.weight if intercept else 0.0
    variance = ask(mean, unit * near_size).square / extent.weight
    spread = float(np.sqrt(variance)) if variance > 1e-24 else 1.0
    return min(float(_power_of_two_near(spread)) * near_size * unit, greatest)


@dataclass(frozen=True)
class Units:
    """Centre and factor of every column, z = (x - centre) * factor; the factor of a column that can never enter is 0."""

    centre: Vector
    factor: Vector
    spread: Vector  # mean square of z
    ridge: float  # of the coefficients of raw columns

    @classmethod
    def of(cls, moments: ColumnMoments, intercept: bool, ridge: float) -> Units:
        """Choose the units by the moments of the columns."""
        centre = moments.mean if intercept else np.zeros_like(moments.mean)
        deviation = moments.deviation if intercept else np.hypot(moments.deviation, moments.mean)
        constant = ~(deviation > 0) | ~np.isfinite(deviation)
        if intercept:
            constant |= ~(moments.lowest < moments.highest)
        with np.errstate(over="ignore"):
            factor = _power_of_two_near(1 / np.where(constant, 1.0, deviation))
            constant |= ~((factor < 1e290) & (ridge * factor * factor < 1e290))
        factor = np.where(constant, 0.0, factor)
        return cls(np.where(constant, 0.0, centre), factor, (deviation * factor) ** 2, ridge)

    def ridge_of(self, columns: Any) -> Vector:
        """Return the ridge of coefficients in units."""
        factor = self.factor[columns]
        return np.asarray(
            self.ridge * factor * factor
        )  # the square of a factor may overflow, where a ridge of 0 would give NaN

    def bounds(self, options: _core.Options, scale: float) -> tuple[Vector, Vector] | None:
        """Return the bounds of all coefficients in units, or None; raise ValueError if they exclude 0 for a constant column."""
        p = len(self.factor)
        if len(options.lower) == 0 and len(options.upper) == 0:
            return None
        lower = options.lower if len(options.lower) else np.full(p, -np.inf)
        upper = options.upper if len(options.upper) else np.full(p, np.inf)
        constant = self.factor == 0
        bad = np.flatnonzero(constant & ((lower > 0) | (upper < 0)))
        if len(bad):
            raise ValueError(f"bounds of feature {bad[0]} must hold 0, the coefficient of a column that is as good as constant")
        unit = np.where(constant, 1.0, self.factor * scale)
        return lower / unit, upper / unit

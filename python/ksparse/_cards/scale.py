"""Convert coefficients of the binner's columns to points of bins."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .bins import Bins, LevelBins

__all__ = ["Layout", "Scale", "doubling_scale", "weight_of_evidence", "whole_scale"]

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Scale:
    """Points of the bins of each variable (None if it is not on the card), and how their sum maps to the linear predictor."""

    base: float
    points: list[Vector | None]
    intercept: float  # linear predictor of the event = intercept + slope * points
    slope: float


class Layout:
    """The columns of the binner's output that belong to each variable, and how their coefficients map to its bins."""

    def __init__(self, bins: list[Bins], encoding: str) -> None:
        self.bins = bins
        self.cumulative = [encoding == "cumulative" and not isinstance(b, LevelBins) for b in bins]
        sizes = [0 if b.n_bins < 2 else b.n_bins - c for b, c in zip(bins, self.cumulative, strict=True)]
        self.starts = np.cumsum([0, *sizes])
        self.variable = np.repeat(np.arange(len(bins)), sizes)  # (n_columns,) the variable of each column

    def columns(self, v: int) -> slice:
        """Return the columns of a variable."""
        return slice(self.starts[v], self.starts[v + 1])

    def without_reference(self, weight_of_bins: list[Vector]) -> NDArray[np.int64]:
        """Return all columns except, for each variable with one column per bin, that of the most frequent bin.

        The columns of such a variable add up to 1 and are therefore linearly dependent together with the intercept.
        """
        kept = np.ones(len(self.variable), dtype=bool)
        for v, weight in enumerate(weight_of_bins):
            if not self.cumulative[v] and self.starts[v] < self.starts[v + 1]:
                kept[self.starts[v] + int(np.argmax(weight))] = False
        return np.flatnonzero(kept)

    def of_bins(self, coef: Vector, v: int) -> Vector:
        """Return the contribution of each bin of a variable to the linear predictor."""
        own, bins = coef[self.columns(v)], self.bins[v]
        if not self.cumulative[v] or not len(own):
            return own if len(own) else np.zeros(bins.n_bins)
        n_cuts = bins.n_ordered - 1
        return np.concatenate([[0.0], np.cumsum(own[:n_cuts]), own[n_cuts:]])

    def bounds(self) -> tuple[Vector, Vector] | None:
        """Return bounds on coefficients that make the points of monotone variables rise or fall, or None."""
        lower, upper = np.full(len(self.variable), -np.inf), np.full(len(self.variable), np.inf)
        for v, bins in enumerate(self.bins):
            if self.cumulative[v] and bins.direction:
                cuts = slice(self.starts[v], self.starts[v] + bins.n_ordered - 1)
                (lower if bins.direction > 0 else upper)[cuts] = 0.0
        bounded = np.isfinite(lower).any() or np.isfinite(upper).any()
        return (lower, upper) if bounded else None


def doubling_scale(
    layout: Layout,
    coef: Vector,
    intercept: float,
    weight_of_bins: list[Vector],
    *,
    doubling: float,
    base_points: float,
    base_odds: float,
    sign: int,
    decimals: int | None,
) -> Scale:
    """Return points such that ``doubling`` points double the odds, and the lowest bin of each variable has 0 points.

    ``sign`` is 1 if the odds are for the event, and -1 if they are against it. The mean rounding error of the points is added
    to the base.
    """
    slope = sign * math.log(2) / doubling
    offset = sign * math.log(base_odds) - slope * base_points
    base = (intercept - offset) / slope
    points: list[Vector | None] = []
    for v, weight in enumerate(weight_of_bins):
        exact = layout.of_bins(coef, v) / slope
        if not np.any(coef[layout.columns(v)]):
            points.append(None)
            continue
        seen = weight > 0
        least = float(exact[seen].min())
        base += least
        rounded = exact - least if decimals is None else np.round(exact - least, decimals) + 0.0
        base += float((exact - least - rounded) @ weight) / float(weight.sum())
        points.append(rounded)
    if decimals is not None:
        base = round(base, decimals)
    return Scale(base, points, offset, slope)


def whole_scale(layout: Layout, columns: NDArray[np.int64], points: NDArray[np.int64], slope: float, intercept: float) -> Scale:
    """Return small whole points, with the slope and intercept that were fitted to them."""
    coef = np.zeros(len(layout.variable))
    coef[columns] = points
    own: list[Any] = [layout.of_bins(coef, v) if np.any(coef[layout.columns(v)]) else None for v in range(len(layout.bins))]
    return Scale(0.0, own, intercept, slope)


def weight_of_evidence(
    codes: list[NDArray[np.int32]], weight_of_bins: list[Vector], events_of_bins: list[Vector], variables: NDArray[np.int64]
) -> Vector:
    """Return the weight of evidence of each variable: the log odds of the event in the bin of a row minus those of all rows.

    One row with the average event rate is added to each bin, so that bins with only one class have finite values.
    """
    columns = np.empty((len(codes[0]), len(variables)), order="F")
    for place, v in enumerate(variables.tolist()):
        rate = events_of_bins[v].sum() / weight_of_bins[v].sum()
        events, others = events_of_bins[v] + rate, weight_of_bins[v] - events_of_bins[v] + 1 - rate
        evidence = np.log(events / others) - math.log(rate / (1 - rate))
        columns[:, place] = np.append(evidence, 0.0)[codes[v]]
    return columns

"""From coefficients of the binner's columns to points of bins."""

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
    """Points of each bin of each variable (None for those not on the card), and what they mean."""

    base: float
    points: list[Vector | None]
    intercept: float  # linear predictor of the event = intercept + slope * points
    slope: float


class Layout:
    """Which columns of the binner's output belong to which variable, and what coefficients of them mean for its bins."""

    def __init__(self, bins: list[Bins], encoding: str) -> None:
        self.bins = bins
        self.cumulative = [encoding == "cumulative" and not isinstance(b, LevelBins) for b in bins]
        sizes = [0 if b.n_bins < 2 else b.n_bins - c for b, c in zip(bins, self.cumulative, strict=True)]
        self.starts = np.cumsum([0, *sizes])
        self.variable = np.repeat(np.arange(len(bins)), sizes)  # of each column

    def columns(self, v: int) -> slice:
        """Return the columns of a variable."""
        return slice(self.starts[v], self.starts[v + 1])

    def without_reference(self, weight_of_bins: list[Vector]) -> NDArray[np.int64]:
        """Return the columns less one of each variable that has a column for each of its bins, that of its most frequent bin.

        Such columns add up to 1, as the intercept is, so that one of them says nothing.
        """
        kept = np.ones(len(self.variable), dtype=bool)
        for v, weight in enumerate(weight_of_bins):
            if not self.cumulative[v] and self.starts[v] < self.starts[v + 1]:
                kept[self.starts[v] + int(np.argmax(weight))] = False
        return np.flatnonzero(kept)

    def of_bins(self, coef: Vector, v: int) -> Vector:
        """Return what each bin of a variable adds to the linear predictor."""
        own, bins = coef[self.columns(v)], self.bins[v]
        if not self.cumulative[v] or not len(own):
            return own if len(own) else np.zeros(bins.n_bins)
        n_cuts = bins.n_ordered - 1
        return np.concatenate([[0.0], np.cumsum(own[:n_cuts]), own[n_cuts:]])

    def bounds(self) -> tuple[Vector, Vector] | None:
        """Return bounds that make the points rise or fall along each variable that is to be monotone; None if there is none."""
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
    """Points of which ``doubling`` double the odds; those of the lowest bin of each variable are 0.

    ``sign`` is 1 if the odds are those of the event, -1 if they are those against it. What rounding does to the average row goes into the base.
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
    """Points that are small whole numbers, with a scale of their own."""
    coef = np.zeros(len(layout.variable))
    coef[columns] = points
    own: list[Any] = [layout.of_bins(coef, v) if np.any(coef[layout.columns(v)]) else None for v in range(len(layout.bins))]
    return Scale(0.0, own, intercept, slope)


def weight_of_evidence(
    codes: list[NDArray[np.int32]], weight_of_bins: list[Vector], events_of_bins: list[Vector], variables: NDArray[np.int64]
) -> Vector:
    """Return a column for each variable: the log odds of the event in the bin of the row, less those of all rows.

    Each bin counts one more row, with the event rate of all, so that bins of one class only stay finite.
    """
    columns = np.empty((len(codes[0]), len(variables)), order="F")
    for place, v in enumerate(variables.tolist()):
        rate = events_of_bins[v].sum() / weight_of_bins[v].sum()
        events, others = events_of_bins[v] + rate, weight_of_bins[v] - events_of_bins[v] + 1 - rate
        evidence = np.log(events / others) - math.log(rate / (1 - rate))
        columns[:, place] = np.append(evidence, 0.0)[codes[v]]
    return columns

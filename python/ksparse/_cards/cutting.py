"""Choose the cuts of a column of numbers, and the levels of a category that share a bin."""

from __future__ import annotations

import math
import warnings

import numpy as np
from numpy.typing import NDArray

from .._optional import require
from .bins import Bins, LevelBins, NumberBins
from .columns import Column

__all__ = ["cut_levels", "cut_numbers", "merge_monotone", "optimal_bins"]

Vector = NDArray[np.float64]


def cut_numbers(column: Column, weights: Vector, n_bins: int, strategy: str) -> NumberBins:
    """Cut a column of numbers by quantiles, or by scikit-learn's ``KBinsDiscretizer``."""
    known = np.isfinite(column.values)
    values = np.sort(column.values[known])
    if not len(values):
        cuts: list[float] = []
    elif strategy == "quantile":
        cuts = _quantiles(column.values[known], weights[known], n_bins)
    else:
        cuts = _discretised(column.values[known], n_bins, strategy)
    # A number with few digits that divides the rows in the same way is easier to read than an observed value.
    inner = sorted({_shortest_between(values, cut) for cut in cuts if cut < column.values[known].max(initial=-math.inf)})
    return NumberBins(column.name, tuple(inner), bool(np.isnan(column.values).any()))


def _quantiles(values: Vector, weights: Vector, n_bins: int) -> list[float]:
    """Return the weighted quantiles, which are observed values.

    ``KBinsDiscretizer`` would not cut above a smallest value that many rows share, such as the zeros of a column of amounts,
    because it merges these quantiles with the lower end of the first bin.
    """
    order = np.argsort(values, kind="stable")
    shares = np.cumsum(weights[order])
    # The shares are reduced slightly, so that rounding errors of the sum do not move a quantile by one row.
    targets = np.arange(1, n_bins) / n_bins * shares[-1] * (1 - 1e-12)
    places = np.searchsorted(shares, targets, side="left")
    return np.unique(values[order][places]).tolist()


def _discretised(values: Vector, n_bins: int, strategy: str) -> list[float]:
    from sklearn.preprocessing import KBinsDiscretizer

    distinct = len(np.unique(values))
    if distinct < 2:
        return []
    binner = KBinsDiscretizer(min(n_bins, distinct), encode="ordinal", strategy=strategy, subsample=None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # warnings that narrow bins were merged
        edges = binner.fit(values[:, None]).bin_edges_[0]
    return edges[1:-1].tolist()


def _shortest_between(ordered: Vector, cut: float) -> float:
    """Return the number with the fewest digits, at least three, that divides the rows in the same way as a cut.

    All numbers in [a, b) do, where a is the largest value up to the cut and b the smallest value above it.
    """
    place = int(np.searchsorted(ordered, cut, side="right"))
    if place == 0 or place == len(ordered):
        return cut
    low, high = float(ordered[place - 1]), float(ordered[place])
    candidates = (float(f"{low:.{digits}g}") for digits in range(3, 17))
    return next((candidate for candidate in candidates if low <= candidate < high), low)


def cut_levels(column: Column, n_min: float, max_levels: int | None) -> LevelBins:
    """Make a bin for each level, and one for all levels with fewer than ``n_min`` rows."""
    from sklearn.preprocessing import OrdinalEncoder

    known = column.values[~column.missing]
    has_missing = len(known) < len(column.values)
    if not len(known):
        return LevelBins(column.name, (), False, has_missing)
    encoder = OrdinalEncoder(
        min_frequency=max(1, math.ceil(n_min)),
        max_categories=None if max_levels is None else max_levels + 1,
        handle_unknown="use_encoded_value",
        unknown_value=-1,
    )
    encoder.fit(known[:, None])
    rare = encoder.infrequent_categories_[0]
    rare = [] if rare is None else rare.tolist()
    kept = [level for level in encoder.categories_[0].tolist() if level not in set(rare)]
    return LevelBins(column.name, tuple((level,) for level in kept), bool(rare), has_missing)


def optimal_bins(column: Column, target: Vector, n_bins: int, trend: str | None) -> Bins:
    """Return the bins with the largest information value, by optbinning, with a monotone event rate if requested."""
    optbinning = require("optbinning", "strategy='optimal'", "'ksparse[optbinning]'")
    trends = {None: "auto_asc_desc" if column.is_number else None, "increasing": "ascending", "decreasing": "descending"}
    monotonic = trends.get(trend, "auto_asc_desc")
    known = ~column.missing
    has_missing = not bool(known.all())
    solver = optbinning.OptimalBinning(
        name=column.name, dtype="numerical" if column.is_number else "categorical", max_n_bins=n_bins, monotonic_trend=monotonic
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # warnings about deprecated names of other packages, which optbinning uses
        solver.fit(column.values[known], target[known])
    if column.is_number:
        ordered = np.sort(column.values[known])
        # The bins of optbinning exclude their upper ends and ours include them, so a cut moves below the values equal to it.
        below = [ordered[np.searchsorted(ordered, cut, side="left") - 1] for cut in solver.splits if cut > ordered[0]]
        cuts = sorted({_shortest_between(ordered, float(cut)) for cut in below})
        return NumberBins(column.name, tuple(cuts), has_missing)
    levels = tuple(tuple(np.asarray(group).tolist()) for group in solver.splits)
    return LevelBins(column.name, levels, False, has_missing)


def merge_monotone(bins: NumberBins, codes: NDArray[np.int32], target: Vector, weights: Vector, trend: str) -> NumberBins:
    """Merge neighbouring bins until the event rate only rises, or only falls; ``auto`` takes the direction that fits better."""
    from sklearn.isotonic import IsotonicRegression

    counts = np.bincount(codes, weights, minlength=bins.n_ordered)[: bins.n_ordered]
    events = np.bincount(codes, weights * target, minlength=bins.n_ordered)[: bins.n_ordered]
    rates, places = events / np.maximum(counts, 1e-300), np.arange(bins.n_ordered)
    candidates = []
    for direction in {"auto": (1, -1), "increasing": (1,), "decreasing": (-1,)}[trend]:
        fitted = IsotonicRegression(increasing=direction > 0).fit_transform(places, rates, sample_weight=counts)
        candidates.append((float(np.sum(counts * (rates - fitted) ** 2)), direction, fitted))
    _, direction, fitted = min(candidates, key=lambda candidate: candidate[0])
    kept = tuple(cut for cut, low, high in zip(bins.cuts, fitted[:-1], fitted[1:], strict=True) if low != high)
    return NumberBins(bins.name, kept, bins.has_missing, direction)

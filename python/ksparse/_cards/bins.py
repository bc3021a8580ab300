"""The bins of one column: the bin of each row, the names of the bins, and their conditions in SQL and in Python."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .columns import Column

__all__ = ["Bins", "LevelBins", "NumberBins", "text_of"]

Codes = NDArray[np.int32]


def text_of(value: float) -> str:
    """Write a number with the fewest digits from which the same number is read back."""
    short = f"{value:.12g}"
    return short if float(short) == value else repr(float(value))


@dataclass(frozen=True)
class NumberBins:
    """Bins of a column of numbers: up to the first cut, between two cuts, above the last cut, and one for missing values."""

    name: str
    cuts: tuple[float, ...]  # ascending; a bin includes its upper end
    has_missing: bool
    direction: int = 0  # 1 or -1 if bins were merged so that the event rate rises or falls along the column

    @property
    def n_bins(self) -> int:
        """Number of bins, including that of missing values."""
        return len(self.cuts) + 1 + self.has_missing

    @property
    def n_ordered(self) -> int:
        """Number of bins that are intervals."""
        return len(self.cuts) + 1

    def labels(self) -> list[str]:
        """Return the name of each bin, which shows its range."""
        ends = [text_of(cut) for cut in self.cuts]
        if not ends:
            texts = [f"{self.name} known" if self.has_missing else self.name]
        else:
            inner = [f"{low} < {self.name} <= {high}" for low, high in pairwise(ends)]
            texts = [f"{self.name} <= {ends[0]}", *inner, f"{self.name} > {ends[-1]}"]
        return texts + [f"{self.name} missing"] * self.has_missing

    def codes(self, column: Column) -> Codes:
        """Return the bin of each row; -1 for one that falls in none."""
        if not column.is_number:
            if not column.missing.all():
                raise TypeError(f"X has the column {self.name!r} of text or categories, but it had numbers in the fit")
            return np.full(len(column.values), self.n_ordered if self.has_missing else -1, dtype=np.int32)
        codes = np.searchsorted(np.array(self.cuts), column.values, side="left").astype(np.int32)
        codes[column.missing] = self.n_ordered if self.has_missing else -1
        return codes

    def sql(self, column: str, values: Sequence[str], unknown: str) -> str:
        """Write a CASE that has a value for each bin; ``column`` is quoted already."""
        null = values[-1] if self.has_missing else unknown
        intervals = values[: self.n_ordered]
        branches = [
            f"WHEN {column} <= {float(cut)!r} THEN {value}"
            for cut, value, following in zip(self.cuts, intervals, intervals[1:], strict=False)
            if value
            != following  # a CASE takes the first true condition, so neighbouring bins with the same value share a branch
        ]
        return _case([f"WHEN {column} IS NULL THEN {null}", *branches], intervals[-1])

    def python(self, column: str, values: Sequence[str], unknown: str) -> str:
        """Write the same as a conditional expression of Python."""
        null = values[-1] if self.has_missing else unknown
        intervals = values[: self.n_ordered]
        text = f"{null} if {column} is None or {column} != {column} else "
        for cut, value, following in zip(self.cuts, intervals, intervals[1:], strict=False):
            if value != following:
                text += f"{value} if {column} <= {float(cut)!r} else "
        return f"({text}{intervals[-1]})"


@dataclass(frozen=True)
class LevelBins:
    """Bins of a category: bins of one or several levels, one for all other levels, and one for missing values."""

    name: str
    levels: tuple[tuple[Any, ...], ...]
    has_other: bool
    has_missing: bool
    direction: int = 0

    @property
    def n_bins(self) -> int:
        """Number of bins, including those of other levels and of missing values."""
        return len(self.levels) + self.has_other + self.has_missing

    @property
    def n_ordered(self) -> int:
        """Number of bins that are intervals, which is 0, because levels have no order."""
        return 0

    def labels(self) -> list[str]:
        """Return the name of each bin, which shows its levels."""
        texts = [f"{self.name} = {' or '.join(map(str, levels))}" for levels in self.levels]
        return texts + [f"{self.name} other"] * self.has_other + [f"{self.name} missing"] * self.has_missing

    def codes(self, column: Column) -> Codes:
        """Return the bin of each row; -1 for one that falls in none."""
        table = {level: code for code, levels in enumerate(self.levels) for level in levels}
        other = len(self.levels) if self.has_other else -1
        missing = len(self.levels) + self.has_other if self.has_missing else -1
        known = ~column.missing
        codes = np.full(len(column.values), missing, dtype=np.int32)
        codes[known] = [table.get(value, other) for value in column.values[known].tolist()]
        return codes

    def sql(self, column: str, values: Sequence[str], unknown: str) -> str:
        """Write a CASE that has a value for each bin; ``column`` is quoted already."""
        other = values[len(self.levels)] if self.has_other else unknown
        null = values[-1] if self.has_missing else unknown
        branches = [f"WHEN {column} IS NULL THEN {null}"]
        for levels, value in zip(self.levels, values, strict=False):
            if value != other:
                branches.append(f"WHEN {column} IN ({', '.join(map(_sql_literal, levels))}) THEN {value}")
        return _case(branches, other)

    def python(self, column: str, values: Sequence[str], unknown: str) -> str:
        """Write the same as a conditional expression of Python."""
        other = values[len(self.levels)] if self.has_other else unknown
        null = values[-1] if self.has_missing else unknown
        text = f"{null} if {column} is None or {column} != {column} else "
        for levels, value in zip(self.levels, values, strict=False):
            if value != other:
                text += f"{value} if {column} in {levels!r} else "
        return f"({text}{other})"


Bins = NumberBins | LevelBins


def _case(branches: list[str], otherwise: str) -> str:
    return f"CASE {' '.join(branches)} ELSE {otherwise} END"


def _sql_literal(level: Any) -> str:
    if isinstance(level, str):
        return "'" + level.replace("'", "''") + "'"
    if isinstance(level, bool):
        return "TRUE" if level else "FALSE"
    return repr(level)

"""Read the columns of a raw table as numbers or as levels of a category, with a mark for missing values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._input.frames import is_frame, named_columns
from .._input.numbers import NotNumbersError, is_missing_object, numbers_of_column
from .._input.sparse import is_sparse

__all__ = ["Column", "column_of", "columns_of"]

# The beginnings of the names of types for categories and text in pandas, polars and pyarrow.
_LEVELS = ("categor", "enum", "dictionary", "str", "large_string", "utf8")


@dataclass(frozen=True)
class Column:
    """A column of numbers, with NaN for missing values, or of levels, with None for missing values."""

    name: str
    values: NDArray[Any]
    is_number: bool

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Mask of the rows without a value, shape (n_samples,)."""
        return np.isnan(self.values) if self.is_number else np.array([value is None for value in self.values], dtype=bool)

    def take(self, rows: NDArray[np.bool_]) -> Column:
        """Return the column with only some of its rows."""
        return Column(self.name, self.values[rows], self.is_number)


def columns_of(X: Any, names: list[str], chosen: list[int] | None = None) -> list[Column]:
    """Return all columns of a table or an array, or those numbered ``chosen``; ``names`` has the names of all columns."""
    if is_sparse(X):
        raise TypeError(
            "A sparse matrix was passed, but dense data is required: bins need a column's zeros as well; use X.toarray()"
        )
    if is_frame(X):
        raw = [column for _, column in named_columns(X)]
    else:
        array = np.asarray(X)
        raw = [array[:, j] for j in range(array.shape[1])]
    places = range(len(raw)) if chosen is None else chosen
    return [column_of(raw[j], names[j]) for j in places]


def column_of(values: Any, name: str) -> Column:
    """Return one column, or raise a TypeError that names it if it has neither numbers nor levels, e.g. dates."""
    kind = str(getattr(values, "dtype", getattr(values, "type", "")))
    if not kind.lower().startswith(_LEVELS) and np.asarray(values[:0]).dtype.kind not in "US":
        try:
            return Column(name, numbers_of_column(values).astype(np.float64), True)
        except NotNumbersError as error:
            levels = _objects(values)
            if not _are_levels(levels):
                raise TypeError(f"argument must be a string or a number: X has the column {name!r} of {error}") from None
    else:
        levels = _objects(values)
    _refuse_mixtures(levels, name)
    return Column(name, levels, False)


def _objects(values: Any) -> NDArray[np.object_]:
    """Return the values as Python objects, with None for missing values."""
    plain = values.to_pylist() if hasattr(values, "to_pylist") else np.asarray(values, dtype=object).tolist()
    objects = np.empty(len(plain), dtype=object)
    objects[:] = [None if is_missing_object(value) else value for value in plain]
    return objects


def _are_levels(levels: NDArray[np.object_]) -> bool:
    """Whether any of the values is text."""
    return any(isinstance(value, str) for value in levels.tolist())


def _refuse_mixtures(levels: NDArray[np.object_], name: str) -> None:
    """Raise a TypeError for a column with text and numbers, because the levels 1 and "1" would look the same."""
    kinds = {type(value) for value in levels.tolist()} - {type(None)}
    texts = {kind for kind in kinds if issubclass(kind, str)}
    if texts and kinds - texts:
        other = sorted(kind.__name__ for kind in kinds - texts)[0]
        raise TypeError(
            f"argument must be a string or a number: X has the column {name!r} of text mixed with {other}; make it one kind, "
            "e.g. by astype(str)"
        )
    for kind in kinds - texts:
        if kind not in (int, float, bool):
            raise TypeError(
                f"argument must be a string or a number: X has the column {name!r} with a category of type {kind.__name__}; "
                "categories must be text, numbers or booleans"
            )

"""Data frames of pandas, polars, pyarrow and other libraries."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .numbers import NotNumbersError, numbers_of_column, numbers_of_vector, refuse_unreadable

__all__ = ["column_names", "is_frame", "named_columns", "numbers_of", "numbers_of_design", "select_columns"]


def is_frame(values: Any) -> bool:
    """Return whether this is a data frame, i.e. a table with named columns."""
    if isinstance(values, (np.ndarray, list, tuple)):
        return False
    return hasattr(values, "columns") or hasattr(values, "column_names") or hasattr(values, "__dataframe__")


def column_names(frame: Any) -> list[Any]:
    """Return the names of the columns of a data frame."""
    if hasattr(frame, "column_names"):  # pyarrow, where `columns` are the columns themselves
        return list(frame.column_names)
    return list(frame.columns if hasattr(frame, "columns") else frame.__dataframe__().column_names())


def select_columns(frame: Any, names: list[Any]) -> Any:
    """Return a table with some columns only, by name; raise ValueError for one that is not there, or not once."""
    given = column_names(frame)
    for name in names:
        if given.count(name) != 1:
            found = "no column" if name not in given else f"{given.count(name)} columns"
            wanted = ", ".join(map(repr, names[:20])) + ("" if len(names) <= 20 else ", ...")
            raise ValueError(
                f"X has {found} of the name {name!r}; X must have the columns of the fit, or at least those of the model: {wanted}"
            )
    if hasattr(frame, "iloc"):
        return frame.iloc[:, [given.index(name) for name in names]]
    return frame.select(list(names)) if hasattr(frame, "select") else _by_arrow(frame).select(list(names))


def numbers_of(values: Any, name: str, *, categories: bool = False) -> NDArray[Any]:
    """Convert an array or a data frame to an array of numbers; missing or masked values become NaN.

    Raises
    ------
    TypeError
        If the values, or those of a column, are not numbers. The message begins with ``name`` and includes the name of the
        column.
    """
    refuse_unreadable(values, name)
    if not is_frame(values):
        return numbers_of_vector(values, name, categories=categories)
    if hasattr(values, "iloc") and _is_of_one_type(list(values.dtypes)):
        return np.asarray(values)
    columns = [_column(column, label, name) for label, column in named_columns(values)]
    if not columns:
        return np.empty((len(values), 0))
    return np.asfortranarray(np.column_stack(columns))


def numbers_of_design(X: Any) -> Any:
    """Convert X to an array of numbers, without a copy if possible, or to CSC if it is a data frame with sparse columns."""
    refuse_unreadable(X, "X")
    if not is_frame(X):
        return numbers_of(X, "X")
    if not hasattr(X, "iloc"):
        return _of_other_frame(X)
    dtypes = list(X.dtypes)
    if _is_of_one_type(dtypes) or all(isinstance(dtype, np.dtype) and dtype.kind in "fiu" for dtype in dtypes):
        return np.asarray(X)
    if any(map(_is_sparse, dtypes)):
        return _of_sparse_frame(X)
    if not all(
        getattr(dtype, "kind", "O") in "fiub" for dtype in dtypes
    ):  # raises an error below, unless the objects are numbers
        return _by_columns(list(named_columns(X)))
    # For numbers and booleans, or for types with missing values, the common type that pandas chooses is object.
    return np.asarray(X.to_numpy(dtype=np.float64, na_value=np.nan))


def _column(column: Any, label: Any, name: str) -> NDArray[Any]:
    try:
        return numbers_of_column(column)
    except NotNumbersError as error:
        raise TypeError(f"{name} has the column {label!r} of {error}") from None


def named_columns(frame: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the names and columns of a data frame of any library."""
    names = column_names(frame)
    if hasattr(frame, "iloc"):
        yield from ((label, frame.iloc[:, j]) for j, label in enumerate(names))
    elif hasattr(frame, "get_columns"):
        yield from zip(names, frame.get_columns(), strict=True)
    elif hasattr(frame, "column_names"):
        yield from ((label, frame.column(j)) for j, label in enumerate(names))
    elif hasattr(frame, "columns") and hasattr(frame, "__array__"):
        yield from ((label, frame[label]) for label in names)
    else:
        yield from named_columns(_by_arrow(frame))


def _by_arrow(frame: Any) -> Any:
    """Convert a data frame that supports Arrow's or the data frame interchange protocol to one of pyarrow, polars or pandas."""
    if hasattr(frame, "__arrow_c_stream__"):
        for library, maker in (("pyarrow", "table"), ("polars", "DataFrame")):
            if importlib.util.find_spec(library) is not None:
                return getattr(importlib.import_module(library), maker)(frame)
    if hasattr(frame, "__dataframe__") and importlib.util.find_spec("pandas") is not None:
        return importlib.import_module("pandas.api.interchange").from_dataframe(frame)
    raise TypeError(
        f"a table of type {type(frame).__module__}.{type(frame).__name__} cannot be read without pyarrow, polars or pandas; "
        "pass an array of its numbers"
    )


def _of_other_frame(X: Any) -> NDArray[Any]:
    columns = list(named_columns(X))
    for name, column in columns:  # an empty slice of a column has its type, at no cost
        _column(column[:0], name, "X")
    if hasattr(X, "__array__") and all(np.asarray(column[:0]).dtype.kind in "fiub" for _, column in columns):
        array = np.asarray(X)
        if array.dtype.kind in "fiub":  # otherwise some columns are booleans with missing values
            return array
    return _by_columns(columns)


def _by_columns(columns: list[tuple[Any, Any]]) -> NDArray[np.float64]:
    array = np.empty((len(columns[0][1]) if columns else 0, len(columns)), dtype=np.float64, order="F")
    for j, (name, column) in enumerate(columns):
        array[:, j] = _column(column, name, "X")
    return array


def _is_of_one_type(dtypes: list[Any]) -> bool:
    """Return whether all columns have the same NumPy type, so that the data frame may store them as one array."""
    return all(isinstance(dtype, np.dtype) and dtype.kind in "fiub" and dtype == dtypes[0] for dtype in dtypes)


def _is_sparse(dtype: Any) -> bool:
    return hasattr(dtype, "fill_value") and hasattr(dtype, "subtype")


def _is_zero_elsewhere(dtype: Any) -> bool:
    return _is_sparse(dtype) and dtype.fill_value == 0


def _of_sparse_frame(X: Any) -> Any:
    """Convert a pandas data frame with sparse columns to CSC, or to an array if that is smaller.

    The conversion of pandas supports neither dense columns nor columns with a fill value other than 0.
    """
    dtypes = list(X.dtypes)
    n, p = X.shape
    store = np.float32 if all(getattr(dtype, "subtype", dtype) == np.float32 for dtype in dtypes) else np.float64
    columns = [X.iloc[:, j].array for j in range(p)]
    zero_elsewhere = [_is_zero_elsewhere(dtype) and dtype.kind in "fiub" for dtype in dtypes]
    most = sum(column.sp_index.npoints if zero else n for column, zero in zip(columns, zero_elsewhere, strict=True))
    whole = np.int32 if max(n, most) < 2**31 else np.int64
    if most * (np.dtype(store).itemsize + np.dtype(whole).itemsize) >= n * p * np.dtype(store).itemsize:
        array = np.empty((n, p), dtype=store, order="F")
        for j, (name, column) in enumerate(zip(X.columns, columns, strict=True)):
            array[:, j] = _column(column, name, "X")
        return array
    from scipy.sparse import csc_array

    values, rows = np.empty(most, dtype=store), np.empty(most, dtype=whole)
    starts = np.zeros(p + 1, dtype=whole)
    for j, (name, column, zero) in enumerate(zip(X.columns, columns, zero_elsewhere, strict=True)):
        if zero:
            places, entries = column.sp_index.to_int_index().indices, column.sp_values
        else:
            dense = _column(column, name, "X")
            places = np.flatnonzero(dense)  # NaN, which is a missing value, is not 0
            entries = dense[places]
        starts[j + 1] = starts[j] + len(places)
        values[starts[j] : starts[j + 1]], rows[starts[j] : starts[j + 1]] = entries, places
    return csc_array((values[: starts[p]], rows[: starts[p]], starts), shape=(n, p))

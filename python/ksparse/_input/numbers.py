"""Conversion of lists, arrays, masked arrays and columns of data frames to arrays of numbers.

The same rule applies everywhere. Numbers are floats, integers and booleans, also as Python objects and in types with missing
values; missing values become NaN. Dates, times, durations, categories, text, decimals and other objects raise an error that
says how to convert them.
"""

from __future__ import annotations

import datetime
import decimal
import numbers
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "FILL_IN",
    "NotNumbersError",
    "first_missing",
    "is_missing_object",
    "numbers_of_column",
    "numbers_of_vector",
    "refuse_missing",
    "refuse_unreadable",
]

FILL_IN = "leave out the rows where it is missing, or fill them in"

_RULE = "it must be real numbers (float, integer or boolean)"
_ENCODE = "encode categories and text first, e.g. by pandas.get_dummies or scikit-learn's OneHotEncoder"
_DATES = "turn dates, times and durations into numbers first, e.g. days since a fixed date, or the month"
_DECIMALS = "convert decimals to floats first, e.g. by astype(float) or cast(polars.Float64)"
_SPREAD = "give each of its values a column of its own, e.g. by unnest for a struct"
# Keys are prefixes of the names of types that NumPy would silently convert to numbers or objects.
_REFUSED_TYPES = {"categor": _ENCODE, "enum": _ENCODE, "dictionary": _ENCODE, "decimal": _DECIMALS}
_REFUSED_KINDS = {"M": _DATES, "m": _DATES, "U": _ENCODE, "S": _ENCODE}
_NUMPY_TIMES = (np.datetime64, np.timedelta64)
_OF_TIME = (datetime.date, datetime.time, datetime.timedelta, *_NUMPY_TIMES)


class NotNumbersError(TypeError):
    """The error that values are not numbers, with a message to which the name of the argument is added."""


def refuse_unreadable(values: Any, name: str) -> None:
    """Raise TypeError for a lazy data frame, and for a sparse matrix, which is only allowed for X."""
    if hasattr(values, "collect") and not hasattr(values, "__array__"):
        raise TypeError(f"{name} is a {type(values).__name__}, which is evaluated lazily; pass {name}.collect() instead")
    if hasattr(values, "nnz") and hasattr(values, "todense"):
        raise TypeError(
            f"{name} is a sparse {type(values).__name__}; it must be dense: pass {name}.toarray() (a vector: .toarray().ravel())"
        )


def _type_of(column: Any) -> Any:
    """Return the type of a column, or None for values without a type, such as a list."""
    return getattr(column, "dtype", None) if hasattr(column, "dtype") else getattr(column, "type", None)


def numbers_of_vector(values: Any, name: str, *, categories: bool = False) -> NDArray[Any]:
    """Convert values to an array of numbers of any shape; with ``categories``, categorical values that are numbers are allowed.

    Raises
    ------
    TypeError
        If the values are not numbers. The message begins with ``name``.
    """
    refuse_unreadable(values, name)
    try:
        return numbers_of_column(values, categories=categories)
    except NotNumbersError as error:
        raise TypeError(f"{name} has {error}") from None


def numbers_of_column(column: Any, *, categories: bool = False) -> NDArray[Any]:
    """Convert an array or a column of a data frame to numbers; missing or masked values become NaN."""
    if isinstance(column, np.ndarray) and column.dtype.kind in "fiub" and not isinstance(column, np.ma.MaskedArray):
        return np.asarray(column)
    if isinstance(column, np.ma.MaskedArray):
        return _without_mask(column)
    kind = _type_of(column)
    if not categories:
        _refuse_type(kind)
    if hasattr(column, "to_numpy") and not isinstance(kind, np.dtype) and getattr(kind, "kind", "O") in "fiub":
        return _of_extension_type(column, kind)
    array = np.asarray(column)
    if getattr(column, "shape", array.shape) != array.shape:  # structs and fixed-size arrays of polars
        raise NotNumbersError(_refusal(str(kind), _SPREAD, ", but each row holds several values"))
    if array.dtype.kind == "O":
        return _of_objects(array, "object" if kind is None else str(kind))
    if array.dtype.kind not in "fiub":
        raise NotNumbersError(_refusal(str(array.dtype if kind is None else kind), _REFUSED_KINDS.get(array.dtype.kind)))
    return array


def _refuse_type(kind: Any) -> None:
    name = str(kind)
    for beginning, cure in _REFUSED_TYPES.items():
        if name.lower().startswith(beginning):
            raise NotNumbersError(_refusal(name, cure))


def _refusal(kind: str, cure: str | None, holding: str = "") -> str:
    return f"dtype {kind}; {_RULE}{holding}" + (f": {cure}" if cure else "")


def _without_mask(array: np.ma.MaskedArray[Any, Any]) -> NDArray[Any]:
    values = numbers_of_column(array.data)
    mask = np.ma.getmaskarray(array)
    return np.where(mask, np.nan, values) if mask.any() else values


def _of_extension_type(column: Any, kind: Any) -> NDArray[Any]:
    """Convert a column with a pandas extension type, including sparse and Arrow types."""
    if hasattr(kind, "fill_value"):  # a sparse column, in which missing values are NaN already
        return np.asarray(column, dtype=kind.subtype)
    if np.any(column.isna()):
        return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
    return np.asarray(column.to_numpy(dtype=getattr(kind, "numpy_dtype", np.float64)))


def first_missing(values: Any) -> tuple[int, ...] | None:
    """Return the index of the first missing value among labels of any type, or None."""
    try:
        labels = np.asarray(values, dtype=object)
    except ValueError:  # lists of unequal lengths
        return None
    mask = np.ma.getmaskarray(values) if isinstance(values, np.ma.MaskedArray) else None
    for place, label in np.ndenumerate(labels):
        if is_missing_object(label) or (mask is not None and mask[place]):
            return place
    return None


def refuse_missing(place: tuple[int, ...], name: str) -> NoReturn:
    """Raise ValueError for a missing value. The message begins as scikit-learn's estimator checks expect."""
    where = ", ".join(str(int(index)) for index in place)
    raise ValueError(f"Input {name} contains NaN: {name}[{where}] is missing; {FILL_IN}")


def _is_missing_type(kind: type) -> bool:
    """Return whether objects of a type are missing values: None, pandas.NA, pandas.NaT or a masked entry."""
    return kind is type(None) or kind.__name__ in ("NAType", "NaTType", "MaskedConstant")


def is_missing_object(value: Any) -> bool:
    """Return whether an object is a missing value."""
    if isinstance(value, _NUMPY_TIMES):  # NaT of NumPy has the type of a date or duration
        return bool(np.isnat(value))
    return _is_missing_type(type(value)) or (isinstance(value, float) and value != value)


def _is_number_type(kind: type) -> bool:
    # NumPy durations are instances of Integral.
    return issubclass(kind, (numbers.Real, np.number, np.bool_)) and not issubclass(kind, (np.timedelta64, np.complexfloating))


def _of_objects(array: NDArray[np.object_], name: str) -> NDArray[Any]:
    """Convert objects to numbers of the smallest type that can represent them."""
    objects = array.ravel().tolist()
    kinds = set(map(type, objects))
    if not kinds.isdisjoint(_NUMPY_TIMES):
        objects = [None if is_missing_object(value) else value for value in objects]
        kinds = set(map(type, objects))
    missing = {kind for kind in kinds if _is_missing_type(kind)}
    for kind in kinds - missing:
        if not _is_number_type(kind):
            i = next(i for i, value in enumerate(objects) if type(value) is kind)
            raise NotNumbersError(_refusal_of_object(array, i, name))
    if missing:
        objects = [np.nan if type(value) in missing else value for value in objects]
    whole = not missing and all(issubclass(kind, (numbers.Integral, np.integer, np.bool_)) for kind in kinds)
    truth = whole and all(issubclass(kind, (bool, np.bool_)) for kind in kinds)
    try:
        return np.array(objects, dtype=bool if truth else np.int64 if whole else np.float64).reshape(array.shape)
    except OverflowError:
        pass
    try:
        return np.array(objects, dtype=np.float64).reshape(array.shape)
    except OverflowError:
        raise NotNumbersError(f"dtype {name}, with an integer that is too large for a float") from None


def _refusal_of_object(array: NDArray[np.object_], i: int, name: str) -> str:
    value = array.ravel()[i]
    place = f"[{', '.join(str(int(index)) for index in np.unravel_index(i, array.shape))}]" if array.ndim else "it"
    try:
        float(value)
        why = ""
    except (TypeError, ValueError, OverflowError) as error:
        why = "" if isinstance(value, str) else f" ({error})"
    cure = None
    if isinstance(value, (str, bytes)):
        cure = _ENCODE
    elif isinstance(value, decimal.Decimal):
        cure = _DECIMALS
    elif isinstance(value, _OF_TIME) or type(value).__name__ in ("Period", "Interval"):
        cure = _DATES
    shown = repr(value)
    shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
    return _refusal(name, cure, f", but {place} is {shown}{why}")

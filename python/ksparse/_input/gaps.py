"""Responses that are missing in rows of weight zero, which do not count."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .numbers import is_missing_object, numbers_of_column

__all__ = ["idle_gaps", "without_idle_gaps"]


def idle_gaps(y: Any, sample_weight: Any) -> NDArray[np.bool_] | None:
    """Return which responses are missing in a row of weight zero, in the shape of y, or None if there are none.

    Arguments that are invalid have none either; they raise an error elsewhere.
    """
    if y is None or sample_weight is None or isinstance(sample_weight, numbers.Number) or hasattr(y, "nnz"):
        return None
    try:
        weights = np.asarray(sample_weight, dtype=np.float64)
        values, missing = _values_and_missing(y)
    except (TypeError, ValueError):
        return None
    if weights.ndim != 1 or values.ndim not in (1, 2) or len(values) != len(weights):
        return None
    idle = weights == 0
    gaps = missing & (idle if values.ndim == 1 else idle[:, None])
    return gaps if gaps.any() else None


def without_idle_gaps(y: Any, sample_weight: Any) -> Any:
    """Return y in which a response that is missing in a row of weight zero is replaced by one that is not missing.

    Any valid response will do, because the row does not count.
    """
    gaps = idle_gaps(y, sample_weight)
    if gaps is None:
        return y
    values, missing = _values_and_missing(y)
    if missing.all():
        return y
    filled = values.copy()
    filled[gaps] = values[~missing][0]
    return filled


def _values_and_missing(y: Any) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return y as an array, of numbers if its values are numbers, and which of them are missing."""
    try:
        values = numbers_of_column(y, categories=True)
    except TypeError:  # labels that are not numbers
        values = np.asarray(y)
        if values.dtype.kind == "O":
            missing = np.array([is_missing_object(label) for label in values.ravel().tolist()], dtype=bool)
            return values, missing.reshape(values.shape)
    return values, np.isnan(values) if values.dtype.kind == "f" else np.zeros(values.shape, dtype=bool)

"""Reading the arguments of estimators by the rules of ksparse, before scikit-learn validates them.

scikit-learn itself converts text, dates and decimals to numbers where it can, ignores masks, and reports missing values without their
position.
"""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import (
    _check_feature_names,
    _check_n_features,
    _check_sample_weight,
    check_array,
    check_X_y,
    validate_data,
)

from .._input.frames import is_frame, numbers_of, numbers_of_design
from .._input.numbers import first_missing, refuse_missing, refuse_unreadable
from .._input.sparse import is_sparse
from .._input.validation import READ_IN_PLACE, check_weights

__all__ = ["scoring_weights", "targets_of", "validate_readable", "weights_of", "weights_of_rows"]


def validate_readable(estimator: Any, X: Any, *y: Any, reset: bool, **checks: Any) -> Any:
    """Validate X, or X and y, like scikit-learn's ``validate_data``, where X may also be a data frame or an object array."""
    array = X if is_sparse(X) or _is_plain(X) else numbers_of_design(X)
    checks = {"dtype": READ_IN_PLACE, "accept_sparse": ["csc", "csr"], **checks}
    if not is_frame(X):
        return validate_data(estimator, array, *y, reset=reset, **checks)
    _check_feature_names(estimator, X, reset=reset)
    checked = check_X_y(array, *y, estimator=estimator, **checks) if y else check_array(array, estimator=estimator, **checks)
    _check_n_features(estimator, checked[0] if y else checked, reset=reset)
    return checked


def targets_of(y: Any, *, numeric: bool = False, many_labels: bool = False) -> Any:
    """Return y as numbers if its values are numbers, else unchanged; raise ValueError for the first missing value.

    With ``numeric``, y must be numbers. With ``many_labels``, a y with several columns must be numbers or text.
    """
    if y is None or is_sparse(y):
        return y
    refuse_unreadable(y, "y")
    if _is_plain(y) and y.dtype.kind != "f":
        return y
    try:
        values = numbers_of(y, "y", categories=not numeric)
    except (TypeError, ValueError) as error:  # labels that are not numbers, or lists of unequal lengths
        if numeric and isinstance(error, TypeError) and np.asarray(y).dtype.kind != "c":
            raise
        if (place := first_missing(y)) is not None:
            refuse_missing(place, "y")
        if (
            many_labels and _n_columns(y) > 1 and np.asarray(y).dtype.kind not in "US"
        ):  # text raises an error that names its first label
            raise TypeError(f"{str(error).partition(';')[0]}; labels must be 0 and 1, as numbers or booleans") from None
        return y
    _refuse_nan(values, "y")
    return values


def weights_of(sample_weight: Any) -> Any:
    """Return weights as an array of numbers, a single number unchanged; raise ValueError for the first missing value."""
    if isinstance(sample_weight, numbers.Number):
        return sample_weight
    values = numbers_of(sample_weight, "sample_weight")
    _refuse_nan(values, "sample_weight")
    return values


def weights_of_rows(sample_weight: Any, rows: Any) -> NDArray[np.float64] | None:
    """Return a weight for each row, or None if none are given. ``fit`` checks their signs together with the labels."""
    if sample_weight is None:
        return None
    weights = _check_sample_weight(weights_of(sample_weight), rows, dtype=np.float64, ensure_non_negative=False)
    return np.asarray(weights)


def scoring_weights(sample_weight: Any, rows: Any) -> NDArray[np.float64] | None:
    """Return the weights of rows for a score, which must satisfy the same conditions as the weights of a fit."""
    weights = weights_of_rows(sample_weight, rows)
    return None if weights is None else check_weights(weights, weights, binary=False)


def _n_columns(y: Any) -> int:
    try:
        shape = np.shape(y)
    except ValueError:  # lists of unequal lengths
        return 0
    return shape[1] if len(shape) == 2 else 1


def _is_plain(values: Any) -> bool:
    """Return whether this is an array of numbers without a mask. Complex numbers are included: scikit-learn raises the error for them."""
    return isinstance(values, np.ndarray) and values.dtype.kind in "fiubc" and not isinstance(values, np.ma.MaskedArray)


def _refuse_nan(values: NDArray[Any], name: str) -> None:
    if values.dtype.kind == "f" and np.isnan(values).any():
        refuse_missing(tuple(np.argwhere(np.isnan(values))[0]), name)

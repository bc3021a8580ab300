"""What estimators are given, read by the rules of ksparse before scikit-learn looks at it.

scikit-learn's own reading turns text, dates and decimals into numbers where it can, drops masks, and says of what is missing only
that it is there.
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
from .._input.validation import check_weights

__all__ = ["FLOATS", "targets_of", "validate_readable", "weights_of", "weights_of_rows", "weights_to_judge_by"]

FLOATS = [np.float64, np.float32]  # read in place; others become the first


def validate_readable(estimator: Any, X: Any, *y: Any, reset: bool, **checks: Any) -> Any:
    """Return X, or X and y, as scikit-learn's ``validate_data`` does, where X may be a table or objects."""
    array = X if is_sparse(X) or _is_plain(X) else numbers_of_design(X)
    checks = {"dtype": FLOATS, "accept_sparse": ["csc", "csr"], **checks}
    if not is_frame(X):
        return validate_data(estimator, array, *y, reset=reset, **checks)
    _check_feature_names(estimator, X, reset=reset)
    checked = check_X_y(array, *y, estimator=estimator, **checks) if y else check_array(array, estimator=estimator, **checks)
    _check_n_features(estimator, checked[0] if y else checked, reset=reset)
    return checked


def targets_of(y: Any, *, numeric: bool = False, many_labels: bool = False) -> Any:
    """Return y as an array of numbers if it is numbers, else as it is; raise ValueError for the first row that is missing.

    With ``numeric`` nothing but numbers will do, with ``many_labels`` nothing else but text where y has several columns.
    """
    if y is None or is_sparse(y):
        return y
    refuse_unreadable(y, "y")
    if _is_plain(y) and y.dtype.kind != "f":
        return y
    try:
        values = numbers_of(y, "y", categories=not numeric)
    except (TypeError, ValueError) as error:  # labels of another kind, or lists of unequal lengths
        if numeric and isinstance(error, TypeError) and np.asarray(y).dtype.kind != "c":
            raise
        if (place := first_missing(y)) is not None:
            refuse_missing(place, "y")
        if many_labels and _n_columns(y) > 1 and np.asarray(y).dtype.kind not in "US":  # text is refused by its first label
            raise TypeError(f"{str(error).partition(';')[0]}; labels must be 0 and 1, as numbers or booleans") from None
        return y
    _refuse_nan(values, "y")
    return values


def weights_of(sample_weight: Any) -> Any:
    """Return weights as an array of numbers; raise ValueError for the first that is missing. A number stands for itself."""
    if isinstance(sample_weight, numbers.Number):
        return sample_weight
    values = numbers_of(sample_weight, "sample_weight")
    _refuse_nan(values, "sample_weight")
    return values


def weights_of_rows(sample_weight: Any, rows: Any) -> NDArray[np.float64] | None:
    """Return a weight for each of the rows; None where none are given. Of a fit, their signs are checked with its labels."""
    if sample_weight is None:
        return None
    weights = _check_sample_weight(weights_of(sample_weight), rows, dtype=np.float64, ensure_non_negative=False)
    return np.asarray(weights)


def weights_to_judge_by(sample_weight: Any, rows: Any) -> NDArray[np.float64] | None:
    """Return the weights of the rows of a score, which must be what those of a fit must be."""
    weights = weights_of_rows(sample_weight, rows)
    return None if weights is None else check_weights(weights, weights, binary=False)


def _n_columns(y: Any) -> int:
    try:
        shape = np.shape(y)
    except ValueError:  # lists of unequal lengths
        return 0
    return shape[1] if len(shape) == 2 else 1


def _is_plain(values: Any) -> bool:
    """Whether values are an array that hides nothing; complex numbers are refused by scikit-learn, in its words."""
    return isinstance(values, np.ndarray) and values.dtype.kind in "fiubc" and not isinstance(values, np.ma.MaskedArray)


def _refuse_nan(values: NDArray[Any], name: str) -> None:
    if values.dtype.kind == "f" and np.isnan(values).any():
        refuse_missing(tuple(np.argwhere(np.isnan(values))[0]), name)

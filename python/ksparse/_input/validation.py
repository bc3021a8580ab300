"""Validation of arguments. Each error message says in one sentence what the argument was and what it must be.

X is not searched for NaN or infinity here, because the core finds them in its first pass at no cost and reports their position.
"""

from __future__ import annotations

import numbers
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._checks import check_choice, check_focal, check_integer, check_real, check_seed
from .._quiet import quiet
from .._warn import warn_user
from ..losses import BY_NAME, KINKED, Loss
from .frames import column_names, is_frame, numbers_of, numbers_of_design, select_columns
from .numbers import FILL_IN, first_missing, refuse_missing, refuse_unreadable
from .row_blocks import refuse_blocks
from .sparse import check_sparse, check_sparse_shape, is_sparse

__all__ = [
    "NUMBERS_NOT_LABELS",
    "PROBABILITIES",
    "READ_IN_PLACE",
    "SEARCHES",
    "check_bounds",
    "check_design",
    "check_features",
    "check_groups",
    "check_kind_of_loss",
    "check_labels",
    "check_loss",
    "check_names",
    "check_responses",
    "check_rows",
    "check_search",
    "check_weights",
    "feature_names",
    "has_fractions",
    "limit_budget",
    "linear_predictor",
    "names_of",
    "refuse_list",
]

SEARCHES = ("auto", "fast", "thorough")
PROBABILITIES = ("posterior", "score")
NUMBERS_NOT_LABELS = "for numbers use a regression loss, e.g. loss='squared', or KSparseRegressor"
READ_IN_PLACE = [np.dtype(kind) for kind in (np.float64, np.float32, np.bool_, np.uint8, np.int8)]  # types of a dense X


def check_design(X: Any) -> Any:
    """Return X in a format that the core can read, copied only if it must be converted.

    These formats are arrays of the types in ``READ_IN_PLACE`` with contiguous rows or columns, and SciPy's CSC and CSR matrices
    of float64 or float32.
    """
    refuse_blocks(X)
    if is_sparse(X):
        return check_sparse(X)
    array = numbers_of_design(X)
    if is_sparse(array):  # converted from a data frame with sparse columns
        return check_sparse(array)
    if array.ndim != 2:
        raise ValueError(f"X has shape {array.shape}; it must have two dimensions, (n_samples, n_features)")
    if 0 in array.shape:
        raise ValueError(f"X has shape {array.shape}; it must have at least one row and one column")
    if array.dtype not in READ_IN_PLACE or not array.dtype.isnative:
        array = array.astype(np.float64)
    item = array.itemsize
    down, across = array.strides
    n, p = array.shape
    by_columns = (n == 1 or down == item) and (p == 1 or (across > 0 and across % item == 0))
    by_rows = (p == 1 or across == item) and (n == 1 or (down > 0 and down % item == 0))
    if not (by_columns or by_rows) or not array.flags.aligned:
        array = np.array(array, order="K" if array.flags.f_contiguous else "C")
    return array


def check_names(X: Any, names: NDArray[np.object_] | None, places: NDArray[np.int64] | None = None) -> None:
    """Raise ValueError if a data frame has different column names from the fit."""
    given = None if names is None else feature_names(X)
    if names is None or given is None or (places is not None and len(places) and places[-1] >= len(given)):
        return  # a different number of columns raises an error elsewhere
    found = given if places is None else given[places]
    for i, (name, expected) in enumerate(zip(found, names, strict=False)):
        if name != expected:
            j = i if places is None else int(places[i])
            raise ValueError(
                f"column {j} of X is {name!r} but was {expected!r} in the fit; X must have the same columns in the same order"
            )


@quiet
def linear_predictor(
    X: Any, support: NDArray[np.int64], coef: Any, n_features: int, names: NDArray[np.object_] | None = None
) -> NDArray[np.float64]:
    """Return some columns times their coefficients (s,), or sparse (s, m), as an array; other columns are not converted.

    ``names`` are those of the columns: a data frame with another number of columns than the fit needs only them.
    """
    if names is not None and is_frame(X) and len(column_names(X)) != n_features:
        X = numbers_of_design(select_columns(X, list(names)))
        support, n_features = np.arange(len(names)), len(names)
    if is_sparse(X):
        check_sparse_shape(X)
        columns = X if X.format in ("csc", "csr") else X.tocsr()
    else:
        columns = check_design(X)
    if columns.shape[1] != n_features:
        raise ValueError(f"X has shape {columns.shape} but the fit had {n_features} features")
    product = columns[:, support] @ coef
    return np.asarray(product.toarray() if is_sparse(product) else product, dtype=np.float64)


def check_labels(y: Any, n: int) -> NDArray[np.float64]:
    """Return binary labels y as float64 zeros and ones."""
    refuse_unreadable(y, "y")
    try:
        array = numbers_of(y, "y", categories=True)
    except TypeError:
        array = np.asarray(y)
        if array.shape == (n,):
            _refuse_labels(array)
    if array.shape != (n,):
        raise ValueError(f"X has {n} rows but y has shape {array.shape}; y must have shape ({n},)")
    labels = np.array(array, dtype=np.float64)
    count = int(np.count_nonzero(labels == 1.0))
    if count + int(np.count_nonzero(labels == 0.0)) != n:
        # NaN and infinity are reported first, so that the message does not only say that y is not binary.
        if not np.isfinite(labels).all():
            _refuse_not_finite(labels, "y")
        _refuse_labels(array)
    if count in (0, n):
        raise ValueError(f"y has one class only (all {int(count > 0)}); both 0 and 1 must occur")
    return labels


def check_responses(y: Any, n: int, loss: Loss) -> NDArray[np.float64]:
    """Return y as float64, with values that the loss allows."""
    if loss.is_classification:
        return check_labels(y, n)
    responses = check_rows(y, n, "y")
    if loss.responses == "finite":
        return responses
    rule, bad = (">= 0", responses < 0) if loss.responses == "not_negative" else ("> 0", responses <= 0)
    if bad.any():
        i = int(np.flatnonzero(bad)[0])
        raise ValueError(f"y[{i}] is {responses[i]}; it must be {rule} for loss {loss.name!r}")
    return responses


def _refuse_labels(y: NDArray[Any]) -> NoReturn:
    if (place := first_missing(y)) is not None:
        refuse_missing(place, "y")
    try:
        values = np.unique(y)
        found = ", ".join(repr(v.item() if hasattr(v, "item") else v) for v in values[:5]) + (
            ", ..." if len(values) > 5 else ""
        )
    except TypeError:  # the labels cannot be sorted
        found = f"dtype {y.dtype}"
    advice = NUMBERS_NOT_LABELS if has_fractions(y) else "KSparseClassifier takes any two labels"
    raise ValueError(f"y has values {found}; it must be binary, 0 and 1 ({advice})")


def has_fractions(y: NDArray[Any]) -> bool:
    """Return whether y has numbers that are not whole, which are hardly labels."""
    return y.dtype.kind == "f" and bool(np.any(np.isfinite(y) & (y != np.floor(y))))


def check_rows(values: Any, n: int, name: str) -> NDArray[np.float64]:
    """Return a finite float64 vector with one entry per row of X."""
    array = numbers_of(values, name)
    if array.shape != (n,):
        raise ValueError(f"X has {n} rows but {name} has shape {array.shape}; it must have shape ({n},)")
    vector = np.ascontiguousarray(array, dtype=np.float64)
    if not np.isfinite(vector).all():
        _refuse_not_finite(vector, name)
    return vector


def _refuse_not_finite(vector: NDArray[np.float64], name: str) -> NoReturn:
    i = int(np.flatnonzero(~np.isfinite(vector))[0])
    advice = f"; {FILL_IN}" if np.isnan(vector[i]) else ""
    raise ValueError(f"{name}[{i}] is {vector[i]}; {name} must be finite, without NaN or infinity{advice}")


def check_weights(sample_weight: Any, labels: NDArray[np.float64], *, binary: bool = True) -> NDArray[np.float64]:
    """Return weights that are finite and >= 0, with positive weights in each class if there are classes."""
    weights = check_rows(sample_weight, len(labels), "sample_weight")
    if (weights < 0).any():
        i = int(np.flatnonzero(weights < 0)[0])
        raise ValueError(f"sample_weight[{i}] is {weights[i]}; weights must be finite and >= 0")
    positive = weights > 0
    if not positive.any():
        of = " of each class" if binary else ""
        raise ValueError(f"sample_weight is zero for every row; at least one row{of} needs a positive weight")
    for label in (0.0, 1.0) if binary else ():
        if not (positive & (labels == label)).any():
            raise ValueError(
                f"sample_weight leaves one class only: it is zero for every row of class {int(label)}; "
                "at least one row of each class needs a positive weight"
            )
    return weights


def limit_budget(k: int, name: str, units: int, *, groups: bool) -> int:
    """Return k, or the number of units if k is larger, with a warning."""
    if k > units:
        what = ("group" if groups else "feature") + "s" * (units != 1)
        warn_user(f"{name} is {k} but X has only {units} {what}, so all of them may be chosen")
    return min(k, units)


def refuse_list(k: Any, cure: str) -> None:
    """Raise an error that names what fits several values of k, if k is a list."""
    if isinstance(k, (list, tuple, range, set)) or (isinstance(k, np.ndarray) and k.ndim > 0):
        raise TypeError(f"k is {k!r}; it must be an integer, or the name of a criterion; for several values of k use {cure}")


def check_loss(loss: Any, alpha: Any, gamma: Any) -> Loss:
    """Return the loss as an object. ``alpha`` and ``gamma`` are used if it is the focal loss, given by name."""
    parameters = check_focal(alpha, gamma)
    if isinstance(loss, Loss) and type(loss) is not Loss:
        return loss
    known = {**BY_NAME, **KINKED}
    if not isinstance(loss, str) or loss not in known:
        raise ValueError(f"loss is {loss!r}; it must be one of {', '.join(map(repr, known))}, or an object of ksparse.losses")
    return known[loss]()._with_focal_parameters(*parameters)


def check_kind_of_loss(loss: Loss, responses: str, owner: str, other: str) -> None:
    """Raise an error if a loss is not for classification ("labels") or regression ("numbers"), as an estimator needs it."""
    if loss.is_classification != (responses == "labels"):
        fit = ", ".join(repr(name) for name, of in BY_NAME.items() if (of.responses == "binary") == (responses == "labels"))
        kind = "classification" if responses == "labels" else "regression"
        raise ValueError(f"loss is {loss.name!r}, which is not for {kind}; {owner} accepts {fit}; for this loss use {other}")


def check_search(search: Any, max_rounds: Any, max_refits: Any, max_seconds: Any, random_state: Any) -> dict[str, Any]:
    """Return the limits of the search as options of the core, where 0 means the default."""
    check_choice(search, "search", SEARCHES)
    seconds = 0.0
    if max_seconds is not None:
        seconds = check_real(max_seconds, "max_seconds", "finite and > 0, or None", 0.0, open_low=True)
    return {
        "search": search,
        "max_rounds": 0 if max_rounds is None else check_integer(max_rounds, "max_rounds", 1, 2**31 - 1),
        "max_refits": 0 if max_refits is None else check_integer(max_refits, "max_refits", 1, 2**31 - 1),
        "max_seconds": seconds,
        "random_state": check_seed(random_state),
    }


def check_features(features: Any, name: str, n_features: int, names: NDArray[np.object_] | None) -> list[int]:
    """Return the indices of features that are given by index, or by name if X has names."""
    if features is None:
        return []
    values = features.tolist() if isinstance(features, np.ndarray) else features
    if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
        raise TypeError(f"{name} is {features!r}; it must be a list of features")
    places: dict[Any, list[int]] = {}
    for j, column in enumerate(() if names is None else names):
        places.setdefault(column, []).append(j)
    found = []
    for i, value in enumerate(values):
        if isinstance(value, str):
            if value not in places:
                why = "X has no column names" if names is None else f"X has no such column{_resembling(value, list(places))}"
                raise ValueError(f"{name}[{i}] is {value!r}, but {why}")
            if len(places[value]) > 1:
                raise ValueError(
                    f"{name}[{i}] is {value!r}, but X has {len(places[value])} columns of that name ({places[value]}); "
                    "give the index of the column instead, or rename the columns"
                )
            found.append(places[value][0])
        else:
            found.append(check_integer(value, f"{name}[{i}]", 0, n_features - 1, ", the last feature"))
    return found


def _resembling(name: str, names: list[str]) -> str:
    """Return a suggestion of the name that was probably meant, or an empty text."""
    import difflib  # imported here because it is only needed for an unknown name

    by_case = {other.casefold(): other for other in reversed(names)}
    found = difflib.get_close_matches(name.casefold(), by_case, 1)
    return f"; did you mean {by_case[found[0]]!r}?" if found else ""


def check_groups(groups: Any, n_features: int) -> tuple[NDArray[np.int64], NDArray[Any]] | None:
    """Return the index of each feature's group and the sorted group labels, or None without groups."""
    if groups is None:
        return None
    rule = "labels must be integers or strings"
    try:
        array = np.asarray(groups)
    except ValueError:  # lists of unequal length
        raise TypeError(f"groups is {groups!r}; it must be a label for each of the {n_features} features") from None
    if array.shape != (n_features,):
        raise ValueError(f"groups has shape {array.shape}; it must have shape ({n_features},), a label for each feature")
    if array.dtype.kind not in "iubfUSO":
        raise TypeError(f"groups has dtype {array.dtype}; {rule}")
    if array.dtype.kind == "f":
        whole = np.isfinite(array) & (array == np.floor(array))
        if not whole.all():
            j = int(np.flatnonzero(~whole)[0])
            raise ValueError(f"groups[{j}] is {array[j]}; {rule}")
    if array.dtype.kind == "O":
        kinds = [str if isinstance(label, str) else int if isinstance(label, numbers.Integral) else None for label in array]
        if None in kinds:
            raise TypeError(f"groups[{kinds.index(None)}] is {array[kinds.index(None)]!r}; {rule}")
        if len(set(kinds)) == 2:
            j, other = kinds.index(int), kinds.index(str)
            raise TypeError(f"groups[{j}] is {array[j]!r} but groups[{other}] is {array[other]!r}; {rule}, all of one kind")
    labels, of_feature = np.unique(array, return_inverse=True)
    return of_feature.astype(np.int64), labels


def check_bounds(bounds: Any, n_features: int) -> tuple[NDArray[np.float64] | None, NDArray[np.float64] | None]:
    """Return lower and upper bounds of all coefficients, or None if there are none."""
    if bounds is None:
        return None, None
    if not isinstance(bounds, (tuple, list)) or len(bounds) != 2:
        raise TypeError(f"bounds is {bounds!r}; it must be (lower, upper), each a number, an array or None")
    return _check_bound(bounds[0], "lower", n_features), _check_bound(bounds[1], "upper", n_features)


def _check_bound(bound: Any, name: str, n_features: int) -> NDArray[np.float64] | None:
    if bound is None:
        return None
    array = numbers_of(bound, f"bounds: {name}")
    if array.dtype.kind not in "fiu":
        raise TypeError(f"bounds: {name} has dtype {array.dtype}; it must be real numbers")
    if array.shape not in ((), (n_features,)):
        raise ValueError(f"bounds: {name} has shape {array.shape}; it must be a number or have shape ({n_features},)")
    return np.array(np.broadcast_to(array, (n_features,)), dtype=np.float64)


def names_of(features: ArrayLike, names: Any) -> list[str]:
    """Return the names of some features, which are ``x0``, ``x1``, ... as in scikit-learn if they are not known."""
    return [f"x{j}" if names is None else str(names[j]) for j in np.asarray(features).tolist()]


def feature_names(X: Any) -> NDArray[np.object_] | None:
    """Return the column names of a data frame if all of them are strings, else None."""
    if not is_frame(X):
        return None
    names = column_names(X)
    return np.asarray(names, dtype=object) if names and all(isinstance(name, str) for name in names) else None

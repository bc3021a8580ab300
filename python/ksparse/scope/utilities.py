"""Information criteria for ``ic_method``, and checks of survival times.

A criterion is a function of the objective, the number of parameters p, the number of chosen parameters s and the number of samples n. Except
for :func:`LinearSIC` and :func:`LinearGIC`, the objective must be a negative log-likelihood, summed over the samples and not averaged.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array, check_consistent_length

__all__ = ["AIC", "BIC", "EBIC", "GIC", "SIC", "LinearGIC", "LinearSIC", "check_array_survival", "check_y_survival"]

_CRITERION = """

    Parameters
    ----------
    objective_value : float
        {objective}
    dimensionality : int
        Number of parameters p.
    effective_params_num : int
        Number of chosen parameters s.
    train_size : int
        Number of samples n.

    Returns
    -------
    float
        The criterion; smaller is better.
"""


def _criterion(objective: str = "The objective f, a negative log-likelihood.") -> Any:
    def fill(function: Any) -> Any:
        function.__doc__ += _CRITERION.format(objective=objective)
        return function

    return fill


@_criterion()
def AIC(objective_value: float, dimensionality: int, effective_params_num: int, train_size: int) -> float:  # noqa: N802
    """Return the criterion of Akaike, 2 f + 2 s."""
    return 2 * objective_value + 2 * effective_params_num


@_criterion()
def BIC(objective_value: float, dimensionality: int, effective_params_num: int, train_size: int) -> float:  # noqa: N802
    """Return the Bayesian criterion of Schwarz, 2 f + s log(n)."""
    return float(2 * objective_value + effective_params_num * np.log(train_size))


@_criterion()
def SIC(objective_value: float, dimensionality: int, effective_params_num: int, train_size: int) -> float:  # noqa: N802
    """Return the special information criterion of Zhu et al. (PNAS 2020), 2 f + s log(log(n)) log(p)."""
    return float(2 * objective_value + effective_params_num * np.log(np.log(train_size)) * np.log(dimensionality))


@_criterion()
def GIC(objective_value: float, dimensionality: int, effective_params_num: int, train_size: int) -> float:  # noqa: N802
    """Return the generalised information criterion of Fan and Tang (2013), 2 f + s log(log(n)) log(p)."""
    return SIC(objective_value, dimensionality, effective_params_num, train_size)


@_criterion()
def EBIC(objective_value: float, dimensionality: int, effective_params_num: int, train_size: int) -> float:  # noqa: N802
    """Return the extended Bayesian criterion, 2 f + s (log(n) + 2 log(p))."""
    return float(2 * objective_value + effective_params_num * (np.log(train_size) + 2 * np.log(dimensionality)))


@_criterion("The objective f, a sum of squared residuals.")
def LinearSIC(objective_value: float, dimensionality: int, effective_params_num: int, train_size: int) -> float:  # noqa: N802
    """Return the special information criterion of a linear model, n log(f) + 2 s log(log(n)) log(p)."""
    penalty = 2 * effective_params_num * np.log(np.log(train_size)) * np.log(dimensionality)
    return float(train_size * np.log(objective_value) + penalty)


@_criterion("The objective f, a sum of squared residuals.")
def LinearGIC(objective_value: float, dimensionality: int, effective_params_num: int, train_size: int) -> float:  # noqa: N802
    """Return the generalised information criterion of a linear model, n log(f) + 2 s log(log(n)) log(p)."""
    return LinearSIC(objective_value, dimensionality, effective_params_num, train_size)


def check_y_survival(y_or_event: ArrayLike, *args: ArrayLike | None, allow_all_censored: bool = False) -> tuple[Any, ...]:
    """Check survival times, and return events and times as arrays.

    Parameters
    ----------
    y_or_event : structured array of two fields, or array-like of bool
        Whether the event was observed, and the time. If times are given as ``args``, only whether the event was observed.
    *args : array-like or None
        Times; None is returned as it is.
    allow_all_censored : bool, default=False
        Whether there may be no event at all.

    Returns
    -------
    tuple of ndarray
        Events, of dtype bool, and times.
    """
    times: tuple[ArrayLike | None, ...] = args
    if not args:
        fields = getattr(y_or_event, "dtype", np.dtype(float)).names
        if fields is None or len(fields) != 2:
            raise ValueError("y must be a structured array of two fields: whether the event was observed, and the time")
        y: Any = y_or_event
        y_or_event, times = y[fields[0]], (y[fields[1]],)
    event = check_array(y_or_event, ensure_2d=False)
    if event.dtype != np.bool_:
        raise ValueError(f"events have dtype {event.dtype}; they must be of dtype bool")
    if not (allow_all_censored or event.any()):
        raise ValueError("all samples are censored; at least one event must be observed")
    return event, *(None if time is None else _check_time(time, i) for i, time in enumerate(times))


def _check_time(time: ArrayLike, place: int) -> NDArray[Any]:
    array = check_array(time, ensure_2d=False)
    if array.dtype.kind not in "fiu":
        raise ValueError(f"times have dtype {array.dtype} in argument {place + 2}; they must be numbers")
    return np.asarray(array)


def check_array_survival(X: ArrayLike, y: Any) -> tuple[Any, ...]:
    """Check survival times and that X has a row for each of them, and return events and times as arrays.

    Parameters
    ----------
    X : array-like of shape (n, p)
        The features.
    y : structured array of shape (n,) with two fields
        Whether the event was observed, and the time.

    Returns
    -------
    tuple of ndarray
        Events, of dtype bool, and times.
    """
    event, time = check_y_survival(y)
    check_consistent_length(X, event, time)
    return event, time

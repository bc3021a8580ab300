"""Arithmetic in which overflow and underflow are expected, whatever ``np.seterr`` the caller has set."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numpy as np

__all__ = ["quiet"]

P = ParamSpec("P")
T = TypeVar("T")


def quiet(function: Callable[P, T]) -> Callable[P, T]:
    """Ignore floating-point errors in a function.

    A probability of 1e-400 is 0, and the mean of a row with a very large linear predictor is infinite. These are correct results, even
    if the caller has set ``np.seterr(all="raise")``. (As a decorator, ``np.errstate`` of NumPy 1 has state that threads would share.)
    """

    @functools.wraps(function)
    def inner(*args: P.args, **kwargs: P.kwargs) -> T:
        with np.errstate(all="ignore"):
            return function(*args, **kwargs)

    return inner

"""Arithmetic that is meant to over- and underflow, whatever the caller has told NumPy to do about it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numpy as np

__all__ = ["quiet"]

P = ParamSpec("P")
T = TypeVar("T")


def quiet(function: Callable[P, T]) -> Callable[P, T]:
    """Let the arithmetic of a function end in 0, infinity or NaN where it does.

    A probability of 1e-400 is 0 and the mean of a row far away is infinite: that is the answer, not an error, also under a caller's
    ``np.seterr(all="raise")``. (``np.errstate`` as a decorator keeps state in itself in NumPy 1, which threads would share.)
    """

    @functools.wraps(function)
    def inner(*args: P.args, **kwargs: P.kwargs) -> T:
        with np.errstate(all="ignore"):
            return function(*args, **kwargs)

    return inner

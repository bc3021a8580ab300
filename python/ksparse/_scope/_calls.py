"""Functions of the user, which may have the data as an argument or not."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable
from typing import Any

__all__ = ["with_data", "without_jit"]


def with_data(function: Callable[..., Any], n_before: int, *, has_data: bool) -> Callable[..., Any]:
    """Return a function of some arguments and then the data, whether the given one takes the data or not.

    Parameters
    ----------
    function : callable
        A function of ``n_before`` arguments, and perhaps of the data.
    n_before : int
        Number of arguments before the data.
    has_data : bool
        Whether there are data. Without them, a function that must have one more argument gets None.
    """
    if _takes_data(function, n_before, has_data):
        return function
    return lambda *arguments: function(*arguments[:n_before])


def without_jit(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function that a user has compiled, since what it closes over would be out of reach, or any other as it is."""
    if not (hasattr(function, "lower") and hasattr(function, "__wrapped__")):
        return function
    plain: Callable[..., Any] = function.__wrapped__
    return types.MethodType(plain, function.__self__) if isinstance(function, types.MethodType) else plain


def _takes_data(function: Callable[..., Any], n_before: int, has_data: bool) -> bool:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # a compiled function without a signature
        return has_data
    by_place = [one for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    required = sum(one.default is one.empty for one in by_place)
    accepted = float("inf") if any(one.kind is one.VAR_POSITIONAL for one in parameters) else len(by_place)
    return required > n_before or (has_data and accepted > n_before)

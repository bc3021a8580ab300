"""What the arguments of a solver must be, checked before anything is computed.

Messages begin with skscope's words where it refuses the same, so that programs that look for them find them, and then say what was given.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._checks import check_integer
from ._derivatives import Vector

__all__ = [
    "check_group",
    "check_numbers",
    "check_params",
    "check_whole",
    "directions_at_once",
    "same",
    "usual_sparsity",
    "whole",
]


def same(value: Any, other: Any) -> bool:
    """Whether two values of an argument are the same, arrays compared entry by entry."""
    if value is other:
        return True
    if isinstance(value, (np.ndarray, list, tuple)) or isinstance(other, (np.ndarray, list, tuple)):
        return len(np.shape(value)) == len(np.shape(other)) and list(np.ravel(value)) == list(np.ravel(other))
    return type(value) is type(other) and bool(value == other)


def usual_sparsity(n_groups: int) -> int:
    """Return the largest sparsity that is tried by default, as skscope has it."""
    return n_groups if n_groups <= 5 else int(n_groups / math.log(math.log(n_groups)) / math.log(n_groups))


def whole(value: Any) -> Any:
    """Return a whole number as an integer, whatever type of number or array of one element it is; anything else as it is."""
    array = np.asarray(value)
    if array.size == 1 and array.dtype.kind in "iuf" and float(array.item()).is_integer():
        return int(array.item())
    return value


def check_whole(value: Any, name: str, low: int, high: int | None = None, high_name: str = "") -> int:
    """Return a whole number in [low, high]."""
    return check_integer(whole(value), name, low, high, high_name)


def check_group(group: Any, p: int) -> NDArray[np.int64]:
    """Return the group of each parameter."""
    if group is None:
        return np.arange(p)
    array = np.asarray(group)
    if array.ndim != 1:
        raise ValueError(f"Group should be an 1D array of integers. group has shape {array.shape}")
    if len(array) != p:
        raise ValueError(
            f"The length of group should be equal to dimensionality. group has shape {array.shape}, and dimensionality is {p}"
        )
    if array.dtype.kind not in "iuf" or not (array == np.floor(array)).all():
        raise TypeError(f"group has dtype {array.dtype}; it must be integers")
    array = array.astype(np.int64)
    steps = np.diff(array)
    if array[0] != 0:
        raise ValueError(f"Group should start from 0. group[0] is {array[0]}")
    for wrong, words in ((steps < 0, "Group should be an incremental integer array."), (steps > 1, "There is a gap in group.")):
        if wrong.any():
            j = int(np.flatnonzero(wrong)[0])
            raise ValueError(
                f"{words} group[{j}] is {array[j]} and group[{j + 1}] is {array[j + 1]}; from one parameter to the next it may "
                "stay as it is or increase by 1, e.g. [0, 0, 1, 2, 2]"
            )
    return array


def check_numbers(values: Any, name: str, count: int, words: str) -> list[int]:
    """Return numbers of parameters, or of groups, sorted and each once; ``words`` are those of skscope if one is out of range."""
    if values is None:
        return []
    numbers = [whole(value) for value in np.asarray(values).ravel().tolist()]
    for i, number in enumerate(numbers):
        check_integer(number, f"{name}[{i}]", -(2**62))
        if not 0 <= number < count:
            raise ValueError(f"{words} {name}[{i}] is {number}; it must be >= 0 and at most {count - 1}")
    return sorted(set(numbers))


def check_params(values: Any, name: str, p: int) -> Vector:
    """Return a finite vector of all parameters."""
    array = np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} has dtype {array.dtype}; it must be real numbers")
    if array.shape != (p,):
        raise ValueError(
            f"The length of {name} should be equal to dimensionality. {name} has shape {array.shape}; it must have shape ({p},)"
        )
    vector = array.astype(np.float64)
    if not np.isfinite(vector).all():
        j = int(np.flatnonzero(~np.isfinite(vector))[0])
        raise ValueError(f"{name}[{j}] is {vector[j]}; it must be finite")
    return vector


def directions_at_once(p: int, most: int) -> int:
    """Return how many products with the Hessian one call makes: those of all active columns, within reason."""
    return int(min(max(most, 16), p, 64))

"""What the arguments of a solver must be, checked before anything is computed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._checks import check_integer
from ._derivatives import Vector

__all__ = ["bounds_of", "check_group", "check_numbers", "check_params", "directions_at_once", "same", "usual_sparsity", "what"]


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


def what(p: int, n_groups: int) -> str:
    """Return what a number of parameters is compared with, in words."""
    return ", dimensionality" if n_groups == p else ", the number of groups"


def check_group(group: Any, p: int) -> NDArray[np.int64]:
    """Return the group of each parameter."""
    if group is None:
        return np.arange(p)
    array = np.asarray(group)
    if array.shape != (p,):
        raise ValueError(f"group has shape {array.shape}; it must have shape ({p},), a number for each parameter")
    if array.dtype.kind not in "iu":
        raise TypeError(f"group has dtype {array.dtype}; it must be integers")
    steps = np.diff(array)
    if array[0] != 0 or ((steps != 0) & (steps != 1)).any():
        raise ValueError("group must start at 0 and increase by 0 or 1 from one parameter to the next, e.g. [0, 0, 1, 2, 2]")
    return array.astype(np.int64)


def check_numbers(values: Any, name: str, count: int) -> list[int]:
    """Return numbers of parameters, or of groups, sorted and each once."""
    if values is None:
        return []
    numbers = [
        check_integer(value, f"{name}[{i}]", 0, count - 1) for i, value in enumerate(np.asarray(values).ravel().tolist())
    ]
    return sorted(set(numbers))


def check_params(values: Any, name: str, p: int) -> Vector:
    """Return a finite vector of all parameters."""
    array = np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} has dtype {array.dtype}; it must be real numbers")
    if array.shape != (p,):
        raise ValueError(f"{name} has shape {array.shape}; it must have shape ({p},)")
    vector = array.astype(np.float64)
    if not np.isfinite(vector).all():
        j = int(np.flatnonzero(~np.isfinite(vector))[0])
        raise ValueError(f"{name}[{j}] is {vector[j]}; it must be finite")
    return vector


def bounds_of(layers: Sequence[Any], p: int) -> tuple[Vector | None, Vector | None]:
    """Return the bounds that layers put on the parameters."""
    lower: Vector | None = None
    upper: Vector | None = None
    for i, layer in enumerate(layers):
        kind = type(layer).__name__
        limits: tuple[Any, Any]
        if kind == "NonNegative":
            limits = 0.0, np.inf
        elif kind == "BoxConstraint":
            limits = layer.lower, layer.upper
        else:
            raise ValueError(
                f"layers[{i}] is a {kind}; only NonNegative and BoxConstraint are supported; include other constraints in the objective"
            )
        low, high = (np.broadcast_to(np.asarray(limit, dtype=np.float64), (p,)) for limit in limits)
        lower = np.array(low if lower is None else np.maximum(lower, low))
        upper = np.array(high if upper is None else np.minimum(upper, high))
    return lower, upper


def directions_at_once(p: int, most: int) -> int:
    """Return how many products with the Hessian one call makes: those of all active columns, within reason."""
    return int(min(max(most, 16), p, 64))

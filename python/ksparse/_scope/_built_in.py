"""A built-in loss as an objective of the parameters, with its derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._loss import terms_by_eta
from .._validation import check_design, check_rows
from ..losses import Loss
from ._derivatives import Vector

__all__ = ["functions_of_loss"]


def functions_of_loss(loss: Loss) -> tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]:
    """Return value, gradient and Hessian of the average loss, each a function of parameters and data ``(X, y)``."""

    def terms(params: Vector, data: Any) -> tuple[Any, Vector, Vector, Vector]:
        if not (isinstance(data, (tuple, list)) and len(data) == 2):
            raise TypeError(f"data is {type(data).__name__}; with a loss of ksparse it must be (X, y)")
        X = np.asarray(check_design(np.asarray(data[0])), dtype=np.float64)
        if X.shape[1] != len(params):
            raise ValueError(f"data: X has {X.shape[1]} columns; it must have {len(params)}, the dimensionality")
        y = check_rows(data[1], len(X), "data: y")
        return (X, *terms_by_eta(loss, X @ params, y))

    def objective(params: Vector, data: Any = None) -> float:
        return float(np.mean(terms(params, data)[1]))

    def gradient(params: Vector, data: Any = None) -> Vector:
        X, _, slope, _ = terms(params, data)
        return np.asarray(X.T @ slope) / len(X)

    def hessian(params: Vector, data: Any = None) -> Vector:
        X, _, _, curvature = terms(params, data)
        return np.asarray((X.T * curvature) @ X) / len(X)

    return objective, gradient, hessian

"""A built-in loss as an objective of the parameters, with its derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._input.sparse import is_sparse
from .._input.validation import check_design, check_responses
from .._loss import terms_by_eta
from ..losses import Loss
from ._derivatives import Vector

__all__ = ["check_data", "functions_of_loss"]


def check_data(data: Any, loss: Loss, n_parameters: int) -> tuple[Vector, Vector]:
    """Return X (n, p) and y (n,) in float64, as the loss allows."""
    if not (isinstance(data, (tuple, list)) and len(data) == 2):
        raise TypeError(f"data is {type(data).__name__}; with a loss of ksparse it must be (X, y)")
    if is_sparse(data[0]):
        raise TypeError("X is sparse; here it must be dense (ksparse.fit takes sparse X)")
    design = check_design(data[0])  # sparse, where it is a table of sparse columns
    X = np.asarray(design.toarray() if is_sparse(design) else design, dtype=np.float64)
    if X.shape[1] != n_parameters:
        raise ValueError(f"X has {X.shape[1]} columns; it must have {n_parameters}, the dimensionality")
    bad = np.argwhere(~np.isfinite(X))
    if len(bad):
        i, j = bad[0]
        raise ValueError(f"X[{i}, {j}] is {X[i, j]}; X must be finite, without NaN or infinity")
    return X, check_responses(data[1], len(X), loss)


def functions_of_loss(loss: Loss) -> tuple[Callable[..., float], Callable[..., Vector], Callable[..., Vector]]:
    """Return value, gradient and Hessian of the average loss, each a function of parameters and data ``(X, y)``."""

    def objective(params: Vector, data: Any) -> float:
        X, y = data
        return float(np.mean(terms_by_eta(loss, X @ params, y)[0]))

    def gradient(params: Vector, data: Any) -> Vector:
        X, y = data
        return np.asarray(X.T @ terms_by_eta(loss, X @ params, y)[1]) / len(X)

    def hessian(params: Vector, data: Any) -> Vector:
        X, y = data
        return np.asarray((X.T * terms_by_eta(loss, X @ params, y)[2]) @ X) / len(X)

    return objective, gradient, hessian

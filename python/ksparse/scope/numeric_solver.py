"""Functions for ``numeric_solver``, which minimise an objective over some of its parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

__all__ = ["convex_solver_BFGS", "convex_solver_LBFGS"]

Vector = NDArray[np.float64]


def convex_solver_LBFGS(  # noqa: N802
    objective_func: Callable[..., float],
    value_and_grad: Callable[..., tuple[float, Vector]],
    init_params: Vector,
    optim_variable_set: NDArray[np.int64],
    data: Any,
) -> tuple[float, Vector]:
    """Minimise an objective over some parameters by SciPy's L-BFGS-B.

    If it is passed as ``numeric_solver``, the solver uses ksparse's own Newton method all the same, which is faster. Call it within a
    ``numeric_solver`` of your own.

    Parameters
    ----------
    objective_func : callable
        ``objective_func(params, data)`` returns the objective.
    value_and_grad : callable
        ``value_and_grad(params, data)`` returns the objective and its gradient.
    init_params : ndarray of shape (dimensionality,)
        Parameters to start from; those that are not minimised over stay as they are.
    optim_variable_set : ndarray of int
        Indices of the parameters that are minimised over.
    data : any
        Passed to the functions.

    Returns
    -------
    float
        The objective at the minimum.
    ndarray of shape (dimensionality,)
        The parameters there.
    """
    return _by_scipy("L-BFGS-B", value_and_grad, init_params, optim_variable_set, data)


def convex_solver_BFGS(  # noqa: N802
    objective_func: Callable[..., float],
    value_and_grad: Callable[..., tuple[float, Vector]],
    init_params: Vector,
    optim_variable_set: NDArray[np.int64],
    data: Any,
) -> tuple[float, Vector]:
    """Minimise an objective over some parameters by SciPy's BFGS.

    Parameters
    ----------
    objective_func : callable
        ``objective_func(params, data)`` returns the objective.
    value_and_grad : callable
        ``value_and_grad(params, data)`` returns the objective and its gradient.
    init_params : ndarray of shape (dimensionality,)
        Parameters to start from; those that are not minimised over stay as they are.
    optim_variable_set : ndarray of int
        Indices of the parameters that are minimised over.
    data : any
        Passed to the functions.

    Returns
    -------
    float
        The objective at the minimum.
    ndarray of shape (dimensionality,)
        The parameters there.
    """
    return _by_scipy("BFGS", value_and_grad, init_params, optim_variable_set, data)


def _by_scipy(method: str, value_and_grad: Any, start: Vector, columns: NDArray[np.int64], data: Any) -> tuple[float, Vector]:
    def at(x: Vector) -> Vector:
        params = np.array(start, dtype=np.float64)
        params[columns] = x
        return params

    def value_and_gradient(x: Vector) -> tuple[float, Vector]:
        value, gradient = value_and_grad(at(x), data)
        return float(value), np.asarray(gradient, dtype=np.float64)[columns]

    found = minimize(value_and_gradient, np.asarray(start, dtype=np.float64)[columns], jac=True, method=method)
    return float(found.fun), at(found.x)

"""Refits by a function of the user, with the interface of skscope's ``numeric_solver``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ._derivatives import Columns, Derivatives, ObjectiveError, Vector

__all__ = ["NumericSolver", "own_solver"]

# skscope's default, and ours of that name: a refit is by Newton's method of ksparse, which finds the same minimum.
_USUAL = ("convex_solver_LBFGS",)


def own_solver(numeric_solver: Any) -> Callable[..., Any] | None:
    """Return the user's own function, or None for the usual way."""
    if numeric_solver is None or getattr(numeric_solver, "__name__", None) in _USUAL:
        return None
    if not callable(numeric_solver):
        raise TypeError(
            f"numeric_solver is {numeric_solver!r}; it must be a function with the arguments of ksparse.scope.convex_solver_LBFGS"
        )
    return numeric_solver


class NumericSolver:
    """The user's own function for refits.

    Parameters
    ----------
    solver : callable
        ``solver(objective, value_and_grad, params, columns, data)`` returns a value and the parameters at a minimum over some columns.
    derivatives : Derivatives
        The objective.
    data : any
        What the objective is called with; the function may look at it.
    """

    def __init__(self, solver: Callable[..., Any], derivatives: Derivatives, data: Any):
        self._solver, self._derivatives, self._data = solver, derivatives, data

    def solve(self, start: Vector, columns: Columns) -> Vector:
        """Return parameters at a minimum over some columns, all others 0."""
        answer = self._solver(self._value, self._value_and_gradient, start.copy(), columns.copy(), self._data)
        if not (isinstance(answer, (tuple, list)) and len(answer) == 2):
            raise ObjectiveError(f"numeric_solver returned {type(answer).__name__}; it must return a value and parameters")
        params = np.asarray(answer[1], dtype=np.float64)
        if params.shape != start.shape:
            raise ObjectiveError(f"numeric_solver returned parameters of shape {params.shape}; it must be {start.shape}")
        if not np.isfinite(params[columns]).all():
            raise ObjectiveError(f"numeric_solver returned parameters that are not finite, for params {columns.tolist()}")
        kept = np.zeros_like(start)
        kept[columns] = params[columns]
        return kept

    def _value(self, params: Any, data: Any = None) -> float:
        return self._derivatives.value(np.array(params, dtype=np.float64))

    def _value_and_gradient(self, params: Any, data: Any = None) -> tuple[float, Vector]:
        point = self._derivatives.at(np.array(params, dtype=np.float64), np.empty(0, dtype=np.int64))
        return point.value, point.gradient()

"""The primal-dual active set method."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._greedy import GreedySolver, State, Workbench, with_parameters

__all__ = ["PDASSolver"]


@with_parameters(max_iter="Most rounds.")
class PDASSolver(GreedySolver):
    """Primal-dual active set: the parameters with the largest sacrifices are refitted, until they are the same again.

    The sacrifice of a chosen parameter is how much the objective rises without it, and that of another how much it falls with it, both
    by a quadratic model of this parameter alone.

    {parameters}

    See Also
    --------
    ksparse.ScopeSolver : The recommended solver, with the same attributes.

    References
    ----------
    .. [1] Wen, Zhang, Quan, Wang, "BeSS: An R package for best subset selection in linear, logistic and Cox proportional hazards
       models", Journal of Statistical Software 2020.
    """

    def __init__(
        self,
        dimensionality: int,
        sparsity: Any = None,
        sample_size: int = 1,
        *,
        preselect: ArrayLike = (),
        numeric_solver: Callable[..., Any] | None = None,
        max_iter: int = 100,
        group: ArrayLike | None = None,
        ic_method: Callable[[float, int, int, int], float] | None = None,
        cv: int = 1,
        cv_fold_id: ArrayLike | None = None,
        split_method: Callable[[Any, NDArray[np.int64]], Any] | None = None,
        random_state: int | None = None,
    ):
        self._store(locals())

    def _solve_one(self, bench: Workbench, k: int) -> State:
        state = self._begin(bench, k)
        best, seen = state, set()
        for _ in self._iterations():
            chosen = bench.largest(self._sacrifices(bench, state), k)
            if tuple(chosen) in seen:  # it has ended, or goes round in a circle
                break
            seen.add(tuple(chosen))
            state = bench.refit(chosen, state.params)
            if state.value < best.value or len(best.chosen) < k:
                best = state
        return best

    def _sacrifices(self, bench: Workbench, state: State) -> NDArray[np.float64]:
        """Return the square root of the sacrifice of each parameter, so that the norm of a group is that of the sum."""
        point = bench.point(state.params)
        curvature = np.abs(point.diagonal(np.arange(len(state.params))))
        curvature = np.maximum(np.nan_to_num(curvature), 1e-12 * max(float(np.nanmax(curvature, initial=0.0)), 1e-300))
        is_chosen = np.isin(bench.groups, state.chosen)
        move = np.where(is_chosen, state.params, -point.gradient() / curvature)
        return np.sqrt(curvature) * np.abs(move)

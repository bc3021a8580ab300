"""Variants of hard thresholding, with skscope's names: the largest parameters are kept after gradient steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._checks import check_real
from ._derivatives import Vector
from ._greedy import GreedySolver, State, Workbench, with_parameters

__all__ = ["GraspSolver", "HTPSolver", "IHTSolver"]

_STEP_SIZE = """    step_size : float, default=0.005
        Length of a gradient step, > 0. It is halved if it would increase the objective.
"""


@with_parameters(max_iter="Most rounds.")
class GraspSolver(GreedySolver):
    """Gradient support pursuit: refit on the current support and the 2 s largest gradients, keep the s largest parameters, and refit.

    {parameters}

    See Also
    --------
    ScopeSolver : The recommended solver, with the same attributes.

    References
    ----------
    .. [1] Bahmani, Raj, Boufounos, "Greedy sparsity-constrained optimization", JMLR 2013.
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
        best = self._begin(bench, k)
        state = best
        for _ in self._iterations():
            gradient = bench.point(state.params).gradient()
            merged = sorted({*bench.largest(gradient, min(2 * k, bench.n_groups)), *state.chosen})
            wide = bench.refit(merged, state.params)
            kept = bench.largest(wide.params, k)
            if kept == state.chosen:
                break
            state = bench.refit(kept, wide.params)
            if state.value < best.value:
                best = state
        return best


class HardThresholding(GreedySolver):
    """A solver that keeps the s largest parameters after each gradient step."""

    step_size: Any

    def _solve_one(self, bench: Workbench, k: int) -> State:
        step_size = check_real(self.step_size, "step_size", "finite and > 0", 0.0, open_low=True)
        state = self._begin(bench, k)
        for _ in self._iterations():
            gradient = bench.point(state.params).gradient()
            after = self._step(bench, state, gradient, step_size, k)
            if after is None or (after.chosen == state.chosen and state.value - after.value <= 1e-12 * abs(state.value)):
                break
            state = after
        return bench.refit(state.chosen, state.params)

    def _step(self, bench: Workbench, state: State, gradient: Vector, step_size: float, k: int) -> State | None:
        for _ in range(30):
            moved = state.params - step_size * gradient
            chosen = bench.largest(moved, k)
            moved[~np.isin(bench.groups, chosen)] = 0.0
            after = self._settle(bench, state, chosen, moved)
            if np.isfinite(after.value) and after.value <= state.value:
                return after
            step_size /= 2
        return None

    def _settle(self, bench: Workbench, state: State, chosen: list[int], moved: Vector) -> State:
        raise NotImplementedError


@with_parameters(then=_STEP_SIZE, max_iter="Most steps.")
class IHTSolver(HardThresholding):
    """Iterative hard thresholding: gradient steps after which the s largest parameters are kept, and a refit at the end.

    {parameters}

    See Also
    --------
    ScopeSolver : The recommended solver, with the same attributes.

    References
    ----------
    .. [1] Blumensath, Davies, "Iterative hard thresholding for compressed sensing", Applied and Computational Harmonic
       Analysis 2009.
    """

    def __init__(
        self,
        dimensionality: int,
        sparsity: Any = None,
        sample_size: int = 1,
        *,
        preselect: ArrayLike = (),
        step_size: float = 0.005,
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

    def _settle(self, bench: Workbench, state: State, chosen: list[int], moved: Vector) -> State:
        return State(chosen, moved, bench.problem.derivatives.value(moved), state.status)


@with_parameters(then=_STEP_SIZE, max_iter="Most steps.")
class HTPSolver(HardThresholding):
    """Hard thresholding pursuit: like :class:`IHTSolver`, but with a refit after each step.

    {parameters}

    See Also
    --------
    ScopeSolver : The recommended solver, with the same attributes.

    References
    ----------
    .. [1] Foucart, "Hard thresholding pursuit: an algorithm for compressive sensing", SIAM Journal on Numerical Analysis 2011.
    """

    def __init__(
        self,
        dimensionality: int,
        sparsity: Any = None,
        sample_size: int = 1,
        *,
        preselect: ArrayLike = (),
        step_size: float = 0.005,
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

    def _settle(self, bench: Workbench, state: State, chosen: list[int], moved: Vector) -> State:
        if chosen == state.chosen:  # they are refitted already, unless the solver starts with them
            return state if state.params[np.isin(bench.groups, chosen)].any() else bench.refit(chosen, moved)
        return bench.refit(chosen, moved)

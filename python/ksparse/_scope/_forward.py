"""Variants of forward selection, with skscope's names: parameters enter one at a time, and may be removed again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._checks import check_flag, check_real
from ._arguments import check_whole
from ._greedy import GreedySolver, State, Workbench, with_parameters

__all__ = ["FobaSolver", "ForwardSolver", "OMPSolver"]

_GRADIENT = """    use_gradient : bool, default=True
        Whether the group with the largest gradient enters, or the one that decreases the objective most after a refit.
"""

_THRESHOLD = """    threshold : float, default=0.0
        The solver stops after a step that decreases the objective by no more than this, >= 0.
"""

_RATIO = """    foba_threshold_ratio : float, default=0.5
        A group is removed if this increases the objective by less than this fraction of the decrease from the last added group, in
        (0, 1).
"""

_STRICT = """    strict_sparsity : bool, default=True
        Whether to continue up to ``sparsity`` nevertheless.
"""


class ForwardSteps(GreedySolver):
    """A solver in which groups enter one at a time, and may be removed again."""

    _without_effect: ClassVar[Any] = {"max_iter": (100, lambda value, name: check_whole(value, name, 0))}

    threshold: Any
    strict_sparsity: Any

    def _solve_one(self, bench: Workbench, k: int) -> State:
        threshold = check_real(self.threshold, "threshold", "finite and >= 0", 0.0)
        strict = check_flag(self.strict_sparsity, "strict_sparsity")
        best = state = self._begin(bench, k)
        most = self._most_chosen(bench, k)
        gains: dict[int, float] = {}
        while len(state.chosen) < most:
            after = self._enter(bench, state)
            gain = state.value - after.value
            if not gain > threshold and (not strict or gain <= 0):
                break
            gains[len(after.chosen)] = gain
            state = self._leave(bench, after, gains)
            if len(state.chosen) <= k and state.value <= best.value:
                best = state
        while len(state.chosen) > k:
            state = self._without_one(bench, state)
        return state if state.value < best.value else best

    def _most_chosen(self, bench: Workbench, k: int) -> int:
        """Return how many groups are chosen on the way, before the last of them leave."""
        return k

    def _enter(self, bench: Workbench, state: State) -> State:
        """Return the state with the group that has the largest gradient added."""
        sizes = bench.size(bench.point(state.params).gradient())
        sizes[state.chosen] = -np.inf
        return bench.refit([*state.chosen, int(np.argmax(sizes))], state.params)

    def _enter_by_refits(self, bench: Workbench, state: State) -> State:
        """Return the best of the states with one group added."""
        others = [group for group in range(bench.n_groups) if group not in state.chosen]
        return min((bench.refit([*state.chosen, group], state.params) for group in others), key=lambda after: after.value)

    def _leave(self, bench: Workbench, state: State, gains: dict[int, float]) -> State:
        return state

    def _without_one(self, bench: Workbench, state: State) -> State:
        """Return the best of the states with one group removed."""
        free = [group for group in state.chosen if group not in bench.problem.required]
        rest = [[other for other in state.chosen if other != group] for group in free]
        return min((bench.refit(kept, state.params) for kept in rest), key=lambda after: after.value)


@with_parameters(_THRESHOLD + _STRICT)
class OMPSolver(ForwardSteps):
    """Orthogonal matching pursuit: the parameter with the largest gradient is added, and all are refitted.

    {parameters}

    See Also
    --------
    ScopeSolver : The recommended solver, with the same attributes.

    References
    ----------
    .. [1] Lozano, Świrszcz, Abe, "Group orthogonal matching pursuit for logistic regression", AISTATS 2011.
    """

    def __init__(
        self,
        dimensionality: int,
        sparsity: Any = None,
        sample_size: int = 1,
        *,
        threshold: float = 0.0,
        strict_sparsity: bool = True,
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


@with_parameters(_THRESHOLD + _STRICT)
class ForwardSolver(ForwardSteps):
    """Forward selection: the parameter that decreases the objective most after a refit is added.

    {parameters}

    See Also
    --------
    ScopeSolver : The recommended solver, with the same attributes.
    """

    def __init__(
        self,
        dimensionality: int,
        sparsity: Any = None,
        sample_size: int = 1,
        *,
        threshold: float = 0.0,
        strict_sparsity: bool = True,
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

    def _enter(self, bench: Workbench, state: State) -> State:
        return self._enter_by_refits(bench, state)


@with_parameters(_GRADIENT + _THRESHOLD + _RATIO + _STRICT)
class FobaSolver(ForwardSteps):
    """Forward selection with backward steps: parameters that are no longer useful are removed again.

    It goes on to twice ``sparsity``, and then removes one parameter after another, that which is missed least.

    {parameters}

    See Also
    --------
    ScopeSolver : The recommended solver, with the same attributes.

    References
    ----------
    .. [1] Zhang, "Adaptive forward-backward greedy algorithm for learning sparse representations", IEEE Transactions on
       Information Theory 2011.
    """

    use_gradient: Any
    foba_threshold_ratio: Any

    def __init__(
        self,
        dimensionality: int,
        sparsity: Any = None,
        sample_size: int = 1,
        *,
        use_gradient: bool = True,
        threshold: float = 0.0,
        foba_threshold_ratio: float = 0.5,
        strict_sparsity: bool = True,
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

    def _enter(self, bench: Workbench, state: State) -> State:
        if check_flag(self.use_gradient, "use_gradient"):
            return super()._enter(bench, state)
        return self._enter_by_refits(bench, state)

    def _most_chosen(self, bench: Workbench, k: int) -> int:
        return max(k, min(2 * k, bench.n_groups))

    def _leave(self, bench: Workbench, state: State, gains: dict[int, float]) -> State:
        ratio = check_real(self.foba_threshold_ratio, "foba_threshold_ratio", "in (0, 1)", 0.0, 1.0, open_low=True)
        while True:
            free = [group for group in state.chosen if group not in bench.problem.required]
            # The increase before a refit is at least that after it, so no group is removed that the rule would keep.
            rises = []
            for group in free:
                params = state.params.copy()
                params[bench.problem.columns_of([group])] = 0.0
                rises.append(bench.problem.derivatives.value(params) - state.value)
            if len(free) < 2 or not min(rises) < ratio * gains.get(len(state.chosen), 0.0):
                return state
            out = free[int(np.argmin(rises))]
            state = bench.refit([group for group in state.chosen if group != out], state.params)

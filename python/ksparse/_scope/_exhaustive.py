"""The solver that tries all supports."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arguments import check_whole
from ._greedy import GreedySolver, State, Workbench, with_parameters

__all__ = ["BaseSolver"]


@with_parameters(max_iter="Most supports that are tried; if there are more, ``solve`` raises an error.")
class BaseSolver(GreedySolver):
    """Enumeration: all supports of the given size are refitted, and the best of them is returned.

    It is of use for a few parameters, e.g. to check what another solver returns.

    {parameters}

    See Also
    --------
    ksparse.ScopeSolver : The recommended solver, with the same attributes.
    """

    max_iter: Any

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
        required = bench.problem.required
        free = [group for group in range(bench.n_groups) if group not in required]
        most, count = check_whole(self.max_iter, "max_iter", 0), math.comb(len(free), k - len(required))
        if count > most:
            raise ValueError(
                "The number of subsets is too large, please reduce the sparsity, dimensionality or increase max_iter. "
                f"There are {count} supports of {k} groups, and max_iter is {most}"
            )
        nothing = np.zeros(bench.problem.derivatives.p)
        states = (bench.refit([*required, *chosen], nothing) for chosen in combinations(free, k - len(required)))
        return min(states, key=lambda state: state.value)

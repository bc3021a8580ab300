"""The problem of a solver as it was given, and where a search for it ended."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ._answers import Answers
from ._derivatives import Derivatives, Vector

__all__ = ["Outcome", "Problem", "Question"]


class Outcome:
    """One fit of one sparsity: all parameters, the columns chosen, the objective, and how it ended."""

    def __init__(self, params: Vector, support: NDArray[np.int64], value: float, status: str, counts: dict[str, int]):
        self.params, self.support, self.value, self.status, self.counts = params, support, value, status, counts


class Question:
    """What a user asks of the parameters of a search, checked.

    Parameters
    ----------
    groups : ndarray of shape (p,)
        Group of each parameter.
    required : list of int
        Groups that must be chosen.
    sparsities : list of int
        Sparsities to solve for, increasing.
    start : list of int
        Groups from which an additional search starts.
    init : ndarray of shape (p,) or None
        Parameters from which an additional search starts.
    bounds : pair of ndarray or None
        Bounds of the parameters.
    starts_at_init : bool
        Whether the first scan is made at ``init`` even if the objective is finite at zero.
    """

    def __init__(
        self,
        groups: NDArray[np.int64],
        required: list[int],
        sparsities: list[int],
        start: list[int],
        init: Vector | None,
        bounds: tuple[Vector | None, Vector | None],
        *,
        starts_at_init: bool = False,
    ):
        self.groups, self.required, self.sparsities, self.start = groups, required, sparsities, start
        self.init, self.bounds, self.starts_at_init = init, bounds, starts_at_init
        self._sizes = np.bincount(groups)

    @property
    def n_groups(self) -> int:
        """Groups to choose from."""
        return len(self._sizes)

    @property
    def widest(self) -> int:
        """Number of parameters of the largest group."""
        return int(self._sizes.max())

    def most_columns(self, k: int) -> int:
        """Return the number of parameters of the k largest groups."""
        return int(np.sort(self._sizes)[::-1][:k].sum())


class Problem:
    """An objective with its derivatives and what the user asks of the answer, for every sparsity."""

    def __init__(
        self, derivatives: Derivatives, answers: Answers, groups: NDArray[np.int64], required: list[int], start: list[int]
    ):
        self.derivatives, self.answers, self.groups, self.required, self.start = derivatives, answers, groups, required, start
        self.objective = answers.objective

    def begin_at(self, params: Vector, k: int) -> None:
        """Let the search begin at some parameters as well: at their largest groups, as far as k allows."""
        sizes = np.bincount(self.groups, weights=(params / self.objective.units) ** 2, minlength=self.n_groups)
        sizes[self.required] = 0.0
        start = [int(group) for group in np.argsort(-sizes, kind="stable") if sizes[group] > 0]
        start = start[: k - len(self.required)]
        place = np.where(np.isin(self.groups, [*self.required, *start]), params, 0.0)
        if np.isfinite(self.derivatives.value(place)):
            self.answers.refits.begin_at(place)
            self.start = start

    def at_start(self) -> Outcome:
        """Return the point of the first scan as if a search had ended there."""
        first = self.objective.first
        return Outcome(first.params, np.empty(0, dtype=np.int64), first.value, "stalled", {})

    @property
    def n_groups(self) -> int:
        """Groups to choose from."""
        return int(self.groups[-1]) + 1

    def columns_of(self, groups: Sequence[int]) -> NDArray[np.int64]:
        """Return the columns of some groups, sorted."""
        return np.flatnonzero(np.isin(self.groups, np.asarray(groups, dtype=np.int64)))

    def options(self, k: int, search: str, random_state: int) -> _core.Options:
        """Return what the core is told."""
        options = _core.Options()
        options.k = k
        options.fit_intercept = False
        options.search = search
        options.random_state = random_state
        first = np.searchsorted(self.groups, np.arange(self.n_groups))
        options.always_in = [int(first[group]) for group in self.required]
        options.start = [int(first[group]) for group in self.start[:k]]
        if len(self.groups) > self.n_groups:
            options.groups = self.groups.tolist()
        p = len(self.groups)
        if self.objective.lower is not None or self.objective.upper is not None:
            options.lower = np.full(p, -np.inf) if self.objective.lower is None else self.objective.lower
            options.upper = np.full(p, np.inf) if self.objective.upper is None else self.objective.upper
        return options

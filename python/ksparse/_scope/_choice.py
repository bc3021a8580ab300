"""The choice among several sparsities: by an information criterion, or by cross-validation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import KFold

from .._checks import check_integer
from ._arguments import usual_sparsity, what
from ._derivatives import ObjectiveError, Vector, describe
from ._problem import Outcome

__all__ = ["WithChoice"]


class WithChoice:
    """A solver that chooses one of several sparsities."""

    sparsity: Any
    sample_size: Any
    ic_method: Any
    cv: Any
    split_method: Any
    cv_fold_id: Any
    random_state: Any
    information_criterion: float | None

    def _sparsities(self, p: int, n_groups: int, least: int) -> list[int]:
        """Return the sparsities to solve for, increasing."""
        given = self.sparsity
        if given is None:
            given = range(least, max(least, usual_sparsity(n_groups)) + 1)
        many = isinstance(given, (range, list, tuple, set)) or (isinstance(given, np.ndarray) and given.ndim > 0)
        values = sorted(
            {check_integer(value, "sparsity", 0, n_groups, what(p, n_groups)) for value in (given if many else [given])}
        )
        if not values:
            raise ValueError("sparsity is empty; it must name at least one number of parameters")
        if values[0] < least:
            raise ValueError(f"sparsity is {values[0]}, but preselect names {least}; sparsity counts these as well")
        if len(values) > 1 and self.ic_method is None and check_integer(self.cv, "cv", 1) == 1:
            raise ValueError(
                "sparsity has several values, but no method to choose one of them: give ic_method and sample_size, or cv > 1"
            )
        if self.ic_method is not None and not callable(self.ic_method):
            raise TypeError(f"ic_method is {self.ic_method!r}; it must be a function (objective, p, s, n) -> number")
        if self.ic_method is not None and self.cv == 1 and self.sample_size == 1:
            raise ValueError(
                "sample_size is 1, but ic_method is given, which needs to know the number of samples: give sample_size"
            )
        return values

    def _choose(self, outcomes: list[Outcome], sparsities: list[int], groups: NDArray[np.int64]) -> Outcome:
        n = check_integer(self.sample_size, "sample_size", 2)
        values = [
            float(self.ic_method(outcome.value, *self._size(outcome, k, groups), n))
            for outcome, k in zip(outcomes, sparsities, strict=True)
        ]
        if not np.isfinite(values).all():
            worst = int(np.flatnonzero(~np.isfinite(values))[0])
            raise ValueError(f"ic_method returned {values[worst]} for {len(outcomes[worst].support)} parameters")
        best = int(np.argmin(values))
        self.information_criterion = values[best]
        return outcomes[best]

    def _size(self, outcome: Outcome, k: int, groups: NDArray[np.int64]) -> tuple[int, int]:
        """Return p and s of the criterion: those that skscope's solvers hand over, but for ``ScopeSolver``."""
        return len(groups), k

    def _validate(
        self, solve_on: Callable[[Any], list[Outcome]], functions: tuple[Any, ...], data: Any, folds: int, p: int
    ) -> NDArray[np.float64]:
        """Return the mean objective on the parts left out, for each sparsity."""
        n = check_integer(self.sample_size, "sample_size", folds)
        if data is None:
            raise ValueError("cv > 1 needs data, of which the objective sees a part at a time")
        if not callable(self.split_method):
            raise TypeError(f"split_method is {self.split_method!r}; cv > 1 needs a function (data, index) -> part of the data")
        if self.cv_fold_id is None:
            seed = 0 if self.random_state is None else check_integer(self.random_state, "random_state", 0, 2**32 - 1)
            fold_of = np.empty(n, dtype=np.int64)
            for fold, (_, left_out) in enumerate(KFold(folds, shuffle=True, random_state=seed).split(np.empty(n))):
                fold_of[left_out] = fold
        else:
            labels = np.asarray(self.cv_fold_id)
            if labels.shape != (n,):
                raise ValueError(f"cv_fold_id has shape {labels.shape}; it must have shape ({n},), that of sample_size")
            names, fold_of = np.unique(labels, return_inverse=True)
            if len(names) != folds:
                raise ValueError(f"cv_fold_id names {len(names)} folds, but cv is {folds}")
        losses = []
        for fold in range(folds):
            outcomes = solve_on(self.split_method(data, np.flatnonzero(fold_of != fold)))
            left_out = self.split_method(data, np.flatnonzero(fold_of == fold))
            losses.append([_value_at(functions[0], outcome.params, left_out) for outcome in outcomes])
        return np.mean(losses, axis=0)


def _value_at(objective: Callable[..., Any], params: Vector, data: Any) -> float:
    value = float(np.asarray(objective(params, data)).reshape(()))
    if not np.isfinite(value):
        raise ObjectiveError(f"objective is {value} on the part of the data left out, at {describe(params)}")
    return value

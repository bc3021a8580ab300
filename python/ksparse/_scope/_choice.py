"""The choice among several sparsities: by an information criterion, or by cross-validation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import KFold

from .._checks import check_integer
from ._arguments import check_whole, usual_sparsity, whole
from ._derivatives import ObjectiveError, Vector, describe
from ._problem import Outcome, Question

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
    cross_validation_loss: float | None

    def _sparsities(self, p: int, n_groups: int, least: int) -> list[int]:
        """Return the sparsities to solve for, increasing."""
        given = self.sparsity
        if given is None:
            given = range(least, max(least, usual_sparsity(n_groups)) + 1)
        entries = np.asarray(list(given) if isinstance(given, (range, set)) else given)
        values = sorted({check_integer(whole(value), "sparsity", -(2**62)) for value in entries.ravel().tolist()})
        if not values:
            raise ValueError("Sparsity should not be empty. sparsity is empty; it must name at least one number of parameters")
        self._check_sparsities(values, p, n_groups, least)
        self._check_choice(len(values))
        return values

    def _check_sparsities(self, values: list[int], p: int, n_groups: int, least: int) -> None:
        refused = "There is an invalid sparsity."
        if values[0] < 0:
            raise ValueError(f"{refused} sparsity is {values[0]}; it must be >= 0")
        if values[0] < least:
            raise ValueError(f"{refused} sparsity is {values[0]}, but preselect names {least}; sparsity counts these as well")
        if values[-1] > n_groups:
            most = "dimensionality" if n_groups == p else "the number of groups"
            raise ValueError(f"{refused} sparsity is {values[-1]}; it must be at most {n_groups}, {most}")

    def _check_choice(self, n_values: int) -> None:
        """Check how one of several sparsities is chosen."""
        n, folds = check_whole(self.sample_size, "sample_size", 1), check_whole(self.cv, "cv", 1)
        if folds > n:
            raise ValueError(
                f"cv should not be greater than sample_size. cv is {folds}, and sample_size is {n}; it must be >= {folds}"
            )
        if folds > 1:
            if not callable(self.split_method):
                raise (ValueError if self.split_method is None else TypeError)(
                    f"split_method should be provided when cv > 1. split_method is {self.split_method!r}; it must be a function "
                    "(data, index) -> part of the data"
                )
            self._folds(n, folds)
            return
        if self.ic_method is None:
            if n_values > 1:
                raise ValueError(
                    "ic_method should be provided for choosing sparsity level with information criterion. sparsity has several "
                    "values, but no method to choose one of them: give ic_method and sample_size, or cv > 1"
                )
            return
        if not callable(self.ic_method):
            raise TypeError(f"ic_method is {self.ic_method!r}; it must be a function (objective, p, s, n) -> number")
        if n == 1:
            raise ValueError(
                "sample_size should be given when using ic_method. sample_size is 1, but ic_method is given, which needs to know the "
                "number of samples"
            )

    def _choose(
        self,
        solve_on: Callable[[Any, list[int]], list[Outcome]],
        objective: Callable[..., Any],
        data: Any,
        question: Question,
    ) -> Outcome:
        """Solve for all sparsities and return the best outcome; the value by which it is the best is kept."""
        sparsities = question.sparsities
        folds = check_whole(self.cv, "cv", 1)
        if folds > 1:
            means = self._validate(solve_on, objective, data, sparsities, folds)
            best = int(np.argmin(means))
            self.cross_validation_loss = float(means[best])
            return solve_on(data, [sparsities[best]])[0]
        outcomes = solve_on(data, sparsities)
        values = [self._criterion(outcome, k, question) for outcome, k in zip(outcomes, sparsities, strict=True)]
        if not np.isfinite(values).all():
            worst = int(np.flatnonzero(~np.isfinite(values))[0])
            raise ValueError(f"ic_method returned {values[worst]} for {len(outcomes[worst].support)} parameters")
        best = int(np.argmin(values))
        self.information_criterion = values[best]
        return outcomes[best]

    def _criterion(self, outcome: Outcome, k: int, question: Question) -> float:
        """Return the criterion of an outcome; as in skscope, that of Akaike if there is nothing to choose."""
        p, s = self._size(outcome, k, question)
        if self.ic_method is None:
            return 2 * (outcome.value + s)
        value = self.ic_method(outcome.value, p, s, check_whole(self.sample_size, "sample_size", 1))
        return float(np.asarray(value).reshape(()))

    def _size(self, outcome: Outcome, k: int, question: Question) -> tuple[int, int]:
        """Return p and s of the criterion: those that skscope's solvers hand over, but for ``ScopeSolver``."""
        return len(question.groups), k

    def _folds(self, n: int, folds: int) -> NDArray[np.int64]:
        """Return the fold of each sample."""
        if self.cv_fold_id is None:
            seed = 0 if self.random_state is None else check_whole(self.random_state, "random_state", 0, 2**32 - 1)
            fold_of = np.empty(n, dtype=np.int64)
            for fold, (_, left_out) in enumerate(KFold(folds, shuffle=True, random_state=seed).split(np.empty(n))):
                fold_of[left_out] = fold
            return fold_of
        labels = np.asarray(self.cv_fold_id)
        if labels.ndim != 1:
            raise ValueError(f"cv_fold_id should be an 1D array of integers. cv_fold_id has shape {labels.shape}")
        if len(labels) != n:
            raise ValueError(
                f"The length of cv_fold_id should be equal to sample_size. cv_fold_id has shape {labels.shape}; it must have shape "
                f"({n},), that of sample_size"
            )
        names, fold_of = np.unique(labels, return_inverse=True)
        if len(names) != folds:
            raise ValueError(
                "The number of different elements in cv_fold_id should be equal to cv. "
                f"cv_fold_id names {len(names)} folds, but cv is {folds}"
            )
        return np.asarray(fold_of, dtype=np.int64)

    def _validate(
        self,
        solve_on: Callable[[Any, list[int]], list[Outcome]],
        objective: Callable[..., Any],
        data: Any,
        sparsities: list[int],
        folds: int,
    ) -> NDArray[np.float64]:
        """Return the mean objective on the parts left out, for each sparsity."""
        if data is None:
            raise ValueError("cv > 1 needs data, of which the objective sees a part at a time")
        fold_of = self._folds(check_whole(self.sample_size, "sample_size", folds), folds)
        losses = []
        for fold in range(folds):
            outcomes = solve_on(self.split_method(data, np.flatnonzero(fold_of != fold)), sparsities)
            left_out = self.split_method(data, np.flatnonzero(fold_of == fold))
            losses.append([_value_at(objective, outcome.params, left_out) for outcome in outcomes])
        return np.mean(losses, axis=0)


def _value_at(objective: Callable[..., Any], params: Vector, data: Any) -> float:
    value = float(np.asarray(objective(params, data)).reshape(()))
    if not np.isfinite(value):
        raise ObjectiveError(f"objective is {value} on the part of the data left out, at {describe(params)}")
    return value

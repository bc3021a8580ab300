"""The part of estimators with a single k, which is given or chosen by an information criterion."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from .._checks import check_flag
from .._fit import solve_inputs
from .._input.progress import Report, progress_if
from .._input.request import Inputs, Request
from .._input.validation import check_groups, refuse_list
from .._path import budgets_of_criterion, solve_path_by, warn_of_doubts
from .._results.path import PathResult
from .certified import CertifySettings

__all__ = ["OneBudget", "without_data"]


class OneBudget:
    """Estimators whose ``k`` is a number or the name of an information criterion."""

    k: Any
    k_max: Any
    groups: Any
    walks: Any
    n_jobs: Any
    verbose: Any
    warm_start: Any
    n_features_in_: int
    support_: NDArray[np.int64]
    path_: Any
    _take: Any

    def _identity(self) -> tuple[Any, ...]:
        """Return what a problem must have in common with the last one: the number and names of the features."""
        names = getattr(self, "feature_names_in_", None)
        return self.n_features_in_, None if names is None else names.tolist()

    def _last_fit(self) -> tuple[NDArray[np.int64], tuple[Any, ...]] | None:
        """Return the support and the identity of the previous fit if ``warm_start`` asks to start from it."""
        warm = check_flag(self.warm_start, "warm_start") and hasattr(self, "support_")
        return (self.support_, self._identity()) if warm else None

    def _fit_one(self, inputs: Inputs, responses: Any, last: tuple[NDArray[np.int64], tuple[Any, ...]] | None) -> None:
        """Fit one problem, also starting from the support of the previous fit if it was the same problem."""
        if isinstance(self.k, str):
            with progress_if(self.verbose, "fits") as report:
                path = self._path(inputs, responses, report)
            self.path_ = without_data(path)
            warn_of_doubts({"": path._doubts(self.k)}, ConvergenceWarning, stacklevel=4)
            self._take(path.best(self.k))
            return
        k = self._budget(inputs)
        start = self._start(last, k)
        prove = CertifySettings.of(self) is not None
        result = solve_inputs(
            inputs, responses, k, walks=self.walks, n_jobs=self.n_jobs, start=start, certify=prove, note_data=False
        )
        self._take(result)

    def _start(self, last: tuple[NDArray[np.int64], tuple[Any, ...]] | None, k: Any) -> NDArray[np.int64] | None:
        """Return the support of the previous fit if it was the same problem and is not larger than k."""
        if (
            last is None or last[1] != self._identity() or not isinstance(k, (int, np.integer))
        ):  # an invalid k raises an error elsewhere
            return None
        support = last[0]
        grouped = check_groups(self.groups, self.n_features_in_)
        size = len(support) if grouped is None else len(np.unique(grouped[0][support]))
        return support if size <= k else None

    def _budget(self, inputs: Inputs) -> Any:
        several = "KSparseClassifierCV(ks)" if inputs.settings.checked_loss().is_classification else "KSparseRegressorCV(ks)"
        refuse_list(self.k, several)
        return min(10, inputs.n_units) if self.k is None else self.k

    def _ks(self, inputs: Inputs) -> range:
        """Return every k that the criterion compares."""
        return budgets_of_criterion(self.k, inputs, self.k_max)

    def _path(self, inputs: Inputs, responses: Any, report: Report | None) -> PathResult:
        """Fit every k that the criterion compares."""
        ks = self._ks(inputs)
        return solve_path_by(self.k, Request.of(inputs, responses), ks, self.n_jobs, report)


def without_data(path: PathResult) -> PathResult:
    """Return a path that no longer refers to its data, which estimators do not keep."""
    return replace(path, results=tuple(fit._without_data() for fit in path))

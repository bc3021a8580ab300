"""What the estimators fit as a batch: an indicator with a column per class or label, over one X."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._fit import solve
from .._input.progress import Report
from .._input.request import Inputs, Request
from .._many import solve_many
from .._results.batch import BatchResult

__all__ = ["Outcomes", "one_class"]


@dataclass(frozen=True)
class Outcomes:
    """Answers for the columns of an indicator over one X."""

    batch: BatchResult
    always: NDArray[np.bool_]  # whether every row that counts has the label
    never: NDArray[np.bool_]  # whether none has

    @classmethod
    def of(cls, inputs: Inputs, indicator: NDArray[Any], k: Any, n_jobs: int | None, report: Report | None = None) -> Outcomes:
        """Fit every column; a column of one class fails alone, what else is refused is raised as a single fit raises it."""
        batch = solve_many(inputs, indicator, k, n_jobs, report)
        outcomes = cls(batch, *one_class(indicator, inputs.sample_weight))
        for i in np.flatnonzero((batch.status == "invalid_input") & ~outcomes.always & ~outcomes.never)[:1]:
            shared = inputs.settings
            own = {name: np.broadcast_to(getattr(shared, name), len(batch))[i].item() for name in ("alpha", "gamma", "ridge")}
            solve(Request.of(replace(inputs, settings=replace(shared, **own)), indicator[:, i]), int(batch.k[i]))
            raise ValueError(batch.messages[int(i)])
        return outcomes

    @property
    def intercepts(self) -> NDArray[np.float64]:
        """Those of the batch; where there is no answer -inf or inf, which predict that the label is never or always there."""
        return np.where(np.isnan(self.batch.intercepts), np.where(self.always, np.inf, -np.inf), self.batch.intercepts)

    def consequence(self, i: int) -> str:
        """Say what is predicted where there is no answer."""
        if not np.isnan(self.batch.intercepts[i]):
            return ""
        return f"; it is {'always' if self.always[i] else 'never'} predicted"


def one_class(indicator: NDArray[Any], weights: NDArray[np.float64] | None) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which columns have the label in every row of positive weight, and which in none."""
    rows = indicator if weights is None else indicator[weights > 0]
    if len(rows) == 0:
        raise ValueError("sample_weight is zero for every row; at least one row of each class needs a positive weight")
    return np.asarray(rows.all(axis=0)), np.asarray(~rows.any(axis=0))

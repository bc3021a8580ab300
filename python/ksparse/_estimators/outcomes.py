"""Batches of fits for the columns of an indicator matrix, one for each class or label."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._fit import solve
from .._input.progress import Report
from .._input.request import Inputs, Request
from .._many import solve_many
from .._results.batch import BatchResult, batch_of
from .._results.proof import Proof
from .certified import CertifySettings

__all__ = ["Outcomes", "one_class"]


@dataclass(frozen=True)
class Outcomes:
    """Results for the columns of an indicator matrix."""

    batch: BatchResult
    always: NDArray[np.bool_]  # whether all rows of positive weight have the label
    never: NDArray[np.bool_]  # whether no row of positive weight has it
    proofs: list[Proof | None] | None = None  # None for a column that could not be fitted

    @classmethod
    def of(cls, inputs: Inputs, indicator: NDArray[Any], k: Any, n_jobs: int | None, report: Report | None = None) -> Outcomes:
        """Fit every column. A column with a single class fails alone; other invalid input raises the error of a single fit."""
        batch = solve_many(inputs, indicator, k, n_jobs, report)
        outcomes = cls(batch, *one_class(indicator, inputs.sample_weight))
        for i in np.flatnonzero((batch.status == "invalid_input") & ~outcomes.always & ~outcomes.never)[:1]:
            shared = inputs.settings
            own = {name: np.broadcast_to(getattr(shared, name), len(batch))[i].item() for name in ("alpha", "gamma", "ridge")}
            solve(
                Request.of(replace(inputs.of_problem(int(i)), settings=replace(shared, **own)), indicator[:, i]),
                int(batch.k[i]),
            )
            raise ValueError(batch.messages[int(i)])
        return outcomes

    def proved(self, certify: CertifySettings, groups: Any) -> Outcomes:
        """Prove each fit, or find a better one."""
        fits = [certify.prove(fit) for fit in self.batch]
        return replace(self, batch=batch_of(fits, groups), proofs=[fit.proof for fit in fits])

    @property
    def intercepts(self) -> NDArray[np.float64]:
        """Intercepts of the batch. A column that could not be fitted has inf or -inf, so its label is always or never predicted."""
        return np.where(np.isnan(self.batch.intercepts), np.where(self.always, np.inf, -np.inf), self.batch.intercepts)

    def consequence(self, i: int) -> str:
        """Return text that says what is predicted for a column that could not be fitted."""
        if not np.isnan(self.batch.intercepts[i]):
            return ""
        return f"; it is {'always' if self.always[i] else 'never'} predicted"


def one_class(indicator: NDArray[Any], weights: NDArray[np.float64] | None) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which columns have the label in all rows of positive weight, and which in none of them."""
    rows = indicator if weights is None else indicator[weights > 0]
    if len(rows) == 0:
        raise ValueError("sample_weight is zero for every row; at least one row of each class needs a positive weight")
    return np.asarray(rows.all(axis=0)), np.asarray(~rows.any(axis=0))

"""What reading a model needs of the data: the rows that count, and of X no more than the chosen columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .._input.request import Request
from .._input.sparse import is_sparse
from .._loss import rounding_of_loss, terms_by_eta
from .._model import Model
from ..losses import Loss

__all__ = ["Rows"]

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Rows:
    """Rows of positive weight."""

    columns: Vector  # (n, s) of the chosen features
    labels: Vector
    weights: Vector  # ones where none were given
    offset: Vector
    loss: Loss

    @classmethod
    def of(cls, request: Request, result: Model) -> Rows:
        """Gather the rows of a request and the columns that a result chose."""
        n = len(request.labels)
        weights = np.ones(n) if request.weights is None else request.weights
        offset = np.zeros(n) if request.offset is None else request.offset
        columns = request.design[:, result.support]
        columns = np.asarray(columns.toarray() if is_sparse(columns) else columns, dtype=np.float64)
        counts = weights > 0
        for i, c in np.argwhere(~np.isfinite(columns) & counts[:, None])[:1].tolist():
            request.refuse_entry(i, int(result.support[c]))
        return cls(
            columns[counts],
            request.labels[counts],
            weights[counts],
            offset[counts],
            result._loss,
        )

    def eta(self, coef: Vector, intercept: float) -> Vector:
        """Linear predictors, for coefficients of the chosen features."""
        return np.asarray(self.columns @ coef + intercept + self.offset)

    def terms(self, eta: Vector) -> tuple[Vector, Vector, Vector]:
        """Value of the loss, slope and curvature, all with respect to the linear predictor."""
        return terms_by_eta(self.loss, eta, self.labels)

    def mean_loss(self, eta: Vector) -> float:
        """Average loss, without a penalty."""
        return float(np.average(self.terms(eta)[0], weights=self.weights))

    def rounding(self, coef: Vector, intercept: float) -> float:
        """By how much rounding of the linear predictors may change the average loss.

        The fit has centred the columns at their means, so that terms of that size are added and taken away again in every row.
        """
        centres = np.abs(np.average(self.columns, axis=0, weights=self.weights))
        size = (np.abs(self.columns) + centres) @ np.abs(coef) + abs(intercept) + np.abs(self.offset)
        each = rounding_of_loss(self.loss, self.eta(coef, intercept), size, self.labels, len(coef) + 1)
        return float(np.average(each, weights=self.weights))

    def moments(self) -> tuple[Vector, Vector]:
        """Mean and standard deviation of each column, that of the population."""
        mean = np.average(self.columns, axis=0, weights=self.weights)
        deviations = self.columns - mean
        # In units of the largest, so that squares of columns of 1e-200 are not 0.
        largest = np.abs(deviations).max(axis=0, initial=0.0)
        units = np.where(largest > 0, largest, 1.0)
        return mean, units * np.sqrt(np.average((deviations / units) ** 2, axis=0, weights=self.weights))

"""The part of the data that a summary or scorecard needs: rows of positive weight, and the chosen columns of X."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .._input.request import Request
from .._input.sparse import is_sparse
from .._loss import rounding_of_loss, terms_by_eta
from .._model import Model
from ..losses import Loss

__all__ = ["FitData"]

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class FitData:
    """The rows of positive weight, with the chosen columns."""

    columns: Vector  # (n, s), the chosen features
    labels: Vector
    weights: Vector  # ones if no weights were given
    offset: Vector
    loss: Loss

    @classmethod
    def of(cls, request: Request, result: Model) -> FitData:
        """Extract the rows of a request that have positive weight, and the columns that a result chose."""
        n = len(request.labels)
        weights = np.ones(n) if request.weights is None else request.weights
        offset = np.zeros(n) if request.offset is None else request.offset
        columns = request.design[:, result.support]
        columns = np.asarray(columns.toarray() if is_sparse(columns) else columns, dtype=np.float64)
        labels, counts = request.labels, weights > 0
        if not np.isfinite(columns).all():
            for i, c in np.argwhere(~np.isfinite(columns) & counts[:, None])[:1].tolist():
                request.refuse_entry(i, int(result.support[c]))
        if not counts.all():
            columns, labels, weights, offset = columns[counts], labels[counts], weights[counts], offset[counts]
        return cls(columns, labels, weights, offset, result._loss)

    def eta(self, coef: Vector, intercept: float) -> Vector:
        """Return linear predictors for coefficients of the chosen features."""
        return np.asarray(self.columns @ coef + intercept + self.offset)

    def terms(self, eta: Vector) -> tuple[Vector, Vector, Vector]:
        """Return the loss of each row, and its first and second derivative with respect to the linear predictor."""
        return terms_by_eta(self.loss, eta, self.labels)

    def mean_loss(self, eta: Vector) -> float:
        """Return the average loss, without the penalty."""
        return float(np.average(self.terms(eta)[0], weights=self.weights))

    def refuse_others(self, result: Model) -> None:
        """Raise ValueError if F on these rows is not F of the fit, so that they are other rows, or have been changed."""
        coef = result.coef[result.support]
        objective = self.mean_loss(self.eta(coef, result.intercept)) + result._penalty
        # For a perfect fit both values consist of rounding errors, so a relative tolerance alone would fail.
        if not abs(objective - result.objective) <= 1e-6 * result.objective + self.rounding(coef, result.intercept):
            raise ValueError(
                f"F is {objective:.6g} on these rows but was {result.objective:.6g} on those of the fit; "
                "X, y and sample_weight must be those of the fit"
            )

    def rounding(self, coef: Vector, intercept: float) -> float:
        """Return a bound for the change of the average loss that rounding of the linear predictors may cause.

        The fit has centred the columns, so terms of the size of their means are added and subtracted again in each row.
        """
        centres = np.abs(np.average(self.columns, axis=0, weights=self.weights))
        size = (np.abs(self.columns) + centres) @ np.abs(coef) + abs(intercept) + np.abs(self.offset)
        each = rounding_of_loss(self.loss, self.eta(coef, intercept), size, self.labels, len(coef) + 1)
        return float(np.average(each, weights=self.weights))

    def moments(self) -> tuple[Vector, Vector]:
        """Return the weighted mean and standard deviation (with divisor n) of each column."""
        mean = np.average(self.columns, axis=0, weights=self.weights)
        deviations = self.columns - mean
        # Relative to the largest deviation, so that squares of values like 1e-200 do not underflow.
        largest = np.abs(deviations).max(axis=0, initial=0.0)
        units = np.where(largest > 0, largest, 1.0)
        return mean, units * np.sqrt(np.average((deviations / units) ** 2, axis=0, weights=self.weights))

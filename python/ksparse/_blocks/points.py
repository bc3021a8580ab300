"""F and its derivatives at a point, in units, from sums over rows that come block by block."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _core
from .questions import ColumnMoments, Sums, Total
from .units import Units, loss_of_rows

__all__ = ["NO_COLUMNS", "Columns", "Matrix", "Points", "Vector"]

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Columns = NDArray[np.int64]

NO_COLUMNS: Columns = np.empty(0, dtype=np.int64)


class Points:
    """The objective of a problem at any point.

    Parameters
    ----------
    source : object
        The rows.
    loss : Loss
        The loss.
    options : _core.Options
        The settings, in the user's units.
    """

    def __init__(self, source: Any, loss: Any, options: _core.Options):
        self.source = source
        self.has_intercept = bool(options.fit_intercept)
        self.is_classification = bool(loss.is_classification)
        self.loss, self.extent = loss_of_rows(source, loss, self.has_intercept)
        self.core = self.loss.in_core()
        self.units_ridge = self.core.ridge(options.ridge)
        self.units: Units | None = None
        self._bounds: tuple[Vector, Vector] | None = None
        # The columns and coefficients of the last point, its sums, and whether their curvature is exact. Exact sums are not kept if the
        # curvature of a row is negative.
        self._kept: tuple[Columns, Vector, Total, bool] | None = None

    def choose_units(self, moments: ColumnMoments, options: _core.Options) -> Units:
        """Choose the units of the columns, and set the bounds of the options in them."""
        units = self.units = Units.of(moments, self.has_intercept, self.units_ridge)
        self._bounds = units.bounds(options, self.core.scale)
        if self._bounds is not None:
            options.lower, options.upper = self._bounds
        return units

    def total_at(self, columns: Columns, coef: Vector, *, convex: bool = False) -> Total:
        """Return the sums over all rows at a point. Those of the last point are kept and returned again."""
        if (
            self._kept is not None
            and (convex or self._kept[3])
            and np.array_equal(self._kept[0], columns)
            and np.array_equal(self._kept[1], coef)
        ):
            return self._kept[2]
        places = list(range(len(columns)))
        total: Total = self.source.ask(Sums(self.loss, places, coef, *self.units_of(columns), convex=convex, asked=[]), columns)
        if convex or not total.concave:
            self.keep(columns, coef, total, exact=not convex)
        return total

    def keep(self, columns: Columns, coef: Vector, total: Total, *, exact: bool) -> None:
        """Keep the sums of a point, because the next question is often about it. ``exact`` is false if a substitute curvature was used."""
        self._kept = columns.copy(), coef.copy(), total, exact

    def units_of(self, columns: Any) -> tuple[Vector, Vector]:
        """Return the centres and factors of some columns, or empty arrays before the units are chosen."""
        if self.units is None:
            return np.empty(0), np.empty(0)
        return np.ascontiguousarray(self.units.centre[columns]), np.ascontiguousarray(self.units.factor[columns])

    def derivatives(self, columns: Columns, coef: Vector, total: Total) -> tuple[float, Vector, Matrix]:
        """Return F, its gradient and its Hessian by the coefficients, the intercept last."""
        size = len(columns)
        gradient = np.empty(size + self.has_intercept)
        hessian = np.empty((size + self.has_intercept, size + self.has_intercept))
        value = total.value
        if size and self.units is not None:
            ridge = self.units.ridge_of(columns)
            value += 0.5 * float(ridge @ coef[:size] ** 2)
            gradient[:size] = total.active[:, 0] + ridge * coef[:size]
            products = np.tril(total.active[:, 3:])
            hessian[:size, :size] = products + np.tril(products, -1).T + np.diag(ridge)
            constant = np.flatnonzero(self.units.factor[columns] == 0)
            hessian[constant, constant] = 1.0  # 0 in every row: it stays where it is
            if self.has_intercept:
                hessian[size, :size] = hessian[:size, size] = total.active[:, 1]
        if self.has_intercept:
            gradient[size] = total.slope
            hessian[size, size] = total.curvature
        return value, gradient, hessian

    def bounds_of(self, columns: Columns) -> tuple[Vector | None, Vector | None]:
        """Return the bounds of the coefficients of some columns and the intercept."""
        if self._bounds is None:
            return None, None
        free = [np.inf] * self.has_intercept
        return np.append(self._bounds[0][columns], np.negative(free)), np.append(self._bounds[1][columns], free)

    def to_user(self, answer: _core.FitAnswer, options: _core.Options) -> dict[str, Any]:
        """Return coefficients, intercept, support and objective in the user's units."""
        units = self.units
        assert units is not None
        coef = answer.coef * units.factor * self.core.scale
        if len(options.lower):  # rounding must not violate a bound
            coef = np.maximum(coef, options.lower)
        if len(options.upper):
            coef = np.minimum(coef, options.upper)
        intercept = answer.intercept * self.core.scale + self.core.shift if self.has_intercept else 0.0
        return {
            "coef": coef,
            "intercept": float(intercept - coef @ units.centre),
            "support": np.flatnonzero(coef),
            "objective": self.core.to_user(answer.objective),
        }

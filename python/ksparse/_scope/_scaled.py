"""An objective as the search sees it: of order one, in units of its parameters, within bounds.

The search (``cpp/include/ksparse/search``) and its thresholds want numbers of order one. So the objective is shifted and scaled to
be 1 where the search starts and positive elsewhere, and each parameter is measured in units in which its curvature there is about
one. The units are powers of two, so that nothing is rounded.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ._derivatives import Columns, Derivatives, Matrix, ObjectiveError, Point, Vector, describe

__all__ = ["NONE", "BelowScaleError", "ScaledObjective", "Scaling"]

NONE = np.empty(0, dtype=np.int64)

# An objective that falls by so many times what it was at the start, or by so much, is not bounded below.
UNBOUNDED = 1e15


class BelowScaleError(Exception):
    """The scaled objective is not positive: the search must begin anew with another scaling."""

    def __init__(self, value: float):
        super().__init__(value)
        self.value = value


class Scaling:
    """The objective as the search sees it: (F - low) * factor, which is 1 at the start."""

    def __init__(self, start: float):
        self.start = start
        self.low = 0.0 if start > 0 else start - max(abs(start), 1.0)
        self.factor = 1.0 / (start - self.low)

    def lower(self, value: float) -> None:
        """Make room below a value: it will be a half."""
        self.low = self.start - 2.0 * (self.start - value)
        self.factor = 1.0 / (self.start - self.low)

    def of(self, value: float) -> float:
        """Return a value of the objective in this scale."""
        return (value - self.low) * self.factor

    def back(self, scaled: float) -> float:
        """Return the value of the objective that is this."""
        return scaled / self.factor + self.low


class ScaledObjective:
    """An objective with its scale, the units of its parameters and their bounds.

    Parameters
    ----------
    derivatives : Derivatives
        The objective.
    start : ndarray of shape (p,)
        Where the first scan is made: zeros, unless the objective is not finite there.
    lower, upper : ndarray of shape (p,) or None
        Bounds of the parameters.
    largest_hessian : int
        Most active columns for which the Hessian is formed.

    Attributes
    ----------
    first : Point
        Where the first scan is made.
    units : ndarray of shape (p,)
        Units of the parameters.
    lower, upper : ndarray of shape (p,) or None
        Bounds in these units.
    refused : int
        Points at which the objective or a derivative was not finite.
    last : Point or None
        The point at which the last refit stands.
    scanned : tuple
        Active columns of the last scan, and the Hessian by their coefficients.
    turned : ndarray of int64
        Columns that the last scan lets enter to either side, since the objective falls on both.
    """

    def __init__(
        self,
        derivatives: Derivatives,
        start: Vector,
        lower: Vector | None = None,
        upper: Vector | None = None,
        *,
        largest_hessian: int = 512,
    ):
        self.derivatives = derivatives
        self.starts_elsewhere = bool(start.any())
        self.largest_hessian = largest_hessian
        first = derivatives.at(start, NONE)
        self._check_start(first)
        self.first = first
        self.first_diagonal = np.nan_to_num(first.diagonal(np.arange(derivatives.p)))
        self.scaling = Scaling(first.value)
        self.units = self._choose_units()
        self.lower = None if lower is None else lower / self.units
        self.upper = None if upper is None else upper / self.units
        self.refused = 0
        self.last_refused: Vector | None = None
        self.last: Point | None = None
        self.turned: Columns = NONE
        self.scanned: tuple[Columns, Matrix] = NONE, np.zeros((0, 0))

    def _check_start(self, first: Point) -> None:
        where = describe(first.params)
        if not np.isfinite(first.value):
            raise ObjectiveError(
                f"objective is {first.value} where the search starts, at {where}; "
                "it must be finite there: give init_params where it is, or write it so that it is finite at 0"
            )
        gradient = first.gradient()
        if not np.isfinite(gradient).all():
            j = int(np.flatnonzero(~np.isfinite(gradient))[0])
            raise ObjectiveError(
                f"the objective's derivative by params[{j}] is {gradient[j]} where the search starts, at {where}, where it is "
                "perhaps not differentiable: give init_params where it is, or write it so that it is smooth at 0"
            )

    def _choose_units(self) -> Vector:
        curvature = np.abs(self.first_diagonal) * self.scaling.factor
        usable = np.isfinite(curvature) & (curvature > 1e-200) & (curvature < 1e200)
        if self.derivatives.curvature_is_rough:  # of a parameter that has nothing else, it may be that of a fourth power
            usable &= (curvature > 1e-10) | (np.abs(self.first.gradient()) * self.scaling.factor > 1e-10)
        size = np.ones(self.derivatives.p)
        size[usable] = 1.0 / np.sqrt(curvature[usable])
        return np.exp2(np.round(np.log2(size)))

    def rescale(self, value: float) -> None:
        """Make room for an objective as low as this; what was answered before is no longer in the same scale.

        Raises
        ------
        ObjectiveError
            If that is so low that there is no bottom to be hoped for.
        """
        if not value > self.scaling.start - UNBOUNDED * max(abs(self.scaling.start), 1.0):
            where = "" if self.last is None else f", at {describe(self.last.params)}"
            raise ObjectiveError(f"objective has no minimum: it fell to {value:.3g}{where}; add a penalty, or bounds")
        factor = self.scaling.factor
        self.scaling.lower(value)
        change = np.exp2(np.round(np.log2(np.sqrt(factor / self.scaling.factor))))
        self.units = self.units * change
        self.lower = None if self.lower is None else self.lower / change
        self.upper = None if self.upper is None else self.upper / change

    @property
    def is_stationary(self) -> bool:
        """Whether the objective has no gradient where the first scan is made."""
        return bool(np.abs(self.first.gradient() * self.units).max() * self.scaling.factor < 1e-6)

    # ---------------------------------------------------------------------------------------------------------- points

    def params_of(self, columns: Columns, x: Vector) -> Vector:
        """Return all parameters, in the user's units, of coefficients of some columns."""
        params = np.zeros(self.derivatives.p)
        params[columns] = x * self.units[columns]
        return params

    def coef_of(self, params: Vector, columns: Columns) -> Vector:
        """Return the coefficients of some columns, of parameters in the user's units."""
        return np.asarray(params[columns] / self.units[columns])

    def point_at(self, columns: Columns, x: Vector) -> Point | None:
        """Return the point, or None if the objective, or a derivative that a refit needs, is not finite there."""
        point = self.value_at(columns, x)
        return point if point is not None and self.is_usable(point) else None

    def value_at(self, columns: Columns, x: Vector) -> Point | None:
        """Return the point, or None if the objective is not finite there; derivatives may not be."""
        params, last = self.params_of(columns, x), self.last
        if last is not None and np.array_equal(last.columns, columns) and np.array_equal(last.params, params):
            return last
        point = self.derivatives.at(params, columns)
        if np.isfinite(point.value):
            return point
        self._refuse(params)
        return None

    def is_usable(self, point: Point) -> bool:
        """Whether the derivatives that a refit needs are finite; what is not is counted."""
        if point is self.last or len(point.columns) > self.largest_hessian or point.is_usable():
            return True
        self._refuse(point.params)
        return False

    def _refuse(self, params: Vector) -> None:
        self.refused += 1
        self.last_refused = params

    def inverse_at_scan(self, columns: Columns) -> Matrix:
        """Return the inverse of the Hessian by some columns, as the last scan knows it; 1, in their units, of those it does not."""
        scanned, known = self.scanned
        hessian = np.eye(len(columns))
        at = np.flatnonzero(np.isin(columns, scanned))
        if len(at):
            order = np.argsort(scanned)
            where = order[np.searchsorted(scanned, columns[at], sorter=order)]
            hessian[np.ix_(at, at)] = known[np.ix_(where, where)]
        return np.asarray(np.linalg.inv(hessian))

    # ---------------------------------------------------------------------------------------------------------- bounds

    @property
    def is_bounded(self) -> bool:
        """Whether any parameter has bounds."""
        return self.lower is not None or self.upper is not None

    def bounds_of(self, columns: Columns) -> tuple[Vector | None, Vector | None]:
        """Return the bounds of the coefficients of some columns."""
        return (
            None if self.lower is None else self.lower[columns],
            None if self.upper is None else self.upper[columns],
        )

    def clip(self, params: Vector) -> Vector:
        """Return parameters, in the user's units, moved to within their bounds."""
        return self.clip_coef(params / self.units, np.arange(len(params))) * self.units

    def clip_coef(self, x: Vector, columns: Columns) -> Vector:
        """Return coefficients of some columns, moved to within their bounds."""
        if not self.is_bounded:
            return x
        low, high = self.bounds_of(columns)
        return np.clip(x, -np.inf if low is None else low, np.inf if high is None else high)

    def outward(self, x: Vector, move: Vector, columns: Columns) -> NDArray[np.bool_]:
        """Return which coefficients stand at a bound that a move would leave."""
        held = np.zeros(len(x), dtype=bool)
        low, high = self.bounds_of(columns)
        if low is not None:
            held |= (x <= low) & (move < 0)
        if high is not None:
            held |= (x >= high) & (move > 0)
        return held

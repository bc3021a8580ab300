"""Scale an objective and its parameters for the search.

The search (``cpp/include/ksparse/search``) and its thresholds need numbers of order one. Therefore the objective is shifted and
scaled such that it is 1 where the search starts and positive elsewhere. Each parameter is measured in units in which its
curvature at the start is about one. The units are powers of two, so that conversions have no rounding errors.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ._derivatives import Columns, Derivatives, Matrix, ObjectiveError, Point, Vector, describe

__all__ = ["NONE", "BelowScaleError", "ScaledObjective", "Scaling"]

NONE = np.empty(0, dtype=np.int64)

# An objective that falls by more than this times the larger of 1 and its value at the start counts as unbounded below.
UNBOUNDED = 1e15


class BelowScaleError(Exception):
    """The scaled objective is not positive, so the search must start again with another scaling."""

    def __init__(self, value: float):
        super().__init__(value)
        self.value = value


class Scaling:
    """The scaled objective (F - low) * factor, which is 1 at the start."""

    def __init__(self, start: float):
        self.start = start
        self.low = 0.0 if start > 0 else start - max(abs(start), 1.0)
        self.factor = 1.0 / (start - self.low)

    def lower(self, value: float) -> None:
        """Change the scale such that a lower value of the objective becomes 1/2."""
        self.low = self.start - 2.0 * (self.start - value)
        self.factor = 1.0 / (self.start - self.low)

    def of(self, value: float) -> float:
        """Return the scaled value for a value of the objective."""
        return (value - self.low) * self.factor

    def back(self, scaled: float) -> float:
        """Return the value of the objective for a scaled value."""
        return scaled / self.factor + self.low


class ScaledObjective:
    """An objective with its scale, the units of its parameters and their bounds.

    Parameters
    ----------
    derivatives : Derivatives
        The objective.
    start : ndarray of shape (p,)
        The point of the first scan, which is 0 unless the objective is not finite there.
    lower, upper : ndarray of shape (p,) or None
        Bounds of the parameters, in the user's units.
    largest_hessian : int, default=512
        The Hessian is only computed for up to this number of active columns.

    Attributes
    ----------
    first : Point
        The point of the first scan.
    units : ndarray of shape (p,)
        Units of the parameters.
    lower, upper : ndarray of shape (p,) or None
        Bounds in these units.
    refused : int
        Number of points at which the objective or a derivative was not finite.
    last : Point or None
        The end of the last refit.
    scanned : tuple
        The active columns of the last scan, and the Hessian for their coefficients.
    turned : ndarray of int64
        Columns that may enter with either sign in the last scan, because the objective falls on both sides.
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
        if self.derivatives.curvature_is_rough:  # without a gradient, a tiny curvature may belong to a fourth power
            usable &= (curvature > 1e-10) | (np.abs(self.first.gradient()) * self.scaling.factor > 1e-10)
        size = np.ones(self.derivatives.p)
        size[usable] = 1.0 / np.sqrt(curvature[usable])
        return np.exp2(np.round(np.log2(size)))

    def rescale(self, value: float) -> None:
        """Choose another scale for an objective as low as ``value``; earlier results are then in another scale.

        Raises
        ------
        ObjectiveError
            If the value is so low that the objective is considered unbounded below.
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
        """Whether the gradient is 0 at the point of the first scan."""
        return bool(np.abs(self.first.gradient() * self.units).max() * self.scaling.factor < 1e-6)

    # ---------------------------------------------------------------------------------------------------------- points

    def params_of(self, columns: Columns, x: Vector) -> Vector:
        """Return all parameters (p,), in the user's units, given the coefficients of some columns."""
        params = np.zeros(self.derivatives.p)
        params[columns] = x * self.units[columns]
        return params

    def coef_of(self, params: Vector, columns: Columns) -> Vector:
        """Return the coefficients of some columns, given the parameters (p,) in the user's units."""
        return np.asarray(params[columns] / self.units[columns])

    def point_at(self, columns: Columns, x: Vector) -> Point | None:
        """Return the point, or None if the objective, or a derivative that a refit needs, is not finite there."""
        point = self.value_at(columns, x)
        return point if point is not None and self.is_usable(point) else None

    def value_at(self, columns: Columns, x: Vector) -> Point | None:
        """Return the point, or None if the objective is not finite there; the derivatives are not checked."""
        params, last = self.params_of(columns, x), self.last
        if last is not None and np.array_equal(last.columns, columns) and np.array_equal(last.params, params):
            return last
        point = self.derivatives.at(params, columns)
        if np.isfinite(point.value):
            return point
        self._refuse(params)
        return None

    def is_usable(self, point: Point) -> bool:
        """Whether the derivatives that a refit needs are finite; other points are counted in ``refused``."""
        if point is self.last or len(point.columns) > self.largest_hessian or point.is_usable():
            return True
        self._refuse(point.params)
        return False

    def _refuse(self, params: Vector) -> None:
        self.refused += 1
        self.last_refused = params

    def inverse_at_scan(self, columns: Columns) -> Matrix:
        """Return the inverse Hessian for some columns; the Hessian of columns that the last scan does not know is set to 1."""
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
        """Return parameters, in the user's units, clipped to their bounds."""
        return self.clip_coef(params / self.units, np.arange(len(params))) * self.units

    def clip_coef(self, x: Vector, columns: Columns) -> Vector:
        """Return coefficients of some columns, clipped to their bounds."""
        if not self.is_bounded:
            return x
        low, high = self.bounds_of(columns)
        return np.clip(x, -np.inf if low is None else low, np.inf if high is None else high)

    def outward(self, x: Vector, move: Vector, columns: Columns) -> NDArray[np.bool_]:
        """Return a mask of the coefficients that are at a bound which a move would violate."""
        held = np.zeros(len(x), dtype=bool)
        low, high = self.bounds_of(columns)
        if low is not None:
            held |= (x <= low) & (move < 0)
        if high is not None:
            held |= (x >= high) & (move > 0)
        return held

"""Scans, which compute gradient and curvature of all columns at the end of a refit for the quadratic model of the search."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ._curvature import make_positive
from ._derivatives import Columns, Matrix, ObjectiveError, Point, Vector, describe
from ._kinks import KinkedPoint
from ._scaled import NONE, ScaledObjective

__all__ = ["Scans"]

# Change of a parameter that leaves a maximum, in units of the parameters, as the search expects it.
STEP_FROM_MAXIMUM = 0.5
# Distances from 0, in units of the parameters. Beside a kink, the slope is almost the same at both; without a kink, it grows with the distance.
BESIDE_ZERO = (1e-6, 1e-4)
# Panels with more such parameters are left as they are, because each parameter costs up to four gradients.
MOST_BESIDE_ZERO = 512


class Scans:
    """Scans of an objective, one after another.

    Parameters
    ----------
    objective : ScaledObjective
        The objective that is scanned.
    stride : int
        Number of columns in the largest group.
    """

    def __init__(self, objective: ScaledObjective, stride: int = 1):
        self._objective, self._stride = objective, stride
        self._point: Point = objective.first
        self._inverse: Matrix = np.zeros((0, 0))
        self._step = STEP_FROM_MAXIMUM

    def begin(self, columns: Columns, coef: Vector) -> tuple[Vector, Matrix]:
        """Return the gradient and a positive definite Hessian on the active columns."""
        objective = self._objective
        objective.turned = NONE
        self._step = max(STEP_FROM_MAXIMUM, float(np.abs(coef).max(initial=0.0)))
        if len(columns) == 0:
            self._point, self._inverse = objective.first, np.zeros((0, 0))
            return np.zeros(0), self._inverse
        point = objective.point_at(columns, coef)
        if point is None:
            raise ObjectiveError(
                f"objective or a derivative of it is not finite at {describe(objective.params_of(columns, coef))}, "
                "which the search came to"
            )
        self._point = point
        units, factor = objective.units[columns], objective.scaling.factor
        gradient, hessian = point.active_exactly()
        gradient = gradient * units * factor
        hessian = make_positive(hessian * np.outer(units, units * factor))
        objective.scanned = columns, hessian
        held = objective.outward(coef, -gradient, columns)
        free = np.flatnonzero(~held)
        whole = np.asarray(np.linalg.inv(hessian[np.ix_(free, free)]), dtype=np.float64)
        self._inverse = np.zeros_like(hessian)
        self._inverse[np.ix_(free, free)] = 0.5 * (whole + whole.T)
        return gradient, hessian

    def panel(self, columns: Columns, starts: Columns | None) -> tuple[Vector, Vector, Matrix, Matrix | None]:
        """Return gradient, curvature and cross curvature of some columns at the point of the scan."""
        objective, point = self._objective, self._point
        factor, units = objective.scaling.factor, objective.units[columns]
        gradient = point.gradient(columns) * units * factor
        cross = point.cross(columns) * np.outer(units, objective.units[point.columns] * factor)
        if not (np.isfinite(gradient).all() and np.isfinite(cross).all()):
            raise ObjectiveError(
                f"a derivative of the objective is not finite at {describe(point.params)}, which the search came to"
            )
        if starts is not None:
            return self._groups(columns, starts, gradient, cross)
        if isinstance(point, KinkedPoint) and len(columns) <= objective.derivatives.exact_up_to:
            slope, bend = point.sides(columns)
            gradient, curvature = slope * units * factor, bend * units**2 * factor
        else:
            curvature = self._diagonal(columns) * units**2 * factor
            self._look_beside_zero(columns, gradient, curvature)
        explained = np.einsum("ij,ij->i", cross @ self._inverse, cross)
        left = curvature - explained
        # The curvature of a concave direction is replaced by its absolute value. Without any curvature, a small one gives the step a length.
        concave = left < -1e-7 * np.maximum(np.abs(curvature), explained)
        flat = (np.abs(curvature) <= 1e-12) & (np.abs(gradient) > 0)
        curvature = np.where(concave, explained - left, curvature)
        curvature = np.where(flat, explained + np.abs(gradient), curvature)
        if concave.any():
            gradient = self._leave_maxima(columns, gradient, left, concave)
        return gradient, np.maximum(curvature, 0.0), cross, None

    def _look_beside_zero(self, columns: Columns, gradient: Vector, curvature: Vector) -> None:
        """Replace, in place, the slope of parameters of which the objective uses only the absolute value.

        The derivative of an absolute value at 0 is taken to be 0, although the objective falls on one side or on both.
        """
        objective, point = self._objective, self._point
        unseen = np.flatnonzero((gradient == 0.0) & (point.params[columns] == 0.0))
        if len(unseen) > MOST_BESIDE_ZERO:
            return
        for place in unseen.tolist():
            unit = objective.units[columns[place]]
            sides = []
            for sign in (1.0, -1.0):
                near, far = (
                    self._slope_at(columns[place], sign * unit * step) * unit * objective.scaling.factor for step in BESIDE_ZERO
                )
                if np.isfinite(near) and sign * near < 0 and abs(near) > 0.5 * abs(far) and abs(near) > BESIDE_ZERO[0]:
                    sides.append((abs(near), near, (far - near) / (sign * (BESIDE_ZERO[1] - BESIDE_ZERO[0]))))
            if sides:
                _, gradient[place], bend = max(sides)
                curvature[place] = abs(bend)
                objective.turned = np.union1d(objective.turned, columns[place : place + 1])

    def _slope_at(self, column: np.int64, value: float) -> float:
        """Return the slope by one parameter where it has some value, and the others are as at the point of the scan."""
        params = self._point.params.copy()
        params[column] = value
        return float(self._objective.derivatives.at(params, NONE).gradient(np.array([column]))[0])

    def _leave_maxima(self, columns: Columns, gradient: Vector, left: Vector, concave: NDArray[np.bool_]) -> Vector:
        """Return gradients with which parameters enter whose own gradient is small although the objective decreases on both sides."""
        foreseen = np.abs(left) * self._step
        small = concave & (np.abs(gradient) < foreseen) & (foreseen > self._objective.derivatives.curvature_noise)
        self._objective.turned = np.union1d(self._objective.turned, columns[small])
        return np.where(small, np.where(gradient > 0, foreseen, -foreseen), gradient)

    def _diagonal(self, columns: Columns) -> Vector:
        """Return the diagonal of the Hessian. For many columns it is estimated from that at the start and the change for active columns.

        The search ranks many columns by it, and scans the best ones again exactly, a few at a time.
        """
        objective, point = self._objective, self._point
        most = objective.derivatives.exact_up_to
        if len(columns) <= most or objective.derivatives.p <= 2 * most:
            return np.nan_to_num(point.diagonal(columns))
        diagonal = objective.first_diagonal[columns]
        if len(point.columns) == 0:
            return diagonal
        before, after = objective.first_diagonal[point.columns], np.diag(point.active()[1])
        known = (before > 0) & (after > 0)
        return diagonal * float(np.median(after[known] / before[known])) if known.any() else diagonal

    def _groups(
        self, columns: Columns, starts: Columns, gradient: Vector, cross: Matrix
    ) -> tuple[Vector, Vector, Matrix, Matrix]:
        factor, units = self._objective.scaling.factor, self._objective.units[columns]
        blocks = np.zeros((len(columns), self._stride))
        curvature = np.zeros(len(columns))
        widths = np.diff(starts)
        within = self._point.within(columns, starts)
        # Groups of the same size are processed together.
        for width in np.unique(widths):
            places = np.flatnonzero(widths == width)
            rows = starts[places][:, None] + np.arange(width)
            scale = units[rows]
            own = (
                np.nan_to_num(np.stack([within[place] for place in places])) * scale[:, :, None] * (scale * factor)[:, None, :]
            )
            beside = cross[rows]
            explained = beside @ self._inverse @ beside.transpose(0, 2, 1)
            values, vectors = np.linalg.eigh(own - explained)
            # The curvature of a concave direction is replaced by its absolute value.
            concave = values[:, 0] < -1e-7 * np.abs(np.diagonal(own, axis1=1, axis2=2)).max(axis=1)
            if concave.any():
                turned = vectors[concave] * np.abs(values[concave])[:, None, :]
                own[concave] = explained[concave] + turned @ vectors[concave].transpose(0, 2, 1)
                self._leave_group_maxima(columns, rows[concave], gradient, values[concave, 0], vectors[concave, :, 0])
            blocks[rows, :width] = own
            curvature[rows] = np.diagonal(own, axis1=1, axis2=2)
        return gradient, np.maximum(curvature, 0.0), cross, blocks

    def _leave_group_maxima(
        self, columns: Columns, rows: Columns, gradient: Vector, lowest: Vector, directions: Matrix
    ) -> None:
        """Do the same for groups along their directions of least curvature, in place."""
        foreseen = np.abs(lowest) * self._step
        foreseen[foreseen < self._objective.derivatives.curvature_noise] = 0.0
        along = np.einsum("ij,ij->i", gradient[rows], directions)
        lacking = np.where(np.abs(along) < foreseen, np.where(along > 0, foreseen, -foreseen) - along, 0.0)
        gradient[rows] += lacking[:, None] * directions
        self._objective.turned = np.union1d(self._objective.turned, columns[rows[lacking != 0]])

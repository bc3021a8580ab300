"""Detect objectives with kinks, and replace their curvature.

A sum of absolute values has kinks at its minimum, and no curvature elsewhere, so Newton's method stops at the first kink that
it reaches. When it stops, the slope of the objective along the failed step is examined. If the slope jumps, the search starts
again, with differences of the objective over wide steps instead of the Hessian, and with refits by :func:`_kinked_minimum.minimise`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ._derivatives import Columns, Derivatives, Matrix, Point, Vector

__all__ = ["KinkedDerivatives", "KinkedError", "KinkedPoint", "jump_along"]

# A wide step increases the objective by about this fraction.
RISE = 0.1
# The width of a step is determined up to this factor, with at most this number of trials.
WIDTH_FACTOR, MOST_TRIALS = 4.0, 12


class KinkedError(Exception):
    """Newton's method has reached a kink.

    Parameters
    ----------
    is_rare : bool
        Whether the Hessian predicts the change of the slope on the rest of the step, so that it is still useful. If not, the
        search must start again without it.
    """

    def __init__(self, is_rare: bool):
        super().__init__()
        self.is_rare = is_rare


def jump_along(slope: Callable[[float], float], width: float = 1e-10) -> float:
    """Return the jump of the slope of an objective, from negative to positive, along a step from 0 to 1; 0 if it is smooth.

    The change of sign is located by bisection up to ``width``, within which the slope of a smooth function hardly changes.
    """
    before, after = slope(0.0), slope(1.0)
    if not (before < 0 < after):
        return 0.0
    start, low, high = before, 0.0, 1.0
    while high - low > width:
        middle = 0.5 * (low + high)
        there = slope(middle)
        if not np.isfinite(there):
            return 0.0
        if there < 0:
            low, before = middle, there
        else:
            high, after = middle, there
    return after - before if after - before > 0.05 * abs(start) else 0.0


# ------------------------------------------------------------------------------------------------------------- curvature


class KinkedDerivatives(Derivatives):
    """An objective whose Hessian is replaced by differences over steps that are wide enough to cross kinks.

    Parameters
    ----------
    derivatives : Derivatives
        The objective. Its own Hessian is not used.
    """

    def __init__(self, derivatives: Derivatives):
        self._of = derivatives
        self.p, self.epsilon, self.is_kinked = derivatives.p, derivatives.epsilon, True
        self.exact_up_to = 512
        self.curvature_noise = 1e-2
        self._widths: Vector | None = None
        self._height = 1.0

    def at(self, params: Vector, columns: Columns) -> Point:
        self._of.before_evaluation = self.before_evaluation
        return KinkedPoint(self, self._of.at(params, columns))

    def value(self, params: Vector) -> float:
        return self._of.value(params)

    def gradient(self, params: Vector) -> Vector:
        """Return the gradient at these parameters."""
        return self.point(params).gradient()

    def point(self, params: Vector) -> Point:
        """Return a point with its own derivatives."""
        return self._of.at(params, np.empty(0, dtype=np.int64))

    def widths(self, point: KinkedPoint) -> Vector:
        """Return the width of a step in each parameter, which increases the objective at the first point by a tenth."""
        if self._widths is None:
            self._height = abs(point.value) or 1.0
            self._widths = np.array([self._width(point, column) for column in range(self.p)])
        # From far away, the objective looks like a parabola.
        return self._widths * np.sqrt(min(max(abs(point.value) / self._height, 1e-4), 1.0))

    def _width(self, point: KinkedPoint, column: int) -> float:
        width, wanted = max(1.0, abs(point.params[column])), 2 * RISE * self._height
        for _ in range(MOST_TRIALS):
            rise = self.rise(point, column, width)
            if not np.isfinite(rise):
                width /= WIDTH_FACTOR**2
            elif rise > wanted * WIDTH_FACTOR or rise < wanted / WIDTH_FACTOR:
                width *= np.clip(np.sqrt(wanted / max(rise, 1e-300)), WIDTH_FACTOR**-3, WIDTH_FACTOR)
            else:
                break
        return float(width)

    def rise(self, point: KinkedPoint, column: int, width: float) -> float:
        """Return the sum of the increases of the objective on both sides of a point."""
        sides = []
        for step in (width, -width):
            moved = point.params.copy()
            moved[column] += step
            sides.append(self.value(moved))
        return sum(sides) - 2 * point.value


class KinkedPoint(Point):
    """A point of :class:`KinkedDerivatives`."""

    def __init__(self, of: KinkedDerivatives, point: Point):
        self._of, self._point = of, point
        self.params, self.columns, self.value = point.params, point.columns, point.value
        self._wide: tuple[Matrix, Vector] | None = None

    def is_usable(self) -> bool:
        return bool(np.isfinite(self.value) and np.isfinite(self.active_gradient()).all())

    def active_gradient(self) -> Vector:
        return self._point.active_gradient()

    def active_by_derivatives(self) -> tuple[Vector, Matrix]:
        return self._point.active()

    def active(self) -> tuple[Vector, Matrix]:
        hessian = self.cross()[self.columns]
        return self.gradient(self.columns), 0.5 * (hessian + hessian.T)

    def gradient(self, columns: Columns | None = None) -> Vector:
        """Return the mean gradient around the point, because there is more than one gradient at a kink."""
        gradient = self._point.gradient() if len(self.columns) == 0 else self._look_around()[1]
        return gradient if columns is None else gradient[columns]

    def cross(self, columns: Columns | None = None) -> Matrix:
        cross = self._look_around()[0]
        return cross if columns is None else cross[columns]

    def _look_around(self) -> tuple[Matrix, Vector]:
        """Return the columns of the Hessian for the active parameters, and the mean gradient, from points on both sides."""
        if self._wide is None:
            widths = self._of.widths(self)
            cross = np.zeros((len(self.params), len(self.columns)))
            mean = np.zeros(len(self.params))
            for place, column in enumerate(self.columns.tolist()):
                sides = []
                for step in (widths[column], -widths[column]):
                    moved = self.params.copy()
                    moved[column] += step
                    sides.append(self._of.gradient(moved))
                cross[:, place] = (sides[0] - sides[1]) / (2 * widths[column])
                mean += (sides[0] + sides[1]) / (2 * len(self.columns))
            self._wide = cross, mean
        return self._wide

    def sides(self, columns: Columns) -> tuple[Vector, Vector]:
        """Return the slope and curvature of each column on the side of the point where the objective falls more.

        On each side, they are those of the parabola through the value at the point and the value and slope one step away. At 0,
        where the absolute value of a parameter has its kink, the objective may fall on both sides although no derivative shows
        this.
        """
        widths = self._of.widths(self)
        slopes, curvatures = np.zeros(len(columns)), np.zeros(len(columns))
        for place, column in enumerate(columns.tolist()):
            found = []
            for step in (widths[column], -widths[column]):
                moved = self.params.copy()
                moved[column] += step
                there = self._of.point(moved)
                slope = float(there.gradient(columns[place : place + 1])[0])
                bend = 2 * (slope * step - (there.value - self.value)) / step**2
                start = slope - bend * step
                found.append((start**2 / max(abs(bend), 1e-300) if start * step < 0 else 0.0, start, abs(bend)))
            gain, slope, bend = max(found)
            slopes[place], curvatures[place] = slope if gain > 0 else 0.0, bend
        return slopes, curvatures

    def diagonal(self, columns: Columns) -> Vector:
        widths = self._of.widths(self)
        return np.array([self._of.rise(self, column, widths[column]) / widths[column] ** 2 for column in columns.tolist()])

    def within(self, columns: Columns, starts: Columns) -> list[Matrix]:
        widths, blocks = self._of.widths(self), []
        for begin, end in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
            group = columns[begin:end]
            block = np.zeros((len(group), len(group)))
            for place, column in enumerate(group.tolist()):
                sides = []
                for step in (widths[column], -widths[column]):
                    moved = self.params.copy()
                    moved[column] += step
                    sides.append(self._of.gradient(moved)[group])
                block[:, place] = (sides[0] - sides[1]) / (2 * widths[column])
            blocks.append(0.5 * (block + block.T))
        return blocks

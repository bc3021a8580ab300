"""Objectives with kinks: how they are noticed, what stands in for their curvature, and how they are minimised.

A sum of absolute values has kinks where its minimum is, and no curvature elsewhere. Newton's method stops at the first kink that it
comes to. So where it stops, the objective is looked at along the step that failed: if its slope jumps, the search begins anew, with
differences of the objective over wide steps in the place of the Hessian, and with refits by the method of this file. That is the
BFGS method with a line search that asks for weak Wolfe conditions, which converges in the presence of kinks as well (Lewis &
Overton 2013, "Nonsmooth optimization via quasi-Newton methods", Mathematical Programming 141). Refits that are to be exact are
finished by cutting planes within a box, which end at the vertex where the objective is piecewise linear, and prove that there is
nothing lower nearby (Kiwiel 1985, "Methods of descent for nondifferentiable optimization").
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.optimize import linprog

from ._derivatives import Columns, Derivatives, Matrix, Point, Vector

__all__ = ["KinkedDerivatives", "KinkedError", "KinkedPoint", "Minimum", "jump_along", "minimise"]

# The part of the objective that a wide step raises it by.
RISE = 0.1
# The width of a step is found to this factor, within so many trials.
WIDTH_FACTOR, MOST_TRIALS = 4.0, 12
# Constants of the weak Wolfe conditions, for the objective and for its slope.
SUFFICIENT, FLATTER = 1e-4, 0.9
# Iterations in a row that lower the objective by less than the tolerance, after which a descent has ended.
MOST_IDLE = 2
# A descent is foreseen to go on as in so many iterations, for so many times as many.
RECENT, FAR = 4, 3
# The objective, relative to itself, by which cutting planes may foresee that something lower lies nearby.
PROVED, SETTLED = 1e-7, 1e-13
MOST_PLANES = 60

Function = Callable[[Vector], tuple[float, Vector]]


class KinkedError(Exception):
    """Newton's method has come to a kink.

    Parameters
    ----------
    is_rare : bool
        Whether the Hessian foresees how the slope changes elsewhere on the step, so that it is of use all the same. If not, the search
        must begin anew with something in its place.
    """

    def __init__(self, is_rare: bool):
        super().__init__()
        self.is_rare = is_rare


def jump_along(slope: Callable[[float], float], width: float = 1e-10) -> float:
    """Return by how much the slope of an objective along a step, from 0 to 1, jumps from below 0 to above within a part of this width.

    The place is narrowed down until a smooth function would have next to no change of slope left; 0 is returned for one that is smooth.
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
    """An objective whose Hessian is made of differences over steps so wide that they see what lies beyond the kinks.

    Parameters
    ----------
    derivatives : Derivatives
        The objective; its own Hessian is not used.
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
        """Return the gradient alone."""
        return self.point(params).gradient()

    def point(self, params: Vector) -> Point:
        """Return a point with its own derivatives."""
        return self._of.at(params, np.empty(0, dtype=np.int64))

    def widths(self, point: KinkedPoint) -> Vector:
        """Return how wide a step is by each parameter: at the first point what raises the objective by a tenth."""
        if self._widths is None:
            self._height = abs(point.value) or 1.0
            self._widths = np.array([self._width(point, column) for column in range(self.p)])
        # The objective is about a parabola from afar.
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
        """Return by how much the objective is higher on both sides of a point together."""
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
        """Return the mean gradient around the point: at a kink there is more than one."""
        gradient = self._point.gradient() if len(self.columns) == 0 else self._look_around()[1]
        return gradient if columns is None else gradient[columns]

    def cross(self, columns: Columns | None = None) -> Matrix:
        cross = self._look_around()[0]
        return cross if columns is None else cross[columns]

    def _look_around(self) -> tuple[Matrix, Vector]:
        """Return columns of the Hessian, and the mean gradient, from both sides of each active parameter."""
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
        """Return slope and curvature by each column on the side of the point where the objective falls by more.

        On each side by the parabola that has its value at the point, and its value and slope one step away. At 0, where the
        absolute value of a parameter has its kink, the objective may fall on both sides though no derivative says so.
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


# ---------------------------------------------------------------------------------------------------------- minimisation


class Minimum(NamedTuple):
    """Where a descent ended."""

    x: Vector
    value: float
    is_proved: bool  # nothing lower lies nearby
    is_abandoned: bool  # the bar was foreseen to be out of reach
    iterations: int


class Seen(NamedTuple):
    """A point with its value and gradient."""

    x: Vector
    value: float
    gradient: Vector


def minimise(
    function: Function,
    start: Vector,
    *,
    tolerance: float,
    inverse: Matrix | None = None,
    bar: float = np.inf,
    exact: bool = False,
    lower: Vector | None = None,
    upper: Vector | None = None,
) -> Minimum:
    """Minimise a function that may have kinks.

    Parameters
    ----------
    function : callable
        Returns value and gradient; an infinite value where there is none.
    start : ndarray of shape (d,)
        Where to begin.
    tolerance : float
        Relative decrease of the function that counts as none.
    inverse : ndarray of shape (d, d) or None
        Inverse of the Hessian, as far as it is known.
    bar : float
        A value that the function must be foreseen to reach.
    exact : bool
        Whether to finish by cutting planes.
    lower, upper : ndarray of shape (d,) or None
        Bounds.
    """
    d = len(start)
    low = np.full(d, -np.inf) if lower is None else lower
    high = np.full(d, np.inf) if upper is None else upper
    seen: deque[Seen] = deque(maxlen=4 * d + 20)
    slope_outside = 1.0

    def within(x: Vector) -> Seen:
        """Go on outside of the bounds as at them, but for a slope that leads back: that is a kink as well."""
        inside = np.clip(x, low, high)
        value, gradient = function(inside)
        point = Seen(inside, value, gradient)
        if np.isfinite(value):
            seen.append(point)
        beyond = x - inside
        if not beyond.any():
            return point
        sides = np.sign(beyond)
        return Seen(
            x, value + slope_outside * float(np.abs(beyond).sum()), np.where(sides == 0, gradient, slope_outside * sides)
        )

    point = within(np.clip(start, low, high))
    slope_outside = max(float(np.abs(point.gradient).max(initial=0.0)), 1e-12)
    is_abandoned, iterations = _descend(within, point, inverse, tolerance, bar)
    best = min(seen, key=lambda one: one.value, default=point)
    if is_abandoned or not exact:
        return Minimum(best.x, best.value, True, is_abandoned, iterations)
    best, is_proved, planes = _cut(function, best, list(seen), low, high)
    return Minimum(best.x, best.value, is_proved, False, iterations + planes)


def _descend(
    function: Callable[[Vector], Seen], point: Seen, inverse: Matrix | None, tolerance: float, bar: float
) -> tuple[bool, int]:
    """Descend by BFGS; return whether the bar is out of reach, and the iterations."""
    d = len(point.x)
    idle, values = 0, [point.value]
    most = 200 + 20 * d
    for iteration in range(most):
        direction = (
            -point.gradient / max(float(np.linalg.norm(point.gradient)), 1e-300)
            if inverse is None
            else -inverse @ point.gradient
        )
        slope = float(point.gradient @ direction)
        if not slope < 0:
            return False, iteration
        there = _search_along(function, point, direction, slope)
        if there is None:
            return False, iteration
        step, change = there.x - point.x, there.gradient - point.gradient
        curvature = float(step @ change)
        if curvature > 0:
            if inverse is None:
                inverse = np.eye(d) * (curvature / float(change @ change))
            turn = np.eye(d) - np.outer(step, change) / curvature
            inverse = turn @ inverse @ turn.T + np.outer(step, step) / curvature
        idle = idle + 1 if point.value - there.value <= tolerance * abs(there.value) else 0
        point = there
        values.append(point.value)
        if idle == MOST_IDLE:
            return False, iteration + 1
        if len(values) > RECENT and point.value - FAR * (values[-1 - RECENT] - point.value) > bar:
            return True, iteration + 1
    return False, most


def _search_along(function: Callable[[Vector], Seen], point: Seen, direction: Vector, slope: float) -> Seen | None:
    """Return a point along a direction that is lower, and where the slope is not as steep; None if none is found."""
    low, high, length, best = 0.0, np.inf, 1.0, None
    for _ in range(50):
        there = function(point.x + length * direction)
        if not there.value <= point.value + SUFFICIENT * length * slope:
            high = length
        elif float(there.gradient @ direction) < FLATTER * slope:
            low, best = length, there
        else:
            return there
        if high - low <= 1e-15 * max(1.0, low):
            break
        length = 2 * low if high == np.inf else 0.5 * (low + high)
    return best


def _cut(function: Function, point: Seen, planes: list[Seen], low: Vector, high: Vector) -> tuple[Seen, bool, int]:
    """Descend by the minima of tangent planes, within a box; return the end, whether it is proved, and the iterations."""
    d = len(point.x)
    # The box has the width of what the descent has seen of each coordinate, whatever its units.
    radius = np.abs([plane.x - point.x for plane in planes]).max(axis=0)
    radius = np.maximum(radius, 1e-9 * np.abs(point.x))
    radius[radius == 0] = radius.max(initial=0.0) or 1.0
    foreseen = np.inf
    for iteration in range(MOST_PLANES):
        slopes = np.stack([plane.gradient for plane in planes]) * radius
        # Where a function is convex, its planes lie nowhere above it; one that does is lowered by as much as it is too high.
        errors = np.abs([point.value - plane.value - plane.gradient @ (point.x - plane.x) for plane in planes])
        scale = max(float(np.abs(slopes).max()), 1e-300)  # for the solver's tolerances are absolute
        found = linprog(
            np.append(np.zeros(d), 1.0),
            A_ub=np.column_stack([slopes / scale, -np.ones(len(planes))]),
            b_ub=errors / scale,
            bounds=[
                *zip(np.maximum((low - point.x) / radius, -1.0), np.minimum((high - point.x) / radius, 1.0), strict=True),
                (None, 0.0),
            ],
            method="highs",
        )
        if found.x is None:
            break
        foreseen = -float(found.x[-1]) * scale
        if foreseen <= SETTLED * abs(point.value):
            return point, True, iteration
        x = np.clip(point.x + radius * found.x[:-1], low, high)
        value, gradient = function(x)
        if not np.isfinite(value):
            radius /= 4
            continue
        planes.append(Seen(x, value, gradient))
        if point.value - value < 0.1 * foreseen:
            radius *= 0.5
        else:  # further where the box was in the way
            radius = np.where(np.abs(found.x[:-1]) > 0.999, 4.0, 1.0) * radius
        if value < point.value:
            point = planes[-1]
    return point, foreseen <= PROVED * abs(point.value), MOST_PLANES

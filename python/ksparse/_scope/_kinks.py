"""Detect objectives with kinks, replace their curvature, and minimise them.

A sum of absolute values has kinks at its minimum, and no curvature elsewhere, so Newton's method stops at the first kink that
it reaches. When it stops, the slope of the objective along the failed step is examined. If the slope jumps, the search starts
again, with differences of the objective over wide steps instead of the Hessian, and with the refits of this file. These use the
BFGS method with a line search for the weak Wolfe conditions, which also converges in the presence of kinks (Lewis & Overton
2013, "Nonsmooth optimization via quasi-Newton methods", Mathematical Programming 141). Exact refits are finished by cutting
planes within a box. For a piecewise linear objective, these end at a vertex, and they prove that there is no lower value nearby
(Kiwiel 1985, "Methods of descent for nondifferentiable optimization").
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.optimize import linprog

from ._derivatives import Columns, Derivatives, Matrix, Point, Vector

__all__ = ["KinkedDerivatives", "KinkedError", "KinkedPoint", "Minimum", "jump_along", "minimise"]

# A wide step increases the objective by about this fraction.
RISE = 0.1
# The width of a step is determined up to this factor, with at most this number of trials.
WIDTH_FACTOR, MOST_TRIALS = 4.0, 12
# Constants of the weak Wolfe conditions, for the objective and for its slope.
SUFFICIENT, FLATTER = 1e-4, 0.9
# A descent ends after this number of successive iterations that lower the objective by less than the tolerance.
MOST_IDLE = 2
# The objective is predicted to fall by at most FAR times its decrease in the last RECENT iterations.
RECENT, FAR = 4, 3
# Decreases that cutting planes predict, relative to the objective: below SETTLED the minimum is found, below PROVED it is proved.
PROVED, SETTLED = 1e-7, 1e-13
MOST_PLANES = 60

Function = Callable[[Vector], tuple[float, Vector]]


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


# ---------------------------------------------------------------------------------------------------------- minimisation


class Minimum(NamedTuple):
    """The result of a minimisation."""

    x: Vector
    value: float
    is_proved: bool  # whether there is no lower value nearby
    is_abandoned: bool  # whether it was given up because the bar was predicted to be out of reach
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
        Returns the value and the gradient (d,). The value is infinite where the function is not defined.
    start : ndarray of shape (d,)
        The first point.
    tolerance : float
        Relative decreases of the function below this count as none.
    inverse : ndarray of shape (d, d) or None
        An approximation of the inverse Hessian, if one is known.
    bar : float
        The minimisation is given up if the function is predicted to stay above this.
    exact : bool
        Whether to finish by cutting planes.
    lower, upper : ndarray of shape (d,) or None
        Bounds on x.

    Returns
    -------
    Minimum
        The best point that was found, and how the minimisation ended.
    """
    d = len(start)
    low = np.full(d, -np.inf) if lower is None else lower
    high = np.full(d, np.inf) if upper is None else upper
    seen: deque[Seen] = deque(maxlen=4 * d + 20)
    slope_outside = 1.0

    def within(x: Vector) -> Seen:
        """Extend the function beyond its bounds by a linear term that rises, which makes a kink at a bound."""
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
    """Descend by BFGS; return whether the bar is out of reach, and the number of iterations."""
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
    """Return a point along a direction that satisfies the weak Wolfe conditions, or None."""
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
    """Descend by cutting planes within a box; return the best point, whether it is proved, and the number of iterations."""
    d = len(point.x)
    # The width of the box in each coordinate is the range that the descent has visited, so it does not depend on units.
    radius = np.abs([plane.x - point.x for plane in planes]).max(axis=0)
    radius = np.maximum(radius, 1e-9 * np.abs(point.x))
    radius[radius == 0] = radius.max(initial=0.0) or 1.0
    foreseen = np.inf
    for iteration in range(MOST_PLANES):
        slopes = np.stack([plane.gradient for plane in planes]) * radius
        # The tangent planes of a convex function are below it. A plane that is above the function is lowered by the difference.
        errors = np.abs([point.value - plane.value - plane.gradient @ (point.x - plane.x) for plane in planes])
        scale = max(float(np.abs(slopes).max()), 1e-300)  # because the tolerances of the solver are absolute
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
        else:  # widen the box where it limited the step
            radius = np.where(np.abs(found.x[:-1]) > 0.999, 4.0, 1.0) * radius
        if value < point.value:
            point = planes[-1]
    return point, foreseen <= PROVED * abs(point.value), MOST_PLANES

"""Minimise a function of a few parameters that may have kinks.

The descent uses the BFGS method with a line search for the weak Wolfe conditions, which also converges in the presence of kinks
(Lewis & Overton 2013, "Nonsmooth optimization via quasi-Newton methods", Mathematical Programming 141). An exact minimum is found by
cutting planes within a box. For a piecewise linear function, these end at a vertex, and they prove that there is no lower value nearby
(Kiwiel 1985, "Methods of descent for nondifferentiable optimization").
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Function", "Minimum", "minimise"]

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
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
    from scipy.optimize import linprog  # it takes long to import

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

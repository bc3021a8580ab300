"""Refits, which minimise an objective over the coefficients of some columns with the Newton method of the core.

If the Hessian on these columns is not positive definite, its eigenvalues are made positive, and points at which the objective or a
derivative is not finite are rejected (Nocedal & Wright 2006, sections 3.1 and 3.4). A stationary point that is not a minimum is left
along the direction of least curvature. For many columns, whose Hessian would be too large, refits use L-BFGS-B.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import minimize

from .. import _core
from .._kinked_minimum import minimise
from ._curvature import lowest_curvature, make_positive
from ._derivatives import Columns, Matrix, ObjectiveError, Point, Vector, describe
from ._kinks import KinkedError, jump_along
from ._numeric_solver import NumericSolver
from ._scaled import BelowScaleError, ScaledObjective

__all__ = ["STATUS", "Refit", "Refits"]

STATUS = tuple(_core.status_names())
CONVERGED, MAX_ITERATIONS, STALLED, NUMERICAL_FAILURE = map(
    STATUS.index, ("converged", "max_iterations", "stalled", "numerical_failure")
)

# During the search, ten correct digits of the objective are sufficient to compare supports.
SEARCH_TOLERANCE, ROUGH_TOLERANCE = 1e-10, 1e-4
# An objective below this fraction of its value at the start counts as 0, its infimum.
VANISHED = 1e-14
# Number of saddle points that a refit leaves before it gives up.
MOST_SADDLES = 10
# A negative curvature of at least this fraction of the largest is not a rounding error. If no point along it is lower, derivatives are wrong.
SURELY_NEGATIVE = 1e-4
# Limit of consecutive iterations whose steps were halved more than twice because the objective was not finite.
MOST_CRAWLING = 5
# The parts of a step within which a slope jumps at a kink, and at a bend so sharp that Newton's method takes it for one.
KINK, SHARP = 1e-10, 1e-3
# The part of how the slope changes along a step, but for one kink, that a Hessian must foresee to be of use.
FORESEEN = 0.5
# Evaluations in one refit after which the objective is looked at for such bends; a smooth one needs some ten.
MANY_EVALUATIONS = 60
# The same tolerances where there are kinks, of the objective that a descent has reached.
KINKED_TOLERANCE, KINKED_ROUGH_TOLERANCE = 1e-6, 1e-4


class Refit(NamedTuple):
    """The result of a refit for the search (``bind_objective.hpp``)."""

    coef: Vector
    value: float
    status: int
    abandoned: bool
    iterations: int

    def or_better(self, other: Refit) -> Refit:
        """Return the better of two results, with the total number of iterations."""
        best = other if (other.abandoned, other.value) < (self.abandoned, self.value) else self
        return best._replace(iterations=self.iterations + other.iterations)


class OnColumns:
    """The objective as a function of the coefficients of some columns, for the Newton method of the core."""

    def __init__(self, objective: ScaledObjective, columns: Columns):
        self._objective, self._columns = objective, columns
        self._units, self._factor = objective.units[columns], objective.scaling.factor
        self._evaluations = 0

    def linearise(self, x: Vector, allowed: float) -> tuple[float, Vector | None, Matrix | None]:
        """Return the value, and gradient and Hessian unless the value is above the limit; NaN if one of these is not finite."""
        objective = self._objective
        self._evaluations += 1
        if self._evaluations == MANY_EVALUATIONS:
            self.check_for_kinks(SHARP)
        point = objective.value_at(self._columns, x)
        if point is None:
            return float("nan"), None, None
        value = objective.scaling.of(point.value)
        if not value <= allowed:
            return value, None, None
        if not objective.is_usable(point):
            return float("nan"), None, None
        objective.last = point
        if value <= 0:
            raise BelowScaleError(point.value)
        gradient, hessian = point.active_by_derivatives()
        return value, gradient * self._units * self._factor, self.scaled(hessian)

    def value_and_gradient(self, x: Vector) -> tuple[float, Vector]:
        """Return value and gradient only; the value is infinite if one of them is not finite."""
        objective = self._objective
        point = objective.value_at(self._columns, x)
        if point is None or not objective.is_usable(point):
            return float("inf"), np.zeros(len(x))
        if (value := objective.scaling.of(point.value)) <= 0:
            raise BelowScaleError(point.value)
        return value, point.active_gradient() * self._units * self._factor

    def check_for_kinks(self, width: float) -> None:
        """Raise KinkedError if there is a kink, or a bend within some part of the step, where Newton's method would go from the last point."""
        objective = self._objective
        point = objective.last
        if point is None or objective.derivatives.is_kinked:
            return
        x = objective.coef_of(point.params, self._columns)
        gradient, hessian = point.active()
        gradient, hessian = gradient * self._units, hessian * np.outer(self._units, self._units)
        with np.errstate(all="ignore"):
            step = -np.linalg.solve(make_positive(hessian * self._factor) / self._factor, gradient)
        size = max(1.0, float(np.abs(x).max()))
        if not (np.isfinite(step).all() and np.abs(step).max() <= 1e3 * size):
            step = -gradient * (size / max(float(np.abs(gradient).max()), 1e-300))

        def there(t: float) -> Point:
            params = objective.params_of(self._columns, objective.clip_coef(x + t * step, self._columns))
            return objective.derivatives.at(params, self._columns)

        def slope(t: float) -> float:
            with np.errstate(all="ignore"):  # the other end of the step may be where the derivatives are not finite
                return float(there(t).active_gradient() * self._units @ step)

        jump = jump_along(slope, width)
        if jump > 0:
            start, end, scaled_step = slope(0.0), slope(1.0), step * self._units
            foreseen = max(float(scaled_step @ at.active()[1] @ scaled_step) for at in (point, there(1.0)))
            raise KinkedError(foreseen >= FORESEEN * max(-start, end - start - jump))

    def scaled(self, hessian: Matrix) -> Matrix:
        """Convert a Hessian in the user's units to that of the scaled objective in its units."""
        return hessian * np.outer(self._units, self._units * self._factor)


class Refits:
    """Refits of any columns.

    Parameters
    ----------
    objective : ScaledObjective
        The objective that is minimised.
    init_params : ndarray of shape (p,) or None
        Coefficients from which refits also start if their columns have none yet.
    max_iterations : int
        Maximum number of Newton iterations of a refit.
    tolerance : float
        Newton decrement at which an exact refit stops.
    numeric_solver : NumericSolver or None
        The user's own method, in the place of Newton's.
    """

    def __init__(
        self,
        objective: ScaledObjective,
        init_params: Vector | None = None,
        *,
        max_iterations: int = 100,
        tolerance: float = 1e-8,
        numeric_solver: NumericSolver | None = None,
    ):
        self._objective = objective
        self._places: list[Vector] = [] if init_params is None else [init_params]
        self._max_iterations, self._tolerance = max_iterations, tolerance
        self._numeric_solver = numeric_solver

    def begin_at(self, params: Vector) -> None:
        """Let refits of columns without known coefficients also start from these parameters."""
        self._places.append(params)

    def refit(self, columns: Columns, coef: Vector, bar: float, exact: bool, rough: bool) -> Refit:
        """Minimise over the coefficients of some columns."""
        objective = self._objective
        if self._numeric_solver is not None and len(columns):
            return self._by_numeric_solver(self._numeric_solver, columns, coef, bar)
        point = self._begin(columns, coef)
        if point is None and np.isfinite(bar):
            return Refit(coef, float("inf"), NUMERICAL_FAILURE, True, 0)
        if point is None:
            raise ObjectiveError(
                f"objective or a derivative of it is not finite at any point tried with params {columns.tolist()} alone not zero; it "
                "must be finite at sparse points"
            )
        answer = self._descend(point, columns, bar, exact, rough)
        if not coef.any():  # the search has no coefficients for these columns
            for place in self._places:
                if not place[columns].any():
                    continue
                other = objective.point_at(columns, objective.clip_coef(objective.coef_of(place, columns), columns))
                if other is not None:
                    answer = answer.or_better(self._descend(other, columns, bar, exact, rough))
        return answer

    def _begin(self, columns: Columns, coef: Vector) -> Point | None:
        """Return a point at which a refit can start: the finite one that is closest to the given coefficients."""
        objective = self._objective
        if len(columns) == 0:
            return objective.first
        point = objective.point_at(columns, objective.clip_coef(coef, columns))
        turned = np.isin(columns, objective.turned)
        if turned.any() and coef.any():  # if the gradient vanishes, the scan could not determine which side is lower
            other = objective.point_at(columns, objective.clip_coef(np.where(turned, -coef, coef), columns))
            if other is not None and (point is None or other.value < point.value):
                point = other
        for place in self._places:
            if point is None:
                point = objective.point_at(columns, objective.clip_coef(objective.coef_of(place, columns), columns))
        shrunk = coef
        for _ in range(8):
            if point is not None:
                return point
            shrunk = shrunk / 2
            point = objective.point_at(columns, shrunk)
        return point if point is not None else objective.point_at(columns, np.zeros(len(columns)))

    def _descend(self, point: Point, columns: Columns, bar: float, exact: bool, rough: bool) -> Refit:
        self._objective.last = point
        if len(columns) == 0:
            return Refit(np.empty(0), self._objective.scaling.of(point.value), CONVERGED, False, 0)
        if len(columns) > self._objective.largest_hessian:
            answer = self._by_lbfgs(point, columns, exact)
            if answer.value <= 0:
                raise BelowScaleError(self._objective.scaling.back(answer.value))
            return answer
        if self._objective.derivatives.is_kinked:
            return self._past_kinks(point, columns, bar, exact, rough)
        return self._by_newton(point, columns, bar, exact, rough)

    def _by_numeric_solver(self, solver: NumericSolver, columns: Columns, coef: Vector, bar: float) -> Refit:
        objective = self._objective
        start = objective.params_of(columns, coef)
        if not coef.any():
            for place in self._places:
                start[columns] = place[columns]
        params = objective.clip(solver.solve(start, columns))
        x = objective.coef_of(params, columns)
        point = objective.value_at(columns, x)
        if point is None and np.isfinite(bar):
            return Refit(x, float("inf"), NUMERICAL_FAILURE, True, 1)
        if point is None:
            raise ObjectiveError(f"objective is not finite where numeric_solver ended, at {describe(params)}")
        objective.last = point
        value = objective.scaling.of(point.value)
        if value <= 0:
            raise BelowScaleError(point.value)
        return Refit(x, value, CONVERGED, False, 1)

    def _past_kinks(self, point: Point, columns: Columns, bar: float, exact: bool, rough: bool) -> Refit:
        objective = self._objective
        function = OnColumns(objective, columns)
        low, high = objective.bounds_of(columns)
        found = minimise(
            function.value_and_gradient,
            objective.coef_of(point.params, columns),
            tolerance=KINKED_ROUGH_TOLERANCE if rough else KINKED_TOLERANCE,
            inverse=self._inverse_at(point, columns, function),
            bar=bar,
            exact=exact,
            lower=low,
            upper=high,
        )
        objective.last = objective.point_at(columns, found.x)
        answer = Refit(found.x, found.value, CONVERGED if found.is_proved else STALLED, found.is_abandoned, found.iterations)
        if not exact or found.is_proved or objective.last is None or not objective.derivatives.is_kinked:
            return answer
        # Where it is smooth after all, as at a bend that is no kink, Newton's method ends what was begun.
        further = self._by_newton(objective.last, columns, bar, exact, rough)
        return further._replace(iterations=answer.iterations + further.iterations)

    def _inverse_at(self, point: Point, columns: Columns, function: OnColumns) -> Matrix:
        """Return the inverse of the Hessian as it is known, by derivatives or from the last scan."""
        if self._objective.derivatives.is_kinked:
            return self._objective.inverse_at_scan(columns)
        return np.asarray(np.linalg.inv(make_positive(function.scaled(point.active()[1]))))

    def _by_newton(self, point: Point, columns: Columns, bar: float, exact: bool, rough: bool) -> Refit:
        objective = self._objective
        function = OnColumns(objective, columns)
        limits = _core.NewtonLimits()
        limits.bar = bar
        limits.tolerance = self._tolerance if exact else 0.0
        limits.relative_tolerance = 0.0 if exact else ROUGH_TOLERANCE if rough else SEARCH_TOLERANCE
        limits.perfect = VANISHED if objective.scaling.low == 0 else 0.0
        limits.max_cut_short = MOST_CRAWLING
        # The rounding error of the objective, in this scale.
        limits.noise = 8 * objective.derivatives.epsilon * abs(point.value) * objective.scaling.factor
        x = objective.coef_of(point.params, columns)
        iterations = 0
        for _ in range(MOST_SADDLES + 1):
            limits.max_iterations = self._max_iterations - iterations
            try:
                answer = Refit(*_core.minimise(function.linearise, make_positive, x, limits, *objective.bounds_of(columns))[:5])
                if answer.status in (STALLED, MAX_ITERATIONS):
                    function.check_for_kinks(KINK)
            except KinkedError as kink:
                if not kink.is_rare or objective.last is None:
                    raise
                answer = self._past_kinks(objective.last, columns, bar, exact, rough)
                return answer._replace(iterations=answer.iterations + iterations)
            iterations += answer.iterations
            answer = answer._replace(iterations=iterations)
            if answer.abandoned or answer.status != CONVERGED or answer.value <= limits.perfect:
                return answer
            status, lower = self._leave_saddle(function, columns, answer, exact)
            answer = answer._replace(status=status)
            if lower is None:
                return answer
            x = lower
        return answer

    def _leave_saddle(self, function: OnColumns, columns: Columns, answer: Refit, exact: bool) -> tuple[int, Vector | None]:
        """Look for a lower point along the direction of least curvature if the gradient vanishes.

        Return the status of the current point, at which the last refit ended, and a lower point, or None at a minimum.
        """
        objective, x = self._objective, answer.coef
        point = objective.last
        assert point is not None
        gradient, hessian = point.active_exactly() if exact else point.active()
        free = np.flatnonzero(~objective.outward(x, -gradient, columns))
        lowest = lowest_curvature(function.scaled(hessian)[np.ix_(free, free)], objective.derivatives.curvature_noise)
        if lowest is None:
            return CONVERGED, None
        direction = np.zeros(len(x))
        direction[free] = lowest[1]
        for length in max(1.0, float(np.abs(x).max())) * 4.0 ** -np.arange(12):
            there = [objective.clip_coef(x + sign * length * direction, columns) for sign in (1.0, -1.0)]
            points = [(other.value, i) for i, y in enumerate(there) if (other := objective.point_at(columns, y)) is not None]
            value, best = min(points, default=(point.value, 0))
            if objective.scaling.of(value) < answer.value - 1e-12 * abs(answer.value):
                return STALLED, there[best]
        return STALLED if lowest[0] < -SURELY_NEGATIVE else CONVERGED, None

    def _by_lbfgs(self, point: Point, columns: Columns, exact: bool) -> Refit:
        objective = self._objective
        units, factor = objective.units[columns], objective.scaling.factor
        best: list[Any] = [point, objective.coef_of(point.params, columns)]

        def value_and_gradient(x: Vector) -> tuple[float, Vector]:
            there = objective.point_at(columns, x)
            gradient = None if there is None else there.active_gradient() * units * factor
            if there is None or gradient is None or not np.isfinite(gradient).all():
                return 1e10, np.zeros(len(x))  # the line search of L-BFGS-B shortens a step to a high value
            if there.value < best[0].value:
                best[:] = there, x.copy()
            return objective.scaling.of(there.value), gradient

        bounds = None
        if objective.is_bounded:
            everywhere = np.full(len(columns), np.inf)
            low, high = objective.bounds_of(columns)
            bounds = list(zip(-everywhere if low is None else low, everywhere if high is None else high, strict=True))
        done = minimize(
            value_and_gradient,
            best[1],
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={
                "maxiter": 50 * self._max_iterations,
                "ftol": 1e-14 if exact else 1e-11,
                "gtol": self._tolerance,
                "maxcor": 20,
            },
        )
        status = CONVERGED if done.status in (0, 2) else MAX_ITERATIONS
        objective.last = best[0]
        return Refit(best[1], objective.scaling.of(best[0].value), status, False, int(done.nit))

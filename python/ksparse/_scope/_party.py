"""Answers the search's questions, *refit this support* and *scan at this point*, for an objective known by its derivatives.

The search (``cpp/include/ksparse/splicing.hpp``) and its thresholds want numbers of order one. So the objective is shifted and
scaled to be 1 where the search starts and positive elsewhere, and each parameter is measured in units in which its curvature
there is about one. Refits are safeguarded Newton: the Hessian on the active columns, its eigenvalues made positive where it is
not positive definite, and backtracking by Armijo's rule that refuses points where the objective or a derivative is not finite
(Nocedal & Wright 2006, sections 3.1 and 3.4). A point without a gradient that is no minimum is left along the direction of
least curvature.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from ._curvature import lowest_curvature, make_positive, solve_modified
from ._derivatives import Columns, Derivatives, Matrix, ObjectiveError, Point, Vector, describe

__all__ = ["BelowScaleError", "Party", "Scaling"]

# In the order of ksparse::Status.
CONVERGED, MAX_ITERATIONS, STALLED, SEPARABLE, INTERRUPTED, INVALID_INPUT, NUMERICAL_FAILURE = range(7)

NONE = np.empty(0, dtype=np.int64)

# While searching, an objective to ten digits is enough to compare supports.
SEARCH_TOLERANCE, ROUGH_TOLERANCE = 1e-10, 1e-4
# Below this, relative to the objective, the descent that a step promises is lost in the rounding of the objective itself.
ROUNDING = 1e-9
# An objective this small, relative to where the search started, is as good as its infimum 0.
VANISHED = 1e-14

# An objective that falls by so many times what it was at the start, or by so much, is not bounded below.
UNBOUNDED = 1e15
# Saddles that a refit leaves, one after another, before it gives up.
MOST_SADDLES = 10
# A negative curvature of at least this part of the largest is no rounding: where nothing is lower along it, something is wrong.
SURELY_NEGATIVE = 1e-4
# Size, in units of the parameters, by which the search expects a parameter to change that leaves a maximum.
STEP_FROM_MAXIMUM = 0.5
# Iterations in a row whose steps had to be cut more than twice because the objective was not finite.
MOST_CRAWLING = 5


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


class Party:
    """What :func:`ksparse._core.fit_objective` asks.

    Parameters
    ----------
    derivatives : Derivatives
        The objective.
    start : ndarray of shape (p,)
        Where the first scan is made: zeros, unless the objective is not finite there.
    init_params : ndarray of shape (p,) or None
        Coefficients from which refits of columns without any begin as well.
    lower, upper : ndarray of shape (p,) or None
        Bounds of the parameters.
    stride : int
        Columns of the largest group.
    largest_newton : int
        Most active columns for which the Hessian is formed; more are refitted by L-BFGS-B.
    max_iterations : int
        Newton iterations of a refit.
    """

    def __init__(
        self,
        derivatives: Derivatives,
        start: Vector,
        init_params: Vector | None = None,
        lower: Vector | None = None,
        upper: Vector | None = None,
        *,
        stride: int = 1,
        largest_newton: int = 512,
        max_iterations: int = 100,
        tolerance: float = 1e-8,
    ):
        self._derivatives, self._start = derivatives, start
        self._places: list[Vector] = [] if init_params is None else [init_params]
        self._stride = stride
        self._largest_newton, self._max_iterations, self._tolerance = largest_newton, max_iterations, tolerance
        self.starts_elsewhere = bool(start.any())
        first = derivatives.at(start, NONE)
        self._check_start(first)
        self.scaling = Scaling(first.value)
        self.units = self._choose_units(first)
        self.lower = None if lower is None else lower / self.units
        self.upper = None if upper is None else upper / self.units
        self.refused = 0  # points at which the objective or a derivative was not finite
        self.last_refused: Vector | None = None
        self._last: Point | None = None
        self.first = first
        self._scan: dict[str, Any] = {}

    def rescale(self, value: float) -> None:
        """Make room for an objective as low as this; what was answered before is no longer in the same scale.

        Raises
        ------
        ObjectiveError
            If that is so low that there is no bottom to be hoped for.
        """
        if not value > self.scaling.start - UNBOUNDED * max(abs(self.scaling.start), 1.0):
            where = "" if self._last is None else f", at {describe(self._last.params)}"
            raise ObjectiveError(f"objective has no minimum: it fell to {value:.3g}{where}; add a penalty, or bounds")
        factor = self.scaling.factor
        self.scaling.lower(value)
        change = np.exp2(np.round(np.log2(np.sqrt(factor / self.scaling.factor))))
        self.units = self.units * change
        self.lower = None if self.lower is None else self.lower / change
        self.upper = None if self.upper is None else self.upper / change

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

    def _choose_units(self, first: Point) -> Vector:
        p = self._derivatives.p
        self._first_diagonal = np.nan_to_num(first.diagonal(np.arange(p)))
        curvature = np.abs(self._first_diagonal) * self.scaling.factor
        usable = np.isfinite(curvature) & (curvature > 1e-200) & (curvature < 1e200)
        if self._derivatives.curvature_is_rough:  # of a parameter that has nothing else, it may be that of a fourth power
            usable &= (curvature > 1e-10) | (np.abs(first.gradient()) * self.scaling.factor > 1e-10)
        size = np.ones(p)
        size[usable] = 1.0 / np.sqrt(curvature[usable])
        return np.exp2(np.round(np.log2(size)))

    @property
    def is_stationary(self) -> bool:
        """Whether the objective has no gradient where the first scan is made."""
        return bool(np.abs(self.first.gradient() * self.units).max() * self.scaling.factor < 1e-6)

    def begin_at(self, params: Vector) -> None:
        """Let refits of columns of which the search knows nothing begin at these parameters as well."""
        self._places.append(params)

    # ------------------------------------------------------------------------------------------------------------ refit

    def refit(
        self, columns: Columns, coef: Vector, bar: float, exact: bool, rough: bool
    ) -> tuple[Vector, float, int, bool, int]:
        """Minimise over the coefficients of some columns; see ``bind_objective.hpp``."""
        point = self._begin(columns, coef)
        if point is None and np.isfinite(bar):
            return coef, float("inf"), NUMERICAL_FAILURE, True, 0
        if point is None:
            raise ObjectiveError(
                f"objective or a derivative of it is not finite at any point tried with params {columns.tolist()} alone not zero; it "
                "must be finite at sparse points"
            )
        answer = self._descend(point, columns, bar, exact, rough)
        if not coef.any():  # the search knows nothing of these columns
            for place in self._places:
                other = (
                    self._try(columns, self._clip(place[columns] / self.units[columns], columns))
                    if place[columns].any()
                    else None
                )
                if other is not None:
                    answer = self._better(answer, self._descend(other, columns, bar, exact, rough))
        return answer

    def _descend(
        self, point: Point, columns: Columns, bar: float, exact: bool, rough: bool
    ) -> tuple[Vector, float, int, bool, int]:
        if len(columns) > self._largest_newton:
            return self._refit_by_lbfgs(point, columns, exact)
        answer = self._minimise(point, columns, bar, exact, rough)
        value = answer[1]
        if value <= 0:
            raise BelowScaleError(self.scaling.back(value))
        return answer

    @staticmethod
    def _better(
        one: tuple[Vector, float, int, bool, int], other: tuple[Vector, float, int, bool, int]
    ) -> tuple[Vector, float, int, bool, int]:
        best = other if (one[3] and not other[3]) or (one[3] == other[3] and other[1] < one[1]) else one
        return (*best[:4], one[4] + other[4])

    def _minimise(
        self, point: Point, columns: Columns, bar: float, exact: bool, rough: bool
    ) -> tuple[Vector, float, int, bool, int]:
        units = self.units[columns]
        factor = self.scaling.factor
        x = point.params[columns] / units
        value = self.scaling.of(point.value)
        # Rounding of the objective as it is computed, in this scale.
        noise = 8 * self._derivatives.epsilon * abs(point.value) * factor
        relative = 0.0 if exact else ROUGH_TOLERANCE if rough else SEARCH_TOLERANCE
        iterations = crawling = saddles = 0
        while True:
            if len(columns) == 0:
                return self._end(point, x, value, CONVERGED, False, iterations)
            gradient, hessian = point.active()
            gradient = gradient * units * factor
            hessian = hessian * np.outer(units, units * factor)
            step = self._step(gradient, hessian, x, columns)
            squared = -float(gradient @ step)
            if squared <= max(2 * relative * value, self._tolerance**2 if exact else 0.0, noise):
                if squared > 0 and squared <= noise:
                    point, x, value = self._try_last_step(point, columns, x, step, value)
                saddles += 1
                status, lower = self._leave_saddle(point, columns, x, value, exact)
                if lower is None or saddles > MOST_SADDLES or lower[2] <= 0:
                    point, x, value = lower or (point, x, value)
                    return self._end(point, x, value, status, False, iterations)
                point, x, value = lower
                continue
            if 0 < value <= VANISHED and self.scaling.low == 0:
                # At a perfect fit steps are rounding; on the way to an infimum at infinity they are not.
                settled = np.abs(step).max() <= 1e-6 * max(np.abs(x).max(), 1e-6)
                return self._end(point, x, value, CONVERGED if settled else SEPARABLE, False, iterations)
            if value - squared > bar:
                return self._end(point, x, value, CONVERGED, True, iterations)
            if iterations == self._max_iterations:
                return self._end(point, x, value, MAX_ITERATIONS, False, iterations)
            iterations += 1
            refused = self.refused
            found = self._backtrack(columns, x, step, gradient, squared, value, noise)
            if found is None:
                status = CONVERGED if squared <= max(ROUNDING * value, 10 * noise) else STALLED
                return self._end(point, x, value, status, False, iterations)
            point, x, value = found
            if value <= 0:
                return self._end(point, x, value, CONVERGED, False, iterations)
            # Along the edge of where the objective is finite, steps are cut to nearly nothing, and that for as long as one likes.
            crawling = crawling + 1 if self.refused - refused > 2 else 0
            if crawling == MOST_CRAWLING:
                return self._end(point, x, value, STALLED, False, iterations)

    def _leave_saddle(
        self, point: Point, columns: Columns, x: Vector, value: float, exact: bool
    ) -> tuple[int, tuple[Point, Vector, float] | None]:
        """Look for a lower point along the direction of least curvature where the gradient vanishes.

        Returns the status of the point at hand and the lower point, None at a minimum.
        """
        units = self.units[columns]
        gradient, hessian = point.active_exactly() if exact else point.active()
        free = np.flatnonzero(~self._outward(x, -gradient, columns))
        scaled = hessian[np.ix_(free, free)] * np.outer(units[free], units[free] * self.scaling.factor)
        lowest = lowest_curvature(scaled, self._derivatives.curvature_noise)
        if lowest is None:
            return CONVERGED, None
        direction = np.zeros(len(x))
        direction[free] = lowest[1]
        for length in max(1.0, float(np.abs(x).max())) * 4.0 ** -np.arange(12):
            there = [self._try(columns, self._clip(x + sign * length * direction, columns)) for sign in (1.0, -1.0)]
            best = min((other for other in there if other is not None), key=lambda other: other.value, default=point)
            if self.scaling.of(best.value) < value - 1e-12 * abs(value):
                return STALLED, (best, best.params[columns] / units, self.scaling.of(best.value))
        return STALLED if lowest[0] < -SURELY_NEGATIVE else CONVERGED, None

    def _try_last_step(
        self, point: Point, columns: Columns, x: Vector, step: Vector, value: float
    ) -> tuple[Point, Vector, float]:
        """Take a step whose promise is lost in rounding, if the objective does not seem to rise."""
        moved = self._clip(x + step, columns)
        there = self._try(columns, moved)
        if there is None or self.scaling.of(there.value) > value:
            return point, x, value
        return there, moved, self.scaling.of(there.value)

    def _end(
        self, point: Point, x: Vector, value: float, status: int, abandoned: bool, iterations: int
    ) -> tuple[Vector, float, int, bool, int]:
        self._last = point
        return x, value, status, abandoned, iterations

    def _begin(self, columns: Columns, coef: Vector) -> Point | None:
        """Return a point at which a refit can begin: as near to the given coefficients as is finite."""
        if len(columns) == 0:
            return self.first
        point = self._try(columns, self._clip(coef, columns))
        turned = np.isin(columns, self._scan.get("concave", NONE))
        if turned.any() and coef.any():  # where the gradient vanishes, the scan could not know which side is lower
            other = self._try(columns, self._clip(np.where(turned, -coef, coef), columns))
            if other is not None and (point is None or other.value < point.value):
                point = other
        for place in self._places:
            if point is None:
                point = self._try(columns, self._clip(place[columns] / self.units[columns], columns))
        shrunk = coef
        for _ in range(8):
            if point is not None:
                return point
            shrunk = shrunk / 2
            point = self._try(columns, shrunk)
        return point if point is not None else self._try(columns, np.zeros(len(columns)))

    def _try(self, columns: Columns, x: Vector, *, derivatives: bool = True) -> Point | None:
        """Return the point, or None if the objective (or a derivative that a refit needs) is not finite there."""
        units = self.units[columns]
        last = self._last
        params = np.zeros(self._derivatives.p)
        params[columns] = x * units
        if last is not None and np.array_equal(last.columns, columns) and np.array_equal(last.params, params):
            return last
        point = self._derivatives.at(params, columns)
        if np.isfinite(point.value) and (not derivatives or self._is_usable(point)):
            return point
        self._refuse(params)
        return None

    def _refuse(self, params: Vector) -> None:
        self.refused += 1
        self.last_refused = params

    def _is_usable(self, point: Point) -> bool:
        return len(point.columns) > self._largest_newton or point.is_usable()

    def clip(self, params: Vector) -> Vector:
        """Return parameters, in the user's units, moved to within their bounds."""
        return self._clip(params / self.units, np.arange(len(params))) * self.units

    def _clip(self, x: Vector, columns: Columns) -> Vector:
        if self.lower is None and self.upper is None:
            return x
        low = -np.inf if self.lower is None else self.lower[columns]
        high = np.inf if self.upper is None else self.upper[columns]
        return np.clip(x, low, high)

    def _outward(self, x: Vector, move: Vector, columns: Columns) -> NDArray[np.bool_]:
        held = np.zeros(len(x), dtype=bool)
        if self.lower is not None:
            held |= (x <= self.lower[columns]) & (move < 0)
        if self.upper is not None:
            held |= (x >= self.upper[columns]) & (move > 0)
        return held

    def _step(self, gradient: Vector, hessian: Matrix, x: Vector, columns: Columns) -> Vector:
        """Return Newton's step; coefficients at a bound that it would leave are held (Bertsekas 1982)."""
        if self.lower is None and self.upper is None:
            step = solve_modified(hessian, -gradient)
        else:
            held = self._outward(x, -gradient, columns)
            while True:
                free = np.flatnonzero(~held)
                step = np.zeros(len(x))
                if len(free):
                    step[free] = solve_modified(hessian[np.ix_(free, free)], -gradient[free])
                more = self._outward(x, step, columns) & ~held
                if not more.any():
                    break
                held |= more
        length, longest = np.abs(step).max(), min(1e3 * max(1.0, np.abs(x).max()), 1e12)
        return step if length <= longest else step * (longest / length)

    def _backtrack(
        self, columns: Columns, x: Vector, step: Vector, gradient: Vector, squared: float, value: float, noise: float
    ) -> tuple[Point, Vector, float] | None:
        slack = max(1e-13 * value, noise) if squared <= max(ROUNDING * value, 100 * noise) else 0.0
        bounded = self.lower is not None or self.upper is not None
        t = 1.0
        for _ in range(40):
            moved = self._clip(x + t * step, columns)
            promised = max(0.0, float(gradient @ (x - moved))) if bounded else t * squared
            there = self._try(columns, moved, derivatives=False)
            if there is None:
                t *= 0.25
                continue
            trial = self.scaling.of(there.value)
            if trial <= value - 1e-4 * promised + slack:
                if self._is_usable(there):
                    return there, moved, trial
                self._refuse(there.params)
                t *= 0.25
                continue
            # Minimiser of the parabola through the value, its slope and the value tried, within a tenth and a half of t.
            excess = trial - value + t * squared
            t *= min(max(0.5 * t * squared / excess, 0.1), 0.5) if excess > 0 else 0.1
            if t * squared < 1e-3 * noise:
                break
        return None

    def _refit_by_lbfgs(self, point: Point, columns: Columns, exact: bool) -> tuple[Vector, float, int, bool, int]:
        units, factor = self.units[columns], self.scaling.factor
        best: list[Any] = [point, point.params[columns] / units]

        def value_and_gradient(x: Vector) -> tuple[float, Vector]:
            there = self._try(columns, x)
            gradient = None if there is None else there.active_gradient() * units * factor
            if there is None or gradient is None or not np.isfinite(gradient).all():
                return 1e10, np.zeros(len(x))  # the line search of L-BFGS-B steps back from a high value
            if there.value < best[0].value:
                best[:] = there, x.copy()
            return self.scaling.of(there.value), gradient

        bounds = None
        if self.lower is not None or self.upper is not None:
            low = np.full(len(columns), -np.inf) if self.lower is None else self.lower[columns]
            high = np.full(len(columns), np.inf) if self.upper is None else self.upper[columns]
            bounds = list(zip(low, high, strict=True))
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
        return self._end(best[0], best[1], self.scaling.of(best[0].value), status, False, int(done.nit))

    # ------------------------------------------------------------------------------------------------------------- scan

    def begin_scan(self, columns: Columns, coef: Vector) -> tuple[Matrix, Matrix | None, Vector | None]:
        """Return the inverse of the Hessian on the active columns; see ``bind_objective.hpp``."""
        if len(columns) == 0:
            self._scan = {"point": self.first, "inverse": np.zeros((0, 0)), "step": STEP_FROM_MAXIMUM, "concave": NONE}
            return self._scan["inverse"], None, None
        point = self._try(columns, coef)
        if point is None:
            params = np.zeros(self._derivatives.p)
            params[columns] = coef * self.units[columns]
            raise ObjectiveError(
                f"objective or a derivative of it is not finite at {describe(params)}, which the search came to"
            )
        units, factor = self.units[columns], self.scaling.factor
        gradient, hessian = point.active_exactly()
        gradient = gradient * units * factor
        hessian = make_positive(hessian * np.outer(units, units * factor))
        inverse: Matrix | None = None
        answer: tuple[Matrix | None, Vector | None] = (None, None)
        if self.lower is not None or self.upper is not None:
            held = self._outward(coef, -gradient, columns)
            if held.any():
                free = np.flatnonzero(~held)
                inverse = np.zeros_like(hessian)
                inverse[np.ix_(free, free)] = np.linalg.inv(hessian[np.ix_(free, free)])
                answer = (hessian, gradient)
        if inverse is None:
            whole = np.asarray(np.linalg.inv(hessian), dtype=np.float64)
            inverse = 0.5 * (whole + whole.T)
        step = max(STEP_FROM_MAXIMUM, float(np.abs(coef).max()))
        self._scan = {"point": point, "inverse": inverse, "step": step, "concave": NONE}
        return inverse, *answer

    def scan_panel(self, columns: Columns, starts: Columns | None) -> tuple[Vector, Vector, Matrix, Matrix | None]:
        """Return gradient, curvature and cross curvature of some columns where the scan stands."""
        point: Point = self._scan["point"]
        inverse: Matrix = self._scan["inverse"]
        factor, units = self.scaling.factor, self.units[columns]
        gradient = point.gradient(columns) * units * factor
        cross = point.cross(columns) * np.outer(units, self.units[point.columns] * factor)
        if not (np.isfinite(gradient).all() and np.isfinite(cross).all()):
            raise ObjectiveError(
                f"a derivative of the objective is not finite at {describe(point.params)}, which the search came to"
            )
        if starts is not None:
            return self._scan_groups(point, columns, starts, gradient, cross, inverse)
        curvature = self._diagonal(point, columns) * units**2 * factor
        explained = np.einsum("ij,ij->i", cross @ inverse, cross)
        left = curvature - explained
        # A concave direction is taken for as convex; one without any curvature gets some, so that its step has a length.
        concave = left < -1e-7 * np.maximum(np.abs(curvature), explained)
        flat = (np.abs(curvature) <= 1e-12) & (np.abs(gradient) > 0)
        curvature = np.where(concave, explained - left, curvature)
        curvature = np.where(flat, explained + np.abs(gradient), curvature)
        if concave.any():
            gradient = self._leave_maxima(columns, gradient, left, concave)
        return gradient, np.maximum(curvature, 0.0), cross, None

    def _leave_maxima(self, columns: Columns, gradient: Vector, left: Vector, concave: NDArray[np.bool_]) -> Vector:
        """Return gradients by which a parameter enters whose own gradient is small though the objective falls on both sides."""
        foreseen = np.abs(left) * self._scan["step"]
        small = concave & (np.abs(gradient) < foreseen) & (foreseen > self._derivatives.curvature_noise)
        self._scan["concave"] = np.union1d(self._scan["concave"], columns[small])
        return np.where(small, np.where(gradient > 0, foreseen, -foreseen), gradient)

    def _diagonal(self, point: Point, columns: Columns) -> Vector:
        """Return the diagonal of the Hessian, of many columns by what it was at the start and by how that of active ones has changed.

        The search ranks many columns by it; those that come to the fore are scanned again, a few at a time, exactly.
        """
        most = self._derivatives.exact_up_to
        if len(columns) <= most or self._derivatives.p <= 2 * most:
            return np.nan_to_num(point.diagonal(columns))
        diagonal = self._first_diagonal[columns]
        if len(point.columns) == 0:
            return diagonal
        before, after = self._first_diagonal[point.columns], np.diag(point.active()[1])
        known = (before > 0) & (after > 0)
        return diagonal * float(np.median(after[known] / before[known])) if known.any() else diagonal

    def _leave_group_maxima(self, rows: Columns, gradient: Vector, lowest: Vector, directions: Matrix) -> None:
        """Do the same for groups, along their directions of least curvature, in place."""
        foreseen = np.abs(lowest) * self._scan["step"]
        foreseen[foreseen < self._derivatives.curvature_noise] = 0.0
        along = np.einsum("ij,ij->i", gradient[rows], directions)
        lacking = np.where(np.abs(along) < foreseen, np.where(along > 0, foreseen, -foreseen) - along, 0.0)
        gradient[rows] += lacking[:, None] * directions
        self._scan["concave"] = np.union1d(self._scan["concave"], rows[lacking != 0])

    def _scan_groups(
        self, point: Point, columns: Columns, starts: Columns, gradient: Vector, cross: Matrix, inverse: Matrix
    ) -> tuple[Vector, Vector, Matrix, Matrix]:
        factor, units = self.scaling.factor, self.units[columns]
        blocks = np.zeros((len(columns), self._stride))
        curvature = np.zeros(len(columns))
        widths = np.diff(starts)
        within = point.within(columns, starts)
        # Groups of one width at once.
        for width in np.unique(widths):
            places = np.flatnonzero(widths == width)
            rows = starts[places][:, None] + np.arange(width)
            scale = units[rows]
            own = (
                np.nan_to_num(np.stack([within[place] for place in places])) * scale[:, :, None] * (scale * factor)[:, None, :]
            )
            beside = cross[rows]
            explained = beside @ inverse @ beside.transpose(0, 2, 1)
            values, vectors = np.linalg.eigh(own - explained)
            # A concave direction is taken for as convex.
            concave = values[:, 0] < -1e-7 * np.abs(np.diagonal(own, axis1=1, axis2=2)).max(axis=1)
            if concave.any():
                turned = vectors[concave] * np.abs(values[concave])[:, None, :]
                own[concave] = explained[concave] + turned @ vectors[concave].transpose(0, 2, 1)
                self._leave_group_maxima(rows[concave], gradient, values[concave, 0], vectors[concave, :, 0])
            blocks[rows, :width] = own
            curvature[rows] = np.diagonal(own, axis1=1, axis2=2)
        return gradient, np.maximum(curvature, 0.0), cross, blocks

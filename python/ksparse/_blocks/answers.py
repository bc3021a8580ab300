"""Refits and scans for the search of the core, whose sums over rows come block by block from a source.

A source answers ``ask(question, columns)`` for all rows, see :class:`ksparse._blocks.local.BlocksInTurn`. The search, Newton's
method, tolerances and models are those of a fit in memory (``cpp/include/ksparse/glm``), so the answers are the same up to
rounding.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _core
from .questions import ColumnMoments, Moments, SlopeSizes, SlopesSurvive, Sums, Total
from .units import Units, loss_of_rows

__all__ = ["BlockAnswers"]

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Columns = NDArray[np.int64]
Answer = tuple[Vector, float, int, bool, int]

_STATUS = tuple(_core.status_names())
_CONVERGED, _MAX_ITERATIONS, _STALLED, _SEPARABLE = map(_STATUS.index, ("converged", "max_iterations", "stalled", "separable"))
_NONE: Columns = np.empty(0, dtype=np.int64)
# As in glm/refit.hpp, where these are explained.
_SEARCH_TOLERANCE, _ROUGH_TOLERANCE, _SEPARABLE_OBJECTIVE = 1e-10, 1e-4, 1e-9
_PERFECT, _ROUNDING, _ROUNDING_OF_LABELS, _ROUNDING_OF_SUM = 1e-28, 1e-15, 1e-13, 1e-15
# Columns that are read at once in the beginning, some more than the search scans often.
_PROMISING = 60
# Values that are brought together to decide whether the classes are separable: 1 GB.
_MOST_VALUES = 2**27


class _OnColumns:
    """F as a function of the coefficients of some columns, for the Newton method of the core."""

    def __init__(self, answers: BlockAnswers, columns: Columns):
        self._answers, self._columns = answers, columns
        self.total: Total | None = None  # at the last point
        self.coef: Vector = np.empty(0)

    def linearise(self, coef: Vector, allowed: float) -> tuple[float, Vector, Matrix]:
        """Return the value, the gradient and the Hessian."""
        self.coef = coef.copy()
        self.total = self._answers.total_at(self._columns, self.coef)
        return self._answers.derivatives(self._columns, self.coef, self.total)

    def make_convex(self, hessian: Matrix) -> Matrix:
        """Return a positive semi-definite Hessian at the last point."""
        if self.total is not None and not self.total.concave:
            return hessian
        convex = self._answers.total_at(self._columns, self.coef, convex=True)
        return self._answers.derivatives(self._columns, self.coef, convex)[2]

    def separates(self) -> bool:
        """Return whether F falls towards 0 along the ray through the last point."""
        answers = self._answers
        if answers.units_ridge > 0 or self.total is None or not self.total.lowest_margin > 0 or answers.has_offset:
            return False
        lower, upper = answers.bounds_of(self._columns)
        coef = self.coef[: len(self._columns)]
        return (
            lower is None
            or upper is None
            or not (((coef < 0) & np.isfinite(lower[: len(coef)])) | ((coef > 0) & np.isfinite(upper[: len(coef)]))).any()
        )


class BlockAnswers:
    """What the search of the core asks (``python/bindings/bind_objective.hpp``).

    Parameters
    ----------
    source : object
        The rows.
    loss : Loss
        The loss.
    options : _core.Options
        The settings, in the user's units. They are changed to those for the search.
    """

    def __init__(self, source: Any, loss: Any, options: _core.Options):
        self._source = source
        self.has_intercept = bool(options.fit_intercept)
        self.has_offset = bool(source.has_offset)
        self._tolerance, self._max_newton = options.tolerance, options.max_newton
        self._in_memory = {name: getattr(options, name) for name in ("fit_intercept", "ridge", "tolerance", "max_newton")}
        self._user_bounds = {name: getattr(options, name) for name in ("lower", "upper")}
        self.loss, extent = loss_of_rows(source, loss, self.has_intercept)
        self.core = self.loss.in_core()
        self.foresight = self.core.foresight
        self._binary = bool(loss.is_classification)
        self.units_ridge = self.core.ridge(options.ridge)
        self._units: Units | None = None
        self._bounds: tuple[Vector, Vector] | None = None
        # The last point, its sums, if their curvature is not negative, and whether that is the exact one.
        self._kept: tuple[Columns, Vector, Total, bool] | None = None
        self._full: Total | None = None  # the sums of all columns, in a scan of all
        self._asked: Columns = _NONE
        self._likely: Columns = _NONE
        self._promising: Columns = _NONE
        self._scans_all = False
        self._tolerance_unit = 1.0
        self._least_tolerance = 0.0
        self.perfect_objective = _SEPARABLE_OBJECTIVE
        self._measure_scale()
        self._choose_units(extent, options)

    # ------------------------------------------------------------------------------------------------------------ beginning

    def _measure_scale(self) -> None:
        if self._binary:
            if not self.core.falls_for_ever:
                self._least_tolerance = _ROUNDING_OF_LABELS
            return
        at_zero = 1.0
        if not self.core.predicts_logarithm:
            at_zero = self.total_at(_NONE, np.zeros(int(self.has_intercept))).value
        self.perfect_objective = _PERFECT * at_zero
        self._least_tolerance = _ROUNDING * float(np.sqrt(at_zero))

    def _choose_units(self, extent: Any, options: _core.Options) -> None:
        """Fit the intercept, and choose the units in a pass over X that also yields the gradient there."""
        start = np.zeros(int(self.has_intercept))
        if self.has_intercept and not self._binary:
            start[0] = self.core.start(extent.response / extent.weight) - extent.offset / extent.weight / self.core.scale
        self._constant = self.refit(_NONE, start, np.inf, False, False)
        coef = self._constant[0]
        moments: ColumnMoments = self._source.ask(Moments(self.loss, coef))
        units = self._units = Units.of(moments, self.has_intercept, self.units_ridge)
        self._bounds = units.bounds(options, self.core.scale)
        if self._bounds is not None:
            options.lower, options.upper = self._bounds
        total = self.total_at(_NONE, coef)
        gradient = units.factor * (moments.by_slope + (0.0 if self.has_intercept else moments.mean * moments.slope))
        curvature = units.spread * total.curvature + units.ridge_of(slice(None))
        curvature[units.factor == 0] = 0.0
        self._first = coef, gradient, _usable(gradient, curvature)
        # The search goes on with some fifty of these, which are read together.
        with np.errstate(divide="ignore", invalid="ignore"):
            score = np.nan_to_num(gradient**2 / self._first[2], nan=0.0, posinf=0.0)
        self._promising = np.sort(np.argsort(-score, kind="stable")[:_PROMISING]).astype(np.int64)

    # --------------------------------------------------------------------------------------------------------------- points

    def total_at(self, columns: Columns, coef: Vector, *, convex: bool = False) -> Total:
        """Return the sums over all rows at a point; those of the last point are kept."""
        if (
            self._kept is not None
            and (convex or self._kept[3])
            and np.array_equal(self._kept[0], columns)
            and np.array_equal(self._kept[1], coef)
        ):
            return self._kept[2]
        places = list(range(len(columns)))
        total: Total = self._source.ask(
            Sums(self.loss, places, coef, *self._units_of(columns), convex=convex, asked=[]), columns
        )
        if convex or not total.concave:
            self._kept = columns.copy(), coef.copy(), total, not convex
        return total

    def _units_of(self, columns: Any) -> tuple[Vector, Vector]:
        if self._units is None:
            return np.empty(0), np.empty(0)
        return np.ascontiguousarray(self._units.centre[columns]), np.ascontiguousarray(self._units.factor[columns])

    def derivatives(self, columns: Columns, coef: Vector, total: Total) -> tuple[float, Vector, Matrix]:
        """Return F, its gradient and its Hessian by the coefficients, the intercept last."""
        size = len(columns)
        gradient = np.empty(size + self.has_intercept)
        hessian = np.empty((size + self.has_intercept, size + self.has_intercept))
        value = total.value
        if size and self._units is not None:
            ridge = self._units.ridge_of(columns)
            value += 0.5 * float(ridge @ coef[:size] ** 2)
            gradient[:size] = total.active[:, 0] + ridge * coef[:size]
            products = np.tril(total.active[:, 3:])
            hessian[:size, :size] = products + np.tril(products, -1).T + np.diag(ridge)
            constant = np.flatnonzero(self._units.factor[columns] == 0)
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

    # --------------------------------------------------------------------------------------------------------------- refits

    def expect(self, columns: Columns, scanned: bool) -> None:
        """Note which columns the next refits may add, or the next scan covers."""
        self._scans_all = scanned and len(columns) == self._source.n_features
        if scanned:
            self._asked = columns
        else:
            self._likely = columns

    def refit(self, columns: Columns, coef: Vector, bar: float, exact: bool, rough: bool) -> Answer:
        """Minimise over the coefficients of some columns."""
        if len(columns) == 0 and self._units is not None and not exact and self.has_intercept and coef[-1] == 0:
            return self._constant
        if len(columns):
            self._source.keep(np.union1d(columns, self._likely), self._promising)
        limits = _core.NewtonLimits()
        limits.max_iterations, limits.bar, limits.separable = self._max_newton, bar, _SEPARABLE_OBJECTIVE
        limits.tolerance = self._least_tolerance
        if exact:
            limits.tolerance = max(self._tolerance * self._tolerance_unit, self._least_tolerance)
        else:
            limits.relative_tolerance = _ROUGH_TOLERANCE if rough else _SEARCH_TOLERANCE
        function = _OnColumns(self, columns)
        found, value, status, abandoned, iterations, singular = _core.minimise(
            function.linearise,
            function.make_convex,
            coef,
            limits,
            *self.bounds_of(columns),
            separates=function.separates,
            convex_stands_in=self.core.convex_stands_in,
        )
        if not self._binary and len(columns) == 0:
            self._tolerance_unit = float(np.sqrt(min(1.0, value)))
        if not exact and status == _SEPARABLE and value > _SEPARABLE_OBJECTIVE:
            status = _CONVERGED
        if exact and len(columns) and (self.units_ridge == 0 or singular):
            status = self._status_of_end(columns, found, status, singular)
        return found, value, status, abandoned, iterations

    def _status_of_end(self, columns: Columns, coef: Vector, status: int, singular: bool) -> int:
        """Judge the end of an exact refit, see ``Refit::status_of_end``: by a proof from sums, or on the chosen columns in memory."""
        converged = status == _CONVERGED
        if not converged and status not in (_MAX_ITERATIONS, _STALLED):
            return status
        proved = not self.core.falls_for_ever or (converged and not singular and self._rules_out_separation(columns, coef))
        if proved and not (converged and singular):
            return status
        if self._source.n_rows * len(columns) > _MOST_VALUES:
            return _STALLED if singular else status
        return self._status_in_memory(columns)

    def _status_in_memory(self, columns: Columns) -> int:
        """Return the status of a refit of these columns in memory."""
        X, y, weight, offset = self._source.bring(columns)
        options = _core.Options()
        options.k = len(columns)
        options.always_in = list(range(len(columns)))
        options.search = "fast"
        for name, value in self._in_memory.items():
            setattr(options, name, value)
        for name, bound in self._user_bounds.items():
            if len(bound):
                setattr(options, name, bound[columns])
        return _STATUS.index(_core.fit(_core.Problem(X, y, weight, offset, self.loss.loss._kernel()), options).status)

    def _rules_out_separation(self, columns: Columns, coef: Vector) -> bool:
        total = self.total_at(columns, coef)
        _, gradient, hessian = self.derivatives(columns, coef, total)
        try:
            factor = np.linalg.cholesky(hessian)
        except np.linalg.LinAlgError:
            return False
        step = -np.linalg.solve(factor.T, np.linalg.solve(factor, gradient))
        point = (self.loss, list(range(len(columns))), coef, *self._units_of(columns))
        errors = _ROUNDING_OF_SUM * self._source.ask(SlopeSizes(*point), columns)
        error = float(np.linalg.norm(np.linalg.solve(factor, np.diag(errors)), axis=0).sum())
        return bool(self._source.ask(SlopesSurvive(*point, step, error), columns))

    # ---------------------------------------------------------------------------------------------------------------- scans

    def begin_scan(self, columns: Columns, coef: Vector) -> tuple[Matrix, Matrix | None, Vector | None, Vector]:
        """Begin a scan at a point; return the inverse of the Hessian there, and if a coefficient is held, the Hessian and the gradient."""
        self._active = columns
        self._is_first = len(columns) == 0 and np.array_equal(coef, self._first[0])
        asked = None if self._scans_all else self._asked
        if self._is_first:
            total = self.total_at(columns, coef)
        elif asked is None:
            total = self._source.ask(
                Sums(self.loss, columns.tolist(), coef, *self._units_of(slice(None)), convex=True, asked=None)
            )
            self._kept = columns.copy(), coef.copy(), total, False
        else:
            read = np.union1d(columns, asked)
            active, places = np.searchsorted(read, columns).tolist(), np.searchsorted(read, asked).tolist()
            question = Sums(self.loss, active, coef, *self._units_of(read), convex=True, asked=places)
            total = self._source.ask(question, read)
        self._scanned = total
        self._places = {} if asked is None else {int(column): place for place, column in enumerate(asked)}
        _, gradient, hessian = self.derivatives(columns, coef, total)
        whole = hessian.copy()
        held = self._held(columns, coef, gradient)
        hessian[held], hessian[:, held] = 0.0, 0.0
        hessian[held, held] = 1.0
        inverse = _inverse(hessian)
        inverse[held, held] = 0.0
        if self._scans_all and not self._is_first:
            self._note_promising(columns, coef, inverse)
        diagonal = np.diag(hessian).copy()
        return (inverse, whole, gradient, diagonal) if len(held) else (inverse, None, None, diagonal)

    def _note_promising(self, columns: Columns, coef: Vector, inverse: Matrix) -> None:
        """Note the columns that the search may propose after a scan of all, so that they are read together.

        They have the largest predicted decreases of F when they take the place of a chosen column (``search/sacrifice_model.hpp``).
        """
        every = np.arange(self._source.n_features)
        gradient, curvature, cross, _ = self.scan_panel(every, None)
        size = len(columns)
        pulls = cross @ inverse
        own = np.maximum(curvature - np.einsum("ij,ij->i", pulls, cross), 1e-10 * curvature)
        gains = np.zeros((len(every), size + 1))
        with np.errstate(divide="ignore", invalid="ignore"):
            gains[:, size] = gradient**2 / own
            d = np.diag(inverse)[:size]
            step = coef[:size] / d
            gains[:, :size] = (gradient[:, None] - pulls[:, :size] * step) ** 2 / (own[:, None] + pulls[:, :size] ** 2 / d)
            gains[:, :size] -= coef[:size] * step
        best = np.nan_to_num(gains, nan=-np.inf, posinf=0.0).max(axis=1)
        best[columns] = -np.inf
        self._promising = np.sort(np.argsort(-best, kind="stable")[:_PROMISING]).astype(np.int64)

    def _held(self, columns: Columns, coef: Vector, gradient: Vector) -> NDArray[np.intp]:
        """Return the places of coefficients that their gradient presses against a bound."""
        lower, upper = self.bounds_of(columns)
        if lower is None or upper is None:
            return np.empty(0, dtype=np.intp)
        return np.flatnonzero(((coef <= lower) & (gradient > 0)) | ((coef >= upper) & (gradient < 0)))

    def scan_panel(self, columns: Columns, starts: Columns | None) -> tuple[Vector, Vector, Matrix, None]:
        """Return gradient, curvature and cross terms of some columns of the scan."""
        size = len(self._active)
        units = self._units
        assert units is not None
        if self._is_first:
            _, gradient, curvature = self._first
            cross = np.zeros((len(columns), int(self.has_intercept)), order="F")
            return gradient[columns], curvature[columns], cross, None
        places = columns if self._scans_all else [self._places[int(column)] for column in columns]
        sums = self._scanned.panel[places]
        gradient, curvature = sums[:, 0].copy(), sums[:, 2] + units.ridge_of(columns)
        curvature[units.factor[columns] == 0] = 0.0
        cross = np.empty((len(columns), size + self.has_intercept), order="F")
        cross[:, :size] = sums[:, 3:]
        if self.has_intercept:
            cross[:, size] = sums[:, 1]
        return gradient, _usable(gradient, curvature), cross, None

    # -------------------------------------------------------------------------------------------------------------- answers

    def to_user(self, answer: _core.FitAnswer, options: _core.Options) -> dict[str, Any]:
        """Return coefficients, intercept, support and objective in the user's units."""
        units = self._units
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


def _usable(gradient: Vector, curvature: Vector) -> Vector:
    """Return the curvature of columns, or one by which the longest step is taken where there is none (``glm/panel.hpp``)."""
    flat = (curvature >= 0) & (curvature <= 1e-100 * np.abs(gradient))
    return np.where(flat, np.abs(gradient) / 1e3, curvature)


def _inverse(hessian: Matrix) -> Matrix:
    """Return the inverse of a positive semi-definite matrix, shifted if it is singular (``newton/newton.hpp``)."""
    diagonal = np.diag(hessian).copy()
    shift = 0.0
    while shift < 1:
        try:
            factor = np.linalg.cholesky(hessian + np.diag(shift * diagonal))
        except np.linalg.LinAlgError:
            factor = None
        if factor is not None and (np.diag(factor) ** 2 > 1e-13 * diagonal).all():
            half = np.linalg.inv(factor)
            return np.asarray(half.T @ half)
        shift = shift * 100 if shift else 1e-10
    return np.eye(len(hessian))

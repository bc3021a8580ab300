"""Refits of rows that come in blocks, by the Newton method of the core."""

from __future__ import annotations

import numpy as np

from .. import _core
from .points import NO_COLUMNS, Columns, Matrix, Points, Vector
from .questions import SlopeSizes, SlopesSurvive, Total
from .wanted import WantedColumns

__all__ = ["Answer", "Refits"]

Answer = tuple[Vector, float, int, bool, int]

_STATUS = tuple(_core.status_names())
_CONVERGED, _MAX_ITERATIONS, _STALLED, _SEPARABLE = map(_STATUS.index, ("converged", "max_iterations", "stalled", "separable"))
# As in glm/refit.hpp, where these are explained.
_SEARCH_TOLERANCE, _ROUGH_TOLERANCE, _SEPARABLE_OBJECTIVE = 1e-10, 1e-4, 1e-9
_PERFECT, _ROUNDING, _ROUNDING_OF_LABELS, _ROUNDING_OF_SUM = 1e-28, 1e-15, 1e-13, 1e-15
# Most entries of X that are copied into memory to decide whether the classes are separable (1 GB).
_MOST_VALUES = 2**27


class _OnColumns:
    """F as a function of the coefficients of some columns, for the Newton method of the core."""

    def __init__(self, points: Points, columns: Columns):
        self._points, self._columns = points, columns
        self.total: Total | None = None  # at the last point
        self.coef: Vector = np.empty(0)

    def linearise(self, coef: Vector, allowed: float) -> tuple[float, Vector, Matrix]:
        """Return the value, the gradient and the Hessian."""
        self.coef = coef.copy()
        self.total = self._points.total_at(self._columns, self.coef)
        return self._points.derivatives(self._columns, self.coef, self.total)

    def make_convex(self, hessian: Matrix) -> Matrix:
        """Return a positive semi-definite Hessian at the last point."""
        if self.total is not None and not self.total.concave:
            return hessian
        convex = self._points.total_at(self._columns, self.coef, convex=True)
        return self._points.derivatives(self._columns, self.coef, convex)[2]

    def separates(self) -> bool:
        """Return whether F falls towards 0 along the ray through the last point."""
        points = self._points
        if points.units_ridge > 0 or self.total is None or not self.total.lowest_margin > 0 or points.source.has_offset:
            return False
        lower, upper = points.bounds_of(self._columns)
        coef = self.coef[: len(self._columns)]
        return (
            lower is None
            or upper is None
            or not (((coef < 0) & np.isfinite(lower[: len(coef)])) | ((coef > 0) & np.isfinite(upper[: len(coef)]))).any()
        )


class Refits:
    """Minimises F over the coefficients of some columns.

    Parameters
    ----------
    points : Points
        The objective.
    wanted : WantedColumns
        Which columns are worth keeping in memory.
    options : _core.Options
        The settings, in the user's units.
    """

    def __init__(self, points: Points, wanted: WantedColumns, options: _core.Options):
        self._points, self._wanted = points, wanted
        self._tolerance, self._max_newton = options.tolerance, options.max_newton
        self._in_memory = {name: getattr(options, name) for name in ("fit_intercept", "ridge", "tolerance", "max_newton")}
        self._user_bounds = {name: getattr(options, name) for name in ("lower", "upper")}
        self._tolerance_unit = 1.0
        self._least_tolerance = 0.0
        self.perfect_objective = _SEPARABLE_OBJECTIVE
        self._measure_scale()
        self.constant = self._fit_constant()

    def _measure_scale(self) -> None:
        if self._points.is_classification:
            if not self._points.core.falls_for_ever:
                self._least_tolerance = _ROUNDING_OF_LABELS
            return
        at_zero = 1.0
        if not self._points.core.predicts_logarithm:
            at_zero = self._points.total_at(NO_COLUMNS, np.zeros(int(self._points.has_intercept))).value
        self.perfect_objective = _PERFECT * at_zero
        self._least_tolerance = _ROUNDING * float(np.sqrt(at_zero))

    def _fit_constant(self) -> Answer:
        """Fit the intercept alone."""
        points, extent = self._points, self._points.extent
        start = np.zeros(int(points.has_intercept))
        if points.has_intercept and not points.is_classification:
            start[0] = points.core.start(extent.response / extent.weight) - extent.offset / extent.weight / points.core.scale
        return self.refit(NO_COLUMNS, start, np.inf, False, False)

    def refit(self, columns: Columns, coef: Vector, bar: float, exact: bool, rough: bool) -> Answer:
        """Minimise over the coefficients of some columns."""
        points = self._points
        if len(columns) == 0 and points.units is not None and not exact and points.has_intercept and coef[-1] == 0:
            return self.constant
        if len(columns):
            self._wanted.keep_for(columns)
        limits = _core.NewtonLimits()
        limits.max_iterations, limits.bar, limits.separable = self._max_newton, bar, _SEPARABLE_OBJECTIVE
        limits.tolerance = self._least_tolerance
        if exact:
            limits.tolerance = max(self._tolerance * self._tolerance_unit, self._least_tolerance)
        else:
            limits.relative_tolerance = _ROUGH_TOLERANCE if rough else _SEARCH_TOLERANCE
        function = _OnColumns(points, columns)
        found, value, status, abandoned, iterations, singular = _core.minimise(
            function.linearise,
            function.make_convex,
            coef,
            limits,
            *points.bounds_of(columns),
            separates=function.separates,
            convex_stands_in=points.core.convex_stands_in,
        )
        if not points.is_classification and len(columns) == 0:
            self._tolerance_unit = float(np.sqrt(min(1.0, value)))
        if not exact and status == _SEPARABLE and value > _SEPARABLE_OBJECTIVE:
            status = _CONVERGED
        if exact and len(columns) and (points.units_ridge == 0 or singular):
            status = self._status_of_end(columns, found, status, singular)
        return found, value, status, abandoned, iterations

    def _status_of_end(self, columns: Columns, coef: Vector, status: int, singular: bool) -> int:
        """Judge the end of an exact refit, see ``Refit::status_of_end``: by a proof from sums, or on the chosen columns in memory."""
        points = self._points
        converged = status == _CONVERGED
        if not converged and status not in (_MAX_ITERATIONS, _STALLED):
            return status
        proved = not points.core.falls_for_ever or (converged and not singular and self._rules_out_separation(columns, coef))
        if proved and not (converged and singular):
            return status
        if points.source.n_rows * len(columns) > _MOST_VALUES:
            return _STALLED if singular else status
        return self._status_in_memory(columns)

    def _status_in_memory(self, columns: Columns) -> int:
        """Return the status of a refit of these columns in memory."""
        points = self._points
        X, y, weight, offset = points.source.bring(columns)
        options = _core.Options()
        options.k = len(columns)
        options.always_in = list(range(len(columns)))
        options.search = "fast"
        for name, value in self._in_memory.items():
            setattr(options, name, value)
        for name, bound in self._user_bounds.items():
            if len(bound):
                setattr(options, name, bound[columns])
        return _STATUS.index(_core.fit(_core.Problem(X, y, weight, offset, points.loss.loss._kernel()), options).status)

    def _rules_out_separation(self, columns: Columns, coef: Vector) -> bool:
        points = self._points
        total = points.total_at(columns, coef)
        _, gradient, hessian = points.derivatives(columns, coef, total)
        try:
            factor = np.linalg.cholesky(hessian)
        except np.linalg.LinAlgError:
            return False
        step = -np.linalg.solve(factor.T, np.linalg.solve(factor, gradient))
        point = (points.loss, list(range(len(columns))), coef, *points.units_of(columns))
        errors = _ROUNDING_OF_SUM * points.source.ask(SlopeSizes(*point), columns)
        error = float(np.linalg.norm(np.linalg.solve(factor, np.diag(errors)), axis=0).sum())
        return bool(points.source.ask(SlopesSurvive(*point, step, error), columns))

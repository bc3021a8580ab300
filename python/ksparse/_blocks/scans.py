"""Scans of rows that come in blocks: gradient, curvature and cross terms of columns at a point."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .. import _core
from .points import NO_COLUMNS, Columns, Matrix, Points, Vector
from .questions import ColumnMoments, Moments, Sums, Total
from .wanted import WantedColumns

__all__ = ["Scans"]


class Scans:
    """Answers the scans of a search; one of all columns is a pass over X.

    Parameters
    ----------
    points : Points
        The objective.
    wanted : WantedColumns
        Which columns are worth keeping in memory.
    constant : ndarray of shape (1,) or (0,)
        The fit of the intercept alone, where the first scan is.
    options : _core.Options
        The settings. Their bounds are changed to those in units.
    """

    _first: tuple[Vector, Vector, Vector]  # the constant model, gradient and curvature there
    _active: Columns  # of the scan at hand
    _is_first: bool
    _scanned: Total
    _places: dict[int, int]

    def __init__(self, points: Points, wanted: WantedColumns, constant: Vector, options: _core.Options):
        self._points, self._wanted = points, wanted
        self._covers_all = False
        self._asked: Columns = NO_COLUMNS
        self._begin_at(constant, options)

    def _begin_at(self, constant: Vector, options: _core.Options) -> None:
        """Choose the units in a pass over X, which also yields the gradient at the constant model."""
        points = self._points
        moments: ColumnMoments = points.source.ask(Moments(points.loss, constant))
        units = points.choose_units(moments, options)
        total = points.total_at(NO_COLUMNS, constant)
        gradient = units.factor * (moments.by_slope + (0.0 if points.has_intercept else moments.mean * moments.slope))
        curvature = units.spread * total.curvature + units.ridge_of(slice(None))
        curvature[units.factor == 0] = 0.0
        self._first = constant, gradient, _usable(gradient, curvature)
        # The search goes on with some fifty of these, which are read together.
        with np.errstate(divide="ignore", invalid="ignore"):
            score = np.nan_to_num(gradient**2 / self._first[2], nan=0.0, posinf=0.0)
        self._wanted.set_promising(score)

    def expect(self, columns: Columns) -> None:
        """Note which columns the next scan covers."""
        self._covers_all = len(columns) == self._points.source.n_features
        self._asked = columns

    def begin_scan(self, columns: Columns, coef: Vector) -> tuple[Matrix, Matrix | None, Vector | None, Vector]:
        """Begin a scan at a point; return the inverse of the Hessian there, and if a coefficient is held, the Hessian and the gradient."""
        points = self._points
        self._active = columns
        self._is_first = len(columns) == 0 and np.array_equal(coef, self._first[0])
        asked = None if self._covers_all else self._asked
        if self._is_first:
            total = points.total_at(columns, coef)
        elif asked is None:
            total = points.source.ask(
                Sums(points.loss, columns.tolist(), coef, *points.units_of(slice(None)), convex=True, asked=None)
            )
            points.keep(columns, coef, total, exact=False)
        else:
            read = np.union1d(columns, asked)
            active, places = np.searchsorted(read, columns).tolist(), np.searchsorted(read, asked).tolist()
            question = Sums(points.loss, active, coef, *points.units_of(read), convex=True, asked=places)
            total = points.source.ask(question, read)
        self._scanned = total
        self._places = {} if asked is None else {int(column): place for place, column in enumerate(asked)}
        _, gradient, hessian = points.derivatives(columns, coef, total)
        whole = hessian.copy()
        held = self._held(columns, coef, gradient)
        hessian[held], hessian[:, held] = 0.0, 0.0
        hessian[held, held] = 1.0
        inverse = _inverse(hessian)
        inverse[held, held] = 0.0
        if self._covers_all and not self._is_first:
            self._note_promising(columns, coef, inverse)
        diagonal = np.diag(hessian).copy()
        return (inverse, whole, gradient, diagonal) if len(held) else (inverse, None, None, diagonal)

    def _note_promising(self, columns: Columns, coef: Vector, inverse: Matrix) -> None:
        """Note the columns that the search may propose after a scan of all, so that they are read together.

        They have the largest predicted decreases of F when they take the place of a chosen column (``search/sacrifice_model.hpp``).
        """
        points = self._points
        every = np.arange(points.source.n_features)
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
        self._wanted.set_promising(best)

    def _held(self, columns: Columns, coef: Vector, gradient: Vector) -> NDArray[np.intp]:
        """Return the places of coefficients that their gradient presses against a bound."""
        points = self._points
        lower, upper = points.bounds_of(columns)
        if lower is None or upper is None:
            return np.empty(0, dtype=np.intp)
        return np.flatnonzero(((coef <= lower) & (gradient > 0)) | ((coef >= upper) & (gradient < 0)))

    def scan_panel(self, columns: Columns, starts: Columns | None) -> tuple[Vector, Vector, Matrix, None]:
        """Return gradient, curvature and cross terms of some columns of the scan."""
        points = self._points
        size = len(self._active)
        units = points.units
        assert units is not None
        if self._is_first:
            _, gradient, curvature = self._first
            cross = np.zeros((len(columns), int(points.has_intercept)), order="F")
            return gradient[columns], curvature[columns], cross, None
        places = columns if self._covers_all else [self._places[int(column)] for column in columns]
        sums = self._scanned.panel[places]
        gradient, curvature = sums[:, 0].copy(), sums[:, 2] + units.ridge_of(columns)
        curvature[units.factor[columns] == 0] = 0.0
        cross = np.empty((len(columns), size + points.has_intercept), order="F")
        cross[:, :size] = sums[:, 3:]
        if points.has_intercept:
            cross[:, size] = sums[:, 1]
        return gradient, _usable(gradient, curvature), cross, None


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

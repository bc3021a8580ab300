"""Scans of rows that come in blocks: gradient, curvature and cross terms of columns at a point."""

from __future__ import annotations

import numpy as np

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

    def begin_scan(self, columns: Columns, coef: Vector) -> tuple[Vector, Matrix]:
        """Begin a scan at a point; return the gradient and the Hessian there."""
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
        if self._covers_all and not self._is_first:
            self._note_promising(columns, coef, hessian)
        return gradient, hessian

    def _note_promising(self, columns: Columns, coef: Vector, hessian: Matrix) -> None:
        """Note the columns that the search may propose after a scan of all, so that they are read together.

        They have the largest predicted decreases of F when they take the place of a chosen column (``search/sacrifice_model.hpp``).
        """
        points = self._points
        every = np.arange(points.source.n_features)
        gradient, curvature, cross, _ = self.scan_panel(every, None)
        size = len(columns)
        inverse = np.linalg.pinv(hessian, hermitian=True)
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

"""Refits and scans for the search of the core, whose sums over rows come block by block from a source.

A source answers ``ask(question, columns)`` for all rows, see :class:`ksparse._blocks.local.BlocksInTurn`. The search, Newton's
method, tolerances and models are those of a fit in memory (``cpp/include/ksparse/glm``), so the answers are the same up to
rounding.
"""

from __future__ import annotations

from typing import Any

from .. import _core
from .points import Columns, Matrix, Points, Vector
from .refits import Answer, Refits
from .scans import Scans
from .wanted import WantedColumns

__all__ = ["BlockAnswers"]


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
        self._points = Points(source, loss, options)
        self._wanted = WantedColumns(source)
        self._refits = Refits(self._points, self._wanted, options)
        self._scans = Scans(self._points, self._wanted, self._refits.constant[0], options)
        self.has_intercept = self._points.has_intercept
        self.model_accuracy = self._points.core.model_accuracy
        self.perfect_objective = self._refits.perfect_objective

    def expect(self, columns: Columns, scanned: bool) -> None:
        """Note which columns the next refits may add, or the next scan covers."""
        if scanned:
            self._scans.expect(columns)
        else:
            self._wanted.likely = columns

    def refit(self, columns: Columns, coef: Vector, bar: float, exact: bool, rough: bool) -> Answer:
        """Minimise over the coefficients of some columns."""
        return self._refits.refit(columns, coef, bar, exact, rough)

    def begin_scan(self, columns: Columns, coef: Vector) -> tuple[Vector, Matrix]:
        """Begin a scan at a point; return the gradient and the Hessian there."""
        return self._scans.begin_scan(columns, coef)

    def scan_panel(self, columns: Columns, starts: Columns | None) -> tuple[Vector, Vector, Matrix, None]:
        """Return gradient, curvature and cross terms of some columns of the scan."""
        return self._scans.scan_panel(columns, starts)

    def to_user(self, answer: _core.FitAnswer, options: _core.Options) -> dict[str, Any]:
        """Return coefficients, intercept, support and objective in the user's units."""
        return self._points.to_user(answer, options)

"""Answers to the search's questions, *refit this support* and *scan at this point*, for an objective known by its derivatives.

The questions come from the core (``python/bindings/bind_objective.hpp``), as methods of these names.
"""

from __future__ import annotations

from ._derivatives import Columns, Matrix, Vector
from ._refit import Refit, Refits
from ._scaled import ScaledObjective
from ._scan import Scans

__all__ = ["Answers"]


class Answers:
    """What the core's search for any objective asks.

    Parameters
    ----------
    objective : ScaledObjective
        The objective as the search sees it.
    init_params : ndarray of shape (p,) or None
        Coefficients from which refits of columns without any begin as well.
    stride : int
        Columns of the largest group.
    """

    def __init__(self, objective: ScaledObjective, init_params: Vector | None = None, *, stride: int = 1):
        self.objective = objective
        self.refits = Refits(objective, init_params)
        self._scans = Scans(objective, stride)

    def refit(self, columns: Columns, coef: Vector, bar: float, exact: bool, rough: bool) -> Refit:
        """Minimise over the coefficients of some columns."""
        return self.refits.refit(columns, coef, bar, exact, rough)

    def begin_scan(self, columns: Columns, coef: Vector) -> tuple[Matrix, Matrix | None, Vector | None]:
        """Return the inverse of the Hessian on the active columns, and if one is held at a bound, Hessian and gradient."""
        return self._scans.begin(columns, coef)

    def scan_panel(self, columns: Columns, starts: Columns | None) -> tuple[Vector, Vector, Matrix, Matrix | None]:
        """Return gradient, curvature and cross curvature of some columns where the scan stands."""
        return self._scans.panel(columns, starts)

"""The methods by which the search refits a support and scans at a point, for an objective with known derivatives.

The core calls them by their names (``python/bindings/bind_objective.hpp``).
"""

from __future__ import annotations

from ._derivatives import Columns, Matrix, Vector
from ._numeric_solver import NumericSolver
from ._refit import Refit, Refits
from ._scaled import ScaledObjective
from ._scan import Scans

__all__ = ["Answers"]


class Answers:
    """The object whose methods the search of the core calls.

    Parameters
    ----------
    objective : ScaledObjective
        The scaled objective.
    init_params : ndarray of shape (p,) or None
        Coefficients from which refits also start if their columns have none yet.
    stride : int
        Number of columns in the largest group.
    numeric_solver : NumericSolver or None
        The user's own method for refits.
    """

    def __init__(
        self,
        objective: ScaledObjective,
        init_params: Vector | None = None,
        *,
        stride: int = 1,
        numeric_solver: NumericSolver | None = None,
    ):
        self.objective = objective
        self.refits = Refits(objective, init_params, numeric_solver=numeric_solver)
        self._scans = Scans(objective, stride)

    def refit(self, columns: Columns, coef: Vector, bar: float, exact: bool, rough: bool) -> Refit:
        """Minimise over the coefficients of some columns."""
        return self.refits.refit(columns, coef, bar, exact, rough)

    def begin_scan(self, columns: Columns, coef: Vector) -> tuple[Vector, Matrix]:
        """Return the gradient and the Hessian on the active columns."""
        return self._scans.begin(columns, coef)

    def scan_panel(self, columns: Columns, starts: Columns | None) -> tuple[Vector, Vector, Matrix, Matrix | None]:
        """Return gradient, curvature and cross curvature of some columns at the point of the scan."""
        return self._scans.panel(columns, starts)

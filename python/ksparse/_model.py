"""The attributes of a fitted model that summaries, exports and displays read.

:class:`ksparse.FitResult` has them all. This protocol lets the modules that read a model stand below the module that defines it.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .losses import Loss

__all__ = ["Model"]


class Model(Protocol):
    """A fitted model, as a :class:`ksparse.FitResult` is one."""

    @property
    def coef(self) -> NDArray[np.float64]:
        """Coefficients by feature, zero outside the support."""

    @property
    def intercept(self) -> float:
        """The intercept."""

    @property
    def support(self) -> NDArray[np.int64]:
        """The chosen features, sorted."""

    @property
    def objective(self) -> float:
        """F at these coefficients."""

    @property
    def status(self) -> str:
        """How the fit ended."""

    @property
    def advice(self) -> str:
        """What to do about a fit that did not converge."""

    @property
    def converged(self) -> bool:
        """Whether the fit ended at a minimum."""

    @property
    def n_newton(self) -> int:
        """Newton iterations."""

    @property
    def k(self) -> int:
        """The most features, or groups, that were allowed."""

    @property
    def loss(self) -> str:
        """Name of the loss."""

    @property
    def alpha(self) -> float:
        """Weight of the positive class in the focal loss."""

    @property
    def gamma(self) -> float:
        """Exponent of the focal loss."""

    @property
    def ridge(self) -> float:
        """Weight of the ridge penalty."""

    @property
    def feature_names(self) -> NDArray[np.object_] | None:
        """Names of the columns of X."""

    @property
    def groups(self) -> NDArray[Any] | None:
        """Labels of the chosen groups."""

    def _standard_deviations(self) -> NDArray[np.float64] | None: ...
    @property
    def _loss(self) -> Loss: ...
    @property
    def _caution(self) -> str: ...
    @property
    def _penalty(self) -> float: ...

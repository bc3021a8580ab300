"""Losses that are straight lines with a kink: absolute error, quantile loss and hinge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NoReturn

import numpy as np

from .._checks import check_real
from ._base import Loss, Vector

__all__ = ["Absolute", "Hinge", "Kinked", "Quantile"]


@dataclass
class Kinked(Loss):
    """Base class of the losses max(h r, l r) of a residual r = t - eta, where the slopes h and l and the target t depend on y."""

    _smooth: ClassVar[str] = ""  # a similar loss without a kink

    def _lines(self, y: Vector) -> tuple[Vector, Vector, Vector]:
        """Return the target t, the slope h >= 0 for positive residuals, and the slope l <= 0 for negative ones, of each row."""
        raise NotImplementedError

    def _check(self) -> None:
        for name, value in self.get_params().items():
            self._check_parameter(name, value)

    def _terms(self, eta: Vector, responses: Vector) -> tuple[Vector, Vector, Vector]:
        """Return the loss and its derivatives, which at the kink are those of the horizontal line."""
        self._check()
        target, high, low = self._lines(np.asarray(responses, dtype=np.float64))
        residual = target - eta
        slope = np.where(residual > 0, high, np.where(residual < 0, low, 0.0))
        return slope * residual, -slope, np.zeros_like(residual)

    def _kernel(self) -> NoReturn:
        raise ValueError(
            f"loss is {self.name!r}, which has a kink; it is accepted only by ksparse.fit, KSparseRegressor and KSparseClassifier "
            f"(two classes) with an integer k, and not by this function or method; use {self._smooth!r} here"
        )


@dataclass
class Absolute(Kinked):
    r"""Absolute error, :math:`|\eta - y|` (least absolute deviations)."""

    name: ClassVar[str] = "absolute"
    responses: ClassVar[str] = "finite"
    _smooth: ClassVar[str] = "huber"

    def _lines(self, y: Vector) -> tuple[Vector, Vector, Vector]:
        return y, np.ones_like(y), -np.ones_like(y)


@dataclass
class Quantile(Kinked):
    r"""Quantile loss [1]_: with :math:`r = y - \eta`, it is :math:`\tau r` for r >= 0 and :math:`(\tau - 1) r` for r < 0.

    The linear predictor estimates the quantile of y at the level :math:`\tau`. With :math:`\tau = 1/2`, it is half the absolute error.

    Parameters
    ----------
    tau : float, default=0.5
        The level of the quantile, in (0, 1).

    References
    ----------
    .. [1] Koenker, Bassett, "Regression quantiles", Econometrica 1978.
    """

    name: ClassVar[str] = "quantile"
    responses: ClassVar[str] = "finite"
    _smooth: ClassVar[str] = "huber"
    tau: float = 0.5

    def _check_parameter(self, name: str, value: object) -> float:
        return check_real(value, f"{self.name}: {name}", "in (0, 1)", 0.0, 1.0, open_low=True)

    def _lines(self, y: Vector) -> tuple[Vector, Vector, Vector]:
        return y, np.full_like(y, self.tau), np.full_like(y, self.tau - 1.0)


@dataclass
class Hinge(Kinked):
    r"""Hinge [1]_, :math:`\max(1 - m, 0)`, the loss of support vector machines. It does not define probabilities.

    References
    ----------
    .. [1] Cortes, Vapnik, "Support-vector networks", Machine Learning 1995.
    """

    name: ClassVar[str] = "hinge"
    _smooth: ClassVar[str] = "huberised_hinge"

    def _lines(self, y: Vector) -> tuple[Vector, Vector, Vector]:
        sign = 2.0 * y - 1.0  # max(1 - sign eta, 0) = max(sign (sign - eta), 0)
        return sign, np.maximum(sign, 0.0), np.minimum(sign, 0.0)

"""Classification losses, for two classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .. import _core
from .._checks import check_focal, check_real
from .._quiet import quiet
from ._base import Loss, Vector

__all__ = ["AsymmetricFocal", "Cloglog", "Exponential", "Focal", "HuberisedHinge", "Logistic", "Probit", "SquaredHinge"]


@dataclass
class Logistic(Loss):
    r"""Logistic loss, :math:`\log(1 + e^{-m})` with the margin :math:`m = (2y - 1)\eta`."""

    name: ClassVar[str] = "logistic"
    is_likelihood: ClassVar[bool] = True

    @property
    def _focusing(self) -> float:
        return 0.0

    @property
    def is_log_odds(self) -> bool:
        """True."""
        return True

    def log_odds(self, eta: Vector) -> Vector:
        """Return the linear predictor."""
        return eta


@dataclass
class Focal(Loss):
    r"""Focal loss, :math:`a\,\sigma(-m)^\gamma\log(1 + e^{-m})` with :math:`a = \alpha` for y = 1 and :math:`1 - \alpha` for y = 0 [1]_.

    Parameters
    ----------
    alpha : float, default=0.5
        Weight of the positive class, in (0, 1).
    gamma : float, default=2.0
        Focusing exponent, >= 0.

    References
    ----------
    .. [1] Lin, Goyal, Girshick, He, Dollár, "Focal loss for dense object detection", ICCV 2017, equation 5.
    """

    name: ClassVar[str] = "focal"
    focuses: ClassVar[bool] = True
    alpha: float = 0.5
    gamma: float = 2.0

    @property
    def is_log_odds(self) -> bool:
        """Whether gamma is 0."""
        return self.gamma == 0.0

    def log_odds(self, eta: Vector) -> Vector:
        """Return the log-odds of the weighted classes, which follow from the stationarity of the expected loss."""
        from .._probability import log_odds

        return log_odds(eta, self.gamma)

    def deviance(self, mean_loss: Any, n_rows: float) -> Any:
        """Return -2 log-likelihood if gamma = 0, where the loss is half of the logistic loss."""
        return 4.0 * n_rows * mean_loss if self.gamma == 0.0 else None

    _by_problem: ClassVar[tuple[str, ...]] = ("alpha", "gamma")

    @property
    def _described(self) -> str:
        return f"the focal loss with gamma={self.gamma:g}"

    @property
    def _focusing(self) -> float:
        return self.gamma

    @property
    def _focal_parameters(self) -> dict[str, float]:
        return {"alpha": self.alpha, "gamma": self.gamma}

    def _with_focal_parameters(self, alpha: Any, gamma: Any) -> Focal:
        return Focal(alpha, gamma)

    def _kernel(self) -> _core.Loss:
        return _core.loss_by_name(self.name, list(check_focal(self.alpha, self.gamma)))


@dataclass
class AsymmetricFocal(Loss):
    r"""Focal loss with a separate exponent for each class, :math:`\sigma(-m)^{\gamma}\log(1 + e^{-m})` [1]_.

    The probability shift of [1]_ is not included: its kink has no second derivative, and rows beyond it have no influence. The
    loss is not convex.

    Parameters
    ----------
    gamma_positive : float, default=0.0
        Focusing exponent of rows with y = 1, >= 0.
    gamma_negative : float, default=4.0
        Focusing exponent of rows with y = 0, >= 0.

    References
    ----------
    .. [1] Ridnik, Ben-Baruch, Zamir, Noy, Friedman, Protter, Zelnik-Manor, "Asymmetric loss for multi-label classification", ICCV 2021,
       equation 5.
    """

    name: ClassVar[str] = "asymmetric_focal"
    focuses: ClassVar[bool] = True
    gamma_positive: float = 0.0
    gamma_negative: float = 4.0

    @property
    def is_log_odds(self) -> bool:
        """Whether both exponents are 0."""
        return self.gamma_positive == 0.0 and self.gamma_negative == 0.0

    def log_odds(self, eta: Vector) -> Vector:
        """Return the log-odds for which the linear predictor minimises the expected loss."""
        from .._probability import log_odds

        return log_odds(eta, self.gamma_positive, self.gamma_negative)

    @quiet
    def decision_threshold(self) -> float:
        """Return the zero of the log-odds, which increase with the linear predictor."""
        from scipy.optimize import brentq

        def log_odds(eta: float) -> float:
            # brentq multiplies values, which may be infinite far from the zero if an exponent is close to the largest double.
            return float(np.clip(self.log_odds(np.array([eta]))[0], -1e100, 1e100))

        # Beyond log(gamma), the loss of a class is almost the same as without focusing.
        low, high = (50.0 + np.log1p(gamma) for gamma in (self.gamma_positive, self.gamma_negative))
        return float(brentq(log_odds, -low, high, xtol=1e-14))

    def _check_parameter(self, name: str, value: Any) -> float:
        return check_real(value, f"{self.name}: {name}", "finite and >= 0", 0.0)


@dataclass
class SquaredHinge(Loss):
    r"""Squared hinge, :math:`\tfrac{1}{2}\max(1 - m, 0)^2`, the loss of linear support vector machines. It does not define probabilities."""

    name: ClassVar[str] = "squared_hinge"


@dataclass
class HuberisedHinge(Loss):
    r"""Huberised hinge [1]_: with :math:`u = 1 - m`, it is 0 for u <= 0, :math:`u^2/(2d)` up to d, and :math:`u - d/2` beyond.

    It does not define probabilities.

    Parameters
    ----------
    width : float, default=0.5
        The width d, > 0. As it tends to 0, the loss tends to the hinge.

    References
    ----------
    .. [1] Rosset, Zhu, "Piecewise linear regularized solution paths", Annals of Statistics 2007, section 4.
    """

    name: ClassVar[str] = "huberised_hinge"
    width: float = 0.5


@dataclass
class Probit(Loss):
    r"""Probit loss, :math:`-\log\Phi(m)`, which is minus the log-likelihood of :math:`P(y = 1) = \Phi(\eta)`."""

    name: ClassVar[str] = "probit"
    is_likelihood: ClassVar[bool] = True

    @quiet
    def log_odds(self, eta: Vector) -> Vector:
        """Return log(Phi(eta) / Phi(-eta))."""
        from scipy.special import log_ndtr

        return np.asarray(log_ndtr(eta) - log_ndtr(-eta))


@dataclass
class Cloglog(Loss):
    r"""Complementary log-log loss, minus the log-likelihood of :math:`P(y = 1) = 1 - \exp(-e^\eta)`. It is not symmetric in the labels."""

    name: ClassVar[str] = "cloglog"
    is_likelihood: ClassVar[bool] = True

    @quiet
    def log_odds(self, eta: Vector) -> Vector:
        """Return log(exp(exp(eta)) - 1)."""
        u = np.exp(np.minimum(eta, 700.0))
        # log(expm1(u)) = eta + u/2 + ... for small u, where expm1 would underflow.
        return np.where(u < 1e-9, eta + u / 2, u + np.log(-np.expm1(-np.maximum(u, 1e-9))))

    def decision_threshold(self) -> float:
        """Return log(log 2)."""
        return float(np.log(np.log(2.0)))


@dataclass
class Exponential(Loss):
    r"""Exponential loss, :math:`e^{-m}`, as in AdaBoost. Its minimiser is half the log-odds, so P = :math:`\sigma(2\eta)`."""

    name: ClassVar[str] = "exponential"

    @quiet
    def log_odds(self, eta: Vector) -> Vector:
        """Return twice the linear predictor."""
        return 2.0 * eta

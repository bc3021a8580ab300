"""Regression losses: squared error, Huber's loss, and half the deviances of models with a log link."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .._checks import check_real
from .._quiet import quiet
from ._base import Loss, Vector

__all__ = ["Gamma", "Huber", "NegativeBinomial", "Poisson", "Squared", "Tweedie"]


@dataclass
class Squared(Loss):
    r"""Half the squared error, :math:`\tfrac{1}{2}(\eta - y)^2`."""

    name: ClassVar[str] = "squared"
    responses: ClassVar[str] = "finite"

    @quiet
    def deviance(self, mean_loss: Any, n_rows: float) -> Any:
        """Return -2 log-likelihood for normal errors whose variance is estimated."""
        return n_rows * np.log(2.0 * np.asarray(mean_loss))


@dataclass
class Huber(Loss):
    r"""Huber's loss [1]_: with :math:`r = \eta - y`, it is :math:`\tfrac{1}{2} r^2` up to a threshold t, and :math:`t|r| - \tfrac{1}{2} t^2` beyond.

    Parameters
    ----------
    threshold : float, default=1.35
        The threshold t, > 0, in the units of y.

    References
    ----------
    .. [1] Huber, "Robust estimation of a location parameter", Annals of Mathematical Statistics 1964.
    """

    name: ClassVar[str] = "huber"
    responses: ClassVar[str] = "finite"
    threshold: float = 1.35


class _LogLink:
    """A loss for which the linear predictor is the logarithm of the mean."""

    @property
    def has_log_link(self) -> bool:
        """True."""
        return True

    @quiet
    def mean(self, eta: Vector) -> Vector:
        """Return exp(eta)."""
        return np.exp(eta)


@dataclass
class Poisson(_LogLink, Loss):
    r"""Half the Poisson deviance with a log link, :math:`y\log(y/\mu) - (y - \mu)` with :math:`\mu = e^\eta`. It needs y >= 0."""

    name: ClassVar[str] = "poisson"
    is_likelihood: ClassVar[bool] = True
    _dispersion_is_known: ClassVar[bool] = True
    responses: ClassVar[str] = "not_negative"


@dataclass
class Gamma(_LogLink, Loss):
    r"""Half the gamma deviance with a log link, :math:`y/\mu - 1 - \log(y/\mu)` with :math:`\mu = e^\eta`. It needs y > 0."""

    name: ClassVar[str] = "gamma"
    responses: ClassVar[str] = "positive"


@dataclass
class Tweedie(_LogLink, Loss):
    r"""Half the Tweedie deviance with a log link, for a variance of :math:`\mu^{power}`. It needs y >= 0.

    Parameters
    ----------
    power : float, default=1.5
        Power of the variance, in (1, 2), between Poisson (1) and gamma (2).
    """

    name: ClassVar[str] = "tweedie"
    responses: ClassVar[str] = "not_negative"
    power: float = 1.5

    def _check_parameter(self, name: str, value: Any) -> float:
        return check_real(value, f"{self.name}: {name}", "in (1, 2)", 1.0, 2.0, open_low=True)


@dataclass
class NegativeBinomial(_LogLink, Loss):
    r"""Half the negative binomial deviance with a log link, for a variance of :math:`\mu + a\mu^2`. It needs y >= 0.

    Parameters
    ----------
    dispersion : float, default=1.0
        The dispersion a, > 0, which is not estimated. As it tends to 0, the loss tends to Poisson.
    """

    name: ClassVar[str] = "negative_binomial"
    is_likelihood: ClassVar[bool] = True
    _dispersion_is_known: ClassVar[bool] = True
    responses: ClassVar[str] = "not_negative"
    dispersion: float = 1.0

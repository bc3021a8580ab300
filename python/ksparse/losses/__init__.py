r"""Losses, as objects with their parameters.

Every function and estimator takes a loss by its name or as an object of this module: ``loss="huber"`` is
``loss=ksparse.losses.Huber()``, and ``loss=ksparse.losses.Huber(threshold=2)`` has another threshold. The logistic and the focal loss
have names only in most uses: ``alpha`` and ``gamma`` of the focal loss are keywords of their own.

Objects follow scikit-learn's conventions for parameters, as its kernels of Gaussian processes do: ``get_params`` and ``set_params``, so that
``clone`` copies them and a search sets ``loss__threshold``. They are compared by value.

All losses are at least 0. Those of regression with a log link are half the unit deviance, which is 0 where the mean is the response.
"""

from __future__ import annotations

from ._base import Loss
from ._classification import AsymmetricFocal, Cloglog, Exponential, Focal, HuberisedHinge, Logistic, Probit, SquaredHinge
from ._compiled import Compiled
from ._regression import Gamma, Huber, NegativeBinomial, Poisson, Squared, Tweedie

__all__ = [
    "AsymmetricFocal",
    "Cloglog",
    "Compiled",
    "Exponential",
    "Focal",
    "Gamma",
    "Huber",
    "HuberisedHinge",
    "Logistic",
    "Loss",
    "NegativeBinomial",
    "Poisson",
    "Probit",
    "Squared",
    "SquaredHinge",
    "Tweedie",
]

BY_NAME: dict[str, type[Loss]] = {
    loss.name: loss
    for loss in (
        Logistic,
        Focal,
        AsymmetricFocal,
        SquaredHinge,
        HuberisedHinge,
        Probit,
        Cloglog,
        Exponential,
        Squared,
        Huber,
        Poisson,
        Gamma,
        Tweedie,
        NegativeBinomial,
    )
}
CLASSIFICATION = tuple(name for name, loss in BY_NAME.items() if loss.responses == "binary")
REGRESSION = tuple(name for name, loss in BY_NAME.items() if loss.responses != "binary")

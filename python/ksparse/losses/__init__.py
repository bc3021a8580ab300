r"""Loss functions as objects that hold their parameters.

Every function and estimator accepts a loss by its name or as an object of this module: ``loss="huber"`` means
``loss=ksparse.losses.Huber()``, and ``loss=ksparse.losses.Huber(threshold=2)`` sets another threshold. For the focal loss given by its
name, the parameters ``alpha`` and ``gamma`` are arguments of the functions and estimators.

The objects follow scikit-learn's conventions for parameters, like the kernels of its Gaussian processes: they have ``get_params`` and
``set_params``, so ``clone`` copies them and a search can set ``loss__threshold``. They are compared by value.

``absolute``, ``quantile`` and ``hinge`` have a kink. Only :func:`ksparse.fit`, :class:`ksparse.KSparseRegressor` and
:class:`ksparse.KSparseClassifier` (two classes) accept them, with an integer k.

All losses are at least 0. Regression losses with a log link are half the unit deviance, which is 0 if the mean equals the response.
"""

from __future__ import annotations

from ._base import Loss
from ._classification import AsymmetricFocal, Cloglog, Exponential, Focal, HuberisedHinge, Logistic, Probit, SquaredHinge
from ._compiled import Compiled
from ._kinked import Absolute, Hinge, Kinked, Quantile
from ._regression import Gamma, Huber, NegativeBinomial, Poisson, Squared, Tweedie

__all__ = [
    "Absolute",
    "AsymmetricFocal",
    "Cloglog",
    "Compiled",
    "Exponential",
    "Focal",
    "Gamma",
    "Hinge",
    "Huber",
    "HuberisedHinge",
    "Logistic",
    "Loss",
    "NegativeBinomial",
    "Poisson",
    "Probit",
    "Quantile",
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
# Losses with a kink, which only fits of a single problem accept.
KINKED: dict[str, type[Kinked]] = {loss.name: loss for loss in (Absolute, Quantile, Hinge)}
CLASSIFICATION = tuple(name for name, loss in BY_NAME.items() if loss.responses == "binary")
REGRESSION = tuple(name for name, loss in BY_NAME.items() if loss.responses != "binary")

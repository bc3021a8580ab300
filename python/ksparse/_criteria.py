r"""Information criteria: how much likelihood a feature must bring to be worth its place.

With the log-likelihood :math:`\log L = -\sum_i w_i\,\ell(m_i)` at the fit, :math:`n = \sum_i w_i` (so that a weight of 2
counts as two rows), s chosen features (or groups of them) of all p, and d coefficients, the intercept included:

======  =================================================================  ==========================
name    value, to be minimised                                             source
======  =================================================================  ==========================
aic     :math:`-2\log L + 2 d`                                             Akaike 1974
bic     :math:`-2\log L + d\log n`                                         Schwarz 1978
ebic    :math:`-2\log L + d\log n + 2\log\binom{p}{s}`                     Chen & Chen 2008, gamma = 1
gic     :math:`-2\log L + s\,\log p\,\log\log n`                           Fan & Tang 2013
======  =================================================================  ==========================

They need a likelihood. The logistic loss is one; so is the focal loss with ``gamma=0``, with the weights ``2 alpha`` and
``2 (1 - alpha)`` of the classes. The focal loss with ``gamma > 0`` is none: choose k by cross-validation there.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["CRITERIA", "check_criterion", "has_likelihood", "information_criterion"]

CRITERIA = ("aic", "bic", "ebic", "gic")


def has_likelihood(loss: str, gamma: float) -> bool:
    """Whether information criteria mean anything for a loss."""
    return loss == "logistic" or gamma == 0.0


def check_criterion(criterion: object, loss: str, gamma: float, name: str = "criterion") -> str:
    """Return the name of a known criterion that is meaningful for the loss, else raise ValueError."""
    if not isinstance(criterion, str) or criterion not in CRITERIA:
        raise ValueError(f"{name} is {criterion!r}; it must be one of {', '.join(map(repr, CRITERIA))}")
    if not has_likelihood(loss, gamma):
        raise ValueError(
            f"criterion {criterion!r} needs a likelihood, which the focal loss with gamma={gamma} is not; "
            "choose k by cross-validation (KSparseClassifierCV), or use loss='logistic'"
        )
    return criterion


def information_criterion(
    name: str, mean_loss: ArrayLike, n_free: ArrayLike, n_chosen: ArrayLike, n_rows: float, n_units: int
) -> NDArray[np.float64]:
    """Criterion of fits, from their average logistic loss (without the ridge penalty); see the table of this module.

    Parameters
    ----------
    name : {"aic", "bic", "ebic", "gic"}
        Criterion.
    mean_loss : array-like of float
        Average loss of each fit.
    n_free : array-like of int
        Coefficients of each, the intercept included.
    n_chosen : array-like of int
        Features, or groups, chosen by each.
    n_rows : float
        Sum of the weights of the rows.
    n_units : int
        Features, or groups, to choose from, all of them: also those that a search left out early.

    Returns
    -------
    ndarray of float
        One value per fit; the smaller the better.
    """
    chosen = np.asarray(n_chosen, dtype=np.float64)
    deviance = 2.0 * n_rows * np.asarray(mean_loss, dtype=np.float64)
    free = np.asarray(n_free, dtype=np.float64)
    if name == "aic":
        return deviance + 2.0 * free
    if name == "bic":
        return deviance + free * math.log(n_rows)
    if name == "ebic":
        supports = [math.lgamma(n_units + 1) - math.lgamma(s + 1) - math.lgamma(n_units - s + 1) for s in chosen.flat]
        return deviance + free * math.log(n_rows) + 2.0 * np.reshape(supports, chosen.shape)
    # log log n is negative below e: no fewer than three rows count.
    return deviance + chosen * math.log(n_units) * math.log(math.log(max(n_rows, 3.0)))

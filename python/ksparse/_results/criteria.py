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

They need a likelihood. The logistic, probit and complementary log-log losses are one; so is the focal loss with ``gamma=0``, with the
weights ``2 alpha`` and ``2 (1 - alpha)`` of the classes. Of Poisson and the negative binomial -2 log L is the deviance but for a
constant, and of squared error it is n log of the mean squared error, for normal errors of a variance that is estimated. Other losses
are none: choose k by cross-validation there.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..losses import Loss

__all__ = ["CRITERIA", "check_criterion", "has_likelihood", "information_criterion"]

CRITERIA = ("aic", "bic", "ebic", "gic")


def has_likelihood(loss: Loss) -> bool:
    """Whether information criteria mean anything for a loss."""
    return loss.deviance(1.0, 1.0) is not None


def check_criterion(criterion: object, loss: Loss, name: str = "criterion") -> str:
    """Return the name of a known criterion that is meaningful for the loss, else raise ValueError."""
    if not isinstance(criterion, str) or criterion not in CRITERIA:
        raise ValueError(f"{name} is {criterion!r}; it must be one of {', '.join(map(repr, CRITERIA))}")
    if not has_likelihood(loss):
        cv, other = ("KSparseClassifierCV", "logistic") if loss.is_classification else ("KSparseRegressorCV", "squared")
        raise ValueError(
            f"criterion {criterion!r} needs a likelihood, which {loss._described} is not; choose k by cross-validation ({cv}), or use loss={other!r}"
        )
    return criterion


def information_criterion(
    name: str, minus_two_log_likelihood: ArrayLike, n_free: ArrayLike, n_chosen: ArrayLike, n_rows: float, n_units: int
) -> NDArray[np.float64]:
    """Criterion of fits, from -2 log-likelihood (without the ridge penalty); see the table of this module.

    Parameters
    ----------
    name : {"aic", "bic", "ebic", "gic"}
        Criterion.
    minus_two_log_likelihood : array-like of float
        Of each fit, but for a constant that all share.
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
    deviance = np.asarray(minus_two_log_likelihood, dtype=np.float64)
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

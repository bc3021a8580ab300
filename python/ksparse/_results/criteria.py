r"""Information criteria, which compare the increase of the likelihood with the number of features.

With the log-likelihood :math:`\log L = -\sum_i w_i\,\ell(m_i)` at the fit, :math:`n = \sum_i w_i` (so that a weight of 2
counts as two rows), s chosen features (or groups of them) of all p, and d coefficients, the intercept included:

======  =================================================================  ==========================
name    value to be minimised                                              source
======  =================================================================  ==========================
aic     :math:`-2\log L + 2 d`                                             Akaike 1974
bic     :math:`-2\log L + d\log n`                                         Schwarz 1978
ebic    :math:`-2\log L + d\log n + 2\log\binom{p}{s}`                     Chen & Chen 2008, gamma = 1
gic     :math:`-2\log L + s\,\log p\,\log\log n`                           Fan & Tang 2013
======  =================================================================  ==========================

The criteria need a likelihood. The logistic, probit and complementary log-log losses are likelihoods. So is the focal loss with
``gamma=0``, with the class weights ``2 alpha`` and ``2 (1 - alpha)``. For the Poisson and negative binomial losses, -2 log L is
the deviance up to a constant. For the squared error it is n times the logarithm of the mean squared error, assuming normal
errors whose variance is estimated. For other losses, choose k by cross-validation instead.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..losses import Loss

__all__ = ["CRITERIA", "Criterion", "check_criterion", "has_likelihood", "information_criterion"]

Criterion = Literal["aic", "bic", "ebic", "gic"]
CRITERIA = ("aic", "bic", "ebic", "gic")


def has_likelihood(loss: Loss) -> bool:
    """Return whether a loss is a likelihood, so that information criteria are defined."""
    return loss.deviance(1.0, 1.0) is not None


def check_criterion(criterion: object, loss: Loss, name: str = "criterion") -> str:
    """Return the name of a criterion, or raise ValueError if it is unknown or not defined for the loss."""
    if not isinstance(criterion, str) or criterion not in CRITERIA:
        numbers = {"k": ", or an integer", "ks": ", or a list of integers"}.get(name, "")
        raise ValueError(f"{name} is {criterion!r}; it must be one of {', '.join(map(repr, CRITERIA))}{numbers}")
    if not has_likelihood(loss):
        cv, other = ("KSparseClassifierCV", "logistic") if loss.is_classification else ("KSparseRegressorCV", "squared")
        raise ValueError(
            f"criterion {criterion!r} needs a likelihood, which {loss._described} is not; choose k by cross-validation ({cv}), or use loss={other!r}"
        )
    return criterion


def information_criterion(
    name: str, minus_two_log_likelihood: ArrayLike, n_free: ArrayLike, n_chosen: ArrayLike, n_rows: float, n_units: int
) -> NDArray[np.float64]:
    """Compute a criterion from -2 log-likelihood (without the ridge penalty); see the table of this module.

    Parameters
    ----------
    name : {"aic", "bic", "ebic", "gic"}
        Name of the criterion.
    minus_two_log_likelihood : array-like of float
        -2 log-likelihood of each fit, up to a constant that is the same for all fits.
    n_free : array-like of int
        Number of coefficients of each fit, including the intercept.
    n_chosen : array-like of int
        Number of features, or groups, that each fit chose.
    n_rows : float
        Sum of the weights of the rows.
    n_units : int
        Number of all features, or groups, to choose from, including those that a search excluded early.

    Returns
    -------
    ndarray of float
        The criterion of each fit; smaller is better.
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
    # log log n is negative for n < e, so at least three rows are assumed.
    return deviance + chosen * math.log(n_units) * math.log(math.log(max(n_rows, 3.0)))

"""Probabilities from linear predictors, in particular of the focal loss."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit, logsumexp

from ._quiet import quiet

__all__ = ["log_odds", "one_vs_rest_log_probability", "probability", "probability_of"]


def _log_negative_slope(m: NDArray[np.float64], gamma: float | NDArray[np.float64]) -> NDArray[np.float64]:
    # log of -l'(m) = q^gamma (gamma p sp + q) = q^(gamma + 1) (1 + gamma p sp / q), with sp = -log p.
    p, q = expit(m), expit(-m)
    # sp / q -> 1 as q -> 0, where both underflow in the end: sp = q + q^2/2 + ...
    ratio = np.where(q < 1e-9, 1 + q / 2, -log_expit(m) / np.maximum(q, 1e-9))
    return (gamma + 1) * log_expit(-m) + np.log1p(gamma * p * ratio)


@quiet
def log_odds(
    eta: NDArray[np.float64], gamma: float | NDArray[np.float64], gamma_negative: float | None = None
) -> NDArray[np.float64]:
    r"""Return the log-odds :math:`\log(P / (1 - P))` for which the linear predictor minimises the expected focal loss.

    The expected loss at a point, :math:`\pi\,\ell_1(\eta) + (1-\pi)\,\ell_0(-\eta)`, is stationary if
    :math:`\pi / (1-\pi) = \ell_0'(-\eta) / \ell_1'(\eta)`, which is the closed form of [1]_. The sigmoid of the linear
    predictor itself is always closer to 1/2; both agree for gamma = 0. ``gamma`` may have an entry for each column of ``eta``,
    and ``gamma_negative`` is the exponent of negative rows if it differs. Infinite linear predictors, which belong to a class
    that is always or never present, do not change.

    References
    ----------
    .. [1] Charoenphakdee, Vongkulbhisal, Chairatanakul, Sugiyama, "On focal loss for class-posterior probability
       estimation: a theoretical perspective", CVPR 2021, theorem 11.
    """
    other = gamma if gamma_negative is None else gamma_negative
    unfocused = (np.asarray(gamma) == 0) & (np.asarray(other) == 0)
    if np.all(unfocused):
        return eta
    finite = np.where(np.isinf(eta), 0.0, eta)
    closed = _log_negative_slope(-finite, other) - _log_negative_slope(finite, gamma)
    return np.where(np.isinf(eta) | unfocused, eta, closed)


@quiet
def probability_of(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probability of class 1 for given log-odds."""
    return np.asarray(expit(log_odds))


def probability(eta: NDArray[np.float64], gamma: float | NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probability of class 1, computed with :func:`log_odds`."""
    return probability_of(log_odds(eta, gamma))


@quiet
def one_vs_rest_log_probability(log_odds_of_classes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the logarithms of the one-vs-rest probabilities of all classes, divided by their sum.

    The sum is computed with logarithms, so that rows in which all probabilities underflow sum to one as well. If all classes
    are impossible (-inf in each column), they are equally likely.
    """
    each = log_expit(log_odds_of_classes)
    total = logsumexp(each, axis=1, keepdims=True)
    known = np.isfinite(total)
    return np.where(known, each - np.where(known, total, 0.0), -np.log(each.shape[1]))

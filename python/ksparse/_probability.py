"""From margins to probabilities: what a score of the focal loss says of P(y = 1 | x)."""

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
    r"""Logarithm of P / (1 - P) that makes the linear predictor stationary for the focal loss.

    The expected loss at a point, :math:`\pi\,\ell_1(\eta) + (1-\pi)\,\ell_0(-\eta)`, is stationary where
    :math:`\pi / (1-\pi) = \ell_0'(-\eta) / \ell_1'(\eta)`, which is the closed form of [1]_. The sigmoid of the linear
    predictor itself is under-confident: always nearer to 1/2. With gamma = 0 the two agree. ``gamma`` may have an entry per
    column of ``eta``; ``gamma_negative`` is that of negative rows where it differs. Infinite linear predictors, those of a class
    that was always or never seen, stay as they are.

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
    """Probability of class 1 with given log-odds."""
    return np.asarray(expit(log_odds))


def probability(eta: NDArray[np.float64], gamma: float | NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability of class 1, from :func:`log_odds`."""
    return probability_of(log_odds(eta, gamma))


@quiet
def one_vs_rest_log_probability(log_odds_of_classes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithms of the probabilities of each class against the rest, divided by their sum over the classes.

    The sum is taken of logarithms, so that rows far from every class, where all probabilities underflow, sum to one as well.
    Where every class is excluded (-inf in each column), all are equally likely.
    """
    each = log_expit(log_odds_of_classes)
    total = logsumexp(each, axis=1, keepdims=True)
    known = np.isfinite(total)
    return np.where(known, each - np.where(known, total, 0.0), -np.log(each.shape[1]))

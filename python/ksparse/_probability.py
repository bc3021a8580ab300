"""From margins to probabilities: what a score of the focal loss says of P(y = 1 | x)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit

__all__ = ["probability"]


def _log_negative_slope(m: NDArray[np.float64], gamma: float) -> NDArray[np.float64]:
    # log of -l'(m) = q^gamma (gamma p sp + q) = q^(gamma + 1) (1 + gamma p sp / q), with sp = -log p.
    p, q = expit(m), expit(-m)
    # sp / q -> 1 as q -> 0, where both underflow in the end: sp = q + q^2/2 + ...
    ratio = np.where(q < 1e-9, 1 + q / 2, -log_expit(m) / np.maximum(q, 1e-9))
    return (gamma + 1) * log_expit(-m) + np.log1p(gamma * p * ratio)


def probability(eta: NDArray[np.float64], gamma: float) -> NDArray[np.float64]:
    r"""Probability of class 1 that makes the linear predictor stationary for the focal loss.

    The expected loss at a point, :math:`\pi\,\ell(\eta) + (1-\pi)\,\ell(-\eta)`, is stationary where
    :math:`\pi / (1-\pi) = \ell'(-\eta) / \ell'(\eta)`, which is the closed form of [1]_. The sigmoid of the linear
    predictor itself is under-confident: always nearer to 1/2. With gamma = 0 the two agree.

    References
    ----------
    .. [1] Charoenphakdee, Vongkulbhisal, Chairatanakul, Sugiyama, "On focal loss for class-posterior probability
       estimation: a theoretical perspective", CVPR 2021, theorem 11.
    """
    if gamma == 0:
        return expit(eta)
    return expit(_log_negative_slope(-eta, gamma) - _log_negative_slope(eta, gamma))

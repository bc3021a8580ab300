"""The losses as functions of the margin, as the solver computes them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _core
from ._validation import check_loss

__all__ = ["loss_terms"]

Terms = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


def loss_terms(
    margin: ArrayLike, positive: Any = True, *, loss: str = "logistic", alpha: float = 0.5, gamma: float = 2.0
) -> Terms:
    r"""Value, slope and curvature of a loss at given margins.

    With :math:`p = \sigma(m)`, :math:`q = \sigma(-m)` the logistic loss is :math:`-\log p`, and the focal loss
    :math:`-a q^\gamma \log p` with :math:`a = \alpha` for a positive row and :math:`1 - \alpha` for a negative one.

    Parameters
    ----------
    margin : array-like of float
        Margins :math:`m = (2y - 1)\,\eta`, any shape, finite.
    positive : bool or array-like of bool, default=True
        Whether each row is of the positive class; broadcast against ``margin``. Only the focal loss depends on it.
    loss : {"logistic", "focal"}, default="logistic"
        The loss.
    alpha : float, default=0.5
        Weight of the positive class in the focal loss, in (0, 1).
    gamma : float, default=2.0
        Focusing exponent of the focal loss, >= 0.

    Returns
    -------
    value : ndarray of float64, shape of ``margin``
        The loss, finite like its derivatives for every finite margin.
    slope : ndarray of float64, shape of ``margin``
        Its first derivative with respect to the margin.
    curvature : ndarray of float64, shape of ``margin``
        Its second derivative.

    Raises
    ------
    ValueError
        If a margin is not finite, or a parameter is out of range.

    References
    ----------
    .. [1] Lin, Goyal, Girshick, He, Dollár, "Focal loss for dense object detection", ICCV 2017, equation 5.

    Examples
    --------
    >>> import ksparse
    >>> value, slope, curvature = ksparse.loss_terms([0.0])
    >>> print(value.round(6), slope, curvature)
    [0.693147] [-0.5] [0.25]
    """
    loss, alpha, gamma = check_loss(loss, alpha, gamma)
    margins = np.asarray(margin, dtype=np.float64)
    if not np.isfinite(margins).all():
        raise ValueError("margin has an entry that is not finite; margins must be finite, without NaN or infinity")
    labels = np.broadcast_to(np.asarray(positive, dtype=np.float64), margins.shape)
    flat = _core.loss_terms(np.ascontiguousarray(margins.ravel()), np.ascontiguousarray(labels.ravel()), loss, alpha, gamma)
    value, slope, curvature = (terms.reshape(margins.shape) for terms in flat)
    return value, slope, curvature

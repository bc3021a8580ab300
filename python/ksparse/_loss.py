"""Values and derivatives of the losses, computed by the core."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._input.validation import check_loss, check_responses
from ._quiet import quiet
from .losses import Loss

__all__ = ["loss_terms", "rounding_of_loss", "terms_by_eta"]

Vector = NDArray[np.float64]
Terms = tuple[Vector, Vector, Vector]


@quiet
def loss_terms(
    margin: ArrayLike, positive: Any = True, *, loss: str | Loss = "logistic", alpha: float = 0.5, gamma: float = 2.0
) -> Terms:
    r"""Compute a loss and its first two derivatives at given margins.

    With :math:`p = \sigma(m)` and :math:`q = \sigma(-m)`, the logistic loss is :math:`-\log p`, and the focal loss is
    :math:`-a q^\gamma \log p` with :math:`a = \alpha` for a positive row and :math:`1 - \alpha` for a negative one. For a
    regression loss, the derivatives are taken with respect to the linear predictor.

    Parameters
    ----------
    margin : array-like of float
        Margins :math:`m = (2y - 1)\,\eta`, or linear predictors :math:`\eta` for a regression loss. They must be finite and can
        have any shape.
    positive : bool or array-like of bool, default=True
        Whether each row belongs to the positive class, broadcast against ``margin``. Only the focal losses and ``"cloglog"``
        depend on it. For a regression loss, the responses y.
    loss : str or object of :mod:`ksparse.losses`, default="logistic"
        The loss, given by its name or as an object that holds its parameters.
    alpha : float, default=0.5
        Weight of the positive class in the focal loss, in (0, 1).
    gamma : float, default=2.0
        Focusing exponent of the focal loss, >= 0.

    Returns
    -------
    value : ndarray of float64, shape of ``margin``
        The loss. It is finite for every finite margin, and so are its derivatives.
    slope : ndarray of float64, shape of ``margin``
        First derivative with respect to ``margin``.
    curvature : ndarray of float64, shape of ``margin``
        Second derivative with respect to ``margin``.

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
    of = check_loss(loss, alpha, gamma)
    margins = np.asarray(margin, dtype=np.float64)
    if not np.isfinite(margins).all():
        raise ValueError("margin has an entry that is not finite; margins must be finite, without NaN or infinity")
    responses = np.broadcast_to(np.asarray(positive, dtype=np.float64), margins.shape)
    if not of.is_classification:
        check_responses(responses.ravel(), responses.size, of)
        return terms_by_eta(of, margins, responses)
    sign = np.where(responses != 0, 1.0, -1.0)
    value, slope, curvature = terms_by_eta(of, sign * margins, responses)
    return value, sign * slope, curvature


@quiet
def terms_by_eta(loss: Loss, eta: NDArray[np.float64], responses: NDArray[np.float64]) -> Terms:
    """Return a loss and its first two derivatives with respect to the linear predictor; responses are broadcast against it."""
    flat = np.ascontiguousarray(eta.ravel()), np.ascontiguousarray(np.broadcast_to(responses, eta.shape).ravel())
    value, slope, curvature = (terms.reshape(eta.shape) for terms in loss._terms(*flat))
    return value, slope, curvature


@quiet
def rounding_of_loss(loss: Loss, eta: Vector, size: Vector, responses: Vector, n_terms: int) -> Vector:
    """Return how much rounding may change the loss of each row.

    A linear predictor is a sum of ``n_terms`` terms, ``size`` is the sum of their absolute values, and the rounding error is a
    few units in the last place of ``size``. If the loss is close to 0, a relative bound would be meaningless.
    """
    reach = (n_terms + 8) * np.finfo(np.float64).eps * (size + 1.0 * loss.has_log_link)
    value, above, below = (terms_by_eta(loss, eta + shift, responses)[0] for shift in (0.0, reach, -reach))
    return np.maximum(np.abs(above - value), np.abs(below - value))

"""Substitutes for Hessians that are not positive definite, and directions in which an objective decreases if its gradient vanishes."""

from __future__ import annotations

import numpy as np
from scipy.linalg import lapack

from ._derivatives import Matrix, Vector

__all__ = ["lowest_curvature", "make_positive"]

# Eigenvalues of a Hessian that is not positive definite are kept above this fraction of the largest, or of what counts as none at all.
LEAST_EIGENVALUE = 1e-8
NO_CURVATURE = 1e-50


def make_positive(hessian: Matrix) -> Matrix:
    """Return a symmetric matrix itself if it is positive definite, else with its eigenvalues' absolute values, none tiny."""
    factor, failed = lapack.dpotrf(hessian, lower=1)
    if not failed and (np.diag(factor) ** 2 > np.maximum(1e-13 * np.diag(hessian), NO_CURVATURE)).all():
        return hessian
    values, vectors = np.linalg.eigh(hessian)
    values = np.abs(values)
    floor = LEAST_EIGENVALUE * max(values.max(initial=0.0), NO_CURVATURE)
    return (vectors * np.maximum(values, floor)) @ vectors.T


def lowest_curvature(hessian: Matrix, noise: float) -> tuple[float, Vector] | None:
    """Return the least eigenvalue and its eigenvector if it is negative by more than noise, else None.

    The Hessian is by parameters in units in which its entries are of order one; noise is relative to the largest eigenvalue, or to 1.
    """
    if not len(hessian) or not lapack.dpotrf(hessian, lower=1)[1]:
        return None
    values, vectors = np.linalg.eigh(hessian)
    if values[0] >= -noise * max(float(np.abs(values).max()), 1.0):
        return None
    return float(values[0]), vectors[:, 0]

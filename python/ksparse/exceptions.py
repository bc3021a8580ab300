"""Warnings of ksparse."""

from __future__ import annotations

__all__ = ["ConvergenceWarning"]


class ConvergenceWarning(UserWarning):
    """Warning that a fit did not converge; the message says what to do.

    :func:`ksparse.fit` uses this class because it works without scikit-learn. Estimators use
    :class:`sklearn.exceptions.ConvergenceWarning`, like those of scikit-learn.
    """

"""Warnings of ksparse."""

from __future__ import annotations

__all__ = ["ConvergenceWarning"]


class ConvergenceWarning(UserWarning):
    """A fit did not end at a proper minimum; the message says what to do.

    :func:`ksparse.fit` uses this class, which needs no scikit-learn. Estimators warn with
    :class:`sklearn.exceptions.ConvergenceWarning`, as scikit-learn's own do.
    """

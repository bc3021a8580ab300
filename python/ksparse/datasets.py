"""Example data."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.utils import Bunch

__all__ = ["load_imbalanced_cancer"]

_DESCRIPTION = """Breast cancer, made imbalanced and wide (399 rows, 100 features, 42 rows of class 0 and 357 of class 1).

The data are scikit-learn's copy of the Wisconsin diagnostic data without the first 170 malignant rows (class 0). Columns are
standardised (with divisor n), and 70 columns of standard normal noise are appended (numpy's default_rng(0)). The rows are split with
train_test_split(test_size=0.3, random_state=0). A good selection contains only features among the first 30.
"""


def load_imbalanced_cancer() -> Bunch:
    """Load an imbalanced version of the breast cancer data with 70 columns of noise appended.

    Returns
    -------
    sklearn.utils.Bunch
        ``X_train`` (279, 100), ``X_test`` (120, 100): float64 in Fortran order; ``y_train``, ``y_test``: 0 (malignant,
        rare) and 1 (benign); ``feature_names`` (100,); ``target_names`` (2,); ``DESCR``.

    Examples
    --------
    >>> from ksparse.datasets import load_imbalanced_cancer
    >>> load_imbalanced_cancer().X_train.shape
    (279, 100)
    """
    cancer = load_breast_cancer()
    keep = np.ones(len(cancer.target), dtype=bool)
    keep[np.flatnonzero(cancer.target == 0)[:170]] = False
    X, y = cancer.data[keep], cancer.target[keep]
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    noise = np.random.default_rng(0).standard_normal((len(X), 100 - X.shape[1]))
    X = np.hstack([X, noise])
    names = np.array([*cancer.feature_names, *(f"noise {i + 1}" for i in range(noise.shape[1]))], dtype=object)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=0)
    return Bunch(
        X_train=np.asfortranarray(X_train),
        X_test=np.asfortranarray(X_test),
        y_train=y_train,
        y_test=y_test,
        feature_names=names,
        target_names=cancer.target_names,
        DESCR=_DESCRIPTION,
    )

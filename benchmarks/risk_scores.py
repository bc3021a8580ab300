"""Small whole points on real tables beside imodels' FastRiskScore: training log loss and seconds, on the same columns.

    python benchmarks/risk_scores.py FOLDER [--ks 3 5 10] [--repeats 3]

FOLDER has the UCI tables mammo, adult, spambase and mushroom as CSV, with the label in the first column (as prepared for risk scores by Ustun and
Rudin). Columns are those of imodels' own binarisation, nine cuts per column, when imodels is installed (``pip install imodels numba six``; its
first run compiles for minutes, and its compilation is not timed), else those of ``Binner(encoding="cumulative")``. Both times are of the search
on columns that are ready. The gap is to the best real-valued model that ``ksparse.fit`` finds, which is no proof of optimality.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from pathlib import Path

import common
import ksparse
import numpy as np
import pandas as pd
from ksparse._cards.points import search_small_points
from ksparse.losses import Logistic

TABLES = ("mammo", "adult", "spambase", "mushroom")


def log_loss(eta: np.ndarray, y: np.ndarray) -> float:
    return float(np.mean(np.logaddexp(0.0, -(2 * y - 1) * eta)))


def columns_of(frame: pd.DataFrame) -> np.ndarray:
    try:
        from imodels.algebraic.risk_score.fast_risk_score import _Binarizer
    except ModuleNotFoundError:
        return ksparse.Binner(encoding="cumulative").fit_transform(frame)
    return np.asfortranarray(_Binarizer(9).fit(frame).transform(frame), dtype=float)


def peer_of(X: np.ndarray, y: np.ndarray, k: int):
    """Return a job that fits the peer, and one that says its loss; None without imodels."""
    try:
        from imodels import FastRiskScoreClassifier
    except ModuleNotFoundError:
        return None
    frame = pd.DataFrame(X.astype(bool), columns=[f"c{j}" for j in range(X.shape[1])]).astype(float)
    model = FastRiskScoreClassifier(k=k)
    return lambda: model.fit(frame, y.astype(int)), lambda: log_loss(np.log(_odds(model, frame)), y)


def _odds(model, frame: pd.DataFrame) -> np.ndarray:
    p = np.clip(model.predict_proba(frame)[:, 1], 1e-300, 1 - 1e-16)
    return p / (1 - p)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--ks", type=int, nargs="+", default=[3, 5, 10])
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    print(
        f"{'table':9s} {'columns':>7s} {'k':>2s}  {'ksparse':>10s} {'peer':>10s}  {'ms':>6s} {'peer ms':>7s}  {'real-valued':>11s}"
    )
    worse = 0
    for name in TABLES:
        table = pd.read_csv(arguments.folder / f"{name}.csv.gz")
        y = (table.iloc[:, 0].to_numpy(float) > 0).astype(float)
        X = columns_of(table.iloc[:, 1:])
        for k in arguments.ks:

            def ours(X=X, y=y, k=k):
                return search_small_points(X, y, None, Logistic(), k, 5)

            found, peer = ours(), peer_of(X, y, k)
            loss = log_loss(found.slope * X[:, found.support] @ found.points + found.intercept, y)
            real = ksparse.fit(X, y, k, ridge=1e-9).objective
            times = []
            theirs = np.nan
            if peer is not None:
                peer[0]()
                theirs = peer[1]()
            for _ in range(arguments.repeats):  # in alternation, so that drift of the machine hits both
                times.append((common.seconds(ours), np.nan if peer is None else common.seconds(peer[0])))
            mine, other = 1e3 * np.min(times, axis=0)
            verdict = "" if peer is None else "worse" if loss > theirs + 1e-9 else "lower" if loss < theirs - 1e-9 else "same"
            worse += verdict == "worse"
            print(
                f"{name:9s} {X.shape[1]:7d} {k:2d}  {loss:10.7f} {theirs:10.7f}  {mine:6.1f} {other:7.1f}  {real:11.7f}  {verdict}",
                flush=True,
            )
    return min(worse, 1)


if __name__ == "__main__":
    sys.exit(main())

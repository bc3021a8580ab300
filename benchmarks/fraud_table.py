"""A fraud table with categories and gaps, from the raw frame to a card and its SQL by one estimator: seconds, and SQL against predict_proba.

    python benchmarks/fraud_table.py [--rows 100000]

60 columns: 40 of numbers, of which some are skewed, some are whole and some have gaps, and 20 of categories with 4 to 42 levels; about 4 % of the
rows are fraud. SQLite answers the SQL for 20,000 rows.
"""

from __future__ import annotations

import argparse
import sqlite3
import time

import common  # noqa: F401 one thread
import numpy as np
import pandas as pd
from ksparse import KSparseScorecard


def fraud_table(n: int, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    latent = rng.standard_normal((n, 4))
    columns = {}
    for j in range(40):
        x = 0.6 * latent[:, j % 4] + rng.standard_normal(n)
        x = np.exp(x) if j % 3 == 0 else np.round(20 * x) if j % 3 == 1 else x
        columns[f"number {j}"] = np.where(rng.random(n) < 0.1, np.nan, x) if j % 5 == 0 else x
    for j in range(20):
        levels = np.array([f"level {i}" for i in range(4 + 2 * j)], dtype=object)
        values = levels[(rng.random(n) ** 2 * len(levels)).astype(int)]
        columns[f"category {j}"] = np.where(rng.random(n) < 0.05, None, values) if j % 4 == 0 else values
    table = pd.DataFrame(columns)
    eta = (
        latent[:, 0]
        + 0.8 * (table["number 1"] > 10)
        + table["number 0"].isna()
        + 0.7 * (table["category 3"] == "level 0")
        - 4.6
    )
    eta = eta + 0.5 * (table["category 5"] == "level 2") - 0.8 * table["number 2"].clip(-1, 2)
    return table, np.where(eta + rng.logistic(size=n) > 0, "fraud", "fine")


def by_sqlite(table: pd.DataFrame, expression: str) -> np.ndarray:
    with sqlite3.connect(":memory:") as connection:
        table.to_sql("t", connection, index=False)
        return np.array(connection.execute(f"select {expression} from t").fetchall())[:, 0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    arguments = parser.parse_args()
    table, y = fraud_table(arguments.rows)
    print(f"{len(table)} rows, {table.shape[1]} columns, {np.mean(y == 'fraud'):.1%} fraud")
    few = table.head(20_000)
    for settings in (
        {"choose": "variables"},
        {"choose": "bins"},
        {"choose": "variables", "max_points": 5},
        {"choose": "bins", "max_points": 5},
    ):
        start = time.perf_counter()
        model = KSparseScorecard(10, event="fraud", **settings).fit(table, y)
        sql = model.to_sql()
        spent = time.perf_counter() - start
        event = model.predict_proba(few)[:, model.classes_.tolist().index("fraud")]
        difference = np.abs(by_sqlite(few[model.variables_], sql) - event).max()
        print(
            f"{settings!s:45s} {spent:6.1f} s  loss {model.loss_before_:.6f} -> {model.loss_after_:.6f}  "
            f"SQL within {difference:.1e}  {len(model.variables_)} variables",
            flush=True,
        )


if __name__ == "__main__":
    main()

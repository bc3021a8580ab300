"""
A fraud scorecard from a raw table to SQL
=========================================

This example makes a scorecard from a table with categories and missing values, evaluates it on held-out rows, and writes it as an SQL expression for a
database that contains the raw table.
"""

# %%
# The table
# ---------
#
# Real fraud tables are rarely public, so this one is simulated. It has payments with amounts, times, categories and missing values; about 5 % of the payments
# are fraud. As in many real tables, it is informative whether a value is missing.

import sqlite3

import ksparse
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from ksparse import Binner, KSparseScorecard
from sklearn.model_selection import train_test_split

rng = np.random.default_rng(0)
n = 8000
table = pd.DataFrame(
    {
        "amount": rng.lognormal(4, 1, n).round(2),
        "hour": rng.integers(0, 24, n),
        "account age": np.where(rng.random(n) < 0.1, np.nan, rng.gamma(2, 400, n).round()),
        "payments today": rng.poisson(1.5, n),
        "country": rng.choice(["home", "neighbour", "far", "unknown"], n, p=[0.8, 0.12, 0.07, 0.01]),
        "device": np.where(rng.random(n) < 0.05, None, rng.choice(["phone", "tablet", "desktop"], n, p=[0.6, 0.1, 0.3])),
        "card type": rng.choice(["debit", "credit", "prepaid"], n),
        "shop number": rng.integers(1, 40, n),
    }
)
risk = (
    0.6 * np.log(table["amount"])
    + 1.2 * (table["hour"] < 6)
    + 1.0 * table["account age"].isna()
    - 0.0012 * table["account age"].fillna(0)
    + 1.5 * (table["country"] == "far")
    + 0.3 * table["payments today"]
    + 0.7 * table["device"].isna()
)
y = np.where(risk + rng.logistic(size=n) > 6.8, "fraud", "fine")
seen, new, y_seen, y_new = train_test_split(table, y, test_size=0.3, random_state=0, stratify=y)
table.head()

# %%
# The scorecard
# -------------
#
# :class:`ksparse.KSparseScorecard` makes at most four bins for each column of numbers and one bin for each category, chooses five variables, and searches
# for whole points from −5 to 5.

card = KSparseScorecard(k=5, event="fraud", max_points=5, binner=Binner(n_bins=4)).fit(seen, y_seen)
card

# %%
# How good it is
# --------------
#
# The tables show the metrics for the rows of the fit and for the held-out rows.

evaluation = card.evaluate(seen, y_seen, X_test=new, y_test=y_new, n_bands=5)
evaluation

# %%

ksparse.ScorecardDisplay.from_evaluation(evaluation)
ksparse.LiftDisplay.from_evaluation(evaluation)
plt.show()

# %%
# The probability from which a payment should be stopped depends on the costs of errors. Here, a missed fraud costs 20 times as much as a legitimate
# payment that is stopped.

print(f"stop payments from a probability of {evaluation.threshold(false_positive=1, false_negative=20):.3f}")

# %%
# The card in the database
# ------------------------
#
# The expression works on the columns of the raw table, in which missing values are NULL. Its results agree with ``predict_proba``.

sql = card.to_sql()
print(sql)

with sqlite3.connect(":memory:") as connection:
    new.to_sql("payments", connection, index=False)
    found = np.ravel(connection.execute(f"SELECT {sql} FROM payments").fetchall())
difference = np.abs(found - card.predict_proba(new)[:, card.classes_.tolist().index("fraud")]).max()
print(f"largest difference: {difference:.1e}")

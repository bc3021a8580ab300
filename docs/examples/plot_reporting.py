"""
Reporting a model: a summary, a scorecard, a formula
====================================================

From a fit to what goes into a report: the table of the chosen features and how far to trust it, points that can be added up by
hand and what their rounding costs, and the model as a line of text or SQL.
"""

# %%
# 442 patients with diabetes (Efron, Hastie, Johnstone and Tibshirani, *Annals of Statistics* 2004), ten measurements in their own units, and whether the disease
# progressed by more than the median of them within a year. scikit-learn ships the data. A third is kept aside.

import ksparse
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_diabetes
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import train_test_split

X, progression = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
X = X.rename(columns={"bp": "blood pressure", "s3": "HDL", "s5": "log triglycerides"})
X["sex is 2"] = (X.pop("sex") == 2).astype(float)  # the data do not say which is which
y = (progression > progression.median()).astype(int)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=1 / 3, random_state=0, stratify=y)

path = ksparse.fit_path(X_train, y_train, range(9))
result = path.best("bic")
path

# %%
# The table
# ---------
#
# Standard errors are those of the observed information, odds ratios per unit of the column. ``bootstrap`` chooses the features anew in as
# many resamplings: the last column is how often each of these was among them.

summary = result.summary(bootstrap=300)
summary

# %%
# The first note is meant. The features were chosen because they looked strong on these rows; the rows kept aside have not been asked
# yet. On them, with the features given and nothing chosen, the same intervals are what they are called. Most coefficients are smaller there, as one must
# expect; some of the intervals reach 0.

given = X_test.columns[result.support]
fresh = ksparse.fit(X_test[given], y_test, k=len(given), always_in=list(given)).summary().to_frame()
columns = ["coef", "lower", "upper"]
both = pd.concat({"chosen on these rows": summary.to_frame()[columns], "kept aside": fresh[columns]}, axis=1)
print(both.round(3).to_string())
smaller = np.abs(both["kept aside"]["coef"]) < np.abs(both["chosen on these rows"]["coef"])
print(f"smaller on the rows kept aside: {smaller[given].sum()} of {len(given)}")

# %%
# Points
# ------
#
# 100 points are even odds, and 10 more double them. Each feature has points for a step of it, in whole numbers.

card = result.scorecard(base_points=100, base_odds=1, points_to_double_odds=10)
card

# %%
# What whole numbers cost, where it counts: the log loss and the area under the curve on the rows kept aside, for coarser and finer scales.

p = 1 / (1 + np.exp(-result.decision_function(X_test)))
table = {"not rounded": (log_loss(y_test, p), roc_auc_score(y_test, p))}
for doubling in (20, 10, 5, 2, 1):
    coarse = result.scorecard(base_points=100, base_odds=1, points_to_double_odds=doubling)
    score = coarse.score(X_test)
    table[f"points that double the odds: {doubling}"] = (
        log_loss(y_test, coarse.probability(score)),
        roc_auc_score(y_test, score),
    )
print(pd.DataFrame(table, index=["log loss", "AUC"]).T.round(4).to_string())

# %%
# Down to about five points the differences are noise on 148 rows; at one point the scale is too coarse. The scores of the rows kept aside, and the share that did progress
# in fifths of them, beside what the card says:

score = card.score(X_test)
fifths = pd.qcut(score, 5)
seen = pd.DataFrame({"score": score, "share": y_test.to_numpy()}).groupby(fifths, observed=True).mean()
figure, (above, below) = plt.subplots(2, 1, figsize=(6.5, 4.6), sharex=True, height_ratios=[3, 1.4], layout="constrained")
grid = np.linspace(score.min(), score.max(), 200)
above.plot(grid, card.probability(grid), color="0.2", label="the card")
above.plot(
    seen["score"], seen["share"], "o", color="0.2", markerfacecolor="white", markersize=8, label="seen in a fifth of the rows"
)
above.set(ylabel="probability", ylim=(-0.02, 1.02))
above.legend()
bins = np.linspace(score.min(), score.max(), 25)
below.hist([score[y_test == 0], score[y_test == 1]], bins, stacked=True, color=["0.85", "0.35"], edgecolor="white")
below.legend(["slower than the median", "faster"], fontsize="small")
below.set(xlabel="score", ylabel="patients")
plt.show()

# %%
# In a line
# ---------
#
# For the text of a report, and for a database; :meth:`ksparse.FitResult.to_python` writes the same for Python without ksparse.

print(result.formula(3))
print()
print(result.to_sql("linear_predictor"))

"""
Reporting a model: a summary, a scorecard, a formula
====================================================

This example makes what a report needs from a fit: a table of the chosen features and how far to trust it, points that can be added up by
hand and what their rounding costs, and the model as a line of text or SQL.
"""

# %%
# The data contain 442 patients with diabetes (Efron, Hastie, Johnstone and Tibshirani, *Annals of Statistics* 2004). There are ten measurements
# in their original units, and the label says whether the disease progressed by more than the median within a year. The data come with
# scikit-learn. A third of the rows is held out as a test set.

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
# The standard errors come from the observed information, and the odds ratios are per unit of the column. With ``bootstrap=300`` the features
# are chosen again in 300 resamplings of the rows. The last column shows in how many of them each feature was chosen.

summary = result.summary(bootstrap=300)
summary

# %%
# Take the first note seriously. The features were chosen because they looked strong on the training rows. On held-out rows no selection takes
# place, so there the intervals have their nominal coverage. As expected, most coefficients are smaller there, and some of the intervals
# include 0.

given = X_test.columns[result.support]
fresh = ksparse.fit(X_test[given], y_test, k=len(given), always_in=list(given)).summary().to_frame()
columns = ["coef", "lower", "upper"]
both = pd.concat({"training rows": summary.to_frame()[columns], "test rows": fresh[columns]}, axis=1)
print(both.round(3).to_string())
smaller = np.abs(both["test rows"]["coef"]) < np.abs(both["training rows"]["coef"])
print(f"smaller on the test rows: {smaller[given].sum()} of {len(given)}")

# %%
# Points
# ------
#
# Here 100 points mean odds of 1 to 1, and 10 more points double the odds. Each feature has a whole number of points per step.

card = result.scorecard(base_points=100, base_odds=1, points_to_double_odds=10)
card

# %%
# How much does the rounding to whole points cost? The table shows the log loss and the area under the ROC curve on the test rows for finer and
# coarser scales.

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
# As long as at least about five points double the odds, the differences are within the noise of 148 rows. If one point doubles them, the scale
# is too coarse. The next picture compares the probabilities of the scorecard with the share of patients whose disease progressed, in five
# groups of test rows with similar scores.

score = card.score(X_test)
fifths = pd.qcut(score, 5)
seen = pd.DataFrame({"score": score, "share": y_test.to_numpy()}).groupby(fifths, observed=True).mean()
figure, (above, below) = plt.subplots(2, 1, figsize=(6.5, 4.6), sharex=True, height_ratios=[3, 1.4], layout="constrained")
grid = np.linspace(score.min(), score.max(), 200)
above.plot(grid, card.probability(grid), color="0.2", label="scorecard")
above.plot(
    seen["score"],
    seen["share"],
    "o",
    color="0.2",
    markerfacecolor="white",
    markersize=8,
    label="observed in a fifth of the rows",
)
above.set(ylabel="probability", ylim=(-0.02, 1.02))
above.legend()
bins = np.linspace(score.min(), score.max(), 25)
below.hist([score[y_test == 0], score[y_test == 1]], bins, stacked=True, color=["0.85", "0.35"], edgecolor="white")
below.legend(["slower than the median", "faster"], fontsize="small")
below.set(xlabel="score", ylabel="patients")
plt.show()

# %%
# The model as text
# -----------------
#
# The formula is for the text of a report, and the SQL expression is for a database. :meth:`ksparse.FitResult.to_python` returns an expression for
# Python programs that do not have ksparse.

print(result.formula(3))
print()
print(result.to_sql("linear_predictor"))

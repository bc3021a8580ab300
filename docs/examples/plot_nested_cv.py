"""
Nested cross-validation: an honest score of a chosen model
==========================================================

Cross-validation chooses k, and its best score is the maximum of many scores. How far is this maximum from the score on new rows? This example
compares it with nested cross-validation, in which the choice is repeated in each outer fold.
"""

# %%
# We simulate 200 rows and 100 features, of which three have an effect. There are also 20,000 new rows, on which we can measure the true performance
# of a model.

import matplotlib.pyplot as plt
import numpy as np
from ksparse import KSparseClassifierCV
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold, cross_val_score


def simulate(seed, n):
    """Return X and y, where y depends on three of 100 features."""
    rng = np.random.default_rng(seed)
    X = np.asfortranarray(rng.standard_normal((n, 100)))
    return X, (X[:, 0] - 0.8 * X[:, 1] + 0.6 * X[:, 2] + rng.logistic(size=n) > 0).astype(int)


inner = StratifiedKFold(5, shuffle=True, random_state=0)
outer = StratifiedKFold(5, shuffle=True, random_state=1)
model = KSparseClassifierCV(ks=range(9), ridge=[1e-2, 1e-1], search="fast", cv=inner)  # the default score is the log loss

X, y = simulate(seed=0, n=200)
model.fit(X, y)
print("chosen:", {name: model.best_params_[name] for name in ("k", "ridge")}, " features:", model.support_.tolist())

# %%
# Two estimates of the log loss
# -----------------------------
#
# ``best_score_`` is the score of the chosen k and ridge in the inner cross-validation. The same folds were used to choose them, so the score is too
# good. In nested cross-validation, :func:`sklearn.model_selection.cross_val_score` fits ``model`` on the training rows of each outer fold,
# including the choice of k and ridge, and scores it on the other rows.

nested = cross_val_score(model, X, y, scoring="neg_log_loss", cv=outer)
X_new, y_new = simulate(seed=1, n=20_000)
print(f"best score of the inner cross-validation  {-model.best_score_:.4f}")
print(f"nested cross-validation                   {-nested.mean():.4f} ± {nested.std(ddof=1) / np.sqrt(len(nested)):.4f}")
print(f"20,000 new rows                           {log_loss(y_new, model.predict_proba(X_new)):.4f}")

# %%
# Many data sets
# --------------
#
# A single data set of 200 rows is not enough to see the bias, because the scores vary much more than that. We repeat the comparison on 20 data sets.

results = []
for seed in range(20):
    X, y = simulate(seed=100 + seed, n=200)
    model.fit(X, y)
    nested = cross_val_score(model, X, y, scoring="neg_log_loss", cv=outer)
    results.append((-model.best_score_, -nested.mean(), log_loss(y_new, model.predict_proba(X_new))))
inner_score, nested_score, truth = np.array(results).T

for name, estimate in (("inner, best score", inner_score), ("nested", nested_score)):
    bias = estimate - truth
    print(f"{name:18s} minus new rows: {bias.mean():+.4f} ± {bias.std(ddof=1) / np.sqrt(len(bias)):.4f}")

figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
for x, estimate in enumerate((inner_score, nested_score)):
    bias = estimate - truth
    axes.plot(
        np.full(len(bias), x) + np.linspace(-0.15, 0.15, len(bias)), np.sort(bias), "o", color="0.4", markerfacecolor="white"
    )
    axes.plot([x - 0.25, x + 0.25], [bias.mean()] * 2, color="0.0", linewidth=2)
axes.axhline(0, color="0.7", linewidth=0.8)
axes.set_xticks([0, 1], ["inner, best score", "nested"])
axes.set(ylabel="estimated log loss minus log loss on new rows", xlim=(-0.6, 1.6))
plt.show()

# %%
# Conclusions
# -----------
#
# - The best score of the inner cross-validation is too optimistic: on average, the log loss on new rows is higher.
# - Nested cross-validation is slightly pessimistic, because its models are fitted to 160 instead of 200 rows.
# - Use the inner cross-validation to choose k, and report the nested score, or the score on rows that were not used at all.
# - Nested cross-validation estimates the performance of the whole procedure. Each outer fold may choose another k and other features, so it says
#   nothing about which features matter; use :func:`ksparse.stability_selection` for this.

"""
How many features? Path, criteria, cross-validation
===================================================

k is the only parameter that ksparse requires. This example compares three ways to choose it: looking at the path, information criteria, and
cross-validation.
"""

# %%
# We simulate 400 rows and 200 features. Neighbouring features have a correlation of 0.5, and six features determine the labels.

import ksparse
import matplotlib.pyplot as plt
import numpy as np
from scipy.signal import lfilter


def simulate(seed, n=400, p=200, correlation=0.5):
    """Rows of an autoregressive design, and labels from six of its features."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((n, p))
    noise[:, 1:] *= np.sqrt(1 - correlation**2)
    X = lfilter([1.0], [1.0, -correlation], noise, axis=1)  # unit variance, correlation^|i - j|
    truth = np.arange(15, p, 30)[:6]
    eta = X[:, truth] @ np.array([1.5, -1.5, 1.2, -1.2, 1.0, -1.0]) - 0.5
    return np.asfortranarray(X), rng.random(n) < 1 / (1 + np.exp(-eta)), truth


X, y, truth = simulate(seed=1)
path = ksparse.fit_path(X, y, range(16))
path.plot()
plt.show()

# %%
# ``plot()`` draws a :class:`ksparse.PathDisplay`. The features with the largest coefficients in the last fit have a name at the end of their line;
# the others are grey. The objective falls with every feature, so it cannot tell where to stop. The criteria add a penalty for each feature.
# AIC chooses too many features if there are many candidates, because its penalty does not depend on their number. The penalty of EBIC does
# (:math:`2\log\binom{p}{s}`), and :meth:`ksparse.PathResult.best` uses EBIC by default.

print("truth", truth.tolist())
for criterion in ("aic", "bic", "gic", "ebic"):
    print(f"{criterion:5s}", path.best(criterion).support.tolist())

# %%
# Cross-validation
# ----------------
#
# The folds are weights of the rows of one X. The mean scores of neighbouring k often hardly differ, so the maximum depends on how the rows were
# split into folds. ``one_standard_error=True`` chooses the smallest k whose mean score is within one standard error of the best.

from ksparse import KSparseClassifierCV

by_score = KSparseClassifierCV(ks=range(16), ridge=[1e-3, 1e-2]).fit(X, y)
careful = KSparseClassifierCV(ks=range(16), ridge=[1e-3, 1e-2], one_standard_error=True).fit(X, y)
for name, model in (("best mean", by_score), ("one standard error", careful)):
    print(f"{name:18s}  k = {model.best_params_['k']}, ridge {model.best_params_['ridge']:g}  {model.support_.tolist()}")

careful.plot()
plt.show()

# %%
# Comparison
# ----------
#
# We repeat this on 30 data sets, and count how many of the six true features each method finds and how many other features it chooses. These data
# have a few strong effects. If there are many small effects, more features may be needed for good predictions.

found = {name: [] for name in ("aic", "bic", "gic", "ebic", "CV, best", "CV, 1 s.e.")}
for seed in range(30):
    X, y, truth = simulate(seed=100 + seed)
    path = ksparse.fit_path(X, y, range(16), cold_starts=False)
    supports = {name: path.best(name).support for name in ("aic", "bic", "gic", "ebic")}
    for name, careful in (("CV, best", False), ("CV, 1 s.e.", True)):
        supports[name] = KSparseClassifierCV(ks=range(16), ridge=1e-3, one_standard_error=careful).fit(X, y).support_
    for name, support in supports.items():
        right = np.isin(support, truth).sum()
        found[name].append((right, len(support) - right))

print("            true features found   others taken   exactly the truth")
for name, counts in found.items():
    right, wrong = np.array(counts).T
    print(
        f"{name:10s}        {right.mean():.2f} of 6          {wrong.mean():5.2f}         {np.mean((right == 6) & (wrong == 0)):.0%}"
    )

figure, axes = plt.subplots(figsize=(6.5, 3.8), layout="constrained")
places = np.arange(len(found))
right, wrong = (np.array([np.mean([pair[which] for pair in pairs]) for pairs in found.values()]) for which in (0, 1))
axes.bar(places, right, color="0.3", label="true features")
axes.bar(places, wrong, bottom=right, color="0.85", edgecolor="0.3", hatch="//", label="others")
axes.axhline(6, color="0.0", linewidth=0.8, linestyle=":")
axes.set_xticks(places, list(found))
axes.set(ylabel="features, mean of 30 data sets")
axes.legend(frameon=False)
plt.show()

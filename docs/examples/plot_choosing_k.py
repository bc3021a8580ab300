"""
How many features? Path, criteria, cross-validation
===================================================

k is the one number that ksparse asks for. Three ways to choose it: look at the path, take an information criterion, or
cross-validate.
"""

# %%
# 400 rows, 200 features with correlation 0.5 between neighbours, of which six are in the truth.

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
# ``plot()`` is :class:`ksparse.PathDisplay`: features that the last fit weighs most are named where their lines end, the others are grey.
# The objective falls with every feature, and cannot tell when to stop; the criteria charge for each. AIC is known to take too
# many where there are many to choose from: it does not count how many could have been taken. EBIC does
# (:math:`2\log\binom{p}{s}`), and is what :meth:`ksparse.PathResult.best` uses by default.

print("truth", truth.tolist())
for criterion in ("aic", "bic", "gic", "ebic"):
    print(f"{criterion:5s}", path.best(criterion).support.tolist())

# %%
# By cross-validation
# -------------------
#
# Folds are weights over one X. The mean score often hardly differs between neighbouring k, and its maximum is then an accident
# of the folds; ``one_standard_error=True`` takes the smallest k within one standard error of the best.

from ksparse import KSparseClassifierCV

by_score = KSparseClassifierCV(ks=range(16), ridge=[1e-3, 1e-2]).fit(X, y)
careful = KSparseClassifierCV(ks=range(16), ridge=[1e-3, 1e-2], one_standard_error=True).fit(X, y)
for name, model in (("best mean", by_score), ("one standard error", careful)):
    print(f"{name:18s}  k = {model.best_params_['k']}, ridge {model.best_params_['ridge']:g}  {model.support_.tolist()}")

careful.plot()
plt.show()

# %%
# How they compare
# ----------------
#
# Over 30 such data sets: how many of the six true features each way finds, and how many others it takes. That is one kind of
# data; where effects are many and small, prediction may want more features than any truth of six.

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

"""
Correlated features: search longer, and report alternatives
===========================================================

If many features carry nearly the same information, the best subset is hard to find, and it is hardly better than many others. This example
shows how long to search, which features could replace the chosen ones, and how stable the choice is.
"""

# %%
# We simulate 400 rows and 200 features in 20 blocks of ten. Features of the same block have a correlation of 0.9. Six features from six different
# blocks determine the labels.

import ksparse
import matplotlib.pyplot as plt
import numpy as np
from scipy.special import expit

rng = np.random.default_rng(0)
n, blocks, size = 400, 20, 10
common = np.repeat(rng.standard_normal((n, blocks)), size, axis=1)
X = np.asfortranarray(np.sqrt(0.9) * common + np.sqrt(0.1) * rng.standard_normal((n, blocks * size)))
truth = np.array([3, 27, 58, 91, 134, 166])
y = rng.random(n) < expit(X[:, truth] @ np.array([1.2, -1.2, 1.0, -1.0, 0.8, -0.8]))

# %%
# How long to search
# ------------------
#
# ``search="fast"`` makes one descent. ``"auto"``, the default, continues if some chosen features have close competitors. ``"thorough"`` continues
# in any case, and for longer. ``n_restarts`` is the number of descents that began without any feature of the solution, and ``times_found`` is how
# many of them ended at it. If few did, a longer search may find a better solution; if all did, there may still be one.

for search in ("fast", "auto", "thorough"):
    result = ksparse.fit(X, y, 6, ridge=1e-4, search=search)
    found = f"found by {result.times_found} of {result.n_restarts} restarts"
    print(f"{search:9s}  F = {result.objective:.6f}  {result.support.tolist()}  {found}")
print("truth                    ", truth.tolist(), f"  F = {ksparse.fit(X[:, truth], y, 6, ridge=1e-4).objective:.6f}")

# %%
# The solution has a lower objective than the true features: if features are this similar, another feature of the same block often fits the sample
# better. We cannot expect to find the true features, but we can ask whether the solution uses the right blocks.

print("blocks of the solution:", (result.support // size).tolist(), "  of the truth:", (truth // size).tolist())

# %%
# Alternatives
# ------------
#
# ``alternatives`` lists, for each chosen feature, the features that could replace it, with the increase of F after an exact refit. An increase of
# 0.001 on 400 rows is a loss of 0.4 in log-likelihood; the data do not distinguish two such features.

alternatives = result.alternatives(5)
print(alternatives)
print("of the same block:", np.mean(alternatives.replacement // size == alternatives.feature // size))

figure, axes = plt.subplots(figsize=(6.5, 4), layout="constrained")
for place, feature in enumerate(result.support):
    rise = n * alternatives.increase[alternatives.feature == feature]
    axes.plot(rise, np.full(len(rise), place), "o", color="0.1", markerfacecolor="0.6")
axes.set_yticks(np.arange(len(result.support)), [f"feature {j}" for j in result.support])
axes.invert_yaxis()
axes.axvline(2, color="0.7", linewidth=0.8)
axes.set(xlabel="loss of log-likelihood if the feature is replaced (the line is at 2)", xlim=(0, None))
plt.show()

# %%
# Stability
# ---------
#
# Stability selection fits the model on 200 random halves of the rows (Meinshausen and Bühlmann, JRSS B 2010). Features that replace each other
# share their frequency, and ``together`` shows that they are seldom chosen at the same time.

stability = ksparse.stability_selection(X, y, 6, rounds=200, ridge=1e-4, n_jobs=-1)
ksparse.StabilityDisplay.from_result(stability, n=20, threshold=0.6)
plt.show()
print("chosen in at least 60 % of the rounds:", stability.stable(0.6).tolist())
print("rivals:", [(a, b, round(gap, 2)) for a, b, gap in stability.rivals(4)])

# %%
# The choice of the blocks is stable. The picture shows how often each block is represented.

by_block = np.array([[np.isin(b, support // size) for b in range(blocks)] for support in stability.supports]).mean(axis=0)
figure, axes = plt.subplots(figsize=(6.5, 3.2), layout="constrained")
axes.bar(np.arange(blocks), by_block, color=["0.3" if b in truth // size else "0.85" for b in range(blocks)], edgecolor="0.3")
axes.set(xlabel="block of features (dark: in the truth)", ylabel="share of rounds", xticks=np.arange(blocks), ylim=(0, 1.03))
plt.show()

# %%
# Intervals
# ---------
#
# Each bootstrap round is a column of weights, and the features are chosen again in each round. If a feature was chosen in fewer than 97.5 % of the
# rounds, its interval includes 0, however large its coefficient is: for features this similar, most of the uncertainty comes from the choice.

counts = rng.multinomial(n, np.full(n, 1 / n), size=200).T.astype(np.uint8)
bootstrap = ksparse.fit_many(X, y, 6, sample_weight=counts, ridge=1e-4, search="fast", n_jobs=-1)
ksparse.CoefficientDisplay.from_result(result, intervals=bootstrap)
plt.show()

# %%
# A report should contain the support, the features that could replace a chosen one at almost no cost, and the frequency of each block. If the
# blocks are known in advance, pass them as ``groups``, and whole blocks are chosen.

"""
Correlated features: search longer, and say what else would do
==============================================================

When many features carry nearly the same information, the best subset is hard to find, and hardly better than others. This
page shows how far to search, which features could stand in for the chosen ones, and how firmly the data choose.
"""

# %%
# 400 rows, 200 features that come in 20 blocks of ten; within a block they correlate by 0.9. Six features of six blocks make the
# outcome.

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
# How far to search
# -----------------
#
# ``search="fast"`` is one descent; ``"auto"``, the default, goes on where chosen features have close rivals; ``"thorough"`` goes on in
# any case, and longer. ``times_found`` of ``n_rounds + 1`` descents ended at the answer: many of them, and it is settled; one of
# them, and a longer search may find better.

for search in ("fast", "auto", "thorough"):
    result = ksparse.fit(X, y, 6, ridge=1e-4, search=search)
    found = f"found {result.times_found} times in {result.n_rounds + 1} descents"
    print(f"{search:9s}  F = {result.objective:.6f}  {result.support.tolist()}  {found}")
print("truth                    ", truth.tolist(), f"  F = {ksparse.fit(X[:, truth], y, 6, ridge=1e-4).objective:.6f}")

# %%
# The answer has a lower objective than the truth: with features so alike, the sample prefers some neighbour. All six are
# from the right blocks, or they are not; that is what one can hope to learn.

print("blocks of the answer:", (result.support // size).tolist(), "  of the truth:", (truth // size).tolist())

# %%
# Alternatives
# ------------
#
# For each chosen feature, the best to take its place, refitted exactly, with the rise of F. 0.001 of F over 400 rows is 0.4 of
# log-likelihood: no reader should care which of those two was chosen.

alternatives = result.alternatives(5)
print(alternatives)
print("of the same block:", np.mean(alternatives.stand_in // size == alternatives.feature // size))

figure, axes = plt.subplots(figsize=(6.5, 4), layout="constrained")
for place, feature in enumerate(result.support):
    rise = n * alternatives.increase[alternatives.feature == feature]
    axes.plot(rise, np.full(len(rise), place), "o", color="0.1", markerfacecolor="0.6")
axes.set_yticks(np.arange(len(result.support)), [f"feature {j}" for j in result.support])
axes.invert_yaxis()
axes.axvline(2, color="0.7", linewidth=0.8)
axes.set(xlabel="rise of n F (log-likelihood lost) with a stand-in; the line is at 2", xlim=(0, None))
plt.show()

# %%
# Stability
# ---------
#
# Fits on 200 random halves of the rows (Meinshausen and Bühlmann, JRSS B 2010). Features that replace each other show as bars
# that share their height, and in ``together`` as pairs that are seldom chosen at once.

stability = ksparse.stability_selection(X, y, 6, rounds=200, ridge=1e-4, n_jobs=-1)
ksparse.StabilityDisplay.from_result(stability, n=20, threshold=0.6)
plt.show()
print("chosen in at least 60 % of the rounds:", stability.stable(0.6).tolist())
print("rivals:", [(a, b, round(gap, 2)) for a, b, gap in stability.rivals(4)])

# %%
# By block the picture is firm again: how often each block is represented.

by_block = np.array([[np.isin(b, support // size) for b in range(blocks)] for support in stability.supports]).mean(axis=0)
figure, axes = plt.subplots(figsize=(6.5, 3.2), layout="constrained")
axes.bar(np.arange(blocks), by_block, color=["0.3" if b in truth // size else "0.85" for b in range(blocks)], edgecolor="0.3")
axes.set(xlabel="block of features (dark: in the truth)", ylabel="share of rounds", xticks=np.arange(blocks), ylim=(0, 1.03))
plt.show()

# %%
# Intervals
# ---------
#
# Bootstrap rounds are columns of weights, and each chooses anew. A feature that fewer than 97.5 % of the rounds chose has an interval
# that reaches 0, however large its coefficient: with features so alike, most of the uncertainty is that of the choice.

counts = rng.multinomial(n, np.full(n, 1 / n), size=200).T.astype(np.uint8)
bootstrap = ksparse.fit_many(X, y, 6, sample_weight=counts, ridge=1e-4, search="fast", n_jobs=-1)
ksparse.CoefficientDisplay.from_result(result, intervals=bootstrap)
plt.show()

# %%
# To report: the support, the stand-ins that cost next to nothing, and the frequency of each block. If the blocks are known
# beforehand, ``groups`` makes them the unit of choice.

"""
Thousands of outcomes over one X
================================

One table of features and 2000 outcomes: diagnoses of patients, items bought by customers, genes switched on. :func:`ksparse.fit_many` fits
a sparse model for each, and reads X once for all that wait for it.
"""

# %%
# 800 rows, 300 features; each outcome depends on three features of its own, more or less strongly. One outcome
# never occurs, and one has a missing value, as happens.

import warnings

import ksparse
import matplotlib.pyplot as plt
import numpy as np
from scipy.special import expit, logit

rng = np.random.default_rng(0)
n, p, m = 800, 300, 2000
X = np.asfortranarray(rng.standard_normal((n, p)))
truth = np.array([rng.choice(p, 3, replace=False) for _ in range(m)])
effects = rng.choice([-1.0, 1.0], (m, 3)) * rng.uniform(0.1, 1.0, (m, 3))
eta = np.stack([X[:, features] @ effect for features, effect in zip(truth, effects, strict=True)], axis=1)
Y = (rng.random((n, m)) < expit(eta + logit(rng.uniform(0.03, 0.5, m)))).astype(float)
Y[:, 7] = 0.0
Y[12, 8] = np.nan

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    batch = ksparse.fit_many(X, Y, k=3, search="fast", n_jobs=-1)
print(caught[0].message)

# %%
# The two bad outcomes fail alone, and say why. The rest are arrays with an entry per outcome; ``coefs`` is sparse.

print(batch[:10])
print(batch.messages)
print("coefficients held:", batch.coefs.nnz, "of", batch.coefs.shape[0] * batch.coefs.shape[1])

# %%
# As a table, and one outcome as a single result, the same as :func:`ksparse.fit` gives:

print(batch.to_frame()[["n_chosen", "features", "objective", "status"]].head(4).to_string())
alone = ksparse.fit(X, Y[:, 0], k=3, search="fast")
print(
    "same support:", np.array_equal(alone.support, batch[0].support), "  same objective:", alone.objective == batch[0].objective
)

# %%
# How often the features of the truth are found depends on how strong they are, and on how rare the outcome is: three features of
# 300 are chosen from 800 rows.

converged = np.flatnonzero(batch.converged)
found = np.stack([np.isin(truth[i], batch.supports[i]) for i in converged])
strength, rate = np.abs(effects[converged]), Y[:, converged].mean(axis=0)
edges = np.linspace(0.1, 1.0, 10)
figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
rare = rate < np.median(rate)
for rows, label, marker, style in ((rare, "rarer half", "s", "--"), (~rare, "more frequent half", "o", "-")):
    place = np.digitize(strength[rows], edges[1:-1])
    share = [found[rows][place == b].mean() for b in range(len(edges) - 1)]
    label = f"{label} of the outcomes ({rate[rows].mean():.0%} on average)"
    axes.plot((edges[:-1] + edges[1:]) / 2, share, marker=marker, linestyle=style, color="0.1", label=label)
axes.set(xlabel="size of the coefficient in the truth (log-odds per standard deviation)", ylabel="share found", ylim=(0, 1.25))
axes.legend(frameon=False, loc="upper left")
plt.show()

# %%
# Bootstrap rounds and folds are weights
# --------------------------------------
#
# The same call takes one outcome and a column of weights per problem. Counts as ``uint8`` take one byte each. Here the bootstrap
# distribution of one model's coefficients, the choice of the features included.

outcome = Y[:, 0]
rounds = 500
counts = np.empty((n, rounds), dtype=np.uint8, order="F")
for r in range(rounds):
    counts[:, r] = np.bincount(rng.integers(n, size=n), minlength=n)
bootstrap = ksparse.fit_many(X, outcome, k=3, sample_weight=counts, search="fast", n_jobs=-1)
frequency = (bootstrap.coefs != 0).sum(axis=0) / rounds
often = np.argsort(-frequency, kind="stable")[:8]
print("feature:", often.tolist(), " chosen in:", np.round(frequency[often], 3).tolist(), " truth:", sorted(truth[0].tolist()))

figure, axes = plt.subplots(figsize=(6.5, 4), layout="constrained")
values = [bootstrap.coefs[:, [j]].toarray().ravel() for j in often]
axes.boxplot(
    [v[v != 0] for v in values], orientation="horizontal", whis=(2.5, 97.5), showfliers=False, medianprops={"color": "0.0"}
)
axes.axvline(0, color="0.7", linewidth=0.8)
axes.set_yticks(np.arange(1, len(often) + 1), [f"feature {j}, in {frequency[j]:.1%}" for j in often])
axes.invert_yaxis()
axes.set(xlabel="coefficient where chosen: quartiles, and 2.5 % to 97.5 %")
plt.show()

# %%
# A box shows the rounds that chose the feature, and these are the rounds in which it looked strong. Of features that are seldom
# chosen the box is therefore too far from zero.

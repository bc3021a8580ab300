"""
Thousands of outcomes over one X
================================

There is one table of features and there are 2000 outcomes, for example the diagnoses of patients or the items that customers bought.
:func:`ksparse.fit_many` fits a sparse model for each outcome, and the models share the passes over X.
"""

# %%
# We simulate 800 rows and 300 features. Each outcome depends on three features, with effects of different sizes. One outcome never occurs, and
# another one has a missing value.

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
# The two bad outcomes do not affect the others, and ``messages`` says what is wrong with them. The attributes of the result are arrays with one
# entry per outcome; ``coefs`` is sparse.

print(batch[:10])
print(batch.messages)
print("coefficients stored:", batch.coefs.nnz, "of", batch.coefs.shape[0] * batch.coefs.shape[1])

# %%
# The result can be converted to a data frame. The result for a single outcome is the same as that of :func:`ksparse.fit`:

print(batch.to_frame()[["n_chosen", "features", "objective", "status"]].head(4).to_string())
alone = ksparse.fit(X, Y[:, 0], k=3, search="fast")
print(
    "same support:", np.array_equal(alone.support, batch[0].support), "  same objective:", alone.objective == batch[0].objective
)

# %%
# How often the true features are found depends on how strong their effects are and on how rare the outcome is.

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
# :func:`ksparse.fit_many` also accepts a single outcome and one column of weights per problem. Counts of type ``uint8`` need one byte each. Here we
# compute the bootstrap distribution of the coefficients of one model, including the choice of the features.

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
# A box shows only the rounds in which the feature was chosen, and a feature is chosen when it looks strong. The boxes of features that are seldom
# chosen are therefore too far from zero.

"""
Rare events: when the focal loss helps, and when it does not
============================================================

With 2 to 4 % positives a classifier that says "positive" above probability 1/2 says it too seldom. Class weights, the focal loss
and a tuned threshold are three answers. They are compared here on three kinds of simulated data, by what they do to the ranking of the
rows (average precision) and to the decision (F1 at 1/2, F1 at a tuned threshold).
"""

# %%
# Three kinds of data
# -------------------
#
# All have three features of 30 that matter. In the first the log-odds are linear, as both models assume. In the second
# they rise slowly among the safe rows and steeply among the risky ones, as a curve of third degree. The third is the first with
# steeper log-odds and 0.5 % of the labels wrong.

import matplotlib.pyplot as plt
import numpy as np
from ksparse import KSparseClassifier
from scipy.special import expit
from sklearn.metrics import average_precision_score, make_scorer
from sklearn.model_selection import TunedThresholdClassifierCV


def simulate(kind, n, rng):
    """Rows, labels."""
    X = np.asfortranarray(rng.standard_normal((n, 30)))
    score = X[:, :3] @ np.array([1.5, -1.2, 1.0])
    if kind == "linear":
        y = rng.random(n) < expit(score - 5.2)
    elif kind == "steep":
        y = rng.random(n) < expit(0.08 * (score - 4.0) ** 3 + 0.5 * (score - 4.0) - 1.0)
    else:
        y = (rng.random(n) < expit(1.6 * score - 8.0)) ^ (rng.random(n) < 0.005)
    return X, y.astype(int)


def f1(y, label):
    """F1 of the rare class; scikit-learn's f1_score says the same and takes longer, with 100 thresholds to try."""
    return 2 * np.sum((y == 1) & (label == 1)) / max(1, np.sum(y == 1) + np.sum(label == 1))


kinds = ["linear", "steep", "wrong labels"]
settings = {"k": 3, "ridge": 1e-5, "search": "fast"}
models = {
    "cross entropy": KSparseClassifier(**settings),
    "balanced weights": KSparseClassifier(class_weight="balanced", **settings),
    "focal, α = 0.5": KSparseClassifier(loss="focal", alpha=0.5, **settings),
    "focal, α = 0.9": KSparseClassifier(loss="focal", alpha=0.9, **settings),
}

# %%
# One data set: where the threshold should be
# -------------------------------------------
#
# F1 on new rows against the threshold on ``predict_proba``. The curves are shifted against each other, and their peaks are
# about as high: the losses rank the rows about alike, and differ in what their 1/2 means.

rng = np.random.default_rng(0)
X, y = simulate("linear", 2000, rng)
X_new, y_new = simulate("linear", 20000, rng)
thresholds = np.linspace(0.01, 0.99, 99)
figure, axes = plt.subplots(figsize=(6.5, 4), layout="constrained")
# Cross entropy wide and light, since the focal loss at α = 0.5 lies on it.
styles = [("-", "0.7", 4), ("--", "0.1", 1.5), ("-.", "0.1", 1.5), (":", "0.1", 1.5)]
for (name, model), (style, grey, width) in zip(models.items(), styles, strict=True):
    probability = model.fit(X, y).predict_proba(X_new)[:, 1]
    scores = [f1(y_new, probability > threshold) for threshold in thresholds]
    axes.plot(thresholds, scores, linestyle=style, color=grey, linewidth=width, label=name)
axes.axvline(0.5, ymax=0.8, color="0.7", linewidth=0.8)
axes.set(xlabel="threshold on the probability", ylabel="F1 of the rare class, new rows", ylim=(0, 0.62))
axes.legend(frameon=False, ncols=2, loc="upper center")
plt.show()

# %%
# Many data sets
# --------------
#
# Eight of each kind, 2000 rows to learn from and 20,000 to judge. :class:`sklearn.model_selection.TunedThresholdClassifierCV` chooses
# the threshold by cross-validation on the rows to learn from; its ``estimator_`` is the model itself, at 1/2.

repeats = 8
results = np.empty((len(kinds), len(models), repeats, 3))
shares = []
for (i, kind), repeat in ((pair, repeat) for pair in enumerate(kinds) for repeat in range(repeats)):
    rng = np.random.default_rng([i, repeat])
    X, y = simulate(kind, 2000, rng)
    X_new, y_new = simulate(kind, 20000, rng)
    shares.append(y_new.mean())
    for j, model in enumerate(models.values()):
        tuned = TunedThresholdClassifierCV(model, scoring=make_scorer(f1)).fit(X, y)
        score = tuned.estimator_.decision_function(X_new)
        results[i, j, repeat] = (
            average_precision_score(y_new, score),
            f1(y_new, score > 0),
            f1(y_new, tuned.predict(X_new)),
        )

for i, kind in enumerate(kinds):
    print(
        f"{kind}: {np.mean(shares[i * repeats : (i + 1) * repeats]):.1%} positives; difference from cross entropy ± standard error"
    )
    print("                    average precision           F1 at 1/2                   F1 at a tuned threshold")
    for j, name in enumerate(models):
        mean = results[i, j].mean(axis=0)
        difference = results[i, j] - results[i, 0]
        error = difference.std(axis=0, ddof=1) / np.sqrt(repeats)
        cells = [f"{m:.3f} ({d:+.3f} ± {e:.3f})" for m, d, e in zip(mean, difference.mean(axis=0), error, strict=True)]
        print(f"  {name:16s}  " + "      ".join(cells))

# %%

figure, panels = plt.subplots(1, 3, figsize=(10, 4), sharey=True, layout="constrained")
for i, (axes, kind) in enumerate(zip(panels, kinds, strict=True)):
    for column, label, face, shift in ((1, "at 1/2", "white", -0.2), (2, "at a tuned threshold", "0.45", 0.2)):
        mean = results[i, :, :, column].mean(axis=1)
        error = results[i, :, :, column].std(axis=1, ddof=1) / np.sqrt(repeats)
        places = np.arange(len(models)) + shift
        axes.bar(places, mean, 0.38, yerr=error, capsize=3, color=face, edgecolor="0.1", label=label)
    axes.set_xticks(np.arange(len(models)), list(models), rotation=35, ha="right")
    axes.set_title(kind)
panels[0].set(ylabel="F1 of the rare class, mean ± s.e.")
panels[0].set_ylim(0, 0.62)
panels[0].legend(frameon=False, loc="upper left", fontsize="small")
plt.show()

# %%
# What one may conclude
# ---------------------
#
# - **The focal loss helps a decision at a fixed 1/2**, when ``alpha`` is above 1/2: ``alpha`` is a class weight, and moves the
#   decision as any class weight does. Which weight is best is a matter of the rate of positives and of what an error
#   costs: "balanced" is 20 to 40 here, and for F1 far too much.
# - **A tuned threshold does as much or more**, with any loss, and leaves cross entropy's probabilities honest. Compare the
#   filled bars with each other: what is left between the losses is small beside the differences between the open bars.
# - **The ranking is hardly touched** where labels are right: average precision differs by a few thousandths, within its standard
#   errors. Where labels are wrong, the focal loss and even more so large weights of the rare class cost some of it: rows that contradict
#   the model are what they look at hardest, and at times a feature of noise is chosen for their sake.
# - Many easy negatives are no reason for the focal loss in a linear model: cross entropy's slope on a row of probability
#   0.01 is already 0.01. The loss was made for detectors (Lin et al. 2017) with 100,000 easy candidates to an image and deep networks.
#
# So: begin with the logistic loss and a tuned threshold. Try ``gamma`` and ``alpha`` as what they are, two more numbers to be
# cross-validated by a score that matters (:class:`ksparse.KSparseClassifierCV` takes lists of both), and keep them if the gain is
# larger than its standard error.

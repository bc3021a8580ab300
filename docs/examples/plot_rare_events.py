"""
Rare events: when the focal loss helps, and when it does not
============================================================

If only 2 to 4 % of the rows are positive, a classifier that predicts "positive" for probabilities above 1/2 does so too seldom. Class weights,
the focal loss and a tuned threshold are three remedies. This example compares them on three kinds of simulated data, by the ranking of the rows
(average precision) and by the decisions (F1 at the threshold 1/2 and at a tuned threshold).
"""

# %%
# Three kinds of data
# -------------------
#
# In all three, 3 of 30 features matter. In the first, the log-odds are linear in the features, as the model assumes. In the second, the log-odds are
# a polynomial of degree three, which rises slowly for rows with a low risk and steeply for rows with a high risk. In the third, the log-odds are
# linear but steeper, and 0.5 % of the labels are wrong.

import matplotlib.pyplot as plt
import numpy as np
from ksparse import KSparseClassifier
from scipy.special import expit
from sklearn.metrics import average_precision_score, make_scorer
from sklearn.model_selection import TunedThresholdClassifierCV


def simulate(kind, n, rng):
    """Return X and y."""
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
    """Return F1 of the rare class, as scikit-learn's f1_score does, but faster for 100 thresholds."""
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
# One data set: the best threshold
# --------------------------------
#
# The picture shows F1 on new rows for all thresholds on ``predict_proba``. The curves are shifted, but their maxima are about the same: the losses
# rank the rows in almost the same way, and differ in what a probability of 1/2 means.

rng = np.random.default_rng(0)
X, y = simulate("linear", 2000, rng)
X_new, y_new = simulate("linear", 20000, rng)
thresholds = np.linspace(0.01, 0.99, 99)
figure, axes = plt.subplots(figsize=(6.5, 4), layout="constrained")
# The line of cross entropy is wide and light because that of the focal loss with α = 0.5 lies on it.
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
# We simulate eight data sets of each kind, with 2000 training rows and 20,000 test rows. :class:`sklearn.model_selection.TunedThresholdClassifierCV`
# chooses the threshold by cross-validation on the training rows. Its ``estimator_`` is the model with the threshold 1/2.

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
# Conclusions
# -----------
#
# - **The focal loss improves decisions at the fixed threshold 1/2** if ``alpha`` is above 1/2, because ``alpha`` is a class weight. The best weight
#   depends on the share of positives and on the costs of the errors. The balanced weight is 20 to 40 here, which is far too large for F1.
# - **A tuned threshold is at least as good**, with any loss, and it does not change the probabilities. With a tuned threshold (filled bars), the
#   differences between the losses are much smaller than at the threshold 1/2 (open bars).
# - **The ranking hardly changes** if the labels are correct: the average precision differs by a few thousandths, which is within its standard
#   errors. If some labels are wrong, the focal loss ranks the rows worse, and large weights of the rare class do so even more. Both give large
#   weights to rows that contradict the model, and sometimes choose a feature of noise because of them.
# - Many easy negative rows are not a reason to use the focal loss in a linear model, because the slope of cross entropy for a row with the
#   probability 0.01 is only 0.01. The focal loss was made for object detection with deep networks and 100,000 easy candidates per image (Lin et
#   al. 2017).
#
# Start with the logistic loss and a tuned threshold. ``gamma`` and ``alpha`` are two more parameters, which you can choose by cross-validation with a
# suitable score (:class:`ksparse.KSparseClassifierCV` accepts lists of both). Use them if the gain is larger than its standard error.

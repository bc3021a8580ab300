"""
Ten classes, a few features for each: handwritten digits
========================================================

With more than two classes :class:`ksparse.KSparseClassifier` fits each against the rest, with at most k features of its own: what
tells this class from all others. :class:`ksparse.KSparseSelector` hands the features of all classes to a model of another kind.
"""

# %%
# 1797 images of 8 × 8 pixels. Each digit gets four of the 64 pixels; the ten problems are answered together and share passes over
# X. A small ridge is needed: some digits can be told from the rest exactly, and then have no finite optimum without it.

import matplotlib.pyplot as plt
import numpy as np
from ksparse import KSparseClassifier, KSparseSelector
from sklearn.datasets import load_digits
from sklearn.feature_selection import SelectKBest, VarianceThreshold, f_classif
from sklearn.model_selection import RepeatedStratifiedKFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
model = KSparseClassifier(k=4, ridge=1e-3).fit(X_train, y_train)

for digit, support in zip(model.classes_, model.supports_, strict=True):
    print(digit, "pixels", ", ".join(f"({j // 8}, {j % 8})" for j in support))
print(f"{len(model.support_)} of 64 pixels used, accuracy on the test part {model.score(X_test, y_test):.3f}")

# %%
# The pixels of each digit on its mean image. Ink at a triangle that points up speaks for the digit, at one that points down against
# it; the larger the triangle, the larger the coefficient per standard deviation of the pixel. More than half speak against: ink in the
# middle is no part of a 0.

figure, axes = plt.subplots(2, 5, figsize=(8, 3.9), layout="constrained")
scale = X_train.std(axis=0)
for ax, digit, coef, support in zip(axes.flat, model.classes_, model.coef_, model.supports_, strict=True):
    ax.imshow(X_train[y_train == digit].mean(axis=0).reshape(8, 8), cmap="Greys", vmin=0, vmax=24)
    for j in support:
        marker, color = ("^", "white") if coef[j] > 0 else ("v", "black")
        size = 5 + 3 * np.sqrt(abs(coef[j]) * scale[j])
        ax.plot(j % 8, j // 8, marker, markersize=size, color=color, markeredgecolor="0.2")
    ax.set(title=str(digit), xticks=[], yticks=[])
handles = [
    plt.Line2D([], [], marker=marker, color=color, markeredgecolor="0.2", linestyle="", markersize=9)
    for marker, color in (("^", "white"), ("v", "black"))
]
figure.legend(
    handles, ["ink speaks for the digit", "ink speaks against it"], loc="outside lower center", ncols=2, frameon=False
)
plt.show()

# %%
# Probabilities of the classes are those of each against the rest, divided by their sum.

proba = model.predict_proba(X_test[:3])
print("digit", y_test[:3], " predicted", model.predict(X_test[:3]), " with probability", np.round(proba.max(axis=1), 2))

# %%
# Choose features, then any model
# -------------------------------
#
# A linear model of four pixels is not how one would read digits. A support vector machine sees curves and corners, and can be given
# the same pixels: in a pipeline the selector chooses them anew on every training part, and ``estimator_`` is the classifier that
# chose. Beside it, as many pixels by the F-test of each alone (:class:`sklearn.feature_selection.SelectKBest`), and all 64.

splits = list(RepeatedStratifiedKFold(n_splits=5, n_repeats=2, random_state=0).split(X, y))
everything = np.array([SVC().fit(X[train], y[train]).score(X[test], y[test]) for train, test in splits])
print("k  pixels   linear on k each   SVM on these   SVM, F-test   difference")
for k in (1, 2, 4, 8):
    rows = []
    for train, test in splits:
        pipeline = make_pipeline(KSparseSelector(k=k, ridge=1e-3), SVC()).fit(X[train], y[train])
        pixels = pipeline[-1].n_features_in_
        # The F-test takes no constant pixel, as those in the corners are.
        alone = make_pipeline(VarianceThreshold(), SelectKBest(f_classif, k=pixels), SVC()).fit(X[train], y[train])
        scores = [m.score(X[test], y[test]) for m in (pipeline[0].estimator_, pipeline, alone)]
        rows.append((pixels, *scores, scores[1] - scores[2]))
    mean, error = np.mean(rows, axis=0), np.std(rows, axis=0, ddof=1) / np.sqrt(len(rows))
    print(
        f"{k}  {mean[0]:5.1f}         {mean[1]:.3f}            {mean[2]:.3f}          {mean[3]:.3f}      {mean[4]:+.3f} ± {error[4]:.3f}"
    )
print(f"   64.0                          {everything.mean():.3f}")

# %%
# Accuracy, the mean of ten splits; the difference of the two selections with its standard error, which is too small, for the splits
# share rows. A bit more than half of the pixels do as well as all. But to the support vector machine pixels chosen together are
# hardly better than pixels that differ most one by one, by half a percentage point at most: they are the best for a model that is
# linear in them.

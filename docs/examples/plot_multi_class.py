"""
Ten classes, a few features for each: handwritten digits
========================================================

With more than two classes, :class:`ksparse.KSparseClassifier` fits each class against the rest, with at most k features per class.
:class:`ksparse.KSparseSelector` selects the features of all classes for another model.
"""

# %%
# The data are 1797 images of 8 × 8 pixels. For each digit, four of the 64 pixels are chosen. The ten problems are solved together and share the
# passes over X. A small ridge is needed because some digits can be separated from the rest without error, and there is then no finite optimum.

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
# The picture shows the chosen pixels of each digit on its mean image. Triangles that point up have positive coefficients: ink at this place makes
# the digit more likely. Triangles that point down have negative coefficients. A larger triangle means a larger coefficient per standard
# deviation of the pixel. More than half of the coefficients are negative; for example, a 0 has no ink in the middle.

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
    handles, ["ink makes the digit more likely", "ink makes it less likely"], loc="outside lower center", ncols=2, frameon=False
)
plt.show()

# %%
# The probabilities of the classes are the probabilities of each class against the rest, divided by their sum.

proba = model.predict_proba(X_test[:3])
print("digit", y_test[:3], " predicted", model.predict(X_test[:3]), " with probability", np.round(proba.max(axis=1), 2))

# %%
# Choose features, then any model
# -------------------------------
#
# A linear model with four pixels is not a good way to recognise digits. A support vector machine is not linear, and it can use the same pixels. In
# a pipeline, the selector chooses the pixels again on every training set, and ``estimator_`` is the classifier that chose them. For comparison,
# we choose the same number of pixels with an F-test of each pixel (:class:`sklearn.feature_selection.SelectKBest`), and also use all 64 pixels.

splits = list(RepeatedStratifiedKFold(n_splits=5, n_repeats=2, random_state=0).split(X, y))
everything = np.array([SVC().fit(X[train], y[train]).score(X[test], y[test]) for train, test in splits])
print("k  pixels   linear on k each   SVM on these   SVM, F-test   difference")
for k in (1, 2, 4, 8):
    rows = []
    for train, test in splits:
        pipeline = make_pipeline(KSparseSelector(k=k, ridge=1e-3), SVC()).fit(X[train], y[train])
        pixels = pipeline[-1].n_features_in_
        # The F-test is not defined for constant pixels, such as those in the corners.
        alone = make_pipeline(VarianceThreshold(), SelectKBest(f_classif, k=pixels), SVC()).fit(X[train], y[train])
        scores = [m.score(X[test], y[test]) for m in (pipeline[0].estimator_, pipeline, alone)]
        rows.append((pixels, *scores, scores[1] - scores[2]))
    mean, error = np.mean(rows, axis=0), np.std(rows, axis=0, ddof=1) / np.sqrt(len(rows))
    print(
        f"{k}  {mean[0]:5.1f}         {mean[1]:.3f}            {mean[2]:.3f}          {mean[3]:.3f}      {mean[4]:+.3f} ± {error[4]:.3f}"
    )
print(f"   64.0                          {everything.mean():.3f}")

# %%
# The table shows the mean accuracy over ten splits, and the difference between the two selections with its standard error. The standard error is
# too small because the splits share rows. Slightly more than half of the pixels are as good as all of them. For the support vector machine, the
# pixels that were chosen together are hardly better than the pixels of the F-test, by half a percentage point at most, because they were chosen
# for a linear model.

r"""
Calibrated probabilities from the focal loss
============================================

A model that was trained with the focal loss is under-confident: the sigmoid of its linear predictor, :math:`\sigma(\eta)`, is closer to 1/2
than the probability of class 1. :meth:`ksparse.KSparseClassifier.predict_proba` computes the probability with a closed formula. This example
compares both with the true probabilities of simulated data.
"""

# %%
# Where the formula comes from
# ----------------------------
#
# If the true probability is :math:`\pi`, the expected loss :math:`\pi\,\ell(\eta) + (1-\pi)\,\ell(-\eta)` has its minimum where its
# slope is 0, that is, where
#
# .. math:: \frac{\pi}{1-\pi} = \frac{\ell'(-\eta)}{\ell'(\eta)}.
#
# For the logistic loss the right side is :math:`e^\eta`. For the focal loss it is further away from 1, and for large :math:`\eta` it grows like
# :math:`e^{(\gamma+1)\eta}`, up to a factor that changes slowly. This is theorem 11 of Charoenphakdee et al., CVPR 2021. It holds if all rows have
# the same weight (``alpha=0.5``). Other values of ``alpha`` change the odds, as class weights do.

import matplotlib.pyplot as plt
import numpy as np
from ksparse import KSparseClassifier
from scipy.special import expit

eta = np.linspace(-4, 4, 401)
figure, axes = plt.subplots(figsize=(5.5, 4), layout="constrained")
for gamma, style in ((0.0, "-"), (1.0, "--"), (2.0, "-."), (5.0, ":")):
    # A model with one feature and the coefficient 1, in order to draw its probabilities.
    model = KSparseClassifier(k=1, loss="focal", gamma=gamma, fit_intercept=False)
    model.fit(np.array([[-1.0], [-1.0], [1.0], [1.0]]), [0, 1, 0, 1])
    model.coef_, model.support_ = np.array([[1.0]]), np.array([0])
    label = "γ = 0: the sigmoid" if gamma == 0 else f"γ = {gamma:g}"
    axes.plot(eta, model.predict_proba(eta[:, None])[:, 1], linestyle=style, color="0.1", label=label)
axes.set(xlabel="linear predictor η", ylabel="probability of class 1")
axes.legend(frameon=False)
plt.show()

# %%
# Simulated data with known probabilities
# ---------------------------------------
#
# There are 5000 training rows and 15,000 test rows. Three of 30 features matter, and the log-odds are linear in these features, as the logistic
# loss assumes. The log-odds of a focal model are not quite linear (see the picture above), so its probabilities are only an approximation here.

rng = np.random.default_rng(0)
n, p = 20000, 30
coef = np.zeros(p)
coef[[2, 11, 23]] = 1.0, -0.8, 0.6
X = rng.standard_normal((n, p))
truth = expit(X @ coef - 1.0)
y = (rng.random(n) < truth).astype(int)
train, test = slice(0, n // 4), slice(n // 4, n)


def expected_calibration_error(probability, outcome, bins=15):
    """Mean distance between predicted probability and share of positives, over bins with equal numbers of rows."""
    order = np.argsort(probability, kind="stable")
    parts = np.array_split(order, bins)
    return sum(len(part) * abs(probability[part].mean() - outcome[part].mean()) for part in parts) / len(order)


def probabilities_of(model):
    """Return the sigmoid and predict_proba on the test rows."""
    sigmoid = expit(model.decision_function(X[test]))
    return sigmoid, model.predict_proba(X[test])[:, 1]


print("           mean |forecast - P(y=1|x)|           expected calibration error")
print("gamma      sigmoid   predict_proba   ratio      sigmoid   predict_proba   ratio")
forecasts = {}
for gamma in (0.0, 1.0, 2.0, 5.0):
    model = KSparseClassifier(k=3, loss="focal", gamma=gamma).fit(X[train], y[train])
    forecasts[gamma] = probabilities_of(model)
    distance = [np.abs(forecast - truth[test]).mean() for forecast in forecasts[gamma]]
    error = [expected_calibration_error(forecast, y[test]) for forecast in forecasts[gamma]]
    print(
        f"{gamma:5.0f}      {distance[0]:.4f}    {distance[1]:.4f}         {distance[0] / distance[1]:5.1f}"
        f"      {error[0]:.4f}    {error[1]:.4f}         {error[0] / error[1]:5.1f}"
    )

# %%
# The reliability diagram for :math:`\gamma = 2` shows the share of positives among rows with similar predictions. The histogram below shows
# that the values of the sigmoid stay close to the middle.

figure, (top, bottom) = plt.subplots(2, 1, figsize=(5.5, 6), height_ratios=[3, 1], sharex=True, layout="constrained")
top.plot([0, 1], [0, 1], color="0.6", linewidth=0.8)
for forecast, name, marker, face in zip(forecasts[2.0], ("σ(η)", "predict_proba"), ("s", "o"), ("white", "0.1"), strict=True):
    parts = np.array_split(np.argsort(forecast, kind="stable"), 15)
    means = [forecast[part].mean() for part in parts]
    shares = [y[test][part].mean() for part in parts]
    top.plot(means, shares, marker=marker, color="0.1", markerfacecolor=face, linewidth=0.8, label=name)
    filled = face != "white"
    bottom.hist(
        forecast,
        np.linspace(0, 1, 41),
        histtype="stepfilled" if filled else "step",
        color="0.75" if filled else "0.1",
        label=name,
    )
top.set(ylabel="share of positives")
top.legend(frameon=False)
bottom.set(xlabel="predicted probability", ylabel="rows", xlim=(0, 1))
bottom.legend(frameon=False, fontsize="small")
plt.show()

# %%
# The formula does not change ``decision_function`` or ``predict``, because it is increasing and maps 1/2 to 1/2.

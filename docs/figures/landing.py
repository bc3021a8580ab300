"""The picture of the landing page: models with few features out of 1000, by ksparse and by an L1 penalty."""

import ksparse
import matplotlib.pyplot as plt
import numpy as np
from scipy.signal import lfilter
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

rng = np.random.default_rng(3)
p, correlation, truth = 1000, 0.6, np.array([100, 300, 500, 700, 900])


def simulate(n):
    """Return an autoregressive design, and labels from five of its features."""
    noise = rng.standard_normal((n, p))
    noise[:, 1:] *= np.sqrt(1 - correlation**2)
    X = lfilter([1.0], [1.0, -correlation], noise, axis=1)
    eta = X[:, truth] @ np.array([1.6, -1.4, 1.2, -1.0, 0.8])
    return np.asfortranarray(X), (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(int)


X, y = simulate(400)
X_new, y_new = simulate(5000)
ks = range(1, 13)
path = ksparse.fit_path(X, y, ks, ridge=1e-2)
ours = [log_loss(y_new, path.at(k).predict_proba(X_new)) for k in ks]

l1 = {}  # from the number of features to the log loss on new rows
for strength in np.geomspace(0.02, 0.2, 60):
    model = LogisticRegression(C=strength, l1_ratio=1.0, solver="liblinear", tol=1e-6).fit(X, y)
    size = np.count_nonzero(model.coef_)
    if size:
        l1[size] = log_loss(y_new, model.predict_proba(X_new)[:, 1])

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
coefs = np.array([path.at(k).coef for k in ks])
for j in np.flatnonzero(np.any(coefs != 0, axis=0)):
    known = j in truth
    left.plot(
        list(ks), coefs[:, j], color="0.0" if known else "0.75", linewidth=1.8 if known else 1.0, zorder=2 if known else 1
    )
left.set(xlabel="number of features k", ylabel="coefficient", title="The five features that matter (black) come first")
right.plot(list(ks), ours, "o-", color="0.0", label="ksparse, best subset")
sizes = sorted(size for size in l1 if size <= 40)
right.plot(sizes, [l1[size] for size in sizes], "s--", color="0.5", markerfacecolor="white", label="L1 penalty")
right.set(xlabel="number of features", ylabel="log loss on new rows", title="Five features predict better than forty")
right.legend(frameon=False)

"""
Proofs: is this the best model, and which others are as good?
=============================================================

A search cannot tell whether a better model exists. This example proves that a model with three features is the best one, and then lists all models with
three features that are nearly as good.
"""

# %%
# The breast cancer data of scikit-learn have 30 measurements of 569 tumours, many of them strongly correlated. We standardise them, because the
# ridge penalty that a proof needs depends on the scale of the columns.

import ksparse
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer

data = load_breast_cancer(as_frame=True)
X = (data.data - data.data.mean()) / data.data.std(ddof=0)
y = 1 - data.target  # 1: malignant

result = ksparse.fit(X, y, k=3, ridge=0.01, certify=True)
print(result)

# %%
# The proof says that no model with at most three features has a lower objective. It was found by branch and bound: each node fixes some features
# in or out of the model, and a lower bound for all models of the node excludes most of them at once.

print(result.proof.n_nodes, "nodes instead of", 30 * 29 * 28 // 6, "models")

# %%
# A proof takes longer with a smaller ridge. ``max_nodes`` (or ``max_seconds``) limits the work. A proof that reaches the limit reports the remaining gap.

for ridge in (0.1, 0.01, 0.001, 0.0001):
    proof = ksparse.fit(X, y, k=3, ridge=ridge, certify=True, max_nodes=20_000).proof
    print(f"ridge {ridge:<7g} {proof.n_nodes:6d} nodes   gap {proof.gap:.1e}")

# %%
# The best model is not the only good one. ``near_optimal`` lists every model whose objective is at most 5 % above the best one.

models = ksparse.near_optimal(X, y, k=3, ridge=0.01, within=0.05)
print(models)

# %%
# The features that replace each other measure almost the same thing: the radius, the perimeter and the area of a tumour.

for first, second, times in models.replacements(5):
    print(f"{X.columns[first]} and {X.columns[second]} replace each other in {times} pair{'s' if times > 1 else ''} of models")

models.plot()
plt.show()
assert models.complete
assert np.isclose(models.objective[0], result.objective)

"""Least squares, whose objective is a quadratic function, so that its search may know more than others."""

import ksparse
import numpy as np
from scipy.linalg import hadamard


def orthogonal_problem(seed, n_features=127):
    """Columns that are orthogonal to each other and to the intercept, so that the best features are those of largest slope."""
    rng = np.random.default_rng(seed)
    X = hadamard(128)[:, 1 : 1 + n_features].astype(float)
    coef = np.zeros(n_features)
    coef[rng.choice(n_features, 8, replace=False)] = rng.permutation(np.arange(1.0, 9.0))
    return X, X @ coef + rng.standard_normal(128), coef


def test_no_refit_of_an_exchange_that_cannot_help():
    """The model of a scan is exact, so a support that it calls the best is not compared with its neighbours by refits."""
    X, y, coef = orthogonal_problem(0)
    result = ksparse.fit(X, y, 5, loss="squared", search="fast")
    assert set(result.support) == set(np.argsort(-np.abs(coef))[:5])
    assert result.n_refits == 7  # the empty support, one for each of five features, and the answer to the user's tolerance

"""k by a criterion: how far each k is searched for."""

import ksparse
import numpy as np
import pytest


def problem(seed, loss, n=150, p=60):
    """Five features that make y, and noise, of which each feature has many close rivals."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    eta = X[:, rng.choice(p, 5, replace=False)] @ rng.uniform(0.5, 1.0, 5)
    if loss == "squared":
        return X, eta + rng.standard_normal(n)
    if loss == "poisson":
        return X, rng.poisson(np.exp(0.5 * eta)).astype(float)
    return X, (rng.random(n) < 1 / (1 + np.exp(-2 * eta))).astype(float)


def estimator(loss, **settings):
    """Return an estimator for a loss."""
    kind = ksparse.KSparseClassifier if loss == "logistic" else ksparse.KSparseRegressor
    return kind(loss=loss, **settings)


@pytest.mark.parametrize("criterion", ["bic", "ebic"])
@pytest.mark.parametrize("loss", ["logistic", "squared", "poisson"])
def test_long_searches_are_for_k_that_may_be_chosen(loss, criterion):
    """The chosen fit is no worse than a fit of its k alone, all others no worse than those of a path; and that takes less work."""
    X, y = problem(1, loss)
    model = estimator(loss, k=criterion, k_max=12, search="auto").fit(X, y)
    chosen = model.result_.k
    assert model.objective_ <= estimator(loss, k=chosen, search="auto").fit(X, y).objective_ * (1 + 1e-9)
    fast = ksparse.fit_path(X, y, range(13), loss=loss, search="fast")
    assert (model.path_.objectives <= fast.objectives * (1 + 1e-9)).all()
    assert (np.diff(model.path_.objectives) <= 0).all()
    assert model.path_.ks.tolist() == [result.k for result in model.path_] == list(range(13))
    everywhere = ksparse.fit_path(X, y, range(13), loss=loss, search="auto")
    if criterion == "ebic":  # which is less flat about its minimum
        assert fast[0].n_refits < model.path_[0].n_refits < 0.75 * everywhere[0].n_refits
    assert model.path_.best(criterion).k == chosen
    assert everywhere.criterion(criterion).min() >= model.path_.criterion(criterion).min() - 1e-6


def test_a_perfect_fit_has_a_criterion():
    """A loss of 0, whose criterion is minus infinity, is chosen, and searched for."""
    rng = np.random.default_rng(0)
    X = rng.integers(-4, 5, (40, 6)).astype(float)
    with np.errstate(divide="ignore"):
        model = ksparse.KSparseRegressor(k="bic", k_max=4).fit(X, X[:, 2] - 2 * X[:, 4])
    assert model.support_.tolist() == [2, 4]

"""The order of the rows decides nothing, also where a scan of all features uses the Hessian of a sample of the rows."""

import ksparse
import numpy as np
import pytest


def clustered(seed, loss, n=4096, p=600):
    """Return columns in clusters of near-equals, of which ten have a say: a search has much to exchange."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    X[:, :300] = 0.3 * X[:, :300] + rng.standard_normal((n, 30))[:, rng.integers(0, 30, 300)]
    truth = rng.choice(300, 10, replace=False)
    eta = X[:, truth] @ rng.choice([-1.0, 1.0], 10)
    y = (eta + 3 * rng.logistic(size=n) > 0).astype(float) if loss == "logistic" else eta + 6 * rng.standard_normal(n)
    return X, y, truth


@pytest.mark.parametrize(
    ("seed", "loss", "scale"),
    [(0, "logistic", 5), (0, "squared", 30), (5, "logistic", 5), (5, "squared", 5), (6, "squared", 5)],
)
def test_rows_that_repeat_with_the_period_of_blocks(seed, loss, scale):
    """The sample was the first rows of every 512: columns on another scale there were misjudged, in this order of the rows alone."""
    X, y, truth = clustered(seed, loss)
    X[np.ix_(np.arange(len(y)) % 512 < 8, truth)] *= scale
    order = np.random.default_rng(1).permutation(len(y))
    results = [ksparse.fit(np.asfortranarray(X[rows]), y[rows], 10, loss=loss, search="fast") for rows in (slice(None), order)]
    np.testing.assert_array_equal(results[0].support, results[1].support)
    assert results[0].objective == pytest.approx(results[1].objective, rel=1e-9)


def with_far_rows(kind, seed, n=1024, p=600):
    """Return clustered columns, of which a few rows have most of the sum of squares."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    X[:, :300] = 0.3 * X[:, :300] + rng.standard_normal((n, 30))[:, rng.integers(0, 30, 300)]
    if kind == "ten rows":
        X[rng.choice(n, 10, replace=False)] *= 10
    elif kind == "half of five rows":
        X[np.ix_(rng.choice(n, 5, replace=False), rng.choice(p, 300, replace=False))] *= 30
    else:  # rows of a multivariate t distribution
        X /= np.sqrt(rng.chisquare(int(kind[1]), (n, 1)) / int(kind[1]))
    eta = X[:, rng.choice(300, 10, replace=False)] @ rng.choice([-1.0, 1.0], 10)
    return X, eta, np.median(np.abs(eta)), rng


@pytest.mark.parametrize(
    ("kind", "loss"), [("ten rows", "squared"), ("half of five rows", "squared"), ("t2", "squared"), ("t1", "logistic")]
)
def test_far_rows_that_dominate_many_columns(kind, loss):
    """Whether the sample held them was luck of the order, and the answers were up to 14 % apart.

    A few still differ, as they do without far rows where features that are foreseen to be about as good compete for the last places.
    """
    different = 0
    for seed in range(16):
        X, eta, scale, rng = with_far_rows(kind, seed)
        if loss == "logistic":
            y = (eta + scale * rng.logistic(size=len(eta)) > 0).astype(float)
        else:
            y = eta + 2 * scale * rng.standard_normal(len(eta))
        orders = [np.arange(len(y)), rng.permutation(len(y)), rng.permutation(len(y))]
        values = [ksparse.fit(np.asfortranarray(X[rows]), y[rows], 10, loss=loss, search="fast").objective for rows in orders]
        different += max(values) > min(values) * (1 + 1e-6)
    assert different <= 3


def test_far_rows_are_read_alike_in_every_storage_and_in_batches():
    """The single rows of a sample are read one by one, and in a batch from blocks of X that its problems share."""
    X, eta, scale, rng = with_far_rows("ten rows", 1, n=2000)
    Y = eta[:, None] + scale * rng.standard_normal((len(eta), 5)) * [1, 1, 2, 2, 3]
    alone = [ksparse.fit(np.asfortranarray(X), y, 8, loss="squared", search="fast") for y in Y.T]
    by_rows = [ksparse.fit(np.ascontiguousarray(X), y, 8, loss="squared", search="fast") for y in Y.T]
    together = ksparse.fit_many(np.asfortranarray(X), Y, 8, loss="squared", search="fast")
    together_by_rows = ksparse.fit_many(np.ascontiguousarray(X), Y, 8, loss="squared", search="fast")
    for i, one in enumerate(alone):
        assert by_rows[i].objective == pytest.approx(one.objective, rel=1e-12)
        assert together[i].objective == pytest.approx(one.objective, rel=1e-12)
        assert together_by_rows[i].objective == pytest.approx(one.objective, rel=1e-12)

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

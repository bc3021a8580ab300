"""Sparse columns with many entries are summed by blocks of rows: the same fits as on the dense X."""

import ksparse
import numpy as np
import pytest
import scipy.sparse as sp


def problem(n, seed, density=0.2, p=14):
    g = np.random.default_rng([seed, n])
    X = np.where(g.random((n, p)) < density, g.standard_normal((n, p)).round(2), 0.0)
    X[:, 3] = 0.0  # a column without entries
    X[:, 4] = 0.0
    X[-1, 4] = 1.5  # one entry, in the last row
    X[:, 5] = 0.0
    X[:4000, 5] = g.standard_normal(4000)  # entries in the first rows only
    X[:, 6] = 0.0
    X[-4000:, 6] = g.standard_normal(4000)
    eta = X @ np.r_[1, -1, 0.5, np.zeros(3), 2, np.zeros(p - 7)] - 0.5
    return np.asfortranarray(X), (g.random(n) < 1 / (1 + np.exp(-eta))).astype(float)


@pytest.mark.parametrize("n", [16384, 40000, 40001, 65537])
@pytest.mark.parametrize("loss", ["logistic", "squared"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_fits_by_blocks_equal_those_of_a_dense_X(n, loss, dtype):
    X, y = problem(n, seed=1)
    X = X.astype(dtype)
    for k in (1, 5):
        dense = ksparse.fit(X, y, k=k, loss=loss, search="fast")
        sparse = ksparse.fit(sp.csc_matrix(X), y, k=k, loss=loss, search="fast")
        np.testing.assert_array_equal(dense.support, sparse.support)
        assert sparse.objective == pytest.approx(dense.objective, rel=1e-12)


def test_wide_panels_are_summed_by_blocks():
    g = np.random.default_rng(0)
    n, p = 30000, 150  # more columns than are summed together
    X = np.where(g.random((n, p)) < 0.05, g.standard_normal((n, p)), 0.0)
    y = (g.random(n) < 1 / (1 + np.exp(-2 * X[:, [7, 70, 149]].sum(axis=1)))).astype(float)
    sparse = ksparse.fit(sp.csc_matrix(X), y, k=3, search="fast")
    dense = ksparse.fit(X, y, k=3, search="fast")
    assert list(sparse.support) == [7, 70, 149]
    assert sparse.objective == pytest.approx(dense.objective, rel=1e-12)


@pytest.mark.parametrize("n", [5000, 40000])  # by columns in one piece, and by blocks
@pytest.mark.parametrize("storage", [sp.csc_matrix, sp.csr_matrix])
def test_threads_share_columns_without_changing_a_bit(n, storage):
    X, y = problem(n, seed=2, p=150)
    X = storage(X)
    one, two, three = (ksparse.fit(X, y, k=6, search="fast", n_jobs=jobs) for jobs in (1, 2, 3))
    assert one.objective == two.objective == three.objective
    np.testing.assert_array_equal(one.coef, two.coef)
    np.testing.assert_array_equal(one.coef, three.coef)

"""Tables whose columns all have two values are answered from distinct rows; the answers are those of any other table.

A constant offset of 0 changes nothing about a problem, but fits with an offset go over all rows: they are what fits without
one are compared with.
"""

import hypothesis.strategies as st
import ksparse
import numpy as np
import pytest
import scipy.sparse as sps
from hypothesis import given, settings
from ksparse.exceptions import ConvergenceWarning

LOSSES = ["logistic", "focal", "probit", "cloglog", "exponential", "squared_hinge", "huberised_hinge"]


def dummies(rng, n, p, scale=1.0):
    """Dummies of categories and cuts of a number, and labels that two columns and their product know something of."""
    third = p // 3
    categories = rng.integers(0, third + 1, n)[:, None] == np.arange(third)
    number = rng.standard_normal(n)
    cuts = number[:, None] > np.quantile(number, np.linspace(0.1, 0.9, third))
    rest = rng.random((n, p - 2 * third)) < rng.uniform(0.05, 0.95, p - 2 * third)
    X = np.column_stack([categories, cuts, rest]).astype(float)
    eta = 1.5 * X[:, 0] - 2 * X[:, third + 1] + 2 * X[:, -1] * X[:, -2]
    y = rng.random(n) < 1 / (1 + np.exp(-eta))
    return X * scale, y


def assert_same(a, b, rtol=1e-12):
    np.testing.assert_array_equal(a.support, b.support)
    np.testing.assert_allclose(a.objective, b.objective, rtol=rtol)
    np.testing.assert_allclose(a.coef, b.coef, rtol=1e-6, atol=1e-8)
    assert a.status == b.status


@pytest.mark.parametrize("loss", LOSSES)
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10**6), k=st.integers(0, 8), intercept=st.booleans(), weighted=st.booleans())
def test_answers_are_those_of_all_rows(loss, seed, k, intercept, weighted):
    rng = np.random.default_rng(seed)
    X, y = dummies(rng, 1200, 17)
    X = X * rng.uniform(0.5, 2, 17) + rng.standard_normal(17)
    weights = rng.integers(0, 4, len(y)).astype(float) if weighted else None
    bounds = (-0.5, 0.8) if seed % 3 == 0 else None
    arguments = {
        "loss": loss,
        "ridge": 1e-3,
        "fit_intercept": intercept,
        "sample_weight": weights,
        "search": "fast",
        "bounds": bounds,
    }
    found = ksparse.fit(X, y, k, **arguments)
    no_offset = np.zeros(len(y))
    # Both searches go the same way, unless two features are as good as each other.
    assert found.objective <= ksparse.fit(X, y, k, offset=no_offset, **arguments).objective * (1 + 1e-9)
    there = ksparse.fit(X, y, max(1, len(found.support)), always_in=found.support, offset=no_offset, **arguments)
    if len(there.support) == len(found.support):
        np.testing.assert_allclose(found.objective, there.objective, rtol=1e-10)


@pytest.mark.parametrize("storage", [np.ascontiguousarray, np.asfortranarray, np.float32, sps.csc_matrix, sps.csr_matrix])
def test_every_storage_has_the_same_answer(storage):
    X, y = dummies(np.random.default_rng(3), 3000, 30)
    assert_same(ksparse.fit(storage(X), y, 5), ksparse.fit(X, y, 5, offset=np.zeros(len(y))))


@pytest.mark.parametrize("scale", [1e-9, 1e9])
@pytest.mark.parametrize("centre", [0.0, 1e6])
def test_values_of_any_size(scale, centre):
    X, y = dummies(np.random.default_rng(4), 3000, 30)
    found = ksparse.fit((X + centre) * scale, y, 5)
    expected = ksparse.fit(X, y, 5)
    np.testing.assert_array_equal(found.support, expected.support)
    np.testing.assert_allclose(found.objective, expected.objective, rtol=1e-8)


@pytest.mark.parametrize("value", [0.5, 1e300])
def test_a_third_value_in_a_row_of_weight_0_does_not_count(value):
    X, y = dummies(np.random.default_rng(5), 2000, 30)
    weights = np.ones(len(y))
    weights[[7, 1999]] = 0
    spoilt = X.copy()
    spoilt[[7, 1999], 3] = value
    assert_same(ksparse.fit(spoilt, y, 4, sample_weight=weights), ksparse.fit(X[weights > 0], y[weights > 0], 4))


def test_a_third_value_late_in_a_column_is_seen():
    X, y = dummies(np.random.default_rng(6), 2000, 30)
    X[1999, 29] = 7.0
    assert_same(ksparse.fit(X, y, 5), ksparse.fit(X, y, 5, offset=np.zeros(len(y))))


def test_weights_are_repeated_rows():
    X, y = dummies(np.random.default_rng(7), 1500, 24)
    times = np.random.default_rng(8).integers(0, 4, len(y))
    weighted = ksparse.fit(X, y, 6, sample_weight=times)
    repeated = ksparse.fit(np.repeat(X, times, axis=0), np.repeat(y, times), 6)
    assert_same(weighted, repeated)


def test_paths_and_alternatives_are_those_of_all_rows():
    X, y = dummies(np.random.default_rng(9), 3000, 30)
    found, expected = (ksparse.fit_path(X, y, range(7), **arguments) for arguments in ({}, {"offset": np.zeros(len(y))}))
    for a, b in zip(found, expected, strict=True):
        assert a.objective <= b.objective * (1 + 1e-10)
    scores = [ksparse.fit(X, y, 4, **a).alternatives(3).increase for a in ({}, {"offset": np.zeros(len(y))})]
    np.testing.assert_allclose(*scores, rtol=1e-6, atol=1e-12)


def test_a_support_of_many_cells_is_answered_by_the_rows():
    rng = np.random.default_rng(10)
    X = (rng.random((2000, 40)) < 0.5).astype(float)
    y = rng.random(2000) < 1 / (1 + np.exp(-(X @ rng.standard_normal(40) * 0.5)))
    assert_same(ksparse.fit(X, y, 20), ksparse.fit(X, y, 20, offset=np.zeros(len(y))))


def test_separable_tables_are_found_to_be_so():
    X, y = dummies(np.random.default_rng(11), 2000, 24)
    X = np.column_stack([X, y])
    with pytest.warns(ConvergenceWarning, match="separable"):
        found = ksparse.fit(X, y, 1)
    assert found.status == "separable"
    np.testing.assert_array_equal(found.support, [24])


def mixed(rng, n, p):
    """Dummies and cuts beside three columns of many values, of which labels know something."""
    X, _ = dummies(rng, n, p)
    numbers = rng.standard_normal((n, 3)) + X[:, :3]
    eta = numbers[:, 0] - 1.5 * X[:, 4] + 2 * X[:, p // 2] * (numbers[:, 1] > 0)
    return np.column_stack([numbers[:, :2], X, numbers[:, 2]]), (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"sample_weight": np.arange(2000) % 3},
        {"offset": np.sin(np.arange(2000))},
        {"loss": "huber", "fit_intercept": False},
        {"loss": "poisson"},
        {"loss": "focal", "bounds": (-1, 1)},
    ],
    ids=["logistic", "sample_weight", "offset", "huber", "poisson", "focal"],
)
def test_dummies_beside_numbers_are_answered_as_any_columns(settings, order):
    """The objective is that of a fit of the chosen columns alone, of which there are too few for a table, and no exchange lowers it."""
    X, y = mixed(np.random.default_rng(12), 2000, 45)
    X = np.array(X, order=order)
    found = ksparse.fit(X, y, 5, ridge=1e-3, **settings)
    assert_same(found, ksparse.fit(np.array(X, order="F" if order == "C" else "C"), y, 5, ridge=1e-3, **settings), 1e-10)
    alone = {"offset": np.zeros(len(y)), **settings}
    for support in (found.support, *(np.setdiff1d(np.append(found.support, j), found.support[:1]) for j in (0, 9, 30))):
        exact = ksparse.fit(X[:, support], y, len(support), always_in=range(len(support)), ridge=1e-3, **alone).objective
        if support is found.support:
            np.testing.assert_allclose(found.objective, exact, rtol=1e-10)
        assert found.objective <= exact * (1 + 1e-10)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [bool, np.uint8])
def test_large_tables_of_bytes_have_the_answers_of_float64(order, dtype):
    """The answers of a large X of bytes whose rows differ are those of float64."""
    rng = np.random.default_rng(13)
    n, p = 60000, 300
    X = np.array(rng.random((n, p)) < rng.uniform(0.1, 0.9, p), dtype=dtype, order=order)
    if dtype is np.uint8:
        X = np.where(X, np.arange(p, dtype=np.uint8) % 5 + 4, np.arange(p, dtype=np.uint8) % 3).astype(dtype, order=order)
    eta = X[:, 3] / X[:, 3].max() - X[:, 7] / X[:, 7].max() + 0.5 * X[:, 200] / X[:, 200].max()
    y = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float)
    weights = None if dtype is bool else rng.integers(0, 3, n)
    found = ksparse.fit(X, y, 3, ridge=1e-3, search="fast", sample_weight=weights)
    assert_same(found, ksparse.fit(X.astype(float), y, 3, ridge=1e-3, search="fast", sample_weight=weights))
    np.testing.assert_array_equal(found.support, [3, 7, 200])

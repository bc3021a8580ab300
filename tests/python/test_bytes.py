"""X of booleans, uint8 or int8 is read in place, and its answers are those of the same numbers in float64."""

import ksparse
import numpy as np
import pytest
from reference import random_problem
from test_storage import handed_to_core

ORDERS = [np.ascontiguousarray, np.asfortranarray]
TYPES = [bool, np.uint8, np.int8]
orders = pytest.mark.parametrize("order", ORDERS, ids=["C", "F"])
types = pytest.mark.parametrize("dtype", TYPES)


def counts(seed, n, p, dtype):
    """Columns of whole numbers of many values (booleans: of two), and labels that some of them explain."""
    rng = np.random.default_rng(seed)
    signal = np.repeat(rng.standard_normal((n, p // 4 + 1)), 4, axis=1)[:, :p] + rng.standard_normal((n, p))
    low, high = (0, 1) if dtype is bool else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    X = np.clip(np.round(signal * (high - low) / 5 + (high + low) / 2), low, high).astype(dtype)
    eta = signal[:, 0] - signal[:, p // 2] + 0.5 * signal[:, -1]
    return X, (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float)


def assert_same(a, b):
    np.testing.assert_array_equal(a.support, b.support)
    np.testing.assert_allclose(a.objective, b.objective, rtol=1e-12)
    np.testing.assert_allclose(a.coef, b.coef, rtol=1e-8, atol=1e-12)
    assert (a.status, a.intercept) == (b.status, pytest.approx(b.intercept, rel=1e-8, abs=1e-10))


@orders
@types
@pytest.mark.parametrize(("n", "p", "k"), [(300, 20, 4), (2500, 150, 6), (127, 700, 3), (5, 1, 1), (700, 60, 55)])
def test_answers_are_those_of_float64(order, dtype, n, p, k, monkeypatch):
    """Tall and wide, with sampled scans and with matrix products for many columns, and X is not copied."""
    X, y = counts(n + p, n, p, dtype)
    y[:2] = 0, 1
    X = order(X)
    expected = ksparse.fit(order(X.astype(np.float64)), y, k, ridge=1e-3)
    before, seen = X.copy(), handed_to_core(monkeypatch)
    assert_same(ksparse.fit(X, y, k, ridge=1e-3), expected)
    assert np.shares_memory(seen[0], X)
    np.testing.assert_array_equal(X, before)


@orders
@types
@pytest.mark.parametrize(
    "settings",
    [
        {"sample_weight": np.arange(800) % 3},
        {"offset": np.linspace(-1, 1, 800)},
        {"loss": "squared"},
        {"loss": "focal", "fit_intercept": False},
        {"groups": np.arange(40) // 4},
        {"always_in": [7], "bounds": (0, None)},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_settings_apply_as_to_float64(order, dtype, settings):
    X, y = counts(3, 800, 40, dtype)
    assert_same(ksparse.fit(order(X), y, 3, ridge=1e-3, **settings), ksparse.fit(X.astype(float), y, 3, ridge=1e-3, **settings))


@types
def test_rows_and_columns_apart_are_read_in_place(dtype, monkeypatch):
    """Every second row, some columns, read-only, at any address."""
    X, y = counts(4, 400, 30, dtype)
    expected = ksparse.fit(X.astype(float), y, 3)
    rows, columns = np.zeros((800, 33), dtype), np.zeros((405, 90), dtype, order="F")
    rows[::2, 1:-2], columns[3:-2, ::3] = X, X
    rows.flags.writeable = False
    seen = handed_to_core(monkeypatch)
    for view in (rows[::2, 1:-2], columns[3:-2, ::3]):
        assert_same(ksparse.fit(view, y, 3), expected)
        assert np.shares_memory(seen[-1], view)


def test_every_byte_but_0_is_true():
    """NumPy reads memory that is viewed as booleans in this way."""
    X, y = counts(5, 500, 20, bool)
    odd = X.astype(np.uint8) * np.random.default_rng(0).integers(1, 256, X.shape).astype(np.uint8)
    for order in ORDERS:
        assert_same(ksparse.fit(order(odd).view(bool), y, 3), ksparse.fit(X.astype(float), y, 3))


@orders
@types
def test_paths_batches_and_folds(order, dtype):
    X, y = counts(6, 1500, 30, dtype)
    X, same = order(X), X.astype(float)
    for a, b in zip(ksparse.fit_path(X, y, range(5)), ksparse.fit_path(same, y, range(5)), strict=True):
        assert_same(a, b)
    Y = np.column_stack([y, 1 - y, X[:, 5] > X[:, 5].mean(), X[:, 9] > X[:, 9].mean()]).astype(float)
    flip = np.random.default_rng(1).random(Y.shape) < 0.2
    Y = np.where(flip, 1 - Y, Y)
    for a, b in zip(ksparse.fit_many(X, Y, 3), ksparse.fit_many(same, Y, 3), strict=True):
        np.testing.assert_array_equal(a.support, b.support)
        np.testing.assert_allclose(a.objective, b.objective, rtol=1e-12)
    a, b = (ksparse.KSparseClassifierCV(ks=[1, 2, 3], cv=3).fit(Z, y) for Z in (X, same))
    np.testing.assert_allclose(a.coef_, b.coef_, rtol=1e-8)


@orders
@types
def test_estimators_read_and_predict_as_for_float64(order, dtype, monkeypatch):
    """X reaches the core as it is, also through the checks of scikit-learn."""
    X, y = counts(7, 600, 25, dtype)
    expected = ksparse.KSparseClassifier(k=3).fit(X.astype(float), y)
    seen = handed_to_core(monkeypatch)
    model = ksparse.KSparseClassifier(k=3).fit(order(X), y)
    assert seen[-1].dtype == dtype
    np.testing.assert_allclose(model.predict_proba(order(X)), expected.predict_proba(X.astype(float)), rtol=1e-9)
    np.testing.assert_allclose(model.result_.decision_function(X), expected.decision_function(X.astype(float)), rtol=1e-8)
    assert str(model.summary(X, y)) == str(expected.summary(X.astype(float), y))


def test_frames_of_booleans_are_not_converted(monkeypatch):
    """A data frame of one such type reaches the core in that type, and one that is a single block in its memory."""
    pandas = pytest.importorskip("pandas")
    problem = random_problem(8, n=300, p=12)
    X = problem.X > 0
    seen = handed_to_core(monkeypatch)
    expected = ksparse.fit(X.astype(float), problem.y, 3)
    block = np.asfortranarray(X)
    frame = pandas.DataFrame(block, columns=[f"f{j}" for j in range(12)], copy=False)
    assert_same(ksparse.fit(frame, problem.y, 3), expected)
    assert np.shares_memory(seen[-1], block)
    dummies = pandas.get_dummies(pandas.DataFrame({"a": list("abcde") * 60, "b": list("xyz") * 100}))
    ksparse.fit(dummies, problem.y, 2)
    assert seen[-1].dtype == bool

"""Batches: each problem answered as it would be alone, and a bad one fails alone."""

from __future__ import annotations

import pickle

import ksparse
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st


def outcomes(seed: int, n: int = 120, p: int = 30, m: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """X, and m outcomes of two features each."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    X[:, 1::2] = 0.7 * X[:, ::2] + 0.7 * X[:, 1::2]
    eta = np.stack([X[:, rng.choice(p, 2, replace=False)] @ rng.choice([-1.0, 1.0], 2) for _ in range(m)], axis=1)
    return X, (rng.random((n, m)) < 1 / (1 + np.exp(-eta))).astype(float)


def assert_same(one: ksparse.FitResult, other: ksparse.FitResult, rel: float = 1e-10) -> None:
    assert one.support.tolist() == other.support.tolist()
    assert one.objective == pytest.approx(other.objective, rel=rel)
    assert one.status == other.status


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    loss=st.sampled_from(["logistic", "focal"]),
    p=st.sampled_from([8, 30, 150]),
    n_jobs=st.sampled_from([1, 2, 3]),
    order=st.sampled_from(["C", "F"]),
)
def test_batch_equals_single(seed, loss, p, n_jobs, order):
    """Problems share passes over X, but no arithmetic: a loop of single fits gives the same."""
    X, Y = outcomes(seed, p=p)
    X = np.asarray(X, order=order)
    rng = np.random.default_rng(seed)
    k, ridge = rng.integers(0, 5, 5), rng.choice([1e-3, 1e-1], 5)
    alpha, gamma = rng.uniform(0.2, 0.8, 5), rng.choice([0.5, 1.0, 2.0], 5)
    weights, offset = rng.integers(1, 4, (len(X), 5)), 0.3 * rng.standard_normal((len(X), 5))
    keywords = {"alpha": alpha, "gamma": gamma, "ridge": ridge, "sample_weight": weights, "offset": offset}
    batch = ksparse.fit_many(X, Y, k, loss=loss, n_jobs=n_jobs, **keywords)
    for i in range(5):
        own = {"sample_weight": weights[:, i], "offset": offset[:, i], "ridge": ridge[i], "alpha": alpha[i], "gamma": gamma[i]}
        alone = ksparse.fit(X, Y[:, i], int(k[i]), loss=loss, **own)
        assert_same(batch[i], alone)
        assert (batch[i].n_newton, batch[i].n_scans, batch[i].times_found) == (alone.n_newton, alone.n_scans, alone.times_found)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.int64, np.float32, np.float64, bool])
@pytest.mark.parametrize("order", ["C", "F"])
def test_counts_of_any_type_are_weights(dtype, order):
    """Bootstrap rounds of one outcome, as counts in the type that they come in, in either order."""
    X, Y = outcomes(3)
    counts = np.random.default_rng(0).integers(0, 2 if dtype is bool else 4, (len(X), 6)).astype(dtype, order=order)
    batch = ksparse.fit_many(X, Y[:, 0], 3, sample_weight=counts, ridge=1e-3)
    assert len(batch) == 6
    for i in range(6):
        rows = np.repeat(np.arange(len(X)), counts[:, i].astype(int))
        assert_same(batch[i], ksparse.fit(X[rows], Y[rows, 0], 3, ridge=1e-3), rel=1e-9)


def test_a_bad_problem_fails_alone():
    """One class, NaN, a label of 2, too large and negative k, weights of one class, a negative weight, alpha of 1."""
    X, Y = outcomes(1, m=10)
    good = ksparse.fit_many(X, Y, 3, ridge=1e-3, loss="focal")
    Y = Y.copy()
    Y[:, 1] = 1
    Y[7, 2] = np.nan
    Y[8, 3] = 2
    k, alpha, weights = np.full(10, 3), np.full(10, 0.5), np.ones_like(Y)
    k[4], k[5], alpha[8] = -2, -1, 1.0
    weights[Y[:, 6] == 0, 6] = 0
    weights[3, 7] = -1
    with pytest.warns(
        ksparse.ConvergenceWarning, match="8 of 10 problems did not converge .8 invalid_input.; the first is problem 1"
    ):
        batch = ksparse.fit_many(X, Y, k, alpha=alpha, sample_weight=weights, ridge=1e-3, loss="focal", n_jobs=2)
    assert batch.converged.tolist() == [True] + [False] * 8 + [True]
    for i in (0, 9):
        assert_same(batch[i], good[i])
    assert batch.messages == {
        1: "y has no row of class 0 with a positive weight; both classes are needed",
        2: "Y[7, 2] is nan; labels must be 0 or 1",
        3: "Y[8, 3] is 2.0; labels must be 0 or 1",
        4: "k must be >= 0, got -2",
        5: "k must be >= 0, got -1",
        6: "y has no row of class 0 with a positive weight; both classes are needed",
        7: "sample_weight[3] is -1.000000; weights must be finite and >= 0",
        8: batch.messages[8],
    }
    assert "alpha" in batch.messages[8]
    failed = batch[2]
    assert (failed.status, failed.advice, failed.support.size) == ("invalid_input", batch.messages[2], 0)
    assert np.isnan(failed.objective)
    assert not failed.converged
    assert (batch.predict(X)[:, 2] == -1).all()
    assert np.isnan(batch.predict_proba(X)[:, 2]).all()
    assert "Y[7, 2] is nan" in repr(batch)


def test_what_all_share_is_refused_at_once():
    """The message names the argument, what it was and what it must be."""
    X, Y = outcomes(1)
    n = len(X)
    cases = [
        ((X, Y, [1, 2]), {}, ValueError, r"Y has 5 columns but k has 2 entries"),
        ((X, Y[:, 0], [1, 2]), {"ridge": [0.0, 1.0, 2.0]}, ValueError, r"k has 2 entries but ridge has 3 entries"),
        ((X, Y, 2), {"sample_weight": np.ones((n, 4))}, ValueError, r"Y has 5 columns but sample_weight has 4 columns"),
        ((X, Y, 2), {"sample_weight": np.ones((n - 1, 5))}, ValueError, r"sample_weight has shape \(119, 5\)"),
        ((X, Y, 2), {"sample_weight": -np.ones(n)}, ValueError, r"sample_weight\[0\] is -1.0"),
        ((X, Y[:, :0], 2), {}, ValueError, r"at least one problem"),
        ((X, Y[:, 0], []), {}, (TypeError, ValueError), r"k "),
        ((X, Y[:50], 2), {}, ValueError, r"X has 120 rows but Y has shape \(50, 5\)"),
        ((X, Y.astype(str), 2), {}, TypeError, r"Y has dtype <U\d+; labels must be 0 and 1"),
        ((X, Y + 1, 2), {}, None, ""),
        ((X, Y[:, 0] + 1, 2), {}, ValueError, r"Y\[\d+\] is 2.0; labels must be 0 or 1"),
        ((X, Y, 2.5), {}, TypeError, r"k is 2.5; it must be an integer"),
        ((X, Y, 2), {"ridge": ["a"] * 5}, TypeError, r"ridge is \['a', .*; it must be a real number, or one per problem"),
        ((X, Y, 2), {"ridge": "a"}, TypeError, r"ridge is 'a'"),
        ((X, Y, 2), {"offset": np.full((n, 5), "a")}, TypeError, r"offset has dtype <U1"),
        ((X, Y, 2), {"loss": "hinge"}, ValueError, r"loss is 'hinge'"),
        ((X, Y, 2), {"n_jobs": 0}, ValueError, r"n_jobs"),
    ]
    for arguments, keywords, error, message in cases:
        if error is None:
            with pytest.warns(ksparse.ConvergenceWarning):
                assert not ksparse.fit_many(*arguments, **keywords).converged.any()
        else:
            with pytest.raises(error, match=message):
                ksparse.fit_many(*arguments, **keywords)
    bad = X.copy()
    bad[5, 7] = np.inf
    with pytest.warns(ksparse.ConvergenceWarning, match=r"X\[5, 7\] is not finite"):
        assert not ksparse.fit_many(bad, Y, 2).converged.any()


def test_slices_and_picks_are_results():
    """A slice, a mask and an array of numbers give batches of the same answers; numbers from the end count as in a list."""
    X, Y = outcomes(2)
    batch = ksparse.fit_many(X, Y, 2, ridge=1e-3)
    assert len(batch) == len(list(batch)) == 5
    assert_same(batch[-1], batch[4])
    for part, numbers in [(batch[1:4], [1, 2, 3]), (batch[np.array([4, 0])], [4, 0]), (batch[batch.k > 1], range(5))]:
        for got, i in zip(part, numbers, strict=True):
            assert_same(got, batch[i])
            assert got.alternatives(1).objective.min() >= got.objective
    with pytest.raises(IndexError):
        batch[5]
    copy = pickle.loads(pickle.dumps(batch))
    assert_same(copy[1], batch[1])
    assert copy.coefs.toarray().tolist() == batch.coefs.toarray().tolist()


def test_frames_name_features_and_problems():
    """Names of columns in the table and in the summary."""
    X, Y = outcomes(2)
    names = [f"gene {j}" for j in range(30)]
    batch = ksparse.fit_many(pd.DataFrame(X, columns=names), pd.DataFrame(Y, columns=list("abcde")), 2, always_in=["gene 3"])
    frame = batch.to_frame()
    assert list(frame.index) == list("abcde")
    assert all("gene 3" in features for features in frame["features"])
    assert repr(batch[1:2]).splitlines()[2].startswith("  b  ")


def test_predictions_are_those_of_single_fits():
    """Linear predictors, labels and probabilities, in columns."""
    X, Y = outcomes(4)
    batch = ksparse.fit_many(X, Y, 3, loss="focal", gamma=[0.0, 1.0, 2.0, 2.0, 5.0], ridge=1e-3)
    new = np.random.default_rng(9).standard_normal((7, 30))
    for i, single in enumerate(batch):
        np.testing.assert_allclose(batch.decision_function(new)[:, i], single.decision_function(new), atol=1e-12)
    assert ((batch.predict_proba(new) > 0.5) == (batch.predict(new) == 1)).all()
    with pytest.raises(ValueError, match="the fit had 30 features"):
        batch.predict(new[:, :5])


def test_groups_bounds_and_search_hold_in_a_batch():
    """Settings that all problems share are those of single fits."""
    X, Y = outcomes(5, p=40)
    keywords = {"groups": np.arange(40) // 4, "bounds": (0.0, None), "ridge": 1e-2, "search": "thorough", "max_rounds": 5}
    batch = ksparse.fit_many(X, Y, 2, n_jobs=2, **keywords)
    for i in range(5):
        alone = ksparse.fit(X, Y[:, i], 2, **keywords)
        assert_same(batch[i], alone)
        assert batch[i].groups.tolist() == alone.groups.tolist()
        assert (batch[i].coef >= 0).all()


def test_the_users_arrays_are_not_changed():
    """Read-only arrays do."""
    X, Y = outcomes(6)
    weights = np.ones(Y.shape, np.uint8)
    for array in (X, Y, weights):
        array.flags.writeable = False
    assert ksparse.fit_many(X, Y, 2, sample_weight=weights).converged.all()


@pytest.mark.parametrize("store", [sp.csr_array, sp.csc_matrix, sp.coo_array])
def test_a_sparse_indicator_is_read(store):
    """As KSparseMultiLabelClassifier takes it; it was refused for its type of integers. Vectors must be dense, and are told how."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 4))
    Y = (X[:, :2] + rng.logistic(size=(60, 2)) > 0).astype(int)
    right = ksparse.fit_many(X, Y, 2, ridge=1e-2)
    for dtype in (int, bool, float):
        got = ksparse.fit_many(X, store(Y.astype(dtype)), 2, ridge=1e-2)
        np.testing.assert_array_equal(got.coefs.toarray(), right.coefs.toarray())
    numbers = ksparse.fit_many(X, store(np.where(Y, X[:, :2], 0)), 2, loss="squared")
    np.testing.assert_array_equal(
        numbers.objectives, ksparse.fit_many(X, np.where(Y, X[:, :2], 0), 2, loss="squared").objectives
    )
    column = store(Y[:, :1])
    with pytest.raises(TypeError, match=r"y is a sparse \w+; it must be dense: pass y.toarray\(\)"):
        ksparse.fit(X, column, 2)
    with pytest.raises(TypeError, match=r"sample_weight is a sparse \w+; it must be dense: pass sample_weight.toarray\(\)"):
        ksparse.fit(X, Y[:, 0], 2, sample_weight=column)
    with pytest.raises(TypeError, match=r"offset is a sparse \w+; it must be dense"):
        ksparse.fit_many(X, Y, 2, offset=column)

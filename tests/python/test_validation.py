"""Bad input: refused before any work, by name, and the user's data untouched."""

import ksparse
import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse
from reference import random_problem

X = random_problem(0, n=30, p=4).X
Y = random_problem(0, n=30, p=4).y


def changed(array, place, value):
    copy = np.array(array, dtype=float)
    copy[place] = value
    return copy


BAD = [
    (
        {"X": pd.DataFrame(X).add_prefix("x").assign(x1="north")},
        TypeError,
        r"X has the column 'x1' of dtype (object|str); it must be real numbers.*encode categories",
    ),
    ({"X": pd.DataFrame(X).assign(day=pd.Timestamp("2026-01-01"))}, TypeError, r"X has the column 'day' of dtype datetime64"),
    ({"X": pd.DataFrame(X).assign(kind=pd.Categorical(Y))}, TypeError, "X has the column 'kind' of dtype category"),
    ({"X": pl.DataFrame({"a": X[:, 0], "b": ["north"] * 30})}, TypeError, "X has the column 'b' of dtype String"),
    (
        {"X": pd.DataFrame({"a": X[:, 0], "b": pd.array([1, None] * 15, dtype="Int64")})},
        ValueError,
        r"X\[1, 1\] \(column 'b'\) is nan; X must be finite, without NaN or infinity; fill in missing values first",
    ),
    ({"X": changed(X, (3, 2), np.nan)}, ValueError, r"X\[3, 2\] is nan"),
    ({"X": changed(X, (29, 0), np.inf)}, ValueError, r"X\[29, 0\] is inf"),
    ({"X": np.asfortranarray(changed(X, (0, 3), -np.inf))}, ValueError, r"X\[0, 3\] is -inf"),
    ({"X": changed(X, (3, 2), np.nan), "k": 0}, ValueError, r"X\[3, 2\] is nan"),
    ({"X": X[0]}, ValueError, r"X has shape \(4,\)"),
    ({"X": X[None]}, ValueError, r"X has shape \(1, 30, 4\)"),
    ({"X": np.empty((0, 4)), "y": []}, ValueError, r"X has shape \(0, 4\)"),
    ({"X": np.empty((30, 0))}, ValueError, r"X has shape \(30, 0\)"),
    (
        {"X": np.where(X < -2, "low", X.astype(object))},
        TypeError,
        r"X has dtype object; it must be .*, but \[\d+, \d\] is 'low'",
    ),
    ({"X": X.astype(str)}, TypeError, "X has dtype <U"),
    ({"X": X.astype(complex)}, TypeError, "X has dtype complex128"),
    ({"X": scipy.sparse.csr_matrix(X * 1j)}, TypeError, "X has dtype complex128; it must be real numbers"),
    ({"X": scipy.sparse.csc_array(X[:0])}, ValueError, "it must have at least one row and one column"),
    ({"y": Y[:-1]}, ValueError, r"X has 30 rows but y has shape \(29,\)"),
    ({"y": Y[:, None]}, ValueError, r"y has shape \(30, 1\)"),
    ({"y": changed(Y, 5, np.nan)}, ValueError, r"y\[5\] is nan"),
    ({"y": changed(Y, 5, np.inf)}, ValueError, r"y\[5\] is inf"),
    ({"y": 2 * Y - 1}, ValueError, r"y has values -1.0, 1.0; it must be binary"),
    ({"y": changed(Y, 5, 2)}, ValueError, "it must be binary"),
    ({"y": np.where(Y == 1, "a", "b")}, ValueError, "y has values 'a', 'b'; it must be binary"),
    ({"y": np.array([None] * 30)}, ValueError, r"y\[0\] is nan; y must be finite"),
    ({"y": np.zeros(30)}, ValueError, r"one class only \(all 0\)"),
    ({"y": np.ones(30)}, ValueError, r"one class only \(all 1\)"),
    ({"k": -1}, ValueError, "k is -1; it must be >= 0"),
    ({"k": True}, TypeError, "k is True; it must be an integer"),
    ({"k": np.True_}, TypeError, "it must be an integer"),
    ({"k": 2.0}, TypeError, "k is 2.0; it must be an integer"),
    ({"k": None}, TypeError, "k is missing; it must be given"),
    ({"ridge": 10**400}, ValueError, "ridge is too large for a float; it must be finite and >= 0"),
    (
        {"sample_weight": changed(np.ones(30), 17, -0.5)},
        ValueError,
        r"sample_weight\[17\] is -0.5; weights must be finite and >= 0",
    ),
    ({"sample_weight": changed(np.ones(30), 4, np.nan)}, ValueError, r"sample_weight\[4\] is nan"),
    ({"sample_weight": changed(np.ones(30), 4, np.inf)}, ValueError, r"sample_weight\[4\] is inf"),
    ({"sample_weight": np.zeros(30)}, ValueError, "sample_weight is zero for every row"),
    ({"sample_weight": Y}, ValueError, "zero for every row of class 0"),
    ({"sample_weight": 1 - Y}, ValueError, "zero for every row of class 1"),
    ({"sample_weight": np.ones(29)}, ValueError, r"X has 30 rows but sample_weight has shape \(29,\)"),
    ({"sample_weight": ["a"] * 30}, TypeError, "sample_weight has dtype"),
    ({"offset": changed(np.ones(30), 4, np.nan)}, ValueError, r"offset\[4\] is nan"),
    ({"offset": np.ones((30, 1))}, ValueError, r"offset has shape \(30, 1\)"),
    ({"loss": "hinges"}, ValueError, "loss is 'hinges'; it must be one of 'logistic', 'focal'"),
    ({"loss": None}, ValueError, "loss is None"),
    ({"alpha": 0.0}, ValueError, r"alpha is 0.0; it must be in \(0, 1\)"),
    ({"alpha": 1}, ValueError, "alpha is 1.0"),
    ({"alpha": np.nan}, ValueError, "alpha is nan"),
    ({"alpha": "half"}, TypeError, "alpha is 'half'"),
    ({"gamma": -1}, ValueError, "gamma is -1.0; it must be finite and >= 0"),
    ({"gamma": np.nan}, ValueError, "gamma is nan"),
    ({"gamma": np.inf}, ValueError, "gamma is inf"),
    ({"ridge": -1e-9}, ValueError, "ridge is -1e-09; it must be finite and >= 0"),
    ({"ridge": np.nan}, ValueError, "ridge is nan"),
    ({"tolerance": 0}, ValueError, "tolerance is 0.0; it must be finite and > 0"),
    ({"max_newton": 0}, ValueError, "max_newton is 0; it must be >= 1"),
    ({"max_newton": 2.5}, TypeError, "max_newton is 2.5"),
    ({"search": "deep"}, ValueError, "search is 'deep'; it must be one of 'auto', 'fast', 'thorough'"),
    ({"max_rounds": 0}, ValueError, "max_rounds is 0; it must be >= 1"),
    ({"start": [0, 99]}, ValueError, r"start\[1\] is 99; it must be at most \d+, the last feature"),
    ({"start": [0, 1, 2]}, ValueError, "start names 3 features but k is 2"),
    ({"walks": 0}, ValueError, "walks is 0; it must be"),
    ({"max_refits": 0}, ValueError, "max_refits is 0; it must be >= 1"),
    ({"max_refits": 2.5}, TypeError, "max_refits is 2.5; it must be an integer"),
    ({"max_seconds": 0}, ValueError, "max_seconds is 0.0; it must be finite and > 0, or None"),
    ({"max_seconds": np.nan}, ValueError, "max_seconds is nan"),
    ({"random_state": -1}, ValueError, "random_state is -1; it must be >= 0"),
    ({"random_state": "0"}, TypeError, "random_state is .0.; it must be an integer"),
    ({"fit_intercept": 1}, TypeError, "fit_intercept is 1; it must be True or False"),
]


@pytest.mark.parametrize(("arguments", "error", "message"), BAD)
def test_bad_input_is_named(arguments, error, message):
    """The message says what was and what must be."""
    everything = {"X": X, "y": Y, "k": 2, **arguments}
    before = {name: np.array(v, copy=True) for name, v in everything.items() if isinstance(v, np.ndarray)}
    with pytest.raises(error, match=message):
        ksparse.fit(**everything)
    for name, array in before.items():
        np.testing.assert_array_equal(everything[name], array)


def test_good_input_is_not_changed_and_not_kept():
    """Arrays are read; the result owns its own."""
    data, labels, weights, offset = X.copy(), Y.copy(), np.ones(30), np.zeros(30)
    for array in (data, labels, weights, offset):
        array.flags.writeable = False
    result = ksparse.fit(data, labels, 2, sample_weight=weights, offset=offset, ridge=1e-3)
    assert not np.shares_memory(result.coef, data)
    np.testing.assert_array_equal(data, X)


@pytest.mark.parametrize("labels", [Y.astype(int), Y.astype(bool), list(Y), Y.astype(np.float32), pd.Series(Y)])
def test_labels_of_any_numeric_kind(labels):
    """Zeros and ones, however they are stored."""
    np.testing.assert_array_equal(ksparse.fit(X, labels, 2, ridge=1e-3).coef, ksparse.fit(X, Y, 2, ridge=1e-3).coef)


def test_numpy_numbers_are_numbers():
    """As they come out of a grid."""
    result = ksparse.fit(X, Y, np.int32(2), ridge=np.float32(0.5), alpha=np.float64(0.5), gamma=np.int64(2))
    assert len(result.support) <= 2


def test_column_names_of_a_frame_are_kept():
    """And name the column in an error."""
    frame = pd.DataFrame(X.copy(), columns=["age", "dose", "weight", "height"])
    assert list(ksparse.fit(frame, Y, 2, ridge=1e-3).feature_names) == list(frame.columns)
    frame.loc[7, "dose"] = np.nan
    with pytest.raises(ValueError, match=r"X\[7, 1\] \(column 'dose'\) is nan"):
        ksparse.fit(frame, Y, 2)


def test_frames_of_mixed_columns_are_numbers():
    """Floats beside the booleans of pandas.get_dummies, and pandas' own types, whose common type is object."""
    flags = pd.DataFrame({"a": X[:, 0], "b": X[:, 1] > 0, "c": np.arange(30), "d": X[:, 3].astype(np.float32)})
    own = flags.assign(b=flags["b"].astype("boolean"), c=flags["c"].astype("Int64"), d=flags["d"].astype("Float32"))
    expected = ksparse.fit(flags.to_numpy(dtype=np.float64), Y, 2, ridge=1e-3)
    for frame in (flags, own, pl.DataFrame({name: flags[name].to_numpy() for name in flags})):
        before = frame.copy() if isinstance(frame, pd.DataFrame) else frame.clone()
        result = ksparse.fit(frame, Y, 2, ridge=1e-3)
        np.testing.assert_allclose(result.coef, expected.coef, rtol=1e-9)
        np.testing.assert_allclose(result.decision_function(frame), expected.decision_function(flags), rtol=1e-9)
        assert before.equals(frame)
    np.testing.assert_array_equal(ksparse._input.validation.check_design(flags[["b"]]), flags[["b"]])


def test_frames_of_other_columns_are_refused():
    """Coefficients belong to columns by their place: a frame in another order would be answered with nonsense."""
    frame = pd.DataFrame(X, columns=["age", "dose", "weight", "height"])
    other = frame[["age", "weight", "dose", "height"]]
    result = ksparse.fit(frame, Y, 3, ridge=1e-3, always_in=["dose", "weight"])
    batch = ksparse.fit_many(frame, np.column_stack([Y, 1 - Y]), 2, ridge=1e-3)
    card = result.scorecard()
    message = "column 1 of X is 'weight' but was 'dose' in the fit; X must have the same columns in the same order"
    for ask in (result.decision_function, batch.decision_function, batch.predict_proba, card.score):
        with pytest.raises(ValueError, match=message):
            ask(other)
        np.testing.assert_array_equal(ask(frame), ask(X))  # an array has no names
        with pytest.raises(ValueError, match=r"the fit had 4 features|X has no column of the name"):
            ask(frame.iloc[:, :1])
    wider = pd.concat([frame, frame.add_prefix("old ")], axis=1)
    np.testing.assert_array_equal(
        result.decision_function(wider), result.decision_function(frame)
    )  # by the names of its columns
    np.testing.assert_array_equal(batch.decision_function(wider.iloc[:, :5]), batch.decision_function(frame))
    nameless = ksparse.fit(X, Y, 3, ridge=1e-3)
    for ask in (nameless.decision_function, nameless.scorecard().score):
        np.testing.assert_array_equal(ask(other), ask(other.to_numpy()))

"""One rule for what numbers are, whatever library the table is of and wherever it is given.

Numbers are floats, integers and booleans, as objects and in types with missing values as well. Dates, times, durations,
categories, text, decimals and other objects are refused by the name of their column, with what to do. What is missing is
named by its row.
"""

import datetime
import decimal
import fractions

import ksparse
import numpy as np
import pandas as pd
import polars as pl
import pytest
from ksparse import KSparseClassifier, KSparseClassifierCV, KSparseMultiLabelClassifier, KSparseRegressor, KSparseSelector

N = 40
RNG = np.random.default_rng(0)
X = RNG.standard_normal((N, 3))
y = (X[:, 0] - X[:, 1] + RNG.logistic(size=N) > 0).astype(int)
FLAG, COUNT = X[:, 2] > 0, RNG.integers(0, 5, N)
DAYS = [datetime.date(2024, 1, 1) + datetime.timedelta(days=i) for i in range(N)]
TEXT = ["1", "2"] * (N // 2)
DECIMALS = [decimal.Decimal(i) / 8 for i in range(N)]
FLOATS = np.column_stack([X[:, 0], FLAG, COUNT, X[:, 1]])

try:
    import pyarrow as pa
except ImportError:
    pa = None
needs_pyarrow = pytest.mark.skipif(pa is None, reason="pyarrow is not installed")


def entries():
    """Everything that takes X, by name."""
    return {
        "fit": lambda frame: ksparse.fit(frame, y, 2, ridge=1e-2),
        "fit_path": lambda frame: ksparse.fit_path(frame, y, [1, 2], ridge=1e-2),
        "fit_many": lambda frame: ksparse.fit_many(frame, y, 2, ridge=1e-2),
        "fit_each": lambda frame: list(ksparse.fit_each([(frame, y)], 2, ridge=1e-2, raise_errors=True)),
        "stability_selection": lambda frame: ksparse.stability_selection(frame, y, 2, rounds=3, ridge=1e-2),
        "KSparseClassifier": lambda frame: KSparseClassifier(2, ridge=1e-2).fit(frame, y),
        "KSparseClassifierCV": lambda frame: KSparseClassifierCV([1, 2], ridge=1e-2, cv=3).fit(frame, y),
        "KSparseMultiLabelClassifier": lambda frame: KSparseMultiLabelClassifier(2, ridge=1e-2).fit(frame, y),
        "KSparseRegressor": lambda frame: KSparseRegressor(2).fit(frame, y),
        "KSparseSelector": lambda frame: KSparseSelector(2, ridge=1e-2).fit(frame, y),
    }


class PlainFrame:
    """A table of a library that nobody knows, which says its columns by the data frame protocol and its numbers by NumPy's."""

    def __init__(self, frame):
        self._frame = frame

    @property
    def columns(self):
        """Names."""
        return list(self._frame.columns)

    @property
    def shape(self):
        """Rows and columns."""
        return self._frame.shape

    def __len__(self):
        return len(self._frame)

    def __getitem__(self, name):
        return self._frame[name].to_numpy()

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self._frame.to_numpy(), dtype=dtype)


def pandas_of(column):
    return pd.DataFrame({"a": X[:, 0], "b": column})


def polars_of(column):
    return pl.DataFrame({"a": X[:, 0]}).with_columns(pl.Series(column).alias("b"))


def arrow_of(column):
    return pa.table({"a": pa.array(X[:, 0]), "b": column})


def refused():
    """Columns that are no numbers, as each library holds them, and the cure that is named."""
    moments, spans = pd.to_datetime(pd.Series(DAYS)), [datetime.timedelta(hours=i) for i in range(N)]
    times = [datetime.time(i % 24) for i in range(N)]
    encode, turn, convert = "encode categories and text", "turn dates, times and durations into numbers", "convert decimals"
    yield from [
        ("pandas datetime", pandas_of(moments), turn),
        ("pandas datetime with zone", pandas_of(moments.dt.tz_localize("UTC")), turn),
        ("pandas duration", pandas_of(pd.to_timedelta(pd.Series(spans))), turn),
        ("pandas period", pandas_of(pd.period_range("2024-01", periods=N, freq="D")), turn),
        ("pandas interval", pandas_of(pd.interval_range(0, N)), ""),
        ("pandas category", pandas_of(pd.Categorical(TEXT)), encode),
        ("pandas category of numbers", pandas_of(pd.Categorical([0, 1] * (N // 2))), encode),
        ("pandas text", pandas_of(pd.Series(TEXT)), encode),
        ("pandas text as string", pandas_of(pd.Series(TEXT, dtype="string")), encode),
        ("pandas text as objects", pandas_of(pd.Series(TEXT, dtype=object)), encode),
        ("pandas objects, one of text", pandas_of(pd.Series([1.0] * (N - 1) + ["2"], dtype=object)), encode),
        ("pandas dates as objects", pandas_of(pd.Series(DAYS, dtype=object)), turn),
        ("pandas times as objects", pandas_of(pd.Series(times, dtype=object)), turn),
        ("pandas decimals", pandas_of(pd.Series(DECIMALS, dtype=object)), convert),
        ("pandas complex", pandas_of(pd.Series(np.ones(N, complex))), ""),
        ("pandas complex as objects", pandas_of(pd.Series([1j] * N, dtype=object)), ""),
        ("pandas NumPy durations as objects", pandas_of(pd.Series([np.timedelta64(1, "D")] * N, dtype=object)), turn),
        ("pandas lists", pandas_of(pd.Series([[1.0]] * N)), ""),
        ("pandas sparse text", pandas_of(pd.arrays.SparseArray(TEXT, fill_value="1")), encode),
        ("polars date", polars_of(DAYS), turn),
        ("polars datetime", polars_of(pl.Series(DAYS).cast(pl.Datetime)), turn),
        ("polars duration", polars_of(spans), turn),
        ("polars time", polars_of(times), turn),
        ("polars categories", polars_of(pl.Series(TEXT).cast(pl.Categorical)), encode),
        ("polars enum", polars_of(pl.Series(TEXT, dtype=pl.Enum(["1", "2"]))), encode),
        ("polars text", polars_of(TEXT), encode),
        ("polars decimals", polars_of(pl.Series(range(N)).cast(pl.Decimal(10, 2))), convert),
        ("polars lists", polars_of([[1.0]] * N), ""),
        ("plain datetime", PlainFrame(pandas_of(moments)), turn),
        ("plain text", PlainFrame(pandas_of(pd.Series(TEXT, dtype=object))), encode),
    ]
    if pa is not None:
        yield from [
            ("arrow date", arrow_of(pa.array(DAYS)), turn),
            ("arrow datetime", arrow_of(pa.array(moments)), turn),
            ("arrow duration", arrow_of(pa.array(spans)), turn),
            ("arrow time", arrow_of(pa.array(times)), turn),
            ("arrow dictionary", arrow_of(pa.array(TEXT).dictionary_encode()), encode),
            ("arrow dictionary of numbers", arrow_of(pa.array(COUNT).dictionary_encode()), encode),
            ("arrow text", arrow_of(pa.array(TEXT)), encode),
            ("arrow decimals", arrow_of(pa.array(DECIMALS)), convert),
            ("arrow batch of dates", arrow_of(pa.array(DAYS)).to_batches()[0], turn),
            ("pandas of arrow dates", pandas_of(pd.Series(DAYS, dtype=pd.ArrowDtype(pa.date32()))), turn),
            ("pandas of arrow decimals", pandas_of(pd.Series(DECIMALS, dtype=pd.ArrowDtype(pa.decimal128(10, 3)))), convert),
            ("pandas of arrow text", pandas_of(pd.Series(TEXT, dtype=pd.ArrowDtype(pa.string()))), encode),
        ]


REFUSED = list(refused())


@pytest.mark.parametrize(("frame", "cure"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_is_no_number_is_refused_by_its_column(frame, cure):
    """The same words in functions and estimators."""
    for name in ("fit", "KSparseClassifier", "KSparseRegressor"):
        with pytest.raises(TypeError, match=rf"^X has the column 'b' of dtype .*; it must be real numbers.*{cure}"):
            entries()[name](frame)
    model = KSparseClassifier(2, ridge=1e-2).fit(pandas_of(FLAG), y)
    with pytest.raises(TypeError, match="X has the column 'b' of dtype"):
        model.predict(frame)


@pytest.mark.parametrize("entry", entries().values(), ids=entries())
def test_every_entry_has_the_rule(entry):
    """Polars' dates were numbers everywhere, and text of digits in the estimators."""
    for column in (DAYS, TEXT):
        with pytest.raises(TypeError, match=r"X has the column 'b' of dtype .*; it must be real numbers"):
            entry(polars_of(column))
    with pytest.raises(TypeError, match=r"X is a LazyFrame, which is evaluated lazily; pass X\.collect\(\)"):
        entry(polars_of(COUNT).lazy())


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.array(TEXT * 2).reshape(N, 2), r"X has dtype <U1; it must be real numbers.*: encode"),
        ([[digit, "3"] for digit in TEXT], r"X has dtype <U1; it must be real numbers.*: encode"),
        (np.array(DAYS * 2, dtype="datetime64[D]").reshape(N, 2), r"X has dtype datetime64\[D\]; .*: turn dates"),
        (np.array([1] * 2 * N, dtype="timedelta64[s]").reshape(N, 2), r"X has dtype timedelta64\[s\]; .*: turn dates"),
        (
            np.array(DECIMALS * 2, dtype=object).reshape(N, 2),
            r"X has dtype object; .*\[0, 0\] is Decimal\('0'\).*: convert dec",
        ),
        ([[1.0, None], [2.0, "a"]] * (N // 2), r"X has dtype object; .*\[1, 1\] is 'a'"),
    ],
)
def test_arrays_and_lists_have_the_same_rule(values, message):
    """Without names the place is named."""
    for name in ("fit", "KSparseClassifier"):
        with pytest.raises(TypeError, match=message):
            entries()[name](values)


def numeric_frames():
    """Yield the columns of FLOATS in types that hold numbers."""
    plain = {"a": X[:, 0], "b": FLAG, "c": COUNT, "d": X[:, 1]}
    own = {"a": "Float64", "b": "boolean", "c": "Int64", "d": "float64"}
    frame = pd.DataFrame(plain)
    yield "pandas", frame
    yield "pandas own types", frame.astype(own)
    yield "pandas objects", frame.astype(object)
    yield "pandas in part sparse", frame.assign(b=pd.arrays.SparseArray(FLAG), c=pd.arrays.SparseArray(COUNT))
    yield "objects", frame.to_numpy(dtype=object)
    yield "lists", frame.to_numpy(dtype=object).tolist()
    yield "fractions", [[fractions.Fraction(value) for value in row] for row in FLOATS.tolist()]
    yield "masked, none missing", np.ma.masked_array(FLOATS, np.zeros(FLOATS.shape, bool))
    yield "polars", pl.DataFrame(plain)
    yield "polars small types", pl.DataFrame(plain).with_columns(pl.col("c").cast(pl.UInt8))
    yield "polars objects", pl.DataFrame({**plain, "c": pl.Series(COUNT.tolist(), dtype=pl.Object)})
    yield "plain", PlainFrame(frame.astype(float))
    if pa is not None:
        table = pa.table({name: pa.array(column) for name, column in plain.items()})
        yield "arrow", table
        yield "arrow batch", table.to_batches()[0]
        types = {"a": pa.float64(), "b": pa.bool_(), "c": pa.int64(), "d": pa.float64()}
        yield "pandas of arrow", frame.astype({name: pd.ArrowDtype(kind) for name, kind in types.items()})
    try:
        import narwhals
    except ImportError:
        return
    yield "narwhals", narwhals.from_native(pl.DataFrame(plain))


NUMERIC = list(numeric_frames())


@pytest.mark.parametrize("frame", [case[1] for case in NUMERIC], ids=[case[0] for case in NUMERIC])
def test_numbers_are_read_from_any_table(frame):
    """Functions, estimators and predictions see the same numbers."""
    expected = ksparse.fit(FLOATS, y, 3, ridge=1e-2)
    result = ksparse.fit(frame, y, 3, ridge=1e-2)
    np.testing.assert_allclose(result.coef, expected.coef, rtol=1e-9)
    np.testing.assert_allclose(result.decision_function(frame), expected.decision_function(FLOATS), rtol=1e-9)
    model = KSparseClassifier(3, ridge=1e-2).fit(frame, y)
    np.testing.assert_allclose(model.coef_[0], expected.coef, rtol=1e-9)
    np.testing.assert_allclose(model.decision_function(frame), expected.decision_function(FLOATS), rtol=1e-9)
    if isinstance(frame, (pd.DataFrame, pl.DataFrame)):  # scikit-learn does not ask all others for names
        assert list(model.feature_names_in_) == list(result.feature_names)
        assert result.feature_names[1] == "b"


def test_columns_of_one_name():
    """Are read by their place."""
    frame = pd.DataFrame({"a": X[:, 0], "b": FLAG, "c": COUNT, "d": X[:, 1]}).set_axis(["a", "b", "a", "d"], axis=1)
    for table in (frame, frame.astype({"b": "boolean"}), frame.astype(object)):
        result = ksparse.fit(table, y, 3, ridge=1e-2)
        np.testing.assert_allclose(result.coef, ksparse.fit(FLOATS, y, 3, ridge=1e-2).coef, rtol=1e-9)


def test_columns_whose_names_are_no_strings():
    """Have no names, as in scikit-learn; a message names the column all the same."""
    levels = pd.MultiIndex.from_product([["a"], ["b", "c", "d"]])
    for names in (levels, range(3), ["a", 1, "b"]):
        frame = pd.DataFrame(X).set_axis(names, axis=1)
        assert ksparse.fit(frame, y, 2, ridge=1e-2).feature_names is None
        label = repr(list(names)[1]).replace("(", r"\(").replace(")", r"\)")
        with pytest.raises(TypeError, match=f"X has the column {label} of dtype"):
            ksparse.fit(pd.concat([frame.iloc[:, :1], frame.iloc[:, 1:2].astype(str), frame.iloc[:, 2:]], axis=1), y, 2)


def missing_frames():
    """Numbers of which that in row 5, column 'b', is missing."""

    def gap(values, value=None):
        values = list(values)
        values[5] = value
        return values

    yield "pandas float", pandas_of(gap(X[:, 1], np.nan))
    yield "pandas Int64", pandas_of(pd.array(gap(COUNT), dtype="Int64"))
    yield "pandas Float64", pandas_of(pd.array(gap(X[:, 1]), dtype="Float64"))
    yield "pandas boolean", pandas_of(pd.array(gap(FLAG), dtype="boolean"))
    yield "pandas objects", pandas_of(pd.Series(gap(COUNT), dtype=object))
    yield "pandas objects, NA", pandas_of(pd.Series(gap(COUNT, pd.NA), dtype=object))
    yield "pandas sparse", pandas_of(pd.arrays.SparseArray(gap(X[:, 1] * FLAG, np.nan), fill_value=0.0))
    yield "pandas sparse, gaps between entries", pandas_of(pd.arrays.SparseArray(gap(X[:, 1], np.nan), fill_value=np.nan))
    yield "polars integers", polars_of(gap(COUNT.tolist()))
    yield "polars booleans", polars_of(gap(FLAG.tolist()))
    yield "polars objects", polars_of(pl.Series(gap(COUNT.tolist()), dtype=pl.Object))
    yield "plain", PlainFrame(pandas_of(gap(X[:, 1], np.nan)))
    if pa is not None:
        yield "arrow integers", arrow_of(pa.array(gap(COUNT.tolist())))
        yield "arrow booleans", arrow_of(pa.array(gap(FLAG.tolist())))
        yield "pandas of arrow", pandas_of(pd.Series(gap(FLAG.tolist()), dtype=pd.ArrowDtype(pa.bool_())))


MISSING = list(missing_frames())


@pytest.mark.parametrize("frame", [case[1] for case in MISSING], ids=[case[0] for case in MISSING])
def test_a_missing_entry_of_x_is_named(frame):
    """By row and column."""
    names = r" \(column 'b'\)"
    for name in ("fit", "fit_many", "KSparseClassifier", "KSparseRegressor"):
        with pytest.raises(ValueError, match=rf"X\[5, 1\]({names})? is nan") as caught, np.errstate(all="ignore"):
            entries()[name](frame) if name != "fit_many" else raise_first(entries()[name], frame)
        if name != "fit_many" and not isinstance(frame, PlainFrame):
            assert "(column 'b')" in str(caught.value)


def raise_first(entry, frame):
    """Raise what a batch says of its first problem."""
    with pytest.warns(ksparse.ConvergenceWarning):
        batch = entry(frame)
    raise ValueError(batch.messages[0].replace("not finite", "nan"))


def test_masks_are_missing_values():
    """A mask was dropped, and what lay below it was read: a code for what is missing, or what had been there."""
    mask = np.zeros(X.shape, bool)
    mask[7, 2] = True
    for masked in (np.ma.masked_array(X, mask), np.ma.masked_array(np.round(10 * X).astype(int), mask)):
        for name in ("fit", "KSparseClassifier", "KSparseRegressor"):
            with pytest.raises(ValueError, match=r"X\[7, 2\] is nan"):
                entries()[name](masked)
        result = KSparseClassifier(2, ridge=1e-2).fit(X, y)
        with pytest.raises(ValueError, match="Input X contains NaN"):
            result.predict(masked)
    row = mask[:, 2]
    for outcome in (y, y == 1, y.astype(float)):
        masked = np.ma.masked_array(outcome, row)
        with pytest.raises(ValueError, match=r"y\[7\] is nan"):
            ksparse.fit(X, masked, 2, ridge=1e-2)
        for name in (KSparseClassifier, KSparseRegressor, KSparseMultiLabelClassifier):
            with pytest.raises(ValueError, match=r"y\[7\] is missing"):
                name(2).fit(X, masked)
    with pytest.raises(ValueError, match=r"y\[7\] is missing"):
        KSparseClassifier(2).fit(X, np.ma.masked_array(np.where(y == 1, "a", "b"), row))
    ones = np.ma.masked_array(np.ones(N), row)
    for name in ("sample_weight", "offset"):
        with pytest.raises(ValueError, match=rf"{name}\[7\] is nan"):
            ksparse.fit(X, y, 2, ridge=1e-2, **{name: ones})
        with pytest.raises(ValueError, match=rf"{name}\[7\] is nan"):
            ksparse.fit_many(X, y, 2, ridge=1e-2, **{name: ones})
    with pytest.raises(ValueError, match=r"sample_weight\[7\] is missing"):
        KSparseClassifier(2).fit(X, y, sample_weight=ones)
    free = np.ma.masked_array(y, np.zeros(N, bool))
    assert ksparse.fit(X, free, 2, ridge=1e-2).objective == ksparse.fit(X, y, 2, ridge=1e-2).objective


def vectors():
    """Yield the labels y in types that hold numbers."""
    yield "Int64", pd.Series(y, dtype="Int64")
    yield "Int64 array", pd.array(y, dtype="Int64")
    yield "Float64", pd.Series(y, dtype="Float64")
    yield "boolean", pd.Series(y == 1, dtype="boolean")
    yield "UInt8", pd.Series(y, dtype="UInt8")
    yield "objects", pd.Series(y.tolist(), dtype=object)
    yield "objects of NumPy", np.array(list(y), dtype=object)
    yield "objects of floats", np.array(y.astype(float).tolist(), dtype=object)
    yield "objects of booleans", np.array((y == 1).tolist(), dtype=object)
    yield "mixed objects", np.array([bool(v) if i % 2 else v for i, v in enumerate(y.tolist())], dtype=object)
    yield "sparse", pd.Series(pd.arrays.SparseArray(y))
    yield "polars", pl.Series(y)
    yield "polars booleans", pl.Series(y == 1)
    yield "polars objects", pl.Series(y.tolist(), dtype=pl.Object)
    if pa is not None:
        yield "arrow", pa.array(y)
        yield "arrow booleans", pa.chunked_array([pa.array(y == 1)])
        yield "pandas of arrow", pd.Series(y, dtype=pd.ArrowDtype(pa.int64()))


VECTORS = list(vectors())


@pytest.mark.parametrize("values", [case[1] for case in VECTORS], ids=[case[0] for case in VECTORS])
def test_vectors_of_any_type_that_holds_numbers(values):
    """As labels, responses, offset and weights; in functions and estimators."""
    floats = y.astype(float)
    with_labels = ksparse.fit(X, floats, 2, ridge=1e-2)
    np.testing.assert_array_equal(ksparse.fit(X, values, 2, ridge=1e-2).coef, with_labels.coef)
    np.testing.assert_array_equal(ksparse.fit_many(X, values, 2, ridge=1e-2)[0].coef, with_labels.coef)
    np.testing.assert_array_equal(KSparseClassifier(2, ridge=1e-2).fit(X, values).coef_[0], with_labels.coef)
    np.testing.assert_array_equal(KSparseMultiLabelClassifier(2, ridge=1e-2).fit(X, values).coef_[0], with_labels.coef)
    squared = ksparse.fit(X, floats, 2, loss="squared")
    np.testing.assert_array_equal(ksparse.fit(X, values, 2, loss="squared").coef, squared.coef)
    np.testing.assert_array_equal(KSparseRegressor(2).fit(X, values).coef_, squared.coef)
    other = (X[:, 1] > 0).astype(int)
    for name in ("sample_weight", "offset"):
        expected = ksparse.fit(X, other, 2, ridge=1e-2, **{name: floats})
        np.testing.assert_array_equal(ksparse.fit(X, other, 2, ridge=1e-2, **{name: values}).coef, expected.coef)
        np.testing.assert_array_equal(ksparse.fit_many(X, other, 2, ridge=1e-2, **{name: values})[0].coef, expected.coef)
    weighted = KSparseClassifier(2, ridge=1e-2).fit(X, other, sample_weight=floats)
    again = KSparseClassifier(2, ridge=1e-2).fit(X, other, sample_weight=values)
    np.testing.assert_array_equal(again.coef_, weighted.coef_)


def vectors_with_a_gap():
    """Labels of which that of row 5 is missing."""
    gap = [None if i == 5 else int(v) for i, v in enumerate(y)]
    truth = [None if v is None else v == 1 for v in gap]
    yield "list", gap
    yield "floats", np.array([np.nan if v is None else v for v in gap])
    yield "Int64", pd.Series(gap, dtype="Int64")
    yield "Float64", pd.Series(gap, dtype="Float64")
    yield "boolean", pd.Series(truth, dtype="boolean")
    yield "objects", np.array(gap, dtype=object)
    yield "objects, NA", pd.Series([pd.NA if v is None else v for v in gap], dtype=object)
    yield "polars", pl.Series(gap)
    yield "polars booleans", pl.Series(truth)
    if pa is not None:
        yield "arrow", pa.array(gap)
        yield "arrow booleans", pa.array(truth)


GAPS = list(vectors_with_a_gap())


@pytest.mark.parametrize("values", [case[1] for case in GAPS], ids=[case[0] for case in GAPS])
def test_a_missing_entry_of_a_vector_is_named(values):
    """By its row, whatever stands for what is missing."""
    with pytest.raises(ValueError, match=r"y\[5\] is nan; .*leave out the rows where it is missing"):
        ksparse.fit(X, values, 2)
    with pytest.raises(ValueError, match=r"y\[5\] is nan"):
        ksparse.fit(X, values, 2, loss="squared")
    with pytest.raises(ValueError, match=r"Y\[5\] is nan"):
        ksparse.fit_many(X, values, 2)
    for name in (KSparseClassifier, KSparseRegressor, KSparseMultiLabelClassifier, KSparseSelector, KSparseClassifierCV):
        with pytest.raises(ValueError, match=r"y\[5\] is missing; leave out the rows where it is missing"):
            name().fit(X, values)
    for name in ("sample_weight", "offset"):
        with pytest.raises(ValueError, match=rf"{name}\[5\] is nan"):
            ksparse.fit(X, y, 2, **{name: values})
    with pytest.raises(ValueError, match=r"sample_weight\[5\] is missing"):
        KSparseClassifier(2).fit(X, y, sample_weight=values)


def test_labels_of_text_with_a_gap():
    """A class for what is missing would be a class that nobody meant."""
    names = ["no" if v == 0 else "yes" for v in y]
    for gap in (None, np.nan, pd.NA):
        labels = [gap if i == 5 else name for i, name in enumerate(names)]
        for values in (pd.Series(labels, dtype=object), pd.Series(labels, dtype="string"), pd.Categorical(labels)):
            with pytest.raises(ValueError, match=r"y\[5\] is missing"):
                KSparseClassifier(2).fit(X, values)
            with pytest.raises(ValueError, match=r"y\[5\] is missing"):
                ksparse.fit(X, values, 2)
    model = KSparseClassifier(2, ridge=1e-2)
    for values in (pd.Series(names), pd.Series(names, dtype="string"), pd.Categorical(names), pl.Series(names), names):
        assert model.fit(X, values).classes_.tolist() == ["no", "yes"]


@pytest.mark.parametrize(
    "outcomes",
    [
        pd.DataFrame({"flag": y == 1, "count": 1 - y}),
        pd.DataFrame({"flag": pd.array(y == 1, dtype="boolean"), "count": pd.array(1 - y, dtype="Int64")}),
        pd.DataFrame({"flag": y == 1, "count": 1 - y}).astype(object),
        pl.DataFrame({"flag": y == 1, "count": 1 - y}),
        pl.DataFrame({"flag": y == 1, "count": 1.0 - y}),
        pytest.param(pa and pa.table({"flag": pa.array(y == 1), "count": pa.array(1 - y)}), marks=needs_pyarrow),
    ],
)
def test_outcomes_of_several_types(outcomes):
    """Booleans beside integers, with the names of the columns."""
    Y = np.column_stack([y, 1 - y])
    batch = ksparse.fit_many(X, outcomes, 2, ridge=1e-2)
    np.testing.assert_array_equal(batch.coefs.toarray(), ksparse.fit_many(X, Y, 2, ridge=1e-2).coefs.toarray())
    assert list(batch.problem_names) == ["flag", "count"]
    squared = ksparse.fit_many(X, outcomes, 2, loss="squared")
    np.testing.assert_allclose(squared.objectives, ksparse.fit_many(X, Y, 2, loss="squared").objectives, rtol=1e-12)
    model = KSparseMultiLabelClassifier(2, ridge=1e-2).fit(X, outcomes)
    np.testing.assert_array_equal(model.coef_, batch.coefs.toarray())
    other = X[:, 1] > 0
    weighted = ksparse.fit_many(X, other, 2, ridge=1e-2, sample_weight=outcomes)
    expected = ksparse.fit_many(X, other, 2, ridge=1e-2, sample_weight=Y)
    np.testing.assert_array_equal(weighted.coefs.toarray(), expected.coefs.toarray())


def test_outcomes_that_are_no_numbers():
    """Named by their column."""
    for frame in (pd.DataFrame({"flag": y, "kind": TEXT}), pl.DataFrame({"flag": y, "kind": TEXT})):
        with pytest.raises(TypeError, match=r"Y has the column 'kind' of dtype .*; labels must be 0 and 1"):
            ksparse.fit_many(X, frame, 2)
        with pytest.raises(TypeError, match=r"Y has the column 'kind' of dtype .*; it must be real numbers"):
            ksparse.fit_many(X, frame, 2, loss="squared")
    for name in ("fit", "fit_many"):
        with pytest.raises(TypeError, match=r"[yY] is a LazyFrame.*pass [yY]\.collect"):
            getattr(ksparse, name)(X, pl.DataFrame({"y": y}).lazy(), 2)
    with pytest.raises(TypeError, match=r"y is a LazyFrame.*pass y\.collect"):
        KSparseClassifier(2).fit(X, pl.DataFrame({"y": y}).lazy())


def test_an_integer_beyond_floats_is_refused():
    """In words, not by an OverflowError; one beyond 64 bits is a float."""
    values = X.astype(object)
    values[3, 1] = 10**30
    assert ksparse.fit(values, y, 2, ridge=1e-2).status == "converged"
    values[3, 1] = 10**400
    for name in ("fit", "KSparseClassifier"):
        with pytest.raises(TypeError, match="X has dtype object, with an integer that is too large for a float"):
            entries()[name](values)


def test_a_name_of_two_columns_points_at_none():
    """The last of them was taken, or only one of them kept out."""
    frame = pd.DataFrame(np.column_stack([X, X[:, 0] ** 2]), columns=["age", "age", "dose", "Age"])
    message = r"\[0\] is 'age', but X has 2 columns of that name \(\[0, 1\]\); give the index of the column instead"
    for name in ("always_in", "never_in", "start"):
        with pytest.raises(ValueError, match=name + message):
            ksparse.fit(frame, y, 2, ridge=1e-2, **{name: ["age"]})
        ksparse.fit(frame, y, 2, ridge=1e-2, **{name: ["dose"]})
    assert 0 in ksparse.fit(frame, y, 2, ridge=1e-2, always_in=[0]).support
    for entry in (ksparse.fit_many, ksparse.stability_selection):
        with pytest.raises(ValueError, match="always_in" + message):
            entry(frame, y, 2, ridge=1e-2, always_in=["age"])
    with pytest.raises(ValueError, match="never_in" + message):
        ksparse.fit_path(frame, y, [1, 2], ridge=1e-2, never_in=["age"])
    result = ksparse.fit(frame, y, 3, ridge=1e-2)
    with pytest.raises(ValueError, match=r"units\[0\] is 'age', but X has 2 columns of that name"):
        result.scorecard(units={"age": 10.0})


def test_settings_of_any_type_that_holds_numbers():
    """Bounds, and what a batch takes by problem."""
    Y = np.column_stack([y, 1 - y])
    low, plain = pd.array([0, 0, -1], dtype="Int64"), np.array([0.0, 0.0, -1.0])
    expected = ksparse.fit(X, y, 2, ridge=1e-2, bounds=(plain, None))
    for lower in (low, pd.Series(low), low.astype(object), pl.Series(plain), plain.tolist()):
        np.testing.assert_array_equal(ksparse.fit(X, y, 2, ridge=1e-2, bounds=(lower, None)).coef, expected.coef)
    batch = ksparse.fit_many(X, Y, [1, 2], ridge=[1e-2, 1.0])
    for k in (pd.array([1, 2], dtype="Int64"), np.array([1, 2], dtype=object), pl.Series([1, 2])):
        other = ksparse.fit_many(X, Y, k, ridge=pd.array([1e-2, 1.0], dtype="Float64"))
        np.testing.assert_array_equal(other.coefs.toarray(), batch.coefs.toarray())


class SharedFrame:
    """A table that hands out nothing but its memory, by Arrow's protocol or by that of data frames."""

    def __init__(self, frame, protocol):
        self._frame, self.shape = frame, frame.shape
        self.share = getattr(frame, protocol)

    def __len__(self):
        return len(self._frame)


class ArrowFrame(SharedFrame):
    """As of DuckDB or Ibis."""

    def __init__(self, frame):
        super().__init__(frame, "__arrow_c_stream__")
        self.columns = list(frame.columns)

    def __arrow_c_stream__(self, requested_schema=None):
        return self.share(requested_schema)


class ProtocolFrame(SharedFrame):
    """As of libraries older than Arrow's protocol."""

    def __init__(self, frame):
        super().__init__(frame, "__dataframe__")

    def __dataframe__(self, nan_as_null=False, allow_copy=True):
        return self.share(allow_copy=allow_copy)


@pytest.mark.filterwarnings("ignore:.*interchange.*")
@pytest.mark.parametrize("kind", [ArrowFrame, ProtocolFrame])
def test_tables_that_share_their_memory(kind):
    """Are read by the same rule."""
    source = pl.DataFrame if kind is ArrowFrame else pd.DataFrame
    if not hasattr(source, "__arrow_c_stream__" if kind is ArrowFrame else "__dataframe__"):
        pytest.skip("this release does not have the protocol")
    frame = kind(source({"a": X[:, 0], "b": FLAG, "c": COUNT, "d": X[:, 1]}))
    expected = ksparse.fit(FLOATS, y, 3, ridge=1e-2)
    for result in (ksparse.fit(frame, y, 3, ridge=1e-2), KSparseClassifier(3, ridge=1e-2).fit(frame, y).result_):
        np.testing.assert_allclose(result.coef, expected.coef, rtol=1e-9)
    assert list(ksparse.fit(frame, y, 3, ridge=1e-2).feature_names) == ["a", "b", "c", "d"]
    dates = kind(source({"a": X[:, 0], "b": np.array(DAYS, dtype="datetime64[us]")}))
    with pytest.raises(TypeError, match=r"X has the column 'b' of dtype .*: turn dates"):
        ksparse.fit(dates, y, 2)


@pytest.mark.parametrize("entry", entries())
@pytest.mark.parametrize("fields", [["a"], ["a", "b"]])
def test_a_column_of_several_values_is_named(entry, fields):
    """A struct of polars is an array of two dimensions to NumPy, which 'could not be broadcast'; so is an array in each row."""
    frame = pl.DataFrame(X, schema=["one", "two", "three"])
    struct = frame.with_columns(two=pl.Series([dict.fromkeys(fields, 1.0)] * N))
    with pytest.raises(TypeError, match=r"X has the column 'two' of dtype Struct.*each row holds several values: .* unnest"):
        entries()[entry](struct)
    array = frame.with_columns(two=pl.Series([[1.0] * len(fields)] * N, dtype=pl.Array(pl.Float64, len(fields))))
    with pytest.raises(TypeError, match=r"X has the column 'two' of dtype Array.*each row holds several values"):
        entries()[entry](array)


def test_responses_of_several_values_are_named():
    weights = pl.Series([{"a": 1.0}] * N)
    with pytest.raises(TypeError, match=r"sample_weight has dtype Struct.*each row holds several values"):
        ksparse.fit(X, y, 2, ridge=1e-2, sample_weight=weights)
    with pytest.raises(TypeError, match=r"y has dtype Struct.*each row holds several values"):
        KSparseRegressor(2).fit(X, weights)


NOTHING = [pd.NaT, np.datetime64("NaT"), np.timedelta64("NaT"), np.datetime64("NaT", "ns")]


@pytest.mark.parametrize("nothing", NOTHING, ids=repr)
def test_not_a_time_is_missing(nothing):
    """Among numbers, booleans, words and dates alike, named by its row."""
    labels = {"numbers": y.astype(object), "booleans": (y == 1).astype(object), "words": np.array(["a", "b"], dtype=object)[y]}
    for given in labels.values():
        given[3] = nothing
        for responses in (given, given.tolist(), pd.Series(given, dtype=object)):
            with pytest.raises(ValueError, match=r"y\[3\] is (nan|missing); .*leave out the rows"):
                ksparse.fit(X, responses, 1)
            with pytest.raises(ValueError, match=r"y\[3\] is missing; leave out the rows"):
                KSparseClassifier(1).fit(X, responses)
    numbers = labels["numbers"]
    with pytest.raises(ValueError, match=r"y\[3\] is missing; leave out the rows"):
        KSparseRegressor(1).fit(X, numbers)
    with pytest.raises(ValueError, match=r"sample_weight\[3\] is nan; .*leave out the rows"):
        ksparse.fit(X, y, 1, sample_weight=numbers)
    with pytest.raises(ValueError, match=r"Y\[3\] is nan"):
        ksparse.fit_many(X, numbers, 1)
    design = X.astype(object)
    design[3, 1] = nothing
    with pytest.raises(ValueError, match=r"X\[3, 1\] is nan; .*fill in missing values first"):
        ksparse.fit(design, y, 1)


def test_dates_with_a_missing_one_are_no_labels():
    """A Series of dates with NaT was fitted as if NaT were a date; without it dates are labels like others."""
    dates = pd.Series(np.array(["2024-01-01", "2024-01-02"], dtype="M8[ns]")[y])
    assert KSparseClassifier(1, ridge=1e-2).fit(X, dates).score(X, dates) > 0.5
    dates[3] = pd.NaT
    for given in (dates, dates.to_numpy(), dates.dt.tz_localize("UTC"), dates - dates.min()):
        with pytest.raises(ValueError, match=r"y\[3\] is missing; leave out the rows"):
            KSparseClassifier(1).fit(X, given)
    with pytest.raises(TypeError, match="turn dates, times and durations into numbers first"):
        ksparse.fit(pd.DataFrame(X).assign(day=dates.astype(object)), y, 1)

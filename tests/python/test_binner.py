"""Bins of raw tables: which row falls in which, what they are called, and which tables can be read."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from ksparse import Binner
from sklearn.utils.estimator_checks import parametrize_with_checks

RAW = {
    "age": [23.0, 35.0, 41.0, 52.0, 60.0, None, 41.0, 70.0],
    "job": ["clerk", "clerk", "nurse", "nurse", None, "clerk", "smith", "clerk"],
    "flag": [True, False, True, True, False, True, False, False],
}


@parametrize_with_checks([Binner(), Binner(n_bins=3, encoding="cumulative", monotone="auto")])
def test_scikit_learn_accepts_it(estimator, check):
    """The conventions hold, as far as scikit-learn's own checks know them."""
    check(estimator)


@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame, pa.table], ids=["pandas", "polars", "pyarrow"])
@pytest.mark.parametrize("encoding", ["onehot", "cumulative"])
def test_every_library_of_tables_gives_the_same(library, encoding):
    """A table is its values, whatever holds them."""
    binner = Binner(n_bins=3, encoding=encoding)
    expected = binner.fit_transform(pd.DataFrame(RAW))
    names = binner.get_feature_names_out().tolist()
    other = Binner(n_bins=3, encoding=encoding)
    np.testing.assert_array_equal(other.fit_transform(library(RAW)), expected)
    assert other.get_feature_names_out().tolist() == names


def test_names_say_the_range():
    """And a row is 1 in the column whose name it satisfies, which the names themselves decide here."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"x": np.where(rng.random(500) < 0.4, 0.0, rng.exponential(size=500)), "y": rng.integers(-3, 4, 500)})
    for encoding in ("onehot", "cumulative"):
        frame = Binner(n_bins=5, encoding=encoding).set_output(transform="pandas").fit_transform(table)
        assert len(frame.columns) >= 6
        for name, column in frame.items():
            np.testing.assert_array_equal(column, table.eval(name).astype(float), err_msg=name)
    assert "x > 0" in Binner(n_bins=5, encoding="cumulative").fit(table).get_feature_names_out()


@pytest.mark.parametrize("shift", [0.0, 1e6, -12345.678])
@pytest.mark.parametrize("scale", [1.0, 1e-9, 1e12])
def test_rounded_cuts_divide_the_rows_as_the_quantiles_do(shift, scale):
    """Few digits read better, but must not move a row from one bin to another."""
    x = shift + scale * np.random.default_rng(1).standard_normal(300)
    bins = Binner(n_bins=7).fit(x[:, None]).bins_[0]
    quantiles = np.unique(np.quantile(x, np.arange(1, 7) / 7, method="inverted_cdf"))
    np.testing.assert_array_equal(np.searchsorted(bins.cuts, x), np.searchsorted(quantiles, x))
    assert max(len(f"{cut!r}") for cut in bins.cuts) <= max(len(f"{cut!r}") for cut in quantiles.tolist())
    assert len(set(bins.labels())) == len(bins.labels())


def test_rare_levels_missing_values_and_new_levels():
    """Rare levels share a bin, in which new levels fall as well; what is missing has a bin of its own if the fit saw any."""
    job = ["clerk"] * 60 + ["nurse"] * 37 + ["smith", "baker", None]
    binner = Binner(min_share=0.05).fit(pd.DataFrame({"job": job}))
    assert binner.get_feature_names_out().tolist() == ["job = clerk", "job = nurse", "job other", "job missing"]
    new = pd.DataFrame({"job": ["smith", "pilot", None, "nurse", np.nan]})
    np.testing.assert_array_equal(binner.transform(new).argmax(axis=1), [2, 2, 3, 1, 3])
    strict = Binner(min_share=0, handle_unknown="error").fit(pd.DataFrame({"job": ["a", "b", "a"]}))
    with pytest.raises(ValueError, match="row 1 of the column 'job' is 'c'"):
        strict.transform(pd.DataFrame({"job": ["a", "c"]}))
    with pytest.raises(ValueError, match="row 0 of the column 'job' is missing"):
        strict.transform(pd.DataFrame({"job": [None, "a"]}))
    strict.set_params(handle_unknown="ignore")
    np.testing.assert_array_equal(strict.transform(pd.DataFrame({"job": ["c", None]})), np.zeros((2, 2)))


def test_max_levels_keeps_the_most_frequent():
    job = ["a"] * 5 + ["b"] * 4 + ["c"] * 3 + ["d"] * 2
    assert Binner(max_levels=2).fit(pd.DataFrame({"job": job})).get_feature_names_out().tolist() == [
        "job = a",
        "job = b",
        "job other",
    ]


def test_bins_that_are_given():
    """Cuts of numbers, levels of categories, and levels that share a bin."""
    cuts = {"age": [60, 40], "job": [["clerk", "nurse"], "smith"]}
    names = Binner(cuts=cuts).fit(pd.DataFrame(RAW)).get_feature_names_out().tolist()
    assert names[:4] == ["age <= 40", "40 < age <= 60", "age > 60", "age missing"]
    assert names[4:7] == ["job = clerk or nurse", "job = smith", "job missing"]
    with pytest.raises(ValueError, match=r"cuts\[0\] is 'aeg'.*'age'"):
        Binner(cuts={"aeg": [1]}).fit(pd.DataFrame(RAW))
    with pytest.raises(ValueError, match="twice"):
        Binner(cuts={"job": ["clerk", ["clerk", "nurse"]]}).fit(pd.DataFrame(RAW))


def test_numbers_may_be_categories():
    """A code is no quantity."""
    table = pd.DataFrame({"code": [1, 2, 3, 1, 2, None]})
    binner = Binner(categories=["code"], min_share=0).fit(table)
    assert binner.get_feature_names_out().tolist() == ["code = 1", "code = 2", "code = 3", "code missing"]
    np.testing.assert_array_equal(binner.transform(table).argmax(axis=1), [0, 1, 2, 0, 1, 3])


@pytest.mark.parametrize("sign", [1, -1])
def test_monotone_bins(sign):
    """Event rates of merged bins only rise, or only fall, and auto finds the direction; without it they wiggle."""
    rng = np.random.default_rng(2)
    x = rng.standard_normal(3000)
    y = rng.random(3000) < 1 / (1 + np.exp(-sign * (0.3 * x + 0.2 * np.sin(5 * x))))

    def rates(binner):
        code = binner.fit(x[:, None], y).transform(x[:, None]).argmax(axis=1)
        return np.bincount(code, y) / np.bincount(code)

    assert not (sign * np.diff(rates(Binner(n_bins=20))) > 0).all()
    wanted = "increasing" if sign > 0 else "decreasing"
    automatic, given = rates(Binner(n_bins=20, monotone="auto")), rates(Binner(n_bins=20, monotone={0: wanted}))
    assert (sign * np.diff(automatic) > 0).all()
    assert len(automatic) > 3
    np.testing.assert_array_equal(automatic, given)
    against = "decreasing" if sign > 0 else "increasing"
    assert Binner(n_bins=20, monotone=against).fit(x[:, None], y).transform(x[:, None]).shape == (3000, 0)  # all bins are one


def test_a_whole_weight_is_a_repeated_row():
    """Quantiles are those of the weighted rows, and rows of weight 0 are as good as absent."""
    rng = np.random.default_rng(3)
    x, weight = rng.standard_normal((200, 2)), rng.integers(0, 4, 200)
    y = (rng.random(200) < 0.5).astype(int)
    for kwargs in ({}, {"monotone": "auto"}):
        weighted = Binner(n_bins=6, **kwargs).fit(x, y, sample_weight=weight).bins_
        repeated = Binner(n_bins=6, **kwargs).fit(np.repeat(x, weight, axis=0), np.repeat(y, weight)).bins_
        assert weighted == repeated


def test_sparse_output_is_the_same():
    binner = Binner(n_bins=3).fit(pd.DataFrame(RAW))
    dense = binner.transform(pd.DataFrame(RAW))
    np.testing.assert_array_equal(binner.set_params(sparse_output=True).transform(pd.DataFrame(RAW)).toarray(), dense)
    assert binner.groups_.tolist() == [
        next(part for part in name.split() if part in RAW) for name in binner.get_feature_names_out()
    ]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"when": pd.to_datetime(["2020-01-01", "2021-01-01"])}, "'when'.*turn dates"),
        ({"mixed": [1, "1"]}, "'mixed' of text mixed with int"),
        ({"mixed": [None, 1, "a"]}, "'mixed' of text mixed with int"),
        ({"thing": [object(), object()]}, "'thing'"),
    ],
)
def test_columns_that_are_neither_numbers_nor_levels_are_named(table, message):
    with pytest.raises(TypeError, match=message):
        Binner().fit(pd.DataFrame(table))


def test_a_column_keeps_its_kind():
    """Text where the fit had numbers is an error by name; a column without any value is missing in every row."""
    binner = Binner(n_bins=2).fit(pd.DataFrame(RAW))
    with pytest.raises(TypeError, match="'age' of text or categories, but it had numbers"):
        binner.transform(pd.DataFrame({**RAW, "age": ["old"] * 8}))
    empty = binner.transform(pd.DataFrame({**RAW, "age": [None] * 8, "job": [np.nan] * 8}))
    names = binner.get_feature_names_out().tolist()
    assert empty[:, names.index("age missing")].all()
    assert empty[:, names.index("job missing")].all()


def test_infinite_numbers_fall_in_the_outer_bins():
    x = np.array([[-np.inf], [1.0], [2.0], [3.0], [np.inf]])
    binner = Binner(n_bins=2).fit(x)
    assert np.isfinite(binner.bins_[0].cuts).all()
    np.testing.assert_array_equal(binner.transform(x).argmax(axis=1)[[0, -1]], [0, 1])


def test_optbinning_is_named_where_it_is_missing(monkeypatch):
    """The extra is said with the command that installs it."""
    monkeypatch.setitem(__import__("sys").modules, "optbinning", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'ksparse\[optbinning\]'"):
        Binner(strategy="optimal").fit(pd.DataFrame(RAW), [0, 1] * 4)
    with pytest.raises(ValueError, match="needs y"):
        Binner(strategy="optimal").fit(pd.DataFrame(RAW))


def test_optimal_bins():
    """Where optbinning is installed: its cuts and groups of levels divide the rows as its own transform does."""
    optbinning = pytest.importorskip("optbinning")
    rng = np.random.default_rng(4)
    x, level = rng.standard_normal(500), rng.choice(list("abcdef"), 500)
    y = (x + (level < "c") + rng.logistic(size=500) > 0).astype(int)
    binner = Binner(strategy="optimal", n_bins=4).fit(pd.DataFrame({"x": x, "level": level}), y)
    solver = optbinning.OptimalBinning(max_n_bins=4, monotonic_trend="auto_asc_desc").fit(x, y)
    np.testing.assert_array_equal(np.searchsorted(binner.bins_[0].cuts, x), solver.transform(x, metric="indices"))
    assert sorted(level for group in binner.bins_[1].levels for level in group) == list("abcdef")


@pytest.mark.parametrize("settings", [{}, {"monotone": "increasing"}])
@pytest.mark.parametrize("y", [np.zeros(7), [0, 1] * 50, np.zeros(0)])
def test_y_of_another_table_is_refused(settings, y):
    """Also by bins that do not depend on y: it shows that X and y were mixed up."""
    with pytest.raises(ValueError, match="y"):
        Binner(**settings).fit(np.arange(40.0)[:, None], y)

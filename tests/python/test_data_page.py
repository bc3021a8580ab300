"""The page on data: the statements between its examples, which test_docs.py runs."""

from decimal import Decimal
from pathlib import Path

import ksparse
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from claims import claims, uncovered, unfounded
from ksparse import KSparseClassifier, KSparseClassifierCV, _core
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.metrics import f1_score, make_scorer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

PAGE = "user_guide/data.rst"


@pytest.fixture(scope="module")
def data():
    """Return a frame, and labels from two of its columns."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.standard_normal((300, 6)), columns=list("abcdef"))
    return X, (X["a"] - X["b"] + rng.logistic(size=300) > 0).to_numpy() * 1


@pytest.fixture
def seen(monkeypatch):
    """Return what the core is handed as X."""
    found, original = [], _core.Problem
    monkeypatch.setattr(_core, "Problem", lambda X, *rest: (found.append(X), original(X, *rest))[1])
    return found


@claims(PAGE, "ksparse takes numbers", "Names of columns are kept and shown", "A LazyFrame must be evaluated first")
def test_what_x_may_be(data):
    """The same answer from each, and the names from those that have them."""
    X, y = data
    polars, array = pytest.importorskip("polars"), X.to_numpy()
    frame = polars.DataFrame(array, schema=list(X.columns))
    for form in (X, frame, array, sp.csc_array(array)):
        result = ksparse.fit(form, y, 2)
        assert result.support.tolist() == [0, 1]
        named = form is X or form is frame
        assert ("b  " in str(result)) == named
    with pytest.raises(TypeError, match="collect"):
        ksparse.fit(frame.lazy(), y, 2)


def test_tables_of_arrow(data):
    """Where pyarrow is installed."""
    X, y = data
    pyarrow, array = pytest.importorskip("pyarrow"), X.to_numpy()
    assert ksparse.fit(pyarrow.table(dict(zip("abcdef", array.T, strict=True))), y, 2).feature_names.tolist() == list("abcdef")


@claims(
    PAGE,
    "Numbers are floats, integers and booleans",
    "Everything else (text",
    "ksparse.fit accepts the same data frames",
    "They may contain both booleans and floats",
)
def test_what_a_column_may_be(data):
    """Booleans beside floats, objects that are numbers, types with missing values; and what is none is named."""
    X, y = data
    mixed = X.assign(c=(X["c"] > 0), d=X["d"].round().astype("Int64"), e=X["e"].astype(object), f=X["f"].round().astype("int8"))
    assert ksparse.fit(mixed, y, 2).support.tolist() == [0, 1]
    assert ksparse.fit(pd.get_dummies(X.assign(c=np.where(X["c"] > 0, "u", "v"))), y, 2).feature_names.tolist()[-2:] == [
        "c_u",
        "c_v",
    ]
    days = pd.date_range("2026-01-01", periods=300)
    for values in (
        np.where(X["c"] > 0, "u", "v"),
        pd.Categorical(np.where(X["c"] > 0, "u", "v")),
        days,
        days - days[0],
        [day.date() for day in days],
        [day.time() for day in days],
        [Decimal(1)] * 300,
    ):
        with pytest.raises((TypeError, ValueError), match="'c'"):
            ksparse.fit(X.assign(c=values), y, 2)


@claims(PAGE, "A missing value (NaN, None", "The same holds for y, the weights and the offset")
def test_what_is_missing_is_refused_with_its_row(data):
    """However it is written."""
    X, y = data
    for missing, kind in ((np.nan, float), (None, object), (pd.NA, "Float64")):
        column = X["c"].astype(kind)
        column[7] = missing
        with pytest.raises(ValueError, match=r"7.*'c'|'c'.*7"):
            ksparse.fit(X.assign(c=column), y, 2)
    masked = np.ma.masked_array(X.to_numpy(), mask=np.zeros((300, 6)))
    masked[7, 2] = np.ma.masked
    with pytest.raises(ValueError, match="7, 2"):
        ksparse.fit(masked, y, 2)
    for missing in (np.nan, None, pd.NA):
        values = pd.Series(np.ones(300)).astype(object)
        values[7] = missing
        for name in ("sample_weight", "offset"):
            with pytest.raises(ValueError, match=rf"{name}\[7\]"):
                ksparse.fit(X, y, 2, **{name: values})
        labels = pd.Series(y).astype(object)
        labels[7] = missing
        with pytest.raises(ValueError, match=r"y\[7\]"):
            ksparse.fit(X, labels, 2)


@claims(PAGE, "The labels are 0 and 1", "The estimators take any two labels")
def test_scorers_of_the_rare_class_need_to_know_it(data):
    """By 0 and 1, or by make_scorer."""
    X, y = data
    words = np.where(y == 1, "fraud", "sound")
    assert KSparseClassifier(2).fit(X, words).classes_.tolist() == ["fraud", "sound"]
    for scoring in ("f1", "average_precision"):
        with pytest.raises(ValueError, match="pos_label"):
            KSparseClassifierCV([1, 2], scoring=scoring, cv=2).fit(X, words)
        assert KSparseClassifierCV([1, 2], scoring=scoring, cv=2).fit(X, y).support_.tolist() == [0, 1]
    scorer = make_scorer(f1_score, pos_label="fraud")
    assert KSparseClassifierCV([1, 2], scoring=scorer, cv=2).fit(X, words).support_.tolist() == [0, 1]


@claims(
    PAGE,
    "This is a table of customers",
    "It contains measurements",
    "In this pipeline, each category becomes a column",
    "Estimators do not store the training data",
    "pipeline[-1].summary(seen, left_rows)",
    "New rows go through the same steps",
    "*No scaling is needed*",
    "*Missing values.*",
    "*All levels or none.*",
    "If the columns have another order than in the fit",
)
def test_a_pipeline(data):
    """Categories and gaps; reading the model; other units; groups of levels; an imputer within the pipeline."""
    X, y = data
    table = X.assign(kind=np.where(X["c"] > 0, "u", np.where(X["d"] > 0, "v", "w")))
    table.loc[::9, "a"] = np.nan
    columns = make_column_transformer(
        (OneHotEncoder(sparse_output=False), make_column_selector(dtype_exclude="number")),
        remainder=SimpleImputer(add_indicator=True),
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")
    pipeline = make_pipeline(columns, KSparseClassifier(3)).fit(table[:200], y[:200])
    rows, model = pipeline[:-1].transform(table[:200]), pipeline[-1]
    assert {"kind_u", "missingindicator_a", "a"} <= set(rows.columns)
    assert columns.named_transformers_["remainder"].statistics_[0] == pytest.approx(table["a"][:200].mean())
    assert not any(value is table or value is rows for value in vars(model).values())
    assert model.result_._request is None
    assert model.summary(rows, y[:200]).names[-1] == "(intercept)"
    assert '"a"' in model.to_sql()
    card = model.scorecard(rows, y[:200], decimals=None)
    new = card.probability(card.score(pipeline[:-1].transform(table[200:])))
    np.testing.assert_allclose(new, pipeline.predict_proba(table[200:])[:, 1], rtol=1e-9)
    units = np.array([1e3, 1e-3, 1, 1, 1, 1])
    np.testing.assert_allclose(
        KSparseClassifier(2).fit(X * units, y).coef_ * units, KSparseClassifier(2).fit(X, y).coef_, rtol=1e-6
    )
    groups = [name.split("_")[0] for name in columns.get_feature_names_out()]
    chosen = ksparse.fit(rows, y[:200], 1, groups=groups, always_in=["kind_u"], ridge=1e-3)
    assert [rows.columns[j] for j in chosen.support] == ["kind_u", "kind_v", "kind_w"]
    with pytest.raises(ValueError, match="same columns in the same order"):
        ksparse.fit(X, y, 2).predict(X[list("bacdef")])


@claims(PAGE, "*Rare categories.*")
def test_a_category_without_an_event(data):
    """No finite coefficient, unless there is a ridge; min_frequency puts it together with others."""
    X, y = data
    rare = X.assign(rare=((np.arange(300) % 25 == 0) & (y == 0)) * 1.0)
    with pytest.warns(ksparse.ConvergenceWarning, match="separable"):
        assert ksparse.fit(rare, y, 3, always_in=["rare"]).status == "separable"
    assert ksparse.fit(rare, y, 3, always_in=["rare"], ridge=1e-3).converged
    kinds = pd.DataFrame({"kind": np.where(rare["rare"] > 0, "r", np.where(np.arange(300) % 30 == 1, "s", "t"))})
    names = OneHotEncoder(sparse_output=False, min_frequency=50).fit(kinds).get_feature_names_out()
    assert names.tolist() == ["kind_t", "kind_infrequent_sklearn"]


@claims(
    PAGE,
    "SciPy's matrices and arrays in CSC and CSR format",
    "They are neither centred nor made dense",
    "A pandas frame with sparse columns",
    "The frame may also contain dense columns",
    "Other formats are converted in each call",
    "A CSR matrix is copied to CSC if there are groups",
)
def test_sparse_matrices(seen):
    """In place in two formats; the same answer in all."""
    rng = np.random.default_rng(0)
    X = sp.random(400, 30, density=0.2, format="csr", random_state=0)
    y = X[:, [3]].toarray()[:, 0] - X[:, [8]].toarray()[:, 0] + 0.1 * rng.logistic(size=400) > 0
    dense = ksparse.fit(X.toarray(), y, 2)
    for make in (sp.csc_array, sp.csr_array, sp.csc_matrix, sp.csr_matrix, sp.coo_array, sp.lil_array, sp.dok_array):
        for dtype in (np.float64, np.float32):
            form = make(X.astype(dtype))
            result = ksparse.fit(form, y, 2)
            assert result.support.tolist() == dense.support.tolist()
            np.testing.assert_allclose(result.coef, dense.coef, rtol=1e-5)
            if form.format in ("csc", "csr"):
                assert np.shares_memory(seen[-1].data, form.data)
    frame = pd.DataFrame.sparse.from_spmatrix(X, columns=[f"f{j}" for j in range(30)])
    assert ksparse.fit(frame, y, 2).support.tolist() == dense.support.tolist()
    assert sp.issparse(seen[-1])
    assert seen[-1].format == "csc"
    assert ksparse.fit(frame.assign(f0=1.0 * np.arange(400)), y, 2).support.tolist() == dense.support.tolist()
    groups = np.arange(30) // 2
    assert ksparse.fit(X, y, 2, groups=groups).support.tolist() == ksparse.fit(X.tocsc(), y, 2, groups=groups).support.tolist()
    text = Path(ksparse.__file__).with_name("_many.py").read_text(encoding="utf-8")
    assert "For 32 problems or more, a CSR matrix is copied to CSC once." in " ".join(text.split())


@claims(
    PAGE,
    "An array can be in a file",
    "It is read block by block",
    "Float32 takes half the memory",
    "Arrays of bool, uint8 and int8",
    "Either rows or columns may be contiguous",
    "Other types, such as integers",
    "The file must not be truncated during a fit",
)
def test_arrays(data, seen, tmp_path):
    """A memory map of either order and width is handed over as it is; test_storage.py has one that is larger than the memory that is left."""
    X, y = data
    for order in "CF":
        for dtype in (np.float64, np.float32, bool, np.uint8, np.int8):
            numbers = np.clip(20 * X + 60, 0, 127).round() if dtype in (np.uint8, np.int8) else X > 0 if dtype is bool else X
            np.save(tmp_path / "X.npy", np.array(numbers, dtype=dtype, order=order))
            mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
            result = ksparse.fit(mapped, y, 2)
            assert np.shares_memory(seen[-1], mapped)
            assert seen[-1].dtype == dtype
            assert result.n_scans >= 1
            exact = ksparse.fit(mapped.astype(np.float64), y, 2)
            np.testing.assert_allclose(result.coef, exact.coef, rtol=1e-12)  # sums are those of float64
            del mapped
    whole = np.asarray((10 * X).round(), dtype=np.int16)
    ksparse.fit(whole, y, 2)
    assert seen[-1].dtype == np.float64
    folder = Path(__file__).parent
    assert "def test_a_memory_map_may_be_larger_than_the_memory_that_is_left" in (folder / "test_storage.py").read_text(
        encoding="utf-8"
    )
    assert "def test_a_file_that_is_made_shorter_ends_the_process" in (folder / "test_promises.py").read_text(encoding="utf-8")


@claims(
    PAGE,
    "ksparse.KSparseScorecard makes a scorecard of a raw table",
    "This section does the same with scikit-learn's transformers",
)
def test_a_raw_table_makes_a_scorecard_in_one_step():
    """Bins for categories and for missing values come from the table itself."""
    rng = np.random.default_rng(0)
    n = 800
    table = pd.DataFrame({"kind": rng.choice(["a", "b", "c"], n), "value": rng.normal(size=n), "noise": rng.normal(size=n)})
    y = (1.5 * (table["kind"] == "a") + table["value"] + rng.logistic(size=n) > 1).astype(int)
    table.loc[rng.random(n) < 0.1, "value"] = np.nan
    card = ksparse.KSparseScorecard().fit(table, y)
    assert {"kind", "value"} <= {name for name in table if name in str(card.card_)}


def test_every_statement_of_the_page_is_run():
    """What no test names is not on the page, and what is gone is in no test."""
    assert uncovered(PAGE) == []
    assert unfounded(PAGE) == []

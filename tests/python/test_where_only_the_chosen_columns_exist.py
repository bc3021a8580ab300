"""Models are applied where only their columns exist, and results notice that the data of their fit have been changed."""

from __future__ import annotations

import ksparse
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from ksparse import KSparseClassifier, KSparseClassifierCV, KSparseRegressor
from ksparse._input.request import Request
from scipy.sparse import csc_array, csr_array

GENES = [f"gene {j}" for j in range(60)]


def data(n=200, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 60))
    return X, (X[:, 7] - X[:, 30] + X[:, 2] + rng.logistic(size=n) > 0).astype(int)


@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame, pa.table], ids=["pandas", "polars", "pyarrow"])
def test_a_frame_needs_the_chosen_columns_only(library):
    """In any order, with others beside them or without; an absent one is named."""
    X, y = data()
    frame = pd.DataFrame(X, columns=GENES)
    result = ksparse.fit(frame, y, k=3)
    card = result.scorecard()
    model = KSparseClassifier(k=3).fit(frame, y)
    names = [GENES[j] for j in result.support]
    for columns in (names[::-1], ["gene 59", *names], names):
        few = library({name: frame[name].to_numpy() for name in columns})
        np.testing.assert_allclose(result.predict_proba(few), result.predict_proba(X), rtol=1e-13)
        np.testing.assert_array_equal(result.predict(few), result.predict(X))
        np.testing.assert_allclose(card.score(few), card.score(X), rtol=1e-13)
        np.testing.assert_allclose(model.predict_proba(few), model.predict_proba(frame), rtol=1e-13)
        assert model.score(few, y) == model.score(frame, y)
    for apply in (result.predict, card.score, model.predict):
        with pytest.raises(ValueError, match=f"no column of the name '{names[1]}'"):
            apply(library({names[0]: frame[names[0]].to_numpy()}))


def test_other_estimators_need_the_chosen_columns_only():
    X, _ = data()
    frame = pd.DataFrame(X, columns=GENES)
    amount = X[:, 5] + 2 * X[:, 9]
    regressor = KSparseRegressor(k=2).fit(frame, amount)
    few = frame[["gene 9", "gene 5"]]
    np.testing.assert_allclose(regressor.predict(few), regressor.predict(frame), rtol=1e-13)
    three = np.digitize(amount, [-1.0, 1.0])
    classes = KSparseClassifier(k=2, ridge=1e-3).fit(frame, three)
    np.testing.assert_allclose(
        classes.predict_proba(frame[[GENES[j] for j in classes.support_]]), classes.predict_proba(frame), rtol=1e-12
    )
    search = KSparseClassifierCV(ks=[1, 2], ridge=1e-3).fit(frame, amount > 0)
    np.testing.assert_allclose(
        search.predict_proba(frame[[GENES[j] for j in search.support_]]), search.predict_proba(frame), rtol=1e-12
    )


def test_missing_values_of_a_chosen_column_are_refused():
    X, y = data()
    frame = pd.DataFrame(X, columns=GENES)
    model = KSparseClassifier(k=2).fit(frame, y)
    few = frame[[GENES[j] for j in model.support_]].copy()
    few.iloc[3, 0] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        model.predict(few)


@pytest.mark.parametrize("loss", ["logistic", "focal", "squared"])
def test_on_support(loss):
    """An array of the chosen columns, and of nothing else; formula and SQL stay what they are."""
    X, y = data()
    frame = pd.DataFrame(X, columns=GENES)
    result = ksparse.fit(frame, y, k=3, loss=loss)
    small = result.on_support()
    np.testing.assert_allclose(small.decision_function(X[:, result.support]), result.decision_function(X), rtol=1e-13)
    np.testing.assert_array_equal(small.predict(X[:, result.support]), result.predict(X))
    assert (small.formula(), small.objective, small.status) == (result.formula(), result.objective, result.status)
    assert small.feature_names.tolist() == [GENES[j] for j in result.support]
    with pytest.raises(ValueError, match="does not refer to its data"):
        small.alternatives()


CHANGES = {
    "centred": lambda X: X.__isub__(0.25),
    "scaled": lambda X: X.__imul__(2.0),
    "zero": lambda X: X.fill(0.0),
    "one chosen column": lambda X: X[:, 7].__imul__(1.5),
    "one column that was not chosen": lambda X: X[:, 40].__iadd__(1.0),
    "rows in another order": lambda X: X.__setitem__(slice(None), X[::-1].copy()),
    "one entry of a chosen column": lambda X: X.__setitem__((101, 7), X[101, 7] + 3.0),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("question", ["alternatives", "scorecard", "summary"])
def test_data_that_have_been_changed_are_noticed(question, change, order):
    """No answer is given from rows that are not those of the fit; unchanged ones are answered as before."""
    X, y = data()
    X = np.array(X, order=order)
    result = ksparse.fit(X, y, k=3)
    getattr(result, question)()
    CHANGES[change](X)
    with pytest.raises(ValueError, match="those of the fit"):
        getattr(result, question)()


@pytest.mark.parametrize("kind", [csc_array, csr_array])
def test_changes_of_sparse_data_and_weights_are_noticed(kind):
    X, y = data()
    sparse = kind(np.where(np.abs(X) > 0.5, X, 0))
    weights = np.ones(len(y))
    result = ksparse.fit(sparse, y, k=3, sample_weight=weights)
    result.alternatives()
    sparse.data *= 2
    with pytest.raises(ValueError, match="those of the fit"):
        result.alternatives()
    sparse.data /= 2
    result.alternatives()


def test_a_fit_that_did_not_converge_still_has_alternatives():
    """The check of F must not refuse an answer that has always been given, with a note."""
    X, _ = data()
    with pytest.warns(ksparse.ConvergenceWarning):
        result = ksparse.fit(X, X[:, 0] > 0, k=1)
    assert len(result.alternatives(1).note) > 0


def test_estimators_do_not_note_data_that_they_do_not_keep(monkeypatch):
    noted = []
    of_data = Request._fingerprint
    monkeypatch.setattr(Request, "_fingerprint", lambda request: noted.append(1) or of_data(request))
    rng = np.random.default_rng(3)
    X = rng.standard_normal((120, 8))
    y = X[:, 2] + rng.logistic(size=120) > 0
    for estimator in (
        ksparse.KSparseClassifier(k=2),
        ksparse.KSparseRegressor(k=2),
        ksparse.KSparseClassifierCV(ks=[1, 2], cv=3),
        ksparse.KSparseRegressorCV(ks=[1, 2], cv=3),
        ksparse.KSparseClassifier(k=2, ridge=0.01, certify=True),
    ):
        estimator.fit(X, y.astype(int))
        assert not noted, estimator
        assert estimator.result_._standard_deviations() == pytest.approx(X[:, estimator.support_].std(axis=0), rel=1e-12)
    result = ksparse.fit(X, y, 2)
    assert len(noted) == 1
    X[:, result.support] += 1.0
    with pytest.raises(ValueError, match="in place"):
        result.alternatives()

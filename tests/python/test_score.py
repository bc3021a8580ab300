"""Scores and transforms read what they are given by the rules of fit, and a scorer is given the model that was chosen."""

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from ksparse import (
    KSparseClassifier,
    KSparseClassifierCV,
    KSparseMultiLabelClassifier,
    KSparseRegressor,
    KSparseRegressorCV,
    KSparseSelector,
)
from sklearn.base import clone
from sklearn.metrics import accuracy_score, make_scorer, roc_auc_score
from sklearn.model_selection import KFold, cross_val_score

N = 60
RNG = np.random.default_rng(0)
X = RNG.standard_normal((N, 4))
y = (X[:, 0] + RNG.logistic(size=N) > 0).astype(int)
Y = np.column_stack([y, X[:, 1] + RNG.logistic(size=N) > 0]).astype(int)
ETA = X[:, 0] - X[:, 1] + RNG.standard_normal(N) / 10
WEIGHTS = RNG.uniform(0.5, 2, N)
SCORED = {
    "KSparseClassifier": KSparseClassifier(2, ridge=1e-2),
    "KSparseMultiLabelClassifier": KSparseMultiLabelClassifier(2, ridge=1e-2),
    "KSparseClassifierCV": KSparseClassifierCV([1, 2], ridge=1e-2, cv=3),
    "accuracy": KSparseClassifierCV([1, 2], ridge=1e-2, cv=3, scoring="accuracy"),
}
scored = pytest.mark.parametrize("estimator", SCORED.values(), ids=SCORED)

LABELS = {
    "objects": (y.astype(object), y),
    "objects that are booleans": ((y == 1).astype(object), y == 1),
    "a Series of objects": (pd.Series(y.astype(object)), y),
    "a frame of objects": (pd.DataFrame({"y": y.astype(object)}), y),
    "polars' objects": (pl.Series(y.tolist(), dtype=pl.Object), y),
    "integers with a type for what is missing": (pd.Series(y, dtype="Int64"), y),
    "words": (np.array(["no", "yes"], dtype=object)[y], np.array(["no", "yes"])[y]),
}


@scored
@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.DataConversionWarning")
def test_labels_that_fit_can_be_scored(estimator, labels):
    """Numbers and booleans held as objects were 'a mix of unknown and binary targets'."""
    given, plain = LABELS[labels]
    model = clone(estimator).fit(X, given)
    predicted = model.predict(X)
    assert model.score(X, given) == accuracy_score(plain, predicted.astype(plain.dtype))
    assert model.score(X, given, WEIGHTS) == accuracy_score(plain, predicted.astype(plain.dtype), sample_weight=WEIGHTS)


def test_cross_val_score_of_objects():
    """It gave NaN; the folds are of a splitter that does not look at y, as scikit-learn's stratified ones refuse objects."""
    model, folds = KSparseClassifier(2, ridge=1e-2), KFold(3)
    right = cross_val_score(model, X, y, cv=folds)
    np.testing.assert_array_equal(cross_val_score(model, X, y.astype(object), cv=folds), right)
    np.testing.assert_array_equal(cross_val_score(model, X, pd.Series(y == 1, dtype=object), cv=folds), right)


@pytest.mark.parametrize(
    "indicator",
    [
        pd.DataFrame({"a": Y[:, 0], "b": Y[:, 1] == 1}),
        pd.DataFrame(Y).astype("Int64"),
        pl.DataFrame({"a": Y[:, 0], "b": Y[:, 1] == 1}),
        pl.DataFrame({"a": pl.Series(Y[:, 0].tolist(), dtype=pl.Object), "b": Y[:, 1]}),
        Y.astype(object),
        sp.csr_array(Y),
    ],
)
def test_indicators_that_fit_can_be_scored(indicator):
    """A frame that mixes booleans and integers is an array of objects to scikit-learn."""
    model = KSparseMultiLabelClassifier(2, ridge=1e-2).fit(X, indicator)
    right = KSparseMultiLabelClassifier(2, ridge=1e-2).fit(X, Y)
    np.testing.assert_array_equal(model.predict(X), right.predict(X))
    assert model.score(X, indicator) == right.score(X, Y) == np.mean((right.predict(X) == Y).all(axis=1))


def durations(indicator):
    return pl.DataFrame([pl.Series(f"c{j}", c.tolist()).cast(pl.Duration("us")) for j, c in enumerate(indicator.T)])


@pytest.mark.parametrize(
    "wrong",
    [
        durations(Y),
        durations(0 * Y + [[0, 1]]),
        Y.astype("m8[us]"),
        Y.astype("M8[D]"),
        pd.DataFrame(Y).astype("m8[ns]"),
        pd.DataFrame(Y).astype("category"),
    ],
)
def test_durations_and_dates_are_no_indicator(wrong):
    """As fit_many says; a duration of 1 microsecond was taken for the label 1."""
    model = KSparseMultiLabelClassifier(2, ridge=1e-2)
    rule = "of dtype|dtype .*labels must be 0 and 1, as numbers or booleans"
    with pytest.raises(TypeError, match=rule):
        model.fit(X, wrong)
    with pytest.raises(TypeError, match=rule):
        model.fit(X, Y).score(X, wrong)


@scored
def test_weights_of_scores_are_read_as_those_of_fits(estimator):
    """Each refusal is that of fit, word for word; masks were ignored, and None or durations met NumPy's own errors."""
    model = clone(estimator).fit(X, y)
    wrong = [
        np.ma.masked_array(WEIGHTS, np.arange(N) == 3),
        [1.0] * 3 + [None] + [1.0] * (N - 4),
        pd.Series(WEIGHTS).where(np.arange(N) != 3),
        [datetime.timedelta(1)] * N,
        np.ones(N, dtype="m8[D]"),
        pl.Series([datetime.timedelta(1)] * N),
        ["1"] * N,
        np.where(np.arange(N) == 3, -1.0, WEIGHTS),
        WEIGHTS[:5],
    ]
    for weights in wrong:
        with pytest.raises((TypeError, ValueError)) as of_fit:
            clone(estimator).fit(X, y, weights)
        with pytest.raises(of_fit.type) as of_score:
            model.score(X, y, weights)
        assert str(of_score.value) == str(of_fit.value)
        assert "sample_weight" in str(of_score.value)
    right = accuracy_score(y, model.predict(X), sample_weight=WEIGHTS)
    for weights in (pl.Series(WEIGHTS), pd.Series(WEIGHTS), WEIGHTS.astype(object), np.ma.masked_array(WEIGHTS, False)):
        assert model.score(X, y, weights) == right
    assert model.score(X, y, 2.0) == model.score(X, y)  # a number is the weight of every row, as in fit


@scored
def test_a_missing_label_is_named_by_its_row(estimator):
    model = clone(estimator).fit(X, y)
    labels = y.tolist()
    labels[3] = None
    gone = [labels, np.array(labels, float), pd.array(labels, dtype="Int64"), np.ma.masked_array(y, np.arange(N) == 3)]
    for given in [*gone, pl.Series(labels), np.array([None if v is None else str(v) for v in labels], dtype=object)]:
        with pytest.raises(ValueError, match=r"y\[3\] is missing; leave out the rows"):
            model.score(X, given)


@pytest.mark.filterwarnings("ignore:X has feature names")
def test_transform_reads_x_as_fit_does():
    """Masks, text and durations went through as numbers, or as they were."""
    selector = KSparseSelector(2, ridge=1e-2).fit(X, y)
    frame = pl.DataFrame(X)
    with pytest.raises(ValueError, match="Input X contains NaN"):
        selector.transform(np.ma.masked_array(X, X > 1))
    for wrong in (
        X.astype(str),
        pd.DataFrame(X).astype(str),
        pd.DataFrame(X).astype("category"),
        frame.with_columns(column_0=pl.Series([datetime.timedelta(1)] * N)),
        frame.with_columns(column_0=pl.Series([datetime.date(2024, 1, 1)] * N)),
        frame.lazy(),
    ):
        for output in ("default", "pandas"):
            with pytest.raises(TypeError, match=r"^X "):
                selector.set_output(transform=output).transform(wrong)
    selector.set_output(transform="default")
    right = X[:, selector.support_]
    for same in (
        X,
        X.tolist(),
        X.astype(object),
        np.ma.masked_array(X, False),
        pd.DataFrame(X),
        frame,
        pd.DataFrame(X).astype("Float64"),
    ):
        got = selector.transform(same)
        assert got.dtype == np.float64
        np.testing.assert_array_equal(got, right)


def test_transform_keeps_types_and_formats():
    """Integers stay integers, sparse matrices sparse, columns of a frame of their own types where a frame is asked for."""
    counts = np.round(10 * X).astype(np.int32)
    selector = KSparseSelector(2, ridge=1e-2).fit(counts, y)
    assert selector.transform(counts).dtype == np.int32
    assert selector.transform(X.astype(np.float32)).dtype == np.float32
    assert selector.transform(sp.csr_array(X)).format == "csr"
    assert sp.issparse(selector.transform(sp.csc_matrix(X)))
    sparse = pd.DataFrame(np.where(np.abs(X) > 1, X, 0)).astype(pd.SparseDtype(float, 0))
    got = selector.transform(sparse)
    assert got.format == "csr"
    np.testing.assert_array_equal(got.toarray(), np.asarray(sparse)[:, selector.support_])
    named = pd.DataFrame({"a": X[:, 0], "b": y, "c": X[:, 2] > 0, "d": X[:, 3].astype(np.float32)}, index=np.arange(N)[::-1])
    selector = KSparseSelector(3, ridge=1e-2, always_in=["b", "c"]).set_output(transform="pandas").fit(named, X[:, 1] > 0)
    pd.testing.assert_frame_equal(selector.transform(named), named.iloc[:, selector.support_])
    with pytest.raises(ValueError, match="feature names"):
        selector.transform(named.rename(columns={"a": "z"}))


@pytest.mark.parametrize("weights", [pl.Series, pd.Series, list, lambda values: values.astype(object)])
def test_weights_of_any_kind_in_cross_validation(weights):
    """A polars Series failed where folds without weight are looked for."""
    for scoring in ("roc_auc", make_scorer(roc_auc_score), None):
        model = KSparseClassifierCV([1, 2], ridge=1e-2, cv=3, scoring=scoring)
        right = clone(model).fit(X, y, sample_weight=WEIGHTS)
        got = model.fit(X, y, sample_weight=weights(WEIGHTS))
        np.testing.assert_allclose(got.cv_results_["mean_test_score"], right.cv_results_["mean_test_score"], rtol=1e-12)
        assert got.score(X, y, weights(WEIGHTS)) == pytest.approx(right.score(X, y, WEIGHTS), rel=1e-12)
    for scoring in ("neg_mean_absolute_error", None):
        model = KSparseRegressorCV([1, 2], cv=3, scoring=scoring)
        right = clone(model).fit(X, ETA, sample_weight=WEIGHTS)
        got = model.fit(X, ETA, sample_weight=weights(WEIGHTS))
        np.testing.assert_allclose(got.cv_results_["mean_test_score"], right.cv_results_["mean_test_score"], rtol=1e-12)
    folds = [(np.arange(20, N), np.arange(20)), (np.arange(40), np.arange(40, N))]
    model, some = KSparseClassifierCV([1], cv=folds, scoring="accuracy"), weights(1.0 * (np.arange(N) >= 20))
    with pytest.raises(ValueError, match="fold 0 of cv has no test row of positive weight"):
        model.fit(X, y, sample_weight=some)


def test_one_number_for_all_weights_in_cross_validation():
    for scoring in ("roc_auc", None):
        model = KSparseClassifierCV([1, 2], ridge=1e-2, cv=3, scoring=scoring)
        right = clone(model).fit(X, y).cv_results_["mean_test_score"]
        np.testing.assert_allclose(model.fit(X, y, sample_weight=2.0).cv_results_["mean_test_score"], right, rtol=1e-9)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("as_sparse", [False, True])
def test_a_scorer_is_given_the_model_that_was_chosen(n_classes, as_sparse):
    """As GridSearchCV gives best_estimator_: a model of one k, which a scorer may read, clone and refit."""
    labels = np.digitize(X[:, 0], [0] if n_classes == 2 else [-0.5, 0.5])
    seen = []

    def scorer(model, X, y):
        seen.append(model)
        again = clone(model).fit(X, y)
        return accuracy_score(y, model.predict(X)) - 1e-3 * model.k + 1e-6 * len(again.support_)

    search = KSparseClassifierCV([1, 2], ridge=[1e-2, 1e-1], loss="focal", probability="score", cv=3, scoring=scorer)
    search.fit(pd.DataFrame(X, columns=list("abcd")), labels)
    if as_sparse:
        search.sparsify()
    named = pd.DataFrame(X, columns=list("abcd"))
    score = search.score(named, labels)
    chosen = seen[-1]
    assert {type(model) for model in seen} == {KSparseClassifier}
    assert {name: getattr(chosen, name) for name in search.best_params_} == search.best_params_
    assert set(vars(chosen)) == set(vars(seen[0]))
    assert chosen.feature_names_in_.tolist() == list("abcd")
    np.testing.assert_array_equal(chosen.predict_proba(named), search.predict_proba(named))
    assert chosen.formula() == search.formula()
    assert score == scorer(chosen, named, labels)
    assert not hasattr(chosen, "cv_results_")


def test_a_scorer_of_numbers_is_given_the_model_that_was_chosen():
    def scorer(model, X, y):
        assert type(model) is KSparseRegressor
        return clone(model).fit(X, y).score(X, y) - 1e-3 * model.k

    search = KSparseRegressorCV([1, 2, 3], ridge=[0.0, 1e-3], cv=3, scoring=scorer).fit(X, ETA)
    alone = KSparseRegressor(**search.best_params_).fit(X, ETA)
    assert search.score(X, ETA) == pytest.approx(scorer(alone, X, ETA), rel=1e-12)

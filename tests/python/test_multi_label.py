"""Many labels over one X: each as if alone, a constant one predicted as such."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from ksparse import KSparseClassifier, KSparseMultiLabelClassifier
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks


@parametrize_with_checks(
    [KSparseMultiLabelClassifier(), KSparseMultiLabelClassifier(k=1, loss="focal", ridge=1e-3, n_jobs=2)],
)
def test_scikit_learn_checks(estimator, check):
    """No expected failure. Their toy data are often separable, and then the estimator says so."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        check(estimator)


def labels_of(seed=0, n=200, p=20, m=4):
    """X, and an indicator of labels that two features each give away, with noise."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    eta = np.stack([X[:, rng.choice(p, 2, replace=False)] @ rng.choice([-1.5, 1.5], 2) for _ in range(m)], axis=1)
    return X, (rng.random((n, m)) < 1 / (1 + np.exp(-eta))).astype(int)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), loss=st.sampled_from(["logistic", "focal"]), n_jobs=st.sampled_from([None, 2]))
def test_many_labels_equal_a_loop_of_binary_fits(seed, loss, n_jobs):
    """Each label with settings of its own, as a classifier with these, in every answer and every prediction."""
    X, Y = labels_of(seed)
    rng = np.random.default_rng(seed)
    weights = rng.uniform(0.5, 2.0, len(X))
    by_label = {
        "k": rng.integers(1, 4, 4).tolist(),
        "ridge": rng.choice([1e-3, 1e-1], 4),
        "alpha": rng.uniform(0.3, 0.7, 4),
        "gamma": [0.0, 1.0, 2.0, 3.5],
    }
    model = KSparseMultiLabelClassifier(loss=loss, n_jobs=n_jobs, **by_label).fit(X, Y, sample_weight=weights)
    new = rng.standard_normal((50, 20))
    for j in range(4):
        own = {name: values[j] for name, values in by_label.items()}
        alone = KSparseClassifier(loss=loss, **own).fit(X, Y[:, j], sample_weight=weights)
        assert model.supports_[j].tolist() == alone.support_.tolist()
        assert model.objective_[j] == pytest.approx(alone.objective_, rel=1e-10)
        assert (model.status_[j], model.gamma_[j]) == (alone.status_, alone.gamma_)
        np.testing.assert_allclose(model.decision_function(new)[:, j], alone.decision_function(new), rtol=1e-8, atol=1e-8)
        np.testing.assert_allclose(model.predict_proba(new)[:, j], alone.predict_proba(new)[:, 1], rtol=1e-7, atol=1e-9)
        np.testing.assert_array_equal(model.predict(new)[:, j], alone.predict(new))
    np.testing.assert_allclose(np.exp(model.predict_log_proba(new)), model.predict_proba(new))


def test_predictions_are_those_of_scikit_learns_one_vs_rest():
    """Its loop over clones, in the case of many labels."""
    X, Y = labels_of(1)
    ours = KSparseMultiLabelClassifier(k=2, ridge=1e-3).fit(X, Y)
    theirs = OneVsRestClassifier(KSparseClassifier(k=2, ridge=1e-3)).fit(X, Y)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-9)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    assert ours.score(X, Y) == theirs.score(X, Y)


def test_raw_scores_are_sigmoids():
    """Of every label, whatever its gamma."""
    X, Y = labels_of(1)
    model = KSparseMultiLabelClassifier(k=2, loss="focal", gamma=[0.0, 1.0, 2.0, 3.5], probability="score").fit(X, Y)
    np.testing.assert_allclose(model.predict_proba(X), 1 / (1 + np.exp(-model.decision_function(X))), rtol=1e-12)
    np.testing.assert_allclose(np.exp(model.predict_log_proba(X)), model.predict_proba(X))
    with pytest.raises(ValueError, match="probability is None; it must be one of"):
        KSparseMultiLabelClassifier(probability=None).fit(X, Y)


@pytest.mark.parametrize("loss", ["logistic", "focal"])
def test_a_constant_label_is_always_or_never_predicted(loss):
    """It fails alone, the warning says what is predicted, and the other labels stand."""
    X, Y = labels_of(2)
    model = KSparseMultiLabelClassifier(k=2, loss=loss, ridge=1e-3)
    good = clone(model).fit(X, Y)
    Y = Y.copy()
    Y[:, 1], Y[:, 3] = 1, 0
    message = (
        "2 of 4 labels did not converge; the first is b: invalid_input: y has no row of class 0 .*; it is always predicted"
    )
    with pytest.warns(ConvergenceWarning, match=message):
        model.fit(X, pd.DataFrame(Y, columns=list("abcd")))
    assert (model.predict(X)[:, [1, 3]] == [1, 0]).all()
    assert (model.predict_proba(X)[:, [1, 3]] == [1.0, 0.0]).all()
    assert np.isnan(model.objective_[[1, 3]]).all()
    assert not model.coef_[[1, 3]].any()
    np.testing.assert_array_equal(model.coef_[[0, 2]], good.coef_[[0, 2]])
    assert list(model.result_.to_frame().index) == list("abcd")


def test_weights_decide_what_is_constant():
    """Rows of weight zero are not part of the data."""
    X, Y = labels_of(3)
    with pytest.warns(ConvergenceWarning, match="the first is 2: invalid_input: .* it is always predicted"):
        model = KSparseMultiLabelClassifier(k=2, ridge=1e-3).fit(X, Y, sample_weight=Y[:, 2])
    assert (model.predict(X)[:, 2] == 1).all()


@pytest.mark.parametrize(
    "convert",
    [
        np.ndarray.tolist,
        np.asfortranarray,
        lambda Y: Y.astype(bool),
        lambda Y: Y.astype(np.uint8),
        lambda Y: Y.astype(float),
        lambda Y: pd.DataFrame(Y, columns=list("abcd")),
        scipy.sparse.csr_array,
        scipy.sparse.csc_matrix,
    ],
    ids=["list", "F order", "bool", "uint8", "float", "frame", "csr_array", "csc_matrix"],
)
def test_any_indicator_gives_the_same(convert):
    """Predictions come back in its type, dense."""
    X, Y = labels_of(4)
    given_y = convert(Y)
    model = KSparseMultiLabelClassifier(k=2, ridge=1e-3).fit(X, given_y)
    np.testing.assert_array_equal(model.coef_, KSparseMultiLabelClassifier(k=2, ridge=1e-3).fit(X, Y).coef_)
    dtype = getattr(given_y, "dtype", np.dtype(int))
    assert model.predict(X).dtype == dtype
    assert model.classes_.tolist() == [[0, 1]] * 4
    assert model.classes_.dtype == dtype


@pytest.mark.parametrize("m", [2, 4])
@pytest.mark.parametrize("scoring", ["f1_micro", "roc_auc", "average_precision", None])
def test_scorers_of_scikit_learn_work(m, scoring):
    """By labels and by scores, for two labels as for more; in a pipeline, and by a search over k."""
    X, Y = labels_of(5, m=m)
    pipeline = make_pipeline(StandardScaler(), KSparseMultiLabelClassifier(k=2, ridge=1e-3))
    loop = make_pipeline(StandardScaler(), OneVsRestClassifier(KSparseClassifier(k=2, ridge=1e-3)))
    got, expected = (cross_val_score(model, X, Y, cv=3, scoring=scoring) for model in (pipeline, loop))
    np.testing.assert_allclose(got, expected)
    assert got.mean() > 0.1
    search = GridSearchCV(pipeline, {"ksparsemultilabelclassifier__k": [0, 2, [1] * m]}, cv=3, scoring=scoring)
    assert search.fit(X, Y).best_params_["ksparsemultilabelclassifier__k"] != 0
    proba = cross_val_predict(pipeline, X, Y, cv=3, method="predict_proba")
    assert proba.shape == Y.shape


def test_clones_and_pickles():
    """Parameters are kept as given, predictions survive, the data stay behind."""
    X, Y = labels_of(6)
    model = KSparseMultiLabelClassifier(k=[1, 2, 3, 2], ridge=1e-3, groups=np.arange(20) // 2).fit(X, Y)
    assert clone(model).get_params()["k"] == [1, 2, 3, 2]
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict_proba(X), model.predict_proba(X))
    assert [len(result.groups) for result in copy.result_] == [1, 2, 3, 2]
    assert len(pickle.dumps(model)) < X.nbytes / 2


def test_labels_of_one_dimension_are_those_of_a_classifier():
    """With names for the classes, in the shapes of two classes; a column warns as everywhere in scikit-learn."""
    X, Y = labels_of(7)
    words = np.array(["no", "yes"])[Y[:, 0]]
    model, single = KSparseMultiLabelClassifier(k=2).fit(X, words), KSparseClassifier(k=2).fit(X, words)
    for method in ("predict", "predict_proba", "predict_log_proba", "decision_function"):
        np.testing.assert_array_equal(getattr(model, method)(X), getattr(single, method)(X))
    assert list(model.classes_) == ["no", "yes"]
    assert (model.objective_, model.status_) == (single.objective_, single.status_)
    with pytest.warns(DataConversionWarning, match="A column-vector y was passed"):
        column = KSparseMultiLabelClassifier(k=2).fit(X, Y[:, :1])
    assert column.predict(X).shape == (len(X),)
    model.fit(X, Y)
    assert model.predict(X).shape == Y.shape


def test_bad_input_is_named():
    """What was given and what it must be; a setting is refused, not left to one label to fail by."""
    X, Y = labels_of(8)
    n = len(X)
    cases = [
        ({"k": -1}, Y, ValueError, "k is -1; it must be >= 0"),
        ({"k": [1, 2, -1, 2]}, Y, ValueError, "k is -1; it must be >= 0"),
        ({"k": [1, 2, 3]}, Y, ValueError, "Y has 4 columns but k has 3 entries"),
        ({"k": "bic"}, Y, TypeError, "k is 'bic'; it must be an integer, or one per problem"),
        ({"ridge": [1e-3, -1.0, 0.0, 0.0]}, Y, ValueError, "ridge is -1.0; it must be finite and >= 0"),
        ({"loss": "focal", "alpha": 1.5}, Y, ValueError, r"alpha is 1.5; it must be in \(0, 1\)"),
        ({"loss": "focal", "gamma": [2.0]}, Y, ValueError, "Y has 4 columns but gamma has 1 entries"),
        ({}, Y + 1, ValueError, r"y\[\d+, \d+\] is 2; an indicator of labels must be 0 or 1"),
        ({}, Y * np.arange(4), ValueError, r"y\[\d+, \d+\] is [23]; an indicator of labels must be 0 or 1"),
        ({}, Y + 0.5, ValueError, r"y\[0, 0\] is [01].5; an indicator of labels must be 0 or 1"),
        ({}, np.array(["no", "yes"])[Y], ValueError, r"y\[0, 0\] is (no|yes); an indicator of labels must be 0 or 1"),
        ({}, Y[:50], ValueError, "inconsistent numbers of samples"),
        ({}, np.arange(n) % 3, ValueError, "Only binary classification is supported.*use KSparseClassifier"),
        ({}, np.zeros(n, int), ValueError, "y has one class only .*KSparseMultiLabelClassifier needs two classes"),
        ({}, np.where(np.arange(n)[:, None] == 3, np.nan, Y), ValueError, "y contains NaN"),
        ({}, np.where(np.arange(n)[:, None] == 3, np.inf, Y), ValueError, "y contains infinity"),
    ]
    for parameters, y, error, message in cases:
        with pytest.raises(error, match=message):
            KSparseMultiLabelClassifier(**parameters).fit(X, y)
    with pytest.raises(ValueError, match=r"sample_weight is zero for every row|at least one non-zero"):
        KSparseMultiLabelClassifier(k=2).fit(X, Y, sample_weight=np.zeros(n))
    X[5, 7] = np.nan
    with pytest.raises(ValueError, match=r"X\[5, 7\] is nan; X must be finite"):
        KSparseMultiLabelClassifier(k=2).fit(X, Y)

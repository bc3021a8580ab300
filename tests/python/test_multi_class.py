"""More than two classes: each against the rest, as if alone, in one batch."""

import pickle
import warnings

import ksparse
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from ksparse import KSparseClassifier, KSparseClassifierCV, KSparseMultiLabelClassifier
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_selection import SelectFromModel
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

CLASSES = np.array(["ant", "bee", "cat", "dog"])


def classes_of(seed=0, n=240, p=20, n_classes=4, noise=1.0):
    """Rows whose class is where one of several noisy sums of two neighbouring features is greatest."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    X[:, 1::2] = 0.6 * X[:, ::2] + 0.8 * X[:, 1::2]
    scores = X[:, : 2 * n_classes].reshape(n, n_classes, 2).sum(axis=2) + noise * rng.gumbel(size=(n, n_classes))
    y = scores.argmax(axis=1)
    y[:n_classes] = np.arange(n_classes)
    return X, CLASSES[y]


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    loss=st.sampled_from(["logistic", "focal"]),
    weighted=st.booleans(),
    n_jobs=st.sampled_from([None, 2]),
)
def test_one_vs_rest_equals_a_loop_of_binary_fits(seed, loss, weighted, n_jobs):
    """The classes share passes over X, but no arithmetic; alpha weighs each of them against the rest."""
    X, y = classes_of(seed)
    weights = np.random.default_rng(seed).uniform(0.5, 2.0, len(y)) if weighted else None
    settings = {"k": 3, "loss": loss, "alpha": 0.7, "gamma": 1.5, "ridge": 1e-3}
    model = KSparseClassifier(n_jobs=n_jobs, **settings).fit(X, y, sample_weight=weights)
    assert model.coef_.shape == (4, 20)
    assert list(model.classes_) == list(CLASSES)
    for i, name in enumerate(CLASSES):
        alone = KSparseClassifier(**settings).fit(X, y == name, sample_weight=weights)
        assert model.supports_[i].tolist() == alone.support_.tolist()
        assert model.objective_[i] == pytest.approx(alone.objective_, rel=1e-10)
        np.testing.assert_allclose(model.coef_[i], alone.coef_[0], rtol=1e-9, atol=1e-12)
        assert model.intercept_[i] == pytest.approx(alone.intercept_[0], rel=1e-9, abs=1e-12)
        assert (model.status_[i], model.n_iter_[i], model.gamma_[i]) == (alone.status_, alone.n_iter_, alone.gamma_)
    assert model.support_.tolist() == sorted(set().union(*(support.tolist() for support in model.supports_)))


@pytest.mark.parametrize("loss", ["logistic", "focal"])
def test_predictions_are_those_of_scikit_learns_one_vs_rest(loss):
    """The same classes, linear predictors and probabilities as its loop over clones."""
    X, y = classes_of(1)
    single = KSparseClassifier(k=3, loss=loss, ridge=1e-2)
    ours, theirs = clone(single).fit(X, y), OneVsRestClassifier(single).fit(X, y)
    new = np.random.default_rng(2).standard_normal((500, 20))
    np.testing.assert_allclose(ours.decision_function(new), theirs.decision_function(new), atol=1e-9)
    np.testing.assert_allclose(ours.predict_proba(new), theirs.predict_proba(new), atol=1e-9)
    np.testing.assert_array_equal(ours.predict(new), theirs.predict(new))
    np.testing.assert_allclose(np.exp(ours.predict_log_proba(new)), ours.predict_proba(new))
    assert ours.score(X, y) > 0.5


def test_raw_scores_are_sigmoids_divided_by_their_sum():
    """As scikit-learn's one-vs-rest makes probabilities of those of two classes."""
    X, y = classes_of(1)
    single = KSparseClassifier(k=3, loss="focal", ridge=1e-2, probability="score")
    model = clone(single).fit(X, y)
    sigmoid = 1 / (1 + np.exp(-model.decision_function(X)))
    np.testing.assert_allclose(model.predict_proba(X), sigmoid / sigmoid.sum(axis=1, keepdims=True), rtol=1e-10)
    np.testing.assert_allclose(model.predict_proba(X), OneVsRestClassifier(single).fit(X, y).predict_proba(X), atol=1e-9)
    np.testing.assert_allclose(np.exp(model.predict_log_proba(X)), model.predict_proba(X))


@pytest.mark.parametrize("loss", ["logistic", "focal"])
def test_probabilities_sum_to_one_far_from_every_class(loss):
    """Where each class is all but excluded, the sum of the probabilities against the rest underflows; ratios remain."""
    X, y = classes_of(2)
    model = KSparseClassifier(k=2, loss=loss, ridge=1e-2).fit(X, y)
    model.intercept_ = model.intercept_ - 5e3
    new = np.random.default_rng(3).standard_normal((50, 20))
    assert (1 / (1 + np.exp(-np.maximum(model.decision_function(new), -700.0))) < 1e-300).all()
    proba = model.predict_proba(new)
    np.testing.assert_allclose(proba.sum(axis=1), 1.0)
    np.testing.assert_array_equal(model.classes_[proba.argmax(axis=1)], model.predict(new))
    model.intercept_ = np.full(4, -np.inf)  # as if no class could be fitted
    np.testing.assert_array_equal(model.predict_proba(new), np.full((50, 4), 0.25))


def test_names_of_classes_do_not_matter():
    """Another order of the same classes is another order of rows."""
    X, y = classes_of(3)
    model = KSparseClassifier(k=2, ridge=1e-3).fit(X, y)
    turned = KSparseClassifier(k=2, ridge=1e-3).fit(X, 3 - np.searchsorted(CLASSES, y))
    np.testing.assert_allclose(turned.coef_, model.coef_[::-1])
    np.testing.assert_array_equal(CLASSES[3 - turned.predict(X)], model.predict(X))


def test_weights_of_classes_are_weights_of_rows():
    """In the problems of all classes alike, and multiplied by those of the rows."""
    X, y = classes_of(4)
    weights = np.random.default_rng(0).uniform(0.5, 2.0, len(y))
    by_class = dict(zip(CLASSES, [1.0, 3.0, 0.5, 2.0], strict=True))
    a = KSparseClassifier(k=3, class_weight=by_class).fit(X, y, sample_weight=weights)
    b = KSparseClassifier(k=3).fit(X, y, sample_weight=weights * [by_class[name] for name in y])
    np.testing.assert_allclose(a.coef_, b.coef_)
    rare = np.concatenate([np.flatnonzero(y != "dog"), np.flatnonzero(y == "dog")[:6]])
    share = [
        (KSparseClassifier(k=2, ridge=1e-2, class_weight=how).fit(X[rare], y[rare]).predict(X) == "dog").mean()
        for how in (None, "balanced")
    ]
    assert share[1] > share[0] + 0.05


def test_a_separable_class_fails_alone():
    """The warning names it and says what to do; the others are as they would be without it."""
    X, y = classes_of(5)
    X[y == "cat", 19] += 10.0
    with pytest.warns(ConvergenceWarning, match=r"1 of 4 classes did not converge; the first is cat: separable.*ridge"):
        model = KSparseClassifier(k=2).fit(X, y)
    assert list(model.status_) == ["converged", "converged", "separable", "converged"]
    assert np.isfinite(model.coef_).all()
    assert np.isfinite(model.intercept_).all()
    assert model.supports_[0].tolist() == ksparse.fit(X, y == "ant", 2).support.tolist()
    assert (model.predict(X)[y == "cat"] == "cat").all()


@pytest.mark.parametrize("k", [2, "bic"])
@pytest.mark.parametrize("loss", ["logistic", "focal"])
def test_a_class_without_weight_is_never_predicted(k, loss):
    """Its rows are not part of the data: the others are as in a fit without them."""
    X, y = classes_of(6)
    gamma = 0.0 if k == "bic" else 2.0
    model = KSparseClassifier(k=k, loss=loss, gamma=gamma, ridge=1e-3, always_in=[7])
    message = r"the first is dog: invalid_input: y has no row of class 1 .*; it is never predicted"
    with pytest.warns(ConvergenceWarning, match=message):
        model.fit(X, y, sample_weight=(y != "dog").astype(float))
    rest = clone(model).fit(X[y != "dog"], y[y != "dog"])
    assert [s.tolist() for s in model.supports_] == [*(s.tolist() for s in rest.supports_), []]
    np.testing.assert_allclose(model.predict_proba(X)[:, :3], rest.predict_proba(X), atol=1e-8)
    assert (model.predict_proba(X)[:, 3] == 0).all()
    assert np.isnan(model.objective_[3])


def test_a_criterion_chooses_k_for_each_class():
    """As a classifier of that class alone does, with all fits kept and none of the data."""
    X, y = classes_of(7, n=400)
    model = KSparseClassifier(k="ebic", k_max=6, ridge=1e-3).fit(X, y)
    for i, name in enumerate(CLASSES):
        alone = KSparseClassifier(k="ebic", k_max=6, ridge=1e-3).fit(X, y == name)
        assert model.supports_[i].tolist() == alone.support_.tolist()
        assert model.objective_[i] == pytest.approx(alone.objective_, rel=1e-12)
        assert model.result_.k[i] == alone.result_.k
        np.testing.assert_allclose(model.path_[i].criterion("ebic"), alone.path_.criterion("ebic"))
        with pytest.raises(ValueError, match="does not refer to its data"):
            model.path_[i][2].alternatives()
    X[y == "cat", 19] += 10.0
    separable = KSparseClassifier(k="bic", k_max=3, always_in=[19])
    with pytest.warns(ConvergenceWarning, match="the first is cat: separable"):
        assert separable.fit(X, y).supports_[2].tolist() == [19]


def test_tags_tell_scikit_learn_what_y_may_be():
    """Checks and meta-estimators go by them."""
    for estimator, multi_class, multi_label in [
        (KSparseClassifier(), True, False),
        (KSparseClassifierCV(), True, False),
        (KSparseMultiLabelClassifier(), False, True),
    ]:
        tags = get_tags(estimator).classifier_tags
        assert (tags.multi_class, tags.multi_label) == (multi_class, multi_label)


def test_fits_of_two_and_of_more_classes_follow_each_other():
    """Nothing of an earlier fit remains."""
    X, y = classes_of(8)
    model = KSparseClassifier(k="bic", ridge=1e-2).fit(X, y)
    assert len(model.path_) == 4
    model.set_params(k=2).fit(X, y == "ant")
    assert model.coef_.shape == (1, 20)
    assert model.decision_function(X).shape == (len(y),)
    assert isinstance(model.objective_, float)
    assert not hasattr(model, "path_")


def test_result_is_a_batch_by_class_without_the_data():
    """Named by class; groups are known; a pickle is small."""
    X, y = classes_of(9)
    model = KSparseClassifier(k=1, ridge=1e-2, groups=np.arange(20) // 2).fit(pd.DataFrame(X).add_prefix("x"), y)
    assert isinstance(model.result_, ksparse.BatchResult)
    assert list(model.result_.to_frame().index) == list(CLASSES)
    assert [result.groups.tolist() for result in model.result_] == [[0], [1], [2], [3]]
    assert model.result_[2:][0].groups.tolist() == [2]
    assert list(model.result_[0].feature_names[model.supports_[0]]) == ["x0", "x1"]
    with pytest.raises(ValueError, match="does not refer to its data"):
        model.result_[0].alternatives()
    assert len(pickle.dumps(model)) < X.nbytes / 2


def test_composes_with_scikit_learn():
    """Selection by the union of features, pipelines, searches, clones, pickles."""
    X, y = classes_of(10)
    model = KSparseClassifier(k=2, ridge=1e-2).fit(X, y)
    assert list(model.get_feature_names_out()) == [f"x{j}" for j in model.support_]
    selector = SelectFromModel(KSparseClassifier(k=2, ridge=1e-2), threshold=1e-12).fit(X, y)
    assert np.flatnonzero(selector.get_support()).tolist() == model.support_.tolist()
    pipeline = make_pipeline(StandardScaler(), selector, LogisticRegression())
    assert cross_val_score(pipeline, X, y).mean() > 0.4
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict_proba(X), model.predict_proba(X))
    assert clone(model).get_params() == model.get_params()
    assert cross_val_score(KSparseClassifier(k=3, ridge=1e-2), X, y, scoring="roc_auc_ovr").mean() > 0.6


def test_cross_validation_over_k():
    """One k for all classes, as by GridSearchCV, or with OneVsRestClassifier a k for each."""
    X, y = classes_of(11)
    ours = KSparseClassifierCV(range(1, 4), ridge=1e-2, scoring="neg_log_loss").fit(X, y)
    one_k = GridSearchCV(KSparseClassifier(ridge=1e-2), {"k": range(1, 4)}, scoring="neg_log_loss").fit(X, y)
    assert one_k.best_params_["k"] == ours.best_params_["k"]
    assert one_k.best_score_ == pytest.approx(ours.best_score_, rel=1e-4)
    a_k_each = OneVsRestClassifier(KSparseClassifierCV(ks=[1, 2, 3], ridge=1e-2)).fit(X, y)
    assert a_k_each.score(X, y) > 0.5


@pytest.mark.parametrize("store", [scipy.sparse.csc_array, scipy.sparse.csr_matrix, np.float32])
def test_any_storage_gives_the_same(store):
    """Of several classes and of several labels; float32 to its own precision."""
    X, y = classes_of(14)
    X[np.abs(X) < 0.5] = 0
    stored = store(X)
    rtol = 1e-4 if store is np.float32 else 1e-7
    for estimator, outcomes in [(KSparseClassifier, y), (KSparseMultiLabelClassifier, (y[:, None] == CLASSES).astype(int))]:
        dense, other = (estimator(k=3, ridge=1e-3).fit(design, outcomes) for design in (X, stored))
        assert [s.tolist() for s in other.supports_] == [s.tolist() for s in dense.supports_]
        np.testing.assert_allclose(other.objective_, dense.objective_, rtol=1e-6 if store is np.float32 else 1e-9)
        np.testing.assert_allclose(other.predict_proba(stored), dense.predict_proba(X), rtol=rtol, atol=rtol)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"k": -1}, ValueError, "k is -1; it must be >= 0"),
        ({"k": 2.5}, TypeError, "k is 2.5; it must be an integer"),
        ({"k": [1, 2, 3, 4]}, TypeError, r"k is \[1, 2, 3, 4\]; it must be an integer"),
        ({"k": "best"}, ValueError, "k is 'best'; it must be one of 'aic'"),
        ({"alpha": 2.0}, ValueError, r"alpha is 2.0; it must be in \(0, 1\)"),
        ({"ridge": -1.0}, ValueError, "ridge is -1.0; it must be finite and >= 0"),
        ({"ridge": [1.0] * 4}, TypeError, r"ridge is \[1.0, 1.0, 1.0, 1.0\]; it must be a real number"),
        ({"k": 2, "always_in": [1, 2, 3]}, ValueError, "always_in names 3 features but k is 2"),
        ({"n_jobs": 0}, ValueError, "n_jobs is 0"),
        ({"groups": np.array(["a", 1] * 10, dtype=object)}, TypeError, r"groups\[1\] is 1 but groups\[0\] is 'a'"),
    ],
)
def test_bad_parameters_are_named(parameters, error, message):
    """In the words that fits of two classes have for them."""
    X, y = classes_of(12)
    with pytest.raises(error, match=message):
        KSparseClassifier(**parameters).fit(X, y)


def test_bad_data_are_named():
    """Row and column of X, the weights."""
    X, y = classes_of(13)
    with pytest.raises(ValueError, match="it is zero for every row but those of class bee"):
        KSparseClassifier(k=2).fit(X, y, sample_weight=(y == "bee").astype(float))
    with pytest.raises(ValueError, match=r"sample_weight\[0\] is -1.0; weights must be finite and >= 0"):
        KSparseClassifier(k=2).fit(X, y, sample_weight=np.full(len(y), -1.0))
    X[5, 7] = np.inf
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match=r"X\[5, 7\] \(column 'x7'\) is inf; X must be finite"):
            KSparseClassifier(k=2).fit(pd.DataFrame(X).add_prefix("x"), y)

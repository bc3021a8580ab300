"""KSparseClassifier as scikit-learn expects it."""

import pickle
import warnings

import ksparse
import numpy as np
import pandas as pd
import pytest
from ksparse import KSparseClassifier
from reference import random_problem
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks


@parametrize_with_checks(
    [
        KSparseClassifier(),
        KSparseClassifier(loss="focal", ridge=1e-3),
        KSparseClassifier(k=1, ridge=1e-2),
        KSparseClassifier(k="bic", ridge=1e-2),
    ]
)
def test_scikit_learn_checks(estimator, check):
    """No expected failure. Their toy data are often separable, and then the estimator says so."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        check(estimator)


@pytest.fixture
def data():
    return make_classification(200, 12, n_informative=3, n_redundant=0, n_clusters_per_class=1, flip_y=0.1, random_state=0)


def test_same_answer_as_fit(data):
    """The estimator adds conventions, no algorithm."""
    X, y = data
    model, result = KSparseClassifier(k=3, ridge=1e-3).fit(X, y), ksparse.fit(X, y, 3, ridge=1e-3)
    np.testing.assert_array_equal(model.coef_[0], result.coef)
    assert model.intercept_[0] == result.intercept
    np.testing.assert_array_equal(model.support_, result.support)
    assert [support.tolist() for support in model.supports_] == [result.support.tolist()]
    assert (model.objective_, model.status_) == (result.objective, "converged")


@pytest.mark.parametrize("labels", [("no", "yes"), (-1, 1), (False, True), (3.0, 7.0)])
def test_any_two_labels(data, labels):
    """Sorted labels: the second is the positive class, and predictions are labels."""
    X, y = data
    names = np.array(labels)[y]
    model = KSparseClassifier(k=3).fit(X, names)
    assert list(model.classes_) == list(labels)
    np.testing.assert_array_equal(model.coef_, KSparseClassifier(k=3).fit(X, y).coef_)
    assert (model.predict(X) == names).mean() > 0.7


def test_default_budget_is_ten_or_all(data):
    """Ten is a scorecard; with fewer features there is nothing to choose."""
    X, y = data
    assert len(KSparseClassifier().fit(X, y).support_) == 10
    assert len(KSparseClassifier().fit(X[:, :4], y).support_) == 4


def test_class_weight_multiplies_sample_weight(data):
    """As in scikit-learn; "balanced" counts rows."""
    X, y = data
    w = np.random.default_rng(0).uniform(0.5, 2, len(y))
    a = KSparseClassifier(k=3, class_weight={0: 1.0, 1: 5.0}).fit(X, y, sample_weight=w)
    b = KSparseClassifier(k=3).fit(X, y, sample_weight=w * np.where(y == 1, 5.0, 1.0))
    np.testing.assert_allclose(a.coef_, b.coef_, rtol=1e-6)
    rare = np.concatenate([np.flatnonzero(y == 0), np.flatnonzero(y == 1)[:20]])
    assert KSparseClassifier(k=2, class_weight="balanced").fit(X[rare], y[rare]).predict(X).mean() > 0.2


@pytest.mark.parametrize("loss", ["logistic", "focal"])
@pytest.mark.parametrize("alpha", [0.25, 0.5])
def test_probabilities_agree_with_predictions(data, loss, alpha):
    """Rows sum to one, argmax is predict, order is that of decision_function."""
    X, y = data
    model = KSparseClassifier(k=3, loss=loss, alpha=alpha).fit(X, y)
    proba, eta = model.predict_proba(X), model.decision_function(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    np.testing.assert_array_equal(model.predict(X), model.classes_[proba.argmax(axis=1)])
    assert (np.diff(proba[np.argsort(eta), 1]) >= 0).all()
    np.testing.assert_allclose(np.exp(model.predict_log_proba(X)), proba)


@pytest.mark.parametrize("gamma", [1.0, 2.0, 5.0])
def test_focal_probabilities_are_calibrated_where_the_sigmoid_is_not(gamma):
    """Simulated data with a known posterior: the closed form is at least ten times nearer to it than the sigmoid of the score."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40000, 2))
    true = 1 / (1 + np.exp(-(2.0 * X[:, 0])))
    y = (rng.random(40000) < true).astype(int)
    model = KSparseClassifier(k=1, loss="focal", gamma=gamma).fit(X, y)
    closed = model.predict_proba(X)[:, 1]
    sigmoid = 1 / (1 + np.exp(-model.decision_function(X)))
    assert np.abs(closed - true).mean() < 0.01
    assert np.abs(sigmoid - true).mean() > 10 * np.abs(closed - true).mean()


def test_the_raw_score_is_the_sigmoid(data):
    """Only of predict_proba, at once and without a refit; the logistic loss has nothing to undo."""
    X, y = data
    model = KSparseClassifier(k=3, loss="focal", probability="score").fit(X, y)
    sigmoid = 1 / (1 + np.exp(-model.decision_function(X)))
    np.testing.assert_allclose(model.predict_proba(X), np.column_stack([1 - sigmoid, sigmoid]), rtol=1e-12)
    np.testing.assert_allclose(model.predict_log_proba(X), np.log(model.predict_proba(X)))
    posterior = KSparseClassifier(k=3, loss="focal").fit(X, y)
    np.testing.assert_array_equal(model.coef_, posterior.coef_)
    np.testing.assert_array_equal(model.predict(X), posterior.predict(X))
    assert (np.abs(posterior.predict_proba(X) - 0.5) > np.abs(model.predict_proba(X) - 0.5)).all()
    np.testing.assert_array_equal(model.set_params(probability="posterior").predict_proba(X), posterior.predict_proba(X))
    logistic = KSparseClassifier(k=3).fit(X, y)
    np.testing.assert_array_equal(
        logistic.predict_proba(X), clone(logistic).set_params(probability="score").fit(X, y).predict_proba(X)
    )
    with pytest.raises(ValueError, match="probability is 'raw'; it must be one of 'posterior', 'score'"):
        KSparseClassifier(probability="raw").fit(X, y)
    with pytest.raises(ValueError, match="probability is True; it must be one of"):
        logistic.set_params(probability=True).predict_proba(X)


def test_feature_names(data):
    """Of a frame, or numbered."""
    X, y = data
    frame = pd.DataFrame(X, columns=[f"gene {j}" for j in range(12)])
    model = KSparseClassifier(k=3).fit(frame, y)
    assert list(model.feature_names_in_) == list(frame.columns)
    assert list(model.get_feature_names_out()) == [f"gene {j}" for j in model.support_]
    assert list(KSparseClassifier(k=3).fit(X, y).get_feature_names_out()) == [f"x{j}" for j in model.support_]


def test_nan_is_named_by_row_and_column(data):
    """Found by the core's first pass, without a pass of its own."""
    X, y = data
    X = X.copy()
    X[5, 7] = np.nan
    with pytest.raises(ValueError, match=r"X\[5, 7\] is nan"):
        KSparseClassifier(k=3).fit(X, y)


def test_separable_data_warn_as_scikit_learn_does():
    """With scikit-learn's own class, so that users' filters work."""
    problem = random_problem(0)
    with pytest.warns(ConvergenceWarning, match="separable"):
        KSparseClassifier(k=2).fit(problem.X, problem.X[:, 0] > 0)


def test_composes_with_scikit_learn(data):
    """Pipelines, searches, clones and pickles."""
    X, y = data
    search = GridSearchCV(
        make_pipeline(StandardScaler(), KSparseClassifier(ridge=1e-3)),
        {"ksparseclassifier__k": [1, 3], "ksparseclassifier__loss": ["logistic", "focal"]},
        scoring="average_precision",
    ).fit(X, y)
    assert search.best_score_ > 0.7
    model = KSparseClassifier(k=3).fit(X, y)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))
    assert clone(model).get_params() == model.get_params()
    assert cross_val_score(KSparseClassifier(k=3), X, y).mean() > 0.7


@pytest.mark.parametrize("estimator", [ksparse.KSparseClassifier(k=1), ksparse.KSparseClassifierCV(ks=[1])])
def test_numbers_are_sent_to_the_regressor(estimator):
    """A user who has taken the wrong estimator is told the right one."""
    X = np.random.default_rng(0).standard_normal((30, 2))
    with pytest.raises(ValueError, match=r"Unknown label type: continuous.*use KSparseRegressor for numbers"):
        estimator.fit(X, X[:, 0])

"""KSparseSelector: the features of KSparseClassifier, as scikit-learn's selectors hand them on."""

import inspect
import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from ksparse import KSparseClassifier, KSparseSelector
from sklearn.base import clone, is_classifier
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks


@parametrize_with_checks(
    [
        KSparseSelector(),
        KSparseSelector(loss="focal", ridge=1e-3),
        KSparseSelector(k=1, ridge=1e-2),
        KSparseSelector(k="bic", ridge=1e-2),
    ]
)
def test_scikit_learn_checks(estimator, check):
    """No expected failure. Their toy data are often separable or noise, and then the estimator says so."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "No features were selected")
        check(estimator)


def simulate(seed=0, n=300, p=12, n_classes=2):
    """Rows whose class is where one of several noisy features is greatest."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    y = (1.5 * X[:, 1 : 2 * n_classes : 2] + rng.gumbel(size=(n, n_classes))).argmax(axis=1)
    return X, np.array(["ant", "bee", "cat", "dog"])[y]


def test_parameters_are_those_of_the_classifier():
    """By name, order and default, but for what predictions are: none is forgotten when the classifier gets another."""
    ours, theirs = (dict(inspect.signature(c).parameters) for c in (KSparseSelector, KSparseClassifier))
    del theirs["probability"]
    assert list(ours.values()) == list(theirs.values())


@pytest.mark.parametrize(
    "parameters",
    [
        {"k": 2},
        {"k": "ebic", "k_max": 5},
        {"k": 2, "ridge": 1e-2, "certify": True, "max_gap": 1e-3},
        {"k": 3, "always_in": [7], "never_in": [1], "bounds": (0, None), "class_weight": "balanced"},
        {"k": 1, "groups": np.arange(12) // 2, "loss": "focal", "gamma": 1.0, "alpha": 0.3, "ridge": 1e-3},
    ],
)
@pytest.mark.parametrize("n_classes", [2, 4])
def test_features_are_those_of_the_classifier(parameters, n_classes):
    """No second way to choose; of more classes the union."""
    X, y = simulate(n_classes=n_classes)
    weights = np.random.default_rng(1).uniform(0.5, 2.0, len(y))
    selector = KSparseSelector(**parameters).fit(X, y, sample_weight=weights)
    classifier = KSparseClassifier(**parameters).fit(X, y, sample_weight=weights)
    assert 0 < len(classifier.support_) < 12
    assert selector.support_.tolist() == classifier.support_.tolist()
    assert selector.get_support(indices=True).tolist() == classifier.support_.tolist()
    assert np.flatnonzero(selector.get_support()).tolist() == classifier.support_.tolist()
    np.testing.assert_array_equal(selector.estimator_.coef_, classifier.coef_)


def test_what_is_always_in_is_kept_with_its_group():
    """Also where its coefficient is 0: a column that is constant, as a dummy of a rare category in a part of the rows, or at a bound."""
    X, y = simulate()
    X[:, 6] = 0.0
    frame = pd.DataFrame(X).add_prefix("x")
    assert KSparseSelector(k=2, always_in=["x6"]).fit(frame, y).get_feature_names_out().tolist() == ["x3", "x6"]
    pairs = KSparseSelector(k=2, groups=np.arange(12) // 2, always_in=["x7"], bounds=(0, None)).fit(frame, y)
    assert pairs.get_feature_names_out().tolist() == ["x2", "x3", "x6", "x7"]
    assert 6 not in pairs.estimator_.support_


def test_an_unpenalised_regression_after_it_is_the_classifier():
    """scikit-learn's own fit on the kept columns agrees, so these are the columns that were meant."""
    X, y = simulate(2)
    pipeline = make_pipeline(KSparseSelector(k=3), LogisticRegression(C=np.inf, tol=1e-10)).fit(X, y)
    classifier = KSparseClassifier(k=3).fit(X, y)
    np.testing.assert_allclose(pipeline.predict_proba(X), classifier.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize("store", [np.asfortranarray, np.float32, sp.csr_array, sp.csc_array, sp.csc_matrix, np.ndarray.tolist])
def test_transform_takes_columns_as_they_are(store):
    """In any storage: the same numbers of the same type, and zeros elsewhere on the way back."""
    X, y = simulate(3)
    X[np.abs(X) < 0.5] = 0
    stored = store(X)
    selector = KSparseSelector(k=2).fit(stored, y)
    kept = selector.transform(stored)
    back = selector.inverse_transform(kept)
    assert sp.issparse(kept) == sp.issparse(back) == sp.issparse(stored)
    assert kept.dtype == getattr(stored, "dtype", float)
    kept, back, X = (np.asarray(a.toarray() if sp.issparse(a) else a) for a in (kept, back, X.astype(kept.dtype)))
    assert selector.support_.tolist() == [1, 3]
    np.testing.assert_array_equal(kept, X[:, [1, 3]])
    np.testing.assert_array_equal(back, np.where(np.isin(np.arange(12), [1, 3]), X, 0))


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_frames_keep_their_names(container):
    """In and out, within a pipeline too; a later fit on an array forgets them."""
    X, y = simulate(4)
    names = [f"gene {j}" for j in range(12)]
    frame = pd.DataFrame(X, columns=names) if container == "pandas" else pl.DataFrame(X, schema=names)
    selector = KSparseSelector(k=2).set_output(transform=container).fit(frame, y)
    kept = selector.transform(frame)
    assert isinstance(kept, type(frame))
    assert list(kept.columns) == list(selector.get_feature_names_out()) == ["gene 1", "gene 3"]
    np.testing.assert_array_equal(kept.to_numpy(), X[:, [1, 3]])
    pipeline = make_pipeline(clone(selector), KNeighborsClassifier()).set_output(transform=container).fit(frame, y)
    assert list(pipeline[-1].feature_names_in_) == ["gene 1", "gene 3"]
    with pytest.raises(ValueError, match="feature names should match"):
        selector.transform(frame[names[::-1]])
    assert list(KSparseSelector(k=2, always_in=["gene 5"]).fit(frame, y).get_feature_names_out())[-1] == "gene 5"
    selector.fit(X, y)
    assert not hasattr(selector, "feature_names_in_")
    assert list(selector.get_feature_names_out()) == ["x1", "x3"]
    assert list(selector.get_feature_names_out(names)) == ["gene 1", "gene 3"]


def test_weights_are_repetitions():
    """Integer weights choose as rows that stand there as often."""
    X, y = simulate(5, n=80)
    weights = np.random.default_rng(0).integers(0, 4, len(y))
    again = np.repeat(np.arange(len(y)), weights)
    weighted, repeated = KSparseSelector(k=3).fit(X, y, sample_weight=weights), KSparseSelector(k=3).fit(X[again], y[again])
    assert weighted.support_.tolist() == repeated.support_.tolist()
    np.testing.assert_allclose(weighted.estimator_.coef_, repeated.estimator_.coef_, rtol=1e-6)


def test_composes_with_scikit_learn():
    """A search over k within a pipeline, clones, pickles; a transformer is no classifier."""
    X, y = simulate(6, n_classes=4)
    pipeline = make_pipeline(KSparseSelector(ridge=1e-3), KNeighborsClassifier(15))
    search = GridSearchCV(pipeline, {"ksparseselector__k": [0, 1]}, error_score="raise")
    with pytest.warns(UserWarning, match="No features were selected"), pytest.raises(ValueError, match=r"0 feature\(s\)"):
        search.fit(X, y)
    search.set_params(param_grid={"ksparseselector__k": [1, 2, 12]}).fit(X, y)
    assert search.best_params_["ksparseselector__k"] < 12
    assert search.score(X, y) > 0.5
    selector = search.best_estimator_[0]
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(selector)).transform(X), selector.transform(X))
    assert clone(selector).get_params() == selector.get_params()
    assert not is_classifier(selector)
    with pytest.raises(NotFittedError):
        clone(selector).get_support()


def test_bad_input_is_named():
    """In the words of the classifier."""
    X, y = simulate(7)
    with pytest.raises(ValueError, match="requires y to be passed"):
        KSparseSelector().fit(X, None)
    with pytest.warns(ConvergenceWarning, match="separable.*ridge"):
        KSparseSelector(k=1).fit(X, X[:, 0] > 0)
    X[5, 7] = np.nan
    with pytest.raises(ValueError, match=r"X\[5, 7\] is nan"):
        KSparseSelector().fit(X, y)

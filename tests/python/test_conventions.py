"""What scikit-learn expects of its estimators, of every estimator, by default and with a small k; and its courtesies."""

import os
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest
import scipy.sparse as sps
from ksparse import (
    CoefficientDisplay,
    KSparseClassifier,
    KSparseClassifierCV,
    KSparseMultiLabelClassifier,
    KSparseRegressor,
    KSparseRegressorCV,
    KSparseSelector,
)
from sklearn.base import clone
from sklearn.datasets import load_iris, make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks


# By default the classifier, the regressors and the selector pass in the files that are theirs.
@parametrize_with_checks(
    [
        KSparseClassifier(k=2),
        KSparseRegressor(k=2),
        KSparseSelector(k=2),
        KSparseMultiLabelClassifier(k=2),
        KSparseClassifierCV(),
        KSparseRegressorCV(),
        KSparseClassifierCV(ks=[2]),
        KSparseRegressorCV(ks=[2]),
    ]
)
def test_scikit_learn_checks(estimator, check):
    """No check is expected to fail. Their toy data are often separable, or have fewer features, and then the estimator says so."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "No features were selected")
        warnings.filterwarnings("ignore", "The least populated class in y has only")
        warnings.filterwarnings("ignore", ".*(k|ks) is .* but X has")
        check(estimator)


def fitted_models():
    """Every linear estimator with y of every kind that it takes, and its X."""
    X, y = load_iris(return_X_y=True)
    labels = np.array(["setosa", "versicolor", "virginica"])[y]
    features, many = make_multilabel_classification(n_samples=80, n_features=9, n_labels=3, random_state=0)
    yield KSparseClassifier(2, ridge=1e-2).fit(X, labels == "virginica"), X
    yield KSparseClassifier(2, ridge=1e-2).fit(X, labels), X
    yield KSparseClassifierCV([0, 2], ridge=1e-2).fit(X, labels), X
    yield KSparseMultiLabelClassifier(2, ridge=1e-2).fit(features, many), features
    yield KSparseMultiLabelClassifier(2, ridge=1e-2).fit(X, labels == "virginica"), X
    yield KSparseRegressor(2).fit(X, X[:, 0] + X[:, 2] ** 2), X
    yield KSparseRegressorCV([0, 2]).fit(X, X[:, 0] + X[:, 2] ** 2), X


def test_sparse_coefficients():
    """As in scikit-learn's linear models: coef_ is sparse, every prediction is the same, and densify takes it back."""
    for model, X in fitted_models():
        dense, methods = model.coef_.copy(), ("predict", "decision_function", "predict_proba", "predict_log_proba")
        before = {name: getattr(model, name)(X) for name in methods if hasattr(model, name)}
        assert model.sparsify() is model
        assert sps.issparse(model.coef_)
        assert model.coef_.shape == np.atleast_2d(dense).shape
        assert model.coef_.nnz == np.count_nonzero(dense)
        coef = model.coef_
        assert model.sparsify().coef_ is coef
        for other in (model, pickle.loads(pickle.dumps(model))):
            for rows in (X, sps.csr_array(X)):
                for name, values in before.items():
                    got = getattr(other, name)(rows)
                    assert got.shape == values.shape
                    assert got.dtype == values.dtype
                    if values.dtype.kind == "f":
                        np.testing.assert_allclose(got, values, rtol=1e-12, atol=1e-12)
                    else:
                        np.testing.assert_array_equal(got, values)
        assert model.formula(3) == model.densify().formula(3)
        assert isinstance(model.coef_, np.ndarray)
        np.testing.assert_array_equal(model.coef_, dense)
        assert model.densify().coef_ is model.coef_
        with pytest.raises(NotFittedError):
            clone(model).sparsify()
        with pytest.raises(NotFittedError):
            clone(model).densify()


def test_a_fit_after_sparsify_is_dense_again():
    """Also with warm_start, which reads the features of the last fit; a display reads either form."""
    pytest.importorskip("matplotlib")
    X, y = load_iris(return_X_y=True)
    model = KSparseClassifier(2, ridge=1e-2, warm_start=True).fit(X, y == 1).sparsify().fit(X, y == 1)
    assert isinstance(model.coef_, np.ndarray)
    display = CoefficientDisplay.from_estimator(model)
    assert CoefficientDisplay.from_estimator(model.sparsify()).names == display.names


_DISPATCH = """
import numpy as np, sklearn, warnings
warnings.simplefilter("ignore")
from sklearn.datasets import load_iris
from sklearn.metrics import roc_auc_score
import ksparse
X, y = load_iris(return_X_y=True)
spaces = [np]
for name in ("array_api_strict", "jax.numpy"):
    try:
        spaces.append(__import__(name, fromlist=["asarray"]))
    except ImportError:
        pass
many = np.column_stack([y == 1, y == 2]).astype(int)

def caught(model, X, y):
    return float(np.sum(np.asarray(X)[:, 1] * (np.asarray(y) == model.predict(X))))

problems = [
    (ksparse.KSparseClassifier(2, ridge=1e-2, class_weight="balanced"), (y == 1).astype(int)),
    (ksparse.KSparseClassifier(2, ridge=1e-2), y),
    (ksparse.KSparseClassifier("bic", ridge=1e-2), y),
    (ksparse.KSparseMultiLabelClassifier(2, ridge=1e-2), many),
    (ksparse.KSparseRegressor(2), X[:, 0] + X[:, 2] ** 2),
    (ksparse.KSparseSelector(2, ridge=1e-2), y),
    (ksparse.KSparseClassifierCV([0, 2], ridge=1e-2, scoring="roc_auc"), (y == 1).astype(int)),
    (ksparse.KSparseClassifierCV([0, 2], ridge=1e-2), y),
    (ksparse.KSparseClassifierCV([0, 2], ridge=1e-2, scoring=caught), y),
    (ksparse.KSparseRegressorCV([0, 2], scoring="r2"), X[:, 0] + X[:, 2] ** 2),
]
weights = np.random.default_rng(0).uniform(0.5, 2, len(y))
for model, target in problems:
    expected = sklearn.base.clone(model).fit(X, target, sample_weight=weights)
    for space in spaces:
        with sklearn.config_context(array_api_dispatch=True):
            data, outcome = space.asarray(X), space.asarray(target)
            got = sklearn.base.clone(model).fit(data, outcome, sample_weight=space.asarray(weights))
            ours, theirs = (getattr(m, "estimator_", m) for m in (got, expected))
            np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-3, atol=1e-4)  # JAX has single precision
            if hasattr(got, "predict"):
                # The rounding of single precision may part rows that are next to each other.
                assert np.mean(np.isclose(got.predict(data), expected.predict(X), rtol=1e-3)) > 0.98
                assert np.isclose(got.score(data, outcome), expected.score(X, target), rtol=1e-2)
            else:
                np.testing.assert_allclose(np.asarray(got.transform(data)), expected.transform(X), rtol=1e-6)
print("agreed in", len(spaces), "spaces")
"""


def test_array_api_dispatch():
    """Arrays of NumPy and of other libraries are read, whatever scikit-learn is told of dispatch; SciPy is told before it starts."""
    pytest.importorskip("scipy", minversion="1.14")  # what scikit-learn needs for it
    environment = {**os.environ, "SCIPY_ARRAY_API": "1"}
    done = subprocess.run([sys.executable, "-c", _DISPATCH], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.startswith("agreed in")

"""A row of weight w is w equal rows, and one of weight 0 is no row: in every estimator and under every option."""

import ksparse
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ksparse import (
    KSparseClassifier,
    KSparseClassifierCV,
    KSparseMultiLabelClassifier,
    KSparseRegressor,
    KSparseRegressorCV,
    KSparseSelector,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import PredefinedSplit

CRITERIA = ["aic", "bic", "ebic", "gic"]
LABELS = ["logistic", "focal", "probit", "cloglog", "squared_hinge", "huberised_hinge", "exponential", "asymmetric_focal"]
NUMBERS = ["squared", "huber", "poisson", "gamma", "tweedie", "negative_binomial"]


def weighted_rows(seed, n=70, p=5):
    """X, a linear predictor with noise, whole weights from 0 to 3, and the numbers of the rows repeated as these say."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    eta = X[:, 0] - X[:, 1] + rng.logistic(size=n)
    weights = rng.integers(0, 4, n)
    weights[np.argsort(eta)[[0, 1, n // 2, -2, -1]]] = 2  # every class has rows that count
    return X, eta, weights, np.repeat(np.arange(n), weights)


def classes_of(eta, count):
    """Labels by the size of eta, the first class the rarest."""
    return np.digitize(eta, np.quantile(eta, [0.3] if count == 2 else [0.2, 0.6]))


def assert_same_answer(weighted, repeated, X):
    """Compare supports and F, and coefficients to the tolerance of the fit."""
    assert [s.tolist() for s in weighted.supports_] == [s.tolist() for s in repeated.supports_]
    np.testing.assert_allclose(weighted.objective_, repeated.objective_, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(weighted.predict(X[:5]).shape, repeated.predict(X[:5]).shape)


@given(
    seed=st.integers(0, 2**32 - 1),
    n_classes=st.sampled_from([2, 3]),
    k=st.sampled_from([0, 2, 5]),
    loss=st.sampled_from(LABELS),
    class_weight=st.sampled_from([None, "balanced", {0: 2.0, 1: 0.5}]),
)
@settings(max_examples=60, deadline=None)
def test_classifiers(seed, n_classes, k, loss, class_weight):
    """Class weights that balance count rows by their weights; scores too."""
    X, eta, weights, again = weighted_rows(seed)
    y = classes_of(eta, n_classes)
    model = KSparseClassifier(k, loss=loss, ridge=1e-2, class_weight=class_weight)
    weighted = model.fit(X, y, sample_weight=weights)
    repeated = KSparseClassifier(**model.get_params()).fit(X[again], y[again])
    assert_same_answer(weighted, repeated, X)
    if k > 0:  # with none, balanced classes are equally likely, and rounding says which is predicted
        assert weighted.score(X, y, sample_weight=weights) == pytest.approx(repeated.score(X[again], y[again]), abs=1e-12)
    selector = KSparseSelector(k, loss=loss, ridge=1e-2, class_weight=class_weight).fit(X, y, sample_weight=weights)
    assert selector.support_.tolist() == repeated.support_.tolist()


@given(
    seed=st.integers(0, 2**32 - 1),
    n_classes=st.sampled_from([2, 3]),
    criterion=st.sampled_from(CRITERIA),
    class_weight=st.sampled_from([None, "balanced", {0: 2.0, 1: 0.5}]),
)
@settings(max_examples=20, deadline=None)
def test_criteria_of_classifiers(seed, n_classes, criterion, class_weight):
    """The n of a criterion is the sum of the weights, those of the classes included."""
    X, eta, weights, again = weighted_rows(seed)
    y = classes_of(eta, n_classes)
    weighted = KSparseClassifier(criterion, ridge=1e-3, class_weight=class_weight).fit(X, y, sample_weight=weights)
    repeated = KSparseClassifier(criterion, ridge=1e-3, class_weight=class_weight).fit(X[again], y[again])
    assert_same_answer(weighted, repeated, X)
    paths = ([model.path_] if n_classes == 2 else model.path_ for model in (weighted, repeated))
    for ours, theirs in zip(*paths, strict=True):
        np.testing.assert_allclose(ours.criterion(criterion), theirs.criterion(criterion), rtol=1e-9)


@given(seed=st.integers(0, 2**32 - 1), loss=st.sampled_from(NUMBERS), k=st.sampled_from([0, 2, 5, *CRITERIA]))
@settings(max_examples=50, deadline=None)
def test_regressors(seed, loss, k):
    """All losses, criteria where there are some, and the score."""
    X, eta, weights, again = weighted_rows(seed)
    if isinstance(k, str) and loss not in ("squared", "poisson", "negative_binomial"):
        k = 1
    y = eta if loss in ("squared", "huber") else np.ceil(np.exp(0.5 * np.clip(eta, -4, 4)))
    weighted = KSparseRegressor(k, loss=loss, ridge=1e-3).fit(X, y, sample_weight=weights)
    repeated = KSparseRegressor(k, loss=loss, ridge=1e-3).fit(X[again], y[again])
    assert_same_answer(weighted, repeated, X)
    assert weighted.score(X, y, sample_weight=weights) == pytest.approx(repeated.score(X[again], y[again]), rel=1e-7, abs=1e-7)


@given(seed=st.integers(0, 2**32 - 1), loss=st.sampled_from(["logistic", "focal"]))
@settings(max_examples=15, deadline=None)
def test_many_labels(seed, loss):
    """Several labels over the same weighted rows."""
    X, eta, weights, again = weighted_rows(seed)
    Y = np.column_stack([classes_of(eta, 2), X[:, 3] + 0.5 * eta > 0])
    weighted = KSparseMultiLabelClassifier(2, loss=loss, ridge=1e-2).fit(X, Y, sample_weight=weights)
    repeated = KSparseMultiLabelClassifier(2, loss=loss, ridge=1e-2).fit(X[again], Y[again])
    assert_same_answer(weighted, repeated, X)
    assert weighted.score(X, Y, sample_weight=weights) == pytest.approx(repeated.score(X[again], Y[again]), abs=1e-12)


@given(
    seed=st.integers(0, 2**32 - 1),
    # Not average precision: a sum over columns may round another way in another row, which parts equal rows there.
    scoring=st.sampled_from([None, "accuracy", "roc_auc", "neg_log_loss"]),
    class_weight=st.sampled_from([None, "balanced"]),
)
@settings(max_examples=15, deadline=None)
def test_cross_validation_of_classifiers(seed, scoring, class_weight):
    """On the same folds, with scorers that take weights."""
    X, eta, weights, again = weighted_rows(seed)
    y, folds = classes_of(eta, 2), np.argsort(np.argsort(eta)) % 2  # both classes in each
    chosen = {"ks": range(4), "ridge": 1e-2, "scoring": scoring, "class_weight": class_weight}
    weighted = KSparseClassifierCV(cv=PredefinedSplit(folds), **chosen).fit(X, y, sample_weight=weights)
    repeated = KSparseClassifierCV(cv=PredefinedSplit(folds[again]), **chosen).fit(X[again], y[again])
    np.testing.assert_allclose(
        weighted.cv_results_["mean_test_score"], repeated.cv_results_["mean_test_score"], rtol=1e-6, atol=1e-9
    )
    assert_same_answer(weighted, repeated, X)


@given(seed=st.integers(0, 2**32 - 1), scoring=st.sampled_from([None, "r2", "neg_mean_absolute_error"]))
@settings(max_examples=10, deadline=None)
def test_cross_validation_of_regressors(seed, scoring):
    """On the same folds."""
    X, eta, weights, again = weighted_rows(seed)
    folds = np.argsort(np.argsort(eta)) % 2
    weighted = KSparseRegressorCV(range(4), cv=PredefinedSplit(folds), scoring=scoring).fit(X, eta, sample_weight=weights)
    repeated = KSparseRegressorCV(range(4), cv=PredefinedSplit(folds[again]), scoring=scoring).fit(X[again], eta[again])
    np.testing.assert_allclose(
        weighted.cv_results_["mean_test_score"], repeated.cv_results_["mean_test_score"], rtol=1e-6, atol=1e-9
    )
    assert_same_answer(weighted, repeated, X)


@given(
    seed=st.integers(0, 2**32 - 1),
    sampling=st.sampled_from(["subsample", "bootstrap"]),
    fraction=st.sampled_from([0.2, 0.5, 0.8]),
    loss=st.sampled_from(["logistic", "squared"]),
)
@settings(max_examples=20, deadline=None)
def test_stability(seed, sampling, fraction, loss):
    """Whole weights are drawn as the rows that they count, each for itself; so the same seed gives the same rounds."""
    X, eta, weights, again = weighted_rows(seed)
    y = classes_of(eta, 2) if loss == "logistic" else eta
    chosen = {"rounds": 6, "sampling": sampling, "fraction": fraction, "ridge": 1e-2, "loss": loss}
    weighted = ksparse.stability_selection(X, y, 2, sample_weight=weights, **chosen)
    repeated = ksparse.stability_selection(X[again], y[again], 2, **chosen)
    assert [s.tolist() for s in weighted.supports] == [s.tolist() for s in repeated.supports]


def test_stability_of_large_weights():
    """A row of weight 1000 is drawn more often than a byte holds."""
    X, eta, _, _ = weighted_rows(0)
    y, weights, rounds = classes_of(eta, 2), np.ones(len(eta)), {"rounds": 5, "ridge": 1e-2}
    weights[[3, 9]] = 1000.0, 300.0
    again = np.repeat(np.arange(len(y)), weights.astype(int))
    for sampling in ("subsample", "bootstrap"):
        weighted = ksparse.stability_selection(X, y, 2, sample_weight=weights, sampling=sampling, **rounds)
        repeated = ksparse.stability_selection(X[again], y[again], 2, sampling=sampling, **rounds)
        assert [s.tolist() for s in weighted.supports] == [s.tolist() for s in repeated.supports]


def test_balanced_classes_as_logistic_regression_has_them():
    """The example of the fault: probabilities were 0.3 off, where scikit-learn's agree."""
    X, eta, weights, again = weighted_rows(1)
    for y in (classes_of(eta, 2), np.array(["rare", "usual"])[classes_of(eta, 2)]):
        model = KSparseClassifier(5, class_weight="balanced", tolerance=1e-12).fit(X, y, sample_weight=weights)
        reference = LogisticRegression(C=1e12, class_weight="balanced", tol=1e-10, solver="newton-cholesky")
        reference.fit(X[again], y[again])
        np.testing.assert_allclose(model.predict_proba(X), reference.predict_proba(X), atol=1e-8)


def test_balanced_classes_of_which_one_has_no_weight():
    """Classes without a row that counts take no share, as if their rows were absent."""
    X, eta, weights, _ = weighted_rows(2)
    y = classes_of(eta, 3)
    weights[y == 1] = 0
    two = KSparseClassifier(2, class_weight="balanced", ridge=1e-2).fit(X[y != 1], y[y != 1], sample_weight=weights[y != 1])
    with pytest.warns(ConvergenceWarning, match="never predicted"):
        three = KSparseClassifier(2, class_weight="balanced", ridge=1e-2).fit(X, y, sample_weight=weights)
    np.testing.assert_allclose(three.coef_[2], two.coef_[0], rtol=1e-6, atol=1e-9)
    with pytest.raises(ValueError, match=r"sample_weight\[4\] is -1"):
        KSparseClassifier(2, class_weight="balanced").fit(X, y, sample_weight=np.where(np.arange(70) == 4, -1.0, 1.0))


def test_the_score_of_a_regressor_counts_rows_by_their_weights():
    """One row of weight 2 is two rows; rows of weight 0, however wrong, are none."""
    X, eta, _, _ = weighted_rows(3)
    model = KSparseRegressor(2).fit(X, eta)
    one = np.zeros(70)
    one[3] = 1
    with pytest.warns(UserWarning, match="fewer than two rows"):
        assert np.isnan(model.score(X, eta, sample_weight=one))
    one[3] = 2
    assert model.score(X, eta, sample_weight=one) == model.score(X[[3, 3]], eta[[3, 3]])
    counts = KSparseRegressor(2, loss="poisson").fit(X, np.ceil(np.exp(eta / 3)))
    far, weights = X.copy(), np.ones(70)
    far[0], weights[0] = 1e6 * np.sign(counts.coef_), 0
    expected = counts.score(X[1:], np.ceil(np.exp(eta / 3))[1:])
    with np.errstate(over="ignore"):
        got = counts.score(far, np.ceil(np.exp(eta / 3)), sample_weight=weights)
    assert got == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("estimator", [KSparseClassifier, KSparseClassifierCV, KSparseSelector])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_weights_of_classes_are_named(estimator, n_classes):
    """What is wrong with them was said of sample_weight, which nobody had given, or by NumPy."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((90, 3))
    y = np.arange(90) % n_classes
    for weight in (np.nan, -1, -0.5, np.inf):
        for sample_weight in (None, np.ones(90)):
            with pytest.raises(ValueError, match=r"class_weight\[1\] is .*; it must be finite and >= 0"):
                estimator(class_weight={0: 1, 1: weight}).fit(X, y, sample_weight)
    for weight in ("a", None, [1]):
        with pytest.raises(TypeError, match=r"class_weight\[1\] is .*; it must be a real number"):
            estimator(class_weight={1: weight}).fit(X, y)
    for wrong in ("equal", [1, 2], 3):
        with pytest.raises(ValueError, match=r"class_weight is .*; it must be a dict of weights by class, 'balanced' or None"):
            estimator(class_weight=wrong).fit(X, y)
    with pytest.raises(ValueError, match=r"class_weight\['b'\] is nan"):
        estimator(class_weight={"b": np.nan}).fit(X, np.array(list("abc"))[y])


@pytest.mark.parametrize("names", [[0, 1, 2], ["a", "b", "c"]])
def test_classes_of_weight_0(names):
    """What is left by class_weight is said of class_weight; of three classes one may go, but not in cross-validation."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((90, 3)), np.arange(90) % 3
    a, b, c = names
    three, two = np.array(names)[y], np.array(names)[y % 2]
    for estimator in (KSparseClassifier, KSparseClassifierCV, KSparseSelector):
        for weights, labels in (({a: 1, b: 0}, two), ({b: 0}, two), ({a: 1, b: 0, c: 0}, three)):
            with pytest.raises(ValueError, match=f"class_weight is .*, which leaves the class {a!r} only"):
                estimator(class_weight=weights).fit(X, labels)
        with pytest.raises(ValueError, match=r"class_weight is .*, which leaves no class"):
            estimator(class_weight={a: 0, b: 0.0}).fit(X, two, np.ones(90))
    with pytest.warns(ConvergenceWarning, match="it is never predicted"):
        model = KSparseClassifier(class_weight={a: 1, b: 1, c: 0}).fit(X, three)
    assert set(model.predict(X)) <= {a, b}
    with pytest.raises(ValueError, match=rf"class_weight\[{c!r}\] is 0, which removes all rows of that class"):
        KSparseClassifierCV(class_weight={a: 1, b: 1, c: 0}).fit(X, three)
    with pytest.raises(ValueError, match="sample_weight is zero for every row of class"):
        KSparseClassifierCV(class_weight={a: 2, b: 1, c: 1}).fit(X, three, 1.0 * (y != 2))

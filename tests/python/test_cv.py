"""Cross-validation: folds are weights, scores are what scikit-learn computes, the choice is what the scores say."""

import threading

import ksparse
import numpy as np
import pytest
from ksparse import KSparseClassifier, KSparseClassifierCV
from reference import random_problem
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, log_loss
from sklearn.model_selection import GroupKFold, PredefinedSplit, ShuffleSplit, StratifiedKFold, cross_val_score
from sklearn.utils.estimator_checks import parametrize_with_checks


def clear_data(n=300, p=25, seed=0):
    """Three features made the labels, clearly enough that any sound search finds the same supports."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    y = (2 * X[:, 0] - 1.5 * X[:, 2] + X[:, 4] + rng.logistic(size=n) > 0).astype(int)
    return X, y


@parametrize_with_checks([KSparseClassifierCV(ks=[0, 1], cv=3, ridge=1e-3)])
def test_scikit_learn_conventions(estimator, check):
    """No check is expected to fail."""
    check(estimator)


@pytest.mark.parametrize("settings", [{}, {"loss": "focal", "gamma": 1.5, "alpha": 0.3}])
def test_a_fold_by_weights_is_a_fit_on_the_rows(settings):
    """Same support and objective (1e-10), constant columns within the fold and all."""
    problem = random_problem(3, n=120, p=15, ridge=1e-3)
    problem.X[40:, 6] = 7.0  # constant on the training rows
    weights = np.repeat([0.0, 1.0], [40, 80])
    for k in (1, 3, 6):
        fold = ksparse.fit(problem.X, problem.y, k, sample_weight=weights, ridge=1e-3, **settings)
        rows = ksparse.fit(problem.X[40:], problem.y[40:], k, ridge=1e-3, **settings)
        assert fold.support.tolist() == rows.support.tolist()
        assert fold.objective == pytest.approx(rows.objective, rel=1e-10)


def test_scores_are_those_of_fits_on_the_training_rows():
    """Minus the loss on the rows left out, by scikit-learn's own refit on the support of a fit on the training rows."""
    X, y = clear_data()
    model = KSparseClassifierCV(ks=[1, 2, 3], ridge=[1e-3, 1e-2], cv=4).fit(X, y)
    results = model.cv_results_
    for i, point in enumerate(results["params"]):
        for fold, (train, test) in enumerate(StratifiedKFold(4).split(X, y)):
            support = ksparse.fit(X[train], y[train], point["k"], ridge=point["ridge"]).support
            reference = LogisticRegression(C=1 / (len(train) * point["ridge"]), tol=1e-10, solver="newton-cholesky")
            reference.fit(X[train][:, support], y[train])
            expected = -log_loss(y[test], reference.predict_proba(X[test][:, support]))
            assert results[f"split{fold}_test_score"][i] == pytest.approx(expected, abs=1e-6)
    scores = np.stack([results[f"split{fold}_test_score"] for fold in range(4)])
    np.testing.assert_allclose(results["mean_test_score"], scores.mean(0))
    np.testing.assert_allclose(results["std_test_score"], scores.std(0))
    assert results["rank_test_score"][model.best_index_] == 1
    assert model.n_splits_ == 4
    assert model.best_params_ == results["params"][model.best_index_]
    assert model.support_.tolist() == [0, 2, 4]


@pytest.mark.parametrize("scoring", ["average_precision", "neg_brier_score", "accuracy"])
@pytest.mark.parametrize("loss", ["logistic", "focal"])
def test_scorers_see_a_fitted_classifier(scoring, loss):
    """The same scores as cross_val_score of the classifier; labels may be words."""
    X, y = clear_data()
    labels = np.array(["no", "yes"])[y]
    if scoring == "average_precision":
        labels = y
    model = KSparseClassifierCV(ks=[2, 3], loss=loss, ridge=1e-3, cv=StratifiedKFold(3), scoring=scoring)
    if scoring == "neg_brier_score":
        labels = y
    model.fit(X, labels)
    single = KSparseClassifier(k=3, loss=loss, ridge=1e-3)
    expected = cross_val_score(single, X, labels, cv=StratifiedKFold(3), scoring=scoring)
    got = [model.cv_results_[f"split{fold}_test_score"][1] for fold in range(3)]
    np.testing.assert_allclose(got, expected, atol=1e-6)


def test_scorers_see_the_probability_that_was_asked_for():
    """The raw score of the focal loss has another log loss than the posterior, and the model is judged by what it will return."""
    X, y = clear_data()
    parameters = {"loss": "focal", "ridge": 1e-3, "probability": "score"}
    model = KSparseClassifierCV(ks=[3], cv=StratifiedKFold(3), scoring="neg_log_loss", **parameters).fit(X, y)
    expected = cross_val_score(KSparseClassifier(k=3, **parameters), X, y, cv=StratifiedKFold(3), scoring="neg_log_loss")
    assert model.best_score_ == pytest.approx(expected.mean(), abs=1e-6)
    assert model.best_score_ < clone(model).set_params(probability="posterior").fit(X, y).best_score_ - 0.01
    np.testing.assert_allclose(model.predict_proba(X)[:, 1], 1 / (1 + np.exp(-model.decision_function(X))), rtol=1e-12)


def test_weights_count_in_fits_and_scores():
    """As repeated rows do, split alike."""
    X, y = clear_data(n=120, p=8)
    weights = np.random.default_rng(1).integers(1, 4, len(y))
    folds = np.arange(len(y)) % 3
    model = KSparseClassifierCV(ks=[1, 2, 3], ridge=1e-3, cv=PredefinedSplit(folds)).fit(X, y, sample_weight=weights)
    again = np.repeat(np.arange(len(y)), weights)
    repeated = KSparseClassifierCV(ks=[1, 2, 3], ridge=1e-3, cv=PredefinedSplit(folds[again])).fit(X[again], y[again])
    np.testing.assert_allclose(model.cv_results_["mean_test_score"], repeated.cv_results_["mean_test_score"], rtol=1e-7)
    np.testing.assert_allclose(model.coef_, repeated.coef_, rtol=1e-6)


def test_splitters_with_repeated_splits_or_groups():
    """Any splitter of scikit-learn, an iterable of index pairs, groups."""
    X, y = clear_data(n=150, p=10)
    assert KSparseClassifierCV(ks=[2], cv=ShuffleSplit(7, random_state=0)).fit(X, y).n_splits_ == 7
    groups = np.arange(150) // 10
    assert KSparseClassifierCV(ks=[2], cv=GroupKFold(3)).fit(X, y, groups=groups).n_splits_ == 3
    pairs = [(np.arange(100), np.arange(100, 150)), (np.arange(50, 150), np.arange(50))]
    assert KSparseClassifierCV(ks=[2], cv=pairs).fit(X, y).n_splits_ == 2


def test_a_splitter_may_name_a_row_very_often():
    """65,536 times is not never: a count of 16 bits began again at 0 there, and dropped the row."""
    X, y = clear_data(n=40, p=5)
    for times in (65_535, 65_536, 65_537, 131_072):
        train = np.concatenate([np.arange(30), np.full(times - 1, 3)])
        model = KSparseClassifierCV(ks=[0, 1, 2], ridge=1e-2, cv=[(train, np.arange(30, 40))]).fit(X, y)
        for k, score in zip((0, 1, 2), model.cv_results_["mean_test_score"], strict=True):
            fit = ksparse.fit(X[:30], y[:30], k, ridge=1e-2, sample_weight=np.where(np.arange(30) == 3, times, 1))
            expected = -log_loss(y[30:], fit.predict_proba(X[30:]), labels=[0, 1])
            assert score == pytest.approx(expected, abs=1e-9)


def test_one_standard_error_takes_the_simplest():
    """The smallest k within one standard error of the best mean."""
    X, y = clear_data(n=200, seed=3)
    settings = {"ks": range(9), "ridge": [0.0, 1e-3, 1e-2]}
    best = KSparseClassifierCV(**settings).fit(X, y)
    simple = KSparseClassifierCV(one_standard_error=True, **settings).fit(X, y)
    results = best.cv_results_
    scores = np.stack([results[f"split{fold}_test_score"] for fold in range(5)])
    bar = best.best_score_ - scores[:, best.best_index_].std(ddof=1) / np.sqrt(5)
    within = [point for point, mean in zip(results["params"], results["mean_test_score"], strict=True) if mean >= bar]
    assert simple.best_params_["k"] == min(point["k"] for point in within)
    assert simple.best_params_["ridge"] == max(p["ridge"] for p in within if p["k"] == simple.best_params_["k"])
    assert simple.best_params_["k"] <= best.best_params_["k"]


def test_one_split_has_no_standard_error():
    """With one number there is no spread, and the best mean is the only one within it."""
    X, y = clear_data(n=200, seed=3)
    settings = {"ks": range(9), "cv": ShuffleSplit(1, random_state=0)}
    best = KSparseClassifierCV(**settings).fit(X, y)
    assert KSparseClassifierCV(one_standard_error=True, **settings).fit(X, y).best_params_ == best.best_params_
    assert best.cv_results_["std_test_score"].tolist() == [0.0] * 9


def test_grids_over_the_loss_need_a_scorer():
    """The loss itself is no common measure of several losses."""
    X, y = clear_data(n=150, p=10)
    model = KSparseClassifierCV(ks=[1, 3], loss="focal", gamma=[0.0, 2.0], alpha=[0.25, 0.5], scoring="average_precision")
    model.fit(X, y)
    assert len(model.cv_results_["params"]) == 8
    assert set(model.best_params_) == {"k", "alpha", "gamma", "ridge"}
    expected = average_precision_score(y, model.decision_function(X))
    assert expected > 0.8
    with pytest.raises(ValueError, match=r"scoring is None, which compares average losses.*give a scorer"):
        clone(model).set_params(scoring=None).fit(X, y)


def test_threads_change_nothing():
    """Same scores on one thread and on several, and from several Python threads at once."""
    X, y = clear_data(n=200, p=60)
    answers = []

    def work(n_jobs):
        model = KSparseClassifierCV(ks=range(6), ridge=[1e-3, 1e-1], n_jobs=n_jobs).fit(X, y)
        answers.append(model.cv_results_["mean_test_score"])

    threads = [threading.Thread(target=work, args=(n_jobs,)) for n_jobs in (1, 2, 3, -1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 4
    for scores in answers:
        np.testing.assert_array_equal(scores, answers[0])


def test_bad_folds_and_grids_are_named():
    """Which fold, which class, which argument."""
    X, y = clear_data(n=60, p=5)
    one_class = [(np.flatnonzero(y == 1), np.flatnonzero(y == 0))]
    with pytest.raises(ValueError, match=r"fold 0 of cv has no training row of class 0.*stratified"):
        KSparseClassifierCV(cv=one_class).fit(X, y)
    with pytest.raises(ValueError, match="fold 0 of cv has no test row"):
        KSparseClassifierCV(cv=[(np.arange(60), np.arange(0))]).fit(X, y)
    # The sum of the weights that a mean loss, or a scorer, is divided by.
    halves, weights = [(np.arange(0, 60, 2), np.arange(1, 60, 2)), (np.arange(60), np.arange(40, 60))], np.ones(60)
    weights[40:] = 0.0
    for scoring in (None, "accuracy"):
        with pytest.raises(ValueError, match=r"fold 1 of cv has no test row of positive weight.*leave out rows of weight zero"):
            KSparseClassifierCV(ks=[1], cv=halves, scoring=scoring).fit(X, y, sample_weight=weights)
    with pytest.raises(ValueError, match="ridge is empty"):
        KSparseClassifierCV(ridge=[]).fit(X, y)
    with pytest.raises(ValueError, match=r"ridge is -1\.0; it must be finite and >= 0"):
        KSparseClassifierCV(ridge=[0.0, -1.0]).fit(X, y)
    with pytest.raises(TypeError, match="one_standard_error is 1; it must be True or False"):
        KSparseClassifierCV(one_standard_error=1).fit(X, y)
    one_class = [(np.arange(60), np.flatnonzero(y == 0)), (np.arange(60), np.arange(60))]
    with (
        pytest.raises(ValueError, match=r"every score on fold 0 of cv is NaN: it has no test row of class 1.*stratified"),
        pytest.warns(UserWarning, match="Only one class"),
    ):
        KSparseClassifierCV(ks=[1], cv=one_class, scoring="roc_auc").fit(X, y)

    def no_number(estimator, X, y):
        return np.nan

    with pytest.raises(ValueError, match="every score on fold 0 of cv is NaN: check the scorer"):
        KSparseClassifierCV(ks=[1], scoring=no_number).fit(X, y)
    # A point of the grid without a number on some fold has no mean; here every point has such a fold.
    points = iter([1.0, np.nan, np.nan, 1.0])
    with pytest.raises(ValueError, match="every score is NaN; check the scorer and the folds"):
        KSparseClassifierCV(ks=[1, 2], cv=2, scoring=lambda *_: next(points)).fit(X, y)
    # Only some are without: they rank last, as in scikit-learn.
    points = iter([1.0, np.nan, 1.0, 2.0, 3.0, 3.0])
    model = KSparseClassifierCV(ks=[1, 2, 3], cv=2, scoring=lambda *_: next(points)).fit(X, y)
    ranks = dict(zip(model.cv_results_["mean_test_score"], model.cv_results_["rank_test_score"], strict=True))
    assert [rank for mean, rank in ranks.items() if np.isnan(mean)] == [3]
    assert model.cv_results_["rank_test_score"][model.best_index_] == 1
    X[4, 2] = np.inf
    with pytest.raises(ValueError, match=r"X\[4, 2\] is inf"):
        KSparseClassifierCV().fit(X, y)


def test_a_criterion_chooses_k():
    """KSparseClassifier(k="ebic") is the best fit of a path."""
    X, y = clear_data(n=800)
    model = KSparseClassifier(k="ebic", k_max=8).fit(X, y)
    assert model.support_.tolist() == [0, 2, 4]
    path = ksparse.fit_path(X, y, range(9), search="auto")
    np.testing.assert_allclose(model.path_.criterion("ebic"), path.criterion("ebic"), rtol=1e-9)
    with pytest.raises(ValueError, match="k is 'best'; it must be one of 'aic', 'bic', 'ebic', 'gic'"):
        KSparseClassifier(k="best").fit(X, y)
    with pytest.raises(ValueError, match="'bic' needs a likelihood"):
        KSparseClassifier(k="bic", loss="focal").fit(X, y)

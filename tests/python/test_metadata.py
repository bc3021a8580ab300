"""Metadata routing of scikit-learn: weights reach fits and scores that ask for them, groups reach splitters, and nothing else does."""

import ksparse
import numpy as np
import pytest
from ksparse import KSparseClassifier, KSparseClassifierCV, KSparseMultiLabelClassifier, KSparseSelector
from sklearn import config_context
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, get_scorer, make_scorer
from sklearn.model_selection import GridSearchCV, GroupKFold, StratifiedKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.metadata_routing import get_routing_for_object


@pytest.fixture(autouse=True)
def routing():
    """All tests of this file run with it."""
    with config_context(enable_metadata_routing=True):
        yield


@pytest.fixture(scope="module")
def data():
    """X, y, weights that change every fit, and groups of ten rows."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((240, 10))
    y = (1.5 * X[:, 0] - X[:, 3] + rng.logistic(size=240) > 0.5).astype(int)
    return X, y, rng.exponential(size=240) + 0.01, np.arange(240) // 10


ESTIMATORS = [
    KSparseClassifier(k=2),
    KSparseClassifierCV(ks=[1, 2], cv=3),
    KSparseMultiLabelClassifier(k=2),
    KSparseSelector(k=2),
]


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda estimator: type(estimator).__name__)
def test_a_pipeline_hands_weights_to_a_fit_that_asks(data, estimator):
    """Asked for: as by hand. Refused: as without. Neither: an error that names them."""
    X, y, w, _ = data
    pipeline = make_pipeline(StandardScaler().set_fit_request(sample_weight=True), estimator)
    scaled = StandardScaler().fit_transform(X, sample_weight=w)

    def coef(fitted):
        return fitted.estimator_.coef_ if isinstance(fitted, KSparseSelector) else fitted.coef_

    estimator.set_fit_request(sample_weight=True)
    weighted = coef(pipeline.fit(X, y, sample_weight=w)[-1])
    np.testing.assert_array_equal(weighted, coef(estimator.fit(scaled, y, sample_weight=w)))
    estimator.set_fit_request(sample_weight=False)
    unweighted = coef(pipeline.fit(X, y, sample_weight=w)[-1])
    np.testing.assert_array_equal(unweighted, coef(estimator.fit(scaled, y)))
    assert np.abs(weighted - unweighted).max() > 1e-3
    estimator.set_fit_request(sample_weight=None)
    with pytest.raises(UnsetMetadataPassedError, match=r"\[sample_weight\] are passed but are not explicitly set"):
        pipeline.fit(X, y, sample_weight=w)


def test_weights_reach_the_selector_and_the_model_after_it(data):
    """Both ask, both get them: an unpenalised regression on the chosen features is the weighted classifier."""
    X, y, w, _ = data
    regression = LogisticRegression(C=np.inf, tol=1e-10).set_fit_request(sample_weight=True)
    pipeline = make_pipeline(KSparseSelector(k=2).set_fit_request(sample_weight=True), regression)
    pipeline.fit(X, y, sample_weight=w)
    classifier = KSparseClassifier(k=2).fit(X, y, sample_weight=w)
    np.testing.assert_allclose(pipeline.predict_proba(X), classifier.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize("for_fit", [True, False])
@pytest.mark.parametrize("for_score", [True, False])
def test_a_search_weighs_fits_and_scores_apart(data, for_fit, for_score):
    """Every score is what a loop over folds by hand gives; weights that nobody wants are refused."""
    X, y, w, _ = data
    estimator = KSparseClassifier(ridge=1e-3).set_fit_request(sample_weight=for_fit).set_score_request(sample_weight=for_score)
    search = GridSearchCV(estimator, {"k": [1, 2]}, cv=StratifiedKFold(3))
    if not for_fit and not for_score:
        with pytest.raises(TypeError, match=r"unexpected argument\(s\) {'sample_weight'}"):
            search.fit(X, y, sample_weight=w)
        return
    search.fit(X, y, sample_weight=w)
    for fold, (train, test) in enumerate(StratifiedKFold(3).split(X, y)):
        for place, k in enumerate([1, 2]):
            model = KSparseClassifier(k=k, ridge=1e-3).fit(X[train], y[train], w[train] if for_fit else None)
            expected = accuracy_score(y[test], model.predict(X[test]), sample_weight=w[test] if for_score else None)
            assert search.cv_results_[f"split{fold}_test_score"][place] == pytest.approx(expected)


@pytest.mark.parametrize("for_score", [True, False])
def test_cross_validate_takes_weights_for_fits_and_scorers(data, for_score):
    """In a pipeline, by a scorer that asks for them or refuses."""
    X, y, w, _ = data
    pipeline = make_pipeline(
        StandardScaler().set_fit_request(sample_weight=False), KSparseClassifier(k=2).set_fit_request(sample_weight=True)
    )
    scorer = get_scorer("neg_log_loss").set_score_request(sample_weight=for_score)
    got = cross_validate(pipeline, X, y, cv=StratifiedKFold(3), scoring=scorer, params={"sample_weight": w})["test_score"]
    for score, (train, test) in zip(got, StratifiedKFold(3).split(X, y), strict=True):
        probability = pipeline.fit(X[train], y[train], sample_weight=w[train]).predict_proba(X[test])
        losses = -np.log(probability[np.arange(len(test)), y[test]])
        assert score == pytest.approx(-np.average(losses, weights=w[test] if for_score else None))


@pytest.mark.parametrize("for_score", [True, False])
def test_the_classifier_with_cross_validation_hands_weights_to_its_scorer(data, for_score):
    """If it asks; the fits have them in any case, for they were passed to fit."""
    X, y, w, _ = data
    scorer = get_scorer("neg_log_loss").set_score_request(sample_weight=for_score)
    model = KSparseClassifierCV(ks=[2], cv=StratifiedKFold(3), scoring=scorer).fit(X, y, sample_weight=w)
    for fold, (train, test) in enumerate(StratifiedKFold(3).split(X, y)):
        alone = KSparseClassifier(k=2).fit(X[train], y[train], sample_weight=w[train])
        losses = -np.log(alone.predict_proba(X[test])[np.arange(len(test)), y[test]])
        expected = -np.average(losses, weights=w[test] if for_score else None)
        assert model.cv_results_[f"split{fold}_test_score"][0] == pytest.approx(expected, abs=1e-6)


def test_a_scorer_that_has_not_said_is_asked(data):
    """By an error, as everywhere in scikit-learn; scorers of older releases that have not said have refused."""
    X, y, w, _ = data
    model = KSparseClassifierCV(ks=[2], scoring="neg_log_loss")
    if get_routing_for_object(get_scorer("neg_log_loss")).score.requests:
        with pytest.raises(UnsetMetadataPassedError, match=r"\[sample_weight\] are passed but are not explicitly set"):
            model.fit(X, y, sample_weight=w)
    else:
        scores = model.fit(X, y, sample_weight=w).cv_results_["mean_test_score"]
        model.set_params(scoring=get_scorer("neg_log_loss").set_score_request(sample_weight=False))
        np.testing.assert_array_equal(scores, model.fit(X, y, sample_weight=w).cv_results_["mean_test_score"])


def test_its_own_loss_is_weighted_without_asking(data):
    """It belongs to the fits: with routing as without."""
    X, y, w, _ = data
    routed = KSparseClassifierCV(ks=[1, 2]).fit(X, y, sample_weight=w)
    with config_context(enable_metadata_routing=False):
        plain = KSparseClassifierCV(ks=[1, 2]).fit(X, y, sample_weight=w)
    np.testing.assert_array_equal(routed.cv_results_["mean_test_score"], plain.cv_results_["mean_test_score"])


def test_groups_reach_the_splitters_that_ask(data):
    """Of the classifier itself and around it: no group is on both sides of a split, at either level."""
    X, y, w, groups = data

    class Watched(GroupKFold):
        def split(self, X, y=None, groups=None):
            for train, test in super().split(X, y, groups):
                seen.append((set(groups[train]), set(groups[test])))
                yield train, test

    seen = []
    model = KSparseClassifierCV(ks=[1, 2], cv=Watched(3)).set_fit_request(sample_weight=True)
    model.set_score_request(sample_weight=False).fit(X, y, sample_weight=w, groups=groups)
    assert model.n_splits_ == len(seen) == 3
    cross_validate(model, X, y, cv=Watched(2), params={"sample_weight": w, "groups": groups}, error_score="raise")
    assert sorted(len(train | test) for train, test in seen) == [12] * 6 + [24] * 5  # six within halves
    assert not any(train & test for train, test in seen)
    with pytest.raises(TypeError, match=r"unexpected argument\(s\) {'groups'}"):
        KSparseClassifierCV(cv=StratifiedKFold(3)).fit(X, y, groups=groups)


def test_other_metadata_reach_a_scorer_that_asks(data):
    """An amount by row, cut to the rows left out; without routing it is refused."""
    X, y, _, _ = data
    amount = np.random.default_rng(1).uniform(1, 100, len(y))

    def saved(y, predicted, amount):
        return amount[(y == 1) & (predicted == 1)].sum()

    scorer = make_scorer(saved).set_score_request(amount=True)
    folds = StratifiedKFold(3)
    model = KSparseClassifierCV(ks=[2], cv=folds, scoring=scorer).fit(X, y, amount=amount)
    for fold, (train, test) in enumerate(folds.split(X, y)):
        predicted = KSparseClassifier(k=2).fit(X[train], y[train]).predict(X[test])
        assert model.cv_results_[f"split{fold}_test_score"][0] == pytest.approx(saved(y[test], predicted, amount[test]))
    with (
        config_context(enable_metadata_routing=False),
        pytest.raises(TypeError, match=r"fit got amount; .*enable_metadata_routing"),
    ):
        model.fit(X, y, amount=amount)


def test_what_is_asked_for_is_said():
    """To whoever routes: weights for fits and scores, groups and scores' weights through the classifier with cross-validation."""
    for estimator in (KSparseClassifier(), KSparseMultiLabelClassifier()):
        routing = get_routing_for_object(estimator)
        offsets = {"offset", "exposure"}
        assert set(routing.fit.requests) == set(routing.score.requests) == {"sample_weight", *offsets}
        assert set(routing.predict.requests) == set(routing.predict_proba.requests) == offsets
    scorer = get_scorer("accuracy").set_score_request(sample_weight="row_weight")
    model = KSparseClassifierCV(cv=GroupKFold(3), scoring=scorer).set_fit_request(sample_weight=True)
    routing = get_routing_for_object(model)
    names = {"sample_weight", "groups", "row_weight", "amount"}
    assert set(routing.consumes("fit", names)) == {"sample_weight", "groups", "row_weight"}
    assert set(get_routing_for_object(KSparseClassifierCV()).consumes("fit", names)) == set()
    with pytest.raises(TypeError, match="groups"):
        model.set_fit_request(groups=True)


def test_an_alias_reaches_the_scorer_under_its_name(data):
    """One array for the fits, another for the scores."""
    X, y, w, _ = data
    scorer = get_scorer("accuracy").set_score_request(sample_weight="judged_by")
    other = np.random.default_rng(2).exponential(size=len(y))
    folds = StratifiedKFold(3)
    model = KSparseClassifierCV(ks=[1], cv=folds, scoring=scorer).fit(X, y, sample_weight=w, judged_by=other)
    train, test = next(iter(folds.split(X, y)))
    fit = ksparse.fit(X[train], y[train], 1, sample_weight=w[train])
    expected = accuracy_score(y[test], fit.decision_function(X[test]) > 0, sample_weight=other[test])
    assert model.cv_results_["split0_test_score"][0] == pytest.approx(expected)

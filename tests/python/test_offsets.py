"""Offsets and exposures of the estimators: in the fit, the predictions, the scores, cross-validation and by metadata routing."""

from __future__ import annotations

import ksparse
import numpy as np
import pytest
from ksparse import (
    KSparseClassifier,
    KSparseClassifierCV,
    KSparseMultiLabelClassifier,
    KSparseRegressor,
    KSparseRegressorCV,
    KSparseSelector,
)
from sklearn import config_context
from sklearn.linear_model import PoissonRegressor
from sklearn.metrics import make_scorer, mean_poisson_deviance
from sklearn.model_selection import GridSearchCV, KFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

RNG = np.random.default_rng(11)
N = 300
X = RNG.standard_normal((N, 10))
ETA = X[:, 1] - X[:, 4]
OFFSET = 1.5 * RNG.standard_normal(N)
Y = (ETA + OFFSET + RNG.logistic(size=N) > 0).astype(int)
EXPOSURE = np.exp(RNG.uniform(-1, 2, N))
COUNTS = RNG.poisson(EXPOSURE * np.exp(0.5 * ETA - 0.5))
WEIGHTS = RNG.uniform(0.5, 2, N)
LABELS = np.column_stack([Y, RNG.random(N) < 0.4, ETA + RNG.logistic(size=N) > 0.3]).astype(int)
OFFSETS = np.column_stack([OFFSET, 0.3 * X[:, 0], np.zeros(N)])


def test_a_classifier_adds_the_offset():
    """As the function does, for which repeated rows and other losses are tested; an offset of 0 is none."""
    expected = ksparse.fit(X, Y, 2, offset=OFFSET, sample_weight=WEIGHTS)
    model = KSparseClassifier(2).fit(X, Y, WEIGHTS, offset=OFFSET)
    np.testing.assert_array_equal(model.coef_[0], expected.coef)
    np.testing.assert_allclose(model.decision_function(X, offset=OFFSET), expected.decision_function(X, OFFSET), rtol=1e-14)
    np.testing.assert_allclose(model.predict_proba(X, offset=OFFSET)[:, 1], expected.predict_proba(X, OFFSET), rtol=1e-12)
    np.testing.assert_allclose(np.exp(model.predict_log_proba(X, offset=OFFSET)), model.predict_proba(X, offset=OFFSET))
    np.testing.assert_array_equal(model.predict(X, offset=OFFSET), expected.predict(X, OFFSET))
    assert model.score(X, Y, offset=OFFSET) == np.mean(expected.predict(X, OFFSET) == Y) > model.score(X, Y)
    zero = KSparseClassifier(2).fit(X, Y, offset=np.zeros(N))
    np.testing.assert_allclose(zero.coef_, KSparseClassifier(2).fit(X, Y).coef_, rtol=1e-10)
    path = KSparseClassifier("bic", k_max=4).fit(X, Y, offset=OFFSET)
    assert path.objective_ == ksparse.fit(X, Y, "bic", k_max=4, offset=OFFSET).objective
    selector = KSparseSelector(2).fit(X, Y, offset=OFFSET)
    np.testing.assert_array_equal(selector.support_, np.flatnonzero(ksparse.fit(X, Y, 2, offset=OFFSET).coef))


def test_a_summary_and_a_scorecard_need_the_offset_of_the_fit():
    model = KSparseClassifier(2).fit(X, Y, offset=OFFSET)
    expected = ksparse.fit(X, Y, 2, offset=OFFSET)
    np.testing.assert_allclose(model.summary(X, Y, offset=OFFSET).standard_error, expected.summary().standard_error, rtol=1e-10)
    assert model.scorecard(X, Y, offset=OFFSET).loss_before == pytest.approx(expected.scorecard().loss_before, rel=1e-12)
    with pytest.raises(ValueError, match="F"):
        model.summary(X, Y)


@pytest.mark.parametrize("criterion", [False, True])
def test_each_class_and_each_label_may_have_an_offset_of_its_own(criterion):
    kinds = np.argmax(LABELS + 0.1 * RNG.random(LABELS.shape), axis=1)
    for offset in (OFFSET, OFFSETS):
        k = "bic" if criterion else 2
        classes = KSparseClassifier(k, k_max=3 if criterion else None).fit(X, kinds, offset=offset)
        own = np.broadcast_to(offset if offset.ndim == 2 else offset[:, None], (N, 3))
        for c in range(3):
            alone = ksparse.fit(X, kinds == c, k, offset=own[:, c].copy(), **({"k_max": 3} if criterion else {}))
            np.testing.assert_allclose(classes.coef_[c], alone.coef, rtol=1e-9, atol=1e-12)
            np.testing.assert_allclose(classes.decision_function(X, offset=offset)[:, c], alone.decision_function(X, own[:, c]))
        assert classes.summary(X, kinds, offset=offset)[1].names.tolist()
        if not criterion:
            labels = KSparseMultiLabelClassifier(2).fit(X, LABELS, offset=offset)
            for c in range(3):
                alone = ksparse.fit(X, LABELS[:, c], 2, offset=own[:, c].copy())
                np.testing.assert_allclose(labels.predict_proba(X, offset=offset)[:, c], alone.predict_proba(X, own[:, c]))
                np.testing.assert_array_equal(labels.predict(X, offset=offset)[:, c], alone.predict(X, own[:, c]))


@pytest.mark.parametrize("loss", ["poisson", "gamma", "tweedie", "negative_binomial"])
def test_an_exposure_is_the_offset_of_its_logarithm(loss):
    y = COUNTS if loss != "gamma" else COUNTS + 0.5
    model = KSparseRegressor(2, loss=loss).fit(X, y, exposure=EXPOSURE)
    by_offset = KSparseRegressor(2, loss=loss).fit(X, y, offset=np.log(EXPOSURE))
    both = KSparseRegressor(2, loss=loss).fit(X, y, offset=np.log(EXPOSURE) / 2, exposure=np.sqrt(EXPOSURE))
    np.testing.assert_allclose(model.coef_, by_offset.coef_, rtol=1e-12)
    np.testing.assert_allclose(both.coef_, by_offset.coef_, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(model.predict(X, exposure=EXPOSURE), EXPOSURE * model.predict(X), rtol=1e-12)
    assert model.score(X, y, exposure=EXPOSURE) == by_offset.score(X, y, offset=np.log(EXPOSURE)) > 0.2


def test_rates_with_an_exposure_are_those_of_scikit_learn():
    """Counts with an exposure are rates y / E with the weights E, which PoissonRegressor can fit on the same features."""
    model = KSparseRegressor(2, loss="poisson").fit(X, COUNTS, exposure=EXPOSURE)
    columns = X[:, model.support_]
    peer = PoissonRegressor(alpha=0.0, tol=1e-10, max_iter=1000).fit(columns, COUNTS / EXPOSURE, sample_weight=EXPOSURE)
    np.testing.assert_allclose(model.coef_[model.support_], peer.coef_, atol=1e-5)
    deviance, constant = (
        mean_poisson_deviance(COUNTS, EXPOSURE * mean) for mean in (model.predict(X), COUNTS.sum() / EXPOSURE.sum())
    )
    assert model.score(X, COUNTS, exposure=EXPOSURE) == pytest.approx(1 - deviance / constant, rel=1e-10)


def test_cloglog_takes_an_exposure():
    """P(at least one event) of a rate that is observed for a time."""
    events = (COUNTS > 0).astype(int)
    model = KSparseClassifier(2, loss="cloglog").fit(X, events, exposure=EXPOSURE)
    rate = np.exp(model.decision_function(X) + model.loss_.decision_threshold())
    np.testing.assert_allclose(model.predict_proba(X, exposure=EXPOSURE)[:, 1], -np.expm1(-EXPOSURE * rate), rtol=1e-10)


def by_hand(model, y, folds, scores):
    """Return the mean score of each k, by fits and predictions on the rows of each fold."""
    return [[scores(model(k), train, test) for train, test in folds] for k in range(4)]


def test_cross_validation_adds_the_offsets_of_the_training_and_of_the_test_rows():
    folds = list(KFold(3).split(X))
    search = KSparseRegressorCV(range(4), loss="poisson", cv=folds).fit(X, COUNTS, exposure=EXPOSURE)
    scored = KSparseRegressorCV(range(4), loss="poisson", cv=folds, scoring="neg_mean_poisson_deviance")
    scored.fit(X, COUNTS, exposure=EXPOSURE)
    for k in range(4):
        losses, deviances = [], []
        for train, test in folds:
            fit = ksparse.fit(X[train], COUNTS[train], k, loss="poisson", offset=np.log(EXPOSURE[train]), search="fast")
            eta = fit.decision_function(X[test], np.log(EXPOSURE[test]))
            losses.append(-np.mean(ksparse.loss_terms(eta, COUNTS[test], loss="poisson")[0]))
            deviances.append(-mean_poisson_deviance(COUNTS[test], np.exp(eta)))
        assert search.cv_results_["mean_test_score"][k] == pytest.approx(np.mean(losses), rel=1e-6)
        assert scored.cv_results_["mean_test_score"][k] == pytest.approx(np.mean(deviances), rel=1e-6)
    assert search.best_params_["k"] >= 2
    final = KSparseRegressor(search.best_params_["k"], loss="poisson").fit(X, COUNTS, exposure=EXPOSURE)
    np.testing.assert_allclose(search.coef_, final.coef_)
    assert search.score(X, COUNTS, exposure=EXPOSURE) == pytest.approx(final.score(X, COUNTS, exposure=EXPOSURE))
    mean = scored.predict(X, exposure=EXPOSURE)
    assert scored.score(X, COUNTS, exposure=EXPOSURE) == pytest.approx(-mean_poisson_deviance(COUNTS, mean), rel=1e-12)


def test_cross_validation_of_classes_adds_offsets():
    kinds = np.argmax(LABELS, axis=1)
    for offset in (OFFSET, OFFSETS):
        search = KSparseClassifierCV([2], cv=KFold(3), scoring="accuracy").fit(X, kinds, offset=offset)
        scores = []
        for train, test in KFold(3).split(X):
            alone = KSparseClassifier(2, search="fast").fit(X[train], kinds[train], offset=offset[train])
            scores.append(alone.score(X[test], kinds[test], offset=offset[test]))
        assert search.best_score_ == pytest.approx(np.mean(scores), abs=0.02)


def test_a_scorer_that_predicts_itself_is_passed_the_offset_or_refused():
    """Otherwise it would score the model without its offset."""
    seen = []

    def knows(model, rows, labels, offset=None):
        seen.append(offset)
        return model.score(rows, labels, offset=offset)

    search = KSparseClassifierCV([2], scoring=knows, cv=3).fit(X, Y, offset=OFFSET)
    assert all(len(offset) in (N // 3, N // 3 + 1) for offset in seen)
    assert search.score(X, Y, offset=OFFSET) == np.mean(search.predict(X, offset=OFFSET) == Y)
    with pytest.raises(ValueError, match=r"offset is given, but scoring=.* makes its predictions without it"):
        KSparseClassifierCV([2], scoring=lambda model, rows, labels: 0.0).fit(X, Y, offset=OFFSET)


def test_offsets_by_metadata_routing():
    """Through a pipeline, a search and cross-validation of scikit-learn, to fits and scores that request them."""
    with config_context(enable_metadata_routing=True):
        model = KSparseRegressor(2, loss="poisson").set_fit_request(exposure=True).set_score_request(exposure=True)
        model.set_predict_request(exposure=True)
        pipeline = make_pipeline(StandardScaler(), model).fit(X, COUNTS, exposure=EXPOSURE)
        direct = KSparseRegressor(2, loss="poisson").fit(StandardScaler().fit_transform(X), COUNTS, exposure=EXPOSURE)
        np.testing.assert_allclose(pipeline[-1].coef_, direct.coef_)
        np.testing.assert_allclose(
            pipeline.predict(X, exposure=EXPOSURE),
            EXPOSURE * np.exp(pipeline[:-1].transform(X) @ direct.coef_ + direct.intercept_),
        )
        grid = GridSearchCV(model, {"k": range(4)}, cv=KFold(3)).fit(X, COUNTS, exposure=EXPOSURE)
        split = next(iter(KFold(3).split(X)))
        alone = KSparseRegressor(2, loss="poisson").fit(X[split[0]], COUNTS[split[0]], exposure=EXPOSURE[split[0]])
        assert grid.cv_results_["split0_test_score"][2] == pytest.approx(
            alone.score(X[split[1]], COUNTS[split[1]], exposure=EXPOSURE[split[1]])
        )
        ours = KSparseRegressorCV(range(4), loss="poisson", cv=KFold(3)).set_fit_request(exposure=True)
        ours.set_score_request(exposure=True)
        found = cross_validate(ours, X, COUNTS, params={"exposure": EXPOSURE}, cv=KFold(2))
        assert found["test_score"].min() > 0.2
        scored = KSparseRegressorCV(
            [2], loss="poisson", cv=KFold(3), scoring=make_scorer(mean_poisson_deviance, greater_is_better=False)
        )
        by_name = KSparseRegressorCV([2], loss="poisson", cv=KFold(3), scoring="neg_mean_poisson_deviance")
        scores = [search.fit(X, COUNTS, exposure=EXPOSURE).best_score_ for search in (scored, by_name)]
        assert scores[0] == scores[1]
    assert (
        scores[0]
        == KSparseRegressorCV([2], loss="poisson", cv=KFold(3), scoring="neg_mean_poisson_deviance")
        .fit(X, COUNTS, exposure=EXPOSURE)
        .best_score_
    )


def test_what_cannot_be_an_offset_is_named():
    model, counts = KSparseClassifier(2), KSparseRegressor(2, loss="poisson")
    wrong = EXPOSURE.copy()
    wrong[7] = 0.0
    cases = [
        (lambda: model.fit(X, Y, offset=OFFSET[:-1]), r"X has 300 rows but offset has shape \(299,\)"),
        (lambda: model.fit(X, Y, offset=OFFSETS[:, :2]), r"offset has shape \(300, 2\)"),
        (lambda: model.fit(X, Y, exposure=EXPOSURE), "exposure is given but the loss 'logistic' has no log link"),
        (lambda: counts.fit(X, COUNTS, exposure=wrong), r"exposure\[7\] is 0.0; it must be > 0"),
        (lambda: counts.fit(X, COUNTS, offset=np.where(wrong == 0, np.nan, 0)), r"offset\[7\] is nan"),
        (lambda: model.fit(X, Y, offset=OFFSET).predict(X, offset=OFFSET[:5]), r"X has 300 rows but offset has shape \(5,\)"),
        (lambda: model.fit(X, Y).predict(X, offset=OFFSETS), r"offset has shape \(300, 3\); it must have shape \(300,\)"),
    ]
    for call, message in cases:
        with pytest.raises(ValueError, match=message):
            call()

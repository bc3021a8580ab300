"""Regressors and classifiers of the other losses, as scikit-learn uses them."""

import pickle
import warnings

import ksparse
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn
from ksparse import KSparseClassifier, KSparseRegressor, KSparseRegressorCV, KSparseSelector, losses
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, UndefinedMetricWarning
from sklearn.linear_model import LinearRegression
from sklearn.metrics import d2_tweedie_score, make_scorer, mean_absolute_error, r2_score
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks


@parametrize_with_checks(
    [
        KSparseRegressor(),
        KSparseRegressor(loss="huber", k=1),
        KSparseRegressor(loss="poisson"),
        KSparseRegressor(k="bic", ridge=1e-2),
        KSparseRegressorCV(),
        KSparseSelector(loss="squared"),
        KSparseClassifier(loss="squared_hinge", ridge=1e-3),
        KSparseClassifier(loss="cloglog", ridge=1e-2),
        KSparseClassifier(loss=losses.AsymmetricFocal(), ridge=1e-2),
        KSparseClassifier(loss="probit", ridge=1e-2),
    ]
)
def test_scikit_learn_checks(estimator, check):
    """No expected failure."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        check(estimator)


def regression(n=200, p=20, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    return X, 2 * X[:, 3] - X[:, 11] + 5 + 0.5 * rng.standard_normal(n)


def test_least_squares_on_the_support_is_scikit_learns():
    """Coefficients, intercept, prediction and R²."""
    X, y = regression()
    model = KSparseRegressor(2).fit(X, y)
    reference = LinearRegression().fit(X[:, model.support_], y)
    np.testing.assert_array_equal(model.support_, [3, 11])
    np.testing.assert_allclose(model.coef_[[3, 11]], reference.coef_, rtol=1e-10)
    np.testing.assert_allclose(model.predict(X), reference.predict(X[:, [3, 11]]), rtol=1e-10)
    assert model.score(X, y) == pytest.approx(r2_score(y, model.predict(X)), rel=1e-12)
    assert isinstance(model.intercept_, float)
    assert model.coef_.shape == (20,)


@pytest.mark.parametrize(("loss", "power"), [("poisson", 1), ("gamma", 2), ("tweedie", 1.5)])
def test_the_score_is_the_deviance_explained(loss, power):
    """As scikit-learn's d2_tweedie_score has it, with weights; the prediction is the mean, which is positive."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 10))
    mean = np.exp(0.5 * X[:, 2] + 0.2)
    y = rng.gamma(2.0, mean / 2) if loss == "gamma" else rng.poisson(mean)
    w = rng.random(200)
    model = KSparseRegressor(2, loss=loss).fit(X, y, sample_weight=w)
    assert (model.predict(X) > 0).all()
    expected = d2_tweedie_score(y, model.predict(X), sample_weight=w, power=power)
    assert model.score(X, y, sample_weight=w) == pytest.approx(expected, rel=1e-9)


def test_scores_at_the_ends():
    """A constant y, and one row, as scikit-learn has them for R²."""
    X, y = regression()
    model = KSparseRegressor(2).fit(X, y)
    assert model.score(X, np.full(200, 3.0)) == 0.0
    assert KSparseRegressor(2).fit(X, np.full(200, 3.0)).score(X, np.full(200, 3.0)) == 1.0
    with pytest.warns(UndefinedMetricWarning):
        assert np.isnan(model.score(X[:1], y[:1]))


@pytest.mark.parametrize("name", ["squared", "huber", "poisson", "gamma", "tweedie", "negative_binomial"])
@pytest.mark.parametrize("unit", [1e-100, 1e-12, 1.0, 1e18, 1e100])
def test_a_constant_y_is_told_from_one_in_another_unit(name, unit):
    """The gamma deviance does not depend on the unit of y: what is small beside y² may be all that there is."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((100, 4))
    y = unit * (rng.gamma(2.0, np.exp(X[:, 1])) + 0.1)
    loss = losses.Huber(1.35 * unit) if name == "huber" else name
    model = KSparseRegressor(1, loss=loss).fit(X, y)
    constant = ksparse.fit(X, y, 0, loss=loss).objective
    assert model.score(X, y) == pytest.approx(1 - model.objective_ / constant, rel=1e-9, abs=1e-9)
    assert model.score(X, np.full(100, 3.0 * unit)) == 0.0
    same = KSparseRegressor(1, loss=loss).fit(X, np.full(100, 3.0 * unit))
    assert same.score(X, np.full(100, 3.0 * unit)) == 1.0


def test_a_row_of_weight_zero_has_no_say_in_the_score():
    """Also where its loss is not finite."""
    X, y = regression()
    model = KSparseRegressor(2, loss="poisson").fit(X, np.exp(y))
    weights = np.ones(200)
    weights[3] = 0
    far = X.copy()
    far[3] = 1e6
    kept = weights > 0
    assert model.score(far, np.exp(y), weights) == pytest.approx(model.score(X[kept], np.exp(y[kept])), rel=1e-12)


def test_a_search_sets_the_parameters_of_a_loss():
    """By name within the object, whole objects, and names of losses; clones do not share them."""
    X, y = regression()
    y[:20] += 50
    model = KSparseRegressor(2, loss=losses.Huber())
    assert model.get_params()["loss__threshold"] == 1.35
    other = clone(model).set_params(loss__threshold=3.0)
    assert model.loss.threshold == 1.35
    assert other.loss == losses.Huber(3.0)
    search = GridSearchCV(model, {"loss__threshold": [0.5, 5.0]}, scoring="neg_mean_absolute_error", error_score="raise")
    assert search.fit(X, y).best_params_ == {"loss__threshold": 0.5}
    search = GridSearchCV(model, {"loss": ["squared", losses.Huber(0.5)]}, scoring="neg_mean_absolute_error")
    assert search.fit(X, y).best_params_ == {"loss": losses.Huber(0.5)}
    assert pickle.loads(pickle.dumps(model.fit(X, y))).loss_ == losses.Huber(1.35)
    assert repr(model) == "KSparseRegressor(k=2, loss=Huber(threshold=1.35))"


def test_cross_validation_scores_as_by_hand():
    """Mean loss on the rows left out, for each k; the fit on all rows follows."""
    X, y = regression(p=12)
    cv = KFold(4, shuffle=True, random_state=0)
    model = KSparseRegressorCV(range(4), cv=cv).fit(X, y)
    for i, k in enumerate(range(4)):
        by_hand = []
        for train, test in cv.split(X):
            fit = ksparse.fit(X[train], y[train], k, loss="squared")
            by_hand.append(-0.5 * np.mean((fit.decision_function(X[test]) - y[test]) ** 2))
        assert model.cv_results_["mean_test_score"][i] == pytest.approx(np.mean(by_hand), rel=1e-6)
    assert model.best_params_["k"] >= 2
    np.testing.assert_allclose(model.coef_, KSparseRegressor(model.best_params_["k"]).fit(X, y).coef_)
    scored = KSparseRegressorCV(range(4), ridge=[0.0, 0.1], cv=cv, scoring="neg_mean_absolute_error").fit(X, y)
    reference = cross_val_score(KSparseRegressor(2), X, y, cv=cv, scoring="neg_mean_absolute_error").mean()
    at = scored.cv_results_["params"].index({"k": 2, "ridge": 0.0})
    assert scored.cv_results_["mean_test_score"][at] == pytest.approx(reference, rel=1e-6)


def test_weights_are_routed_to_fit_and_scorer():
    """As scikit-learn's metadata routing asks for."""
    X, y = regression()
    w = np.random.default_rng(1).random(200)
    with sklearn.config_context(enable_metadata_routing=True):
        scorer = make_scorer(mean_absolute_error, greater_is_better=False).set_score_request(sample_weight=True)
        model = KSparseRegressorCV(range(3), scoring=scorer, cv=3).set_fit_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        pipeline = make_pipeline(scaler, model).fit(X, y, sample_weight=w)
        alone = clone(model).fit(StandardScaler().fit_transform(X), y, sample_weight=w)
    np.testing.assert_allclose(pipeline[-1].cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"])
    weighted = KSparseRegressor(2).fit(X, y, sample_weight=w)
    np.testing.assert_allclose(weighted.coef_[[3, 11]], LinearRegression().fit(X[:, [3, 11]], y, w).coef_, rtol=1e-9)


def test_a_criterion_chooses_k():
    """The path is kept, and k is that of the truth here."""
    X, y = regression()
    model = KSparseRegressor("ebic").fit(X, y)
    np.testing.assert_array_equal(model.support_, [3, 11])
    assert len(model.path_) == 11
    with pytest.raises(ValueError, match="likelihood"):
        KSparseRegressor("bic", loss="huber").fit(X, y)


def test_names_sparse_and_summary():
    """Data frames, CSC, and the table of a regression, which has neither odds nor classes."""
    X, y = regression()
    frame = pd.DataFrame(X, columns=[f"gene {j}" for j in range(20)])
    model = KSparseRegressor(2).fit(frame, y)
    assert list(model.get_feature_names_out()) == ["gene 3", "gene 11"]
    assert model.formula(2).startswith("mean = 5")
    summary = model.summary(frame, y, bootstrap=5)
    assert summary.odds_ratio is None
    assert "class" not in summary.title
    assert not hasattr(model, "scorecard")
    reference = np.linalg.inv(np.column_stack([X[:, [3, 11]], np.ones(200)]).T @ np.column_stack([X[:, [3, 11]], np.ones(200)]))
    sigma = np.std(y - model.predict(frame))
    np.testing.assert_allclose(summary.standard_error, sigma * np.sqrt(np.diag(reference)), rtol=0.2)  # a sandwich estimates it
    sparse = KSparseRegressor(2).fit(sp.csc_array(X), y)
    np.testing.assert_allclose(sparse.coef_, model.coef_, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(sparse.predict(sp.csr_array(X)), model.predict(frame), rtol=1e-9)


def test_a_frame_is_scored_as_it_was_fitted():
    """Its names are those of the fit; scikit-learn would warn of an array without."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.standard_normal((60, 5)), columns=list("abcde"))
    y = frame["b"].to_numpy() + rng.standard_normal(60)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for model in (KSparseRegressor(k=2), KSparseRegressorCV(ks=[1, 2])):
            assert model.fit(frame, y).score(frame, y) == pytest.approx(r2_score(y, model.predict(frame)))
        labels = (y > 0).astype(int)
        assert KSparseClassifier(k=2).fit(frame, labels).score(frame, labels) > 0.5


def test_warm_start_and_selector():
    """The selector follows the kind of the loss; a second fit descends from the first support as well."""
    X, y = regression()
    model = KSparseRegressor(2, warm_start=True).fit(X, y)
    assert model.fit(X, y).result_.n_rounds >= 1
    selector = KSparseSelector(2, loss="huber").fit(X, y)
    np.testing.assert_array_equal(selector.support_, [3, 11])
    assert isinstance(selector.estimator_, KSparseRegressor)
    pipeline = make_pipeline(KSparseSelector(2, loss="squared"), LinearRegression()).fit(X, y)
    assert pipeline.score(X, y) == pytest.approx(model.score(X, y), rel=1e-9)


def test_a_loss_of_the_other_kind_is_refused():
    """With the estimator to use instead."""
    X, y = regression()
    with pytest.raises(ValueError, match="KSparseRegressor"):
        KSparseClassifier(loss="squared").fit(X, y > 5)
    with pytest.raises(ValueError, match="KSparseClassifier"):
        KSparseRegressor(loss="logistic").fit(X, y)
    with pytest.raises(ValueError, match=r"ksparse\.losses"):
        KSparseRegressor(loss="absolutes").fit(X, y)
    with pytest.raises(ValueError, match="threshold"):
        KSparseRegressor(loss=losses.Huber(-1)).fit(X, y)
    with pytest.raises(ValueError, match=r"y\[\d+\] is -.*must be >= 0"):
        KSparseRegressor(loss="poisson").fit(X, y - 10)


def test_hinges_have_no_probabilities():
    """And say so as scikit-learn expects: no method at all."""
    X, y = regression()
    labels = np.where(y > 5, "high", "low")
    for loss in ("squared_hinge", losses.HuberisedHinge(1.0)):
        model = KSparseClassifier(2, loss=loss, ridge=1e-3).fit(X, labels)
        assert not hasattr(model, "predict_proba")
        assert not hasattr(model, "predict_log_proba")
        assert model.score(X, labels) > 0.9
        with pytest.raises(AttributeError) as error:
            model.predict_proba  # noqa: B018
        assert "does not define probabilities" in str(error.value.__cause__)
    assert hasattr(KSparseClassifier(loss="logistic"), "predict_proba")
    with pytest.raises(ValueError, match="probabilities"):
        ksparse.fit_many(X, y > 5, 1, loss="squared_hinge").predict_proba(X)


@pytest.mark.parametrize("loss", ["cloglog", "asymmetric_focal", "probit", "exponential"])
def test_decisions_agree_with_probabilities(loss):
    """A decision above 0 is a probability above a half, also where the linear predictor is not 0 there."""
    X, y = regression()
    model = KSparseClassifier(2, loss=loss, ridge=1e-2).fit(X, y > 6)
    p = model.predict_proba(X)
    np.testing.assert_array_equal(model.predict(X), model.decision_function(X) > 0)
    np.testing.assert_array_equal(model.predict(X), p[:, 1] > 0.5)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(np.exp(model.predict_log_proba(X)), p, rtol=1e-10)
    batch = ksparse.fit_many(X, y > 6, 2, loss=loss, ridge=1e-2)
    np.testing.assert_array_equal(batch.predict(X)[:, 0], model.predict(X))
    np.testing.assert_allclose(batch.predict_proba(X)[:, 0], p[:, 1], rtol=1e-12)
    np.testing.assert_array_equal(batch[0].predict(X), model.predict(X))
    np.testing.assert_allclose(batch[0].predict_proba(X), p[:, 1], rtol=1e-12)


def test_probabilities_are_calibrated_where_the_model_holds():
    """Labels drawn with P = 1 - exp(-exp(eta)) and Phi(eta): the mean probability of a bin is the share of ones in it."""
    from scipy.special import ndtr

    rng = np.random.default_rng(0)
    X = rng.standard_normal((20000, 5))
    eta = X[:, 1] - 0.5
    for loss, p in (("cloglog", -np.expm1(-np.exp(eta))), ("probit", ndtr(eta)), ("asymmetric_focal", -np.expm1(-np.exp(eta)))):
        y = rng.random(20000) < p
        model = KSparseClassifier(1, loss=loss).fit(X, y)
        found = model.predict_proba(X)[:, 1]
        # The focal model's link is not that of the truth: right on average over the middle of the range, not pointwise.
        tolerance = 0.05 if loss == "asymmetric_focal" else 0.02
        for low in (0.2, 0.4, 0.6):
            inside = (p > low) & (p < low + 0.2)
            assert found[inside].mean() == pytest.approx(y[inside].mean(), abs=tolerance)


def test_many_regressions_share_a_pass():
    """Responses as columns, of any real type; one that a loss does not allow fails alone, and says why."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 20))
    Y = rng.poisson(np.exp(0.5 * X[:, [2, 7, 9]]))
    batch = ksparse.fit_many(X, Y, 1, loss="poisson")
    assert [support.tolist() for support in batch.supports] == [[2], [7], [9]]
    np.testing.assert_allclose(batch.predict(X), np.exp(batch.decision_function(X)))
    np.testing.assert_array_equal(batch[1].predict(X), batch.predict(X)[:, 1])
    with pytest.raises(ValueError, match="probabilities"):
        batch[1].predict_proba(X)
    assert batch[1].loss == "poisson"
    bad = Y.astype(float)
    bad[5, 1] = -1
    with pytest.warns(ksparse.ConvergenceWarning, match=r"y\[5\] is -1"):
        failed = ksparse.fit_many(X, bad, 1, loss="poisson")
    assert failed.status.tolist() == ["converged", "invalid_input", "converged"]
    assert np.isnan(failed.predict(X)[:, 1]).all()

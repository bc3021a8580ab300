"""The estimators inside what scikit-learn builds of estimators, and across pickles."""

import pickle
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
from ksparse import KSparseClassifier, KSparseClassifierCV, KSparseMultiLabelClassifier, KSparseSelector
from ksparse._estimators import base
from scipy.special import expit
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_multilabel_classification
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectFromModel
from sklearn.frozen import FrozenEstimator
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, log_loss, make_scorer
from sklearn.model_selection import StratifiedKFold, TunedThresholdClassifierCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def simulate(seed=0, n=400, p=10, shift=0.0, n_classes=2):
    """X, labels, and the true probability of the last class; fewer rows of it with a larger shift."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    scores = 1.5 * X[:, : 2 * n_classes : 2]
    scores[:, -1] -= shift
    truth = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    y = (scores + rng.gumbel(size=(n, n_classes))).argmax(axis=1)
    return X, y, truth[:, -1]


@pytest.mark.parametrize(
    ("estimator", "n_classes"),
    [
        (KSparseClassifier(k=3), 2),
        (KSparseClassifier(k=3), 3),
        (KSparseClassifier(k="bic"), 3),
        (KSparseClassifierCV(ks=[1, 2, 3]), 2),
        (KSparseClassifierCV(ks=[1, 2]), 3),
        (KSparseSelector(k=2), 3),
    ],
    ids=str,
)
def test_class_weights_are_weights_of_rows(estimator, n_classes):
    """A dict says them, "balanced" gives every class the same total, weights of rows included; both multiply those of the rows."""
    X, y, _ = simulate(1, shift=1.5, n_classes=n_classes)
    w = np.random.default_rng(0).uniform(0.5, 2.0, len(y))
    named = dict(enumerate([0.5, 3.0, 2.0][:n_classes]))
    for class_weight in (named, "balanced"):
        for given, rows in ((None, np.ones(len(y))), (w, w)):
            balanced = rows.sum() / n_classes / np.bincount(y, weights=rows)
            total = rows * (balanced if class_weight == "balanced" else np.array(list(named.values())))[y]
            ours = clone(estimator).set_params(class_weight=class_weight).fit(X, y, sample_weight=given)
            expected, without = clone(estimator).fit(X, y, sample_weight=total), clone(estimator).fit(X, y, sample_weight=given)
            a, b, c = (getattr(model, "estimator_", model) for model in (ours, expected, without))
            np.testing.assert_allclose(a.coef_, b.coef_, rtol=1e-6, atol=1e-9)
            np.testing.assert_allclose(a.intercept_, b.intercept_, rtol=1e-6)
            assert np.abs(a.intercept_ - c.intercept_).max() > 0.1


def test_scorers_do_not_see_class_weights():
    """They change fits; a score counts rows. Nor need a scorer of one's own take weights."""
    X, y, _ = simulate(2, shift=2.0)
    weights = {0: 1.0, 1: 8.0}
    model = KSparseClassifierCV(ks=[2], cv=StratifiedKFold(4), class_weight=weights, scoring="accuracy").fit(X, y)
    single = KSparseClassifier(k=2, class_weight=weights)
    expected = cross_val_score(single, X, y, cv=StratifiedKFold(4), scoring="accuracy")
    assert [model.cv_results_[f"split{fold}_test_score"][0] for fold in range(4)] == pytest.approx(expected.tolist())
    own = make_scorer(lambda y, predicted: (y == predicted).mean())
    assert model.set_params(scoring=own).fit(X, y).best_score_ == pytest.approx(expected.mean())


def test_selection_from_a_model():
    """Of a fitted classifier by its non-zero coefficients, with names."""
    X, y, _ = simulate(3)
    frame = pd.DataFrame(X).add_prefix("gene ")
    model = KSparseClassifier(k=2).fit(frame, y)
    selector = SelectFromModel(model, prefit=True, threshold=1e-12).set_output(transform="pandas")
    kept = selector.fit(frame).transform(frame)
    assert list(kept.columns) == list(model.get_feature_names_out()) == ["gene 0", "gene 2"]
    own = KSparseSelector(k=2).set_output(transform="pandas").fit(frame, y)
    pd.testing.assert_frame_equal(own.transform(frame), kept)


def test_calibration_works_on_the_linear_predictor():
    """Isotonic on a frozen model is scikit-learn's isotonic regression of y on decision_function."""
    X, y, _ = simulate(4, n=600)
    model = KSparseClassifier(k=2, loss="focal").fit(X[:300], y[:300])
    calibrated = CalibratedClassifierCV(FrozenEstimator(model), method="isotonic").fit(X[300:], y[300:])
    isotonic = IsotonicRegression(out_of_bounds="clip").fit(model.decision_function(X[300:]), y[300:])
    np.testing.assert_allclose(calibrated.predict_proba(X)[:, 1], isotonic.predict(model.decision_function(X)))


def test_calibration_mends_the_raw_score_as_the_closed_form_does():
    """Platt's sigmoid, fitted to rows left out, brings the focal score near the truth, where the posterior is without it."""
    X, y, truth = simulate(5, n=3000)
    raw = KSparseClassifier(k=2, loss="focal", probability="score")
    fits = {
        "raw": clone(raw).fit(X, y),
        "calibrated": CalibratedClassifierCV(raw, cv=3).fit(X, y),
        "posterior": clone(raw).set_params(probability="posterior").fit(X, y),
    }
    new, _, truth = simulate(6, n=3000)
    error = {name: np.abs(model.predict_proba(new)[:, 1] - truth).mean() for name, model in fits.items()}
    assert error["calibrated"] < error["raw"] / 2
    assert error["posterior"] < error["raw"] / 4


def test_calibration_of_more_classes_with_weights():
    """Probabilities sum to one and beat the frequencies; weights of rows reach the fits."""
    X, y, _ = simulate(7, n_classes=3)
    w = np.random.default_rng(0).exponential(size=len(y)) + 0.1
    calibrated = CalibratedClassifierCV(KSparseClassifier(k=2, ridge=1e-3), cv=StratifiedKFold(3)).fit(X, y, sample_weight=w)
    train = next(iter(StratifiedKFold(3).split(X, y)))[0]
    first = KSparseClassifier(k=2, ridge=1e-3).fit(X[train], y[train], sample_weight=w[train])
    np.testing.assert_allclose(calibrated.calibrated_classifiers_[0].estimator.coef_, first.coef_)
    proba = calibrated.predict_proba(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1.0)
    frequencies = np.tile(np.bincount(y) / len(y), (len(y), 1))
    assert log_loss(y, proba) < log_loss(y, frequencies) - 0.2


@pytest.mark.parametrize("probability", ["posterior", "score"])
def test_a_threshold_tuned_for_f1(probability):
    """A rare class: the tuned threshold is below 1/2, is what predict acts on, and finds more on new rows."""
    X, y, _ = simulate(8, n=1500, shift=3.5)
    model = KSparseClassifier(k=2, loss="focal", probability=probability)
    tuned = TunedThresholdClassifierCV(model, scoring="f1", response_method="predict_proba").fit(X, y)
    assert tuned.best_threshold_ < 0.5
    new, labels, _ = simulate(9, n=4000, shift=3.5)
    above = tuned.estimator_.predict_proba(new)[:, 1] >= tuned.best_threshold_
    np.testing.assert_array_equal(tuned.predict(new), above.astype(int))
    assert f1_score(labels, tuned.predict(new)) > f1_score(labels, tuned.estimator_.predict(new)) + 0.02


def fitted():
    """Every estimator in every form of its answer."""
    X, y, _ = simulate(10)
    X3, y3, _ = simulate(11, n_classes=3)
    labels = make_multilabel_classification(n_samples=100, n_classes=3, random_state=0)
    yield pytest.param(KSparseClassifier(k=2, loss="focal", class_weight="balanced").fit(X, y), X, id="two classes")
    yield pytest.param(KSparseClassifier(k="ebic").fit(pd.DataFrame(X).add_prefix("x"), y), X, id="criterion")
    yield pytest.param(KSparseClassifier(k=2, groups=[*"aabbccddee"]).fit(X3, y3), X3, id="three classes")
    yield pytest.param(KSparseClassifierCV(ks=[1, 2], ridge=[1e-3, 1e-2], scoring="f1").fit(X, y), X, id="cross-validation")
    yield pytest.param(KSparseMultiLabelClassifier(k=2, ridge=1e-2).fit(*labels), labels[0], id="labels")
    yield pytest.param(KSparseSelector(k=2).fit(X, y), X, id="selector")


@pytest.mark.parametrize(("model", "X"), list(fitted()))
def test_round_trips_keep_everything(model, X, tmp_path):
    """By pickle, by joblib, and mapped from a file read-only: the same answers to the bit, and the parameters."""
    joblib.dump(model, tmp_path / "model.joblib")
    copies = [
        *(pickle.loads(pickle.dumps(model, protocol)) for protocol in (2, pickle.HIGHEST_PROTOCOL)),
        joblib.load(tmp_path / "model.joblib"),
        joblib.load(tmp_path / "model.joblib", mmap_mode="r"),
    ]
    if hasattr(model, "feature_names_in_"):
        X = pd.DataFrame(X, columns=model.feature_names_in_)
    for copy in copies:
        assert repr(copy) == repr(model)
        assert not hasattr(copy, "_ksparse_version")
        assert list(copy.get_feature_names_out()) == list(model.get_feature_names_out())
        for method in ("predict", "predict_proba", "decision_function", "transform"):
            if hasattr(model, method):
                np.testing.assert_array_equal(getattr(copy, method)(X), getattr(model, method)(X))
    assert not hasattr(clone(copies[0]), "support_")
    assert repr(clone(copies[0])) == repr(clone(model))


def test_a_pickle_notes_its_version(monkeypatch):
    """Loaded by another version it warns, from within a selector or a pipeline too; by the same it does not."""
    X, y, _ = simulate(12)
    for model in (KSparseClassifier(k=2), KSparseSelector(k=2), make_pipeline(StandardScaler(), KSparseClassifier(k=2))):
        data = pickle.dumps(model.fit(X, y))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            pickle.loads(data)
        with monkeypatch.context() as patched:
            patched.setattr(base, "__version__", "99.0")
            with pytest.warns(UserWarning, match=r"pickled by version \d+\.\d+\S* of ksparse and is loaded by 99\.0"):
                pickle.loads(data)


def test_a_fit_that_failed_is_none():
    """What asks for an answer is told so in scikit-learn's words, not of a missing attribute."""
    X, y, _ = simulate(14)
    model = KSparseClassifierCV(ks=[1], scoring="average_precision")
    with pytest.raises(ValueError, match="pos_label=1 is not a valid label"):
        model.fit(X, np.array(["no", "yes"])[y])
    for ask in (model.predict, model.decision_function, model.get_feature_names_out, model.to_sql):
        with pytest.raises(NotFittedError):
            ask(*(() if ask in (model.get_feature_names_out, model.to_sql) else (X,)))


def test_frames_go_through_a_pipeline():
    """set_output names the columns on the way, so that features can be named; what is chosen reads by name at its end."""
    X, y, _ = simulate(13)
    frame = pd.DataFrame(1e3 * X + 5, columns=[f"gene {j}" for j in range(10)])
    pipeline = make_pipeline(StandardScaler(), KSparseClassifier(k=3, always_in=["gene 7"])).set_output(transform="pandas")
    pipeline.fit(frame, y)
    assert list(pipeline[-1].feature_names_in_) == list(frame.columns)
    assert list(pipeline[-1].get_feature_names_out()) == ["gene 0", "gene 2", "gene 7"]
    two = make_pipeline(StandardScaler(), KSparseSelector(k=2), LogisticRegression(C=np.inf)).set_output(transform="pandas")
    two.fit(frame, y)
    assert list(two[:-1].get_feature_names_out()) == list(two[-1].feature_names_in_) == ["gene 0", "gene 2"]
    own = KSparseClassifier(k=2).fit(StandardScaler().fit_transform(frame), y)
    eta = own.decision_function(StandardScaler().fit_transform(frame))
    np.testing.assert_allclose(two.predict_proba(frame)[:, 1], expit(eta), atol=1e-3)

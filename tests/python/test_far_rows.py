"""Rows far from all others, whatever NumPy is told to do about overflow and underflow, and models that such rows were left out of."""

import math
import sqlite3

import ksparse
import numpy as np
import pandas as pd
import pytest
from ksparse import losses
from scipy.special import expit

LOSSES = [
    *losses.BY_NAME,
    losses.Focal(0.3, 0.7),
    losses.Focal(0.5, 40.0),
    losses.AsymmetricFocal(0.0, 1e30),
    losses.AsymmetricFocal(3.0, 0.5),
    losses.NegativeBinomial(1e-6),
    losses.HuberisedHinge(1e-9),
]


def data_for(loss, n=100):
    """Columns of a frame, and responses from two of them that the loss allows."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.standard_normal((n, 4)), columns=list("abcd"))
    eta = 0.7 * X["a"] - X["c"] + 0.2
    kind = losses.BY_NAME[loss if isinstance(loss, str) else loss.name].responses
    if kind == "binary":
        return X, (rng.random(n) < expit(eta)).to_numpy().astype(float)
    if kind == "finite":
        return X, (eta + rng.standard_normal(n)).to_numpy()
    return X, rng.gamma(2.0, np.exp(eta) / 2) + 0.01 if kind == "positive" else rng.poisson(np.exp(eta)).astype(float)


def far_rows(X):
    """Rows whose linear predictors go beyond the range of exp, and such as are next to 0."""
    scales = np.concatenate([[1e-320, 1e-300, 1e-160, 1e-20, 1.0], np.geomspace(10, 1e6, 25), [1e100, 1e200, 1e300]])
    return pd.concat([sign * scale * X.iloc[:3] for scale in scales for sign in (1, -1)], ignore_index=True)


def readings(loss):
    """Return all that can be asked of fits with a loss, by what it is called."""
    X, y = data_for(loss)
    far = far_rows(X)
    given = {"loss": loss, "ridge": 1e-2, "search": "fast"}
    result = ksparse.fit(X, y, 2, **given)
    batch = ksparse.fit_many(X, np.column_stack([y, y]), [1, 2], **given)
    path = ksparse.fit_path(X, y, [0, 1, 2], **given)
    classification = result._loss.is_classification
    says_probabilities = result._loss.log_odds(np.zeros(1)) is not None
    Estimator = ksparse.KSparseClassifier if classification else ksparse.KSparseRegressor
    model = Estimator(2, **given).fit(X, y)
    asked = {
        "fit": lambda: ksparse.fit(X, y, 2, **given).coef,
        "fit on far rows": lambda: ksparse.fit(np.clip(far, -1e3, 1e3), np.resize(y, len(far)), 1, **given).coef,
        "fit_path": lambda: ksparse.fit_path(X, y, [0, 1, 2], **given).coefs,
        "fit_many": lambda: ksparse.fit_many(X, np.column_stack([y, y]), [1, 2], **given).coefs.toarray(),
        "fit_each": lambda: [r.coef for r in ksparse.fit_each([(X.to_numpy(), y)], 2, **given)],
        "stability": lambda: ksparse.stability_selection(X, y, 1, rounds=3, **given).frequency,
        "estimator": lambda: Estimator(2, **given).fit(X, y).coef_,
        "weighted": lambda: ksparse.fit(X, y, 2, sample_weight=np.where(np.arange(100) < 90, 1.0, 1e-310), **given).coef,
        "small columns": lambda: ksparse.fit(X * 1e-200, y, 2, loss=loss).coef,
        "large columns": lambda: ksparse.fit(X * 1e200, y, 2, loss=loss).coef,
        "losses of the path": lambda: path.losses,
        "criteria": lambda: list(path.criteria.values()),
        "check_loss": lambda: ksparse.check_loss(loss).problems,
        "loss_terms": lambda: ksparse.loss_terms(np.array([-800.0, -1e-310, 0.0, 1e-310, 800.0]), 1.0, loss=loss),
        "summary": lambda: result.summary(),
        "bootstrap": lambda: result.summary(bootstrap=3, level=1 - 1e-12),
        "model.summary": lambda: model.summary(X, y),
        "alternatives": lambda: result.alternatives(2),
        "repr": lambda: [repr(shown) for shown in (result, batch, path, model)] + [result._repr_html_()],
        "formula": lambda: model.formula(),
        "linear predictor in Python": lambda: model.to_python("linear_predictor"),
        "linear predictor in SQL": lambda: model.to_sql("linear_predictor"),
        "display": lambda: draw(result, path),
    }
    for rows, where in ((X, "near"), (far, "far"), (far.to_numpy(), "array")):
        for owner, name in ((result, "result"), (batch, "batch"), (model, "model")):
            for method in ("predict", "decision_function", *["predict_proba", "predict_log_proba"] * says_probabilities):
                if hasattr(owner, method):
                    asked[f"{name}.{method}, {where}"] = lambda owner=owner, rows=rows, m=method: getattr(owner, m)(rows)
        asked[f"score, {where}"] = lambda rows=rows: model.score(rows, np.resize(y, len(rows)))
    if not classification or model.loss_.name in ("logistic", "focal"):
        asked["Python"], asked["SQL"] = model.to_python, model.to_sql
    if classification and model.loss_.is_log_odds:
        asked["scorecard"] = lambda: result.scorecard()
        asked["scores"] = lambda: result.scorecard().score(far)
        asked["probabilities of scores"] = lambda: result.scorecard().probability([-1e300, -1e5, 0.0, 1e-310, 1e5, 1e300])
        asked["scikit-learn"] = lambda: model.to_logistic_regression().coef_
    return asked


def draw(result, path):
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("Agg")
    with np.errstate(all="warn", under="ignore"):  # what matplotlib computes is its own
        figures = plt.subplots(1, 2 + bool(path.criteria))[1], plt.subplots()[1]
    ksparse.CoefficientDisplay.from_result(result, ax=figures[1])
    ksparse.PathDisplay.from_result(path, axes=figures[0])
    plt.close("all")
    return "drawn"


def numbers(answer):
    """Return what an answer holds, so that two can be compared."""
    if hasattr(answer, "coef_per_sd"):
        return [answer.coef, answer.standard_error, answer.lower, answer.odds_ratio]
    if hasattr(answer, "replacement"):
        return [answer.objective, answer.increase]
    if hasattr(answer, "exact_points"):
        return [answer.points, answer.loss_before, answer.loss_after, answer.largest_change]
    return answer


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_answers_do_not_depend_on_what_numpy_does_about_errors(loss):
    """A user's np.seterr(all="raise") is for the user's own arithmetic; ours is meant to underflow where it does."""
    asked = readings(loss)
    failed = []
    for name, ask in asked.items():
        with np.errstate(all="ignore"):
            expected = numbers(ask())
        try:
            with np.errstate(all="raise"):
                got = numbers(ask())
        except FloatingPointError as error:
            failed.append(f"{name}: {error}")
            continue
        np.testing.assert_equal(got, expected, err_msg=name)
    assert failed == []


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_of_several_classes_and_labels_too():
    """Where all probabilities underflow, and logarithms of 0 are taken."""
    X, y = data_for("logistic")
    far, many = far_rows(X).to_numpy(), np.where(X["b"] > 1, 2, y)
    for loss in losses.CLASSIFICATION:
        models = [
            ksparse.KSparseClassifier(2, loss=loss, ridge=1e-2).fit(X, many),
            ksparse.KSparseMultiLabelClassifier(2, loss=loss, ridge=1e-2).fit(X, np.column_stack([y, many == 2])),
        ]
        for model in models:
            for method in ("predict", "decision_function", "predict_proba", "predict_log_proba"):
                if hasattr(model, method):
                    with np.errstate(all="ignore"):
                        expected = getattr(model, method)(far)
                    with np.errstate(all="raise"):
                        np.testing.assert_array_equal(getattr(model, method)(far), expected)
    with np.errstate(all="raise"):
        x = ksparse.LossDisplay.from_gammas(margins=[-1e4, 0.0, 1e4], against="probability").lines_[0][0].get_xdata()
    np.testing.assert_array_equal(x, [0.0, 0.5, 1.0])


def test_cross_validation_and_weights_next_to_nothing():
    """Columns and responses of 1e-300, and weights that are no normal doubles."""
    X, y = data_for("logistic")
    amounts = data_for("gamma")[1]
    with np.errstate(all="raise"):
        ksparse.KSparseClassifier(2, class_weight="balanced", ridge=1e-2).fit(X, y, np.where(y == 1, 1e-300, 1.0))
        for loss in ("squared", "gamma"):
            small = 1e-300 * amounts
            model = ksparse.KSparseRegressorCV([1, 2], loss=loss, cv=3, one_standard_error=True).fit(X, small)
            assert np.isfinite(model.predict(X)).all()
        for scoring in (None, "roc_auc", "accuracy"):
            model = ksparse.KSparseClassifierCV([0, 1, 2], ridge=1e-3, cv=3, scoring=scoring).fit(X.assign(d=0.0), y)
            assert {0, 2} >= set(model.support_.tolist())


# The zero of the log-odds by bisection in mpmath, 400 digits, of the formulas in _probability.py.
THRESHOLDS = [
    (0.0, 1e30, 64.783690686956547),
    (1e30, 0.0, -64.783690686956547),
    (1e30, 1e30, 0.0),
    (2.0, 1e300, 683.14385797989583),
    (0.0, 1.7e308, 703.1527623724046),
    (1.7e308, 1.0, -702.46979322340586),
    (1e15, 1e3, -24.433793158476882),
    (0.0, 4.0, 0.58283279345749647),
    (0.0, 1e-300, 0.0),
]


@pytest.mark.parametrize(("positive", "negative", "expected"), THRESHOLDS)
def test_classes_are_as_likely_where_mpmath_says(positive, negative, expected):
    """However far the focusing moves that place, and the decision is that of the probability."""
    loss = losses.AsymmetricFocal(positive, negative)
    with np.errstate(all="raise"):
        assert loss.decision_threshold() == pytest.approx(expected, rel=1e-12, abs=1e-13)
        eta = expected + np.array([-1e5, -1.0, -1e-6, 1e-6, 1.0, 1e5]) * max(1.0, abs(expected))
        assert (loss.log_odds(eta) > 0).tolist() == [False] * 3 + [True] * 3


EXPORTED = ["logistic", "focal", losses.Focal(0.5, 0.0), losses.Focal(0.4, 60.0), *losses.REGRESSION]


@pytest.mark.parametrize("loss", EXPORTED, ids=repr)
def test_what_is_written_down_answers_as_the_model_for_far_rows(loss):
    """Infinite where predict is, 0 where it is, and never an exception: in Python, and in SQLite with an EXP that raises."""
    X, y = data_for(loss)
    result = ksparse.fit(X, y, 2, loss=loss, ridge=1e-2)
    classification = result._loss.is_classification
    far = far_rows(X)
    scales = np.linspace(-800, 800, 321) / result.decision_function(X.iloc[[0]])[0]
    far = pd.concat([far[np.abs(far).max(axis=1) < 1e290], *[X.iloc[[0]] * scale for scale in scales]], ignore_index=True)
    with np.errstate(all="ignore"):
        expected = (result.predict_proba if classification else result.predict)(far)
    if result._loss.has_log_link:
        assert np.isinf(expected).any()
        assert (expected == 0).any()
    assert not np.isnan(expected).any()
    function = eval(f"lambda row: {result.to_python()}", {"math": math})
    records = far.to_dict("records")
    close(np.array([function(row) for row in records]), expected)
    assert math.isnan(function(dict.fromkeys(X.columns, math.nan)))
    with sqlite3.connect(":memory:") as database:
        database.create_function("EXP", 1, lambda x: None if x is None else math.exp(x))
        database.create_function("LN", 1, lambda x: None if x is None else math.log(x))
        database.execute("CREATE TABLE t (a, b, c, d)")
        database.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", [*far.to_numpy().tolist(), [None] * 4])
        answers = [row[0] for row in database.execute(f"SELECT {result.to_sql()} FROM t")]
    assert answers.pop() is None
    close(np.array(answers), expected, atol=1e-15 if result.gamma > 0 else 1e-300)  # SQL has no log1p


def close(got, expected, atol=1e-300):
    """Expect the same number, exactly where it is infinite."""
    infinite = np.isinf(expected)
    np.testing.assert_array_equal(got[infinite], expected[infinite])
    np.testing.assert_allclose(got[~infinite], expected[~infinite], rtol=1e-11, atol=atol)

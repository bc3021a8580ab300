"""Models as text: read back by Python and by SQLite, they answer as the model does."""

import dataclasses
import math
import sqlite3
import warnings

import ksparse
import numpy as np
import pandas as pd
import pytest
from ksparse import KSparseClassifier, KSparseClassifierCV, KSparseMultiLabelClassifier
from ksparse._probability import probability
from reference import random_problem
from sklearn.base import clone
from sklearn.datasets import load_wine
from sklearn.multiclass import OneVsRestClassifier

# What ends a string or a name too early if it is not quoted.
NAMES = ["age", "body mass", 'so "called"', "it's", "a\\b\n", "Größe", "x'); DROP TABLE t; --", "[7]"]
LOSSES = [{}, {"loss": "focal"}, {"loss": "focal", "gamma": 0.3, "alpha": 0.8}, {"loss": "focal", "gamma": 7.0}]


@pytest.fixture(params=LOSSES, ids=str)
def fitted(request):
    """Return a fit of all features, and rows whose linear predictors go far beyond the range of exp."""
    problem = random_problem(1, n=150, p=8, ridge=1e-2, **{"gamma": 2.0, **request.param})
    frame = pd.DataFrame(problem.X, columns=NAMES)
    result = ksparse.fit(frame, problem.y, 8, **problem.settings)
    scales = 10.0 ** np.random.default_rng(0).uniform(-2, 4, 150)
    rows = pd.concat([frame, frame.mul(scales, axis=0), -frame.mul(scales, axis=0)], ignore_index=True)
    eta = result.decision_function(rows)
    assert eta.max() > 1000
    assert eta.min() < -1000
    return result, rows, eta


def close(got, expected):
    """Expect the same number to rounding, relative to the probability itself while it is in the range of doubles."""
    np.testing.assert_allclose(got, expected, rtol=1e-11, atol=1e-300)


def test_python_answers_as_the_model(fitted):
    """Row by row with the standard library alone, also where exp would overflow; without names by number."""
    result, rows, eta = fitted
    scope = {"math": math, "__builtins__": {"max": max, "min": min}}
    unnamed = dataclasses.replace(result, feature_names=None)
    for fit, records in [(result, rows.to_dict("records")), (unnamed, rows.to_numpy().tolist())]:
        for output, expected in [("linear_predictor", eta), ("probability", probability(eta, result.gamma))]:
            function = eval(f"lambda row: {fit.to_python(output)}", scope)
            close([function(record) for record in records], expected)
            records_with_gap = dict(enumerate(records[0])) if fit is unnamed else dict(records[0])
            records_with_gap[next(iter(records_with_gap))] = math.nan
            assert math.isnan(function(records_with_gap))
    np.testing.assert_allclose(eval(result.to_python("linear_predictor"), {"row": rows}), eta, rtol=1e-9)


def strict(function):
    """Let a function fail where PostgreSQL does, on overflow, and on underflow to 0 or to fewer digits."""

    def guarded(x):
        if x is None:
            return None
        value = function(x)
        if value != 0 and abs(value) < 2.3e-308:
            raise ArithmeticError("underflow")
        if function is math.exp and value == 0:
            raise ArithmeticError("underflow")
        return value

    return guarded


def select(rows, expression):
    """Evaluate an expression on a table of SQLite with these columns."""
    quoted = ", ".join('"' + name.replace('"', '""') + '"' for name in rows.columns)
    with sqlite3.connect(":memory:") as database:
        database.create_function("EXP", 1, strict(math.exp))
        database.create_function("LN", 1, strict(math.log))
        database.execute(f"CREATE TABLE t ({quoted})")
        database.executemany(f"INSERT INTO t VALUES ({', '.join('?' * rows.shape[1])})", rows.to_numpy().tolist())
        return [row[0] for row in database.execute(f"SELECT {expression} FROM t")]


def test_sql_answers_as_the_model(fitted):
    """In SQLite, with EXP and LN that fail as those of stricter databases do."""
    result, rows, eta = fitted
    close(select(rows, result.to_sql("linear_predictor")), eta)
    got, expected = np.array(select(rows, result.to_sql())), probability(eta, result.gamma)
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-15)
    assert ((got >= 0) & (got <= 1)).all()
    near = np.abs(eta) < 10
    np.testing.assert_allclose(got[near], expected[near], rtol=1e-10)
    gap = rows.astype(object).iloc[:1].copy()
    gap.iloc[0, 0] = None
    assert select(gap, result.to_sql()) == [None]


def test_names_of_sql_are_quoted_as_the_standard_says():
    """In double quotes, those inside doubled; without names x0, x1, ..."""
    problem = random_problem(2, p=2)
    frame = pd.DataFrame(problem.X, columns=['a "b"', "c"])
    text = ksparse.fit(frame, problem.y, 2, ridge=1e-2).to_sql("linear_predictor")
    assert '* "a ""b"""' in text
    assert text.endswith('* "c"')
    assert ksparse.fit(problem.X, problem.y, 2, ridge=1e-2).to_sql("linear_predictor").endswith('* "x1"')


def written(coef, intercept, digits=4, **changes):
    """Write a formula of given coefficients."""
    problem = random_problem(3, p=3)
    fit = ksparse.fit(problem.X, problem.y, 3, ridge=1e-2)
    support = np.flatnonzero(coef)
    return dataclasses.replace(fit, coef=np.array(coef), intercept=intercept, support=support, **changes).formula(digits)


def test_formula_reads_as_one_writes_it():
    """Signs between the terms, significant digits, no terms of 0; of the focal loss it is no log-odds."""
    names = np.array(["age", "body mass", "dose"], dtype=object)
    assert (
        written([0.45, 0.0, -12345.678], -1.234567, feature_names=names)
        == "log-odds of class 1 = -1.235 + 0.45 * age - 1.235e+04 * dose"
    )
    assert written([0.0, -1 / 3, 0.0], 0.0, digits=2) == "log-odds of class 1 = -0.33 * x1"
    assert written([1.0, 0.0, 0.0], 2.0, loss="focal", gamma=2.0) == "linear predictor of class 1 = 2 + 1 * x0"
    assert written([1.0, 0.0, 0.0], 2.0, loss="focal", gamma=0.0).startswith("log-odds")
    assert written([0.0, 0.0, 0.0], 0.0) == "log-odds of class 1 = 0"
    assert (
        written([1e-7, 0.0, 0.0], 0.1, digits=17) == "log-odds of class 1 = 0.10000000000000001 + 9.9999999999999995e-08 * x0"
    )


def test_estimators_write_their_model():
    """By fit and by cross-validation, as the probability of the second class; the data are not asked for."""
    problem = random_problem(4, n=150)
    y = np.where(problem.y == 1, "ill", "well")
    rows = problem.X.tolist()
    for model in [KSparseClassifier(2, loss="focal", ridge=1e-2), KSparseClassifierCV([2], ridge=1e-2)]:
        model.fit(problem.X, y)
        function = eval(f"lambda row: {model.to_python()}", {"math": math})
        close([function(row) for row in rows], model.predict_proba(problem.X)[:, 1])
        function = eval(f"lambda row: {model.to_python('linear_predictor')}", {"math": math})
        close([function(row) for row in rows], model.decision_function(problem.X))
        assert model.formula(3) == model.result_.formula(3).replace("class 1", "class well")
        assert model.to_sql() == model.result_.to_sql().replace("class 1", "class well")


def test_classes_and_labels_each():
    """A text by class for the class against the rest, and by label; None for one without an answer."""
    X, y = load_wine(return_X_y=True, as_frame=True)
    model = KSparseClassifier(2, ridge=1e-2).fit(X, y)
    etas = {
        name: [eval(text, {"row": row}) for row in X.to_dict("records")]
        for name, text in model.to_python("linear_predictor").items()
    }
    assert list(etas) == [0, 1, 2]
    np.testing.assert_allclose(np.column_stack(list(etas.values())), model.decision_function(X), rtol=1e-9)
    Y = pd.get_dummies(y).astype(int).rename(columns=str).assign(never=0)
    with pytest.warns(match="never predicted"):
        labels = KSparseMultiLabelClassifier(2, ridge=1e-2).fit(X, Y)
    assert [name for name, text in labels.formula().items() if text is None] == ["never"]
    assert labels.to_sql()["1"] == model.to_sql()[1]
    for write in (labels.result_[3].formula, labels.result_[3].to_logistic_regression):
        with pytest.raises(ValueError, match="there is no model to export: invalid_input: y has no row of class 1"):
            write()


def test_what_cannot_be_written_is_said():
    """Names that do not tell columns apart; arguments that are not what they must be."""
    problem = random_problem(5, p=3)
    result = ksparse.fit(pd.DataFrame(problem.X, columns=["a", "b", "a"]), problem.y, 3, ridge=1e-2)
    for write in (result.to_python, result.to_sql):
        with pytest.raises(ValueError, match="more than one column named 'a'"):
            write()
        with pytest.raises(ValueError, match="output is 'margin'; it must be one of 'probability', 'mean', 'linear_predictor'"):
            write("margin")
    with pytest.raises(ValueError, match="digits is 0; it must be >= 1"):
        result.formula(0)
    with pytest.raises(TypeError, match=r"digits is 2\.5; it must be an integer"):
        result.formula(2.5)


def test_logistic_regression_answers_as_the_model():
    """scikit-learn's own class with the same decisions and probabilities, by name of the classes and of the columns."""
    problem = random_problem(6, n=150)
    frame, y = pd.DataFrame(problem.X, columns=list("abcdefgh")), np.where(problem.y == 1, "ill", "well")
    for model in [
        KSparseClassifier(3, ridge=1e-2),
        KSparseClassifierCV([3], ridge=1e-2),
        KSparseClassifier(3, loss="focal", gamma=0.0),
    ]:
        copy = model.fit(frame, y).to_logistic_regression()
        assert type(copy).__module__.startswith("sklearn.")
        np.testing.assert_allclose(copy.decision_function(frame), model.decision_function(frame), atol=1e-12)
        np.testing.assert_allclose(copy.predict_proba(frame), model.predict_proba(frame), rtol=1e-10)
        assert copy.predict(frame).tolist() == model.predict(frame).tolist()
        with pytest.raises(ValueError, match="feature names"):
            copy.predict(frame[list("hgfedcba")])
        copy.coef_ += 1
        assert model.result_.coef.max() == model.coef_.max()  # a copy, and no view
        assert not np.array_equal(copy.coef_, model.coef_)
    result = ksparse.fit(problem.X, problem.y, 3, ridge=1e-2)
    copy = result.to_logistic_regression()
    np.testing.assert_allclose(copy.decision_function(problem.X), result.decision_function(problem.X), atol=1e-12)
    assert copy.classes_.tolist() == [0, 1]
    assert not hasattr(clone(copy), "coef_")
    with pytest.raises(ValueError, match="the focal loss with gamma=2: LogisticRegression would make the same decisions but"):
        ksparse.fit(problem.X, problem.y, 3, loss="focal").to_logistic_regression()


def test_logistic_regressions_of_classes():
    """One for each class; in OneVsRestClassifier they are together the whole model, as the guide says."""
    X, y = load_wine(return_X_y=True)
    model = KSparseClassifier(2, ridge=1e-2).fit(X, y)
    copies = model.to_logistic_regression()
    eta = np.column_stack([copies[name].decision_function(X) for name in (0, 1, 2)])
    np.testing.assert_allclose(eta, model.decision_function(X), atol=1e-10)
    assert copies[2].classes_.tolist() == [0, 1]
    whole = OneVsRestClassifier(KSparseClassifier(2, ridge=1e-2)).fit(X, y)
    expected = whole.predict_proba(X)
    whole.estimators_ = [estimator.to_logistic_regression() for estimator in whole.estimators_]
    np.testing.assert_allclose(whole.predict_proba(X), expected, rtol=1e-10)
    np.testing.assert_allclose(expected, model.predict_proba(X), rtol=1e-6)


def test_onnx_answers_as_the_model():
    """By skl2onnx and onnxruntime where they are installed, in their single precision."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the versions of protobuf and NumPy that these were built with
        skl2onnx, onnxruntime = pytest.importorskip("skl2onnx"), pytest.importorskip("onnxruntime")
        problem = random_problem(7, n=150)
        model = KSparseClassifier(3, ridge=1e-2).fit(problem.X, problem.y)
        rows = problem.X.astype(np.float32)
        onnx = skl2onnx.to_onnx(model.to_logistic_regression(), rows[:1], options={"zipmap": False})
        labels, probabilities = onnxruntime.InferenceSession(onnx.SerializeToString()).run(None, {"X": rows})
    np.testing.assert_allclose(probabilities, model.predict_proba(rows), atol=1e-6)
    assert labels.tolist() == model.predict(rows).tolist()


def test_formula_and_sql_say_which_class():
    """For any two labels, also those that look like the end of a comment; of a regression there is no class to name."""
    problem = random_problem(5, p=4)
    for labels in (["kept", "churned */ x"], [10, 20], [False, True]):
        y = np.where(problem.y > 0, labels[1], labels[0])
        model = ksparse.KSparseClassifier(k=2, ridge=1e-2).fit(problem.X, y)
        event = str(model.classes_[1])
        assert model.formula().startswith(f"log-odds of class {event} = ")
        assert model.to_sql().startswith(f"/* probability of class {event.replace('*/', '* /')} */ ")
        assert model.to_sql("linear_predictor").startswith("/* log-odds of class ")
        rows = pd.DataFrame(np.zeros((1, 4)), columns=["x0", "x1", "x2", "x3"])
        assert select(rows, model.to_sql())[0] == pytest.approx(model.predict_proba(rows.to_numpy())[0, 1], abs=1e-12)
    focal = ksparse.fit(problem.X, problem.y, 2, loss="focal", ridge=1e-2)
    assert focal.to_sql("linear_predictor").startswith("/* linear predictor of class 1 */ ")
    assert "/*" not in ksparse.fit(problem.X, problem.X[:, 0], 2, loss="squared").to_sql()

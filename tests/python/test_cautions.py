"""What does not converge says so in words, wherever it is shown or written down."""

import dataclasses
import math
import sqlite3
import warnings

import ksparse
import numpy as np
import pandas as pd
import pytest
from ksparse import KSparseClassifier, KSparseClassifierCV, KSparseMultiLabelClassifier, _core, losses
from ksparse._caution import advice_on

plt = pytest.importorskip("matplotlib.pyplot")
plt.switch_backend("Agg")
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

FOREVER = ["logistic", "focal", "asymmetric_focal", "probit", "cloglog", "exponential"]
WORDS = "the chosen features separate the classes"


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def separable(n=60):
    """Return a frame and labels that the column "age" tells apart."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.standard_normal((n, 3)), columns=["age", "dose", "weight"])
    return frame, (frame["age"] > 0).to_numpy().astype(float)


def assert_said(text, words=WORDS):
    """Expect words that may be broken over lines."""
    assert words in " ".join(str(text).split())


@pytest.mark.parametrize("loss", FOREVER)
def test_a_separable_fit_says_so_everywhere(loss):
    """The size of its coefficients means nothing: neither do its points, its formula, or what a database makes of it."""
    X, y = separable()
    result = ksparse.fit(X, y, 1, loss=loss)
    assert result.status == "separable"
    for shown in (result, result._repr_html_(), result.summary(), result.summary()._repr_html_(), result.alternatives(1)):
        assert_said(shown)
    for text in (result.formula(), result.to_python("linear_predictor"), result.to_sql("linear_predictor")):
        assert_said(text)
    display = ksparse.CoefficientDisplay.from_result(result)
    assert_said(display.ax_.get_title(loc="left"))
    if loss == "logistic":
        card = result.scorecard()
        assert_said(card)
        assert_said(card._repr_html_())
        assert any(WORDS in note for note in card.notes)


def test_an_expression_with_a_caution_is_still_one():
    """As an argument, within parentheses, in a lambda, in a query: the words are a comment."""
    X, y = separable()
    result = ksparse.fit(X, y, 1)
    row = {"age": 0.01, "dose": 0.0, "weight": 0.0}
    expected = result.predict_proba(X.assign(age=0.01))[0]
    expression = result.to_python()
    for text in (expression, f"({expression})", f"[{expression}][0]", f"float({expression})", f"1 * {expression} + 0"):
        assert eval(f"(lambda row: {text})(row)", {"row": row, "math": math}) == pytest.approx(expected, rel=1e-12)
    with sqlite3.connect(":memory:") as database:
        database.create_function("EXP", 1, math.exp)
        database.execute('CREATE TABLE t ("age")')
        database.execute("INSERT INTO t VALUES (0.01)")
        (answer,) = database.execute(f"SELECT {result.to_sql()} AS p FROM t WHERE {result.to_sql()} > 0").fetchone()
    assert answer == pytest.approx(expected, rel=1e-12)
    assert result.formula().splitlines()[0].startswith("log-odds of class 1 = ")


@pytest.mark.parametrize(
    "status", [status for status in _core.status_names() if status not in ("converged", "invalid_input", "interrupted")]
)
def test_every_status_is_said(status):
    """Not only separability; and of what converged nothing is said."""
    rng = np.random.default_rng(1)
    X = rng.standard_normal((100, 4))
    y = (X[:, 1] + rng.logistic(size=100) > 0).astype(float)
    sound = ksparse.fit(X, y, 2)
    result = dataclasses.replace(sound, status=status, advice=advice_on(status))
    for text in (
        result,
        result._repr_html_().replace("&#x27;", "'"),
        result.summary(),
        result.scorecard(),
        result.formula(),
        result.to_python(),
        result.to_sql(),
    ):
        assert_said(text, f"The fit ended as '{status}'")
    assert_said(ksparse.CoefficientDisplay.from_result(result).ax_.get_title(loc="left"), status)
    for text in (sound, sound.summary(), sound.scorecard(), sound.formula(), sound.to_python(), sound.to_sql()):
        assert "The fit ended" not in str(text)
    assert ksparse.CoefficientDisplay.from_result(sound).ax_.get_title(loc="left") == ""


def test_a_comment_cannot_be_ended_from_within():
    """Whatever the advice holds, for instance of a result that was stored elsewhere."""
    X, y = separable()
    result = dataclasses.replace(ksparse.fit(X, y, 1), advice="a\nb */ c")
    assert len(result.to_python().splitlines()) == 2
    assert result.to_sql().count("*/") == 1


def test_estimators_say_it_of_each_class_and_label():
    """Of two classes, of more, of labels, and of a search by cross-validation."""
    X, y = separable()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        two = [KSparseClassifier(1).fit(X, y), KSparseClassifierCV([1], scoring="accuracy", cv=2).fit(X, y)]
        three = KSparseClassifier(1).fit(X, np.where(X["age"] > 1, 2, y))
        labels = KSparseMultiLabelClassifier(1).fit(X, np.column_stack([y, np.random.default_rng(0).random(60) > 0.5]))
    for model in two:
        for text in (model.formula(), model.to_python(), model.to_sql(), model.summary(X, y), model.scorecard(X, y)):
            assert_said(text)
    for model in (three, labels):
        statuses = model.status_.tolist()
        assert "separable" in statuses
        for texts in (model.formula(), model.to_python(), model.to_sql()):
            for status, text in zip(statuses, texts.values(), strict=True):
                assert ("The fit ended as" in text) == (status != "converged")
        assert_said(model.result_)
        row = statuses.index("separable")
        assert_said(
            ksparse.CoefficientDisplay.from_estimator(model, target=model.classes_[row] if model is three else row).note
        )


def test_tables_of_many_fits_say_it():
    """A path, a batch and resamplings tell how many ended otherwise, and what to do; their displays mark them."""
    X, y = separable()
    path = ksparse.fit_path(X, y, range(3))
    assert_said(path, "2 of 3 fits ended as 'separable'")
    assert_said(path._repr_html_())
    batch = ksparse.fit_many(X, np.column_stack([y, np.arange(60) % 2, np.ones(60)]), 1)
    assert_said(batch, "1 of 3 problems ended as 'separable'")
    assert_said(batch, "1 of 3 problems ended as 'invalid_input'")
    stability = ksparse.stability_selection(X, y, 1, rounds=4)
    assert_said(stability, "4 of 4 rounds ended as 'separable'")
    assert ksparse.StabilityDisplay.from_result(stability).axes_[0].get_xlabel().endswith("4 did not converge")
    for ax in ksparse.PathDisplay.from_result(path).axes_:
        assert ax.get_xlabel() == "k (dotted: the fit did not converge)"
        assert sum(line.get_linestyle() == ":" and line.get_color() == "C3" for line in ax.lines) == 2


def test_losses_that_end_are_not_called_separable():
    """A hinge has a minimum where the classes can be told apart: nothing is said."""
    X, y = separable()
    assert set(FOREVER) == {name for name in losses.CLASSIFICATION if "hinge" not in name}
    assert "The fit ended" not in ksparse.fit(X, y, 1, loss="squared_hinge").formula()

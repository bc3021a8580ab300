"""KSparseScorecard: what is printed, predicted and exported is one and the same card."""

from __future__ import annotations

import math
import sqlite3

import ksparse
import numpy as np
import pandas as pd
import pytest
from ksparse import Binner, KSparseScorecard
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import parametrize_with_checks

ODD = 'a "quoted" name'
LEVELS = ["it's", 'say "no"', "--", "*/", "plain", "ö;"]


def raw(n=1500, seed=0):
    """Return a table with gaps, odd names and odd levels, and its labels."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            ODD: np.where(rng.random(n) < 0.1, np.nan, rng.standard_normal(n)),
            "job's": np.where(rng.random(n) < 0.1, None, rng.choice(LEVELS, n)),
            "amount": np.where(rng.random(n) < 0.5, 0.0, rng.exponential(size=n)),
            "count": rng.integers(0, 5, n),
            "noise": rng.standard_normal(n),
        }
    )
    eta = table[ODD].fillna(1.0) + (table["job's"] == "it's") - 1.5 * (table["amount"] > 0) - 1
    return table, np.where(eta + rng.logistic(size=n) > 0, "fraud", "fine")


def by_sqlite(table, expression):
    """Return what SQLite makes of an expression for each row."""
    with sqlite3.connect(":memory:") as connection:
        quoted = ", ".join('"' + name.replace('"', '""') + '"' for name in table.columns)
        connection.execute(f"create table t ({quoted})")
        rows = table.astype(object).where(table.notna(), None).to_numpy().tolist()
        connection.executemany(f"insert into t values ({', '.join('?' * table.shape[1])})", rows)
        return np.array(connection.execute(f"select {expression} from t").fetchall())[:, 0]


@parametrize_with_checks([KSparseScorecard(), KSparseScorecard(choose="bins", max_points=5)])
def test_scikit_learn_accepts_it(estimator, check):
    """The conventions hold, as far as scikit-learn's own checks know them."""
    check(estimator)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"convention": "credit", "decimals": None},
        {"choose": "bins", "k": 4},
        {"max_points": 3},
        {"choose": "bins", "k": 4, "max_points": 5},
        {"loss": "focal", "max_points": 5},
        {"binner": Binner(encoding="cumulative", n_bins=5, monotone="auto")},
        {"binner": Binner(encoding="cumulative", n_bins=5), "choose": "bins", "k": 3, "max_points": 5, "event": "fine"},
    ],
)
def test_sql_and_python_are_the_card(settings):
    """With gaps, new levels, odd names and quotes; to 1e-12, as the numbers written are exact."""
    table, y = raw()
    model = KSparseScorecard(**{"k": 3, "event": "fraud", **settings}).fit(table, y)
    new, _ = raw(400, seed=1)
    new.loc[:5, "job's"] = "never seen"
    new.loc[5:9, "amount"] = np.nan  # which the fit never saw
    event = model.predict_proba(new)[:, model.classes_.tolist().index(model.event_)]
    np.testing.assert_allclose(by_sqlite(new, model.to_sql()), event, rtol=0, atol=1e-12)
    np.testing.assert_allclose(by_sqlite(new, model.to_sql("points")), model.total_points(new), rtol=0, atol=1e-9)
    function = eval(f"lambda row: {model.to_python()}", {"math": math})
    records = new.astype(object).where(new.notna(), None).to_dict("records")
    np.testing.assert_allclose([function(row) for row in records], event, rtol=0, atol=1e-12)
    for text in (model.to_sql(), model.to_python(), str(model)):
        assert repr(model.event_) in text


@pytest.mark.parametrize("search", ["fast", "auto"])
@pytest.mark.parametrize("max_points", [None, 3])
@pytest.mark.parametrize("useless", [False, True])
def test_a_card_without_variables_has_the_share_of_the_event(search, max_points, useless):
    """It is asked for with k=0, or no variable tells anything: the event is as frequent in each bin."""
    table, labels = pd.DataFrame({"a": [0, 1] * 40, "b": [0, 0, 1, 1] * 20}), ["bad"] * 20 + ["good"] * 60
    card = KSparseScorecard(k=2 if useless else 0, search=search, max_points=max_points, decimals=None).fit(table, labels)
    assert card.variables_ == ([] if search == "fast" or not useless else card.variables_)
    assert card.predict_proba(table)[:, 0] == pytest.approx(0.25, abs=0.01)
    assert by_sqlite(table, card.to_sql()) == pytest.approx(card.predict_proba(table)[:, 1], abs=1e-12)


def test_what_is_printed_adds_up():
    """The rows of the table, read by a person, give the probability."""
    table, y = raw()
    model = KSparseScorecard(k=2, event="fraud", binner=Binner(n_bins=4)).fit(table, y)
    frame = model.card_.to_frame().set_index("bin")
    row = table.iloc[[3]]
    total = frame.loc["", "points"]
    for variable in model.variables_:
        labels = model.card_.variables[model.variables_.index(variable)].bins
        total += frame.loc[
            labels.labels()[int(labels.codes(ksparse._cards.columns.column_of(row[variable], variable))[0])], "points"
        ]
    odds = 50 * 2 ** ((total - 600) / 20)
    assert model.predict_proba(row)[0, 1] == pytest.approx(odds / (1 + odds), rel=1e-12)
    assert "600 points are odds of 50 to 1 of class 'fraud' against class 'fine'; +20 points double them" in str(model)
    assert frame.loc[frame["variable"] != "(base)", "share"].groupby(frame["variable"]).sum().to_numpy() == pytest.approx(
        [1, 1]
    )
    assert "<table" in model._repr_mimebundle_()["text/html"]


def test_real_coefficients_are_those_of_a_logistic_regression():
    """Without rounding the card is the model of the chosen variables' bins, which scikit-learn fits to the same probabilities."""
    table, y = raw()
    model = KSparseScorecard(k=2, event="fraud", decimals=None, ridge=1e-9).fit(table, y)
    design = Binner().fit(table[model.variables_]).transform(table[model.variables_])
    reference = LogisticRegression(C=1e7, tol=1e-10, max_iter=5000).fit(design, y)
    expected = reference.predict_proba(design)[:, 1]
    np.testing.assert_allclose(model.predict_proba(table)[:, 1], expected, atol=2e-5)
    assert sorted(model.variables_) == sorted([ODD, "amount"])
    assert model.loss_after_ == pytest.approx(model.loss_before_, abs=1e-12)


def test_credit_convention_turns_the_points_round():
    """Good to bad: more points, less risk; the probabilities are the same."""
    table, y = raw()
    event = KSparseScorecard(k=3, event="fraud", decimals=None).fit(table, y)
    credit = KSparseScorecard(k=3, event="fraud", decimals=None, convention="credit").fit(table, y)
    np.testing.assert_allclose(event.predict_proba(table), credit.predict_proba(table), atol=1e-12)
    both = event.total_points(table) + credit.total_points(table)
    np.testing.assert_allclose(both, 2 * (600 - 20 * np.log2(50)), atol=1e-9)  # that of even odds, twice
    assert "of class 'fine' against class 'fraud'" in str(credit)


@pytest.mark.parametrize("event", ["fraud", "fine", None])
def test_the_event_may_be_either_class(event):
    """Columns of predict_proba are in the order of classes_ all the same."""
    table, y = raw()
    model = KSparseScorecard(k=2, event=event, decimals=None).fit(table, y)
    assert model.event_ == ("fraud" if event is None else event)
    reference = KSparseScorecard(k=2, decimals=None).fit(table, y)
    np.testing.assert_allclose(model.predict_proba(table), reference.predict_proba(table), atol=1e-8)
    assert (model.predict(table) == model.classes_[(model.decision_function(table) > 0).astype(int)]).all()
    assert model.score(table, y) > 0.7


def test_monotone_points():
    """With cumulative columns the points, and not only the event rates, rise or fall along each variable."""
    rng = np.random.default_rng(5)
    x = rng.standard_normal((2000, 2))
    x[:, 1] = 0.8 * x[:, 0] + 0.6 * x[:, 1]
    y = x[:, 0] - 0.3 * x[:, 1] + rng.logistic(size=2000) > 0
    cumulative = Binner(encoding="cumulative", monotone="auto")
    monotone = KSparseScorecard(k=2, binner=cumulative, decimals=None).fit(x, y)
    for variable in monotone.card_.variables:
        steps = variable.bins.direction * np.diff(variable.points)
        assert (steps >= -1e-9).all()
    free = KSparseScorecard(k=2, binner=Binner(), decimals=None).fit(x, y)
    assert any((np.diff(v.points) < -1e-9).any() and (np.diff(v.points) > 1e-9).any() for v in free.card_.variables)


def test_only_the_columns_of_the_card_are_needed():
    """By name, in any order, and an absent one is named."""
    table, y = raw()
    model = KSparseScorecard(k=2, event="fraud").fit(table, y)
    few = table[model.variables_[::-1]]
    np.testing.assert_array_equal(model.predict_proba(few), model.predict_proba(table))
    np.testing.assert_array_equal(model.transform(few).sum(axis=1) + model.card_.base, model.total_points(table))
    with pytest.raises(ValueError, match="0 columns of the name 'amount'"):
        model.predict(few.drop(columns="amount"))


def test_parameters_of_the_binner_can_be_searched():
    table, y = raw(400)
    search = GridSearchCV(
        KSparseScorecard(k=2, binner=Binner()), {"binner__n_bins": [2, 4], "k": [1, 2]}, scoring="neg_log_loss", cv=3
    )
    assert search.fit(table, y).best_params_["k"] == 2


def test_always_in_and_never_in():
    table, y = raw()
    model = KSparseScorecard(k=2, always_in=["noise"], never_in=["amount"]).fit(table, y)
    assert sorted(model.variables_) == sorted(["noise", ODD])
    with pytest.raises(ValueError, match="choose='variables'"):
        KSparseScorecard(choose="bins", always_in=["noise"]).fit(table, y)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"loss": "focal"}, "set max_points"),
        ({"loss": "probit"}, "must be 'logistic' or 'focal'"),
        ({"event": "freud"}, r"event is 'freud'; it must be one of the classes, \['fine', 'fraud'\]"),
        ({"choose": "rows"}, "choose is 'rows'"),
        ({"max_points": 0}, "max_points is 0"),
        ({"points_to_double_odds": 0}, "points_to_double_odds"),
        ({"convention": "bank"}, "convention is 'bank'"),
    ],
)
def test_what_is_wrong_is_named(settings, message):
    table, y = raw(100)
    with pytest.raises(ValueError, match=message):
        KSparseScorecard(**settings).fit(table, y)


def test_three_classes_are_refused_with_a_way_out():
    table, _ = raw(90)
    with pytest.raises(ValueError, match="OneVsRestClassifier"):
        KSparseScorecard().fit(table, ["a", "b", "c"] * 30)


@pytest.mark.parametrize("settings", [{}, {"choose": "bins"}, {"max_points": 3}, {"search": "thorough"}])
def test_columns_that_do_not_vary_are_named(settings):
    """There is nothing to choose from."""
    table = pd.DataFrame({"age": np.ones(60), "job": ["clerk"] * 60, "income": [np.nan] * 60})
    with pytest.raises(ValueError, match=r"no column of X has more than one bin \('age', 'job', 'income'\).*give a Binner"):
        KSparseScorecard(k=1, **settings).fit(table, np.arange(60) % 2)

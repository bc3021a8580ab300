"""Scorecards: scores are the model in another scale, and what rounding costs is what is said."""

import math
import pickle

import ksparse
import numpy as np
import pandas as pd
import pytest
from ksparse import KSparseClassifier, KSparseClassifierCV
from reference import random_problem
from sklearn.datasets import load_wine
from sklearn.metrics import log_loss


@pytest.fixture
def problem():
    """Two binary and four continuous columns of very different spread, far from 0; weights, too."""
    problem = random_problem(1, n=300, p=6)
    problem.X[:, 1] = problem.X[:, 1] > 0
    problem.X[:, 4] = problem.X[:, 4] > 1
    problem.X[:, [0, 2, 3, 5]] = problem.X[:, [0, 2, 3, 5]] * [0.03, 1.5, 70.0, 1e6] + [3.0, 40.0, 900.0, -1e7]
    return problem


def test_scores_are_the_model_in_another_scale(problem):
    """Not rounded: the probability of a score is that of the model; the scale is where and as wide as it was asked for."""
    result = ksparse.fit(problem.X, problem.y, 6)
    for doubling in (20.0, -15.0):
        card = result.scorecard(points_to_double_odds=doubling, base_points=300, base_odds=0.25, decimals=None)
        eta = result.decision_function(problem.X)
        np.testing.assert_allclose(card.score(problem.X), 300 + doubling * np.log2(np.exp(eta) / 0.25), rtol=1e-9)
        np.testing.assert_allclose(card.probability(card.score(problem.X)), 1 / (1 + np.exp(-eta)), rtol=1e-8)
        p = card.probability([300.0, 300.0 + doubling])
        np.testing.assert_allclose(p / (1 - p), [0.25, 0.5])
        assert (card.loss_after, card.largest_change) == (pytest.approx(card.loss_before), pytest.approx(0, abs=1e-9))
        assert np.array_equal(card.points, card.exact_points)
        assert not any("Rounding" in note for note in card.notes)


def test_rounding_costs_what_is_said(problem):
    """Whole points; the average score stays; losses are scikit-learn's log_loss of the probabilities before and after."""
    w = np.random.default_rng(0).uniform(0.2, 3.0, 300)
    result = ksparse.fit(problem.X, problem.y, 6, sample_weight=w)
    for doubling, decimals in [(20, 0), (2, 0), (1, 1)]:
        exact = result.scorecard(points_to_double_odds=doubling, decimals=None)
        card = result.scorecard(points_to_double_odds=doubling, decimals=decimals)
        for value in (*card.points, card.base):
            assert value == round(value, decimals)
        assert np.abs(card.points - exact.points).max() <= 0.5 * 10.0**-decimals + 1e-9
        assert np.abs(np.average(card.score(problem.X) - exact.score(problem.X), weights=w)) <= 0.5 * 10.0**-decimals + 1e-6
        before, after = (c.probability(c.score(problem.X)) for c in (exact, card))
        assert card.loss_before == pytest.approx(log_loss(problem.y, before, sample_weight=w), rel=1e-9)
        assert card.loss_after == pytest.approx(log_loss(problem.y, after, sample_weight=w), rel=1e-9)
        assert card.largest_change == pytest.approx(np.abs(after - before).max(), rel=1e-9)
        assert card.loss_after > card.loss_before == pytest.approx(result.objective)
        assert f"from {card.loss_before:.6g} to {card.loss_after:.6g}" in " ".join(str(card).split())
    coarse, fine = (result.scorecard(points_to_double_odds=doubling) for doubling in (1, 100))
    assert fine.loss_after - fine.loss_before < coarse.loss_after - coarse.loss_before


def test_steps_of_the_features(problem):
    """1 for binary features, a round number no more than the spread for others, or what the user says."""
    frame = pd.DataFrame(problem.X, columns=list("abcdef"))
    result = ksparse.fit(frame, problem.y, 6)
    card = result.scorecard()
    assert card.binary.tolist() == [False, True, False, False, True, False]
    assert card.units[card.binary].tolist() == [1.0, 1.0]
    for unit, sd in zip(card.units[~card.binary], problem.X.std(axis=0)[~card.binary], strict=True):
        assert unit <= sd * (1 + 1e-9) < 2.5 * unit
        assert float(f"{unit:.0e}") == pytest.approx(unit)  # one digit
        assert f"{unit:.0e}"[0] in "125"
    chosen = result.scorecard(units={"a": 0.1, 3: 50, "b": 2}, decimals=None)
    assert chosen.units[[0, 1, 3]].tolist() == [0.1, 2.0, 50.0]
    np.testing.assert_allclose(chosen.points, result.coef * chosen.units * 20 / math.log(2))
    np.testing.assert_allclose(chosen.score(frame), result.scorecard(decimals=None).score(frame), rtol=1e-9)
    sparse = ksparse.fit(frame, problem.y, 2)
    assert sparse.scorecard(units=dict.fromkeys(range(6), 7.0)).units.tolist() == [7.0, 7.0]


def test_counts_have_no_points_for_half_of_one():
    """A count of small spread; the same column measured has a step below 1."""
    rng = np.random.default_rng(3)
    calls = rng.poisson(0.4, 400).astype(float)
    y = calls + rng.logistic(size=400) > 0.5
    for column, unit in ((calls, 1.0), (calls + 0.25, 0.5)):
        assert ksparse.fit(column[:, None], y, 1).scorecard().units.tolist() == [unit]


@pytest.mark.parametrize(
    ("sd", "unit"),
    [
        (1.0, 1.0),
        (1.99, 1.0),
        (2.0, 2.0),
        (4.9, 2.0),
        (5.0, 5.0),
        (9.9, 5.0),
        (0.02, 0.02),
        (0.0, 1.0),
        (np.nextafter(1e3, 0), 1e3),
    ],
)
def test_round_steps(sd, unit):
    """The largest of 1, 2, 5 times a power of ten that fits; a constant has no spread to go by."""
    assert ksparse._results.scorecard._round_step(np.array([sd]))[0] == pytest.approx(unit)


def test_an_offset_is_no_part_of_the_score(problem):
    """But it is part of the probabilities that rounding changes, and the card says so."""
    offset = np.linspace(-2, 2, 300)
    result = ksparse.fit(problem.X, problem.y, 3, offset=offset)
    card = result.scorecard(decimals=None)
    eta = np.log(card.probability(card.score(problem.X)) / (1 - card.probability(card.score(problem.X))))
    np.testing.assert_allclose(eta, result.decision_function(problem.X), atol=1e-7)
    assert card.loss_after == pytest.approx(result.objective)
    assert any("offset" in note for note in card.notes)


def test_estimators_make_cards(problem):
    """On any rows of these classes, named; by class against the rest where there are more than two."""
    y = np.where(problem.y == 1, "bad", "good")
    fit = ksparse.fit(problem.X, y == "good", 3)
    for model in [KSparseClassifier(3), KSparseClassifierCV([3])]:
        card = model.fit(problem.X, y).scorecard(problem.X, y, points_to_double_odds=-10, base_odds=1)
        expected = fit.scorecard(points_to_double_odds=-10, base_odds=1)
        pd.testing.assert_frame_equal(card.to_frame(), expected.to_frame())
        assert "of class good; -10 points double them" in str(card)
        new = model.scorecard(problem.X[:100], y[:100], decimals=None)
        p = model.predict_proba(problem.X[:100])
        assert new.loss_before == pytest.approx(log_loss(y[:100], p))
        np.testing.assert_allclose(new.probability(new.score(problem.X[:100])), p[:, 1], rtol=1e-8)
    X, y = load_wine(return_X_y=True, as_frame=True)
    model = KSparseClassifier(2, ridge=1e-2, class_weight="balanced").fit(X, y)
    cards = model.scorecard(X, y, decimals=None)
    eta = np.column_stack([(card.score(X) - 600) * math.log(2) / 20 + math.log(50) for card in cards.values()])
    np.testing.assert_allclose(eta, model.decision_function(X), rtol=1e-7)
    assert all("weighted" in card.notes[-1] for card in cards.values())


def test_points_need_log_odds(problem):
    """The focal loss has none unless gamma is 0."""
    focal = ksparse.fit(problem.X, problem.y, 3, loss="focal")
    with pytest.raises(ValueError, match="focal loss with gamma=2 is not the log-odds"):
        focal.scorecard()
    weighted = ksparse.fit(problem.X, problem.y, 3, loss="focal", gamma=0.0, alpha=0.7)
    card = weighted.scorecard()
    assert card.loss_before == pytest.approx(weighted.objective)
    assert "Odds are those of the classes as they were weighted in the fit." in card.notes
    with pytest.raises(ValueError, match="does not refer to its data"):
        pickle.loads(pickle.dumps(weighted)).scorecard()


def test_it_reads_well(problem):
    """The scale, a line per feature with its step, a table; a model of no features has its base alone."""
    names = ["dose", "male", "age", "<weight>", "smoker", "income"]
    result = ksparse.fit(pd.DataFrame(problem.X, columns=names), problem.y, 6)
    card = result.scorecard()
    lines = str(card).splitlines()
    assert lines[0] == "600 points are odds of 50 to 1 of class 1; +20 points double them"
    cells = [line.split() for line in lines[2:9]]
    assert cells[0] == ["(base)", f"{card.base:.0f}"]
    assert cells[2] == ["male", f"{card.points[1]:+.0f}", "if", "1"]
    assert cells[3] == ["age", f"{card.points[2]:+.0f}", "1"]
    assert "&lt;weight&gt;" in card._repr_html_()
    frame = card.to_frame()
    assert frame.index.tolist() == ["(base)", *names]
    assert frame["points"].tolist() == [card.base, *card.points]
    assert frame["unit"].tolist()[1:] == card.units.tolist()
    empty = ksparse.fit(problem.X, problem.y, 0).scorecard()
    assert empty.score(problem.X[:2]).tolist() == [empty.base] * 2


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"points_to_double_odds": 0}, ValueError, "points_to_double_odds is 0; it must be finite and not 0"),
        ({"points_to_double_odds": math.nan}, ValueError, "points_to_double_odds is nan"),
        ({"base_points": math.inf}, ValueError, "base_points is inf; it must be finite"),
        ({"base_odds": 0.0}, ValueError, r"base_odds is 0\.0; it must be finite and > 0"),
        ({"decimals": -1}, ValueError, "decimals is -1; it must be >= 0"),
        ({"decimals": "0"}, TypeError, "decimals is '0'; it must be an integer"),
        ({"units": [1, 2]}, TypeError, r"units is \[1, 2\]; it must be a dict"),
        ({"units": {6: 1.0}}, ValueError, r"units\[0\] is 6; it must be at most 5"),
        ({"units": {"age": 1.0}}, ValueError, "X has no column names"),
        ({"units": {2: 0.0}}, ValueError, r"units\[2\] is 0\.0; it must be finite and > 0"),
    ],
)
def test_arguments_are_checked(arguments, error, message, problem):
    """The message names the argument, what it was and what it must be."""
    with pytest.raises(error, match=message):
        ksparse.fit(problem.X, problem.y, 2).scorecard(**arguments)

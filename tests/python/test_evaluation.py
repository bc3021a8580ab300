"""Evaluation of scores: numbers against scikit-learn, SciPy and plain counting."""

from __future__ import annotations

from itertools import pairwise

import ksparse
import numpy as np
import pandas as pd
import pytest
from ksparse import Binner, KSparseScorecard
from scipy.stats import ks_2samp
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score


def scores(n=400, seed=0, decimals=1):
    """Return labels and scores with many ties."""
    rng = np.random.default_rng(seed)
    y = rng.random(n) < 0.3
    return np.where(y, "bad", "good"), np.round(1 / (1 + np.exp(-(rng.standard_normal(n) + y))), decimals)


def test_metrics_are_those_of_scikit_learn_and_scipy():
    y, score = scores()
    event = y == "bad"
    found = ksparse.evaluate_scores((y, score), event="bad").metrics["sample"]
    assert found["ROC AUC"] == pytest.approx(roc_auc_score(event, score))
    assert found["Gini"] == pytest.approx(2 * found["ROC AUC"] - 1)
    assert found["KS"] == pytest.approx(ks_2samp(score[event], score[~event]).statistic)
    assert found["average precision"] == pytest.approx(average_precision_score(event, score))
    assert found["Brier score"] == pytest.approx(brier_score_loss(event, score))
    assert found["log loss"] == pytest.approx(log_loss(event, score))
    assert "log loss" not in ksparse.evaluate_scores((y, 10 * score), event="bad").metrics["sample"]


def test_bands_count_every_row_once():
    """By plain counting between the edges, also for a second sample with scores beyond those of the first."""
    y, score = scores(decimals=3)
    y2, score2 = scores(seed=1)
    evaluation = ksparse.evaluate_scores({"a": (y, score), "b": (y2, 2 * score2 - 0.5)}, event="bad", n_bands=5)
    ends = [np.inf, *evaluation.band_edges, -np.inf]
    for name, labels, values in (("a", y, score), ("b", y2, 2 * score2 - 0.5)):
        band = evaluation.bands()[name]
        for i, (high, low) in enumerate(pairwise(ends)):
            inside = (values >= low) & (values < high)
            assert band["rows"][i] == inside.sum()
            assert band["events"][i] == (inside & (labels == "bad")).sum()
            assert band["gain"][i] == pytest.approx(((values >= low) & (labels == "bad")).sum() / (labels == "bad").sum())
    np.testing.assert_allclose(evaluation.bands()["a"]["rows"], 80, atol=5)
    assert evaluation.bands_to_frame().shape == (5, 10)
    assert evaluation.to_frame().columns.tolist() == ["a", "b"]


def test_lift_of_the_top_tenth_without_ties():
    """It is the event rate of the tenth with the highest scores divided by that of all."""
    rng = np.random.default_rng(3)
    y, score = rng.random(1000) < 0.2, rng.standard_normal(1000)
    top = np.argsort(-score)[:100]
    found = ksparse.evaluate_scores((y, score)).metrics["sample"]["lift of the top 10 %"]
    assert found == pytest.approx(y[top].mean() / y.mean())


def test_the_order_of_tied_rows_does_not_matter():
    y, score = scores()
    order = np.random.default_rng(1).permutation(len(y))
    first, second = (ksparse.evaluate_scores(sample, event="bad") for sample in ((y, score), (y[order], score[order])))
    assert first.metrics["sample"] == pytest.approx(second.metrics["sample"])
    assert repr(first) == repr(second)


def test_a_weight_is_a_repeated_row():
    y, score = scores()
    weight = np.random.default_rng(2).integers(0, 3, len(y))
    weighted = ksparse.evaluate_scores((y, score, weight), event="bad", n_bands=4)
    repeated = ksparse.evaluate_scores((np.repeat(y, weight), np.repeat(score, weight)), event="bad", n_bands=4)
    for name in ("event rate", "ROC AUC", "KS", "average precision", "lift of the top 10 %", "log loss"):
        assert weighted.metrics["sample"][name] == pytest.approx(repeated.metrics["sample"][name])
    np.testing.assert_array_equal(weighted.band_edges, repeated.band_edges)
    np.testing.assert_allclose(weighted.bands()["sample"]["rows"], repeated.bands()["sample"]["rows"])


@pytest.mark.parametrize("costs", [(1, 1), (1, 10), (10, 1), (1, 1e6), (1e6, 1)])
def test_threshold_is_the_cheapest(costs):
    """Of all thresholds, none included; costs are counted row by row."""
    y, score = scores()
    threshold = ksparse.evaluate_scores((y, score), event="bad").threshold(*costs)

    def cost(t):
        return costs[0] * ((score >= t) & (y == "good")).sum() + costs[1] * ((score < t) & (y == "bad")).sum()

    assert cost(threshold) == min(cost(t) for t in [*np.unique(score), np.inf])


def test_a_card_is_evaluated_on_train_and_test():
    rng = np.random.default_rng(4)
    table = pd.DataFrame({"x": rng.standard_normal(900), "z": rng.choice(["a", "b"], 900)})
    y = np.where(table["x"] + rng.logistic(size=900) > 0, "bad", "good")
    card = KSparseScorecard(binner=Binner(n_bins=4), event="bad").fit(table[:600], y[:600])
    both = card.evaluate(table[:600], y[:600], X_test=table[600:], y_test=y[600:])
    assert list(both.samples) == ["train", "test"]
    expected = roc_auc_score(y[600:] == "bad", card.predict_proba(table[600:])[:, 0])
    assert both.metrics["test"]["ROC AUC"] == pytest.approx(expected)
    assert "Scores for class 'bad'" in str(both)
    assert both._repr_html_().count("<table") == 2


def test_displays_draw_what_the_evaluation_holds():
    y, score = scores()
    evaluation = ksparse.evaluate_scores({"train": (y, score), "te$t": (y[:200], score[:200])}, event="bad", n_bands=4)
    display = ksparse.ScorecardDisplay.from_evaluation(evaluation)
    roc = display.axes_[0].lines[0]
    np.testing.assert_array_equal(roc.get_xydata()[:, 1], evaluation.samples["train"].roc()[1])
    heights = [bar.get_height() for bar in display.axes_[3].patches[:4]]
    np.testing.assert_allclose(heights, 100 * evaluation.bands()["train"]["event_rate"])
    lift = ksparse.LiftDisplay.from_evaluation(evaluation)
    rows, gained = evaluation.samples["te$t"].gains()
    np.testing.assert_allclose(lift.axes_[1].lines[1].get_ydata(), (gained / np.where(rows > 0, rows, 1))[rows > 0])
    for figure in (display.figure_, lift.figure_):
        figure.canvas.draw()
    with pytest.raises(ValueError, match="panels has 'rock'"):
        ksparse.ScorecardDisplay.from_evaluation(evaluation, panels="rock")


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (([0, 1, 0], [0.1, 0.2]), "both must be vectors of the same length"),
        (([0, 1], [[0.1, 0.9], [0.2, 0.8]]), "pass that of the event"),
        (([0, 0], [0.1, 0.2]), "there must be two"),
        (([0, 1], [0.1, np.nan]), "nan at 1"),
        (([0, 1], [0.1, 0.2], [1, -1]), "sample_weight"),
        ({}, "samples is empty"),
    ],
)
def test_what_is_wrong_is_named(samples, message):
    with pytest.raises(ValueError, match=message):
        ksparse.evaluate_scores(samples)


@pytest.mark.parametrize("score", [["a", "b", "c", "d"], np.array(["2020-01-01"] * 4, dtype="M8[D]"), [0.1, "0.2", 0.3, 0.4]])
def test_scores_that_are_no_numbers_are_named(score):
    with pytest.raises(TypeError, match=r"the scores of samples\['test'\] has dtype .*it must be real numbers"):
        ksparse.evaluate_scores({"test": ([0, 1, 0, 1], score)})

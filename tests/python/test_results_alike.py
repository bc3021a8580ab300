"""Results are shown alike: names of unnamed columns, HTML in notebooks, coefficients per standard deviation, links to the documentation."""

from __future__ import annotations

import pickle
from html.parser import HTMLParser

import ksparse
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from ksparse import _estimators
from ksparse._estimators import doc_link
from scipy.sparse import csr_array

mpl.use("Agg")

RNG = np.random.default_rng(5)
X = RNG.standard_normal((200, 12)) * np.geomspace(0.01, 100, 12) + 3
SCALED = (X - 3) / np.geomspace(0.01, 100, 12)
Y = (SCALED[:, 2] - SCALED[:, 10] + RNG.logistic(size=200) > 0).astype(int)
WEIGHTS = RNG.integers(0, 3, 200).astype(float)


def results_of(design):
    """Return a result of every kind."""
    fit = ksparse.fit(design, Y, 2, ridge=1e-4, certify=True)
    return {
        "fit": fit,
        "alternatives": fit.alternatives(),
        "proof": fit.proof,
        "summary": fit.summary(),
        "scorecard": fit.scorecard(),
        "path": ksparse.fit_path(design, Y, range(4)),
        "batch": ksparse.fit_many(design, np.column_stack([Y, 1 - Y]), 2),
        "stability": ksparse.stability_selection(design, Y, 2, rounds=10),
        "near_optimal": ksparse.near_optimal(design, Y, 2, ridge=1e-2, within=0.02),
        "evaluation": ksparse.evaluate_scores((Y, fit.predict_proba(design))),
        "check_loss": ksparse.check_loss(ksparse.losses.Logistic()),
    }


UNNAMED = results_of(X)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


class Text(HTMLParser):
    """Collects the text of HTML, and checks that tags are closed in order."""

    def __init__(self, html):
        super().__init__()
        self.open, self.parts = [], []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):  # noqa: D102
        self.open.append(tag)

    def handle_endtag(self, tag):  # noqa: D102
        assert self.open.pop() == tag

    def handle_data(self, data):  # noqa: D102
        self.parts.append(data)


@pytest.mark.parametrize("kind", UNNAMED)
def test_every_result_is_html_in_a_notebook(kind):
    """With the words that its text has."""
    result = UNNAMED[kind]
    seen = " ".join(Text(result._repr_html_()).parts)
    assert set(str(result).replace("...", " ").split()) <= set(seen.replace("...", " ").split())


def test_names_of_columns_are_escaped():
    frame = pd.DataFrame(X, columns=[f"<b>{j}&" for j in range(12)])
    for kind, result in results_of(frame).items():
        html = result._repr_html_()
        assert "<b>" not in html
        if kind not in ("proof", "evaluation", "check_loss", "path"):
            assert "&lt;b&gt;2&amp;" in html


@pytest.mark.parametrize("kind", ["fit", "alternatives", "summary", "scorecard", "batch", "stability", "near_optimal"])
def test_unnamed_columns_are_x0_and_so_on_in_every_result(kind):
    """As scikit-learn, formulas, SQL and plots name them."""
    words = str(UNNAMED[kind]).replace(",", " ").replace(".", " ").split()
    assert {"x2", "x10"} <= set(words)
    assert not {"2:", "10:"} & set(words)


def test_coefficients_are_drawn_per_standard_deviation():
    """So that they are comparable: here the units differ by 1e4, and the effects are alike."""
    counted = WEIGHTS > 0
    for design, weights in ((X, None), (csr_array(X), None), (X, WEIGHTS), (X.astype(np.float32), None)):
        fit = ksparse.fit(design, Y, 2, sample_weight=weights)
        rows = np.repeat(X, WEIGHTS.astype(int), axis=0) if weights is not None else X
        expected = fit.coef * rows.std(axis=0)
        model = ksparse.KSparseClassifier(2).fit(design, Y, weights)
        displays = [
            ksparse.CoefficientDisplay.from_result(fit),
            ksparse.CoefficientDisplay.from_result(fit.on_support()),
            ksparse.CoefficientDisplay.from_estimator(model),
            ksparse.CoefficientDisplay.from_result(pickle.loads(pickle.dumps(model.result_))),
        ]
        for display in displays:
            assert display.ax_.get_xlabel() == "coefficient per standard deviation"
            np.testing.assert_allclose(np.sort(display.coefs), np.sort(expected[fit.support]), rtol=1e-5)
    assert counted.any()
    raw = ksparse.CoefficientDisplay.from_result(fit, scale=None)
    assert raw.ax_.get_xlabel() == "coefficient"
    np.testing.assert_allclose(np.sort(raw.coefs), np.sort(fit.coef[fit.support]))
    unknown = ksparse.CoefficientDisplay.from_result(pickle.loads(pickle.dumps(fit)))  # it has no data any more
    assert unknown.ax_.get_xlabel() == "coefficient"
    with pytest.raises(ValueError, match="scale is 'iqr'; it must be 'sd'"):
        ksparse.CoefficientDisplay.from_result(fit, scale="iqr")


def test_intervals_are_scaled_with_the_coefficients():
    fit = ksparse.fit(X, Y, 2)
    summary = fit.summary()
    ends = np.column_stack([summary.lower, summary.upper])[:-1]
    display = ksparse.CoefficientDisplay.from_result(fit, intervals=ends)
    order = np.argsort(-np.abs(summary.coef_per_sd[:-1]))
    np.testing.assert_allclose(display.intervals, (ends * X.std(axis=0)[fit.support, None])[order])


def test_a_path_is_drawn_per_standard_deviation():
    path = ksparse.fit_path(X, Y, range(1, 4))
    model = ksparse.KSparseClassifier("bic", k_max=3).fit(X, Y)
    for display, drawn in ((path.plot(), path), (ksparse.PathDisplay.from_estimator(model), model.path_)):
        assert display.axes_[0].get_ylabel() == "coefficient per standard deviation"
        used = np.flatnonzero(np.any(drawn.coefs != 0, axis=0))
        np.testing.assert_allclose(display.coefs, (drawn.coefs * X.std(axis=0))[:, used])
    assert pickle.loads(pickle.dumps(path)).plot().axes_[0].get_ylabel() == "coefficient"


ESTIMATORS = [
    ksparse.KSparseClassifier,
    ksparse.KSparseClassifierCV,
    ksparse.KSparseMultiLabelClassifier,
    ksparse.KSparseRegressor,
    ksparse.KSparseRegressorCV,
    ksparse.KSparseSelector,
    ksparse.KSparseScorecard,
    ksparse.Binner,
]


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_the_question_mark_leads_to_the_page_of_the_estimator(kind, monkeypatch):
    """At the address that the package names as its documentation; without one there is no link."""
    assert _estimators.__name__ == "ksparse._estimators"
    monkeypatch.setattr(doc_link, "documentation_address", lambda: "https://docs.example/ksparse")
    page = f"https://docs.example/ksparse/generated/ksparse.{kind.__name__}.html"
    assert kind()._get_doc_link() == page
    assert page in kind()._repr_html_()
    monkeypatch.setattr(doc_link, "documentation_address", lambda: "")
    assert kind()._get_doc_link() == ""


def test_a_batch_predicts_from_frames_with_the_chosen_columns_only():
    frame = pd.DataFrame(X, columns=[f"c{j}" for j in range(12)])
    batch = ksparse.fit_many(frame, np.column_stack([Y, SCALED[:, 4] > 0.3 * SCALED[:, 7]]), 2, ridge=1e-3)
    used = [f"c{j}" for j in np.unique(batch.coefs.indices)]
    some = frame[[*used[::-1]]].assign(other=1.0)
    for method in (batch.decision_function, batch.predict, batch.predict_proba):
        np.testing.assert_allclose(method(some), method(frame), rtol=1e-12)
    with pytest.raises(ValueError, match=f"no column of the name '{used[0]}'"):
        batch.predict(some.drop(columns=used[0]))
    with pytest.raises(ValueError, match="column 0 of X is 'c11' but was 'c0' in the fit"):
        batch.predict(frame.iloc[:, ::-1])

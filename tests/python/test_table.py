"""Results as tables: what a terminal shows and what a notebook shows are the same cells, and names cannot break out."""

from html.parser import HTMLParser

import ksparse
import numpy as np
import pandas as pd
import pytest
from ksparse import KSparseClassifier, KSparseClassifierCV
from reference import random_problem

NAMES = ["<b>age</b>", "dose & time", 'a "quoted" one', "height", "pulse", "sugar"]


class Cells(HTMLParser):
    """The tags that occur, and the text of each cell by row."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.rows, self.inside = set(), [], False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        """Begin a row or a cell."""
        self.tags.add(tag)
        self.inside = tag in ("td", "th")
        if tag == "tr":
            self.rows.append([])
        elif self.inside:
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        """End a cell."""
        self.inside = False

    def handle_data(self, data):
        """Add to a cell; a parser may give its text in parts."""
        if self.inside:
            self.rows[-1][-1] += data


@pytest.fixture
def frame():
    problem = random_problem(1, n=100, p=6)
    return pd.DataFrame(problem.X, columns=NAMES), problem.y


def test_cells_of_a_notebook_are_those_of_a_terminal(frame):
    """Names in HTML are text and no markup; every cell of the HTML is in the printed line of its row, in order."""
    X, y = frame
    Y = pd.DataFrame({"<i>": y, "b": 1 - y})
    results = [
        ksparse.fit(X, y, 3, ridge=1e-2),
        ksparse.fit_path(X, y, [1, 3], ridge=1e-2),
        ksparse.fit_many(X, Y, 2, ridge=1e-2),
    ]
    for result in results:
        cells = Cells(result._repr_html_())
        assert cells.tags == {"div", "p", "table", "thead", "tbody", "tr", "th", "td"}
        lines = str(result).splitlines()[1 : 1 + len(cells.rows)]
        assert [" ".join(line.split()) for line in lines] == [" ".join(row) for row in cells.rows]
    fit = Cells(results[0]._repr_html_())
    assert [row[0] for row in fit.rows[1:]] == [*np.array(NAMES)[results[0].support], "(intercept)"]
    assert [row[0] for row in Cells(results[2]._repr_html_()).rows] == ["problem", "<i>", "b"]


def test_a_batch_shows_its_first_problems(frame):
    """Ten lines and a sign that there are more."""
    X, y = frame
    batch = ksparse.fit_many(X.to_numpy(), np.tile(y[:, None], 12), 1)
    assert str(batch) == repr(batch)
    assert len(str(batch).splitlines()) == 1 + 1 + 10 + 1
    assert str(batch).endswith("...")


def test_a_status_comes_with_its_advice(frame):
    """Under the table, also in HTML."""
    X, _ = frame
    with pytest.warns(ksparse.ConvergenceWarning):
        result = ksparse.fit(X, X["height"] > 0, 1)
    assert result.status == "separable"
    assert result.advice in " ".join(str(result).split())  # folded
    assert result.advice in result._repr_html_()


@pytest.mark.parametrize("estimator", [KSparseClassifier(k=3), KSparseClassifierCV([1, 2])])
def test_estimators_keep_scikit_learns_html(estimator, frame):
    """Its diagram, before the fit and after."""
    assert type(estimator).__name__ in estimator._repr_html_()
    assert "sk-estimator" in estimator._repr_html_()
    assert "Fitted" in estimator.fit(*frame)._repr_html_()

"""A finished card: points for the bins of a few variables, what their sum means, and the same in SQL and in Python."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._checks import check_choice
from .._optional import require
from .._results.export import focal_probability
from .._results.fit import probability_by
from .._results.table import Table, Tabular
from ..losses import Loss
from .bins import Bins, NumberBins, text_of
from .columns import Column

__all__ = ["Card", "CardVariable"]

Vector = NDArray[np.float64]

OUTPUTS = ("probability", "points", "linear_predictor")


@dataclass(frozen=True)
class CardVariable:
    """A variable of the card."""

    bins: Bins
    points: tuple[float, ...]  # of each bin
    unknown: float  # of a row that falls in no bin
    weight: tuple[float, ...]  # of the rows of each bin
    events: tuple[float, ...]  # weight of those of the event

    def rows(self) -> list[tuple[str, float, float, float]]:
        """Return label, points, weight and events; neighbouring intervals with the same points are one."""
        labels = self.bins.labels()
        if not isinstance(self.bins, NumberBins):
            return list(zip(labels, self.points, self.weight, self.events, strict=True))
        ends = [-1, *(i for i in range(len(self.bins.cuts)) if self.points[i] != self.points[i + 1]), self.bins.n_ordered - 1]
        merged = NumberBins(self.bins.name, tuple(self.bins.cuts[i] for i in ends[1:-1]), self.bins.has_missing)
        rows = []
        spans = [slice(low + 1, high + 1) for low, high in pairwise(ends)]
        spans += [slice(self.bins.n_ordered, self.bins.n_ordered + 1)] * self.bins.has_missing
        for label, span in zip(merged.labels(), spans, strict=True):
            rows.append((label, self.points[span.start], sum(self.weight[span]), sum(self.events[span])))
        return rows


@dataclass(frozen=True, eq=False, repr=False)
class Card(Tabular):
    """Points for the bins of a few variables, as :class:`ksparse.KSparseScorecard` makes them.

    The points of a row are ``base`` plus those of its bin of each variable; the linear predictor of the event is
    ``intercept + slope * points``.

    Attributes
    ----------
    variables : list
        Variables of the card.
    base, intercept, slope : float
        What the sum of points begins with, and how it maps to the linear predictor, which is the log odds for the logistic loss.
    event, other : object
        The class whose odds or probability the points are of, and the other class.
    title : str
        The lines above the table.
    notes : tuple of str
        What must be known, printed below the table.
    """

    variables: list[CardVariable]
    base: float
    intercept: float
    slope: float
    event: Any
    other: Any
    loss: Loss
    title: str
    notes: tuple[str, ...]

    def points_of(self, columns: Sequence[Column]) -> Vector:
        """Return the points of each row for each variable, given the columns of the variables."""
        points = [
            np.array([*variable.points, variable.unknown])[variable.bins.codes(column)]
            for variable, column in zip(self.variables, columns, strict=True)
        ]
        return np.column_stack(points) if points else np.empty((0, 0))

    def linear_predictor(self, total: Vector) -> Vector:
        """Return the linear predictor of the event for sums of points."""
        return np.asarray(self.intercept + self.slope * total)

    def probability(self, total: Vector) -> Vector:
        """Return the probability of the event for sums of points; of the focal loss with the focusing undone."""
        return probability_by(self.loss, self.loss.log_odds(self.linear_predictor(total)))

    def to_frame(self) -> Any:
        """Table with a row for each bin.

        Returns
        -------
        pandas.DataFrame
            Columns ``variable``, ``bin``, ``points``, ``share`` of the rows and ``event_rate``; the first row is the base.

        Raises
        ------
        ModuleNotFoundError
            If pandas is not installed.
        """
        pandas = require("pandas", "to_frame()", "pandas")
        lines = [("(base)", "", self.base, np.nan, np.nan)]
        for variable in self.variables:
            whole = sum(variable.weight)
            lines += [
                (variable.bins.name, label, points, weight / whole, events / weight if weight else np.nan)
                for label, points, weight, events in variable.rows()
            ]
        return pandas.DataFrame(lines, columns=["variable", "bin", "points", "share", "event_rate"])

    def to_sql(self, output: str = "probability") -> str:
        """Write the card as an expression of SQL on the columns of the raw table.

        Parameters
        ----------
        output : {"probability", "points", "linear_predictor"}, default="probability"
            What to compute, of the event, which a comment names.

        Returns
        -------
        str
            An expression of standard SQL. NULL falls in the bin of missing values; where the fit saw none it counts, as a new level does, as
            the most frequent bin. A ``CASE`` on a column of text needs no other handling.

        Raises
        ------
        ValueError
            If ``output`` is not what it must be.
        """
        kind = check_choice(output, "output", OUTPUTS)
        quoted = ['"' + variable.bins.name.replace('"', '""') + '"' for variable in self.variables]
        cases = [
            variable.bins.sql(column, [_number(value) for value in variable.points], _number(variable.unknown))
            for variable, column in zip(self.variables, quoted, strict=True)
        ]
        text = self._expression(" + ".join([_number(self.base), *cases]), kind, "EXP({})", "LN(1 + {})")
        return f"/* {self._meaning(kind).replace('*/', '* /')} */ {text}"

    def to_python(self, output: str = "probability") -> str:
        """Write the card as an expression of Python, of ``row``, a mapping by the names of the columns, and of the module ``math``.

        Parameters
        ----------
        output : {"probability", "points", "linear_predictor"}, default="probability"
            What to compute, of the event, which a comment names.

        Returns
        -------
        str
            An expression, which needs neither ksparse nor NumPy. None and NaN fall in the bin of missing values, as NULL does in SQL.

        Raises
        ------
        ValueError
            If ``output`` is not what it must be.
        """
        kind = check_choice(output, "output", OUTPUTS)
        cases = [
            variable.bins.python(
                f"row[{variable.bins.name!r}]", [_number(value) for value in variable.points], _number(variable.unknown)
            )
            for variable in self.variables
        ]
        text = self._expression(" + ".join([_number(self.base), *cases]), kind, "math.exp({})", "math.log1p({})")
        return f"(  # {' '.join(self._meaning(kind).split())}\n{text})"

    def _expression(self, points: str, kind: str, exp: str, log1p: str) -> str:
        if kind == "points":
            return points
        eta = f"{self.intercept!r} + {self.slope!r} * ({points})"
        if kind == "linear_predictor":
            return eta
        gamma = getattr(self.loss, "gamma", 0.0)
        # No guard against overflow is needed: of points there are finitely many, and far fewer than exp could not answer.
        return focal_probability(gamma, f"({eta})", exp, log1p) if gamma else f"1 / (1 + {exp.format(f'-({eta})')})"

    def _meaning(self, kind: str) -> str:
        what = "log odds" if self.loss.is_log_odds else "linear predictor"
        of = {"probability": "probability", "points": "points", "linear_predictor": what}[kind]
        if kind == "points":
            return f"points; {'more' if self.slope > 0 else 'fewer'} points make class {self.event!r} likelier"
        return f"{of} of class {self.event!r} against class {self.other!r}"

    def _table(self) -> Table:
        rows = [("(base)", "", f"{self.base:.10g}", "", "")]
        for variable in self.variables:
            whole = sum(variable.weight)
            for i, (label, points, weight, events) in enumerate(variable.rows()):
                rate = f"{100 * events / weight:.3g} %" if weight else ""
                name = variable.bins.name if i == 0 else ""
                rows.append((name, label, f"{points:+.10g}", f"{100 * weight / whole:.1f} %", rate))
        return Table(self.title, ("variable", "bin", "points", "rows", "event rate"), rows, self.notes, ("bin",))


def _number(value: float) -> str:
    text = text_of(value)
    return f"({text})" if value < 0 else text

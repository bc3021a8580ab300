"""A finished card: the points of the bins of a few variables, the meaning of their sum, and exports to SQL and Python."""

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
    points: tuple[float, ...]  # the points of each bin
    unknown: float  # the points of a row that belongs to no bin
    weight: tuple[float, ...]  # the weight of the rows of each bin
    events: tuple[float, ...]  # the weight of the rows of the event in each bin

    def rows(self) -> list[tuple[str, float, float, float]]:
        """Return (label, points, weight, events) of each bin; neighbouring intervals with the same points are merged."""
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
    """Points for the bins of a few variables, made by :class:`ksparse.KSparseScorecard`.

    The points of a row are ``base`` plus the points of its bins. The linear predictor of the event is ``intercept + slope *
    points``.

    Attributes
    ----------
    variables : list
        Variables of the card.
    base : float
        Points of every row, to which those of its bins are added.
    intercept, slope : float
        How points map to the linear predictor, which is the log odds for the logistic loss.
    event, other : object
        The class whose odds or probability the points describe, and the other class.
    title : str
        The lines above the table.
    notes : tuple of str
        The notes below the table.
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
        """Return the points (n_samples, n_variables) of rows, whose columns are those of the variables."""
        points = [
            np.array([*variable.points, variable.unknown])[variable.bins.codes(column)]
            for variable, column in zip(self.variables, columns, strict=True)
        ]
        return np.column_stack(points) if points else np.empty((0, 0))

    def linear_predictor(self, total: Vector) -> Vector:
        """Return the linear predictor of the event for sums of points."""
        return np.asarray(self.intercept + self.slope * total)

    def probability(self, total: Vector) -> Vector:
        """Return the probability of the event for sums of points. For the focal loss, it is the calibrated probability."""
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
        """Write the card as an SQL expression on the columns of the raw table.

        Parameters
        ----------
        output : {"probability", "points", "linear_predictor"}, default="probability"
            What the expression computes. A comment in it names the event.

        Returns
        -------
        str
            An expression in standard SQL. NULL belongs to the bin of missing values. If the fit saw no missing values in a
            column, NULL has the points of the most frequent bin, and so has a new level.

        Raises
        ------
        ValueError
            If ``output`` is invalid.
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
        """Write the card as a Python expression on a row of the raw table.

        Parameters
        ----------
        output : {"probability", "points", "linear_predictor"}, default="probability"
            What the expression computes. A comment in it names the event.

        Returns
        -------
        str
            An expression of ``row``, a mapping from column names to values, and of the module ``math``. It needs neither
            ksparse nor NumPy. None and NaN are treated like NULL in :meth:`to_sql`.

        Raises
        ------
        ValueError
            If ``output`` is invalid.
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
        # A guard against overflow is not needed, because sums of points are far from the range in which exp overflows.
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

"""Scorecards: points that add up to a score, in which a fixed number of points doubles the odds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._checks import check_integer, check_real
from .._input.frames import column_names, is_frame
from .._input.request import Request
from .._input.validation import check_features, check_names, linear_predictor, names_of
from .._model import Model
from .._optional import require
from .._quiet import quiet
from .fit_data import FitData, Vector
from .stored import Array, Each, Rules, Stored, Value
from .table import Table, Tabular

__all__ = ["Scorecard", "make_scorecard"]


@dataclass(frozen=True, eq=False, repr=False)
class Scorecard(Stored, Tabular):
    """Result of :meth:`ksparse.FitResult.scorecard`: points for each chosen feature.

    The score of a row is ``base`` plus the sum over the features of their values, divided by ``units`` and multiplied by
    ``points``.

    Attributes
    ----------
    names : ndarray of str, shape (n_chosen,)
        Names of the chosen features, ``x0``, ``x1``, ... if they have none.
    features : ndarray of int64, shape (n_chosen,)
        Indices of the features.
    units : ndarray of shape (n_chosen,)
        Step of each feature for which the points are given.
    binary : ndarray of bool, shape (n_chosen,)
        Which features are 0 or 1 in every row, so that the points are given if they are 1.
    points : ndarray of shape (n_chosen,)
        Points for a step.
    base : float
        Points of a row of zeros.
    exact_points : ndarray of shape (n_chosen,)
        Points before rounding.
    points_to_double_odds, base_points, base_odds : float
        The scale.
    loss_before, loss_after : float
        Average loss on the rows before and after rounding.
    largest_change : float
        The largest change of the probability of a row by rounding.
    n_features : int
        Number of columns of X.
    title : str
        The title above the table.
    notes : tuple of str
        Notes below the table, e.g. about the effect of rounding.
    """

    names: NDArray[np.object_]
    features: NDArray[np.int64]
    units: Vector
    binary: NDArray[np.bool_]
    points: Vector
    base: float
    exact_points: Vector
    points_to_double_odds: float
    base_points: float
    base_odds: float
    loss_before: float
    loss_after: float
    largest_change: float
    n_features: int
    title: str
    notes: tuple[str, ...]

    _RULES: ClassVar[Rules] = {
        "names": Array("O", "s"),
        "n_features": Value((int, np.integer), low=0, size="p"),
        "features": Array("i", "s", below="p"),
        "binary": Array("b", "s"),
        **dict.fromkeys(("units", "points", "exact_points"), Array("f", "s")),
        **dict.fromkeys(("base", "points_to_double_odds", "base_points", "base_odds"), Value((float, np.floating))),
        **dict.fromkeys(("loss_before", "loss_after", "largest_change"), Value((float, np.floating))),
        "title": Value((str,)),
        "notes": Each(Value((str,)), "n"),
    }

    @quiet
    def score(self, X: ArrayLike) -> Vector:
        """Compute the scores of rows.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows, with the columns of the fit.

        Returns
        -------
        ndarray of shape (n_samples,)
            ``base + (X[:, features] / units) @ points``, which is not rounded.

        Raises
        ------
        ValueError
            If X has another number of columns than the fit, or is a data frame in which the features have other names. A data frame
            with another number of columns needs only the features of the card, which are found by name.
        """
        named = self.names.tolist() != names_of(self.features, None)
        if not named or not is_frame(X) or len(column_names(X)) == self.n_features:
            check_names(X, self.names if named else None, self.features)
        names = self.names if named else None
        return linear_predictor(X, self.features, self.points / self.units, self.n_features, names) + self.base

    @quiet
    def probability(self, score: ArrayLike) -> Vector:
        """Convert scores to probabilities of class 1.

        Parameters
        ----------
        score : array-like of float
            Scores.

        Returns
        -------
        ndarray
            Probabilities, with the shape of ``score``.
        """
        scale = _Scale(self.points_to_double_odds, self.base_points, self.base_odds)
        return _sigmoid(scale.log_odds(score))

    def to_frame(self) -> Any:
        """Return a data frame with the base points and one row for each chosen feature.

        Returns
        -------
        pandas.DataFrame
            A data frame indexed by name, where the first row is ``(base)``. Its columns are ``points``, ``unit`` (NaN for the
            base), ``binary`` and ``exact_points`` (NaN for the base).

        Raises
        ------
        ModuleNotFoundError
            If pandas is not installed.
        """
        pandas = require("pandas", "to_frame()", "pandas")
        return pandas.DataFrame(
            {
                "points": np.append(self.base, self.points),
                "unit": np.append(np.nan, self.units),
                "binary": np.append(False, self.binary),
                "exact_points": np.append(np.nan, self.exact_points),
            },
            index=pandas.Index(["(base)", *self.names], name="feature"),
        )

    def _table(self) -> Table:
        per = ["if 1" if binary else f"{unit:g}" for binary, unit in zip(self.binary, self.units, strict=True)]
        points = [f"{value:+.10g}" for value in self.points]
        rows = [("(base)", f"{self.base:.10g}", ""), *zip(self.names.tolist(), points, per, strict=True)]
        return Table(self.title, ("feature", "points", "per"), rows, self.notes)


@dataclass(frozen=True)
class _Scale:
    """How scores and log-odds correspond: the names are those of the arguments of :meth:`ksparse.FitResult.scorecard`."""

    points_to_double_odds: float
    base_points: float
    base_odds: float

    @classmethod
    def checked(cls, points_to_double_odds: Any, base_points: Any, base_odds: Any) -> _Scale:
        doubling = check_real(points_to_double_odds, "points_to_double_odds", "finite and not 0", -math.inf)
        if doubling == 0:
            raise ValueError("points_to_double_odds is 0; it must be finite and not 0")
        points = check_real(base_points, "base_points", "finite", -math.inf)
        return cls(doubling, points, check_real(base_odds, "base_odds", "finite and > 0", 0.0, open_low=True))

    @property
    def points_per_unit(self) -> float:
        """Points for a unit of log-odds."""
        return self.points_to_double_odds / math.log(2)

    def describe(self, outcome: str) -> str:
        points, doubling = f"{self.base_points:g} points", f"{self.points_to_double_odds:+g} points"
        return f"{points} are odds of {self.base_odds:g} to 1 of class {outcome}; {doubling} double them"

    def score(self, log_odds: float) -> float:
        return self.base_points + (log_odds - math.log(self.base_odds)) * self.points_per_unit

    def log_odds(self, score: ArrayLike) -> Vector:
        return (np.asarray(score, dtype=np.float64) - self.base_points) / self.points_per_unit + math.log(self.base_odds)


@quiet
def make_scorecard(
    result: Model,
    request: Request,
    *,
    points_to_double_odds: Any,
    base_points: Any,
    base_odds: Any,
    units: Any,
    decimals: Any,
    outcome: str = "1",
    class_weighted: bool = False,
) -> Scorecard:
    """Make the scorecard; ``outcome`` is the name of class 1.

    If the linear predictor is the log-odds, score = base_points + (eta - log base_odds) * points_to_double_odds / log 2 [1]_.

    References
    ----------
    .. [1] Siddiqi, "Credit risk scorecards", Wiley 2006, chapter 6.
    """
    if not result._loss.is_log_odds:
        raise ValueError(
            f"the linear predictor of {result._loss._described} is not the log-odds, so no number of points doubles "
            "the odds; fit with loss='logistic'"
        )
    scale = _Scale.checked(points_to_double_odds, base_points, base_odds)
    places = None if decimals is None else check_integer(decimals, "decimals", 0, 15)
    rows, coef = FitData.of(request, result), result.coef[result.support]
    mean, sd = rows.moments()
    binary = np.asarray(np.isin(rows.columns, (0.0, 1.0)).all(axis=0))
    steps = _steps(rows, sd, binary)
    for j, step in _check_units(units, request).items():
        steps[result.support == j] = step
    exact, base = coef * steps * scale.points_per_unit, scale.score(result.intercept)
    points = exact
    if places is not None:
        # The base compensates for the effect of rounding on the score of the average row, so only deviations from it are affected.
        points = np.round(exact, places)
        base = round(base + float((exact - points) @ (mean / steps)), places)
    eta = rows.eta(coef, result.intercept)
    rounded = scale.log_odds(base + rows.columns @ (points / steps)) + rows.offset
    before, after = rows.mean_loss(eta), rows.mean_loss(rounded)
    change = float(np.max(np.abs(_sigmoid(rounded) - _sigmoid(eta))))
    rounding = (
        f"Rounding takes the average loss on {len(rows.labels)} rows from {before:.6g} to {after:.6g}, and changes no probability by more "
        f"than {change:.2g}."
    )
    notes = {
        result._caution: bool(result._caution),
        rounding: places is not None,
        "Odds are those of the classes as they were weighted in the fit.": class_weighted or result.alpha != 0.5,
        "The offset of the fit comes on top, and is no part of the score.": request.offset is not None,
    }
    return Scorecard(
        names=np.array(names_of(result.support, result.feature_names), dtype=object),
        features=result.support,
        units=steps,
        binary=binary,
        points=points,
        base=base,
        exact_points=exact,
        **vars(scale),
        loss_before=before,
        loss_after=after,
        largest_change=change,
        n_features=len(result.coef),
        title=scale.describe(outcome),
        notes=tuple(note for note, applies in notes.items() if applies),
    )


def _steps(rows: FitData, sd: Vector, binary: NDArray[np.bool_]) -> Vector:
    """Return a round step for each feature, which is at least 1 where all values are whole numbers: there is no half of a count."""
    whole = (rows.columns == np.floor(rows.columns)).all(axis=0)
    return np.where(binary, 1.0, np.maximum(_round_step(sd), np.where(whole, 1.0, 0.0)))


def _sigmoid(eta: Vector) -> Vector:
    from scipy.special import expit  # imported here because SciPy takes longer to import than ksparse

    return np.asarray(expit(eta))


def _round_step(sd: Vector) -> Vector:
    """Return the largest of 1, 2 and 5 times a power of ten that does not exceed a standard deviation; 1 for a constant."""
    safe = np.where(sd > 0, sd, 1.0)
    power = 10.0 ** np.floor(np.log10(safe))
    multiples = np.array([5.0, 2.0, 1.0])
    steps = power * multiples[np.argmax(multiples <= (safe / power)[:, None] * (1 + 1e-12), axis=1)]
    return np.array(
        [float(f"{step:.0e}") for step in steps], dtype=np.float64
    )  # powers of ten in NumPy are not exactly rounded


def _check_units(units: Any, request: Request) -> dict[int, float]:
    """Return the steps that the user has set, by feature."""
    if units is None:
        return {}
    if not isinstance(units, dict):
        raise TypeError(f"units is {units!r}; it must be a dict from features, by name or number, to their steps, or None")
    features = check_features(list(units), "units", request.design.shape[1], request.names)
    return {
        j: check_real(step, f"units[{key!r}]", "finite and > 0", 0.0, open_low=True)
        for j, (key, step) in zip(features, units.items(), strict=True)
    }

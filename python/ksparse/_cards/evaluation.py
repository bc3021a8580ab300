"""How well scores tell two classes apart: KS, Gini, lift and gains in a table, by score band, for several samples side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    log_loss,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

from .._checks import check_integer, check_real
from .._estimators.input import scoring_weights, targets_of
from .._optional import require
from .._results.table import Table, Tabular

__all__ = ["Evaluation", "Sample", "evaluate_scores"]

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """Rows with labels and scores, larger where the event is likelier."""

    event: NDArray[np.int64]  # 1 for rows of the event
    score: Vector
    weight: Vector

    def roc(self) -> tuple[Vector, Vector, Vector]:
        """Return false positive rates, true positive rates and thresholds, by :func:`sklearn.metrics.roc_curve`."""
        false, true, thresholds = roc_curve(self.event, self.score, sample_weight=self.weight, drop_intermediate=False)
        return false, true, thresholds

    def precision_recall(self) -> tuple[Vector, Vector]:
        """Return precision and recall, by :func:`sklearn.metrics.precision_recall_curve`."""
        precision, recall, _ = precision_recall_curve(self.event, self.score, sample_weight=self.weight)
        return precision, recall

    def gains(self) -> tuple[Vector, Vector]:
        """Return the shares of all rows and of the events that have the highest scores, rows of the same score at once."""
        false, true, _ = self.roc()
        rate = float(np.average(self.event, weights=self.weight))
        return false * (1 - rate) + true * rate, true

    def metrics(self, *, probabilities: bool) -> dict[str, float]:
        """Return single numbers; log loss and Brier score only of probabilities."""
        false, true, _ = self.roc()
        rows, gained = self.gains()
        auc = float(roc_auc_score(self.event, self.score, sample_weight=self.weight))
        found = {
            "rows": float(len(self.event)),
            "events": float(self.event.sum()),
            "event rate": float(np.average(self.event, weights=self.weight)),
            "ROC AUC": auc,
            "Gini": 2 * auc - 1,
            "KS": float(np.max(true - false)),
            "average precision": float(average_precision_score(self.event, self.score, sample_weight=self.weight)),
            "lift of the top 10 %": float(np.interp(0.1, rows, gained)) / 0.1,
        }
        if probabilities:
            found["log loss"] = float(log_loss(self.event, self.score, sample_weight=self.weight))
            found["Brier score"] = float(brier_score_loss(self.event, self.score, sample_weight=self.weight))
        return found


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation(Tabular):
    """What :func:`ksparse.evaluate_scores` returns: metrics and score bands of one or several samples.

    Attributes
    ----------
    samples : dict
        The samples by name, with ``event``, ``score``, ``weight``, ``roc()``, ``precision_recall()`` and ``gains()``.
    metrics : dict of dict
        Metrics by sample and name.
    band_edges : ndarray
        Lower ends of the bands but the lowest, from the highest to the lowest; a band includes its lower end.
    event : object
        The label of the event.
    """

    samples: dict[str, Sample]
    metrics: dict[str, dict[str, float]]
    band_edges: Vector
    event: Any

    def bands(self) -> dict[str, dict[str, Vector]]:
        """Weights of rows and of events by band, from the highest scores to the lowest, by sample.

        Returns
        -------
        dict of dict
            Of each sample ``rows``, ``events``, ``event_rate``, ``gain`` (share of all events in this band and those above it) and ``lift`` (the
            event rate of this band divided by that of all rows).
        """
        found = {}
        for name, sample in self.samples.items():
            place = np.searchsorted(-self.band_edges, -sample.score, side="left")
            size = len(self.band_edges) + 1
            rows = np.bincount(place, sample.weight, minlength=size)
            events = np.bincount(place, sample.weight * sample.event, minlength=size)
            with np.errstate(invalid="ignore"):
                rate = events / rows
            found[name] = {
                "rows": rows,
                "events": events,
                "event_rate": rate,
                "gain": np.cumsum(events) / events.sum(),
                "lift": rate * rows.sum() / events.sum(),
            }
        return found

    def threshold(self, false_positive: float, false_negative: float, sample: str | None = None) -> float:
        """Score from which rows should be taken for the event, so that the total cost of the errors is least.

        Parameters
        ----------
        false_positive, false_negative : float
            Cost of a row of the other class that is taken for the event, and of an event that is missed, > 0.
        sample : str, optional
            The sample on which costs are counted, by default the first. Of probabilities that are calibrated the answer is near
            ``false_positive / (false_positive + false_negative)``.

        Returns
        -------
        float
            A score that occurs; infinite if it is cheapest to take no row for the event.

        Raises
        ------
        ValueError
            If a cost is not positive, or there is no such sample.
        """
        alarm = check_real(false_positive, "false_positive", "finite and > 0", 0.0, open_low=True)
        miss = check_real(false_negative, "false_negative", "finite and > 0", 0.0, open_low=True)
        chosen = next(iter(self.samples)) if sample is None else sample
        if chosen not in self.samples:
            raise ValueError(f"sample is {sample!r}; it must be one of {', '.join(map(repr, self.samples))}")
        false, true, thresholds = self.samples[chosen].roc()
        rate = self.metrics[chosen]["event rate"]
        return float(thresholds[np.argmin(alarm * false * (1 - rate) + miss * (1 - true) * rate)])

    def to_frame(self) -> Any:
        """Metrics as a table with a column for each sample.

        Returns
        -------
        pandas.DataFrame
            Indexed by the name of the metric.

        Raises
        ------
        ModuleNotFoundError
            If pandas is not installed.
        """
        return require("pandas", "to_frame()", "pandas").DataFrame(self.metrics)

    def bands_to_frame(self) -> Any:
        """Score bands as a table with columns for each sample.

        Returns
        -------
        pandas.DataFrame
            A row for each band, from the highest scores to the lowest; columns are pairs of the sample and of what :meth:`bands` returns.

        Raises
        ------
        ModuleNotFoundError
            If pandas is not installed.
        """
        pandas = require("pandas", "bands_to_frame()", "pandas")
        columns = {(name, key): values for name, bands in self.bands().items() for key, values in bands.items()}
        return pandas.DataFrame(columns, index=pandas.Index(self._band_labels(), name="score"))

    def _band_labels(self) -> list[str]:
        ends = [f"{edge:.4g}" for edge in self.band_edges]
        if not ends:
            return ["all"]
        return [f">= {ends[0]}", *(f"{low} to {high}" for high, low in pairwise(ends)), f"< {ends[-1]}"]

    def _table(self) -> Table:
        names = list(next(iter(self.metrics.values())))
        rows = [(name, *(_shown(name, self.metrics[sample][name]) for sample in self.samples)) for name in names]
        return Table(f"Scores for class {self.event!r}", ("", *self.samples), rows)

    def _bands_table(self) -> Table:
        bands, columns, cells = self.bands(), ["score"], []
        for name, band in bands.items():
            mark = f" ({name})" if len(bands) > 1 else ""
            columns += [f"rows{mark}", f"event rate{mark}", f"gain{mark}", f"lift{mark}"]
            share = band["rows"] / band["rows"].sum()
            cells.append(
                [
                    (
                        f"{100 * share[i]:.1f} %",
                        f"{100 * band['event_rate'][i]:.3g} %",
                        f"{100 * band['gain'][i]:.1f} %",
                        f"{band['lift'][i]:.3g}",
                    )
                    for i in range(len(share))
                ]
            )
        rows = [(label, *(cell for sample in cells for cell in sample[i])) for i, label in enumerate(self._band_labels())]
        note = "Gain: share of all events in this band and those above it. Lift: event rate divided by that of all rows."
        return Table("Score bands, highest first", tuple(columns), rows, (note,))

    def __repr__(self) -> str:
        """Return both tables as text."""
        return f"{self._table()}\n{self._bands_table()}"

    def __str__(self) -> str:
        """Return both tables as text."""
        return repr(self)

    def _repr_html_(self) -> str:
        return self._table().to_html() + self._bands_table().to_html()


def _shown(name: str, value: float) -> str:
    """Write a metric as a reader wants to see it."""
    if name in ("rows", "events"):
        return f"{value:.0f}"
    return f"{100 * value:.4g} %" if name == "event rate" else f"{value:.4g}"


def evaluate_scores(samples: Any, *, event: Any = None, n_bands: int = 10) -> Evaluation:
    """Judge how well scores tell an event from the other class, on one sample or on several side by side.

    The numbers are those of scikit-learn's metrics; Gini is ``2 AUC - 1``, and KS is the largest distance between the true and the false positive rate.

    Parameters
    ----------
    samples : tuple or dict of tuples
        ``(y, score)`` or ``(y, score, sample_weight)``, or a dict of these by the name of the sample, such as
        ``{"train": (y_train, p_train), "test": (y_test, p_test)}``. Larger scores mean that the event is likelier. Scores that are all in
        [0, 1] are taken for probabilities.
    event : object, default=None
        Label of the event; by default the last of the sorted labels of the first sample.
    n_bands : int, default=10
        Score bands, which have about the same number of rows of the first sample, >= 2; fewer where scores repeat.

    Returns
    -------
    Evaluation
        The tables: prints, shows in notebooks, ``to_frame()``, ``bands_to_frame()``, ``threshold(...)``.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it must be, or a sample does not have both classes.

    See Also
    --------
    ksparse.ScorecardDisplay : Draws ROC, precision and recall, KS and the score bands.
    ksparse.LiftDisplay : Draws lift and gains.

    Examples
    --------
    >>> import ksparse
    >>> y = [0, 0, 1, 0, 1, 1, 0, 1]
    >>> score = [0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.5, 0.9]
    >>> evaluation = ksparse.evaluate_scores((y, score), n_bands=2)
    >>> print(evaluation)
    Scores for class 1
                            sample
      rows                       8
      events                     4
      event rate              50 %
      ROC AUC                0.875
      Gini                    0.75
      KS                      0.75
      average precision     0.9167
      lift of the top 10 %       2
      log loss              0.4637
      Brier score           0.1512
    Score bands, highest first
      score     rows  event rate     gain  lift
      >= 0.5  50.0 %        75 %   75.0 %   1.5
      < 0.5   50.0 %        25 %  100.0 %   0.5
    Gain: share of all events in this band and those above it. Lift: event rate divided by that of all
    rows.
    >>> evaluation.threshold(false_positive=1, false_negative=5)
    0.3
    """
    given = samples if isinstance(samples, Mapping) else {"sample": samples}
    if not given:
        raise ValueError("samples is empty; it must have at least one sample")
    bands = check_integer(n_bands, "n_bands", 2)
    read, label = {}, event
    for name, parts in given.items():
        read[str(name)], label = _sample_of(parts, f"samples[{name!r}]", label)
    first = next(iter(read.values()))
    order = np.argsort(-first.score, kind="stable")
    share = np.cumsum(first.weight[order]) / first.weight.sum()
    places = np.searchsorted(share, np.arange(1, bands) / bands * (1 - 1e-12))
    edges = np.unique(first.score[order][places])[::-1]
    edges = edges[edges > first.score.min()]
    probabilities = all(sample.score.min() >= 0 and sample.score.max() <= 1 for sample in read.values())
    metrics = {name: sample.metrics(probabilities=probabilities) for name, sample in read.items()}
    return Evaluation(read, metrics, edges, label)


def _sample_of(parts: Any, name: str, event: Any) -> tuple[Sample, Any]:
    """Check labels, scores and weights; return them with the label of the event."""
    if not isinstance(parts, tuple) or len(parts) not in (2, 3):
        raise TypeError(f"{name} must be a tuple (y, score) or (y, score, sample_weight)")
    y, score = np.asarray(targets_of(parts[0])), np.asarray(parts[1], dtype=np.float64)
    if score.ndim == 2 and score.shape[1] == 2:
        raise ValueError(f"the scores of {name} have two columns; pass that of the event, e.g. predict_proba(X)[:, 1]")
    if y.ndim != 1 or score.shape != y.shape:
        raise ValueError(
            f"{name} has y of shape {y.shape} and scores of shape {score.shape}; both must be vectors of the same length"
        )
    for i in np.flatnonzero(~np.isfinite(score))[:1]:
        raise ValueError(f"the scores of {name} have {score[i]} at {i}; they must be finite")
    weights = scoring_weights(parts[2] if len(parts) == 3 else None, y[:, None])
    weights = np.ones(len(y)) if weights is None else weights
    counted = weights > 0
    y, score, weights = y[counted], score[counted], weights[counted]
    labels = np.unique(y).tolist()
    label = labels[-1] if event is None else event
    if len(labels) != 2 or label not in labels:
        raise ValueError(f"{name} has the labels {labels}; there must be two, and the event {label!r} must be one of them")
    return Sample((y == label).astype(np.int64), score, weights), label

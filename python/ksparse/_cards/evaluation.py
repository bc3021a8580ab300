"""Tables of KS, Gini, lift, gains and other metrics of scores, also by score band, for one or several samples."""

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
from .._input.frames import numbers_of
from .._optional import require
from .._results.table import Table, Tabular

__all__ = ["Evaluation", "Sample", "evaluate_scores"]

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """Rows with labels and scores; larger scores mean that the event is more likely."""

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
        """Return the share of all rows, and of the events, above each score."""
        false, true, _ = self.roc()
        rate = float(np.average(self.event, weights=self.weight))
        return false * (1 - rate) + true * rate, true

    def metrics(self, *, probabilities: bool) -> dict[str, float]:
        """Return the metrics by name; log loss and Brier score only if scores are probabilities."""
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
    """Metrics and score bands of one or several samples, returned by :func:`ksparse.evaluate_scores`.

    Attributes
    ----------
    samples : dict
        The samples by name, with ``event``, ``score``, ``weight``, ``roc()``, ``precision_recall()`` and ``gains()``.
    metrics : dict of dict
        The metrics of each sample, by the names of the sample and of the metric.
    band_edges : ndarray
        Lower ends of all bands except the lowest, in descending order. A band includes its lower end.
    event : object
        The label of the event.
    """

    samples: dict[str, Sample]
    metrics: dict[str, dict[str, float]]
    band_edges: Vector
    event: Any

    def bands(self) -> dict[str, dict[str, Vector]]:
        """Weights of rows and of events in each band of each sample, from the highest scores to the lowest.

        Returns
        -------
        dict of dict
            For each sample, arrays with an entry for each band: ``rows``, ``events``, ``event_rate``, ``gain`` (the share of
            all events in this band and the bands above it) and ``lift`` (the event rate of this band divided by that of all
            rows).
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
        """Threshold with the least total cost of errors: rows with at least this score are predicted as the event.

        Parameters
        ----------
        false_positive, false_negative : float
            Cost of predicting the event for a row of the other class, and of missing an event, > 0.
        sample : str, optional
            The sample for which costs are computed, by default the first. If scores are calibrated probabilities, the threshold
            is near ``false_positive / (false_positive + false_negative)``.

        Returns
        -------
        float
            One of the scores, or infinity if the cost is least without any predicted event.

        Raises
        ------
        ValueError
            If a cost is not positive, or if there is no such sample.
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
        """Metrics as a data frame with a column for each sample.

        Returns
        -------
        pandas.DataFrame
            The index has the names of the metrics.

        Raises
        ------
        ModuleNotFoundError
            If pandas is not installed.
        """
        return require("pandas", "to_frame()", "pandas").DataFrame(self.metrics)

    def bands_to_frame(self) -> Any:
        """Score bands as a data frame with columns for each sample.

        Returns
        -------
        pandas.DataFrame
            A row for each band, from the highest scores to the lowest. The columns are pairs of a sample and a name of
            :meth:`bands`.

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
    """Format a metric for the table."""
    if name in ("rows", "events"):
        return f"{value:.0f}"
    return f"{100 * value:.4g} %" if name == "event rate" else f"{value:.4g}"


def evaluate_scores(samples: Any, *, event: Any = None, n_bands: int = 10) -> Evaluation:
    """Compute metrics of scores for an event, for one sample or for several samples side by side.

    Most metrics are scikit-learn's. Gini is ``2 AUC - 1``, and KS is the largest difference between the true and the false
    positive rate.

    Parameters
    ----------
    samples : tuple or dict of tuples
        ``(y, score)`` or ``(y, score, sample_weight)``, or a dict of such tuples by the names of samples, for example
        ``{"train": (y_train, p_train), "test": (y_test, p_test)}``. Larger scores mean that the event is more likely. If all
        scores are in [0, 1], they are treated as probabilities.
    event : object, default=None
        Label of the event. None means the last of the sorted labels of the first sample.
    n_bands : int, default=10
        Number of score bands, >= 2. The bands have about the same number of rows of the first sample. There are fewer bands if
        many rows have the same score.

    Returns
    -------
    Evaluation
        The metrics and bands. Print it, show it in a notebook, or call ``to_frame()``, ``bands_to_frame()`` or
        ``threshold(...)``.

    Raises
    ------
    TypeError, ValueError
        If an argument is invalid, or if a sample does not have both classes.

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
    """Check labels, scores and weights; return them as a sample, and the label of the event."""
    if not isinstance(parts, tuple) or len(parts) not in (2, 3):
        raise TypeError(f"{name} must be a tuple (y, score) or (y, score, sample_weight)")
    y, score = np.asarray(targets_of(parts[0])), numbers_of(parts[1], f"the scores of {name}").astype(np.float64)
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

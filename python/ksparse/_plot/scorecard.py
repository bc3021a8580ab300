"""Displays of scores: ROC, precision and recall, KS and bands; lift and gains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from .common import choose_panels, line_style, literal, take_axes

__all__ = ["LiftDisplay", "ScorecardDisplay"]


class Evaluated(Protocol):
    """Scores of several samples, as in a :class:`ksparse.Evaluation`."""

    @property
    def samples(self) -> dict[str, Any]: ...
    @property
    def metrics(self) -> dict[str, dict[str, float]]: ...
    @property
    def event(self) -> Any: ...
    def bands(self) -> dict[str, dict[str, Any]]: ...
    def _band_labels(self) -> list[str]: ...


@dataclass(eq=False, kw_only=True, repr=False)
class ScorecardDisplay:
    """ROC, precision and recall, KS and event rates by score band, of one sample or of several in one picture.

    Make one by :meth:`from_evaluation`, which draws it too.

    Parameters
    ----------
    evaluation : Evaluation
        What :func:`ksparse.evaluate_scores` returns.

    Attributes
    ----------
    axes_ : list of matplotlib Axes
        Where the panels were drawn.
    figure_ : matplotlib Figure
        Their figure.

    See Also
    --------
    ksparse.LiftDisplay : Lift and gains.

    Examples
    --------
    >>> import ksparse
    >>> evaluation = ksparse.evaluate_scores(([0, 0, 1, 0, 1, 1], [0.1, 0.2, 0.3, 0.4, 0.6, 0.7]), n_bands=2)
    >>> display = ksparse.ScorecardDisplay.from_evaluation(evaluation)
    >>> len(display.axes_)
    4
    """

    evaluation: Evaluated
    axes_: list[Any] = field(init=False)
    figure_: Any = field(init=False)

    PANELS = ("roc", "precision_recall", "ks", "bands")

    @classmethod
    def from_evaluation(
        cls, evaluation: Evaluated, *, panels: Sequence[str] | str | None = None, axes: Any = None
    ) -> ScorecardDisplay:
        """Draw an evaluation.

        Parameters
        ----------
        evaluation : Evaluation
            What :func:`ksparse.evaluate_scores` returns.
        panels, axes : optional
            As in :meth:`plot`.

        Returns
        -------
        ScorecardDisplay
            The display, drawn.
        """
        return cls(evaluation=evaluation).plot(panels=panels, axes=axes)

    def plot(self, *, panels: Sequence[str] | str | None = None, axes: Any = None) -> ScorecardDisplay:
        """Draw the panels.

        Parameters
        ----------
        panels : list of {"roc", "precision_recall", "ks", "bands"}, optional
            What to draw; by default all.
        axes : list of matplotlib Axes, optional
            Where to draw, one for each panel. By default a new figure.

        Returns
        -------
        ScorecardDisplay
            The display itself.

        Raises
        ------
        ModuleNotFoundError
            If matplotlib is not installed.
        """
        chosen = choose_panels(panels, self.PANELS)
        self.axes_ = take_axes(axes, len(chosen), (3.6 * len(chosen), 3.6))
        for ax, panel in zip(self.axes_, chosen, strict=True):
            getattr(self, f"_draw_{panel}")(ax)
            ax.legend(fontsize="small", frameon=False)
        self.figure_ = self.axes_[0].figure
        return self

    def _draw_roc(self, ax: Any) -> None:
        for place, (name, sample) in enumerate(self.evaluation.samples.items()):
            false, true, _ = sample.roc()
            auc = self.evaluation.metrics[name]["ROC AUC"]
            ax.plot(
                false,
                true,
                linestyle=line_style(place)["linestyle"],
                label=literal(f"{name}: AUC {auc:.3f}, Gini {2 * auc - 1:.3f}"),
            )
        ax.plot([0, 1], [0, 1], color="grey", linewidth=0.7)
        ax.set(xlabel="false positive rate", ylabel="true positive rate", title="ROC")

    def _draw_precision_recall(self, ax: Any) -> None:
        for place, (name, sample) in enumerate(self.evaluation.samples.items()):
            precision, recall = sample.precision_recall()
            label = literal(f"{name}: average {self.evaluation.metrics[name]['average precision']:.3f}")
            ax.step(recall, precision, where="post", linestyle=line_style(place)["linestyle"], label=label)
        ax.set(xlabel="recall", ylabel="precision", title="Precision and recall", ylim=(0, 1.02))

    def _draw_ks(self, ax: Any) -> None:
        for place, (name, sample) in enumerate(self.evaluation.samples.items()):
            false, true, thresholds = sample.roc()
            finite = np.isfinite(thresholds)
            style = {"linestyle": line_style(place)["linestyle"], "color": f"C{place}"}
            ax.plot(
                thresholds[finite],
                1 - true[finite],
                label=literal(f"{name}: KS {self.evaluation.metrics[name]['KS']:.3f}"),
                **style,
            )
            ax.plot(thresholds[finite], 1 - false[finite], linewidth=0.8, **style)
            best = int(np.argmax(true - false))
            if finite[best]:
                ax.vlines(thresholds[best], 1 - true[best], 1 - false[best], color=f"C{place}", linewidth=2.5, alpha=0.4)
        ax.set(xlabel="score", ylabel="share of rows below", title="KS: events (thick), others (thin)")
        for line in ax.lines[::2]:
            line.set_linewidth(2)

    def _draw_bands(self, ax: Any) -> None:
        bands = self.evaluation.bands()
        labels = self.evaluation._band_labels()
        width = 0.8 / len(bands)
        for place, (name, band) in enumerate(bands.items()):
            ax.bar(
                np.arange(len(labels)) + place * width,
                100 * band["event_rate"],
                width,
                label=literal(name),
                hatch=("", "//", "..")[place % 3],
            )
        ax.set_xticks(
            np.arange(len(labels)) + 0.4 - width / 2, list(map(literal, labels)), rotation=60, ha="right", fontsize="small"
        )
        ax.set(ylabel="event rate, %", title="Score bands, highest first")


@dataclass(eq=False, kw_only=True, repr=False)
class LiftDisplay:
    """Gains and lift: which share of the events the rows of the highest scores have, and how many times that of all rows.

    Make one by :meth:`from_evaluation`, which draws it too.

    Parameters
    ----------
    evaluation : Evaluation
        What :func:`ksparse.evaluate_scores` returns.

    Attributes
    ----------
    axes_ : list of matplotlib Axes
        Where the panels were drawn.
    figure_ : matplotlib Figure
        Their figure.

    See Also
    --------
    ksparse.ScorecardDisplay : ROC, precision and recall, KS and score bands.

    Examples
    --------
    >>> import ksparse
    >>> evaluation = ksparse.evaluate_scores(([0, 0, 1, 0, 1, 1], [0.1, 0.2, 0.3, 0.4, 0.6, 0.7]), n_bands=2)
    >>> display = ksparse.LiftDisplay.from_evaluation(evaluation, panels="lift")
    >>> display.axes_[0].get_ylabel()
    'lift'
    """

    evaluation: Evaluated
    axes_: list[Any] = field(init=False)
    figure_: Any = field(init=False)

    PANELS = ("gains", "lift")

    @classmethod
    def from_evaluation(
        cls, evaluation: Evaluated, *, panels: Sequence[str] | str | None = None, axes: Any = None
    ) -> LiftDisplay:
        """Draw an evaluation.

        Parameters
        ----------
        evaluation : Evaluation
            What :func:`ksparse.evaluate_scores` returns.
        panels, axes : optional
            As in :meth:`plot`.

        Returns
        -------
        LiftDisplay
            The display, drawn.
        """
        return cls(evaluation=evaluation).plot(panels=panels, axes=axes)

    def plot(self, *, panels: Sequence[str] | str | None = None, axes: Any = None) -> LiftDisplay:
        """Draw the panels.

        Parameters
        ----------
        panels : list of {"gains", "lift"}, optional
            What to draw; by default both.
        axes : list of matplotlib Axes, optional
            Where to draw, one for each panel. By default a new figure.

        Returns
        -------
        LiftDisplay
            The display itself.

        Raises
        ------
        ModuleNotFoundError
            If matplotlib is not installed.
        """
        chosen = choose_panels(panels, self.PANELS)
        self.axes_ = take_axes(axes, len(chosen), (4.2 * len(chosen), 3.6))
        for ax, panel in zip(self.axes_, chosen, strict=True):
            for place, (name, sample) in enumerate(self.evaluation.samples.items()):
                rows, gained = sample.gains()
                some = rows > 0
                values = 100 * gained[some] if panel == "gains" else gained[some] / rows[some]
                ax.plot(100 * rows[some], values, linestyle=line_style(place)["linestyle"], label=literal(name))
            chance = ([0, 100], [0, 100]) if panel == "gains" else ([0, 100], [1, 1])
            ax.plot(*chance, color="grey", linewidth=0.7)
            ax.set(xlabel="rows of the highest scores, %", ylabel="share of the events, %" if panel == "gains" else "lift")
            ax.legend(fontsize="small", frameon=False)
        self.figure_ = self.axes_[0].figure
        return self

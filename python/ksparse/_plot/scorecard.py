"""Displays of scores: ROC, precision and recall, KS and bands; lift and gains."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from .common import choose_panels, line_style, literal, take_axes

if TYPE_CHECKING:
    from typing_extensions import Self  # typing.Self needs Python 3.11

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
class _EvaluationDisplay:
    """What the displays of an evaluation share: panels, each of which a method draws."""

    evaluation: Evaluated
    axes_: list[Any] = field(init=False)
    figure_: Any = field(init=False)

    PANELS: ClassVar[tuple[str, ...]]
    _WIDTH: ClassVar[float] = 3.6  # of a panel, in inches

    @classmethod
    def from_evaluation(cls, evaluation: Evaluated, *, panels: Sequence[str] | str | None = None, axes: Any = None) -> Self:
        """Draw an evaluation.

        Parameters
        ----------
        evaluation : Evaluation
            What :func:`ksparse.evaluate_scores` returns.
        panels, axes : optional
            As in :meth:`plot`.

        Returns
        -------
        ScorecardDisplay or LiftDisplay
            The display, drawn.
        """
        return cls(evaluation=evaluation).plot(panels=panels, axes=axes)

    def plot(self, *, panels: Sequence[str] | str | None = None, axes: Any = None) -> Self:
        """Draw the panels side by side.

        Parameters
        ----------
        panels : str or list of str, optional
            The panels to draw, which ``PANELS`` lists; by default all of them.
        axes : list of matplotlib Axes, optional
            Axes to draw on, one for each panel. By default a new figure is made.

        Returns
        -------
        ScorecardDisplay or LiftDisplay
            The display itself.

        Raises
        ------
        ModuleNotFoundError
            If matplotlib is not installed.
        """
        chosen = choose_panels(panels, self.PANELS)
        self.axes_ = take_axes(axes, len(chosen), (self._WIDTH * len(chosen), 3.6))
        for ax, panel in zip(self.axes_, chosen, strict=True):
            getattr(self, f"_draw_{panel}")(ax)
            ax.legend(fontsize="small", frameon=False)
        self.figure_ = self.axes_[0].figure
        return self


@dataclass(eq=False, kw_only=True, repr=False)
class ScorecardDisplay(_EvaluationDisplay):
    """ROC, precision and recall, KS and event rates by score band, of one sample or of several in one picture.

    Create a display with ``from_evaluation``, which also draws it.

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

    PANELS = ("roc", "precision_recall", "ks", "bands")

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
class LiftDisplay(_EvaluationDisplay):
    """Gains and lift: which share of the events the rows of the highest scores have, and how many times that of all rows.

    Create a display with ``from_evaluation``, which also draws it.

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

    PANELS = ("gains", "lift")
    _WIDTH = 4.2

    def _draw_gains(self, ax: Any) -> None:
        self._draw_curves(ax, lambda rows, gained: 100 * gained)
        ax.plot([0, 100], [0, 100], color="grey", linewidth=0.7)
        ax.set(ylabel="share of the events, %")

    def _draw_lift(self, ax: Any) -> None:
        self._draw_curves(ax, lambda rows, gained: gained / rows)
        ax.plot([0, 100], [1, 1], color="grey", linewidth=0.7)
        ax.set(ylabel="lift")

    def _draw_curves(self, ax: Any, height: Callable[[Any, Any], Any]) -> None:
        """Draw a function of the share of all rows and of the events, for each sample."""
        for place, (name, sample) in enumerate(self.evaluation.samples.items()):
            rows, gained = sample.gains()
            some = rows > 0
            style = line_style(place)["linestyle"]
            ax.plot(100 * rows[some], height(rows[some], gained[some]), linestyle=style, label=literal(name))
        ax.set(xlabel="rows of the highest scores, %")

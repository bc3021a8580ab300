"""Display of how often features are chosen over resamplings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._checks import check_integer
from .._input.validation import names_of
from .common import choose_panels, literal, take_axes
from .drawable import Stability

__all__ = ["StabilityDisplay"]


@dataclass(eq=False, kw_only=True, repr=False)
class StabilityDisplay:
    """Plot of how often features, and pairs of features, were chosen over resamplings.

    Create a display with :meth:`from_result`, which also draws it.

    Parameters
    ----------
    frequency : ndarray of shape (n_seen,)
        Share of the rounds in which each feature was chosen, the most frequent first.
    together : ndarray of shape (n_seen, n_seen)
        Share of the rounds in which two features were chosen together.
    names : list of str
        Names of the features.
    n_rounds : int
        Number of resamplings.
    n_failed : int, default=0
        Number of rounds whose fit did not converge.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        Axes of the panels.
    figure_ : matplotlib Figure
        Figure of the axes.
    bars_ : matplotlib BarContainer or None
        Bars of the frequencies.
    image_ : matplotlib AxesImage or None
        Image of the pairs.

    See Also
    --------
    ksparse.stability_selection : Counts how often features are chosen.

    Examples
    --------
    >>> import numpy as np
    >>> import ksparse
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((300, 30))
    >>> y = X[:, 7] - X[:, 20] + rng.standard_normal(300) > 0
    >>> stability = ksparse.stability_selection(X, y, k=2)
    >>> display = ksparse.StabilityDisplay.from_result(stability, n=5, threshold=0.8)
    >>> display.axes_[0].get_xlabel()
    'share of 100 rounds (line: 0.8)'
    """

    frequency: NDArray[np.float64]
    together: NDArray[np.float64]
    names: list[str]
    n_rounds: int
    n_failed: int = 0
    axes_: NDArray[Any] = field(init=False)
    figure_: Any = field(init=False)
    bars_: Any = field(init=False)
    image_: Any = field(init=False)

    @classmethod
    def from_result(
        cls, result: Stability, *, n: int = 20, threshold: float | None = None, panels: Any = None, axes: Any = None
    ) -> StabilityDisplay:
        """Plot the result of :func:`ksparse.stability_selection`.

        Parameters
        ----------
        result : StabilityResult
            Result of :func:`ksparse.stability_selection`.
        n, threshold, panels, axes : optional
            As in :meth:`plot`.

        Returns
        -------
        StabilityDisplay
            The display, drawn.
        """
        return cls(
            frequency=result.frequency[result.features],
            together=result.together,
            names=names_of(result.features, result.feature_names),
            n_rounds=len(result.supports),
            n_failed=sum(status != "converged" for status in result.status),
        ).plot(n=n, threshold=threshold, panels=panels, axes=axes)

    def plot(self, axes: Any = None, *, n: int = 20, threshold: float | None = None, panels: Any = None) -> StabilityDisplay:
        """Draw bars of the frequencies beside an image of the pairs.

        Parameters
        ----------
        axes : matplotlib Axes or sequence of them, optional
            Axes to draw on, one for each panel. By default a new figure is made.
        n : int, default=20
            Maximum number of features; the most frequent ones are shown.
        threshold : float, optional
            A frequency to mark with a line, e.g. the threshold of :meth:`ksparse.StabilityResult.stable`.
        panels : str or list of str, optional
            Any of ``"frequency"`` and ``"together"``. By default both.

        Returns
        -------
        StabilityDisplay
            The display itself.

        Raises
        ------
        ModuleNotFoundError
            If matplotlib is not installed.
        """
        chosen = choose_panels(panels, ["frequency", "together"])
        names = self.names[: check_integer(n, "n", 1)]
        size = max(3.8, 0.28 * len(names) + 1.2)
        given = take_axes(axes, len(chosen), (sum({"frequency": 5.0, "together": size + 1.0}[panel] for panel in chosen), size))
        self.bars_ = self.image_ = None
        for ax, panel in zip(given, chosen, strict=True):
            if panel == "frequency":
                self._draw_frequency(ax, names, threshold)
            else:
                self._draw_together(ax, names)
        self.axes_, self.figure_ = np.array(given, dtype=object), given[0].figure
        return self

    def _draw_frequency(self, ax: Any, names: list[str], threshold: float | None) -> None:
        places = np.arange(len(names))
        self.bars_ = ax.barh(places, self.frequency[: len(names)], color="C0")
        label = f"share of {self.n_rounds} rounds"
        if self.n_failed:
            label += f", of which {self.n_failed} did not converge"
        if threshold is not None:
            ax.axvline(threshold, color="black", linestyle="--", linewidth=1.2)
            label += f" (line: {threshold:g})"
        ax.set_yticks(places, [literal(name) for name in names])
        ax.set(xlim=(0, 1), ylim=(len(names) - 0.5, -0.5), xlabel=label)

    def _draw_together(self, ax: Any, names: list[str]) -> None:
        places = np.arange(len(names))
        # Rows have the same height as the bars beside them, so the pixels are not square.
        self.image_ = ax.imshow(self.together[: len(names), : len(names)], vmin=0, vmax=1, cmap="viridis", aspect="auto")
        ax.set_xticks(places, [literal(name) for name in names], rotation=90)
        ax.set_yticks(places, [literal(name) for name in names])
        ax.set_title(f"chosen together, share of {self.n_rounds} rounds")
        ax.figure.colorbar(self.image_, ax=ax)

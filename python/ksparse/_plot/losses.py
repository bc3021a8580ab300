"""Display of loss functions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._loss import loss_terms
from .common import DASHES, choose_panels, literal, take_axes

__all__ = ["LossDisplay"]


@dataclass(eq=False, kw_only=True, repr=False)
class LossDisplay:
    r"""Plot of losses with their first and second derivatives against the margin.

    Create a display with :meth:`from_gammas`, which also draws it. For other losses, pass arrays that
    :func:`ksparse.loss_terms` computes.

    Parameters
    ----------
    margins : ndarray of shape (n_margins,)
        Margins :math:`m = (2y - 1)\,\eta`.
    values : ndarray of shape (n_losses, n_margins)
        Values of the losses.
    slopes : ndarray of shape (n_losses, n_margins)
        First derivatives of the losses.
    curvatures : ndarray of shape (n_losses, n_margins)
        Second derivatives of the losses.
    names : list of str
        Names of the losses.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        Axes of the panels.
    figure_ : matplotlib Figure
        Figure of the axes.
    lines_ : list of list of matplotlib Line2D
        Lines, by panel and loss.

    See Also
    --------
    ksparse.loss_terms : Computes a loss and its derivatives.

    Examples
    --------
    >>> import ksparse
    >>> display = ksparse.LossDisplay.from_gammas([0, 2])
    >>> [text.get_text() for text in display.axes_[0].get_legend().get_texts()]
    ['γ = 0: logistic', 'γ = 2']
    """

    margins: NDArray[np.float64]
    values: NDArray[np.float64]
    slopes: NDArray[np.float64]
    curvatures: NDArray[np.float64]
    names: list[str]
    axes_: NDArray[Any] = field(init=False)
    figure_: Any = field(init=False)
    lines_: list[list[Any]] = field(init=False)

    @classmethod
    def from_gammas(
        cls,
        gammas: ArrayLike = (0.0, 1.0, 2.0, 5.0),
        *,
        margins: ArrayLike | None = None,
        panels: Any = None,
        against: str = "margin",
        axes: Any = None,
    ) -> LossDisplay:
        r"""Plot the focal loss :math:`-q^\gamma \log p` for several focusing exponents.

        The class weight ``alpha`` is a factor that is omitted here, so :math:`\gamma = 0` is the logistic loss.

        Parameters
        ----------
        gammas : float or array-like of float, default=(0, 1, 2, 5)
            Focusing exponents, each >= 0.
        margins : array-like of float, optional
            Margins at which the losses are computed, sorted. By default 401 margins from -6 to 6.
        panels, against, axes : optional
            As in :meth:`plot`.

        Returns
        -------
        LossDisplay
            The display, drawn.
        """
        at = np.linspace(-6.0, 6.0, 401) if margins is None else np.asarray(margins, dtype=np.float64)
        exponents = np.atleast_1d(np.asarray(gammas, dtype=np.float64)).tolist()
        # With alpha = 1/2, both classes have the weight 1/2.
        terms = np.array([loss_terms(at, loss="focal", alpha=0.5, gamma=gamma) for gamma in exponents])
        return cls(
            margins=at,
            values=2 * terms[:, 0],
            slopes=2 * terms[:, 1],
            curvatures=2 * terms[:, 2],
            names=[f"γ = {gamma:g}" + (": logistic" if gamma == 0 else "") for gamma in exponents],
        ).plot(panels=panels, against=against, axes=axes)

    def plot(self, axes: Any = None, *, panels: Any = None, against: str = "margin") -> LossDisplay:
        r"""Draw the panels side by side.

        Parameters
        ----------
        axes : matplotlib Axes or sequence of them, optional
            Axes to draw on, one for each panel. By default a new figure is made.
        panels : str or list of str, optional
            Any of ``"value"``, ``"slope"`` and ``"curvature"``. By default all.
        against : {"margin", "probability"}, default="margin"
            The x axis: the margin m, or the probability :math:`\sigma(m)` that a logistic model assigns to the true class. The
            derivatives are with respect to the margin in both cases.

        Returns
        -------
        LossDisplay
            The display itself.

        Raises
        ------
        ModuleNotFoundError
            If matplotlib is not installed.
        """
        from .._probability import probability_of  # imported here because SciPy takes longer to import than ksparse

        if against not in ("margin", "probability"):
            raise ValueError(f"against is {against!r}; it must be 'margin' or 'probability'")
        terms = {"value": self.values, "slope": self.slopes, "curvature": self.curvatures}
        chosen = choose_panels(panels, list(terms))
        given = take_axes(axes, len(chosen), (4.2 * len(chosen) + 0.6, 3.8))
        x = self.margins if against == "margin" else probability_of(self.margins)
        self.lines_ = []
        for ax, panel in zip(given, chosen, strict=True):
            ax.axhline(0.0, color="0.7", linewidth=0.8)
            self.lines_.append([])
            for place, (name, curve) in enumerate(zip(self.names, terms[panel], strict=True)):
                self.lines_[-1] += ax.plot(x, curve, linestyle=DASHES[place % len(DASHES)], label=literal(name))
            ax.set(xlabel="margin" if against == "margin" else "probability of the true class")
            ax.set_ylabel("loss" if panel == "value" else f"{panel} of the loss")
        given[0].legend()
        self.axes_, self.figure_ = np.array(given, dtype=object), given[0].figure
        return self

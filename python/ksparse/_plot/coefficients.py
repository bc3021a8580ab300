"""Display of the coefficients of a fit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._checks import check_integer, check_real
from .._input.validation import names_of
from .._model import Model
from .common import literal, row_of, take_axes, write_note
from .drawable import Rounds

__all__ = ["CoefficientDisplay"]


@dataclass(eq=False, kw_only=True, repr=False)
class CoefficientDisplay:
    """Plot of the coefficients of a fit, with intervals if they are given.

    Create a display with :meth:`from_result` or :meth:`from_estimator`, which also draw it.

    Parameters
    ----------
    coefs : ndarray of shape (n_chosen,)
        Coefficients, the largest absolute value first.
    names : list of str
        Names of the features.
    intervals : ndarray of shape (n_chosen, 2), optional
        Lower and upper limits; NaN for a feature without an interval.
    interval_name : str, optional
        Description of the intervals.
    label : str, default="coefficient"
        What is drawn, for the label of the axis.
    note : str, default=""
        A note about a fit that did not converge, which is written above the axes.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the plot.
    figure_ : matplotlib Figure
        Figure of the axes.
    line_ : matplotlib Line2D
        Markers of the coefficients.
    intervals_ : matplotlib ErrorbarContainer or None
        The intervals, or None if there are none.

    See Also
    --------
    ksparse.fit_many : Fits bootstrap rounds, given as weights.

    Examples
    --------
    Intervals from 200 bootstrap rounds, in which the features are chosen anew:

    >>> import numpy as np
    >>> import ksparse
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((300, 30))
    >>> y = X[:, 7] - X[:, 20] + rng.logistic(size=300) > 0
    >>> result = ksparse.fit(X, y, k=2)
    >>> counts = rng.multinomial(300, np.full(300, 1 / 300), size=200).T
    >>> rounds = ksparse.fit_many(X, y, k=2, sample_weight=counts)
    >>> display = ksparse.CoefficientDisplay.from_result(result, intervals=rounds)
    >>> display.names, display.interval_name
    (['x7', 'x20'], '95 % of 200 rounds')
    """

    coefs: NDArray[np.float64]
    names: list[str]
    intervals: NDArray[np.float64] | None = None
    interval_name: str | None = None
    label: str = "coefficient"
    note: str = ""
    ax_: Any = field(init=False)
    figure_: Any = field(init=False)
    line_: Any = field(init=False)
    intervals_: Any = field(init=False)

    @classmethod
    def from_result(
        cls,
        result: Model,
        *,
        intervals: Any = None,
        level: float = 0.95,
        interval_name: str | None = None,
        scale: ArrayLike | str | None = "sd",
        n: int = 20,
        ax: Any = None,
        **kwargs: Any,
    ) -> CoefficientDisplay:
        """Draw the coefficients of a :class:`ksparse.FitResult`.

        Parameters
        ----------
        result : FitResult
            Result of the fit.
        intervals : array-like of shape (n_chosen, 2), BatchResult or None, default=None
            The intervals, or a result to compute them from. An array contains lower and upper limits in the order of
            ``support``, with NaN for a feature without an interval, e.g. from a summary. For a :class:`ksparse.BatchResult` of
            bootstrap rounds, which :func:`ksparse.fit_many` fits with weights, the intervals are percentiles of the
            coefficients over all rounds that were fitted; a feature that a round did not choose has the coefficient 0 in it.
            Such intervals include the uncertainty of the selection, if each round made the whole selection.
        level : float, default=0.95
            Share of the rounds in the intervals, in (0, 1). It is not used for an array.
        interval_name : str, optional
            Description of the intervals for the label of the axis. By default it contains the level and the number of rounds if
            they are known.
        scale : "sd", array-like of shape (n_features,) or None, default="sd"
            Factors for the coefficients and intervals. With "sd" these are the standard deviations of the columns, so that effects are
            comparable; where they are not known, because the result was loaded from a file or belongs to one of several classes or
            labels, the coefficients are in the units of the columns. With None they always are.
        n, ax, **kwargs : optional
            As in :meth:`plot`.

        Returns
        -------
        CoefficientDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If an argument is invalid; the message names it.
        """
        coef, support = result.coef, result.support
        factors, label = _factors(scale, result)
        ends = None
        if isinstance(intervals, Rounds):
            ends, rounds_name = _percentiles(intervals, support, len(coef), level)
            interval_name = interval_name or rounds_name
        elif intervals is not None:
            ends = _check_intervals(intervals, len(support))
        values = coef[support] * factors
        order = np.argsort(-np.abs(values), kind="stable")
        display = cls(
            coefs=values[order],
            names=names_of(support[order], result.feature_names),
            intervals=None if ends is None else np.sort(ends * factors[:, None], axis=1)[order],
            interval_name=interval_name,
            label=label,
            note=result._caution,
        )
        return display.plot(n=n, ax=ax, **kwargs)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        target: Any = None,
        intervals: Any = None,
        level: float = 0.95,
        interval_name: str | None = None,
        scale: ArrayLike | str | None = "sd",
        n: int = 20,
        ax: Any = None,
        **kwargs: Any,
    ) -> CoefficientDisplay:
        """Draw the coefficients of a fitted estimator.

        Parameters
        ----------
        estimator : KSparseClassifier, KSparseClassifierCV or KSparseMultiLabelClassifier
            A fitted estimator.
        target : optional
            The class whose coefficients are drawn if there are more than two, or the index of the label if there are many.
        intervals, level, interval_name, scale, n, ax, **kwargs : optional
            As in :meth:`from_result`.

        Returns
        -------
        CoefficientDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If there is no such target, or another argument is invalid.
        """
        model = estimator._models()[row_of(estimator, target)]
        return cls.from_result(
            model, intervals=intervals, level=level, interval_name=interval_name, scale=scale, n=n, ax=ax, **kwargs
        )

    def plot(self, ax: Any = None, *, n: int = 20, **kwargs: Any) -> CoefficientDisplay:
        """Draw one line for each feature, with the largest coefficient at the top.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Axes to draw on. By default a new figure is made.
        n : int, default=20
            Maximum number of features.
        **kwargs : dict
            Arguments for :meth:`matplotlib.axes.Axes.plot`, which draws the coefficients, e.g. ``color`` or ``marker``.

        Returns
        -------
        CoefficientDisplay
            The display itself.

        Raises
        ------
        ModuleNotFoundError
            If matplotlib is not installed.
        """
        names = self.names[: check_integer(n, "n", 1)]
        (ax,) = take_axes(ax, 1, (6.0, max(2.2, 0.28 * len(names) + 1.0)))
        places = np.arange(len(names))
        ax.axvline(0.0, color="0.7", linewidth=0.8)
        (self.line_,) = ax.plot(self.coefs[: len(names)], places, **{"marker": "o", "linestyle": "none", **kwargs})
        self.intervals_ = None
        label = self.label
        ends = np.full((len(names), 2), np.nan) if self.intervals is None else self.intervals[: len(names)]
        known = ~np.isnan(ends[:, 0])
        if known.any():
            low, high = ends[known].T
            # The bar is centred at the middle of the interval, which may not contain the coefficient.
            self.intervals_ = ax.errorbar(
                (low + high) / 2, places[known], xerr=(high - low) / 2, fmt="none", ecolor=self.line_.get_color(), capsize=3
            )
            label += "" if self.interval_name is None else f" (bars: {literal(self.interval_name)})"
        ax.set_yticks(places, [literal(name) for name in names])
        ax.set_ylim(len(names) - 0.5, -0.5)
        ax.set_xlabel(label)
        write_note(ax, self.note)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _factors(scale: Any, result: Model) -> tuple[NDArray[np.float64], str]:
    """Return the factors of the chosen coefficients, and what their products are."""
    unscaled = np.ones(len(result.support)), "coefficient"
    if scale is None:
        return unscaled
    if isinstance(scale, str):
        if scale != "sd":
            raise ValueError(f"scale is {scale!r}; it must be 'sd', a factor for each feature, or None")
        deviations = result._standard_deviations()
        return unscaled if deviations is None else (deviations, "coefficient per standard deviation")
    factors = np.asarray(scale, dtype=np.float64)
    if factors.shape != result.coef.shape:
        raise ValueError(f"scale has shape {factors.shape}; it must have shape {result.coef.shape}, a factor for each feature")
    return factors[result.support], "coefficient times scale"


def _check_intervals(intervals: Any, n_chosen: int) -> NDArray[np.float64]:
    ends = np.asarray(intervals, dtype=np.float64)
    if ends.shape != (n_chosen, 2):
        raise ValueError(
            f"intervals has shape {ends.shape}; it must have shape ({n_chosen}, 2), with lower and upper limits for each chosen feature"
        )
    for i in np.flatnonzero(~(ends[:, 0] <= ends[:, 1]) | ~np.isfinite(ends).all(axis=1)):
        if not np.isnan(ends[i]).all():
            raise ValueError(
                f"intervals[{i}] is {ends[i].tolist()}; it must contain finite lower and upper limits, or NaN twice for no interval"
            )
    return ends


def _percentiles(rounds: Rounds, support: NDArray[np.int64], p: int, level: float) -> tuple[NDArray[np.float64], str]:
    """Return percentiles of the coefficients over the rounds that were fitted, and their description."""
    part = check_real(level, "level", "in (0, 1)", 0.0, 1.0, open_low=True)
    if rounds.coefs.shape[1] != p:
        raise ValueError(f"intervals has {rounds.coefs.shape[1]} features but the fit has {p}")
    answered = np.flatnonzero(~np.isnan(rounds.objectives))
    if len(answered) == 0:
        raise ValueError("intervals has no round that could be fitted")
    coefs = rounds.coefs[answered][:, support].toarray()
    ends = np.quantile(coefs, [(1 - part) / 2, (1 + part) / 2], axis=0).T
    return ends, f"{100 * part:g} % of {len(answered)} rounds"

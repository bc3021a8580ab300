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
    """Coefficients of a fit, with intervals where they are given.

    Make one by :meth:`from_result` or :meth:`from_estimator`, which draw it too.

    Parameters
    ----------
    coefs : ndarray of shape (n_chosen,)
        Coefficients, the largest first.
    names : list of str
        Names of their features.
    intervals : ndarray of shape (n_chosen, 2), optional
        Lower and upper ends, NaN for a feature that has no interval.
    interval_name : str, optional
        What the intervals are.
    scaled : bool, default=False
        Whether coefficients have been multiplied by scales of their columns.
    note : str, default=""
        What must be known of a fit that did not converge, written above the axes.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it was drawn.
    figure_ : matplotlib Figure
        Its figure.
    line_ : matplotlib Line2D
        Markers of the coefficients.
    intervals_ : matplotlib ErrorbarContainer or None
        The intervals, if there are any.

    See Also
    --------
    ksparse.fit_many : Fits bootstrap rounds, as weights.

    Examples
    --------
    Intervals from 200 bootstrap rounds, in each of which the features are chosen anew:

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
    scaled: bool = False
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
        scale: ArrayLike | None = None,
        n: int = 20,
        ax: Any = None,
        **kwargs: Any,
    ) -> CoefficientDisplay:
        """Draw the coefficients of a :class:`ksparse.FitResult`.

        Parameters
        ----------
        result : FitResult
            The fit.
        intervals : array-like of shape (n_chosen, 2), BatchResult or None, default=None
            Where the intervals come from. An array: lower and upper ends in the order of ``support``, from wherever you
            have them; NaN twice where a feature has none, as in a summary where a coefficient is at a bound. A :class:`ksparse.BatchResult` of :func:`ksparse.fit_many`, bootstrap rounds as weights of the rows: percentiles
            of the coefficients over the rounds that have an answer, 0 in those that did not choose the feature. Such intervals include
            the uncertainty of the choice, if the rounds had the whole choice to make; none is a proof that the choice was right.
        level : float, default=0.95
            Share of the rounds in the intervals, in (0, 1). Not used for an array.
        interval_name : str, optional
            What the intervals are, for the label of the axis. By default the level and the number of rounds, where they are known.
        scale : array-like of shape (n_features,), optional
            What to multiply the coefficients and intervals of the features by, e.g. ``X.std(axis=0)``: the effects of a standard deviation,
            which can be compared. By default they are per unit of the columns.
        n, ax, **kwargs : optional
            As in :meth:`plot`.

        Returns
        -------
        CoefficientDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If an argument is not what it must be; the message names it.
        """
        coef, support = result.coef, result.support
        factors = np.ones(len(coef)) if scale is None else np.asarray(scale, dtype=np.float64)
        if factors.shape != coef.shape:
            raise ValueError(f"scale has shape {factors.shape}; it must have shape {coef.shape}, a factor for each feature")
        ends = None
        if isinstance(intervals, Rounds):
            ends, rounds_name = _percentiles(intervals, support, len(coef), level)
            interval_name = interval_name or rounds_name
        elif intervals is not None:
            ends = _check_intervals(intervals, len(support))
        values = coef[support] * factors[support]
        order = np.argsort(-np.abs(values), kind="stable")
        display = cls(
            coefs=values[order],
            names=names_of(support[order], result.feature_names),
            intervals=None if ends is None else np.sort(ends * factors[support, None], axis=1)[order],
            interval_name=interval_name,
            scaled=scale is not None,
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
        scale: ArrayLike | None = None,
        n: int = 20,
        ax: Any = None,
        **kwargs: Any,
    ) -> CoefficientDisplay:
        """Draw the coefficients of a fitted estimator.

        Parameters
        ----------
        estimator : KSparseClassifier, KSparseClassifierCV or KSparseMultiLabelClassifier
            Fitted.
        target : optional
            Of more than two classes the one whose coefficients to draw, of many labels the number of one.
        intervals, level, interval_name, scale, n, ax, **kwargs : optional
            As in :meth:`from_result`.

        Returns
        -------
        CoefficientDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If the target is none of those that the estimator has, or another argument is not what it must be.
        """
        model = estimator._models()[row_of(estimator, target)]
        return cls.from_result(
            model, intervals=intervals, level=level, interval_name=interval_name, scale=scale, n=n, ax=ax, **kwargs
        )

    def plot(self, ax: Any = None, *, n: int = 20, **kwargs: Any) -> CoefficientDisplay:
        """Draw a line per feature, the largest coefficient on top.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw. By default a new figure.
        n : int, default=20
            Features at most.
        **kwargs : dict
            For :meth:`matplotlib.axes.Axes.plot`, which draws the coefficients, e.g. ``color`` or ``marker``.

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
        label = "coefficient times scale" if self.scaled else "coefficient"
        ends = np.full((len(names), 2), np.nan) if self.intervals is None else self.intervals[: len(names)]
        known = ~np.isnan(ends[:, 0])
        if known.any():
            low, high = ends[known].T
            # Drawn about the middle: an interval need not hold its coefficient.
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


def _check_intervals(intervals: Any, n_chosen: int) -> NDArray[np.float64]:
    ends = np.asarray(intervals, dtype=np.float64)
    if ends.shape != (n_chosen, 2):
        raise ValueError(
            f"intervals has shape {ends.shape}; it must have shape ({n_chosen}, 2), lower and upper ends for each chosen feature"
        )
    for i in np.flatnonzero(~(ends[:, 0] <= ends[:, 1]) | ~np.isfinite(ends).all(axis=1)):
        if not np.isnan(ends[i]).all():
            raise ValueError(
                f"intervals[{i}] is {ends[i].tolist()}; it must be a lower and an upper end, both finite, or NaN twice for none"
            )
    return ends


def _percentiles(rounds: Rounds, support: NDArray[np.int64], p: int, level: float) -> tuple[NDArray[np.float64], str]:
    """Return percentiles of coefficients over the rounds that have an answer, and what to call them."""
    part = check_real(level, "level", "in (0, 1)", 0.0, 1.0, open_low=True)
    if rounds.coefs.shape[1] != p:
        raise ValueError(f"intervals are of {rounds.coefs.shape[1]} features but the fit has {p}")
    answered = np.flatnonzero(~np.isnan(rounds.objectives))
    if len(answered) == 0:
        raise ValueError("intervals: no round has an answer")
    coefs = rounds.coefs[answered][:, support].toarray()
    ends = np.quantile(coefs, [(1 - part) / 2, (1 + part) / 2], axis=0).T
    return ends, f"{100 * part:g} % of {len(answered)} rounds"

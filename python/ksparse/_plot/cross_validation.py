"""Display of cross-validated scores."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._one_standard_error import standard_error
from .common import literal, scale_x, take_axes, write_note

__all__ = ["CrossValidationDisplay"]


@dataclass(eq=False, kw_only=True, repr=False)
class CrossValidationDisplay:
    """Plot of the mean cross-validated score with its standard error against k or another parameter.

    Create a display with :meth:`from_estimator`, which also draws it.

    Parameters
    ----------
    values : ndarray of shape (n_values,)
        Values of the parameter, increasing.
    mean_scores : ndarray of shape (n_values,)
        Mean score for each value, with the best of the other parameters.
    standard_errors : ndarray of shape (n_values,)
        Standard errors of the mean scores, assuming independent folds.
    chosen : float
        The chosen value.
    chosen_score : float
        Mean score of the chosen parameters.
    parameter : str, default="k"
        Name of the parameter.
    score_name : str, default="score"
        Name of the score.
    threshold : float, optional
        The best mean score minus its standard error, if the one-standard-error rule was used.
    separable : ndarray of bool, shape (n_values,), optional
        Which scores depend on arbitrarily large coefficients, because the classes of some fold are separated. They may lie outside of the
        axes, which show the other scores.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the plot.
    figure_ : matplotlib Figure
        Figure of the axes.
    errorbar_ : matplotlib ErrorbarContainer
        The curve with error bars.

    See Also
    --------
    ksparse.KSparseClassifierCV : Chooses k by cross-validation.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from ksparse import CrossValidationDisplay, KSparseClassifierCV
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = KSparseClassifierCV(ks=range(1, 6), ridge=1e-3).fit(X, y)
    >>> display = CrossValidationDisplay.from_estimator(model)
    >>> display.ax_.get_ylabel()
    'minus the average loss'
    """

    values: NDArray[Any]
    mean_scores: NDArray[np.float64]
    standard_errors: NDArray[np.float64]
    chosen: float
    chosen_score: float
    parameter: str = "k"
    score_name: str = "score"
    threshold: float | None = None
    separable: NDArray[np.bool_] | None = None
    ax_: Any = field(init=False)
    figure_: Any = field(init=False)
    errorbar_: Any = field(init=False)

    @classmethod
    def from_estimator(cls, estimator: Any, *, parameter: str = "k", ax: Any = None, **kwargs: Any) -> CrossValidationDisplay:
        """Plot the results of a search by cross-validation.

        Parameters
        ----------
        estimator : KSparseClassifierCV, or a search of scikit-learn
            A fitted estimator, or a fitted scikit-learn search with a single score, e.g.
            ``GridSearchCV(KSparseClassifier(), {"k": range(1, 11)})``.
        parameter : str, default="k"
            The parameter on the x axis, as it is named in ``best_params_``. Its values must be numbers that the search
            compared.
        ax, **kwargs : optional
            As in :meth:`plot`.

        Returns
        -------
        CrossValidationDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If the search did not compare this parameter, or has several scores.
        """
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(estimator)
        results = estimator.cv_results_
        if f"param_{parameter}" not in results:
            known = ", ".join(repr(key.removeprefix("param_")) for key in results if key.startswith("param_"))
            raise ValueError(f"parameter is {parameter!r}; it must be one of {known}")
        if "mean_test_score" not in results:
            raise ValueError("the search has several scores; CrossValidationDisplay needs one that has a single score")
        of_ksparse = hasattr(estimator, "one_standard_error")
        given = np.array(results[f"param_{parameter}"].tolist())
        values, errors = np.unique(given), standard_error(results)
        mean = np.where(np.isnan(results["mean_test_score"]), -np.inf, results["mean_test_score"])
        best = [np.flatnonzero(given == value)[np.argmax(mean[given == value])] for value in values]
        score_name = "minus the average loss" if of_ksparse and estimator.scoring is None else "score"
        return cls(
            values=values,
            mean_scores=results["mean_test_score"][best],
            standard_errors=errors[best],
            chosen=results["params"][estimator.best_index_][parameter],
            chosen_score=results["mean_test_score"][estimator.best_index_],
            parameter=parameter,
            score_name=estimator.scoring if isinstance(estimator.scoring, str) else score_name,
            threshold=float((mean - errors)[np.argmax(mean)]) if of_ksparse and estimator.one_standard_error else None,
            separable=results["n_separable"][best] > 0 if "n_separable" in results else None,
        ).plot(ax=ax, **kwargs)

    def plot(self, ax: Any = None, **kwargs: Any) -> CrossValidationDisplay:
        """Draw the curve and mark the chosen value.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Axes to draw on. By default a new figure is made.
        **kwargs : dict
            Arguments for :meth:`matplotlib.axes.Axes.errorbar`, e.g. ``color`` or ``label``.

        Returns
        -------
        CrossValidationDisplay
            The display itself.

        Raises
        ------
        ModuleNotFoundError
            If matplotlib is not installed.
        """
        (ax,) = take_axes(ax, 1, (5.5, 4.0))
        style = {"fmt": "o-", "markersize": 4, "capsize": 3, **kwargs}
        self.errorbar_ = ax.errorbar(self.values, self.mean_scores, yerr=self.standard_errors, **style)
        color = self.errorbar_.lines[0].get_color()
        ax.plot(
            self.chosen,
            self.chosen_score,
            "*",
            markersize=15,
            color=color,
            markeredgecolor="white",
            zorder=3,
            label=literal(f"chosen: {self.parameter} = {self.chosen:g}"),
        )
        if self.threshold is not None:
            ax.axhline(self.threshold, color=color, linestyle=":", linewidth=1, label="best mean less its standard error")
        scale_x(ax, self.values)
        ax.set(xlabel=literal(self.parameter), ylabel=literal(self.score_name))
        self._limit(ax)
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False)  # inside, it would cover error bars
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _limit(self, ax: Any) -> None:
        """Choose limits of the y axis by the scores that have a meaning, if the others would ruin the scale."""
        if self.separable is None or not self.separable.any() or self.separable.all():
            return
        sound = ~self.separable
        low, high = ((self.mean_scores + sign * self.standard_errors)[sound] for sign in (-1, 1))
        bottom, top = float(np.nanmin(low)), float(np.nanmax(high))
        span = max(top - bottom, 1e-12)
        outside = self.separable & ~((self.mean_scores >= bottom - span) & (self.mean_scores <= top + span))
        if outside.any() and np.isfinite([bottom, top]).all():
            ax.set_ylim(bottom - 0.15 * span, top + 0.15 * span)
            names = ", ".join(f"{value:g}" for value in self.values[outside][:8])
            write_note(ax, f"outside of the axes, because the classes of some folds are separated: {self.parameter} = {names}")

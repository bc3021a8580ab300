"""Display of a path over k."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._checks import check_choice, check_integer
from .._input.validation import names_of
from .common import choose_panels, label_ends, line_style, literal, row_of, scale_x, take_axes
from .drawable import Path

__all__ = ["PathDisplay"]


@dataclass(eq=False, kw_only=True, repr=False)
class PathDisplay:
    """Plot of coefficients, objective and information criteria against k.

    Create a display with :meth:`from_result` or :meth:`from_estimator`, which also draw it.

    Parameters
    ----------
    ks : ndarray of int64, shape (n_fits,)
        The values of k, increasing.
    coefs : ndarray of shape (n_fits, n_seen)
        Coefficients of the features that some fit chose.
    names : list of str
        Names of these features.
    objectives : ndarray of shape (n_fits,)
        Objective F of each fit.
    criteria : dict of str to ndarray of shape (n_fits,)
        Information criteria by name, possibly none.
    converged : ndarray of bool, shape (n_fits,), optional
        Which fits converged; each of the others is marked by a dotted line. By default all of them.
    label : str, default="coefficient"
        What the coefficients are, for the label of the axis.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        Axes of the panels.
    figure_ : matplotlib Figure
        Figure of the axes.
    lines_ : list of matplotlib Line2D
        Lines of the coefficients in the order of ``names``; empty if there is no such panel.
    labels_ : list of matplotlib Annotation
        Names at the ends of the lines.

    See Also
    --------
    ksparse.fit_path : Fits a path.

    Examples
    --------
    >>> import numpy as np
    >>> import ksparse
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((300, 50))
    >>> y = X[:, 7] - X[:, 30] + rng.standard_normal(300) > 0
    >>> display = ksparse.PathDisplay.from_result(ksparse.fit_path(X, y, range(6)))
    >>> [ax.get_ylabel() for ax in display.axes_]
    ['coefficient per standard deviation', 'objective F', 'criterion (star: smallest)']
    """

    ks: NDArray[np.int64]
    coefs: NDArray[np.float64]
    names: list[str]
    objectives: NDArray[np.float64]
    criteria: dict[str, NDArray[np.float64]]
    converged: NDArray[np.bool_] | None = None
    label: str = "coefficient"
    axes_: NDArray[Any] = field(init=False)
    figure_: Any = field(init=False)
    lines_: list[Any] = field(init=False)
    labels_: list[Any] = field(init=False)

    @classmethod
    def from_result(
        cls,
        path: Path,
        *,
        criterion: str | None = None,
        panels: Any = None,
        n_labels: int = 8,
        scale: str | None = "sd",
        axes: Any = None,
    ) -> PathDisplay:
        """Plot the result of :func:`ksparse.fit_path`.

        Parameters
        ----------
        path : PathResult
            Result of :func:`ksparse.fit_path`.
        criterion : {"aic", "bic", "ebic", "gic"}, optional
            The criterion to plot. By default all of them are; a loss that is not a likelihood has none.
        panels, n_labels, axes : optional
            As in :meth:`plot`.
        scale : {"sd"} or None, default="sd"
            With "sd" coefficients are drawn per standard deviation of their columns, so that they are comparable, unless the
            path was loaded from a file. With None they are in the units of the columns.

        Returns
        -------
        PathDisplay
            The display, drawn.
        """
        features = np.unique(np.concatenate([*path.supports, np.empty(0, np.int64)])).astype(np.int64)
        factors, label = _factors(path, features, scale)
        display = cls(
            ks=path.ks,
            coefs=path.coefs[:, features] * factors,
            names=names_of(features, path.results[0].feature_names),
            objectives=path.objectives,
            criteria=path.criteria if criterion is None else {criterion: path.criterion(criterion)},
            converged=np.array([result.converged for result in path.results]),
            label=label,
        )
        return display.plot(panels=panels, n_labels=n_labels, axes=axes)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        target: Any = None,
        criterion: str | None = None,
        panels: Any = None,
        n_labels: int = 8,
        scale: str | None = "sd",
        axes: Any = None,
    ) -> PathDisplay:
        """Plot the path from which an estimator chose k by a criterion.

        Parameters
        ----------
        estimator : KSparseClassifier
            A fitted estimator for which ``k`` is the name of a criterion.
        target : optional
            The class whose path is drawn if there are more than two.
        criterion, panels, n_labels, scale, axes : optional
            As in :meth:`from_result`.

        Returns
        -------
        PathDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If the estimator has no path, because its k is a number or the class could not be fitted.
        """
        row = row_of(estimator, target)
        paths = getattr(estimator, "path_", None)
        path = paths[row] if isinstance(paths, list) else paths
        if path is None:
            raise ValueError(
                "the estimator has no path_; PathDisplay needs one that chose k by a criterion, e.g. with k='ebic'"
            )
        return cls.from_result(path, criterion=criterion, panels=panels, n_labels=n_labels, scale=scale, axes=axes)

    def plot(self, axes: Any = None, *, panels: Any = None, n_labels: int = 8) -> PathDisplay:
        """Draw the panels side by side.

        Parameters
        ----------
        axes : matplotlib Axes or sequence of them, optional
            Axes to draw on, one for each panel. By default a new figure is made.
        panels : str or list of str, optional
            Any of ``"coefficients"``, ``"objective"`` and ``"criteria"``. By default all that are available.
        n_labels : int, default=8
            Maximum number of features that are named, those with the largest coefficients in the last fit. Lines of other
            features are grey.

        Returns
        -------
        PathDisplay
            The display itself.

        Raises
        ------
        ModuleNotFoundError
            If matplotlib is not installed.
        """
        chosen = choose_panels(panels, ["coefficients", "objective"] + ["criteria"] * bool(self.criteria))
        count = check_integer(n_labels, "n_labels", 0)
        given = take_axes(axes, len(chosen), (4.5 * len(chosen) + 0.5, 3.8))
        self.lines_, self.labels_ = [], []
        failed = [] if self.converged is None else self.ks[~self.converged].tolist()
        for ax, panel in zip(given, chosen, strict=True):
            ax.set_xlabel("k (dotted: the fit did not converge)" if failed else "k")
            for k in failed:
                ax.axvline(k, color="C3", linestyle=":", linewidth=1, zorder=0)
            scale_x(ax, self.ks)
            if panel == "coefficients":
                self._draw_coefficients(ax, count)
            elif panel == "objective":
                ax.plot(self.ks, self.objectives, "o-", markersize=4)
                ax.set_ylabel("objective F")
            else:
                self._draw_criteria(ax)
        self.axes_, self.figure_ = np.array(given, dtype=object), given[0].figure
        return self

    def _draw_coefficients(self, ax: Any, n_labels: int) -> None:
        """Draw one line for each feature, and label the lines with the largest coefficients in the last fit."""
        ends = self.coefs[-1]
        named = [j for j in np.argsort(-np.abs(ends), kind="stable")[:n_labels].tolist() if ends[j] != 0]
        ax.axhline(0.0, color="0.7", linewidth=0.8)
        for j, values in enumerate(self.coefs.T):
            # Lines without a name are in the background, so that the others remain readable.
            style = line_style(named.index(j)) if j in named else {"color": "0.75", "zorder": 1}
            self.lines_ += ax.plot(self.ks, values, linewidth=1, label=literal(self.names[j]), **style)
        ax.set_ylabel(self.label)
        colors = [self.lines_[j].get_color() for j in named]
        self.labels_ = label_ends(ax, self.ks[-1], ends[named], [self.names[j] for j in named], colors)

    def _draw_criteria(self, ax: Any) -> None:
        for place, (name, values) in enumerate(self.criteria.items()):
            (line,) = ax.plot(self.ks, values, label=name, **line_style(place))
            lowest = int(np.argmin(values))
            ax.plot(self.ks[lowest], values[lowest], "*", markersize=12, color=line.get_color())
        ax.set_ylabel("criterion (star: smallest)")
        ax.legend()


def _factors(path: Path, features: NDArray[np.int64], scale: Any) -> tuple[NDArray[np.float64], str]:
    """Return the standard deviations of features that some fit chose, or ones if they are not known or not wanted."""
    factors = np.ones(len(features))
    if scale is None:
        return factors, "coefficient"
    check_choice(scale, "scale", ("sd",))
    for result in path.results:
        deviations = result._standard_deviations()
        if deviations is None:
            return np.ones(len(features)), "coefficient"
        factors[np.searchsorted(features, result.support)] = deviations
    return factors, "coefficient per standard deviation"

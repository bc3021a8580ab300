"""Display of a path over k."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._checks import check_integer
from .._input.validation import names_of
from .common import choose_panels, label_ends, line_style, literal, row_of, scale_x, take_axes
from .drawable import Path

__all__ = ["PathDisplay"]


@dataclass(eq=False, kw_only=True, repr=False)
class PathDisplay:
    """Coefficients, objective and information criteria against k.

    Make one by :meth:`from_result` or :meth:`from_estimator`, which draw it too.

    Parameters
    ----------
    ks : ndarray of int64, shape (n_fits,)
        Budgets, increasing.
    coefs : ndarray of shape (n_fits, n_seen)
        Coefficients of the features that some fit chose.
    names : list of str
        Their names.
    objectives : ndarray of shape (n_fits,)
        F of each fit.
    criteria : dict of str to ndarray of shape (n_fits,)
        Information criteria by name; may be empty.
    converged : ndarray of bool, shape (n_fits,), optional
        Which fits converged; a dotted line marks each of the others. By default all.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        Where it was drawn, by panel.
    figure_ : matplotlib Figure
        Their figure.
    lines_ : list of matplotlib Line2D
        Lines of the coefficients, in the order of ``names``; empty without their panel.
    labels_ : list of matplotlib Annotation
        Names at the ends of lines.

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
    ['coefficient', 'objective F', 'criterion (star: smallest)']
    """

    ks: NDArray[np.int64]
    coefs: NDArray[np.float64]
    names: list[str]
    objectives: NDArray[np.float64]
    criteria: dict[str, NDArray[np.float64]]
    converged: NDArray[np.bool_] | None = None
    axes_: NDArray[Any] = field(init=False)
    figure_: Any = field(init=False)
    lines_: list[Any] = field(init=False)
    labels_: list[Any] = field(init=False)

    @classmethod
    def from_result(
        cls, path: Path, *, criterion: str | None = None, panels: Any = None, n_labels: int = 8, axes: Any = None
    ) -> PathDisplay:
        """Draw what :func:`ksparse.fit_path` found.

        Parameters
        ----------
        path : PathResult
            The path.
        criterion : {"aic", "bic", "ebic", "gic"}, optional
            The criterion to draw; by default all of them. A loss that is no likelihood has none.
        panels, n_labels, axes : optional
            As in :meth:`plot`.

        Returns
        -------
        PathDisplay
            The display, drawn.
        """
        features = np.unique(np.concatenate([*path.supports, np.empty(0, np.int64)])).astype(np.int64)
        display = cls(
            ks=path.ks,
            coefs=path.coefs[:, features],
            names=names_of(features, path.results[0].feature_names),
            objectives=path.objectives,
            criteria=path.criteria if criterion is None else {criterion: path.criterion(criterion)},
            converged=np.array([result.converged for result in path.results]),
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
        axes: Any = None,
    ) -> PathDisplay:
        """Draw the path among which a classifier chose k by a criterion.

        Parameters
        ----------
        estimator : KSparseClassifier
            Fitted, with ``k`` the name of a criterion.
        target : optional
            The class whose path to draw, where there are more than two.
        criterion, panels, n_labels, axes : optional
            As in :meth:`from_result`.

        Returns
        -------
        PathDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If the estimator has no path: its k was given, or the class could not be fitted.
        """
        row = row_of(estimator, target)
        paths = getattr(estimator, "path_", None)
        path = paths[row] if isinstance(paths, list) else paths
        if path is None:
            raise ValueError(
                "the estimator has no path_; PathDisplay needs one that chose k by a criterion, e.g. with k='ebic'"
            )
        return cls.from_result(path, criterion=criterion, panels=panels, n_labels=n_labels, axes=axes)

    def plot(self, axes: Any = None, *, panels: Any = None, n_labels: int = 8) -> PathDisplay:
        """Draw the panels side by side.

        Parameters
        ----------
        axes : matplotlib Axes or sequence of them, optional
            Where to draw, one for each panel. By default a new figure.
        panels : str or list of str, optional
            Of ``"coefficients"``, ``"objective"``, ``"criteria"``; by default all that there are.
        n_labels : int, default=8
            Features named, at most: those with the largest coefficients in the last fit. Other lines are grey.

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
        """Draw a line per feature, and name those that the last fit weighs most where their lines end."""
        ends = self.coefs[-1]
        named = [j for j in np.argsort(-np.abs(ends), kind="stable")[:n_labels].tolist() if ends[j] != 0]
        ax.axhline(0.0, color="0.7", linewidth=0.8)
        for j, values in enumerate(self.coefs.T):
            # Those without a name in the background: where many features come and go, a few are read.
            style = line_style(named.index(j)) if j in named else {"color": "0.75", "zorder": 1}
            self.lines_ += ax.plot(self.ks, values, linewidth=1, label=literal(self.names[j]), **style)
        ax.set_ylabel("coefficient")
        colors = [self.lines_[j].get_color() for j in named]
        self.labels_ = label_ends(ax, self.ks[-1], ends[named], [self.names[j] for j in named], colors)

    def _draw_criteria(self, ax: Any) -> None:
        for place, (name, values) in enumerate(self.criteria.items()):
            (line,) = ax.plot(self.ks, values, label=name, **line_style(place))
            lowest = int(np.argmin(values))
            ax.plot(self.ks[lowest], values[lowest], "*", markersize=12, color=line.get_color())
        ax.set_ylabel("criterion (star: smallest)")
        ax.legend()

"""Display of models that are nearly as good as the best one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._checks import check_integer
from .._input.validation import names_of
from .common import literal, take_axes
from .drawable import NearOptimal

__all__ = ["NearOptimalDisplay"]


@dataclass(eq=False, kw_only=True, repr=False)
class NearOptimalDisplay:
    """Which of the nearly optimal models contains which feature.

    Make one by :meth:`from_result`, which draws it too.

    Parameters
    ----------
    members : ndarray of bool, shape (n_used, n_models)
        Whether a model contains a feature; features in the order of their frequency, models in that of their objectives.
    names : list of str
        Names of the features.
    increase : ndarray of shape (n_models,)
        By which part the objective of each model is above the best one.
    complete : bool, default=True
        Whether these are all models.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it was drawn.
    figure_ : matplotlib Figure
        Its figure.
    image_ : matplotlib QuadMesh
        The picture.

    See Also
    --------
    ksparse.near_optimal : Lists the models.

    Examples
    --------
    >>> import numpy as np
    >>> import ksparse
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((300, 20))
    >>> y = X[:, 7] - X[:, 15] + rng.standard_normal(300) > 0
    >>> models = ksparse.near_optimal(X, y, k=3, ridge=0.01)
    >>> ksparse.NearOptimalDisplay.from_result(models, n=5).ax_.get_ylabel()
    ''
    """

    members: NDArray[np.bool_]
    names: list[str]
    increase: NDArray[np.float64]
    complete: bool = True
    ax_: Any = field(init=False)
    figure_: Any = field(init=False)
    image_: Any = field(init=False)

    @classmethod
    def from_result(cls, result: NearOptimal, *, n: int = 30, ax: Any = None) -> NearOptimalDisplay:
        """Draw what :func:`ksparse.near_optimal` found.

        Parameters
        ----------
        result : NearOptimalModels
            The result.
        n, ax : optional
            As in :meth:`plot`.

        Returns
        -------
        NearOptimalDisplay
            The display, drawn.
        """
        used = np.concatenate([result.in_all, result.in_some])
        members = np.array([np.isin(used, support) for support in result.supports], dtype=bool).reshape(-1, len(used)).T
        best = result.objective[0] if len(result.objective) else 1.0
        increase = (result.objective - best) / max(abs(best), np.finfo(np.float64).tiny)
        return cls(
            members=members, names=names_of(used, result.feature_names), increase=increase, complete=result.complete
        ).plot(n=n, ax=ax)

    def plot(self, ax: Any = None, *, n: int = 30) -> NearOptimalDisplay:
        """Draw a column for each model and a row for each feature.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw. By default a new figure.
        n : int, default=30
            Number of features at most, the most frequent ones.

        Returns
        -------
        NearOptimalDisplay
            The display itself.

        Raises
        ------
        ModuleNotFoundError
            If matplotlib is not installed.
        """
        names = self.names[: check_integer(n, "n", 1)]
        (drawn,) = take_axes(None if ax is None else [ax], 1, (7.0, max(2.5, 0.26 * len(names) + 1.2)))
        shown = np.where(self.members[: len(names)], 100 * self.increase, np.nan)
        edges = np.arange(shown.shape[1] + 1) + 0.5, np.arange(len(names) + 1) - 0.5
        self.image_ = drawn.pcolormesh(
            *edges, shown, cmap="viridis_r", vmin=0, vmax=max(100 * self.increase.max(initial=0), 1e-12)
        )
        drawn.set_yticks(np.arange(len(names)), [literal(name) for name in names])
        drawn.set(
            ylim=(len(names) - 0.5, -0.5), xlabel="model, the best first" + ("" if self.complete else " (not all of them)")
        )
        drawn.figure.colorbar(self.image_, ax=drawn, label="objective above the best (%)")
        self.ax_, self.figure_ = drawn, drawn.figure
        return self

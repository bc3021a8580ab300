"""All models that are nearly as good as the best one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .. import _core
from .._checks import check_integer
from .._input.request import Request
from .._input.validation import names_of
from .._optional import require
from .._plot import NearOptimalDisplay
from .fit import FitResult, result_of
from .stored import Array, Each, Nothing, Rules, Stored, Value
from .table import Table, Tabular

__all__ = ["NearOptimalModels"]

STOPPED = {
    "optimal": "the list is complete",
    "max_models": "the list is not complete, because there are more than max_models",
    "max_seconds": "the list is not complete, because max_seconds was reached",
    "max_nodes": "the list is not complete, because max_nodes was reached",
}


@dataclass(frozen=True, eq=False, repr=False)
class NearOptimalModels(Stored, Tabular):
    """What :func:`ksparse.near_optimal` found: models of k features whose objective is close to the best one.

    Attributes
    ----------
    supports : tuple of ndarray of int64
        The features of each model, sorted; the best model comes first. Where groups of features were chosen, the numbers of the
        groups among their sorted labels.
    objective : ndarray of shape (n_models,)
        F of each model, in rising order.
    within : float
        Relative distance from the best objective up to which models are listed.
    complete : bool
        Whether the list is proved to be complete. If it is not, other models may be as good.
    stopped : str
        ``"optimal"`` for a complete list, or the limit that was reached.
    n_features : int
        Number of features, or of groups, that there were to choose from.
    n_nodes : int
        Number of nodes of the branch-and-bound tree.
    feature_names : ndarray or None
        Names of the columns where they are known, or labels of the groups.
    """

    supports: tuple[NDArray[np.int64], ...]
    objective: NDArray[np.float64]
    within: float
    complete: bool
    stopped: str
    n_features: int
    n_nodes: int
    feature_names: NDArray[Any] | None = None
    _request: Request | None = field(default=None, repr=False)

    _RULES: ClassVar[Rules] = {
        "n_features": Value((int, np.integer), low=0, size="p"),
        "supports": Each(Array("i", "k", below="p"), "m"),
        "objective": Array("f", "m"),
        "within": Value((float, np.floating)),
        "complete": Value((bool, np.bool_)),
        "stopped": Value((str,), among=tuple(STOPPED)),
        "n_nodes": Value((int, np.integer), low=0),
        "feature_names": Array("OUSiubf", "p", optional=True),
        "_request": Nothing(),
    }

    def __getstate__(self) -> dict[str, Any]:
        """Leave the data out: a pickled result is small."""
        return {**self.__dict__, "_request": None}

    def __len__(self) -> int:
        """Return the number of models."""
        return len(self.supports)

    @property
    def frequency(self) -> NDArray[np.float64]:
        """Share of the models that contain each feature, of shape (n_features,)."""
        counts = np.zeros(self.n_features)
        for support in self.supports:
            counts[support] += 1
        return counts / max(len(self), 1)

    @property
    def in_all(self) -> NDArray[np.int64]:
        """Features that every one of the models contains."""
        return np.flatnonzero(self.frequency == 1).astype(np.int64)

    @property
    def in_some(self) -> NDArray[np.int64]:
        """Features that some of the models contain, but not all, the most frequent first."""
        share = self.frequency
        some = np.flatnonzero((share > 0) & (share < 1))
        return some[np.argsort(-share[some], kind="stable")].astype(np.int64)

    @property
    def in_none(self) -> NDArray[np.int64]:
        """Features that none of the models contains."""
        return np.flatnonzero(self.frequency == 0).astype(np.int64)

    def replacements(self, n: int = 10) -> list[tuple[int, int, int]]:
        """Pairs of features that take each other's place.

        Parameters
        ----------
        n : int, default=10
            Number of pairs at most.

        Returns
        -------
        list of (int, int, int)
            Two features, and the number of pairs of models that differ in nothing but that one contains the first and the other
            the second. The most frequent pairs come first.
        """
        count = check_integer(n, "n", 1)
        partners: dict[tuple[int, ...], list[int]] = {}
        for support in self.supports:
            members = [int(j) for j in support]
            for place, j in enumerate(members):
                partners.setdefault((*members[:place], *members[place + 1 :]), []).append(j)
        pairs = Counter(
            (min(a, b), max(a, b))
            for members in partners.values()
            for place, a in enumerate(members)
            for b in members[place + 1 :]
        )
        ordered = sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0]))
        return [(a, b, times) for (a, b), times in ordered[:count]]

    def fit(self, i: int) -> FitResult:
        """Fit one of the models, for its coefficients.

        Parameters
        ----------
        i : int
            Number of the model, from 0, the best one.

        Returns
        -------
        FitResult
            The fit on the features of this model.

        Raises
        ------
        ValueError
            If there is no such model, or the result no longer refers to its data.
        """
        number = check_integer(i, "i", 0, len(self) - 1, " (the number of models less one)")
        if self._request is None:
            raise ValueError(
                "this result does not refer to its data, because it was unpickled; call ksparse.near_optimal again"
            )
        request = self._request
        units = self.supports[number]
        numbers = request.group_numbers
        features = units if numbers is None else np.flatnonzero(np.isin(numbers, units))
        options = request.settings.options(request.design.shape[1], request.names)
        options.k = len(units)
        options.always_in = [int(j) for j in features]
        return result_of(_core.fit(request.problem, options, None, 1), options.k, request)

    def to_frame(self) -> Any:
        """Table with a row per model.

        Returns
        -------
        pandas.DataFrame
            Columns ``features`` (tuples of names where they are known, else of numbers), ``objective`` and ``increase``, by
            which part the objective is above the best one.

        Raises
        ------
        ModuleNotFoundError
            If pandas is not installed.
        """
        pandas = require("pandas", "to_frame()", "pandas")
        return pandas.DataFrame(
            {
                "features": [tuple(self._name(j) for j in support) for support in self.supports],
                "objective": self.objective,
                "increase": self._increase(),
            }
        )

    def plot(self, n: int = 30, ax: Any = None) -> NearOptimalDisplay:
        """Draw which model contains which feature, by :meth:`ksparse.NearOptimalDisplay.from_result`.

        Parameters
        ----------
        n : int, default=30
            Number of features at most, the most frequent ones.
        ax : matplotlib Axes, optional
            Where to draw. By default a new figure.

        Returns
        -------
        NearOptimalDisplay
            The display.

        Raises
        ------
        ModuleNotFoundError
            If matplotlib is not installed.
        """
        return NearOptimalDisplay.from_result(self, n=n, ax=ax)

    def _name(self, j: int) -> Any:
        return int(j) if self.feature_names is None else str(self.feature_names[j])

    def _increase(self) -> NDArray[np.float64]:
        best = self.objective[0] if len(self) else 1.0
        return (self.objective - best) / max(abs(best), np.finfo(np.float64).tiny)

    def _table(self) -> Table:
        """Return the best models with what their objectives are above the best one."""
        shown = 10
        rows = [
            (", ".join(names_of(support, self.feature_names)), f"{objective:.6g}", f"{100 * increase:.3g} %")
            for support, objective, increase in zip(self.supports[:shown], self.objective, self._increase(), strict=False)
        ]
        if len(self) > shown:
            rows.append((f"and {len(self) - shown} more", "", ""))
        names = ", ".join(names_of(self.in_all, self.feature_names)) or "none"
        return Table(
            f"{len(self)} models within {100 * self.within:g} % of the best objective; {STOPPED[self.stopped]}",
            ("features", "objective", "increase"),
            rows,
            (f"In all of them: {names}. In some: {len(self.in_some)} features.",),
        )

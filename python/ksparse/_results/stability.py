"""The result of stability selection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .._caution import STATUSES, cautions_of
from .._checks import check_integer, check_real
from .._input.validation import names_of
from .._optional import require
from .._plot import StabilityDisplay
from .stored import Array, Each, Rules, Stored, Value
from .table import Table, Tabular

__all__ = ["StabilityResult"]


@dataclass(frozen=True, eq=False, repr=False)
class StabilityResult(Stored, Tabular):
    """Result of :func:`ksparse.stability_selection`.

    Attributes
    ----------
    frequency : ndarray of shape (n_features,)
        Share of the rounds in which each feature was chosen.
    features : ndarray of int64, shape (n_seen,)
        Indices of features that were chosen in some round, the most frequent first.
    together : ndarray of shape (n_seen, n_seen)
        Share of the rounds in which two of ``features`` were chosen together; the diagonal is the frequency of each feature.
    supports : tuple of ndarray of int64
        Indices of the chosen features of each round.
    status : tuple of str
        How the fit of each round ended, see :class:`ksparse.FitResult`.
    k : int
        Maximum number of features in each round.
    feature_names : ndarray of str or None
        Names of the columns, if they are known.
    """

    frequency: NDArray[np.float64]
    features: NDArray[np.int64]
    together: NDArray[np.float64]
    supports: tuple[NDArray[np.int64], ...]
    status: tuple[str, ...]
    k: int
    feature_names: NDArray[np.object_] | None = None

    _RULES: ClassVar[Rules] = {
        "frequency": Array("f", "p"),
        "features": Array("i", "s", below="p"),
        "together": Array("f", "ss"),
        "supports": Each(Array("i", "c", below="p"), "r"),
        "status": Each(Value((str,), among=STATUSES), "r"),
        "k": Value((int, np.integer), low=0),
        "feature_names": Array("OU", "p", optional=True),
    }

    def stable(self, threshold: float = 0.8) -> NDArray[np.int64]:
        """Return the features that were chosen in at least a given share of the rounds.

        Parameters
        ----------
        threshold : float, default=0.8
            The share, in (0, 1].

        Returns
        -------
        ndarray of int64
            Indices of the features, sorted.
        """
        part = check_real(threshold, "threshold", "in (0, 1]", 0.0, np.nextafter(1.0, 2.0), open_low=True)
        return np.flatnonzero(self.frequency >= part - 1e-12).astype(np.int64)

    def rivals(self, n: int = 10) -> list[tuple[int, int, float]]:
        """Return pairs of features that replace each other: both are chosen often, but rarely together.

        Parameters
        ----------
        n : int, default=10
            Maximum number of pairs.

        Returns
        -------
        list of (int, int, float)
            Two features, and the difference between the share of rounds in which they would be chosen together if they were
            independent and the actual share. The largest difference comes first.
        """
        count = check_integer(n, "n", 1)
        often = self.frequency[self.features]
        missing = np.triu(np.outer(often, often) - self.together, k=1)
        order = np.argsort(-missing, axis=None, kind="stable")[:count]
        pairs = [np.unravel_index(place, missing.shape) for place in order]
        return [(int(self.features[a]), int(self.features[b]), float(missing[a, b])) for a, b in pairs if missing[a, b] > 0]

    def to_frame(self) -> Any:
        """Return a data frame of the features that were chosen in some round.

        Returns
        -------
        pandas.DataFrame
            A data frame with the columns ``feature`` (names if they are known, else indices) and ``frequency``, the most
            frequent first.

        Raises
        ------
        ModuleNotFoundError
            If pandas is not installed.
        """
        pandas = require("pandas", "to_frame()", "pandas")
        return pandas.DataFrame({"feature": [self._name(j) for j in self.features], "frequency": self.frequency[self.features]})

    def plot(self, n: int = 20, axes: Any = None) -> StabilityDisplay:
        """Plot how often features and pairs of features were chosen with :meth:`ksparse.StabilityDisplay.from_result`.

        Parameters
        ----------
        n : int, default=20
            Maximum number of features; the most frequent ones are shown.
        axes : sequence of two matplotlib Axes, optional
            Axes to draw on. By default a new figure is made.

        Returns
        -------
        StabilityDisplay
            The display, whose ``figure_`` and ``axes_`` are matplotlib objects.

        Raises
        ------
        ModuleNotFoundError
            If matplotlib is not installed.
        """
        return StabilityDisplay.from_result(self, n=n, axes=axes)

    def _name(self, j: int) -> Any:
        return int(j) if self.feature_names is None else str(self.feature_names[j])

    def _table(self) -> Table:
        """Return a table of the most frequent features."""
        shown = self.features[:10]
        rows = [(name, f"{self.frequency[j]:.2f}") for name, j in zip(names_of(shown, self.feature_names), shown, strict=True)]
        return Table(
            f"stability selection with k={self.k}, {len(self.supports)} rounds: {len(self.features)} features were chosen in some round",
            ("feature", "share of rounds"),
            rows + [("...", "")] * (len(self.features) > 10),
            cautions_of(self.status, "rounds"),
        )

"""The result of fits for a list of k."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .._caution import cautions_of
from .._input.progress import progress_if
from .._optional import require
from .._plot import PathDisplay
from .._quiet import quiet
from .criteria import CRITERIA, check_criterion, has_likelihood, information_criterion
from .fit import FitResult
from .proof import relative_gaps
from .stored import Array, Each, Rules, Stored, Value
from .table import Table, Tabular

__all__ = ["PathResult"]


@dataclass(frozen=True, eq=False, repr=False)
class PathResult(Stored, Tabular):
    """Result of :func:`ksparse.fit_path`: one fit for each k, in increasing order of k.

    ``len(path)`` is the number of fits, ``path[i]`` is the :class:`ksparse.FitResult` at index i, and iterating goes over all
    of them.

    Attributes
    ----------
    ks : ndarray of int64, shape (n_fits,)
        The values of k, increasing.
    results : tuple of FitResult
        The fits. Their ``n_newton``, ``n_scans`` and ``n_refits`` count the work of the whole path.
    n_rows : float
        Sum of the weights of the rows, which is n in the criteria.
    fit_intercept : bool
        Whether the models have an intercept.
    n_units : int
        Number of features, or of groups of features, to choose from.
    """

    ks: NDArray[np.int64]
    results: tuple[FitResult, ...]
    n_rows: float
    fit_intercept: bool
    n_units: int

    _RULES: ClassVar[Rules] = {
        "ks": Array("i", "f"),
        "results": Each(Value((FitResult,)), "f"),
        "n_rows": Value((float, int, np.number), low=0),
        "fit_intercept": Value((bool, np.bool_)),
        "n_units": Value((int, np.integer), low=0),
    }

    def __len__(self) -> int:
        """Return the number of fits."""
        return len(self.results)

    def __iter__(self) -> Iterator[FitResult]:
        """Iterate over the fits."""
        return iter(self.results)

    def __getitem__(self, index: int) -> FitResult:
        """Return the fit at an index into ``ks``."""
        return self.results[index]

    def at(self, k: int) -> FitResult:
        """Return the fit for a given k.

        Parameters
        ----------
        k : int
            One of ``ks``. If the path includes all features (or groups), any larger number means the same.

        Returns
        -------
        FitResult
            The fit with at most k features.

        Raises
        ------
        KeyError
            If the path has no such k.
        """
        # A k larger than the number of features means all of them.
        places = np.flatnonzero(self.ks == min(k, self.n_units))
        if len(places) == 0:
            raise KeyError(f"k is {k}; the path has k in {self.ks.tolist()}")
        return self.results[places[0]]

    @property
    def coefs(self) -> NDArray[np.float64]:
        """Coefficients of each fit, of shape (n_fits, n_features)."""
        return np.stack([result.coef for result in self.results])

    @property
    def intercepts(self) -> NDArray[np.float64]:
        """Intercept of each fit, of shape (n_fits,)."""
        return np.array([result.intercept for result in self.results])

    @property
    def supports(self) -> list[NDArray[np.int64]]:
        """Indices of the chosen features of each fit."""
        return [result.support for result in self.results]

    @property
    def objectives(self) -> NDArray[np.float64]:
        """Objective F of each fit, of shape (n_fits,). It never increases with k."""
        return np.array([result.objective for result in self.results])

    @property
    def lower_bounds(self) -> NDArray[np.float64]:
        """Lower bound on F for each k, of shape (n_fits,); NaN if there is none, see :class:`ksparse.FitResult`."""
        return np.array([result.lower_bound for result in self.results])

    @property
    def gaps(self) -> NDArray[np.float64]:
        """Largest part of F by which a better model with at most k features could lower it, of shape (n_fits,)."""
        return np.asarray(relative_gaps(self.objectives, self.lower_bounds))

    @property
    def losses(self) -> NDArray[np.float64]:
        """Average loss of each fit without the ridge penalty, of shape (n_fits,)."""
        return self.objectives - np.array([result._penalty for result in self.results])

    @property
    def criteria(self) -> dict[str, NDArray[np.float64]]:
        """All information criteria by name; empty for a loss that is not a likelihood."""
        if not has_likelihood(self.results[0]._loss):
            return {}
        return {name: self.criterion(name) for name in CRITERIA}

    @quiet
    def criterion(self, name: str) -> NDArray[np.float64]:
        r"""Compute an information criterion of each fit; smaller is better.

        Parameters
        ----------
        name : {"aic", "bic", "ebic", "gic"}
            Name of the criterion. With n the sum of weights, s chosen features (or groups) out of p, and d coefficients
            including the intercept, they are aic [1]_ :math:`-2\log L + 2d`, bic [2]_ :math:`-2\log L + d\log n`, ebic [3]_
            :math:`-2\log L + d\log n + 2\log\binom{p}{s}` and gic [4]_ :math:`-2\log L + s\log p\log\log n`.

        Returns
        -------
        ndarray of shape (n_fits,)
            The criterion of each fit.

        Raises
        ------
        ValueError
            If the name is unknown, or the loss is not a likelihood (e.g. the focal loss with gamma > 0).

        References
        ----------
        .. [1] Akaike, "A new look at the statistical model identification", IEEE TAC 1974.
        .. [2] Schwarz, "Estimating the dimension of a model", Annals of Statistics 1978.
        .. [3] Chen, Chen, "Extended Bayesian information criteria for model selection with large model spaces",
           Biometrika 2008, equation 1 with gamma = 1.
        .. [4] Fan, Tang, "Tuning parameter selection in high dimensional penalized likelihood", JRSS B 2013.
        """
        check_criterion(name, self.results[0]._loss)
        return self._criterion(name, self.losses)

    def _criterion(self, name: str, losses: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the criterion that the fits would have with given average losses."""
        loss = self.results[0]._loss
        free = [len(result.support) + self.fit_intercept for result in self.results]
        chosen = [len(result.support if result.groups is None else result.groups) for result in self.results]
        return information_criterion(name, loss.deviance(losses, self.n_rows), free, chosen, self.n_rows, self.n_units)

    def certify(
        self,
        *,
        max_gap: float = 1e-6,
        max_seconds: float | None = None,
        max_nodes: int | None = None,
        n_jobs: int | None = None,
        verbose: bool | int = 0,
    ) -> PathResult:
        """Prove for each k how far its fit can be from the best one, by :meth:`ksparse.FitResult.certify`.

        Better models that are found on the way replace those of the path, also as starts for the next k.

        Parameters
        ----------
        max_gap : float, default=1e-6
            A proof ends once the gap, ``(objective - lower_bound) / objective``, is at most this, > 0.
        max_seconds : float, optional
            Time in seconds after which the proof of a k ends with the gap that is left. By default there is no limit.
        max_nodes : int, optional
            Number of nodes after which the proof of a k ends with the gap that is left. By default there is no limit.
        n_jobs : int or None, default=None
            Number of threads. The result does not depend on it.
        verbose : bool or int, default=0
            Whether to show a progress bar over k, which needs tqdm (``pip install 'ksparse[progress]'``).

        Returns
        -------
        PathResult
            The path with the ``proof`` of each fit; ``gaps`` and ``lower_bounds`` are those of the proofs.

        Raises
        ------
        ValueError
            As in :meth:`ksparse.FitResult.certify`.
        """
        proved: list[FitResult] = []
        with progress_if(verbose, "proofs") as report:
            for result in self.results:
                if report is not None:
                    report(len(proved), len(self))
                start = result
                if proved and proved[-1].objective < result.objective:  # a larger k includes the smaller one
                    start = replace(proved[-1], k=result.k, lower_bound=result.lower_bound, proof=None)
                proved.append(start.certify(max_gap=max_gap, max_seconds=max_seconds, max_nodes=max_nodes, n_jobs=n_jobs))
            if report is not None:
                report(len(self), len(self))
        return replace(self, results=tuple(proved))

    def best(self, criterion: str = "ebic") -> FitResult:
        """Return the fit with the smallest criterion; if several are equal, the one with the smallest k.

        Fits that did not converge are compared as well, because their F is known: if the features separate the classes, F is
        close to its infimum, and if a limit of iterations was reached, more iterations could only decrease F. Check the
        ``status`` of the returned fit; all fits remain in the path.

        Parameters
        ----------
        criterion : {"aic", "bic", "ebic", "gic"}, default="ebic"
            Name of the criterion, see :meth:`criterion`.

        Returns
        -------
        FitResult
            The fit with the smallest criterion.

        Raises
        ------
        ValueError
            As in :meth:`criterion`, or if no fit of the path has a finite F.
        """
        values = self.criterion(criterion)
        known = np.isfinite(self.objectives)
        if not known.any():
            raise ValueError(f"no fit of the path has a finite objective ({self.results[0].status}): {self.results[0].advice}")
        return self.results[int(np.argmin(np.where(known, values, np.inf)))]

    def _doubts(self, criterion: str) -> list[FitResult]:
        """Return fits that stopped early and could have had the smallest criterion if they had not.

        With more iterations, the loss of a fit could have decreased to that of the largest k but no further, because the loss
        never increases with k. For the loss of the largest k itself there is no such bound.
        """
        values = np.where(np.isfinite(self.objectives), self.criterion(criterion), np.inf)
        losses = self.losses
        hopes = self._criterion(criterion, np.full(len(self), np.min(losses[np.isfinite(losses)])))
        hopes[-1] = -np.inf
        early = [result.status not in ("converged", "separable") for result in self.results]
        best = int(np.argmin(values))
        return [self.results[i] for i in np.flatnonzero(early & (hopes < values[best])) if i != best]

    def to_frame(self) -> Any:
        """Return a data frame with one row for each k.

        Returns
        -------
        pandas.DataFrame
            A data frame indexed by k, with the number of chosen features, objective, loss, criteria, status, intercept, and in
            ``support`` the names of the chosen features (or their indices if there are no names).

        Raises
        ------
        ModuleNotFoundError
            If pandas is not installed.
        """
        pandas = require("pandas", "to_frame()", "pandas")
        columns: dict[str, Any] = {
            "n_chosen": [len(result.support) for result in self.results],
            "objective": self.objectives,
            "loss": self.losses,
            **self.criteria,
            "status": [result.status for result in self.results],
            "intercept": self.intercepts,
            "support": [[self._name(j) for j in result.support] for result in self.results],
        }
        return pandas.DataFrame(columns, index=pandas.Index(self.ks, name="k"))

    def plot(self, criterion: str | None = None, axes: Any = None) -> PathDisplay:
        """Plot coefficients, objective and criteria against k with :meth:`ksparse.PathDisplay.from_result`.

        Parameters
        ----------
        criterion : {"aic", "bic", "ebic", "gic"}, optional
            The criterion to plot. By default all of them are; a loss that is not a likelihood has none.
        axes : sequence of matplotlib Axes, optional
            Axes to draw on: three of them, or two for a loss without criteria. By default a new figure is made.

        Returns
        -------
        PathDisplay
            The display, whose ``figure_`` and ``axes_`` are matplotlib objects.

        Raises
        ------
        ModuleNotFoundError
            If matplotlib is not installed.
        """
        return PathDisplay.from_result(self, criterion=criterion, axes=axes)

    def _name(self, feature: int) -> Any:
        names = self.results[0].feature_names
        return int(feature) if names is None else str(names[feature])

    def _table(self) -> Table:
        """Return a table with a row for each k."""
        criteria = self.criteria
        rows = []
        for i, result in enumerate(self.results):
            values = [f"{values[i]:.5g}" for values in criteria.values()]
            rows.append((str(self.ks[i]), str(len(result.support)), f"{result.objective:.6g}", *values, result.status))
        return Table(
            f"PathResult of {len(self)} fits, {self.results[0].loss} loss, {len(self.results[0].coef)} features",
            ("k", "chosen", "objective", *criteria, "status"),
            rows,
            cautions_of((result.status for result in self.results), "fits"),
            left=("status",),
        )

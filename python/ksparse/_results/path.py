"""What a fit for every k of a list returns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .._caution import cautions_of
from .._optional import require
from .._plot import PathDisplay
from .._quiet import quiet
from .criteria import CRITERIA, check_criterion, has_likelihood, information_criterion
from .fit import FitResult
from .stored import Array, Each, Rules, Stored, Value
from .table import Table, Tabular

__all__ = ["PathResult"]


@dataclass(frozen=True, eq=False, repr=False)
class PathResult(Stored, Tabular):
    """What :func:`ksparse.fit_path` found: a fit for each k, in increasing order of k.

    ``len(path)`` is the number of fits, ``path[i]`` the i-th :class:`ksparse.FitResult`, and iteration goes over them.

    Attributes
    ----------
    ks : ndarray of int64, shape (n_fits,)
        Budgets, increasing.
    results : tuple of FitResult
        The fits. Their counts of work (``n_newton``, ``n_scans``, ``n_refits``) are those of the whole path.
    n_rows : float
        Sum of the weights of the rows, n in the criteria.
    fit_intercept : bool
        Whether there is an intercept.
    n_units : int
        Number of features, or of groups of them, to choose from.
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
        """Return a fit by its place in ``ks``."""
        return self.results[index]

    def at(self, k: int) -> FitResult:
        """Fit of a budget.

        Parameters
        ----------
        k : int
            One of ``ks``, or more than there are features (or groups), if the path goes that far.

        Returns
        -------
        FitResult
            The fit with at most k features.

        Raises
        ------
        KeyError
            If the path has no such k.
        """
        # A budget of more features than X has allows all of them.
        places = np.flatnonzero(self.ks == min(k, self.n_units))
        if len(places) == 0:
            raise KeyError(f"k is {k}; the path has {self.ks.tolist()}")
        return self.results[places[0]]

    @property
    def coefs(self) -> NDArray[np.float64]:
        """Coefficients, shape (n_fits, n_features)."""
        return np.stack([result.coef for result in self.results])

    @property
    def intercepts(self) -> NDArray[np.float64]:
        """Intercepts, shape (n_fits,)."""
        return np.array([result.intercept for result in self.results])

    @property
    def supports(self) -> list[NDArray[np.int64]]:
        """Chosen features of each fit."""
        return [result.support for result in self.results]

    @property
    def objectives(self) -> NDArray[np.float64]:
        """F of each fit, shape (n_fits,); it never rises with k."""
        return np.array([result.objective for result in self.results])

    @property
    def losses(self) -> NDArray[np.float64]:
        """Average loss of each fit without the ridge penalty, shape (n_fits,)."""
        return self.objectives - np.array([result._penalty for result in self.results])

    @property
    def criteria(self) -> dict[str, NDArray[np.float64]]:
        """All information criteria by name; empty for a loss that is no likelihood."""
        if not has_likelihood(self.results[0]._loss):
            return {}
        return {name: self.criterion(name) for name in CRITERIA}

    @quiet
    def criterion(self, name: str) -> NDArray[np.float64]:
        r"""Information criterion of each fit, the smaller the better.

        Parameters
        ----------
        name : {"aic", "bic", "ebic", "gic"}
            With n the sum of weights, s chosen features (or groups) of all p, and d coefficients, the intercept included:
            aic [1]_ :math:`-2\log L + 2d`, bic [2]_ :math:`-2\log L + d\log n`, ebic [3]_ the same
            :math:`+\,2\log\binom{p}{s}`, gic [4]_ :math:`-2\log L + s\log p\log\log n`.

        Returns
        -------
        ndarray of shape (n_fits,)
            The criterion.

        Raises
        ------
        ValueError
            If the name is unknown, or the loss is no likelihood (such as focal with gamma > 0).

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
        """Return the criterion that the fits would have with some average losses."""
        loss = self.results[0]._loss
        free = [len(result.support) + self.fit_intercept for result in self.results]
        chosen = [len(result.support if result.groups is None else result.groups) for result in self.results]
        return information_criterion(name, loss.deviance(losses, self.n_rows), free, chosen, self.n_rows, self.n_units)

    def best(self, criterion: str = "ebic") -> FitResult:
        """Fit with the smallest criterion; of equals the smallest k.

        A fit that did not converge takes part, for its F is known: with features that separate the classes F is next to its infimum,
        and where a limit of iterations was reached it is no smaller than what more iterations would find. ``status`` of the fit that
        is returned tells; the fits that were left out are in the path.

        Parameters
        ----------
        criterion : {"aic", "bic", "ebic", "gic"}, default="ebic"
            See :meth:`criterion`.

        Returns
        -------
        FitResult
            The fit.

        Raises
        ------
        ValueError
            As :meth:`criterion`; also if no fit of the path has a finite F.
        """
        values = self.criterion(criterion)
        known = np.isfinite(self.objectives)
        if not known.any():
            raise ValueError(f"no fit of the path has a finite objective ({self.results[0].status}): {self.results[0].advice}")
        return self.results[int(np.argmin(np.where(known, values, np.inf)))]

    def _doubts(self, criterion: str) -> list[FitResult]:
        """Fits that ended early and might have had a smaller criterion than the best, had they not.

        More iterations could have brought the loss of a fit down to that of the largest k, but no lower, as it never rises with k; the
        loss of the largest k itself is not bounded so.
        """
        values = np.where(np.isfinite(self.objectives), self.criterion(criterion), np.inf)
        losses = self.losses
        hopes = self._criterion(criterion, np.full(len(self), np.min(losses[np.isfinite(losses)])))
        hopes[-1] = -np.inf
        early = [result.status not in ("converged", "separable") for result in self.results]
        best = int(np.argmin(values))
        return [self.results[i] for i in np.flatnonzero(early & (hopes < values[best])) if i != best]

    def to_frame(self) -> Any:
        """Table with a row per k: chosen features, objective, loss, criteria and status.

        Returns
        -------
        pandas.DataFrame
            Indexed by k; ``support`` holds the names of the features where they are known, else their numbers.

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
        """Draw coefficients, objective and criteria against k, by :meth:`ksparse.PathDisplay.from_result`.

        Parameters
        ----------
        criterion : {"aic", "bic", "ebic", "gic"}, optional
            The criterion to draw; by default all of them. A loss that is no likelihood has no such panel.
        axes : sequence of matplotlib Axes, optional
            Where to draw: three, or two for a loss without criteria. By default a new figure.

        Returns
        -------
        PathDisplay
            The display; ``figure_`` and ``axes_`` are matplotlib's.

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
        """Return a line per k."""
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

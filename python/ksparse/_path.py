"""Fits for many k in one call, and what they look like side by side."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _core
from ._caution import cautions_of
from ._criteria import CRITERIA, check_criterion, has_likelihood, information_criterion
from ._fit import FitResult, result_of
from ._optional import require
from ._plot import PathDisplay
from ._progress import Report, progress_if
from ._quiet import quiet
from ._request import Request, Settings
from ._stored import Array, Each, Rules, Stored, Value
from ._table import Table, Tabular
from ._validation import check_features, check_flag, check_groups, check_integer
from .exceptions import ConvergenceWarning
from .losses import Loss

__all__ = ["PathResult", "fit_path"]


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
            One of ``ks``.

        Returns
        -------
        FitResult
            The fit with at most k features.

        Raises
        ------
        KeyError
            If the path has no such k.
        """
        places = np.flatnonzero(self.ks == k)
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


def least_budget(settings: Settings, n_features: int, names: NDArray[np.object_] | None) -> int:
    """Return how many features, or groups, are always in."""
    inside = check_features(settings.always_in, "always_in", n_features, names)
    groups = check_groups(settings.groups, n_features)
    return len(inside if groups is None else np.unique(groups[0][inside]))


def check_ks(ks: Any, request: Request) -> list[int]:
    """Return the budgets, sorted and without repetition."""
    values = ks.tolist() if isinstance(ks, np.ndarray) else ks
    if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
        raise TypeError(f"ks is {ks!r}; it must be a list of integers, e.g. range(1, 21)")
    budgets = {check_integer(k, f"ks[{i}]", 0) for i, k in enumerate(values)}
    if not budgets:
        raise ValueError("ks is empty; it must name at least one k")
    most = request.check_budget(max(budgets), "the largest of ks")
    return sorted({min(k, most) for k in budgets})


def fit_path(
    X: ArrayLike,
    y: ArrayLike,
    ks: ArrayLike,
    *,
    loss: str | Loss = "logistic",
    alpha: float = 0.5,
    gamma: float = 2.0,
    ridge: float = 0.0,
    fit_intercept: bool = True,
    sample_weight: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    tolerance: float = 1e-8,
    max_newton: int = 100,
    search: str = "fast",
    max_rounds: int | None = None,
    max_refits: int | None = None,
    max_seconds: float | None = None,
    random_state: int = 0,
    always_in: ArrayLike | None = None,
    never_in: ArrayLike | None = None,
    bounds: tuple[Any, Any] | None = None,
    groups: ArrayLike | None = None,
    cold_starts: bool = True,
    verbose: bool | int = 0,
) -> PathResult:
    r"""Fit for every k of a list in one call.

    The fits seed each other, upwards by the best entry and downwards by the least sacrifice, until none improves, and F
    never rises with k.

    Parameters
    ----------
    X : array-like or sparse matrix of shape (n_samples, n_features)
        Features, as in :func:`ksparse.fit`.
    y : array-like of shape (n_samples,)
        Labels, 0 and 1, or responses, as in :func:`ksparse.fit`.
    ks : array-like of int
        Budgets, >= 0; sorted for you, repetitions count once. Those above the number of features (or of groups) count as that
        number, with a warning, so that ``range(1, 21)`` serves whatever the width of X.
    loss : str or object of :mod:`ksparse.losses`, default="logistic"
        The loss, by name or as an object that has its parameters.
    alpha : float, default=0.5
        Focal loss: weight of the positive class, in (0, 1).
    gamma : float, default=2.0
        Focal loss: focusing exponent, >= 0.
    ridge : float, default=0.0
        Weight of half the squared norm of the coefficients, in units of the average loss, >= 0.
    fit_intercept : bool, default=True
        Whether to fit an intercept.
    sample_weight : array-like of shape (n_samples,), optional
        Weights of the rows, >= 0.
    offset : array-like of shape (n_samples,), optional
        Added to the linear predictor.
    tolerance : float, default=1e-8
        Newton decrement at each answer, > 0.
    max_newton : int, default=100
        Newton iterations per refit, >= 1.
    search : {"fast", "auto", "thorough"}, default="fast"
        How far to search for each k before neighbours seed each other, as in :func:`ksparse.fit`. The default is not that
        of a single fit: much of what perturbations find, neighbours find for less.
    max_rounds : int, optional
        Perturbations per k at most, instead of the budget of ``search``.
    max_refits : int, optional
        No new perturbation per k after so many refits beyond the first descent, instead of the budget of ``search``.
    max_seconds : float, optional
        Time per k after which no new perturbation begins, instead of the budget of ``search``.
    random_state : int, default=0
        Seed of the perturbations.
    always_in : array-like of int or str, optional
        Features in every model, by number or, if X has column names, by name. They count towards k, see :func:`ksparse.fit`.
    never_in : array-like of int or str, optional
        Features in none.
    bounds : tuple (lower, upper), optional
        Bounds of the coefficients per unit of the columns, each a number, an array of shape (n_features,) or None, with
        lower <= 0 <= upper unless the feature is in ``always_in``. ``(0, None)``: no negative coefficient. A chosen feature whose
        coefficient ends at 0 is left out.
    groups : array-like of shape (n_features,), optional
        Label of each feature's group, an integer or a string. k then counts groups, and all features of a group are in or out;
        ``always_in`` and ``never_in`` name whole groups by any of their features.
    cold_starts : bool, default=True
        Whether each k up to 32, and the largest, also starts as a single fit does: no such entry is then worse than a single
        fit with the same settings. Other entries start from their neighbours. False: all entries start only from their
        neighbours, which takes half to two thirds of the time and is seldom worse.
    verbose : bool or int, default=0
        Whether to show a bar of progress, which counts fits; needs tqdm (``pip install 'ksparse[progress]'``).

    Returns
    -------
    PathResult
        Fits, criteria, picture and table.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it must be; the message names it and what it was.

    Warns
    -----
    ksparse.ConvergenceWarning
        If fits did not converge, naming their k.

    Examples
    --------
    >>> import numpy as np
    >>> import ksparse
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((300, 50))
    >>> y = X[:, 7] - X[:, 30] + rng.standard_normal(300) > 0
    >>> path = ksparse.fit_path(X, y, range(1, 6))
    >>> path.best("ebic").support
    array([ 7, 30])
    """
    settings = Settings(
        loss=loss,
        alpha=alpha,
        gamma=gamma,
        ridge=ridge,
        fit_intercept=fit_intercept,
        tolerance=tolerance,
        max_newton=max_newton,
        search=search,
        max_rounds=max_rounds,
        max_refits=max_refits,
        max_seconds=max_seconds,
        random_state=random_state,
        always_in=always_in,
        never_in=never_in,
        bounds=bounds,
        groups=groups,
    )
    with progress_if(verbose, "fits") as report:
        path = solve_path(X, y, ks, sample_weight, offset, settings, cold_starts, report=report)
    warn_of_path(path, ConvergenceWarning, stacklevel=3)
    return path


def warn_of_path(path: PathResult, category: type[Warning], stacklevel: int) -> None:
    """Warn once for all fits that did not converge."""
    failed = [result for result in path if not result.converged]
    if failed:
        budgets = ", ".join(f"k={result.k} {result.status}" for result in failed[:5]) + (", ..." if len(failed) > 5 else "")
        warnings.warn(f"{budgets}: {failed[0].advice}", category, stacklevel=stacklevel)


def warn_of_doubts(doubts: dict[str, list[FitResult]], category: type[Warning], stacklevel: int) -> None:
    """Warn once of fits that a criterion may have passed over because they ended early, of each class or of one problem."""
    found = [(name, result) for name, results in doubts.items() for result in results]
    if found:
        which = ", ".join(f"{name and name + ' '}k={result.k} {result.status}" for name, result in found[:5])
        more = ", ..." if len(found) > 5 else ""
        warnings.warn(
            f"k may be wrong: fits ended early that could have had the smallest criterion ({which}{more}): {found[0][1].advice}",
            category,
            stacklevel=stacklevel,
        )


def solve_path(
    X: Any,
    y: Any,
    ks: Any,
    sample_weight: Any,
    offset: Any,
    settings: Settings,
    cold_starts: Any = True,
    names: NDArray[np.object_] | None = None,
    report: Report | None = None,
) -> PathResult:
    """Validate, call the core, return its answers; the caller warns. ``names`` are those of X where it has lost them."""
    request = Request.of(X, y, sample_weight, offset, settings, names)
    budgets = check_ks(ks, request)
    request.options.cold_starts = check_flag(cold_starts, "cold_starts")
    answers = _core.fit_path(*request.arguments, budgets, request.options, report)
    request.raise_if_refused(answers[0])
    return PathResult(
        ks=np.array(budgets, dtype=np.int64),
        results=tuple(result_of(answer, k, request) for k, answer in zip(budgets, answers, strict=True)),
        n_rows=float(len(request.labels) if request.weights is None else request.weights.sum()),
        fit_intercept=request.options.fit_intercept,
        n_units=request.n_units,
    )


def solve_path_by(criterion: str, X: Any, y: Any, ks: Any, settings: Settings, **rest: Any) -> PathResult:
    """Fit every k, and search as far as the settings say for those that may have the smallest criterion.

    All k are first searched for as ``search="fast"`` does, with their neighbours' help, which finds most of what longer searches find.
    A longer search then takes place only for a k whose criterion would be the smallest if what its loss leaves unexplained fell by a
    fiftieth. On small data that is seldom more than the best k and its neighbours; the k above them, whose features are mostly noise
    with many close rivals, would take most of the time.
    """
    path = solve_path(X, y, ks, settings=replace(settings, search="fast"), **rest)
    losses, values = path.losses, path.criterion(criterion)
    known = np.isfinite(losses)
    if settings.search == "fast" or not known.any():
        return path
    loss = path.results[0]._loss
    # The loss of counts has no infimum that is known; that of a model that is right is about half a unit of deviance above it.
    unexplained = losses if loss.is_classification or loss.name == "squared" else 0.5
    hopes = path._criterion(criterion, losses - 0.02 * unexplained)
    best = np.min(values[known])
    worth = known & ((hopes < best) | (values == best))
    longer = solve_path(X, y, path.ks[worth], settings=settings, **{**rest, "report": None})
    return merged(path, longer)


def merged(path: PathResult, other: PathResult) -> PathResult:
    """Return the better fit of each k, where the other path has some of them, or that of a smaller k if it is better still."""
    results = list(path.results)
    for k, result in zip(other.ks, other.results, strict=True):
        place = int(np.searchsorted(path.ks, k))
        if not results[place].objective <= result.objective * (1 + 1e-12):
            results[place] = result
    for i in range(1, len(results)):
        if results[i - 1].objective < results[i].objective:
            results[i] = replace(results[i - 1], k=results[i].k)
    counts = {
        name: getattr(path.results[0], name) + getattr(other.results[0], name) for name in ("n_newton", "n_scans", "n_refits")
    }
    return replace(path, results=tuple(replace(result, **counts) for result in results))

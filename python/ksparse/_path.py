"""Fits for many k in one call, and what they look like side by side."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from . import _core
from ._checks import check_flag, check_integer
from ._input.progress import Report, progress_if
from ._input.request import Inputs, Request, Settings
from ._results.fit import FitResult, result_of
from ._results.path import PathResult
from .exceptions import ConvergenceWarning
from .losses import Loss

__all__ = ["check_ks", "fit_path", "merged", "solve_path", "solve_path_by", "warn_of_doubts", "warn_of_path"]


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
    settings = Settings.of_arguments(locals())
    with progress_if(verbose, "fits") as report:
        path = solve_path(Request.of(Inputs(X, sample_weight, offset, settings), y), ks, cold_starts, report)
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


def solve_path(request: Request, ks: Any, cold_starts: Any = True, report: Report | None = None) -> PathResult:
    """Solve a problem for every k; the caller warns."""
    budgets = check_ks(ks, request)
    request.options.cold_starts = check_flag(cold_starts, "cold_starts")
    answers = _core.fit_path(*request.arguments, budgets, request.options, report)
    request.raise_if_refused(answers[0])
    if len(answers) < len(budgets):  # the model without features failed already, with which every fit begins
        answers = answers[:1] * len(budgets)
    return PathResult(
        ks=np.array(budgets, dtype=np.int64),
        results=tuple(result_of(answer, k, request) for k, answer in zip(budgets, answers, strict=True)),
        n_rows=float(len(request.labels) if request.weights is None else request.weights.sum()),
        fit_intercept=request.options.fit_intercept,
        n_units=request.n_units,
    )


def solve_path_by(criterion: str, request: Request, ks: Any, report: Report | None = None) -> PathResult:
    """Fit every k, and search as far as the settings say for those that may have the smallest criterion.

    All k are first searched for as ``search="fast"`` does, with their neighbours' help, which finds most of what longer searches find.
    A longer search then takes place only for a k whose criterion would be the smallest if what its loss leaves unexplained fell by a
    fiftieth. On small data that is seldom more than the best k and its neighbours; the k above them, whose features are mostly noise
    with many close rivals, would take most of the time.
    """
    path = solve_path(request.with_settings(replace(request.settings, search="fast")), ks, report=report)
    losses, values = path.losses, path.criterion(criterion)
    known = np.isfinite(losses)
    if request.settings.search == "fast" or not known.any():
        return path
    # The least loss that any model of counts could reach is not known, but that of a model that is right is about 0.5 per row.
    unexplained = 0.5 if request.loss._dispersion_is_known else losses
    hopes = path._criterion(criterion, losses - 0.02 * unexplained)
    best = np.min(values[known])
    worth = known & ((hopes < best) | (values == best))
    return merged(path, solve_path(request, path.ks[worth]))


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

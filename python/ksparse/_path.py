"""Fits for many k in one call, and what they look like side by side."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from . import _core
from ._blocks.solve import fit_path_of_blocks, source_of
from ._checks import check_flag, check_integer, only_one
from ._input.progress import Report, progress_if
from ._input.request import Inputs, Request, Settings
from ._input.row_blocks import CountedBlocks
from ._input.threads import thread_count
from ._input.validation import limit_budget
from ._results.criteria import Criterion, check_criterion
from ._results.fit import FitResult, result_of
from ._results.path import PathResult
from .exceptions import ConvergenceWarning
from .losses import Loss

__all__ = [
    "budgets_of_criterion",
    "check_ks",
    "fit_path",
    "merged",
    "solve_path",
    "solve_path_by",
    "warn_of_doubts",
    "warn_of_path",
]


def check_ks(ks: Any, request: Request) -> list[int]:
    """Return the values of k, sorted and without repetition."""
    values = ks.tolist() if isinstance(ks, np.ndarray) else ks
    if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
        raise TypeError(f"ks is {ks!r}; it must be a list of integers, e.g. range(1, 21), or [5] for one value")
    budgets = {check_integer(k, f"ks[{i}]", 0) for i, k in enumerate(values)}
    if not budgets:
        raise ValueError("ks is empty; it must name at least one k")
    most = request.check_budget(max(budgets), "the largest of ks")
    return sorted({min(k, most) for k in budgets})


def budgets_of_criterion(criterion: Any, request: Request | Inputs, k_max: Any, name: str = "k") -> range:
    """Return every k that a criterion compares; ``name`` is the argument that names the criterion."""
    settings = request.settings
    check_criterion(criterion, settings.checked_loss(), name=name)
    units, least, grouped = request.n_units, request.least_budget, settings.groups is not None
    most = min(max(10, least), units) if k_max is None else check_integer(k_max, "k_max", 0)
    most = limit_budget(most, "k_max", units, groups=grouped)
    if most < least:
        what = "groups" if grouped else "features"
        raise ValueError(f"k_max is {most} but always_in names {least} {what}; it must be >= {least}")
    return range(least, most + 1)


def fit_path(
    X: ArrayLike,
    y: ArrayLike,
    ks: ArrayLike | Criterion | None = None,
    *,
    loss: str | Loss = "logistic",
    alpha: float = 0.5,
    gamma: float = 2.0,
    ridge: float = 0.0,
    fit_intercept: bool = True,
    sample_weight: ArrayLike | None = None,
    class_weight: Any = None,
    offset: ArrayLike | None = None,
    tolerance: float = 1e-8,
    max_newton: int = 100,
    search: str = "auto",
    max_rounds: int | None = None,
    max_refits: int | None = None,
    max_seconds: float | None = None,
    random_state: Any = 0,
    always_in: ArrayLike | None = None,
    never_in: ArrayLike | None = None,
    bounds: tuple[Any, Any] | None = None,
    groups: ArrayLike | None = None,
    cold_starts: bool = True,
    n_jobs: int | None = None,
    certify: bool = False,
    max_gap: float = 1e-6,
    max_nodes: int | None = None,
    verbose: bool | int = 0,
    k_max: int | None = None,
    k: Any = None,
) -> PathResult:
    r"""Fit a model for every k of a list.

    Each k up to 32, and the largest, is first fitted exactly as :func:`ksparse.fit` fits it with the same settings. Then fits
    start from their neighbours: from the next smaller k by adding the best feature, and from the next larger k by removing the
    least important one. This is repeated until no fit improves. So for these k no fit is worse than a single one, and some are
    better. F never increases with k.

    Parameters
    ----------
    X : array-like or sparse matrix of shape (n_samples, n_features)
        Features, as in :func:`ksparse.fit`.
    y : array-like of shape (n_samples,)
        Labels 0 and 1, or responses for a regression loss, as in :func:`ksparse.fit`.
    ks : array-like of int or {"aic", "bic", "ebic", "gic"}
        Values of k, >= 0, in any order; repeated values count once. Values above the number of features (or groups) are
        replaced by that number, with a warning, so ``range(1, 21)`` works for any X. The name of an information criterion
        stands for every k in [0, k_max]. All of these are fitted with ``search="fast"``, and those whose criterion is close to
        the smallest are then searched as long as ``search`` says.
    loss : str or object of :mod:`ksparse.losses`, default="logistic"
        The loss, given by its name or as an object that holds its parameters, e.g. ``ksparse.losses.Huber(threshold=2)``.
    alpha : float, default=0.5
        Weight of the positive class in the focal loss, in (0, 1); the negative class has the weight ``1 - alpha``. It is used
        only with ``loss="focal"``.
    gamma : float, default=2.0
        Focusing exponent of the focal loss, >= 0. With 0 this is the weighted logistic loss. It is used only with
        ``loss="focal"``.
    ridge : float, default=0.0
        Weight of the ridge penalty, which is half the squared Euclidean norm of the coefficients, in units of the average loss,
        >= 0. Use a small positive value, e.g. 1e-3, where the classes can be separated by the chosen features.
    fit_intercept : bool, default=True
        Whether to fit an intercept. It is never penalised, and it does not count towards ``k``.
    sample_weight : array-like of shape (n_samples,), optional
        Weights of the rows, >= 0. A weight of 2 has the same effect as two equal rows. y may be missing (NaN) in a row of
        weight 0.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes 0 and 1, which are multiplied by ``sample_weight``, e.g. ``{1: 10}``. With "balanced" both classes have the
        same sum of weights.
    offset : array-like of shape (n_samples,), optional
        Values added to the linear predictor.
    tolerance : float, default=1e-8
        Each refit stops when its Newton decrement is at most this value, > 0. For the squared and Huber losses the value is
        relative to the standard deviation of y.
    max_newton : int, default=100
        Maximum number of Newton iterations per refit, >= 1.
    search : {"auto", "fast", "thorough"}, default="auto"
        How long to search for each k before fits start from their neighbours, see :func:`ksparse.fit`. With ``"fast"`` neighbours
        find many of the improvements that longer searches find, at a lower cost. Fits for more than 32 features, except the
        largest, start from their neighbours alone, whatever the search.
    max_rounds : int, optional
        Maximum number of perturbation rounds for each k. By default ``search`` sets this limit.
    max_refits : int, optional
        Number of refits for each k, after the first descent, beyond which no further round begins. By default ``search`` sets
        this limit.
    max_seconds : float, optional
        Time in seconds for each k beyond which no further round begins; answers may then differ between runs. By default
        ``search`` sets the limits.
    random_state : int, numpy.random.RandomState, numpy.random.Generator or None, default=0
        Seed of the random perturbations, or what draws it, as in scikit-learn: None draws it from NumPy's global generator. The
        same seed and limits give the same answer.
    always_in : array-like of int or str, optional
        Features that every model contains, given by index or, if X has column names, by name. They count towards ``k``.
    never_in : array-like of int or str, optional
        Features that no model contains, given by index or by name.
    bounds : tuple (lower, upper), optional
        Lower and upper bounds of the coefficients, in the units of the columns. Each is a number, an array of shape
        (n_features,) or None (no bound), with lower <= 0 <= upper unless the feature is in ``always_in``. For example,
        ``(0, None)`` excludes negative coefficients. A chosen feature whose coefficient ends at 0 is removed from the support.
    groups : array-like of shape (n_features,), optional
        Group label of each feature, an integer or a string. The features of a group enter and leave the model together, and
        ``k`` counts groups. ``always_in`` and ``never_in`` refer to whole groups, named by any of their features.
    cold_starts : bool, default=True
        Whether the fits for k up to 32, and for the largest k, also start from the empty model, as a single fit does. Then none
        of them is worse than a single fit with the same settings (unless the limit is a time). With False all fits start only from their neighbours, which
        takes a half to two thirds of the time and rarely gives a worse result.
    n_jobs : int or None, default=None
        Number of threads, as in scikit-learn: None means 1 unless a ``joblib.parallel_config`` is active, and -1 means all
        processors. Threads divide the sums over X. The answer does not depend on their number.
    certify : bool, default=False
        Whether to prove for each k how far its fit can be from the best one, by :meth:`PathResult.certify`. The searches then have
        the limits of ``search``, ``max_rounds`` and ``max_refits``, and ``max_seconds`` limits the proof of each k. A proof needs a
        ridge penalty.
    max_gap : float, default=1e-6
        With ``certify``, the relative gap at which a proof ends, > 0.
    max_nodes : int, optional
        With ``certify``, the number of nodes after which the proof of a k ends. By default there is no limit.
    verbose : bool or int, default=0
        Whether to show a progress bar, which needs tqdm (``pip install 'ksparse[progress]'``).
    k_max : int, optional
        The largest k that an information criterion considers. By default 10, or all features if there are fewer.
    k : array-like of int or {"aic", "bic", "ebic", "gic"}, optional
        Another name of ``ks``.

    Returns
    -------
    PathResult
        The fits, with their information criteria, a plot and a table.

    Raises
    ------
    TypeError, ValueError
        If an argument is invalid; the message names the argument, its value and what it must be.

    Warns
    -----
    ksparse.ConvergenceWarning
        If fits did not converge; the message lists their k.

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
    settings = Settings.of_arguments({**locals(), "max_seconds": None if check_flag(certify, "certify") else max_seconds})
    budgets = only_one("ks", ks, "k", k)
    request = Request.of(Inputs(X, sample_weight, offset, settings), y)
    if certify and isinstance(request.design, CountedBlocks):
        raise ValueError("certify is True, but X comes in blocks; a proof needs X in memory")
    with progress_if(verbose, "fits") as report:
        if isinstance(budgets, str):
            path = solve_path_by(budgets, request, budgets_of_criterion(budgets, request, k_max, "ks"), n_jobs, report)
        else:
            path = solve_path(request, budgets, cold_starts, n_jobs, report)
    warn_of_path(path, ConvergenceWarning, stacklevel=3)
    if certify:
        return path.certify(max_gap=max_gap, max_seconds=max_seconds, max_nodes=max_nodes, n_jobs=n_jobs, verbose=verbose)
    return path


def warn_of_path(path: PathResult, category: type[Warning], stacklevel: int) -> None:
    """Warn once about all fits that did not converge."""
    failed = [result for result in path if not result.converged]
    if failed:
        budgets = ", ".join(f"k={result.k} {result.status}" for result in failed[:5]) + (", ..." if len(failed) > 5 else "")
        warnings.warn(f"{budgets}: {failed[0].advice}", category, stacklevel=stacklevel)


def warn_of_doubts(doubts: dict[str, list[FitResult]], category: type[Warning], stacklevel: int) -> None:
    """Warn once about fits that stopped early and therefore may have been rejected by the criterion."""
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
    request: Request, ks: Any, cold_starts: Any = True, n_jobs: int | None = None, report: Report | None = None
) -> PathResult:
    """Solve a problem for every k; the caller warns."""
    budgets = check_ks(ks, request)
    request.options.cold_starts = check_flag(cold_starts, "cold_starts")
    threads = 1 if n_jobs is None else thread_count(n_jobs)
    answers: list[Any]
    if (blocks := source_of(request, threads)) is not None:
        options = request.new_options()
        options.cold_starts = request.options.cold_starts
        answers = list(fit_path_of_blocks(blocks, request.loss, budgets, options, request.options))
    else:
        answers = list(_core.fit_path(request.problem, budgets, request.options, threads, report))
        request.raise_if_refused(answers[0])
    if len(answers) < len(budgets):  # the model without features failed already, with which every fit begins
        answers = answers[:1] * len(budgets)
    return PathResult(
        ks=np.array(budgets, dtype=np.int64),
        results=tuple(
            result_of(answer, k, request, keep_data=blocks is None) for k, answer in zip(budgets, answers, strict=True)
        ),
        n_rows=float(len(request.labels) if request.weights is None else request.weights.sum()),
        fit_intercept=request.options.fit_intercept,
        n_units=request.n_units,
    )


def solve_path_by(
    criterion: str, request: Request, ks: Any, n_jobs: int | None = None, report: Report | None = None
) -> PathResult:
    """Fit every k, and search longer for those values of k that may have the smallest criterion.

    All k are first fitted with ``search="fast"``, where neighbours help each other; this finds most of what longer searches find. The
    longer search that the settings ask for follows only for a k whose criterion would become the smallest if the unexplained part of its
    loss decreased by 2 %. On small data this is rarely more than the best k and its neighbours. Larger k, whose features are mostly noise
    with many close alternatives, would otherwise take most of the time.
    """
    path = solve_path(request.with_settings(replace(request.settings, search="fast")), ks, n_jobs=n_jobs, report=report)
    losses, values = path.losses, path.criterion(criterion)
    known = np.isfinite(losses)
    if request.settings.search == "fast" or not known.any():
        return path
        # The smallest loss that a model of counts can reach is unknown; a correct model has about 0.5 per row.
    unexplained = 0.5 if request.loss._dispersion_is_known else losses
    hopes = path._criterion(criterion, losses - 0.02 * unexplained)
    best = np.min(values[known])
    worth = known & ((hopes < best) | (values == best))
    return merged(path, solve_path(request, path.ks[worth], n_jobs=n_jobs))


def merged(path: PathResult, other: PathResult) -> PathResult:
    """Return the better fit for each k of two paths, or the fit for a smaller k if it is better still."""
    results = list(path.results)
    for k, result in zip(other.ks, other.results, strict=True):
        place = int(np.searchsorted(path.ks, k))
        bound = float(np.fmax(results[place].lower_bound, result.lower_bound))
        if not results[place].objective <= result.objective * (1 + 1e-12):
            results[place] = result
        results[place] = replace(results[place], lower_bound=bound)
    for i in range(1, len(results)):
        if results[i - 1].objective < results[i].objective:
            results[i] = replace(
                results[i - 1], k=results[i].k, lower_bound=results[i].lower_bound
            )  # that of fewer features is higher
    counts = {
        name: getattr(path.results[0], name) + getattr(other.results[0], name) for name in ("n_newton", "n_scans", "n_refits")
    }
    return replace(path, results=tuple(replace(result, **counts) for result in results))

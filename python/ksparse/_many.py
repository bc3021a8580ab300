"""Fit many problems with the same X: several outcomes, resamplings or settings."""

from __future__ import annotations

import itertools
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _core
from ._batch_blocks import Callback, Problems, solve_blocks, with_partial
from ._caution import advice_on
from ._checks import check_real, only_one
from ._executor import check_executor, fit_many_by
from ._input.frames import numbers_of
from ._input.numbers import refuse_unreadable
from ._input.progress import Report, part_of, progress_if
from ._input.request import Inputs, Settings, with_class_weights
from ._input.threads import thread_count
from ._input.validation import (
    NUMBERS_NOT_LABELS,
    check_design,
    check_loss,
    check_rows,
    feature_names,
    has_fractions,
    limit_budget,
)
from ._path import budgets_of_criterion, solve_path_by
from ._results.batch import BatchData, BatchResult, batch_of, counts_of, result_of
from ._results.criteria import Criterion
from ._results.fit import FitResult
from .exceptions import ConvergenceWarning
from .losses import Loss

__all__ = ["BAD_LABEL", "fit_many", "solve_many"]

# Stands for a label that is neither 0 nor 1. The problem that has one fails with its own message.
BAD_LABEL = 255


def fit_many(
    X: ArrayLike,
    Y: ArrayLike,
    k: int | Criterion | ArrayLike | None = None,
    *,
    loss: str | Loss = "logistic",
    alpha: float | ArrayLike = 0.5,
    gamma: float | ArrayLike = 2.0,
    ridge: float | ArrayLike = 0.0,
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
    n_jobs: int | None = None,
    executor: Any = None,
    verbose: bool | int = 0,
    callback: Callback | None = None,
    k_max: int | None = None,
    ks: Any = None,
) -> BatchResult:
    """Fit many problems with the same X, e.g. several outcomes, resamplings (as weights) or settings.

    Each problem has the same result as with :func:`ksparse.fit`, for any number of threads. Passes over X are shared: each
    block of X is loaded from memory once for all problems that need it. An invalid problem, e.g. one with a single class or NaN
    labels in rows that count, fails by itself with a message, and the others are fitted.

    Parameters
    ----------
    X : array-like or sparse matrix of shape (n_samples, n_features)
        Features, as in :func:`ksparse.fit`. For 32 problems or more, a CSR matrix is copied to CSC once.
    Y : array-like or sparse matrix of shape (n_samples, n_problems), or array-like of shape (n_samples,)
        Labels 0 and 1, or responses for a regression loss, with one column for each problem, or one vector for all problems. A
        sparse Y is made dense. A response may be missing (NaN) in a row whose weight is 0 for its problem.
    k : int, {"aic", "bic", "ebic", "gic"} or array-like of int, shape (n_problems,)
        Maximum number of features, for all problems or for each one. The name of an information criterion chooses the k in
        [0, k_max] for each problem, as in :func:`ksparse.fit`; the problems are then fitted one after the other.
    loss : str or object of :mod:`ksparse.losses`, default="logistic"
        The loss, given by its name or as an object that holds its parameters, e.g. ``ksparse.losses.Huber(threshold=2)``.
    alpha, gamma, ridge : float or array-like of shape (n_problems,)
        As in :func:`ksparse.fit`, for all problems or for each one. The defaults are 0.5, 2 and 0.
    fit_intercept : bool, default=True
        Whether to fit an intercept. It is never penalised, and it does not count towards ``k``.
    sample_weight : array-like of shape (n_samples,) or (n_samples, n_problems), optional
        Weights of the rows, >= 0. A weight of 2 has the same effect as two equal rows.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes 0 and 1 in every problem, which are multiplied by ``sample_weight``, as in :func:`ksparse.fit`.
        They need a weight for each row and problem.
    offset : array-like of shape (n_samples,) or (n_samples, n_problems), optional
        Values added to the linear predictor.
    tolerance, max_newton, search, max_rounds, max_refits, max_seconds, random_state : optional
        As in :func:`ksparse.fit`, for each problem.
    always_in, never_in, bounds, groups : optional
        As in :func:`ksparse.fit`, for all problems.
    n_jobs : int or None, default=None
        Number of threads, as in scikit-learn: None means 1 unless a ``joblib.parallel_config`` is active, and -1 means all
        processors.
    executor : concurrent.futures.Executor, optional
        Executor that runs the fits in place of threads, as in :func:`ksparse.fit_each`. X is sent once.
    verbose : bool or int, default=0
        Whether to show a progress bar, which needs tqdm (``pip install 'ksparse[progress]'``).
    callback : callable, optional
        Called as ``callback(first, results)`` when a block of problems is done, in order, with the number of its first problem and a
        :class:`ksparse.BatchResult`, e.g. to store what is done of a long batch. Blocks have 64 problems for each thread, or
        fewer; with an executor there is one block.
    k_max : int, optional
        The largest k that an information criterion considers. By default 10, or all features if there are fewer.
    ks : int, {"aic", "bic", "ebic", "gic"} or array-like of int, optional
        Another name of ``k``.

    Returns
    -------
    BatchResult
        The coefficients, objectives and status of each problem.

    Raises
    ------
    TypeError, ValueError
        If an argument that all problems share is invalid, or the lengths of arguments disagree; the message names the argument.
    KeyboardInterrupt
        At Ctrl-C. Its attribute ``partial`` is a :class:`ksparse.BatchResult` in which problems that were not fitted yet have the
        status ``interrupted``; in an interactive session it is ``sys.last_value.partial``.

    Warns
    -----
    ksparse.ConvergenceWarning
        If problems failed or did not converge; the message gives their number.

    Examples
    --------
    >>> import numpy as np
    >>> import ksparse
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((300, 50))
    >>> Y = X[:, [7, 30]] + 0.5 * rng.standard_normal((300, 2)) > 0
    >>> batch = ksparse.fit_many(X, Y, k=1)
    >>> [support.tolist() for support in batch.supports]
    [[7], [30]]
    >>> batch[1].objective == ksparse.fit(X, Y[:, 1], k=1).objective
    True
    """
    inputs = Inputs(X, sample_weight, offset, Settings.of_arguments(locals()))
    budgets = only_one("k", k, "ks", ks)
    with progress_if(verbose, "problems") as report:
        if isinstance(budgets, str):
            if executor is not None:
                raise ValueError(
                    f"k is {budgets!r} and executor is given; on an executor k must be a number, or one per problem"
                )
            result = _solve_many_by(budgets, inputs, Y, k_max, n_jobs, report, callback)
        else:
            result = solve_many(inputs, Y, budgets, n_jobs, report, executor, callback)
    failed = np.flatnonzero(~result.converged)
    if len(failed):
        warnings.warn(
            f"{len(failed)} of {len(result)} problems did not converge ({counts_of(result.status[failed])}); "
            f"the first is problem {result._name(failed[0])}: {result._advice(failed[0])}",
            ConvergenceWarning,
            stacklevel=2,
        )
    return result


def solve_many(
    inputs: Inputs,
    Y: Any,
    k: Any,
    n_jobs: int | None,
    report: Report | None = None,
    executor: Any = None,
    callback: Callback | None = None,
) -> BatchResult:
    """Solve a problem for each column of Y; the caller warns.

    ``alpha``, ``gamma`` and ``ridge`` of the settings may have an entry for each problem, and weights and offset a column.
    """
    given = inputs.settings
    numbers = {name: _check_setting(getattr(given, name), name) for name in ("alpha", "gamma", "ridge")}
    settings = replace(given, alpha=0.5, gamma=2.0, ridge=0.0, class_weight=None)  # what all problems share
    check_executor(executor, n_jobs)
    threads = 1 if executor is not None else thread_count(n_jobs)
    design = check_design(inputs.X)
    n, p = design.shape
    names = feature_names(inputs.X) if inputs.names is None else inputs.names
    loss = check_loss(settings.loss, 0.5, 2.0)
    kernel = loss._kernel()
    options = settings.options(p, names)
    if hasattr(Y, "toarray"):
        Y = Y.toarray()  # of a sparse indicator, as KSparseMultiLabelClassifier takes it
    weights, offset = _check_matrix(inputs.sample_weight, n, "sample_weight"), _check_matrix(inputs.offset, n, "offset")
    labels, messages = _check_outcomes(Y, weights, n) if loss.is_classification else (_check_responses(Y, weights, n), {})
    weights = _with_class_weights(given.class_weight, loss, labels, weights, messages)
    budgets = _check_budgets(k)
    count = _problem_count({"Y": labels, "sample_weight": weights, "offset": offset}, {"k": budgets, **numbers})
    if labels.ndim == 1 and messages:
        raise ValueError(messages[0].replace(", 0]", "]", 1))
    checked = Inputs(design, weights, offset, settings, names)
    limit_budget(int(budgets.max()), "k", checked.n_units, groups=settings.groups is not None)
    budgets = np.broadcast_to(np.minimum(budgets, checked.n_units), (count,))
    by_problem = {name: np.broadcast_to(value, (count,)) for name, value in numbers.items()}
    kernels = [kernel]
    losses: list[Any] = [loss]  # as they are sent to other processes
    if isinstance(given.loss, str) and loss._by_problem:
        parameters = np.column_stack([by_problem[name] for name in loss._by_problem])
        different, place = np.unique(parameters, axis=0, return_inverse=True)
        own = [
            _core.loss_by_name(loss.name, values) for values in different.tolist()
        ]  # the core checks them problem by problem
        kernels = own if len(own) == 1 else [own[i] for i in place.ravel().tolist()]
        losses = [(loss.name, different[i].tolist()) for i in place.ravel().tolist()]
    else:
        by_problem.update({name: np.full(count, value) for name, value in loss._focal_parameters.items()})
    ridges = by_problem["ridge"]
    data = BatchData(checked, labels, given.class_weight)

    def result(answer: dict[str, Any]) -> BatchResult:
        return result_of(answer, budgets, by_problem, messages, data, loss, Y)

    if executor is not None:
        answer = fit_many_by(executor, design, labels, weights, offset, losses, budgets, ridges, options, report)
        if callback is not None:
            callback(0, result(answer))
        return result(answer)
    problems = Problems(design, labels, weights, offset, kernels, budgets, ridges, options)
    return solve_blocks(problems, result, threads, report, callback)


def _solve_many_by(
    criterion: str,
    inputs: Inputs,
    Y: Any,
    k_max: Any,
    n_jobs: int | None,
    report: Report | None,
    callback: Callback | None,
) -> BatchResult:
    """Choose k for each problem by a criterion, as a fit of this problem alone does."""
    inputs = replace(inputs, X=check_design(inputs.X), names=feature_names(inputs.X) if inputs.names is None else inputs.names)
    ks = budgets_of_criterion(criterion, inputs, k_max)
    # This checks the problems, and is the result of those that cannot be fitted.
    smallest = solve_many(inputs, Y, ks[0], n_jobs)
    fits = [fit if fit._request is None else _unanswered(fit) for fit in smallest]

    def result() -> BatchResult:
        found = batch_of(fits, inputs.settings.groups)
        return replace(found, problem_names=smallest.problem_names, _groups=smallest._groups, _batch=smallest._batch)

    try:
        for i, fit in enumerate(smallest):
            share = part_of(report, i * len(ks), len(smallest) * len(ks))
            if fit._request is not None:
                fits[i] = solve_path_by(criterion, fit._request, ks, n_jobs, share).best(criterion)
            if callback is not None:
                callback(i, result()[i : i + 1])
    except KeyboardInterrupt as error:
        raise with_partial(error, result()) from None
    return result()


def _unanswered(fit: FitResult) -> FitResult:
    """Return what stands for a problem that is still to be fitted."""
    empty: dict[str, Any] = {
        "coef": np.zeros(len(fit.coef)),
        "support": np.empty(0, np.int64),
        "intercept": np.nan,
        "objective": np.nan,
    }
    return replace(fit, **empty, status="interrupted", advice=advice_on("interrupted"), groups=None)


def _with_class_weights(
    class_weight: Any, loss: Loss, labels: NDArray[Any], weights: NDArray[Any] | None, messages: dict[int, str]
) -> NDArray[Any] | None:
    """Multiply the weights by those of the classes 0 and 1, for each problem whose labels are valid."""
    if class_weight is None:
        return weights
    if labels.ndim == 1 and (weights is None or weights.ndim == 1):
        return with_class_weights(class_weight, loss, labels.astype(np.float64), _one_of(weights, 0))
    m = labels.shape[1] if labels.ndim == 2 else 1 if weights is None else weights.shape[1]
    by_problem = np.ones((len(labels), m), order="F")
    for j in range(m):
        own, own_weights = labels if labels.ndim == 1 else labels[:, j], _one_of(weights, j)
        if j not in messages:
            by_problem[:, j] = with_class_weights(class_weight, loss, own.astype(np.float64), own_weights)
        elif own_weights is not None:
            by_problem[:, j] = own_weights
    return by_problem


def _one_of(weights: NDArray[Any] | None, j: int) -> NDArray[np.float64] | None:
    return None if weights is None else (weights if weights.ndim == 1 else weights[:, j]).astype(np.float64)


def _idle_gaps(Y: NDArray[Any], weights: NDArray[Any] | None) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return Y, and which responses are missing where the weight is 0; a vector is repeated if these differ between problems."""
    missing = np.isnan(Y) if Y.dtype.kind == "f" else np.zeros(Y.shape, dtype=bool)
    if weights is None or not missing.any():
        return Y, np.zeros(Y.shape, dtype=bool)
    if Y.ndim < weights.ndim:
        Y, missing = (np.repeat(values[:, None], weights.shape[1], axis=1) for values in (Y, missing))
    return Y, missing & ((weights if weights.ndim == Y.ndim else weights[:, None]) == 0)


def _check_outcomes(Y: Any, weights: NDArray[Any] | None, n: int) -> tuple[NDArray[np.uint8], dict[int, str]]:
    """Return the labels as bytes, with contiguous columns, and a message for each column that has other values."""
    refuse_unreadable(Y, "Y")
    try:
        array = numbers_of(Y, "Y", categories=True)
    except TypeError as error:
        raise TypeError(f"{str(error).partition(';')[0]}; labels must be 0 and 1, as numbers or booleans") from None
    _check_shape(array, n)
    array, idle = _idle_gaps(array, weights)
    ones = array == 1
    bad = ~(ones | (array == 0) | idle)
    labels = np.array(ones, dtype=np.uint8, order="F")
    if bad.any():
        labels[bad] = BAD_LABEL
    messages = {}
    for j in np.flatnonzero(np.atleast_1d(bad.any(axis=0))).tolist():
        column, values = (bad, array) if array.ndim == 1 else (bad[:, j], array[:, j])
        i = int(np.argmax(column))
        advice = f"; {NUMBERS_NOT_LABELS}" if has_fractions(values) else ""
        messages[j] = f"Y[{i}, {j}] is {values[i]}; labels must be 0 or 1{advice}"
    return labels, messages


def _check_responses(Y: Any, weights: NDArray[Any] | None, n: int) -> NDArray[Any]:
    """Return the responses of a regression, of any real type. The core checks their values for each problem."""
    array = numbers_of(Y, "Y")
    _check_shape(array, n)
    array, idle = _idle_gaps(array, weights)
    if idle.any():
        array = np.where(idle, 1.0, array)  # a response that every loss allows
    return array if array.dtype.itemsize <= 8 and array.dtype != np.float16 else array.astype(np.float64)


def _check_shape(Y: NDArray[Any], n: int) -> None:
    if Y.ndim not in (1, 2) or Y.shape[0] != n or 0 in Y.shape:
        raise ValueError(
            f"X has {n} rows but Y has shape {Y.shape}; Y must have shape ({n}, n_problems) with at least one problem, or ({n},)"
        )


def _check_matrix(values: Any, n: int, name: str) -> NDArray[Any] | None:
    """Return weights or offsets: a vector for all problems is checked here, the columns of a matrix are checked by the core."""
    if values is None:
        return None
    array = numbers_of(values, name)
    if array.ndim != 2:
        vector = check_rows(array, n, name)
        if name == "sample_weight" and (vector < 0).any():
            i = int(np.flatnonzero(vector < 0)[0])
            raise ValueError(f"sample_weight[{i}] is {vector[i]}; weights must be finite and >= 0")
        return vector
    if array.shape[0] != n:
        raise ValueError(f"X has {n} rows but {name} has shape {array.shape}; it must have shape ({n},) or ({n}, n_problems)")
    return array if array.dtype.itemsize <= 8 and array.dtype != np.float16 else array.astype(np.float64)


def _by_problem(value: Any, name: str) -> NDArray[Any]:
    """Return a setting as an array. Objects, and types with missing values, are converted if they are numbers."""
    array = np.asarray(value)
    return numbers_of(value, name) if array.dtype.kind == "O" and array.ndim else array


def _check_budgets(k: Any) -> NDArray[np.int64]:
    array = _by_problem(k, "k")
    if array.dtype.kind not in "iu" or array.ndim > 1:
        raise TypeError(f"k is {k!r}; it must be an integer, or one per problem")
    return array.astype(np.int64)


def _check_setting(value: Any, name: str) -> NDArray[np.float64]:
    array = _by_problem(value, name)
    if array.ndim == 0:
        check_real(value, name, "finite", -np.inf)
    elif array.dtype.kind not in "fiu" or array.ndim > 1:
        raise TypeError(f"{name} is {value!r}; it must be a real number, or one per problem")
    return array.astype(np.float64)


def _problem_count(matrices: dict[str, NDArray[Any] | None], vectors: dict[str, NDArray[Any]]) -> int:
    """Return the number of problems, on which all arguments that have an entry for each problem must agree."""
    counts = {f"{name} has {a.shape[1]} columns": a.shape[1] for name, a in matrices.items() if a is not None and a.ndim == 2}
    counts.update({f"{name} has {len(a)} entries": len(a) for name, a in vectors.items() if a.ndim == 1})
    for (first, m), (second, other) in itertools.pairwise(counts.items()):
        if m != other:
            raise ValueError(
                f"{first} but {second}; arguments with an entry for each problem must have the same number of entries"
            )
    count = next(iter(counts.values()), 1)
    if count == 0:
        raise ValueError(f"{next(iter(counts))}; there must be at least one problem")
    return count

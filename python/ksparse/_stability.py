"""Stability selection: fits on many resamplings of the rows, which are weights with the same X."""

from __future__ import annotations

import warnings
from typing import Any

from numpy.typing import ArrayLike

from ._caution import advice_on
from ._input.progress import progress_if
from ._input.request import Inputs, Request, Settings
from ._input.row_blocks import refuse_blocks
from ._results.resampling import solve_stability
from ._results.stability import StabilityResult
from .exceptions import ConvergenceWarning
from .losses import Loss

__all__ = ["stability_selection"]


def stability_selection(
    X: ArrayLike,
    y: ArrayLike,
    k: int,
    *,
    rounds: int = 100,
    sampling: str = "subsample",
    fraction: float = 0.5,
    n_jobs: int | None = None,
    executor: Any = None,
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
    random_state: Any = 0,
    always_in: ArrayLike | None = None,
    never_in: ArrayLike | None = None,
    bounds: tuple[Any, Any] | None = None,
    groups: ArrayLike | None = None,
    verbose: bool | int = 0,
) -> StabilityResult:
    """Fit on many resamplings of the rows and count how often each feature is chosen.

    Resamplings are weights for the rows of one X, which is not copied. In classification each class keeps its share of the
    rows.

    If ``sample_weight`` consists of integers, a row of weight 3 is resampled as three separate rows. Otherwise a row is drawn
    as one row and keeps its weight.

    Parameters
    ----------
    X : array-like or sparse matrix of shape (n_samples, n_features)
        Features, as in :func:`ksparse.fit`.
    y : array-like of shape (n_samples,)
        Labels 0 and 1, or responses for a regression loss, as in :func:`ksparse.fit`.
    k : int
        Maximum number of features in each round.
    rounds : int, default=100
        Number of resamplings, >= 1.
    sampling : {"subsample", "bootstrap"}, default="subsample"
        With ``"subsample"`` [1]_ rows are drawn without replacement; with ``"bootstrap"``, as many rows as there are are drawn
        with replacement.
    fraction : float, default=0.5
        Share of the rows of each class in a subsample, in (0, 1). At least one row is drawn.
    n_jobs : int or None, default=None
        Number of threads, as in scikit-learn: None means 1 unless a ``joblib.parallel_config`` is active, and -1 means all
        processors.
    executor : concurrent.futures.Executor, optional
        Executor that runs the fits in place of threads, as in :func:`ksparse.fit_each`. X is sent once.
    loss, alpha, gamma, ridge, fit_intercept, sample_weight, offset, tolerance, max_newton : optional
        As in :func:`ksparse.fit`.
    search : {"fast", "auto", "thorough"}, default="fast"
        How long to search in each round, see :func:`ksparse.fit`.
    max_rounds, max_refits, max_seconds : optional
        As in :func:`ksparse.fit`.
    random_state : int, numpy.random.RandomState, numpy.random.Generator or None, default=0
        Seed of the resamplings and of the searches, or what draws it, see :func:`ksparse.fit`.
    always_in, never_in, bounds, groups : optional
        As in :func:`ksparse.fit`.
    verbose : bool or int, default=0
        Whether to show a progress bar, which needs tqdm (``pip install 'ksparse[progress]'``).

    Returns
    -------
    StabilityResult
        How often each feature and each pair of features was chosen, with a plot and a table.

    Raises
    ------
    TypeError, ValueError
        If an argument is invalid; the message names the argument, its value and what it must be.

    Warns
    -----
    ksparse.ConvergenceWarning
        If the fits of some rounds did not converge; their supports are counted nevertheless.

    References
    ----------
    .. [1] Meinshausen, Bühlmann, "Stability selection", JRSS B 2010.

    Examples
    --------
    >>> import numpy as np
    >>> import ksparse
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((300, 30))
    >>> y = X[:, 7] - X[:, 20] + rng.standard_normal(300) > 0
    >>> ksparse.stability_selection(X, y, k=2).stable(0.9)
    array([ 7, 20])
    """
    settings = Settings.of_arguments({**locals(), "class_weight": None})
    request = Request.of(Inputs(X, sample_weight, offset, settings), y)
    refuse_blocks(request.design)
    with progress_if(verbose, "rounds") as report:
        result = solve_stability(request, k, rounds, sampling, fraction, n_jobs, report, executor)
    failed = [word for word in result.status if word != "converged"]
    if failed:
        warnings.warn(
            f"{len(failed)} of {len(result.status)} rounds did not converge ({failed[0]}): {advice_on(failed[0])}",
            ConvergenceWarning,
            stacklevel=2,
        )
    return result

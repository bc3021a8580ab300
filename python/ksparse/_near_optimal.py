"""All models that are nearly as good as the best one, by branch and bound."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from . import _core
from ._fit import solve
from ._input.progress import proof_progress_if
from ._input.request import Inputs, Request, Settings
from ._input.row_blocks import refuse_blocks
from ._results.near_optimal import NearOptimalModels
from ._results.proof import prove
from .exceptions import ConvergenceWarning
from .losses import Loss

__all__ = ["near_optimal"]


def near_optimal(
    X: ArrayLike,
    y: ArrayLike,
    k: int,
    *,
    within: float = 0.01,
    max_models: int = 1000,
    max_nodes: int | None = None,
    n_jobs: int | None = None,
    loss: str | Loss = "logistic",
    alpha: float = 0.5,
    gamma: float = 2.0,
    ridge: float = 0.0,
    fit_intercept: bool = True,
    sample_weight: ArrayLike | None = None,
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
    verbose: bool | int = 0,
) -> NearOptimalModels:
    r"""List every model of k features whose objective is close to the best one.

    A fit returns one model. Often other features would do as well, and this function lists all of these models, with a proof
    that the list is complete. It searches as :func:`ksparse.fit` does and then enumerates models by branch and bound, which
    leaves out only those that a lower bound rules out.

    Parameters
    ----------
    X : array-like or sparse matrix of shape (n_samples, n_features)
        Features, as in :func:`ksparse.fit`.
    y : array-like of shape (n_samples,)
        Labels 0 and 1, or responses for a regression loss, as in :func:`ksparse.fit`.
    k : int
        Number of features of each model. With ``bounds``, models may have fewer, because features whose coefficients end at 0 are
        left out, as in :func:`ksparse.fit`.
    within : float, default=0.01
        Models are listed if their objective is at most ``1 + within`` times the best one, >= 0.
    max_models : int, default=1000
        The search ends once there are more models than this, >= 1.
    max_nodes : int, optional
        Number of nodes after which the search ends, >= 1. By default there is no limit.
    n_jobs : int or None, default=None
        Number of threads. The list does not depend on it.
    loss, alpha, gamma : optional
        As in :func:`ksparse.fit`. For the focal losses the list is complete in so far as refits find the minimum on each
        support.
    ridge : float, default=0.0
        Weight of the ridge penalty, as in :func:`ksparse.fit`. A positive value is needed, or bounds on both sides of all coefficients.
    fit_intercept, sample_weight, offset, tolerance, max_newton : optional
        As in :func:`ksparse.fit`.
    search, max_rounds, max_refits : optional
        How long to search for the best model before the enumeration, as in :func:`ksparse.fit`.
    max_seconds : float, optional
        Time in seconds after which the enumeration ends. By default there is no limit.
    random_state : int, numpy.random.RandomState, numpy.random.Generator or None, default=0
        Seed of the random perturbations of the search, or what draws it, see :func:`ksparse.fit`.
    always_in, never_in, bounds, groups : optional
        As in :func:`ksparse.fit`.
    verbose : bool or int, default=0
        Whether to show the time, the number of nodes and of those that are left, and the gap of the best model during the
        enumeration, which needs tqdm (``pip install 'ksparse[progress]'``).

    Returns
    -------
    NearOptimalModels
        The models with their objectives, and whether the list is complete.

    Raises
    ------
    TypeError, ValueError
        If an argument is invalid, or if no lower bound is possible; the message says what would make one possible.

    Warns
    -----
    ksparse.ConvergenceWarning
        If the list is not complete, because a limit was reached.

    Examples
    --------
    >>> import numpy as np
    >>> import ksparse
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((300, 20))
    >>> X[:, 8] = X[:, 7] + 0.1 * rng.standard_normal(300)
    >>> y = X[:, 7] - X[:, 15] + 0.5 * rng.standard_normal(300) > 0
    >>> models = ksparse.near_optimal(X, y, k=2, ridge=0.01, within=0.2)
    >>> print(models)
    2 models within 20 % of the best objective; the list is complete
      features  objective  increase
      x7, x15    0.298171       0 %
      x8, x15    0.302196    1.35 %
    In all of them: x15. In some: 2 features.
    """
    settings = Settings.of_arguments({**locals(), "max_seconds": None, "class_weight": None})
    request = Request.of(Inputs(X, sample_weight, offset, settings), y)
    refuse_blocks(request.design)
    best = solve(request, k)
    with proof_progress_if(verbose) as report:
        answer = prove(
            request,
            best.k,
            [int(j) for j in best.support],
            max_seconds=max_seconds,
            max_nodes=max_nodes,
            within=within,
            max_models=max_models,
            n_jobs=n_jobs,
            report=report,
        )
    if answer.end != "optimal":
        warnings.warn(
            f"the list of models is not complete: {answer.end} was reached; raise it, or lower within",
            ConvergenceWarning,
            stacklevel=2,
        )
    return _models_of(answer, request, within, max_models)


def _models_of(answer: _core.ProofAnswer, request: Request, within: float, max_models: int) -> NearOptimalModels:
    models = answer.models[:max_models]
    return NearOptimalModels(
        supports=tuple(np.array(units, dtype=np.int64) for units, _ in models),
        objective=np.array([objective for _, objective in models], dtype=np.float64),
        within=float(within),
        complete=answer.end == "optimal",
        stopped=answer.end,
        n_features=request.n_units,
        n_nodes=int(answer.nodes),
        feature_names=request.names if request.group_labels is None else request.group_labels,
        _request=request.noted(),
    )

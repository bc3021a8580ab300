"""Fit one problem: arrays in, a result out."""

from __future__ import annotations

import warnings
from typing import Any

from numpy.typing import ArrayLike

from . import _core
from ._checks import check_integer
from ._input.request import Inputs, Request, Settings
from ._input.threads import thread_count
from ._input.validation import check_features
from ._results.fit import FitResult, result_of
from .exceptions import ConvergenceWarning
from .losses import Loss

__all__ = ["fit", "solve"]


def fit(
    X: ArrayLike,
    y: ArrayLike,
    k: int,
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
    search: str = "auto",
    max_rounds: int | None = None,
    max_refits: int | None = None,
    max_seconds: float | None = None,
    random_state: int = 0,
    walks: int = 1,
    n_jobs: int | None = None,
    start: ArrayLike | None = None,
    always_in: ArrayLike | None = None,
    never_in: ArrayLike | None = None,
    bounds: tuple[Any, Any] | None = None,
    groups: ArrayLike | None = None,
) -> FitResult:
    r"""Choose at most k features and fit a linear classifier, or a regression, on them.

    Minimises over :math:`\beta, \beta_0` with :math:`\lVert\beta\rVert_0 \le k`

    .. math:: F = \frac{1}{W}\sum_i w_i\,\ell(m_i) + \frac{\rho}{2}\lVert\beta\rVert_2^2,
              \qquad m_i = (2 y_i - 1)(x_i\cdot\beta + \beta_0 + o_i),\quad W = \sum_i w_i

    with the logistic loss :math:`\ell(m) = \log(1 + e^{-m})` or the focal loss [1]_
    :math:`\ell(m) = a\,\sigma(-m)^\gamma \log(1 + e^{-m})`, where :math:`a = \alpha` for y = 1 and :math:`1 - \alpha` for
    y = 0, or with another loss of :mod:`ksparse.losses`, of labels or of numbers; of numbers
    :math:`\ell` is a function of the linear predictor and y. The search is by splicing [2]_: features enter and change places by the exact quadratic model at the current
    point, and a change is kept only when a refit verifies that F falls; ``search`` says how far it goes.

    Parameters
    ----------
    X : array-like or sparse matrix of shape (n_samples, n_features)
        Features, finite. Read in place: float64 and float32 arrays (memory maps too) with contiguous rows or columns, and
        SciPy's CSC and CSR of these, which are neither centred nor made dense (``groups`` need a copy of a CSR matrix by columns).
        Other sparse formats, and pandas' frames of sparse columns, are converted to CSC,
        other real types to float64, other strides are copied. Sums are taken in float64 throughout. No scaling is needed: the
        choice of features does not depend on the columns' units (with ``ridge=0``).
    y : array-like of shape (n_samples,)
        Labels, 0 and 1, of which both must occur; or numbers such as a loss of regression allows.
    k : int
        Most features used, >= 0. The intercept does not count. More than X has means all of them, with a warning.
    loss : str or object of :mod:`ksparse.losses`, default="logistic"
        The loss, by name or as an object that has its parameters.
    alpha : float, default=0.5
        Focal loss: weight of the positive class, in (0, 1).
    gamma : float, default=2.0
        Focal loss: focusing exponent, >= 0; 0 is the weighted logistic loss.
    ridge : float, default=0.0
        :math:`\rho`, in units of the average loss, >= 0. Small data that are separable need it.
    fit_intercept : bool, default=True
        Whether to fit :math:`\beta_0`, which is never penalised.
    sample_weight : array-like of shape (n_samples,), optional
        Weights of the rows, >= 0.
    offset : array-like of shape (n_samples,), optional
        Added to the linear predictor, in its units.
    tolerance : float, default=1e-8
        The answer is stationary to this Newton decrement :math:`\sqrt{g^\top H^{-1} g}`, > 0.
    max_newton : int, default=100
        Newton iterations per refit, >= 1.
    search : {"auto", "fast", "thorough"}, default="auto"
        How far to search. ``fast`` is one descent, and with few features (fewer than about 100) four perturbations of its
        answer with a descent from each. ``thorough`` perturbs and descends up to 400 times or about 30000 / k refits, which
        correlated designs need. ``auto`` does so up to 40 times, and only where more than a quarter of the chosen features
        have a rival that would cost less than 1 % of F; else it is ``fast``.
    max_rounds : int, optional
        Perturbations at most, instead of the budget above.
    max_refits : int, optional
        No new perturbation after so many refits beyond the first descent, instead of the budget of ``search``.
    max_seconds : float, optional
        No new perturbation after this time, instead of the budget above. Answers may then differ between runs.
    random_state : int, default=0
        Seed of the perturbations; the same seed and budget give the same answer.
    walks : int, default=1
        Independent walks, each with a seed of its own, that share the budget of rounds and refits; each may use
        ``max_seconds``. The best end is the answer. Several find more on rugged data where time is what is limited, as they
        may run side by side; the answer depends on their number and not on ``n_jobs``.
    n_jobs : int or None, default=None
        Threads that run the walks. None: 1, or what joblib's context says; -1: all processors.
    start : array-like of int or str, optional
        Features, at most k, from which the search descends as well, such as the support of an earlier fit or one that an expert
        names. The answer is no worse than a refit of them, nor than the descent from nothing. It counts as a round.
    always_in : array-like of int or str, optional
        Features in every model, by number or, if X has column names, by name. They count towards k. One whose coefficient ends
        at 0, for it is constant or at a bound, takes its place in k but is not in ``support``, which lists what is not 0.
    never_in : array-like of int or str, optional
        Features in none.
    bounds : tuple (lower, upper), optional
        Bounds of the coefficients per unit of the columns, each a number, an array of shape (n_features,) or None, with
        lower <= 0 <= upper unless the feature is in ``always_in``. ``(0, None)``: no negative coefficient. A chosen feature whose
        coefficient ends at 0 is left out.
    groups : array-like of shape (n_features,), optional
        Label of each feature's group, an integer or a string. k then counts groups, and all features of a group are in or out;
        ``always_in`` and ``never_in`` name whole groups by any of their features.

    Returns
    -------
    FitResult
        Coefficients, support, objective and status.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it must be; the message names it and what it was.

    Warns
    -----
    ksparse.ConvergenceWarning
        If the data are separable or the fit did not converge; the message says what to change.

    References
    ----------
    .. [1] Lin, Goyal, Girshick, He, Dollár, "Focal loss for dense object detection", ICCV 2017, equation 5.
    .. [2] Zhu, Wen, Zhu, Zhang, Wang, "A polynomial algorithm for best-subset selection problem", PNAS 2020.

    Examples
    --------
    >>> import numpy as np
    >>> import ksparse
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((300, 50))
    >>> y = X[:, 7] - X[:, 30] + 0.5 * rng.standard_normal(300) > 0
    >>> result = ksparse.fit(X, y, k=2)
    >>> result.support
    array([ 7, 30])
    """
    settings = Settings.of_arguments(locals())
    request = Request.of(Inputs(X, sample_weight, offset, settings), y)
    result = solve(request, k, walks=walks, n_jobs=n_jobs, start=start)
    if not result.converged:
        warnings.warn(f"{result.status}: {result.advice}", ConvergenceWarning, stacklevel=2)
    return result


def solve(
    request: Request,
    k: Any,
    *,
    walks: Any = 1,
    n_jobs: int | None = None,
    start: Any = None,
    stop: _core.StopFlag | None = None,
    keep_data: bool = True,
) -> FitResult:
    """Solve a problem; the caller warns.

    ``stop`` ends the fit from another thread. Without ``keep_data`` the result does not keep X alive.
    """
    request.options.k = request.check_budget(k)
    request.options.walks = check_integer(walks, "walks", 1, 2**15)
    request.options.start = check_features(start, "start", request.design.shape[1], request.names)
    alone = request.options.walks == 1 and n_jobs is None  # joblib, which counts the threads, takes long to import
    answer = _core.fit(*request.arguments, request.options, stop, 1 if alone else thread_count(n_jobs))
    request.raise_if_refused(answer)
    return result_of(answer, request.options.k, request, keep_data=keep_data)

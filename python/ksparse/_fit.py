"""Fit one problem: arrays in, a result out."""

from __future__ import annotations

import warnings
from typing import Any

from numpy.typing import ArrayLike

from . import _core
from ._blocks.solve import fit_blocks, source_of
from ._checks import check_flag, check_integer, only_one
from ._input.request import Inputs, Request, Settings
from ._input.row_blocks import CountedBlocks
from ._input.threads import thread_count
from ._input.validation import check_features, refuse_list
from ._kinked_fit import fit_kinked
from ._path import budgets_of_criterion, solve_path_by, warn_of_doubts
from ._results.criteria import Criterion
from ._results.fit import FitResult, result_of
from ._told import begin_to_tell
from .exceptions import ConvergenceWarning
from .losses import Loss
from .losses._kinked import Kinked

__all__ = ["fit", "solve", "solve_inputs"]


def fit(
    X: ArrayLike,
    y: ArrayLike,
    k: int | Criterion | None = None,
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
    walks: int = 1,
    n_jobs: int | None = None,
    start: ArrayLike | None = None,
    always_in: ArrayLike | None = None,
    never_in: ArrayLike | None = None,
    bounds: tuple[Any, Any] | None = None,
    groups: ArrayLike | None = None,
    certify: bool = False,
    max_gap: float = 1e-6,
    max_nodes: int | None = None,
    k_max: int | None = None,
    ks: Any = None,
    verbose: bool | int = 0,
) -> FitResult:
    r"""Fit a model that uses at most k features, with the best ones chosen by a search over subsets.

    The model minimises, over :math:`\beta` and :math:`\beta_0` with :math:`\lVert\beta\rVert_0 \le k`, the objective

    .. math:: F = \frac{1}{W}\sum_i w_i\,\ell(m_i) + \frac{\rho}{2}\lVert\beta\rVert_2^2,
              \qquad m_i = (2 y_i - 1)(x_i\cdot\beta + \beta_0 + o_i),\quad W = \sum_i w_i

    where :math:`\ell` is the logistic loss :math:`\ell(m) = \log(1 + e^{-m})`, the focal loss [1]_
    :math:`\ell(m) = a\,\sigma(-m)^\gamma \log(1 + e^{-m})` with :math:`a = \alpha` for y = 1 and :math:`1 - \alpha` for y = 0,
    or another loss of :mod:`ksparse.losses`. Losses for regression are functions of the linear predictor and y instead of the
    margin m. The search uses splicing [2]_: an exact quadratic model at the current point proposes features to add, remove or
    exchange, and a change is kept only if a refit confirms that the objective F decreases.

    Parameters
    ----------
    X : array-like or sparse matrix of shape (n_samples, n_features), or RowBlocks
        Features, which must be finite. X that is larger than memory is passed as :class:`ksparse.RowBlocks`; a memory map in C
        order that takes more than half of the memory of the machine is read in the same way. Arrays of float64, float32, bool, uint8 or int8 (including memory maps) with contiguous
        rows or columns, and CSC and CSR matrices of float64 or float32, are read in place: they are neither copied, nor
        centred, nor made dense. (With ``groups``, a CSR matrix is copied to CSC.) Other sparse formats and pandas data frames with sparse columns are
        converted to CSC, other numeric types are converted to float64, and arrays with other strides are copied. Sums are
        always computed in float64. There is no need to scale the columns: with ``ridge=0``, the choice of features does not
        depend on their units.
    y : array-like of shape (n_samples,)
        Labels 0 and 1, both of which must occur, or for a regression loss numbers that the loss allows.
    k : int or {"aic", "bic", "ebic", "gic"}
        Maximum number of features, >= 0. The intercept does not count. If k is larger than the number of features, all of them
        may be used and a warning is given. The name of an information criterion (see :meth:`ksparse.PathResult.criterion`)
        chooses the k in [0, k_max] for which it is smallest; :func:`ksparse.fit_path` with the same name returns all of these
        fits.
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
        How long to search. ``"fast"`` is a single descent; with fewer than about 100 features, it is followed by four rounds
        that perturb the best support and descend again. ``"thorough"`` makes up to 800 such rounds or about 80000 / k refits,
        which is useful for strongly correlated features and for dummies. ``"auto"`` makes up to 40 rounds, fewer if
        restarts come back to the same support, but only if more than a quarter of the chosen features could each be replaced by
        another one at a cost of less than 1 % of F; otherwise it is the same as ``"fast"``. No search proves that its answer is the best.
    max_rounds : int, optional
        Maximum number of perturbation rounds. By default ``search`` sets this limit.
    max_refits : int, optional
        Number of refits after the first descent beyond which no further round begins. By default ``search`` sets this limit.
    max_seconds : float, optional
        Time in seconds beyond which no further round begins; answers may then differ between runs. By default ``search`` sets
        the limits.
    random_state : int, numpy.random.RandomState, numpy.random.Generator or None, default=0
        Seed of the random perturbations, or what draws it, as in scikit-learn: None draws it from NumPy's global generator. The
        same seed and limits give the same answer.
    walks : int, default=1
        Number of independent searches, each with its own seed, that share the limits on rounds and refits; ``max_seconds``
        applies to each. The best result is returned. Several walks can run in parallel (``n_jobs``), which helps on difficult
        data when time is limited. The answer depends on ``walks`` but not on ``n_jobs``.
    n_jobs : int or None, default=None
        Number of threads, as in scikit-learn: None means 1 unless a ``joblib.parallel_config`` is active, and -1 means all
        processors. Threads run the walks, or divide the sums over X if there is one walk; they help if X has many entries. The
        answer does not depend on their number.
    start : array-like of int or str, optional
        Up to k features from which an additional descent starts, e.g. the support of an earlier fit or features that an expert
        suggests. The result is at least as good as a refit on these features, and as a fit without them. The descent counts as
        a round.
    always_in : array-like of int or str, optional
        Features that every model contains, given by index or, if X has column names, by name. They count towards ``k``. A
        feature whose coefficient ends at 0, because its column is constant or its coefficient is at a bound, counts as well but
        is not listed in ``support``.
    never_in : array-like of int or str, optional
        Features that no model contains, given by index or by name.
    bounds : tuple (lower, upper), optional
        Lower and upper bounds of the coefficients, in the units of the columns. Each is a number, an array of shape
        (n_features,) or None (no bound), with lower <= 0 <= upper unless the feature is in ``always_in``. For example,
        ``(0, None)`` excludes negative coefficients. A chosen feature whose coefficient ends at 0 is removed from the support.
    groups : array-like of shape (n_features,), optional
        Group label of each feature, an integer or a string. The features of a group enter and leave the model together, and
        ``k`` counts groups. ``always_in`` and ``never_in`` refer to whole groups, named by any of their features.
    certify : bool, default=False
        Whether to prove how far the answer can be from the best one, by :meth:`FitResult.certify`. The search then has the
        limits of ``search``, ``max_rounds`` and ``max_refits``, and ``max_seconds`` limits the proof. A proof needs
        a ridge penalty.
    max_gap : float, default=1e-6
        With ``certify``, the relative gap at which the proof ends, > 0.
    max_nodes : int, optional
        With ``certify``, the number of nodes after which the proof ends. By default there is no limit.
    k_max : int, optional
        The largest k that an information criterion considers. By default 10, or all features if there are fewer.
    ks : int or {"aic", "bic", "ebic", "gic"}, optional
        Another name of ``k``. For several values of k use :func:`ksparse.fit_path`.
    verbose : bool or int, default=0
        Whether to print the size of the problem before the fit, and after it the result and how much work the search was.

    Returns
    -------
    FitResult
        The coefficients, the support, the objective and the status.

    Raises
    ------
    TypeError, ValueError
        If an argument is invalid; the message names the argument, its value and what it must be.

    Warns
    -----
    ksparse.ConvergenceWarning
        If the classes are separable or the fit did not converge; the message says what to change.

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
    settings = Settings.of_arguments({**locals(), "max_seconds": None if check_flag(certify, "certify") else max_seconds})
    budget = only_one("k", k, "ks", ks)
    inputs = Inputs(X, sample_weight, offset, settings)
    if isinstance(settings.checked_loss(), Kinked):
        return warned(solve_inputs(inputs, y, budget, walks=walks, n_jobs=n_jobs, start=start, certify=certify))
    request = Request.of(inputs, y)
    if certify and isinstance(request.design, CountedBlocks):
        raise ValueError("certify is True, but X comes in blocks; a proof needs X in memory")
    tell = begin_to_tell(verbose, request, budget)
    if isinstance(budget, str):
        path = solve_path_by(budget, request, budgets_of_criterion(budget, request, k_max), n_jobs)
        warn_of_doubts({"": path._doubts(budget)}, ConvergenceWarning, stacklevel=3)
        result = path.best(budget)
    else:
        result = solve(request, budget, walks=walks, n_jobs=n_jobs, start=start)
    tell(result)
    warned(result)
    if certify:
        return result.certify(max_gap=max_gap, max_seconds=max_seconds, max_nodes=max_nodes, n_jobs=n_jobs)
    return result


def warned(result: FitResult) -> FitResult:
    """Warn if a fit did not converge, and return its result."""
    if not result.converged:
        warnings.warn(f"{result.status}: {result.advice}", ConvergenceWarning, stacklevel=3)
    return result


def solve_inputs(
    inputs: Inputs,
    y: Any,
    k: Any,
    *,
    walks: Any = 1,
    n_jobs: int | None = None,
    start: Any = None,
    certify: bool = False,
    note_data: bool = True,
) -> FitResult:
    """Check and solve a problem with any loss; the caller proves, if ``certify`` is set, and warns."""
    loss = inputs.settings.checked_loss()
    if isinstance(loss, Kinked):
        if certify:
            raise ValueError(f"certify is True, but there is no proof for the loss {loss.name!r}; use {loss._smooth!r}")
        return fit_kinked(inputs, y, loss, k, walks=walks, n_jobs=n_jobs, start=start)
    return solve(Request.of(inputs, y), k, walks=walks, n_jobs=n_jobs, start=start, note_data=note_data)


def solve(
    request: Request,
    k: Any,
    *,
    walks: Any = 1,
    n_jobs: int | None = None,
    start: Any = None,
    stop: _core.StopFlag | None = None,
    keep_data: bool = True,
    note_data: bool = True,
) -> FitResult:
    """Solve a problem; the caller warns.

    ``stop`` ends the fit from another thread. Without ``keep_data`` the result does not keep X alive. Without
    ``note_data`` it does not notice later changes of the data, for estimators, which take the data from it at once.
    """
    refuse_list(k, "ksparse.fit_path(X, y, ks)")
    request.options.k = request.check_budget(k)
    request.options.walks = check_integer(walks, "walks", 1, 2**15)
    request.options.start = check_features(start, "start", request.design.shape[1], request.names)
    if (blocks := source_of(request, 1 if n_jobs is None else thread_count(n_jobs))) is not None:
        if request.options.walks > 1:
            raise ValueError(f"walks is {walks}, but X comes in blocks, for which it must be 1")
        options = request.new_options()
        options.k, options.start = request.options.k, request.options.start
        return result_of(fit_blocks(blocks, request.loss, options, request.options), options.k, request, keep_data=False)
    alone = request.options.walks == 1 and n_jobs is None  # joblib, which counts the threads, takes long to import
    answer = _core.fit(request.problem, request.options, stop, 1 if alone else thread_count(n_jobs))
    request.raise_if_refused(answer)
    return result_of(answer, request.options.k, request, keep_data=keep_data, note_data=note_data)

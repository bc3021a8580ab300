"""The solver that uses the search of :func:`ksparse.fit` for any objective."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import _core
from .._checks import check_choice
from ._arguments import check_whole, usual_sparsity
from ._configured import SCOPE_SETTINGS
from ._derivatives import ObjectiveError
from ._problem import Outcome, Problem, Question
from ._scaled import BelowScaleError, ScaledObjective
from ._solver import Solver

__all__ = ["ScopeSolver", "outcome_of"]


class ScopeSolver(Solver):
    r"""Minimise any objective over at most s non-zero parameters, using the search of ksparse.

    It replaces skscope's solver of the same name, with the same arguments, and solves

    .. math:: \min_x f(x) \quad\text{subject to}\quad \lVert x\rVert_0 \le s

    The search is that of :func:`ksparse.fit`: an exact quadratic model proposes exchanges of parameters, and refits by Newton's
    method on the chosen parameters verify them. The objective is a function in JAX, which is differentiated and compiled once,
    or a function in NumPy with its gradient. If it is a function of linear predictors (``f(X @ params)`` with a loss for each
    row, plus a penalty for each parameter), this is detected, and the search costs little more than one with a built-in loss.
    For logistic and focal losses, :func:`ksparse.fit` is faster still.

    An objective in JAX is evaluated in float64, whatever the setting ``jax_enable_x64`` is, and the setting is not changed. An
    objective that was traced in float32 is rewritten, with the arrays in its closure as float32 has rounded them (``data`` are
    not rounded). Only if this is impossible, as with random numbers or callbacks to Python, it is evaluated in float32.

    Parameters
    ----------
    dimensionality : int
        Number of parameters p.
    sparsity : int or array-like of int, optional
        Maximum number of non-zero parameters, or of groups. If there are several values, ``ic_method`` or ``cv`` chooses one of
        them. By default, all values from the size of ``preselect`` to ``int(p / log(log(p)) / log(p))`` are tried, where p is
        the number of parameters or groups; up to p if that is 5 or less.
    sample_size : int, default=1
        Number of samples, which ``ic_method`` and ``cv`` need.
    preselect : array-like of int, default=()
        Parameters, or groups, that are always chosen. They count towards ``sparsity``.
    numeric_solver : callable, optional
        The user's own function for refits, with the arguments of :func:`ksparse.scope.convex_solver_LBFGS`, e.g. to keep the parameters
        within a set. By default refits are by the Newton method of ksparse.
    max_iter : int, default=20
        A setting of skscope's search without an effect here.
    ic_method : callable, optional
        ``ic_method(objective, p, s, n)`` returns the criterion that is minimised over several sparsities. As in skscope, s is
        the number of chosen parameters, n is ``sample_size``, and p is the number of parameters or groups.
    cv : int, default=1
        Number of folds of cross-validation. With 1 there is none.
    split_method : callable, optional
        ``split_method(data, index)`` returns a part of the data for cross-validation.
    cv_fold_id : array-like of shape (sample_size,), optional
        Fold of each sample. By default the folds are those of scikit-learn's ``KFold`` with shuffling.
    group : array-like of shape (dimensionality,), optional
        Group of each parameter, numbered from 0 without gaps and non-decreasing. Groups are chosen as a whole, and
        ``sparsity``, ``preselect`` and ``init_support_set`` then refer to groups.
    important_search : int, default=128
        A setting of skscope's search without an effect here.
    screening_size : int, default=-1
        A setting of skscope's search without an effect here.
    max_exchange_num : int, default=5
        A setting of skscope's search without an effect here.
    is_dynamic_max_exchange_num : bool, default=True
        A setting of skscope's search without an effect here.
    greedy : bool, default=True
        A setting of skscope's search without an effect here.
    splicing_type : str, default="halve"
        A setting of skscope's search without an effect here.
    path_type : {"seq", "gs"}, default="seq"
        With ``"gs"``, all sparsities from ``gs_lower_bound`` to ``gs_upper_bound`` are tried.
    gs_lower_bound : int, optional
        Smallest sparsity for ``path_type="gs"``. By default the size of ``preselect``.
    gs_upper_bound : int, optional
        Largest sparsity for ``path_type="gs"``. By default the largest default value of ``sparsity``.
    thread : int, default=1
        Accepted as in skscope, but without an effect.
    random_state : int, optional
        Seed of the folds and of the perturbations of the search. None means 0.
    console_log_level : str, default="off"
        Accepted as in skscope, but without an effect.
    file_log_level : str, default="off"
        Accepted as in skscope, but without an effect.
    log_file_name : str, default="logs/skscope.log"
        Accepted as in skscope, but without an effect.
    search : {"auto", "fast", "thorough"}, default="auto"
        How long to search, see :func:`ksparse.fit`. skscope does not have this argument.

    Attributes
    ----------
    params : ndarray of shape (dimensionality,)
        The parameters at the minimum.
    support_set : ndarray of int64
        Indices of the chosen parameters, sorted.
    objective_value : float
        The objective at ``params``.
    information_criterion, cross_validation_loss : float or None
        The value by which one of several sparsities was chosen.
    status, advice : str
        How the search ended, as in :class:`ksparse.FitResult`, and what to do about it, or about points at which the objective
        was not finite.
    n_refused : int
        Number of points that were skipped because the objective or a derivative was not finite there.
    n_newton, n_refits, n_scans, n_rounds, n_restarts, times_found : int
        Amount of work, as in :class:`ksparse.FitResult`.
    hessian : callable or None
        As in skscope, this can be set to a function, which is then used as ``hessian`` in each :meth:`solve` with a
        ``gradient``.
    use_hessian : bool
        As in skscope, this can be set; the Hessian is used in any case.

    See Also
    --------
    ksparse.fit : Fits models with built-in losses.

    References
    ----------
    .. [1] Wang, Zhu, Wang, Zhu, Zhang, Zhu, "skscope: fast sparsity-constrained optimization in Python", JMLR 2024.

    Examples
    --------
    >>> import numpy as np
    >>> import ksparse
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((100, 20))
    >>> y = X[:, 3] - 2 * X[:, 11]
    >>> solver = ksparse.ScopeSolver(20, sparsity=2)
    >>> params = solver.solve(
    ...     lambda params: np.mean((y - X @ params) ** 2), gradient=lambda params: -2 * X.T @ (y - X @ params) / 100
    ... )
    >>> solver.get_support()
    array([ 3, 11])
    """

    _without_effect: ClassVar[Any] = SCOPE_SETTINGS

    hessian: Any = None
    use_hessian: Any = False

    def __init__(
        self,
        dimensionality: int,
        sparsity: Any = None,
        sample_size: int = 1,
        *,
        preselect: ArrayLike = (),
        numeric_solver: Callable[..., Any] | None = None,
        max_iter: int = 20,
        ic_method: Callable[[float, int, int, int], float] | None = None,
        cv: int = 1,
        split_method: Callable[[Any, NDArray[np.int64]], Any] | None = None,
        cv_fold_id: ArrayLike | None = None,
        group: ArrayLike | None = None,
        important_search: int = 128,
        screening_size: int = -1,
        max_exchange_num: int = 5,
        is_dynamic_max_exchange_num: bool = True,
        greedy: bool = True,
        splicing_type: str = "halve",
        path_type: str = "seq",
        gs_lower_bound: int | None = None,
        gs_upper_bound: int | None = None,
        thread: int = 1,
        random_state: int | None = None,
        console_log_level: str = "off",
        file_log_level: str = "off",
        log_file_name: str = "logs/skscope.log",
        search: str = "auto",
    ):
        self.dimensionality = dimensionality
        self.sparsity = sparsity
        self.sample_size = sample_size
        self.preselect = preselect
        self.numeric_solver = numeric_solver
        self.max_iter = max_iter
        self.ic_method = ic_method
        self.cv = cv
        self.split_method = split_method
        self.cv_fold_id = cv_fold_id
        self.group = group
        self.important_search = important_search
        self.screening_size = screening_size
        self.max_exchange_num = max_exchange_num
        self.is_dynamic_max_exchange_num = is_dynamic_max_exchange_num
        self.greedy = greedy
        self.splicing_type = splicing_type
        self.path_type = path_type
        self.gs_lower_bound = gs_lower_bound
        self.gs_upper_bound = gs_upper_bound
        self.thread = thread
        self.random_state = random_state
        self.console_log_level = console_log_level
        self.file_log_level = file_log_level
        self.log_file_name = log_file_name
        self.search = search

    def _without_effect_now(self) -> list[str]:
        unused = ("gs_lower_bound", "gs_upper_bound") if self.path_type == "seq" else ("sparsity",)
        return [*super()._without_effect_now(), *(name for name in unused if getattr(self, name) is not None)]

    def _sparsities(self, p: int, n_groups: int, least: int) -> list[int]:
        if self.path_type not in ("seq", "gs"):
            raise ValueError(f"path_type should be 'seq' or 'gs'. path_type is {self.path_type!r}")
        values = self._golden(n_groups, least) if self.path_type == "gs" else super()._sparsities(p, n_groups, least)
        size = check_whole(self.screening_size, "screening_size", -1)
        if size > 0 and not values[-1] <= size <= n_groups:
            raise ValueError(
                f"screening_size should be between sparsity and dimensionality. screening_size is {size}; it must be between "
                f"{values[-1]} and {n_groups}"
            )
        return values

    def _golden(self, n_groups: int, least: int) -> list[int]:
        """Return all sparsities between the bounds of ``path_type="gs"``."""
        low, high = self.gs_lower_bound, self.gs_upper_bound
        low = least if low is None else check_whole(low, "gs_lower_bound", 0)
        high = max(low, usual_sparsity(n_groups)) if high is None else check_whole(high, "gs_upper_bound", 0)
        if low < least or high > n_groups:
            raise ValueError(
                "gs_lower_bound and gs_upper_bound should be between 0 and dimensionality. They are "
                f"{low} and {high}; they must be between {least}, the size of preselect, and {n_groups}"
            )
        if low > high:
            raise ValueError(f"gs_upper_bound should be larger than gs_lower_bound. They are {low} and {high}")
        self._check_choice(1 if self.ic_method is None else high - low + 1)
        return list(range(low, high + 1))

    def _own_hessian(self) -> Callable[..., Any] | None:
        if self.hessian is not None and not callable(self.hessian):
            raise TypeError(f"the attribute hessian is {self.hessian!r}; it must be a function of the parameters")
        return self.hessian

    def _size(self, outcome: Outcome, k: int, question: Question) -> tuple[int, int]:
        return question.n_groups, len(outcome.support)

    def _solve_each(self, problem: Problem, sparsities: list[int]) -> list[Outcome]:
        check_choice(self.search, "search", ("auto", "fast", "thorough"))
        seed = 0 if self.random_state is None else check_whole(self.random_state, "random_state", 0, 2**64 - 1)
        p, answers = len(problem.groups), problem.answers
        while True:
            options = problem.options(sparsities[-1], self.search, seed)
            try:
                if len(sparsities) == 1:
                    found = [_core.fit_objective(answers, p, options)]
                else:
                    found = _core.fit_objective_path(answers, p, sparsities, options)
                break
            except BelowScaleError as below:
                problem.objective.rescale(below.value)
        return [outcome_of(answer, problem.objective) for answer in found]


def outcome_of(answer: Any, scaled: ScaledObjective) -> Outcome:
    """Return a result of the core in the user's units."""
    if len(answer.support) == 0 and scaled.starts_elsewhere:
        raise ObjectiveError(
            "no parameter alone lowers the objective from where init_params are, and it is not finite where all are 0: there is no "
            "sparse point to be found"
        )
    counts = {
        name: getattr(answer, name) for name in ("n_refits", "n_newton", "n_scans", "n_rounds", "n_restarts", "times_found")
    }
    return Outcome(answer.coef * scaled.units, answer.support, scaled.scaling.back(answer.objective), answer.status, counts)

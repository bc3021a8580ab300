"""Solvers with skscope's names and arguments for any objective under a constraint of sparsity."""

from __future__ import annotations

import inspect
import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import KFold

from .. import _core
from .._checks import check_choice, check_integer
from ..exceptions import ConvergenceWarning
from ..losses import Loss
from ._built_in import check_data, functions_of_loss
from ._derivatives import Derivatives, HostDerivatives, ObjectiveError, Vector, describe
from ._escape import lower_point
from ._interrupts import Interrupts
from ._jax import NotDiagonalError, Traced, derivatives_of, double_precision, jax_module, trace
from ._party import BelowScaleError, Party
from ._problem import Outcome, Problem

__all__ = ["MOST_STARTS", "ScopeSolver", "Solver", "outcome_of"]

# Searches from one more start each, where the one before ended at a maximum or a saddle.
MOST_STARTS = 5


class Solver:
    """What all solvers share: arguments, the objective's derivatives, the choice of a sparsity, results.

    A subclass stores its arguments and says in :meth:`_solve_each` how to solve for each of some sparsities.
    """

    # Arguments of skscope that mean nothing here, with the only value that is accepted.
    _fixed: ClassVar[dict[str, Any]] = {}
    _stacklevel = 2  # of the warning that solve() gives

    dimensionality: Any
    sparsity: Any
    sample_size: Any
    preselect: Any
    group: Any
    ic_method: Any
    cv: Any
    split_method: Any
    cv_fold_id: Any
    random_state: Any

    # ------------------------------------------------------------------------------------------------------- arguments

    def _own_hessian(self) -> Callable[..., Any] | None:
        """Return the Hessian that was set as an attribute, where there is such a thing."""
        return None

    @classmethod
    def _names(cls) -> list[str]:
        return [name for name in inspect.signature(cls.__init__).parameters if name != "self"]

    def get_config(self, deep: bool = True) -> dict[str, Any]:
        """Return the arguments of the solver.

        Parameters
        ----------
        deep : bool, default=True
            Accepted as in scikit-learn; a solver has no others inside.

        Returns
        -------
        dict
            Values by name.
        """
        return {name: getattr(self, name) for name in self._names()}

    def set_config(self, **params: Any) -> Solver:
        """Change arguments of the solver.

        Parameters
        ----------
        **params : dict
            Arguments by name.

        Returns
        -------
        Solver
            The solver itself.

        Raises
        ------
        ValueError
            If there is no such argument.
        """
        for name, value in params.items():
            if name not in self._names():
                raise ValueError(f"{type(self).__name__} has no argument {name!r}; it has {', '.join(self._names())}")
            setattr(self, name, value)
        return self

    get_params = get_config
    set_params = set_config

    def __repr__(self) -> str:
        """Return the call that makes the solver, without arguments that are as they are by default."""
        defaults = inspect.signature(type(self).__init__).parameters
        words = [str(self.dimensionality)]
        for name in self._names()[1:]:
            value = getattr(self, name)
            if not _same(value, defaults[name].default):
                words.append(f"{name}={value!r}")
        return f"{type(self).__name__}({', '.join(words)})"

    def _refuse_unsupported(self) -> None:
        for name, only in self._fixed.items():
            value = getattr(self, name)
            if not _same(value, only):
                raise ValueError(
                    f"{name} is {value!r}; ksparse's search has nothing that it could set, and takes {only!r} alone: leave it out"
                )

    # ----------------------------------------------------------------------------------------------------------- solve

    def solve(
        self,
        objective: Callable[..., Any] | Loss,
        data: Any = None,
        layers: Sequence[Any] = (),
        init_support_set: ArrayLike | None = None,
        init_params: ArrayLike | None = None,
        gradient: Callable[..., Any] | None = None,
        jit: bool = False,
        *,
        hessian: Callable[..., Any] | None = None,
        hessian_product: Callable[..., Any] | None = None,
    ) -> NDArray[np.float64]:
        """Minimise an objective over parameters of which few are not zero.

        Parameters
        ----------
        objective : callable or Loss
            ``objective(params)``, or ``objective(params, data)`` if there are data, returns the real number to be minimised;
            ``params`` has shape (dimensionality,). Without ``gradient`` it must be written in JAX, which is only then imported.
            A loss of :mod:`ksparse.losses` stands for its average over the rows of ``data=(X, y)``; :func:`ksparse.fit` does the
            same faster.
        data : any, optional
            Passed on to the objective and its derivatives.
        layers : sequence, default=()
            Objects of skscope: ``NonNegative`` and ``BoxConstraint`` are taken as bounds of the parameters. Others are refused.
        init_support_set : array-like of int, optional
            Parameters, or groups where there are groups, from which the search begins as well.
        init_params : array-like of shape (dimensionality,), optional
            Parameters at which the search begins as well: at those of ``init_support_set``, or at as many of the largest as may be
            chosen. It matters if the objective has several minima. Also the place of the first scan if the objective is
            not finite where all parameters are 0.
        gradient : callable, optional
            With the arguments of the objective, returns its gradient, shape (dimensionality,). Objective and gradient are then
            called with arrays of NumPy.
        jit : bool, default=False
            Whether to compile objective and gradient by JAX if there is a ``gradient``. An objective without one is compiled in
            any case, once for all calls with the same form and shapes.
        hessian : callable, optional
            With ``gradient``: returns the Hessian, shape (dimensionality, dimensionality). Without it, differences of gradients
            are used, one gradient for each chosen parameter, and one for each of the parameters of a scan.
        hessian_product : callable, optional
            With ``gradient``: ``hessian_product(params, vector[, data])`` returns the Hessian times a vector.

        Returns
        -------
        ndarray of shape (dimensionality,)
            The parameters found, at most ``sparsity`` of them, or of their groups, not zero.

        Raises
        ------
        TypeError, ValueError
            If an argument is not what it must be, or the objective returns what is not a finite real number at the start; the
            message names it.
        ModuleNotFoundError
            If there is no gradient and JAX is not installed.

        Warns
        -----
        ksparse.ConvergenceWarning
            If the answer is not a proper minimum; ``advice`` says what to do.
        """
        self._refuse_unsupported()
        p = check_integer(self.dimensionality, "dimensionality", 1)
        groups = _check_group(self.group, p)
        n_groups = int(groups[-1]) + 1
        required = _check_numbers(self.preselect, "preselect", n_groups)
        start = _check_numbers(init_support_set, "init_support_set", n_groups)
        sparsities = self._sparsities(p, n_groups, len(required))
        init = None if init_params is None else _check_params(init_params, "init_params", p)
        bounds = _bounds_of(layers, p)
        if isinstance(objective, Loss):
            if gradient is not None or hessian is not None or hessian_product is not None:
                raise ValueError(f"objective is {objective!r}, a loss, which has its own derivatives; give no others")
            data = check_data(data, objective, p)
            objective, gradient, hessian = functions_of_loss(objective)
        if not callable(objective):
            raise TypeError(f"objective is {objective!r}; it must be a function of the parameters")
        for name, function in (("gradient", gradient), ("hessian", hessian), ("hessian_product", hessian_product)):
            if function is not None and not callable(function):
                raise TypeError(f"{name} is {function!r}; it must be a function of the parameters")
            if function is not None and gradient is None:
                raise ValueError(f"{name} is given without gradient; give both, or neither for an objective written in JAX")
        if hessian is None and hessian_product is None and gradient is not None:
            hessian = self._own_hessian()
        functions = (objective, gradient, hessian, hessian_product)
        widest = int(np.bincount(groups).max())

        def solve_on(data: Any) -> list[Outcome]:
            return self._solve_on(functions, data, jit, groups, required, start, sparsities, init, bounds, widest, interrupts)

        self.__dict__.pop("params", None)  # of an earlier call, should this one fail
        self.information_criterion: float | None = None
        self.cross_validation_loss: float | None = None
        folds = check_integer(self.cv, "cv", 1)
        with Interrupts() as interrupts:
            if folds > 1:
                means = self._validate(solve_on, functions, data, folds, p)
                best = int(np.argmin(means))
                self.cross_validation_loss = float(means[best])
                sparsities = [sparsities[best]]
                outcome = solve_on(data)[0]
            else:
                outcomes = solve_on(data)
                outcome = outcomes[0] if self.ic_method is None else self._choose(outcomes, sparsities, groups)
        self._keep(outcome)
        if outcome.status != "converged":
            warnings.warn(f"{outcome.status}: {self.advice}", ConvergenceWarning, stacklevel=self._stacklevel)
        return self.params

    def _solve_on(
        self,
        functions: tuple[Any, ...],
        data: Any,
        jit: bool,
        groups: NDArray[np.int64],
        required: list[int],
        start: list[int],
        sparsities: list[int],
        init: Vector | None,
        bounds: tuple[Vector | None, Vector | None],
        widest: int,
        interrupts: Interrupts,
    ) -> list[Outcome]:
        p = len(groups)
        objective, gradient, hessian, hessian_product = functions
        arguments = () if data is None else (data,)
        traced: Traced | None = None
        directions = _directions(p, sum(sorted(np.bincount(groups), reverse=True)[: max(sparsities)]))
        if gradient is None:
            traced = trace(objective, arguments, p, directions)
            interrupts.check()
        linear = True
        with interrupts.waiting(traced is not None), double_precision(traced is not None and traced.rewritten):
            while True:
                derivatives: Derivatives
                if traced is None:
                    if jit:
                        objective, gradient = (jax_module().jit(function) for function in (objective, gradient))
                    derivatives = HostDerivatives(p, objective, gradient, hessian, hessian_product, arguments)
                    first = _first_point(derivatives, init)
                else:
                    derivatives = derivatives_of(traced, directions, np.zeros(p), linear=linear)
                    first = _first_point(derivatives, init)
                try:
                    derivatives.before_evaluation = interrupts.check
                    party = Party(derivatives, first, init, *bounds, stride=widest)
                    problem = Problem(derivatives, party, groups, required, start)
                    if init is not None and not start:
                        problem.begin_at(init, max(sparsities))
                    outcomes = self._leave_maxima(problem, sparsities, self._solve_each(problem, sparsities))
                    break
                except NotDiagonalError:
                    linear = False
        self._note_refused(party)
        return outcomes

    def _leave_maxima(self, problem: Problem, sparsities: list[int], outcomes: list[Outcome]) -> list[Outcome]:
        """Search again, from a lower point, where an answer has fewer parameters than it may have and is no minimum."""
        better: list[Outcome] = []
        from_start = problem.start  # after which the search looks at nothing else, should it leave nowhere to go from 0
        for k, outcome in zip(sparsities, outcomes, strict=True):
            best = min((outcome, *better), key=lambda one: one.value)  # one for a smaller k is one for this
            if from_start and problem.party.is_stationary:
                lower = lower_point(problem, problem.at_start(), k)
                if lower is not None:
                    best = min(best, self._solve_from(problem, lower, k), key=lambda one: one.value)
            for _ in range(MOST_STARTS):
                lower = lower_point(problem, best, k)
                if lower is None:
                    break
                found = self._solve_from(problem, lower, k)
                if not found.value < best.value:
                    best.status = "stalled"
                    break
                best = found
            better.append(best)
        return better

    def _solve_from(self, problem: Problem, params: Vector, k: int) -> Outcome:
        problem.begin_at(params, k)
        return self._solve_each(problem, [k])[0]

    def _solve_each(self, problem: Problem, sparsities: list[int]) -> list[Outcome]:
        raise NotImplementedError

    def _note_refused(self, party: Party) -> None:
        self.n_refused = party.refused
        self._refused_point = party.last_refused

    # ------------------------------------------------------------------------------------------------ choice of sparsity

    def _sparsities(self, p: int, n_groups: int, least: int) -> list[int]:
        """Return the sparsities to solve for, increasing."""
        given = self.sparsity
        if given is None:
            given = range(least, max(least, _usual_sparsity(n_groups)) + 1)
        many = isinstance(given, (range, list, tuple, set)) or (isinstance(given, np.ndarray) and given.ndim > 0)
        values = sorted(
            {check_integer(value, "sparsity", 0, n_groups, _what(p, n_groups)) for value in (given if many else [given])}
        )
        if not values:
            raise ValueError("sparsity is empty; it must name at least one number of parameters")
        if values[0] < least:
            raise ValueError(f"sparsity is {values[0]}, but preselect names {least}; sparsity counts these as well")
        if len(values) > 1 and self.ic_method is None and check_integer(self.cv, "cv", 1) == 1:
            raise ValueError(
                "sparsity has several values, but there is nothing to choose by: give ic_method and sample_size, or cv > 1"
            )
        if self.ic_method is not None and not callable(self.ic_method):
            raise TypeError(f"ic_method is {self.ic_method!r}; it must be a function (objective, p, s, n) -> number")
        if self.ic_method is not None and self.cv == 1 and self.sample_size == 1:
            raise ValueError(
                "sample_size is 1, but ic_method is given, which needs to know the number of samples: give sample_size"
            )
        return values

    def _choose(self, outcomes: list[Outcome], sparsities: list[int], groups: NDArray[np.int64]) -> Outcome:
        n = check_integer(self.sample_size, "sample_size", 2)
        values = [
            float(self.ic_method(outcome.value, *self._size(outcome, k, groups), n))
            for outcome, k in zip(outcomes, sparsities, strict=True)
        ]
        if not np.isfinite(values).all():
            worst = int(np.flatnonzero(~np.isfinite(values))[0])
            raise ValueError(f"ic_method returned {values[worst]} for {len(outcomes[worst].support)} parameters")
        best = int(np.argmin(values))
        self.information_criterion = values[best]
        return outcomes[best]

    def _size(self, outcome: Outcome, k: int, groups: NDArray[np.int64]) -> tuple[int, int]:
        """Return p and s of the criterion: those that skscope's solvers hand over, but for ``ScopeSolver``."""
        return len(groups), k

    def _validate(
        self, solve_on: Callable[[Any], list[Outcome]], functions: tuple[Any, ...], data: Any, folds: int, p: int
    ) -> NDArray[np.float64]:
        """Return the mean objective on the parts left out, for each sparsity."""
        n = check_integer(self.sample_size, "sample_size", folds)
        if data is None:
            raise ValueError("cv > 1 needs data, of which the objective sees a part at a time")
        if not callable(self.split_method):
            raise TypeError(f"split_method is {self.split_method!r}; cv > 1 needs a function (data, index) -> part of the data")
        if self.cv_fold_id is None:
            seed = 0 if self.random_state is None else check_integer(self.random_state, "random_state", 0, 2**32 - 1)
            fold_of = np.empty(n, dtype=np.int64)
            for fold, (_, left_out) in enumerate(KFold(folds, shuffle=True, random_state=seed).split(np.empty(n))):
                fold_of[left_out] = fold
        else:
            labels = np.asarray(self.cv_fold_id)
            if labels.shape != (n,):
                raise ValueError(f"cv_fold_id has shape {labels.shape}; it must have shape ({n},), that of sample_size")
            names, fold_of = np.unique(labels, return_inverse=True)
            if len(names) != folds:
                raise ValueError(f"cv_fold_id names {len(names)} folds, but cv is {folds}")
        losses = []
        for fold in range(folds):
            outcomes = solve_on(self.split_method(data, np.flatnonzero(fold_of != fold)))
            left_out = self.split_method(data, np.flatnonzero(fold_of == fold))
            losses.append([_value_at(functions[0], outcome.params, left_out) for outcome in outcomes])
        return np.mean(losses, axis=0)

    # --------------------------------------------------------------------------------------------------------- results

    def _keep(self, outcome: Outcome) -> None:
        self.params = outcome.params
        self.support_set = outcome.support
        self.objective_value = outcome.value
        self.status = outcome.status
        self.n_refits = outcome.counts.get("n_refits", 0)
        self.n_newton = outcome.counts.get("n_newton", 0)
        self.n_scans = outcome.counts.get("n_scans", 0)
        self.n_rounds = outcome.counts.get("n_rounds", 0)
        self.times_found = outcome.counts.get("times_found", 1)
        words = [_ADVICE.get(outcome.status, "")]
        if self.n_refused:
            where = "" if self._refused_point is None else f", the last of them {describe(self._refused_point)}"
            words.append(
                f"the objective or a derivative of it was not finite at {self.n_refused} of the points tried{where}; the search "
                "went around them. Where it overflows for no need, write it in another way: jax.nn.softplus(-m) for "
                "-log(1 / (1 + exp(-m)))"
            )
        self.advice = "; ".join(word for word in words if word)

    def _result(self, name: str) -> Any:
        if not hasattr(self, "params"):
            raise AttributeError(f"there is no {name} yet: call solve() first")
        return getattr(self, name)

    def get_result(self) -> dict[str, Any]:
        """Return what the last call of :meth:`solve` found.

        Returns
        -------
        dict
            ``params``, ``support_set``, ``objective_value``, ``information_criterion`` and ``cross_validation_loss``, the last
            two None where they were not used.
        """
        names = ("params", "support_set", "objective_value", "information_criterion", "cross_validation_loss")
        return {name: self._result(name) for name in names}

    def get_estimated_params(self) -> NDArray[np.float64]:
        """Return the parameters that were found.

        Returns
        -------
        ndarray of shape (dimensionality,)
            Zero but for the support.
        """
        return np.asarray(self._result("params"))

    def get_support(self) -> NDArray[np.int64]:
        """Return the parameters that were chosen.

        Returns
        -------
        ndarray of int64
            Their numbers, sorted.
        """
        return np.asarray(self._result("support_set"))


_ADVICE = {
    "max_iterations": "a refit did not end within its iterations: the objective may have no minimum on the chosen parameters; add a penalty",
    "separable": "the objective falls towards 0 for ever along the chosen parameters, whose size means nothing; add a penalty",
    "stalled": "the descent stopped before it came to a minimum: the objective is rough, or not finite, near the answer, or its "
    "derivatives are not its own; write it so that it neither overflows nor cancels, or check its derivatives",
}


class ScopeSolver(Solver):
    r"""Minimise any objective over at most s parameters that are not zero, by ksparse's search.

    Takes the place of skscope's solver of this name, with its arguments:

    .. math:: \min_x f(x) \quad\text{subject to}\quad \lVert x\rVert_0 \le s

    The search is that of :func:`ksparse.fit`: exchanges of parameters by the exact quadratic model, verified by refits, by
    Newton's method with the Hessian on the chosen parameters. The objective is a function in JAX, which is differentiated and
    compiled once, or one in NumPy with its gradient. Where it is a function of linear predictors (``f(X @ params)`` with a
    loss for each row, and a penalty for each parameter), that is noticed, and the search costs little more than a built-in
    loss; for logistic and focal losses :func:`ksparse.fit` is faster still.

    An objective in JAX is computed in float64, whatever ``jax_enable_x64`` says, which stays as it is: one that was traced in
    float32 is written anew, with the arrays that it closes over as float32 has rounded them (``data`` are not rounded). Only where that
    cannot be done, as with random numbers or callbacks to Python, is it computed in float32.

    Parameters
    ----------
    dimensionality : int
        Number of parameters p.
    sparsity : int or array-like of int, optional
        Most parameters that are not zero, or groups of them. Of several, ``ic_method`` or ``cv`` chooses. By default
        all from the number of ``preselect`` to ``int(p / log(log(p)) / log(p))``, where p is the number of parameters, or of
        groups; up to p if that is 5 or less.
    sample_size : int, default=1
        Number of samples, which ``ic_method`` and ``cv`` need.
    preselect : array-like of int, default=()
        Parameters, or groups, that are always chosen. They count.
    numeric_solver : None
        Only None: refits are ksparse's.
    max_iter : int, default=20
        A setting of another search: only the default is accepted.
    ic_method : callable, optional
        ``ic_method(objective, p, s, n)`` returns the criterion, to be minimised over several sparsities. As in skscope, s is the
        number of parameters chosen, n is ``sample_size``, and p is the number of parameters, or of groups.
    cv : int, default=1
        Folds of cross-validation, if more than 1.
    split_method : callable, optional
        ``split_method(data, index)`` returns a part of the data, for cross-validation.
    cv_fold_id : array-like of shape (sample_size,), optional
        Fold of each sample; by default those of scikit-learn's ``KFold``, shuffled.
    group : array-like of shape (dimensionality,), optional
        Number of each parameter's group, from 0 on, not falling, without gaps. Groups are chosen as a whole, and ``sparsity``,
        ``preselect`` and ``init_support_set`` are then of groups.
    important_search : int, default=128
        A setting of another search: only the default is accepted.
    screening_size : int, default=-1
        A setting of another search: only the default is accepted.
    max_exchange_num : int, default=5
        A setting of another search: only the default is accepted.
    is_dynamic_max_exchange_num : bool, default=True
        A setting of another search: only the default is accepted.
    greedy : bool, default=True
        A setting of another search: only the default is accepted.
    splicing_type : str, default="halve"
        A setting of another search: only the default is accepted.
    path_type : {"seq", "gs"}, default="seq"
        With ``gs`` every sparsity from ``gs_lower_bound`` to ``gs_upper_bound`` is looked at, not only some of them.
    gs_lower_bound : int, optional
        Least sparsity for ``path_type="gs"``; the number of ``preselect`` by default.
    gs_upper_bound : int, optional
        Largest sparsity for ``path_type="gs"``; by default the last that ``sparsity`` has by default.
    thread : int, default=1
        Only 1.
    random_state : int, optional
        Seed of folds and of perturbations of the search; 0 by default.
    console_log_level : str, default="off"
        Only ``off``: nothing is logged.
    file_log_level : str, default="off"
        Only ``off``: nothing is logged.
    log_file_name : str, default="logs/skscope.log"
        Only the default: nothing is logged.
    search : {"auto", "fast", "thorough"}, default="auto"
        How far to search, as in :func:`ksparse.fit`. Not an argument of skscope.

    Attributes
    ----------
    params : ndarray of shape (dimensionality,)
        The parameters found.
    support_set : ndarray of int64
        Those chosen, sorted.
    objective_value : float
        The objective there.
    information_criterion, cross_validation_loss : float or None
        What chose among several sparsities.
    status, advice : str
        How the search ended, as in :class:`ksparse.FitResult`, and what to do about it, or about points at which the objective was
        not finite.
    n_refused : int
        Points at which the objective or a derivative was not finite, and which were passed over.
    n_newton, n_refits, n_scans, n_rounds, times_found : int
        The work, as in :class:`ksparse.FitResult`.
    hessian : callable or None
        As in skscope, may be set to a function, which is then the ``hessian`` of each :meth:`solve` with a ``gradient``.
    use_hessian : bool
        As in skscope, may be set; the Hessian is used in any case.

    See Also
    --------
    ksparse.fit : Built-in losses.

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

    _fixed: ClassVar[dict[str, Any]] = {
        "numeric_solver": None,
        "max_iter": 20,
        "important_search": 128,
        "screening_size": -1,
        "max_exchange_num": 5,
        "is_dynamic_max_exchange_num": True,
        "greedy": True,
        "splicing_type": "halve",
        "thread": 1,
        "console_log_level": "off",
        "file_log_level": "off",
        "log_file_name": "logs/skscope.log",
    }

    hessian: Any = None
    use_hessian: Any = False

    def __init__(
        self,
        dimensionality: int,
        sparsity: Any = None,
        sample_size: int = 1,
        *,
        preselect: ArrayLike = (),
        numeric_solver: None = None,
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

    def _sparsities(self, p: int, n_groups: int, least: int) -> list[int]:
        check_choice(self.path_type, "path_type", ("seq", "gs"))
        if self.path_type == "seq":
            for name in ("gs_lower_bound", "gs_upper_bound"):
                if getattr(self, name) is not None:
                    raise ValueError(f"{name} is {getattr(self, name)}, but path_type is 'seq', which does not use it")
            return super()._sparsities(p, n_groups, least)
        if self.sparsity is not None:
            raise ValueError("sparsity is given, but path_type is 'gs', which takes gs_lower_bound and gs_upper_bound")
        low, high = self.gs_lower_bound, self.gs_upper_bound
        low = least if low is None else max(check_integer(low, "gs_lower_bound", 0, n_groups), least)
        high = max(low, _usual_sparsity(n_groups)) if high is None else check_integer(high, "gs_upper_bound", low, n_groups)
        whole = ScopeSolver(p, range(low, high + 1), self.sample_size, ic_method=self.ic_method, cv=self.cv)
        return super(ScopeSolver, whole)._sparsities(p, n_groups, least)

    def _own_hessian(self) -> Callable[..., Any] | None:
        if self.hessian is not None and not callable(self.hessian):
            raise TypeError(f"the attribute hessian is {self.hessian!r}; it must be a function of the parameters")
        return self.hessian

    def _size(self, outcome: Outcome, k: int, groups: NDArray[np.int64]) -> tuple[int, int]:
        return int(groups[-1]) + 1, len(outcome.support)

    def _solve_each(self, problem: Problem, sparsities: list[int]) -> list[Outcome]:
        check_choice(self.search, "search", ("auto", "fast", "thorough"))
        seed = 0 if self.random_state is None else check_integer(self.random_state, "random_state", 0, 2**64 - 1)
        p, party = len(problem.groups), problem.party
        while True:
            options = problem.options(sparsities[-1], self.search, seed)
            try:
                if len(sparsities) == 1:
                    answers = [_core.fit_objective(party, p, options)]
                else:
                    answers = _core.fit_objective_path(party, p, sparsities, options)
                break
            except BelowScaleError as below:
                party.rescale(below.value)
        return [outcome_of(answer, party) for answer in answers]


def outcome_of(answer: Any, party: Party) -> Outcome:
    """Return an answer of the core in the user's units."""
    if len(answer.support) == 0 and party.starts_elsewhere:
        raise ObjectiveError(
            "no parameter alone lowers the objective from where init_params are, and it is not finite where all are 0: there is no "
            "sparse point to be found"
        )
    counts = {name: getattr(answer, name) for name in ("n_refits", "n_newton", "n_scans", "n_rounds", "times_found")}
    return Outcome(answer.coef * party.units, answer.support, party.scaling.back(answer.objective), answer.status, counts)


# ------------------------------------------------------------------------------------------------------------ validation


def _same(value: Any, other: Any) -> bool:
    if value is other:
        return True
    if isinstance(value, (np.ndarray, list, tuple)) or isinstance(other, (np.ndarray, list, tuple)):
        return len(np.shape(value)) == len(np.shape(other)) and list(np.ravel(value)) == list(np.ravel(other))
    return type(value) is type(other) and bool(value == other)


def _usual_sparsity(n_groups: int) -> int:
    """Return the largest sparsity that is tried by default, as skscope has it."""
    return n_groups if n_groups <= 5 else int(n_groups / math.log(math.log(n_groups)) / math.log(n_groups))


def _what(p: int, n_groups: int) -> str:
    return ", dimensionality" if n_groups == p else ", the number of groups"


def _check_group(group: Any, p: int) -> NDArray[np.int64]:
    if group is None:
        return np.arange(p)
    array = np.asarray(group)
    if array.shape != (p,):
        raise ValueError(f"group has shape {array.shape}; it must have shape ({p},), a number for each parameter")
    if array.dtype.kind not in "iu":
        raise TypeError(f"group has dtype {array.dtype}; it must be integers")
    steps = np.diff(array)
    if array[0] != 0 or ((steps != 0) & (steps != 1)).any():
        raise ValueError("group must begin with 0 and go on by 0 or 1 from parameter to parameter, as in [0, 0, 1, 2, 2]")
    return array.astype(np.int64)


def _check_numbers(values: Any, name: str, count: int) -> list[int]:
    if values is None:
        return []
    numbers = [
        check_integer(value, f"{name}[{i}]", 0, count - 1) for i, value in enumerate(np.asarray(values).ravel().tolist())
    ]
    return sorted(set(numbers))


def _check_params(values: Any, name: str, p: int) -> Vector:
    array = np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} has dtype {array.dtype}; it must be real numbers")
    if array.shape != (p,):
        raise ValueError(f"{name} has shape {array.shape}; it must have shape ({p},)")
    vector = array.astype(np.float64)
    if not np.isfinite(vector).all():
        j = int(np.flatnonzero(~np.isfinite(vector))[0])
        raise ValueError(f"{name}[{j}] is {vector[j]}; it must be finite")
    return vector


def _bounds_of(layers: Sequence[Any], p: int) -> tuple[Vector | None, Vector | None]:
    lower: Vector | None = None
    upper: Vector | None = None
    for i, layer in enumerate(layers):
        kind = type(layer).__name__
        limits: tuple[Any, Any]
        if kind == "NonNegative":
            limits = 0.0, np.inf
        elif kind == "BoxConstraint":
            limits = layer.lower, layer.upper
        else:
            raise ValueError(
                f"layers[{i}] is a {kind}; only NonNegative and BoxConstraint are supported: write the others into the objective"
            )
        low, high = (np.broadcast_to(np.asarray(limit, dtype=np.float64), (p,)) for limit in limits)
        lower = np.array(low if lower is None else np.maximum(lower, low))
        upper = np.array(high if upper is None else np.minimum(upper, high))
    return lower, upper


def _directions(p: int, most: int) -> int:
    """Return how many products with the Hessian one call makes: those of all active columns, within reason."""
    return int(min(max(most, 16), p, 64))


def _first_point(derivatives: Derivatives, init: Vector | None) -> Vector:
    """Return where the first scan is made: at zero, unless the user has named another point and zero is no use."""
    zero = np.zeros(derivatives.p)
    if init is None:
        return zero
    first = derivatives.at(zero, np.empty(0, dtype=np.int64))
    return zero if np.isfinite(first.value) and np.isfinite(first.gradient()).all() else init


def _value_at(objective: Callable[..., Any], params: Vector, data: Any) -> float:
    value = float(np.asarray(objective(params, data)).reshape(()))
    if not np.isfinite(value):
        raise ObjectiveError(f"objective is {value} on the part of the data left out, at {describe(params)}")
    return value

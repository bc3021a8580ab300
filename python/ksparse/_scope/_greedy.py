"""Older algorithms for sparse minimisation, with skscope's names, on the derivatives and refits of :class:`ScopeSolver`.

They serve to compare with: none of them takes a step back once its rule is satisfied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._checks import check_flag, check_integer, check_real
from ..losses import Loss
from ._derivatives import Point, Vector
from ._party import BelowScaleError
from ._problem import Outcome, Problem
from ._solver import Solver

__all__ = ["FobaSolver", "ForwardSolver", "GraspSolver", "HTPSolver", "IHTSolver", "OMPSolver"]

_STATUS = ("converged", "max_iterations", "stalled", "separable", "interrupted", "invalid_input", "numerical_failure")


class State:
    """Chosen groups with the parameters of their refit."""

    def __init__(self, chosen: list[int], params: Vector, value: float, status: str):
        self.chosen, self.params, self.value, self.status = sorted(chosen), params, value, status


class Workbench:
    """Refits and gradients in the user's units, counted."""

    def __init__(self, problem: Problem):
        self.problem, self.party = problem, problem.party
        self.groups, self.n_groups = problem.groups, problem.n_groups
        self.n_refits = self.n_newton = 0

    def refit(self, chosen: list[int], params: Vector) -> State:
        """Minimise over some groups, from where the parameters stand."""
        party, columns = self.party, self.problem.columns_of(chosen)
        coef = np.ascontiguousarray(params[columns] / party.units[columns])
        coef, value, status, _, iterations = party.refit(columns, coef, np.inf, True, False)
        self.n_refits += 1
        self.n_newton += iterations
        refitted = np.zeros(len(params))
        refitted[columns] = coef * party.units[columns]
        return State(chosen, refitted, party.scaling.back(value), _STATUS[status])

    def point(self, params: Vector) -> Point:
        """Return the point with these parameters."""
        return self.problem.derivatives.at(params, np.flatnonzero(params))

    def size(self, values: Vector) -> Vector:
        """Return the norm of each group of numbers; those of required groups are infinite."""
        sizes = np.sqrt(np.bincount(self.groups, weights=values**2, minlength=self.n_groups))
        sizes[self.problem.required] = np.inf
        return sizes

    def largest(self, values: Vector, k: int) -> list[int]:
        """Return the k groups of largest norm, the first of equals, those that are required among them."""
        return sorted(np.argsort(-self.size(values), kind="stable")[:k].tolist())

    def outcome(self, state: State) -> Outcome:
        """Return a state as an answer."""
        counts = {"n_refits": self.n_refits, "n_newton": self.n_newton}
        return Outcome(state.params, self.problem.columns_of(state.chosen), state.value, state.status, counts)


class GreedySolver(Solver):
    """A solver that makes states, one after another."""

    _fixed: ClassVar[dict[str, Any]] = {"numeric_solver": None}
    _stacklevel = 3

    def solve(  # type: ignore[override]
        self,
        objective: Callable[..., Any] | Loss,
        data: Any = None,
        layers: Sequence[Any] = (),
        gradient: Callable[..., Any] | None = None,
        init_support_set: ArrayLike | None = None,
        init_params: ArrayLike | None = None,
        jit: bool = False,
        *,
        hessian: Callable[..., Any] | None = None,
        hessian_product: Callable[..., Any] | None = None,
    ) -> NDArray[np.float64]:
        """Minimise an objective over parameters of which few are not zero.

        The arguments are those of :meth:`ScopeSolver.solve`, in the order that skscope has for these solvers.

        Parameters
        ----------
        objective : callable or Loss
            ``objective(params)``, or ``objective(params, data)``, in JAX or with a ``gradient``; or a loss of
            :mod:`ksparse.losses`.
        data : any, optional
            Passed on to the objective and its derivatives.
        layers : sequence, default=()
            Objects of skscope: ``NonNegative`` and ``BoxConstraint``, as bounds.
        gradient : callable, optional
            Returns the gradient, shape (dimensionality,).
        init_support_set : array-like of int, optional
            Parameters, or groups, with which the solver begins.
        init_params : array-like of shape (dimensionality,), optional
            Parameters at which the solver begins.
        jit : bool, default=False
            Whether to compile objective and gradient by JAX.
        hessian : callable, optional
            Returns the Hessian, shape (dimensionality, dimensionality).
        hessian_product : callable, optional
            ``hessian_product(params, vector)`` returns the Hessian times a vector.

        Returns
        -------
        ndarray of shape (dimensionality,)
            The parameters found.
        """
        return super().solve(
            objective,
            data,
            layers,
            init_support_set,
            init_params,
            gradient,
            jit,
            hessian=hessian,
            hessian_product=hessian_product,
        )

    def _store(self, arguments: dict[str, Any]) -> None:
        for name in self._names():
            setattr(self, name, arguments[name])

    def _solve_each(self, problem: Problem, sparsities: list[int]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for k in sparsities:
            while True:
                bench = Workbench(problem)
                try:
                    state = self._solve_one(bench, k)
                    break
                except BelowScaleError as below:
                    problem.party.rescale(below.value)
            outcomes.append(bench.outcome(state))
        return outcomes

    def _solve_one(self, bench: Workbench, k: int) -> State:
        raise NotImplementedError

    def _begin(self, bench: Workbench, k: int) -> State:
        """Return the refit of the groups that must be in, or of those that the user begins with."""
        chosen = sorted({*bench.problem.required, *bench.problem.start})
        return bench.refit(chosen if len(chosen) <= k else bench.problem.required, np.zeros(bench.problem.derivatives.p))

    def _iterations(self) -> Iterator[int]:
        return iter(range(check_integer(self.get_config()["max_iter"], "max_iter", 1)))


def with_parameters(
    first: str = "", then: str = "", max_iter: str = "Only the default: the number of steps is that of the parameters."
) -> Any:
    """Fill in the parameters that these solvers share, and their own, in the docstring of a class."""

    def fill(solver: Any) -> Any:
        solver.__doc__ = solver.__doc__.replace(
            "    {parameters}\n", _PARAMETERS.format(first=first, then=then, max_iter=max_iter)
        )
        return solver

    return fill


_PARAMETERS = """    Parameters
    ----------
    dimensionality : int
        Number of parameters p.
    sparsity : int or array-like of int, optional
        Most parameters that are not zero, or groups of them, as in :class:`ScopeSolver`.
    sample_size : int, default=1
        Number of samples, which ``ic_method`` and ``cv`` need.
{first}    preselect : array-like of int, default=()
        Parameters, or groups, that are always chosen. They count.
{then}    numeric_solver : None
        Only None: refits are ksparse's.
    max_iter : int, default=100
        {max_iter}
    group : array-like of shape (dimensionality,), optional
        Number of each parameter's group, as in :class:`ScopeSolver`.
    ic_method : callable, optional
        ``ic_method(objective, p, s, n)``: criterion to choose among several sparsities. As in skscope, p is ``dimensionality``, s the
        sparsity, and n ``sample_size``.
    cv : int, default=1
        Folds of cross-validation, if more than 1.
    cv_fold_id : array-like of shape (sample_size,), optional
        Fold of each sample; by default those of scikit-learn's ``KFold``, shuffled.
    split_method : callable, optional
        ``split_method(data, index)`` returns a part of the data.
    random_state : int, optional
        Seed of the folds.
"""

_STEP_SIZE = """    step_size : float, default=0.005
        Length of a gradient step, > 0; one that would raise the objective is halved.
"""

_GRADIENT = """    use_gradient : bool, default=True
        Whether groups enter by the size of their gradient, or by what each lowers the objective when it is refitted.
"""

_THRESHOLD = """    threshold : float, default=0.0
        A step that lowers the objective by no more than this is the last, >= 0.
"""

_RATIO = """    foba_threshold_ratio : float, default=0.5
        A group leaves if that raises the objective by less than this part of what the last one to enter lowered it by, in (0, 1).
"""

_STRICT = """    strict_sparsity : bool, default=True
        Whether to go on to ``sparsity`` all the same.
"""


class ForwardSteps(GreedySolver):
    """Groups enter one at a time, and may leave again."""

    max_iter: Any
    threshold: Any
    strict_sparsity: Any

    def _solve_one(self, bench: Workbench, k: int) -> State:
        if self.max_iter != 100:
            raise ValueError(f"max_iter is {self.max_iter!r}; it sets nothing here, and takes 100 alone: leave it out")
        threshold = check_real(self.threshold, "threshold", "finite and >= 0", 0.0)
        strict = check_flag(self.strict_sparsity, "strict_sparsity")
        state = self._begin(bench, k)
        while len(state.chosen) < k:
            after = self._enter(bench, state)
            gain = state.value - after.value
            if not gain > threshold and (not strict or gain <= 0):
                break
            state = self._leave(bench, after, gain)
        return state

    def _enter(self, bench: Workbench, state: State) -> State:
        """Return the state with the group of largest gradient."""
        sizes = bench.size(bench.point(state.params).gradient())
        sizes[state.chosen] = -np.inf
        return bench.refit([*state.chosen, int(np.argmax(sizes))], state.params)

    def _enter_by_refits(self, bench: Workbench, state: State) -> State:
        """Return the best of the states with one group more."""
        others = [group for group in range(bench.n_groups) if group not in state.chosen]
        return min((bench.refit([*state.chosen, group], state.params) for group in others), key=lambda after: after.value)

    def _leave(self, bench: Workbench, state: State, gain: float) -> State:
        return state


@with_parameters(_THRESHOLD + _STRICT)
class OMPSolver(ForwardSteps):
    """Orthogonal matching pursuit: the parameter of largest gradient enters, and all are refitted.

    {parameters}

    See Also
    --------
    ScopeSolver : The solver to use; its attributes are those of all.

    References
    ----------
    .. [1] Lozano, Świrszcz, Abe, "Group orthogonal matching pursuit for logistic regression", AISTATS 2011.
    """

    def __init__(
        self,
        dimensionality: int,
        sparsity: Any = None,
        sample_size: int = 1,
        *,
        threshold: float = 0.0,
        strict_sparsity: bool = True,
        preselect: ArrayLike = (),
        numeric_solver: None = None,
        max_iter: int = 100,
        group: ArrayLike | None = None,
        ic_method: Callable[[float, int, int, int], float] | None = None,
        cv: int = 1,
        cv_fold_id: ArrayLike | None = None,
        split_method: Callable[[Any, NDArray[np.int64]], Any] | None = None,
        random_state: int | None = None,
    ):
        self._store(locals())


@with_parameters(_THRESHOLD + _STRICT)
class ForwardSolver(ForwardSteps):
    """Forward selection: of all parameters that might enter, the one that lowers the objective most when all are refitted.

    {parameters}

    See Also
    --------
    ScopeSolver : The solver to use; its attributes are those of all.
    """

    def __init__(
        self,
        dimensionality: int,
        sparsity: Any = None,
        sample_size: int = 1,
        *,
        threshold: float = 0.0,
        strict_sparsity: bool = True,
        preselect: ArrayLike = (),
        numeric_solver: None = None,
        max_iter: int = 100,
        group: ArrayLike | None = None,
        ic_method: Callable[[float, int, int, int], float] | None = None,
        cv: int = 1,
        cv_fold_id: ArrayLike | None = None,
        split_method: Callable[[Any, NDArray[np.int64]], Any] | None = None,
        random_state: int | None = None,
    ):
        self._store(locals())

    def _enter(self, bench: Workbench, state: State) -> State:
        return self._enter_by_refits(bench, state)


@with_parameters(_GRADIENT + _THRESHOLD + _RATIO + _STRICT)
class FobaSolver(ForwardSteps):
    """Forward selection with backward steps: parameters that have become dispensable leave again.

    {parameters}

    See Also
    --------
    ScopeSolver : The solver to use; its attributes are those of all.

    References
    ----------
    .. [1] Zhang, "Adaptive forward-backward greedy algorithm for learning sparse representations", IEEE Transactions on
       Information Theory 2011.
    """

    use_gradient: Any
    foba_threshold_ratio: Any

    def __init__(
        self,
        dimensionality: int,
        sparsity: Any = None,
        sample_size: int = 1,
        *,
        use_gradient: bool = True,
        threshold: float = 0.0,
        foba_threshold_ratio: float = 0.5,
        strict_sparsity: bool = True,
        preselect: ArrayLike = (),
        numeric_solver: None = None,
        max_iter: int = 100,
        group: ArrayLike | None = None,
        ic_method: Callable[[float, int, int, int], float] | None = None,
        cv: int = 1,
        cv_fold_id: ArrayLike | None = None,
        split_method: Callable[[Any, NDArray[np.int64]], Any] | None = None,
        random_state: int | None = None,
    ):
        self._store(locals())

    def _enter(self, bench: Workbench, state: State) -> State:
        if check_flag(self.use_gradient, "use_gradient"):
            return super()._enter(bench, state)
        return self._enter_by_refits(bench, state)

    def _leave(self, bench: Workbench, state: State, gain: float) -> State:
        ratio = check_real(self.foba_threshold_ratio, "foba_threshold_ratio", "in (0, 1)", 0.0, 1.0, open_low=True)
        while True:
            free = [group for group in state.chosen if group not in bench.problem.required]
            # The rise before others make up for it, which is no less than after; so no more leaves than the rule allows.
            rises = []
            for group in free:
                params = state.params.copy()
                params[bench.problem.columns_of([group])] = 0.0
                rises.append(bench.problem.derivatives.value(params) - state.value)
            if len(free) < 2 or not min(rises) < ratio * gain:
                return state
            out = free[int(np.argmin(rises))]
            state = bench.refit([group for group in state.chosen if group != out], state.params)


@with_parameters(max_iter="Most rounds.")
class GraspSolver(GreedySolver):
    """Gradient support pursuit: refit on the 2 s largest of the gradient and the support at hand, keep the s largest, refit.

    {parameters}

    See Also
    --------
    ScopeSolver : The solver to use; its attributes are those of all.

    References
    ----------
    .. [1] Bahmani, Raj, Boufounos, "Greedy sparsity-constrained optimization", JMLR 2013.
    """

    def __init__(
        self,
        dimensionality: int,
        sparsity: Any = None,
        sample_size: int = 1,
        *,
        preselect: ArrayLike = (),
        numeric_solver: None = None,
        max_iter: int = 100,
        group: ArrayLike | None = None,
        ic_method: Callable[[float, int, int, int], float] | None = None,
        cv: int = 1,
        cv_fold_id: ArrayLike | None = None,
        split_method: Callable[[Any, NDArray[np.int64]], Any] | None = None,
        random_state: int | None = None,
    ):
        self._store(locals())

    def _solve_one(self, bench: Workbench, k: int) -> State:
        best = self._begin(bench, k)
        state = best
        for _ in self._iterations():
            gradient = bench.point(state.params).gradient()
            merged = sorted({*bench.largest(gradient, min(2 * k, bench.n_groups)), *state.chosen})
            wide = bench.refit(merged, state.params)
            kept = bench.largest(wide.params, k)
            if kept == state.chosen:
                break
            state = bench.refit(kept, wide.params)
            if state.value < best.value:
                best = state
        return best


class HardThresholding(GreedySolver):
    """Gradient steps after each of which the s largest parameters are kept."""

    step_size: Any

    def _solve_one(self, bench: Workbench, k: int) -> State:
        step_size = check_real(self.step_size, "step_size", "finite and > 0", 0.0, open_low=True)
        state = self._begin(bench, k)
        for _ in self._iterations():
            gradient = bench.point(state.params).gradient()
            after = self._step(bench, state, gradient, step_size, k)
            if after is None or (after.chosen == state.chosen and state.value - after.value <= 1e-12 * abs(state.value)):
                break
            state = after
        return bench.refit(state.chosen, state.params)

    def _step(self, bench: Workbench, state: State, gradient: Vector, step_size: float, k: int) -> State | None:
        for _ in range(30):
            moved = state.params - step_size * gradient
            chosen = bench.largest(moved, k)
            moved[~np.isin(bench.groups, chosen)] = 0.0
            after = self._settle(bench, state, chosen, moved)
            if np.isfinite(after.value) and after.value <= state.value:
                return after
            step_size /= 2
        return None

    def _settle(self, bench: Workbench, state: State, chosen: list[int], moved: Vector) -> State:
        raise NotImplementedError


@with_parameters(then=_STEP_SIZE, max_iter="Most steps.")
class IHTSolver(HardThresholding):
    """Iterative hard thresholding: a gradient step, of which the s largest parameters are kept; a refit at the end.

    {parameters}

    See Also
    --------
    ScopeSolver : The solver to use; its attributes are those of all.

    References
    ----------
    .. [1] Blumensath, Davies, "Iterative hard thresholding for compressed sensing", Applied and Computational Harmonic
       Analysis 2009.
    """

    def __init__(
        self,
        dimensionality: int,
        sparsity: Any = None,
        sample_size: int = 1,
        *,
        preselect: ArrayLike = (),
        step_size: float = 0.005,
        numeric_solver: None = None,
        max_iter: int = 100,
        group: ArrayLike | None = None,
        ic_method: Callable[[float, int, int, int], float] | None = None,
        cv: int = 1,
        cv_fold_id: ArrayLike | None = None,
        split_method: Callable[[Any, NDArray[np.int64]], Any] | None = None,
        random_state: int | None = None,
    ):
        self._store(locals())

    def _settle(self, bench: Workbench, state: State, chosen: list[int], moved: Vector) -> State:
        return State(chosen, moved, bench.problem.derivatives.value(moved), state.status)


@with_parameters(then=_STEP_SIZE, max_iter="Most steps.")
class HTPSolver(HardThresholding):
    """Hard thresholding pursuit: as :class:`IHTSolver`, with a refit after each step.

    {parameters}

    See Also
    --------
    ScopeSolver : The solver to use; its attributes are those of all.

    References
    ----------
    .. [1] Foucart, "Hard thresholding pursuit: an algorithm for compressive sensing", SIAM Journal on Numerical Analysis 2011.
    """

    def __init__(
        self,
        dimensionality: int,
        sparsity: Any = None,
        sample_size: int = 1,
        *,
        preselect: ArrayLike = (),
        step_size: float = 0.005,
        numeric_solver: None = None,
        max_iter: int = 100,
        group: ArrayLike | None = None,
        ic_method: Callable[[float, int, int, int], float] | None = None,
        cv: int = 1,
        cv_fold_id: ArrayLike | None = None,
        split_method: Callable[[Any, NDArray[np.int64]], Any] | None = None,
        random_state: int | None = None,
    ):
        self._store(locals())

    def _settle(self, bench: Workbench, state: State, chosen: list[int], moved: Vector) -> State:
        if chosen == state.chosen:  # refitted already, unless the search begins with them
            return state if state.params[np.isin(bench.groups, chosen)].any() else bench.refit(chosen, moved)
        return bench.refit(chosen, moved)

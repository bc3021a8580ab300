"""The base class of older algorithms for sparse minimisation, which use the derivatives and refits of :class:`ksparse.ScopeSolver`.

They are intended for comparisons: none of them revises its choice once its stopping rule is satisfied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..losses import Loss
from ._arguments import check_whole
from ._derivatives import Point, Vector
from ._problem import Outcome, Problem
from ._refit import STATUS
from ._scaled import BelowScaleError
from ._solver import Solver

__all__ = ["GreedySolver", "State", "Workbench", "with_parameters"]


class State:
    """Chosen groups with the parameters of their refit."""

    def __init__(self, chosen: list[int], params: Vector, value: float, status: str):
        self.chosen, self.params, self.value, self.status = sorted(chosen), params, value, status


class Workbench:
    """Refits and gradients in the user's units, counted."""

    def __init__(self, problem: Problem):
        self.problem, self.objective = problem, problem.objective
        self.groups, self.n_groups = problem.groups, problem.n_groups
        self.n_refits = self.n_newton = 0

    def refit(self, chosen: list[int], params: Vector) -> State:
        """Minimise over some groups, from where the parameters stand."""
        objective, columns = self.objective, self.problem.columns_of(chosen)
        coef = np.ascontiguousarray(objective.coef_of(params, columns))
        refit = self.problem.answers.refit(columns, coef, np.inf, True, False)
        self.n_refits += 1
        self.n_newton += refit.iterations
        return State(
            chosen, objective.params_of(columns, refit.coef), objective.scaling.back(refit.value), STATUS[refit.status]
        )

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
        """Minimise an objective over parameters of which only a few are non-zero.

        The arguments are those of :meth:`ksparse.ScopeSolver.solve`, in the order of skscope's solvers.

        Parameters
        ----------
        objective : callable or Loss
            ``objective(params)``, or ``objective(params, data)``, in JAX or with a ``gradient``; or a loss of
            :mod:`ksparse.losses`.
        data : any, optional
            Data that are passed to the objective and its derivatives.
        layers : sequence, default=()
            Layers of :mod:`ksparse.scope.layer` or of skscope.
        gradient : callable, optional
            A function that returns the gradient, of shape (dimensionality,).
        init_support_set : array-like of int, optional
            Parameters, or groups, from which the solver starts.
        init_params : array-like of shape (dimensionality,), optional
            Parameters from which the solver starts.
        jit : bool, default=False
            Whether to compile the objective and the gradient with JAX.
        hessian : callable, optional
            A function that returns the Hessian, of shape (dimensionality, dimensionality).
        hessian_product : callable, optional
            ``hessian_product(params, vector)`` returns the Hessian times a vector.

        Returns
        -------
        ndarray of shape (dimensionality,)
            The parameters at the minimum.
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
        for name in self._get_param_names():
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
                    problem.objective.rescale(below.value)
            outcomes.append(bench.outcome(state))
        return outcomes

    def _solve_one(self, bench: Workbench, k: int) -> State:
        raise NotImplementedError

    def _begin(self, bench: Workbench, k: int) -> State:
        """Return the refit of the groups that must be in, or of those that the user begins with."""
        chosen = sorted({*bench.problem.required, *bench.problem.start})
        return bench.refit(chosen if len(chosen) <= k else bench.problem.required, np.zeros(bench.problem.derivatives.p))

    def _iterations(self) -> Iterator[int]:
        return iter(range(check_whole(self.get_config()["max_iter"], "max_iter", 1)))


def with_parameters(
    first: str = "",
    then: str = "",
    max_iter: str = "Accepted as in skscope, but without an effect because the number of steps is the number of parameters.",
) -> Any:
    """Insert the shared parameters and those of the class into the docstring of a class."""

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
        Maximum number of non-zero parameters, or of groups, as in :class:`ksparse.ScopeSolver`.
    sample_size : int, default=1
        Number of samples, which ``ic_method`` and ``cv`` need.
{first}    preselect : array-like of int, default=()
        Parameters, or groups, that are always chosen. They count towards ``sparsity``.
{then}    numeric_solver : callable, optional
        The user's own function for refits, as in :class:`ksparse.ScopeSolver`.
    max_iter : int, default=100
        {max_iter}
    group : array-like of shape (dimensionality,), optional
        Group of each parameter, as in :class:`ksparse.ScopeSolver`.
    ic_method : callable, optional
        ``ic_method(objective, p, s, n)`` returns the criterion by which one of several sparsities is chosen. As in skscope, p is
        ``dimensionality``, s is the sparsity, and n is ``sample_size``.
    cv : int, default=1
        Number of folds of cross-validation. With 1 there is none.
    cv_fold_id : array-like of shape (sample_size,), optional
        Fold of each sample. By default the folds are those of scikit-learn's ``KFold`` with shuffling.
    split_method : callable, optional
        ``split_method(data, index)`` returns a part of the data for cross-validation.
    random_state : int, optional
        Seed of the folds.
"""

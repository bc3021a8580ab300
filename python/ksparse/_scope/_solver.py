"""The base class of the solvers, which have skscope's names and arguments."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._checks import check_integer
from ..exceptions import ConvergenceWarning
from ..losses import Loss
from ._answers import Answers
from ._arguments import bounds_of, check_group, check_numbers, check_params, directions_at_once
from ._built_in import check_data, functions_of_loss
from ._choice import WithChoice
from ._configured import Configured
from ._derivatives import Derivatives, HostDerivatives, Vector
from ._escape import lower_points
from ._interrupts import Interrupts
from ._jax import NotDiagonalError, Traced, derivatives_of, double_precision, jax_module, trace
from ._kinks import KinkedDerivatives, KinkedError
from ._outcome import WithOutcome
from ._problem import Outcome, Problem
from ._scaled import ScaledObjective

__all__ = ["MOST_STARTS", "Solver"]

# Searches from one more start each, where the one before ended at a maximum or a saddle.
MOST_STARTS = 5
# Directions in which each of them leaves it: the one that falls most steeply need not lead to the lowest minimum.
MOST_DIRECTIONS = 3


class Solver(WithChoice, WithOutcome, Configured):
    """What all solvers share: arguments, the objective's derivatives, the choice of a sparsity, results.

    A subclass stores its arguments and says in :meth:`_solve_each` how to solve for each of some sparsities.
    """

    _stacklevel = 2  # of the warning that solve() gives

    preselect: Any
    group: Any

    def _own_hessian(self) -> Callable[..., Any] | None:
        """Return the Hessian that was set as an attribute, where there is such a thing."""
        return None

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
        """Minimise an objective over parameters of which only a few are non-zero.

        Parameters
        ----------
        objective : callable or Loss
            ``objective(params)``, or ``objective(params, data)`` if there are data, returns the real number to minimise, where
            ``params`` has shape (dimensionality,). Without ``gradient`` it must be written in JAX, which is imported only then.
            A loss of :mod:`ksparse.losses` means its average over the rows of ``data=(X, y)``; :func:`ksparse.fit` does the
            same faster.
        data : any, optional
            Data that are passed to the objective and its derivatives.
        layers : sequence, default=()
            Objects of skscope. ``NonNegative`` and ``BoxConstraint`` are used as bounds of the parameters; others raise an
            error.
        init_support_set : array-like of int, optional
            Parameters, or groups if there are groups, from which an additional search starts.
        init_params : array-like of shape (dimensionality,), optional
            Parameters from which an additional search starts: those of ``init_support_set``, or the largest ones. This matters
            if the objective has several minima. The first scan is also made there if the objective is not finite when all
            parameters are 0.
        gradient : callable, optional
            A function with the arguments of the objective that returns its gradient, of shape (dimensionality,). The objective
            and the gradient are then called with NumPy arrays.
        jit : bool, default=False
            Whether to compile the objective and the gradient with JAX if there is a ``gradient``. An objective without a
            gradient is always compiled, once for all calls with the same program and shapes.
        hessian : callable, optional
            With ``gradient``: a function that returns the Hessian, of shape (dimensionality, dimensionality). Without it,
            differences of gradients are used: one gradient for each chosen parameter, and one for each parameter of a scan.
        hessian_product : callable, optional
            With ``gradient``: ``hessian_product(params, vector[, data])`` returns the Hessian times a vector.

        Returns
        -------
        ndarray of shape (dimensionality,)
            The parameters at the minimum, of which at most ``sparsity`` (or ``sparsity`` groups) are non-zero.

        Raises
        ------
        TypeError, ValueError
            If an argument is invalid, or if the objective does not return a finite real number at the start; the message names
            it.
        ModuleNotFoundError
            If there is no gradient and JAX is not installed.

        Warns
        -----
        ksparse.ConvergenceWarning
            If the result is not a minimum; ``advice`` says what to do.
        """
        self._refuse_unsupported()
        p = check_integer(self.dimensionality, "dimensionality", 1)
        groups = check_group(self.group, p)
        n_groups = int(groups[-1]) + 1
        required = check_numbers(self.preselect, "preselect", n_groups)
        start = check_numbers(init_support_set, "init_support_set", n_groups)
        sparsities = self._sparsities(p, n_groups, len(required))
        init = None if init_params is None else check_params(init_params, "init_params", p)
        bounds = bounds_of(layers, p)
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
        directions = directions_at_once(p, sum(sorted(np.bincount(groups), reverse=True)[: max(sparsities)]))
        if gradient is None:
            traced = trace(objective, arguments, p, directions)
            interrupts.check()
        linear, kinked = True, False
        with interrupts.waiting(traced is not None), double_precision(traced is not None and traced.rewritten):
            while True:
                derivatives: Derivatives
                if traced is None:
                    if jit:
                        objective, gradient = (jax_module().jit(function) for function in (objective, gradient))
                    derivatives = HostDerivatives(p, objective, gradient, hessian, hessian_product, arguments)
                    first = _first_point(derivatives, init)
                else:
                    derivatives = derivatives_of(traced, 1 if kinked else directions, np.zeros(p), linear=linear)
                    first = _first_point(derivatives, init)
                if kinked:
                    derivatives = KinkedDerivatives(derivatives)
                try:
                    derivatives.before_evaluation = interrupts.check
                    scaled = ScaledObjective(derivatives, first, *bounds)
                    problem = Problem(derivatives, Answers(scaled, init, stride=widest), groups, required, start)
                    if init is not None and not start:
                        problem.begin_at(init, max(sparsities))
                    outcomes = self._leave_maxima(problem, sparsities, self._solve_each(problem, sparsities))
                    break
                except NotDiagonalError:
                    linear = False
                except KinkedError:
                    kinked = True
        self._note_refused(scaled)
        return outcomes

    def _leave_maxima(self, problem: Problem, sparsities: list[int], outcomes: list[Outcome]) -> list[Outcome]:
        """Search again, from a lower point, where an answer has fewer parameters than it may have and is no minimum."""
        better: list[Outcome] = []
        for k, outcome in zip(sparsities, outcomes, strict=True):
            best = min((outcome, *better), key=lambda one: one.value)  # one for a smaller k is one for this
            if problem.objective.is_stationary:
                best = min([best, *self._solve_below(problem, problem.at_start(), k)], key=lambda one: one.value)
            for _ in range(MOST_STARTS):
                found = self._solve_below(problem, best, k)
                if not found:
                    break
                lowest = min(found, key=lambda one: one.value)
                if not lowest.value < best.value:
                    best.status = "stalled"
                    break
                best = lowest
            better.append(best)
        return better

    def _solve_below(self, problem: Problem, outcome: Outcome, k: int) -> list[Outcome]:
        """Search from the first few points that are lower than an outcome with fewer parameters than it may have."""
        found = []
        for params in islice(lower_points(problem, outcome, k), MOST_DIRECTIONS):
            problem.begin_at(params, k)
            found += self._solve_each(problem, [k])
        return found

    def _solve_each(self, problem: Problem, sparsities: list[int]) -> list[Outcome]:
        raise NotImplementedError

    def _note_refused(self, scaled: ScaledObjective) -> None:
        self.n_refused = scaled.refused
        self._refused_point = scaled.last_refused


def _first_point(derivatives: Derivatives, init: Vector | None) -> Vector:
    """Return where the first scan is made: at zero, unless the user has named another point and zero is no use."""
    zero = np.zeros(derivatives.p)
    if init is None:
        return zero
    first = derivatives.at(zero, np.empty(0, dtype=np.int64))
    return zero if np.isfinite(first.value) and np.isfinite(first.gradient()).all() else init

"""The base class of the solvers, which have skscope's names and arguments."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..exceptions import ConvergenceWarning
from ..losses import Loss
from ._answers import Answers
from ._arguments import check_group, check_numbers, check_params, check_whole, directions_at_once
from ._built_in import check_data, functions_of_loss
from ._calls import with_data, without_jit
from ._choice import WithChoice
from ._configured import Configured
from ._derivatives import Derivatives, Vector
from ._escape import lower_points
from ._gauge import GaugedDerivatives, is_free_of_length
from ._interrupts import Interrupts
from ._jax import NotDiagonalError, double_precision
from ._kinks import KinkedDerivatives, KinkedError
from ._layers import Layers
from ._numeric_solver import NumericSolver, own_solver
from ._outcome import WithOutcome
from ._problem import Outcome, Problem, Question
from ._scaled import ScaledObjective
from ._sources import Functions, source_of

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
            Layers of :mod:`ksparse.scope.layer` or of skscope, which transform the parameters before the objective sees them.
            ``NonNegative`` and ``BoxConstraint`` in the first places are used as bounds of the parameters.
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
        self._note_without_effect(self._stacklevel)
        p = check_whole(self.dimensionality, "dimensionality", 1)
        transforms = Layers(layers, p)
        question = self._question(transforms, init_support_set, init_params)
        functions, data = self._functions(objective, gradient, hessian, hessian_product, data, transforms, p)

        def solve_on(data: Any, sparsities: list[int]) -> list[Outcome]:
            return self._solve_on(functions, data, jit, question, sparsities, interrupts)

        self._forget()
        with Interrupts() as interrupts:
            outcome = self._choose(solve_on, functions.objective, data, question)
        self._keep(outcome, transforms)
        if outcome.status != "converged":
            warnings.warn(f"{outcome.status}: {self.advice}", ConvergenceWarning, stacklevel=self._stacklevel)
        return self.params

    def _question(self, layers: Layers, init_support_set: Any, init_params: Any) -> Question:
        """Check what is asked of the parameters."""
        groups = check_group(self.group, layers.n_parameters if self.group is None else self.dimensionality)
        n_groups = int(groups[-1]) + 1
        required = check_numbers(self.preselect, "preselect", n_groups, "preselect should be between 0 and dimensionality.")
        sparsities = self._sparsities(len(groups), n_groups, len(required))
        groups = np.asarray(layers.through("transform_group", groups))
        if np.ndim(init_support_set) > 1:
            raise ValueError(
                f"The initial active set should be an 1D array of integers. init_support_set has shape {np.shape(init_support_set)}"
            )
        start = check_numbers(init_support_set, "init_support_set", n_groups, "init_support_set contains wrong index.")
        init = None if init_params is None else check_params(init_params, "init_params", layers.n_parameters)
        return Question(
            groups,
            [int(group) for group in layers.through("transform_preselect", np.array(required, dtype=np.int64))],
            [int(k) for k in layers.through("transform_sparsity", np.array(sparsities))],
            start,
            self._random_init(layers) if init is None else init,
            (layers.lower, layers.upper),
            starts_at_init=layers.starts_at_random,
        )

    def _random_init(self, layers: Layers) -> Vector | None:
        if not layers.starts_at_random:
            return None
        return np.random.default_rng(check_whole(self.random_state or 0, "random_state", 0)).standard_normal(
            layers.n_parameters
        )

    def _functions(
        self, objective: Any, gradient: Any, hessian: Any, hessian_product: Any, data: Any, layers: Layers, p: int
    ) -> tuple[Functions, Any]:
        """Check the user's functions and data, and return functions of the parameters of the search and the data."""
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
        has_data = data is not None
        if gradient is None:
            return Functions(layers.before(with_data(without_jit(objective), 1, has_data=has_data))), data
        if layers.transform_params_is_needed:
            raise ValueError(
                "layers other than Identity, NonNegative and BoxConstraint are differentiated with the objective, which must then be "
                "written in JAX: leave out gradient"
            )
        if hessian is None and hessian_product is None:
            hessian = self._own_hessian()
        return Functions(
            with_data(objective, 1, has_data=has_data),
            with_data(gradient, 1, has_data=has_data),
            None if hessian is None else with_data(hessian, 1, has_data=has_data),
            None if hessian_product is None else with_data(hessian_product, 2, has_data=has_data),
        ), data

    def _solve_on(
        self,
        functions: Functions,
        data: Any,
        jit: bool,
        question: Question,
        sparsities: list[int],
        interrupts: Interrupts,
    ) -> list[Outcome]:
        p, init = len(question.groups), question.init
        directions = directions_at_once(p, question.most_columns(max(sparsities)))
        start = np.zeros(p) if init is None else init
        source = source_of(functions, data, p, directions, start, jit=jit)
        interrupts.check()
        solver = own_solver(self.numeric_solver)
        linear, kinked = True, False
        with interrupts.waiting(source.is_compiled), double_precision(source.is_rewritten):
            while True:
                derivatives = source.derivatives(linear=linear, directions=1 if kinked else None)
                if source.is_compiled and is_free_of_length(derivatives, question.bounds):
                    derivatives = GaugedDerivatives(derivatives)
                    init = None if init is None else init / max(float(np.linalg.norm(init)), 1e-300)
                first = _first_point(derivatives, init, insist=question.starts_at_init)
                gauged = derivatives if isinstance(derivatives, GaugedDerivatives) else None
                if kinked:
                    derivatives = KinkedDerivatives(derivatives)
                try:
                    derivatives.before_evaluation = interrupts.check
                    scaled = ScaledObjective(derivatives, first, *question.bounds)
                    numeric_solver = None if solver is None else NumericSolver(solver, derivatives, data)
                    answers = Answers(scaled, init, stride=question.widest, numeric_solver=numeric_solver)
                    problem = Problem(derivatives, answers, question.groups, question.required, question.start)
                    if init is not None and not question.start:
                        problem.begin_at(init, max(sparsities))
                    outcomes = self._leave_maxima(problem, sparsities, self._solve_each(problem, sparsities))
                    break
                except NotDiagonalError:
                    linear = False
                except KinkedError:
                    kinked = True
            if gauged is not None:  # report the objective without the penalty on the length
                for outcome in outcomes:
                    outcome.value = gauged.of.value(outcome.params)
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


def _first_point(derivatives: Derivatives, init: Vector | None, *, insist: bool) -> Vector:
    """Return where the first scan is made: at zero, unless zero is no use and another point is known."""
    zero = np.zeros(derivatives.p)
    if init is None:
        return zero
    if insist:
        return init
    first = derivatives.at(zero, np.empty(0, dtype=np.int64))
    return zero if np.isfinite(first.value) and np.isfinite(first.gradient()).all() else init

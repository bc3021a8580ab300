"""What a solver keeps of where its search ended, and how it is read, as in skscope."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._derivatives import Vector, describe
from ._layers import Layers
from ._problem import Outcome

__all__ = ["WithOutcome"]

_ADVICE = {
    "max_iterations": "a refit did not end within its iterations: the objective may have no minimum on the chosen parameters; add a penalty",
    "separable": "the objective decreases towards 0 forever along the chosen parameters, whose size has no meaning; add a penalty",
    "stalled": "the descent stopped before it came to a minimum: the objective is rough, or not finite, near the answer, or its "
    "derivatives are not its own; write it so that it neither overflows nor cancels, or check its derivatives",
}


class WithOutcome:
    """A solver that keeps the outcome of its last search in attributes."""

    n_refused: int
    _refused_point: Vector | None

    def _forget(self) -> None:
        """Drop the results of an earlier call, should the next one fail."""
        self.__dict__.pop("params", None)
        self.information_criterion: float | None = None
        self.cross_validation_loss: float | None = None

    def _keep(self, outcome: Outcome, layers: Layers) -> None:
        self.params, self.support_set = outcome.params, outcome.support
        if layers.transform_params_is_needed:
            self.params = np.asarray(layers.transform(outcome.params), dtype=np.float64)
            self.support_set = np.flatnonzero(self.params)  # as in skscope, all of them after OffsetSparse
        self.objective_value = outcome.value
        self.status = outcome.status
        self.n_refits = outcome.counts.get("n_refits", 0)
        self.n_newton = outcome.counts.get("n_newton", 0)
        self.n_scans = outcome.counts.get("n_scans", 0)
        self.n_rounds = outcome.counts.get("n_rounds", 0)
        self.n_restarts = outcome.counts.get("n_restarts", 0)
        self.times_found = outcome.counts.get("times_found", 0)
        words = [_ADVICE.get(outcome.status, "")]
        if self.n_refused:
            where = "" if self._refused_point is None else f", the last of them {describe(self._refused_point)}"
            words.append(
                f"the objective or a derivative of it was not finite at {self.n_refused} of the points tried{where}; the search "
                "went around them. Where it overflows for no need, write it in another way: jax.nn.softplus(-m) for "
                "-log(1 / (1 + exp(-m)))"
            )
        self.advice = "; ".join(word for word in words if word)

    @property
    def eval_objective(self) -> float | None:
        """The value by which one of several sparsities was chosen: that of cross-validation, or of the criterion."""
        return self.information_criterion if self.cross_validation_loss is None else self.cross_validation_loss

    def _result(self, name: str) -> Any:
        if not hasattr(self, "params"):
            raise AttributeError(f"there is no {name} yet: call solve() first")
        return getattr(self, name)

    def get_result(self) -> dict[str, Any]:
        """Return what the last call of :meth:`solve` found.

        Returns
        -------
        dict
            ``params``, ``support_set``, ``objective_value``, ``information_criterion``, ``cross_validation_loss`` (None where it was
            not used) and ``eval_objective``, which is that of the two by which the sparsity was chosen.
        """
        names = (
            "params",
            "support_set",
            "objective_value",
            "information_criterion",
            "cross_validation_loss",
            "eval_objective",
        )
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

"""What all losses share."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .. import _core
from .._checks import check_real

__all__ = ["Loss", "Vector"]

Vector = NDArray[np.float64]

# The losses without parameters as the core takes them, made once: in a small fit this would take a hundredth of the time.
_WITHOUT_PARAMETERS: dict[str, _core.Loss] = {}


@dataclass
class Loss:
    """What all losses share; not one itself.

    Attributes
    ----------
    name : str
        By which functions and estimators take it.
    responses : {"binary", "finite", "not_negative", "positive"}
        What y may be: labels of two classes, or numbers.
    """

    name: ClassVar[str] = ""
    responses: ClassVar[str] = "binary"
    # Whether sigma(eta) is a score that its probability differs from.
    focuses: ClassVar[bool] = False
    # Whether it is minus a log-likelihood, or half a deviance, with nothing left to estimate.
    is_likelihood: ClassVar[bool] = False
    # The parameters that may differ between the problems of a batch.
    _by_problem: ClassVar[tuple[str, ...]] = ()
    # Whether the average deviance of a model that is right is about 1 for each row, as it is for counts.
    _dispersion_is_known: ClassVar[bool] = False

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name.

        Parameters
        ----------
        deep : bool, default=True
            Not used; there are no parameters within parameters.

        Returns
        -------
        dict
            Parameters by name.
        """
        return {parameter.name: getattr(self, parameter.name) for parameter in fields(self)}

    def set_params(self, **params: Any) -> Loss:
        """Set parameters by name.

        Parameters
        ----------
        **params : dict
            New values.

        Returns
        -------
        Loss
            The loss itself.

        Raises
        ------
        ValueError
            If there is no such parameter.
        """
        known = self.get_params()
        for name, value in params.items():
            if name not in known:
                has = ", ".join(known) if known else "none"
                raise ValueError(f"{type(self).__name__} has no parameter {name!r}; it has {has}")
            setattr(self, name, value)
        return self

    @property
    def is_classification(self) -> bool:
        """Whether the loss is of labels of two classes."""
        return self.responses == "binary"

    @property
    def has_log_link(self) -> bool:
        """Whether the linear predictor is the logarithm of the mean."""
        return False

    @property
    def is_log_odds(self) -> bool:
        """Whether the linear predictor is the logarithm of the odds of class 1."""
        return False

    def log_odds(self, eta: Vector) -> Vector | None:
        """Return what a linear predictor says of log(P / (1 - P)), or None if it says nothing of probabilities."""
        return None

    def decision_threshold(self) -> float:
        """Return the linear predictor at which both classes are as likely."""
        return 0.0

    def mean(self, eta: Vector) -> Vector:
        """Return the mean response of a linear predictor."""
        return eta

    def deviance(self, mean_loss: Any, n_rows: float) -> Any:
        """Return -2 log-likelihood of an average loss, up to a constant, or None if the loss is not a likelihood."""
        return 2.0 * n_rows * mean_loss if self.is_likelihood else None

    @property
    def _described(self) -> str:
        """How messages call the loss."""
        return f"the loss {self.name!r}"

    @property
    def _focusing(self) -> float | None:
        """Exponent of the focal loss that has the same probabilities; None if they are of another form."""
        return None

    @property
    def _focal_parameters(self) -> dict[str, float]:
        """Values of ``alpha`` and ``gamma`` that results report."""
        return {"alpha": 0.5, "gamma": 0.0}

    def _with_focal_parameters(self, alpha: Any, gamma: Any) -> Loss:
        """Return the loss with these parameters if they are its own, else the loss itself."""
        return self

    def _check_parameter(self, name: str, value: Any) -> float:
        """Return a parameter; raise if it is not what it must be."""
        return check_real(value, f"{self.name}: {name}", "finite and > 0", 0.0, open_low=True)

    def _kernel(self) -> _core.Loss:
        """Return the loss as the core takes it; raise for a parameter that is not what it must be."""
        parameters = self.get_params()
        if not parameters:
            known = _WITHOUT_PARAMETERS.get(self.name)
            return known or _WITHOUT_PARAMETERS.setdefault(self.name, _core.loss_by_name(self.name, []))
        return _core.loss_by_name(self.name, [self._check_parameter(name, value) for name, value in parameters.items()])

"""The base class of the losses."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .. import _core
from .._checks import check_real

__all__ = ["Loss", "Vector"]

Vector = NDArray[np.float64]

# The core's objects for losses without parameters. They are made once, because this would take 1 % of the time of a small fit.
_WITHOUT_PARAMETERS: dict[str, _core.Loss] = {}


@dataclass
class Loss:
    """Base class of the losses, which is not a loss itself.

    Attributes
    ----------
    name : str
        Name by which functions and estimators accept the loss.
    responses : {"binary", "finite", "not_negative", "positive"}
        The values that y may have: labels of two classes, or numbers that are finite, not negative or positive.
    """

    name: ClassVar[str] = ""
    responses: ClassVar[str] = "binary"
    # Whether sigma(eta) is a score that differs from the probability, as for the focal losses.
    focuses: ClassVar[bool] = False
    # Whether it is minus a log-likelihood or half a deviance, without parameters that must be estimated.
    is_likelihood: ClassVar[bool] = False
    # The parameters that may differ between the problems of a batch.
    _by_problem: ClassVar[tuple[str, ...]] = ()
    # Whether the average deviance of a correct model is about 1 per row, as it is for counts.
    _dispersion_is_known: ClassVar[bool] = False

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name.

        Parameters
        ----------
        deep : bool, default=True
            Not used, because parameters have no parameters themselves.

        Returns
        -------
        dict
            The parameters by name.
        """
        return {parameter.name: getattr(self, parameter.name) for parameter in fields(self)}

    def set_params(self, **params: Any) -> Loss:
        """Set parameters by name.

        Parameters
        ----------
        **params : dict
            New values by name.

        Returns
        -------
        Loss
            The loss itself.

        Raises
        ------
        ValueError
            If a parameter does not exist.
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
        """Whether this is a classification loss, i.e. y contains labels of two classes."""
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
        """Return the log-odds log(P / (1 - P)) for a linear predictor, or None if the loss does not define probabilities."""
        return None

    def decision_threshold(self) -> float:
        """Return the linear predictor at which both classes are equally likely."""
        return 0.0

    def mean(self, eta: Vector) -> Vector:
        """Return the mean response for a linear predictor."""
        return eta

    def deviance(self, mean_loss: Any, n_rows: float) -> Any:
        """Return -2 log-likelihood of an average loss, up to a constant, or None if the loss is not a likelihood."""
        return 2.0 * n_rows * mean_loss if self.is_likelihood else None

    @property
    def _described(self) -> str:
        """The loss as a phrase for messages."""
        return f"the loss {self.name!r}"

    @property
    def _focusing(self) -> float | None:
        """Exponent gamma of the focal loss that has the same probabilities, or None if there is none."""
        return None

    @property
    def _focal_parameters(self) -> dict[str, float]:
        """Values of the attributes ``alpha`` and ``gamma`` of results."""
        return {"alpha": 0.5, "gamma": 0.0}

    def _with_focal_parameters(self, alpha: Any, gamma: Any) -> Loss:
        """Return the loss with these parameters if it has them, else the loss itself."""
        return self

    def _check_parameter(self, name: str, value: Any) -> float:
        """Return the value of a parameter; raise an error if it is out of range."""
        return check_real(value, f"{self.name}: {name}", "finite and > 0", 0.0, open_low=True)

    def _check(self) -> None:
        """Raise an error if a parameter is out of range."""
        self._kernel()

    def _terms(self, eta: Vector, responses: Vector) -> tuple[Vector, Vector, Vector]:
        """Return the loss of each row, and its first two derivatives with respect to the linear predictor."""
        return self._kernel().terms(eta, responses)

    def _kernel(self) -> _core.Loss:
        """Return the loss as an object of the core; raise an error if a parameter is out of range."""
        parameters = self.get_params()
        if not parameters:
            known = _WITHOUT_PARAMETERS.get(self.name)
            return known or _WITHOUT_PARAMETERS.setdefault(self.name, _core.loss_by_name(self.name, []))
        return _core.loss_by_name(self.name, [self._check_parameter(name, value) for name, value in parameters.items()])

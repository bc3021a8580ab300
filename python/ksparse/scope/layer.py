"""Layers, which transform the parameters before an objective sees them.

``solve(objective, layers=[...])`` applies them in order. The parameters before the first layer are sparse, and the parameters after the
last layer are returned.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._scope._jax import jax_module

__all__ = ["BoxConstraint", "Identity", "LinearConstraint", "NonNegative", "OffsetSparse", "SimplexConstraint"]


def _numpy_of(params: Any) -> Any:
    """Return NumPy for its own arrays, so that nothing is rounded to float32, and otherwise ``jax.numpy``."""
    return np if isinstance(params, np.ndarray) else jax_module().numpy


class Identity:
    """A layer that does not change the parameters. It is the base class of the other layers.

    Parameters
    ----------
    dimensionality : int
        Number of parameters.
    """

    # Whether a search starts from random parameters, because the layer has no derivatives if all parameters are 0. The name, with
    # its misspelling, is that of skscope.
    random_initilization = False

    def __init__(self, dimensionality: int):
        self.in_features = self.out_features = int(dimensionality)

    def transform_params(self, params: Any) -> Any:
        """Transform the parameters.

        Parameters
        ----------
        params : array of shape (dimensionality,)
            Parameters, of NumPy or of JAX.

        Returns
        -------
        array of shape (dimensionality,)
            The transformed parameters, an array of the same library.
        """
        return params

    def transform_preselect(self, preselect: Any) -> Any:
        """Convert ``preselect`` from the output of the layer to its input.

        Parameters
        ----------
        preselect : array of int
            Indices of the outputs that must be chosen.

        Returns
        -------
        array of int
            Indices of the inputs that must be chosen.
        """
        return preselect

    def transform_group(self, group: Any) -> Any:
        """Convert ``group`` from the output of the layer to its input.

        Parameters
        ----------
        group : array of int
            Group of each output.

        Returns
        -------
        array of int
            Group of each input.
        """
        return group

    def transform_sparsity(self, sparsity: Any) -> Any:
        """Convert ``sparsity`` from the output of the layer to its input.

        Parameters
        ----------
        sparsity : array of int
            Sparsities of the output.

        Returns
        -------
        array of int
            Sparsities of the input.
        """
        return sparsity


class NonNegative(Identity):
    """A layer after which no parameter is below 0.

    If it is the first layer, it is a lower bound of the search. After other layers, it takes the absolute value.

    Parameters
    ----------
    dimensionality : int
        Number of parameters.
    """

    def transform_params(self, params: Any) -> Any:
        """Take the absolute values.

        Parameters
        ----------
        params : array of shape (dimensionality,)
            Parameters, of NumPy or of JAX.

        Returns
        -------
        array of shape (dimensionality,)
            The transformed parameters, an array of the same library.
        """
        return abs(params)


class BoxConstraint(Identity):
    """A layer after which each parameter is between two bounds.

    If it is the first layer, these are bounds of the search. After other layers, parameters are clipped to them.

    Parameters
    ----------
    dimensionality : int
        Number of parameters.
    lower : float or array-like of shape (dimensionality,)
        Lower bounds, <= 0.
    upper : float or array-like of shape (dimensionality,)
        Upper bounds, >= 0.
    """

    def __init__(self, dimensionality: int, lower: ArrayLike, upper: ArrayLike):
        super().__init__(dimensionality)
        self.lower, self.upper = _filled(lower, dimensionality, "lower"), _filled(upper, dimensionality, "upper")
        for name, wrong in (("lower", self.lower > 0), ("upper", self.upper < 0)):
            if wrong.any():
                j = int(np.flatnonzero(wrong)[0])
                raise ValueError(
                    f"{name} is {getattr(self, name)[j]} for parameter {j}; it must be {'<' if name == 'lower' else '>'}= 0, so that a "
                    "parameter may be 0"
                )

    def transform_params(self, params: Any) -> Any:
        """Clip the parameters to the bounds.

        Parameters
        ----------
        params : array of shape (dimensionality,)
            Parameters, of NumPy or of JAX.

        Returns
        -------
        array of shape (dimensionality,)
            The transformed parameters, an array of the same library.
        """
        return _numpy_of(params).clip(params, self.lower, self.upper)


class LinearConstraint(Identity):
    """A layer that divides the parameters by ``coef @ params``, after which this product is 1.

    Parameters
    ----------
    dimensionality : int
        Number of parameters.
    coef : float or array-like of shape (dimensionality,), optional
        Coefficients of the constraint, all 1 by default.
    """

    random_initilization = True

    def __init__(self, dimensionality: int, coef: ArrayLike | None = None):
        super().__init__(dimensionality)
        self.coef = _filled(1.0 if coef is None else coef, dimensionality, "coef")

    def transform_params(self, params: Any) -> Any:
        """Divide the parameters by ``coef @ params``. If this product is 0, they are not changed.

        Parameters
        ----------
        params : array of shape (dimensionality,)
            Parameters, of NumPy or of JAX.

        Returns
        -------
        array of shape (dimensionality,)
            The transformed parameters, an array of the same library.
        """
        total = params @ self.coef
        return params / _numpy_of(params).where(total == 0, 1.0, total)


class SimplexConstraint(LinearConstraint):
    """A layer after which no parameter is below 0, and ``coef @ params = 1``.

    Parameters
    ----------
    dimensionality : int
        Number of parameters.
    coef : float or array-like of shape (dimensionality,), optional
        Coefficients of the constraint, all 1 by default.
    """

    def transform_params(self, params: Any) -> Any:
        """Divide the absolute values by their sum, weighted by ``coef``.

        Parameters
        ----------
        params : array of shape (dimensionality,)
            Parameters, of NumPy or of JAX.

        Returns
        -------
        array of shape (dimensionality,)
            The transformed parameters, an array of the same library.
        """
        return super().transform_params(abs(params))


class OffsetSparse(Identity):
    """A layer that adds an offset, so that parameters that are not chosen have the value of the offset instead of 0.

    As in skscope, ``support_set`` has all parameters that are not 0 after the last layer.

    Parameters
    ----------
    dimensionality : int
        Number of parameters.
    offset : float or array-like of shape (dimensionality,)
        The offset that is added.
    """

    def __init__(self, dimensionality: int, offset: ArrayLike):
        super().__init__(dimensionality)
        self.offset = _filled(offset, dimensionality, "offset")

    def transform_params(self, params: Any) -> Any:
        """Add the offset to the parameters.

        Parameters
        ----------
        params : array of shape (dimensionality,)
            Parameters, of NumPy or of JAX.

        Returns
        -------
        array of shape (dimensionality,)
            The transformed parameters, an array of the same library.
        """
        return params + self.offset


def _filled(value: ArrayLike, dimensionality: int, name: str) -> NDArray[np.float64]:
    array = np.asarray(value, dtype=np.float64)
    if array.shape not in ((), (1,), (dimensionality,)):
        raise ValueError(f"{name} has shape {array.shape}; it must be a number or have shape ({dimensionality},)")
    return np.array(np.broadcast_to(array, (dimensionality,)))

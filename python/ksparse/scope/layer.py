"""Layers, which transform the parameters before an objective sees them.

``solve(objective, layers=[...])`` applies them in order. What is sparse are the parameters before the first layer; what is returned
are those after the last one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._scope._jax import jax_module

__all__ = ["BoxConstraint", "Identity", "LinearConstraint", "NonNegative", "OffsetSparse", "SimplexConstraint"]


def _numpy_of(params: Any) -> Any:
    """Return NumPy for its arrays, so that nothing is rounded to float32, and JAX's for what it differentiates."""
    return np if isinstance(params, np.ndarray) else jax_module().numpy


class Identity:
    """A layer that leaves the parameters as they are, and the base class of the others.

    Parameters
    ----------
    dimensionality : int
        Number of parameters.
    """

    # Whether a search starts from random parameters, since the layer has no derivatives where all parameters are 0. (The name is
    # skscope's.)
    random_initilization = False

    def __init__(self, dimensionality: int):
        self.in_features = self.out_features = int(dimensionality)

    def transform_params(self, params: Any) -> Any:
        """Return the parameters that come out of the layer.

        Parameters
        ----------
        params : array of shape (dimensionality,)
            Parameters, of NumPy or of JAX.

        Returns
        -------
        array of shape (dimensionality,)
            Of the same kind.
        """
        return params

    def transform_preselect(self, preselect: Any) -> Any:
        """Return ``preselect`` for the parameters that go into the layer.

        Parameters
        ----------
        preselect : array of int
            Parameters that must be chosen among those that come out.

        Returns
        -------
        array of int
            Parameters that must be chosen among those that go in.
        """
        return preselect

    def transform_group(self, group: Any) -> Any:
        """Return ``group`` for the parameters that go into the layer.

        Parameters
        ----------
        group : array of int
            Group of each parameter that comes out.

        Returns
        -------
        array of int
            Group of each parameter that goes in.
        """
        return group

    def transform_sparsity(self, sparsity: Any) -> Any:
        """Return ``sparsity`` for the parameters that go into the layer.

        Parameters
        ----------
        sparsity : array of int
            Sparsities of the parameters that come out.

        Returns
        -------
        array of int
            Sparsities of the parameters that go in.
        """
        return sparsity


class NonNegative(Identity):
    """A layer after which no parameter is below 0.

    In the first place it is a bound of the search; after other layers it takes the absolute value.

    Parameters
    ----------
    dimensionality : int
        Number of parameters.
    """

    def transform_params(self, params: Any) -> Any:
        """Return the absolute values.

        Parameters
        ----------
        params : array of shape (dimensionality,)
            Parameters, of NumPy or of JAX.

        Returns
        -------
        array of shape (dimensionality,)
            Of the same kind.
        """
        return abs(params)


class BoxConstraint(Identity):
    """A layer after which each parameter is between two bounds.

    In the first place these are bounds of the search; after other layers, parameters are cut off at them.

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
        """Return the parameters, cut off at the bounds.

        Parameters
        ----------
        params : array of shape (dimensionality,)
            Parameters, of NumPy or of JAX.

        Returns
        -------
        array of shape (dimensionality,)
            Of the same kind.
        """
        return _numpy_of(params).clip(params, self.lower, self.upper)


class LinearConstraint(Identity):
    """A layer after which the parameters satisfy ``coef @ params = 1``: they are divided by that product.

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
        """Return the parameters divided by ``coef @ params``; those whose product is 0 cannot be divided, and stay as they are.

        Parameters
        ----------
        params : array of shape (dimensionality,)
            Parameters, of NumPy or of JAX.

        Returns
        -------
        array of shape (dimensionality,)
            Of the same kind.
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
        """Return the absolute values divided by their sum, weighted by ``coef``.

        Parameters
        ----------
        params : array of shape (dimensionality,)
            Parameters, of NumPy or of JAX.

        Returns
        -------
        array of shape (dimensionality,)
            Of the same kind.
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
        What is added.
    """

    def __init__(self, dimensionality: int, offset: ArrayLike):
        super().__init__(dimensionality)
        self.offset = _filled(offset, dimensionality, "offset")

    def transform_params(self, params: Any) -> Any:
        """Return the parameters and the offset added.

        Parameters
        ----------
        params : array of shape (dimensionality,)
            Parameters, of NumPy or of JAX.

        Returns
        -------
        array of shape (dimensionality,)
            Of the same kind.
        """
        return params + self.offset


def _filled(value: ArrayLike, dimensionality: int, name: str) -> NDArray[np.float64]:
    array = np.asarray(value, dtype=np.float64)
    if array.shape not in ((), (1,), (dimensionality,)):
        raise ValueError(f"{name} has shape {array.shape}; it must be a number or have shape ({dimensionality},)")
    return np.array(np.broadcast_to(array, (dimensionality,)))

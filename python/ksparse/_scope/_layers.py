"""Layers, which transform the parameters before an objective sees them, as in skscope.

Layers in the first places that only keep parameters within bounds become bounds of the search, which are met exactly and have no
kinks. The others are applied to the parameters and differentiated together with the objective.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ._derivatives import Vector

__all__ = ["Layers"]


class Layers:
    """Layers in order, the first of which gets the parameters of the search.

    Parameters
    ----------
    layers : sequence
        Objects with a method ``transform_params``.
    p : int
        Number of parameters that the objective has.

    Attributes
    ----------
    n_parameters : int
        Number of parameters that the search has.
    lower, upper : ndarray or None
        Bounds of these.
    """

    def __init__(self, layers: Sequence[Any], p: int):
        self._layers = list(layers)
        for i, layer in enumerate(self._layers):
            if not callable(getattr(layer, "transform_params", None)) and type(layer).__name__ not in (
                "NonNegative",
                "BoxConstraint",
            ):
                raise ValueError(
                    f"layers[{i}] is a {type(layer).__name__}, which has no transform_params; it must be a layer of ksparse.scope.layer"
                )
        following = [*(getattr(layer, "in_features", None) for layer in self._layers), p][1:]
        for i, (layer, expected) in enumerate(zip(self._layers, following, strict=True)):
            returned = getattr(layer, "out_features", expected)
            if expected is not None and returned != expected:
                raise ValueError(f"layers[{i}] returns {returned} parameters, but {expected} are expected after it")
        self.n_parameters = int(getattr(self._layers[0], "in_features", p)) if self._layers else p
        self.lower: Vector | None = None
        self.upper: Vector | None = None
        self._transforms: list[Callable[[Any], Any]] = []
        for layer in self._layers:
            self._add(layer)

    def _add(self, layer: Any) -> None:
        kind = type(layer).__name__
        if kind == "Identity":
            return
        if self._transforms or kind not in ("NonNegative", "BoxConstraint", "SimplexConstraint"):
            self._transforms.append(layer.transform_params)
            return
        limits = (layer.lower, layer.upper) if kind == "BoxConstraint" else (0.0, np.inf)
        low, high = (np.broadcast_to(np.asarray(limit, dtype=np.float64), (self.n_parameters,)) for limit in limits)
        self.lower = np.array(low if self.lower is None else np.maximum(self.lower, low))
        self.upper = np.array(high if self.upper is None else np.minimum(self.upper, high))
        if kind == "SimplexConstraint":
            self._transforms.append(layer.transform_params)

    @property
    def transform_params_is_needed(self) -> bool:
        """Whether there is more to do than to keep bounds."""
        return bool(self._transforms)

    @property
    def starts_at_random(self) -> bool:
        """Whether a search is to start from random parameters, since the layers are not continuous where all are 0."""
        return any(getattr(layer, "random_initilization", False) for layer in self._layers)

    def transform(self, params: Any) -> Any:
        """Return the parameters that the objective sees."""
        for transform in self._transforms:
            params = transform(params)
        return params

    def through(self, name: str, value: Any) -> Any:
        """Return what a setting of the objective's parameters is for those of the search."""
        for layer in reversed(self._layers):
            change = getattr(layer, name, None)
            value = value if change is None else change(value)
        return value

    def before(self, objective: Callable[..., Any]) -> Callable[..., Any]:
        """Return an objective of the parameters of the search."""
        if not self._transforms:
            return objective
        return lambda params, data: objective(self.transform(params), data)

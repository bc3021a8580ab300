"""The attributes of results that the displays draw; protocols, so that the displays do not import the classes of the results."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from .._model import Model

__all__ = ["Path", "Rounds", "Stability"]


@runtime_checkable
class Rounds(Protocol):
    """Fits of resampled rows, as in a :class:`ksparse.BatchResult`."""

    @property
    def coefs(self) -> Any: ...
    @property
    def objectives(self) -> NDArray[np.float64]: ...


class Path(Protocol):
    """Fits for every k of a list, as in a :class:`ksparse.PathResult`."""

    @property
    def ks(self) -> NDArray[np.int64]: ...
    @property
    def results(self) -> tuple[Model, ...]: ...
    @property
    def coefs(self) -> NDArray[np.float64]: ...
    @property
    def supports(self) -> list[NDArray[np.int64]]: ...
    @property
    def objectives(self) -> NDArray[np.float64]: ...
    @property
    def criteria(self) -> dict[str, NDArray[np.float64]]: ...
    def criterion(self, name: str) -> NDArray[np.float64]: ...


class Stability(Protocol):
    """How often features were chosen, as in a :class:`ksparse.StabilityResult`."""

    @property
    def frequency(self) -> NDArray[np.float64]: ...
    @property
    def features(self) -> NDArray[np.int64]: ...
    @property
    def together(self) -> NDArray[np.float64]: ...
    @property
    def supports(self) -> tuple[NDArray[np.int64], ...]: ...
    @property
    def status(self) -> tuple[str, ...]: ...
    @property
    def feature_names(self) -> NDArray[np.object_] | None: ...


class NearOptimal(Protocol):
    """Models that are nearly as good as the best one, as in a :class:`ksparse.NearOptimalModels`."""

    @property
    def supports(self) -> tuple[NDArray[np.int64], ...]: ...
    @property
    def objective(self) -> NDArray[np.float64]: ...
    @property
    def in_all(self) -> NDArray[np.int64]: ...
    @property
    def in_some(self) -> NDArray[np.int64]: ...
    @property
    def complete(self) -> bool: ...
    @property
    def feature_names(self) -> NDArray[Any] | None: ...

"""Known parts of the linear predictor: offsets, and the logarithms of exposures."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._input.frames import numbers_of
from .._input.validation import check_rows
from ..losses import Loss

__all__ = ["NO_OFFSETS", "Offsets"]


class Offsets(NamedTuple):
    """The arguments ``offset`` and ``exposure`` as the user gave them."""

    offset: Any = None
    exposure: Any = None

    def given(self) -> dict[str, Any]:
        """Return the arguments that are given, by name."""
        return {name: value for name, value in self._asdict().items() if value is not None}

    def total(self, loss: Loss, n: int) -> NDArray[np.float64] | None:
        """Return what is added to the linear predictors of n rows: (n,), (n, n_problems), or None."""
        offset = None if self.offset is None else _check_offset(self.offset, n)
        if self.exposure is None:
            return offset
        if not (loss.has_log_link or loss.name == "cloglog"):
            raise ValueError(
                f"exposure is given but the loss {loss.name!r} has no log link, so that its logarithm is no part of the linear predictor; "
                "use offset, or the loss 'poisson', 'gamma', 'tweedie', 'negative_binomial' or 'cloglog'"
            )
        exposure = check_rows(self.exposure, n, "exposure")
        for i in np.flatnonzero(exposure <= 0)[:1]:
            raise ValueError(f"exposure[{i}] is {exposure[i]}; it must be > 0")
        shift = np.log(exposure)
        return shift if offset is None else offset + (shift if offset.ndim == 1 else shift[:, None])


NO_OFFSETS = Offsets()


def _check_offset(offset: Any, n: int) -> NDArray[np.float64]:
    """Return an offset for each row, or for each row and class or label."""
    array = numbers_of(offset, "offset")
    if array.ndim != 2:
        return check_rows(array, n, "offset")
    if len(array) != n:
        raise ValueError(f"X has {n} rows but offset has shape {array.shape}; it must have shape ({n},) or ({n}, n_classes)")
    return np.column_stack([check_rows(column, n, "offset") for column in array.T])

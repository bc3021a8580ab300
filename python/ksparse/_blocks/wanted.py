"""Which columns of rows that come in blocks are worth keeping in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .points import NO_COLUMNS, Columns, Vector

__all__ = ["WantedColumns"]

# Columns that are read together, some more than the search scans often.
_MOST = 60


class WantedColumns:
    """The columns that the search is expected to ask for.

    Parameters
    ----------
    source : object
        The rows.
    """

    def __init__(self, source: Any):
        self._source = source
        self.likely: Columns = NO_COLUMNS  # those that the next refits may add
        self._promising: Columns = NO_COLUMNS

    def set_promising(self, gains: Vector | NDArray[np.floating[Any]]) -> None:
        """Choose the columns with the largest predicted decreases of F, of all columns."""
        self._promising = np.sort(np.argsort(-gains, kind="stable")[:_MOST]).astype(np.int64)

    def keep_for(self, columns: Columns) -> None:
        """Keep these columns and the likely ones in memory; what has to be read is read together with the promising ones."""
        self._source.keep(np.union1d(columns, self.likely), self._promising)

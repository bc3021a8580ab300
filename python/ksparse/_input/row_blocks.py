"""X as blocks of rows, for data that are larger than memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._checks import check_integer

__all__ = ["CountedBlocks", "RowBlocks", "blocks_if_large", "filled_blocks", "refuse_blocks"]

# Bytes of a block that is cut from a file or an array.
_BLOCK_BYTES = 2**24


class RowBlocks:
    """X as blocks of rows that are read anew in every pass, for data that are larger than memory.

    Pass it as ``X`` to :func:`ksparse.fit`, :func:`ksparse.fit_path`, :class:`ksparse.KSparseClassifier` or
    :class:`ksparse.KSparseRegressor`; y, ``sample_weight`` and ``offset`` are arrays in memory, with an entry for each row. The
    result is the same as for these rows in memory, up to rounding. The blocks are read in order, and the next block is read while
    the search works on the last one. A typical fit makes about five passes over X; ``n_scans`` of the result is their number.

    Parameters
    ----------
    make_blocks : callable
        Called without arguments at the start of every pass. It returns an iterable of arrays or data frames of shape
        (n_rows_of_block, n_features), which must be the same in every pass. Blocks without rows are left out.
    n_features : int
        Number of columns.
    memory : int, default=2**28
        Number of bytes up to which columns that are read often (those of the model and some fifty candidates) are kept in memory.
        Beyond that, they are kept in a temporary file.

    See Also
    --------
    ksparse.dask.fit : Rows on several machines.

    Examples
    --------
    >>> import numpy as np
    >>> import ksparse
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((3000, 20))
    >>> y = X[:, 3] - X[:, 7] + rng.standard_normal(3000) > 0
    >>> blocks = ksparse.RowBlocks(lambda: (X[i : i + 1000] for i in range(0, 3000, 1000)), n_features=20)
    >>> ksparse.fit(blocks, y, k=2).support
    array([3, 7])
    """

    def __init__(self, make_blocks: Callable[[], Iterable[Any]], n_features: int, *, memory: int = 2**28):
        if not callable(make_blocks):
            raise TypeError(
                f"make_blocks is a {type(make_blocks).__name__}; it must be a function that returns the blocks, because they are "
                "read several times"
            )
        self.make_blocks = make_blocks
        self.n_features = check_integer(n_features, "n_features", 1)
        self.memory = check_integer(memory, "memory", 0)

    @classmethod
    def from_npy(cls, path: Any, *, rows_per_block: int | None = None, memory: int = 2**28) -> RowBlocks:
        """Make blocks of a file that :func:`numpy.save` has written in C order, without mapping it into memory.

        Parameters
        ----------
        path : str or path-like
            The file, which holds numbers of any type.
        rows_per_block : int, optional
            Number of rows of a block; by default as many as make 16 MB.
        memory : int, default=2**28
            As for the class.

        Returns
        -------
        RowBlocks
            The blocks.

        Raises
        ------
        ValueError
            If the file does not hold a matrix in C order.
        """
        with open(path, "rb") as file:
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, by_columns, dtype = read(file)
            start = file.tell()
        if len(shape) != 2 or by_columns or dtype.kind not in "fiub":
            order = "Fortran" if by_columns else "C"
            raise ValueError(
                f"{path} holds an array of shape {shape}, dtype {dtype} and {order} order; it must be a matrix of numbers in C order"
            )
        n, p = shape
        rows = _rows_of_block(rows_per_block, p * dtype.itemsize)

        def blocks() -> Iterator[Any]:
            with open(path, "rb") as file:
                file.seek(start)
                for first in range(0, n, rows):
                    count = min(rows, n - first)
                    yield np.fromfile(file, dtype, count * p).reshape(count, p)

        return cls(blocks, p, memory=memory)

    @classmethod
    def from_array(cls, X: Any, *, rows_per_block: int | None = None, memory: int = 2**28) -> RowBlocks:
        """Make blocks of an array, such as a memory map.

        Parameters
        ----------
        X : array of shape (n_samples, n_features)
            The array, of which slices of rows are copied.
        rows_per_block : int, optional
            Number of rows of a block; by default as many as make 16 MB.
        memory : int, default=2**28
            As for the class.

        Returns
        -------
        RowBlocks
            The blocks.
        """
        n, p = X.shape
        rows = _rows_of_block(rows_per_block, p * X.dtype.itemsize)
        return cls(lambda: (np.array(X[first : first + rows]) for first in range(0, n, rows)), p, memory=memory)

    def __repr__(self) -> str:
        """Return the number of columns."""
        return f"RowBlocks(n_features={self.n_features})"


@dataclass(frozen=True)
class CountedBlocks:
    """Blocks of rows whose number is known."""

    blocks: RowBlocks
    n_rows: int

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and columns."""
        return self.n_rows, self.blocks.n_features


def _rows_of_block(rows_per_block: Any, row_bytes: int) -> int:
    if rows_per_block is None:
        return max(1, _BLOCK_BYTES // max(1, row_bytes))
    return check_integer(rows_per_block, "rows_per_block", 1)


def filled_blocks(X: RowBlocks) -> Iterator[Any]:
    """Yield the blocks that have rows; a part of a file may have none after a filter."""
    for block in X.make_blocks():
        shape = getattr(block, "shape", None)
        if shape[0] > 0 if shape else not (isinstance(block, (list, tuple)) and len(block) == 0):
            yield block


def refuse_blocks(X: Any) -> None:
    """Raise TypeError if X comes in blocks, where it must be in memory."""
    if isinstance(X, (RowBlocks, CountedBlocks)):
        raise TypeError(
            "X comes in blocks of rows, which fit, fit_path, KSparseClassifier (for two classes) and KSparseRegressor accept; "
            "here it must be in memory"
        )


def blocks_if_large(X: Any) -> Any:
    """Return blocks of a memory map that takes more than half of the memory, and anything else as it is."""
    if not isinstance(X, np.memmap) or X.ndim != 2 or not X.flags.c_contiguous or 2 * X.nbytes <= _memory():
        return X
    return RowBlocks.from_array(X)


def _memory() -> int:
    """Return the bytes of memory of this machine, or a large number if they are unknown."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # e.g. on Windows
        return 2**62

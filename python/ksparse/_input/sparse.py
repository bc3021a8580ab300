"""Conversion of SciPy's sparse matrices and arrays to the formats that the core reads."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _core


def is_sparse(X: Any) -> bool:
    """Return whether X is a sparse matrix or array of SciPy, without importing SciPy."""
    if type(X).__module__.split(".")[0] == "sparse" and hasattr(X, "nnz"):
        raise TypeError(f"X is a {type(X).__name__} of the package sparse; convert it to a SciPy matrix with X.tocsc()")
    return hasattr(X, "nnz") and hasattr(X, "tocsc")


def check_sparse(X: Any) -> Any:
    """Return X in CSC or CSR format with float64 or float32 values, as a converted copy if necessary.

    The core checks every index before it uses it. This function checks only what could make routines of SciPy fail.
    """
    check_sparse_shape(X)
    if X.format == "coo":
        for axis, (indices, name) in enumerate(((X.row, "row"), (X.col, "column"))):
            _check_range(indices, name, X.shape[axis])
    compressed = X.format in ("csc", "csr")
    if compressed:
        _check_lines(X, every_index=False)
    native = X.dtype in (np.float64, np.float32) and X.dtype.isnative
    floats = X if native else X.astype(np.float64)
    stored = floats if compressed else floats.tocsc()
    if stored.indices.dtype != stored.indptr.dtype or stored.indices.dtype not in (np.int32, np.int64):
        stored = _with_indices(stored, np.int64)
    if not all(array.flags.c_contiguous and array.flags.aligned for array in (stored.data, stored.indices, stored.indptr)):
        stored = stored.copy()  # SciPy's copy is contiguous
    if _core.storage_problem(stored) is not None:
        _check_lines(stored)
        if stored is X:
            stored = stored.copy()
        # The flags must be reset first: sum_duplicates relies on them, and they may be out of date.
        stored.has_sorted_indices = False
        stored.has_canonical_format = False
        stored.sum_duplicates()
    return stored


def check_sparse_shape(X: Any) -> None:
    """Raise an error if the type or shape of X is invalid."""
    if X.dtype.kind not in "fiub":
        raise TypeError(f"X has dtype {X.dtype}; it must be real numbers (float, integer or boolean)")
    if X.ndim != 2:
        raise ValueError(f"X has shape {X.shape}; it must have two dimensions, (n_samples, n_features)")
    if 0 in X.shape:
        raise ValueError(f"X has shape {X.shape}; it must have at least one row and one column")


def _check_lines(X: Any, *, every_index: bool = True) -> None:
    """Raise an error if indptr or an index of a CSC or CSR matrix is invalid."""
    line, number, length = ("row", "column", X.shape[1]) if X.format == "csr" else ("column", "row", X.shape[0])
    starts = X.indptr
    falls = np.flatnonzero(starts[1:] < starts[:-1])
    if starts[0] != 0 or len(falls):
        where = f"{line} {falls[0]} ends before it starts" if len(falls) else f"its first {line} does not start at entry 0"
        raise ValueError(f"sparse X is malformed: {where}")
    if starts[-1] > min(len(X.indices), len(X.data)):
        raise ValueError(
            f"sparse X is malformed: indptr ends at {starts[-1]}, but there are {len(X.indices)} indices "
            f"and {len(X.data)} values"
        )
    if every_index:
        _check_range(X.indices[: starts[-1]], number, length)


def _check_range(indices: NDArray[Any], name: str, length: int) -> None:
    for index in (indices.min(), indices.max()) if len(indices) else ():
        if not 0 <= index < length:
            raise ValueError(f"sparse X is malformed: it has the {name} index {index}, but there are {length} {name}s")


def _with_indices(X: Any, dtype: Any) -> Any:
    copy = X.copy()
    copy.indices, copy.indptr = X.indices.astype(dtype), X.indptr.astype(dtype)
    return copy

"""Dask collections as chunks of rows on the workers, checked before work starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._blocks.local import columns_of
from .._blocks.questions import Rows
from .._input.frames import column_names, is_frame
from .._input.sparse import is_sparse
from .._input.validation import check_design
from ..losses import Loss

__all__ = [
    "Chunk",
    "Collections",
    "Described",
    "check_types",
    "chunk_of",
    "describe",
    "rows_of",
    "take_columns",
    "together",
]

Vector = NDArray[np.float64]


class Chunk(NamedTuple):
    """The rows of a chunk, on the worker that holds them."""

    X: Any
    rows: Rows


class Described(NamedTuple):
    """What the client needs to know about a chunk."""

    n_rows: int
    n_features: int
    n_bytes: int
    weight: tuple[float, float]  # of the rows with y <= 0 and y > 0
    problem: str | None


@dataclass(frozen=True)
class Collections:
    """X, y, weights and offset as lists of delayed chunks of the same rows."""

    X: list[Any]
    y: list[Any]
    weight: list[Any]
    offset: list[Any]
    names: NDArray[np.object_] | None

    @classmethod
    def of(cls, X: Any, y: Any, sample_weight: Any, offset: Any) -> Collections:
        """Check the collections; raise TypeError or ValueError that says what to do."""
        parts = _chunks_of_matrix(X)
        names = None
        if hasattr(X, "columns") and all(isinstance(name, str) for name in X.columns):
            names = np.asarray(list(X.columns), dtype=object)
        return cls(
            parts,
            _chunks_of_vector(y, "y", X, len(parts)),
            [None] * len(parts) if sample_weight is None else _chunks_of_vector(sample_weight, "sample_weight", X, len(parts)),
            [None] * len(parts) if offset is None else _chunks_of_vector(offset, "offset", X, len(parts)),
            names,
        )


def _refuse_unknown(collection: Any, name: str) -> None:
    if any(np.isnan(size) for size in collection.chunks[0]):
        raise ValueError(f"{name} has chunks of unknown sizes; call {name}.compute_chunk_sizes() first")


def check_types(X: Any, y: Any, sample_weight: Any) -> None:
    """Raise TypeError or ValueError if X is not a matrix, or y or the weights are not vectors, of Dask."""
    _check_matrix(X)
    _check_vector_type(y, "y")
    if sample_weight is not None:
        _check_vector_type(sample_weight, "sample_weight")


def _check_matrix(X: Any) -> None:
    if hasattr(X, "columns") and hasattr(X, "to_delayed"):  # a data frame
        return
    if not (hasattr(X, "chunks") and hasattr(X, "to_delayed")):
        raise TypeError(f"X is a {type(X).__name__}; it must be a Dask array or data frame; use ksparse.fit for data in memory")
    if X.ndim != 2:
        raise ValueError(f"X has shape {X.shape}; it must have two dimensions, (n_samples, n_features)")
    if 0 in X.shape:
        raise ValueError(f"X has shape {X.shape}; it must have at least one row and one column")
    if X.numblocks[1] > 1:
        raise ValueError(
            f"X has chunks of columns, {X.chunks[1]}; each chunk must have all columns, as after X.rechunk({{1: -1}})"
        )
    _refuse_unknown(X, "X")


def _chunks_of_matrix(X: Any) -> list[Any]:
    _check_matrix(X)
    return list(X.to_delayed() if hasattr(X, "columns") else X.to_delayed()[:, 0])


def _check_vector_type(values: Any, name: str) -> None:
    if not hasattr(values, "to_delayed"):
        raise TypeError(f"{name} is a {type(values).__name__}; it must be a Dask array or series with the chunks of X")


def _chunks_of_vector(values: Any, name: str, X: Any, count: int) -> list[Any]:
    _check_vector_type(values, name)
    if hasattr(values, "chunks"):
        shape = values.shape
        if values.ndim == 2 and shape[1] == 1:
            values = values[:, 0]
        if values.ndim != 1:
            raise ValueError(f"{name} has shape {shape}; it must have one dimension")
        if hasattr(X, "chunks"):
            _refuse_unknown(values, name)
            if values.chunks[0] != X.chunks[0]:
                raise ValueError(
                    f"{name} has chunks of {_sizes(values.chunks[0])} rows and X of {_sizes(X.chunks[0])}; they must be the same, "
                    f"as after {name}.rechunk((X.chunks[0],))"
                )
    parts = list(np.ravel(values.to_delayed()))
    if len(parts) != count:
        raise ValueError(f"{name} has {len(parts)} chunks and X has {count}; they must have the same chunks of rows")
    return parts


def _sizes(chunks: tuple[int, ...]) -> str:
    return ", ".join(map(str, chunks[:6])) + (", ..." if len(chunks) > 6 else "")


def chunk_of(X: Any, y: Any, weight: Any, offset: Any) -> Chunk:
    """Return a chunk on its worker: X in a format that the core reads, and the vectors as float64."""
    if is_frame(X) and len(column_names(X)) and not len(X):
        matrix: Any = np.empty((0, len(column_names(X))))
    elif getattr(X, "shape", (1,))[0] == 0:
        matrix = np.empty(X.shape)
    else:
        matrix = check_design(X)
    if is_sparse(matrix):
        matrix = matrix.toarray()

    def vector(values: Any) -> Vector | None:
        return None if values is None else np.ascontiguousarray(np.asarray(values).ravel(), dtype=np.float64)

    y = vector(y)
    assert y is not None
    weight = vector(weight)
    if weight is not None and len(weight) == len(y):  # else an error follows
        y = np.where((weight == 0) & np.isnan(y), 1.0, y)  # a missing response that does not count; any valid one will do
    return Chunk(matrix, Rows(y, weight, vector(offset)))


def describe(chunk: Chunk, loss: Loss, number: int) -> Described:
    """Return the sizes of a chunk and the weights of its classes, or a message about an invalid vector."""
    rows = chunk.rows
    n, p = chunk.X.shape
    weight = np.ones(n) if rows.weight is None else rows.weight
    totals = (0.0, 0.0)
    problem = None
    for name, values in (("y", rows.y), ("sample_weight", rows.weight), ("offset", rows.offset)):
        if values is not None and len(values) != n and problem is None:
            problem = f"{name} has {len(values)} rows in chunk {number} but X has {n}; they must have the same chunks of rows"
    if problem is None:
        problem = _bad_value(rows, loss, number)
    if problem is None:
        totals = float(weight[rows.y <= 0].sum()), float(weight[rows.y > 0].sum())
    return Described(n, p, chunk.X.nbytes, totals, problem)


def _bad_value(rows: Rows, loss: Loss, number: int) -> str | None:
    y = rows.y
    rules = {
        "binary": ((y != 0) & (y != 1), "labels must be 0 or 1"),
        "finite": (~np.isfinite(y), "responses must be finite"),
        "not_negative": (~(y >= 0) | ~np.isfinite(y), "responses must be finite and >= 0 for this loss"),
        "positive": (~(y > 0) | ~np.isfinite(y), "responses must be finite and > 0 for this loss"),
    }
    checks = [("y", y, *rules[loss.responses])]
    if rows.weight is not None:
        bad = ~(rows.weight >= 0) | ~np.isfinite(rows.weight)
        checks.append(("sample_weight", rows.weight, bad, "weights must be finite and >= 0"))
    if rows.offset is not None:
        checks.append(("offset", rows.offset, ~np.isfinite(rows.offset), "it must be finite"))
    for name, values, bad, rule in checks:
        for row in np.flatnonzero(bad)[:1].tolist():
            return f"{name} is {values[row]} in row {row} of chunk {number}; {rule}"
    return None


def together(chunks: list[Chunk]) -> Chunk:
    """Join consecutive small chunks into one."""
    if len(chunks) == 1:
        return chunks[0]
    rows = [chunk.rows for chunk in chunks]

    def joined(name: str) -> Any:
        parts = [getattr(part, name) for part in rows]
        return None if parts[0] is None else np.concatenate(parts)

    return Chunk(np.concatenate([chunk.X for chunk in chunks]), Rows(joined("y"), joined("weight"), joined("offset")))


def rows_of(chunk: Chunk, first: int) -> Rows:
    """Return responses, weights and offset of a chunk, whose first row has this number."""
    return chunk.rows._replace(first=first)


def take_columns(chunk: Chunk, columns: list[int]) -> list[NDArray[Any]]:
    """Return copies of some columns of a chunk."""
    return columns_of(chunk.X, columns)

"""Answers questions about rows by rounds of Dask tasks: one task for each chunk, whose answers are added in a tree.

A task depends only on its chunk and the question, so Dask computes it again if its worker is lost. The client sees sums only.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._blocks.questions import NotFiniteError, Question, Rows
from ..losses import Loss
from .chunks import Chunk, Collections, chunk_of, describe, rows_of, take_columns, together

__all__ = ["RowsOnWorkers"]

Columns = NDArray[np.int64]

# Number of answers that one task adds. With few chunks, one task adds all of them.
_ADDED_AT_ONCE = 16
# Consecutive chunks are put together up to this number of bytes.
_SMALL = 2**22
# Number of columns that workers keep beside their chunks, so that refits do not read all of X.
_MOST_COLUMNS = 160


class RowsOnWorkers:
    """The chunks of collections as a source of sums (``_blocks/answers.py``)."""

    def __init__(self, client: Any, collections: Collections, loss: Loss):
        from dask import delayed

        self._client = client
        make = delayed(chunk_of, pure=False)
        parts = zip(collections.X, collections.y, collections.weight, collections.offset, strict=True)
        self._chunks = client.compute([make(*part) for part in parts], optimize_graph=True)
        described = client.gather([self._submit(describe, chunk, loss, number) for number, chunk in enumerate(self._chunks)])
        self._check(described, loss)
        filled = [i for i, chunk in enumerate(described) if chunk.n_rows > 0]
        self._numbers = filled
        # Small chunks are put together, because a task of its own costs some milliseconds.
        groups = _groups([described[i].n_bytes for i in filled])
        self._chunks = [self._submit(together, [self._chunks[filled[i]] for i in group]) for group in groups]
        self._given = [0, *accumulate(described[i].n_rows for i in filled)]
        self._firsts = [self._given[group[0]] for group in groups]
        self.total_weight = float(sum(sum(chunk.weight) for chunk in described))
        self.n_rows, self.n_features = self._given.pop(), described[filled[0]].n_features
        self.has_offset = collections.offset[0] is not None
        self._rows = [self._submit(rows_of, chunk, first) for chunk, first in zip(self._chunks, self._firsts, strict=True)]
        self._kept: OrderedDict[int, tuple[list[Any], int]] = OrderedDict()  # column -> futures by chunk, place in these
        self.n_passes = 0
        self.n_rounds = 1
        self.bytes_received = 0
        self.bytes_sent = 0

    def _check(self, described: Sequence[Any], loss: Loss) -> None:
        for chunk in described:
            if chunk.problem is not None:
                raise ValueError(chunk.problem)
        widths = {chunk.n_features for chunk in described}
        if len(widths) > 1:
            raise ValueError(f"the chunks of X have different numbers of columns, {sorted(widths)}; they must have the same")
        negative, positive = np.sum([chunk.weight for chunk in described], axis=0)
        if not negative + positive > 0:
            raise ValueError("X has no row, or sample_weight is 0 in every row; at least one row needs a positive weight")
        if loss.is_classification and not (negative > 0 and positive > 0):
            raise ValueError(
                f"y has one class only (all {int(positive > 0)} in rows of positive weight); both 0 and 1 must occur"
            )
        if loss.responses == "not_negative" and not positive > 0:
            raise ValueError("y is 0 in every row of positive weight; some must be > 0")

    def _submit(self, function: Any, *arguments: Any) -> Any:
        return self._client.submit(function, *arguments, pure=False)

    def ask(self, question: Question, columns: Columns | None = None) -> Any:
        """Return the answer for all rows. The question is about all columns of X, or about some, which are then kept on the workers."""
        self.n_rounds += 1
        if columns is None:
            self.n_passes += 1
            parts = [
                self._submit(_of_chunk, question, chunk, rows) for chunk, rows in zip(self._chunks, self._rows, strict=True)
            ]
        else:
            self.keep(columns)
            listed = columns.tolist()
            for column in listed:
                self._kept.move_to_end(column)
            parts = [self._submit(_of_columns, question, *self._columns(listed, i), rows) for i, rows in enumerate(self._rows)]
        while len(parts) > 1:
            groups = [parts[i : i + _ADDED_AT_ONCE] for i in range(0, len(parts), _ADDED_AT_ONCE)]
            parts = [self._submit(_add, question, group) for group in groups]
        try:
            answer = parts[0].result()
        except NotFiniteError as error:
            chunk = int(np.searchsorted(self._given, error.row, side="right")) - 1
            text = f"{error} (row {error.row - self._given[chunk]} of chunk {self._numbers[chunk]})"
            raise ValueError(text) from None
        self.bytes_received += _size(answer)
        self.bytes_sent += len(self._rows) * _size(vars(question))
        return answer

    def keep(self, columns: Columns, more: Sequence[int] = ()) -> None:
        """Keep copies of these columns beside their chunks.

        If some of them are not kept yet, they are copied in one pass, together with the columns in ``more``.
        """
        if all(column in self._kept for column in columns.tolist()):
            return
        wanted = dict.fromkeys((*columns.tolist(), *(int(column) for column in more)))
        missing = [column for column in wanted if column not in self._kept]
        for column in wanted:
            if column in self._kept:
                self._kept.move_to_end(column)
        self.n_passes += 1
        futures = [self._submit(take_columns, chunk, missing) for chunk in self._chunks]
        for place, column in enumerate(missing):
            self._kept[column] = futures, place
        while len(self._kept) > max(2 * len(wanted), _MOST_COLUMNS):
            self._kept.popitem(last=False)

    def _columns(self, columns: list[int], chunk: int) -> tuple[list[Any], list[tuple[int, int]]]:
        """Return the futures that hold some columns of a chunk, and for each column the index of its future and its place in it."""
        held: dict[int, int] = {}
        futures: list[Any] = []
        places = []
        for column in columns:
            group, place = self._kept[column]
            if id(group) not in held:
                held[id(group)] = len(futures)
                futures.append(group[chunk])
            places.append((held[id(group)], place))
        return futures, places

    def bring(self, columns: Columns) -> tuple[Any, Any, Any, Any]:
        """Return some columns of all rows in the memory of the client, with the responses, weights and offset."""
        self.keep(columns)
        self.n_rounds += 1
        matrices = [self._submit(_matrix, *self._columns(columns.tolist(), i)) for i in range(len(self._rows))]
        X = np.concatenate(self._client.gather(matrices))
        rows = self._client.gather(self._rows)
        self.bytes_received += X.nbytes + sum(part.y.nbytes for part in rows)

        def together(name: str) -> Any:
            parts = [getattr(part, name) for part in rows]
            return None if parts[0] is None else np.concatenate(parts)

        return X, together("y"), together("weight"), together("offset")


def _groups(sizes: list[int]) -> list[list[int]]:
    """Divide consecutive chunks into groups of at most ``_SMALL`` bytes; a larger chunk is a group of its own."""
    groups: list[list[int]] = []
    size = 0
    for i, own in enumerate(sizes):
        if not groups or size + own > _SMALL:
            groups.append([])
            size = 0
        groups[-1].append(i)
        size += own
    return groups


def _of_chunk(question: Question, chunk: Chunk, rows: Rows) -> Any:
    return question.of_block(chunk.X, rows)


def _of_columns(question: Question, held: list[Any], places: list[tuple[int, int]], rows: Rows) -> Any:
    return question.of_block([held[group][place] for group, place in places], rows)


def _matrix(held: list[Any], places: list[tuple[int, int]]) -> Any:
    return np.column_stack([held[group][place] for group, place in places])


def _add(question: Question, answers: list[Any]) -> Any:
    total = answers[0]
    for answer in answers[1:]:
        total = question.add(total, answer)
    return total


def _size(value: Any) -> int:
    """Estimate how many bytes are sent for a value."""
    if isinstance(value, np.ndarray):
        return int(value.nbytes)
    if isinstance(value, dict):
        return sum(_size(part) for part in value.values())
    if isinstance(value, (tuple, list)):
        return sum(_size(part) for part in value)
    return 8

"""Blocks of rows that are read one after the other, e.g. from a file that is larger than memory."""

from __future__ import annotations

import tempfile
import weakref
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._input.row_blocks import RowBlocks, filled_blocks
from .._input.sparse import is_sparse
from .._input.validation import check_design
from .questions import Question, Rows

__all__ = ["BlocksInTurn", "columns_of"]

Vector = NDArray[np.float64]


class ColumnStore:
    """Keeps the columns that are read often: in memory up to a limit, and beyond it in a temporary file."""

    def __init__(self, memory: int):
        self._memory, self._used = memory, 0
        self._pieces: dict[tuple[int, int], Any] = {}  # (column, block) -> an array, or its place in the file
        self._columns: OrderedDict[int, None] = OrderedDict()  # in the order of their last use
        self._file: Any = None
        self._end = 0

    def __contains__(self, column: int) -> bool:
        return column in self._columns

    def admit(self, columns: Iterable[int], most: int) -> None:
        """Add new columns, and remove those that have not been used for the longest time if there are more than ``most``."""
        for column in columns:
            self._columns[column] = None
        while len(self._columns) > most:
            column, _ = self._columns.popitem(last=False)
            for key in [key for key in self._pieces if key[0] == column]:
                piece = self._pieces.pop(key)
                self._used -= piece.nbytes if isinstance(piece, np.ndarray) else 0

    def touch(self, columns: Iterable[int]) -> None:
        """Record that columns are used."""
        for column in columns:
            self._columns.move_to_end(column)

    def put(self, column: int, block: int, values: NDArray[Any]) -> None:
        """Keep the values of a column in a block."""
        if self._used + values.nbytes <= self._memory:
            self._used += values.nbytes
            self._pieces[column, block] = values
            return
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="ksparse-")  # noqa: SIM115 - closed with the store
            weakref.finalize(self, self._file.close)
        self._file.seek(self._end)
        self._file.write(values.tobytes())
        self._pieces[column, block] = (self._end, values.dtype, len(values))
        self._end += values.nbytes

    def get(self, column: int, block: int) -> NDArray[Any]:
        """Return the values of a column in a block."""
        piece = self._pieces[column, block]
        if isinstance(piece, np.ndarray):
            return piece
        place, dtype, count = piece
        self._file.seek(place)
        return np.fromfile(self._file, dtype, count)


class BlocksInTurn:
    """Answers questions by passes over :class:`RowBlocks`, or over the copies of some columns that it keeps."""

    def __init__(self, X: RowBlocks, y: Vector, weight: Vector | None, offset: Vector | None, threads: int = 1):
        self.X, self.y, self.weight, self.offset = X, y, weight, offset
        self.n_rows, self.n_features = len(y), X.n_features
        self.has_offset = offset is not None
        self.n_passes = 0
        self.bytes_read = 0
        self._threads = threads
        self._store = ColumnStore(X.memory)
        self._starts: list[int] = []  # of the blocks and the end, after the first pass

    def ask(self, question: Question, columns: NDArray[np.int64] | None = None) -> Any:
        """Return the answer for all rows. The question is about all columns of X, or about some, of which copies are then kept."""
        if columns is None:
            return self._ask_each(question, self._pass())
        listed = columns.tolist()
        if not listed:
            starts = range(0, self.n_rows, _ROWS_AT_ONCE)
            return self._ask_each(question, (([], self._rows(first, _ROWS_AT_ONCE)) for first in starts))
        self.keep(columns)
        self._store.touch(listed)
        return self._ask_each(question, self._kept(listed))

    def keep(self, columns: NDArray[np.int64], more: Sequence[int] = ()) -> None:
        """Keep copies of these columns.

        If some of them are not kept yet, they are read in one pass, together with the columns in ``more``.
        """
        if all(column in self._store for column in columns.tolist()):
            return
        wanted = dict.fromkeys((*columns.tolist(), *more))
        missing = [column for column in wanted if column not in self._store]
        self._store.touch(column for column in wanted if column in self._store)
        self._store.admit(missing, max(2 * len(wanted), _MOST_COLUMNS))
        for block, (matrix, _) in enumerate(self._pass()):
            for column, values in zip(missing, columns_of(matrix, missing), strict=True):
                self._store.put(column, block, values)

    def bring(self, columns: NDArray[np.int64]) -> tuple[Any, Vector, Vector | None, Vector | None]:
        """Return some columns in memory, with the responses, weights and offset."""
        self.keep(columns)
        parts = [
            np.column_stack([self._store.get(column, block) for column in columns.tolist()])
            for block in range(len(self._starts) - 1)
        ]
        return np.concatenate(parts), self.y, self.weight, self.offset

    def _rows(self, first: int, count: int) -> Rows:
        part = slice(first, first + count)
        return Rows(
            self.y[part],
            None if self.weight is None else self.weight[part],
            None if self.offset is None else self.offset[part],
            first,
        )

    def _kept(self, columns: list[int]) -> Iterator[tuple[Any, Rows]]:
        for block, (first, end) in enumerate(zip(self._starts, self._starts[1:], strict=False)):
            yield [self._store.get(column, block) for column in columns], self._rows(first, end - first)

    def _pass(self) -> Iterator[tuple[Any, Rows]]:
        """Read all blocks in order. A thread of its own reads the next block while the caller works on the last one."""
        self.n_passes += 1
        starts = [0]
        with ThreadPoolExecutor(1) as reader:
            blocks = filled_blocks(self.X)
            coming: Future[Any] = reader.submit(_next_block, blocks)
            while True:
                matrix = coming.result()
                if matrix is None:
                    break
                coming = reader.submit(_next_block, blocks)
                count = self._check(matrix, len(starts) - 1, starts[-1])
                starts.append(starts[-1] + count)
                yield matrix, self._rows(starts[-2], count)
        if starts[-1] != len(self.y):
            raise ValueError(
                f"the blocks have {starts[-1]} rows in all but y has {len(self.y)}; they must have the same number"
            )
        if not self._starts:
            self._starts = starts

    def _check(self, matrix: Any, block: int, first: int) -> int:
        count, p = matrix.shape
        if p != self.n_features:
            raise ValueError(f"block {block} has {p} columns; it must have n_features={self.n_features}")
        if first + count > len(self.y):
            raise ValueError(f"the blocks have more rows than y, which has {len(self.y)}; they must have the same number")
        if self._starts and (block + 1 >= len(self._starts) or self._starts[block + 1] != first + count):
            raise ValueError(
                f"block {block} has {count} rows, but had another number in the first pass; blocks must not change"
            )
        self.bytes_read += matrix.nbytes
        return int(count)

    def _ask_each(self, question: Question, blocks: Iterator[tuple[Any, Rows]]) -> Any:
        """Add the answers of all blocks in order. Each thread works on a block of its own."""
        total = None
        if self._threads <= 1:
            for X, rows in blocks:
                answer = question.of_block(X, rows)
                total = answer if total is None else question.add(total, answer)
            return total
        with ThreadPoolExecutor(self._threads) as workers:
            waiting: list[Future[Any]] = []
            for X, rows in blocks:
                waiting.append(workers.submit(question.of_block, X, rows))
                if len(waiting) > self._threads:
                    answer = waiting.pop(0).result()
                    total = answer if total is None else question.add(total, answer)
            for future in waiting:
                total = future.result() if total is None else question.add(total, future.result())
        return total


# Number of rows that form a block if only the responses are needed, and not X.
_ROWS_AT_ONCE = 2**19
# Number of rows whose columns are copied at a time.
_ROWS_IN_CACHE = 4096
# Columns are not removed before there are more than this.
_MOST_COLUMNS = 160


def columns_of(matrix: Any, columns: list[int]) -> list[NDArray[Any]]:
    """Return copies of columns, as float64 or, for all other types of X, as float32, which is exact for integers of 8 bits.

    A few thousand rows are copied at a time and stay in the cache, because in C order every column lies on all cache lines of X.
    """
    kind = np.float64 if matrix.dtype == np.float64 else np.float32
    copies = [np.empty(len(matrix), dtype=kind) for _ in columns]
    for first in range(0, len(matrix), _ROWS_IN_CACHE):
        rows = slice(first, first + _ROWS_IN_CACHE)
        part = matrix[rows]
        for column, copied in zip(columns, copies, strict=True):
            copied[rows] = part[:, column]
    return copies


def _next_block(blocks: Iterator[Any]) -> Any:
    for block in blocks:
        matrix = check_design(block)
        return matrix.toarray() if is_sparse(matrix) else matrix
    return None

"""The problems of a batch, block by block: each block is reported when it is done, and Ctrl-C does not lose what is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _core
from ._caution import STATUSES
from ._executor import joined
from ._input.progress import Report, part_of
from ._results.batch import BatchResult

__all__ = ["Callback", "Problems", "solve_blocks", "with_partial"]

Answer = dict[str, Any]
Callback = Callable[[int, BatchResult], object]

# For each thread. Fewer would leave threads idle at the end of a block, and share passes over X between fewer problems.
_BLOCK = 64


@dataclass(frozen=True)
class Problems:
    """The arrays of all problems as the core takes them, with a column or an entry for each problem, or shared by all."""

    design: Any
    labels: NDArray[Any]
    weights: NDArray[Any] | None
    offset: NDArray[Any] | None
    kernels: list[_core.Loss]
    budgets: NDArray[np.int64]
    ridges: NDArray[np.float64]
    options: _core.Options

    def solve(self, first: int, last: int, threads: int, report: Report | None) -> Answer:
        """Solve some of the problems."""

        def own(values: NDArray[Any] | None) -> NDArray[Any] | None:
            return values if values is None or values.ndim == 1 else values[:, first:last]

        labels = own(self.labels)
        assert labels is not None
        kernels = self.kernels if len(self.kernels) == 1 else self.kernels[first:last]
        each = self.budgets[first:last], self.ridges[first:last]
        return _core.fit_many(
            self.design, labels, own(self.weights), own(self.offset), kernels, *each, self.options, threads, report
        )


def solve_blocks(
    problems: Problems,
    result_of: Callable[[Answer], BatchResult],
    threads: int,
    report: Report | None,
    callback: Callback | None,
) -> BatchResult:
    """Solve all problems, in blocks if there is a callback; ``result_of`` makes a result of the answers to all problems.

    An interrupt has the result of what was done before it as its attribute ``partial``.
    """
    count = len(problems.budgets)
    size = count if callback is None else _BLOCK * threads
    answers: list[Answer] = []
    try:
        for first in range(0, count, max(1, size)):
            last = min(first + size, count)
            answer = problems.solve(first, last, threads, part_of(report, first, count))
            answers.append(answer)
            if answer["stopped_by"] is not None:
                raise answer["stopped_by"]
            if callback is not None:
                callback(first, result_of(_all_answers(answers, count))[first:last])
    except KeyboardInterrupt as error:
        if not answers:
            raise
        raise with_partial(error, result_of(_all_answers(answers, count))) from None
    return result_of(_all_answers(answers, count))


def with_partial(error: BaseException, partial: BatchResult) -> BaseException:
    """Attach to an exception that stopped a batch what was done before it."""
    error.partial = partial  # type: ignore[attr-defined]
    done = int(np.count_nonzero(partial.status != "interrupted"))
    if hasattr(error, "add_note"):  # Python 3.11
        error.add_note(f"the results of {done} of {len(partial)} problems are in the attribute `partial` of this exception")
    return error


def _all_answers(answers: list[Answer], count: int) -> Answer:
    """Join the answers to blocks. Problems after the last block have the status ``interrupted``."""
    answer = answers[0] if len(answers) == 1 else joined(answers)
    left = count - len(answer["status"])
    if left == 0:
        return answer
    filled = dict(answer)
    for name, values in answer.items():
        if name in ("features", "coefs", "messages", "stopped_by"):
            continue
        if name == "starts":
            missing = values[-1]
        elif name == "status":
            missing = STATUSES.index("interrupted")
        else:
            missing = np.nan if values.dtype.kind == "f" else 0
        filled[name] = np.append(values, np.full(left, missing, dtype=values.dtype))
    return filled

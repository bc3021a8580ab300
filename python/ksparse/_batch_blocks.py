"""The problems of a batch, block by block: each block is reported when it is done, and Ctrl-C does not lose what is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _core
from ._caution import STATUSES
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
                callback(first, result_of(_joined(answers, count))[first:last])
    except KeyboardInterrupt as error:
        if not answers:
            raise
        raise with_partial(error, result_of(_joined(answers, count))) from None
    return result_of(_joined(answers, count))


def with_partial(error: BaseException, partial: BatchResult) -> BaseException:
    """Attach to an exception that stopped a batch what was done before it."""
    error.partial = partial  # type: ignore[attr-defined]
    done = int(np.count_nonzero(partial.status != "interrupted"))
    if hasattr(error, "add_note"):  # Python 3.11
        error.add_note(f"the results of {done} of {len(partial)} problems are in the attribute `partial` of this exception")
    return error


def _joined(answers: list[Answer], count: int) -> Answer:
    """Join the answers to blocks; the problems after the last one are unanswered."""
    done = sum(len(answer["status"]) for answer in answers)
    if len(answers) == 1 and done == count:
        return answers[0]
    left = count - done
    sizes = [np.diff(answer["starts"]) for answer in answers]
    joined: Answer = {
        "messages": {},
        "starts": np.concatenate([[0], np.cumsum(np.concatenate([*sizes, np.zeros(left, dtype=np.int64)]))]),
    }
    first = 0
    for answer in answers:
        joined["messages"].update({first + i: message for i, message in answer["messages"].items()})
        first += len(answer["status"])
    for name, values in answers[0].items():
        if name in ("features", "coefs"):
            joined[name] = np.concatenate([answer[name] for answer in answers])
        elif name not in (*joined, "stopped_by"):  # an array with an entry for each problem
            missing = STATUSES.index("interrupted") if name == "status" else np.nan if values.dtype.kind == "f" else 0
            rest = np.full(left, missing, dtype=values.dtype)
            joined[name] = np.concatenate([*(answer[name] for answer in answers), rest])
    return joined

"""Batches on any executor of ``concurrent.futures``: processes, Dask, MPI.

Items are put into tasks of about half a second, because a task costs some milliseconds. Answers come in the order of the items, and
a bounded number of tasks is submitted at any time.
"""

from __future__ import annotations

import os
import pickle
import tempfile
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, TimeoutError
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from . import _core
from ._input.progress import Report
from .losses import Loss

__all__ = ["check_executor", "fit_many_by", "in_tasks", "joined", "result_of_future", "shared_by"]

# Seconds of work in a task, and tasks submitted for each worker.
_SECONDS, _TASKS_PER_WORKER = 0.5, 3


def check_executor(executor: Any, n_jobs: Any) -> None:
    """Raise an error if ``executor`` is not an executor, or if it is given together with a number of threads."""
    if executor is None:
        return
    if not callable(getattr(executor, "submit", None)):
        raise TypeError(
            f"executor is a {type(executor).__name__}; it must be an executor like those of concurrent.futures, or None"
        )
    if n_jobs is not None:
        raise ValueError(
            f"n_jobs is {n_jobs} and executor is given; n_jobs must be None, because the workers of the executor run the fits"
        )


def _dask_client(executor: Any) -> Any:
    """Return the client of an executor of Dask, or None for any other executor."""
    client = getattr(executor, "_client", None)
    return client if hasattr(client, "scatter") else None


def _workers_of(executor: Any) -> int:
    client = _dask_client(executor)
    if client is not None:
        return max(1, sum(client.nthreads().values()))
    count = getattr(executor, "_max_workers", None)
    return count if isinstance(count, int) and count > 0 else os.cpu_count() or 1


@dataclass(frozen=True)
class _Stored:
    """A value in a file, which every process of this machine reads once."""

    path: str

    def load(self) -> Any:
        return _loaded(self.path)


@lru_cache(maxsize=1)
def _loaded(path: str) -> Any:
    with open(path, "rb") as file:
        return pickle.load(file)


@contextmanager
def shared_by(executor: Any, value: Any) -> Iterator[tuple[Any, Any]]:
    """Make a value available to all tasks without sending it with each of them.

    The context returns the pair that :func:`in_tasks` takes: what a task receives in place of the value, and the value itself. Dask
    scatters the value, threads refer to it, and other processes read it from a temporary file. A process on another machine does not
    have this file, and is sent the value itself with its task.
    """
    client = _dask_client(executor)
    if client is not None:
        yield client.scatter([value], broadcast=True, hash=False)[0], value
    elif isinstance(executor, ThreadPoolExecutor):
        yield value, value
    else:
        with tempfile.NamedTemporaryFile(prefix="ksparse-", suffix=".pickle", delete=False) as file:
            pickle.dump(value, file, protocol=pickle.HIGHEST_PROTOCOL)
        try:
            yield _Stored(file.name), value
        finally:
            os.unlink(file.name)


def _task(function: Callable[[list[Any], Any], Any], items: list[Any], shared: Any) -> tuple[Any, float] | None:
    """Return the answer for some items and the seconds that it took, or None if the shared value is not on this machine."""
    start = time.perf_counter()
    if isinstance(shared, _Stored):
        try:
            shared = shared.load()
        except FileNotFoundError:
            return None
    return function(items, shared), time.perf_counter() - start


def in_tasks(
    executor: Any,
    function: Callable[[list[Any], Any], Any],
    items: Iterable[Any],
    shared: tuple[Any, Any] = (None, None),
    window: int | None = None,
) -> Generator[Any, None, None]:
    """Yield ``function(items, shared)`` for consecutive items in order.

    At most ``window`` items are submitted and not yet answered. Closing the generator, or Ctrl-C, cancels the tasks that have not
    begun.
    """
    workers = _workers_of(executor)
    pending: deque[tuple[Any, list[Any]]] = deque()
    submitted, size = 0, 1
    batch: list[Any] = []
    client = _dask_client(executor)
    largest = 2**15 if window is None else max(1, window // (2 * workers))

    def answer() -> Any:
        nonlocal submitted, size
        future, some = pending.popleft()
        found = result_of_future(future)
        if found is None:
            found = result_of_future(executor.submit(_task, function, some, shared[1]))
        submitted -= len(some)
        outcome, seconds = found
        wanted = int(_SECONDS / max(seconds / len(some), 1e-6))
        size = max(1, min(wanted, 4 * max(size, len(some)), largest))
        return outcome

    def submit() -> None:
        nonlocal submitted, batch
        # Dask keeps the arguments of a task in its scheduler, and warns of large ones, unless they are scattered to a worker.
        items = batch if client is None else client.scatter([batch], hash=False)[0]
        pending.append((executor.submit(_task, function, items, shared[0]), batch))
        submitted += len(batch)
        batch = []

    try:
        source = iter(items)
        while True:
            try:
                item = next(source)
            except StopIteration:
                break
            batch.append(item)
            del item
            if len(batch) >= size:
                submit()
            while pending and (
                pending[0][0].done()
                or len(pending) >= _TASKS_PER_WORKER * workers
                or (window is not None and submitted + len(batch) >= window)
            ):
                yield answer()
        if batch:
            submit()
        while pending:
            yield answer()
    finally:
        for future, _ in pending:
            future.cancel()


def result_of_future(future: Any) -> Any:
    """Return the result of a future. The wait is repeated, because on Windows an unlimited wait ignores Ctrl-C."""
    while True:
        try:
            return future.result(timeout=0.2)
        except TimeoutError:
            if future.done():  # the task itself raised it
                return future.result()


# ------------------------------------------------------------------------------------------------------------- many problems


def _settings_of(options: _core.Options) -> dict[str, Any]:
    return {name: getattr(options, name) for name in dir(options) if not name.startswith("_")}


def _options_of(settings: dict[str, Any]) -> _core.Options:
    options = _core.Options()
    for name, value in settings.items():
        if not (isinstance(value, (list, np.ndarray)) and len(value) == 0):
            setattr(options, name, value)
    return options


@dataclass(frozen=True)
class _SharedProblem:
    """What all problems of a batch have in common."""

    design: Any
    labels: Any  # None if each problem has its own; the same holds for weights and offset
    weights: Any
    offset: Any
    settings: dict[str, Any]


def _kernel(loss: Any) -> _core.Loss:
    return loss._kernel() if isinstance(loss, Loss) else _core.loss_by_name(*loss)


def _fit_problems(problems: list[tuple[Any, ...]], shared: _SharedProblem) -> dict[str, Any]:
    """Fit some problems. Each is a tuple of labels, weights and offset, which are None if they are shared, and of loss, k and ridge."""
    labels, weights, offset, losses, ks, ridges = zip(*problems, strict=True)

    def together(own: tuple[Any, ...], common: Any) -> Any:
        return common if own[0] is None else np.asfortranarray(np.column_stack(own))

    answer = _core.fit_many(
        shared.design,
        together(labels, shared.labels),
        together(weights, shared.weights),
        together(offset, shared.offset),
        [_kernel(loss) for loss in losses],
        np.array(ks, dtype=np.int64),
        np.array(ridges, dtype=np.float64),
        _options_of(shared.settings),
        1,
    )
    if answer["stopped_by"] is not None:
        raise answer["stopped_by"]
    return {name: values for name, values in answer.items() if name != "stopped_by"}


def fit_many_by(
    executor: Any,
    design: Any,
    labels: Any,
    weights: Any,
    offset: Any,
    losses: list[Any],
    ks: Any,
    ridges: Any,
    options: _core.Options,
    report: Report | None,
) -> dict[str, Any]:
    """Return what ``_core.fit_many`` returns, computed in tasks of an executor.

    Losses are objects, or pairs of a name and parameters. There is one for all problems, or one for each.
    """
    count = len(ks)

    def own(values: Any, i: int) -> Any:
        return None if values is None or values.ndim == 1 else np.ascontiguousarray(values[:, i])

    def common(values: Any) -> Any:
        return None if values is None or values.ndim == 2 else values

    problems = (
        (own(labels, i), own(weights, i), own(offset, i), losses[i if len(losses) > 1 else 0], int(ks[i]), float(ridges[i]))
        for i in range(count)
    )
    shared = _SharedProblem(design, common(labels), common(weights), common(offset), _settings_of(options))
    answers = []
    done = 0
    with shared_by(executor, shared) as sent:
        for answer in in_tasks(executor, _fit_problems, problems, sent):
            answers.append(answer)
            done += len(answer["status"])
            if report is not None:
                report(done, count)
    return joined(answers)


def joined(answers: list[dict[str, Any]]) -> dict[str, Any]:
    """Join answers of ``_core.fit_many`` to consecutive problems."""
    whole: dict[str, Any] = {
        name: np.concatenate([answer[name] for answer in answers])
        for name in answers[0]
        if name not in ("starts", "messages", "stopped_by")
    }
    sizes = np.concatenate([np.diff(answer["starts"]) for answer in answers])
    whole["starts"] = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    firsts = np.cumsum([0, *(len(answer["status"]) for answer in answers)])
    whole["messages"] = {
        int(first) + i: text for first, answer in zip(firsts, answers, strict=False) for i, text in answer["messages"].items()
    }
    return whole

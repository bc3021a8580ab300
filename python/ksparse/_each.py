"""A stream of independent data sets, fitted over threads, in order, in bounded memory."""

from __future__ import annotations

import os
import pickle
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sized
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike

from . import _core
from ._checks import check_flag, check_integer, check_verbose
from ._executor import check_executor, in_tasks, result_of_future
from ._fit import solve
from ._input.progress import progress_bar
from ._input.request import Inputs, Request, Settings
from ._input.threads import thread_count
from ._results.fit import FitResult
from .losses import Loss

__all__ = ["FitFailure", "fit_each"]

# Pending data sets per thread. One is being fitted; the others bridge the time in which the source, the consumer, or a thread that
# lost its processor for some milliseconds is slow. With 4, two threads on a busy machine waited for each other.
PENDING_PER_THREAD = 8


@dataclass(frozen=True)
class FitFailure:
    """Takes the place of the result of a data set that :func:`ksparse.fit_each` could not fit.

    Attributes
    ----------
    position : int
        Position of the data set in the stream, counted from 0.
    error : Exception
        The error that :func:`ksparse.fit` would have raised.
    """

    position: int
    error: Exception

    @property
    def converged(self) -> bool:
        """Always False."""
        return False

    @property
    def status(self) -> str:
        """Always ``invalid_input``."""
        return "invalid_input"

    @property
    def advice(self) -> str:
        """The message of the error."""
        return str(self.error)

    def __str__(self) -> str:
        """Return the position of the data set and the message of the error."""
        return f"data set {self.position}: {self.error}"


def fit_each(
    datasets: Iterable[tuple[Any, ...]],
    k: int,
    *,
    n_jobs: int | None = None,
    executor: Any = None,
    window: int | None = None,
    raise_errors: bool = False,
    loss: str | Loss = "logistic",
    alpha: float = 0.5,
    gamma: float = 2.0,
    ridge: float = 0.0,
    fit_intercept: bool = True,
    tolerance: float = 1e-8,
    max_newton: int = 100,
    search: str = "auto",
    max_rounds: int | None = None,
    max_refits: int | None = None,
    max_seconds: float | None = None,
    random_state: Any = 0,
    always_in: ArrayLike | None = None,
    never_in: ArrayLike | None = None,
    bounds: tuple[Any, Any] | None = None,
    groups: ArrayLike | None = None,
    class_weight: Any = None,
    verbose: bool | int = 0,
) -> Iterator[FitResult | FitFailure]:
    """Fit a stream of independent data sets in parallel threads, and yield the results in the order of the data sets.

    The stream may be infinite: data sets are drawn as results are taken, at most ``window`` of them are in memory, and results
    do not keep their data. A data set that cannot be fitted yields a :class:`FitFailure`. Results are the same as those of
    :func:`ksparse.fit`, for any number of threads. Closing the iterator, or Ctrl-C, stops running fits.

    Parameters
    ----------
    datasets : iterable of tuple
        Tuples ``(X, y)``, ``(X, y, sample_weight)`` or ``(X, y, sample_weight, offset)`` as in :func:`ksparse.fit`, where
        weights and offset may be None. Shapes may differ. The iterable is read in the thread that takes the results, so with
        several threads a result may have to wait for the next data set to be drawn. Do not overwrite an array before the result
        of its data set has been taken.
    k : int
        Maximum number of features in each data set.
    n_jobs : int or None, default=None
        Number of threads, as in scikit-learn: None means 1 unless a ``joblib.parallel_config`` is active, and -1 means all
        processors.
    executor : concurrent.futures.Executor, optional
        Executor that runs the fits in place of threads, e.g. a ``ProcessPoolExecutor``, ``client.get_executor()`` of Dask or an
        ``MPIPoolExecutor``. A task has about half a second of fits. It is not shut down.
    window : int, optional
        Maximum number of data sets that have been drawn and whose results have not been taken; by default 8 per thread. If it
        is smaller than the number of threads, some threads are idle.
    raise_errors : bool, default=False
        Whether to raise an error for the first data set that cannot be fitted, with its position, instead of yielding a
        :class:`FitFailure`.
    loss, alpha, gamma, ridge, fit_intercept, tolerance, max_newton, search, max_rounds, max_refits, max_seconds, random_state : optional
        As in :func:`ksparse.fit`.
    always_in, never_in, bounds, groups, class_weight : optional
        As in :func:`ksparse.fit`, the same for all data sets.
    verbose : bool or int, default=0
        Whether to show a progress bar, which needs tqdm (``pip install 'ksparse[progress]'``).

    Returns
    -------
    iterator of FitResult or FitFailure
        Both classes have ``converged``, ``status`` and ``advice``. No warnings are given. The results have no
        ``alternatives()``, which needs the data.

    Raises
    ------
    TypeError, ValueError
        Immediately, if a setting is invalid. With ``raise_errors``, when the result of an invalid data set is taken.
    RuntimeError
        If the iterable itself raises an error; it follows the results of all data sets before, names the position, and has the
        original error as its cause.

    Examples
    --------
    >>> import numpy as np
    >>> import ksparse
    >>> rng = np.random.default_rng(0)
    >>> def datasets():
    ...     while True:
    ...         X = rng.standard_normal((300, 50))
    ...         yield X, X[:, 7] - X[:, 30] + 0.5 * rng.standard_normal(300) > 0
    >>> for i, result in enumerate(ksparse.fit_each(datasets(), k=2, n_jobs=2)):
    ...     print(result.support if result.converged else result.advice)
    ...     if i == 2:
    ...         break
    [ 7 30]
    [ 7 30]
    [ 7 30]
    """
    settings = Settings.of_arguments(locals())
    # A setting that is invalid for all data sets is reported now, instead of once for each data set.
    settings.checked_loss()._kernel()
    settings.options_of_any_data()
    budget = check_integer(k, "k", 0)
    check_executor(executor, n_jobs)
    threads = 1 if executor is not None else thread_count(n_jobs)
    most = PENDING_PER_THREAD * threads if window is None else check_integer(window, "window", 1)
    raising = check_flag(raise_errors, "raise_errors")
    if not hasattr(type(datasets), "__iter__") and not hasattr(type(datasets), "__getitem__"):
        raise TypeError(
            f"datasets is a {type(datasets).__name__}; it must be an iterable of tuples (X, y) or (X, y, sample_weight)"
        )
    showing = check_verbose(verbose)
    if executor is None:
        stream = _stream(iter(datasets), budget, settings, min(threads, most), most, raising)
    else:
        stream = _stream_on(executor, iter(datasets), budget, settings, None if window is None else most, raising)
    return _with_bar(stream, len(datasets) if isinstance(datasets, Sized) else None) if showing else stream


def _with_bar(
    stream: Generator[FitResult | FitFailure, None, None], total: int | None
) -> Generator[FitResult | FitFailure, None, None]:
    """Show how many results have been taken. A stream that the caller closes ends immediately, as without the bar."""
    with closing(stream), progress_bar("data sets") as report:
        report(0, total)
        for done, outcome in enumerate(stream, start=1):
            report(done, total)
            yield outcome


def _stream(
    datasets: Iterator[Any], k: int, settings: Settings, threads: int, window: int, raise_errors: bool
) -> Generator[FitResult | FitFailure, None, None]:
    """Draw data sets, fit them, and yield the results in order."""
    process = os.getpid()
    # In the main thread the core checks for Ctrl-C itself. In a thread of the pool it cannot, so a flag stops it.
    stop = _core.StopFlag() if threads > 1 else None
    pool = ThreadPoolExecutor(threads, "ksparse.fit_each") if threads > 1 else None
    pending: deque[Any] = deque()

    def answer() -> FitResult | FitFailure:
        if pool is not None and os.getpid() != process:
            raise RuntimeError(
                "this fit_each was started in another process, whose threads do not exist here; call fit_each again in this process"
            )
        outcome = result_of_future(pending.popleft())
        if isinstance(outcome, FitFailure):
            if raise_errors:
                raise _error_of(outcome) from outcome.error
            _forget_frames(outcome.error)
        return outcome

    broken = None
    position = 0
    try:
        while True:
            try:
                dataset = next(datasets)
            except StopIteration:
                break
            except Exception as error:
                broken = error
                break
            if pool is None:
                pending.append(_Done(_fit_one(position, dataset, k, settings, None)))
            else:
                pending.append(pool.submit(_fit_one, position, dataset, k, settings, stop))
            del dataset  # so that the data are freed as soon as they are fitted
            position += 1
            # Finished results are yielded before the next data set is drawn, so a slow source does not delay them.
            while pending and (len(pending) >= window or pending[0].done()):
                yield answer()
        while pending:
            yield answer()
        if broken is not None:
            raise RuntimeError(
                f"datasets raised {broken!r} in place of data set {position}; the results of all data sets before it have been yielded"
            ) from broken
    finally:
        if pool is not None and stop is not None and os.getpid() == process:
            stop.set()
            pool.shutdown(cancel_futures=True)


def _stream_on(
    executor: Any, datasets: Iterator[Any], k: int, settings: Settings, window: int | None, raise_errors: bool
) -> Generator[FitResult | FitFailure, None, None]:
    """Draw data sets, fit them by tasks of an executor, and yield the results in order."""
    broken: list[Exception] = []
    position = 0

    def numbered() -> Iterator[Any]:
        try:
            yield from enumerate(datasets)
        except Exception as error:
            broken.append(error)

    with closing(in_tasks(executor, _fit_several, numbered(), ((k, settings),) * 2, window)) as tasks:
        for outcomes in tasks:
            for outcome in outcomes:
                position += 1
                if raise_errors and isinstance(outcome, FitFailure):
                    raise _error_of(outcome) from outcome.error
                yield outcome
    if broken:
        raise RuntimeError(
            f"datasets raised {broken[0]!r} in place of data set {position}; the results of all data sets before it have been yielded"
        ) from broken[0]


def _fit_several(items: list[tuple[int, Any]], shared: tuple[int, Settings]) -> list[FitResult | FitFailure]:
    """Fit some data sets in another process; errors that cannot be sent are replaced by their text."""
    k, settings = shared
    outcomes = [_fit_one(position, dataset, k, settings, None) for position, dataset in items]
    for i, outcome in enumerate(outcomes):
        if isinstance(outcome, FitFailure):
            _forget_frames(outcome.error)
            try:
                pickle.loads(pickle.dumps(outcome.error))
            except Exception:
                outcomes[i] = FitFailure(outcome.position, RuntimeError(repr(outcome.error)))
    return outcomes


def _error_of(outcome: FitFailure) -> Exception:
    kind = type(outcome.error) if type(outcome.error) in (TypeError, ValueError) else RuntimeError
    return kind(str(outcome))


class _Done:
    """A future that already has its result."""

    def __init__(self, outcome: FitResult | FitFailure) -> None:
        self._outcome = outcome

    def done(self) -> bool:
        return True

    def result(self, timeout: float | None = None) -> Any:
        return self._outcome


def _forget_frames(error: BaseException | None) -> None:
    """Drop the tracebacks, whose frames would keep the data set in memory as long as its failure."""
    while error is not None:
        error.__traceback__ = None
        error = error.__cause__ or error.__context__


def _fit_one(position: int, dataset: Any, k: int, settings: Settings, stop: _core.StopFlag | None) -> FitResult | FitFailure:
    """Fit one data set; return any error as its failure."""
    try:
        if not isinstance(dataset, (tuple, list)) or not 2 <= len(dataset) <= 4:
            entries = f" of {len(dataset)} entries" if isinstance(dataset, (tuple, list)) else ""
            raise TypeError(
                f"it must be a tuple (X, y), (X, y, sample_weight) or (X, y, sample_weight, offset), but is a {type(dataset).__name__}{entries}"
            )
        X, y, sample_weight, offset = (*dataset, None, None)[:4]
        request = Request.of(Inputs(X, sample_weight, offset, settings), y)
        return solve(request, k, stop=stop, keep_data=False)
    except Exception as error:
        return FitFailure(position, error)

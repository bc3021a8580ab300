"""A stream of independent data sets, fitted over threads, in order, in bounded memory."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sized
from concurrent.futures import ThreadPoolExecutor, TimeoutError
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike

from . import _core
from ._checks import check_flag, check_integer, check_verbose
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
    """What :func:`ksparse.fit_each` yields in place of the result of a data set that could not be fitted.

    Attributes
    ----------
    position : int
        Place of the data set in the stream, from 0.
    error : Exception
        Why, as :func:`ksparse.fit` would have raised it.
    """

    position: int
    error: Exception

    @property
    def converged(self) -> bool:
        """False, as for a :class:`FitResult` that is no answer."""
        return False

    @property
    def status(self) -> str:
        """``invalid_input``."""
        return "invalid_input"

    @property
    def advice(self) -> str:
        """What was wrong, and what must be."""
        return str(self.error)

    def __str__(self) -> str:
        """Return the position and what was wrong there."""
        return f"data set {self.position}: {self.error}"


def fit_each(
    datasets: Iterable[tuple[Any, ...]],
    k: int,
    *,
    n_jobs: int | None = None,
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
    random_state: int = 0,
    always_in: ArrayLike | None = None,
    never_in: ArrayLike | None = None,
    bounds: tuple[Any, Any] | None = None,
    groups: ArrayLike | None = None,
    verbose: bool | int = 0,
) -> Iterator[FitResult | FitFailure]:
    """Fit independent data sets of a stream, over threads, and yield their results in order as they come.

    The stream may be endless: data sets are drawn as results are taken, no more than ``window`` of them are held, and results
    do not keep theirs. A data set that cannot be fitted is answered by a :class:`FitFailure` in its place. Results are those of
    :func:`ksparse.fit`, whatever the number of threads. Breaking off, or Ctrl-C, ends the fits that run.

    Parameters
    ----------
    datasets : iterable of tuple
        ``(X, y)``, ``(X, y, sample_weight)`` or ``(X, y, sample_weight, offset)``, of any shapes, as in :func:`ksparse.fit`;
        weights and offset may be None. It is drawn from in the thread that takes the results, so that with several
        threads a result may wait for one more draw. Arrays must not be overwritten before their result has been taken.
    k : int
        Most features used, in each data set.
    n_jobs : int or None, default=None
        Threads, as in scikit-learn: None is 1 unless in a ``joblib.parallel_config``; -1 is all processors. With one, a data
        set is fitted when its result is taken.
    window : int, optional
        Data sets drawn whose results have not been taken, at most; by default 8 per thread. Fewer than there are threads
        leave some idle.
    raise_errors : bool, default=False
        Raise, at the first data set that cannot be fitted and with its position, instead of yielding a :class:`FitFailure`.
    loss, alpha, gamma, ridge, fit_intercept, tolerance, max_newton, search, max_rounds, max_refits, max_seconds, random_state : optional
        As in :func:`ksparse.fit`.
    always_in, never_in, bounds, groups : optional
        As in :func:`ksparse.fit`, the same for every data set.
    verbose : bool or int, default=0
        Whether to show a bar of progress, which counts data sets, out of the length of the iterable where it
        has one; needs tqdm (``pip install 'ksparse[progress]'``).

    Returns
    -------
    iterator of FitResult or FitFailure
        ``converged``, ``status`` and ``advice`` serve on either. No warning is given. The results have no ``alternatives()``,
        which would need their data.

    Raises
    ------
    TypeError, ValueError
        At once, if a setting is not what it must be. With ``raise_errors``, in the place of a data set's result.
    RuntimeError
        If the iterable itself raises: after the results of all data sets before, with the position, from the original.

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
    # What is wrong for every data set is wrong now, not once per data set.
    settings.checked_loss()
    settings.options_of_any_data()
    budget = check_integer(k, "k", 0)
    threads = thread_count(n_jobs)
    most = PENDING_PER_THREAD * threads if window is None else check_integer(window, "window", 1)
    raising = check_flag(raise_errors, "raise_errors")
    if not hasattr(type(datasets), "__iter__") and not hasattr(type(datasets), "__getitem__"):
        raise TypeError(
            f"datasets is a {type(datasets).__name__}; it must be an iterable of tuples (X, y) or (X, y, sample_weight)"
        )
    showing = check_verbose(verbose)
    stream = _stream(iter(datasets), budget, settings, min(threads, most), most, raising)
    return _with_bar(stream, len(datasets) if isinstance(datasets, Sized) else None) if showing else stream


def _with_bar(
    stream: Generator[FitResult | FitFailure, None, None], total: int | None
) -> Generator[FitResult | FitFailure, None, None]:
    """Show how many results have been taken; a stream that is broken off ends at once, as without the bar."""
    with closing(stream), progress_bar("data sets") as report:
        report(0, total)
        for done, outcome in enumerate(stream, start=1):
            report(done, total)
            yield outcome


def _stream(
    datasets: Iterator[Any], k: int, settings: Settings, threads: int, window: int, raise_errors: bool
) -> Generator[FitResult | FitFailure, None, None]:
    """Draw, fit, yield in order."""
    process = os.getpid()
    # In the thread of the caller the core answers Ctrl-C itself; in a thread of the pool it cannot, and is told by the flag.
    stop = _core.StopFlag() if threads > 1 else None
    pool = ThreadPoolExecutor(threads, "ksparse.fit_each") if threads > 1 else None
    pending: deque[Any] = deque()

    def answer() -> FitResult | FitFailure:
        if pool is not None and os.getpid() != process:
            raise RuntimeError("this fit_each was begun in another process, whose threads this one lacks; begin it anew here")
        outcome = _wait(pending.popleft())
        if isinstance(outcome, FitFailure):
            if raise_errors:
                kind = type(outcome.error) if type(outcome.error) in (TypeError, ValueError) else RuntimeError
                raise kind(str(outcome)) from outcome.error
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
            del dataset  # the pool lets go of the data as soon as they are fitted
            position += 1
            # What is ready goes out before more is drawn: a slow source holds no result back.
            while pending and (len(pending) >= window or pending[0].done()):
                yield answer()
        while pending:
            yield answer()
        if broken is not None:
            raise RuntimeError(
                f"datasets raised {broken!r} in place of data set {position}, after all answers before"
            ) from broken
    finally:
        if pool is not None and stop is not None and os.getpid() == process:
            stop.set()
            pool.shutdown(cancel_futures=True)


class _Done:
    """A future that has its result."""

    def __init__(self, outcome: FitResult | FitFailure) -> None:
        self._outcome = outcome

    def done(self) -> bool:
        return True

    def result(self, timeout: float | None = None) -> Any:
        return self._outcome


def _wait(future: Any) -> Any:
    """Return a future's result; in steps, since a wait without an end is deaf to Ctrl-C on Windows."""
    while True:
        try:
            return future.result(timeout=0.2)
        except TimeoutError:
            pass


def _forget_frames(error: BaseException | None) -> None:
    """Drop the tracebacks, whose frames would keep the data set alive as long as its failure."""
    while error is not None:
        error.__traceback__ = None
        error = error.__cause__ or error.__context__


def _fit_one(position: int, dataset: Any, k: int, settings: Settings, stop: _core.StopFlag | None) -> FitResult | FitFailure:
    """Fit one data set; whatever goes wrong is its failure."""
    try:
        if not isinstance(dataset, (tuple, list)) or not 2 <= len(dataset) <= 4:
            what = f"of {len(dataset)} entries" if isinstance(dataset, (tuple, list)) else f"({type(dataset).__name__})"
            raise TypeError(f"it is no tuple (X, y), (X, y, sample_weight) or (X, y, sample_weight, offset) but one {what}")
        X, y, sample_weight, offset = (*dataset, None, None)[:4]
        request = Request.of(Inputs(X, sample_weight, offset, settings), y)
        return solve(request, k, stop=stop, keep_data=False)
    except Exception as error:
        return FitFailure(position, error)

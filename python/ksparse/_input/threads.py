"""How many threads to use: ``n_jobs`` as joblib counts it, within every limit that says something of us."""

from __future__ import annotations

import os
import sys
import threading
from typing import Any

import numpy as np
import threadpoolctl

__all__ = ["thread_count"]


def thread_count(n_jobs: int | None) -> int:
    """Threads for ``n_jobs``, as in scikit-learn, without more of them than processors under workers.

    None is 1, or what ``joblib.parallel_config`` says. A positive number is taken at its word. A negative one counts from the
    processors: -1 is all, -2 all but one. Processors are those of joblib (affinity, cgroup quota, ``LOKY_MAX_CPU_COUNT``), and
    no more than ``OMP_NUM_THREADS`` and an enclosing ``threadpoolctl.threadpool_limits`` allow. The latter two bound negative
    numbers only: they are often set to 1 for the BLAS, to make room for ``n_jobs``.

    Inside a worker the worker's share bounds every number: in a process of joblib the ``OMP_NUM_THREADS`` that joblib sets
    there (processors / workers), in a thread of joblib 1, in a task of dask the processors / threads of its worker, in a process
    of a ``multiprocessing.Pool`` 1 unless ``OMP_NUM_THREADS`` says more. A pool that leaves no such trace
    (``concurrent.futures``, bare threads) is not seen; there n_jobs is best left at None.

    Parameters
    ----------
    n_jobs : int or None
        What the user asked for.

    Returns
    -------
    int
        Threads, >= 1.

    Raises
    ------
    TypeError, ValueError
        If it is no integer, or 0.

    Examples
    --------
    >>> thread_count(None), thread_count(3)
    (1, 3)
    """
    if n_jobs is not None and (isinstance(n_jobs, (bool, np.bool_)) or not isinstance(n_jobs, (int, np.integer))):
        raise TypeError(f"n_jobs is {n_jobs!r}; it must be an integer or None")
    if n_jobs == 0:
        raise ValueError("n_jobs is 0; it must be a number of threads, a negative number that counts from all (-1), or None")
    # Imported at the first use, like multiprocessing: it takes as long as NumPy.
    from joblib.parallel import get_active_backend

    backend, configured = get_active_backend()
    asked = int(n_jobs if n_jobs is not None else configured if configured is not None else 1)
    count = asked if asked > 0 else min(_cpu_count() + 1 + asked, _processors())
    share = _share_of_a_worker(backend)
    if share is not None:
        count = min(count, share)
    elif backend.effective_n_jobs(asked) == 1:
        count = 1  # one was asked for, or the backend runs nothing at once, as "sequential"
    return max(1, count)


def _share_of_a_worker(backend: Any) -> int | None:
    """Threads that whoever runs this as one of several workers leaves to it; None outside of a worker."""
    from multiprocessing import current_process

    if current_process().daemon:
        return _omp_num_threads() or 1
    worker = _dask_worker()
    if worker is not None:
        return max(1, _processors() // max(1, worker.state.nthreads))
    if backend.nesting_level:
        return _processors() if threading.current_thread() is threading.main_thread() else 1
    return None


def _dask_worker() -> Any:
    """Return the worker of the dask task that runs this, if one does."""
    distributed = sys.modules.get("distributed")  # a task can run only where it has been imported
    try:
        return None if distributed is None else distributed.get_worker()
    except (ValueError, AttributeError):
        return None


def _cpu_count() -> int:
    from joblib import cpu_count

    return int(cpu_count())


def _omp_num_threads() -> int | None:
    """Return the first number of OMP_NUM_THREADS, a list by level; None: there is none."""
    first = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return int(first) if first.isdigit() and int(first) > 0 else None


def _processors() -> int:
    """Processors to be used, by all limits."""
    return min(limit for limit in (_cpu_count(), _omp_num_threads(), _limit_here()) if limit is not None)


_limits = threading.local()


def _limit_here() -> int | None:
    """Return the limit that threadpoolctl set in this thread."""
    return getattr(_limits, "count", None)


class _Controller(threadpoolctl.LibController):
    """What ``threadpoolctl`` shows of ksparse, and where ``threadpool_limits`` leaves its word.

    The core keeps no pool and no count of its own, so the limit is kept here, per thread, as the contexts nest.
    """

    user_api = "ksparse"
    internal_api = "ksparse"
    filename_prefixes = ("_core_",)
    check_symbols = tuple(f"PyInit__core_{variant}" for variant in ("baseline", "avx2", "avx512"))

    def get_num_threads(self) -> int:
        """Return how many threads n_jobs=-1 takes."""
        return _processors()

    def set_num_threads(self, num_threads: int | None) -> None:
        """Bound negative numbers of jobs in this thread."""
        _limits.count = num_threads

    def get_version(self) -> str:
        """Return the version of ksparse."""
        from .. import _core

        return _core.version()


threadpoolctl.register(_Controller)

"""Number of threads for ``n_jobs``, counted as joblib does and within the limits of the environment."""

from __future__ import annotations

import os
import sys
import threading
from typing import Any

import numpy as np
import threadpoolctl

__all__ = ["thread_count"]


def thread_count(n_jobs: int | None) -> int:
    """Return the number of threads for ``n_jobs``, as in scikit-learn, but without oversubscription inside workers.

    None means 1, or the value of an active ``joblib.parallel_config``. A positive number is used as it is. Negative numbers
    count from the number of processors: -1 means all, -2 all but one. joblib determines the processors (from the affinity, the
    cgroup quota and ``LOKY_MAX_CPU_COUNT``), and ``OMP_NUM_THREADS`` and an active ``threadpoolctl.threadpool_limits`` can
    reduce them. These two limit only negative numbers, because they are often set to 1 for the BLAS, to leave processors for
    ``n_jobs``.

    Inside a worker, every number is limited by the share of the worker. In a process of joblib, it is the ``OMP_NUM_THREADS``
    that joblib sets there (processors / workers); in a thread of joblib, it is 1; in a task of dask, the processors / threads
    of its worker; in a process of a ``multiprocessing.Pool``, 1 unless ``OMP_NUM_THREADS`` is larger. Other pools
    (``concurrent.futures``, plain threads) cannot be detected; leave ``n_jobs`` at None there.

    Parameters
    ----------
    n_jobs : int or None
        The number of jobs that the user specified.

    Returns
    -------
    int
        Number of threads, >= 1.

    Raises
    ------
    TypeError, ValueError
        If ``n_jobs`` is not an integer, or is 0.

    Examples
    --------
    >>> thread_count(None), thread_count(3)
    (1, 3)
    """
    if n_jobs is not None and (isinstance(n_jobs, (bool, np.bool_)) or not isinstance(n_jobs, (int, np.integer))):
        raise TypeError(f"n_jobs is {n_jobs!r}; it must be an integer or None")
    if n_jobs == 0:
        raise ValueError("n_jobs is 0; it must be a number of threads, a negative number that counts from all (-1), or None")
    # Imported when it is first needed, like multiprocessing, because it takes as long as NumPy.
    from joblib.parallel import get_active_backend

    backend, configured = get_active_backend()
    asked = int(n_jobs if n_jobs is not None else configured if configured is not None else 1)
    count = asked if asked > 0 else min(_cpu_count() + 1 + asked, _processors())
    share = _share_of_a_worker(backend)
    if share is not None:
        count = min(count, share)
    elif backend.effective_n_jobs(asked) == 1:
        count = 1  # one job was requested, or the backend does not run jobs in parallel, like "sequential"
    return max(1, count)


def _share_of_a_worker(backend: Any) -> int | None:
    """Return the number of threads that a worker may use, or None outside of a worker."""
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
    """Return the dask worker that runs this, or None."""
    distributed = sys.modules.get("distributed")  # a dask task can run only if dask has been imported
    try:
        return None if distributed is None else distributed.get_worker()
    except (ValueError, AttributeError):
        return None


def _cpu_count() -> int:
    from joblib import cpu_count

    return int(cpu_count())


def _omp_num_threads() -> int | None:
    """Return the first number of OMP_NUM_THREADS, which may be a list, or None if it is not set."""
    first = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return int(first) if first.isdigit() and int(first) > 0 else None


def _processors() -> int:
    """Return the number of processors to use, within all limits."""
    return min(limit for limit in (_cpu_count(), _omp_num_threads(), _limit_here()) if limit is not None)


_limits = threading.local()


class _Unlimited(int):
    """Number of threads where ``threadpoolctl`` has set no limit.

    ``threadpool_limits`` ends by setting the number that it found at its beginning. This class tells that number from a limit
    of the same size, which would outlast a later change of ``OMP_NUM_THREADS``.
    """


def _limit_here() -> int | None:
    """Return the limit that threadpoolctl set in this thread."""
    return getattr(_limits, "count", None)


class _Controller(threadpoolctl.LibController):
    """Controller by which ``threadpoolctl`` shows ksparse and ``threadpool_limits`` sets its limit.

    The core has neither a thread pool nor a thread count, so the limit is stored here, for each thread of the caller.
    """

    user_api = "ksparse"
    internal_api = "ksparse"
    filename_prefixes = ("_core_",)
    check_symbols = tuple(f"PyInit__core_{variant}" for variant in ("baseline", "avx2", "avx512"))

    def get_num_threads(self) -> int:
        """Return the number of threads for n_jobs=-1."""
        return _Unlimited(_processors()) if _limit_here() is None else _processors()

    def set_num_threads(self, num_threads: int | None) -> None:
        """Set the limit for negative ``n_jobs`` in this thread, or lift it."""
        _limits.count = None if isinstance(num_threads, _Unlimited) else num_threads

    def get_version(self) -> str:
        """Return the version of ksparse."""
        from .. import _core

        return _core.version()


threadpoolctl.register(_Controller)

"""Information about the compiled core."""

from __future__ import annotations

from . import _core
from ._input.threads import thread_count

__all__ = ["__version__", "build_info"]

__version__: str = _core.version()


def build_info() -> dict[str, object]:
    """Return which variant of the compiled core is in use, and which ones are available.

    Returns
    -------
    dict
        The ``version`` of ksparse, the ``instruction_set`` in use, the variants that are ``available`` in this build and those
        that this processor ``supported``, the fastest first, and the version of ``eigen``. The environment variable
        ``KSPARSE_ISA`` selects a variant. ``threads`` is the number of threads for ``n_jobs=-1``: the processors that joblib
        counts (affinity, quotas), within the limits of ``OMP_NUM_THREADS`` and ``threadpoolctl``, or the share of a joblib or
        dask worker.

    Examples
    --------
    >>> import ksparse
    >>> sorted(ksparse.build_info())
    ['available', 'eigen', 'instruction_set', 'supported', 'threads', 'version']
    """
    return {
        "version": __version__,
        "instruction_set": _core.instruction_set(),
        "available": _core.available(),
        "supported": _core.supported(),
        "eigen": _core.eigen_version(),
        "threads": thread_count(-1),
    }

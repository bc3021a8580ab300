"""What was built and what is in use."""

from __future__ import annotations

from . import _core
from ._input.threads import thread_count

__all__ = ["__version__", "build_info"]

__version__: str = _core.version()


def build_info() -> dict[str, object]:
    """Tell which variant of the compiled core is in use, and why.

    Returns
    -------
    dict
        ``version`` of ksparse, ``instruction_set`` in use, the ``available`` variants of this build and those that this
        processor ``supported``, best first, and the version of ``eigen``. The environment variable ``KSPARSE_ISA``
        forces a variant. ``threads`` is what ``n_jobs=-1`` means here and now: the processors that joblib counts (affinity,
        quotas), within ``OMP_NUM_THREADS`` and ``threadpoolctl`` limits, and inside a worker of joblib or dask its share.

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

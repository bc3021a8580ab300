"""What ``verbose`` prints of a single fit. Its duration cannot be predicted, so it has no progress bar."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ._checks import check_verbose
from ._input.request import Request
from ._results.fit import FitResult

__all__ = ["begin_to_tell"]


def begin_to_tell(verbose: Any, request: Request, k: Any) -> Callable[[FitResult], None]:
    """Print the size of a problem, and return a function that prints a result; both are silent unless ``verbose`` is set."""
    if not check_verbose(verbose):
        return lambda result: None
    n, p = request.design.shape
    groups = "" if request.group_labels is None else f" in {len(request.group_labels)} groups"
    print(
        f"ksparse: {n} rows, {p} features{groups}, {request.loss.name} loss, k={k!r}, search={request.settings.search!r}",
        flush=True,
    )
    began = time.perf_counter()

    def tell(result: FitResult) -> None:
        work = f"{result.n_scans} scans of X, {result.n_refits} refits, {result.n_newton} Newton iterations, {result.n_rounds} rounds"
        print(
            f"ksparse: {len(result.support)} features, objective {result.objective:.6g}, {result.status}: "
            f"{work}, {time.perf_counter() - began:.2f} s",
            flush=True,
        )

    return tell

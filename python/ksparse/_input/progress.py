"""Bars of progress by tqdm, in terminals and notebooks, for those who ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .._checks import check_verbose
from .._optional import require

__all__ = ["Report", "part_of", "progress_bar", "progress_if"]

Report = Callable[[int, int | None], object]  # told how many of how many are done, as the core does; None: nobody knows


@contextmanager
def progress_bar(unit: str) -> Iterator[Report]:
    """Yield what to tell of progress: a bar of so many of a unit, drawn when it is first told."""
    tqdm = require("tqdm.auto", "verbose", "'ksparse[progress]'").tqdm
    bars: list[Any] = []

    def report(done: int, total: int | None) -> None:
        if not bars:
            bars.append(tqdm(total=total, unit=f" {unit}"))
        bars[0].update(done - bars[0].n)

    try:
        yield report
    finally:
        for bar in bars:
            bar.close()


@contextmanager
def progress_if(verbose: Any, unit: str) -> Iterator[Report | None]:
    """Yield the same if ``verbose`` asks for it, else None."""
    if check_verbose(verbose):
        with progress_bar(unit) as report:
            yield report
    else:
        yield None


def part_of(report: Report | None, before: int, total: int) -> Report | None:
    """Return what to tell of a part of the work, before which so many of the total were done."""
    return None if report is None else lambda done, _: report(before + done, total)

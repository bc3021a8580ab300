"""Progress bars of tqdm, for terminals and notebooks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .._checks import check_verbose
from .._optional import require

__all__ = ["ProofReport", "Report", "part_of", "progress_bar", "progress_if", "proof_progress_if"]

Report = Callable[
    [int, int | None], object
]  # called with the number of units that are done and their total, or None if it is unknown


ProofReport = Callable[[int, int, float], object]  # called with the nodes of a proof, those that are left, and the gap


@contextmanager
def progress_bar(unit: str) -> Iterator[Report]:
    """Yield a function that updates a progress bar with a given unit; the bar appears at the first call."""
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
    """Yield a function that updates a progress bar if ``verbose`` asks for one, else None."""
    if check_verbose(verbose):
        with progress_bar(unit) as report:
            yield report
    else:
        yield None


@contextmanager
def proof_progress_if(verbose: Any) -> Iterator[ProofReport | None]:
    """Yield a function that shows the gap of a proof beside its time and nodes if ``verbose`` asks for it, else None."""
    if not check_verbose(verbose):
        yield None
        return
    tqdm = require("tqdm.auto", "verbose", "'ksparse[progress]'").tqdm
    with tqdm(unit=" nodes") as bar:

        def report(nodes: int, left: int, gap: float) -> None:
            bar.set_postfix_str(f"gap {100 * gap:.3g} %, {left} left", refresh=False)
            bar.update(nodes - bar.n)

        yield report


def part_of(report: Report | None, before: int, total: int) -> Report | None:
    """Return a function that reports the progress of a part of the work, given the number of units that were done before it."""
    return None if report is None else lambda done, _: report(before + done, total)

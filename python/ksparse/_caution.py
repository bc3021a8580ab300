"""What must be said of a fit that did not end at a minimum, wherever it is shown or written down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from . import _core

__all__ = ["STATUSES", "advice_on", "caution_of", "cautions_of"]

STATUSES: tuple[str, ...] = tuple(_core.status_names())


def advice_on(status: str) -> str:
    """Say what to do about a status."""
    return _core.advice_on(STATUSES.index(status))


def caution_of(status: str, advice: str) -> str:
    """Return a sentence on a fit that did not converge, empty for one that did."""
    return "" if status == "converged" else f"The fit ended as {status!r}, not at a minimum of F: {advice}."


def cautions_of(statuses: Iterable[str], what: str) -> tuple[str, ...]:
    """Return a sentence for each status but ``converged``, the most frequent first; ``what`` are those that have one."""
    counts = Counter(str(status) for status in statuses)
    return tuple(
        f"{count} of {counts.total()} {what} ended as {status!r}: {advice_on(status)}."
        for status, count in counts.most_common()
        if status != "converged"
    )

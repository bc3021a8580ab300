"""Texts about the status of a fit, which accompany every output of a fit that did not converge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from . import _core

__all__ = ["STATUSES", "advice_on", "caution_of", "cautions_of"]

STATUSES: tuple[str, ...] = tuple(_core.status_names())


def advice_on(status: str) -> str:
    """Return advice on a status."""
    return _core.advice_on(STATUSES.index(status))


def caution_of(status: str, advice: str) -> str:
    """Return a sentence about a fit that did not converge; it is empty if the fit converged."""
    return "" if status == "converged" else f"The fit ended as {status!r}, not at a minimum of F: {advice}."


def cautions_of(statuses: Iterable[str], what: str) -> tuple[str, ...]:
    """Return a sentence for each status except ``converged``, the most frequent first; ``what`` names the objects with a status."""
    counts = Counter(str(status) for status in statuses)
    return tuple(
        f"{count} of {counts.total()} {what} ended as {status!r}: {advice_on(status)}."
        for status, count in counts.most_common()
        if status != "converged"
    )

"""Resamplings of the rows of a fit, and the features that are chosen in each of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _core
from .._checks import check_integer, check_real
from .._executor import check_executor, fit_many_by
from .._input.progress import Report, part_of
from .._input.request import Request
from .._input.threads import thread_count
from .stability import StabilityResult

__all__ = ["SAMPLINGS", "solve_stability"]

SAMPLINGS = ("subsample", "bootstrap")

# Number of rounds that are fitted together if counts are multiplied by weights: enough to share passes over X among several threads,
# and more if the products need no more than 64 MB.
_ROUNDS_AT_ONCE = 64
_LARGEST_PRODUCT = 2**23

# Maximum sum of integer weights for which rows are resampled as separate rows, which takes half a gigabyte in a round. Beyond that, a
# row stands for so many that the relative variation of their counts is negligible.
_MOST_COPIES = 2**26


def solve_stability(
    request: Request,
    k: Any,
    rounds: Any,
    sampling: Any,
    fraction: Any,
    n_jobs: int | None,
    report: Report | None = None,
    executor: Any = None,
) -> StabilityResult:
    """Fit all resamplings and count the chosen features; the caller warns."""
    check_executor(executor, n_jobs)
    budget = request.check_budget(k)
    copies = _copies(request.weights)
    counts = _resamplings(request, check_integer(rounds, "rounds", 1), sampling, fraction, copies)
    # The scale of the weights is arbitrary. With this one, products of counts and weights do not overflow.
    factors = (
        np.ldexp(request.weights, -np.frexp(request.weights.max())[1])
        if copies is None and request.weights is not None
        else None
    )
    labels = request.labels.astype(np.uint8) if request.loss.is_classification else request.labels
    threads = 1 if executor is not None else thread_count(n_jobs)
    names_of_status = _core.status_names()
    supports: list[NDArray[np.int64]] = []
    status: list[str] = []
    for some in _parts(counts, factors):
        weights = some if factors is None else some * factors[:, None]
        share = part_of(report, len(status), counts.shape[1])
        n_rounds = some.shape[1]
        ks, ridges = np.full(n_rounds, budget), np.full(n_rounds, request.options.ridge)
        problem = request.design, labels, weights, request.offset
        if executor is not None:
            answer = fit_many_by(executor, *problem, [request.loss], ks, ridges, request.options, share)
        else:
            answer = _core.fit_many(*problem, [request.kernel], ks, ridges, request.options, threads, share)
        if answer.get("stopped_by") is not None:
            raise answer["stopped_by"]
        words = [names_of_status[code] for code in answer["status"]]
        _raise_if_refused(words, answer["messages"], request, budget, weights)
        supports += np.split(answer["features"].astype(np.int64), answer["starts"][1:-1])
        status += words
    return _counted(tuple(supports), tuple(status), budget, request.design.shape[1], request.names)


def _copies(weights: NDArray[np.float64] | None) -> NDArray[np.int64] | None:
    """Return the number of equal rows that each row stands for if all weights are integers, else None."""
    if weights is None or weights.max() > _MOST_COPIES or weights.sum() > _MOST_COPIES or (weights != np.floor(weights)).any():
        return None
    return weights.astype(np.int64)


def _resamplings(
    request: Request, rounds: int, sampling: Any, fraction: Any, copies: NDArray[np.int64] | None = None
) -> NDArray[Any]:
    """Return how often each row counts in each round, drawn within classes if there are any: (n_samples, rounds), Fortran order.

    A row that stands for several is drawn as if they were separate. Without such rows one byte per count is enough: the
    probability that a row is drawn 256 times is below 1 / 256!. With them, a count is at most the number of draws, which 32
    bits can hold.
    """
    if not isinstance(sampling, str) or sampling not in SAMPLINGS:
        raise ValueError(f"sampling is {sampling!r}; it must be one of {', '.join(map(repr, SAMPLINGS))}")
    part = check_real(fraction, "fraction", "in (0, 1)", 0.0, 1.0, open_low=True)
    rng = np.random.default_rng(request.options.random_state)
    kind = np.uint8 if copies is None or copies.max() <= 1 else np.uint32
    counts = np.zeros((len(request.labels), rounds), dtype=kind, order="F")
    weighted = np.ones(len(request.labels), bool) if request.weights is None else request.weights > 0
    strata = [request.labels == label for label in (0.0, 1.0)] if request.loss.is_classification else [np.array(True)]
    for stratum in strata:
        rows = np.flatnonzero(stratum & weighted)
        if copies is not None:
            rows = np.repeat(rows, copies[rows])
        size = max(1, round(part * len(rows)))
        for count in counts.T:
            drawn = (
                rng.choice(rows, size, replace=False)
                if sampling == "subsample"
                else rows[rng.integers(len(rows), size=len(rows))]
            )
            count += np.bincount(drawn, minlength=len(count)).astype(kind)
    return counts


def _parts(counts: NDArray[Any], weights: NDArray[np.float64] | None) -> Iterator[NDArray[Any]]:
    """Split the rounds into parts if weights multiply the counts, because the products are float64 and would need too much memory at once."""
    width = counts.shape[1] if weights is None else max(_ROUNDS_AT_ONCE, _LARGEST_PRODUCT // len(counts))
    return (counts[:, first : first + width] for first in range(0, counts.shape[1], width))


def _raise_if_refused(status: list[str], messages: dict[int, str], request: Request, k: int, weights: NDArray[Any]) -> None:
    """Raise the error of a single fit for the first round that is invalid."""
    if "invalid_input" in status:
        i = status.index("invalid_input")
        request.options.k = k
        alone = replace(request, weights=weights[:, i].astype(np.float64))
        request.raise_if_refused(_core.fit(alone.problem, request.options))
        raise ValueError(messages[i])


def _counted(
    supports: tuple[NDArray[np.int64], ...], status: tuple[str, ...], k: int, p: int, names: NDArray[np.object_] | None
) -> StabilityResult:
    """Count how often features and pairs of features are chosen."""
    chosen = np.concatenate([*supports, np.empty(0, np.int64)]).astype(np.int64)
    frequency = np.bincount(chosen, minlength=p) / len(supports)
    seen = np.flatnonzero(frequency)
    features = seen[np.lexsort((seen, -frequency[seen]))]
    place = np.full(p, -1)
    place[features] = np.arange(len(features))
    together = np.zeros((len(features), len(features)))
    for support in supports:
        together[np.ix_(place[support], place[support])] += 1.0 / len(supports)
    return StabilityResult(
        frequency=frequency,
        features=features.astype(np.int64),
        together=together,
        supports=supports,
        status=status,
        k=k,
        feature_names=names,
    )

"""How firmly the data choose their features: fits on many resamplings of the rows, as weights over one X."""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _core
from ._caution import STATUSES, advice_on, cautions_of
from ._many import BatchResult, solve_many
from ._optional import require
from ._plot import StabilityDisplay
from ._progress import Report, part_of, progress_if
from ._request import Request, Settings
from ._stored import Array, Each, Rules, Stored, Value
from ._validation import check_integer, check_real
from .exceptions import ConvergenceWarning
from .losses import Loss

__all__ = ["StabilityResult", "stability_selection"]

SAMPLINGS = ("subsample", "bootstrap")

# Rounds answered together where counts are multiplied by weights: enough to share passes over X among several threads, more as
# long as the products take no more than 64 MB.
_ROUNDS_AT_ONCE = 64
_LARGEST_PRODUCT = 2**23

# Rows that whole weights may stand for and that are still drawn one by one: half a gigabyte of numbers in a round. Beyond that a row
# stands for so many that their counts hardly vary.
_MOST_COPIES = 2**26


@dataclass(frozen=True, eq=False, repr=False)
class StabilityResult(Stored):
    """What :func:`ksparse.stability_selection` found.

    Attributes
    ----------
    frequency : ndarray of shape (n_features,)
        In which part of the rounds each feature was chosen.
    features : ndarray of int64, shape (n_seen,)
        Features that some round chose, the most frequent first.
    together : ndarray of shape (n_seen, n_seen)
        In which part of the rounds two of ``features`` were chosen together; on the diagonal their frequency.
    supports : tuple of ndarray of int64
        Chosen features of each round.
    status : tuple of str
        How each round's fit ended.
    k : int
        Budget of each round.
    feature_names : ndarray of str or None
        Names of the columns, where they are known.
    """

    frequency: NDArray[np.float64]
    features: NDArray[np.int64]
    together: NDArray[np.float64]
    supports: tuple[NDArray[np.int64], ...]
    status: tuple[str, ...]
    k: int
    feature_names: NDArray[np.object_] | None = None

    _RULES: ClassVar[Rules] = {
        "frequency": Array("f", "p"),
        "features": Array("i", "s", below="p"),
        "together": Array("f", "ss"),
        "supports": Each(Array("i", "c", below="p"), "r"),
        "status": Each(Value((str,), among=STATUSES), "r"),
        "k": Value((int, np.integer), low=0),
        "feature_names": Array("OU", "p", optional=True),
    }

    def stable(self, threshold: float = 0.8) -> NDArray[np.int64]:
        """Features chosen in at least a part of the rounds.

        Parameters
        ----------
        threshold : float, default=0.8
            The part, in (0, 1].

        Returns
        -------
        ndarray of int64
            Features, sorted.
        """
        part = check_real(threshold, "threshold", "in (0, 1]", 0.0, np.nextafter(1.0, 2.0), open_low=True)
        return np.flatnonzero(self.frequency >= part - 1e-12).astype(np.int64)

    def rivals(self, n: int = 10) -> list[tuple[int, int, float]]:
        """Pairs of features that take each other's place: chosen often, but seldom together.

        Parameters
        ----------
        n : int, default=10
            Pairs at most.

        Returns
        -------
        list of (int, int, float)
            Two features, and by how much they were chosen together less often than if they were independent (a part of the
            rounds), the largest first.
        """
        count = check_integer(n, "n", 1)
        often = self.frequency[self.features]
        missing = np.triu(np.outer(often, often) - self.together, k=1)
        order = np.argsort(-missing, axis=None, kind="stable")[:count]
        pairs = [np.unravel_index(place, missing.shape) for place in order]
        return [(int(self.features[a]), int(self.features[b]), float(missing[a, b])) for a, b in pairs if missing[a, b] > 0]

    def to_frame(self) -> Any:
        """Table of the features that some round chose.

        Returns
        -------
        pandas.DataFrame
            Columns ``feature`` (names where they are known) and ``frequency``, the most frequent first.

        Raises
        ------
        ModuleNotFoundError
            If pandas is not installed.
        """
        pandas = require("pandas", "to_frame()", "pandas")
        return pandas.DataFrame({"feature": [self._name(j) for j in self.features], "frequency": self.frequency[self.features]})

    def plot(self, n: int = 20, axes: Any = None) -> StabilityDisplay:
        """Draw how often features, and pairs of them, were chosen, by :meth:`ksparse.StabilityDisplay.from_result`.

        Parameters
        ----------
        n : int, default=20
            Features at most, the most frequent.
        axes : sequence of two matplotlib Axes, optional
            Where to draw. By default a new figure.

        Returns
        -------
        StabilityDisplay
            The display; ``figure_`` and ``axes_`` are matplotlib's.

        Raises
        ------
        ModuleNotFoundError
            If matplotlib is not installed.
        """
        return StabilityDisplay.from_result(self, n=n, axes=axes)

    def _name(self, j: int) -> Any:
        return int(j) if self.feature_names is None else str(self.feature_names[j])

    def __repr__(self) -> str:
        """Return the most frequent features."""
        head = f"stability of k={self.k} over {len(self.supports)} rounds: {len(self.features)} features were chosen at all"
        width = max([len(str(self._name(j))) for j in self.features[:10]], default=0)
        lines = [f"  {self._name(j)!s:<{width}}  {self.frequency[j]:.2f}" for j in self.features[:10]]
        if len(self.features) > 10:
            lines.append("  ...")
        return "\n".join([head, *lines, *(textwrap.fill(note, 100) for note in cautions_of(self.status, "rounds"))])


def stability_selection(
    X: ArrayLike,
    y: ArrayLike,
    k: int,
    *,
    rounds: int = 100,
    sampling: str = "subsample",
    fraction: float = 0.5,
    n_jobs: int | None = None,
    loss: str | Loss = "logistic",
    alpha: float = 0.5,
    gamma: float = 2.0,
    ridge: float = 0.0,
    fit_intercept: bool = True,
    sample_weight: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    tolerance: float = 1e-8,
    max_newton: int = 100,
    search: str = "fast",
    max_rounds: int | None = None,
    max_refits: int | None = None,
    max_seconds: float | None = None,
    random_state: int = 0,
    always_in: ArrayLike | None = None,
    never_in: ArrayLike | None = None,
    bounds: tuple[Any, Any] | None = None,
    groups: ArrayLike | None = None,
    verbose: bool | int = 0,
) -> StabilityResult:
    """Fit on many resamplings of the rows and count how often each feature is chosen.

    Resamplings are weights over one X, which is not copied; classes keep their shares of the rows in each.

    Weights that are whole numbers count rows: a row of weight 3 is drawn as three equal rows would be, each for itself. Other weights
    stay with their row, which is drawn as one.

    Parameters
    ----------
    X : array-like or sparse matrix of shape (n_samples, n_features)
        Features, as in :func:`ksparse.fit`.
    y : array-like of shape (n_samples,)
        Labels, 0 and 1.
    k : int
        Most features used in each round.
    rounds : int, default=100
        Resamplings, >= 1.
    sampling : {"subsample", "bootstrap"}, default="subsample"
        Without replacement [1]_, or as many rows as there are with replacement.
    fraction : float, default=0.5
        Part of the rows of each class in a subsample, in (0, 1); at least one row.
    n_jobs : int or None, default=None
        Threads, as in scikit-learn: None is 1 unless in a ``joblib.parallel_config``; -1 is all processors.
    loss, alpha, gamma, ridge, fit_intercept, sample_weight, offset, tolerance, max_newton : optional
        As in :func:`ksparse.fit`.
    search : {"fast", "auto", "thorough"}, default="fast"
        How far each round searches.
    max_rounds, max_refits, max_seconds : optional
        As in :func:`ksparse.fit`.
    random_state : int, default=0
        Seed of the resamplings and of the searches.
    always_in, never_in, bounds, groups : optional
        As in :func:`ksparse.fit`.
    verbose : bool or int, default=0
        Whether to show a bar of progress, which counts rounds; needs tqdm (``pip install 'ksparse[progress]'``).

    Returns
    -------
    StabilityResult
        Frequencies of features and of pairs, a picture, a table.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it must be; the message names it and what it was.

    Warns
    -----
    ksparse.ConvergenceWarning
        If fits of some rounds did not converge, with their number; their supports count all the same.

    References
    ----------
    .. [1] Meinshausen, Bühlmann, "Stability selection", JRSS B 2010.

    Examples
    --------
    >>> import numpy as np
    >>> import ksparse
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((300, 30))
    >>> y = X[:, 7] - X[:, 20] + rng.standard_normal(300) > 0
    >>> ksparse.stability_selection(X, y, k=2).stable(0.9)
    array([ 7, 20])
    """
    settings = Settings(
        loss=loss,
        alpha=alpha,
        gamma=gamma,
        ridge=ridge,
        fit_intercept=fit_intercept,
        tolerance=tolerance,
        max_newton=max_newton,
        search=search,
        max_rounds=max_rounds,
        max_refits=max_refits,
        max_seconds=max_seconds,
        random_state=random_state,
        always_in=always_in,
        never_in=never_in,
        bounds=bounds,
        groups=groups,
    )
    request = Request.of(X, y, sample_weight, offset, settings)
    with progress_if(verbose, "rounds") as report:
        result = solve_stability(request, k, rounds, sampling, fraction, n_jobs, report)
    failed = [word for word in result.status if word != "converged"]
    if failed:
        warnings.warn(
            f"{len(failed)} of {len(result.status)} rounds did not converge ({failed[0]}): {advice_on(failed[0])}",
            ConvergenceWarning,
            stacklevel=2,
        )
    return result


def solve_stability(
    request: Request, k: Any, rounds: Any, sampling: Any, fraction: Any, n_jobs: int | None, report: Report | None = None
) -> StabilityResult:
    """Resample, call the core, count; the caller warns."""
    budget = request.check_budget(k)
    copies = _copies(request.weights)
    counts = _resamplings(request, check_integer(rounds, "rounds", 1), sampling, fraction, copies)
    # Their unit is nobody's: in this one, counts times the largest double do not overflow.
    factors = (
        np.ldexp(request.weights, -np.frexp(request.weights.max())[1])
        if copies is None and request.weights is not None
        else None
    )
    parts: list[BatchResult] = []
    for some in _parts(counts, factors):
        weights = some if factors is None else some * factors[:, None]
        share = part_of(report, sum(map(len, parts)), counts.shape[1])
        part = solve_many(
            request.design, request.labels, budget, weights, request.offset, request.settings, n_jobs, request.names, share
        )
        _raise_if_refused(part, request, budget, weights)
        parts.append(part)
    supports = tuple(support for part in parts for support in part.supports)
    status = tuple(str(word) for part in parts for word in part.status)
    return _counted(supports, status, budget, request.design.shape[1], request.names)


def _copies(weights: NDArray[np.float64] | None) -> NDArray[np.int64] | None:
    """Return how many equal rows each row stands for, where weights are whole numbers; None where they are not counts."""
    if weights is None or weights.max() > _MOST_COPIES or weights.sum() > _MOST_COPIES or (weights != np.floor(weights)).any():
        return None
    return weights.astype(np.int64)


def _resamplings(
    request: Request, rounds: int, sampling: Any, fraction: Any, copies: NDArray[np.int64] | None = None
) -> NDArray[Any]:
    """How often each row counts in each round, drawn within the classes if there are any: (n_samples, rounds), by columns.

    A row that stands for several is drawn as they would be. Without such rows a byte each is enough: as many draws as rows take one row
    256 times with probability below 1 / 256! per row. With them a count is at most the number of draws, which 32 bits hold.
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
    """Divide the rounds where weights of the rows multiply the counts: the products are doubles, and not all made at once."""
    width = counts.shape[1] if weights is None else max(_ROUNDS_AT_ONCE, _LARGEST_PRODUCT // len(counts))
    return (counts[:, first : first + width] for first in range(0, counts.shape[1], width))


def _raise_if_refused(part: BatchResult, request: Request, k: int, weights: NDArray[Any]) -> None:
    """Raise what a single fit says of the first round that was refused."""
    for i in np.flatnonzero(part.status == "invalid_input")[:1]:
        request.options.k = k
        design, labels, _, offset, loss = request.arguments
        alone = _core.fit(design, labels, weights[:, i].astype(np.float64), offset, loss, request.options)
        request.raise_if_refused(alone)
        raise ValueError(part.messages[int(i)])


def _counted(
    supports: tuple[NDArray[np.int64], ...], status: tuple[str, ...], k: int, p: int, names: NDArray[np.object_] | None
) -> StabilityResult:
    """Count features and pairs."""
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

"""The folds of cross-validation, represented by how often each row counts, and the paths fitted on them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import check_cv
from sklearn.utils.validation import _check_method_params

from .. import _core
from .._executor import in_tasks, shared_by
from .._input.progress import Report, part_of
from .._input.request import Inputs, Request, Settings
from .._input.sparse import is_sparse
from .._quiet import quiet
from .._results.fit import FitResult, result_of
from .input import weights_of

__all__ = ["FoldPaths", "counts_of", "refuse_undefined", "refuse_weightless", "splits_of", "without_gaps"]

Split = tuple[Any, Any]


def splits_of(cv: Any, X: Any, y: Any, metadata: dict[str, Any], *, stratified: bool) -> list[Split]:
    """Return the pairs of training and test rows."""
    if cv is None:  # scikit-learn does not allow more folds than rows (in the largest class, if stratified)
        most = int(np.unique(y, return_counts=True)[1].max()) if stratified else len(y)
        cv = max(2, min(5, most))
    splits = list(check_cv(cv, y, classifier=stratified).split(X, y, **metadata))
    if not splits:
        raise ValueError(
            f"cv is {cv!r}, which yields no splits; it must yield at least one pair of training and test rows (a generator can be "
            "used only once; pass a list to fit more than once)"
        )
    return splits


def without_gaps(splits: list[Split], gaps: NDArray[np.bool_] | None) -> list[Split]:
    """Leave rows without a response out of the test rows; in the training rows their weight is 0."""
    if gaps is None:
        return splits
    rows = np.arange(len(gaps))
    return [(train, rows[test][~gaps[test]]) for train, test in splits]


def counts_of(
    splits: list[Split], labels: NDArray[Any], weights: NDArray[np.float64] | None, classes: Sequence[Any]
) -> NDArray[np.int64]:
    """Return how often each row counts in the training set of each split; all classes must occur in each of them."""
    n = len(labels)
    counts = np.empty((len(splits), n), dtype=np.int64)
    for fold, (train, test) in enumerate(splits):
        counts[fold] = np.bincount(np.arange(n)[train], minlength=n)
        present = counts[fold] > 0 if weights is None else (counts[fold] > 0) & (weights > 0)
        if not present.any():
            raise ValueError(f"fold {fold} of cv has no training row of positive weight")
        for number, label in enumerate(classes):
            if not (present & (labels == number)).any():
                raise ValueError(
                    f"fold {fold} of cv has no training row of class {label}; use fewer folds, or a stratified splitter"
                )
        if len(np.arange(n)[test]) == 0:
            raise ValueError(f"fold {fold} of cv has no test row")
    return counts


def refuse_weightless(splits: list[Split], labels: NDArray[Any], weights: Any) -> None:
    """Raise an error that names a fold whose test rows all have weight zero, because their mean score is undefined."""
    if weights is None:
        return
    weights = weights_of(weights)
    for fold, (_, test) in enumerate(splits):
        if not np.any(_check_method_params(labels, {"of": weights}, test)["of"]):
            raise ValueError(
                f"fold {fold} of cv has no test row of positive weight; use fewer folds, or leave out rows of weight zero"
            )


def refuse_undefined(scores: NDArray[np.float64], splits: list[Split], labels: NDArray[Any], classes: Sequence[Any]) -> None:
    """Raise an error that names a fold on which every score is NaN, because no mean over the folds is defined then."""
    for fold in np.flatnonzero(np.isnan(scores).all(axis=(0, 1))):
        missing = np.setdiff1d(np.arange(len(classes)), labels[splits[fold][1]])
        advice = "check the scorer"
        if len(missing):
            advice = f"it has no test row of class {classes[missing[0]]}; use fewer folds, or a stratified splitter"
        raise ValueError(f"every score on fold {fold} of cv is NaN: {advice}")


class FoldPaths:
    """The fits for each fold, point of the grid and k, of one problem or of one problem for each class."""

    def __init__(self, problems: list[Request], settings: list[Settings], ks: list[int]) -> None:
        self.ks = ks
        # For each problem and point of the grid, the request of the fits, whose training rows differ between the folds.
        self._asked = [[_at(problem, point) for point in settings] for problem in problems]
        self._paths: list[
            list[list[Any]]
        ] = []  # by problem, by fold and point, and by k; with the attributes of _core.CompactFit

    def fit(self, counts: NDArray[np.int64], threads: int, report: Report | None) -> None:
        """Fit all paths. Points of the grid that differ only in the ridge start from each other's fits."""
        total = len(self._asked) * len(counts) * len(self._asked[0]) * len(self.ks)
        for before, points in enumerate(self._asked):
            tasks = [task for fold in range(len(counts)) for task in _tasks(points, fold)]
            share = part_of(report, before * total // len(self._asked), total)
            paths = _core.fit_paths(points[0].problem, counts, tasks, self.ks, threads, share)
            self._take(paths)

    def fit_by(self, executor: Any, counts: NDArray[np.int64], report: Report | None) -> None:
        """Fit all paths by tasks of an executor, each of some folds; the paths are the same."""
        problems = [
            (Inputs(asked.design, asked.weights, asked.offset, asked.settings, asked.names), asked.labels)
            for asked, *_ in self._asked
        ]
        items = list(itertools.product(range(len(problems)), range(len(counts))))
        shared = _SharedFolds(problems, [asked.settings for asked in self._asked[0]], self.ks, counts)
        by_fold = []
        with shared_by(executor, shared) as sent:
            for paths in in_tasks(executor, _fit_folds, items, sent):
                by_fold += paths
                if report is not None:
                    report(len(by_fold) * len(self._asked[0]) * len(self.ks), len(items) * len(self._asked[0]) * len(self.ks))
        for first in range(0, len(items), len(counts)):
            self._take([path for paths in by_fold[first : first + len(counts)] for path in paths])

    def _take(self, paths: list[list[Any]]) -> None:
        """Hold the paths of the next problem; raise ValueError for the first that was refused."""
        for path in paths:
            self._asked[0][0].raise_if_refused(path[0])
        self._paths.append(paths)

    def _of(self, fold: int, point: int) -> list[list[Any]]:
        """Return the paths of all problems on a fold."""
        return [paths[fold * len(self._asked[0]) + point] for paths in self._paths]

    @quiet
    def linear_predictors(self, fold: int, point: int, test: Any) -> NDArray[np.float64]:
        """Return linear predictors on the test rows, (n_rows, ks, problems). Only columns that some fit uses are read."""
        paths = self._of(fold, point)
        union = np.unique(np.concatenate([fit.support for path in paths for fit in path]))
        rows = self._asked[0][0].design[np.ix_(np.arange(len(self._asked[0][0].labels))[test], union)]
        if is_sparse(rows):
            rows = rows.toarray()
        coefs = np.zeros((len(union), len(self.ks), len(paths)))
        for problem, path in enumerate(paths):
            for j, fit in enumerate(path):
                coefs[np.searchsorted(union, fit.support), j, problem] = fit.coef
        intercepts = np.array([[fit.intercept for fit in path] for path in paths]).T
        products = rows @ coefs.reshape(len(union), intercepts.size)
        eta = np.asarray(products.reshape(len(rows), *intercepts.shape) + intercepts)
        for problem, asked in enumerate(self._asked):
            if asked[0].offset is not None:
                eta[:, :, problem] += asked[0].offset[test][:, None]
        return eta

    def results(self, fold: int, point: int, j: int) -> list[FitResult]:
        """Return the fits of all problems for one k, as :func:`ksparse.fit` would return them for the training rows."""
        return [
            _whole(path[j], self.ks[j], asked[point]) for path, asked in zip(self._of(fold, point), self._asked, strict=True)
        ]

    def status(self, folds: int) -> NDArray[Any]:
        """Return how each fit ended, (points, ks, folds). With several problems, it is the first status that is not converged."""
        words = np.full((len(self._asked[0]), len(self.ks), folds), "converged", dtype=object)
        for i, j, fold in np.ndindex(*words.shape):
            failed = [path[j].status for path in self._of(fold, i) if path[j].status != "converged"]
            words[i, j, fold] = failed[0] if failed else "converged"
        return words


def _at(problem: Request, point: Settings) -> Request:
    """Return a problem with the settings of a point of the grid, to be fitted on a fold."""
    changed = problem.with_settings(point)
    options = changed.options
    options.search = "fast"
    # The path of a fold only serves to compare values of k, so fewer exchanges are tried than in a final fit.
    options.cold_starts = False
    options.path_sweeps = 0
    options.pairs_tried = options.pairs_tried_last = 4
    return changed


def _tasks(points: list[Request], fold: int) -> list[tuple[int, _core.Loss, _core.Options, bool]]:
    """Return what the core needs to know of each path of a fold, and whether it starts from the path before it."""
    return [(fold, asked.kernel, asked.options, i > 0 and asked.loss == points[i - 1].loss) for i, asked in enumerate(points)]


@dataclass(frozen=True)
class _SharedFolds:
    """What all tasks of an executor have in common."""

    problems: list[tuple[Inputs, Any]]  # with their responses
    settings: list[Settings]
    ks: list[int]
    counts: NDArray[np.int64]


def _fit_folds(items: list[tuple[int, int]], shared: _SharedFolds) -> list[list[list[Any]]]:
    """Return the paths of some folds, each a pair of a problem and a fold, in objects that can be sent."""
    answers = []
    for problem, fold in items:
        inputs, labels = shared.problems[problem]
        request = Request.of(inputs, labels)
        points = [_at(request, point) for point in shared.settings]
        paths = _core.fit_paths(request.problem, shared.counts[[fold]], _tasks(points, 0), shared.ks, 1, None)
        answers.append([[SimpleNamespace(**{name: getattr(fit, name) for name in _FIELDS}) for fit in path] for path in paths])
    return answers


_FIELDS = [name for name in dir(_core.CompactFit) if not name.startswith("_")]


def _whole(fit: Any, k: int, asked: Request) -> FitResult:
    """Return a fit with all its coefficients, including zeros."""
    coef = np.zeros(asked.design.shape[1])
    coef[fit.support] = fit.coef
    return result_of(fit, k, asked, keep_data=False, coef=coef)

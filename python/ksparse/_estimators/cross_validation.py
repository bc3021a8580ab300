"""What the estimators that choose k, and parameters of the loss, by cross-validation share."""

from __future__ import annotations

import itertools
import time
import warnings
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import get_config
from sklearn.utils import _safe_indexing
from sklearn.utils.metadata_routing import UNUSED, MetadataRouter, MethodMapping, process_routing
from sklearn.utils.validation import _check_method_params, check_is_fitted

from .._checks import check_flag
from .._fit import solve
from .._input.progress import progress_if
from .._input.request import Inputs, Request, Settings
from .._input.threads import thread_count
from .._one_standard_error import choose_point
from .._path import check_ks
from .._plot import CrossValidationDisplay
from .._quiet import quiet
from .._results.fit import FitResult
from .base import Predicted, SparseLinearEstimator
from .classifier import KSparseClassifier
from .cv_results import grid_of, results_table, warn_of_folds
from .folds import FoldPaths, Split, counts_of, refuse_undefined, refuse_weightless, splits_of
from .regressor import KSparseRegressor
from .scoring import FoldRows, accepts_weights, checked_scorer, minus_mean_loss, reads_predictions_only, score_of

__all__ = ["CrossValidated"]


# What a fit has of the search; its other attributes are those of the model that was chosen.
_OF_THE_SEARCH = ("n_splits_", "cv_results_", "best_index_", "best_params_", "best_score_")


class CrossValidated(SparseLinearEstimator):
    """What the estimators that choose k by cross-validation share."""

    # Parameters that may be lists, and are compared beside k.
    _grid: ClassVar[tuple[str, ...]]
    # The estimator of one k.
    _single: ClassVar[type[KSparseClassifier] | type[KSparseRegressor]]
    # Whether folds keep the shares of classes.
    _stratified: ClassVar[bool]
    ks: Any
    cv: Any
    scoring: Any
    one_standard_error: Any
    n_jobs: Any
    verbose: Any
    n_features_in_: int
    # Groups are not for the fits; a splitter requests them if it needs them.
    __metadata_request__fit: ClassVar[dict[str, Any]] = {"groups": UNUSED}

    def _check_grid(self, grid: list[dict[str, Any]]) -> None:
        """Refuse a grid that the scores cannot compare."""

    _validated: Any

    def _columns(self, inputs: Inputs, labels: NDArray[Any]) -> list[NDArray[Any]]:
        """Return the responses of each problem."""
        return [labels]

    def _classes(self) -> list[Any]:
        """Return the labels that each fold must have."""
        return []

    def _read(self, labels: NDArray[Any]) -> NDArray[Any]:
        """Return y as it was read, in a type that scikit-learn knows: it may be objects, or have missing values as a type."""
        return labels

    def _hold_on(self, model: Any, results: list[FitResult]) -> None:
        """Make the attributes of a fitted estimator of one k of what a fold found."""
        model._hold(results[0])

    def _fit_all(self, inputs: Inputs, labels: NDArray[Any], k: int) -> None:
        """Fit all rows with what was chosen."""
        self._take(solve(Request.of(inputs, labels), k), stacklevel=5)

    def get_metadata_routing(self) -> MetadataRouter:
        """Tell scikit-learn what metadata ``fit`` and ``score`` take and hand on.

        Returns
        -------
        sklearn.utils.metadata_routing.MetadataRouter
            Weights for the fits, and what the splitter and the scorer request.
        """
        router = MetadataRouter(owner=self).add_self_request(self)
        router.add(splitter=self.cv, method_mapping=MethodMapping().add(caller="fit", callee="split"))
        if self.scoring is not None:
            mapping = MethodMapping().add(caller="fit", callee="score").add(caller="score", callee="score")
            router.add(scorer=checked_scorer(self), method_mapping=mapping)
        return router

    def _routed(
        self, scorer: Any, sample_weight: Any, groups: Any, others: dict[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what of the metadata of fit goes to the splitter and what to the scorer."""
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        if not get_config()["enable_metadata_routing"]:
            _refuse_others("fit", others)
            if weights and scorer is not None and not accepts_weights(scorer):
                warnings.warn(
                    f"scoring={self.scoring!r} takes no sample_weight, so that the rows left out count alike in the scores, though not in the "
                    "fits; give a scorer that has such a parameter",
                    stacklevel=4,
                )
                weights = {}
            return {"groups": groups}, weights
        routed = process_routing(self, "fit", **weights, **({} if groups is None else {"groups": groups}), **others)
        return routed.splitter.split, {} if scorer is None else routed.scorer.score

    def _compare(self, X: Any, y: Any, sample_weight: Any, groups: Any, params: dict[str, Any]) -> None:
        """Compare by cross-validation, then fit on all rows."""
        scorer = checked_scorer(self)
        grid = grid_of(self, self._grid)
        self._check_grid(grid)
        one_standard_error = check_flag(self.one_standard_error, "one_standard_error")
        inputs, labels = self._validated(X, y, sample_weight)
        settings = [replace(inputs.settings, **point) for point in grid]
        first = replace(inputs, settings=settings[0])
        problems = [Request.of(first, column) for column in self._columns(inputs, labels)]
        least = first.least_budget
        ks = range(least, min(max(10, least), problems[0].n_units) + 1) if self.ks is None else self.ks
        paths = FoldPaths(problems, settings, check_ks(ks, problems[0]))
        for_splitter, for_scorer = self._routed(scorer, sample_weight, groups, params)
        splits = splits_of(self.cv, X, self._read(labels), for_splitter, stratified=self._stratified)
        counts = counts_of(splits, labels, problems[0].weights, self._classes())
        refuse_weightless(splits, labels, problems[0].weights if scorer is None else for_scorer.get("sample_weight"))
        began = time.perf_counter()
        with progress_if(self.verbose, "fits") as report:
            paths.fit(counts, thread_count(self.n_jobs), report)
        seconds = (time.perf_counter() - began) / len(splits) / len(grid) / len(paths.ks)
        if scorer is None:
            scores = _losses(problems, settings, paths, splits)
        else:
            seen = self._read(labels) if reads_predictions_only(scorer) else y
            scores = self._scores(scorer, X, seen, grid, paths, splits, for_scorer)
        refuse_undefined(scores, splits, labels, self._classes())
        self.n_splits_ = len(splits)
        self.cv_results_ = results_table(grid, paths.ks, scores, seconds)
        self.best_index_ = choose_point(self.cv_results_, one_standard_error)
        self.best_params_ = self.cv_results_["params"][self.best_index_]
        self.best_score_ = float(self.cv_results_["mean_test_score"][self.best_index_])
        warn_of_folds(self.cv_results_, self.best_index_, paths.status(len(splits)))
        chosen = settings[self.best_index_ // len(paths.ks)]
        self._fit_all(replace(inputs, settings=chosen), labels, self.best_params_["k"])

    def _scores(
        self,
        scorer: Any,
        X: Any,
        y: Any,
        grid: list[dict[str, float]],
        paths: FoldPaths,
        splits: list[Split],
        metadata: dict[str, Any],
    ) -> NDArray[np.float64]:
        """Score every fit on the rows left out of it, as a fitted model of one k: (points of the grid, ks, splits)."""
        scores = np.empty((len(grid), len(paths.ks), len(splits)))
        for fold, (_, test) in enumerate(splits):
            responses, own = _safe_indexing(y, test), _check_method_params(X, metadata, test)
            rows = None if reads_predictions_only(scorer) else FoldRows(X, test)
            for i, point in enumerate(grid):
                eta = paths.linear_predictors(fold, i, test) if rows is None else np.empty(0)
                for j, k in enumerate(paths.ks):
                    model = self._fitted_model(point, k, paths.results(fold, i, j))
                    seen = Predicted(eta[:, j]) if rows is None else rows.for_one_model()
                    scores[i, j, fold] = score_of(scorer, model, seen, responses, own)
        return scores

    def _fitted_model(self, point: dict[str, float], k: int, results: list[FitResult]) -> Any:
        """Return the estimator that a search over k would have fitted on the training rows of a fold."""
        model = self._model_of({**point, "k": k})
        model.n_features_in_ = self.n_features_in_
        if hasattr(self, "feature_names_in_"):
            model.feature_names_in_ = self.feature_names_in_
        self._hold_on(model, results)
        return model

    def _model_of(self, params: dict[str, Any]) -> Any:
        """Return the estimator of one k with some parameters, the others those of the search; it is not fitted."""
        shared = {name: getattr(self, name) for name in self._single._get_param_names() if hasattr(self, name)}
        return self._single(**{**shared, **params, "verbose": 0})

    def _chosen_model(self) -> Any:
        """Return what was chosen, as the fitted estimator of one k that ``GridSearchCV`` has in ``best_estimator_``."""
        model = self._model_of(self.best_params_)
        for name, value in vars(self).items():
            if name.endswith("_") and name not in _OF_THE_SEARCH:
                setattr(model, name, value)
        return model

    def score(self, X: Any, y: Any, sample_weight: ArrayLike | None = None, **params: Any) -> float:
        """Score the model that was chosen by the scorer that chose it, as ``GridSearchCV`` does.

        The scorer is given a fitted estimator of one k, as in the folds, with the parameters in ``best_params_``.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows to judge by.
        y : array-like of shape (n_samples,)
            Their labels or responses.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the rows, >= 0, for a scorer that takes them.
        **params : dict
            Other metadata for the scorer; only with ``sklearn.set_config(enable_metadata_routing=True)``.

        Returns
        -------
        float
            The score. With ``scoring=None`` that of the estimator of one k: the accuracy, or of a regression D².
        """
        check_is_fitted(self)
        scorer = checked_scorer(self)
        if scorer is None:
            _refuse_others("score without a scorer", params)
            return super().score(X, y, sample_weight)
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        if get_config()["enable_metadata_routing"]:
            metadata = process_routing(self, "score", **weights, **params).scorer.score
        else:
            _refuse_others("score", params)
            metadata = weights if accepts_weights(scorer) else {}
        return score_of(scorer, self._chosen_model(), X, y, metadata)

    def plot(self, ax: Any = None) -> CrossValidationDisplay:
        """Draw the mean score against k, by :meth:`ksparse.CrossValidationDisplay.from_estimator`.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw. By default a new figure.

        Returns
        -------
        CrossValidationDisplay
            The display; ``figure_`` and ``ax_`` are matplotlib's.

        Raises
        ------
        ModuleNotFoundError
            If matplotlib is not installed.
        """
        return CrossValidationDisplay.from_estimator(self, ax=ax)


def _refuse_others(method: str, params: dict[str, Any]) -> None:
    """Refuse metadata that nothing was routed to."""
    if params:
        raise TypeError(
            f"{method} got {', '.join(params)}; metadata other than sample_weight and groups need a scorer or splitter that requests "
            "them and sklearn.set_config(enable_metadata_routing=True)"
        )


@quiet
def _losses(problems: list[Request], settings: list[Settings], paths: FoldPaths, splits: list[Split]) -> NDArray[np.float64]:
    """Minus the average loss of every fit on the rows left out of it, of several classes their mean: (points, ks, splits)."""
    scores = np.empty((len(settings), len(paths.ks), len(splits)))
    weights = problems[0].weights
    for (fold, (_, test)), (i, point) in itertools.product(enumerate(splits), enumerate(settings)):
        rows = np.arange(len(problems[0].labels))[test]
        if weights is not None:
            rows = rows[weights[rows] > 0]  # other rows may be infinitely far off
        eta, loss = paths.linear_predictors(fold, i, rows), point.checked_loss()
        own = None if weights is None else weights[rows]
        each = [minus_mean_loss(eta[:, :, c], problem.labels[rows], own, loss) for c, problem in enumerate(problems)]
        scores[i, :, fold] = np.mean(each, axis=0)
    return scores

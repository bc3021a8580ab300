"""The base class of the estimators that choose k, and parameters of the loss, by cross-validation."""

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

from .._checks import check_flag, only_one
from .._executor import check_executor
from .._fit import solve
from .._input.gaps import idle_gaps
from .._input.progress import progress_if
from .._input.request import Inputs, Request, Settings
from .._input.threads import thread_count
from .._input.validation import check_loss
from .._one_standard_error import choose_point
from .._path import check_ks
from .._plot import CrossValidationDisplay
from .._quiet import quiet
from .._results.fit import FitResult
from .base import Predicted, SparseLinearEstimator
from .classifier import KSparseClassifier
from .cv_results import grid_of, results_table, warn_of_folds
from .folds import FoldPaths, Split, counts_of, refuse_undefined, refuse_weightless, splits_of, without_gaps
from .offsets import Offsets
from .regressor import KSparseRegressor
from .scoring import (
    FoldRows,
    accepts,
    checked_scorer,
    minus_mean_loss,
    offsets_of_scorer,
    reads_predictions_only,
    refuse_without_offsets,
    score_of,
)

__all__ = ["CrossValidated"]


# Attributes that describe the search. The others are those of the final model.
_OF_THE_SEARCH = ("n_splits_", "cv_results_", "best_index_", "best_params_", "best_score_")


class CrossValidated(SparseLinearEstimator):
    """Base class of the estimators that choose k by cross-validation."""

    # Parameters that may be lists, whose values are compared in addition to k.
    _grid: ClassVar[tuple[str, ...]]
    # The estimator for a single k.
    _single: ClassVar[type[KSparseClassifier] | type[KSparseRegressor]]
    # Whether the default folds are stratified by class.
    _stratified: ClassVar[bool]
    ks: Any
    k: Any
    cv: Any
    scoring: Any
    one_standard_error: Any
    n_jobs: Any
    verbose: Any
    n_features_in_: int
    # The fits do not use groups; a splitter that needs them requests them. An executor is no metadata of the rows.
    __metadata_request__fit: ClassVar[dict[str, Any]] = {"groups": UNUSED, "executor": UNUSED}

    def _check_grid(self, grid: list[dict[str, Any]]) -> None:
        """Raise an error if the scores of the points of the grid are not comparable."""

    _validated: Any

    def _columns(self, inputs: Inputs, labels: NDArray[Any]) -> list[NDArray[Any]]:
        """Return the responses of each problem."""
        return [labels]

    def _classes(self) -> list[Any]:
        """Return the labels that must occur in each training set."""
        return []

    def _read(self, labels: NDArray[Any]) -> NDArray[Any]:
        """Return y in a type that scikit-learn can handle; y itself may be an object array or have a type with missing values."""
        return labels

    def _hold_on(self, model: Any, results: list[FitResult]) -> None:
        """Store the results of a fold in the attributes of an estimator for a single k."""
        model._hold(results[0])

    def _fit_all(self, inputs: Inputs, labels: NDArray[Any], k: int) -> None:
        """Fit the final model on all rows."""
        self._take(solve(Request.of(inputs, labels), k, note_data=False), stacklevel=5)

    def get_metadata_routing(self) -> MetadataRouter:
        """Describe to scikit-learn which metadata ``fit`` and ``score`` accept and pass on.

        Returns
        -------
        sklearn.utils.metadata_routing.MetadataRouter
            A router with the weights for the fits and the metadata that the splitter and the scorer request.
        """
        router = MetadataRouter(owner=self).add_self_request(self)
        router.add(splitter=self.cv, method_mapping=MethodMapping().add(caller="fit", callee="split"))
        if self.scoring is not None:
            mapping = MethodMapping().add(caller="fit", callee="score").add(caller="score", callee="score")
            router.add(scorer=checked_scorer(self), method_mapping=mapping)
        return router

    def _routed(
        self, scorer: Any, sample_weight: Any, groups: Any, others: dict[str, Any], offsets: Offsets
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the metadata of ``fit`` for the splitter and for the scorer."""
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        if not get_config()["enable_metadata_routing"]:
            _refuse_others("fit", others)
            if weights and scorer is not None and not accepts(scorer, "sample_weight"):
                warnings.warn(
                    f"scoring={self.scoring!r} does not accept sample_weight, so all test rows have the same weight in the scores, although not "
                    "in the fits; use a scorer that accepts sample_weight",
                    stacklevel=4,
                )
                weights = {}
            return {"groups": groups}, {**weights, **offsets_of_scorer(scorer, offsets.given())}
        others = {**offsets.given(), **others}
        routed = process_routing(self, "fit", **weights, **({} if groups is None else {"groups": groups}), **others)
        if scorer is None:
            return routed.splitter.split, {}
        refuse_without_offsets(scorer, offsets.given(), routed.scorer.score)
        return routed.splitter.split, routed.scorer.score

    def _compare(
        self, X: Any, y: Any, sample_weight: Any, groups: Any, params: dict[str, Any], offsets: Offsets, executor: Any
    ) -> None:
        """Choose the parameters by cross-validation, then fit on all rows."""
        check_executor(executor, self.n_jobs)
        scorer = checked_scorer(self)
        loss = check_loss(self.loss, 0.5, 2.0)
        has = ("ridge", *(loss._by_problem if isinstance(self.loss, str) else ()))
        grid = grid_of(self, self._grid, has)
        self._check_grid(grid)
        one_standard_error = check_flag(self.one_standard_error, "one_standard_error")
        inputs, labels = self._validated(X, y, sample_weight, offsets)
        settings = [replace(inputs.settings, **point) for point in grid]
        first = replace(inputs, settings=settings[0])
        columns = self._columns(inputs, labels)
        problems = [Request.of(first.of_problem(i), column) for i, column in enumerate(columns)]
        least = first.least_budget
        ks = range(least, min(max(10, least), problems[0].n_units) + 1)
        if self.ks is not None or self.k is not None:
            ks = only_one("ks", self.ks, "k", self.k)
        paths = FoldPaths(problems, settings, check_ks(ks, problems[0]))
        for_splitter, for_scorer = self._routed(scorer, sample_weight, groups, params, offsets)
        splits = splits_of(self.cv, X, self._read(labels), for_splitter, stratified=self._stratified)
        splits = without_gaps(splits, idle_gaps(y, sample_weight))
        counts = counts_of(splits, labels, problems[0].weights, self._classes())
        refuse_weightless(splits, labels, problems[0].weights if scorer is None else for_scorer.get("sample_weight"))
        began = time.perf_counter()
        with progress_if(self.verbose, "fits") as report:
            if executor is None:
                paths.fit(counts, thread_count(self.n_jobs), report)
            else:
                paths.fit_by(executor, counts, report)
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
        status = paths.status(len(splits))
        self.cv_results_["n_separable"] = np.sum(status == "separable", axis=2).ravel()
        warn_of_folds(self.cv_results_, self.best_index_, status)
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
        """Score each fit on its test rows, as a fitted model for a single k; return an array of shape (points, ks, splits)."""
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
        """Return an estimator for a single k that has some given parameters, and those of this estimator otherwise; it is not fitted."""
        shared = {name: getattr(self, name) for name in self._single._get_param_names() if hasattr(self, name)}
        return self._single(**{**shared, **params, "verbose": 0})

    def _chosen_model(self) -> Any:
        """Return the final model as a fitted estimator for a single k, like ``best_estimator_`` of ``GridSearchCV``."""
        model = self._model_of(self.best_params_)
        for name, value in vars(self).items():
            if name.endswith("_") and name not in _OF_THE_SEARCH:
                setattr(model, name, value)
        return model

    def score(
        self,
        X: Any,
        y: Any,
        sample_weight: ArrayLike | None = None,
        *,
        offset: ArrayLike | None = None,
        exposure: ArrayLike | None = None,
        **params: Any,
    ) -> float:
        """Score the final model with ``scoring``, as ``GridSearchCV`` does.

        As during cross-validation, the scorer receives a fitted estimator for a single k that has the parameters in
        ``best_params_``.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows on which the model is scored.
        y : array-like of shape (n_samples,)
            Labels or responses of these rows.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the rows, >= 0, for a scorer that accepts them.
        offset : array-like of shape (n_samples,), optional
            Values added to the linear predictor, as in the fit.
        exposure : array-like of shape (n_samples,), optional
            How long or how much each row was observed, > 0; its logarithm is added to the linear predictor. It needs a loss
            with a log link, or ``"cloglog"``.
        **params : dict
            Other metadata for the scorer. This needs ``sklearn.set_config(enable_metadata_routing=True)``.

        Returns
        -------
        float
            The score. With ``scoring=None`` it is that of the estimator for a single k: the accuracy for classification, and D²
            for regression.
        """
        check_is_fitted(self)
        scorer, offsets = checked_scorer(self), Offsets(offset, exposure)
        if scorer is None:
            _refuse_others("score without a scorer", params)
            return super().score(X, y, sample_weight, offset=offset, exposure=exposure)
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        if get_config()["enable_metadata_routing"]:
            metadata = process_routing(self, "score", **weights, **offsets.given(), **params).scorer.score
            refuse_without_offsets(scorer, offsets.given(), metadata)
        else:
            _refuse_others("score", params)
            metadata = {
                **(weights if accepts(scorer, "sample_weight") else {}),
                **offsets_of_scorer(scorer, offsets.given()),
            }
        model = self._chosen_model()
        if offsets.given() and reads_predictions_only(scorer):
            X = Predicted(model._linear_predictor(X, offsets))
        return score_of(scorer, model, X, y, metadata)

    def plot(self, ax: Any = None) -> CrossValidationDisplay:
        """Plot the mean score against k with :meth:`ksparse.CrossValidationDisplay.from_estimator`.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Axes to draw on. By default a new figure is made.

        Returns
        -------
        CrossValidationDisplay
            The display, whose ``figure_`` and ``ax_`` are matplotlib objects.

        Raises
        ------
        ModuleNotFoundError
            If matplotlib is not installed.
        """
        return CrossValidationDisplay.from_estimator(self, ax=ax)


def _refuse_others(method: str, params: dict[str, Any]) -> None:
    """Raise an error if there is metadata that nothing requested."""
    if params:
        raise TypeError(
            f"{method} got {', '.join(params)}; metadata other than sample_weight and groups needs a scorer or splitter that requests "
            "it, and sklearn.set_config(enable_metadata_routing=True)"
        )


@quiet
def _losses(problems: list[Request], settings: list[Settings], paths: FoldPaths, splits: list[Split]) -> NDArray[np.float64]:
    """Return minus the average loss of each fit on its test rows, or its mean over the classes: (points, ks, splits)."""
    scores = np.empty((len(settings), len(paths.ks), len(splits)))
    weights = problems[0].weights
    for (fold, (_, test)), (i, point) in itertools.product(enumerate(splits), enumerate(settings)):
        rows = np.arange(len(problems[0].labels))[test]
        if weights is not None:
            rows = rows[weights[rows] > 0]  # rows of weight 0 may have infinite linear predictors
        eta, loss = paths.linear_predictors(fold, i, rows), point.checked_loss()
        own = None if weights is None else weights[rows]
        each = [minus_mean_loss(eta[:, :, c], problem.labels[rows], own, loss) for c, problem in enumerate(problems)]
        scores[i, :, fold] = np.mean(each, axis=0)
    return scores

"""The estimators that choose k, and the parameters of the loss, by cross-validation."""

from __future__ import annotations

import itertools
import time
import warnings
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata
from sklearn import get_config
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import _safe_indexing
from sklearn.utils.metadata_routing import UNUSED, MetadataRouter, MethodMapping, process_routing
from sklearn.utils.validation import _check_method_params, check_is_fitted

from .._caution import advice_on
from .._checks import check_flag
from .._fit import solve
from .._input.progress import progress_if
from .._input.request import Request, Settings
from .._input.threads import thread_count
from .._one_standard_error import choose_point, standard_error
from .._path import check_ks, least_budget
from .._plot import CrossValidationDisplay
from .._quiet import quiet
from .._results.batch import batch_of
from .._results.fit import FitResult
from ..losses import Loss
from .base import Predicted, SparseLinearEstimator
from .classifier import KSparseClassifier, SparseLinearClassifier
from .folds import FoldPaths, Split, counts_of, refuse_undefined, refuse_weightless, splits_of
from .outcomes import Outcomes
from .regressor import KSparseRegressor, SparseLinearRegressor
from .scoring import FoldRows, accepts_weights, checked_scorer, minus_mean_loss, reads_predictions_only, score_of

__all__ = ["CrossValidated", "KSparseClassifierCV", "KSparseRegressorCV"]


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

    def _columns(self, labels: NDArray[Any], weights: NDArray[np.float64] | None) -> list[NDArray[Any]]:
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

    def _fit_all(
        self, design: Any, labels: NDArray[Any], k: int, weights: Any, settings: Settings, names: NDArray[np.object_] | None
    ) -> None:
        """Fit all rows with what was chosen."""
        self._take(solve(design, labels, k, weights, None, settings, names), stacklevel=5)

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
        grid = [
            dict(zip(self._grid, point, strict=True))
            for point in itertools.product(*(_values(self, name) for name in self._grid))
        ]
        self._check_grid(grid)
        one_standard_error = check_flag(self.one_standard_error, "one_standard_error")
        design, labels, weights = self._validated(X, y, sample_weight)
        settings = [Settings.of_estimator(self, **point) for point in grid]
        names = getattr(self, "feature_names_in_", None)
        problems = [Request.of(design, column, weights, None, settings[0], names) for column in self._columns(labels, weights)]
        least = least_budget(settings[0], design.shape[1], names)
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
        self.cv_results_ = _results(grid, paths.ks, scores, seconds)
        self.best_index_ = choose_point(self.cv_results_, one_standard_error)
        self.best_params_ = self.cv_results_["params"][self.best_index_]
        self.best_score_ = float(self.cv_results_["mean_test_score"][self.best_index_])
        _warn_of_folds(self.cv_results_, self.best_index_, paths.status(len(splits)))
        chosen = Settings.of_estimator(self, **{name: self.best_params_[name] for name in self._grid})
        self._fit_all(design, labels, self.best_params_["k"], weights, chosen, names)

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


class KSparseClassifierCV(CrossValidated, SparseLinearClassifier):
    r"""Linear classifier on few features, their number chosen by cross-validation.

    For every fold, and every point of the grid of ``alpha``, ``gamma`` and ``ridge``, a path over ``ks`` is fitted on the
    training rows and judged on the others. Folds are weights of 0 and 1 over one X, which is never copied. The model is
    then fitted on all rows with what scored best.

    Parameters
    ----------
    ks : array-like of int or None, default=None
        Budgets to compare; those above the number of features count as that number, with a warning. None is 0 (or the number
        of features that are always in) to 10 (or the number of features).
    loss : str or object of :mod:`ksparse.losses`, default="logistic"
        The loss, by name or as an object that has its parameters.
    alpha, gamma, ridge : float or array-like of float, default=0.5, 2.0, 0.0
        Parameters as in :class:`ksparse.KSparseClassifier`; a list is compared too.
    cv : int, splitter, iterable or None, default=None
        How to split the rows, as in scikit-learn. None is 5 stratified folds, or fewer if no class has 5 rows.
    scoring : str, callable or None, default=None
        Scorer of scikit-learn, the greater the better, e.g. ``"average_precision"``; with this and other scorers of one class y must be 0 and
        1, or the scorer one of ``make_scorer(..., pos_label=...)``. A callable ``f(model, X, y)`` may read the model and X, see Notes.
        None is minus the average loss on the rows left out, of more than two classes the mean of those of each against the rest;
        that is not comparable between values of ``alpha`` or ``gamma``, so a grid over these needs a scorer.
    one_standard_error : bool, default=False
        Take the smallest k (of these the largest ridge) whose mean score lies within one standard error of the best.
    n_jobs : int or None, default=None
        Threads, as in scikit-learn: None is 1 unless in a ``joblib.parallel_config``; -1 is all processors.
    fit_intercept : bool, default=True
        Whether to fit an intercept.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, from all rows; they multiply ``sample_weight`` in the fits and in the loss on the rows left out.
        A scorer does not see them, as everywhere in scikit-learn.
    probability : {"posterior", "score"}, default="posterior"
        What ``predict_proba`` returns with the focal loss, to scorers too, as in :class:`ksparse.KSparseClassifier`.
    tolerance : float, default=1e-8
        Newton decrement at the answer, > 0.
    max_newton : int, default=100
        Newton iterations per refit, >= 1.
    search : {"auto", "fast", "thorough"}, default="auto"
        How far the last fit, on all rows, searches; the paths of the folds search fast.
    max_rounds, max_refits, max_seconds : int, int, float or None, default=None
        Budget of that search instead of its own.
    random_state : int, default=0
        Seed of that search; a splitter has a seed of its own.
    always_in : array-like of int or str or None, default=None
        Features in every model, by number or, if X has column names, by name. They count towards k, see :func:`ksparse.fit`.
    never_in : array-like of int or str or None, default=None
        Features in none.
    bounds : tuple (lower, upper) or None, default=None
        Bounds of the coefficients per unit of the columns, each a number, an array of shape (n_features,) or None, with
        lower <= 0 <= upper unless the feature is in ``always_in``. ``(0, None)``: no negative coefficient. A chosen feature whose
        coefficient ends at 0 is left out.
    groups : array-like of shape (n_features,) or None, default=None
        Label of each feature's group, an integer or a string. k then counts groups, and all features of a group are in or out;
        ``always_in`` and ``never_in`` name whole groups by any of their features.
    verbose : bool or int, default=0
        Whether to show a bar of progress, which counts the fits of all folds; needs tqdm (``pip install 'ksparse[progress]'``).

    Attributes
    ----------
    best_params_ : dict
        What was chosen: ``k``, ``alpha``, ``gamma``, ``ridge``.
    best_index_ : int
        Its place in ``cv_results_``.
    best_score_ : float
        Its mean score.
    cv_results_ : dict of ndarray
        As in scikit-learn: ``params``, ``param_k`` and so on, ``split0_test_score`` and so on, ``mean_test_score``,
        ``std_test_score``, ``rank_test_score``, ``mean_fit_time`` (of a path, divided by its length).
    n_splits_ : int
        Number of folds.
    classes_, coef_, intercept_, support_, supports_, objective_, status_, n_iter_, result_, n_features_in_, feature_names_in_
        Of the last fit, as in :class:`ksparse.KSparseClassifier`.

    Warns
    -----
    sklearn.exceptions.ConvergenceWarning
        If the last fit did not converge, or fits of the folds did not and the choice may depend on them; the message says what to
        change.

    Notes
    -----
    With more than two classes there is a problem for each class against the rest, as in :class:`ksparse.KSparseClassifier`, and one k
    for all of them, that of the best mean score. For a k for each class use ``OneVsRestClassifier(KSparseClassifierCV())``.

    A scorer is given what ``GridSearchCV(KSparseClassifier(), {"k": ks})`` would give it: the rows left out as they stand in X, with names
    if X is a data frame, and a fitted model of all features. X is cut once for each fold and all models of the fold share the rows, so
    that an array is read-only.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from ksparse import KSparseClassifierCV
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = KSparseClassifierCV(ks=range(1, 6), ridge=[1e-3, 1e-2], scoring="average_precision").fit(X, y)
    >>> sorted(model.best_params_)
    ['alpha', 'gamma', 'k', 'ridge']
    """

    _grid = ("alpha", "gamma", "ridge")
    _single = KSparseClassifier
    _stratified = True

    def __init__(
        self,
        ks: Any = None,
        *,
        loss: str | Loss = "logistic",
        alpha: Any = 0.5,
        gamma: Any = 2.0,
        ridge: Any = 0.0,
        cv: Any = None,
        scoring: Any = None,
        one_standard_error: bool = False,
        n_jobs: int | None = None,
        fit_intercept: bool = True,
        class_weight: Any = None,
        probability: str = "posterior",
        tolerance: float = 1e-8,
        max_newton: int = 100,
        search: str = "auto",
        max_rounds: int | None = None,
        max_refits: int | None = None,
        max_seconds: float | None = None,
        random_state: int = 0,
        always_in: Any = None,
        never_in: Any = None,
        bounds: Any = None,
        groups: Any = None,
        verbose: bool | int = 0,
    ) -> None:
        self.ks = ks
        self.loss = loss
        self.alpha = alpha
        self.gamma = gamma
        self.ridge = ridge
        self.cv = cv
        self.scoring = scoring
        self.one_standard_error = one_standard_error
        self.n_jobs = n_jobs
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.probability = probability
        self.tolerance = tolerance
        self.max_newton = max_newton
        self.search = search
        self.max_rounds = max_rounds
        self.max_refits = max_refits
        self.max_seconds = max_seconds
        self.random_state = random_state
        self.always_in = always_in
        self.never_in = never_in
        self.bounds = bounds
        self.groups = groups
        self.verbose = verbose

    def fit(
        self, X: Any, y: Any, sample_weight: ArrayLike | None = None, groups: Any = None, **params: Any
    ) -> KSparseClassifierCV:
        """Compare by cross-validation, then fit on all rows.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Features, finite; what is read in place is said at :func:`ksparse.fit`.
        y : array-like of shape (n_samples,)
            Labels of two or more classes, of any type that can be sorted.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the rows, >= 0, in the fits and in the loss on the rows left out. A scorer that has such a parameter gets them
            too, with a warning if it has none; with metadata routing, if it requests them.
        groups : array-like of shape (n_samples,), optional
            For splitters that keep groups together.
        **params : dict
            Other metadata for the splitter or the scorer that requests them; only with
            ``sklearn.set_config(enable_metadata_routing=True)``.

        Returns
        -------
        KSparseClassifierCV
            The fitted estimator itself.

        Raises
        ------
        ValueError, TypeError
            If an argument is not what it must be; the message names it, or the fold.
        """
        self._compare(X, y, sample_weight, groups, params)
        return self

    def _check_grid(self, grid: list[dict[str, Any]]) -> None:
        if self.scoring is None and len({(point["alpha"], point["gamma"]) for point in grid}) > 1:
            raise ValueError(
                "scoring is None, which compares the loss itself, and that differs between values of alpha and gamma; "
                "give a scorer, e.g. scoring='neg_log_loss' or 'average_precision'"
            )

    def _columns(self, labels: NDArray[Any], weights: NDArray[np.float64] | None) -> list[NDArray[Any]]:
        if len(self.classes_) == 2:
            return [labels]
        for number, label in enumerate(self.classes_.tolist()):
            if weights is not None and not (weights[labels == number] > 0).any():
                if isinstance(self.class_weight, Mapping) and self.class_weight.get(label) == 0:
                    raise ValueError(
                        f"class_weight[{label!r}] is 0, so that no row of that class is left; leave out its rows instead"
                    )
                raise ValueError(f"sample_weight is zero for every row of class {label}; at least one needs a positive weight")
        return [labels == number for number in range(len(self.classes_))]

    def _classes(self) -> list[Any]:
        return list(self.classes_)

    def _read(self, labels: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(self.classes_[labels])

    def _hold_on(self, model: Any, results: list[FitResult]) -> None:
        model.classes_ = self.classes_
        if len(results) == 1:
            super()._hold_on(model, results)
            return
        none = np.zeros(len(results), dtype=bool)
        model._hold_all(Outcomes(batch_of(results, self.groups), none, none), self.classes_)

    def _fit_all(
        self, design: Any, labels: NDArray[Any], k: int, weights: Any, settings: Settings, names: NDArray[np.object_] | None
    ) -> None:
        if len(self.classes_) == 2:
            self._take(solve(design, labels, k, weights, None, settings, names), stacklevel=5)
            return
        outcomes = Outcomes.of(design, self._indicator_of(labels), k, weights, settings, names, self.n_jobs)
        self._take_all(outcomes, "classes", self.classes_, stacklevel=5)


class KSparseRegressorCV(CrossValidated, SparseLinearRegressor):
    r"""Linear regression on few features, their number chosen by cross-validation.

    For every fold, and every value of ``ridge``, a path over ``ks`` is fitted on the training rows and judged on the others, as
    :class:`ksparse.KSparseClassifierCV` does. The model is then fitted on all rows with what scored best.

    Parameters
    ----------
    ks : array-like of int or None, default=None
        Budgets to compare; those above the number of features count as that number, with a warning. None is 0 (or the number
        of features that are always in) to 10 (or the number of features).
    loss : {"squared", "huber", "poisson", "gamma", "tweedie", "negative_binomial"} or object, default="squared"
        The loss, as in :class:`ksparse.KSparseRegressor`.
    ridge : float or array-like of float, default=0.0
        As in :class:`ksparse.KSparseRegressor`; a list is compared too.
    cv : int, splitter, iterable or None, default=None
        How to split the rows, as in scikit-learn. None is 5 folds, or fewer if there are not 5 rows.
    scoring : str, callable or None, default=None
        Scorer of scikit-learn, the greater the better, e.g. ``"neg_mean_absolute_error"``, or a callable ``f(model, X, y)``, which is
        given what ``GridSearchCV(KSparseRegressor(), {"k": ks})`` would give it. None is minus the average loss on the rows left out.
    one_standard_error : bool, default=False
        Take the smallest k (of these the largest ridge) whose mean score lies within one standard error of the best.
    n_jobs : int or None, default=None
        Threads, as in scikit-learn: None is 1 unless in a ``joblib.parallel_config``; -1 is all processors.
    fit_intercept : bool, default=True
        Whether to fit an intercept.
    tolerance : float, default=1e-8
        Newton decrement at the answer, > 0; for least squares and Huber's loss relative to the deviation of y.
    max_newton : int, default=100
        Newton iterations per refit, >= 1.
    search : {"auto", "fast", "thorough"}, default="auto"
        How far the last fit, on all rows, searches; the paths of the folds search fast.
    max_rounds, max_refits, max_seconds : int, int, float or None, default=None
        Budget of that search instead of its own.
    random_state : int, default=0
        Seed of that search; a splitter has a seed of its own.
    always_in : array-like of int or str or None, default=None
        Features in every support, by number or, if X has column names, by name. They count towards k.
    never_in : array-like of int or str or None, default=None
        Features in none.
    bounds : tuple (lower, upper) or None, default=None
        Bounds of the coefficients, as in :class:`ksparse.KSparseRegressor`.
    groups : array-like of shape (n_features,) or None, default=None
        Label of each feature's group, as in :class:`ksparse.KSparseRegressor`.
    verbose : bool or int, default=0
        Whether to show a bar of progress, which counts the fits of all folds; needs tqdm (``pip install 'ksparse[progress]'``).

    Attributes
    ----------
    best_params_ : dict
        What was chosen: ``k``, ``ridge``.
    best_index_ : int
        Its place in ``cv_results_``.
    best_score_ : float
        Its mean score.
    cv_results_ : dict of ndarray
        As in :class:`ksparse.KSparseClassifierCV`.
    n_splits_ : int
        Number of folds.
    coef_, intercept_, support_, loss_, objective_, status_, n_iter_, result_, n_features_in_, feature_names_in_
        Of the last fit, as in :class:`ksparse.KSparseRegressor`.

    Warns
    -----
    sklearn.exceptions.ConvergenceWarning
        If the last fit did not converge, or fits of the folds did not and the choice may depend on them; the message says what to
        change.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from ksparse import KSparseRegressorCV
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = KSparseRegressorCV(one_standard_error=True).fit(X, y)
    >>> model.best_params_
    {'k': 5, 'ridge': 0.0}
    """

    _grid = ("ridge",)
    _single = KSparseRegressor
    _stratified = False

    def __init__(
        self,
        ks: Any = None,
        *,
        loss: str | Loss = "squared",
        ridge: Any = 0.0,
        cv: Any = None,
        scoring: Any = None,
        one_standard_error: bool = False,
        n_jobs: int | None = None,
        fit_intercept: bool = True,
        tolerance: float = 1e-8,
        max_newton: int = 100,
        search: str = "auto",
        max_rounds: int | None = None,
        max_refits: int | None = None,
        max_seconds: float | None = None,
        random_state: int = 0,
        always_in: Any = None,
        never_in: Any = None,
        bounds: Any = None,
        groups: Any = None,
        verbose: bool | int = 0,
    ) -> None:
        self.ks = ks
        self.loss = loss
        self.ridge = ridge
        self.cv = cv
        self.scoring = scoring
        self.one_standard_error = one_standard_error
        self.n_jobs = n_jobs
        self.fit_intercept = fit_intercept
        self.tolerance = tolerance
        self.max_newton = max_newton
        self.search = search
        self.max_rounds = max_rounds
        self.max_refits = max_refits
        self.max_seconds = max_seconds
        self.random_state = random_state
        self.always_in = always_in
        self.never_in = never_in
        self.bounds = bounds
        self.groups = groups
        self.verbose = verbose

    def fit(
        self, X: Any, y: Any, sample_weight: ArrayLike | None = None, groups: Any = None, **params: Any
    ) -> KSparseRegressorCV:
        """Compare by cross-validation, then fit on all rows.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Features, finite; what is read in place is said at :func:`ksparse.fit`.
        y : array-like of shape (n_samples,)
            Responses, such as the loss allows.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the rows, >= 0, in the fits and in the loss on the rows left out. A scorer that has such a parameter gets them
            too, with a warning if it has none; with metadata routing, if it requests them.
        groups : array-like of shape (n_samples,), optional
            For splitters that keep groups together.
        **params : dict
            Other metadata for the splitter or the scorer that requests them; only with
            ``sklearn.set_config(enable_metadata_routing=True)``.

        Returns
        -------
        KSparseRegressorCV
            The fitted estimator itself.

        Raises
        ------
        ValueError, TypeError
            If an argument is not what it must be; the message names it, or the fold.
        """
        self._compare(X, y, sample_weight, groups, params)
        return self


def _values(estimator: Any, name: str) -> list[Any]:
    """Return the values of a parameter that may be a list."""
    given = getattr(estimator, name)
    if isinstance(given, str) or not isinstance(given, Iterable):
        return [given]  # checked with the other settings
    values = list(given)
    if not values:
        raise ValueError(f"{name} is empty; it must be a number or a list of at least one")
    # The largest ridge first: its fits are the smoothest, and the next begins at them.
    return sorted(values, reverse=name == "ridge")


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


def _warn_of_folds(results: dict[str, Any], best: int, status: NDArray[Any]) -> None:
    """Warn of fits of the folds that did not converge where that may have mattered for the choice.

    That is where they are of what was chosen; where they ended early, for the scores are then not those of minimisers; and where they
    separate the classes, for the scores then depend on the size of coefficients that mean nothing, if the score is within a standard
    error of the best.
    """
    words = status.reshape(len(results["params"]), -1)
    mean = results["mean_test_score"]
    near = mean >= mean[best] - standard_error(results)[best]
    near[best] = True
    matters = (words != "converged") & (near[:, None] | (words != "separable"))
    if matters.any():
        i, fold = np.argwhere(matters)[0]
        word = str(words[i, fold])
        warnings.warn(
            f"{np.count_nonzero(matters)} of {words.size} fits of the folds did not converge, and the choice may depend on them; the first "
            f"is k={results['params'][i]['k']} on fold {fold}: {word}: {advice_on(word)}",
            ConvergenceWarning,
            stacklevel=4,
        )


@quiet
def _results(grid: list[dict[str, float]], ks: list[int], scores: NDArray[np.float64], seconds: float) -> dict[str, Any]:
    """Arrange scores (points, ks, splits) as scikit-learn does."""
    params = [{"k": k, **point} for point, k in itertools.product(grid, ks)]
    flat = scores.reshape(len(params), -1)
    mean = flat.mean(axis=1)
    results: dict[str, Any] = {"mean_fit_time": np.full(len(params), seconds)}
    for name in params[0]:
        results[f"param_{name}"] = np.ma.MaskedArray([point[name] for point in params])
    results["params"] = params
    for split in range(flat.shape[1]):
        results[f"split{split}_test_score"] = flat[:, split]
    results["mean_test_score"] = mean
    results["std_test_score"] = flat.std(axis=1)
    results["rank_test_score"] = rankdata(-np.where(np.isnan(mean), -np.inf, mean), method="min").astype(np.int32)
    return results

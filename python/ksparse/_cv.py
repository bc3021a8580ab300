"""Cross-validation over k and the parameters of the loss: folds are weights over one X."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata
from sklearn import get_config
from sklearn.metrics import check_scoring, get_scorer
from sklearn.model_selection import check_cv
from sklearn.utils.metadata_routing import UNUSED, MetadataRouter, MethodMapping, process_routing
from sklearn.utils.validation import _check_method_params, _num_samples

from . import _core
from ._classifier import KSparseClassifier, SparseLinearClassifier
from ._estimator import SparseLinearEstimator
from ._fit import solve
from ._loss import terms_by_eta
from ._path import check_ks, least_budget
from ._plot import CrossValidationDisplay
from ._progress import Report, progress_if
from ._regressor import KSparseRegressor, SparseLinearRegressor
from ._request import Request, Settings
from ._sparse import is_sparse
from ._threads import thread_count
from ._validation import check_flag, check_loss
from .losses import Loss

__all__ = ["KSparseClassifierCV", "KSparseRegressorCV"]


class CrossValidated(SparseLinearEstimator):
    """What the estimators that choose k by cross-validation share."""

    # Parameters that may be lists, and are compared beside k.
    _grid: ClassVar[tuple[str, ...]]
    # Whether folds keep the shares of classes.
    _stratified: ClassVar[bool]
    ks: Any
    cv: Any
    scoring: Any
    one_standard_error: Any
    n_jobs: Any
    verbose: Any
    # Groups are not for the fits; a splitter requests them if it needs them.
    __metadata_request__fit: ClassVar[dict[str, Any]] = {"groups": UNUSED}

    def _check_grid(self, grid: list[dict[str, Any]]) -> None:
        """Refuse a grid that the scores cannot compare."""

    _validated: Any

    def _responses_of(self, y: NDArray[np.float64]) -> NDArray[Any]:
        """Return responses of the core as the user gave them."""
        raise NotImplementedError

    def _single(self, point: dict[str, Any]) -> Any:
        """Return an estimator of one k, as if fitted but for coefficients and features."""
        raise NotImplementedError

    def _set_coefficients(self, model: Any, coef: NDArray[np.float64], intercept: float) -> None:
        raise NotImplementedError

    def get_metadata_routing(self) -> MetadataRouter:
        """Tell scikit-learn what metadata ``fit`` takes and hands on.

        Returns
        -------
        sklearn.utils.metadata_routing.MetadataRouter
            Weights for the fits, and what the splitter and the scorer request.
        """
        router = MetadataRouter(owner=self).add_self_request(self)
        router.add(splitter=self.cv, method_mapping=MethodMapping().add(caller="fit", callee="split"))
        if self.scoring is not None:
            scorer = get_scorer(self.scoring)
            router.add(scorer=scorer, method_mapping=MethodMapping().add(caller="fit", callee="score"))
        return router

    def _routed(self, sample_weight: Any, groups: Any, others: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what of the metadata of fit goes to the splitter and what to the scorer."""
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        if not get_config()["enable_metadata_routing"]:
            if others:
                raise TypeError(
                    f"fit got {', '.join(others)}; metadata other than sample_weight and groups need "
                    "sklearn.set_config(enable_metadata_routing=True)"
                )
            return {"groups": groups}, weights
        routed = process_routing(self, "fit", **weights, **({} if groups is None else {"groups": groups}), **others)
        return routed.splitter.split, {} if self.scoring is None else routed.scorer.score

    def _compare(self, X: Any, y: Any, sample_weight: Any, groups: Any, params: dict[str, Any]) -> None:
        """Compare by cross-validation, then fit on all rows."""
        grid = [
            dict(zip(self._grid, point, strict=True))
            for point in itertools.product(*(_values(self, name) for name in self._grid))
        ]
        self._check_grid(grid)
        one_standard_error = check_flag(self.one_standard_error, "one_standard_error")
        design, labels, weights = self._validated(X, y, sample_weight)
        settings = [Settings.of_estimator(self, **point) for point in grid]
        names = getattr(self, "feature_names_in_", None)
        request = Request.of(design, labels, weights, None, settings[0], names)
        least = least_budget(settings[0], design.shape[1], names)
        ks = check_ks(range(least, min(max(10, least), request.n_units) + 1) if self.ks is None else self.ks, request)
        for_splitter, for_scorer = self._routed(sample_weight, groups, params)
        splits = list(check_cv(self.cv, labels, classifier=self._stratified).split(design, labels, **for_splitter))
        counts = _counts_of(splits, labels, request.weights, classes=self._stratified)
        _refuse_weightless(splits, labels, request.weights if self.scoring is None else for_scorer.get("sample_weight"))
        began = time.perf_counter()
        with progress_if(self.verbose, "fits") as report:
            paths = _fit_folds(request, settings, counts, ks, thread_count(self.n_jobs), report)
        seconds = (time.perf_counter() - began) / len(splits) / len(grid) / len(ks)
        scores = self._scores(request, grid, settings, paths, splits, ks, for_scorer)
        _refuse_undefined(scores, splits, labels, classes=self._stratified)
        self.n_splits_ = len(splits)
        self.cv_results_ = _results(grid, ks, scores, seconds)
        self.best_index_ = _choose(self.cv_results_, one_standard_error)
        self.best_params_ = self.cv_results_["params"][self.best_index_]
        self.best_score_ = float(self.cv_results_["mean_test_score"][self.best_index_])
        chosen = {name: self.best_params_[name] for name in self._grid}
        settings_of_all = Settings.of_estimator(self, **chosen)
        self._take(solve(design, labels, self.best_params_["k"], weights, None, settings_of_all, names))

    def _scores(
        self,
        request: Request,
        grid: list[dict[str, float]],
        settings: list[Settings],
        paths: list[Any],
        splits: list[Any],
        ks: list[int],
        metadata: dict[str, Any],
    ) -> NDArray[np.float64]:
        """Score every fit on the rows left out of it: (points of the grid, ks, splits). A scorer gets the metadata."""
        scores = np.empty((len(grid), len(ks), len(splits)))
        for (fold, (_, test)), (i, point) in itertools.product(enumerate(splits), enumerate(grid)):
            fits = paths[fold * len(grid) + i]
            # Only the columns that some fit of the path uses are read.
            union = np.unique(np.concatenate([fit.support for fit in fits]))
            coefs = np.zeros((len(ks), len(union)))
            for row, fit in zip(coefs, fits, strict=True):
                row[np.searchsorted(union, fit.support)] = fit.coef
            intercepts = np.array([fit.intercept for fit in fits])
            if self.scoring is None and request.weights is not None:
                test = test[request.weights[test] > 0]  # other rows may be infinitely far off
            rows = request.design[np.ix_(test, union)]
            if is_sparse(rows):
                rows = rows.toarray()
            if self.scoring is None:
                eta = rows @ coefs.T + intercepts
                weights = None if request.weights is None else request.weights[test]
                scores[i, :, fold] = _minus_mean_loss(eta, request.labels[test], weights, settings[i].checked_loss())
            else:
                score = self._scorer(
                    rows, self._responses_of(request.labels[test]), _check_method_params(request.design, metadata, test), point
                )
                scores[i, :, fold] = [score(coef, intercept) for coef, intercept in zip(coefs, intercepts, strict=True)]
        return scores

    def _scorer(
        self, rows: NDArray[np.float64], y: NDArray[Any], metadata: dict[str, Any], point: dict[str, float]
    ) -> Callable[[NDArray[np.float64], float], float]:
        """Return the score of a linear model on some rows, as a function of its coefficients."""
        model = self._single(point)
        scorer = check_scoring(model, self.scoring)
        model.n_features_in_ = rows.shape[1]
        model.support_ = np.arange(rows.shape[1])

        def score(coef: NDArray[np.float64], intercept: float) -> float:
            self._set_coefficients(model, coef, intercept)
            return float(scorer(model, rows, y, **metadata))

        return score

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
        How to split the rows, as in scikit-learn. None is 5 stratified folds.
    scoring : str, callable or None, default=None
        Scorer of scikit-learn, the greater the better, e.g. ``"average_precision"``; with this and other scorers of one class y must be 0 and
        1, or the scorer one of ``make_scorer(..., pos_label=...)``. None is minus the average loss on the rows
        left out; that is not comparable between values of ``alpha`` or ``gamma``, so a grid over these needs a scorer.
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
        lower <= 0 <= upper. ``(0, None)``: no negative coefficient. A chosen feature whose coefficient ends at 0 is left out.
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
        If the last fit did not converge; the message says what to change.

    Notes
    -----
    y must have two classes. Of more, k may be one for all or one for each class, and scikit-learn says either in a line:
    ``GridSearchCV(KSparseClassifier(), {"k": range(1, 11)})`` or ``OneVsRestClassifier(KSparseClassifierCV())``.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from ksparse import KSparseClassifierCV
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = KSparseClassifierCV(ks=range(1, 6), ridge=[1e-3, 1e-2], scoring="average_precision").fit(X, y)
    >>> sorted(model.best_params_)
    ['alpha', 'gamma', 'k', 'ridge']
    """

    # A grid of one k for all classes and a k for each are both wanted, and one table of scores is not both; each is a line of
    # scikit-learn.
    _more_classes = (
        "For more classes use GridSearchCV(KSparseClassifier(), {'k': range(1, 11)}), one k for all, or "
        "OneVsRestClassifier(KSparseClassifierCV()), a k for each."
    )
    _grid = ("alpha", "gamma", "ridge")
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
            Labels of two classes.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the rows, >= 0, in the fits and in the loss on the rows left out. A scorer gets them too; with metadata
            routing, if it requests them.
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

    def _responses_of(self, y: NDArray[np.float64]) -> NDArray[Any]:
        return self.classes_[y.astype(np.intp)]

    def _single(self, point: dict[str, Any]) -> Any:
        model = KSparseClassifier(loss=self.loss, **point, probability=self.probability)
        model.classes_ = self.classes_
        model.loss_ = check_loss(self.loss, point["alpha"], point["gamma"])
        model.gamma_ = getattr(model.loss_, "gamma", 0.0)
        return model

    def _set_coefficients(self, model: Any, coef: NDArray[np.float64], intercept: float) -> None:
        model.coef_, model.intercept_ = coef.reshape(1, -1), np.array([intercept])


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
        How to split the rows, as in scikit-learn. None is 5 folds.
    scoring : str, callable or None, default=None
        Scorer of scikit-learn, the greater the better, e.g. ``"neg_mean_absolute_error"``. None is minus the average loss on the rows
        left out.
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
        If the last fit did not converge; the message says what to change.

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
            Weights of the rows, >= 0, in the fits and in the loss on the rows left out. A scorer gets them too; with metadata
            routing, if it requests them.
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

    def _responses_of(self, y: NDArray[np.float64]) -> NDArray[Any]:
        return y

    def _single(self, point: dict[str, Any]) -> Any:
        model = KSparseRegressor(loss=self.loss, **point)
        model.loss_ = check_loss(self.loss, 0.5, 2.0)
        return model

    def _set_coefficients(self, model: Any, coef: NDArray[np.float64], intercept: float) -> None:
        model.coef_, model.intercept_ = coef, intercept


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


def _counts_of(
    splits: list[Any], labels: NDArray[Any], weights: NDArray[np.float64] | None, *, classes: bool
) -> NDArray[np.int64]:
    """How often each row counts in the training part of each split; if there are classes, both must be there."""
    n = _num_samples(labels)
    counts = np.empty((len(splits), n), dtype=np.int64)
    for fold, (train, test) in enumerate(splits):
        counts[fold] = np.bincount(np.arange(n)[train], minlength=n)
        present = counts[fold] > 0 if weights is None else (counts[fold] > 0) & (weights > 0)
        if not present.any():
            raise ValueError(f"fold {fold} of cv has no training row of positive weight")
        for label in (0, 1) if classes else ():
            if not (present & (labels == label)).any():
                raise ValueError(
                    f"fold {fold} of cv has no training row of class {label} (of the two classes, sorted); "
                    "use fewer folds, or a stratified splitter"
                )
        if len(np.arange(n)[test]) == 0:
            raise ValueError(f"fold {fold} of cv has no test row")
    return counts


def _refuse_weightless(splits: list[Any], labels: NDArray[Any], weights: Any) -> None:
    """Name a fold on whose test rows the weights that it is judged by are all zero: the mean over them is no number."""
    if weights is None:
        return
    for fold, (_, test) in enumerate(splits):
        if not np.any(_check_method_params(labels, {"of": weights}, test)["of"]):
            raise ValueError(
                f"fold {fold} of cv has no test row of positive weight; use fewer folds, or leave out rows of weight zero"
            )


def _fit_folds(
    request: Request,
    settings: list[Settings],
    counts: NDArray[np.int64],
    ks: list[int],
    threads: int,
    report: Report | None,
) -> list[list[_core.CompactFit]]:
    """Paths by fold and point of the grid, in this order; points that differ by their ridge alone begin at each other's fits."""
    tasks = []
    for fold, (i, point) in itertools.product(range(len(counts)), enumerate(settings)):
        options = point.options(request.design.shape[1], request.names)
        options.search = "fast"
        # A path of a fold serves to compare budgets: fewer exchanges than for an answer are tried.
        options.cold_starts = False
        options.path_sweeps = 0
        options.pairs_tried = options.pairs_tried_last = 4
        loss = point.checked_loss()
        follows = i > 0 and loss == settings[i - 1].checked_loss()
        tasks.append((fold, loss._kernel(), options, follows))
    paths = _core.fit_paths(request.design, request.labels, request.weights, request.offset, counts, tasks, ks, threads, report)
    for path in paths:
        request.raise_if_refused(path[0])
    return paths


def _refuse_undefined(scores: NDArray[np.float64], splits: list[Any], labels: NDArray[Any], *, classes: bool) -> None:
    """Name a fold on which every score is NaN, for then no mean over the folds is a number."""
    for fold in np.flatnonzero(np.isnan(scores).all(axis=(0, 1))):
        present = np.unique(labels[splits[fold][1]]) if classes else np.empty(0)
        advice = "check the scorer"
        if len(present) == 1:
            missing = 1 - int(present[0])
            advice = (
                f"it has no test row of class {missing} (of the two classes, sorted); use fewer folds, or a stratified splitter"
            )
        raise ValueError(f"every score on fold {fold} of cv is NaN: {advice}")


def _minus_mean_loss(
    eta: NDArray[np.float64], responses: NDArray[np.float64], weights: NDArray[np.float64] | None, loss: Loss
) -> NDArray[np.float64]:
    """Minus the average loss of each column of linear predictors."""
    value, _, _ = terms_by_eta(loss, eta, responses[:, None])
    return -np.average(value, axis=0, weights=weights)


def standard_error(results: dict[str, Any]) -> NDArray[np.float64]:
    """Return standard errors of the mean scores of a search, as if its folds were independent; 0 where there is one fold."""
    scores = np.stack([results[key] for key in results if key.startswith("split") and key.endswith("_test_score")])
    if len(scores) < 2:
        return np.zeros(scores.shape[1])
    return scores.std(axis=0, ddof=1) / np.sqrt(len(scores))


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


def _choose(results: dict[str, Any], one_standard_error: bool) -> int:
    """Return the place of the best mean score, or of the simplest within a standard error of it; ties go to the simplest."""
    mean = results["mean_test_score"]
    if np.isnan(mean).all():
        raise ValueError("every score is NaN; check the scorer and the folds")
    best = int(np.nanargmax(mean))
    bar = mean[best] - (standard_error(results)[best] if one_standard_error else 0.0)
    near = np.flatnonzero(mean >= bar)
    simplicity = [(results["param_k"][i], -results["param_ridge"][i], -mean[i]) for i in near]
    return int(near[min(range(len(near)), key=simplicity.__getitem__)])

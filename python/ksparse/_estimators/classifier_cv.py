"""The classifier that chooses k, and parameters of the loss, by cross-validation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._fit import solve
from .._input.request import Inputs, Request
from .._results.batch import batch_of
from .._results.fit import FitResult
from ..losses import Loss
from .classifier import KSparseClassifier
from .cross_validation import CrossValidated
from .linear_classifier import SparseLinearClassifier
from .offsets import Offsets
from .outcomes import Outcomes

__all__ = ["KSparseClassifierCV"]


class KSparseClassifierCV(CrossValidated, SparseLinearClassifier):
    r"""Linear classifier on few features, whose number is chosen by cross-validation.

    For each fold and each combination of ``alpha``, ``gamma`` and ``ridge``, a path over ``ks`` is fitted on the training rows
    and scored on the test rows. Folds are represented by weights of 0 and 1, so X is never copied. The model with the best mean
    score is then fitted on all rows.

    Parameters
    ----------
    ks : array-like of int or None, default=None
        Values of k to compare. Values above the number of features are replaced by that number, with a warning. None means 0
        (or the number of features in ``always_in``) to 10 (or the number of features).
    k : array-like of int or None, default=None
        Another name of ``ks``, of which only one may be given.
    loss : str or object of :mod:`ksparse.losses`, default="logistic"
        The loss, given by its name or as an object that holds its parameters, e.g. ``ksparse.losses.HuberisedHinge(width=1)``.
    alpha, gamma, ridge : float or array-like of float, default=0.5, 2.0, 0.0
        Parameters as in :class:`ksparse.KSparseClassifier`; the values of a list are compared by cross-validation. ``alpha`` and
        ``gamma`` may be lists only with ``loss="focal"``.
    cv : int, splitter, iterable or None, default=None
        How to split the rows, as in scikit-learn. None means 5 stratified folds, or fewer if no class has 5 rows.
    scoring : str, callable or None, default=None
        A scikit-learn scorer, where greater is better, e.g. ``"average_precision"``. Scorers for one class, like this one, need
        labels 0 and 1, or a scorer made with ``make_scorer(..., pos_label=...)``. A callable ``f(model, X, y)`` may use the
        model and X, see Notes. None means minus the average loss on the test rows; with more than two classes, its mean over
        the one-vs-rest problems. The loss is not comparable between values of ``alpha`` or ``gamma``, so a grid over these
        needs a scorer.
    one_standard_error : bool, default=False
        Whether to choose the smallest k (and then the largest ``ridge``) whose mean score is within one standard error of the
        best, instead of the best.
    n_jobs : int or None, default=None
        Number of threads, as in scikit-learn: None means 1 unless a ``joblib.parallel_config`` is active, and -1 means all
        processors.
    fit_intercept : bool, default=True
        Whether to fit an intercept. It is never penalised, and it does not count towards ``k``.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, as in scikit-learn; they are multiplied by ``sample_weight``. With "balanced" all classes have
        the same sum of weights. In one-vs-rest problems every row keeps the weight of its own class.
    probability : {"posterior", "score"}, default="posterior"
        What ``predict_proba`` returns for the focal losses: the class probabilities ("posterior"), or the raw score sigma(eta),
        which is not a probability ("score", see the Notes of :class:`ksparse.KSparseClassifier`). For other losses both are the
        same. The parameter is read when predicting, so a new value does not need a new fit.
    tolerance : float, default=1e-8
        Each refit stops when its Newton decrement is at most this value, > 0. For the squared and Huber losses the value is
        relative to the standard deviation of y.
    max_newton : int, default=100
        Maximum number of Newton iterations per refit, >= 1.
    search : {"auto", "fast", "thorough"}, default="auto"
        How long to search in the final fit on all rows, see :func:`ksparse.fit`. The paths of the folds use ``search="fast"``.
    max_rounds, max_refits, max_seconds : int, int, float or None, default=None
        Limits of the search in the final fit, see :func:`ksparse.fit`. By default ``search`` sets them.
    random_state : int, numpy.random.RandomState, numpy.random.Generator or None, default=0
        Seed of the random perturbations, or what draws it, as in scikit-learn: None draws it from NumPy's global generator. The
        same seed and limits give the same answer.
    always_in : array-like of int or str or None, default=None
        Features that every model contains, given by index or, if X has column names, by name. They count towards ``k``.
    never_in : array-like of int or str or None, default=None
        Features that no model contains, given by index or by name.
    bounds : tuple (lower, upper) or None, default=None
        Lower and upper bounds of the coefficients, in the units of the columns. Each is a number, an array of shape
        (n_features,) or None (no bound), with lower <= 0 <= upper unless the feature is in ``always_in``. For example,
        ``(0, None)`` excludes negative coefficients. A chosen feature whose coefficient ends at 0 is removed from the support.
    groups : array-like of shape (n_features,) or None, default=None
        Group label of each feature, an integer or a string. The features of a group enter and leave the model together, and
        ``k`` counts groups. ``always_in`` and ``never_in`` refer to whole groups, named by any of their features.
    verbose : bool or int, default=0
        Whether to show a progress bar, which needs tqdm (``pip install 'ksparse[progress]'``).

    Attributes
    ----------
    best_params_ : dict
        The chosen parameters: ``k`` and ``ridge``, and ``alpha`` and ``gamma`` with ``loss="focal"``.
    best_index_ : int
        Index of the chosen parameters in ``cv_results_``.
    best_score_ : float
        Mean score of the chosen parameters.
    cv_results_ : dict of ndarray
        Results as in scikit-learn's ``GridSearchCV``: ``params``, ``param_k`` etc., ``split0_test_score`` etc.,
        ``mean_test_score``, ``std_test_score``, ``rank_test_score``, ``mean_fit_time`` (the time of a path divided by its
        length), and ``n_separable`` (the number of folds whose classes are separated, so that the score has no meaning).
    n_splits_ : int
        Number of folds.
    classes_, coef_, intercept_, support_, supports_, objective_, lower_bound_, gap_, status_, n_iter_, result_, n_features_in_, feature_names_in_
        Attributes of the final fit, as in :class:`ksparse.KSparseClassifier`.

    Warns
    -----
    sklearn.exceptions.ConvergenceWarning
        If the final fit did not converge, if the choice may depend on fits of the folds that did not converge, or if the chosen
        features separate the classes of some folds; the message says what to change.

    Notes
    -----
    With more than two classes, one model is fitted for each class against the rest, as in :class:`ksparse.KSparseClassifier`.
    All classes use the same k, the one with the best mean score. To choose a k for each class, use
    ``OneVsRestClassifier(KSparseClassifierCV())``.

    A scorer receives what ``GridSearchCV(KSparseClassifier(), {"k": ks})`` would pass to it: the test rows as they are in X,
    with column names if X is a data frame, and a fitted model with all features. The rows of a fold are cut from X once and
    shared by all its models, so arrays are read-only.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from ksparse import KSparseClassifierCV
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = KSparseClassifierCV(ks=range(1, 6), ridge=[1e-3, 1e-2], scoring="average_precision").fit(X, y)
    >>> sorted(model.best_params_)
    ['k', 'ridge']
    """

    _grid = ("alpha", "gamma", "ridge")
    _single = KSparseClassifier
    _stratified = True

    def __init__(
        self,
        ks: Any = None,
        *,
        k: Any = None,
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
        random_state: Any = 0,
        always_in: Any = None,
        never_in: Any = None,
        bounds: Any = None,
        groups: Any = None,
        verbose: bool | int = 0,
    ) -> None:
        self.ks = ks
        self.k = k
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
        self,
        X: Any,
        y: Any,
        sample_weight: ArrayLike | None = None,
        groups: Any = None,
        *,
        offset: ArrayLike | None = None,
        exposure: ArrayLike | None = None,
        executor: Any = None,
        **params: Any,
    ) -> KSparseClassifierCV:
        """Choose the parameters by cross-validation, then fit on all rows.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Features, which must be finite. See :func:`ksparse.fit` for the types that are read without a copy.
        y : array-like of shape (n_samples,)
            Labels of two or more classes, of any type that can be sorted.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the rows, >= 0, for the fits and the loss on the test rows. They are also passed to a scorer that has
            this parameter (with metadata routing, that requests it); otherwise a warning is given.
        groups : array-like of shape (n_samples,), optional
            Group labels of the rows, for splitters that keep groups together.
        offset : array-like of shape (n_samples,), optional
            Values added to the linear predictor, in the fits and on the test rows. A callable scorer that
            is not made by scikit-learn's ``make_scorer`` must have this parameter.
        exposure : array-like of shape (n_samples,), optional
            How long or how much each row was observed, > 0; its logarithm is added to the linear predictor. It needs a loss
            with a log link, or ``"cloglog"``.
        executor : concurrent.futures.Executor, optional
            Executor that runs the fits of the folds in place of threads, e.g. a ``ProcessPoolExecutor`` or
            ``client.get_executor()`` of Dask, with the same results. ``n_jobs`` must be None. It is an argument of this method
            because an executor cannot be copied, as parameters of an estimator are. It is not shut down.
        **params : dict
            Other metadata for splitters or scorers that request them. This needs
            ``sklearn.set_config(enable_metadata_routing=True)``.

        Returns
        -------
        KSparseClassifierCV
            The fitted estimator itself.

        Raises
        ------
        ValueError, TypeError
            If an argument is invalid; the message names the argument, or the fold.
        """
        self._compare(X, y, sample_weight, groups, params, Offsets(offset, exposure), executor)
        return self

    def _check_grid(self, grid: list[dict[str, Any]]) -> None:
        if self.scoring is None and len({(point.get("alpha"), point.get("gamma")) for point in grid}) > 1:
            raise ValueError(
                "scoring is None, which compares average losses, and these are not comparable between values of alpha or gamma; "
                "give a scorer, e.g. scoring='neg_log_loss' or 'average_precision'"
            )

    def _columns(self, inputs: Inputs, labels: NDArray[Any]) -> list[NDArray[Any]]:
        if len(self.classes_) == 2:
            return [labels]
        weights = inputs.sample_weight
        for number, label in enumerate(self.classes_.tolist()):
            if weights is not None and not (weights[labels == number] > 0).any():
                if isinstance(self.class_weight, Mapping) and self.class_weight.get(label) == 0:
                    raise ValueError(
                        f"class_weight[{label!r}] is 0, which removes all rows of that class; leave them out of X and y instead"
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

    def _fit_all(self, inputs: Inputs, labels: NDArray[Any], k: int) -> None:
        if len(self.classes_) == 2:
            self._take(solve(Request.of(inputs, labels), k, note_data=False), stacklevel=5)
            return
        outcomes = Outcomes.of(inputs, self._indicator_of(labels), k, self.n_jobs)
        self._take_all(outcomes, "classes", self.classes_, stacklevel=5)

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
from .outcomes import Outcomes

__all__ = ["KSparseClassifierCV"]


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

    def _columns(self, inputs: Inputs, labels: NDArray[Any]) -> list[NDArray[Any]]:
        if len(self.classes_) == 2:
            return [labels]
        weights = inputs.sample_weight
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

    def _fit_all(self, inputs: Inputs, labels: NDArray[Any], k: int) -> None:
        if len(self.classes_) == 2:
            self._take(solve(Request.of(inputs, labels), k), stacklevel=5)
            return
        outcomes = Outcomes.of(inputs, self._indicator_of(labels), k, self.n_jobs)
        self._take_all(outcomes, "classes", self.classes_, stacklevel=5)

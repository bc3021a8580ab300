"""The scikit-learn estimator of many labels: rows that may have several at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target

from .._fit import solve
from .._input.progress import progress_if
from .._input.request import Request
from .._input.validation import feature_names
from .._probability import probability_of
from .._quiet import quiet
from ..losses import Loss
from .input import targets_of
from .linear_classifier import SparseLinearClassifier, says_probabilities
from .outcomes import Outcomes

__all__ = ["KSparseMultiLabelClassifier"]


class KSparseMultiLabelClassifier(SparseLinearClassifier):
    """Linear classifiers for many labels over one X, each on at most ``k`` features of its own.

    Every column of an indicator y is a problem of :class:`ksparse.KSparseClassifier`; :func:`ksparse.fit_many` answers them
    together and shares passes over X.

    Parameters
    ----------
    k : int, array-like of int of shape (n_labels,) or None, default=None
        Most features used, for all labels or for each, >= 0. More than X has means all of them, with a warning. None is 10, or
        all features where there are fewer.
    loss : str or object of :mod:`ksparse.losses`, default="logistic"
        The loss of all labels, by name or as an object that has its parameters.
    alpha : float or array-like of shape (n_labels,), default=0.5
        Focal loss: weight of the rows that have the label, in (0, 1).
    gamma : float or array-like of shape (n_labels,), default=2.0
        Focal loss: focusing exponent, >= 0.
    ridge : float or array-like of shape (n_labels,), default=0.0
        Weight of half the squared norm of the coefficients, in units of the average loss, >= 0.
    fit_intercept : bool, default=True
        Whether to fit intercepts, which are never penalised.
    probability : {"posterior", "score"}, default="posterior"
        What ``predict_proba`` returns with the focal loss, as in :class:`ksparse.KSparseClassifier`.
    tolerance : float, default=1e-8
        Newton decrement at each answer, > 0.
    max_newton : int, default=100
        Newton iterations per refit, >= 1.
    search : {"auto", "fast", "thorough"}, default="auto"
        How far to search for each label, see :func:`ksparse.fit`.
    max_rounds : int or None, default=None
        Perturbations per label at most, instead of the budget of ``search``.
    max_refits : int or None, default=None
        No new perturbation per label after so many refits beyond the first descent, instead of the budget of ``search``.
    max_seconds : float or None, default=None
        Time per label after which no new perturbation begins, instead of the budget of ``search``.
    random_state : int, default=0
        Seed of the perturbations.
    always_in : array-like of int or str or None, default=None
        Features in every model, by number or, if X has column names, by name. They count towards k, see :func:`ksparse.fit`.
    never_in : array-like of int or str or None, default=None
        Features in none.
    bounds : tuple (lower, upper) or None, default=None
        Bounds of the coefficients of all labels, as in :class:`ksparse.KSparseClassifier`.
    groups : array-like of shape (n_features,) or None, default=None
        Label of each feature's group, an integer or a string. k then counts groups, and all features of a group are in or out.
    n_jobs : int or None, default=None
        Threads, as in scikit-learn: None is 1 unless in a ``joblib.parallel_config``; -1 is all processors.
    verbose : bool or int, default=0
        Whether to show a bar of progress, which counts labels; needs tqdm (``pip install 'ksparse[progress]'``).

    Attributes
    ----------
    classes_ : ndarray of shape (n_labels, 2)
        0 and 1 in the type of y, for each label.
    coef_ : ndarray of shape (n_labels, n_features)
        Per unit of the column of X, zero outside the support.
    intercept_ : ndarray of shape (n_labels,)
        Zero without an intercept. For a label that could not be fitted, inf if every row has it, else -inf.
    support_ : ndarray of int64
        Features that any label uses, sorted.
    supports_ : list of ndarray of int64
        Chosen features by label, sorted.
    objective_ : ndarray of shape (n_labels,)
        F at the answers; NaN for a label that could not be fitted.
    status_ : ndarray of str, shape (n_labels,)
        How each fit ended, ``converged`` when all is well.
    n_iter_ : ndarray of shape (n_labels,)
        Newton iterations, over all supports tried.
    gamma_ : ndarray of shape (n_labels,)
        Focusing exponent of the loss, 0 for the logistic one.
    result_ : BatchResult
        The whole answer of the core, with an entry by label, named where y was a data frame.
    n_features_in_ : int
        Number of features seen during fit.
    feature_names_in_ : ndarray of str
        Names of the features, when X was a data frame with string names.

    Warns
    -----
    sklearn.exceptions.ConvergenceWarning
        If fits did not converge, with their number and what to change. A label that all rows have, or none, fails alone: it is
        always, or never, predicted.

    See Also
    --------
    ksparse.KSparseClassifier : For rows that have exactly one of several classes.
    ksparse.fit_many : The same on plain arrays, with weights and offsets by label.

    Notes
    -----
    As scikit-learn's classifiers of many labels do, it takes a y of one dimension too, with labels of two classes, and then
    answers as :class:`ksparse.KSparseClassifier` in every attribute and shape; a matrix of one column counts as such.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from ksparse import KSparseMultiLabelClassifier
    >>> X, Y = make_multilabel_classification(n_samples=300, n_labels=3, random_state=0)
    >>> model = KSparseMultiLabelClassifier(k=2, ridge=1e-3).fit(X, Y)
    >>> [len(support) for support in model.supports_]
    [2, 2, 2, 2, 2]
    >>> model.predict(X).shape, model.predict_proba(X).shape
    ((300, 5), (300, 5))
    """

    _more_classes = "For rows of one of several classes use KSparseClassifier."
    _many_labels = True

    def __init__(
        self,
        k: Any = None,
        *,
        loss: str | Loss = "logistic",
        alpha: Any = 0.5,
        gamma: Any = 2.0,
        ridge: Any = 0.0,
        fit_intercept: bool = True,
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
        n_jobs: int | None = None,
        verbose: bool | int = 0,
    ) -> None:
        self.k = k
        self.loss = loss
        self.alpha = alpha
        self.gamma = gamma
        self.ridge = ridge
        self.fit_intercept = fit_intercept
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
        self.n_jobs = n_jobs
        self.verbose = verbose

    def fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> KSparseMultiLabelClassifier:
        """Choose the features of each label and fit the coefficients.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Features, finite.
        y : {array-like, sparse matrix} of shape (n_samples, n_labels), or array-like of shape (n_samples,)
            Indicator: 1 where a row has a label, else 0. A sparse one is made dense. Or labels of two classes.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the rows, >= 0.

        Returns
        -------
        KSparseMultiLabelClassifier
            The fitted estimator itself.

        Raises
        ------
        ValueError, TypeError
            If an argument is not what it must be; the message names it.
        """
        label_names = feature_names(y)
        y = targets_of(y, many_labels=True)
        with np.errstate(invalid="ignore"):  # infinity in y is refused below, in words
            kind = type_of_target(y, input_name="y")
        many = kind == "multilabel-indicator" or kind.endswith("-multioutput")
        inputs, labels = self._validated(X, y, sample_weight, indicator=many)
        k = min(10, inputs.n_units) if self.k is None else self.k
        if many:
            with progress_if(self.verbose, "labels") as report:
                outcomes = Outcomes.of(inputs, labels, k, self.n_jobs, report)
            self._take_all(outcomes, "labels", label_names)
        else:
            self._take(solve(Request.of(inputs, labels), k), stacklevel=3)
        return self

    def _indicator(self, y: Any, reset: bool) -> NDArray[Any]:
        array = np.asarray(y.toarray() if hasattr(y, "toarray") else y)
        values = array if array.dtype.kind in "biuf" else array.astype(object)  # text and 0 do not compare in NumPy 1.24
        wrong = (values != 0) & (values != 1)
        if wrong.any():
            i, j = np.argwhere(wrong)[0].tolist()
            raise ValueError(f"y[{i}, {j}] is {array[i, j]}; an indicator of labels must be 0 or 1")
        # A row for each label: scikit-learn's scorers and cross_val_predict tell by it that there are many. Numbers of the
        # labels, as in OneVsRestClassifier, would look like the two classes of one label where there are two.
        if reset:
            self.classes_ = np.tile(np.array([0, 1], dtype=array.dtype), (array.shape[1], 1))
        elif array.shape[1] != len(self.classes_):
            raise ValueError(f"y has {array.shape[1]} columns but the fit had {len(self.classes_)} labels")
        return np.asarray(array == 1)

    def _has_many(self) -> bool:
        return np.ndim(getattr(self, "classes_", 0)) == 2

    def predict(self, X: Any) -> NDArray[Any]:
        """Labels of each row.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows to judge.

        Returns
        -------
        ndarray of shape (n_samples, n_labels)
            1 where the linear predictor is positive, else 0, in the type of the y of the fit.
        """
        if not self._has_many():
            return super().predict(X)
        return (self.decision_function(X) > 0).astype(self.classes_.dtype)

    @available_if(says_probabilities)
    @quiet
    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probability that each row has each label.

        For the focal loss with the focusing undone, unless ``probability="score"``.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows to judge.

        Returns
        -------
        ndarray of shape (n_samples, n_labels)
            Each in [0, 1]; labels do not exclude each other, so rows have no given sum.
        """
        if not self._has_many():
            return super().predict_proba(X)
        return probability_of(self._log_odds(self._eta(X)))

    @available_if(says_probabilities)
    def predict_log_proba(self, X: Any) -> NDArray[np.float64]:
        """Logarithm of the probability that each row has each label.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows to judge.

        Returns
        -------
        ndarray of shape (n_samples, n_labels)
            Logarithms of ``predict_proba``.
        """
        with np.errstate(divide="ignore"):  # a probability of 0 has the logarithm -inf, as in scikit-learn
            return np.log(self.predict_proba(X))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # Not target_tags.multi_output, which for a classifier means labels of several classes each.
        tags.classifier_tags.multi_label = True
        return tags

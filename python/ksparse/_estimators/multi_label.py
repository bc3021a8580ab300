"""The scikit-learn estimator for multi-label classification, where a row can have several labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target

from .._fit import solve
from .._input.gaps import without_idle_gaps
from .._input.progress import progress_if
from .._input.request import Request
from .._input.validation import feature_names
from .._probability import probability_of
from .._quiet import quiet
from ..losses import Loss
from .input import targets_of
from .linear_classifier import SparseLinearClassifier, says_probabilities
from .offsets import Offsets
from .outcomes import Outcomes

__all__ = ["KSparseMultiLabelClassifier"]


class KSparseMultiLabelClassifier(SparseLinearClassifier):
    """Multi-label classifier that fits a linear model on at most ``k`` features for each label.

    Each column of the indicator matrix y is a problem as in :class:`ksparse.KSparseClassifier`. :func:`ksparse.fit_many` fits
    them together, so they share passes over X.

    Parameters
    ----------
    k : int, array-like of int of shape (n_labels,) or None, default=None
        Maximum number of features, >= 0, for all labels or for each one. None means 10, or all features if there are fewer. If
        k is larger than the number of features, all of them may be used and a warning is given.
    loss : str or object of :mod:`ksparse.losses`, default="logistic"
        The loss, given by its name or as an object that holds its parameters, e.g. ``ksparse.losses.HuberisedHinge(width=1)``.
    alpha : float or array-like of shape (n_labels,), default=0.5
        Weight of the rows that have the label in the focal loss, in (0, 1), for all labels or for each one. It is used only
        with ``loss="focal"``.
    gamma : float or array-like of shape (n_labels,), default=2.0
        Focusing exponent of the focal loss, >= 0, for all labels or for each one. It is used only with ``loss="focal"``.
    ridge : float or array-like of shape (n_labels,), default=0.0
        Weight of the ridge penalty, as in :class:`ksparse.KSparseClassifier`, for all labels or for each one.
    fit_intercept : bool, default=True
        Whether to fit an intercept. It is never penalised, and it does not count towards ``k``.
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
        How long to search, see :func:`ksparse.fit`.
    max_rounds : int or None, default=None
        Maximum number of perturbation rounds for each label. By default ``search`` sets this limit.
    max_refits : int or None, default=None
        Number of refits for each label, after the first descent, beyond which no further round begins. By default ``search``
        sets this limit.
    max_seconds : float or None, default=None
        Time in seconds for each label beyond which no further round begins; answers may then differ between runs. By default
        ``search`` sets the limits.
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
    certify : bool, default=False
        Whether to prove how far the fit can be from the best one, by :meth:`FitResult.certify <ksparse.FitResult.certify>` (of each label). The
        search then has the limits of ``search``, ``max_rounds`` and ``max_refits``, and ``max_seconds`` limits the proof. A proof
        needs a ridge penalty or bounds.
    max_gap : float, default=1e-6
        With ``certify``, the relative gap at which the proof ends, > 0.
    max_nodes : int or None, default=None
        With ``certify``, the number of nodes after which the proof ends. By default there is no limit.
    n_jobs : int or None, default=None
        Number of threads, as in scikit-learn: None means 1 unless a ``joblib.parallel_config`` is active, and -1 means all
        processors.
    verbose : bool or int, default=0
        Whether to show a progress bar, which needs tqdm (``pip install 'ksparse[progress]'``).

    Attributes
    ----------
    classes_ : ndarray of shape (n_labels, 2)
        0 and 1 in the type of y, for each label.
    coef_ : ndarray of shape (n_labels, n_features)
        Coefficients of each label in the units of the columns, zero outside its support.
    intercept_ : ndarray of shape (n_labels,)
        The intercepts, 0 if ``fit_intercept=False``. A label that could not be fitted has inf if all rows have it, and -inf
        otherwise.
    support_ : ndarray of int64
        Indices of the features that any label uses, sorted.
    supports_ : list of ndarray of int64
        Indices of the chosen features of each label, sorted.
    objective_ : ndarray of shape (n_labels,)
        Value of the minimised objective F for each label; NaN for a label that could not be fitted.
    lower_bound_ : ndarray of shape (n_labels,)
        No model with at most k features for the label has a lower F than this; NaN without a ridge penalty or bounds, see :class:`ksparse.FitResult`.
    gap_ : ndarray of shape (n_labels,)
        ``(objective_ - lower_bound_) / objective_``, the largest part of F by which a better model could lower it.
    proof_ : list of Proof
        What is proved for each label, with ``certify`` only; None for a label that could not be fitted.
    status_ : ndarray of str, shape (n_labels,)
        How each fit ended: ``converged`` unless there was a problem, see :class:`ksparse.FitResult`.
    n_iter_ : ndarray of shape (n_labels,)
        Total number of Newton iterations for each label, over all supports that were tried.
    gamma_ : ndarray of shape (n_labels,)
        Focusing exponent of each loss, 0 unless it is the focal loss.
    result_ : BatchResult
        The complete result, with an entry for each label, named if y is a data frame.
    n_features_in_ : int
        Number of features seen during ``fit``.
    feature_names_in_ : ndarray of str
        Names of the features seen during ``fit``. Defined only if X is a data frame whose column names are all strings.

    Warns
    -----
    sklearn.exceptions.ConvergenceWarning
        If fits did not converge; the message gives their number and says what to change. A label that all rows have, or none,
        cannot be fitted: it is always, or never, predicted.

    See Also
    --------
    ksparse.KSparseClassifier : Classifier for rows that have exactly one of several classes.
    ksparse.fit_many : The same for arrays, with separate weights and offsets for each label.

    Notes
    -----
    Like scikit-learn's multi-label classifiers, this estimator also accepts a one-dimensional y with labels of two classes. All
    attributes and shapes are then those of :class:`ksparse.KSparseClassifier`; a matrix y with one column is treated the same
    way.

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
        random_state: Any = 0,
        always_in: Any = None,
        never_in: Any = None,
        bounds: Any = None,
        groups: Any = None,
        certify: bool = False,
        max_gap: float = 1e-6,
        max_nodes: int | None = None,
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
        self.certify = certify
        self.max_gap = max_gap
        self.max_nodes = max_nodes
        self.n_jobs = n_jobs
        self.verbose = verbose

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: ArrayLike | None = None,
        *,
        offset: ArrayLike | None = None,
        exposure: ArrayLike | None = None,
    ) -> KSparseMultiLabelClassifier:
        """Choose the features of each label and fit the coefficients.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Features, which must be finite. See :func:`ksparse.fit` for the types that are read without a copy.
        y : {array-like, sparse matrix} of shape (n_samples, n_labels), or array-like of shape (n_samples,)
            Indicator matrix that is 1 where a row has a label and 0 elsewhere (a sparse matrix is made dense), or a vector of
            labels of two classes.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the rows, >= 0. A weight of 2 has the same effect as two equal rows. y may be missing in a row of weight 0.
        offset : array-like of shape (n_samples,), optional
            Values added to the linear predictor, e.g. the linear predictor of an earlier model, or a column for each label. Predictions
            need those of their own rows.
        exposure : array-like of shape (n_samples,), optional
            How long or how much each row was observed, > 0; its logarithm is added to the linear predictor. It needs a loss
            with a log link, or ``"cloglog"``.

        Returns
        -------
        KSparseMultiLabelClassifier
            The fitted estimator itself.

        Raises
        ------
        ValueError, TypeError
            If an argument is invalid; the message names the argument, its value and what it must be.
        """
        label_names = feature_names(y)
        y = targets_of(without_idle_gaps(y, sample_weight), many_labels=True)
        with np.errstate(invalid="ignore"):  # an infinite y raises an error below
            kind = type_of_target(y, input_name="y")
        many = kind == "multilabel-indicator" or kind.endswith("-multioutput")
        inputs, labels = self._validated(X, y, sample_weight, Offsets(offset, exposure), indicator=many)
        k = min(10, inputs.n_units) if self.k is None else self.k
        if many:
            with progress_if(self.verbose, "labels") as report:
                outcomes = Outcomes.of(inputs, labels, k, self.n_jobs, report)
            self._take_all(outcomes, "labels", label_names)
        else:
            self._take(solve(Request.of(inputs, labels), k, note_data=False), stacklevel=3)
        return self

    def _indicator(self, y: Any, reset: bool) -> NDArray[Any]:
        array = np.asarray(y.toarray() if hasattr(y, "toarray") else y)
        values = array if array.dtype.kind in "biuf" else array.astype(object)  # NumPy 1.24 cannot compare text with 0
        wrong = (values != 0) & (values != 1)
        if wrong.any():
            i, j = np.argwhere(wrong)[0].tolist()
            raise ValueError(f"y[{i}, {j}] is {array[i, j]}; an indicator of labels must be 0 or 1")
        # One row per label, by which scikit-learn's scorers and cross_val_predict recognise a multi-label problem. With two labels, the
        # numbers of the labels, which OneVsRestClassifier stores, would look like the two classes of a single label.
        if reset:
            self.classes_ = np.tile(np.array([0, 1], dtype=array.dtype), (array.shape[1], 1))
        elif array.shape[1] != len(self.classes_):
            raise ValueError(f"y has {array.shape[1]} columns but the fit had {len(self.classes_)} labels")
        return np.asarray(array == 1)

    def _has_many(self) -> bool:
        return np.ndim(getattr(self, "classes_", 0)) == 2

    def predict(self, X: Any, *, offset: ArrayLike | None = None, exposure: ArrayLike | None = None) -> NDArray[Any]:
        """Predict the labels of each row.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows, with the columns of the fit.
        offset : array-like of shape (n_samples,), optional
            Values added to the linear predictor, or a column for each label, as in the fit.
        exposure : array-like of shape (n_samples,), optional
            How long or how much each row was observed, > 0; its logarithm is added to the linear predictor. It needs a loss
            with a log link, or ``"cloglog"``.

        Returns
        -------
        ndarray of shape (n_samples, n_labels)
            1 if the linear predictor is positive, else 0, in the type of the y of the fit.
        """
        if not self._has_many():
            return super().predict(X, offset=offset, exposure=exposure)
        return (self.decision_function(X, offset=offset, exposure=exposure) > 0).astype(self.classes_.dtype)

    @available_if(says_probabilities)
    @quiet
    def predict_proba(
        self, X: Any, *, offset: ArrayLike | None = None, exposure: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Predict the probability that each row has each label.

        For the focal losses, the effect of the focusing exponent is inverted unless ``probability="score"``.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows, with the columns of the fit.
        offset : array-like of shape (n_samples,), optional
            Values added to the linear predictor, or a column for each label, as in the fit.
        exposure : array-like of shape (n_samples,), optional
            How long or how much each row was observed, > 0; its logarithm is added to the linear predictor. It needs a loss
            with a log link, or ``"cloglog"``.

        Returns
        -------
        ndarray of shape (n_samples, n_labels)
            Probabilities in [0, 1]. A row can have several labels, so the sums of the rows are arbitrary.
        """
        if not self._has_many():
            return super().predict_proba(X, offset=offset, exposure=exposure)
        return probability_of(self._log_odds(self._eta(X, Offsets(offset, exposure))))

    @available_if(says_probabilities)
    def predict_log_proba(
        self, X: Any, *, offset: ArrayLike | None = None, exposure: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Predict the logarithm of the probability that each row has each label.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows, with the columns of the fit.
        offset : array-like of shape (n_samples,), optional
            Values added to the linear predictor, or a column for each label, as in the fit.
        exposure : array-like of shape (n_samples,), optional
            How long or how much each row was observed, > 0; its logarithm is added to the linear predictor. It needs a loss
            with a log link, or ``"cloglog"``.

        Returns
        -------
        ndarray of shape (n_samples, n_labels)
            Logarithms of the values of ``predict_proba``.
        """
        with np.errstate(divide="ignore"):  # a probability of 0 has the logarithm -inf, as in scikit-learn
            return np.log(self.predict_proba(X, offset=offset, exposure=exposure))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # Not target_tags.multi_output, which for a classifier means labels of several classes each.
        tags.classifier_tags.multi_label = True
        return tags

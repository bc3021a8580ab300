"""The scikit-learn estimator for two classes and for more, and what all classifiers share."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted

from .._checks import check_choice, check_flag, check_integer, check_real
from .._input.progress import Report, part_of, progress_if
from .._input.request import Settings
from .._input.validation import PROBABILITIES, check_loss
from .._many import solve_many
from .._path import warn_of_doubts
from .._probability import log_odds, one_vs_rest_log_probability, probability_of
from .._quiet import quiet
from .._results.batch import BatchResult, batch_of
from .._results.fit import FitResult
from .._results.path import PathResult
from ..losses import Focal, Loss
from .base import OneBudget, SparseLinearEstimator
from .input import targets_of, weights_to_judge_by
from .outcomes import Outcomes, one_class
from .reading import ReadableClassifier

__all__ = ["KSparseClassifier"]


def _says_probabilities(estimator: Any) -> bool:
    """Whether the loss does; an AttributeError says why not."""
    try:
        loss = check_loss(estimator.loss, 0.5, 2.0)
    except (TypeError, ValueError):
        return True  # fit refuses it, in its own words
    if loss.log_odds(np.zeros(1)) is None:
        raise AttributeError(f"the loss {loss.name!r} says nothing of probabilities; use decision_function")
    return True


def _check_class_weight(class_weight: Any, classes: NDArray[Any]) -> None:
    """Raise if ``class_weight`` is no weights, so that what they make of the weights of the rows is not called the user's."""
    if class_weight is None or (isinstance(class_weight, str) and class_weight == "balanced"):
        return
    if not isinstance(class_weight, Mapping):
        raise ValueError(f"class_weight is {class_weight!r}; it must be a dict of weights by class, 'balanced' or None")
    for label, weight in class_weight.items():
        name = f"class_weight[{getattr(label, 'item', lambda label=label: label)()!r}]"
        check_real(weight, name, "finite and >= 0", 0.0)
    left = [label for label in classes.tolist() if class_weight.get(label, 1) != 0]
    if len(left) < 2:
        which = f"the class {left[0]!r} only" if left else "no class"
        raise ValueError(f"class_weight is {class_weight!r}, which leaves {which}; at least two classes need a positive weight")


@quiet
def _times_class_weights(class_weight: Any, y: NDArray[Any], weights: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """Multiply the weights of the rows by those of their classes.

    Balanced classes have the same sum of weights. scikit-learn's ``compute_sample_weight`` would count rows instead, as if each had the
    weight 1; what it makes of rows that count, repeated as often as their weight says, is this.
    """
    if weights is None:
        return np.asarray(compute_sample_weight(class_weight, y))
    if not (isinstance(class_weight, str) and class_weight == "balanced"):
        return weights * compute_sample_weight(class_weight, y)
    by_class, counts = np.ones(len(weights)), weights > 0
    if counts.any():  # else the weights are refused as they are
        classes, places = np.unique(y[counts], return_inverse=True)
        balanced = compute_class_weight("balanced", classes=classes, y=y[counts], sample_weight=weights[counts])
        by_class[counts] = balanced[places]
    return weights * by_class


class SparseLinearClassifier(ReadableClassifier, ClassifierMixin, SparseLinearEstimator):
    """What the classifiers share: labels and probabilities out."""

    _responses = "labels"
    _other = "KSparseRegressor"
    # By class or label where there are several.
    classes_: Any
    gamma_: float | NDArray[np.float64]
    result_: FitResult | BatchResult
    # What to use instead for more than two classes; None: the estimator takes any number of them.
    _more_classes: str | None = None
    # Whether y may have a column for each label.
    _many_labels = False
    class_weight: Any = None
    probability: Any

    def _validated(
        self, X: Any, y: Any, sample_weight: Any, *, indicator: bool = False, reset: bool = True
    ) -> tuple[Any, NDArray[Any], NDArray[np.float64] | None]:
        """Return X, labels, and the weights of the rows, those of their classes included.

        Labels are numbers in ``classes_``, or with ``indicator`` a matrix of 0 and 1 by columns. Without ``reset`` they must be
        those of an earlier fit.
        """
        check_choice(self.probability, "probability", PROBABILITIES)
        X, y, weights = self._validated_arrays(X, y, sample_weight, multi_output=indicator, reset=reset)
        labels = self._indicator(y, reset) if indicator else self._class_numbers(y) if reset else self._known_numbers(y)
        if self.class_weight is not None:
            _check_class_weight(self.class_weight, self.classes_)
            weights = _times_class_weights(self.class_weight, y, weights)
        return X, labels, weights

    def _class_numbers(self, y: NDArray[Any]) -> NDArray[np.intp]:
        """Find the classes and return the place of each label among them."""
        check_classification_targets(y)
        kind = type_of_target(y, input_name="y")
        if kind != "binary" and not (kind == "multiclass" and self._more_classes is None):
            advice = f" {self._more_classes}" if kind == "multiclass" else ""
            raise ValueError(f"Only binary classification is supported. The type of the target is {kind}.{advice}")
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y has one class only ({self.classes_[0]!r}); {type(self).__name__} needs two")
        return labels

    def _known_numbers(self, y: NDArray[Any]) -> NDArray[np.intp]:
        """Return the place of each label among the classes of the fit."""
        for i in np.flatnonzero(~np.isin(y, self.classes_))[:1]:
            raise ValueError(f"y[{i}] is {y[i]!r}; the fit had the classes {self.classes_.tolist()}")
        return np.searchsorted(self.classes_, y)

    def _indicator(self, y: Any, reset: bool) -> NDArray[Any]:
        raise NotImplementedError  # only of the estimator of many labels

    def _take_coefficients(self, result: FitResult) -> None:
        self.gamma_ = result.gamma
        self.coef_ = result.coef.reshape(1, -1)
        self.intercept_ = np.array([result.intercept])

    def _indicator_of(self, labels: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Return a column for each class, which is True in its rows."""
        return np.equal.outer(np.arange(len(self.classes_)), labels).T

    def _take_all(self, outcomes: Outcomes, what: str, names: NDArray[Any] | None, stacklevel: int = 3) -> None:
        """Hold the answers for columns of an indicator, which are ``what``; warn of those that did not converge."""
        batch = self._hold_all(outcomes, names)
        failed = np.flatnonzero(~batch.converged)
        if len(failed):
            i = int(failed[0])
            warnings.warn(
                f"{len(failed)} of {len(batch)} {what} did not converge; the first is {batch._name(i)}: "
                f"{batch.status[i]}: {batch._advice(i)}{outcomes.consequence(i)}",
                ConvergenceWarning,
                stacklevel=stacklevel,
            )

    def _hold_all(self, outcomes: Outcomes, names: NDArray[Any] | None) -> BatchResult:
        """Hold the answers for columns of an indicator in the attributes that scikit-learn names."""
        batch = replace(outcomes.batch, problem_names=names, _batch=None)  # an estimator does not hold on to its data
        self.result_ = batch
        self.loss_ = batch._loss
        self.gamma_ = batch.gamma
        self.coef_ = batch.coefs.toarray()
        self.intercept_ = outcomes.intercepts
        self.supports_ = batch.supports
        self.support_ = np.unique(np.concatenate(self.supports_))
        self.objective_ = batch.objectives
        self.status_ = batch.status
        self.n_iter_ = np.maximum(1, batch.n_newton)
        return batch

    @quiet
    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Linear predictor: of ``classes_[1]``, or of each class against the rest.

        For the losses ``cloglog`` and ``asymmetric_focal``, whose classes are as likely at another linear predictor than 0, less that
        one: the decision is always for ``classes_[1]`` where this is positive.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows to judge.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            ``X @ coef_.T + intercept_``; a vector where ``coef_`` has one row.
        """
        eta = self._eta(X)
        return eta - self.loss_.decision_threshold()

    @quiet
    def _eta(self, X: Any) -> NDArray[np.float64]:
        eta = self._linear_predictor(X)
        return eta[:, 0] if self.coef_.shape[0] == 1 else eta

    def predict(self, X: Any) -> NDArray[Any]:
        """Label of each row.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows to judge.

        Returns
        -------
        ndarray of shape (n_samples,)
            ``classes_[1]`` where the decision function is positive, else ``classes_[0]``; of more classes that with the greatest.
        """
        decision = self.decision_function(X)
        return self.classes_[(decision > 0).astype(np.intp) if decision.ndim == 1 else decision.argmax(axis=1)]

    @quiet
    def score(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> float:
        """Share of the rows whose labels are predicted, the greater the better.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows to judge by.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Their labels, read as those of the fit are. Of many labels a row counts only if all of them are right.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the rows, >= 0.

        Returns
        -------
        float
            The accuracy, in [0, 1].
        """
        check_is_fitted(self)
        y = targets_of(y, many_labels=self._many_labels)
        return float(super().score(X, y, weights_to_judge_by(sample_weight, y)))

    def _log_odds(self, eta: NDArray[np.float64]) -> Any:
        """Return what linear predictors say of log-odds; where the raw score of a focal loss is asked for, themselves."""
        raw = check_choice(self.probability, "probability", PROBABILITIES) == "score"
        if raw and self.loss_.focuses:
            return eta
        if isinstance(self.loss_, Focal):
            return log_odds(eta, self.gamma_)  # which may be an array, by class or label
        return self.loss_.log_odds(eta)

    @available_if(_says_probabilities)
    @quiet
    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probability of each class; not of the hinges, which say nothing of it.

        For the focal losses with the focusing undone (see Notes of the class), unless ``probability="score"``. With more than two
        classes those of each class against the rest, divided by their sum, as :class:`sklearn.multiclass.OneVsRestClassifier`
        does. Rows where all of them underflow sum to one as well.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows to judge.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Columns in the order of ``classes_``; rows sum to one.
        """
        odds = self._log_odds(self._eta(X))
        if odds.ndim == 2:
            return np.exp(one_vs_rest_log_probability(odds))
        return np.column_stack([probability_of(-odds), probability_of(odds)])

    @available_if(_says_probabilities)
    @quiet
    def predict_log_proba(self, X: Any) -> NDArray[np.float64]:
        """Logarithm of the probability of each class.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows to judge.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Columns in the order of ``classes_``.
        """
        check_is_fitted(self)
        if len(self.classes_) > 2:
            return one_vs_rest_log_probability(self._log_odds(self._eta(X)))
        with np.errstate(divide="ignore"):  # a probability of 0 has the logarithm -inf, as in scikit-learn
            return np.log(self.predict_proba(X))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = self._more_classes is None
        return tags


class KSparseClassifier(OneBudget, SparseLinearClassifier):
    r"""Linear classifier that uses at most ``k`` features, for each class against the rest where there are more than two.

    Minimises over :math:`\beta, \beta_0` with :math:`\lVert\beta\rVert_0 \le k`

    .. math:: \frac{1}{W}\sum_i w_i\,\ell(m_i) + \frac{\rho}{2}\lVert\beta\rVert_2^2,
              \qquad m_i = (2 y_i - 1)(x_i\cdot\beta + \beta_0)

    with the logistic or the focal loss; see :func:`ksparse.fit`. With more than two classes there is such a problem for each
    class, :math:`y_i = 1` in its rows and 0 in all others, and :func:`ksparse.fit_many` answers them together: each class has
    features of its own, at most ``k``, which read as what tells it from the rest.

    Parameters
    ----------
    k : int, {"aic", "bic", "ebic", "gic"} or None, default=None
        Most features used, >= 0; of more than two classes, by each. More than X has means all of them, with a warning. None is
        10, or all features where there are fewer. The name of an information criterion (:meth:`ksparse.PathResult.criterion`): the k in [0, k_max] where it is
        smallest, for each class by itself.
    k_max : int or None, default=None
        With a criterion, the largest k considered. None is 10, or all features where there are fewer. Not used where k is a
        number.
    loss : str or object of :mod:`ksparse.losses`, default="logistic"
        The loss, by name or as an object that has its parameters.
    alpha : float, default=0.5
        Focal loss: weight of the positive class ``classes_[1]``, or of each class against the rest, in (0, 1).
    gamma : float, default=2.0
        Focal loss: focusing exponent, >= 0.
    ridge : float, default=0.0
        :math:`\rho`, in units of the average loss, >= 0. Small data that are separable need it.
    fit_intercept : bool, default=True
        Whether to fit :math:`\beta_0`, which is never penalised.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, as in scikit-learn; they multiply ``sample_weight``, and "balanced" counts rows by it. A row has the
        weight of its own class in the problems of all classes, so that these agree on how frequent each class is.
    probability : {"posterior", "score"}, default="posterior"
        What ``predict_proba`` returns with the focal loss: the probability of the classes, or the raw score
        :math:`\sigma(\eta)`, which is none (see Notes). With the logistic loss both are the same. Read at each prediction, so
        that another value needs no other fit.
    tolerance : float, default=1e-8
        Newton decrement at the answer, > 0.
    max_newton : int, default=100
        Newton iterations per refit, >= 1.
    search : {"auto", "fast", "thorough"}, default="auto"
        How far to search, see :func:`ksparse.fit`.
    max_rounds : int or None, default=None
        Perturbations at most, instead of the budget of ``search``.
    max_refits : int or None, default=None
        No new perturbation after so many refits beyond the first descent, instead of the budget of ``search``.
    max_seconds : float or None, default=None
        No new perturbation after this time, instead of the budget of ``search``.
    random_state : int, default=0
        Seed of the perturbations.
    walks : int, default=1
        Independent walks that share the budget of the search, see :func:`ksparse.fit`. Used with two classes and a number k.
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
    n_jobs : int or None, default=None
        Threads among which more than two classes are divided, as in scikit-learn: None is 1 unless in a
        ``joblib.parallel_config``; -1 is all processors. A fit of two classes takes one for each of its walks at most, and a
        criterion for k takes one.
    warm_start : bool, default=False
        Whether a fit also descends from the features that the last fit of this estimator chose (``start`` of :func:`ksparse.fit`),
        where that had the same classes and features, and chose no more than k. Used with two classes and a number k.
    verbose : bool or int, default=0
        Whether to show a bar of progress where there is more than one fit, with a criterion for k or more than two classes; needs tqdm
        (``pip install 'ksparse[progress]'``).

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Per unit of the column of X, zero outside the support. One row for two classes, else a row by class.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Zero without an intercept; -inf for a class that could not be fitted, so that it is never predicted.
    support_ : ndarray of int64
        Chosen features, sorted; of more than two classes, those that any of them uses.
    supports_ : list of ndarray of int64
        Chosen features by row of ``coef_``.
    objective_ : float or ndarray of shape (n_classes,)
        F at the answer, of more than two classes by class; NaN for a class that could not be fitted.
    status_ : str or ndarray of str, shape (n_classes,)
        How the fit ended, ``converged`` when all is well.
    n_iter_ : int or ndarray of shape (n_classes,)
        Newton iterations, over all supports tried.
    gamma_ : float or ndarray of shape (n_classes,)
        Focusing exponent of the loss, 0 for the logistic one.
    result_ : FitResult or BatchResult
        The whole answer of the core, of more than two classes with an entry by class.
    path_ : PathResult or list of PathResult
        All fits considered, of more than two classes by class (None for a class that has no row of positive weight); only if
        k is the name of a criterion. Those whose criterion is near the smallest are searched for as far as ``search`` says, the
        others as far as ``search="fast"`` does.
    n_features_in_ : int
        Number of features seen during fit.
    feature_names_in_ : ndarray of str
        Names of the features, when X was a data frame with string names.

    Warns
    -----
    sklearn.exceptions.ConvergenceWarning
        If the data are separable or the limit of iterations was reached; the message says what to change. Of more than two
        classes one may fail alone, e.g. one that can be told apart from the rest exactly; the others stand.

    See Also
    --------
    ksparse.fit : The same on plain arrays, with an offset.
    ksparse.KSparseMultiLabelClassifier : For rows that may have several labels at once.

    Notes
    -----
    With the focal loss :math:`\sigma(\eta)` is not a probability: it is under-confident. ``predict_proba`` undoes the
    focusing in closed form [2]_, so that it estimates the probability of the classes as ``alpha`` weighs them, exactly as
    a classifier with ``class_weight`` does; with ``alpha=0.5`` that is the probability itself. ``predict`` is its argmax.
    ``probability="score"`` leaves the score as it is, to compare with what others report or for a calibration of one's own;
    the argmax is the same.

    Of more than two classes, ``predict`` takes the one with the greatest linear predictor, and ``predict_proba`` divides the
    probabilities of each class against the rest by their sum. These are estimated apart, so they need not be consistent
    before that division.

    References
    ----------
    .. [1] Zhu, Wen, Zhu, Zhang, Wang, "A polynomial algorithm for best-subset selection problem", PNAS 2020.
    .. [2] Charoenphakdee, Vongkulbhisal, Chairatanakul, Sugiyama, "On focal loss for class-posterior probability
       estimation: a theoretical perspective", CVPR 2021.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from ksparse import KSparseClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = KSparseClassifier(k=4).fit(X, y)
    >>> len(model.support_)
    4

    Three classes, two features for each:

    >>> from sklearn.datasets import load_wine
    >>> X, y = load_wine(return_X_y=True, as_frame=True)
    >>> model = KSparseClassifier(k=2, ridge=1e-2).fit(X, y)
    >>> for name, support in zip(model.classes_, model.supports_):
    ...     print(name, list(X.columns[support]))
    0 ['flavanoids', 'proline']
    1 ['color_intensity', 'proline']
    2 ['flavanoids', 'color_intensity']
    """

    path_: PathResult | list[PathResult | None]

    def __init__(
        self,
        k: int | str | None = None,
        *,
        k_max: int | None = None,
        loss: str | Loss = "logistic",
        alpha: float = 0.5,
        gamma: float = 2.0,
        ridge: float = 0.0,
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
        walks: int = 1,
        always_in: Any = None,
        never_in: Any = None,
        bounds: Any = None,
        groups: Any = None,
        n_jobs: int | None = None,
        warm_start: bool = False,
        verbose: bool | int = 0,
    ) -> None:
        self.k = k
        self.k_max = k_max
        self.loss = loss
        self.alpha = alpha
        self.gamma = gamma
        self.ridge = ridge
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
        self.walks = walks
        self.always_in = always_in
        self.never_in = never_in
        self.bounds = bounds
        self.groups = groups
        self.n_jobs = n_jobs
        self.warm_start = warm_start
        self.verbose = verbose

    def fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> KSparseClassifier:
        """Choose the features and fit the coefficients.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Features, finite; what is read in place is said at :func:`ksparse.fit`.
        y : array-like of shape (n_samples,)
            Labels of two or more classes, of any type that can be sorted.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the rows, >= 0.

        Returns
        -------
        KSparseClassifier
            The fitted estimator itself.

        Raises
        ------
        ValueError, TypeError
            If an argument is not what it must be; the message names it.
        """
        warm = check_flag(self.warm_start, "warm_start") and hasattr(self, "support_")
        last = (self.support_, self._identity()) if warm else None
        design, labels, weights = self._validated(X, y, sample_weight)
        settings, names = Settings.of_estimator(self), getattr(self, "feature_names_in_", None)
        self.__dict__.pop("path_", None)  # of an earlier fit
        if len(self.classes_) > 2:
            with progress_if(self.verbose, "fits") as report:
                outcomes = self._one_vs_rest(design, labels, weights, settings, names, report)
            self._take_all(outcomes, "classes", self.classes_)
        else:
            self._fit_one(design, labels, weights, settings, names, last)
        return self

    def _identity(self) -> tuple[Any, ...]:
        """Return what tells one problem from another: classes, and number and names of the features."""
        names = getattr(self, "feature_names_in_", None)
        return self.classes_.tolist(), self.n_features_in_, None if names is None else names.tolist()

    def _one_vs_rest(
        self,
        design: Any,
        labels: NDArray[np.intp],
        weights: Any,
        settings: Settings,
        names: NDArray[np.object_] | None,
        report: Report | None,
    ) -> Outcomes:
        """Fit each class against the rest."""
        # Those of a batch may be arrays; these hold for all classes, and are refused as with two.
        settings.checked_loss()
        settings.options_of_any_data()
        indicator = self._indicator_of(labels)
        if isinstance(self.k, str):
            outcomes = self._best_of_paths(design, indicator, weights, settings, names, report)
        else:
            k = check_integer(self._budget(design.shape[1]), "k", 0)
            outcomes = Outcomes.of(design, indicator, k, weights, settings, names, self.n_jobs, report)
        for name in self.classes_[outcomes.always]:
            raise ValueError(f"sample_weight leaves one class only: it is zero for every row but those of class {name}")
        return outcomes

    def _best_of_paths(
        self,
        design: Any,
        indicator: NDArray[Any],
        weights: Any,
        settings: Settings,
        names: NDArray[np.object_] | None,
        report: Report | None,
    ) -> Outcomes:
        """Choose k for each class by the criterion; the smallest k where no fit of a class has a finite F."""
        always, never = one_class(indicator, weights)
        paths: list[PathResult | None] = []
        fits: list[FitResult] = []
        n_ks = len(self._ks(design.shape[1], settings, names))
        total = n_ks * int(np.count_nonzero(~(always | never)))
        for column, empty in zip(indicator.T, always | never, strict=True):
            if empty:  # the batch fails it in its own words
                free = replace(settings, always_in=None, never_in=None, bounds=None, groups=None)
                paths.append(None)
                fits.append(solve_many(design, column[:, None], 0, weights, None, free, 1, names)[0])
                continue
            share = part_of(report, n_ks * sum(before is not None for before in paths), total)
            path = self._path(design, column, weights, settings, names, share)
            paths.append(path)
            fits.append(path.best(str(self.k)) if np.isfinite(path.objectives).any() else path[0])
        self.path_ = paths
        known = {f"class {name}": path for name, path in zip(self.classes_, paths, strict=True) if path is not None}
        doubts = {name: path._doubts(str(self.k)) for name, path in known.items() if np.isfinite(path.objectives).any()}
        warn_of_doubts(doubts, ConvergenceWarning, stacklevel=5)
        return Outcomes(batch_of(fits, self.groups), always, never)

"""The scikit-learn estimator."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import _check_feature_names_in, _check_sample_weight, check_is_fitted, validate_data

from ._criteria import check_criterion
from ._fit import FitResult, solve
from ._path import least_budget, solve_path
from ._probability import probability
from ._request import Settings
from ._validation import check_integer, check_loss, linear_predictor

__all__ = ["KSparseClassifier"]

FLOATS = [np.float64, np.float32]  # read in place; others become the first


class SparseLinearClassifier(ClassifierMixin, BaseEstimator):
    """What the estimators share: checked arrays in, labels and probabilities out."""

    def _validated(self, X: Any, y: Any, sample_weight: Any) -> tuple[Any, NDArray[np.intp], NDArray[np.float64] | None]:
        """Return X, labels of 0 and 1, and the weights of the rows, those of their classes included."""
        # Finiteness of X is the core's to check, in its first pass over X; its message says which row and column.
        X, y = validate_data(self, X, y, dtype=FLOATS, accept_sparse=["csc", "csr"], ensure_all_finite=False, order=None)
        check_classification_targets(y)
        kind = type_of_target(y, input_name="y")
        if kind != "binary":
            raise ValueError(f"Only binary classification is supported. The type of the target is {kind}.")
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y has one class only ({self.classes_[0]!r}); KSparseClassifier needs two")
        weights = None
        if sample_weight is not None:
            weights = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=False)
        if self.class_weight is not None:
            by_class = compute_sample_weight(self.class_weight, y)
            weights = by_class if weights is None else weights * by_class
        return X, labels, weights

    def _take(self, result: FitResult) -> None:
        """Hold a result in the attributes that scikit-learn names; warn if it did not converge."""
        if not result.converged:
            warnings.warn(f"{result.status}: {result.advice}", ConvergenceWarning, stacklevel=3)
        self.result_ = replace(result, _request=None)  # an estimator does not hold on to its data
        self.gamma_ = result.gamma
        self.coef_ = result.coef.reshape(1, -1)
        self.intercept_ = np.array([result.intercept])
        self.support_ = result.support
        self.objective_ = result.objective
        self.status_ = result.status
        self.n_iter_ = max(1, result.n_newton)

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Linear predictor, positive for ``classes_[1]``.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows to judge.

        Returns
        -------
        ndarray of shape (n_samples,)
            ``X @ coef + intercept``.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=FLOATS, accept_sparse=["csr", "csc"], reset=False)
        return linear_predictor(X, self.support_, self.coef_[0, self.support_], self.n_features_in_) + self.intercept_[0]

    def predict(self, X: Any) -> NDArray[Any]:
        """Label of each row.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows to judge.

        Returns
        -------
        ndarray of shape (n_samples,)
            ``classes_[1]`` where the linear predictor is positive, else ``classes_[0]``.
        """
        positive = self.decision_function(X) > 0
        return self.classes_[positive.astype(np.intp)]

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probability of each class; for the focal loss with the focusing undone (see Notes of the class).

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows to judge.

        Returns
        -------
        ndarray of shape (n_samples, 2)
            Columns in the order of ``classes_``; rows sum to one.
        """
        eta = self.decision_function(X)
        gamma = self.gamma_
        return np.column_stack([probability(-eta, gamma), probability(eta, gamma)])

    def predict_log_proba(self, X: Any) -> NDArray[np.float64]:
        """Logarithm of the probability of each class.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows to judge.

        Returns
        -------
        ndarray of shape (n_samples, 2)
            Columns in the order of ``classes_``.
        """
        with np.errstate(divide="ignore"):  # a probability of 0 has the logarithm -inf, as in scikit-learn
            return np.log(self.predict_proba(X))

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[np.object_]:
        """Names of the chosen features.

        Parameters
        ----------
        input_features : array-like of str, optional
            Names of all features; default those seen during fit, or ``x0``, ``x1``, ...

        Returns
        -------
        ndarray of str
            Names in the order of ``support_``.
        """
        check_is_fitted(self)
        return _check_feature_names_in(self, input_features)[self.support_]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.sparse = True
        return tags


class KSparseClassifier(SparseLinearClassifier):
    r"""Linear classifier that uses at most ``k`` features.

    Minimises over :math:`\beta, \beta_0` with :math:`\lVert\beta\rVert_0 \le k`

    .. math:: \frac{1}{W}\sum_i w_i\,\ell(m_i) + \frac{\rho}{2}\lVert\beta\rVert_2^2,
              \qquad m_i = (2 y_i - 1)(x_i\cdot\beta + \beta_0)

    with the logistic or the focal loss; see :func:`ksparse.fit`.

    Parameters
    ----------
    k : int, {"aic", "bic", "ebic", "gic"} or None, default=None
        Most features used, in [0, n_features]. None is 10, or all features where there are fewer. The name of an
        information criterion (:meth:`ksparse.PathResult.criterion`): the k in [0, k_max] where it is smallest.
    k_max : int or None, default=None
        With a criterion, the largest k considered. None is 10, or all features where there are fewer.
    loss : {"logistic", "focal"}, default="logistic"
        The loss.
    alpha : float, default=0.5
        Focal loss: weight of the positive class ``classes_[1]``, in (0, 1).
    gamma : float, default=2.0
        Focal loss: focusing exponent, >= 0.
    ridge : float, default=0.0
        :math:`\rho`, in units of the average loss, >= 0. Small data that are separable need it.
    fit_intercept : bool, default=True
        Whether to fit :math:`\beta_0`, which is never penalised.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, as in scikit-learn; they multiply ``sample_weight``.
    tolerance : float, default=1e-8
        Newton decrement at the answer, > 0.
    max_newton : int, default=100
        Newton iterations per refit, >= 1.
    search : {"auto", "fast", "thorough"}, default="auto"
        How far to search, see :func:`ksparse.fit`.
    max_rounds : int or None, default=None
        Perturbations at most, instead of the budget of ``search``.
    max_seconds : float or None, default=None
        No new perturbation after this time, instead of the budget of ``search``.
    random_state : int, default=0
        Seed of the perturbations.
    always_in : array-like of int or str or None, default=None
        Features in every support, by number or, if X has column names, by name. They count towards k.
    never_in : array-like of int or str or None, default=None
        Features in none.
    bounds : tuple (lower, upper) or None, default=None
        Bounds of the coefficients per unit of the columns, each a number, an array of shape (n_features,) or None, with
        lower <= 0 <= upper. ``(0, None)``: no negative coefficient. A chosen feature whose coefficient ends at 0 is left out.
    groups : array-like of shape (n_features,) or None, default=None
        Label of each feature's group, an integer or a string. k then counts groups, and all features of a group are in or out;
        ``always_in`` and ``never_in`` name whole groups by any of their features.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        The two labels, sorted.
    coef_ : ndarray of shape (1, n_features)
        Per unit of the column of X, zero outside ``support_``.
    intercept_ : ndarray of shape (1,)
        Zero without an intercept.
    support_ : ndarray of int64
        Chosen features, sorted.
    objective_ : float
        F at the answer.
    status_ : str
        How the fit ended, ``converged`` when all is well.
    n_iter_ : int
        Newton iterations, over all supports tried.
    gamma_ : float
        Focusing exponent of the loss, 0 for the logistic one.
    result_ : FitResult
        The whole answer of the core.
    path_ : PathResult
        All fits considered; only if k is the name of a criterion.
    n_features_in_ : int
        Number of features seen during fit.
    feature_names_in_ : ndarray of str
        Names of the features, when X was a data frame with string names.

    Warns
    -----
    sklearn.exceptions.ConvergenceWarning
        If the data are separable or the limit of iterations was reached; the message says what to change.

    See Also
    --------
    ksparse.fit : The same on plain arrays, with an offset.

    Notes
    -----
    With the focal loss :math:`\sigma(\eta)` is not a probability: it is under-confident. ``predict_proba`` undoes the
    focusing in closed form [2]_, so that it estimates the probability of the classes as ``alpha`` weighs them, exactly as
    a classifier with ``class_weight`` does; with ``alpha=0.5`` that is the probability itself. ``predict`` is its argmax.

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
    """

    def __init__(
        self,
        k: int | str | None = None,
        *,
        k_max: int | None = None,
        loss: str = "logistic",
        alpha: float = 0.5,
        gamma: float = 2.0,
        ridge: float = 0.0,
        fit_intercept: bool = True,
        class_weight: Any = None,
        tolerance: float = 1e-8,
        max_newton: int = 100,
        search: str = "auto",
        max_rounds: int | None = None,
        max_seconds: float | None = None,
        random_state: int = 0,
        always_in: Any = None,
        never_in: Any = None,
        bounds: Any = None,
        groups: Any = None,
    ) -> None:
        self.k = k
        self.k_max = k_max
        self.loss = loss
        self.alpha = alpha
        self.gamma = gamma
        self.ridge = ridge
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.tolerance = tolerance
        self.max_newton = max_newton
        self.search = search
        self.max_rounds = max_rounds
        self.max_seconds = max_seconds
        self.random_state = random_state
        self.always_in = always_in
        self.never_in = never_in
        self.bounds = bounds
        self.groups = groups

    def fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> KSparseClassifier:
        """Choose the features and fit the coefficients.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Features, finite; what is read in place is said at :func:`ksparse.fit`.
        y : array-like of shape (n_samples,)
            Labels of two classes, of any type that can be sorted.
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
        design, labels, weights = self._validated(X, y, sample_weight)
        settings, names = Settings.of_estimator(self), getattr(self, "feature_names_in_", None)
        units = len(np.unique(self.groups)) if self.groups is not None else design.shape[1]
        if isinstance(self.k, str):
            check_criterion(self.k, *check_loss(self.loss, self.alpha, self.gamma)[::2], name="k")
            least = least_budget(settings, design.shape[1], names)
            k_max = min(max(10, least), units) if self.k_max is None else check_integer(self.k_max, "k_max", 0, units)
            if k_max < least:
                what = "features" if self.groups is None else "groups"
                raise ValueError(f"k_max is {k_max} but always_in names {least} {what}; it must be >= {least}")
            path = solve_path(design, labels, range(least, k_max + 1), weights, None, settings, names=names)
            result = path.best(self.k)
            self.path_ = replace(path, results=tuple(replace(fit, _request=None) for fit in path))
        else:
            k = min(10, units) if self.k is None else self.k
            result = solve(design, labels, k, weights, None, settings, names)
        self._take(result)
        return self

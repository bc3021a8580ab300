"""The scikit-learn estimator for numbers: least squares, robust losses, and generalised linear models with a log link."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.utils.validation import check_is_fitted

from .._fit import solve
from .._input.request import Inputs, Request, Settings
from .._input.validation import check_loss
from .._loss import rounding_of_loss, terms_by_eta
from .._quiet import quiet
from .._results.fit import FitResult
from ..losses import Loss
from .base import SparseLinearEstimator
from .one_budget import OneBudget

__all__ = ["KSparseRegressor", "SparseLinearRegressor"]


def _takes_positive_only(loss: Any) -> bool:
    try:
        return check_loss(loss, 0.5, 2.0).responses in ("not_negative", "positive")
    except ValueError:  # fit refuses it, in its own words
        return False


class SparseLinearRegressor(RegressorMixin, SparseLinearEstimator):
    """What the regressors share: mean responses out, and how much of the loss they explain."""

    _responses = "numbers"
    _other = "KSparseClassifier"
    intercept_: float
    result_: FitResult

    def _validated(self, X: Any, y: Any, sample_weight: Any, *, reset: bool = True) -> tuple[Inputs, NDArray[np.float64]]:
        """Return the inputs of the fit and the responses; what the loss allows is checked with the other arguments."""
        return self._validated_arrays(X, y, sample_weight, y_numeric=True, reset=reset)

    def _labels_of_fit(self, X: Any, y: Any, sample_weight: Any) -> tuple[Inputs, Callable[[int], Any]]:
        inputs, responses = self._validated(X, y, sample_weight, reset=False)
        return inputs, lambda i: responses

    def _take_coefficients(self, result: FitResult) -> None:
        self.coef_ = result.coef
        self.intercept_ = result.intercept

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Mean response of each row.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows to predict.

        Returns
        -------
        ndarray of shape (n_samples,)
            ``X @ coef_ + intercept_``; with a log link its exponential.
        """
        eta = self._linear_predictor(X)[:, 0]  # which says first that the estimator is not fitted
        return self.loss_.mean(eta)

    @quiet
    def score(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> float:
        r"""Part of the loss that the model explains, D², the greater the better.

        1 minus the average loss of the model over that of the best constant. For least squares that is R²; for losses with a log link
        it is the deviance explained, as in scikit-learn's generalised linear models.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows to judge by.
        y : array-like of shape (n_samples,)
            Their responses.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the rows, >= 0.

        Returns
        -------
        float
            At most 1; 0 for a model as good as a constant. NaN of fewer than two rows.
        """
        check_is_fitted(self)
        inputs, responses = self._validated(X, y, sample_weight, reset=False)
        weights = inputs.sample_weight
        with np.errstate(over="ignore", invalid="ignore"):  # a row of weight 0 may be infinitely far off
            eta = self._linear_predictor(X)[:, 0]
        if weights is not None and (weights > 0).any():  # else the weights are refused below
            counts = weights != 0  # a row of weight zero is no row, whatever its loss
            eta, responses, weights = eta[counts], responses[counts], weights[counts]
        # One row of weight 2 is two equal rows.
        if len(responses) < 2 and (weights is None or weights.sum() < 2):
            warnings.warn("D^2 is not defined of fewer than two rows", UndefinedMetricWarning, stacklevel=2)
            return float("nan")
        without_features = Inputs(np.zeros((len(responses), 1)), weights, None, Settings(loss=self.loss_))
        constant = solve(Request.of(without_features, responses), 0)
        y = responses.astype(np.float64)
        ours = float(np.average(terms_by_eta(self.loss_, eta, y)[0], weights=weights))
        # Of responses that are all the same, as scikit-learn says of R²: perfect, or no better than nothing.
        if constant.objective == 0 or np.all(y == y[0]):
            return float(ours <= np.average(rounding_of_loss(self.loss_, eta, np.abs(eta), y, 1), weights=weights))
        return 1.0 - ours / constant.objective

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = _takes_positive_only(self.loss)
        return tags


class KSparseRegressor(OneBudget, SparseLinearRegressor):
    r"""Linear regression that uses at most ``k`` features: least squares, robust, or with a log link.

    Minimises over :math:`\beta, \beta_0` with :math:`\lVert\beta\rVert_0 \le k`

    .. math:: \frac{1}{W}\sum_i w_i\,\ell(\eta_i, y_i) + \frac{\rho}{2}\lVert\beta\rVert_2^2,
              \qquad \eta_i = x_i\cdot\beta + \beta_0

    with a loss of :mod:`ksparse.losses`; see :func:`ksparse.fit`.

    Parameters
    ----------
    k : int, {"aic", "bic", "ebic", "gic"} or None, default=None
        Most features used, >= 0; more than X has means all of them, with a warning. None is 10, or all features where there are
        fewer. The name of an information criterion (:meth:`ksparse.PathResult.criterion`): the k in [0, k_max] where it is smallest, for the losses ``squared``, ``poisson`` and
        ``negative_binomial``.
    k_max : int or None, default=None
        With a criterion, the largest k considered. None is 10, or all features where there are fewer. Not used where k is a
        number.
    loss : {"squared", "huber", "poisson", "gamma", "tweedie", "negative_binomial"} or object, default="squared"
        The loss, by name or as an object of :mod:`ksparse.losses`, which has its parameters: ``ksparse.losses.Huber(threshold=2)``.
        ``poisson``, ``tweedie`` and ``negative_binomial`` take y >= 0, ``gamma`` y > 0; their mean is the exponential of the linear
        predictor.
    ridge : float, default=0.0
        :math:`\rho`, in units of the average loss, >= 0.
    fit_intercept : bool, default=True
        Whether to fit :math:`\beta_0`, which is never penalised.
    tolerance : float, default=1e-8
        Newton decrement at the answer, > 0; for least squares and Huber's loss relative to the deviation of y.
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
        Independent walks that share the budget of the search, see :func:`ksparse.fit`. Used with a number k.
    always_in : array-like of int or str or None, default=None
        Features in every support, by number or, if X has column names, by name. They count towards k.
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
        Threads that run the walks, as in scikit-learn.
    warm_start : bool, default=False
        Whether a fit also descends from the features that the last fit of this estimator chose, see
        :class:`ksparse.KSparseClassifier`.
    verbose : bool or int, default=0
        Whether to show a bar of progress with a criterion for k; needs tqdm (``pip install 'ksparse[progress]'``).

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Per unit of the column of X, zero outside the support.
    intercept_ : float
        Zero without an intercept.
    support_ : ndarray of int64
        Chosen features, sorted.
    loss_ : object of ksparse.losses
        The loss with its parameters.
    objective_ : float
        F at the answer.
    status_ : str
        How the fit ended, ``converged`` when all is well.
    n_iter_ : int
        Newton iterations, over all supports tried.
    result_ : FitResult
        The whole answer of the core.
    path_ : PathResult
        All fits considered; only if k is the name of a criterion. Those whose criterion is near the smallest are searched for as far
        as ``search`` says, the others as far as ``search="fast"`` does.
    n_features_in_ : int
        Number of features seen during fit.
    feature_names_in_ : ndarray of str
        Names of the features, when X was a data frame with string names.

    Warns
    -----
    sklearn.exceptions.ConvergenceWarning
        If the limit of iterations was reached; the message says what to change.

    See Also
    --------
    ksparse.fit : The same on plain arrays, with an offset (an exposure, as its logarithm).
    ksparse.KSparseRegressorCV : The number of features by cross-validation.

    References
    ----------
    .. [1] Zhu, Wen, Zhu, Zhang, Wang, "A polynomial algorithm for best-subset selection problem", PNAS 2020.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from ksparse import KSparseRegressor
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> model = KSparseRegressor(k=3).fit(X, y)
    >>> list(model.get_feature_names_out()), round(model.score(X, y), 3)
    (['bmi', 'bp', 's5'], 0.48)
    >>> print(model.formula(3))
    mean = 152 + 603 * bmi + 262 * bp + 544 * s5
    """

    def __init__(
        self,
        k: int | str | None = None,
        *,
        k_max: int | None = None,
        loss: str | Loss = "squared",
        ridge: float = 0.0,
        fit_intercept: bool = True,
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
        self.ridge = ridge
        self.fit_intercept = fit_intercept
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

    def fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> KSparseRegressor:
        """Choose the features and fit the coefficients.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Features, finite; what is read in place is said at :func:`ksparse.fit`.
        y : array-like of shape (n_samples,)
            Responses, such as the loss allows.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the rows, >= 0.

        Returns
        -------
        KSparseRegressor
            The fitted estimator itself.

        Raises
        ------
        ValueError, TypeError
            If an argument is not what it must be; the message names it.
        """
        last = self._last_fit()
        inputs, responses = self._validated(X, y, sample_weight)
        self.__dict__.pop("path_", None)  # of an earlier fit
        self._fit_one(inputs, responses, last)
        return self

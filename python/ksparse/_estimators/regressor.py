"""The scikit-learn estimator for regression: least squares, robust losses, and generalised linear models with a log link."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.utils.validation import check_is_fitted

from .._fit import solve_inputs
from .._input.request import Inputs, Settings
from .._input.validation import check_loss
from .._loss import rounding_of_loss, terms_by_eta
from .._quiet import quiet
from .._results.fit import FitResult
from ..losses import Loss
from .base import SparseLinearEstimator
from .offsets import NO_OFFSETS, Offsets
from .one_budget import OneBudget

__all__ = ["KSparseRegressor", "SparseLinearRegressor"]


def _takes_positive_only(loss: Any) -> bool:
    try:
        return check_loss(loss, 0.5, 2.0).responses in ("not_negative", "positive")
    except ValueError:  # fit raises the error
        return False


class SparseLinearRegressor(RegressorMixin, SparseLinearEstimator):
    """What the regressors share: the prediction of mean responses, and the score."""

    _responses = "numbers"
    _other = "KSparseClassifier"
    intercept_: float
    result_: FitResult

    def _validated(
        self, X: Any, y: Any, sample_weight: Any, offsets: Offsets = NO_OFFSETS, *, reset: bool = True
    ) -> tuple[Inputs, NDArray[np.float64]]:
        """Return the inputs of the fit and the responses; what the loss allows is checked with the other arguments."""
        return self._validated_arrays(X, y, sample_weight, offsets, y_numeric=True, reset=reset)

    def _labels_of_fit(self, X: Any, y: Any, sample_weight: Any, offsets: Offsets) -> tuple[Inputs, Callable[[int], Any]]:
        inputs, responses = self._validated(X, y, sample_weight, offsets, reset=False)
        return inputs, lambda i: responses

    def _take_coefficients(self, result: FitResult) -> None:
        self.coef_ = result.coef
        self.intercept_ = result.intercept

    def predict(self, X: Any, *, offset: ArrayLike | None = None, exposure: ArrayLike | None = None) -> NDArray[np.float64]:
        """Predict the mean response of each row.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows, with the columns of the fit.
        offset : array-like of shape (n_samples,), optional
            Values added to the linear predictor, as in the fit.
        exposure : array-like of shape (n_samples,), optional
            How long or how much each row was observed, > 0; its logarithm is added to the linear predictor. It needs a loss
            with a log link, or ``"cloglog"``.

        Returns
        -------
        ndarray of shape (n_samples,)
            ``X @ coef_ + intercept_``, or its exponential for a loss with a log link.
        """
        eta = self._linear_predictor(X, Offsets(offset, exposure))[:, 0]  # raises an error if the estimator is not fitted
        return self.loss_.mean(eta)

    @quiet
    def score(
        self,
        X: Any,
        y: Any,
        sample_weight: ArrayLike | None = None,
        *,
        offset: ArrayLike | None = None,
        exposure: ArrayLike | None = None,
    ) -> float:
        r"""Return D², the share of the loss that the model explains; greater is better.

        D² is 1 minus the ratio of the average loss of the model to that of the best constant (with the offsets). For least squares it is R²; for
        losses with a log link it is the explained deviance, as in scikit-learn's generalised linear models.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows on which the model is scored.
        y : array-like of shape (n_samples,)
            Responses of these rows.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the rows, >= 0.
        offset : array-like of shape (n_samples,), optional
            Values added to the linear predictor, as in the fit.
        exposure : array-like of shape (n_samples,), optional
            How long or how much each row was observed, > 0; its logarithm is added to the linear predictor. It needs a loss
            with a log link, or ``"cloglog"``.

        Returns
        -------
        float
            At most 1; 0 for a model that is as good as a constant. NaN for fewer than two rows.
        """
        check_is_fitted(self)
        offsets = Offsets(offset, exposure)
        inputs, responses = self._validated(X, y, sample_weight, offsets, reset=False)
        weights, shift = inputs.sample_weight, inputs.offset
        with np.errstate(over="ignore", invalid="ignore"):  # a row of weight 0 may have an infinite linear predictor
            eta = self._linear_predictor(X, offsets)[:, 0]
        return self._score_of(eta, responses, weights, shift)

    def _score_of(
        self, eta: NDArray[np.float64], responses: NDArray[Any], weights: Any, shift: NDArray[np.float64] | None
    ) -> float:
        """Return D² of linear predictors, which include the offsets ``shift``."""
        if weights is not None and (weights > 0).any():  # otherwise the weights are invalid, and solve raises the error
            counts = weights != 0  # a row of weight 0 does not count, whatever its loss
            eta, responses, weights = eta[counts], responses[counts], weights[counts]
            shift = None if shift is None else shift[counts]
        # One row of weight 2 counts as two equal rows.
        if len(responses) < 2 and (weights is None or weights.sum() < 2):
            warnings.warn("D^2 is not defined for fewer than two rows", UndefinedMetricWarning, stacklevel=3)
            return float("nan")
        without_features = Inputs(np.zeros((len(responses), 1)), weights, shift, Settings(loss=self.loss_))
        constant = solve_inputs(without_features, responses, 0)
        y = responses.astype(np.float64)
        ours = float(np.average(terms_by_eta(self.loss_, eta, y)[0], weights=weights))
        # If all responses are equal, the score is 1 for a perfect model and 0 otherwise, as scikit-learn's R² is.
        if constant.objective == 0 or np.all(y == y[0]):
            return float(ours <= np.average(rounding_of_loss(self.loss_, eta, np.abs(eta), y, 1), weights=weights))
        return 1.0 - ours / constant.objective

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = _takes_positive_only(self.loss)
        return tags


class KSparseRegressor(OneBudget, SparseLinearRegressor):
    r"""Linear regression that uses at most ``k`` features: least squares, robust regression, or a model with a log link.

    The model minimises, over :math:`\beta` and :math:`\beta_0` with :math:`\lVert\beta\rVert_0 \le k`,

    .. math:: \frac{1}{W}\sum_i w_i\,\ell(\eta_i, y_i) + \frac{\rho}{2}\lVert\beta\rVert_2^2,
              \qquad \eta_i = x_i\cdot\beta + \beta_0

    with a loss of :mod:`ksparse.losses`; see :func:`ksparse.fit`.

    Parameters
    ----------
    k : int, {"aic", "bic", "ebic", "gic"} or None, default=None
        Maximum number of features, >= 0. None means 10, or all features if there are fewer. If k is larger than the number of
        features, all of them may be used and a warning is given. The name of an information criterion (see
        :meth:`ksparse.PathResult.criterion`) chooses the k in [0, k_max] for which it is smallest; this needs the loss
        ``squared``, ``poisson`` or ``negative_binomial``.
    k_max : int or None, default=None
        The largest k that an information criterion considers. None means 10, or all features if there are fewer.
    loss : {"squared", "huber", "poisson", "gamma", "tweedie", "negative_binomial"} or object, default="squared"
        The loss, given by its name or as an object that holds its parameters, e.g. ``ksparse.losses.Huber(threshold=2)``. The
        losses ``poisson``, ``tweedie`` and ``negative_binomial`` need y >= 0, and ``gamma`` needs y > 0; for these four the
        mean is the exponential of the linear predictor.
    ridge : float, default=0.0
        Weight of the ridge penalty, which is half the squared Euclidean norm of the coefficients, in units of the average loss,
        >= 0. Use a small positive value, e.g. 1e-3, where the classes can be separated by the chosen features.
    fit_intercept : bool, default=True
        Whether to fit an intercept. It is never penalised, and it does not count towards ``k``.
    tolerance : float, default=1e-8
        Each refit stops when its Newton decrement is at most this value, > 0. For the squared and Huber losses the value is
        relative to the standard deviation of y.
    max_newton : int, default=100
        Maximum number of Newton iterations per refit, >= 1.
    search : {"auto", "fast", "thorough"}, default="auto"
        How long to search, see :func:`ksparse.fit`.
    max_rounds : int or None, default=None
        Maximum number of perturbation rounds. By default ``search`` sets this limit.
    max_refits : int or None, default=None
        Number of refits after the first descent beyond which no further round begins. By default ``search`` sets this limit.
    max_seconds : float or None, default=None
        Time in seconds beyond which no further round begins; answers may then differ between runs. By default ``search`` sets
        the limits.
    random_state : int, numpy.random.RandomState, numpy.random.Generator or None, default=0
        Seed of the random perturbations, or what draws it, as in scikit-learn: None draws it from NumPy's global generator. The
        same seed and limits give the same answer.
    walks : int, default=1
        Number of independent searches that share the limits on rounds and refits, see :func:`ksparse.fit`. It is used if ``k``
        is an integer and there are no more than two classes.
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
        Whether to prove how far the fit can be from the best one, by :meth:`FitResult.certify <ksparse.FitResult.certify>`. The
        search then has the limits of ``search``, ``max_rounds`` and ``max_refits``, and ``max_seconds`` limits the proof. A proof
        needs a ridge penalty or bounds.
    max_gap : float, default=1e-6
        With ``certify``, the relative gap at which the proof ends, > 0.
    max_nodes : int or None, default=None
        With ``certify``, the number of nodes after which the proof ends. By default there is no limit.
    n_jobs : int or None, default=None
        Number of threads, as in scikit-learn: None means 1 unless a ``joblib.parallel_config`` is active, and -1 means all
        processors. Threads run the ``walks`` if there are several, and otherwise divide the sums over X.
    warm_start : bool, default=False
        Whether ``fit`` also starts from the features that the previous fit chose, if it had the same features and classes and
        chose at most ``k`` features. It is used if ``k`` is an integer and there are no more than two classes.
    verbose : bool or int, default=0
        Whether to show a progress bar, which needs tqdm (``pip install 'ksparse[progress]'``).

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Coefficients in the units of the columns, zero outside the support.
    intercept_ : float
        The intercept, 0 if ``fit_intercept=False``.
    support_ : ndarray of int64
        Indices of the chosen features, sorted.
    loss_ : object of ksparse.losses
        The loss with its parameters.
    objective_ : float
        Value of the minimised objective F.
    lower_bound_ : float
        No model with at most k features has a lower F than this; NaN without a ridge penalty or bounds, see :class:`ksparse.FitResult`.
    gap_ : float
        ``(objective_ - lower_bound_) / objective_``, the largest part of F by which a better model could lower it.
    proof_ : Proof
        What is proved, with ``certify`` only.
    status_ : str
        How the fit ended: ``converged`` unless there was a problem, see :class:`ksparse.FitResult`.
    n_iter_ : int
        Total number of Newton iterations, over all supports that were tried.
    result_ : FitResult
        The complete result.
    path_ : PathResult
        All fits that were compared if ``k`` is the name of a criterion. Fits whose criterion is close to the smallest are
        searched as long as ``search`` says, the others as with ``search="fast"``.
    n_features_in_ : int
        Number of features seen during ``fit``.
    feature_names_in_ : ndarray of str
        Names of the features seen during ``fit``. Defined only if X is a data frame whose column names are all strings.

    Warns
    -----
    sklearn.exceptions.ConvergenceWarning
        If the limit of iterations was reached; the message says what to change.

    See Also
    --------
    ksparse.fit : The same for arrays, as a function.
    ksparse.KSparseRegressorCV : Chooses the number of features by cross-validation.

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

    _takes_blocks = True

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
        random_state: Any = 0,
        walks: int = 1,
        always_in: Any = None,
        never_in: Any = None,
        bounds: Any = None,
        groups: Any = None,
        certify: bool = False,
        max_gap: float = 1e-6,
        max_nodes: int | None = None,
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
        self.certify = certify
        self.max_gap = max_gap
        self.max_nodes = max_nodes
        self.n_jobs = n_jobs
        self.warm_start = warm_start
        self.verbose = verbose

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: ArrayLike | None = None,
        *,
        offset: ArrayLike | None = None,
        exposure: ArrayLike | None = None,
    ) -> KSparseRegressor:
        """Choose the features and fit the coefficients.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features), or RowBlocks
            Features, which must be finite. See :func:`ksparse.fit` for the types that are read without a copy.
        y : array-like of shape (n_samples,)
            Responses, with values that the loss allows.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the rows, >= 0. A weight of 2 has the same effect as two equal rows. y may be missing in a row of weight 0.
        offset : array-like of shape (n_samples,), optional
            Values added to the linear predictor, e.g. the linear predictor of an earlier model. Predictions
            need those of their own rows.
        exposure : array-like of shape (n_samples,), optional
            How long or how much each row was observed, > 0; its logarithm is added to the linear predictor. It needs a loss
            with a log link, or ``"cloglog"``.

        Returns
        -------
        KSparseRegressor
            The fitted estimator itself.

        Raises
        ------
        ValueError, TypeError
            If an argument is invalid; the message names the argument, its value and what it must be.
        """
        last = self._last_fit()
        inputs, responses = self._validated(X, y, sample_weight, Offsets(offset, exposure))
        self.__dict__.pop("path_", None)  # of an earlier fit
        self._fit_one(inputs, responses, last)
        return self

"""The regressor that chooses k and the ridge by cross-validation."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from ..losses import Loss
from .cross_validation import CrossValidated
from .offsets import Offsets
from .regressor import KSparseRegressor, SparseLinearRegressor

__all__ = ["KSparseRegressorCV"]


class KSparseRegressorCV(CrossValidated, SparseLinearRegressor):
    r"""Linear regression on few features, whose number is chosen by cross-validation.

    For each fold and each value of ``ridge``, a path over ``ks`` is fitted on the training rows and scored on the test rows, as
    in :class:`ksparse.KSparseClassifierCV`. The model with the best mean score is then fitted on all rows.

    Parameters
    ----------
    ks : array-like of int or None, default=None
        Values of k to compare. Values above the number of features are replaced by that number, with a warning. None means 0
        (or the number of features in ``always_in``) to 10 (or the number of features).
    k : array-like of int or None, default=None
        Another name of ``ks``, of which only one may be given.
    loss : {"squared", "huber", "poisson", "gamma", "tweedie", "negative_binomial"} or object, default="squared"
        The loss, as in :class:`ksparse.KSparseRegressor`.
    ridge : float or array-like of float, default=0.0
        As in :class:`ksparse.KSparseRegressor`; the values of a list are compared by cross-validation.
    cv : int, splitter, iterable or None, default=None
        How to split the rows, as in scikit-learn. None means 5 folds, or fewer if there are fewer than 5 rows.
    scoring : str, callable or None, default=None
        A scikit-learn scorer, where greater is better, e.g. ``"neg_mean_absolute_error"``, or a callable ``f(model, X, y)``,
        which receives what ``GridSearchCV(KSparseRegressor(), {"k": ks})`` would pass to it. None means minus the average loss
        on the test rows.
    one_standard_error : bool, default=False
        Whether to choose the smallest k (and then the largest ``ridge``) whose mean score is within one standard error of the
        best, instead of the best.
    n_jobs : int or None, default=None
        Number of threads, as in scikit-learn: None means 1 unless a ``joblib.parallel_config`` is active, and -1 means all
        processors.
    fit_intercept : bool, default=True
        Whether to fit an intercept. It is never penalised, and it does not count towards ``k``.
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
        The chosen parameters: ``k`` and ``ridge``.
    best_index_ : int
        Index of the chosen parameters in ``cv_results_``.
    best_score_ : float
        Mean score of the chosen parameters.
    cv_results_ : dict of ndarray
        As in :class:`ksparse.KSparseClassifierCV`.
    n_splits_ : int
        Number of folds.
    coef_, intercept_, support_, loss_, objective_, lower_bound_, gap_, status_, n_iter_, result_, n_features_in_, feature_names_in_
        Attributes of the final fit, as in :class:`ksparse.KSparseRegressor`.

    Warns
    -----
    sklearn.exceptions.ConvergenceWarning
        If the final fit did not converge, or if the choice may depend on fits of the folds that did not converge; the message
        says what to change.

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
        k: Any = None,
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
    ) -> KSparseRegressorCV:
        """Choose the parameters by cross-validation, then fit on all rows.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Features, which must be finite. See :func:`ksparse.fit` for the types that are read without a copy.
        y : array-like of shape (n_samples,)
            Responses, with values that the loss allows.
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
            Other metadata for the splitter or the scorer that requests them; only with
            ``sklearn.set_config(enable_metadata_routing=True)``.

        Returns
        -------
        KSparseRegressorCV
            The fitted estimator itself.

        Raises
        ------
        ValueError, TypeError
            If an argument is invalid; the message names the argument, or the fold.
        """
        self._compare(X, y, sample_weight, groups, params, Offsets(offset, exposure), executor)
        return self

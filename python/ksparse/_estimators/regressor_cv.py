"""The regressor that chooses k and the ridge by cross-validation."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from ..losses import Loss
from .cross_validation import CrossValidated
from .regressor import KSparseRegressor, SparseLinearRegressor

__all__ = ["KSparseRegressorCV"]


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
        How to split the rows, as in scikit-learn. None is 5 folds, or fewer if there are not 5 rows.
    scoring : str, callable or None, default=None
        Scorer of scikit-learn, the greater the better, e.g. ``"neg_mean_absolute_error"``, or a callable ``f(model, X, y)``, which is
        given what ``GridSearchCV(KSparseRegressor(), {"k": ks})`` would give it. None is minus the average loss on the rows left out.
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
        If the last fit did not converge, or fits of the folds did not and the choice may depend on them; the message says what to
        change.

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
            Weights of the rows, >= 0, in the fits and in the loss on the rows left out. A scorer that has such a parameter gets them
            too, with a warning if it has none; with metadata routing, if it requests them.
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

"""The transformer that keeps the features a sparse classifier chooses, for any model that comes after it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils._set_output import _get_output_config
from sklearn.utils.validation import check_is_fitted, validate_data

from .._input.validation import check_features, check_groups, check_loss
from ..losses import Loss
from .classifier import KSparseClassifier
from .input import validate_readable
from .regressor import KSparseRegressor

__all__ = ["KSparseSelector"]


class KSparseSelector(SelectorMixin, BaseEstimator):
    """Keep the features that :class:`ksparse.KSparseClassifier` chooses, or :class:`ksparse.KSparseRegressor` for a loss of numbers.

    With more than two classes each has at most ``k`` features of its own, and those of all classes are kept.

    Parameters
    ----------
    k : int, {"aic", "bic", "ebic", "gic"} or None, default=None
        Most features chosen, >= 0; of more than two classes, for each. More than X has means all of them, with a warning. None
        is 10, or all features where there are fewer. The name of an information criterion: the k in [0, k_max] where it is smallest.
    k_max : int or None, default=None
        With a criterion, the largest k considered. None is 10, or all features where there are fewer.
    loss : str or object of :mod:`ksparse.losses`, default="logistic"
        The loss of the fit that chooses.
    alpha : float, default=0.5
        Focal loss: weight of the positive class, or of each class against the rest, in (0, 1).
    gamma : float, default=2.0
        Focal loss: focusing exponent, >= 0.
    ridge : float, default=0.0
        Weight of half the squared norm of the coefficients, in units of the average loss, >= 0. Small data that are separable
        need it.
    fit_intercept : bool, default=True
        Whether to fit an intercept, which is never penalised.
    class_weight : dict, "balanced" or None, default=None
        Of labels: weights of the classes, as in scikit-learn; they multiply ``sample_weight``.
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
        Features that are always kept, whatever their coefficients, by number or, if X has column names, by name. They count towards k.
    never_in : array-like of int or str or None, default=None
        Features that are never kept.
    bounds : tuple (lower, upper) or None, default=None
        Bounds of the coefficients in the fit that chooses, as in :class:`ksparse.KSparseClassifier`.
    groups : array-like of shape (n_features,) or None, default=None
        Label of each feature's group, an integer or a string. k then counts groups, and all features of a group are in or out;
        ``always_in`` and ``never_in`` name whole groups by any of their features.
    n_jobs : int or None, default=None
        Threads among which more than two classes, or the walks of two, are divided, as in scikit-learn.
    warm_start : bool, default=False
        Whether the next fit also descends from the features kept by the last, see :class:`ksparse.KSparseClassifier`.
    verbose : bool or int, default=0
        Whether to show a bar of progress where there is more than one fit; needs tqdm.

    Attributes
    ----------
    support_ : ndarray of int64
        Features that are kept, sorted; :meth:`get_support` returns them as a mask.
    estimator_ : KSparseClassifier or KSparseRegressor
        The fitted estimator that chose them: its coefficients, objective, status, and of more than two classes the features
        of each.
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
    ksparse.KSparseClassifier : The classifier itself, a linear model on the chosen features.
    sklearn.feature_selection.SelectFromModel : The same from a model that is fitted already.

    Notes
    -----
    The features are the best for a model linear in them. A feature that matters only by its square, or together with another,
    is not found, whatever the model that comes after.

    Within cross-validation put it into the pipeline, so that features are chosen anew on each training part: those chosen on all
    rows have seen the labels of the test part.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> from ksparse import KSparseSelector
    >>> X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    >>> selector = KSparseSelector(k=3).fit(X, y)
    >>> list(selector.get_feature_names_out())
    ['worst texture', 'worst area', 'worst concave points']
    >>> selector.transform(X).shape
    (569, 3)
    >>> model = make_pipeline(KSparseSelector(k=3), RandomForestClassifier(20, random_state=0)).fit(X, y)
    >>> model[-1].n_features_in_
    3
    """

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

    def fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> KSparseSelector:
        """Choose the features.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Features, finite; what is read in place is said at :func:`ksparse.fit`.
        y : array-like of shape (n_samples,)
            Labels of two or more classes, of any type that can be sorted; numbers for a loss of regression.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the rows, >= 0.

        Returns
        -------
        KSparseSelector
            The fitted selector itself.

        Raises
        ------
        ValueError, TypeError
            If an argument is not what it must be; the message names it.
        """
        last = getattr(self, "estimator_", None) if self.warm_start else None
        kind = KSparseClassifier if check_loss(self.loss, 0.5, 2.0).is_classification else KSparseRegressor
        estimator = last if isinstance(last, kind) else kind()
        known = estimator.get_params(deep=False)
        own = {name: value for name, value in self.get_params(deep=False).items() if name in known}
        self.estimator_ = estimator.set_params(**own).fit(X, y, sample_weight)
        validate_data(self, X, skip_check_array=True)  # the estimator has; this takes number and names of the features
        self.support_ = self._kept()
        return self

    def transform(self, X: Any) -> Any:
        """Return the kept features of each row.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows, read as those of the fit are.

        Returns
        -------
        array, sparse matrix or data frame of shape (n_samples, n_kept)
            The kept columns: sparse if X is a sparse matrix or a frame of sparse columns, and a data frame where ``set_output``
            asks for one.
        """
        check_is_fitted(self)
        numbers = validate_readable(self, X, reset=False, dtype=None, accept_sparse="csr")
        if hasattr(X, "iloc") and _get_output_config("transform", estimator=self)["dense"] != "default":
            return self._transform(X)  # whose columns keep their types
        return self._transform(numbers)

    def _kept(self) -> NDArray[np.int64]:
        """Return what was chosen, and of what is always in or of the same groups also what has the coefficient 0."""
        p, names = self.n_features_in_, getattr(self, "feature_names_in_", None)
        kept = np.zeros(p, dtype=bool)
        kept[self.estimator_.support_] = True
        kept[check_features(self.always_in, "always_in", p, names)] = True
        grouped = check_groups(self.groups, p)
        return np.flatnonzero(kept if grouped is None else np.isin(grouped[0], grouped[0][kept]))

    def _get_support_mask(self) -> NDArray[np.bool_]:
        check_is_fitted(self)
        mask = np.zeros(self.n_features_in_, dtype=bool)
        mask[self.support_] = True
        return mask

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

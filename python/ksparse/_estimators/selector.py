"""The transformer that selects the features which a sparse model chooses, for any model that follows it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils._set_output import _get_output_config
from sklearn.utils.validation import check_is_fitted, validate_data

from .._input.row_blocks import refuse_blocks
from .._input.validation import check_features, check_groups, check_loss
from ..losses import Loss
from .classifier import KSparseClassifier
from .doc_link import DocumentationLink
from .input import validate_readable
from .regressor import KSparseRegressor

__all__ = ["KSparseSelector"]


class KSparseSelector(DocumentationLink, SelectorMixin, BaseEstimator):
    """Select the features that a sparse linear model chooses.

    The model is a :class:`ksparse.KSparseClassifier`, or a :class:`ksparse.KSparseRegressor` if ``loss`` is a regression loss.
    With more than two classes, each class has at most ``k`` features, and the features of all classes are kept.

    Parameters
    ----------
    k : int, {"aic", "bic", "ebic", "gic"} or None, default=None
        Maximum number of features, >= 0; with more than two classes, for each class. None means 10, or all features if there
        are fewer. If k is larger than the number of features, all of them may be used and a warning is given. The name of an
        information criterion (see :meth:`ksparse.PathResult.criterion`) chooses the k in [0, k_max] for which it is smallest,
        for each class separately.
    k_max : int or None, default=None
        The largest k that an information criterion considers. None means 10, or all features if there are fewer.
    loss : str or object of :mod:`ksparse.losses`, default="logistic"
        The loss, given by its name or as an object that holds its parameters, e.g. ``ksparse.losses.HuberisedHinge(width=1)``.
    alpha : float, default=0.5
        Weight of the positive class in the focal loss, in (0, 1); the negative class has the weight ``1 - alpha``. It is used
        only with ``loss="focal"``.
    gamma : float, default=2.0
        Focusing exponent of the focal loss, >= 0. With 0 this is the weighted logistic loss. It is used only with
        ``loss="focal"``.
    ridge : float, default=0.0
        Weight of the ridge penalty, which is half the squared Euclidean norm of the coefficients, in units of the average loss,
        >= 0. Use a small positive value, e.g. 1e-3, where the classes can be separated by the chosen features.
    fit_intercept : bool, default=True
        Whether to fit an intercept. It is never penalised, and it does not count towards ``k``.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, as in scikit-learn; they are multiplied by ``sample_weight``. With "balanced" all classes have
        the same sum of weights. In one-vs-rest problems every row keeps the weight of its own class.
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
        Features that are always kept, whatever their coefficients, given by index or, if X has column names, by name. They
        count towards ``k``.
    never_in : array-like of int or str or None, default=None
        Features that are never kept, given by index or by name.
    bounds : tuple (lower, upper) or None, default=None
        Lower and upper bounds of the coefficients, in the units of the columns. Each is a number, an array of shape
        (n_features,) or None (no bound), with lower <= 0 <= upper unless the feature is in ``always_in``. For example,
        ``(0, None)`` excludes negative coefficients. A chosen feature whose coefficient ends at 0 is removed from the support.
    groups : array-like of shape (n_features,) or None, default=None
        Group label of each feature, an integer or a string. The features of a group enter and leave the model together, and
        ``k`` counts groups. ``always_in`` and ``never_in`` refer to whole groups, named by any of their features.
    certify : bool, default=False
        Whether to prove how far the chosen features can be from the best ones, by :meth:`FitResult.certify
        <ksparse.FitResult.certify>`; the proof is ``estimator_.proof_``. The search then has the limits of ``search``,
        ``max_rounds`` and ``max_refits``, and ``max_seconds`` limits the proof. A proof needs a ridge penalty or bounds.
    max_gap : float, default=1e-6
        With ``certify``, the relative gap at which the proof ends, > 0.
    max_nodes : int or None, default=None
        With ``certify``, the number of nodes after which the proof ends. By default there is no limit.
    n_jobs : int or None, default=None
        Number of threads, as in scikit-learn: None means 1 unless a ``joblib.parallel_config`` is active, and -1 means all
        processors. Threads divide the classes among them if there are more than two, run the ``walks`` if there are several,
        and otherwise divide the sums over X.
    warm_start : bool, default=False
        Whether ``fit`` also starts from the features that the previous fit chose, if it had the same features and classes and
        chose at most ``k`` features. It is used if ``k`` is an integer and there are no more than two classes.
    verbose : bool or int, default=0
        Whether to show a progress bar, which needs tqdm (``pip install 'ksparse[progress]'``).

    Attributes
    ----------
    support_ : ndarray of int64
        Indices of the features that are kept, sorted; :meth:`get_support` returns them as a mask.
    estimator_ : KSparseClassifier or KSparseRegressor
        The fitted estimator that chose the features, with its coefficients, objective and status.
    n_features_in_ : int
        Number of features seen during ``fit``.
    feature_names_in_ : ndarray of str
        Names of the features seen during ``fit``. Defined only if X is a data frame whose column names are all strings.

    Warns
    -----
    sklearn.exceptions.ConvergenceWarning
        If the classes are separable or the limit of iterations was reached; the message says what to change.

    See Also
    --------
    ksparse.KSparseClassifier : The classifier, a linear model on the chosen features.
    sklearn.feature_selection.SelectFromModel : Selects features with the coefficients of any model.

    Notes
    -----
    The features are chosen for a linear model. A feature that is useful only through its square or an interaction with another
    feature is not found, even if the model that follows could use it.

    In cross-validation, put the selector into the pipeline so that the features are chosen on each training set. Features
    chosen on all rows have seen the labels of the test sets.

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
    ) -> KSparseSelector:
        """Choose the features.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Features, which must be finite. See :func:`ksparse.fit` for the types that are read without a copy.
        y : array-like of shape (n_samples,)
            Labels of two or more classes, of any type that can be sorted, or numbers for a regression loss.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the rows, >= 0. A weight of 2 has the same effect as two equal rows. y may be missing in a row of weight 0.
        offset : array-like of shape (n_samples,), optional
            Values added to the linear predictor, e.g. the linear predictor of an earlier model, or a column for each class. Predictions
            need those of their own rows.
        exposure : array-like of shape (n_samples,), optional
            How long or how much each row was observed, > 0; its logarithm is added to the linear predictor. It needs a loss
            with a log link, or ``"cloglog"``.

        Returns
        -------
        KSparseSelector
            The fitted selector itself.

        Raises
        ------
        ValueError, TypeError
            If an argument is invalid; the message names the argument, its value and what it must be.
        """
        refuse_blocks(X)
        last = getattr(self, "estimator_", None) if self.warm_start else None
        kind = KSparseClassifier if check_loss(self.loss, 0.5, 2.0).is_classification else KSparseRegressor
        estimator = last if isinstance(last, kind) else kind()
        known = estimator.get_params(deep=False)
        own = {name: value for name, value in self.get_params(deep=False).items() if name in known}
        self.estimator_ = estimator.set_params(**own).fit(X, y, sample_weight, offset=offset, exposure=exposure)
        validate_data(
            self, X, skip_check_array=True
        )  # the estimator has checked X; this stores the number and names of its columns
        self.support_ = self._kept()
        return self

    def transform(self, X: Any) -> Any:
        """Reduce X to the selected features.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows, with the columns of the fit.

        Returns
        -------
        array, sparse matrix or data frame of shape (n_samples, n_kept)
            The selected columns. The result is sparse if X is a sparse matrix or a data frame with sparse columns, and it is a
            data frame if ``set_output`` asks for one.
        """
        check_is_fitted(self)
        numbers = validate_readable(self, X, reset=False, dtype=None, accept_sparse="csr")
        if hasattr(X, "iloc") and _get_output_config("transform", estimator=self)["dense"] != "default":
            return self._transform(X)  # a data frame whose columns keep their types
        return self._transform(numbers)

    def _kept(self) -> NDArray[np.int64]:
        """Return the chosen features. Features in ``always_in`` and in chosen groups are kept even if their coefficient is 0."""
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

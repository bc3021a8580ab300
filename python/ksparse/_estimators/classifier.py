"""The scikit-learn estimator for two classes and for more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import ConvergenceWarning

from .._checks import check_integer
from .._input.progress import Report, part_of, progress_if
from .._input.request import Inputs
from .._many import solve_many
from .._path import warn_of_doubts
from .._results.batch import batch_of
from .._results.fit import FitResult
from .._results.path import PathResult
from ..losses import Loss
from .certified import CertifySettings
from .linear_classifier import SparseLinearClassifier
from .offsets import Offsets
from .one_budget import OneBudget, without_data
from .outcomes import Outcomes, one_class

__all__ = ["KSparseClassifier"]


class KSparseClassifier(OneBudget, SparseLinearClassifier):
    r"""Linear classifier that uses at most ``k`` features; one-vs-rest with more than two classes.

    The model minimises, over :math:`\beta` and :math:`\beta_0` with :math:`\lVert\beta\rVert_0 \le k`,

    .. math:: \frac{1}{W}\sum_i w_i\,\ell(m_i) + \frac{\rho}{2}\lVert\beta\rVert_2^2,
              \qquad m_i = (2 y_i - 1)(x_i\cdot\beta + \beta_0)

    with the logistic, the focal or another loss for classification; see :func:`ksparse.fit`. With more than two classes, one
    such model is fitted for each class against the rest. Each class then has its own features, at most ``k`` of them, which
    distinguish it from the rest.

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
        Whether to prove how far the fit can be from the best one, by :meth:`FitResult.certify <ksparse.FitResult.certify>` (with more than two classes, of each class). The
        search then has the limits of ``search``, ``max_rounds`` and ``max_refits``, and ``max_seconds`` limits the proof. A proof
        needs a ridge penalty or bounds.
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
    classes_ : ndarray of shape (n_classes,)
        The class labels, sorted.
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Coefficients in the units of the columns, zero outside the support: one row for two classes, otherwise one row for each
        class.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        The intercepts, 0 if ``fit_intercept=False``. A class that could not be fitted has -inf, so it is never predicted.
    support_ : ndarray of int64
        Indices of the chosen features, sorted. With more than two classes, these are the features that any of them uses.
    supports_ : list of ndarray of int64
        Indices of the chosen features for each row of ``coef_``.
    objective_ : float or ndarray of shape (n_classes,)
        Value of the minimised objective F; with more than two classes, of each class. NaN for a class that could not be fitted.
    lower_bound_ : float or ndarray of shape (n_classes,)
        No model with at most k features has a lower F than this; NaN without a ridge penalty or bounds, see :class:`ksparse.FitResult`.
    gap_ : float or ndarray of shape (n_classes,)
        ``(objective_ - lower_bound_) / objective_``, the largest part of F by which a better model could lower it.
    proof_ : Proof or list of Proof
        What is proved, with ``certify`` only; with more than two classes, for each class (None for a class that could not be fitted).
    status_ : str or ndarray of str, shape (n_classes,)
        How the fit ended: ``converged`` unless there was a problem, see :class:`ksparse.FitResult`.
    n_iter_ : int or ndarray of shape (n_classes,)
        Total number of Newton iterations, over all supports that were tried.
    gamma_ : float or ndarray of shape (n_classes,)
        Focusing exponent of the loss, 0 unless it is the focal loss.
    result_ : FitResult or BatchResult
        The complete result, with an entry for each class if there are more than two.
    path_ : PathResult or list of PathResult
        All fits that were compared if ``k`` is the name of a criterion; with more than two classes, one path for each class
        (None for a class without rows of positive weight). Fits whose criterion is close to the smallest are searched as long
        as ``search`` says, the others as with ``search="fast"``.
    n_features_in_ : int
        Number of features seen during ``fit``.
    feature_names_in_ : ndarray of str
        Names of the features seen during ``fit``. Defined only if X is a data frame whose column names are all strings.

    Warns
    -----
    sklearn.exceptions.ConvergenceWarning
        If the classes are separable or the limit of iterations was reached; the message says what to change. With more than two
        classes, one of them may fail alone, e.g. because it can be separated from the rest; the others are still fitted.

    See Also
    --------
    ksparse.fit : The same for arrays, as a function.
    ksparse.KSparseMultiLabelClassifier : Classifier for rows that can have several labels.

    Notes
    -----
    With the focal loss, :math:`\sigma(\eta)` is not the probability of a class: it is always closer to 1/2. ``predict_proba``
    inverts the effect of the focusing exponent in closed form [2]_ and estimates the class probabilities with the class weights
    ``alpha`` and ``1 - alpha``, just as a classifier with ``class_weight`` does; with ``alpha=0.5`` these are the probabilities
    themselves. ``predict`` returns the class with the largest probability. ``probability="score"`` returns :math:`\sigma(\eta)`
    unchanged, for comparisons with other software or for your own calibration; predictions are the same.

    With more than two classes, ``predict`` returns the class with the largest linear predictor, and ``predict_proba`` divides
    the one-vs-rest probabilities by their sum. The classes are fitted separately, so these probabilities need not sum to one
    before the division.

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

        Three classes, with two features for each of them:

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

    _takes_blocks = True

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
    ) -> KSparseClassifier:
        """Choose the features and fit the coefficients.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features), or RowBlocks
            Features, which must be finite. See :func:`ksparse.fit` for the types that are read without a copy.
        y : array-like of shape (n_samples,)
            Labels of two or more classes, of any type that can be sorted.
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
        KSparseClassifier
            The fitted estimator itself.

        Raises
        ------
        ValueError, TypeError
            If an argument is invalid; the message names the argument, its value and what it must be.
        """
        last = self._last_fit()
        inputs, labels = self._validated(X, y, sample_weight, Offsets(offset, exposure))
        self.__dict__.pop("path_", None)  # of an earlier fit
        if len(self.classes_) > 2:
            with progress_if(self.verbose, "fits") as report:
                outcomes = self._one_vs_rest(inputs, labels, report)
            self._take_all(outcomes, "classes", self.classes_)
        else:
            self._fit_one(inputs, labels, last)
        return self

    def _identity(self) -> tuple[Any, ...]:
        return self.classes_.tolist(), *super()._identity()

    def _one_vs_rest(self, inputs: Inputs, labels: NDArray[np.intp], report: Report | None) -> Outcomes:
        """Fit each class against the rest."""
        # In a batch, alpha, gamma and ridge may be arrays. Here they must be numbers for all classes, as with two classes.
        inputs.settings.checked_loss()
        inputs.settings.options_of_any_data()
        indicator = self._indicator_of(labels)
        if isinstance(self.k, str):
            outcomes = self._best_of_paths(inputs, indicator, report)
        else:
            outcomes = Outcomes.of(inputs, indicator, check_integer(self._budget(inputs), "k", 0), self.n_jobs, report)
        for name in self.classes_[outcomes.always]:
            raise ValueError(f"sample_weight leaves one class only: it is zero for every row but those of class {name}")
        return outcomes

    def _best_of_paths(self, inputs: Inputs, indicator: NDArray[Any], report: Report | None) -> Outcomes:
        """Choose k for each class by the criterion; take the smallest k for a class for which no fit has a finite F."""
        always, never = one_class(indicator, inputs.sample_weight)
        paths: list[PathResult | None] = []
        fits: list[FitResult] = []
        certify = CertifySettings.of(self)
        n_ks = len(self._ks(inputs))
        total = n_ks * int(np.count_nonzero(~(always | never)))
        for i, (column, empty) in enumerate(zip(indicator.T, always | never, strict=True)):
            own = inputs.of_problem(i)
            if empty:  # fit_many reports the failure
                free = replace(inputs.settings, always_in=None, never_in=None, bounds=None, groups=None)
                paths.append(None)
                fits.append(solve_many(replace(own, settings=free), column[:, None], 0, 1)[0])
                continue
            share = part_of(report, n_ks * sum(before is not None for before in paths), total)
            path = self._path(own, column, share)
            paths.append(without_data(path))
            best = path.best(str(self.k)) if np.isfinite(path.objectives).any() else path[0]
            fits.append(certify.prove(best) if certify else best)
        self.path_ = paths
        known = {f"class {name}": path for name, path in zip(self.classes_, paths, strict=True) if path is not None}
        doubts = {name: path._doubts(str(self.k)) for name, path in known.items() if np.isfinite(path.objectives).any()}
        warn_of_doubts(doubts, ConvergenceWarning, stacklevel=5)
        proofs = [fit.proof for fit in fits] if certify else None
        return Outcomes(batch_of(fits, self.groups), always, never, proofs)

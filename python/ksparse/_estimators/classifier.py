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
from .linear_classifier import SparseLinearClassifier
from .one_budget import OneBudget
from .outcomes import Outcomes, one_class

__all__ = ["KSparseClassifier"]


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
        last = self._last_fit()
        inputs, labels = self._validated(X, y, sample_weight)
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
        # Those of a batch may be arrays; these hold for all classes, and are refused as with two.
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
        """Choose k for each class by the criterion; the smallest k where no fit of a class has a finite F."""
        always, never = one_class(indicator, inputs.sample_weight)
        paths: list[PathResult | None] = []
        fits: list[FitResult] = []
        n_ks = len(self._ks(inputs))
        total = n_ks * int(np.count_nonzero(~(always | never)))
        for column, empty in zip(indicator.T, always | never, strict=True):
            if empty:  # the batch fails it in its own words
                free = replace(inputs.settings, always_in=None, never_in=None, bounds=None, groups=None)
                paths.append(None)
                fits.append(solve_many(replace(inputs, settings=free), column[:, None], 0, 1)[0])
                continue
            share = part_of(report, n_ks * sum(before is not None for before in paths), total)
            path = self._path(inputs, column, share)
            paths.append(path)
            fits.append(path.best(str(self.k)) if np.isfinite(path.objectives).any() else path[0])
        self.path_ = paths
        known = {f"class {name}": path for name, path in zip(self.classes_, paths, strict=True) if path is not None}
        doubts = {name: path._doubts(str(self.k)) for name, path in known.items() if np.isfinite(path.objectives).any()}
        warn_of_doubts(doubts, ConvergenceWarning, stacklevel=5)
        return Outcomes(batch_of(fits, self.groups), always, never)

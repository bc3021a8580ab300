"""Fit one problem: arrays in, a result out."""

from __future__ import annotations

import textwrap
import warnings
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _core
from ._caution import STATUSES, caution_of
from ._optional import require
from ._quiet import quiet
from ._reading import ReadableFit
from ._request import Request, Settings
from ._stored import Array, Nothing, Rules, Stored, Value
from ._table import Table, Tabular
from ._threads import thread_count
from ._validation import check_features, check_integer, check_names, check_rows, linear_predictor
from .exceptions import ConvergenceWarning
from .losses import BY_NAME, Focal, Loss

__all__ = ["Alternatives", "FitResult", "fit"]


@dataclass(frozen=True, eq=False, repr=False)
class Alternatives(Stored):
    """Which features could stand in for chosen ones, and at what objective.

    Rows are ordered by chosen feature, then by rising objective.

    Attributes
    ----------
    feature : ndarray of int64, shape (n_rows,)
        Chosen feature; where groups of features were chosen, the number of a group among their sorted labels.
    stand_in : ndarray of int64, shape (n_rows,)
        Feature, or group, in its place.
    objective : ndarray of shape (n_rows,)
        F of the support with the one in place of the other, after a refit.
    increase : ndarray of shape (n_rows,)
        By how much that is more than F of the fit.
    status : ndarray of str, shape (n_rows,)
        How the refit ended, in the words of :class:`FitResult`. Where it is not ``converged``, the objective is as far as the
        refit got; the minimum on that support may be lower.
    feature_names : ndarray or None
        Names of the columns where they are known, or labels of the groups.
    note : str
        What must be known of a fit that did not converge, whose F is no minimum to compare with; empty otherwise.
    """

    feature: NDArray[np.int64]
    stand_in: NDArray[np.int64]
    objective: NDArray[np.float64]
    increase: NDArray[np.float64]
    status: NDArray[np.str_]
    feature_names: NDArray[np.object_] | None = None
    note: str = ""

    _RULES: ClassVar[Rules] = {
        "feature_names": Array("OUSiubf", "p", optional=True),
        "note": Value((str,)),
        "feature": Array("i", "r", below="p"),
        "stand_in": Array("i", "r", below="p"),
        "objective": Array("f", "r"),
        "increase": Array("f", "r"),
        "status": Array("U", "r", among=STATUSES),
    }

    def _name(self, j: int) -> str:
        return str(j) if self.feature_names is None else str(self.feature_names[j])

    def _rise(self, row: np.intp) -> str:
        note = "" if self.status[row] == "converged" else f", {self.status[row]}"
        return f"{self.increase[row]:+.3g}{note}"

    def to_frame(self) -> Any:
        """Table with a row per alternative.

        Returns
        -------
        pandas.DataFrame
            Columns ``feature``, ``stand_in`` (names where they are known), ``objective``, ``increase``, ``status``.

        Raises
        ------
        ModuleNotFoundError
            If pandas is not installed.
        """
        pandas = require("pandas", "to_frame()", "pandas")
        name: Any = int if self.feature_names is None else self._name
        return pandas.DataFrame(
            {
                "feature": [name(j) for j in self.feature],
                "stand_in": [name(j) for j in self.stand_in],
                "objective": self.objective,
                "increase": self.increase,
                "status": self.status,
            }
        )

    def __repr__(self) -> str:
        """Return a line per chosen feature, its stand-ins with the rise of F."""
        lines = []
        for j in dict.fromkeys(self.feature.tolist()):
            rows = np.flatnonzero(self.feature == j)
            rivals = ", ".join(f"{self._name(self.stand_in[row])} ({self._rise(row)})" for row in rows)
            lines.append(f"{self._name(j)}: {rivals}")
        notes = [textwrap.fill(self.note, 100)] * bool(self.note)
        return "\n".join(["stand-ins for each chosen feature (rise of F)", *lines, *notes])


@dataclass(frozen=True, eq=False)
class FitResult(Stored, Tabular, ReadableFit):
    """What :func:`ksparse.fit` found.

    It refers to the data of the fit without a copy, for :meth:`alternatives`, :meth:`summary` and
    :meth:`scorecard`.

    Attributes
    ----------
    coef : ndarray of shape (n_features,)
        Coefficients per unit of the columns of X, zero outside the support.
    intercept : float
        Intercept, 0 without one.
    support : ndarray of int64, shape (n_chosen,)
        Chosen features, those whose coefficients are not 0, sorted; at most ``k``, and fewer when no other feature adds anything.
    objective : float
        F at the answer.
    status : str
        ``converged``, ``max_iterations``, ``stalled``, ``separable`` or ``numerical_failure``.
    advice : str
        What to do about the status, empty when converged.
    n_newton, n_scans, n_refits : int
        Newton iterations, passes over all of X, and supports refitted.
    n_rounds : int
        Rounds of perturbation after the first descent.
    times_found : int
        Descents, the first included, that ended at this answer. Many of ``n_rounds + 1``: it is settled. One of many: a
        longer search may find better.
    k : int
        Budget that was asked for.
    loss : str
        Name of the loss that was minimised.
    alpha, gamma : float
        Parameters of the focal loss; 0.5 and 0 for other losses.
    ridge : float
        Weight of half the squared norm of the coefficients.
    feature_names : ndarray of str or None
        Names of the columns, when X was a data frame whose columns are all strings.
    groups : ndarray or None
        Labels of the chosen groups, sorted, when groups of features were chosen.
    """

    coef: NDArray[np.float64] = field(repr=False)
    intercept: float
    support: NDArray[np.int64]
    objective: float
    status: str
    advice: str = field(repr=False)
    n_newton: int = field(repr=False)
    n_scans: int = field(repr=False)
    n_refits: int = field(repr=False)
    n_rounds: int = field(repr=False)
    times_found: int = field(repr=False)
    k: int
    loss: str
    alpha: float = field(default=0.5, repr=False)
    gamma: float = field(default=0.0, repr=False)
    ridge: float = field(default=0.0, repr=False)
    feature_names: NDArray[np.object_] | None = field(default=None, repr=False)
    groups: NDArray[Any] | None = field(default=None, repr=False)
    _loss: Loss = field(default=cast("Loss", None), repr=False)
    _request: Request | None = field(default=None, repr=False)

    _RULES: ClassVar[Rules] = {
        "coef": Array("f", "p"),
        "support": Array("i", "s", below="p"),
        **dict.fromkeys(("intercept", "objective", "alpha", "gamma", "ridge"), Value((float, np.floating))),
        "status": Value((str,), among=STATUSES),
        "advice": Value((str,)),
        **dict.fromkeys(("n_newton", "n_scans", "n_refits", "n_rounds", "times_found", "k"), Value((int, np.integer), low=0)),
        "loss": Value((str,)),
        "feature_names": Array("OU", "p", optional=True),
        "groups": Array("iubfUSO", "g", optional=True),
        "_loss": Value((Loss,)),
        "_request": Nothing(),
    }

    def __post_init__(self) -> None:
        """Know the loss by its name where it was not handed over."""
        if self._loss is None or self._loss.name != self.loss:
            loss = Focal(self.alpha, self.gamma) if self.loss == "focal" else BY_NAME[self.loss]()
            object.__setattr__(self, "_loss", loss)

    def __getstate__(self) -> dict[str, Any]:
        """Leave the data out: a pickled result is small."""
        return {**self.__dict__, "_request": None}

    @property
    def converged(self) -> bool:
        """Whether the answer is a proper minimum on its support."""
        return self.status == "converged"

    @property
    def _penalty(self) -> float:
        """The ridge term of F; without a ridge 0, also where the square of a coefficient is beyond the range."""
        return 0.5 * self.ridge * float(np.sum(self.coef[self.support] ** 2)) if self.ridge > 0 else 0.0

    @property
    def _caution(self) -> str:
        return caution_of(self.status, self.advice)

    def alternatives(self, n: int = 5) -> Alternatives:
        """For each chosen feature, the best features to stand in for it and the objective that each would give.

        On correlated data several features may serve nearly as well, and which of them is chosen means little. Candidates
        come from one scan of all features by the exact quadratic model, twice as many as asked for, and are refitted.

        Parameters
        ----------
        n : int, default=5
            Stand-ins per chosen feature, >= 1; fewer where there are not as many.

        Returns
        -------
        Alternatives
            Features, stand-ins and objectives; features that must be in have none.

        Raises
        ------
        ValueError
            If the result no longer refers to its data: after unpickling, from :func:`ksparse.fit_each`, or as an attribute of an
            estimator. Fit again with :func:`ksparse.fit`.
        """
        count = check_integer(n, "n", 1)
        request = self._data()
        numbers = request.group_numbers
        support = [int(unit) for unit in (self.support if numbers is None else np.unique(numbers[self.support]))]
        # There are no more stand-ins than columns.
        rows = _core.alternatives(*request.arguments, request.options, support, min(count, len(self.coef)))
        objective = np.array([row[2] for row in rows], dtype=np.float64)
        return Alternatives(
            feature=np.array([row[0] for row in rows], dtype=np.int64),
            stand_in=np.array([row[1] for row in rows], dtype=np.int64),
            objective=objective,
            increase=objective - self.objective,
            status=np.array([row[3] for row in rows], dtype=np.str_),
            feature_names=self.feature_names if numbers is None else request.group_labels,
            note=self._caution,
        )

    @quiet
    def decision_function(self, X: ArrayLike, offset: ArrayLike | None = None) -> NDArray[np.float64]:
        """Linear predictor of new rows.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows with the columns of the fit.
        offset : array-like of shape (n_samples,), optional
            Added to the linear predictor.

        Returns
        -------
        ndarray of shape (n_samples,)
            ``X @ coef + intercept + offset``; positive for class 1. Of a loss with a log link, the logarithm of the mean.

        Raises
        ------
        ValueError
            If X has another number of columns than the fit, or is a data frame with columns of other names.
        """
        check_names(X, self.feature_names)
        eta = linear_predictor(X, self.support, self.coef[self.support], len(self.coef)) + self.intercept
        return eta if offset is None else eta + check_rows(offset, len(eta), "offset")

    def predict_proba(self, X: ArrayLike, offset: ArrayLike | None = None) -> NDArray[np.float64]:
        """Probability of class 1 of new rows.

        As :meth:`ksparse.KSparseClassifier.predict_proba` gives it: for the focal losses with the focusing undone.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows with the columns of the fit.
        offset : array-like of shape (n_samples,), optional
            Added to the linear predictor.

        Returns
        -------
        ndarray of shape (n_samples,)
            Probabilities, increasing with the linear predictor. A vector, as in :class:`ksparse.BatchResult`; estimators return a
            column by class.

        Raises
        ------
        ValueError
            As :meth:`decision_function`, or if the loss says nothing of probabilities.
        """
        return probability_by(self._loss, self._loss.log_odds(self.decision_function(X, offset)))

    def predict(self, X: ArrayLike, offset: ArrayLike | None = None) -> NDArray[Any]:
        """Labels of new rows; of a loss of regression, mean responses.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows with the columns of the fit.
        offset : array-like of shape (n_samples,), optional
            Added to the linear predictor.

        Returns
        -------
        ndarray of int8 or float64, shape (n_samples,)
            1 where class 1 is the likelier (where the linear predictor is positive, for all losses but ``cloglog`` and
            ``asymmetric_focal``), else 0; or means.

        Raises
        ------
        ValueError
            As :meth:`decision_function`.
        """
        return prediction_by(self._loss, self.decision_function(X, offset))

    def _table(self) -> Table:
        """Return the chosen features with their coefficients."""
        names = [str(j) if self.feature_names is None else str(self.feature_names[j]) for j in self.support]
        rows = [(name, f"{self.coef[j]:+.6g}") for name, j in zip(names, self.support, strict=True)]
        return Table(
            f"{len(self.support)} of {len(self.coef)} features, {self.loss} loss, objective {self.objective:.6g}, {self.status}",
            ("feature", "coefficient"),
            [*rows, ("(intercept)", f"{self.intercept:+.6g}")],
            (self._caution,) if self._caution else (),
        )


def probability_by(loss: Loss, log_odds: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """Probability of class 1, or what to use where the loss says nothing of it."""
    from ._probability import probability_of  # SciPy takes longer to import than ksparse

    if log_odds is None:
        raise ValueError(f"the loss {loss.name!r} says nothing of probabilities; use decision_function()")
    return probability_of(log_odds)


def prediction_by(loss: Loss, eta: NDArray[np.float64]) -> NDArray[Any]:
    """Labels, or mean responses, of linear predictors; -1 for a label where there is none."""
    if not loss.is_classification:
        return loss.mean(eta)
    return np.where(np.isnan(eta), -1, eta > loss.decision_threshold()).astype(np.int8)


def fit(
    X: ArrayLike,
    y: ArrayLike,
    k: int,
    *,
    loss: str | Loss = "logistic",
    alpha: float = 0.5,
    gamma: float = 2.0,
    ridge: float = 0.0,
    fit_intercept: bool = True,
    sample_weight: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    tolerance: float = 1e-8,
    max_newton: int = 100,
    search: str = "auto",
    max_rounds: int | None = None,
    max_refits: int | None = None,
    max_seconds: float | None = None,
    random_state: int = 0,
    walks: int = 1,
    n_jobs: int | None = None,
    start: ArrayLike | None = None,
    always_in: ArrayLike | None = None,
    never_in: ArrayLike | None = None,
    bounds: tuple[Any, Any] | None = None,
    groups: ArrayLike | None = None,
) -> FitResult:
    r"""Choose at most k features and fit a linear classifier, or a regression, on them.

    Minimises over :math:`\beta, \beta_0` with :math:`\lVert\beta\rVert_0 \le k`

    .. math:: F = \frac{1}{W}\sum_i w_i\,\ell(m_i) + \frac{\rho}{2}\lVert\beta\rVert_2^2,
              \qquad m_i = (2 y_i - 1)(x_i\cdot\beta + \beta_0 + o_i),\quad W = \sum_i w_i

    with the logistic loss :math:`\ell(m) = \log(1 + e^{-m})` or the focal loss [1]_
    :math:`\ell(m) = a\,\sigma(-m)^\gamma \log(1 + e^{-m})`, where :math:`a = \alpha` for y = 1 and :math:`1 - \alpha` for
    y = 0, or with another loss of :mod:`ksparse.losses`, of labels or of numbers; of numbers
    :math:`\ell` is a function of the linear predictor and y. The search is by splicing [2]_: features enter and change places by the exact quadratic model at the current
    point, and a change is kept only when a refit verifies that F falls; ``search`` says how far it goes.

    Parameters
    ----------
    X : array-like or sparse matrix of shape (n_samples, n_features)
        Features, finite. Read in place: float64 and float32 arrays (memory maps too) with contiguous rows or columns, and
        SciPy's CSC and CSR of these, which are neither centred nor made dense (``groups`` need a copy of a CSR matrix by columns).
        Other sparse formats, and pandas' frames of sparse columns, are converted to CSC,
        other real types to float64, other strides are copied. Sums are taken in float64 throughout. No scaling is needed: the
        choice of features does not depend on the columns' units (with ``ridge=0``).
    y : array-like of shape (n_samples,)
        Labels, 0 and 1, of which both must occur; or numbers such as a loss of regression allows.
    k : int
        Most features used, >= 0. The intercept does not count. More than X has means all of them, with a warning.
    loss : str or object of :mod:`ksparse.losses`, default="logistic"
        The loss, by name or as an object that has its parameters.
    alpha : float, default=0.5
        Focal loss: weight of the positive class, in (0, 1).
    gamma : float, default=2.0
        Focal loss: focusing exponent, >= 0; 0 is the weighted logistic loss.
    ridge : float, default=0.0
        :math:`\rho`, in units of the average loss, >= 0. Small data that are separable need it.
    fit_intercept : bool, default=True
        Whether to fit :math:`\beta_0`, which is never penalised.
    sample_weight : array-like of shape (n_samples,), optional
        Weights of the rows, >= 0.
    offset : array-like of shape (n_samples,), optional
        Added to the linear predictor, in its units.
    tolerance : float, default=1e-8
        The answer is stationary to this Newton decrement :math:`\sqrt{g^\top H^{-1} g}`, > 0.
    max_newton : int, default=100
        Newton iterations per refit, >= 1.
    search : {"auto", "fast", "thorough"}, default="auto"
        How far to search. ``fast`` is one descent, and with few features (fewer than about 100) four perturbations of its
        answer with a descent from each. ``thorough`` perturbs and descends up to 400 times or about 30000 / k refits, which
        correlated designs need. ``auto`` does so up to 40 times, and only where more than a quarter of the chosen features
        have a rival that would cost less than 1 % of F; else it is ``fast``.
    max_rounds : int, optional
        Perturbations at most, instead of the budget above.
    max_refits : int, optional
        No new perturbation after so many refits beyond the first descent, instead of the budget of ``search``.
    max_seconds : float, optional
        No new perturbation after this time, instead of the budget above. Answers may then differ between runs.
    random_state : int, default=0
        Seed of the perturbations; the same seed and budget give the same answer.
    walks : int, default=1
        Independent walks, each with a seed of its own, that share the budget of rounds and refits; each may use
        ``max_seconds``. The best end is the answer. Several find more on rugged data where time is what is limited, as they
        may run side by side; the answer depends on their number and not on ``n_jobs``.
    n_jobs : int or None, default=None
        Threads that run the walks. None: 1, or what joblib's context says; -1: all processors.
    start : array-like of int or str, optional
        Features, at most k, from which the search descends as well, such as the support of an earlier fit or one that an expert
        names. The answer is no worse than a refit of them, nor than the descent from nothing. It counts as a round.
    always_in : array-like of int or str, optional
        Features in every model, by number or, if X has column names, by name. They count towards k. One whose coefficient ends
        at 0, for it is constant or at a bound, takes its place in k but is not in ``support``, which lists what is not 0.
    never_in : array-like of int or str, optional
        Features in none.
    bounds : tuple (lower, upper), optional
        Bounds of the coefficients per unit of the columns, each a number, an array of shape (n_features,) or None, with
        lower <= 0 <= upper unless the feature is in ``always_in``. ``(0, None)``: no negative coefficient. A chosen feature whose
        coefficient ends at 0 is left out.
    groups : array-like of shape (n_features,), optional
        Label of each feature's group, an integer or a string. k then counts groups, and all features of a group are in or out;
        ``always_in`` and ``never_in`` name whole groups by any of their features.

    Returns
    -------
    FitResult
        Coefficients, support, objective and status.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it must be; the message names it and what it was.

    Warns
    -----
    ksparse.ConvergenceWarning
        If the data are separable or the fit did not converge; the message says what to change.

    References
    ----------
    .. [1] Lin, Goyal, Girshick, He, Dollár, "Focal loss for dense object detection", ICCV 2017, equation 5.
    .. [2] Zhu, Wen, Zhu, Zhang, Wang, "A polynomial algorithm for best-subset selection problem", PNAS 2020.

    Examples
    --------
    >>> import numpy as np
    >>> import ksparse
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((300, 50))
    >>> y = X[:, 7] - X[:, 30] + 0.5 * rng.standard_normal(300) > 0
    >>> result = ksparse.fit(X, y, k=2)
    >>> result.support
    array([ 7, 30])
    """
    settings = Settings(
        loss=loss,
        alpha=alpha,
        gamma=gamma,
        ridge=ridge,
        fit_intercept=fit_intercept,
        tolerance=tolerance,
        max_newton=max_newton,
        search=search,
        max_rounds=max_rounds,
        max_refits=max_refits,
        max_seconds=max_seconds,
        random_state=random_state,
        always_in=always_in,
        never_in=never_in,
        bounds=bounds,
        groups=groups,
    )
    result = solve(X, y, k, sample_weight, offset, settings, walks=walks, n_jobs=n_jobs, start=start)
    if not result.converged:
        warnings.warn(f"{result.status}: {result.advice}", ConvergenceWarning, stacklevel=2)
    return result


def solve(
    X: Any,
    y: Any,
    k: Any,
    sample_weight: Any,
    offset: Any,
    settings: Settings,
    names: NDArray[np.object_] | None = None,
    *,
    walks: Any = 1,
    n_jobs: int | None = None,
    start: Any = None,
    stop: _core.StopFlag | None = None,
    keep_data: bool = True,
) -> FitResult:
    """Validate, call the core, return its answer; the caller warns.

    ``names`` are those of X where it has lost them; ``stop`` ends the fit from another thread; without ``keep_data`` the result
    does not keep X alive.
    """
    request = Request.of(X, y, sample_weight, offset, settings, names)
    request.options.k = request.check_budget(k)
    request.options.walks = check_integer(walks, "walks", 1, 2**15)
    request.options.start = check_features(start, "start", request.design.shape[1], request.names)
    alone = request.options.walks == 1 and n_jobs is None  # joblib, which counts the threads, takes long to import
    answer = _core.fit(*request.arguments, request.options, stop, 1 if alone else thread_count(n_jobs))
    request.raise_if_refused(answer)
    return result_of(answer, request.options.k, request, keep_data=keep_data)


def result_of(
    answer: Any, k: int, request: Request, *, keep_data: bool = True, coef: NDArray[np.float64] | None = None
) -> FitResult:
    """Dress the core's answer; ``coef`` are its coefficients where it has them without their zeros."""
    return FitResult(
        coef=answer.coef if coef is None else coef,
        intercept=answer.intercept,
        support=answer.support,
        objective=answer.objective,
        status=answer.status,
        advice=answer.advice,
        n_newton=answer.n_newton,
        n_scans=answer.n_scans,
        n_refits=answer.n_refits,
        n_rounds=answer.n_rounds,
        times_found=answer.times_found,
        k=k,
        loss=request.loss.name,
        alpha=getattr(request.loss, "alpha", 0.5),
        gamma=getattr(request.loss, "gamma", 0.0),
        _loss=request.loss,
        ridge=request.options.ridge,
        feature_names=request.names,
        groups=request.groups_of(answer.support),
        _request=request if keep_data else None,
    )

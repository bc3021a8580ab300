"""The result of a single fit."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import _core
from .._caution import STATUSES, caution_of
from .._checks import check_integer
from .._input.frames import column_names, is_frame
from .._input.request import Request
from .._input.validation import check_names, check_rows, linear_predictor, names_of
from .._optional import require
from .._quiet import quiet
from ..losses import BY_NAME, KINKED, Loss
from .fit_data import FitData
from .proof import Certifiable, Proof
from .reading import ReadableFit
from .stored import Array, Nothing, Rules, Stored, Value
from .table import Table, Tabular

__all__ = ["Alternatives", "FitResult", "prediction_by", "probability_by", "result_of"]


@dataclass(frozen=True, eq=False, repr=False)
class Alternatives(Stored, Tabular):
    """Features that could replace the chosen ones, and the objective with each replacement.

    Entries are sorted by chosen feature, then by increasing objective.

    Attributes
    ----------
    feature : ndarray of int64, shape (n_rows,)
        Index of the chosen feature. If groups of features were chosen, index of the group among the sorted group labels.
    replacement : ndarray of int64, shape (n_rows,)
        Index of the feature, or group, that replaces it.
    objective : ndarray of shape (n_rows,)
        Objective F with the replacement, after a refit.
    increase : ndarray of shape (n_rows,)
        Difference of this objective from that of the fit.
    status : ndarray of str, shape (n_rows,)
        How the refit ended, with the same values as in :class:`FitResult`. If it is not ``converged``, the minimum on the
        support may be lower than the objective.
    feature_names : ndarray or None
        Names of the columns, if they are known, or the group labels.
    note : str
        A note if the fit did not converge, so that its F is not a minimum; empty otherwise.
    """

    feature: NDArray[np.int64]
    replacement: NDArray[np.int64]
    objective: NDArray[np.float64]
    increase: NDArray[np.float64]
    status: NDArray[np.str_]
    feature_names: NDArray[np.object_] | None = None
    note: str = ""

    _RULES: ClassVar[Rules] = {
        "feature_names": Array("OUSiubf", "p", optional=True),
        "note": Value((str,)),
        "feature": Array("i", "r", below="p"),
        "replacement": Array("i", "r", below="p"),
        "objective": Array("f", "r"),
        "increase": Array("f", "r"),
        "status": Array("U", "r", among=STATUSES),
    }

    def _name(self, j: int) -> str:
        return names_of([j], self.feature_names)[0]

    def _rise(self, row: np.intp) -> str:
        note = "" if self.status[row] == "converged" else f", {self.status[row]}"
        return f"{self.increase[row]:+.3g}{note}"

    def to_frame(self) -> Any:
        """Return a data frame with one row for each replacement.

        Returns
        -------
        pandas.DataFrame
            A data frame with the columns ``feature`` and ``replacement`` (names if they are known, else indices), ``objective``,
            ``increase`` and ``status``.

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
                "replacement": [name(j) for j in self.replacement],
                "objective": self.objective,
                "increase": self.increase,
                "status": self.status,
            }
        )

    def _table(self) -> Table:
        """Return a table with a line for each chosen feature: its replacements and the increase of F with each."""
        lines = []
        for j in dict.fromkeys(self.feature.tolist()):
            rows = np.flatnonzero(self.feature == j)
            rivals = ", ".join(f"{self._name(self.replacement[row])} ({self._rise(row)})" for row in rows)
            lines.append((self._name(j), rivals))
        title, left = "Features that could replace a chosen one", "replacements (increase of F)"
        return Table(title, ("feature", left), lines, (self.note,) * bool(self.note), left=(left,))


@dataclass(frozen=True, eq=False)
class FitResult(Stored, Tabular, Certifiable, ReadableFit):
    """Result of :func:`ksparse.fit`.

    It keeps a reference to the data, not a copy, for :meth:`alternatives`, :meth:`summary` and :meth:`scorecard`.

    Attributes
    ----------
    coef : ndarray of shape (n_features,)
        Coefficients in the units of the columns of X, zero outside the support.
    intercept : float
        The intercept, 0 if ``fit_intercept=False``.
    support : ndarray of int64, shape (n_chosen,)
        Indices of the chosen features, sorted. These are the features with non-zero coefficients. There are fewer than ``k`` if
        no other feature decreases F.
    objective : float
        Value of the minimised objective F.
    status : str
        ``converged``, ``max_iterations``, ``stalled``, ``separable`` or ``numerical_failure``.
    advice : str
        What to do about the status; empty if the fit converged.
    n_newton, n_scans, n_refits : int
        Number of Newton iterations, of passes over all of X, and of refits.
    n_rounds : int
        Number of descents after the first one.
    n_restarts : int
        Number of these that were restarts: they began from the empty model, and all features of the best answer found by then,
        and a random part of the others, were hidden from them until they had ended.
    times_found : int
        Number of restarts that ended at this result. If many of ``n_restarts`` did, the result is easy to find again from
        elsewhere. This does not prove that there is no better one: all descents follow the same rules, and may miss the same
        support. If few or none did, the result was found by changing other results, and a longer search may find a better one.
    k : int
        The given maximum number of features.
    loss : str
        Name of the loss.
    alpha, gamma : float
        Parameters of the focal loss; 0.5 and 0 for other losses.
    ridge : float
        Weight of the ridge penalty.
    feature_names : ndarray of str or None
        Names of the columns, if X is a data frame whose column names are all strings.
    groups : ndarray or None
        Labels of the chosen groups, sorted, if the features have groups.
    lower_bound : float
        No model with at most ``k`` features that fulfils the constraints has a lower F than this. With a ridge penalty, or with
        bounds on both sides of all coefficients, every fit has one from the scans of its search, at no extra pass over X. It is
        usually far from ``objective``; :meth:`certify` raises it. NaN if nothing limits the coefficients, for a loss of your own,
        or if the fit did not get as far as a scan.
    proof : Proof or None
        What is proved of the fit, after ``ksparse.fit(..., certify=True)`` or :meth:`certify`.
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
    n_restarts: int = field(repr=False)
    times_found: int = field(repr=False)
    k: int
    loss: str
    alpha: float = field(default=0.5, repr=False)
    gamma: float = field(default=0.0, repr=False)
    ridge: float = field(default=0.0, repr=False)
    feature_names: NDArray[np.object_] | None = field(default=None, repr=False)
    groups: NDArray[Any] | None = field(default=None, repr=False)
    lower_bound: float = field(default=float("nan"), repr=False)
    proof: Proof | None = field(default=None, repr=False)
    _loss: Loss = field(default=cast("Loss", None), repr=False)
    _deviations: NDArray[np.float64] | None = field(default=None, repr=False)  # of the chosen columns, once the data are left
    _request: Request | None = field(default=None, repr=False)

    _RULES: ClassVar[Rules] = {
        "coef": Array("f", "p"),
        "support": Array("i", "s", below="p"),
        **dict.fromkeys(("intercept", "objective", "alpha", "gamma", "ridge", "lower_bound"), Value((float, np.floating))),
        "status": Value((str,), among=STATUSES),
        "advice": Value((str,)),
        **dict.fromkeys(
            ("n_newton", "n_scans", "n_refits", "n_rounds", "n_restarts", "times_found", "k"), Value((int, np.integer), low=0)
        ),
        "loss": Value((str,)),
        "feature_names": Array("OU", "p", optional=True),
        "groups": Array("iubfUSO", "g", optional=True),
        "proof": Value((Proof, type(None))),
        "_loss": Value((Loss,)),
        "_deviations": Array("f", "s", optional=True),
        "_request": Nothing(),
    }

    def __post_init__(self) -> None:
        """Make the loss from its name if it is not given."""
        if self._loss is None or self._loss.name != self.loss:
            object.__setattr__(self, "_loss", {**BY_NAME, **KINKED}[self.loss]()._with_focal_parameters(self.alpha, self.gamma))

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the data, so that a pickled result is small."""
        return {**self.__dict__, "_request": None}

    @property
    def converged(self) -> bool:
        """Whether the coefficients minimise F on the support."""
        return self.status == "converged"

    @property
    def _penalty(self) -> float:
        """The ridge term of F. Without a ridge it is 0, even if the square of a coefficient overflows."""
        return 0.5 * self.ridge * float(np.sum(self.coef[self.support] ** 2)) if self.ridge > 0 else 0.0

    @property
    def _caution(self) -> str:
        return caution_of(self.status, self.advice)

    def alternatives(self, n: int = 5) -> Alternatives:
        """Find the best replacements for each chosen feature, and the objective with each of them.

        If features are correlated, several of them may be almost equally good, so it means little which of them was chosen.
        Candidates are found by one scan of all features with the exact quadratic model; twice as many as requested are
        refitted.

        Parameters
        ----------
        n : int, default=5
            Number of replacements for each chosen feature, >= 1. There may be fewer.

        Returns
        -------
        Alternatives
            The replacements and their objectives. Features in ``always_in`` have none.

        Raises
        ------
        ValueError
            If the result does not refer to its data, because it was unpickled, comes from :func:`ksparse.fit_each`, or is an
            attribute of an estimator. Use :func:`ksparse.fit` instead.
        """
        count = check_integer(n, "n", 1)
        request = self._unchanged_data()
        numbers = request.group_numbers
        support = [int(unit) for unit in (self.support if numbers is None else np.unique(numbers[self.support]))]
        # There cannot be more replacements than columns.
        rows = _core.alternatives(request.problem, request.options, support, min(count, len(self.coef)))
        objective = np.array([row[2] for row in rows], dtype=np.float64)
        return Alternatives(
            feature=np.array([row[0] for row in rows], dtype=np.int64),
            replacement=np.array([row[1] for row in rows], dtype=np.int64),
            objective=objective,
            increase=objective - self.objective,
            status=np.array([row[3] for row in rows], dtype=np.str_),
            feature_names=self.feature_names if numbers is None else request.group_labels,
            note=self._caution,
        )

    @quiet  # weights near the limits of doubles leave no usable deviations
    def _standard_deviations(self) -> NDArray[np.float64] | None:
        """Return the standard deviations of the chosen columns, or None if the result does not refer to its data."""
        return self._deviations if self._request is None else FitData.of(self._request, self).moments()[1]

    def _without_data(self) -> FitResult:
        """Return the result without a reference to its data, but with the standard deviations of the chosen columns."""
        return replace(self, _request=None, _deviations=self._standard_deviations())

    def on_support(self) -> FitResult:
        """Reduce the model to its chosen features, to apply it where only their columns exist.

        Returns
        -------
        FitResult
            The same model with ``coef`` and ``feature_names`` of the chosen features only, in the order of ``support``. It does not refer to
            the data of the fit.

        Examples
        --------
        >>> import numpy as np
        >>> import ksparse
        >>> rng = np.random.default_rng(0)
        >>> X = rng.standard_normal((300, 2000))
        >>> y = X[:, 7] - X[:, 30] + rng.logistic(size=300) > 0
        >>> result = ksparse.fit(X, y, k=2)
        >>> small = result.on_support()
        >>> bool(np.array_equal(small.predict(X[:, result.support]), result.predict(X)))
        True
        """
        chosen = self.support
        return replace(
            self._without_data(),
            coef=self.coef[chosen],
            support=np.arange(len(chosen)),
            feature_names=None if self.feature_names is None else self.feature_names[chosen],
        )

    @quiet
    def decision_function(self, X: ArrayLike, offset: ArrayLike | None = None) -> NDArray[np.float64]:
        """Compute linear predictors.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows, with the columns of the fit.
        offset : array-like of shape (n_samples,), optional
            Values added to the linear predictor.

        Returns
        -------
        ndarray of shape (n_samples,)
            ``X @ coef + intercept + offset``. In classification, class 1 is predicted where it is positive (with most losses);
            with a log link it is the logarithm of the mean.

        Raises
        ------
        ValueError
            If X has a different number of columns from the fit, or is a data frame in which a chosen column is missing.

        Notes
        -----
        A data frame with another number of columns than in the fit needs only the chosen columns, in any order: they are found by
        name. For arrays use :meth:`on_support`.
        """
        names = None if self.feature_names is None else self.feature_names[self.support]
        if names is None or not is_frame(X) or len(column_names(X)) == len(self.coef):
            check_names(X, self.feature_names)
        eta = linear_predictor(X, self.support, self.coef[self.support], len(self.coef), names) + self.intercept
        return eta if offset is None else eta + check_rows(offset, len(eta), "offset")

    def predict_proba(self, X: ArrayLike, offset: ArrayLike | None = None) -> NDArray[np.float64]:
        """Predict the probability of class 1.

        As in :meth:`ksparse.KSparseClassifier.predict_proba`, the effect of the focusing exponent is inverted for the focal
        losses.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows, with the columns of the fit.
        offset : array-like of shape (n_samples,), optional
            Values added to the linear predictor.

        Returns
        -------
        ndarray of shape (n_samples,)
            Probabilities of class 1. Estimators return one column for each class instead.

        Raises
        ------
        ValueError
            As in :meth:`decision_function`, or if the loss does not define probabilities.
        """
        return probability_by(self._loss, self._loss.log_odds(self.decision_function(X, offset)))

    def predict(self, X: ArrayLike, offset: ArrayLike | None = None) -> NDArray[Any]:
        """Predict labels, or mean responses for regression.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows, with the columns of the fit.
        offset : array-like of shape (n_samples,), optional
            Values added to the linear predictor.

        Returns
        -------
        ndarray of int8 or float64, shape (n_samples,)
            1 if class 1 is more likely, else 0. This means that the linear predictor is positive, except for the losses
            ``cloglog`` and ``asymmetric_focal``. For a regression loss, the mean responses.

        Raises
        ------
        ValueError
            As in :meth:`decision_function`.
        """
        return prediction_by(self._loss, self.decision_function(X, offset))

    def _table(self) -> Table:
        """Return the chosen features with their coefficients."""
        names = names_of(self.support, self.feature_names)
        rows = [(name, f"{self.coef[j]:+.6g}") for name, j in zip(names, self.support, strict=True)]
        return Table(
            f"{len(self.support)} of {len(self.coef)} features, {self.loss} loss, objective {self.objective:.6g}, {self.status}",
            ("feature", "coefficient"),
            [*rows, ("(intercept)", f"{self.intercept:+.6g}")],
            (*((self._caution,) if self._caution else ()), *((str(self.proof),) if self.proof else ())),
        )


def probability_by(loss: Loss, log_odds: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """Return the probability of class 1, or raise an error if the loss does not define it."""
    from .._probability import probability_of  # imported here because SciPy takes longer to import than ksparse

    if log_odds is None:
        raise ValueError(f"the loss {loss.name!r} does not define probabilities; use decision_function()")
    return probability_of(log_odds)


def prediction_by(loss: Loss, eta: NDArray[np.float64]) -> NDArray[Any]:
    """Return the labels or mean responses of linear predictors; -1 for a label whose linear predictor is NaN."""
    if not loss.is_classification:
        return loss.mean(eta)
    return np.where(np.isnan(eta), -1, eta > loss.decision_threshold()).astype(np.int8)


def result_of(
    answer: Any,
    k: int,
    request: Request,
    *,
    keep_data: bool = True,
    note_data: bool = True,
    coef: NDArray[np.float64] | None = None,
) -> FitResult:
    """Make a result from the answer of the core; ``coef`` are all coefficients if the answer has only the non-zero ones.

    Without ``note_data``, the result does not notice later changes of its data, for callers that take the data from it at once.
    """
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
        n_restarts=answer.n_restarts,
        times_found=answer.times_found,
        k=k,
        loss=request.loss.name,
        alpha=request.loss._focal_parameters["alpha"],
        gamma=request.loss._focal_parameters["gamma"],
        _loss=request.loss,
        ridge=request.options.ridge,
        feature_names=request.names,
        groups=request.groups_of(answer.support),
        lower_bound=answer.lower_bound,
        proof=None,
        _request=(request.noted() if note_data else request) if keep_data else None,
    )

"""What one fit returns."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import _core
from .._caution import STATUSES, caution_of
from .._checks import check_integer
from .._input.request import Request
from .._input.validation import check_names, check_rows, linear_predictor
from .._optional import require
from .._quiet import quiet
from ..losses import BY_NAME, Loss
from .reading import ReadableFit
from .stored import Array, Nothing, Rules, Stored, Value
from .table import Table, Tabular

__all__ = ["Alternatives", "FitResult", "prediction_by", "probability_by", "result_of"]


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
            object.__setattr__(self, "_loss", BY_NAME[self.loss]()._with_focal_parameters(self.alpha, self.gamma))

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
    from .._probability import probability_of  # SciPy takes longer to import than ksparse

    if log_odds is None:
        raise ValueError(f"the loss {loss.name!r} says nothing of probabilities; use decision_function()")
    return probability_of(log_odds)


def prediction_by(loss: Loss, eta: NDArray[np.float64]) -> NDArray[Any]:
    """Labels, or mean responses, of linear predictors; -1 for a label where there is none."""
    if not loss.is_classification:
        return loss.mean(eta)
    return np.where(np.isnan(eta), -1, eta > loss.decision_threshold()).astype(np.int8)


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
        **request.loss._focal_parameters,
        _loss=request.loss,
        ridge=request.options.ridge,
        feature_names=request.names,
        groups=request.groups_of(answer.support),
        _request=request if keep_data else None,
    )

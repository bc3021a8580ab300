"""The result of a batch of fits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._caution import STATUSES, advice_on, cautions_of
from .._input.frames import column_names, is_frame
from .._input.request import Inputs, Request
from .._input.validation import (
    check_groups,
    check_names,
    feature_names,
    linear_predictor,
    names_of,
)
from .._optional import require
from .._quiet import quiet
from ..losses import Logistic, Loss
from .fit import FitResult, prediction_by, probability_by
from .proof import relative_gaps
from .stored import Array, Groups, Nothing, Rules, SparseRows, Stored, Value
from .table import Table, Tabular

__all__ = ["BatchData", "BatchResult", "batch_of", "counts_of", "result_of"]


@dataclass(frozen=True, eq=False)
class BatchData:
    """Valid arrays and settings of all problems; they refer to the user's data without a copy."""

    inputs: Inputs  # weights and offset may have any real type, and one column for each problem
    labels: NDArray[Any]  # (n,) or (n, m): 0, 1 or BAD_LABEL, or responses of a regression
    class_weight: Any = None  # which the weights of the rows include already

    def request(self, i: int, loss: Loss, ridge: float) -> Request:
        """Return the request for problem i alone."""

        def own(values: NDArray[Any] | None) -> NDArray[np.float64] | None:
            if values is None:
                return None
            return np.ascontiguousarray(values if values.ndim == 1 else values[:, i], dtype=np.float64)

        shared = self.inputs
        settings = replace(shared.settings, loss=loss, ridge=ridge)
        request = Request.of(
            replace(shared, sample_weight=own(shared.sample_weight), offset=own(shared.offset), settings=settings),
            own(self.labels),
        )
        return replace(request, settings=replace(settings, class_weight=self.class_weight))


@dataclass(frozen=True, eq=False, repr=False)
class BatchResult(Stored, Tabular):
    """Result of :func:`ksparse.fit_many`: arrays with an entry for each problem.

    ``result[i]`` is the :class:`ksparse.FitResult` of problem i, and ``result["name"]`` that of the problem with this name. A slice, a
    mask, or an array of indices or of names gives the result of several problems. Only non-zero coefficients are stored.

    Attributes
    ----------
    coefs : scipy.sparse.csr_array of shape (n_problems, n_features)
        Coefficients. A problem that failed has a row of zeros.
    intercepts : ndarray of shape (n_problems,)
        Intercepts; NaN for a problem that failed.
    objectives : ndarray of shape (n_problems,)
        Values of the minimised objective F; NaN for a problem that failed.
    lower_bounds : ndarray of shape (n_problems,)
        No model of the problem has a lower F than this, as in :class:`ksparse.FitResult`; NaN if there is no bound.
    status : ndarray of str, shape (n_problems,)
        As in :class:`ksparse.FitResult`, or ``invalid_input``; ``interrupted`` for a problem that Ctrl-C left unfitted.
    messages : dict of int to str
        The error message of each problem whose status is ``invalid_input``.
    n_newton, n_scans, n_refits, n_rounds, n_restarts, times_found : ndarray of int32, shape (n_problems,)
        As in :class:`ksparse.FitResult`. A pass over X that several problems share counts once for each of them.
    k, alpha, gamma, ridge : ndarray of shape (n_problems,)
        Settings of each problem.
    loss : str
        Name of the loss.
    feature_names : ndarray of str or None
        Names of the columns of X, if they are known.
    problem_names : ndarray of str or None
        Names of the columns of Y, if it is a data frame.
    """

    coefs: Any
    intercepts: NDArray[np.float64]
    objectives: NDArray[np.float64]
    lower_bounds: NDArray[np.float64]
    status: NDArray[np.str_]
    messages: dict[int, str]
    n_newton: NDArray[np.int32]
    n_scans: NDArray[np.int32]
    n_refits: NDArray[np.int32]
    n_rounds: NDArray[np.int32]
    n_restarts: NDArray[np.int32]
    times_found: NDArray[np.int32]
    k: NDArray[np.int64]
    alpha: NDArray[np.float64]
    gamma: NDArray[np.float64]
    ridge: NDArray[np.float64]
    loss: str
    feature_names: NDArray[np.object_] | None = None
    problem_names: NDArray[np.object_] | None = None
    _numbers: NDArray[np.int64] = field(
        default_factory=lambda: np.empty(0, np.int64)
    )  # indices of the problems in the whole batch
    _loss: Loss = field(default_factory=Logistic)  # for the focal loss, the arrays alpha and gamma above hold the parameters
    _groups: tuple[NDArray[np.int64], NDArray[Any]] | None = (
        None  # the index of each feature's group, and the labels of the groups
    )
    _batch: BatchData | None = None

    _RULES: ClassVar[Rules] = {
        "coefs": SparseRows("m", "p"),
        **dict.fromkeys(("intercepts", "objectives", "lower_bounds", "alpha", "gamma", "ridge"), Array("f", "m")),
        "status": Array("U", "m", among=STATUSES),
        "messages": Value((dict,)),
        **dict.fromkeys(("n_newton", "n_scans", "n_refits", "n_rounds", "n_restarts", "times_found", "k"), Array("i", "m")),
        "loss": Value((str,)),
        "feature_names": Array("OU", "p", optional=True),
        "problem_names": Array("iubfUSOMm", "m", optional=True),
        "_numbers": Array("i", "m"),
        "_loss": Value((Loss,)),
        "_groups": Groups("p"),
        "_batch": Nothing(),
    }

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the data, so that a pickled result is small."""
        return {**self.__dict__, "_batch": None}

    def __len__(self) -> int:
        """Return the number of problems."""
        return len(self.k)

    def __iter__(self) -> Iterator[FitResult]:
        """Iterate over the results of the problems."""
        return (self[i] for i in range(len(self)))

    @property
    def converged(self) -> NDArray[np.bool_]:
        """Whether the coefficients of each problem minimise F on their support."""
        return np.asarray(self.status == "converged")

    @property
    def gaps(self) -> NDArray[np.float64]:
        """Largest part of F by which a better model of each problem could lower it; NaN if there is no bound."""
        return np.asarray(relative_gaps(self.objectives, self.lower_bounds))

    @property
    def supports(self) -> list[NDArray[np.int64]]:
        """Indices of the chosen features of each problem, sorted."""
        return np.split(self.coefs.indices.astype(np.int64), self.coefs.indptr[1:-1])

    @overload
    def __getitem__(self, which: int | str) -> FitResult: ...  # type: ignore[overload-overlap]
    @overload
    def __getitem__(self, which: slice | ArrayLike) -> BatchResult: ...
    def __getitem__(self, which: Any) -> FitResult | BatchResult:
        """Return the result of one problem, or of several."""
        if isinstance(which, str):
            return self._single(self._place(which))
        if isinstance(which, (list, np.ndarray)) and len(which) and all(isinstance(name, str) for name in which):
            return self[[self._place(name) for name in which]]
        if isinstance(which, (int, np.integer)):
            i = int(which) + (len(self) if which < 0 else 0)
            if not 0 <= i < len(self):
                raise IndexError(f"problem {which} does not exist in a batch of {len(self)}")
            return self._single(i)
        chosen = np.arange(len(self))[which]
        per_problem = {
            name: value[chosen]
            for name, value in self.__dict__.items()
            if name not in ("coefs", "messages", "loss", "feature_names", "_loss", "_groups", "_batch") and value is not None
        }
        messages = {new: self.messages[old] for new, old in enumerate(chosen.tolist()) if old in self.messages}
        return replace(self, coefs=self.coefs[chosen], messages=messages, **per_problem)

    def _place(self, name: str) -> int:
        """Return the index of the problem with a name."""
        if self.problem_names is None:
            raise KeyError(f"{name!r}: the problems have no names; pass Y as a data frame, or use the number of the problem")
        places = np.flatnonzero(self.problem_names == name)
        if len(places) != 1:
            found = "no problem has this name" if len(places) == 0 else f"{len(places)} problems have this name"
            known = ", ".join(map(repr, self.problem_names[:10].tolist())) + (", ..." if len(self) > 10 else "")
            raise KeyError(f"{name!r}: {found}; the names are {known}")
        return int(places[0])

    def _advice(self, i: int) -> str:
        return self.messages.get(i, advice_on(str(self.status[i])))

    def _single(self, i: int) -> FitResult:
        begin, end = self.coefs.indptr[i], self.coefs.indptr[i + 1]
        support = self.coefs.indices[begin:end].astype(np.int64)
        coef = np.zeros(self.coefs.shape[1])
        coef[support] = self.coefs.data[begin:end]
        return FitResult(
            coef=coef,
            intercept=float(self.intercepts[i]),
            support=support,
            objective=float(self.objectives[i]),
            lower_bound=float(self.lower_bounds[i]),
            status=str(self.status[i]),
            advice=self._advice(i),
            n_newton=int(self.n_newton[i]),
            n_scans=int(self.n_scans[i]),
            n_refits=int(self.n_refits[i]),
            n_rounds=int(self.n_rounds[i]),
            n_restarts=int(self.n_restarts[i]),
            times_found=int(self.times_found[i]),
            k=int(self.k[i]),
            loss=self.loss,
            alpha=float(self.alpha[i]),
            gamma=float(self.gamma[i]),
            ridge=float(self.ridge[i]),
            feature_names=self.feature_names,
            groups=self._groups_of(support),
            _loss=self._loss_of(i),
            _request=None if self.status[i] == "invalid_input" else self._request(i),
        )

    def _loss_of(self, i: int) -> Loss:
        return self._loss._with_focal_parameters(float(self.alpha[i]), float(self.gamma[i]))

    def _groups_of(self, support: NDArray[np.int64]) -> NDArray[Any] | None:
        return None if self._groups is None else self._groups[1][np.unique(self._groups[0][support])]

    def _request(self, i: int) -> Request | None:
        if self._batch is None:
            return None
        request = self._batch.request(int(self._numbers[i]), self._loss_of(i), float(self.ridge[i]))
        request.options.k = int(self.k[i])
        return request

    @quiet
    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Compute linear predictors for every problem.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows, with the columns of the fit.

        Returns
        -------
        ndarray of shape (n_samples, n_problems)
            ``X @ coefs.T + intercepts``; NaN for a problem that failed.

        Raises
        ------
        ValueError
            If X has a different number of columns from the fit, or is a data frame in which a chosen column is missing.

        Notes
        -----
        A data frame with another number of columns than in the fit needs only those that some problem chose, in any order.
        """
        whole = not is_frame(X) or len(column_names(X)) == self.coefs.shape[1]
        if whole:
            check_names(X, self.feature_names)
        from scipy.sparse import csr_array  # imported here because it takes longer than the rest of ksparse

        # Only columns that some problem uses; indexing the matrix would need memory for all columns.
        used, places = np.unique(self.coefs.indices, return_inverse=True)
        coefs = csr_array((self.coefs.data, places, self.coefs.indptr), shape=(len(self), len(used)))
        names = None if self.feature_names is None else self.feature_names[used]
        return linear_predictor(X, used.astype(np.int64), coefs.T, self.coefs.shape[1], names) + self.intercepts

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Predict the probability of class 1 for every problem.

        As in :meth:`ksparse.KSparseClassifier.predict_proba`, the effect of the focusing exponent is inverted for the focal
        losses.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows, with the columns of the fit.

        Returns
        -------
        ndarray of shape (n_samples, n_problems)
            Probabilities; NaN for a problem that failed.

        Raises
        ------
        ValueError
            If the loss does not define probabilities.
        """
        # In a focal loss, gamma may differ between problems, which are columns here.
        by_column = self._loss._with_focal_parameters(self.alpha, self.gamma)
        return probability_by(self._loss, by_column.log_odds(self.decision_function(X)))

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Predict labels, or mean responses for regression for every problem.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows, with the columns of the fit.

        Returns
        -------
        ndarray of int8 or float64, shape (n_samples, n_problems)
            1 if class 1 is more likely, else 0, and -1 for a problem that failed. This means that the linear predictor is
            positive, except for the losses ``cloglog`` and ``asymmetric_focal``. For a regression loss, the mean responses (NaN
            for a problem that failed).
        """
        return prediction_by(self._loss, self.decision_function(X))

    def to_frame(self) -> Any:
        """Return a data frame with one row for each problem.

        Returns
        -------
        pandas.DataFrame
            A data frame with the settings, the number and names of the chosen features, the objective, the status and the
            message of each problem, indexed by the names of the problems or their numbers.

        Raises
        ------
        ModuleNotFoundError
            If pandas is not installed.
        """
        pandas = require("pandas", "to_frame()", "pandas")
        names = self.feature_names
        columns: dict[str, Any] = {"k": self.k, **{name: getattr(self, name) for name in self._loss._by_problem}}
        columns.update(
            ridge=self.ridge,
            n_chosen=np.diff(self.coefs.indptr),
            features=[tuple((support if names is None else names[support]).tolist()) for support in self.supports],
            intercept=self.intercepts,
            objective=self.objectives,
            status=self.status,
            message=[self.messages.get(i, "") for i in range(len(self))],
        )
        return pandas.DataFrame(columns, index=self._numbers if self.problem_names is None else self.problem_names)

    def _name(self, i: int) -> str:
        return str(self._numbers[i] if self.problem_names is None else self.problem_names[i])

    def _table(self) -> Table:
        """Return a table with the number of problems by status and a row for each of the first problems."""
        rows = []
        for i, support in enumerate(self.supports[:10]):
            names = names_of(support, self.feature_names)
            chosen = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
            rows.append((self._name(i), f"{self.objectives[i]:.6g}", self.messages.get(i, chosen)))
        return Table(
            f"{len(self)} problems over {self.coefs.shape[1]} features, {self.loss} loss: {counts_of(self.status)}",
            ("problem", "objective", "features"),
            rows + [("...", "", "")] * (len(self) > 10),
            cautions_of(self.status, "problems"),
            left=("features",),
        )


def _unfitted(status: NDArray[np.str_]) -> NDArray[np.bool_]:
    """Return which problems have no coefficients at all."""
    return np.isin(status, ("invalid_input", "numerical_failure", "interrupted"))


def counts_of(status: NDArray[np.str_]) -> str:
    values, counts = np.unique(status, return_counts=True)
    return ", ".join(f"{count} {value}" for value, count in sorted(zip(values, counts, strict=True), key=lambda pair: -pair[1]))


def batch_of(results: list[FitResult], groups: Any) -> BatchResult:
    """Combine results for the same features; they no longer refer to their data."""
    from scipy.sparse import csr_array

    supports = [result.support for result in results]
    starts = np.cumsum([0, *map(len, supports)])
    coefs = np.concatenate([result.coef[result.support] for result in results])
    first, p = results[0], len(results[0].coef)

    def by_problem(name: str, dtype: Any) -> NDArray[Any]:
        return np.array([getattr(result, name) for result in results], dtype=dtype)

    status = by_problem("status", str)
    counts: dict[str, Any] = {
        name: by_problem(name, np.int32)
        for name in ("n_newton", "n_scans", "n_refits", "n_rounds", "n_restarts", "times_found")
    }
    return BatchResult(
        coefs=csr_array((coefs, np.concatenate(supports), starts), shape=(len(results), p)),
        intercepts=np.where(_unfitted(status), np.nan, by_problem("intercept", np.float64)),
        objectives=np.where(_unfitted(status), np.nan, by_problem("objective", np.float64)),
        lower_bounds=by_problem("lower_bound", np.float64),
        status=status,
        messages={i: result.advice for i, result in enumerate(results) if result.status == "invalid_input"},
        k=by_problem("k", np.int64),
        alpha=by_problem("alpha", np.float64),
        gamma=by_problem("gamma", np.float64),
        ridge=by_problem("ridge", np.float64),
        loss=first.loss,
        _loss=first._loss,
        feature_names=first.feature_names,
        **counts,
        _numbers=np.arange(len(results)),
        _groups=check_groups(groups, p),
    )


def result_of(
    answer: dict[str, Any],
    budgets: NDArray[np.int64],
    by_problem: dict[str, NDArray[np.float64]],
    messages: dict[int, str],
    batch: BatchData,
    loss: Loss,
    Y: Any,
) -> BatchResult:
    """Make a result from the arrays of the core."""
    from scipy.sparse import csr_array  # imported here because it takes longer than the rest of ksparse

    count, p = len(budgets), batch.inputs.X.shape[1]
    status = np.array(STATUSES)[answer["status"]]
    failed = _unfitted(status)
    return BatchResult(
        coefs=csr_array((answer["coefs"], answer["features"], answer["starts"]), shape=(count, p)),
        intercepts=np.where(failed, np.nan, answer["intercept"]),
        objectives=np.where(failed, np.nan, answer["objective"]),
        lower_bounds=answer["lower_bound"],
        status=status,
        messages={**answer["messages"], **messages},
        n_newton=answer["n_newton"],
        n_scans=answer["n_scans"],
        n_refits=answer["n_refits"],
        n_rounds=answer["n_rounds"],
        n_restarts=answer["n_restarts"],
        times_found=answer["times_found"],
        k=np.array(budgets),
        **{name: np.array(values) for name, values in by_problem.items()},
        loss=loss.name,
        _loss=loss,
        feature_names=batch.inputs.names,
        problem_names=feature_names(Y) if batch.labels.ndim == 2 else None,
        _numbers=np.arange(count),
        _groups=check_groups(batch.inputs.settings.groups, p),
        _batch=batch,
    )

"""Fits of rows that are distributed over several machines, with Dask.

Workers keep their chunks of rows. The client runs the same search as for rows in memory, and in each round of tasks it sends a
question to every chunk and receives a sum: for refits of k features some k × k numbers, and for scans of p features p × (k + 3).
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning as EstimatorConvergenceWarning
from sklearn.metrics import accuracy_score
from sklearn.utils.validation import check_is_fitted

from ._checks import check_flag
from ._dask.chunks import check_types
from ._dask.solve import client_of, solve, solve_path
from ._estimators.classifier import KSparseClassifier
from ._estimators.regressor import KSparseRegressor
from ._input.class_weight import check_class_weight
from ._input.request import Inputs, Settings
from ._input.validation import check_kind_of_loss, check_loss
from ._path import warn_of_path
from ._results.fit import FitResult
from ._results.path import PathResult
from .exceptions import ConvergenceWarning
from .losses import Loss

__all__ = ["DaskKSparseClassifier", "DaskKSparseRegressor", "fit", "fit_path"]


def fit(
    X: Any,
    y: Any,
    k: int,
    *,
    client: Any = None,
    loss: str | Loss = "logistic",
    alpha: float = 0.5,
    gamma: float = 2.0,
    ridge: float = 0.0,
    fit_intercept: bool = True,
    sample_weight: Any = None,
    offset: Any = None,
    tolerance: float = 1e-8,
    max_newton: int = 100,
    search: str = "auto",
    max_rounds: int | None = None,
    max_refits: int | None = None,
    max_seconds: float | None = None,
    random_state: int = 0,
    start: Any = None,
    always_in: Any = None,
    never_in: Any = None,
    bounds: tuple[Any, Any] | None = None,
) -> FitResult:
    """Fit a model that uses at most k features to rows that are distributed over several machines.

    The result has the same support as :func:`ksparse.fit` for the same rows in memory, and the same objective up to rounding. If a worker is lost, Dask computes its chunks and tasks again.

    Parameters
    ----------
    X : dask array or data frame of shape (n_samples, n_features)
        Features. Each chunk must have all columns.
    y : dask array or series of shape (n_samples,)
        Labels 0 and 1, or responses for a regression loss, in the same chunks of rows as X.
    k : int
        Maximum number of features.
    client : distributed.Client, optional
        The client; by default the one that is active.
    loss, alpha, gamma, ridge, fit_intercept, tolerance, max_newton
        As in :func:`ksparse.fit`.
    sample_weight, offset : dask array or series of shape (n_samples,), optional
        As in :func:`ksparse.fit`, in the same chunks of rows as X.
    search, max_rounds, max_refits, max_seconds, random_state, start, always_in, never_in, bounds
        As in :func:`ksparse.fit`.

    Returns
    -------
    FitResult
        The coefficients, the support, the objective and the status. ``n_scans`` is the number of rounds that read all of X. It
        does not refer to the data.

    Raises
    ------
    TypeError, ValueError
        If an argument is invalid; the message names it, and the row of a chunk if a value is invalid.

    Warns
    -----
    ksparse.ConvergenceWarning
        If the classes are separable or the fit did not converge; the message says what to change.

    See Also
    --------
    ksparse.RowBlocks : Rows in a file that is larger than memory, without Dask.

    Examples
    --------
    >>> import dask.array as da  # doctest: +SKIP
    >>> from distributed import Client, LocalCluster  # doctest: +SKIP
    >>> import ksparse.dask
    >>> client = Client(LocalCluster(n_workers=2))  # doctest: +SKIP
    >>> X = da.random.normal(size=(100_000, 50), chunks=(25_000, 50)).persist()  # doctest: +SKIP
    >>> y = (X[:, 7] - X[:, 30] + da.random.normal(size=100_000, chunks=25_000) > 0).astype(float)  # doctest: +SKIP
    >>> ksparse.dask.fit(X, y, k=2).support  # doctest: +SKIP
    array([ 7, 30])
    """
    settings = Settings.of_arguments({**locals(), "groups": None, "class_weight": None})
    result = solve(client, Inputs(X, sample_weight, offset, settings), y, k, start)
    if not result.converged:
        warnings.warn(f"{result.status}: {result.advice}", ConvergenceWarning, stacklevel=2)
    return result


def fit_path(
    X: Any,
    y: Any,
    ks: Any,
    *,
    client: Any = None,
    loss: str | Loss = "logistic",
    alpha: float = 0.5,
    gamma: float = 2.0,
    ridge: float = 0.0,
    fit_intercept: bool = True,
    sample_weight: Any = None,
    offset: Any = None,
    tolerance: float = 1e-8,
    max_newton: int = 100,
    search: str = "auto",
    max_rounds: int | None = None,
    max_refits: int | None = None,
    max_seconds: float | None = None,
    random_state: int = 0,
    always_in: Any = None,
    never_in: Any = None,
    bounds: tuple[Any, Any] | None = None,
    cold_starts: bool = True,
) -> PathResult:
    """Fit a model for every k of a list to rows that are distributed over several machines.

    Parameters
    ----------
    X : dask array or data frame of shape (n_samples, n_features)
        Features, as in :func:`ksparse.dask.fit`.
    y : dask array or series of shape (n_samples,)
        Labels or responses.
    ks : array-like of int
        Values of k, as in :func:`ksparse.fit_path`.
    client : distributed.Client, optional
        The client; by default the one that is active.
    loss, alpha, gamma, ridge, fit_intercept, tolerance, max_newton
        As in :func:`ksparse.fit`.
    sample_weight, offset : dask array or series of shape (n_samples,), optional
        As in :func:`ksparse.dask.fit`.
    search, max_rounds, max_refits, max_seconds, random_state, always_in, never_in, bounds, cold_starts
        As in :func:`ksparse.fit_path`.

    Returns
    -------
    PathResult
        The fits, with their information criteria, a plot and a table.

    Raises
    ------
    TypeError, ValueError
        If an argument is invalid, as in :func:`ksparse.dask.fit`.

    Warns
    -----
    ksparse.ConvergenceWarning
        If the classes are separable or a fit did not converge; the message says what to change.
    """
    settings = Settings.of_arguments({**locals(), "groups": None, "class_weight": None})
    inputs = Inputs(X, sample_weight, offset, settings)
    path = solve_path(client, inputs, y, ks, check_flag(cold_starts, "cold_starts"))
    warn_of_path(path, ConvergenceWarning, stacklevel=3)
    return path


class _OnDask:
    """What both estimators share."""

    client: Any
    support_: NDArray[np.int64]
    _local: type[Any]

    @property
    def client_(self) -> Any:
        """The client: the parameter ``client``, or else the one that is active."""
        return client_of(self.client)

    def to_local(self) -> Any:
        """Return a fitted estimator of the same parameters that does not need Dask.

        Returns
        -------
        KSparseClassifier or KSparseRegressor
            The estimator.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If this estimator is not fitted.
        """
        check_is_fitted(self)
        parameters = {name: value for name, value in self.get_params(deep=False).items() if name != "client"}  # type: ignore[attr-defined]
        local = self._local(**parameters)
        local.__dict__.update({name: value for name, value in vars(self).items() if name.endswith("_")})
        return local

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the client, which cannot be pickled."""
        return {**super().__getstate__(), "client": None}  # type: ignore[misc]

    def _fit_rows(self, X: Any, y: Any, sample_weight: Any) -> None:
        if isinstance(self.k, str):  # type: ignore[attr-defined]
            raise ValueError(f"k is {self.k!r}; on Dask it must be a number, or use ksparse.dask.fit_path")  # type: ignore[attr-defined]
        p = int(X.shape[1])
        settings = Settings.of_estimator(self, class_weight=None)
        if settings.groups is not None:
            raise ValueError("groups is given, but X comes in chunks; groups need X in memory")
        k = min(10, p) if self.k is None else self.k  # type: ignore[attr-defined]
        result = solve(self.client, Inputs(X, sample_weight, None, settings), y, k)
        self.n_features_in_ = p
        self.__dict__.pop("feature_names_in_", None)
        if result.feature_names is not None:
            self.feature_names_in_ = np.asarray(result.feature_names, dtype=object)
        if not result.converged:
            warnings.warn(f"{result.status}: {result.advice}", EstimatorConvergenceWarning, stacklevel=3)
        self._hold(result)  # type: ignore[attr-defined]

    def _lazily(self, method: str, X: Any, dtype: Any, columns: int = 0) -> Any:
        """Return the answer of a method of the local estimator for every chunk, as a Dask collection."""
        if not hasattr(X, "to_delayed"):
            return getattr(self.to_local(), method)(X)
        of_chunk = _Predict(self.to_local(), method)
        if hasattr(X, "columns"):
            return X.map_partitions(of_chunk, meta=np.empty((0, columns) if columns else 0, dtype=dtype))
        if columns:
            return X.map_blocks(of_chunk, dtype=dtype, chunks=(X.chunks[0], (columns,)))
        return X.map_blocks(of_chunk, dtype=dtype, drop_axis=1)

    def _on_client(self, *rows: Any) -> list[Any]:
        """Compute numbers of each row, as collections or arrays, and return them as vectors; None stays None."""
        given = [part for part in rows if part is not None]
        computed = iter(self.client_.gather(self.client_.compute(given)))
        return [None if part is None else np.ravel(next(computed)) for part in rows]


class _Predict:
    """A method of a fitted estimator in a form that can be sent to workers."""

    def __init__(self, model: Any, method: str):
        self._model, self._method = model, method

    def __call__(self, X: Any) -> Any:
        return getattr(self._model, self._method)(X)


class DaskKSparseClassifier(_OnDask, KSparseClassifier):
    """Classifier of two classes that uses at most k features, for rows that are distributed over several machines.

    It is :class:`ksparse.KSparseClassifier` with Dask arrays or data frames as X and y. Predictions are lazy. The attributes
    are those of :class:`ksparse.KSparseClassifier`; :meth:`to_local` returns one.

    Parameters
    ----------
    k : int, optional
        Maximum number of features; by default 10.
    client : distributed.Client, optional
        The client; by default the one that is active. It is not pickled.
    **parameters
        The other parameters of :class:`ksparse.KSparseClassifier`.
    """

    _local = KSparseClassifier

    def __init__(
        self,
        k: int | None = None,
        *,
        client: Any = None,
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
        always_in: Any = None,
        never_in: Any = None,
        bounds: Any = None,
    ) -> None:
        super().__init__(
            k,
            loss=loss,
            alpha=alpha,
            gamma=gamma,
            ridge=ridge,
            fit_intercept=fit_intercept,
            class_weight=class_weight,
            probability=probability,
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
        )
        self.client = client

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> DaskKSparseClassifier:  # type: ignore[override]  # without offsets
        """Choose the features and fit the coefficients.

        Parameters
        ----------
        X : dask array or data frame of shape (n_samples, n_features)
            Features. Each chunk must have all columns.
        y : dask array or series of shape (n_samples,)
            Labels of two classes, in the same chunks of rows.
        sample_weight : dask array or series of shape (n_samples,), optional
            Weights of the rows, >= 0, in the same chunks of rows.

        Returns
        -------
        DaskKSparseClassifier
            The fitted estimator itself.
        """
        check_kind_of_loss(check_loss(self.loss, 0.5, 2.0), self._responses, type(self).__name__, "DaskKSparseRegressor")
        check_types(X, y, sample_weight)
        classes = _classes_of(y, self.client_)
        if len(classes) != 2:
            raise ValueError(f"y has {len(classes)} classes ({', '.join(map(repr, classes.tolist()[:5]))}); it must have two")
        self.classes_ = classes
        labels = _per_chunk(_IsClass(classes[1]), y)
        if self.class_weight is not None:
            check_class_weight(self.class_weight, classes)
            weights = self._weights_of_classes(labels, sample_weight)
            by_class = _per_chunk(_Choose(weights), labels)
            sample_weight = by_class if sample_weight is None else by_class * sample_weight
        self._fit_rows(X, labels, sample_weight)
        return self

    def _weights_of_classes(self, labels: Any, sample_weight: Any) -> tuple[float, float]:
        if self.class_weight != "balanced":
            weights = [float(self.class_weight.get(label, 1.0)) for label in self.classes_.tolist()]
            return weights[0], weights[1]
        weight = 1.0 if sample_weight is None else sample_weight
        total = [((1 - labels) * weight).sum(), (labels * weight).sum()]
        negative, positive = (float(part) for part in self.client_.gather(self.client_.compute(total)))
        if not (negative > 0 and positive > 0):  # the check of the rows says what is wrong
            return 1.0, 1.0
        return (negative + positive) / (2 * negative), (negative + positive) / (2 * positive)

    def predict(self, X: Any) -> Any:  # type: ignore[override]  # without offsets
        """Predict the label of each row, lazily if X is a Dask collection.

        Parameters
        ----------
        X : dask array or data frame, or array-like, of shape (n_samples, n_features)
            Rows, with the columns of the fit.

        Returns
        -------
        dask array or series, or ndarray, of shape (n_samples,)
            Labels.
        """
        check_is_fitted(self)
        return self._lazily("predict", X, self.classes_.dtype)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:  # type: ignore[override]  # without offsets
        """Return the accuracy, the share of rows whose label is predicted correctly.

        Labels are predicted on the workers and compared on the client.

        Parameters
        ----------
        X : dask array or data frame, or array-like, of shape (n_samples, n_features)
            Rows, with the columns of the fit.
        y : dask array or series, or array-like, of shape (n_samples,)
            Labels.
        sample_weight : dask array or series, or array-like, of shape (n_samples,), optional
            Weights of the rows.

        Returns
        -------
        float
            The accuracy.
        """
        predicted, labels, weights = self._on_client(self.predict(X), y, sample_weight)
        return float(accuracy_score(labels, predicted, sample_weight=weights))

    def decision_function(self, X: Any) -> Any:  # type: ignore[override]  # without offsets
        """Compute the decision function of each row, lazily if X is a Dask collection.

        Parameters
        ----------
        X : dask array or data frame, or array-like, of shape (n_samples, n_features)
            Rows, with the columns of the fit.

        Returns
        -------
        dask array or series, or ndarray, of shape (n_samples,)
            The decision function.
        """
        return self._lazily("decision_function", X, np.float64)

    def predict_proba(self, X: Any) -> Any:
        """Predict the probability of each class, lazily if X is a Dask collection.

        Parameters
        ----------
        X : dask array or data frame, or array-like, of shape (n_samples, n_features)
            Rows, with the columns of the fit.

        Returns
        -------
        dask array, or ndarray, of shape (n_samples, 2)
            Probabilities, with columns in the order of ``classes_``.
        """
        return self._lazily("predict_proba", X, np.float64, 2)

    def predict_log_proba(self, X: Any) -> Any:
        """Predict the logarithm of the probability of each class, lazily if X is a Dask collection.

        Parameters
        ----------
        X : dask array or data frame, or array-like, of shape (n_samples, n_features)
            Rows, with the columns of the fit.

        Returns
        -------
        dask array, or ndarray, of shape (n_samples, 2)
            Logarithms of probabilities, with columns in the order of ``classes_``.
        """
        return self._lazily("predict_log_proba", X, np.float64, 2)


class DaskKSparseRegressor(_OnDask, KSparseRegressor):
    """Regressor that uses at most k features, for rows that are distributed over several machines.

    It is :class:`ksparse.KSparseRegressor` with Dask arrays or data frames as X and y. Predictions are lazy. The attributes are
    those of :class:`ksparse.KSparseRegressor`; :meth:`to_local` returns one.

    Parameters
    ----------
    k : int, optional
        Maximum number of features; by default 10.
    client : distributed.Client, optional
        The client; by default the one that is active. It is not pickled.
    **parameters
        The other parameters of :class:`ksparse.KSparseRegressor`.
    """

    _local = KSparseRegressor

    def __init__(
        self,
        k: int | None = None,
        *,
        client: Any = None,
        loss: str | Loss = "squared",
        ridge: float = 0.0,
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
    ) -> None:
        super().__init__(
            k,
            loss=loss,
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
        )
        self.client = client

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> DaskKSparseRegressor:  # type: ignore[override]  # without offsets
        """Choose the features and fit the coefficients.

        Parameters
        ----------
        X : dask array or data frame of shape (n_samples, n_features)
            Features. Each chunk must have all columns.
        y : dask array or series of shape (n_samples,)
            Responses, in the same chunks of rows.
        sample_weight : dask array or series of shape (n_samples,), optional
            Weights of the rows, >= 0, in the same chunks of rows.

        Returns
        -------
        DaskKSparseRegressor
            The fitted estimator itself.
        """
        check_kind_of_loss(check_loss(self.loss, 0.5, 2.0), self._responses, type(self).__name__, "DaskKSparseClassifier")
        check_types(X, y, sample_weight)
        self._fit_rows(X, y, sample_weight)
        return self

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:  # type: ignore[override]  # without offsets
        """Return D², which is R² for least squares.

        Linear predictors are computed on the workers and compared with y on the client.

        Parameters
        ----------
        X : dask array or data frame, or array-like, of shape (n_samples, n_features)
            Rows, with the columns of the fit.
        y : dask array or series, or array-like, of shape (n_samples,)
            Responses.
        sample_weight : dask array or series, or array-like, of shape (n_samples,), optional
            Weights of the rows.

        Returns
        -------
        float
            At most 1; 0 for a model that is as good as a constant.
        """
        eta, responses, weights = self._on_client(self._lazily("_linear_predictor", X, np.float64, 1), y, sample_weight)
        return self._score_of(eta, responses, weights, None)

    def predict(self, X: Any) -> Any:  # type: ignore[override]  # without offsets
        """Predict the mean response of each row, lazily if X is a Dask collection.

        Parameters
        ----------
        X : dask array or data frame, or array-like, of shape (n_samples, n_features)
            Rows, with the columns of the fit.

        Returns
        -------
        dask array or series, or ndarray, of shape (n_samples,)
            Mean responses.
        """
        return self._lazily("predict", X, np.float64)


def _classes_of(y: Any, client: Any) -> NDArray[Any]:
    """Return the sorted labels of all chunks."""
    from dask import delayed

    if not hasattr(y, "to_delayed"):
        raise TypeError(f"y is a {type(y).__name__}; it must be a Dask array or series with the chunks of X")
    parts = [delayed(np.unique)(part) for part in np.ravel(y.to_delayed())]
    labels = np.unique(np.concatenate([np.ravel(part) for part in client.gather(client.compute(parts))]))
    missing = np.array([label is None or label != label for label in labels.tolist()], dtype=bool)
    if missing.any():
        raise ValueError("y has missing labels; leave out the rows where it is missing, or fill them in")
    return labels


class _IsClass:
    """Converts the labels of a chunk to 0 and 1."""

    def __init__(self, positive: Any):
        self._positive = positive

    def __call__(self, labels: Any) -> Any:
        return (labels == self._positive).astype(np.float64)


class _Choose:
    """Converts labels 0 and 1 of a chunk to the weights of their classes."""

    def __init__(self, weights: tuple[float, float]):
        self._weights = weights

    def __call__(self, labels: Any) -> Any:
        return labels * (self._weights[1] - self._weights[0]) + self._weights[0]


def _per_chunk(function: Any, values: Any) -> Any:
    if hasattr(values, "chunks"):
        return values.map_blocks(function, dtype=np.float64)
    return values.map_partitions(function, meta=(None, np.float64))

"""What all estimators share: checked arrays in, and results held in scikit-learn's attributes."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from .._build_info import __version__
from .._input.request import Inputs, Settings
from .._input.sparse import is_sparse
from .._input.validation import check_kind_of_loss, check_loss, linear_predictor
from .._results.fit import FitResult
from ..losses import Loss
from .input import targets_of, validate_readable, weights_of_rows
from .reading import ReadableEstimator

if TYPE_CHECKING:
    from typing_extensions import Self  # of Python 3.11

__all__ = ["Predicted", "SparseLinearEstimator"]


@dataclass(frozen=True, eq=False)
class Predicted:
    """In place of X, rows whose linear predictors are known: cross-validation computes those of all k at once."""

    eta: NDArray[np.float64]  # (n_samples, n_outcomes)


class SparseLinearEstimator(ReadableEstimator, BaseEstimator):
    """Checked arrays in, linear predictors out."""

    # What y is, "labels" or "numbers", and the estimator for the other.
    _responses: ClassVar[str]
    _other: ClassVar[str]
    # By class or label where there are several.
    coef_: Any  # an array, or after sparsify a sparse matrix
    intercept_: Any
    objective_: float | NDArray[np.float64]
    status_: str | NDArray[np.str_]
    n_iter_: int | NDArray[np.int32]
    loss_: Loss
    loss: Any

    def _validated_arrays(
        self, X: Any, y: Any, sample_weight: Any, *, multi_output: bool = False, y_numeric: bool = False, reset: bool = True
    ) -> tuple[Inputs, Any]:
        """Return the inputs of the fits, and y."""
        check_kind_of_loss(check_loss(self.loss, 0.5, 2.0), self._responses, type(self).__name__, self._other)
        y = targets_of(y, numeric=y_numeric, many_labels=multi_output)
        # Finiteness of X is the core's to check, in its first pass over X; its message says which row and column.
        X, y = validate_readable(
            self, X, y, reset=reset, ensure_all_finite=False, order=None, multi_output=multi_output, y_numeric=y_numeric
        )
        names = getattr(self, "feature_names_in_", None)
        return Inputs(X, weights_of_rows(sample_weight, X), None, Settings.of_estimator(self), names), y

    def _take_coefficients(self, result: FitResult) -> None:
        raise NotImplementedError

    def _take(self, result: FitResult, stacklevel: int = 4) -> None:
        """Hold a result, and warn if it did not converge."""
        if not result.converged:
            warnings.warn(f"{result.status}: {result.advice}", ConvergenceWarning, stacklevel=stacklevel)
        self._hold(result)

    def _hold(self, result: FitResult) -> None:
        """Hold a result in the attributes that scikit-learn names."""
        self.result_ = replace(result, _request=None)  # an estimator does not hold on to its data
        self.loss_ = result._loss
        self._take_coefficients(result)
        self.support_ = result.support
        self.supports_ = [result.support]
        self.objective_ = result.objective
        self.status_ = result.status
        self.n_iter_ = max(1, result.n_newton)

    def _linear_predictor(self, X: Any) -> NDArray[np.float64]:
        """Linear predictors (n_samples, n_outcomes)."""
        check_is_fitted(self)
        if isinstance(X, Predicted):
            return X.eta
        X = validate_readable(self, X, reset=False)
        coef = self.coef_[:, self.support_].toarray() if is_sparse(self.coef_) else np.atleast_2d(self.coef_)[:, self.support_]
        return linear_predictor(X, self.support_, coef.T, self.n_features_in_) + self.intercept_

    def sparsify(self) -> Self:
        """Turn ``coef_`` into a sparse matrix, which takes less memory where there are many features.

        As in scikit-learn's linear models. Predictions are the same, another fit makes ``coef_`` dense again, and ``intercept_`` is not
        changed. ``result_`` keeps its own coefficients; of a single fit these are dense.

        Returns
        -------
        estimator
            The fitted estimator itself.
        """
        from scipy.sparse import csr_matrix

        check_is_fitted(self)
        if not is_sparse(self.coef_):
            self.coef_ = csr_matrix(np.atleast_2d(self.coef_))
        return self

    def densify(self) -> Self:
        """Turn ``coef_`` back into an array of the shape that it had after the fit.

        Returns
        -------
        estimator
            The fitted estimator itself.
        """
        check_is_fitted(self)
        if is_sparse(self.coef_):
            coef = self.coef_.toarray()
            self.coef_ = coef if self._responses == "labels" else coef[0]
        return self

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[np.object_]:
        """Names of the chosen features.

        Parameters
        ----------
        input_features : array-like of str, optional
            Names of all features; default those seen during fit, or ``x0``, ``x1``, ...

        Returns
        -------
        ndarray of str
            Names in the order of ``support_``.
        """
        check_is_fitted(self)
        return _check_feature_names_in(self, input_features)[self.support_]

    def __getstate__(self) -> dict[str, Any]:
        """Note the version: scikit-learn does so for its own estimators only."""
        return {**super().__getstate__(), "_ksparse_version": __version__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Warn if the version is another: what a later one computes from an attribute may differ."""
        version = state.get("_ksparse_version", "unknown")
        if version != __version__:
            warnings.warn(
                f"this {type(self).__name__} was pickled by version {version} of ksparse and is loaded by {__version__}; "
                "its predictions may differ, fit it again to be sure",
                stacklevel=2,
            )
        super().__setstate__({name: value for name, value in state.items() if name != "_ksparse_version"})

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

"""The base class of all estimators, which validates arrays and stores results in the attributes that scikit-learn expects."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import _check_feature_names_in, check_array, check_is_fitted, column_or_1d

from .._build_info import __version__
from .._input.frames import column_names, is_frame, numbers_of_design, select_columns
from .._input.gaps import without_idle_gaps
from .._input.request import Inputs, Settings
from .._input.row_blocks import CountedBlocks, RowBlocks, filled_blocks, refuse_blocks
from .._input.sparse import is_sparse
from .._input.validation import READ_IN_PLACE, check_kind_of_loss, check_loss, linear_predictor
from .._results.fit import FitResult
from ..losses import Loss
from .certified import CertifySettings
from .doc_link import DocumentationLink
from .input import targets_of, validate_readable, weights_of_rows
from .offsets import NO_OFFSETS, Offsets
from .reading import ReadableEstimator

if TYPE_CHECKING:
    from typing_extensions import Self  # typing.Self needs Python 3.11

__all__ = ["Predicted", "SparseLinearEstimator"]


@dataclass(frozen=True, eq=False)
class Predicted:
    """Takes the place of X if the linear predictors are known: cross-validation computes them for all k at once."""

    eta: NDArray[np.float64]  # (n_samples, n_outcomes)


class SparseLinearEstimator(DocumentationLink, ReadableEstimator, BaseEstimator):
    """Base class of the estimators."""

    # What y contains, "labels" or "numbers", and the name of the estimator for the other kind.
    _responses: ClassVar[str]
    _other: ClassVar[str]
    # Whether X may come in blocks of rows.
    _takes_blocks: ClassVar[bool] = False
    # These have an entry for each class or label if there are several.
    coef_: Any  # an array, or a sparse matrix after sparsify
    intercept_: Any
    objective_: float | NDArray[np.float64]
    lower_bound_: float | NDArray[np.float64]
    gap_: float | NDArray[np.float64]
    status_: str | NDArray[np.str_]
    n_features_in_: int
    n_iter_: int | NDArray[np.int32]
    loss_: Loss
    loss: Any

    def _validated_arrays(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        offsets: Offsets = NO_OFFSETS,
        *,
        multi_output: bool = False,
        y_numeric: bool = False,
        reset: bool = True,
    ) -> tuple[Inputs, Any]:
        """Return the inputs of the fits, and y."""
        loss = check_loss(self.loss, 0.5, 2.0)
        check_kind_of_loss(loss, self._responses, type(self).__name__, self._other)
        y = targets_of(without_idle_gaps(y, sample_weight), numeric=y_numeric, many_labels=multi_output)
        if isinstance(X, RowBlocks) and self._takes_blocks:
            return self._validated_blocks(X, y, sample_weight, offsets.total(loss, len(y)), reset)
        refuse_blocks(X)
        # The core checks that X is finite in its first pass over X, and its message names the row and column.
        X, y = validate_readable(
            self, X, y, reset=reset, ensure_all_finite=False, order=None, multi_output=multi_output, y_numeric=y_numeric
        )
        names = getattr(self, "feature_names_in_", None)
        total = offsets.total(loss, X.shape[0])
        return Inputs(X, weights_of_rows(sample_weight, X), total, self._settings(), names), y

    def _validated_blocks(self, X: RowBlocks, y: Any, sample_weight: Any, offset: Any, reset: bool) -> tuple[Inputs, Any]:
        y = column_or_1d(y, warn=True)
        if reset:
            self.__dict__.pop("feature_names_in_", None)  # of an earlier fit
            self.n_features_in_ = X.n_features
        counted = CountedBlocks(X, len(y))
        if CertifySettings.of(self) is not None:
            raise ValueError("certify is True, but X comes in blocks; a proof needs X in memory")
        return Inputs(counted, weights_of_rows(sample_weight, y), offset, Settings.of_estimator(self)), y

    def _settings(self) -> Settings:
        """Return the settings of the fits. With ``certify``, max_seconds limits the proof instead of the search."""
        return Settings.of_estimator(self, **({"max_seconds": None} if CertifySettings.of(self) else {}))

    def _take_coefficients(self, result: FitResult) -> None:
        raise NotImplementedError

    def _take(self, result: FitResult, stacklevel: int = 4) -> None:
        """Prove a fit if ``certify`` asks for it, store it, and warn if it did not converge."""
        if certify := CertifySettings.of(self):
            result = certify.prove(result)
        if not result.converged:
            warnings.warn(f"{result.status}: {result.advice}", ConvergenceWarning, stacklevel=stacklevel)
        self._hold(result)

    def _hold(self, result: FitResult) -> None:
        """Store a result in the attributes that scikit-learn expects."""
        self.result_ = result._without_data()  # an estimator does not keep its data
        self.loss_ = result._loss
        self._take_coefficients(result)
        self.support_ = result.support
        self.supports_ = [result.support]
        self.objective_ = result.objective
        self.lower_bound_ = result.lower_bound
        self.gap_ = result.gap
        self._hold_proof(result.proof)
        self.status_ = result.status
        self.n_iter_ = max(1, result.n_newton)

    def _hold_proof(self, proof: Any) -> None:
        """Store a proof, or those of several fits, or remove that of an earlier fit."""
        self.__dict__.pop("proof_", None)
        if proof is not None:
            self.proof_ = proof

    def _linear_predictor(self, X: Any, offsets: Offsets = NO_OFFSETS) -> NDArray[np.float64]:
        """Return the linear predictors with their offsets, of shape (n_samples, n_outcomes)."""
        check_is_fitted(self)
        eta = self._without_offsets(X)
        total = offsets.total(self.loss_, len(eta))
        if total is None:
            return eta
        if total.ndim == 2 and total.shape != eta.shape:
            raise ValueError(f"offset has shape {total.shape}; it must have shape ({len(eta)},) or {eta.shape}")
        return eta + (total if total.ndim == 2 else total[:, None])

    def _without_offsets(self, X: Any) -> NDArray[np.float64]:
        if isinstance(X, Predicted):
            return X.eta
        if isinstance(X, RowBlocks):
            return np.concatenate([self._linear_predictor(block) for block in filled_blocks(X)])
        coef = self.coef_[:, self.support_].toarray() if is_sparse(self.coef_) else np.atleast_2d(self.coef_)[:, self.support_]
        names = getattr(self, "feature_names_in_", None)
        if names is not None and is_frame(X) and len(column_names(X)) != self.n_features_in_:
            # Where a model is deployed there may be no other columns than those that it uses.
            X = check_array(
                numbers_of_design(select_columns(X, names[self.support_].tolist())), dtype=READ_IN_PLACE, ensure_min_features=0
            )
            return linear_predictor(X, np.arange(len(self.support_)), coef.T, len(self.support_)) + self.intercept_
        X = validate_readable(self, X, reset=False)
        return linear_predictor(X, self.support_, coef.T, self.n_features_in_) + self.intercept_

    def sparsify(self) -> Self:
        """Convert ``coef_`` to a sparse matrix, which needs less memory if there are many features.

        This works as in scikit-learn's linear models: predictions stay the same, ``intercept_`` is not changed, and fitting
        again makes ``coef_`` dense. ``result_`` keeps its own coefficients, which are dense in the result of a single fit.

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
        """Convert ``coef_`` back to a dense array of the shape that it had after the fit.

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
        """Return the names of the chosen features.

        Parameters
        ----------
        input_features : array-like of str, optional
            Names of all features. By default the names seen during ``fit``, or ``x0``, ``x1``, ... if there were none.

        Returns
        -------
        ndarray of str
            Names of the chosen features, in the order of ``support_``.
        """
        check_is_fitted(self)
        return _check_feature_names_in(self, input_features)[self.support_]

    def __getstate__(self) -> dict[str, Any]:
        """Store the version of ksparse; scikit-learn stores its version for its own estimators only."""
        return {**super().__getstate__(), "_ksparse_version": __version__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Warn if the estimator was stored by another version, in which attributes may have had another meaning."""
        version = state.get("_ksparse_version", "unknown")
        if version != __version__:
            warnings.warn(
                f"this {type(self).__name__} was pickled by version {version} of ksparse and is loaded by {__version__}; "
                "its predictions may differ; fit it again to be safe",
                stacklevel=2,
            )
        super().__setstate__({name: value for name, value in state.items() if name != "_ksparse_version"})

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

"""The base class of the classifiers, which turns labels into problems and linear predictors into labels and probabilities."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted

from .._checks import check_choice
from .._input.class_weight import check_class_weight, times_class_weights
from .._input.gaps import without_idle_gaps
from .._input.request import Inputs
from .._input.validation import PROBABILITIES, check_loss
from .._probability import one_vs_rest_log_probability, probability_of
from .._quiet import quiet
from .._results.batch import BatchResult
from .._results.fit import FitResult
from .base import SparseLinearEstimator
from .certified import CertifySettings
from .input import scoring_weights, targets_of
from .offsets import NO_OFFSETS, Offsets
from .outcomes import Outcomes
from .reading import ReadableClassifier

__all__ = ["SparseLinearClassifier", "says_probabilities"]


def says_probabilities(estimator: Any) -> bool:
    """Return True if the loss defines probabilities, else raise an AttributeError that says why not."""
    try:
        loss = check_loss(estimator.loss, 0.5, 2.0)
    except (TypeError, ValueError):
        return True  # fit raises the error
    if loss.log_odds(np.zeros(1)) is None:
        raise AttributeError(f"the loss {loss.name!r} does not define probabilities; use decision_function")
    return True


class SparseLinearClassifier(ReadableClassifier, ClassifierMixin, SparseLinearEstimator):
    """Base class of the classifiers."""

    _responses = "labels"
    _other = "KSparseRegressor"
    # These have an entry for each class or label if there are several.
    classes_: Any
    gamma_: float | NDArray[np.float64]
    result_: FitResult | BatchResult
    # Advice if y has more than two classes; None if the estimator accepts them.
    _more_classes: str | None = None
    # Whether y may have one column for each label.
    _many_labels = False
    class_weight: Any = None
    probability: Any

    def _validated(
        self, X: Any, y: Any, sample_weight: Any, offsets: Offsets = NO_OFFSETS, *, indicator: bool = False, reset: bool = True
    ) -> tuple[Inputs, NDArray[Any]]:
        """Return the inputs of the fits, with weights that include those of the classes, and the labels.

        Labels are indices into ``classes_``, or with ``indicator`` a matrix of 0 and 1 with contiguous columns. Without
        ``reset`` they must be labels that the fit has seen.
        """
        check_choice(self.probability, "probability", PROBABILITIES)
        inputs, y = self._validated_arrays(X, y, sample_weight, offsets, multi_output=indicator, reset=reset)
        labels = self._indicator(y, reset) if indicator else self._class_numbers(y) if reset else self._known_numbers(y)
        if self.class_weight is not None:
            check_class_weight(self.class_weight, self.classes_)
            inputs = replace(inputs, sample_weight=times_class_weights(self.class_weight, y, inputs.sample_weight))
        return inputs, labels

    def _class_numbers(self, y: NDArray[Any]) -> NDArray[np.intp]:
        """Store the classes and return the index of each label among them."""
        kind = type_of_target(y, input_name="y")
        if kind.startswith("continuous"):
            raise ValueError(
                f"Unknown label type: {kind}. y has numbers that are not whole, which are no labels; use {self._other} for numbers"
            )
        check_classification_targets(y)
        if kind != "binary" and not (kind == "multiclass" and self._more_classes is None):
            advice = f" {self._more_classes}" if kind == "multiclass" else ""
            raise ValueError(f"Only binary classification is supported. The type of the target is {kind}.{advice}")
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y has one class only ({self.classes_.tolist()[0]!r}); {type(self).__name__} needs two classes")
        return labels

    def _known_numbers(self, y: NDArray[Any]) -> NDArray[np.intp]:
        """Return the index of each label among the classes of the fit."""
        for i in np.flatnonzero(~np.isin(y, self.classes_))[:1]:
            raise ValueError(f"y[{i}] is {y[i]!r}; the fit had the classes {self.classes_.tolist()}")
        return np.searchsorted(self.classes_, y)

    def _indicator(self, y: Any, reset: bool) -> NDArray[Any]:
        raise NotImplementedError  # implemented by the multi-label estimator only

    def _take_coefficients(self, result: FitResult) -> None:
        self.gamma_ = result.gamma
        self.coef_ = result.coef.reshape(1, -1)
        self.intercept_ = np.array([result.intercept])

    def _indicator_of(self, labels: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Return a column for each class that is True in the rows of that class."""
        return np.equal.outer(np.arange(len(self.classes_)), labels).T

    def _take_all(self, outcomes: Outcomes, what: str, names: NDArray[Any] | None, stacklevel: int = 3) -> None:
        """Prove the fits for the columns of an indicator if ``certify`` asks for it, store them, and warn if some did not converge.

        The columns are ``what``.
        """
        if (certify := CertifySettings.of(self)) and outcomes.proofs is None:
            outcomes = outcomes.proved(certify, getattr(self, "groups", None))
        batch = self._hold_all(outcomes, names)
        failed = np.flatnonzero(~batch.converged)
        if len(failed):
            i = int(failed[0])
            warnings.warn(
                f"{len(failed)} of {len(batch)} {what} did not converge; the first is {batch._name(i)}: "
                f"{batch.status[i]}: {batch._advice(i)}{outcomes.consequence(i)}",
                ConvergenceWarning,
                stacklevel=stacklevel,
            )

    def _hold_all(self, outcomes: Outcomes, names: NDArray[Any] | None) -> BatchResult:
        """Store the results for the columns of an indicator in the attributes that scikit-learn expects."""
        batch = replace(outcomes.batch, problem_names=names, _batch=None)  # an estimator does not keep its data
        self.result_ = batch
        self.loss_ = batch._loss
        self.gamma_ = batch.gamma
        self.coef_ = batch.coefs.toarray()
        self.intercept_ = outcomes.intercepts
        self.supports_ = batch.supports
        self.support_ = np.unique(np.concatenate(self.supports_))
        self.objective_ = batch.objectives
        self.lower_bound_ = batch.lower_bounds
        self.gap_ = batch.gaps
        self._hold_proof(outcomes.proofs)
        self.status_ = batch.status
        self.n_iter_ = np.maximum(1, batch.n_newton)
        return batch

    @quiet
    def decision_function(
        self, X: Any, *, offset: ArrayLike | None = None, exposure: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Compute the linear predictor of ``classes_[1]``, or of each class against the rest.

        For the losses ``cloglog`` and ``asymmetric_focal``, both classes are equally likely at a linear predictor that is not
        0. This value is subtracted, so ``classes_[1]`` is always predicted where the decision function is positive.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows, with the columns of the fit.
        offset : array-like of shape (n_samples,), optional
            Values added to the linear predictor, or a column for each class, as in the fit.
        exposure : array-like of shape (n_samples,), optional
            How long or how much each row was observed, > 0; its logarithm is added to the linear predictor. It needs a loss
            with a log link, or ``"cloglog"``.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            ``X @ coef_.T + intercept_``, as a vector if ``coef_`` has one row.
        """
        eta = self._eta(X, Offsets(offset, exposure))
        return eta - self.loss_.decision_threshold()

    @quiet
    def _eta(self, X: Any, offsets: Offsets) -> NDArray[np.float64]:
        eta = self._linear_predictor(X, offsets)
        return eta[:, 0] if self.coef_.shape[0] == 1 else eta

    def predict(self, X: Any, *, offset: ArrayLike | None = None, exposure: ArrayLike | None = None) -> NDArray[Any]:
        """Predict the label of each row.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows, with the columns of the fit.
        offset : array-like of shape (n_samples,), optional
            Values added to the linear predictor, or a column for each class, as in the fit.
        exposure : array-like of shape (n_samples,), optional
            How long or how much each row was observed, > 0; its logarithm is added to the linear predictor. It needs a loss
            with a log link, or ``"cloglog"``.

        Returns
        -------
        ndarray of shape (n_samples,)
            ``classes_[1]`` if the decision function is positive, else ``classes_[0]``; with more than two classes, the class
            with the largest value.
        """
        decision = self.decision_function(X, offset=offset, exposure=exposure)
        return self.classes_[(decision > 0).astype(np.intp) if decision.ndim == 1 else decision.argmax(axis=1)]

    @quiet
    def score(
        self,
        X: Any,
        y: Any,
        sample_weight: ArrayLike | None = None,
        *,
        offset: ArrayLike | None = None,
        exposure: ArrayLike | None = None,
    ) -> float:
        """Return the accuracy, the share of rows whose label is predicted correctly.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows on which the model is scored.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Labels of these rows, read as in ``fit``. In multi-label problems, a row counts only if all its labels are correct.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the rows, >= 0.
        offset : array-like of shape (n_samples,), optional
            Values added to the linear predictor, as in the fit.
        exposure : array-like of shape (n_samples,), optional
            How long or how much each row was observed, > 0; its logarithm is added to the linear predictor. It needs a loss
            with a log link, or ``"cloglog"``.

        Returns
        -------
        float
            The accuracy, in [0, 1].
        """
        check_is_fitted(self)
        y = targets_of(without_idle_gaps(y, sample_weight), many_labels=self._many_labels)
        predicted = self.predict(X, offset=offset, exposure=exposure)
        return float(accuracy_score(y, predicted, sample_weight=scoring_weights(sample_weight, y)))

    def _log_odds(self, eta: NDArray[np.float64]) -> Any:
        """Return the log-odds of linear predictors, or the linear predictors themselves if ``probability`` asks for the raw score."""
        raw = check_choice(self.probability, "probability", PROBABILITIES) == "score"
        if raw and self.loss_.focuses:
            return eta
        # In a focal loss, gamma may differ between classes or labels, which are columns of the linear predictors.
        return self.loss_._with_focal_parameters(0.5, self.gamma_).log_odds(eta)

    @available_if(says_probabilities)
    @quiet
    def predict_proba(
        self, X: Any, *, offset: ArrayLike | None = None, exposure: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Predict the probability of each class. Not available for hinge losses, which do not define probabilities.

        For the focal losses, the effect of the focusing exponent is inverted (see the Notes of the class) unless
        ``probability="score"``. With more than two classes, the one-vs-rest probabilities are divided by their sum, as in
        :class:`sklearn.multiclass.OneVsRestClassifier`. Rows in which all of them underflow sum to one as well.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows, with the columns of the fit.
        offset : array-like of shape (n_samples,), optional
            Values added to the linear predictor, or a column for each class, as in the fit.
        exposure : array-like of shape (n_samples,), optional
            How long or how much each row was observed, > 0; its logarithm is added to the linear predictor. It needs a loss
            with a log link, or ``"cloglog"``.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities, with columns in the order of ``classes_``. The rows sum to one.
        """
        odds = self._log_odds(self._eta(X, Offsets(offset, exposure)))
        if odds.ndim == 2:
            return np.exp(one_vs_rest_log_probability(odds))
        return np.column_stack([probability_of(-odds), probability_of(odds)])

    @available_if(says_probabilities)
    @quiet
    def predict_log_proba(
        self, X: Any, *, offset: ArrayLike | None = None, exposure: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Predict the logarithm of the probability of each class.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows, with the columns of the fit.
        offset : array-like of shape (n_samples,), optional
            Values added to the linear predictor, or a column for each class, as in the fit.
        exposure : array-like of shape (n_samples,), optional
            How long or how much each row was observed, > 0; its logarithm is added to the linear predictor. It needs a loss
            with a log link, or ``"cloglog"``.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Logarithms of probabilities, with columns in the order of ``classes_``.
        """
        check_is_fitted(self)
        if len(self.classes_) > 2:
            return one_vs_rest_log_probability(self._log_odds(self._eta(X, Offsets(offset, exposure))))
        with np.errstate(divide="ignore"):  # a probability of 0 has the logarithm -inf, as in scikit-learn
            return np.log(self.predict_proba(X, offset=offset, exposure=exposure))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = self._more_classes is None
        return tags

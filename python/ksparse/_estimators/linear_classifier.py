"""What all classifiers share: labels in, labels and probabilities out."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted

from .._checks import check_choice
from .._input.request import Inputs
from .._input.validation import PROBABILITIES, check_loss
from .._probability import one_vs_rest_log_probability, probability_of
from .._quiet import quiet
from .._results.batch import BatchResult
from .._results.fit import FitResult
from .base import SparseLinearEstimator
from .class_weight import check_class_weight, times_class_weights
from .input import targets_of, weights_to_judge_by
from .outcomes import Outcomes
from .reading import ReadableClassifier

__all__ = ["SparseLinearClassifier", "says_probabilities"]


def says_probabilities(estimator: Any) -> bool:
    """Whether the loss does; an AttributeError says why not."""
    try:
        loss = check_loss(estimator.loss, 0.5, 2.0)
    except (TypeError, ValueError):
        return True  # fit refuses it, in its own words
    if loss.log_odds(np.zeros(1)) is None:
        raise AttributeError(f"the loss {loss.name!r} says nothing of probabilities; use decision_function")
    return True


class SparseLinearClassifier(ReadableClassifier, ClassifierMixin, SparseLinearEstimator):
    """What the classifiers share: labels and probabilities out."""

    _responses = "labels"
    _other = "KSparseRegressor"
    # By class or label where there are several.
    classes_: Any
    gamma_: float | NDArray[np.float64]
    result_: FitResult | BatchResult
    # What to use instead for more than two classes; None: the estimator takes any number of them.
    _more_classes: str | None = None
    # Whether y may have a column for each label.
    _many_labels = False
    class_weight: Any = None
    probability: Any

    def _validated(
        self, X: Any, y: Any, sample_weight: Any, *, indicator: bool = False, reset: bool = True
    ) -> tuple[Inputs, NDArray[Any]]:
        """Return the inputs of the fits, with weights that include those of the classes, and the labels.

        Labels are numbers in ``classes_``, or with ``indicator`` a matrix of 0 and 1 by columns. Without ``reset`` they must be
        those of an earlier fit.
        """
        check_choice(self.probability, "probability", PROBABILITIES)
        inputs, y = self._validated_arrays(X, y, sample_weight, multi_output=indicator, reset=reset)
        labels = self._indicator(y, reset) if indicator else self._class_numbers(y) if reset else self._known_numbers(y)
        if self.class_weight is not None:
            check_class_weight(self.class_weight, self.classes_)
            inputs = replace(inputs, sample_weight=times_class_weights(self.class_weight, y, inputs.sample_weight))
        return inputs, labels

    def _class_numbers(self, y: NDArray[Any]) -> NDArray[np.intp]:
        """Find the classes and return the place of each label among them."""
        check_classification_targets(y)
        kind = type_of_target(y, input_name="y")
        if kind != "binary" and not (kind == "multiclass" and self._more_classes is None):
            advice = f" {self._more_classes}" if kind == "multiclass" else ""
            raise ValueError(f"Only binary classification is supported. The type of the target is {kind}.{advice}")
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y has one class only ({self.classes_[0]!r}); {type(self).__name__} needs two")
        return labels

    def _known_numbers(self, y: NDArray[Any]) -> NDArray[np.intp]:
        """Return the place of each label among the classes of the fit."""
        for i in np.flatnonzero(~np.isin(y, self.classes_))[:1]:
            raise ValueError(f"y[{i}] is {y[i]!r}; the fit had the classes {self.classes_.tolist()}")
        return np.searchsorted(self.classes_, y)

    def _indicator(self, y: Any, reset: bool) -> NDArray[Any]:
        raise NotImplementedError  # only of the estimator of many labels

    def _take_coefficients(self, result: FitResult) -> None:
        self.gamma_ = result.gamma
        self.coef_ = result.coef.reshape(1, -1)
        self.intercept_ = np.array([result.intercept])

    def _indicator_of(self, labels: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Return a column for each class, which is True in its rows."""
        return np.equal.outer(np.arange(len(self.classes_)), labels).T

    def _take_all(self, outcomes: Outcomes, what: str, names: NDArray[Any] | None, stacklevel: int = 3) -> None:
        """Hold the answers for columns of an indicator, which are ``what``; warn of those that did not converge."""
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
        """Hold the answers for columns of an indicator in the attributes that scikit-learn names."""
        batch = replace(outcomes.batch, problem_names=names, _batch=None)  # an estimator does not hold on to its data
        self.result_ = batch
        self.loss_ = batch._loss
        self.gamma_ = batch.gamma
        self.coef_ = batch.coefs.toarray()
        self.intercept_ = outcomes.intercepts
        self.supports_ = batch.supports
        self.support_ = np.unique(np.concatenate(self.supports_))
        self.objective_ = batch.objectives
        self.status_ = batch.status
        self.n_iter_ = np.maximum(1, batch.n_newton)
        return batch

    @quiet
    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Linear predictor: of ``classes_[1]``, or of each class against the rest.

        For the losses ``cloglog`` and ``asymmetric_focal``, whose classes are as likely at another linear predictor than 0, less that
        one: the decision is always for ``classes_[1]`` where this is positive.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows to judge.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            ``X @ coef_.T + intercept_``; a vector where ``coef_`` has one row.
        """
        eta = self._eta(X)
        return eta - self.loss_.decision_threshold()

    @quiet
    def _eta(self, X: Any) -> NDArray[np.float64]:
        eta = self._linear_predictor(X)
        return eta[:, 0] if self.coef_.shape[0] == 1 else eta

    def predict(self, X: Any) -> NDArray[Any]:
        """Label of each row.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows to judge.

        Returns
        -------
        ndarray of shape (n_samples,)
            ``classes_[1]`` where the decision function is positive, else ``classes_[0]``; of more classes that with the greatest.
        """
        decision = self.decision_function(X)
        return self.classes_[(decision > 0).astype(np.intp) if decision.ndim == 1 else decision.argmax(axis=1)]

    @quiet
    def score(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> float:
        """Share of the rows whose labels are predicted, the greater the better.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows to judge by.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Their labels, read as those of the fit are. Of many labels a row counts only if all of them are right.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the rows, >= 0.

        Returns
        -------
        float
            The accuracy, in [0, 1].
        """
        check_is_fitted(self)
        y = targets_of(y, many_labels=self._many_labels)
        return float(super().score(X, y, weights_to_judge_by(sample_weight, y)))

    def _log_odds(self, eta: NDArray[np.float64]) -> Any:
        """Return what linear predictors say of log-odds; where the raw score of a focal loss is asked for, themselves."""
        raw = check_choice(self.probability, "probability", PROBABILITIES) == "score"
        if raw and self.loss_.focuses:
            return eta
        # A focal loss may have another gamma for each class or label, which is a column of the linear predictors.
        return self.loss_._with_focal_parameters(0.5, self.gamma_).log_odds(eta)

    @available_if(says_probabilities)
    @quiet
    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probability of each class; not of the hinges, which say nothing of it.

        For the focal losses with the focusing undone (see Notes of the class), unless ``probability="score"``. With more than two
        classes those of each class against the rest, divided by their sum, as :class:`sklearn.multiclass.OneVsRestClassifier`
        does. Rows where all of them underflow sum to one as well.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows to judge.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Columns in the order of ``classes_``; rows sum to one.
        """
        odds = self._log_odds(self._eta(X))
        if odds.ndim == 2:
            return np.exp(one_vs_rest_log_probability(odds))
        return np.column_stack([probability_of(-odds), probability_of(odds)])

    @available_if(says_probabilities)
    @quiet
    def predict_log_proba(self, X: Any) -> NDArray[np.float64]:
        """Logarithm of the probability of each class.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows to judge.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Columns in the order of ``classes_``.
        """
        check_is_fitted(self)
        if len(self.classes_) > 2:
            return one_vs_rest_log_probability(self._log_odds(self._eta(X)))
        with np.errstate(divide="ignore"):  # a probability of 0 has the logarithm -inf, as in scikit-learn
            return np.log(self.predict_proba(X))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = self._more_classes is None
        return tags

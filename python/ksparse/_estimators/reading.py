"""Methods of estimators that describe or export the fitted model; their results do the work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._input.request import Inputs, Request
from .._results.export import formula, to_logistic_regression, to_python, to_sql
from .._results.fit import FitResult
from .._results.scorecard import make_scorecard
from .._results.summary import summarise
from .offsets import Offsets

__all__ = ["ReadableClassifier", "ReadableEstimator"]


class ReadableEstimator:
    """Methods that describe a fitted estimator, or each of its classes or labels."""

    classes_: Any  # classifiers have it
    class_weight: Any = None
    result_: Any
    _validated: Any

    def __sklearn_is_fitted__(self) -> bool:
        """Return whether ``fit`` has finished; a fit that raised an error may have set ``classes_`` already."""
        return hasattr(self, "coef_")

    def _fitted(self) -> Any:
        """Return the result, or raise scikit-learn's error if the estimator is not fitted."""
        from sklearn.utils.validation import check_is_fitted  # results work without scikit-learn

        check_is_fitted(self)
        return self.result_

    def _models(self) -> list[FitResult]:
        """Return the model of each row of ``coef_``."""
        result = self._fitted()
        return [result] if isinstance(result, FitResult) else list(result)

    def _each(self, read: Callable[[FitResult, int, str], Any]) -> Any:
        """Apply a function to the result, or to those of all classes or labels with their index and name; None for one that could not be fitted."""
        result = self._fitted()
        if isinstance(result, FitResult):
            return read(result, 1, str(self.classes_[1]) if result._loss.is_classification else "")
        names = range(len(result)) if result.problem_names is None else result.problem_names.tolist()
        answered = np.isfinite(result.intercepts)
        return {name: read(result[i], i, str(name)) if answered[i] else None for i, name in enumerate(names)}

    def _requests(self, X: Any, y: Any, sample_weight: Any, offsets: Offsets) -> Callable[[FitResult, int], Request]:
        """Validate data like those of the fit; return a function that makes the request for the result of a class or label."""
        self._fitted()
        inputs, labels_of = self._labels_of_fit(X, y, sample_weight, offsets)

        def request(result: FitResult, i: int) -> Request:
            own = replace(inputs.settings, loss=result._loss, alpha=0.5, gamma=2.0, ridge=result.ridge)
            return Request.of(replace(inputs.of_problem(i), settings=own, names=result.feature_names), labels_of(i))

        return request

    def _labels_of_fit(self, X: Any, y: Any, sample_weight: Any, offsets: Offsets) -> tuple[Inputs, Callable[[int], Any]]:
        """Return the inputs of the fits, and a function that returns the responses of each problem."""
        many_labels = np.ndim(self.classes_) == 2
        inputs, labels = self._validated(X, y, sample_weight, offsets, indicator=many_labels, reset=False)
        return inputs, lambda i: labels[:, i] if many_labels else labels == i

    def summary(
        self,
        X: Any,
        y: Any,
        sample_weight: ArrayLike | None = None,
        *,
        offset: ArrayLike | None = None,
        exposure: ArrayLike | None = None,
        level: float = 0.95,
        covariance: str | None = None,
        bootstrap: int = 0,
        random_state: Any = 0,
        n_jobs: int | None = None,
    ) -> Any:
        """Return a table of the chosen features with standard errors and confidence intervals.

        See :meth:`ksparse.FitResult.summary` for what the table shows and how to interpret it. An estimator does not keep its
        data, so they must be passed again.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows of the fit.
        y : array-like of shape (n_samples,)
            Labels or responses of the fit.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the fit.
        offset, exposure : array-like of shape (n_samples,), optional
            Those of the fit.
        level : float, default=0.95
            Confidence level of the intervals, in (0, 1).
        covariance : {"information", "sandwich"} or None, default=None
            How standard errors are estimated, see :meth:`ksparse.FitResult.summary`. None means ``sandwich`` if
            ``class_weight`` is set, because there is no likelihood then.
        bootstrap, random_state, n_jobs : optional
            As in :meth:`ksparse.FitResult.summary`.

        Returns
        -------
        Summary or dict of Summary
            The table. With more than two classes, or many labels, it is a dict with an entry for each of them by name, which is
            None if it could not be fitted.

        Raises
        ------
        ValueError
            If an argument is invalid, or if F on these rows differs from F of the fit.
        """
        request = self._requests(X, y, sample_weight, Offsets(offset, exposure))
        class_weighted = self.class_weight is not None
        return self._each(
            lambda result, i, name: summarise(
                result,
                request(result, i),
                level=level,
                covariance=covariance,
                bootstrap=bootstrap,
                random_state=random_state,
                n_jobs=n_jobs,
                outcome=name,
                class_weighted=class_weighted,
            )
        )

    def formula(self, digits: int = 4) -> Any:
        """Write the model as a formula for a reader.

        Parameters
        ----------
        digits : int, default=4
            Number of significant digits, in [1, 17].

        Returns
        -------
        str or dict of str
            The text, see :meth:`ksparse.FitResult.formula`. With more than two classes, or many labels, it is a dict with an
            entry for each of them by name, which is None if it could not be fitted.

        Raises
        ------
        ValueError
            For the same reasons as in :meth:`ksparse.FitResult.formula`.
        """
        return self._each(lambda result, _, name: formula(result, digits, name))

    def to_python(self, output: str | None = None) -> Any:
        """Write the model as a Python expression, which needs neither ksparse nor NumPy.

        Parameters
        ----------
        output : {"probability", "mean", "linear_predictor"} or None, default=None
            What the expression computes: the probability of ``classes_[1]`` for classification (with more than two classes, of
            each class against the rest, before the division by the sum), the mean response for regression, or the linear
            predictor. None means the probability or the mean.

        Returns
        -------
        str or dict of str
            The text, see :meth:`ksparse.FitResult.to_python`. With more than two classes, or many labels, it is a dict with an
            entry for each of them by name, which is None if it could not be fitted.

        Raises
        ------
        ValueError
            For the same reasons as in :meth:`ksparse.FitResult.to_python`.
        """
        return self._each(lambda result, i, name: to_python(result, output))

    def to_sql(self, output: str | None = None) -> Any:
        """Write the model as an SQL expression, to be selected from a table with the columns of X.

        Parameters
        ----------
        output : {"probability", "mean", "linear_predictor"} or None, default=None
            What the expression computes: the probability of ``classes_[1]`` for classification (with more than two classes, of
            each class against the rest, before the division by the sum), the mean response for regression, or the linear
            predictor. None means the probability or the mean.

        Returns
        -------
        str or dict of str
            The text, see :meth:`ksparse.FitResult.to_sql`. With more than two classes, or many labels, it is a dict with an
            entry for each of them by name, which is None if it could not be fitted.

        Raises
        ------
        ValueError
            For the same reasons as in :meth:`ksparse.FitResult.to_sql`.
        """
        return self._each(lambda result, _, name: to_sql(result, output, name))


class ReadableClassifier(ReadableEstimator):
    """Methods for classifiers whose linear predictor may be log-odds."""

    def to_logistic_regression(self) -> Any:
        """Copy the coefficients to a scikit-learn model, for tools that support its models, e.g. converters to ONNX.

        Returns
        -------
        sklearn.linear_model.LogisticRegression or dict of LogisticRegression
            A fitted model with the same classes, linear predictor and probabilities, see
            :meth:`ksparse.FitResult.to_logistic_regression`. With more than two classes, or many labels, it is a dict with a
            model of the classes 0 (the rest) and 1 for each of them by name, which is None if it could not be fitted.

        Raises
        ------
        ValueError
            For the same reasons as in :meth:`ksparse.FitResult.to_logistic_regression`.
        """
        return self._each(
            lambda result, i, name: to_logistic_regression(result, self.classes_ if self.classes_.shape == (2,) else (0, 1))
        )

    def scorecard(
        self,
        X: Any,
        y: Any,
        sample_weight: ArrayLike | None = None,
        *,
        offset: ArrayLike | None = None,
        exposure: ArrayLike | None = None,
        points_to_double_odds: float = 20.0,
        base_points: float = 600.0,
        base_odds: float = 50.0,
        units: dict[Any, float] | None = None,
        decimals: int | None = 0,
    ) -> Any:
        """Make a scorecard, whose points can be added by hand; more points mean that ``classes_[1]`` is more likely.

        See :meth:`ksparse.FitResult.scorecard`. The rows may differ from those of the fit.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows from which the steps of the features are determined, and on which the effect of rounding is measured.
        y : array-like of shape (n_samples,)
            Labels of these rows.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of these rows.
        offset, exposure : array-like of shape (n_samples,), optional
            Those of these rows.
        points_to_double_odds, base_points, base_odds, units, decimals : optional
            As in :meth:`ksparse.FitResult.scorecard`.

        Returns
        -------
        Scorecard or dict of Scorecard
            The scorecard. With more than two classes, or many labels, it is a dict with an entry for each of them by name,
            which is None if it could not be fitted.

        Raises
        ------
        ValueError
            For the same reasons as in :meth:`ksparse.FitResult.scorecard`.
        """
        request = self._requests(X, y, sample_weight, Offsets(offset, exposure))
        class_weighted = self.class_weight is not None
        return self._each(
            lambda result, i, name: make_scorecard(
                result,
                request(result, i),
                points_to_double_odds=points_to_double_odds,
                base_points=base_points,
                base_odds=base_odds,
                units=units,
                decimals=decimals,
                outcome=name,
                class_weighted=class_weighted,
            )
        )

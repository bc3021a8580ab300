"""The methods of a fitted scorecard: points, probabilities, labels and exports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import accuracy_score
from sklearn.utils.validation import check_is_fitted

from .._estimators.input import scoring_weights, targets_of
from .._input.frames import column_names, is_frame
from .._probability import probability_of
from .binner import Binner
from .card import Card
from .columns import Column, columns_of
from .evaluation import Evaluation, evaluate_scores

__all__ = ["UsesCard"]

Vector = NDArray[np.float64]


class UsesCard:
    """Methods of an estimator that has a card."""

    card_: Card
    binner_: Binner
    variables_: list[str]
    event_: Any
    classes_: Any
    n_features_in_: int
    _places: list[int]  # the columns of X of the variables of the card
    _event_place: int

    def _columns_of_card(self, X: Any) -> tuple[list[Column], int]:
        """Read the columns of the card from X, which may have only these; return them and the number of rows."""
        check_is_fitted(self)
        names = getattr(self, "feature_names_in_", None)
        if names is not None and is_frame(X):
            given = column_names(X)
            if len(given) != self.n_features_in_:
                for name in self.variables_:
                    if given.count(name) != 1:
                        raise ValueError(
                            f"X has {given.count(name)} columns of the name {name!r}; the card needs one, and of the columns of the fit only "
                            f"{self.variables_}"
                        )
                read = columns_of(X, given, [given.index(name) for name in self.variables_])
                return self.binner_._as_categories(read, self._places), len(read[0].values) if read else len(X)
        columns = self.binner_._read(X, reset=False)
        return [columns[v] for v in self._places], len(columns[0].values)

    def _total(self, columns: Sequence[Column], n: int) -> Vector:
        points = self.card_.points_of(columns)
        return self.card_.base + (points.sum(axis=1) if columns else np.zeros(n))

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Points of each row for each variable of the card.

        Parameters
        ----------
        X : data frame or array-like
            A table with the columns of the fit, or a data frame with those of the card.

        Returns
        -------
        ndarray of shape (n_samples, n_variables)
            Points, in the order of ``variables_``. Their sum plus ``card_.base`` is :meth:`total_points`.
        """
        columns, n = self._columns_of_card(X)
        return self.card_.points_of(columns) if columns else np.empty((n, 0))

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[np.object_]:
        """Names of the variables of the card.

        Parameters
        ----------
        input_features : array-like of str, optional
            Not used.

        Returns
        -------
        ndarray of str
            ``variables_``.
        """
        check_is_fitted(self)
        return np.array(self.variables_, dtype=object)

    def total_points(self, X: Any) -> NDArray[np.float64]:
        """Sum of the points of each row, including the base.

        Parameters
        ----------
        X : data frame or array-like
            A table with the columns of the fit, or a data frame with those of the card.

        Returns
        -------
        ndarray of shape (n_samples,)
            The sums.
        """
        return self._total(*self._columns_of_card(X))

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Linear predictor of ``classes_[1]``, which is its log odds for the logistic loss.

        Parameters
        ----------
        X : data frame or array-like
            A table with the columns of the fit, or a data frame with those of the card.

        Returns
        -------
        ndarray of shape (n_samples,)
            The linear predictor, positive if ``classes_[1]`` is more likely.
        """
        check_is_fitted(self)
        eta = self.card_.linear_predictor(self.total_points(X))
        return eta if self._event_place == 1 else -eta

    def predict(self, X: Any) -> NDArray[Any]:
        """Label of each row.

        Parameters
        ----------
        X : data frame or array-like
            A table with the columns of the fit, or a data frame with those of the card.

        Returns
        -------
        ndarray of shape (n_samples,)
            ``classes_[1]`` if :meth:`decision_function` is positive, else ``classes_[0]``.
        """
        decision = self.decision_function(X)
        return self.classes_[(decision > 0).astype(np.intp)]

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probability of each class, computed from the points of the card.

        Parameters
        ----------
        X : data frame or array-like
            A table with the columns of the fit, or a data frame with those of the card.

        Returns
        -------
        ndarray of shape (n_samples, 2)
            Columns in the order of ``classes_``.
        """
        check_is_fitted(self)
        log_odds = self.card_.loss.log_odds(self.card_.linear_predictor(self.total_points(X)))
        event, other = probability_of(np.asarray(log_odds)), probability_of(-np.asarray(log_odds))
        return np.column_stack([other, event] if self._event_place == 1 else [event, other])

    def score(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> float:
        """Accuracy of the predicted labels. If one class is rare, :func:`ksparse.evaluate_scores` tells more.

        Parameters
        ----------
        X : data frame or array-like
            Rows to evaluate.
        y : array-like of shape (n_samples,)
            Their labels.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the rows, >= 0.

        Returns
        -------
        float
            The accuracy, in [0, 1].
        """
        check_is_fitted(self)
        y = targets_of(y)
        return float(accuracy_score(y, self.predict(X), sample_weight=scoring_weights(sample_weight, y)))

    def evaluate(
        self,
        X: Any,
        y: Any,
        sample_weight: ArrayLike | None = None,
        *,
        X_test: Any = None,
        y_test: Any = None,
        n_bands: int = 10,
    ) -> Evaluation:
        """Compute KS, Gini, lift, gains and more, also by score band, with :func:`ksparse.evaluate_scores`.

        Parameters
        ----------
        X : data frame or array-like
            Rows to evaluate.
        y : array-like of shape (n_samples,)
            Their labels.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the rows, >= 0.
        X_test, y_test : optional
            Other rows with their labels. If they are given, the tables show the samples ``train`` and ``test`` side by side.
        n_bands : int, default=10
            Number of score bands, >= 2.

        Returns
        -------
        Evaluation
            The tables, with the probability of ``event_`` as the score.

        Raises
        ------
        ValueError
            If an argument is invalid.
        """
        check_is_fitted(self)
        if (X_test is None) != (y_test is None):
            raise ValueError("X_test and y_test must be given together")
        one = (y, self.predict_proba(X)[:, self._event_place], *(() if sample_weight is None else (sample_weight,)))
        both = {"train": one, "test": (y_test, self.predict_proba(X_test)[:, self._event_place])} if X_test is not None else one
        return evaluate_scores(both, event=self.event_, n_bands=n_bands)

    def to_sql(self, output: str = "probability") -> str:
        """Write the card as an SQL expression on the columns of the raw table.

        Parameters
        ----------
        output : {"probability", "points", "linear_predictor"}, default="probability"
            What the expression computes. A comment in it names the event.

        Returns
        -------
        str
            An expression in standard SQL, with column names in double quotes, ``CASE``, ``EXP`` and, for the focal loss,
            ``LN``. NULL belongs to the bin of missing values. If the fit saw no missing values in a column, NULL has the points
            of the most frequent bin, and so has a level that the fit did not see.

        Raises
        ------
        ValueError
            If ``output`` is invalid.
        """
        check_is_fitted(self)
        return self.card_.to_sql(output)

    def to_python(self, output: str = "probability") -> str:
        """Write the card as a Python expression on a row of the raw table.

        Parameters
        ----------
        output : {"probability", "points", "linear_predictor"}, default="probability"
            What the expression computes. A comment in it names the event.

        Returns
        -------
        str
            An expression of ``row``, a mapping from column names to values, and of the module ``math``. None and NaN are
            missing values.

        Raises
        ------
        ValueError
            If ``output`` is invalid.
        """
        check_is_fitted(self)
        return self.card_.to_python(output)

    def __sklearn_is_fitted__(self) -> bool:
        """Whether the estimator is fitted."""
        return hasattr(self, "card_")

    def __str__(self) -> str:
        """Return the card as text if the estimator is fitted."""
        return str(self.card_) if self.__sklearn_is_fitted__() else repr(self)

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        """Show the card in notebooks if the estimator is fitted."""
        if not self.__sklearn_is_fitted__():
            return dict(super()._repr_mimebundle_(**kwargs))  # type: ignore[misc]
        return {"text/plain": str(self.card_), "text/html": self.card_._repr_html_()}

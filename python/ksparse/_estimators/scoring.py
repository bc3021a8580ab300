"""Scorers for cross-validation: their validation, the metadata that they accept, and the scores that they return."""

from __future__ import annotations

import inspect
import numbers
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import check_scoring, get_scorer
from sklearn.utils import _safe_indexing, indexable

from .._input.gaps import without_idle_gaps
from .._input.sparse import is_sparse
from .._loss import terms_by_eta
from ..losses import Loss
from .input import scoring_weights, targets_of

__all__ = [
    "FoldRows",
    "accepts",
    "checked_scorer",
    "minus_mean_loss",
    "offsets_of_scorer",
    "reads_predictions_only",
    "refuse_without_offsets",
    "score_of",
]

# The class of scorers that make_scorer returns and that names stand for.
_MADE_SCORER = type(get_scorer("accuracy"))


def checked_scorer(estimator: Any) -> Any:
    """Return the scorer that ``scoring`` of an estimator specifies, or None."""
    scoring = estimator.scoring
    if scoring is None:
        return None
    if not isinstance(scoring, str) and not callable(scoring):
        raise ValueError(
            f"scoring is {scoring!r}; it must be one scorer (a name or a callable) or None, because k is chosen by one score. For other "
            "scores, use sklearn.model_selection.cross_validate with the chosen model"
        )
    return check_scoring(estimator, scoring)


def reads_predictions_only(scorer: Any) -> bool:
    """Return whether this is one of scikit-learn's scorers, which compare y with predictions and use neither the model nor X otherwise."""
    return type(scorer) is _MADE_SCORER


def accepts(scorer: Any, name: str) -> bool:
    """Return whether a scorer has a parameter, e.g. ``sample_weight``."""
    function = scorer._score_func if reads_predictions_only(scorer) else scorer
    try:
        return name in inspect.signature(function).parameters
    except (TypeError, ValueError):  # a function without a signature
        return False


def offsets_of_scorer(scorer: Any, given: dict[str, Any]) -> dict[str, Any]:
    """Return the offsets that a scorer is passed. scikit-learn's own scorers receive predictions that include them."""
    if scorer is None or reads_predictions_only(scorer):
        return {}
    passed = {name: value for name, value in given.items() if accepts(scorer, name)}
    refuse_without_offsets(scorer, given, passed)
    return passed


def refuse_without_offsets(scorer: Any, given: dict[str, Any], passed: dict[str, Any]) -> None:
    """Raise an error if a scorer that predicts itself would leave out offsets."""
    missing = [name for name in given if name not in passed]
    if missing and not reads_predictions_only(scorer):
        raise ValueError(
            f"{missing[0]} is given, but scoring={scorer!r} makes its predictions without it; add a parameter {missing[0]} to the scorer (with "
            "metadata routing, request it), or use a scorer of scikit-learn, which receives predictions that include it"
        )


def score_of(scorer: Any, model: Any, X: Any, y: Any, metadata: dict[str, Any]) -> float:
    """Return the score of a model on some rows."""
    if reads_predictions_only(scorer):  # predictions are NumPy arrays, so y and the weights must be as well
        y = targets_of(without_idle_gaps(y, metadata.get("sample_weight")))
        metadata = {name: scoring_weights(value, y) if name == "sample_weight" else value for name, value in metadata.items()}
    score = scorer(model, X, y, **metadata)
    if isinstance(score, np.ndarray) and score.ndim == 0:
        score = score.item()
    if not isinstance(score, numbers.Real):
        raise ValueError(f"scoring returned {score!r} ({type(score).__name__}); it must return one number")
    return float(score)


class FoldRows:
    """The test rows of a fold in the user's format, cut from X once for all models of the fold."""

    def __init__(self, X: Any, test: Any) -> None:
        (X,) = indexable(X)  # sparse formats without row access become CSR
        self._rows = _safe_indexing(X, test)
        # All models of a fold share these rows, so a scorer must not be able to change them.
        array = self._rows.data if is_sparse(self._rows) else self._rows
        if isinstance(array, np.ndarray):
            array.flags.writeable = False

    def for_one_model(self) -> Any:
        """Return the rows. A data frame is copied shallowly each time, so that adding columns does not affect the next model."""
        return self._rows.copy(deep=False) if hasattr(self._rows, "iloc") else self._rows


def minus_mean_loss(
    eta: NDArray[np.float64], responses: NDArray[np.float64], weights: NDArray[np.float64] | None, loss: Loss
) -> NDArray[np.float64]:
    """Return minus the average loss for each column of linear predictors."""
    value, _, _ = terms_by_eta(loss, eta, responses[:, None])
    # The weights are scaled so that no product or sum overflows.
    return -np.average(value, axis=0, weights=None if weights is None else weights / weights.max())

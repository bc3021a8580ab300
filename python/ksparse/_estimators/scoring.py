"""Scorers of cross-validation: what the user gave, what it takes, and one number out of it."""

from __future__ import annotations

import inspect
import numbers
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import check_scoring, get_scorer
from sklearn.utils import _safe_indexing, indexable

from .._input.sparse import is_sparse
from .._loss import terms_by_eta
from ..losses import Loss
from .input import targets_of, weights_to_judge_by

__all__ = ["FoldRows", "accepts_weights", "checked_scorer", "minus_mean_loss", "reads_predictions_only", "score_of"]

# What make_scorer and the names of scorers yield.
_MADE_SCORER = type(get_scorer("accuracy"))


def checked_scorer(estimator: Any) -> Any:
    """Return the one scorer that ``scoring`` of an estimator names or is; None where it is None."""
    scoring = estimator.scoring
    if scoring is None:
        return None
    if not isinstance(scoring, str) and not callable(scoring):
        raise ValueError(
            f"scoring is {scoring!r}; it must be one scorer, by name or as a callable, or None: k is chosen by one score. For others, use "
            "sklearn.model_selection.cross_validate on the model that was chosen"
        )
    return check_scoring(estimator, scoring)


def reads_predictions_only(scorer: Any) -> bool:
    """Whether a scorer is one of scikit-learn's, which compare y to predictions and never look at the model or at X."""
    return type(scorer) is _MADE_SCORER


def accepts_weights(scorer: Any) -> bool:
    """Whether a scorer has a parameter ``sample_weight``."""
    function = scorer._score_func if reads_predictions_only(scorer) else scorer
    try:
        return "sample_weight" in inspect.signature(function).parameters
    except (TypeError, ValueError):  # a function that does not tell its parameters
        return False


def score_of(scorer: Any, model: Any, X: Any, y: Any, metadata: dict[str, Any]) -> float:
    """Return the number that a scorer makes of a model on some rows."""
    if reads_predictions_only(scorer):  # predictions are NumPy's, and so must be what they are compared to
        y = targets_of(y)
        metadata = {
            name: weights_to_judge_by(value, y) if name == "sample_weight" else value for name, value in metadata.items()
        }
    score = scorer(model, X, y, **metadata)
    if isinstance(score, np.ndarray) and score.ndim == 0:
        score = score.item()
    if not isinstance(score, numbers.Real):
        raise ValueError(f"scoring returned {score!r} ({type(score).__name__}); it must return one number")
    return float(score)


class FoldRows:
    """The rows left out of a fold as the user gave them, cut from X once for all models of the fold."""

    def __init__(self, X: Any, test: Any) -> None:
        (X,) = indexable(X)  # formats without rows become CSR
        self._rows = _safe_indexing(X, test)
        # All models of a fold see the same rows: a scorer that writes into them must not change what the next one reads.
        array = self._rows.data if is_sparse(self._rows) else self._rows
        if isinstance(array, np.ndarray):
            array.flags.writeable = False

    def for_one_model(self) -> Any:
        """Return the rows; of a data frame a new one each time, which shares its memory until it is written to."""
        return self._rows.copy(deep=False) if hasattr(self._rows, "iloc") else self._rows


def minus_mean_loss(
    eta: NDArray[np.float64], responses: NDArray[np.float64], weights: NDArray[np.float64] | None, loss: Loss
) -> NDArray[np.float64]:
    """Minus the average loss of each column of linear predictors."""
    value, _, _ = terms_by_eta(loss, eta, responses[:, None])
    # In a unit in which no product or sum leaves the range.
    return -np.average(value, axis=0, weights=None if weights is None else weights / weights.max())

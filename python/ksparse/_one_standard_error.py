"""Standard errors of cross-validated scores, and the one-standard-error rule."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._quiet import quiet

__all__ = ["choose_point", "standard_error"]


@quiet
def standard_error(results: dict[str, Any]) -> NDArray[np.float64]:
    """Return standard errors of the mean scores, assuming independent folds; 0 if there is only one fold."""
    scores = np.stack([results[key] for key in results if key.startswith("split") and key.endswith("_test_score")])
    if len(scores) < 2:
        return np.zeros(scores.shape[1])
    return scores.std(axis=0, ddof=1) / np.sqrt(len(scores))


def choose_point(results: dict[str, Any], one_standard_error: bool) -> int:
    """Return the index of the best mean score, or of the simplest model within one standard error of it; among ties, the simplest."""
    mean = results["mean_test_score"]
    if np.isnan(mean).all():
        raise ValueError("every score is NaN; check the scorer and the folds")
    best = int(np.nanargmax(mean))
    bar = mean[best] - (standard_error(results)[best] if one_standard_error else 0.0)
    near = np.flatnonzero(mean >= bar)
    simplicity = [(results["param_k"][i], -results["param_ridge"][i], -mean[i]) for i in near]
    return int(near[min(range(len(near)), key=simplicity.__getitem__)])

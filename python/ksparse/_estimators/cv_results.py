"""The grid that cross-validation compares, and its results in the format of scikit-learn's ``cv_results_``."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.exceptions import ConvergenceWarning

from .._caution import advice_on
from .._one_standard_error import standard_error
from .._quiet import quiet

__all__ = ["grid_of", "results_table", "warn_of_folds"]


def grid_of(estimator: Any, names: Iterable[str], has: Iterable[str]) -> list[dict[str, Any]]:
    """Return all combinations of the values of parameters that may be lists; ``has`` are those that the loss has."""
    values = {name: _values(getattr(estimator, name), name) for name in names}
    for name in sorted(set(values).difference(has)):
        given = values.pop(name)
        if len(given) > 1:
            raise ValueError(
                f"{name} is {getattr(estimator, name)!r} but loss={estimator.loss!r} has no parameter {name} to compare; use loss='focal'"
            )
    return [dict(zip(values, point, strict=True)) for point in itertools.product(*values.values())]


def _values(given: Any, name: str) -> list[Any]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        return [given]  # checked with the other settings
    values = list(given)
    if not values:
        raise ValueError(f"{name} is empty; it must be a number or a list of at least one number")
    # The largest ridge comes first: its problems are the best conditioned, and the fits of the next ridge start from its fits.
    return sorted(values, reverse=name == "ridge")


def warn_of_folds(results: dict[str, Any], best: int, status: NDArray[Any]) -> None:
    """Warn about fits of the folds that did not converge, if that may have affected the choice.

    This is the case for the fits of the chosen parameters, and for fits that stopped early, whose scores are not those of
    minimisers. If a fit separates the classes, its score depends on arbitrarily large coefficients; this matters if the score
    is within a standard error of the best.
    """
    words = status.reshape(len(results["params"]), -1)
    mean = results["mean_test_score"]
    near = mean >= mean[best] - standard_error(results)[best]
    near[best] = True
    matters = (words != "converged") & (near[:, None] | (words != "separable"))
    separable = np.flatnonzero((words == "separable").any(axis=1))
    if not matters.any() and len(separable):
        ks = sorted({results["params"][i]["k"] for i in separable.tolist()})
        warnings.warn(
            f"the features that some folds chose for k={', '.join(map(str, ks[:5]))}{', ...' if len(ks) > 5 else ''} separate the classes of "
            "their training rows, so these scores depend on arbitrarily large coefficients; add a ridge penalty, e.g. ridge=1e-3",
            ConvergenceWarning,
            stacklevel=4,
        )
    if matters.any():
        i, fold = np.argwhere(matters)[0]
        word = str(words[i, fold])
        warnings.warn(
            f"{np.count_nonzero(matters)} of {words.size} fits of the folds did not converge, and the choice may depend on them; the first "
            f"is k={results['params'][i]['k']} on fold {fold}: {word}: {advice_on(word)}",
            ConvergenceWarning,
            stacklevel=4,
        )


@quiet
def results_table(grid: list[dict[str, float]], ks: list[int], scores: NDArray[np.float64], seconds: float) -> dict[str, Any]:
    """Return scores of shape (points, ks, splits) in the format of ``cv_results_``."""
    params = [{"k": k, **point} for point, k in itertools.product(grid, ks)]
    flat = scores.reshape(len(params), -1)
    mean = flat.mean(axis=1)
    results: dict[str, Any] = {"mean_fit_time": np.full(len(params), seconds)}
    for name in params[0]:
        results[f"param_{name}"] = np.ma.MaskedArray([point[name] for point in params])
    results["params"] = params
    for split in range(flat.shape[1]):
        results[f"split{split}_test_score"] = flat[:, split]
    results["mean_test_score"] = mean
    results["std_test_score"] = flat.std(axis=1)
    results["rank_test_score"] = rankdata(-np.where(np.isnan(mean), -np.inf, mean), method="min").astype(np.int32)
    return results

"""Class weights, which are multiplied by the weights of the rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._checks import check_real
from .._quiet import quiet

__all__ = ["check_class_weight", "times_class_weights"]


def check_class_weight(class_weight: Any, classes: NDArray[Any]) -> None:
    """Raise an error if ``class_weight`` is invalid, so that a later error does not blame ``sample_weight`` instead."""
    if class_weight is None or (isinstance(class_weight, str) and class_weight == "balanced"):
        return
    if not isinstance(class_weight, Mapping):
        raise ValueError(f"class_weight is {class_weight!r}; it must be a dict of weights by class, 'balanced' or None")
    for label, weight in class_weight.items():
        name = f"class_weight[{getattr(label, 'item', lambda label=label: label)()!r}]"
        check_real(weight, name, "finite and >= 0", 0.0)
    left = [label for label in classes.tolist() if class_weight.get(label, 1) != 0]
    if len(left) < 2:
        which = f"the class {left[0]!r} only" if left else "no class"
        raise ValueError(f"class_weight is {class_weight!r}, which leaves {which}; at least two classes need a positive weight")


@quiet
def times_class_weights(class_weight: Any, y: NDArray[Any], weights: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """Multiply the weights of the rows by the weights of their classes.

    With "balanced", all classes have the same sum of weights. scikit-learn's ``compute_sample_weight`` would instead count rows
    as if each had weight 1. The result here is the same as scikit-learn's for rows that are repeated as often as their weight
    says.
    """
    from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight  # not needed by most fits

    if weights is None:
        return np.asarray(compute_sample_weight(class_weight, y))
    if not (isinstance(class_weight, str) and class_weight == "balanced"):
        return weights * compute_sample_weight(class_weight, y)
    by_class, counts = np.ones(len(weights)), weights > 0
    if counts.any():  # otherwise the weights are invalid, which is reported later
        classes, places = np.unique(y[counts], return_inverse=True)
        balanced = compute_class_weight("balanced", classes=classes, y=y[counts], sample_weight=weights[counts])
        by_class[counts] = balanced[places]
    return weights * by_class

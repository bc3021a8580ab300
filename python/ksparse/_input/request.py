"""Settings and arrays of a fit, validated once and stored in the format of the core."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from .. import _core
from .._checks import check_flag, check_integer, check_real, check_seed
from ..losses import Loss
from .class_weight import check_class_weight, times_class_weights
from .gaps import without_idle_gaps
from .row_blocks import CountedBlocks, RowBlocks, blocks_if_large
from .sparse import is_sparse
from .validation import (
    check_bounds,
    check_design,
    check_features,
    check_groups,
    check_loss,
    check_responses,
    check_rows,
    check_search,
    check_weights,
    feature_names,
    limit_budget,
)

__all__ = ["Inputs", "Request", "Settings", "with_class_weights"]

Matrix = Any  # an array of READ_IN_PLACE, or a CSC or CSR matrix of float64 or float32
Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Settings:
    """The keyword arguments that all functions and estimators share, as the user gave them; see :func:`ksparse.fit`."""

    loss: Any = "logistic"
    alpha: Any = 0.5
    gamma: Any = 2.0
    ridge: Any = 0.0
    fit_intercept: Any = True
    tolerance: Any = 1e-8
    max_newton: Any = 100
    search: Any = "auto"
    max_rounds: Any = None
    max_refits: Any = None
    max_seconds: Any = None
    random_state: Any = 0
    always_in: Any = None
    never_in: Any = None
    bounds: Any = None
    groups: Any = None
    class_weight: Any = None

    @classmethod
    def of_arguments(cls, arguments: Mapping[str, Any]) -> Settings:
        """Make settings from the arguments of a function, which must have all of them."""
        given = {name: arguments[name] for name in cls.__dataclass_fields__}
        # A generator is asked for a seed once, so that all parts of one call have the same.
        return cls(**{**given, "random_state": check_seed(given["random_state"])})

    @classmethod
    def of_estimator(cls, estimator: Any, **changes: Any) -> Settings:
        """Make settings from the parameters of an estimator, with changes; a parameter that it lacks has its default.

        An estimator multiplies the weights of its rows by the weights of their classes itself, because it knows the labels.
        """
        own = {name: getattr(estimator, name) for name in cls.__dataclass_fields__ if hasattr(estimator, name)}
        return cls(
            **{**own, "class_weight": None, "random_state": check_seed(getattr(estimator, "random_state", 0)), **changes}
        )

    def checked_loss(self) -> Loss:
        """Check the loss and return it with its parameters."""
        loss = check_loss(self.loss, self.alpha, self.gamma)
        loss._check()
        return loss

    def options_of_any_data(self) -> _core.Options:
        """Check the settings that do not depend on X and return them as options of the core."""
        options = _core.Options()
        options.ridge = check_real(self.ridge, "ridge", "finite and >= 0", 0.0)
        options.fit_intercept = check_flag(self.fit_intercept, "fit_intercept")
        options.tolerance = check_real(self.tolerance, "tolerance", "finite and > 0", 0.0, open_low=True)
        options.max_newton = check_integer(self.max_newton, "max_newton", 1, 2**31 - 1)
        for name, value in check_search(
            self.search, self.max_rounds, self.max_refits, self.max_seconds, self.random_state
        ).items():
            setattr(options, name, value)
        return options

    def options(self, n_features: int, names: NDArray[np.object_] | None) -> _core.Options:
        """Check the settings and return them as options of the core. The caller sets ``k``."""
        options = self.options_of_any_data()
        options.always_in = check_features(self.always_in, "always_in", n_features, names)
        options.never_in = check_features(self.never_in, "never_in", n_features, names)
        groups = check_groups(self.groups, n_features)
        if groups is not None:
            options.groups = groups[0].tolist()
        lower, upper = check_bounds(self.bounds, n_features)
        if lower is not None:
            options.lower = lower
        if upper is not None:
            options.upper = upper
        return options


@dataclass(frozen=True)
class Inputs:
    """What a fit is given except for its responses and k; several problems may share it."""

    X: Any
    sample_weight: Any
    offset: Any
    settings: Settings
    names: NDArray[np.object_] | None = None  # the names of the columns, where X itself no longer has them

    @property
    def least_budget(self) -> int:
        """Number of features, or groups, that are always in the model."""
        p = self.X.shape[1]
        inside = check_features(self.settings.always_in, "always_in", p, self.names)
        groups = check_groups(self.settings.groups, p)
        return len(inside if groups is None else np.unique(groups[0][inside]))

    def of_problem(self, i: int) -> Inputs:
        """Return the inputs of one of several problems, each of which may have offsets of its own."""
        return self if np.ndim(self.offset) < 2 else replace(self, offset=self.offset[:, i])

    @property
    def n_units(self) -> int:
        """Number of features, or of groups, to choose from."""
        groups = check_groups(self.settings.groups, self.X.shape[1])
        return self.X.shape[1] if groups is None else len(groups[1])


def with_class_weights(class_weight: Any, loss: Loss, labels: Vector, weights: Vector | None) -> Vector | None:
    """Multiply the weights of the rows by the weights of the classes 0 and 1."""
    if class_weight is None:
        return weights
    if not loss.is_classification:
        raise ValueError(f"class_weight is {class_weight!r} but the loss {loss.name!r} has no classes; use sample_weight")
    check_class_weight(class_weight, np.array([0, 1]))
    return times_class_weights(class_weight, labels, weights)


@dataclass(frozen=True)
class Request:
    """One problem to solve: valid arrays and settings."""

    design: Matrix
    labels: Vector  # y, with labels as 0 and 1
    weights: Vector | None
    offset: Vector | None
    loss: Loss
    kernel: _core.Loss
    options: _core.Options
    names: NDArray[np.object_] | None
    settings: Settings
    group_numbers: NDArray[np.int64] | None = None
    group_labels: NDArray[Any] | None = None
    fingerprint: int | None = None  # of the data when they were fitted

    @classmethod
    def of(cls, inputs: Inputs, y: Any) -> Request:
        """Check all arguments; raise TypeError or ValueError with the name of the argument that is invalid."""
        settings = inputs.settings
        design = blocks_if_large(inputs.X)
        if isinstance(design, RowBlocks):
            design = CountedBlocks(design, len(y))
        elif not isinstance(design, CountedBlocks):
            design = check_design(design)
        n, p = design.shape
        loss = check_loss(settings.loss, settings.alpha, settings.gamma)
        kernel = loss._kernel()
        labels = check_responses(without_idle_gaps(y, inputs.sample_weight), n, loss)
        weights = inputs.sample_weight
        if weights is not None:
            weights = check_weights(weights, labels, binary=loss.is_classification)
        weights = with_class_weights(settings.class_weight, loss, labels, weights)
        offset = None if inputs.offset is None else check_rows(inputs.offset, n, "offset")
        names = feature_names(inputs.X) if inputs.names is None else inputs.names
        grouped = check_groups(settings.groups, p) or (None, None)
        return cls(design, labels, weights, offset, loss, kernel, settings.options(p, names), names, settings, *grouped)

    def noted(self) -> Request:
        """Note what the data are now, once, by which later changes of them are noticed, and return the problem itself."""
        if self.fingerprint is None:
            object.__setattr__(self, "fingerprint", self._fingerprint())
        return self

    def refuse_changed(self) -> None:
        """Raise ValueError if the data have been changed in place since they were noted."""
        if self.fingerprint is not None and self.fingerprint != self._fingerprint():
            raise ValueError(
                "X, y, sample_weight or offset has been changed in place since the fit, which refers to them without a copy; they must be those "
                "of the fit: fit again, or pass a copy to the fit"
            )

    def _fingerprint(self) -> int:
        """Hash one to eight entries of every column, or of what is stored of a sparse X, and of the vectors.

        A hash of all entries would cost as much as a scan, and one of eight rows of a wide X a tenth of a fit. This sees whole columns that are changed,
        scaled or centred, and rows that are permuted; a change of single entries of a chosen column is seen in F.
        """
        n, p = self.design.shape
        if is_sparse(self.design):
            stored = self.design.data[:: max(1, len(self.design.data) // 4096)]
        else:
            count = min(8, n, max(1, 16384 // p))
            stored = self.design[n // (2 * count) :: n // count][:count]
        vectors = [
            vector[:: max(1, n // 256)].tobytes() for vector in (self.labels, self.weights, self.offset) if vector is not None
        ]
        return hash((stored.tobytes(), *vectors))

    def with_settings(self, settings: Settings) -> Request:
        """Return the same problem with other settings, whose groups must be the same."""
        loss = settings.checked_loss()
        options = settings.options(self.design.shape[1], self.names)
        return replace(self, loss=loss, kernel=loss._kernel(), options=options, settings=settings)

    def new_options(self) -> _core.Options:
        """Return options of the core that are not shared; the caller sets ``k`` and ``start``."""
        return self.settings.options(self.design.shape[1], self.names)

    @property
    def n_units(self) -> int:
        """Number of features, or of groups, to choose from."""
        return self.design.shape[1] if self.group_labels is None else len(self.group_labels)

    @property
    def least_budget(self) -> int:
        """Number of features, or groups, that are always in the model."""
        inside = self.options.always_in
        return len(inside if self.group_numbers is None else np.unique(self.group_numbers[inside]))

    def groups_of(self, support: NDArray[np.int64]) -> NDArray[Any] | None:
        """Return the labels of the groups of some features."""
        if self.group_labels is None or self.group_numbers is None:
            return None
        return self.group_labels[np.unique(self.group_numbers[support])]

    def check_budget(self, k: Any, name: str = "k") -> int:
        """Check k and return it. A k above the number of features, or groups, is reduced to it with a warning."""
        return limit_budget(check_integer(k, name, 0), name, self.n_units, groups=self.group_labels is not None)

    @property
    def problem(self) -> _core.Problem:
        """The problem as the functions of the core take it, without its settings."""
        return _core.Problem(self.design, self.labels, self.weights, self.offset, self.kernel)

    def raise_if_refused(self, answer: _core.FitAnswer | _core.CompactFit) -> None:
        """Raise ValueError if the core reports that the data are invalid."""
        if answer.status != "invalid_input":
            return
        if answer.bad_row < 0:
            raise ValueError(answer.message)
        self.refuse_entry(answer.bad_row, answer.bad_column)

    def refuse_entry(self, i: int, j: int) -> NoReturn:
        """Raise ValueError for an entry of X that is not finite, with its position."""
        column = "" if self.names is None else f" (column {self.names[j]!r})"
        value = self.design[i, j]
        advice = "; fill in missing values first, e.g. by scikit-learn's SimpleImputer" if np.isnan(value) else ""
        raise ValueError(f"X[{i}, {j}]{column} is {value}; X must be finite, without NaN or infinity{advice}")

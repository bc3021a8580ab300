"""Checks of stored results when they are loaded, so that damaged files raise an error with a clear message.

NumPy checks indices, but the sparse matrices of SciPy read any address that their indices give. Each result lists for each of
its fields what it may contain. Sizes have names, and the first field with a named size determines it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, ClassVar, Protocol

import numpy as np

__all__ = ["Array", "Each", "Groups", "Nothing", "Rule", "Rules", "SparseRows", "Stored", "Value"]

Sizes = dict[str, int]


class Rule(Protocol):
    """A rule for the value of a field."""

    def take(self, value: Any, name: str, sizes: Sizes) -> Any:
        """Return the value to store in the field; raise ValueError if it is invalid."""


Rules = Mapping[str, Rule]


class Stored:
    """A dataclass that checks its fields when it is loaded."""

    _RULES: ClassVar[Rules]

    def __setstate__(self, state: Any) -> None:
        """Set the fields from a stored result; raise ValueError if they are invalid."""
        owner = type(self).__name__
        if not isinstance(state, dict):
            raise ValueError(f"a stored {owner} is a {type(state).__name__}; it must be a dict of its fields")
        known = {field.name: field for field in fields(self)}  # type: ignore[arg-type]
        for name in state:
            if name not in known:
                raise ValueError(f"a stored {owner} has the field {name!r}, which this version of ksparse does not know")
        sizes: Sizes = {}
        for name, field in known.items():
            if name not in state and field.default is MISSING and field.default_factory is MISSING:
                raise ValueError(
                    f"a stored {owner} has no field {name!r}; it was changed, or stored by another version of ksparse"
                )
        kept = dict(state)
        for name, rule in self._RULES.items():
            if name in state:
                kept[name] = rule.take(state[name], f"{name} of a stored {owner}", sizes)
        self.__dict__.update(kept)


def _bind(sizes: Sizes, size: str, found: int, what: str) -> None:
    if sizes.setdefault(size, found) != found:
        raise ValueError(f"{what} {found}; it must be {sizes[size]}, as that of other fields")


def _check_places(array: Any, what: str, size: int) -> None:
    """Raise an error for the index of a feature or problem that does not exist."""
    for i in np.flatnonzero((array < 0) | (array >= size))[:1]:
        raise ValueError(f"{what} has {array.flat[i]} at {i}; it must be in [0, {size})")


@dataclass(frozen=True)
class Array:
    """An array with given kinds of dtype and named sizes. Its values may be indices below the size ``below``."""

    kinds: str
    sizes: str
    below: str = ""
    optional: bool = False
    among: tuple[str, ...] = ()

    def take(self, value: Any, name: str, sizes: Sizes) -> Any:
        """Return the array unchanged."""
        if value is None and self.optional:
            return None
        if type(value) not in (np.ndarray, np.memmap):  # joblib may load arrays as memory maps
            raise ValueError(f"{name} is a {type(value).__name__}; it must be an array")
        if value.dtype.kind not in self.kinds:
            raise ValueError(f"{name} has dtype {value.dtype}; it must be of the kind {' or '.join(self.kinds)}")
        if value.ndim != len(self.sizes):
            raise ValueError(f"{name} has shape {value.shape}; it must have {len(self.sizes)} dimension(s)")
        for size, found in zip(self.sizes, value.shape, strict=True):
            _bind(sizes, size, found, f"{name} has shape {value.shape}, of which one size is")
        for entry in () if not self.among else set(value.tolist()) - set(self.among):
            raise ValueError(f"{name} has {entry!r}; it must be one of {', '.join(map(repr, self.among))}")
        if self.below in sizes:
            _check_places(value, name, sizes[self.below])
        return value


@dataclass(frozen=True)
class Value:
    """A value of given types, which may have a lower limit or a list of choices, and may determine a size."""

    types: tuple[type, ...]
    low: float | None = None
    among: tuple[Any, ...] = ()
    size: str = ""

    def take(self, value: Any, name: str, sizes: Sizes) -> Any:
        """Return the value unchanged."""
        number: Any = value
        if not isinstance(value, self.types) or (isinstance(value, bool) and bool not in self.types):
            kinds = " or ".join("None" if kind is type(None) else kind.__name__ for kind in self.types)
            raise ValueError(f"{name} is a {type(value).__name__}; it must be a {kinds}")
        if self.low is not None and number < self.low:
            raise ValueError(f"{name} is {value!r}; it must be >= {self.low:g}")
        if self.among and value not in self.among:
            raise ValueError(f"{name} is {value!r}; it must be one of {', '.join(map(repr, self.among))}")
        if self.size:
            _bind(sizes, self.size, int(number), f"{name} is")
        return value


@dataclass(frozen=True)
class Nothing:
    """A field that is not stored, such as the data of a fit."""

    def take(self, value: Any, name: str, sizes: Sizes) -> None:
        """Return None."""
        if value is not None:
            raise ValueError(f"{name} is a {type(value).__name__}; it must be None, because data are not stored with a result")


@dataclass(frozen=True)
class Each:
    """A tuple of values, whose length is a named size."""

    rule: Rule
    size: str

    def take(self, value: Any, name: str, sizes: Sizes) -> tuple[Any, ...]:
        """Return the tuple unchanged. Sizes that occur only in its members may differ between them."""
        if not isinstance(value, tuple):
            raise ValueError(f"{name} is a {type(value).__name__}; it must be a tuple")
        _bind(sizes, self.size, len(value), f"{name} has a length of")
        return tuple(self.rule.take(item, f"{name}, entry {i}", dict(sizes)) for i, item in enumerate(value))


@dataclass(frozen=True)
class Groups:
    """A pair of the index of each feature's group and the group labels, or None."""

    size: str

    def take(self, value: Any, name: str, sizes: Sizes) -> Any:
        """Return the pair unchanged."""
        if value is None:
            return None
        if not isinstance(value, tuple) or len(value) != 2:
            raise ValueError(f"{name} is {type(value).__name__}; it must be a pair of arrays")
        own = dict(sizes)
        labels = Array("iubfUSO", "g").take(value[1], f"{name}, labels", own)
        return Array("i", self.size, below="g").take(value[0], f"{name}, numbers", own), labels


@dataclass(frozen=True)
class SparseRows:
    """A csr_array of floats with named sizes. It is rebuilt from its checked parts, and its own flags are ignored."""

    rows: str
    columns: str

    def take(self, value: Any, name: str, sizes: Sizes) -> Any:
        """Return a new matrix."""
        from scipy.sparse import csr_array  # imported here because it takes longer than the rest of ksparse

        if type(value) is not csr_array:
            raise ValueError(f"{name} is a {type(value).__name__}; it must be a csr_array of SciPy")
        parts = {part: value.__dict__.get(part) for part in ("data", "indices", "indptr", "_shape")}
        shape = parts["_shape"]
        if not (
            isinstance(shape, tuple) and len(shape) == 2 and all(isinstance(n, (int, np.integer)) and n >= 0 for n in shape)
        ):
            raise ValueError(f"{name} has the shape {shape!r}; it must be two integers >= 0")
        for size, found in zip((self.rows, self.columns), shape, strict=True):
            _bind(sizes, size, int(found), f"{name} has shape {shape}, of which one size is")
        own: Sizes = {}
        data = Array("f", "e").take(parts["data"], f"{name}, data", own)
        indices = Array("i", "e").take(parts["indices"], f"{name}, indices", own)
        starts = Array("i", "r").take(parts["indptr"], f"{name}, indptr", own)
        if len(starts) != shape[0] + 1 or starts[0] != 0 or starts[-1] != len(data) or (np.diff(starts) < 0).any():
            raise ValueError(f"{name}: indptr must rise from 0 to the number of entries, {len(data)}, over {shape[0]} rows")
        _check_places(indices, f"{name}: indices", int(shape[1]))
        return csr_array((data, indices, starts), shape=(int(shape[0]), int(shape[1])))

"""Results that were stored: what is read back is checked before it is used, so that bytes that were changed are an error in words.

NumPy checks the places that it is asked for, but SciPy's sparse matrices read whatever address their indices say. A result lists for each of
its fields what it may be; sizes have names, which the first field of that size binds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, ClassVar, Protocol

import numpy as np

__all__ = ["Array", "Each", "Groups", "Nothing", "Rule", "Rules", "SparseRows", "Stored", "Value"]

Sizes = dict[str, int]


class Rule(Protocol):
    """What a field may hold."""

    def take(self, value: Any, name: str, sizes: Sizes) -> Any:
        """Return the value to keep; raise ValueError that says what is wrong."""


Rules = Mapping[str, Rule]


class Stored:
    """A dataclass that checks its fields when it is read back."""

    _RULES: ClassVar[Rules]

    def __setstate__(self, state: Any) -> None:
        """Take the fields of a stored result; raise ValueError for what cannot be one."""
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
    """Raise for a number of a feature, or of a problem, that there is not."""
    for i in np.flatnonzero((array < 0) | (array >= size))[:1]:
        raise ValueError(f"{what} has {array.flat[i]} at {i}; it must be in [0, {size})")


@dataclass(frozen=True)
class Array:
    """An array of some kinds of numbers or objects, with named sizes; the numbers may be places among ``below``."""

    kinds: str
    sizes: str
    below: str = ""
    optional: bool = False
    among: tuple[str, ...] = ()

    def take(self, value: Any, name: str, sizes: Sizes) -> Any:
        """Return the array as it is."""
        if value is None and self.optional:
            return None
        if type(value) not in (np.ndarray, np.memmap):  # joblib reads arrays as memory maps
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
    """A value of some types, at least ``low`` where that is given, or one of a few; it may be a size."""

    types: tuple[type, ...]
    low: float | None = None
    among: tuple[Any, ...] = ()
    size: str = ""

    def take(self, value: Any, name: str, sizes: Sizes) -> Any:
        """Return the value as it is."""
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
    """What is not stored, such as the data of a fit."""

    def take(self, value: Any, name: str, sizes: Sizes) -> None:
        """Return None."""
        if value is not None:
            raise ValueError(f"{name} is a {type(value).__name__}; it must be None, for data are not stored with a result")


@dataclass(frozen=True)
class Each:
    """A tuple of values, as many as a size says."""

    rule: Rule
    size: str

    def take(self, value: Any, name: str, sizes: Sizes) -> tuple[Any, ...]:
        """Return the tuple; sizes that only its members have may differ between them."""
        if not isinstance(value, tuple):
            raise ValueError(f"{name} is a {type(value).__name__}; it must be a tuple")
        _bind(sizes, self.size, len(value), f"{name} has a length of")
        return tuple(self.rule.take(item, f"{name}, entry {i}", dict(sizes)) for i, item in enumerate(value))


@dataclass(frozen=True)
class Groups:
    """The number of each feature's group, and the labels of the groups; or None."""

    size: str

    def take(self, value: Any, name: str, sizes: Sizes) -> Any:
        """Return the pair as it is."""
        if value is None:
            return None
        if not isinstance(value, tuple) or len(value) != 2:
            raise ValueError(f"{name} is {type(value).__name__}; it must be a pair of arrays")
        own = dict(sizes)
        labels = Array("iubfUSO", "g").take(value[1], f"{name}, labels", own)
        return Array("i", self.size, below="g").take(value[0], f"{name}, numbers", own), labels


@dataclass(frozen=True)
class SparseRows:
    """A csr_array of floats with named sizes, made anew of its checked parts: nothing that it said of itself is believed."""

    rows: str
    columns: str

    def take(self, value: Any, name: str, sizes: Sizes) -> Any:
        """Return a new matrix."""
        from scipy.sparse import csr_array  # takes longer to import than all the rest of ksparse

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

"""Validation of single values: numbers, flags and choices. Each error message names the argument, its value and what it must be."""

from __future__ import annotations

import math
import numbers
from typing import Any

import numpy as np

__all__ = [
    "check_choice",
    "check_flag",
    "check_focal",
    "check_integer",
    "check_real",
    "check_seed",
    "check_verbose",
    "only_one",
]


def check_integer(value: Any, name: str, low: int, high: int | None = None, high_name: str = "") -> int:
    """Return an integer in [low, high]; booleans are not accepted."""
    # This test comes first because, for plain numbers, the abstract classes below would take a third of the time of validation.
    if type(value) is not int and (
        isinstance(value, (bool, np.bool_)) or not isinstance(value, (numbers.Integral, np.integer))
    ):
        raise TypeError(f"{name} is {value!r}; it must be an integer")
    number = int(value)
    if number < low:
        raise ValueError(f"{name} is {number}; it must be >= {low}")
    if high is not None and number > high:
        raise ValueError(f"{name} is {number}; it must be at most {high}{high_name}")
    return number


def check_real(value: Any, name: str, rule: str, low: float, high: float = math.inf, *, open_low: bool = False) -> float:
    """Return a finite float in [low, high) or (low, high), which ``rule`` describes in words."""
    if type(value) is not float and (
        isinstance(value, (bool, np.bool_)) or not isinstance(value, (numbers.Real, np.floating, np.integer))
    ):
        raise TypeError(f"{name} is {value!r}; it must be a real number {rule}")
    try:
        number = float(value)
    except OverflowError:  # an integer that is too large for a float
        raise ValueError(f"{name} is too large for a float; it must be {rule}") from None
    within = (number > low if open_low else number >= low) and number < high
    if not within:  # NaN fails every comparison
        raise ValueError(f"{name} is {number}; it must be {rule}")
    return number


def check_seed(value: Any) -> int:
    """Return ``random_state`` as a seed, which is drawn if it is None or a generator, as in scikit-learn.

    None draws from NumPy's global generator, so each call has another seed unless ``numpy.random.seed`` was called.
    """
    if value is None:
        return int(np.random.randint(2**31 - 1))  # noqa: NPY002 - as scikit-learn does
    if isinstance(value, np.random.RandomState):
        return int(value.randint(2**31 - 1))
    if isinstance(value, np.random.Generator):
        return int(value.integers(2**31 - 1))
    try:
        return check_integer(value, "random_state", 0, 2**64 - 1)
    except TypeError:
        raise TypeError(f"random_state is {value!r}; it must be an integer, a NumPy generator or None") from None


def only_one(name: str, value: Any, other: str, alias: Any) -> Any:
    """Return the value of an argument that has two names, of which exactly one must be given."""
    if value is not None and alias is not None:
        raise TypeError(f"{name} and {other} are both given, but they mean the same; give one of them")
    if value is None and alias is None:
        raise TypeError(f"{name} is missing; it must be given")
    return alias if value is None else value


def check_flag(value: Any, name: str) -> bool:
    """Return a boolean; numbers and strings are not accepted."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} is {value!r}; it must be True or False")
    return bool(value)


def check_verbose(value: Any) -> bool:
    """Return whether to show progress; any integer above 0 means True."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if not isinstance(value, (numbers.Integral, np.integer)) or value < 0:
        raise ValueError(f"verbose is {value!r}; it must be True, False or an integer >= 0")
    return bool(value)


def check_choice(value: Any, name: str, choices: tuple[str, ...]) -> str:
    """Return a string that must be one of the given choices."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} is {value!r}; it must be one of {', '.join(map(repr, choices))}")
    return value


def check_focal(alpha: Any, gamma: Any) -> tuple[float, float]:
    """Return the parameters of the focal loss."""
    return (
        check_real(alpha, "alpha", "in (0, 1)", 0.0, 1.0, open_low=True),
        check_real(gamma, "gamma", "finite and >= 0", 0.0),
    )

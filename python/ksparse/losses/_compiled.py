"""Losses that the user has compiled, held by the addresses of their functions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from .. import _core
from .._checks import check_choice, check_flag, check_integer
from ._base import Loss

__all__ = ["Compiled"]

# What a function of blocks must be, as Numba writes it; pointers and integers of other kinds are told apart by it.
_BLOCK_SIGNATURE = "(int64, float64*, float64*, float64*, float64*, float64*, void*) -> none"
_SCALAR_SIGNATURE = "(float64, float64) -> float64"


@dataclass(repr=False)
class Compiled(Loss):
    r"""A loss of your own, compiled elsewhere: it runs inside the core at the speed of the built-in ones.

    Either one function of a block of rows (fast: compilers can vectorise it)::

        void f(int64_t n, const double *eta, const double *response,
               double *value, double *slope, double *curvature, void *user_data)

    which fills in value, slope and curvature by eta of n rows, or three of a single row, ``double f(double eta, double response)``. Labels
    come as -1 and +1, so that ``response * eta`` is the margin; other responses as they are. :func:`ksparse.check_loss` tells whether
    what they say can be true.

    Parameters
    ----------
    function : object, optional
        The function of blocks: a Numba ``cfunc``, a function pointer of ctypes, or a ``PyCapsule``.
    value, slope, curvature : object, optional
        The three of a single row, in its place.
    responses : {"binary", "finite", "not_negative", "positive"}, default="binary"
        What y may be: labels of two classes, or numbers.
    falls_for_ever : bool or None, default=None
        Of labels, whether the loss falls towards 0 for ever as the margin grows, as the logistic loss does and a hinge does not, so
        that data that can be separated have no minimum. None is True for labels.
    convex : bool or None, default=None
        Whether the curvature is never negative, for :func:`ksparse.check_loss`; None claims nothing. A fit works with either.
    user_data : int, default=0
        Address that the function of blocks gets as its last argument; what is there must outlive the loss.

    Notes
    -----
    The functions are called without Python's lock and from several threads at once: they must not use Python, and must not change
    what they share. (A Python function wrapped by ctypes takes the lock itself for each block: right, and slow.) They are called with
    any finite linear predictor: values that are not finite are refused by the line search, but the loss must be finite where the fit
    starts, and it must be >= 0.

    A compiled loss is addresses in this process. Pickled, it keeps all but its functions, so that models can be stored; it can then no longer be
    fitted. Probabilities are not known: a classifier has no ``predict_proba`` with it.

    Examples
    --------
    The squared error, as ctypes sees a Python function (right, and slow):

    >>> import ctypes
    >>> import numpy as np
    >>> import ksparse
    >>> scalar = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double, ctypes.c_double)
    >>> loss = ksparse.losses.Compiled(
    ...     value=scalar(lambda eta, y: (eta - y) ** 2 / 2),
    ...     slope=scalar(lambda eta, y: eta - y),
    ...     curvature=scalar(lambda eta, y: 1.0),
    ...     responses="finite",
    ... )
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((100, 10))
    >>> ksparse.fit(X, X[:, 2] - X[:, 7], 2, loss=loss).support
    array([2, 7])
    """

    name: ClassVar[str] = "compiled"
    function: Any = None
    value: Any = None
    slope: Any = None
    curvature: Any = None
    # Not by position: it would keep that of the class variable of other losses, the first.
    responses: str = field(default="binary", kw_only=True)  # type: ignore[misc]
    falls_for_ever: bool | None = field(default=None, kw_only=True)
    convex: bool | None = field(default=None, kw_only=True)
    user_data: int = field(default=0, kw_only=True)

    def __repr__(self) -> str:
        """Return what it is of, without addresses."""
        form = "one function of blocks" if self.function is not None else "three functions of rows"
        return f"Compiled({form}, responses={self.responses!r})"

    def __sklearn_clone__(self) -> Compiled:
        """Return another with the same functions, which nothing can copy."""
        return Compiled(**self.get_params())

    def __deepcopy__(self, memory: dict[int, Any]) -> Compiled:
        """Return another with the same functions."""
        return Compiled(**self.get_params())

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the functions, which are addresses in this process."""
        return {**self.__dict__, "function": None, "value": None, "slope": None, "curvature": None, "user_data": 0}

    def _kernel(self) -> _core.Loss:
        responses = check_choice(self.responses, "compiled: responses", ("binary", "finite", "not_negative", "positive"))
        binary = responses == "binary"
        falls = binary if self.falls_for_ever is None else check_flag(self.falls_for_ever, "compiled: falls_for_ever")
        if falls and not binary:
            raise ValueError("compiled: falls_for_ever is True, which is for labels; responses are " + repr(responses))
        user_data = check_integer(self.user_data, "compiled: user_data", 0)
        rows = {"value": self.value, "slope": self.slope, "curvature": self.curvature}
        given = [name for name, function in rows.items() if function is not None]
        if (self.function is None) == (not given) or len(given) not in (0, 3):
            what = (
                ", ".join(["function"] * (self.function is not None) + given)
                or "none (were they lost when the loss was pickled?)"
            )
            raise ValueError(f"a compiled loss has either function, or value, slope and curvature; given: {what}")
        if self.function is not None:
            addresses = [_address(self.function, "function", _BLOCK_SIGNATURE)]
        else:
            addresses = [_address(function, name, _SCALAR_SIGNATURE) for name, function in rows.items()]
        return _core.compiled_loss(addresses, user_data, responses, falls)


def _address(function: Any, name: str, signature: str) -> int:
    """Return the address of a compiled function, whose signature is checked as far as it is known."""
    import ctypes

    if isinstance(getattr(function, "address", None), int):  # a cfunc of Numba
        has = str(getattr(function, "_sig", signature)).replace(" * ", "*")
        if _plain(has) != _plain(signature):
            raise TypeError(f"compiled: {name} has the signature {has}; it must be {signature}")
        return int(function.address)
    if isinstance(function, ctypes._CFuncPtr):  # type: ignore[attr-defined]
        known = function.argtypes
        if known is not None and len(known) != signature.count(",") + 1:
            raise TypeError(f"compiled: {name} takes {len(known)} arguments; its signature must be {signature}")
        return ctypes.cast(function, ctypes.c_void_p).value or 0
    if type(function).__name__ == "PyCapsule":
        get_name, get_pointer = ctypes.pythonapi.PyCapsule_GetName, ctypes.pythonapi.PyCapsule_GetPointer
        get_name.restype, get_name.argtypes = ctypes.c_char_p, [ctypes.py_object]
        get_pointer.restype, get_pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
        return int(get_pointer(function, get_name(function)))
    raise TypeError(
        f"compiled: {name} is a {type(function).__name__}; it must be a cfunc of Numba, a function pointer of ctypes or a PyCapsule"
    )


def _plain(signature: str) -> str:
    return signature.replace(" ", "").replace("voidptr", "void*").replace("none*", "void*").replace("void->", "none->")

"""Custom losses that were compiled elsewhere, stored as the addresses of their functions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from .. import _core
from .._checks import check_choice, check_flag, check_integer
from ._base import Loss

__all__ = ["Compiled"]

# The required signatures in Numba's notation, which distinguishes pointers and integers of different types.
_BLOCK_SIGNATURE = "(int64, float64*, float64*, float64*, float64*, float64*, void*) -> none"
_SCALAR_SIGNATURE = "(float64, float64) -> float64"


@dataclass(repr=False)
class Compiled(Loss):
    r"""Custom loss that is compiled elsewhere and runs inside the core as fast as the built-in losses.

    The loss is either one function for a block of rows, which is fast because compilers can vectorise it::

        void f(int64_t n, const double *eta, const double *response,
               double *value, double *slope, double *curvature, void *user_data)

    or three functions for a single row, ``double f(double eta, double response)``. The function for a block writes value, slope
    and curvature (derivatives with respect to eta) of n rows. Labels are passed as -1 and +1, so ``response * eta`` is the
    margin; other responses are passed unchanged. Use :func:`ksparse.check_loss` to check whether the functions are consistent.

    Parameters
    ----------
    function : object, optional
        The function for a block of rows: a Numba ``cfunc``, a ctypes function pointer, or a ``PyCapsule``.
    value, slope, curvature : object, optional
        The three functions for a single row, instead of ``function``.
    responses : {"binary", "finite", "not_negative", "positive"}, default="binary"
        The values that y may have: labels of two classes, or numbers that are finite, not negative or positive.
    falls_for_ever : bool or None, default=None
        For classification, whether the loss decreases towards 0 forever as the margin grows, so that separable data have no
        minimum. This is true for the logistic loss but not for a hinge. None means True for classification.
    convex : bool or None, default=None
        Whether the curvature is never negative, which :func:`ksparse.check_loss` checks. None makes no statement. Fits work in
        either case.
    user_data : int, default=0
        Address that is passed to the function for blocks as its last argument. The memory there must exist as long as the loss.

    Notes
    -----
    The functions are called without Python's lock and from several threads at once, so they must neither use Python nor modify
    shared data. (A Python function wrapped by ctypes takes the lock itself for each block, which is correct but slow.) They are
    called with any finite linear predictor. The line search rejects values that are not finite, but the loss must be finite
    where the fit starts, and it must be >= 0.

    A compiled loss consists of addresses in the current process. Pickling it keeps everything except its functions, so that
    models can be stored, but the loss cannot be fitted again. It does not define probabilities, so classifiers with it have no
    ``predict_proba``.

    Examples
    --------
    The squared error as a Python function in ctypes, which is correct but slow:

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
    # Keyword-only, because it would otherwise be the first argument, as a class variable of the other losses.
    responses: str = field(default="binary", kw_only=True)  # type: ignore[misc]
    falls_for_ever: bool | None = field(default=None, kw_only=True)
    convex: bool | None = field(default=None, kw_only=True)
    user_data: int = field(default=0, kw_only=True)

    def __repr__(self) -> str:
        """Return a description without addresses."""
        form = "one function for blocks" if self.function is not None else "three functions for rows"
        return f"Compiled({form}, responses={self.responses!r})"

    def __sklearn_clone__(self) -> Compiled:
        """Return another object with the same functions, which cannot be copied."""
        return Compiled(**self.get_params())

    def __deepcopy__(self, memory: dict[int, Any]) -> Compiled:
        """Return another object with the same functions."""
        return Compiled(**self.get_params())

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the functions, which are addresses in the current process."""
        return {**self.__dict__, "function": None, "value": None, "slope": None, "curvature": None, "user_data": 0}

    def _kernel(self) -> _core.Loss:
        responses = check_choice(self.responses, "compiled: responses", ("binary", "finite", "not_negative", "positive"))
        binary = responses == "binary"
        falls = binary if self.falls_for_ever is None else check_flag(self.falls_for_ever, "compiled: falls_for_ever")
        if falls and not binary:
            raise ValueError(
                "compiled: falls_for_ever is True, which is only possible for classification, but responses is "
                + repr(responses)
            )
        user_data = check_integer(self.user_data, "compiled: user_data", 0)
        rows = {"value": self.value, "slope": self.slope, "curvature": self.curvature}
        given = [name for name, function in rows.items() if function is not None]
        if (self.function is None) == (not given) or len(given) not in (0, 3):
            what = (
                ", ".join(["function"] * (self.function is not None) + given)
                or "none (were they lost when the loss was pickled?)"
            )
            raise ValueError(f"a compiled loss needs either function, or value, slope and curvature; it was given {what}")
        if self.function is not None:
            addresses = [_address(self.function, "function", _BLOCK_SIGNATURE)]
        else:
            addresses = [_address(function, name, _SCALAR_SIGNATURE) for name, function in rows.items()]
        return _core.compiled_loss(addresses, user_data, responses, falls)


def _address(function: Any, name: str, signature: str) -> int:
    """Return the address of a compiled function, and check its signature if it is known."""
    import ctypes

    if isinstance(getattr(function, "address", None), int):  # a Numba cfunc
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

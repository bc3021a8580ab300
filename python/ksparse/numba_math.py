"""Functions exp and log(1 + e) for losses written in Numba, which LLVM can vectorise; needs numba.

Unless Intel's SVML is installed, ``math.exp`` in Numba is a function call for each row, so a loss takes about twice the time of the
built-in one. The functions here use only arithmetic. ``ksparse`` itself does not import this module.
"""

from __future__ import annotations

import math

import numpy as np

from ._optional import require

__all__ = ["FLAGS", "exp", "log1p_unit"]

# Also for a cfunc: these flags allow fused multiply-adds and ignore NaN, infinity and signed zeros, but do not reorder sums.
FLAGS = {"contract", "nnan", "ninf", "nsz"}

_numba = require("numba", "ksparse.numba_math", "numba")


@_numba.njit(fastmath=FLAGS, error_model="numpy")
def exp(x):
    """Return the exponential of x, limited to [exp(-708), exp(709)], with a relative error below 3e-16.

    It uses x = k log 2 + r with log 2 in two parts, a polynomial for |r| <= log(2) / 2, and k added to the exponent.
    """
    x = min(max(x, -708.0), 709.0)
    k = math.floor(x * 1.4426950408889634 + 0.5)
    r = (x - k * 0.6931471803691238) - k * 1.9082149292705877e-10
    s = 1 / 6227020800.0
    s = s * r + 1 / 479001600.0
    s = s * r + 1 / 39916800.0
    s = s * r + 1 / 3628800.0
    s = s * r + 1 / 362880.0
    s = s * r + 1 / 40320.0
    s = s * r + 1 / 5040.0
    s = s * r + 1 / 720.0
    s = s * r + 1 / 120.0
    s = s * r + 1 / 24.0
    s = s * r + 1 / 6.0
    s = s * r + 0.5
    s = s * r + 1.0
    s = s * r + 1.0
    return s * np.int64((np.int64(k) + 1023) << 52).view(np.float64)


@_numba.njit(fastmath=FLAGS, error_model="numpy")
def log1p_unit(e):
    """Return the logarithm of 1 + e for e in [0, 1], with full relative accuracy as in ``loss/stable.hpp``."""
    s = e / (e + 2.0)
    t = s * s
    u = 0.08522081781390699
    u = u * t + 0.0416225325593041
    u = u * t + 0.06055084364034609
    u = u * t + 0.06650187016337313
    u = u * t + 0.07693307021152004
    u = u * t + 0.09090870416252403
    u = u * t + 0.11111112040373837
    u = u * t + 0.14285714272727057
    u = u * t + 0.20000000000092874
    u = u * t + 0.33333333333333076
    u = u * t + 1.0
    return (s + s) * u

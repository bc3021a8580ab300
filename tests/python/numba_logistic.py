"""The logistic loss as a user writes it for Numba: a function of a block of rows whose loop LLVM vectorises."""

from ksparse.losses import Compiled
from ksparse.numba_math import FLAGS, exp, log1p_unit
from numba import carray, cfunc, types

doubles = types.CPointer(types.float64)


@cfunc(types.void(types.int64, *[doubles] * 5, types.voidptr), fastmath=FLAGS, error_model="numpy")
def logistic_block(n, eta_, response_, value_, slope_, curvature_, user_data):
    eta, response = carray(eta_, n), carray(response_, n)
    value, slope, curvature = carray(value_, n), carray(slope_, n), carray(curvature_, n)
    for i in range(n):
        margin = response[i] * eta[i]
        e = exp(-abs(margin))
        large = 1 / (1 + e)
        small = e * large
        p, q = (large, small) if margin >= 0 else (small, large)
        value[i] = max(-margin, 0.0) + log1p_unit(e)
        slope[i] = -response[i] * q
        curvature[i] = p * q


loss = Compiled(logistic_block, convex=True)

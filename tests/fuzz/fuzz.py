"""Fuzz the Python door and the core: random small problems of every kind, answers held against laws.

    python tests/fuzz/fuzz.py --seconds 60 --seed 1        for a minute
    python tests/fuzz/fuzz.py --inputs 1000000 --seed 1    so many problems
    python tests/fuzz/fuzz.py --extreme --seconds 60       numbers up to the ends of the range of doubles
    python tests/fuzz/fuzz.py --seed 1 --only 4711         one call again, with what it was

A call is drawn from (seed, number) alone. It is one fit, one path, or one batch of many problems over one X; each problem counts
as an input. The laws: only the documented exceptions; the user's arrays stay what they were, byte by byte; no NaN, and F of the
answer is F at its coefficients, computed anew in long double; no more than k features or groups, none forbidden, all required;
bounds kept; F no worse than that of the intercept alone; with status ``converged`` no coordinate has a Newton step worth taking.
Of some small problems without constraints it is counted whether a single swap of features lowers F, which the search makes unlikely
and does not exclude.
A call that takes too long ends the process with a traceback (faulthandler); so does a crash. The number of the last call is in the
file that is named at the start.
"""

from __future__ import annotations

import argparse
import collections
import faulthandler
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator
from typing import Any

import ksparse
import numpy as np
import scipy.sparse as sp

STATUSES = {"converged", "max_iterations", "stalled", "separable", "numerical_failure", "invalid_input"}
TINY = np.finfo(np.float64).tiny
EPS = np.finfo(np.float64).eps


class BrokenLawError(AssertionError):
    """A law that an answer breaks."""

    problem = 0  # its number in the call


# ---------------------------------------------------------------------------------------------------------------- drawing


class Drawer:
    """Random parts of a call."""

    def __init__(self, seed: int, number: int, extreme: bool = False) -> None:
        self.extreme = extreme
        self.rng = np.random.default_rng([seed, number])

    def chance(self, p: float) -> bool:
        """Return True with this probability."""
        return bool(self.rng.random() < p)

    def pick(self, *choices: Any) -> Any:
        """Return one of some things."""
        return choices[int(self.rng.integers(len(choices)))]

    def size(self, most: int) -> int:
        """Return a number of rows or columns, mostly small."""
        return int(min(most, 1 + self.rng.geometric(self.pick(0.5, 0.3, 0.08))))

    def values(self, n: int) -> np.ndarray:
        """Return a vector of numbers of one kind."""
        rng = self.rng
        kind = rng.integers(9)
        if kind <= 2:
            return rng.standard_normal(n)
        if kind == 3:
            return rng.integers(-2, 3, n).astype(float)
        if kind == 4:
            return (rng.random(n) < self.pick(0.05, 0.5)).astype(float)
        if kind == 5:
            return np.full(n, self.pick(0.0, -0.0, 1.0, 7.0, 1e150, -1e100))
        if kind == 6:
            return rng.standard_normal(n) * 10.0 ** rng.uniform(-100, 300)
        if kind == 7:
            return rng.standard_normal(n) + 10.0 ** rng.uniform(0, 16)
        return rng.choice([0.0, 5e-324, TINY, 1e-300, 1.0, -1.0, 1e300, 1.7e308] if self.extreme else [0.0, 1e-6, -1.0, 1e3], n)

    def matrix(self, n: int, p: int) -> np.ndarray:
        """Return a design in float64."""
        rng = self.rng
        X = rng.standard_normal((n, p)) if self.chance(0.5) else np.column_stack([self.values(n) for _ in range(p)])
        while p > 1 and self.chance(0.3):
            i, j = rng.integers(p, size=2)
            with np.errstate(over="ignore", under="ignore"):
                X[:, i] = X[:, j] * self.pick(1.0, -3.0, 1e-7, 1 + 1e-8) + self.pick(0.0, 0.0, 1.0, 1e-9) * rng.standard_normal(
                    n
                )
        X[~np.isfinite(X)] = 1.0
        return X

    def stored(self, X: np.ndarray) -> Any:
        """Return the same numbers, or nearly, in some storage."""
        rng = self.rng
        n, p = X.shape
        with np.errstate(all="ignore"):
            if self.chance(0.25):
                X = X.astype(self.pick(np.float32, np.float32, np.float16, ">f8", ">f4", np.longdouble))
            elif self.chance(0.1):
                X = np.clip(X, -100, 100).astype(self.pick(np.int8, np.int64, bool, np.uint8, np.int32))
        if self.chance(0.3):
            X = np.where(rng.random(X.shape) < self.pick(0.5, 0.9), X.dtype.type(0), X)
            S = self.pick(sp.csc_array, sp.csc_array, sp.csr_array, sp.coo_array, sp.csc_matrix, sp.lil_array)(
                X.astype(X.dtype.newbyteorder("=")) if X.dtype not in (np.float16, np.longdouble) else X.astype(np.float64)
            )
            if S.format == "csc":
                self.disorder(S)
            return S
        form = rng.integers(7)
        if form == 0:
            X = np.asfortranarray(X)
        elif form == 1:
            wide = np.zeros((2 * n, 3 * p), X.dtype, order=self.pick("C", "F"))
            down, across = self.pick((2, 1), (1, 3), (2, 3))
            view = wide[:: 1 if down == 1 else 2, :: 1 if across == 1 else 3][:n, :p]
            view[...] = X
            X = view
        elif form == 2:
            X = X[::-1][::-1] if self.chance(0.5) else X[::-1, ::-1]
        elif form == 3:
            buffer = bytearray(X.nbytes + 1)
            unaligned = np.frombuffer(buffer, np.uint8)[1:].view(X.dtype).reshape(X.shape)
            unaligned[...] = X
            X = unaligned
        elif form == 4:
            X = X.copy()
            X.flags.writeable = False
        elif form == 5 and n == 1:
            X = np.broadcast_to(X, (n, p))
        return X

    def disorder(self, S: Any) -> None:
        """Make entries unsorted, duplicate, explicit zeros, or out of range, and indices of another type."""
        rng = self.rng
        if self.chance(0.3):
            order = np.concatenate(
                [S.indptr[j] + rng.permutation(S.indptr[j + 1] - S.indptr[j]) for j in range(S.shape[1])]
            ).astype(int)
            S.data, S.indices = S.data[order], S.indices[order]
        if self.chance(0.2) and S.nnz and S.dtype == np.float64:  # what duplicates of other types add up to depends on who adds
            S.indices[rng.integers(S.nnz)] = S.indices[rng.integers(S.nnz)]
        if self.chance(0.2) and S.nnz:
            S.data[rng.integers(S.nnz)] = 0
        if self.chance(0.2):
            S.indices, S.indptr = S.indices.astype(np.int64), S.indptr.astype(np.int64)
        if self.chance(0.1):
            S.has_sorted_indices = S.has_canonical_format = True
        if self.chance(0.03) and S.nnz:
            S.indices[rng.integers(S.nnz)] = self.pick(-1, S.shape[0], 2**31 - 1)
        if self.chance(0.02):
            S.indptr[rng.integers(len(S.indptr))] = self.pick(-1, 0, 2**31 - 1)

    def labels(self, X: np.ndarray) -> np.ndarray:
        """Return zeros and ones, by chance or by a column."""
        n, p = X.shape
        if self.chance(0.5):
            column = X[:, self.rng.integers(p)]
            y = column > np.median(column)
            return (y ^ (self.rng.random(n) < self.pick(0.0, 0.1, 0.3))).astype(float)
        y = (self.rng.random(n) < self.pick(0.1, 0.5, 0.9)).astype(float)
        if n > 1 and self.chance(0.9):
            y[:2] = 0, 1
        return y

    def weights(self, n: int) -> np.ndarray | None:
        """Return weights of some type and size, or none."""
        rng = self.rng
        kind = rng.integers(10)
        if kind <= 4:
            return None
        if kind == 5:
            return rng.integers(0, 3, n).astype(self.pick(np.uint8, np.int64, np.float64, bool))
        if kind == 6:
            return 10.0 ** rng.uniform(-8, 8, n)
        if kind == 7:
            return 10.0 ** (rng.uniform(-320, 305, n) if self.extreme else rng.uniform(-1, 1, n) + rng.uniform(-290, 290))
        if kind == 8:
            return np.full(n, self.pick(5e-324, 1e308, 1.0, 1e-300))
        return rng.random(n)

    def offset(self, n: int) -> np.ndarray | None:
        """Return an offset, or none."""
        kind = self.rng.integers(10)
        if kind <= 6:
            return None
        return self.rng.standard_normal(n) * self.pick(
            *[1.0] * 8, 10.0, 30.0, 100.0, self.pick(1e3, 1e10, 1e300) if self.extreme else 1.0
        )

    def settings(self, n: int, p: int) -> tuple[dict[str, Any], int]:
        """Return keyword arguments of a fit, and how many units there are to choose from."""
        rng, units = self.rng, p
        settings: dict[str, Any] = {}
        if self.chance(0.5):
            settings["loss"] = "focal"
            settings["alpha"] = self.pick(0.5, 0.25, 0.01, 0.999999, 1e-6, 1e-300 if self.extreme else 0.5, 1 - EPS)
            settings["gamma"] = self.pick(0.0, 1.0, 2.0, 2.5, 5.0, 0.1, 10.0, 1e-300, 700.0 if self.extreme else 20.0)
        if self.chance(0.5):
            settings["ridge"] = self.pick(1e-8, 1e-3, 0.1, 1.0, 1e8, 1e-300, 1e300 if self.extreme else 1e-12)
        if self.chance(0.3):
            settings["fit_intercept"] = False
        if self.chance(0.1):
            settings["tolerance"] = self.pick(1e-300, 1e-12, 1e-4, 1.0, 1e300 if self.extreme else 1e-10)
        if self.chance(0.1):
            settings["max_newton"] = self.pick(1, 2, 10, 1000 if self.extreme else 200)
        if self.chance(0.8):
            settings["search"] = self.pick(*["fast"] * 6, "auto", "thorough")
        if settings.get("search") == "thorough" or self.chance(0.1):
            settings["max_rounds"] = int(rng.integers(1, 6))
            settings["random_state"] = int(rng.integers(2**63))
        if self.chance(0.1):
            groups = rng.integers(0, self.pick(1, 2, p + 1), p)
            settings["groups"] = groups
            units = len(np.unique(groups))
        if self.chance(0.1):
            settings["always_in"] = rng.integers(0, p, self.pick(1, 2))
        if self.chance(0.1):
            settings["never_in"] = rng.integers(0, p, self.pick(1, 3))
        if self.chance(0.15):
            low = self.pick(None, 0.0, -1.0, -np.abs(rng.standard_normal(p)), -1e300, -np.inf, -5e-324)
            high = self.pick(None, 0.0, 1.0, np.abs(rng.standard_normal(p)), 1e300, np.inf, 5e-324)
            settings["bounds"] = low, high
        return settings, units

    def spoil(self, arguments: dict[str, Any]) -> None:
        """Put something wrong into a call."""
        name = self.pick("X", "X", "y", "k", "setting", "sample_weight", "offset")
        bad = self.pick(np.nan, np.inf, -np.inf, np.frombuffer(b"\x01\x00\xad\xde\x00\x00\xf8\xff", np.float64)[0])
        if name == "X":
            X = arguments["X"]
            if sp.issparse(X):
                if X.dtype.kind == "f" and X.format in ("csc", "csr", "coo") and len(X.data):
                    X.data[self.rng.integers(len(X.data))] = bad
            elif X.dtype.kind == "f":
                X = X.copy()
                X[self.rng.integers(X.shape[0]), self.rng.integers(X.shape[1])] = bad
                arguments["X"] = X
        elif name in ("sample_weight", "offset", "y"):
            old = arguments[name]
            values = np.ones(arguments["X"].shape[0]) if old is None else np.array(old, dtype=float)
            if self.chance(0.2):
                values = values[:-1]
            else:
                values.flat[self.rng.integers(values.size)] = self.pick(bad, -1.0, 2.0)
            arguments[name] = values
        elif name == "k":
            arguments["k"] = self.pick(-1, 10**6, 2.5, True, None, "two", 2**70, np.int8(1))
        else:
            arguments[
                self.pick("alpha", "gamma", "ridge", "tolerance", "bounds", "groups", "always_in", "max_newton", "loss")
            ] = self.pick(bad, -1, 0, "x", None, [], {}, 10**400, (1, -1), 1j, np.float32(0.5))


# -------------------------------------------------------------------------------------------------------------------- laws


def dense(X: Any) -> np.ndarray:
    """Return the numbers of X, in long double; entries of one place are added in their own type, as SciPy does."""
    if sp.issparse(X):
        X = X.tocsc(copy=True)
        X.sum_duplicates()
        X = X.toarray()
    return np.asarray(X).astype(np.longdouble)


def loss_of(m: np.ndarray, gamma: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return value, slope and curvature of the loss of weight 1, in long double."""
    e = np.exp(-np.abs(m))
    large, small = 1 / (1 + e), e / (1 + e)
    p, q = np.where(m >= 0, large, small), np.where(m >= 0, small, large)
    softplus = np.maximum(-m, 0) + np.log1p(e)
    log_q = -(np.maximum(m, 0) + np.log1p(e))
    f = np.exp(gamma * log_q)
    return f * softplus, -f * (gamma * p * softplus + q), f * p * (gamma * softplus * (gamma * p - q) + (2 * gamma + 1) * q)


class Judge:
    """Laws of the answers of one call."""

    def __init__(self, arguments: dict[str, Any], extreme: bool) -> None:
        self.arguments, self.extreme = arguments, extreme
        self.X = dense(arguments["X"])
        with np.errstate(over="ignore"):
            # What the core reads are doubles.
            self.X = self.X.astype(np.float64).astype(np.longdouble)
        self.by_problem = arguments["y"].ndim == 2

    def column(self, name: str, i: int) -> Any:
        """Return what an argument says of one problem."""
        value = self.arguments.get(name)
        return value[:, i] if value is not None and np.ndim(value) == 2 else value

    def judge(self, result: Any, i: int = 0, null: float | None = None) -> None:
        """Raise if the answer breaks a law."""
        a = self.arguments
        require(result.status in STATUSES, f"status {result.status!r}")
        if result.status in ("invalid_input", "numerical_failure"):
            return
        support, p = result.support, self.X.shape[1]
        numbers = [result.intercept, result.objective, *result.coef]
        require(np.isfinite(numbers).all(), "not finite with status {}: {}", result.status, numbers)
        require(list(support) == sorted(set(support.tolist())), "support {}", support)
        require(not np.delete(result.coef, support).any(), "a coefficient outside of the support")
        groups = a.get("groups")
        units = len(support) if groups is None else len(np.unique(np.asarray(groups)[support]))
        require(units <= result.k, "{} chosen, k = {}", units, result.k)
        of = (
            (lambda features: set(np.asarray(features).tolist()))
            if groups is None
            else lambda f: set(np.asarray(groups)[f].tolist())
        )
        if a.get("never_in") is not None:
            require(not of(a["never_in"]) & of(support), "never_in {}, chosen {}", a["never_in"], support)
        if a.get("fit_intercept") is False:
            require(result.intercept == 0, "an intercept")
        lower, upper = bounds_of(a.get("bounds"), p)
        require((result.coef >= lower).all() and (result.coef <= upper).all(), "out of bounds: {}", result.coef)
        if not self.extreme:
            self.judge_objective(result, i, null, bool((lower > -np.inf).any() or (upper < np.inf).any()))

    def judge_objective(self, result: Any, i: int, null: float | None, bounded: bool) -> None:
        """Raise unless F at the answer is what it says, and nothing is left to gain along a coordinate."""
        y = self.column("y", i).astype(np.longdouble)
        weights, offset = self.column("sample_weight", i), self.column("offset", i)
        w = np.ones(len(y), np.longdouble) if weights is None else weights.astype(np.longdouble)
        w = w / w.sum()
        o = np.zeros(len(y), np.longdouble) if offset is None else offset.astype(np.longdouble)
        gamma, alpha = result.gamma, result.alpha
        if self.arguments.get("loss") == "focal":
            w = w * np.where(y == 1, np.longdouble(alpha), 1 - np.longdouble(alpha))
        Z = self.X[:, result.support]
        b = result.coef[result.support].astype(np.longdouble)
        terms = Z * b
        eta = terms.sum(axis=1) + result.intercept + o
        s = 2 * y - 1
        value, slope, curvature = loss_of(s * eta, gamma)
        ridge = np.longdouble(result.ridge)
        F = (w * value).sum() + ridge / 2 * (b @ b)
        # Rounding of eta, which the intercept as a double alone brings, moves F by its slope. The intercept holds
        # the centres of the columns, so that rounding of the largest row is in all.
        size = np.abs(terms).sum(axis=1).max() + abs(result.intercept) + np.abs(o)
        rows = w * np.abs(slope)
        rounding = 64 * EPS * ((rows * size).sum() + F) + TINY
        # Curvature counts where that rounding is not small.
        rounding += (w * (1 + gamma) ** 2 * np.minimum((64 * EPS * size) ** 2, 64 * EPS * size)).sum()
        # Coefficients that run away cancel each other.
        digits = 1e-10 if result.status == "converged" else 1e-5
        require(
            abs(F - result.objective) <= rounding + digits * F,
            "objective {!r}, but F of the answer is {!r} ({}, rounding {:.1e})",
            *(result.objective, float(F), result.status, float(rounding)),
        )
        if (
            null is not None
            and not bounded
            and np.abs(o).max() < 1e6
            and not {"always_in", "max_newton", "tolerance"} & set(self.arguments)
        ):
            slack = 0.1 if result.status == "max_iterations" else 1e-6
            require(
                result.objective <= null * (1 + slack) + 1e-9 + 4 * rounding,
                "objective {!r}, intercept alone {!r} ({})",
                *(result.objective, null, result.status),
            )
        if result.status != "converged" or bounded or self.arguments.get("tolerance", 0) > 1e-8 or F < 1e-9:
            return  # below 1e-9, F is as good as 0
        if (64 * EPS * size).max() > 1e-6:
            return  # coefficients and intercept as doubles do not say where the minimum is
        # A required feature is left out only where its coefficient is 0 all the same.
        required = self.arguments.get("always_in")
        left_out = np.setdiff1d(np.array([] if required is None else list(required), dtype=int), result.support)
        Z, b = np.column_stack([Z, self.X[:, left_out]]), np.append(b, np.zeros(len(left_out)))
        if (np.abs(Z).max(axis=0) > 1e6 * np.abs(Z - np.median(Z, axis=0)).mean(axis=0)).any():
            return  # a few entries a million times larger than the rest: in units of the column, the rest is hardly there
        if self.arguments.get("fit_intercept", True):
            Z, b = np.column_stack([Z, np.ones(len(y))]), np.append(b, 0)
        residual = w * s * slope
        g = Z.T @ residual
        penalty = np.full(len(b), ridge)
        if self.arguments.get("fit_intercept", True):
            penalty[-1:] = 0
        g += penalty * b
        h = (Z * Z).T @ (w * np.maximum(curvature, 0)) + penalty
        # An entry of 1e-14 of the largest in its column is rounding: the core counts in units of the column.
        blur = (
            64
            * EPS
            * (np.abs(Z).max(axis=0) * (np.abs(residual) + w * np.maximum(curvature, 0) * size).sum() + np.abs(penalty * b))
        )
        steps = np.maximum(np.abs(g) - blur, 0) ** 2 / np.maximum(h, np.finfo(np.longdouble).tiny)
        worst = float(steps.max(initial=0))
        require(
            worst <= 1e-9 * float(F) + 1e-15,
            "converged, but a coordinate's squared decrement is {:.2e} at F = {:.3e}",
            *(worst, float(F)),
        )


def require(law: bool, what: str, *shown: Any) -> None:
    """Raise unless a law holds; ``what`` is formatted only then, since arrays take longer to print than to fit."""
    if not law:
        raise BrokenLawError(what.format(*shown))


def bounds_of(bounds: Any, p: int) -> tuple[np.ndarray, np.ndarray]:
    low, high = (None, None) if bounds is None else bounds
    return np.broadcast_to(-np.inf if low is None else low, p), np.broadcast_to(np.inf if high is None else high, p)


def picture_of(value: Any) -> Any:
    """Return what must not change of an argument."""
    if sp.issparse(value):
        parts = ("data", "indices", "indptr", "row", "col", "rows")
        return [np.asarray(getattr(value, part)).tobytes() for part in parts if hasattr(value, part) and value.format != "lil"]
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.strides, value.tobytes()
    return None


# ------------------------------------------------------------------------------------------------------------------- calls


def draw(seed: int, number: int, extreme: bool = False) -> tuple[str, dict[str, Any]]:
    """Return the kind of the call, and its arguments."""
    d = Drawer(seed, number, extreme)
    n, p = d.size(40), d.size(40)
    kind = d.pick("fit", "many", "many", "many", "path")
    with np.errstate(all="ignore"):
        X = d.matrix(n, p)
        y = d.labels(X)
    settings, units = d.settings(n, p)
    arguments: dict[str, Any] = {"X": d.stored(X), "y": y, "sample_weight": d.weights(n), "offset": d.offset(n), **settings}
    if kind == "many":
        m = int(d.rng.integers(2, 65))
        if d.chance(0.7):
            with np.errstate(all="ignore"):
                columns = [d.labels(X) for _ in range(m)]
            arguments["y"] = np.asarray(np.column_stack(columns), order=d.pick("C", "F")).astype(
                d.pick(float, bool, np.int8, np.int64)
            )
        if d.chance(0.3):
            arguments["sample_weight"] = np.asarray(
                d.rng.integers(0, 4, (n, m)), d.pick(np.uint8, float), order=d.pick("C", "F")
            )
        arguments["k"] = d.rng.integers(0, units + 1, m)
        if d.chance(0.3):
            arguments["ridge"] = 10.0 ** d.rng.uniform(-9, 1, m)
        if d.chance(0.2):
            arguments["n_jobs"] = 2
        if d.chance(0.05):
            arguments["y"] = arguments["y"].astype(float)
            arguments["y"].flat[d.rng.integers(arguments["y"].size)] = d.pick(np.nan, 2.0, -1.0)
    elif kind == "path":
        arguments["k"] = np.unique(d.rng.integers(0, units + 1, d.size(8)))
    else:
        arguments["k"] = int(d.rng.integers(0, units + 1))
    if d.chance(0.08):
        d.spoil(arguments)
    return kind, arguments


CALLS = {"fit": ksparse.fit, "many": ksparse.fit_many, "path": ksparse.fit_path}


def check(kind: str, arguments: dict[str, Any], counts: collections.Counter[str], extreme: bool = False) -> int:
    """Do a call and judge it; return how many problems it was."""
    before = {name: picture_of(value) for name, value in arguments.items()}
    positional = arguments["X"], arguments["y"], arguments["k"]
    keywords = {name: value for name, value in arguments.items() if name not in ("X", "y", "k")}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ksparse.ConvergenceWarning)
        try:
            answer = CALLS[kind](*positional, **keywords)
        except (ValueError, TypeError) as error:
            counts["refused"] += 1
            require(bool(str(error)), "an error without a message")
            answer = None
    for name, value in arguments.items():
        require(picture_of(value) == before[name], f"{name} was changed")
    if answer is None:
        return 1
    results = [answer] if kind == "fit" else list(answer)
    if not extreme:
        for i in range(min(len(results), 3)):
            if results[i].converged and len(results[i].support) > 0:
                look_at_swaps(alone(kind, arguments, i), results[i], counts)
    judge = Judge(arguments, extreme)
    null = null_objectives(kind, arguments, results) if not extreme else [None] * len(results)
    for i, result in enumerate(results):
        counts[result.status] += 1
        with np.errstate(all="ignore"):
            try:
                judge.judge(result, i, null[i])
            except BrokenLawError as error:
                error.problem = i
                raise
    return len(results)


def look_at_swaps(arguments: dict[str, Any], result: Any, counts: collections.Counter[str]) -> None:
    """Count whether some single swap of a chosen feature for another lowers F, by refits of every one."""
    X, support = arguments["X"], result.support.tolist()
    p, k = X.shape[1], len(support)
    constrained = any(arguments.get(name) is not None for name in ("groups", "bounds", "always_in", "never_in"))
    if constrained or not k < p <= 10 or result.objective <= 1e-9:
        return
    refits = {name: value for name, value in arguments.items() if name not in ("X", "y", "k")} | {"search": "fast"}
    best = result.objective
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for leaving in support:
            for entering in set(range(p)) - set(support):
                swapped = ksparse.fit(X, arguments["y"], k, always_in=[entering, *(set(support) - {leaving})], **refits)
                best = min(best, swapped.objective)
    counts["swap-optimal" if best >= result.objective * (1 - 1e-6) else "improved by a swap"] += 1


def of_problem(values: Any, i: int) -> Any:
    """Return the entry of a problem: its own, or that of all."""
    return values[i] if np.ndim(values) and len(values) > 1 else np.ravel(values)[0]


def alone(kind: str, arguments: dict[str, Any], i: int) -> dict[str, Any]:
    """Return one problem of a batch or path, as arguments of a fit."""
    unused = ("n_jobs",) if arguments.get("loss") == "focal" else ("n_jobs", "alpha", "gamma")
    single = {name: value for name, value in arguments.items() if name not in unused and value is not None}
    if kind == "many":
        for name in ("y", "sample_weight", "offset"):
            if np.ndim(single.get(name)) == 2:
                single[name] = np.array(single[name][:, i], dtype=float)
        single["ridge"] = float(of_problem(single.get("ridge", 0.0), i))
    if kind != "fit":
        single["k"] = int(of_problem(arguments["k"], i))
    return single


def smaller(arguments: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Go through calls with something less: an argument, a row, a column, digits."""
    required = ("X", "y", "k")
    for name in [name for name in arguments if name not in required]:
        yield {other: value for other, value in arguments.items() if other != name}
    X = arguments["X"]
    n, p = X.shape
    plain = np.ascontiguousarray(np.asarray(X.toarray() if sp.issparse(X) else X, dtype=float))
    if sp.issparse(X) or X.dtype != float or not X.flags.c_contiguous:
        yield {**arguments, "X": plain}
        return
    by_row = [name for name in ("y", "sample_weight", "offset") if arguments.get(name) is not None]
    for i in reversed(range(n)):
        yield {**arguments, "X": np.delete(X, i, axis=0), **{name: np.delete(arguments[name], i) for name in by_row}}
    if "groups" not in arguments and "always_in" not in arguments and "never_in" not in arguments:
        for j in reversed(range(p if p > 1 else 0)):
            bounds = arguments.get("bounds")
            if bounds is not None:
                bounds = tuple(np.delete(b, j) if np.ndim(b) else b for b in bounds)
            yield {**arguments, "X": np.delete(X, j, axis=1), **({} if bounds is None else {"bounds": bounds})}
    if isinstance(arguments["k"], int) and arguments["k"] > 0:
        yield {**arguments, "k": arguments["k"] - 1}
    for name in ("X", "offset", "sample_weight"):
        value = arguments.get(name)
        if value is None:
            continue
        for place in np.ndindex(np.shape(value)):
            for simple in (0.0, 1.0, float(f"{value[place]:.0e}")):
                if value[place] not in (0.0, 1.0, simple):
                    changed = np.array(value, dtype=float)
                    changed[place] = simple
                    yield {**arguments, name: changed}


def minimise(
    kind: str, arguments: dict[str, Any], error: BrokenLawError, seconds: float, extreme: bool
) -> dict[str, Any] | None:
    """Return a small fit that breaks a law, from a call that does; None if the problem alone breaks none."""

    def breaks(call: dict[str, Any]) -> bool:
        try:
            check("fit", call, collections.Counter(), extreme)
        except BrokenLawError:
            return True
        except Exception:
            return False
        return False

    best = alone(kind, arguments, error.problem)
    if not breaks(best):
        return None
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        found = next((call for call in smaller(best) if time.perf_counter() > end or breaks(call)), None)
        if found is None or not breaks(found):
            break
        best = found
    return best


def null_objectives(kind: str, arguments: dict[str, Any], results: list[Any]) -> list[float | None]:
    """Return F of the intercept alone, as the core finds it, for each problem."""
    bare = {name: arguments.get(name) for name in ("loss", "fit_intercept", "sample_weight", "offset") if name in arguments}
    zeros = np.zeros((arguments["X"].shape[0], 1))
    if kind != "many":
        settings = {name: arguments[name] for name in ("alpha", "gamma") if name in arguments}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return [ksparse.fit(zeros, arguments["y"], 0, **bare, **settings).objective] * len(results)
    m = len(results)
    settings = {name: np.array([getattr(result, name) for result in results]) for name in ("alpha", "gamma")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        null = ksparse.fit_many(zeros, arguments["y"], np.zeros(m, int), **bare, **settings)
    return [float(F) if np.isfinite(F) else None for F in null.objectives]


def written(kind: str, arguments: dict[str, Any]) -> str:
    """Return a call as Python."""

    def text(value: Any) -> str:
        if sp.issparse(value):
            return f"sp.{type(value).__name__}(np.array({value.toarray().tolist()}, {value.dtype.name!r}))"
        if isinstance(value, np.ndarray):
            return f"np.array({value.tolist()}, {value.dtype.str!r})"
        return repr(value)

    parts = [text(arguments[name]) for name in ("X", "y", "k")]
    parts += [f"{name}={text(value)}" for name, value in arguments.items() if name not in ("X", "y", "k") and value is not None]
    return f"ksparse.{CALLS[kind].__name__}({', '.join(parts)})"


def main() -> int:
    """Run calls until the time or the number of inputs is reached; return 1 if a law was broken."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after this time")
    parser.add_argument("--inputs", type=int, default=None, help="stop after so many problems (10000 if no time is given)")
    parser.add_argument("--first", type=int, default=0, help="number of the first call")
    parser.add_argument("--only", type=int, help="do this call alone and show it")
    parser.add_argument("--extreme", action="store_true", help="numbers up to the ends of the range, where F is not judged")
    parser.add_argument("--patience", type=float, default=60.0, help="seconds that one call may take")
    parser.add_argument("--minimise", type=float, default=3.0, help="seconds to spend on making a failing call small")
    parser.add_argument("--failures", type=int, default=20, help="stop after so many")
    options = parser.parse_args()
    if options.only is not None:
        options.first, options.inputs = options.only, 1
    most = options.inputs or (10_000 if options.seconds == float("inf") else sys.maxsize)
    counts: collections.Counter[str] = collections.Counter()
    inputs = failures = 0
    number, slowest = options.first, (0.0, 0)
    begin = time.perf_counter()
    faulthandler.enable()
    with tempfile.NamedTemporaryFile("r+", prefix="ksparse-fuzz-") as last:
        print(
            f"seed {options.seed}, core {ksparse.build_info()['instruction_set']}, number of the last call in {last.name}",
            flush=True,
        )
        while inputs < most and failures < options.failures and time.perf_counter() - begin < options.seconds:
            last.seek(0)
            last.write(f"{number}\n")
            last.flush()
            faulthandler.dump_traceback_later(options.patience, exit=True)
            started = time.perf_counter()
            kind, arguments = draw(options.seed, number, options.extreme)
            try:
                inputs += check(kind, arguments, counts, options.extreme)
            except Exception as error:
                failures += 1
                inputs += 1
                print(f"--only {number} of seed {options.seed}: {type(error).__name__}: {error}", flush=True)
                if isinstance(error, BrokenLawError):
                    faulthandler.dump_traceback_later(options.patience + options.minimise, exit=True)
                    small = minimise(kind, arguments, error, options.minimise, options.extreme)
                    print("    " + (f"in the {kind} alone" if small is None else written("fit", small)), flush=True)
                else:
                    traceback.print_exc()
                if options.only is not None:
                    print(written(kind, arguments))
            slowest = max(slowest, (time.perf_counter() - started, number))
            number += 1
        faulthandler.cancel_dump_traceback_later()
    seconds = time.perf_counter() - begin
    print(
        f"{inputs} inputs in {number - options.first} calls, {seconds:.0f} s; slowest call {slowest[1]}: {slowest[0]:.2f} s; {failures} failures"
    )
    print(", ".join(f"{count} {name}" for name, count in counts.most_common()))
    return int(failures > 0)


if __name__ == "__main__":
    raise SystemExit(main())

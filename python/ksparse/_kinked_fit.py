"""Fit losses with a kink: search with smoothed losses, and refit by linear programming.

Each row has the loss max(h r, l r) of its residual r = t - eta. This is the sum of the hinges h max(r, 0) and -l max(-r, 0), so the
Huberised hinge, with up to two rows for each row and with offsets, is a smooth loss that lies below it by at most a known width. The
usual search minimises it for a sequence of widths that shrink. The supports that it finds, and those that differ from the best by one
feature, are refitted with the loss itself: without a penalty this is a linear program, whose dual has one variable per row
between two bounds and one equation per coefficient (Koenker 2005, "Quantile regression", section 6.2). With a ridge penalty or bounds
on the coefficients, the refit uses cutting planes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _core
from ._caution import advice_on
from ._checks import check_integer
from ._input.request import Inputs, Request
from ._input.row_blocks import CountedBlocks
from ._input.sparse import is_sparse
from ._input.threads import thread_count
from ._input.validation import check_features
from ._kinked_minimum import minimise
from ._results.fit import FitResult
from .losses import Huber, HuberisedHinge
from .losses._kinked import Kinked

__all__ = ["fit_kinked"]

Vector = NDArray[np.float64]
# Widths of the smoothed loss, in units of the loss's own scale.
WIDTHS = (1.0, 0.3, 0.1, 0.03)
# Replacements of each chosen feature that are considered, and the largest number of them that are refitted in a round.
REPLACEMENTS, MOST_REFITS = 8, 40
# A decrease of F counts if it is larger than this part of F.
SETTLED = 1e-9


@dataclass
class Refits:
    """Minima of F on supports, with the loss itself; F is in the units of the loss's scale."""

    X: Any
    target: Vector  # (n,)
    high: Vector  # (n,) slopes for positive residuals, times the weights, which have a mean of 1
    low: Vector
    ridge: float
    intercept: bool
    bounds: tuple[Vector, Vector] | None
    known: dict[tuple[int, ...], tuple[float, Vector, bool]] = field(default_factory=dict)

    def at(self, support: NDArray[np.int64]) -> tuple[float, Vector, bool]:
        """Return F, the coefficients with the intercept last, and whether the minimum was found."""
        key = tuple(support.tolist())
        if key not in self.known:
            self.known[key] = self._refit(support)
        return self.known[key]

    def _refit(self, support: NDArray[np.int64]) -> tuple[float, Vector, bool]:
        columns = _dense(self.X[:, support])
        scale = np.abs(columns).max(axis=0, initial=0.0)
        scale[scale == 0] = 1.0
        Z = np.column_stack([columns / scale, np.ones(len(columns))]) if self.intercept else columns / scale
        penalty = np.append(self.ridge / scale**2, 0.0)[: Z.shape[1]]
        if self.ridge == 0 and self.bounds is None:
            coef, found = self._by_linear_program(Z)
        else:
            coef, found = self._by_cutting_planes(Z, penalty, support, scale)
        value = self._value(Z, penalty, coef)[0]
        coef = coef / np.append(scale, 1.0)[: len(coef)]
        return value, coef if self.intercept else np.append(coef, 0.0), found

    def _value(self, Z: Vector, penalty: Vector, coef: Vector) -> tuple[float, Vector]:
        residual = self.target - Z @ coef
        slope = np.where(residual > 0, self.high, np.where(residual < 0, self.low, 0.0))
        n = len(residual)
        return float(slope @ residual / n + 0.5 * penalty @ coef**2), -(slope @ Z) / n + penalty * coef

    def _by_linear_program(self, Z: Vector) -> tuple[Vector, bool]:
        from scipy.optimize import linprog  # other losses do not need it, and it takes long to import

        if Z.shape[1] == 0:
            return np.zeros(0), True
        found = linprog(
            -self.target, A_eq=Z.T, b_eq=np.zeros(Z.shape[1]), bounds=np.column_stack([self.low, self.high]), method="highs"
        )
        if found.x is None:
            return np.zeros(Z.shape[1]), False
        none = np.zeros(Z.shape[1])
        coef = -found.eqlin.marginals
        # Rows whose dual variable is between its bounds lie on the fitted plane. Solving for them removes the solver's tolerance.
        room = 1e-9 * (self.high - self.low)
        on_plane = (found.x > self.low + room) & (found.x < self.high - room)
        exact = np.linalg.lstsq(Z[on_plane], self.target[on_plane], rcond=None)[0] if on_plane.any() else coef
        best = min((coef, exact), key=lambda one: self._value(Z, none, one)[0])
        gap = self._value(Z, none, best)[0] + found.fun / len(Z)
        return best, bool(gap <= 1e-7 * max(abs(found.fun) / len(Z), 1e-3))

    def _by_cutting_planes(self, Z: Vector, penalty: Vector, support: NDArray[np.int64], scale: Vector) -> tuple[Vector, bool]:
        lower = upper = None
        if self.bounds is not None:
            lower = np.append(self.bounds[0][support] * scale, -np.inf)[: Z.shape[1]]
            upper = np.append(self.bounds[1][support] * scale, np.inf)[: Z.shape[1]]
        minimum = minimise(
            lambda coef: self._value(Z, penalty, coef),
            np.zeros(Z.shape[1]),
            tolerance=1e-9,
            exact=True,
            lower=lower,
            upper=upper,
        )
        return minimum.x, minimum.is_proved


@dataclass(frozen=True)
class SmoothedProblem:
    """A problem whose loss has a kink, in units in which the loss has a scale of 1."""

    request: Request  # as the user gave it, but with a smooth loss
    loss: Kinked
    scale: float
    centre: float  # of the targets
    refits: Refits

    @classmethod
    def of(cls, inputs: Inputs, y: Any, loss: Kinked) -> SmoothedProblem:
        """Check all arguments, and choose the units."""
        loss._check()
        smooth = HuberisedHinge() if loss.is_classification else Huber()
        request = Request.of(replace(inputs, settings=replace(inputs.settings, loss=smooth)), y)
        if isinstance(request.design, CountedBlocks):
            raise ValueError(f"the loss {loss.name!r} needs X in memory, but X comes in blocks")
        n = len(request.labels)
        weights = np.ones(n) if request.weights is None else request.weights
        counts = weights > 0
        X = request.design if counts.all() else request.design[counts]
        stored = X.data if is_sparse(X) else X
        if not np.isfinite(stored).all():
            column = next(j for j in range(X.shape[1]) if not np.isfinite(_dense(X[:, [j]])).all())
            rows = np.flatnonzero(counts)
            request.refuse_entry(int(rows[~np.isfinite(_dense(X[:, [column]]).ravel())][0]), column)
        weights = weights[counts] / weights[counts].max()
        weights = weights / weights.mean()
        target, high, low = loss._lines(request.labels[counts])
        if request.offset is not None:
            target = target - request.offset[counts]
        centre, scale = 0.0, 1.0
        if not loss.is_classification:
            centre = float(np.median(target)) if request.options.fit_intercept else 0.0
            scale = float(np.average(np.abs(target - centre), weights=weights)) or 1.0
        bounds = None
        if request.settings.bounds is not None:
            p, lower, upper = X.shape[1], np.asarray(request.options.lower), np.asarray(request.options.upper)
            bounds = (
                lower / scale if lower.size else np.full(p, -np.inf),
                upper / scale if upper.size else np.full(p, np.inf),
            )
        refits = Refits(
            X,
            (target - centre) / scale,
            weights * high,
            weights * low,
            request.options.ridge * scale,
            request.options.fit_intercept,
            bounds,
        )
        return cls(request, loss, scale, centre, refits)

    def smoothed(self, width: float) -> Request:
        """Return the problem with a smooth loss: a row for each line of the loss that is not horizontal."""
        of = self.refits
        above, below = np.flatnonzero(of.high > 0), np.flatnonzero(of.low < 0)
        rows = np.concatenate([above, below])
        weights = np.concatenate([of.high[above], -of.low[below]])
        offset = np.concatenate([1.0 - of.target[above], -1.0 - of.target[below]])
        settings = replace(
            self.request.settings,
            loss=HuberisedHinge(width),
            ridge=of.ridge * len(of.target) / float(weights.sum()),
            bounds=of.bounds,
            class_weight=None,
        )
        labels = np.repeat([1.0, 0.0], [len(above), len(below)])
        return Request.of(Inputs(of.X[rows], weights, offset, settings, self.request.names), labels)

    def result(self, support: NDArray[np.int64], k: int, work: Work) -> FitResult:
        """Return the minimum on a support, in the units of the user."""
        value, coefficients, found = self.refits.at(support)
        request, p = self.request, self.refits.X.shape[1]
        coef = np.zeros(p)
        coef[support] = coefficients[:-1] * self.scale
        status = "converged" if found else "stalled"
        return FitResult(
            coef=coef,
            intercept=float(coefficients[-1] * self.scale + self.centre) if request.options.fit_intercept else 0.0,
            support=np.flatnonzero(coef),
            objective=value * self.scale,
            status=status,
            advice="" if found else advice_on(status),
            n_newton=work.n_newton,
            n_scans=work.n_scans,
            n_refits=work.n_refits + len(self.refits.known),
            n_rounds=work.n_rounds,
            n_restarts=0,
            times_found=0,
            k=k,
            loss=self.loss.name,
            _loss=self.loss,
            ridge=request.options.ridge,
            feature_names=request.names,
        )


@dataclass
class Work:
    """How much work the searches were."""

    n_newton: int = 0
    n_scans: int = 0
    n_refits: int = 0
    n_rounds: int = 0

    def add(self, answer: Any) -> None:
        """Add the work of one search."""
        for name in vars(self):
            setattr(self, name, getattr(self, name) + getattr(answer, name))


def fit_kinked(
    inputs: Inputs, y: Any, loss: Kinked, k: Any, *, walks: Any = 1, n_jobs: int | None = None, start: Any = None
) -> FitResult:
    """Fit a loss with a kink. The result does not refer to the data."""
    if isinstance(k, str):
        raise ValueError(f"k is {k!r}, but the loss {loss.name!r} is not a likelihood; k must be an integer")
    if inputs.settings.groups is not None:
        raise ValueError(f"groups cannot be used with the loss {loss.name!r}; use {loss._smooth!r}")
    problem = SmoothedProblem.of(inputs, y, loss)
    refits, work = problem.refits, Work()
    k = problem.request.check_budget(k)
    walks = check_integer(walks, "walks", 1, 2**15)
    begin = check_features(start, "start", refits.X.shape[1], problem.request.names)
    supports: list[NDArray[np.int64]] = []
    for width in WIDTHS:
        request = problem.smoothed(width)
        request.options.k, request.options.walks, request.options.start = k, walks, begin
        answer = _core.fit(request.problem, request.options, None, thread_count(n_jobs))
        request.raise_if_refused(answer)
        work.add(answer)
        supports.append(answer.support)
        begin = answer.support.tolist()
    best = min(supports, key=lambda support: refits.at(support)[0])
    return problem.result(_exchanged(best, refits, request), k, work)


def _exchanged(support: NDArray[np.int64], refits: Refits, smoothed: Request) -> NDArray[np.int64]:
    """Exchange single features as long as the objective decreases, and return the support."""
    while len(support):
        value = refits.at(support)[0]
        rows = _core.alternatives(smoothed.problem, smoothed.options, support.tolist(), REPLACEMENTS)
        rows = sorted(rows, key=lambda row: row[2])[:MOST_REFITS]
        candidates = [np.sort(np.where(support == row[0], row[1], support)) for row in rows]
        best = min(candidates, key=lambda candidate: refits.at(candidate)[0], default=support)
        if not refits.at(best)[0] < value - SETTLED * abs(value):
            break
        support = best
    return support


def _dense(columns: Any) -> NDArray[np.float64]:
    return np.asarray(columns.toarray() if is_sparse(columns) else columns, dtype=np.float64)

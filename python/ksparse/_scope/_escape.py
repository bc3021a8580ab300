"""Search for lower points near a result that has fewer parameters than allowed.

A search adds parameters with a non-zero gradient. At a maximum or saddle point there are none, and lower points lie along directions
of negative curvature, of one or several parameters. There may not even be a negative curvature, e.g. at the maximum of a fourth power.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

from ._derivatives import Columns, Matrix, Vector

if TYPE_CHECKING:
    from ._problem import Outcome, Problem

__all__ = ["lower_points"]

# Up to this number of parameters, the whole Hessian is used; beyond, only the direction of least curvature.
LARGEST_HESSIAN = 512
# Number of parameters that are tried individually, and the steps that are tried, in units of the parameters.
MOST_TRIED = 64
SIZES = (1.0, 0.1, 0.01)
# A smaller relative decrease of the objective may be a rounding error.
LEAST_FALL = 1e-10


def lower_points(problem: Problem, outcome: Outcome, k: int) -> Iterator[Vector]:
    """Yield parameters, of at most k groups, where the objective is lower than at an outcome with fewer groups, the groups not twice."""
    chosen = sorted({*problem.required, *problem.groups[np.flatnonzero(outcome.params)].tolist()})
    places = k - len(chosen)
    if places <= 0 or len(chosen) == problem.n_groups:
        return
    known: set[tuple[int, ...]] = set()
    value = outcome.value
    allowed = value - LEAST_FALL * max(abs(value), abs(problem.objective.scaling.start - problem.objective.scaling.low))
    for direction in _directions(problem, outcome.params, chosen, places):
        best: tuple[float, Vector] | None = None
        for size in SIZES:
            for sign in (1.0, -1.0):
                params = problem.objective.clip(outcome.params + sign * size * direction * problem.objective.units)
                there = problem.derivatives.value(params)
                if there < allowed and (best is None or there < best[0]):
                    best = there, params
        if best is not None and (groups := tuple(np.flatnonzero(best[1]).tolist())) not in known:
            known.add(groups)
            yield best[1]


def _directions(problem: Problem, params: Vector, chosen: list[int], places: int) -> Iterator[Vector]:
    """Yield directions of length 1 with at most this many groups in addition to the chosen ones, in units of the parameters."""
    p = len(params)
    others = np.flatnonzero(~np.isin(problem.groups, chosen))
    if p <= LARGEST_HESSIAN:
        hessian = _hessian(problem, params)
        order = np.argsort(np.diag(hessian)[others], kind="stable")
        yield from _by_hessian(problem, hessian, places)
    else:
        order = np.arange(len(others))
        direction = _of_least_curvature(problem, params)
        if direction is not None:
            yield _sparse(problem, direction, chosen, places)
    for column in others[order][:MOST_TRIED]:
        yield _sparse(problem, np.eye(1, p, column)[0], chosen, places)
    random = np.random.default_rng(0)
    for _ in range(MOST_TRIED):
        yield _sparse(problem, random.standard_normal(p), chosen, places)


def _sparse(problem: Problem, direction: Vector, chosen: list[int], places: int) -> Vector:
    """Return a direction restricted to its largest groups."""
    sizes = np.bincount(problem.groups, weights=direction**2, minlength=problem.n_groups)
    sizes[chosen] = -1.0
    kept = [*chosen, *np.argsort(-sizes, kind="stable")[:places].tolist()]
    sparse = np.where(np.isin(problem.groups, kept), direction, 0.0)
    return sparse / max(float(np.linalg.norm(sparse)), 1e-300)


def _hessian(problem: Problem, params: Vector) -> Matrix:
    every: Columns = np.arange(len(params))
    cross = problem.derivatives.at(params, every).cross()
    units = problem.objective.units
    return np.nan_to_num(0.5 * (cross + cross.T)) * np.outer(units, units * problem.objective.scaling.factor)


def _by_hessian(problem: Problem, hessian: Matrix, places: int) -> Iterator[Vector]:
    """Yield directions of negative curvature, built by adding the group that makes the curvature smallest, one after another."""
    noise = problem.derivatives.curvature_noise * max(float(np.abs(hessian).max()), 1.0)
    if np.linalg.eigvalsh(hessian)[0] >= -noise:
        return
    # For each group, the partner with which its curvature is smallest.
    size, groups = problem.n_groups, problem.groups
    columns = [np.flatnonzero(groups == group) for group in range(size)]
    diagonal = np.diag(hessian)
    pair = 0.5 * (diagonal[:, None] + diagonal) - np.hypot(0.5 * (diagonal[:, None] - diagonal), hessian)
    np.fill_diagonal(pair, diagonal)
    for first in np.argsort(pair.min(axis=1), kind="stable")[:8]:
        kept = [int(groups[first])]
        lowest, direction = _lowest(hessian, columns, kept)
        while len(kept) < places:
            rest = [group for group in range(size) if group not in kept]
            if len(rest) > MOST_TRIED:
                gain = np.bincount(groups, weights=(hessian @ direction) ** 2, minlength=size)
                gain[kept] = -1.0
                partner = int(groups[int(np.argmin(pair[first]))])
                rest = sorted({*np.argsort(-gain, kind="stable")[:MOST_TRIED].tolist(), partner} - set(kept))
            found = min(
                ((*_lowest(hessian, columns, [*kept, group]), group) for group in rest), key=lambda one: one[0], default=None
            )
            if found is None or found[0] >= lowest - noise:
                break
            lowest, direction = found[0], found[1]
            kept.append(found[2])
        if lowest < -noise:
            yield direction


def _lowest(hessian: Matrix, columns: list[Columns], kept: list[int]) -> tuple[float, Vector]:
    at = np.concatenate([columns[group] for group in kept])
    values, vectors = np.linalg.eigh(hessian[np.ix_(at, at)])
    direction = np.zeros(len(hessian))
    direction[at] = vectors[:, 0]
    return float(values[0]), direction


def _of_least_curvature(problem: Problem, params: Vector) -> Vector | None:
    """Return the direction of least curvature, if that is negative, by differences of gradients."""
    units, nothing = problem.objective.units, np.empty(0, dtype=np.int64)
    length = np.sqrt(problem.derivatives.epsilon)
    before = problem.derivatives.at(params, nothing).gradient()

    def product(direction: Vector) -> Vector:
        there = problem.derivatives.at(params + length * units * np.ravel(direction), nothing).gradient()
        return np.nan_to_num((there - before) * units / length)

    operator = LinearOperator((len(params), len(params)), matvec=product, dtype=np.float64)
    try:
        values, vectors = eigsh(
            operator, k=1, which="SA", tol=1e-2, maxiter=50, v0=np.random.default_rng(0).standard_normal(len(params))
        )
    except ArpackNoConvergence as failure:
        values, vectors = failure.eigenvalues, failure.eigenvectors
    return vectors[:, 0] if len(values) and values[0] < 0 else None

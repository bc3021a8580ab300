"""Small whole points for at most k columns of 0 and 1.

The search minimises over integers z in {-M, ..., M}^p with at most k non-zero entries, and over real a and b,

    (1/W) sum_i w_i l(y_i, a x_i.z + b) + (ridge / 2) a^2 |z|^2

As all columns are 0 or 1, the rows that agree in the chosen columns and in y form a *cell*, and only the weight of a cell
matters. After each change of the support, the rows of each cell in which a column is 1 are counted, for all columns of X. These
counts suffice to predict the loss after every *move*, which is a change of a point or an exchange of two columns: the score of
a cell is an integer, so the loss and its derivatives in a and b come from a table, and one matrix product gives the loss of all
moves after a Newton step in a and b. The best moves are refitted, and a move is made only if the loss falls.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._fit import solve
from .._input.request import Inputs, Request, Settings
from .._loss import terms_by_eta
from ..losses import Loss

__all__ = ["SmallPoints", "search_small_points"]

Vector = NDArray[np.float64]
Points = dict[int, int]  # the points by column; all other columns have 0

_VERIFIED = 8  # number of moves that are refitted in each round
_ENTRIES = 4_000_000  # maximum size of the counts that are held at once
_FEW = 5  # up to this k, growth keeps several models of each size; for larger k, exchanges correct a greedy choice
_WIDTH = 8  # number of models that growth keeps
_DESCENTS = 2  # number of grown models from which the search descends
_BITS = 62  # of a key by which equal rows are found
_SAME = 1e-9  # smaller decreases of the loss are considered rounding errors


@dataclass(frozen=True)
class SmallPoints:
    """Integers for some columns, and the linear predictor ``intercept + slope * sum of points``."""

    support: NDArray[np.int64]  # sorted
    points: NDArray[np.int64]  # of the columns of the support
    slope: float  # > 0
    intercept: float
    loss: float  # the average loss, without the ridge penalty
    n_rounds: int  # number of times that X was counted by cells


@dataclass
class _Model:
    points: Points
    slope: float
    intercept: float
    value: float


@dataclass
class _Cells:
    """Rows that agree in the columns of a support and in their label."""

    support: list[int]
    values: NDArray[np.int64]  # (n_cells, n_support), 0 or 1
    label: NDArray[np.int64]
    weight: Vector
    of_row: NDArray[np.int64]


class _Search:
    def __init__(
        self, X: Any, labels: Vector, weights: Vector | None, loss: Loss, k: int, max_points: int, ridge: float
    ) -> None:
        from scipy.sparse import csc_array

        matrix = csc_array(X)
        if matrix.shape[1] < _BITS:
            matrix, labels, weights = _merged(matrix, labels, weights)
        self.n, self.p = matrix.shape
        self.rows, self.starts = matrix.indices, matrix.indptr
        self.column = np.repeat(np.arange(self.p), np.diff(self.starts))
        self.labels = labels.astype(np.int64)
        self.weights = weights
        self.total = float(self.n if weights is None else weights.sum())
        self.loss, self.k, self.most, self.ridge = loss, k, max_points, ridge
        self.changes = np.array([v for v in range(-max_points, max_points + 1) if v != 0])
        self.n_rounds = 0

    # --- counts ---

    def cells(self, support: list[int]) -> _Cells:
        """Group the rows by their values in some columns and their label."""
        m = len(support)
        inside = np.zeros((m + 1, self.n), dtype=bool)
        inside[m] = self.labels == 1
        for t, j in enumerate(support):
            inside[t, self.rows[self.starts[j] : self.starts[j + 1]]] = True
        if m < 16:
            key = np.zeros(self.n, dtype=np.int64)
            for t in range(m + 1):
                key += inside[t].astype(np.int64) << t
            present = np.flatnonzero(np.bincount(key, minlength=2 ** (m + 1)))
            number = np.empty(2 ** (m + 1), dtype=np.int64)
            number[present] = np.arange(len(present))
            of_row = number[key]
            values = (present[:, None] >> np.arange(m + 1)) & 1
        else:
            packed = np.packbits(inside, axis=0)
            _, first, of_row = np.unique(packed, axis=1, return_index=True, return_inverse=True)
            of_row, values = of_row.ravel(), inside[:, first].T.astype(np.int64)
        weight = np.bincount(of_row, self.weights, minlength=len(values)).astype(np.float64)
        return _Cells(support, values[:, :m], values[:, m], weight, of_row)

    def cells_by_score(self, points: Points) -> _Cells:
        """Group the rows by their score and label, which suffices for the moves from a single base."""
        key = np.zeros(self.n, dtype=np.int64)
        for j, value in points.items():
            key[self.rows[self.starts[j] : self.starts[j + 1]]] += value
        low = int(key.min())
        key = (key - low) * 2 + self.labels
        weight = np.bincount(key, self.weights).astype(np.float64)
        place = np.arange(len(weight))
        return _Cells([], (place // 2 + low)[:, None], place % 2, weight, key)

    def counts(self, cells: _Cells, low: int, high: int) -> Vector:
        """Return the weight of the rows of each cell in which a column is 1, for columns low to high: (high - low, n_cells)."""
        size = len(cells.weight)
        part = slice(self.starts[low], self.starts[high])
        rows = self.rows[part]
        place = (self.column[part] - low) * size + cells.of_row[rows]
        weights = None if self.weights is None else self.weights[rows]
        return np.bincount(place, weights, minlength=(high - low) * size).reshape(high - low, size).astype(np.float64)

    # --- slope and intercept ---

    def refit(
        self, histograms: Vector, low: int, squares: Vector, slope: float, intercept: float
    ) -> tuple[Vector, Vector, Vector]:
        """Return the best slopes and intercepts of several models, and their objectives, by Newton's method.

        ``histograms`` (models, 2, scores) has the weights of the rows by label and score. The smallest score is ``low``.
        """
        weight = histograms.reshape(len(histograms), -1) / self.total
        n_scores = histograms.shape[2]
        score = np.tile(np.arange(low, low + n_scores, dtype=np.float64), 2)
        response = np.repeat([0.0, 1.0], n_scores)
        # Scores that no model has are left out to save time.
        used = weight.any(axis=0)
        weight, score, response = weight[:, used], score[used], response[used]
        a, b = np.full(len(weight), slope), np.full(len(weight), intercept)
        penalty = self.ridge * squares
        powers = np.stack([np.ones_like(score), score, score**2], axis=1)

        def evaluate(a: Vector, b: Vector, weight: Vector, penalty: Vector) -> tuple[Vector, Vector, Vector]:
            value, first, second = terms_by_eta(self.loss, a[:, None] * score + b[:, None], response)
            total = np.einsum("ms,ms->m", weight, value) + 0.5 * penalty * a * a
            gradient = (weight * first) @ powers[:, :2]
            gradient[:, 1] += penalty * a
            hessian = (weight * np.maximum(second, 0.0)) @ powers
            hessian[:, 2] += penalty
            return total, gradient, hessian

        best, gradient, hessian = evaluate(a, b, weight, penalty)
        going = np.arange(len(weight))
        for _ in range(60):
            g, h = gradient[going], hessian[going]
            h0, h2 = h[:, 0] + 1e-14, h[:, 2] + 1e-14
            determinant = np.maximum(h0 * h2 - h[:, 1] ** 2, 1e-12 * h0 * h2)
            step_b = (h2 * g[:, 0] - h[:, 1] * g[:, 1]) / determinant
            step_a = (h0 * g[:, 1] - h[:, 1] * g[:, 0]) / determinant
            decrement = step_b * g[:, 0] + step_a * g[:, 1]
            alive = decrement > 1e-13 + 1e-9 * best[going]
            going, step_a, step_b = going[alive], step_a[alive], step_b[alive]
            if not len(going):
                break
            length = np.ones(len(going))
            for _ in range(30):
                new_a, new_b = a[going] - length * step_a, b[going] - length * step_b
                value, g, h = evaluate(new_a, new_b, weight[going], penalty[going])
                worse = ~(value <= best[going])
                if not worse.any():
                    break
                length[worse] *= 0.5
            kept = value <= best[going]
            still = best[going] - value > 1e-15
            going_kept = going[kept]
            a[going_kept], b[going_kept], best[going_kept] = new_a[kept], new_b[kept], value[kept]
            gradient[going_kept], hessian[going_kept] = g[kept], h[kept]
            going = going[kept & still]
            if not len(going):
                break
        return a, b, best

    def refit_points(
        self, cells: _Cells, rows: NDArray[np.int64], slope: float, intercept: float
    ) -> tuple[Vector, Vector, Vector]:
        """Refit models, which are given by their points on the support of the cells (models, n_support)."""
        scores = rows @ cells.values.T
        low, high = int(scores.min(initial=0)), int(scores.max(initial=0))
        width = high - low + 1
        place = (np.arange(len(rows))[:, None] * 2 + cells.label) * width + scores - low
        weight = np.broadcast_to(cells.weight, scores.shape)
        histograms = np.bincount(place.ravel(), weight.ravel(), minlength=len(rows) * 2 * width).astype(np.float64)
        return self.refit(
            histograms.reshape(len(rows), 2, width), low, (rows.astype(np.float64) ** 2).sum(axis=1), slope, intercept
        )

    # --- moves ---

    def round(self, model: _Model, bases: list[Points]) -> list[_Model]:
        """Try the most promising moves, and return the models that are better, best first.

        A move changes the points of one column of a base. A base is the model, or differs from the model in one column.
        """
        if len(bases) > 1:
            support = sorted(model.points)
            cells = self.cells(support)
            if len(cells.weight) * len(bases) * len(self.changes) > _ENTRIES:  # many cells: one base after the other is faster
                return next(filter(None, (self.round(model, [base]) for base in bases)), [])
            taken = np.array([[base.get(j, 0) for j in support] for base in bases], dtype=np.int64) @ cells.values.T
        else:
            cells = self.cells_by_score(bases[0])
            taken = cells.values.T
        self.n_rounds += 1
        block = max(1, _ENTRIES // max(1, len(cells.weight)))
        found = []
        for low in range(0, self.p, block):
            counts = self.counts(cells, low, min(self.p, low + block))
            predicted = self.predict(model, cells, taken, counts)
            self.forbid(predicted, bases, low)
            change = predicted.argmin(axis=1)  # the best change for each base and column
            flat = np.take_along_axis(predicted, change[:, None], axis=1).ravel()
            for place in np.argpartition(flat, min(_VERIFIED, flat.size - 1))[:_VERIFIED].tolist():
                if flat[place] < model.value - _SAME:
                    base, j = divmod(place, len(counts))
                    found.append((float(flat[place]), base, int(self.changes[change.flat[place]]), low + j, counts[j].copy()))
        found.sort(key=lambda move: move[0])
        return self.verify(model, cells, taken, bases, found[:_VERIFIED])

    def predict(self, model: _Model, cells: _Cells, taken: NDArray[np.int64], counts: Vector) -> Vector:
        """Predict the objective after each move and a Newton step in slope and intercept: (bases, changes, columns)."""
        low = int(taken.min()) - self.most
        values = np.arange(low, int(taken.max()) + self.most + 1, dtype=np.float64)
        tables = self.tables(values, model)
        predicted = np.empty((len(taken), len(self.changes), len(counts)))
        for place, score in enumerate(taken):
            key = (score - low) * 2 + cells.label
            order = np.argsort(key, kind="stable")
            key = key[order]
            first = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))
            by_score = np.add.reduceat(counts[:, order], first, axis=1)
            total = np.add.reduceat(cells.weight[order], first)
            at, label = key[first] // 2, key[first] % 2
            before = tables[:, label, at]  # (8, scores)
            moved = tables[:, label[:, None], at[:, None] + self.changes] - before[:, :, None]  # (8, scores, changes)
            sums = by_score @ moved.transpose(1, 0, 2).reshape(len(at), -1)
            sums = sums.reshape(len(counts), 8, -1).transpose(1, 2, 0) + (before @ total)[:, None, None]
            predicted[place] = _after_newton_step(sums)
        return predicted

    def tables(self, values: Vector, model: _Model) -> Vector:
        """Return the loss, its derivatives in intercept and slope, and moments of the score: (8, labels, scores)."""
        eta = model.slope * values + model.intercept
        tables = np.empty((8, 2, len(values)))
        for label in (0, 1):
            value, first, second = terms_by_eta(self.loss, eta, np.full(len(values), float(label)))
            tables[:6, label] = value, first, first * values, second, second * values, second * values**2
            tables[6:, label] = values, values**2
        return tables / self.total

    def forbid(self, predicted: Vector, bases: list[Points], low: int) -> None:
        """Set the prediction to infinity for moves that exceed the range of points or the number of columns."""
        high = low + predicted.shape[2]
        for place, base in enumerate(bases):
            now = np.zeros(self.p, dtype=np.int64)
            now[list(base)] = list(base.values())
            result = now[None, low:high] + self.changes[:, None]
            predicted[place][np.abs(result) > self.most] = np.inf
            if np.count_nonzero(now) >= self.k:
                predicted[place][:, now[low:high] == 0] = np.inf

    def verify(
        self, model: _Model, cells: _Cells, taken: NDArray[np.int64], bases: list[Points], moves: list[Any]
    ) -> list[_Model]:
        """Refit the models of some moves, and return those that are better than the current one, best first."""
        if not moves:
            return []
        models, low, high = [], int(taken.min()) - self.most, int(taken.max()) + self.most
        width = high - low + 1
        histograms = np.empty((len(moves), 2, width))
        for m, (_, base, change, j, inside) in enumerate(moves):
            points = dict(bases[base])
            points[j] = points.get(j, 0) + change
            models.append({column: value for column, value in points.items() if value != 0})
            place = cells.label * width + taken[base] - low
            histograms[m] = (
                np.bincount(place, cells.weight - inside, minlength=2 * width)
                + np.bincount(place + change, inside, minlength=2 * width)
            ).reshape(2, width)
        squares = np.array([float(sum(value**2 for value in points.values())) for points in models])
        a, b, value = self.refit(histograms, low, squares, model.slope, model.intercept)
        order = [m for m in np.argsort(value).tolist() if value[m] < model.value - _SAME]
        return [_Model(models[m], float(a[m]), float(b[m]), float(value[m])) for m in order]

    def descend(self, model: _Model) -> _Model:
        """Make moves until none is better, then try to round the real coefficients again, which may change the scale."""
        while True:
            better = self.round(model, self.bases(model))
            better = better or [self.rescaled(model)]
            if not better[0].value < model.value - _SAME:
                better = self.round(model, self.steps(model)) if len(model.points) > 1 else []
            if not better:
                return model
            model = better[0]

    def bases(self, model: _Model) -> list[Points]:
        """Return the points of the model and, if columns are chosen, its points without each one of the columns."""
        points = model.points
        without = [{j: z for j, z in points.items() if j != i} for i in points]
        return [points, *(without if self.k < self.p else [])]

    def steps(self, model: _Model) -> list[Points]:
        """Return the points of the model with one of them changed by 1, so that a move then changes two of them."""
        points = model.points
        return [{**points, i: points[i] + step} for i in points for step in (-1, 1) if 0 < abs(points[i] + step) <= self.most]

    def grow(self, model: _Model, width: int = 1) -> list[_Model]:
        """Add up to k columns while the loss falls, keeping the ``width`` best models of each size; return the last ones."""
        beam = [model]
        while len(beam[0].points) < self.k:
            grown: dict[tuple[int, ...], _Model] = {}
            for parent in beam:
                for child in self.round(parent, [parent.points]):
                    key = tuple(sorted(child.points))
                    if key not in grown or child.value < grown[key].value:
                        grown[key] = child
            larger = [child for child in grown.values() if len(child.points) > len(beam[0].points)]
            if not larger:
                break
            best = sorted(larger, key=lambda child: child.value)[:width]
            beam = sorted(map(self.rescaled, best), key=lambda child: child.value)
            beam = [child for child in beam if len(child.points) == max(len(other.points) for other in beam)]
        return beam

    def rescaled(self, model: _Model) -> _Model:
        """Return the model, or a better one that is found by rounding real coefficients on the same support."""
        support = sorted(model.points)
        if len(support) < 2:
            return model
        cells = self.cells(support)
        settings = Settings(loss=self.loss, ridge=max(self.ridge, 1e-9), search="fast")
        values = np.asfortranarray(cells.values, dtype=np.float64)
        fit = solve(Request.of(Inputs(values, cells.weight, None, settings), cells.label), len(support), keep_data=False)
        rounded = self.rounded(cells, fit.coef, fit.intercept) if np.any(fit.coef) else model
        return rounded if rounded.value < model.value - _SAME else model

    def best_of(self, models: list[_Model]) -> _Model:
        """Descend from the best few models, and return the best result."""
        return min((self.descend(model) for model in models[:_DESCENTS]), key=lambda model: model.value)

    def empty(self) -> _Model:
        """Return the model with only an intercept."""
        cells = self.cells([])
        _, b, value = self.refit_points(cells, np.zeros((1, 0), dtype=np.int64), 0.0, 0.0)
        # The slope does not matter without points. A moderate value makes the predictions for the first moves accurate.
        return _Model({}, 0.5, float(b[0]), float(value[0]))

    def rounded(self, cells: _Cells, coef: Vector, intercept: float) -> _Model:
        """Round real coefficients at many scales, clipped to the range of points, and return the best model."""
        size = np.abs(coef).max()
        scales = np.geomspace(1.0, 2.0 * self.most, 8 * self.most) / size
        rows = np.unique(np.clip(np.rint(scales[:, None] * coef), -self.most, self.most).astype(np.int64), axis=0)
        a, b, value = self.refit_points(cells, rows, size / self.most, intercept)
        best = int(np.argmin(value))
        points = {j: int(z) for j, z in zip(cells.support, rows[best], strict=True) if z != 0}
        return _Model(points, float(a[best]), float(b[best]), float(value[best]))


def _merged(matrix: Any, labels: Vector, weights: Vector | None) -> tuple[Any, Vector, Vector | None]:
    """Count rows that agree in all columns and in the label once, by a key with a bit for each column; the weights add up."""
    from scipy.sparse import csc_array

    n, p = matrix.shape
    key = labels.astype(np.int64) << p
    for j in range(p):
        inside = matrix.indices[matrix.indptr[j] : matrix.indptr[j + 1]]
        key[inside] |= 1 << j
    keys, of_row = np.unique(key, return_inverse=True)
    if 2 * len(keys) > n:  # too few to pay
        return matrix, labels, weights
    columns = [np.flatnonzero((keys >> j) & 1) for j in range(p)]
    rows, starts = np.concatenate([*columns, np.empty(0, np.int64)]), np.cumsum([0, *map(len, columns)])
    merged = csc_array((np.ones(len(rows)), rows, starts), shape=(len(keys), p))
    return merged, (keys >> p).astype(np.float64), np.bincount(of_row, weights, minlength=len(keys)).astype(np.float64)


def _after_newton_step(sums: Vector) -> Vector:
    """Return the objective after a Newton step in intercept and slope, from the sums of ``tables``."""
    value, g0, g1, h00, h01, h11, mean, square = sums
    determinant = np.maximum(h00 * h11 - h01**2, 1e-9 * np.abs(h00 * h11) + 1e-100)
    step_b, step_a = (h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant
    # Steps are shortened that change linear predictors by more than 1 (root mean square), where the model is not accurate.
    moved = np.sqrt(np.clip(step_b**2 + 2 * step_a * step_b * mean + step_a**2 * square, 1e-300, 1e300))
    length = np.minimum(1.0, 1.0 / moved)
    decrement = np.maximum(step_b * g0 + step_a * g1, 0.0)
    return np.asarray(value - (length - 0.5 * length**2) * decrement)


def search_small_points(
    X: Any,
    labels: Vector,
    weights: Vector | None,
    loss: Loss,
    k: int,
    max_points: int,
    *,
    ridge: float = 0.0,
    starts: Iterable[Vector] = (),
    perturbations: int = 2,
    random_state: int = 0,
) -> SmallPoints:
    """Search for the small whole points with the smallest loss.

    ``X`` has columns of 0 and 1, and is dense or sparse. ``starts`` are real coefficients, which are rounded as additional
    starts of the search, whose first start is the model without points.
    """
    search = _Search(X, labels, weights, loss, k, max_points, ridge)
    rng = np.random.default_rng(random_state)
    starts = list(starts)
    # If there is no choice of columns, the search starts only from the real coefficients.
    best = search.empty()
    if not starts or k < search.p:
        best = search.best_of(search.grow(best, _WIDTH if k <= _FEW else 1))
    for coef in starts:
        if np.any(coef):
            support = np.flatnonzero(coef)
            rounded = search.rounded(search.cells(support.tolist()), np.asarray(coef)[support], search.empty().intercept)
            best = min(
                best, search.best_of([rounded] if k >= search.p else search.grow(rounded)), key=lambda model: model.value
            )
    for _ in range(perturbations if best.points and k < search.p else 0):
        kept = rng.permutation(sorted(best.points))[: len(best.points) // 2].tolist()
        points = {j: best.points[j] for j in kept}
        points[int(rng.integers(search.p))] = 1
        start = search.rescaled(_Model(points, best.slope, best.intercept, np.inf))
        best = min(best, search.best_of(search.grow(start)), key=lambda model: model.value)
    support = np.array(sorted(best.points), dtype=np.int64)
    whole = np.array([best.points[j] for j in support.tolist()], dtype=np.int64)
    sign = -1 if best.slope < 0 else 1
    average = best.value - 0.5 * ridge * best.slope**2 * float(whole @ whole)
    return SmallPoints(support, sign * whole, abs(best.slope), best.intercept, average, search.n_rounds)

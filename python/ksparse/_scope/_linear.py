"""Objectives that are functions f(z) of linear predictors z = M x, with known matrices M.

JAX only computes f(z), its slope and its curvature. Gradients, Hessians and diagonals are sums over the rows of M, as in a
linear model.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ._derivatives import Columns, Derivatives, Matrix, Point, Vector
from ._program import compiled, finished
from ._rewrite import jax_module
from ._trace import Traced

__all__ = ["LinearDerivatives", "LinearForm", "LinearPoint", "NotDiagonalError", "NotLinearError"]


class NotDiagonalError(Exception):
    """The Hessian of f by the linear predictors is not diagonal."""


class NotLinearError(Exception):
    """The objective has no product of the parameters with a known matrix."""


# A known array: its number among the constants and leaves, its sign, and whether it is transposed.
Known = tuple[int, float, bool]


class LinearForm:
    """Finds the equations of a traced objective that are products of the parameters with known matrices."""

    def __init__(self, traced: Traced):
        self.jaxpr = traced.jaxpr  # without the arrays of the objective, because compiled functions keep this object
        self.matrices: list[Known] = []
        self.uses_params = False  # whether the parameters also occur outside of such products
        self._products: dict[tuple[int, ...], int] = {}  # from the place of an equation to the number of the matrix
        jaxpr = traced.jaxpr
        known: dict[Any, Known] = {var: (i, 1.0, False) for i, var in enumerate((*jaxpr.constvars, *jaxpr.invars[1:]))}
        self._visit(jaxpr, jaxpr.invars[0], known, ())
        if not self.matrices:
            raise NotLinearError

    def _visit(self, jaxpr: Any, params: Any, known: dict[Any, Known], path: tuple[int, ...]) -> None:
        if any(var is params for var in jaxpr.outvars):
            self.uses_params = True
        for place, equation in enumerate(jaxpr.eqns):
            operands = list(equation.invars)
            if len(operands) == 1 and not hasattr(operands[0], "val") and operands[0] in known:
                self._follow(equation, known)
            if not any(operand is params for operand in operands):
                continue
            here = (*path, place)
            inner = equation.params.get("jaxpr") if equation.primitive.name in ("jit", "pjit", "closed_call") else None
            if inner is not None and not inner.consts and operands.count(params) == 1:
                places = inner.jaxpr.invars
                self._visit(
                    inner.jaxpr,
                    places[[operand is params for operand in operands].index(True)],
                    {var: known[o] for var, o in zip(places, operands, strict=True) if not hasattr(o, "val") and o in known},
                    here,
                )
            elif not self._is_product(equation, params, known, here):
                self.uses_params = True

    def _follow(self, equation: Any, known: dict[Any, Known]) -> None:
        """Record that the output of an equation is a known array, up to its sign, its order of axes, or its type."""
        name, (operand,), (out,) = equation.primitive.name, equation.invars, equation.outvars
        which, sign, transposed = known[operand]
        if name in ("device_put", "copy") or (name == "convert_element_type" and operand.aval.dtype.kind in "iub"):
            known[out] = known[operand]
        elif name == "neg":
            known[out] = (which, -sign, transposed)
        elif name == "transpose" and tuple(equation.params["permutation"]) == (1, 0):
            known[out] = (which, sign, not transposed)

    def _is_product(self, equation: Any, params: Any, known: dict[Any, Known], here: tuple[int, ...]) -> bool:
        if equation.primitive.name != "dot_general":
            return False
        left, right = equation.invars
        (contract_left, contract_right), (batch_left, _) = equation.params["dimension_numbers"]
        matrix, axes = (left, contract_left) if right is params else (right, contract_right)
        if batch_left or matrix is params or hasattr(matrix, "val") or matrix not in known or len(axes) != 1:
            return False
        if len(matrix.aval.shape) != 2 or matrix.aval.dtype.kind not in "iubf":
            return False
        which, sign, transposed = known[matrix]
        entry = (which, sign, transposed != (axes[0] == 0))
        if entry not in self.matrices:
            self.matrices.append(entry)
        self._products[here] = self.matrices.index(entry)
        return True

    def evaluate(self, constants: Sequence[Any], leaves: Sequence[Any], predictors: Sequence[Any], params: Any) -> Any:
        """Return the objective, given the linear predictors, and the parameters for its other terms."""
        return self._run(self.jaxpr, constants, (params, *leaves), predictors, ())[0].reshape(())

    def _run(
        self, jaxpr: Any, constants: Sequence[Any], arguments: Sequence[Any], predictors: Sequence[Any], path: tuple[int, ...]
    ) -> list[Any]:
        values: dict[Any, Any] = dict(zip(jaxpr.constvars, constants, strict=True))
        values.update(zip(jaxpr.invars, arguments, strict=True))

        def read(operand: Any) -> Any:
            return operand.val if hasattr(operand, "val") else values[operand]

        for place, equation in enumerate(jaxpr.eqns):
            here = (*path, place)
            inputs = [read(operand) for operand in equation.invars]
            if here in self._products:
                outputs = [predictors[self._products[here]]]
            elif any(other[: len(here)] == here for other in self._products):
                outputs = self._run(equation.params["jaxpr"].jaxpr, (), inputs, predictors, here)
            else:
                bound = equation.primitive.get_bind_params(equation.params)
                functions, parameters = bound if isinstance(bound, tuple) else ((), bound)  # the former before JAX 0.10
                answer = equation.primitive.bind(*functions, *inputs, **parameters)
                outputs = list(answer) if equation.primitive.multiple_results else [answer]
            values.update(zip(equation.outvars, outputs, strict=True))
        return [read(operand) for operand in jaxpr.outvars]


class LinearDerivatives(Derivatives):
    """Derivatives of an objective f(M1 x, M2 x, ..., x), whose Hessian by the arguments of f is diagonal, as sums over rows."""

    def __init__(self, traced: Traced, form: LinearForm):
        jax = jax_module()
        self.p = traced.p
        self.epsilon = traced.epsilon
        self.curvature_noise = max(self.curvature_noise, 1e3 * self.epsilon)
        self.exact_up_to = float("inf")
        known = (*traced.constants, *traced.leaves)
        self.matrices = []
        for which, sign, transposed in form.matrices:
            matrix = sign * np.asarray(known[which], dtype=np.float64)
            self.matrices.append(np.asfortranarray(matrix.T if transposed else matrix))
        self.uses_params = form.uses_params

        def evaluate(constants: Any, leaves: Any, z: Any, direction: Any) -> Any:
            def of(z: Any) -> Any:
                *predictors, params = z
                return form.evaluate(constants, leaves, predictors, params)

            (value, slope), (_, curvature) = jax.jvp(jax.value_and_grad(of), (z,), (direction,))
            return value, slope, curvature

        self._kind = traced.kind
        self._ones = [np.ones(length, dtype=self._kind) for length in (*map(len, self.matrices), self.p)]
        draw = np.random.default_rng(0)
        self._signs = [draw.choice([-1.0, 1.0], size=len(ones)).astype(self._kind) for ones in self._ones]
        self._known = traced.on_device()
        self._function = compiled(
            traced.key_of("linear"), lambda: finished(evaluate, traced.form, (*self._known[1:], self._ones, self._ones))
        )
        self._gathered: tuple[Columns, list[Matrix]] | None = None
        self._parts: OrderedDict[bytes, list[Matrix]] = OrderedDict()

    def parts(self, columns: Columns) -> list[Matrix]:
        """Return some columns of the matrices, as views if they are consecutive; copies of the last two lists are kept."""
        first, last = int(columns[0]), int(columns[-1])
        if last - first == len(columns) - 1 and (np.diff(columns) == 1).all():
            return [matrix[:, first : last + 1] for matrix in self.matrices]
        key = columns.tobytes()
        if key not in self._parts:
            self._parts[key] = [np.asfortranarray(matrix[:, columns]) for matrix in self.matrices]
            while len(self._parts) > 2:
                self._parts.popitem(last=False)
        return self._parts[key]

    def gathered(self, columns: Columns) -> list[Matrix]:
        """Return copies of some columns of the matrices, which are kept until the next call."""
        if self._gathered is None or not np.array_equal(self._gathered[0], columns):
            self._gathered = columns, [np.asfortranarray(matrix[:, columns]) for matrix in self.matrices]
        return self._gathered[1]

    def evaluate(self, z: list[Vector], direction: list[Vector] | None = None) -> tuple[float, list[Vector], list[Vector]]:
        """Return f, its slopes and its curvatures at the linear predictors z (or products of its Hessian with a direction)."""
        self.before_evaluation()
        value, slope, curvature = self._function(
            *self._known,
            [part.astype(self._kind, copy=False) for part in z],
            self._ones if direction is None else direction,
        )
        return (
            float(value),
            [np.asarray(part, dtype=np.float64) for part in slope],
            [np.asarray(part, dtype=np.float64) for part in curvature],
        )

    def without_flat_rows(self, z: list[Vector], value: float, slope: list[Vector]) -> list[Vector]:
        """Replace NaN in slopes by 0 if the objective does not change when these linear predictors change by 1 up or down.

        For a row that is fitted very well, the loss is 0 and a formula for its derivative may be inf / inf, e.g. for 1 / (1 +
        exp(-m)).
        """
        lost = [~np.isfinite(part) for part in slope]
        for step in (-1.0, 1.0):
            moved = self.evaluate([np.where(which, part + step, part) for part, which in zip(z, lost, strict=True)])[0]
            if not abs(moved - value) <= 4 * self.epsilon * abs(value):
                return slope
        return [np.where(which, 0.0, part) for part, which in zip(slope, lost, strict=True)]

    def at(self, params: Vector, columns: Columns) -> Point:
        return LinearPoint(self, params, columns)

    def check_diagonal(self, z: list[Vector], curvature: list[Vector]) -> None:
        """Raise NotDiagonalError if the Hessian of f is not diagonal."""
        signed = self.evaluate(z, self._signs)[2]
        for ours, signs, theirs in zip(curvature, self._signs, signed, strict=True):
            size = float(np.abs(ours).max(initial=0.0))
            known = np.isfinite(ours) & np.isfinite(theirs)
            apart = np.abs(ours * signs - theirs)[known].max(initial=0.0)
            if apart > 1e3 * self.epsilon * size:
                raise NotDiagonalError


class LinearPoint(Point):
    """A point of :class:`LinearDerivatives`."""

    def __init__(self, of: LinearDerivatives, params: Vector, columns: Columns):
        self._of, self.params, self.columns = of, params, columns
        if len(columns):
            coef = params[columns]
            z = [gathered @ coef for gathered in of.gathered(columns)]
        else:
            z = [matrix @ params for matrix in of.matrices]
        self._z = [*z, params]
        self.value, self._slope, curvature = of.evaluate(self._z)
        if np.isfinite(self.value) and not all(np.isfinite(slope).all() for slope in self._slope):
            self._slope = of.without_flat_rows(self._z, self.value, self._slope)
        # In many formulas the curvature overflows first (e^2 before e), for rows whose curvature is almost 0.
        self._curvature = [
            np.where(np.isfinite(bent) | ~np.isfinite(slope), bent, 0.0)
            for bent, slope in zip(curvature, self._slope, strict=True)
        ]
        self._active: tuple[Vector, Matrix] | None = None
        self._verified = False

    def active(self) -> tuple[Vector, Matrix]:
        if self._active is None:
            gradient = self.active_gradient()
            hessian = np.zeros((len(gradient), len(gradient)))
            for gathered, curvature in zip(self._of.gathered(self.columns), self._curvature, strict=False):
                hessian += gathered.T @ (gathered * curvature[:, None])
            if self._of.uses_params:
                hessian[np.diag_indices(len(gradient))] += self._curvature[-1][self.columns]
            self._active = gradient, hessian
        return self._active

    def active_gradient(self) -> Vector:
        gradient = np.zeros(len(self.columns))
        for gathered, slope in zip(self._of.gathered(self.columns), self._slope, strict=False):
            gradient += gathered.T @ slope
        return gradient + self._slope[-1][self.columns] if self._of.uses_params else gradient

    def gradient(self, columns: Columns | None = None) -> Vector:
        asked = np.arange(self._of.p) if columns is None else columns
        gradient = np.zeros(len(asked))
        for part, slope in zip(self._of.parts(asked), self._slope, strict=False):
            gradient += part.T @ slope
        return gradient + self._slope[-1][asked] if self._of.uses_params else gradient

    def cross(self, columns: Columns | None = None) -> Matrix:
        if not self._verified:
            self._of.check_diagonal(self._z, self._curvature)
            self._verified = True
        asked = np.arange(self._of.p) if columns is None else columns
        cross = np.zeros((len(asked), len(self.columns)))
        gathered = self._of.gathered(self.columns)
        for part, active, curvature in zip(self._of.parts(asked), gathered, self._curvature, strict=False):
            cross += part.T @ (active * curvature[:, None])
        if self._of.uses_params:
            cross += (asked[:, None] == self.columns) * self._curvature[-1][self.columns]
        return cross

    def diagonal(self, columns: Columns) -> Vector:
        diagonal = np.zeros(len(columns))
        for part, curvature in zip(self._of.parts(columns), self._curvature, strict=False):
            for begin in range(0, len(columns), 256):
                diagonal[begin : begin + 256] += (part[:, begin : begin + 256] ** 2).T @ curvature
        return diagonal + self._curvature[-1][columns] if self._of.uses_params else diagonal

    def within(self, columns: Columns, starts: Columns) -> list[Matrix]:
        blocks = [np.zeros((end - begin, end - begin)) for begin, end in pairwise(starts.tolist())]
        for part, curvature in zip(self._of.parts(columns), self._curvature, strict=False):
            weighted = part * curvature[:, None]
            for block, (begin, end) in zip(blocks, pairwise(starts.tolist()), strict=True):
                block += part[:, begin:end].T @ weighted[:, begin:end]
        if self._of.uses_params:
            for block, (begin, end) in zip(blocks, pairwise(starts.tolist()), strict=True):
                block[np.diag_indices(end - begin)] += self._curvature[-1][columns[begin:end]]
        return blocks

"""Checks of a custom loss: its derivatives, range, sign and declared properties."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._input.validation import check_loss as check_loss_argument
from ._loss import terms_by_eta
from ._quiet import quiet
from ._results.table import Table, Tabular
from .losses import Compiled, Loss

__all__ = ["LossReport", "check_loss"]

Vector = NDArray[np.float64]

_RESPONSES = {
    "binary": (0.0, 1.0),
    "finite": (-2.5, 0.0, 0.75, 40.0),
    "not_negative": (0.0, 0.3, 1.0, 25.0),
    "positive": (0.05, 1.0, 25.0),
}
# Step of the finite differences in eta, and their tolerance relative to the values that enter them. With five points, the truncation
# error is of the order step^4 = 1e-12 times the fifth derivative, and the rounding error is 1e-16 / step = 1e-13 times the value.
_STEP = 1e-3
_TOLERANCE = 1e-7


@dataclass(frozen=True, eq=False, repr=False)
class LossReport(Tabular):
    """Result of :func:`ksparse.check_loss`.

    Attributes
    ----------
    loss : Loss
        The loss that was checked.
    problems : tuple of str
        Descriptions of the problems, with the points at which they occur; empty if there are none.
    convex : bool
        Whether the curvature was never negative, even if the loss does not declare it.
    """

    loss: Loss
    problems: tuple[str, ...]
    convex: bool

    @property
    def ok(self) -> bool:
        """Whether there are no problems."""
        return not self.problems

    def _table(self) -> Table:
        rows = [(str(i + 1), problem) for i, problem in enumerate(self.problems)]
        shape = "convex" if self.convex else "not convex"
        found = f"{len(rows)} problem{'s' * (len(rows) != 1)}" if rows else "nothing wrong"
        return Table(f"{self.loss!r}: {found}; {shape} where it was evaluated", ("", "problem"), rows, left=("problem",))


@quiet
def check_loss(loss: Any, *, largest: float = 30.0, responses: Any = None) -> LossReport:
    r"""Check whether the derivatives and declared properties of a loss are correct, e.g. of a custom loss.

    The loss is evaluated at 600 linear predictors up to ``largest`` and some larger ones up to 1e6, for several responses. The
    checks are: value, slope and curvature are finite. The value is not negative. Slope and curvature are the derivatives of
    value and slope, compared with central differences of five points (step 0.001, tolerance 1e-7 relative to the values that
    enter them; isolated kinks of the curvature are allowed). The curvature is not negative if the loss is declared as convex. A
    classification loss that is declared to fall forever does so, and one that is not reaches 0.

    Parameters
    ----------
    loss : str or object of :mod:`ksparse.losses`
        The loss, e.g. a :class:`ksparse.losses.Compiled`.
    largest : float, default=30
        Linear predictors from -largest to largest are checked densely, > 0.
    responses : array-like of float, optional
        Responses to check with. By default a few that the loss allows.

    Returns
    -------
    LossReport
        A report that prints the problems; its ``ok`` tells whether there are none.

    Raises
    ------
    TypeError, ValueError
        If the loss is not a loss, or a parameter is out of range.

    Examples
    --------
    >>> import ksparse
    >>> print(ksparse.check_loss("poisson"))
    Poisson(): nothing wrong; convex where it was evaluated
    """
    of = check_loss_argument(loss, 0.5, 2.0)
    of._kernel()
    if not (np.isfinite(largest) and largest > 0):
        raise ValueError(f"largest is {largest}; it must be finite and > 0")
    ys = _RESPONSES[of.responses] if responses is None else tuple(np.asarray(responses, dtype=np.float64).ravel().tolist())
    dense = np.linspace(-largest, largest, 600) + largest * 1e-3 / np.pi  # not at round numbers, where losses often have kinks
    far = np.array([50.0, 100.0, 300.0, 700.0, 750.0, 1e4, 1e6])
    problems: list[str] = []
    convex = True
    for y in ys:
        problems += _range_problems(of, y, np.concatenate([dense, far, -far]))
        problems += _derivative_problems(of, y, dense)
        curvature = terms_by_eta(of, dense, np.full(len(dense), y))[2]
        convex = convex and not bool((curvature < 0).any())
        if getattr(of, "convex", None) is True and (curvature < 0).any():
            i = int(np.argmin(curvature))
            problems.append(
                f"curvature is {curvature[i]:.6g} at eta = {dense[i]:.6g}, y = {y:g}, but the loss is declared as convex"
            )
    if of.is_classification and isinstance(of, Compiled):
        problems += _tail_problems(of)
    return LossReport(of, tuple(problems), convex)


def _range_problems(loss: Loss, y: float, eta: Vector) -> list[str]:
    terms = terms_by_eta(loss, eta, np.full(len(eta), y))
    problems = []
    for name, term in zip(("value", "slope", "curvature"), terms, strict=True):
        bad = ~np.isfinite(term)
        if bad.any():
            i = int(np.flatnonzero(bad)[np.argmin(np.abs(eta[bad]))])  # the point closest to 0
            problems.append(f"{name} is {term[i]} at eta = {eta[i]:.6g}, y = {y:g}; it must be finite")
    if (terms[0] < 0).any():
        i = int(np.nanargmin(terms[0]))
        problems.append(f"value is {terms[0][i]:.6g} at eta = {eta[i]:.6g}, y = {y:g}; a loss must be >= 0")
    return problems


def _derivative_problems(loss: Loss, y: float, eta: Vector) -> list[str]:
    """Compare slope and curvature with finite differences. A point counts if its two neighbours are wrong as well, so that kinks are ignored."""
    offsets = np.array([-2.0, -1.0, 1.0, 2.0]) * _STEP
    weights = np.array([1.0, -8.0, 8.0, -1.0]) / (12 * _STEP)
    around = terms_by_eta(loss, eta[:, None] + offsets, np.full((len(eta), 4), y))
    at = terms_by_eta(loss, eta, np.full(len(eta), y))
    problems = []
    for which, (name, of) in enumerate((("slope", "value"), ("curvature", "slope"))):
        with np.errstate(invalid="ignore", over="ignore"):
            difference = around[which] @ weights
            size = np.abs(at[which + 1]) + np.abs(difference) + np.abs(around[which]).max(axis=1) + 1e-16
            error = np.abs(difference - at[which + 1]) / size
        wrong = np.isfinite(error) & (error > _TOLERANCE)
        run = wrong & np.append(wrong[1:], True) & np.append(True, wrong[:-1])
        if run.any():
            i = int(np.argmin(np.where(run, np.abs(eta), np.inf)))  # the point closest to 0
            problems.append(
                f"{name} is {at[which + 1][i]:.10g} at eta = {eta[i]:.6g}, y = {y:g}, but the derivative of {of} is {difference[i]:.10g} there"
            )
    return problems


def _tail_problems(loss: Compiled) -> list[str]:
    falls = True if loss.falls_for_ever is None else loss.falls_for_ever
    problems = []
    for y, sign in ((0.0, -1.0), (1.0, 1.0)):
        margins = np.array([2.0, 5.0, 10.0, 20.0, 30.0])
        value, slope, _ = terms_by_eta(loss, sign * margins, np.full(5, y))
        if falls and (value == 0).any() and margins[value == 0][0] <= 10:
            problems.append(
                f"value is 0 at a margin of {margins[value == 0][0]:g}, y = {y:g}; a loss that reaches 0 needs falls_for_ever=False"
            )
        if (slope * sign > 0).any():
            i = int(np.argmax(slope * sign > 0))
            problems.append(f"the loss rises with the margin at {margins[i]:g}, y = {y:g}; a classification loss must fall")
        elif falls and not value[-1] < 0.5 * value[0]:
            problems.append(
                f"value is {value[-1]:.6g} at a margin of 30, y = {y:g}; with falls_for_ever it must fall towards 0"
            )
    return problems

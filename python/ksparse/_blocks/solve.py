"""Fits and paths of rows that come in blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _core
from .._input.request import Request
from .._input.row_blocks import CountedBlocks
from ..losses import Loss
from .answers import BlockAnswers
from .local import BlocksInTurn

__all__ = ["BlockFit", "fit_blocks", "fit_path_of_blocks", "source_of"]


@dataclass(frozen=True)
class BlockFit:
    """The result of a fit, with the same attributes as a result of the core."""

    coef: NDArray[np.float64]
    intercept: float
    support: NDArray[np.int64]
    objective: float
    status: str
    advice: str
    n_newton: int
    n_scans: int  # passes over all of X
    n_refits: int
    n_rounds: int
    n_restarts: int
    times_found: int
    lower_bound: float = float("nan")  # not known


def fit_blocks(source: Any, loss: Loss, options: _core.Options, user: _core.Options) -> BlockFit:
    """Fit one k. ``options`` and ``user`` are copies of the same settings, and the first is changed."""
    _refuse_groups(options)
    answers = BlockAnswers(source, loss, options)
    return _in_user_units(answers, source, _core.fit_objective(answers, source.n_features, options), user)


def fit_path_of_blocks(source: Any, loss: Loss, ks: list[int], options: _core.Options, user: _core.Options) -> list[BlockFit]:
    """Fit every k of an increasing list."""
    _refuse_groups(options)
    answers = BlockAnswers(source, loss, options)
    found = _core.fit_objective_path(answers, source.n_features, ks, options)
    return [_in_user_units(answers, source, answer, user) for answer in found]


def _in_user_units(answers: BlockAnswers, source: Any, answer: _core.FitAnswer, user: _core.Options) -> BlockFit:
    found = answers.to_user(answer, user)
    finite = np.isfinite(found["objective"]) and np.isfinite(found["intercept"]) and np.isfinite(found["coef"]).all()
    status = answer.status if finite else "numerical_failure"
    return BlockFit(
        **found,
        status=status,
        advice=_core.advice_on(_core.status_names().index(status)),
        n_scans=source.n_passes,
        **{name: getattr(answer, name) for name in ("n_newton", "n_refits", "n_rounds", "n_restarts", "times_found")},
    )


def source_of(request: Request, threads: int) -> BlocksInTurn | None:
    """Return the source of a request whose X comes in blocks, or None if X is in memory."""
    if not isinstance(request.design, CountedBlocks):
        return None
    return BlocksInTurn(request.design.blocks, request.labels, request.weights, request.offset, threads)


def _refuse_groups(options: _core.Options) -> None:
    if len(options.groups):
        raise ValueError("groups is given, but X comes in blocks; groups need X in memory")

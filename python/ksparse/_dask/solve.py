"""Fits and paths of Dask collections."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._blocks.solve import fit_blocks, fit_path_of_blocks
from .._input.request import Inputs, Request, Settings
from .._input.row_blocks import CountedBlocks, RowBlocks
from .._input.validation import check_features
from .._optional import require
from .._path import check_ks
from .._results.fit import FitResult, result_of
from .._results.path import PathResult
from .chunks import Collections
from .source import RowsOnWorkers

__all__ = ["client_of", "solve", "solve_path"]


def client_of(client: Any) -> Any:
    """Return a client, by default the one that is active."""
    distributed = require("distributed", "ksparse.dask", "'ksparse[dask]'")
    return distributed.default_client() if client is None else client


def _prepared(
    client: Any, X: Any, y: Any, sample_weight: Any, offset: Any, settings: Settings
) -> tuple[Request, RowsOnWorkers, float]:
    """Return the settings as a request without data, the rows on the workers, and their total weight."""
    collections = Collections.of(X, y, sample_weight, offset)
    loss = settings.checked_loss()
    settings.options_of_any_data()
    source = RowsOnWorkers(client_of(client), collections, loss)
    p = source.n_features
    nothing = np.empty(0)
    design = CountedBlocks(RowBlocks(lambda: (), p), source.n_rows)
    request = Request(
        design,
        nothing,
        None,
        None,
        loss,
        loss._kernel(),
        settings.options(p, collections.names),
        collections.names,
        settings,
    )
    return request, source, source.total_weight


def solve(client: Any, inputs: Inputs, y: Any, k: Any, start: Any = None) -> FitResult:
    """Fit one k; the caller warns."""
    request, source, _ = _prepared(client, inputs.X, y, inputs.sample_weight, inputs.offset, inputs.settings)
    options = request.new_options()
    options.k = request.options.k = request.check_budget(k)
    options.start = check_features(start, "start", source.n_features, request.names)
    return result_of(fit_blocks(source, request.loss, options, request.options), options.k, request, keep_data=False)


def solve_path(client: Any, inputs: Inputs, y: Any, ks: Any, cold_starts: bool = True) -> PathResult:
    """Fit every k; the caller warns."""
    request, source, weight = _prepared(client, inputs.X, y, inputs.sample_weight, inputs.offset, inputs.settings)
    budgets = check_ks(ks, request)
    options = request.new_options()
    options.cold_starts = cold_starts
    answers = fit_path_of_blocks(source, request.loss, budgets, options, request.options)
    return PathResult(
        ks=np.array(budgets, dtype=np.int64),
        results=tuple(result_of(answer, k, request, keep_data=False) for answer, k in zip(answers, budgets, strict=True)),
        n_rows=weight if inputs.sample_weight is not None else float(source.n_rows),
        fit_intercept=request.options.fit_intercept,
        n_units=request.n_units,
    )

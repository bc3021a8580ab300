"""The compiled core, in the fastest variant that was built and that this processor supports.

The environment variable ``KSPARSE_ISA`` (``baseline``, ``avx2`` or ``avx512``) forces a variant. A variant is skipped
only if its file is missing or the processor lacks the instructions; any other error while importing it is raised.
"""

from __future__ import annotations

import importlib
import importlib.util
import os

from ._cpu import supported

__all__ = [
    "Block",
    "BlockLoss",
    "CompactFit",
    "FitAnswer",
    "Loss",
    "NewtonLimits",
    "Options",
    "Problem",
    "ProofAnswer",
    "ProofOptions",
    "StopFlag",
    "advice_on",
    "alternatives",
    "available",
    "compiled_loss",
    "eigen_version",
    "fit",
    "fit_many",
    "fit_objective",
    "fit_objective_path",
    "fit_path",
    "fit_paths",
    "instruction_set",
    "loss_by_name",
    "minimise",
    "prove",
    "status_names",
    "storage_problem",
    "supported",
    "version",
]

_VARIANTS = ("avx512", "avx2", "baseline")


def available() -> list[str]:
    """Return the names of the variants that were built, the fastest first."""
    return [name for name in _VARIANTS if importlib.util.find_spec(f"{__package__}._core_{name}") is not None]


def _choose() -> str:
    forced = os.environ.get("KSPARSE_ISA", "")
    built, runnable = available(), supported()
    if forced:
        if forced not in _VARIANTS:
            raise ImportError(f"KSPARSE_ISA is {forced!r}; it must be one of {', '.join(_VARIANTS)}, or unset")
        if forced not in built:
            raise ImportError(f"KSPARSE_ISA is {forced!r}, but this build of ksparse has only {', '.join(built)}")
        if forced not in runnable:
            raise ImportError(f"KSPARSE_ISA is {forced!r}, but this processor runs only {', '.join(runnable)}")
        return forced
    usable = [name for name in built if name in runnable]
    if not usable:
        raise ImportError(
            f"no compiled core of ksparse can run here: built {', '.join(built) or 'none'}, "
            f"this processor runs {', '.join(runnable)}; reinstall with `pip install --force-reinstall ksparse`"
        )
    return usable[0]


_module = importlib.import_module(f"{__package__}._core_{_choose()}")

Block = _module.Block
BlockLoss = _module.BlockLoss
CompactFit = _module.CompactFit
FitAnswer = _module.FitAnswer
Loss = _module.Loss
NewtonLimits = _module.NewtonLimits
Options = _module.Options
Problem = _module.Problem
ProofAnswer = _module.ProofAnswer
ProofOptions = _module.ProofOptions
StopFlag = _module.StopFlag
alternatives = _module.alternatives
fit = _module.fit
fit_many = _module.fit_many
fit_objective = _module.fit_objective
fit_objective_path = _module.fit_objective_path
fit_path = _module.fit_path
fit_paths = _module.fit_paths
minimise = _module.minimise
compiled_loss = _module.compiled_loss
loss_by_name = _module.loss_by_name
prove = _module.prove
storage_problem = _module.storage_problem
advice_on = _module.advice_on
status_names = _module.status_names
instruction_set = _module.instruction_set
eigen_version = _module.eigen_version
version = _module.version

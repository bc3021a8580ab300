"""Best-subset selection for classification and regression: models that use at most k features.

The main functions and classes are :func:`ksparse.fit`, which takes arrays and returns a :class:`ksparse.FitResult`, and
:class:`ksparse.KSparseClassifier` and :class:`ksparse.KSparseRegressor`, which follow the conventions of scikit-learn. scikit-learn is
imported only if an estimator or a data set is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

# _cpu must come first: it raises an error in a subinterpreter, before NumPy is loaded there.
from . import _cpu, losses  # noqa: F401
from ._build_info import __version__, build_info
from ._check_loss import LossReport, check_loss
from ._each import FitFailure, fit_each
from ._fit import fit
from ._input.row_blocks import RowBlocks
from ._loss import loss_terms
from ._many import fit_many
from ._near_optimal import near_optimal
from ._path import fit_path
from ._plot import (
    CoefficientDisplay,
    CrossValidationDisplay,
    LiftDisplay,
    LossDisplay,
    NearOptimalDisplay,
    PathDisplay,
    ScorecardDisplay,
    StabilityDisplay,
)
from ._results.batch import BatchResult
from ._results.fit import Alternatives, FitResult
from ._results.near_optimal import NearOptimalModels
from ._results.path import PathResult
from ._results.proof import Proof
from ._results.scorecard import Scorecard
from ._results.stability import StabilityResult
from ._results.summary import Summary
from ._stability import stability_selection
from .exceptions import ConvergenceWarning

if TYPE_CHECKING:
    from . import datasets, scope
    from ._cards.binner import Binner
    from ._cards.evaluation import Evaluation, evaluate_scores
    from ._cards.scorecard import KSparseScorecard
    from ._estimators.classifier import KSparseClassifier
    from ._estimators.classifier_cv import KSparseClassifierCV
    from ._estimators.multi_label import KSparseMultiLabelClassifier
    from ._estimators.regressor import KSparseRegressor
    from ._estimators.regressor_cv import KSparseRegressorCV
    from ._estimators.selector import KSparseSelector
    from ._scope._forward import FobaSolver, ForwardSolver, OMPSolver
    from ._scope._scope_solver import ScopeSolver
    from ._scope._thresholding import GraspSolver, HTPSolver, IHTSolver

__all__ = [
    "Alternatives",
    "BatchResult",
    "Binner",
    "CoefficientDisplay",
    "ConvergenceWarning",
    "CrossValidationDisplay",
    "Evaluation",
    "FitFailure",
    "FitResult",
    "FobaSolver",
    "ForwardSolver",
    "GraspSolver",
    "HTPSolver",
    "IHTSolver",
    "KSparseClassifier",
    "KSparseClassifierCV",
    "KSparseMultiLabelClassifier",
    "KSparseRegressor",
    "KSparseRegressorCV",
    "KSparseScorecard",
    "KSparseSelector",
    "LiftDisplay",
    "LossDisplay",
    "LossReport",
    "NearOptimalDisplay",
    "NearOptimalModels",
    "OMPSolver",
    "PathDisplay",
    "PathResult",
    "Proof",
    "RowBlocks",
    "ScopeSolver",
    "Scorecard",
    "ScorecardDisplay",
    "StabilityDisplay",
    "StabilityResult",
    "Summary",
    "__version__",
    "build_info",
    "check_loss",
    "datasets",
    "evaluate_scores",
    "fit",
    "fit_each",
    "fit_many",
    "fit_path",
    "loss_terms",
    "losses",
    "near_optimal",
    "scope",
    "stability_selection",
]


_LAZY = {
    "Binner": "._cards.binner",
    **dict.fromkeys(("Evaluation", "evaluate_scores"), "._cards.evaluation"),
    "KSparseScorecard": "._cards.scorecard",
    "KSparseClassifier": "._estimators.classifier",
    "KSparseClassifierCV": "._estimators.classifier_cv",
    "KSparseMultiLabelClassifier": "._estimators.multi_label",
    "KSparseRegressor": "._estimators.regressor",
    "KSparseRegressorCV": "._estimators.regressor_cv",
    "KSparseSelector": "._estimators.selector",
    "ScopeSolver": "._scope._scope_solver",
    **dict.fromkeys(("FobaSolver", "ForwardSolver", "OMPSolver"), "._scope._forward"),
    **dict.fromkeys(("GraspSolver", "HTPSolver", "IHTSolver"), "._scope._thresholding"),
}


def __getattr__(name: str) -> Any:
    # These are imported when they are first used, because importing scikit-learn takes longer than the rest.
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name], __name__), name)
    if name in ("datasets", "scope"):
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)

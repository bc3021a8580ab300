"""The solvers, under the name of skscope's module."""

from .._scope._active_set import PDASSolver
from .._scope._forward import FobaSolver, ForwardSolver, OMPSolver
from .._scope._scope_solver import ScopeSolver
from .._scope._thresholding import GraspSolver, HTPSolver, IHTSolver

__all__ = ["FobaSolver", "ForwardSolver", "GraspSolver", "HTPSolver", "IHTSolver", "OMPSolver", "PDASSolver", "ScopeSolver"]

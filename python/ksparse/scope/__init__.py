"""A replacement for the package skscope: the same names, for programs in which only the import is changed.

.. code-block:: python

    from ksparse.scope import ScopeSolver, layer, utilities  # from skscope import ScopeSolver, layer, utilities

The solvers are those of :mod:`ksparse` itself. :doc:`/coming_from` says what is different.
"""

from __future__ import annotations

from .._scope._active_set import PDASSolver
from .._scope._exhaustive import BaseSolver
from .._scope._forward import FobaSolver, ForwardSolver, OMPSolver
from .._scope._scope_solver import ScopeSolver
from .._scope._thresholding import GraspSolver, HTPSolver, IHTSolver
from . import layer, numeric_solver, utilities
from .numeric_solver import convex_solver_LBFGS

__all__ = [
    "BaseSolver",
    "FobaSolver",
    "ForwardSolver",
    "GraspSolver",
    "HTPSolver",
    "IHTSolver",
    "OMPSolver",
    "PDASSolver",
    "ScopeSolver",
    "convex_solver_LBFGS",
    "layer",
    "numeric_solver",
    "utilities",
]

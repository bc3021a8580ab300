"""The solver that tries all supports, under the name of skscope's module."""

from .._scope._exhaustive import BaseSolver

__all__ = ["BaseSolver"]

"""Displays as in scikit-learn: a class holds the arrays of a plot, and its method ``plot`` draws them on given axes."""

from .coefficients import CoefficientDisplay
from .cross_validation import CrossValidationDisplay
from .losses import LossDisplay
from .near_optimal import NearOptimalDisplay
from .path import PathDisplay
from .scorecard import LiftDisplay, ScorecardDisplay
from .stability import StabilityDisplay

__all__ = [
    "CoefficientDisplay",
    "CrossValidationDisplay",
    "LiftDisplay",
    "LossDisplay",
    "NearOptimalDisplay",
    "PathDisplay",
    "ScorecardDisplay",
    "StabilityDisplay",
]

"""Displays in scikit-learn's manner: a class holds the arrays of a picture, and ``plot`` draws them on the axes it is given."""

from .coefficients import CoefficientDisplay
from .cross_validation import CrossValidationDisplay
from .losses import LossDisplay
from .path import PathDisplay
from .stability import StabilityDisplay

__all__ = ["CoefficientDisplay", "CrossValidationDisplay", "LossDisplay", "PathDisplay", "StabilityDisplay"]

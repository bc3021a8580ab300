"""Draws the layers of ksparse, for contributing.rst."""

import matplotlib.pyplot as plt
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

figure, axes = plt.subplots(figsize=(9, 8.2), layout="constrained")
axes.set(xlim=(0, 100), ylim=(0, 100))
axes.axis("off")


def band(low, high, name, shade):
    """Draw a layer."""
    axes.add_patch(FancyBboxPatch((1, low), 98, high - low, boxstyle="round,pad=0,rounding_size=1.5", color=shade, linewidth=0))
    axes.text(2.5, high - 1.2, name, va="top", fontsize=10, style="italic", color="0.25")


def box(x, y, width, height, title, text=""):
    """Draw a box with a title and a line or two; return its place."""
    patch = FancyBboxPatch(
        (x, y), width, height, boxstyle="round,pad=0,rounding_size=1.2", facecolor="white", edgecolor="0.2", linewidth=1
    )
    axes.add_patch(patch)
    middle = x + width / 2
    if text:
        axes.text(middle, y + height - 1.3, title, ha="center", va="top", fontsize=9, family="monospace", weight="bold")
        axes.text(middle, y + 1.3, text, ha="center", va="bottom", fontsize=8.5, linespacing=1.25)
    else:
        axes.text(middle, y + height / 2, title, ha="center", va="center", fontsize=9, family="monospace", weight="bold")
    return x, y, width, height


def arrow(start, end, text="", side=1.2):
    """Draw an arrow between two points."""
    axes.add_patch(
        FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=11, color="0.2", linewidth=1, shrinkA=0, shrinkB=0)
    )
    if text:
        middle = ((start[0] + end[0]) / 2 + side, (start[1] + end[1]) / 2)
        axes.text(*middle, text, ha="left" if side > 0 else "right", va="center", fontsize=8.5, linespacing=1.25)


band(81, 99.5, "Python: python/ksparse", "0.93")
box(4, 88.5, 28, 7, "fit, fit_path", "one problem; every k")
box(36, 88.5, 28, 7, "fit_many, fit_each", "many problems; many data sets")
box(68, 88.5, 28, 7, "KSparseClassifier, ...CV", "scikit-learn's conventions")
box(4, 82, 92, 4.5, "_validation, _request: every argument is checked here, once")

band(71.5, 79.5, "Bindings: python/bindings", "0.86")
box(36, 72.5, 60, 5, "declarations and conversions; X is viewed, not copied")
arrow((50, 82), (50, 77.5))

band(1, 70, "C++: cpp/include/ksparse", "0.93")
box(4, 58, 28, 8, "fit, path", "one search after another")
box(36, 58, 28, 8, "batch", "many searches, in lockstep\nover blocks of X")
box(68, 58, 28, 8, "resample, alternatives", "folds and rounds as weights")
for x in (18, 50, 82):
    arrow((max(x, 38), 72.5), (max(x, 27), 66))
box(4, 43, 46, 9, "search, perturbation, splicing", "a state machine: asks, and never\nlearns who answers")
box(62, 43, 34, 9, "sacrifice", "what a change is worth,\nby the quadratic model")
arrow((18, 58), (18, 52))
arrow((50, 58), (40, 52))
arrow((82, 58), (46, 52))
arrow((50, 47.5), (62, 47.5))
box(4, 31, 92, 5, "objective: the seam")
arrow((16, 43), (16, 36), "refit this support")
arrow((38, 43), (38, 36), "scan at this point")
box(4, 15, 44, 10, "glm_objective, newton", "gathered columns for refits;\npasses over X for scans")
arrow((26, 31), (26, 25), "answered by")
box(58, 15, 38, 10, "a user's objective", "ScopeSolver: JAX or NumPy functions\nanswer (bind_objective.hpp)")
arrow((77, 31), (77, 25))
box(4, 3, 28, 7, "loss/", "value, slope, curvature")
box(36, 3, 28, 7, "design/", "kernels over blocks of X")
box(68, 3, 28, 7, "pack, parallel, types", "registers, threads")
arrow((18, 15), (18, 10))
arrow((40, 15), (46, 10))
arrow((64, 6.5), (68, 6.5))

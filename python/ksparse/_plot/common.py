"""Functions that the displays share: axes, names of features, line styles, and labels at the ends of lines."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._optional import require

__all__ = ["DASHES", "choose_panels", "label_ends", "line_style", "literal", "row_of", "scale_x", "take_axes", "write_note"]

DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 3)))


def take_axes(axes: Any, count: int, figsize: tuple[float, float]) -> list[Any]:
    """Return the given axes as a list, or those of a new figure."""
    if axes is None:
        pyplot = require("matplotlib.pyplot", "plot()", "'ksparse[plot]'")
        figure, axes = pyplot.subplots(1, count, figsize=figsize, layout="constrained", squeeze=False)
        figure.get_layout_engine().set(w_pad=0.08)
    given = np.asarray(axes, dtype=object).ravel().tolist()
    if len(given) != count:
        raise ValueError(f"axes has {len(given)} entries; it must have {count}")
    return given


def choose_panels(panels: Any, available: Sequence[str]) -> list[str]:
    """Return the requested panels; None means all of them."""
    if panels is None:
        return list(available)
    chosen = [panels] if isinstance(panels, str) else list(panels)
    for panel in chosen:
        if panel not in available:
            raise ValueError(f"panels has {panel!r}; it may have {', '.join(map(repr, available))}")
    if not chosen:
        raise ValueError(f"panels is empty; it may have {', '.join(map(repr, available))}")
    return chosen


def row_of(estimator: Any, target: Any) -> int:
    """Return the row of ``coef_`` for a class or label, which may be None if there is only one row."""
    from sklearn.utils.validation import check_is_fitted

    check_is_fitted(estimator)
    rows = len(estimator.supports_)
    if rows == 1 and target is None:
        return 0
    targets = estimator.classes_[-rows:] if np.ndim(estimator.classes_) == 1 else np.arange(rows)
    places = np.flatnonzero(targets == target)
    if len(places) != 1:
        raise ValueError(f"target is {target!r}; it must be one of {', '.join(map(repr, targets.tolist()))}")
    return int(places[0])


def literal(text: str) -> str:
    """Escape dollar signs, between which matplotlib would read a formula."""
    return text.replace("$", r"\$")


def write_note(ax: Any, note: str) -> None:
    """Write a note above the axes in small letters."""
    if note:
        ax.set_title(literal(textwrap.fill(note, 80)), fontsize="x-small", loc="left")


def line_style(place: int) -> dict[str, Any]:
    """Return the marker and dashes of a line, so that lines can be distinguished without colours."""
    return {"marker": "os^Dv"[place % 5], "linestyle": DASHES[place % len(DASHES)], "markersize": 4}


def scale_x(ax: Any, values: NDArray[Any]) -> None:
    """Make the x axis logarithmic if the values are spaced geometrically, and use integer ticks for integers."""
    from matplotlib.ticker import MaxNLocator

    values = np.unique(values)
    whole = values.dtype.kind in "iu"
    if _is_geometric(values):
        if values[0] == 0:
            ax.set_xscale("symlog", linthresh=values[1])
        else:
            ax.set_xscale("log")
        if whole:
            ax.set_xticks(values, [str(value) for value in values])
            ax.set_xticks([], minor=True)
    elif whole:
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))


def _is_geometric(values: NDArray[Any]) -> bool:
    """Return whether sorted values span more than a factor of 20 and their median is closer to the geometric mean of the ends than to the arithmetic."""
    positive = values[values > 0]
    if values[0] < 0 or len(positive) < 3 or positive[-1] < 20 * positive[0]:
        return False
    low, middle, high = (float(value) for value in positive[[0, len(positive) // 2, -1]])
    return middle**2 < np.sqrt(low * high) * (low + high) / 2


def label_ends(ax: Any, x: float, ends: NDArray[np.float64], names: Sequence[str], colors: Sequence[Any]) -> list[Any]:
    """Write the names of lines to the right of their ends at x, moved vertically as little as possible so that they do not overlap.

    The limits of the axes must not change afterwards.
    """
    from sklearn.isotonic import isotonic_regression

    if len(names) == 0:
        return []
    low, high = ax.get_ylim()
    points = ax.get_position().height * ax.figure.get_figheight() * 72
    gap = min(10.0 * (high - low) / points, (high - low) / max(1, len(names) - 1))
    order = np.argsort(ends, kind="stable")
    steps = gap * np.arange(len(order))
    # Sorted places with gaps of at least one step are, minus these steps, just sorted; the closest ones are an isotonic regression.
    places = steps + isotonic_regression(ends[order] - steps, y_min=low, y_max=high - steps[-1])
    texts = []
    for line, place in zip(order.tolist(), places, strict=True):
        leader = {"arrowstyle": "-", "color": colors[line], "linewidth": 0.7, "relpos": (0, 0.5), "shrinkA": 0, "shrinkB": 2}
        text = {"xytext": (1.04, place), "textcoords": ax.get_yaxis_transform(), "va": "center", "fontsize": "small"}
        texts.append(ax.annotate(literal(names[line]), (x, ends[line]), arrowprops=leader, **text))
    return texts

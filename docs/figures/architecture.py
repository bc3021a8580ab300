"""Draws the rooms of ksparse, floor by floor, for contributing.rst; rooms.py has the list, which the tests hold the code against."""

import matplotlib.pyplot as plt
from matplotlib.patches import FancyBboxPatch
from rooms import CPP, PYTHON

PARTS = [
    ("Python: python/ksparse", PYTHON["floors"]),
    ("Bindings: python/bindings, and the C API: cpp/c", [[("declarations", [], "conversions; X is viewed, not copied")]]),
    ("C++: cpp/include/ksparse", CPP["floors"]),
]
FLOOR, GAP, TITLE = 5.2, 0.9, 3.0

heights = [len(floors) * (FLOOR + GAP) + TITLE for _, floors in PARTS]
figure, axes = plt.subplots(figsize=(9, (sum(heights) + 4) / 11), layout="constrained")
axes.set(xlim=(0, 100), ylim=(0, sum(heights) + 3))
axes.axis("off")

top = sum(heights) + 2.5
for (name, floors), height in zip(PARTS, heights, strict=True):
    band = FancyBboxPatch(
        (1, top - height + 0.4), 98, height - 0.8, boxstyle="round,pad=0,rounding_size=1", color="0.93", linewidth=0
    )
    axes.add_patch(band)
    axes.text(2.5, top - 0.9, name, va="top", fontsize=10, style="italic", color="0.25")
    y = top - TITLE
    for floor in floors:
        y -= FLOOR + GAP / 2
        for place, (room, _, text) in enumerate(floor):
            x = 2.5 + place * 95 / len(floor)
            width = 95 / len(floor) - (1.2 if place + 1 < len(floor) else 0)
            box = FancyBboxPatch(
                (x, y),
                width,
                FLOOR,
                boxstyle="round,pad=0,rounding_size=0.8",
                facecolor="white",
                edgecolor="0.3",
                linewidth=0.8,
            )
            axes.add_patch(box)
            middle = x + width / 2
            axes.text(middle, y + FLOOR - 0.7, room, ha="center", va="top", fontsize=9, family="monospace", weight="bold")
            axes.text(middle, y + 0.7, text, ha="center", va="bottom", fontsize=8)
        y -= GAP / 2
    top -= height

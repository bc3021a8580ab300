"""A small table, as text for a terminal and as HTML for a notebook: one list of cells for both."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

__all__ = ["Table", "Tabular"]


@dataclass(frozen=True)
class Table:
    """Cells that are formatted already. The first column holds labels; it is aligned to the left, as those in ``left`` are."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    notes: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the table as lines of text, notes below it; without rows its title alone stands for it."""
        lines = [self.columns, *self.rows] if self.rows else []
        widths = [max((len(line[c]) for line in lines), default=0) for c in range(len(self.columns))]
        sides = ["<" if self._is_left(c) else ">" for c in range(len(self.columns))]
        text = [self.title]
        for line in lines:
            cells = (f"{cell:{side}{width}}" for cell, side, width in zip(line, sides, widths, strict=True))
            text.append(("  " + "  ".join(cells)).rstrip())
        text += [textwrap.fill(note, 100) for note in self.notes]
        return "\n".join(text)

    def to_html(self) -> str:
        """Return the table as HTML; all that was given is escaped."""

        def line(tag: str, cells: tuple[str, ...]) -> str:
            sides = ["left" if self._is_left(c) else "right" for c in range(len(cells))]
            return "".join(
                f'<{tag} style="text-align: {side}">{escape(cell)}</{tag}>' for cell, side in zip(cells, sides, strict=True)
            )

        body = "".join(f"<tr>{line('td', row)}</tr>" for row in self.rows)
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        # The class of the table is that of pandas, which notebooks and sphinx-gallery know how to show; those of the whole keep MathJax
        # from reading names with dollar signs as formulas.
        return (
            f'<div class="tex2jax_ignore mathjax_ignore"><p>{escape(self.title)}</p><table class="dataframe">'
            f"<thead><tr>{line('th', self.columns)}</tr></thead><tbody>{body}</tbody></table>{notes}</div>"
        )

    def _is_left(self, column: int) -> bool:
        return column == 0 or self.columns[column] in self.left


class Tabular:
    """What is shown as a table."""

    def _table(self) -> Table:
        raise NotImplementedError

    def __repr__(self) -> str:
        """Return the table as text."""
        return str(self._table())

    def __str__(self) -> str:
        """Return the table as text."""
        return str(self._table())

    def _repr_html_(self) -> str:
        """Return the table as notebooks show it."""
        return self._table().to_html()

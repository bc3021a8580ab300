"""A small table that can be shown as text in a terminal and as HTML in a notebook."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

__all__ = ["Table", "Tabular"]


@dataclass(frozen=True)
class Table:
    """Formatted cells. The first column holds labels and is aligned to the left, as are the columns in ``left``."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    notes: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the table as text, with notes below it. Without rows, the text is the title alone."""
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
        """Return the table as HTML, with all text escaped."""

        def line(tag: str, cells: tuple[str, ...]) -> str:
            sides = ["left" if self._is_left(c) else "right" for c in range(len(cells))]
            return "".join(
                f'<{tag} style="text-align: {side}">{escape(cell)}</{tag}>' for cell, side in zip(cells, sides, strict=True)
            )

        body = "".join(f"<tr>{line('td', row)}</tr>" for row in self.rows)
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        # The table has the CSS class of pandas' tables, which notebooks and sphinx-gallery style. The classes of the div keep MathJax from
        # reading names with dollar signs as formulas.
        return (
            f'<div class="tex2jax_ignore mathjax_ignore"><p>{escape(self.title)}</p><table class="dataframe">'
            f"<thead><tr>{line('th', self.columns)}</tr></thead><tbody>{body}</tbody></table>{notes}</div>"
        )

    def _is_left(self, column: int) -> bool:
        return column == 0 or self.columns[column] in self.left


class Tabular:
    """An object that is shown as a table."""

    def _table(self) -> Table:
        raise NotImplementedError

    def __repr__(self) -> str:
        """Return the table as text."""
        return str(self._table())

    def __str__(self) -> str:
        """Return the table as text."""
        return str(self._table())

    def _repr_html_(self) -> str:
        """Return the table as HTML for notebooks."""
        return self._table().to_html()

"""Which test runs which statement of a page of the documentation."""

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"

CLAIMS = {}  # page -> beginnings of statements that some test runs


def claims(page, *beginnings):
    """Say that a test runs the statements of a page that begin so."""

    def register(test):
        CLAIMS.setdefault(page, []).extend(beginnings)
        return test

    return register


def plain(text):
    """Return a text in one line, without the marks of inline markup."""
    return re.sub(r"``|\*\*|:\w+:`~?|`", "", " ".join(text.split()))


def statements(page):
    """Return the rows of the tables, the items of the lists and the sentences of a page, each as plain text; no headings, no code."""
    found = []
    blocks = re.split(r"\n\s*\n", (DOCS / page).read_text(encoding="utf-8"))
    in_table = False
    for block in blocks:
        lines = block.split("\n")
        if re.match(r"\.\. list-table::", block):
            in_table = True
            continue
        if re.match(r"\.\. (code-block|literalinclude|math|figure|note|_)", block) or block.startswith("..."):
            in_table = False
            continue
        if block.startswith(("   ", ">>>")) and not in_table:
            continue
        if in_table and block.startswith("   "):
            rows = re.split(r"^   \* - ", block, flags=re.MULTILINE)[
                2:
            ]  # without the text before, and the heads of the columns
            found += [plain(re.sub(r"^     - ?", " | ", row, flags=re.MULTILINE)) for row in rows]
            continue
        in_table = False
        if len(lines) > 1 and re.fullmatch(r"[=\-~]+", lines[1]):
            continue
        items = re.split(r"^- ", block, flags=re.MULTILINE)
        for item in items:
            text = plain(item)
            found += (
                [text]
                if item is not items[0] and len(items) > 1
                else re.split(r"(?<=[.:])\s+(?=[A-Z`(:])", text)
                if text
                else []
            )
    return found


def uncovered(page):
    """Return the statements of a page that no test runs."""
    return [text for text in statements(page) if not any(plain(begin) in text for begin in CLAIMS.get(page, ()))]


def unfounded(page):
    """Return the claims of tests that the page no longer makes."""
    whole = " ".join(statements(page))
    return [begin for begin in CLAIMS.get(page, ()) if plain(begin) not in whole]

"""Tables for the command line: read from files, with errors that name the line and the column."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from ._optional import require

__all__ = ["CommandError", "line_of_row", "numbers_or_error", "read_table", "split_target"]


class CommandError(Exception):
    """What is wrong with a file or with the options, in words for the user of the command line."""


def read_table(path: Path) -> Any:
    """Read a CSV or Parquet file into a data frame."""
    pandas = require("pandas", "the command line", "pandas")
    if not path.is_file():
        raise CommandError(f"{path}: there is no such file")
    if path.suffix.lower() in (".parquet", ".pq"):
        try:
            return pandas.read_parquet(path)
        except (ImportError, ValueError, OSError) as error:
            raise CommandError(f"{path}: {_first_line(error)}") from None
    _check_fields(path)
    try:
        return pandas.read_csv(path, skip_blank_lines=True, low_memory=False)
    except (pandas.errors.ParserError, pandas.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise CommandError(f"{path}: {_first_line(error)}") from None


def _check_fields(path: Path) -> None:
    """Raise for the first row whose number of fields is not that of the header, which pandas would fill up or take for an index."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            header = next(reader, None)
            if not header:
                raise CommandError(f"{path}, line 1: there is no header with the names of the columns")
            for name in header:
                if header.count(name) > 1:
                    raise CommandError(f"{path}, line 1: two columns have the name {name!r}")
            for row in reader:
                if row and len(row) != len(header):
                    raise CommandError(f"{path}, line {reader.line_num}: {len(row)} fields, but the header has {len(header)}")
    except UnicodeDecodeError as error:
        raise CommandError(f"{path}: this is no text in UTF-8 ({error.reason} at byte {error.start})") from None
    except csv.Error as error:
        raise CommandError(f"{path}, line {reader.line_num}: {error}") from None


def line_of_row(path: Path, row: int) -> str:
    """Return where a row of the table, counted from 0, stands in its file."""
    if path.suffix.lower() in (".parquet", ".pq"):
        return f"{path}, row {row + 1}"
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file)
        next(reader)
        filled = (reader.line_num for fields in reader if fields)
        line = next((number for place, number in enumerate(filled) if place == row), None)
    return f"{path}, line {line}"


def split_target(table: Any, target: str, path: Path) -> tuple[Any, Any]:
    """Return the features and the target; each row must have one."""
    if target not in table.columns:
        names = ", ".join(map(str, table.columns[:20]))
        raise CommandError(f"{path}: there is no column {target!r}, which --target names; the columns are {names}")
    y = table[target]
    for row in y.isna().to_numpy().nonzero()[0][:1].tolist():
        raise CommandError(f"{line_of_row(path, row)}: the target {target!r} is empty; leave out such rows")
    return table.drop(columns=target), y.to_numpy()


def numbers_or_error(table: Any, path: Path) -> Any:
    """Return a table of numbers; raise for text and gaps, with the line and what to do."""
    for name in table.columns:
        column = table[name]
        if column.dtype.kind not in "fiub":
            converted = require("pandas", "the command line", "pandas").to_numeric(column, errors="coerce")
            bad = (converted.isna() & column.notna()).to_numpy().nonzero()[0]
            where = f"{line_of_row(path, int(bad[0]))}: " if len(bad) else f"{path}: "
            value = f" has {column.iloc[int(bad[0])]!r}, which is no number" if len(bad) else f" is of type {column.dtype}"
            raise CommandError(
                f"{where}the column {name!r}{value}; use --scorecard, which makes bins of categories, or --drop {name!r}"
            )
        for row in column.isna().to_numpy().nonzero()[0][:1].tolist():
            raise CommandError(
                f"{line_of_row(path, row)}: the column {name!r} is empty; fill in missing values, or use --scorecard, which has bins for them"
            )
    return table


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__

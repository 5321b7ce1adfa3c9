"""Rows of values as the text of a csv: as they are, or so that a spreadsheet runs none.

Changes when a table is written in another way. Knows no file and no task. What people
open begins with MARK and is guarded; what scripts read is neither.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import TypeVar

CellT = TypeVar("CellT")

MARK = "\ufeff"  # by which a spreadsheet knows UTF-8
GUARD = "'"  # before what would run: owasp.org/www-community/attacks/CSV_Injection
RUNS = re.compile(f"{GUARD}*[=+\\-@\t\r\n＝＋－＠]")
GUARDED = re.compile(f"{GUARD}{RUNS.pattern}")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def table_of(head: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a table that people open: the names of its columns, then its rows."""
    return guarded_row(head) + "".join(map(guarded_row, rows))


def row_of(cells: Iterable[object]) -> str:
    """Return one row, its line end included."""
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\r\n").writerow(cells)
    return written.getvalue()


def guarded_row(cells: Iterable[object]) -> str:
    """Return one row of which a spreadsheet runs no cell."""
    return row_of(map(guarded, cells))


def guarded(cell: CellT) -> CellT | str:
    """Return a text that a spreadsheet would run behind an apostrophe, else the cell.

    A number does not run. What opens with apostrophes already gets one more, so that
    ``unguarded`` gives every text back.
    """
    runs = isinstance(cell, str) and RUNS.match(cell) and not NUMBER.fullmatch(cell)
    return f"{GUARD}{cell}" if runs else cell


def unguarded(text: str) -> str:
    """Return the text that a cell was written from."""
    return text.removeprefix(GUARD) if GUARDED.match(text) else text

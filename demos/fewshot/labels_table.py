"""A table of labels as people keep one: a label and its word in every row.

Changes when such a table may look different. Rows in, labels out: whoever calls has
read the file.
"""

from collections.abc import Sequence

from demos.errors import InvalidRequestError
from demos.fewshot.examples_file import COLUMNS
from demos.fewshot.labels import LABELS_LABEL, PAIR

NAMES = {"label": COLUMNS["label"], "word": frozenset({"word", "词", "标签词"})}

Row = list[str]


def labels_of(rows: Sequence[Row]) -> list[dict[str, str]]:
    """Return every row's label and word, as ``LabelWords`` reads them.

    A first row of names says where the two stand; without one, a row has a label and a
    word, or a label that is its own word. Blank rows are none.

    Raises:
        InvalidRequestError: A row has too few or too many cells; with its number.
    """
    placed = [(n, row) for n, row in enumerate(rows, 1) if any(map(str.strip, row))]
    names = _names(placed[0][1]) if placed else {}
    if names:
        return [_named(n, row, names) for n, row in placed[1:]]
    return [_bare(n, row) for n, row in placed]


def _names(row: Row) -> dict[str, int]:
    """Return where label and word stand, where a row names both."""
    cells = [cell.strip().lower() for cell in row]
    found = {
        name: place
        for name, known in NAMES.items()
        for place, cell in enumerate(cells)
        if cell in known
    }
    return found if found.keys() == set(PAIR) else {}


def _named(number: int, row: Row, names: dict[str, int]) -> dict[str, str]:
    if len(row) <= max(names.values()):
        raise _fault(number, row)
    return {name: row[place].strip() for name, place in names.items()}


def _bare(number: int, row: Row) -> dict[str, str]:
    cells = [cell.strip() for cell in row]
    while not cells[-1]:  # a spreadsheet fills rows up
        cells.pop()
    if len(cells) > len(PAIR):
        raise _fault(number, row)
    return {"label": cells[0], "word": cells[-1]}


def _fault(number: int, row: Row) -> InvalidRequestError:
    got = len(row)
    return LABELS_LABEL.refuse(
        f"第 {number} 行有 {got} 格；须为“标签,词”两格，或首行写列名 label 和 word。",
        f"line {number} has {got} cells: give label,word, or name the columns label "
        "and word in the first line.",
    )

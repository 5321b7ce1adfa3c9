"""Labelled lines as people paste or upload them: JSON lines, csv or tsv.

Changes when labelled lines come in another form. Text in, examples out: whoever calls
has decoded the file.
"""

import csv
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from demos.errors import InvalidRequestError
from demos.fewshot.lesson import (
    EXAMPLES_LABEL,
    FEWEST,
    MOST,
    Example,
    Placed,
    Wanted,
    check_number,
    listed,
    read_placed,
)
from demos.tables import MARK, unguarded

UNDECODED = re.compile("[\udc80-\udcff]")  # what surrogateescape leaves of bad bytes
COLUMNS = {
    "text": frozenset({"text", "文本", "句子", "sentence", "sentence1"}),
    "text_b": frozenset({"text_b", "第二句", "另一句", "sentence2"}),
    "label": frozenset({"label", "标签", "类别"}),
}
QUOTED = re.compile(r'"((?:[^"]|"")*)"')  # a whole cell: within one, quotes are text
SHAPES_ZH = '一行一条：“文本<Tab>标签”，或 {"text": …, "label": …}，或带列名的 csv'
SHAPES_EN = 'a line each: text<Tab>label, or {"text": …, "label": …}, or a csv'


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line that is not blank.

    Attributes:
        number: Counted from 1, blank lines included.
        text: Without its end.
    """

    number: int
    text: str


def read_examples(text: str, wanted: Wanted) -> tuple[Example, ...]:
    """Return the labelled examples of a text.

    Args:
        text: JSON lines, csv or tsv; undecodable bytes as lone surrogates. The mark of
            UTF-8 before a csv tells that a spreadsheet was to run none of its cells.
        wanted: The labels that are known, and whether there are pairs. Without column
            names, the label is whichever outer cell is known more often.

    Raises:
        InvalidRequestError: Lines cannot be used (with their numbers), or there are
            too few or too many.
    """
    lines = [
        TextLine(number, line)
        for number, line in enumerate(text.lstrip(MARK).split("\n"), 1)
        if line.strip()
    ]
    if not lines:
        raise EXAMPLES_LABEL.refuse(
            f"是空的，请给出{SHAPES_ZH}。", f"are empty: give {SHAPES_EN}."
        )
    placed = list(_records(lines, wanted, is_marked=text.startswith(MARK)))
    check_number(EXAMPLES_LABEL, len(placed), FEWEST, MOST)
    return read_placed(EXAMPLES_LABEL, placed, wanted)


def _records(
    lines: Sequence[TextLine], wanted: Wanted, *, is_marked: bool
) -> Iterator[Placed]:
    for line in lines:
        if UNDECODED.search(line.text):
            raise _fault(
                line.number,
                "有无法解码的字节，请另存为 UTF-8",
                "has bytes that cannot be decoded: save the file as UTF-8",
            )
    first = lines[0].text
    if first.lstrip().startswith("{"):
        return _json_lines(lines)
    comma = "\t" if "\t" in first else ","
    plain = unguarded if is_marked and comma == "," else str
    columns = _columns(first, comma)
    if {"text", "label"} <= columns.keys():
        return _table(lines, columns, comma, plain)
    return _bare_lines(lines, comma, wanted, plain)


def _json_lines(lines: Sequence[TextLine]) -> Iterator[Placed]:
    for line in lines:
        try:
            record = json.loads(line.text)
        except (ValueError, RecursionError):
            record = None
        if not isinstance(record, dict):
            raise _fault(line.number, "不是 JSON 对象", "is no JSON object")
        yield _placed(line.number, record)


def _columns(first: str, comma: str) -> dict[str, int]:
    """Return where the columns stand, if the first line names any."""
    cells = [cell.strip().strip('"').lower() for cell in first.split(comma)]
    return {
        name: place
        for place, cell in enumerate(cells)
        for name, known in COLUMNS.items()
        if cell in known
    }


def _table(
    lines: Sequence[TextLine],
    columns: dict[str, int],
    comma: str,
    plain: Callable[[str], str],
) -> Iterator[Placed]:
    texts = (line.text + "\n" for line in lines)
    rows = csv.reader(texts, "excel" if comma == "," else "excel-tab")
    number = 0
    try:
        next(rows)
        while True:
            number = lines[min(rows.line_num, len(lines) - 1)].number
            cells = next(rows, None)
            if cells is None:
                return
            yield _placed(number, _row(number, list(map(plain, cells)), columns))
    except csv.Error as error:
        raise _fault(number, f"读不成表格（{error}）", f"is no row: {error}") from error


def _row(number: int, cells: list[str], columns: dict[str, int]) -> dict[str, object]:
    if len(cells) <= max(columns.values()):
        least = max(columns.values()) + 1
        raise _fault(
            number,
            f"只有 {len(cells)} 格，少于列名所需的 {least} 格",
            f"has {len(cells)} cells, fewer than the {least} columns needed",
        )
    return {name: cells[place].strip() for name, place in columns.items()}


def _bare_lines(
    lines: Sequence[TextLine],
    comma: str,
    wanted: Wanted,
    plain: Callable[[str], str],
) -> Iterator[Placed]:
    known = set(wanted.labels or ())
    rows = [(line.number, list(map(plain, _cells(line.text, comma)))) for line in lines]
    ahead = sum(cells[0] in known for _, cells in rows)
    behind = sum(cells[-1] in known for _, cells in rows)
    for number, cells in rows:
        *texts, label = cells if behind >= ahead else [*cells[1:], cells[0]]
        if not texts:
            raise _fault(
                number, f"只有一格，须为{SHAPES_ZH}", f"has one cell; give {SHAPES_EN}"
            )
        if label not in known and not ahead + behind:
            raise _no_label(number, wanted)
        yield _placed(number, {**_texts(texts, comma, wanted), "label": label})


def _cells(line: str, comma: str) -> list[str]:
    return [_unquoted(cell.strip()) for cell in line.strip("\r\n").split(comma)]


def _unquoted(cell: str) -> str:
    quoted = QUOTED.fullmatch(cell)
    return quoted[1].replace('""', '"') if quoted else cell


def _texts(cells: list[str], comma: str, wanted: Wanted) -> dict[str, object]:
    """Tell two texts from one that has commas of its own."""
    if wanted.pairs and len(cells) > 1:
        return {"text": cells[0], "text_b": comma.join(cells[1:])}
    return {"text": comma.join(cells)}


def _no_label(number: int, wanted: Wanted) -> InvalidRequestError:
    zh, en = (listed(wanted.labels or (), comma) for comma in ("、", ", "))
    return _fault(
        number,
        f"的首尾两格都不是已知的标签（{zh}）；首行若是列名，须有 text 和 label",
        f"begins and ends with no known label ({en}); a line of column names must "
        "have text and label",
    )


def _placed(number: int, record: dict[str, object]) -> Placed:
    return Placed(record, f"第 {number} 行", f"line {number}")


def _fault(number: int, zh: str, en: str) -> InvalidRequestError:
    return EXAMPLES_LABEL.refuse(f"第 {number} 行{zh}。", f"line {number} {en}.")

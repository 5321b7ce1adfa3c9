"""Lines of a file to a base of facts: csv, tsv or jsonl; what is wrong, by line number.

Changes when a file of facts may look different. Opens nothing: whoever calls brings
decoded lines, with what could not be decoded as surrogates.
"""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import NoReturn

from demos.errors import FileError
from demos.limits import UNUSABLE
from demos.qa.facts_base import BaseBuilder, KnowledgeBase
from demos.tables import MARK, unguarded

MAX_BYTES = 64 << 20
MAX_TRIPLES = 1_000_000
COLUMNS = ("subject", "predicate", "object")
LONGEST = (200, 100, 5_000)  # characters of each column
SHORTEST_LIMIT = min(LONGEST)
SHOWN_LINES = 5  # of those that are wrong
LINES_PER_FRAME = 5_000
LONGEST_CELL_CHARS = 2**31 - 1  # the csv module's own limit is too near
ALIASES = {
    **{name: column for column, name in enumerate(COLUMNS)},
    **dict.fromkeys(("主语", "主体", "实体", "头实体", "head", "subj"), 0),
    **dict.fromkeys(("谓语", "谓词", "关系", "属性", "relation", "pred"), 1),
    **dict.fromkeys(("宾语", "客体", "值", "属性值", "尾实体", "tail", "obj"), 2),
}

Cells = tuple[str, str, str]
Line = tuple[int, Cells | str]  # its number, its cells or the name of its fault


@dataclass(slots=True)
class Faults:
    """What is wrong with which lines."""

    first: dict[str, list[int]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, fault: str, number: int) -> None:
        """Count one line."""
        self.counts[fault] = self.counts.get(fault, 0) + 1
        if self.counts[fault] <= SHOWN_LINES:
            self.first.setdefault(fault, []).append(number)

    def check(self) -> None:
        """Refuse the file where a line is wrong, and say which.

        Raises:
            FileError: With the numbers of the first lines of every fault.
        """
        if self.counts:
            told = [self._sentences(fault) for fault in self.counts]
            zh, en = ("".join(part) for part in zip(*told, strict=True))
            raise FileError(
                f"{zh}请改好这些行再试。", f"{en}Mend these lines and try again."
            )

    def _sentences(self, fault: str) -> tuple[str, str]:
        zh, en = FAULTS[fault]
        count, first = self.counts[fault], self.first[fault]
        more = count > len(first)
        numbers = "、".join(map(str, first)), ", ".join(map(str, first))
        lines = "line" if count == 1 else f"{count} lines"
        return (
            f"共 {count} 行{zh}：第 {numbers[0]} {'等' if more else ''}行。",
            f"{lines} {en}: {numbers[1]}{' and more' if more else ''}. ",
        )


def base_of(lines: Iterable[str], kind: str) -> KnowledgeBase:
    """Return the base of a file's lines: see read_facts."""
    builder = BaseBuilder()
    for _ in read_facts(lines, kind, builder):
        pass
    return builder.build()


def read_facts(lines: Iterable[str], kind: str, builder: BaseBuilder) -> Iterator[int]:
    """Read a file's lines into a builder, yielding now and then how many they are.

    Args:
        lines: Decoded.
        kind: The file name's ending, one of KINDS.
        builder: Takes the triples.

    Raises:
        FileError: A line lacks a column, cannot be read, or there are too many or none.
    """
    faults, number = Faults(), 0
    for count, (number, cells) in enumerate(rows_of(kind)(lines), 1):
        if isinstance(cells, str):
            faults.add(cells, number)
        else:
            builder.add(*cells)
        if builder.num_added > MAX_TRIPLES:
            _refuse_many(number)
        if count % LINES_PER_FRAME == 0:
            yield number
    faults.check()
    if not builder.num_added:
        raise FileError(
            "文件里没有三元组；请放入至少一行 subject、predicate、object。",
            "The file has no triple: give it a line of subject, predicate, object.",
        )
    yield number


def rows_of(kind: str) -> Callable[[Iterable[str]], Iterator[Line]]:
    """Return the reader of a kind of file.

    Raises:
        FileError: There is no such kind.
    """
    if kind.lower() not in KINDS:
        known = " ".join(KINDS)
        raise FileError(
            f"知识库文件须为 {known} 之一，收到 {kind or '没有后缀的文件'}。",
            f"A file of facts is one of {known}, got {kind or 'one without ending'}.",
        )
    return KINDS[kind.lower()]


def check_size(num_bytes: int) -> None:
    """Refuse a file that is too large.

    Raises:
        FileError: It is.
    """
    if num_bytes > MAX_BYTES:
        most, got = MAX_BYTES >> 20, f"{num_bytes / (1 << 20):.1f}"
        raise FileError(
            f"知识库文件最大 {most} MB，收到 {got} MB；请拆成几个，或删去用不到的行。",
            f"A file of facts may have {most} MB, got {got} MB: split it, or drop "
            "lines that are not needed.",
        )


def _csv_rows(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(min(LONGEST_CELL_CHARS, sys.maxsize))
    texts = iter(lines)
    first = next(texts, "")
    reader = csv.reader(chain([first.removeprefix(MARK)], texts))
    guarded = first.startswith(MARK)
    number = 1
    try:
        for row in reader:
            yield number, [unguarded(cell) for cell in row] if guarded else row
            number = reader.line_num + 1
    except csv.Error as error:
        raise FileError(
            f"第 {number} 行起读不成 csv：{error}；请检查引号。",
            f"From line {number} on this is no csv: {error}. Check the quotes.",
        ) from error


def _tsv_rows(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(lines, 1):
        yield number, line.rstrip("\r\n").split("\t")


def _table(rows: Iterable[tuple[int, list[str]]]) -> Iterator[Line]:
    """Yield a table's lines; a first row of known names says where the columns are."""
    columns: tuple[int, ...] | None = None
    for number, row in rows:
        if not any(map(str.strip, row)):
            continue
        if columns is None:
            columns = header_of(row)
            if columns:
                continue
        yield number, _cells_of(row, columns)


def header_of(row: list[str]) -> tuple[int, ...]:
    """Return where subject, predicate and object stand; () for a row of facts.

    Raises:
        FileError: It names some of the columns, but not all three.
    """
    known = [ALIASES.get(cell.strip().lower()) for cell in row]
    found = {column for column in known if column is not None}
    if not found or (len(found) == 1 and known.count(None) > 1):
        return ()  # one word of a fact may be a column's name by chance
    lacking = [name for n, name in enumerate(COLUMNS) if n not in found]
    if lacking:
        got = ", ".join(row)
        raise FileError(
            f"首行是列名，却少了 {'、'.join(lacking)} 列；收到：{got}。"
            f"列名须为 {'、'.join(COLUMNS)}，也可以没有列名。",
            f"The first line names columns but lacks {', '.join(lacking)}; got: {got}. "
            f"Name {', '.join(COLUMNS)}, or leave the names out.",
        )
    return tuple(known.index(column) for column in range(len(COLUMNS)))


def _cells_of(row: list[str], columns: tuple[int, ...] | None) -> Cells | str:
    if not columns:
        while len(row) > len(COLUMNS) and not row[-1].strip():
            row.pop()
        return checked(row)
    return checked([row[place] if place < len(row) else "" for place in columns])


def checked(row: list[str]) -> Cells | str:
    """Return a row's cells, blanks cut off, or the name of what is wrong."""
    if len(row) != len(COLUMNS):
        return "columns" if len(row) < len(COLUMNS) else "many"
    subject, predicate, found = (cell.strip() for cell in row)
    if not (subject and predicate and found):
        return "columns"
    text = f"{subject}{predicate}{found}"
    if not text.isprintable() and UNUSABLE.search(text.replace("\r\n", "\n")):
        return "characters"
    if max(len(subject), len(predicate), len(found)) > SHORTEST_LIMIT:
        lengths = zip((subject, predicate, found), LONGEST, strict=True)
        if any(len(cell) > most for cell, most in lengths):
            return "length"
    return subject, predicate, found


def _json_lines(lines: Iterable[str]) -> Iterator[Line]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield number, _json_cells(line)


def _json_cells(line: str) -> Cells | str:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return "json"
    if not isinstance(value, dict):
        return "json"
    row = [""] * len(COLUMNS)
    for name, cell in value.items():
        column = ALIASES.get(name.strip().lower())
        if column is not None and type(cell) in (str, int, float):
            row[column] = str(cell)
    return checked(row)


def _refuse_many(number: int) -> NoReturn:
    raise FileError(
        f"知识库最多 {MAX_TRIPLES} 个三元组，到第 {number} 行已经超过；"
        "请拆成几个文件。",
        f"A base may have {MAX_TRIPLES} triples, and line {number} is past that: "
        "split the file.",
    )


FAULTS = {
    "columns": (
        "缺列（每行须有 subject、predicate、object 三列，都不空）",
        "without a column (each needs subject, predicate and object, none empty)",
    ),
    "many": (
        "多出列（没有列名时每行正好三列）",
        "with too many columns (exactly three where the first line names none)",
    ),
    "json": ("不是 JSON 对象", "without a JSON object"),
    "characters": (
        "有无法解码的字节或控制字符（请存为 UTF-8 或 GBK）",
        "with bytes that cannot be decoded or control characters (use UTF-8 or GBK)",
    ),
    "length": (
        f"有一格太长（三列最多 {'、'.join(map(str, LONGEST))} 字）",
        f"with a cell too long (at most {', '.join(map(str, LONGEST))} characters)",
    ),
}
KINDS: dict[str, Callable[[Iterable[str]], Iterator[Line]]] = {
    ".csv": lambda lines: _table(_csv_rows(lines)),
    ".tsv": lambda lines: _table(_tsv_rows(lines)),
    ".jsonl": _json_lines,
}

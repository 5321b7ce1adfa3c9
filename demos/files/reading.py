"""Input files as lines of fields: .jsonl, .csv and .txt, in UTF-8 or GB18030.

Changes when a file format is added. Knows no task: one name says which field a plain
text fills.
"""

import codecs
import csv
import io
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import IO, NoReturn

from demos.batch import Line
from demos.errors import FileError
from demos.tables import MARK, unguarded

UNDECODED = re.compile("[\udc80-\udcff]")  # what surrogateescape leaves of bad bytes
LONGEST_CELL_CHARS = 2**31 - 1  # the csv module's own limit of 131,072 is too near
TABLE = ".csv"


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file of questions.

    Attributes:
        path: Where it lies.
        encoding: As ``open`` names it.
        text_field: The field that a plain text fills.
    """

    path: Path
    encoding: str
    text_field: str

    @property
    def first_number(self) -> int:
        """What people count its first line as: a table's names stand above it."""
        return 2 if self._is_table else 1

    def lines(self) -> Iterator[Line]:
        """Yield its lines from the first, as often as asked."""
        read = FORMATS[self.path.suffix.lower()]
        with self._open() as stream:
            yield from read(stream, self.text_field)

    def survey(self, most: int | None = None) -> tuple[int, tuple[str, ...]]:
        """Return the number of lines and the names of all fields, in order met.

        Args:
            most: Look at no more lines than this; None looks at all.
        """
        count, names = 0, dict[str, None]()
        for line in islice(self.lines(), most):
            count += 1
            names.update(dict.fromkeys(line.fields))
        return count, tuple(names)

    @property
    def _is_table(self) -> bool:
        return self.path.suffix.lower() == TABLE

    def _open(self) -> IO[str]:
        encoding = with_mark(self.encoding) if self._is_table else self.encoding
        newline = "" if self._is_table else None
        return self.path.open(
            encoding=encoding, errors="surrogateescape", newline=newline
        )


def open_input(path: Path, text_field: str) -> InputFile:
    """Return the file with its encoding found out.

    Raises:
        FileError: It cannot be read, or its name or encoding is not among those known.
    """
    if path.suffix.lower() not in FORMATS:
        known = " ".join(FORMATS)
        raise FileError(
            f"不认识输入文件 {path.name} 的类型，可用 {known}。",
            f"The input file {path.name} is of no known type: use {known}.",
        )
    try:
        with path.open("rb") as stream:
            encoding = sniff_encoding(stream)
    except OSError as error:
        raise FileError(
            f"读不了输入文件 {path}：{error.strerror}。",
            f"The input file {path} cannot be read: {error.strerror}.",
        ) from error
    return InputFile(path, encoding, text_field)


def read_json(path: Path) -> object:
    """Return what a .json file holds, or the list of a .jsonl file's lines.

    Raises:
        FileError: It cannot be read or holds no JSON.
    """
    text = read_text(path)
    try:
        if path.suffix.lower() == ".jsonl":
            return list(_json_values(text))
        return parse_json(text)
    except (ValueError, RecursionError) as error:
        raise FileError(
            f"文件 {path} 读不成 JSON：{error}。",
            f"The file {path} cannot be read as JSON: {error}.",
        ) from error


def read_text(path: Path, *, keep_mark: bool = False) -> str:
    """Return the text of a file, in UTF-8 or GB18030: see decode.

    Raises:
        FileError: It cannot be read.
    """
    try:
        return decode(path.read_bytes(), keep_mark=keep_mark)
    except OSError as error:
        raise FileError(
            f"读不了文件 {path}：{error.strerror}。",
            f"The file {path} cannot be read: {error.strerror}.",
        ) from error


def decode(data: bytes, *, keep_mark: bool = False) -> str:
    """Return text of unknown encoding; bytes that fit none become surrogates.

    Args:
        data: Of a file.
        keep_mark: Whether the mark of UTF-8 stays before the text: by it, whoever
            reads a table knows that its cells are guarded.
    """
    encoding = sniff_encoding(data.splitlines(keepends=True))
    return data.decode(
        with_mark(encoding) if keep_mark else encoding, errors="surrogateescape"
    )


def with_mark(encoding: str) -> str:
    """Return the encoding that leaves the mark of UTF-8 in its place."""
    return encoding.removesuffix("-sig")


def sniff_encoding(lines: Iterable[bytes]) -> str:
    """Tell UTF-8 from GB18030 by the lines that only one of them can read.

    A UTF-8 file with a few broken lines stays UTF-8: those lines fail alone.

    Raises:
        FileError: The text is UTF-16.
    """
    only_utf8 = only_gb18030 = 0
    for number, line in enumerate(lines):
        if number == 0 and line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            _refuse_utf16()
        if line.isascii():
            continue
        reads_utf8 = _reads(line, "utf-8")
        only_utf8 += reads_utf8
        only_gb18030 += not reads_utf8 and _reads(line, "gb18030")
    return "gb18030" if only_gb18030 > only_utf8 else "utf-8-sig"


def read_rows(path: Path) -> list[list[str]]:
    """Return all rows of a csv, in UTF-8 or GB18030.

    Raises:
        FileError: It cannot be read.
    """
    text = read_text(path, keep_mark=True)
    return list(plain_rows(io.StringIO(text, newline="")))


def plain_rows(stream: Iterable[str]) -> Iterator[list[str]]:
    """Yield the rows of a csv; a guard before a cell is undone where a mark tells."""
    texts = iter(stream)
    first = next(texts, "")
    rows = table_rows(chain([first.removeprefix(MARK)], texts))
    if not first.startswith(MARK):
        return rows
    return ([unguarded(cell) for cell in row] for row in rows)


def table_rows(stream: Iterable[str]) -> Iterator[list[str]]:
    """Yield the rows of a csv as they stand there, however long a cell is."""
    csv.field_size_limit(min(LONGEST_CELL_CHARS, sys.maxsize))
    return csv.reader(stream)


def parse_json(text: str) -> object:
    """Return strict JSON's value: no NaN, no Infinity, no number beyond a float.

    Raises:
        ValueError: It is none.
    """
    return json.loads(text, parse_constant=_refuse_number, parse_float=_finite)


def _json_values(text: str) -> Iterator[object]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            yield parse_json(line)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"第 {number} 行 line {number}: {error}") from error


def _reads(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _refuse_utf16() -> NoReturn:
    raise FileError(
        "输入是 UTF-16 编码，请另存为 UTF-8。",
        "The input is UTF-16: save it as UTF-8.",
    )


def _refuse_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        _refuse_number(text)
    return number


def _json_lines(stream: IO[str], _text_field: str) -> Iterator[Line]:
    for text in stream:
        yield Line(fault=_undecoded()) if UNDECODED.search(text) else _json_line(text)


def _json_line(text: str) -> Line:
    try:
        value = parse_json(text)
    except (ValueError, RecursionError) as error:
        is_empty = not text.strip()
        reason = "empty line" if is_empty else str(error)
        fault = _bad_line("不是 JSON", "is no JSON", reason)
        return Line(fault=fault, is_empty=is_empty)
    if not isinstance(value, dict):
        kind = type(value).__name__
        return Line(fault=_bad_line("不是 JSON 对象", "is no JSON object", kind))
    return Line(value)


def _table_lines(stream: IO[str], text_field: str) -> Iterator[Line]:
    rows = plain_rows(stream)
    header = next(rows, [])
    _check_header(header, text_field)
    for row in rows:
        yield _table_line(header, row)


def _check_header(header: list[str], text_field: str) -> None:
    if text_field not in header or len(set(header)) < len(header):
        found = ", ".join(header) or "-"
        raise FileError(
            f"csv 首行须为列名，各不相同，其中须有 {text_field}；收到：{found}。",
            "The first row of a csv must name its columns, each once, one of them "
            f"{text_field}; got: {found}.",
        )


def _table_line(header: list[str], row: list[str]) -> Line:
    if any(UNDECODED.search(cell) for cell in row):
        return Line(fault=_undecoded())
    if not row or len(row) > len(header):
        got = f"{len(row)} != {len(header)}"
        fault = _bad_line("的格数与列名不符", "does not fit its header", got)
        return Line(fault=fault, is_empty=not row)
    cells = dict(zip(header, row, strict=False))
    return Line(
        cells, blank=frozenset(name for name, cell in cells.items() if not cell)
    )


def _text_lines(stream: IO[str], text_field: str) -> Iterator[Line]:
    for text in stream:
        fields = {text_field: text.removesuffix("\n")}
        yield Line(fault=_undecoded()) if UNDECODED.search(text) else Line(fields)


def _undecoded() -> FileError:
    return _bad_line("有无法解码的字节", "has bytes that cannot be decoded", "UTF-8?")


def _bad_line(zh: str, en: str, reason: str) -> FileError:
    return FileError(f"这一行{zh}：{reason}。", f"This line {en}: {reason}.")


FORMATS: dict[str, Callable[[IO[str], str], Iterator[Line]]] = {
    ".jsonl": _json_lines,
    TABLE: _table_lines,
    ".txt": _text_lines,
}

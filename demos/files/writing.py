"""Output files of records: .jsonl and .csv, a whole line at a time, to be continued.

Changes when a file format is added. Knows no task.
"""

import codecs
import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from pathlib import Path
from typing import IO

from demos.errors import FileError
from demos.files.reading import table_rows
from demos.tables import MARK, guarded_row, row_of, unguarded

Record = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Format:
    """How records stand in a file.

    Attributes:
        header: The text before the first record, from the columns.
        render: One record's text, its line end included.
        parse: The record of such a text; ValueError where it is none.
        opening: How every record begins, to tell a torn one from another's text.
        is_whole: Whether bytes that end in a newline are complete.
        show: A value as ``parse`` would give it back.
        mark: By which those who open it know UTF-8, and those who read it that it is
            guarded; "" where scripts read it.
    """

    header: Callable[[Sequence[str]], str]
    render: Callable[[Record, Sequence[str]], str]
    parse: Callable[[str, Sequence[str]], dict[str, object]]
    opening: str
    is_whole: Callable[[bytes], bool]
    show: Callable[[object], object]
    mark: str


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A file of answers.

    Attributes:
        path: Where it lies or will lie.
        columns: Names of all fields that a record may have, in order.
        format: How its records stand.
    """

    path: Path
    columns: tuple[str, ...]
    format: Format

    def begun(self) -> tuple["OutputFile", ...]:
        """Return how the file that lies there may have been written, likeliest first.

        Its mark tells; what has none may be an older version's, which guarded all.

        Raises:
            FileError: It cannot be read.
        """
        with self._reading() as stream:
            marked = stream.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8
        kinds = (OPENED,) if marked else (FORMATS, OLDER)
        formats = dict.fromkeys(kind[self.path.suffix.lower()] for kind in kinds)
        return tuple(replace(self, format=one) for one in formats)

    def kept(self) -> Iterator[tuple[dict[str, object], int]]:
        """Yield each complete record with the offset in bytes where it ends.

        A torn last line is left out. The first pair is ``({}, offset of the header)``.

        Raises:
            FileError: The file holds something that is not ours to continue, or cannot
                be read.
        """
        with self._reading() as stream:
            texts = _texts(stream, self.format)
            end = self._header_end(texts)
            yield {}, end
            yield from self._records(texts, end)

    def start(self, *, overwrite: bool) -> IO[str]:
        """Open it anew and write the header.

        Raises:
            FileError: It exists and may not be written over, or cannot be written.
        """
        try:
            stream = self._open("w" if overwrite else "x")
        except FileExistsError as error:
            raise _exists(self.path) from error
        stream.write(self._head())
        return stream

    def resume(self, end: int) -> IO[str]:
        """Open it to write after ``end`` bytes; what lies behind is cut off."""
        stream = self._open("r+")
        stream.seek(end)
        stream.truncate()
        if end == 0:
            stream.write(self._head())
        return stream

    def line(self, record: Record) -> str:
        """Return a record's text, to be written at once."""
        return self.format.render(record, self.columns)

    def _head(self) -> str:
        return self.format.mark + _writable(self.format.header(self.columns))

    def _header_end(self, texts: Iterator[str]) -> int:
        """Return where the header ends; 0 where it is torn."""
        head = self._head().encode()
        text = next(texts, "") if head else ""
        found = text.encode("utf-8", "surrogateescape")
        if not head.startswith(found):
            raise self._foreign(text)
        return len(found) if found == head else 0

    def _reading(self) -> IO[bytes]:
        try:
            return self.path.open("rb")
        except OSError as error:
            raise FileError(
                f"读不了输出文件 {self.path.name}，无法续写：{error.strerror}。",
                f"The output file {self.path.name} cannot be read to resume it: "
                f"{error.strerror}.",
            ) from error

    def _open(self, mode: str) -> IO[str]:
        try:
            return self.path.open(
                mode, encoding="utf-8", errors="backslashreplace", newline=""
            )
        except FileExistsError:
            raise
        except OSError as error:
            raise FileError(
                f"写不了输出文件 {self.path.name}：{error.strerror}。",
                f"The output file {self.path.name} cannot be written: "
                f"{error.strerror}.",
            ) from error

    def _records(
        self, texts: Iterator[str], end: int
    ) -> Iterator[tuple[dict[str, object], int]]:
        for text, following in pairwise(chain(texts, [""])):
            record = self._parse(text)
            if record is not None:
                end += len(text.encode("utf-8", "surrogateescape"))
                yield record, end
            elif following or not text.startswith(self.format.opening):
                raise self._foreign(text)

    def _parse(self, text: str) -> dict[str, object] | None:
        if not text.endswith("\n"):
            return None
        try:
            return self.format.parse(text, self.columns)
        except (ValueError, csv.Error):
            return None

    def _foreign(self, text: str) -> FileError:
        start = text[:40].rstrip()
        return FileError(
            f"无法续写 {self.path}：其中一行不是这批输出：{start}。",
            f"{self.path} cannot be resumed: a line is not of this run's: {start}.",
        )


def open_output(
    path: Path, columns: Sequence[str], *, marked: bool = False
) -> OutputFile:
    """Return the file, its name checked.

    Args:
        path: Where it lies or will lie.
        columns: Names of all fields that a record may have, in order.
        marked: Whether people open it: a table then begins with its mark, and opens
            with an apostrophe what a spreadsheet would run.

    Raises:
        FileError: See ``check_named``.
    """
    check_named(path)
    kind = path.suffix.lower()
    return OutputFile(path, tuple(columns), (OPENED if marked else FORMATS)[kind])


def check_named(path: Path) -> None:
    """Refuse a place where no file of answers can lie.

    Raises:
        FileError: The name is of no known type or a folder's, or its folder does not
            exist.
    """
    if path.suffix.lower() not in FORMATS:
        known = " ".join(FORMATS)
        raise FileError(
            f"不认识输出文件 {path.name} 的类型，可用 {known}。",
            f"The output file {path.name} is of no known type: use {known}.",
        )
    if not path.parent.is_dir():
        raise FileError(
            f"输出文件的目录 {path.parent} 不存在，请先建立。",
            f"The output file's folder {path.parent} does not exist: create it first.",
        )
    if path.is_dir():
        raise FileError(
            f"输出文件 {path.name} 是一个目录，请给出目录里的文件名。",
            f"The output file {path.name} is a folder: name a file in it.",
        )


def check_absent(path: Path) -> None:
    """Refuse to write over a file."""
    if path.exists():
        raise _exists(path)


def to_json(record: Record) -> str:
    """Return one line of strict JSON, without the line end."""
    return json.dumps(record, ensure_ascii=False, allow_nan=False)


def _exists(path: Path) -> FileError:
    return FileError(
        f"输出文件 {path} 已经存在：加 --resume 接着做，或加 --overwrite 重写。",
        f"The output file {path} exists: add --resume to continue it, or --overwrite.",
    )


def _texts(stream: IO[bytes], file_format: Format) -> Iterator[str]:
    pending = b""
    for piece in stream:
        pending += piece
        if piece.endswith(b"\n") and file_format.is_whole(pending):
            yield pending.decode("utf-8", "surrogateescape")
            pending = b""
    if pending:
        yield pending.decode("utf-8", "surrogateescape")


def _render_json(record: Record, _columns: Sequence[str]) -> str:
    return to_json(record) + "\n"


def _parse_json(text: str, _columns: Sequence[str]) -> dict[str, object]:
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError(text)
    return value


def _render_row(record: Record, columns: Sequence[str]) -> str:
    return row_of(_cells(record, columns))


def _render_guarded(record: Record, columns: Sequence[str]) -> str:
    return guarded_row(_cells(record, columns))


def _parse_row(text: str, columns: Sequence[str]) -> dict[str, object]:
    (cells,) = table_rows(io.StringIO(text, newline=""))
    return {n: cell for n, cell in zip(columns, cells, strict=True) if cell}


def _parse_guarded(text: str, columns: Sequence[str]) -> dict[str, object]:
    cells = _parse_row(text, columns)
    return {name: unguarded(str(cell)) for name, cell in cells.items()}


def _cells(record: Record, columns: Sequence[str]) -> Iterator[str]:
    return (_cell(record.get(name)) for name in columns)


def _cell(value: object) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _shown_cell(value: object) -> str:
    return _writable(_cell(value))


def _writable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


JSON_LINES = Format(
    header=lambda _columns: "",
    render=_render_json,
    parse=_parse_json,
    opening="{",
    is_whole=lambda _data: True,
    show=lambda value: value,
    mark="",
)
TABLE = Format(
    header=row_of,
    render=_render_row,
    parse=_parse_row,
    opening="",
    is_whole=lambda data: data.count(b'"') % 2 == 0,
    show=_shown_cell,
    mark="",
)
OPENED_TABLE = replace(
    TABLE, header=guarded_row, render=_render_guarded, parse=_parse_guarded, mark=MARK
)
# what scripts read, what people open, and what versions before this one wrote
FORMATS: dict[str, Format] = {".jsonl": JSON_LINES, ".csv": TABLE}
OPENED: dict[str, Format] = {".jsonl": JSON_LINES, ".csv": OPENED_TABLE}
OLDER: dict[str, Format] = {
    ".jsonl": JSON_LINES,
    ".csv": replace(OPENED_TABLE, mark=""),
}

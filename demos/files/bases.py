"""A file of facts on disk to a base: .csv, .tsv or .jsonl, in UTF-8 or GB18030.

Changes when such a file is opened differently. What its lines may hold lies in
``demos.qa.facts_file``.
"""

import time
from collections.abc import Generator
from pathlib import Path

from demos.errors import FileError
from demos.files.reading import TABLE, sniff_encoding, with_mark
from demos.qa.facts_base import BaseBuilder
from demos.qa.facts_file import check_size, read_facts, rows_of
from demos.qa.facts_held import SAMPLE_NAME, HeldBase

SAMPLE = Path(__file__).resolve().parents[2] / "assets" / "samples" / "facts/base.tsv"


def brought_base(name: str) -> HeldBase:
    """Return the base of a file by its path; "" is the sample that the page has too.

    Raises:
        FileError: It is not there, too large, of no known kind, or a line is wrong.
    """
    return read_base(Path(name), Path(name).name) if name else sample_base()


def sample_base() -> HeldBase:
    """Return the base that comes along."""
    return read_base(SAMPLE, SAMPLE_NAME)


def read_base(path: Path, name: str) -> HeldBase:
    """Return the base of a file under a name for people: see reading_base."""
    reading = reading_base(path, name)
    while True:
        try:
            next(reading)
        except StopIteration as end:
            held: HeldBase = end.value
            return held


def reading_base(path: Path, name: str) -> Generator[int, None, HeldBase]:
    """Return the base of a file, yielding now and then how many lines were read.

    Args:
        path: Where the file lies.
        name: What the base is called for people.

    Raises:
        FileError: It is not there, too large, of no known kind, or a line is wrong.
    """
    began, kind, builder = time.monotonic(), path.suffix.lower(), BaseBuilder()
    rows_of(kind)  # refuses a kind that is not known
    try:
        check_size(path.stat().st_size)
        with path.open("rb") as stream:
            encoding = sniff_encoding(stream)
        if kind == TABLE:
            encoding = with_mark(encoding)
        newline = "" if kind == TABLE else None
        with path.open(
            encoding=encoding, errors="surrogateescape", newline=newline
        ) as lines:
            yield from read_facts(lines, kind, builder)
    except OSError as error:
        raise FileError(
            f"读不了知识库文件 {path.name}：{error.strerror}。",
            f"The file of facts {path.name} cannot be read: {error.strerror}.",
        ) from error
    return HeldBase(name, builder.build(), time.monotonic() - began)

"""A field of lines: a list of texts, or the lines that people paste or keep in a file.

Changes when lines may be given to a request in another form. Knows no model.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from demos import limits
from demos.errors import InvalidRequestError
from demos.limits import Label

MOST_LINES = 10_000
LONGEST_LINE = 2000
UNDECODED = re.compile("[\udc80-\udcff]")  # what surrogateescape leaves of bad bytes
BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True, slots=True)
class NumberedLine:
    """A text and where it stands.

    Attributes:
        text: Without blanks around it, never empty.
        numbers: The lines that hold it, counted from 1, blank lines included; more
            than one where it is repeated.
    """

    text: str
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LineList:
    """A limit: so many lines that are not blank.

    Attributes:
        low: Fewest.
        high: Most.
    """

    low: int = 1
    high: int = MOST_LINES

    @property
    def summary(self) -> str:
        """How many."""
        return f"{self.low}..{self.high} 行 lines"

    def check(self, label: Label, value: object) -> None:
        """Refuse what cannot be read as lines; nothing given may still come."""
        if value is not None and value != "":
            self.read(label, value)

    def read(self, label: Label, value: object) -> tuple[NumberedLine, ...]:
        """Return the distinct lines, in the order met.

        Args:
            label: What the field is called.
            value: A list of texts, one as JSON, or several lines of text; bytes that
                could not be decoded as lone surrogates.

        Raises:
            InvalidRequestError: It is neither, there are too few or too many lines, or
                one of them cannot be used; with its number.
        """
        met: dict[str, list[int]] = {}
        count = 0
        for number, text in enumerate(_items(label, value), 1):
            line = _checked(label, number, text)
            if line:
                count += 1
                met.setdefault(line, []).append(number)
            if count > self.high:
                raise _too_many(label, self.high, number)
        if count < self.low:
            raise label.refuse(
                f"须有 {self.low} 到 {self.high} 行不空的文字，收到 {count} 行。",
                f"must have {self.low} to {self.high} lines that are not blank, got "
                f"{count}.",
            )
        return tuple(NumberedLine(text, tuple(at)) for text, at in met.items())


def _items(label: Label, value: object) -> Iterator[object]:
    if isinstance(value, str):
        value = _parsed(value)
    if value is None:
        raise label.refuse(
            "没有给出；请贴几行，一行一句，或给一个文件。",
            "are missing: paste some, a sentence a line, or give a file.",
        )
    if not isinstance(value, list | tuple):
        got = limits.shown(value)
        raise label.refuse(
            f"须为一行一句的文字，或 [“…”, “…”] 这样的列表，收到 {got}。",
            f'must be text, a sentence a line, or a list such as ["…", "…"], got '
            f"{got}.",
        )
    return iter(value)


def _parsed(text: str) -> object:
    """Return the list that a text spells as JSON, else its lines."""
    stripped = text.strip()
    if stripped.startswith("[") and stripped.endswith("]"):
        try:
            value = json.loads(stripped)
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, list):
            return value
    plain = text.removeprefix(BYTE_ORDER_MARK)
    return plain.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _checked(label: Label, number: int, text: object) -> str:
    if not isinstance(text, str):
        got = limits.shown(text)
        raise _fault(label, number, f"不是文字：{got}", f"is no text: {got}")
    if UNDECODED.search(text):
        raise _fault(
            label,
            number,
            "有无法解码的字节，请另存为 UTF-8 或 GBK",
            "has bytes that cannot be decoded: save the file as UTF-8 or GBK",
        )
    line = text.strip()
    if len(line) > LONGEST_LINE:
        raise _fault(
            label,
            number,
            f"有 {len(line)} 个字，最多 {LONGEST_LINE} 个，请拆开",
            f"has {len(line)} characters, at most {LONGEST_LINE} are fine: split it",
        )
    zh, en = f"{label.zh}第 {number} 行", f"{label.en}, line {number}"
    limits.check_characters(Label(zh, en), line)
    return line


def _fault(label: Label, number: int, zh: str, en: str) -> InvalidRequestError:
    return label.refuse(f"第 {number} 行{zh}。", f"line {number} {en}.")


def _too_many(label: Label, most: int, number: int) -> InvalidRequestError:
    return label.refuse(
        f"最多 {most} 行（空行不算），到第 {number} 行已经超过；请拆成几份。",
        f"may have {most} lines, blank ones apart, and line {number} is past that: "
        "split them.",
    )

"""Passages as people bring them: a list, one text with blank lines, a cell of a table.

Changes when passages may come in another shape. Offsets are never moved: what a person
gave keeps the length it had.
"""

import json
import re
from dataclasses import dataclass

from demos.errors import InvalidRequestError
from demos.limits import Label, Length, shown

MOST = 10
PASSAGE = Length(1, 20_000)
AS_JSON = re.compile(r'\s*\[\s*"')  # how a list of texts begins, and hardly any text
BLANK_LINES = re.compile(r"\n[^\S\n]*(?:\n[^\S\n]*)+")


@dataclass(frozen=True, slots=True)
class Passages:
    """A tuple or list of passages, one as JSON, or a text with blank lines between."""

    @property
    def summary(self) -> str:
        """How many, and of what."""
        return f"1..{MOST} × ({PASSAGE.summary})"

    def check(self, label: Label, value: object) -> None:
        """Refuse what is no text, too many passages, or one outside its length.

        None at all is fine here: a request may have its passage elsewhere.
        """
        if not isinstance(value, str | list | tuple):
            raise label.refuse(
                f"须为列表，或以空行分段的文字，收到 {shown(value)}。",
                f"must be a list, or a text with blank lines between passages, "
                f"got {shown(value)}.",
            )
        if isinstance(value, str) and AS_JSON.match(value) and _listed(value) is None:
            got = shown(value)
            raise label.refuse(
                f"开头像 JSON 列表，却读不成：{got}；请检查引号、逗号和方括号。",
                f"begin like a JSON list but cannot be read as one: {got}; check the "
                "quotes, commas and brackets.",
            )
        given = split(value)
        if len(given) > MOST:
            raise label.refuse(
                f"最多 {MOST} 段，收到 {len(given)} 段；请删去一些，或合成几段。",
                f"may be {MOST} at most, got {len(given)}: drop some or join some.",
            )
        for number, passage in enumerate(given, 1):
            check_passage(label, number, passage)


def check_passage(label: Label, number: int, passage: object) -> None:
    """Refuse one passage by its number.

    Raises:
        InvalidRequestError: It is no text, blank, too long or not representable.
    """
    own = Label(f"{label.zh}第 {number} 段", f"{label.en} {number}")
    try:
        PASSAGE.check(own, passage)
    except InvalidRequestError as error:
        if isinstance(passage, str) and not passage.strip():
            raise own.refuse(
                "是空的；请写入文字，或删去这一段。",
                "is empty: write something, or remove it.",
            ) from error
        raise


def split(given: str | list[object] | tuple[object, ...]) -> tuple[object, ...]:
    """Return the passages of one text, or of a list as they are.

    Line ends are made one kind without moving an offset.
    """
    if isinstance(given, str):
        given = given if (listed := _listed(given)) is None else listed
    if not isinstance(given, str):
        return tuple(
            one_line_end(item) if isinstance(item, str) else item for item in given
        )
    text = one_line_end(given).strip()
    return tuple(BLANK_LINES.split(text)) if text else ()


def one_line_end(text: str) -> str:
    """Return a text of the same length whose lines end in a newline alone."""
    return text.replace("\r\n", " \n").replace("\r", "\n") if "\r" in text else text


def _listed(text: str) -> list[object] | None:
    """Return the list that a text spells as JSON, None where it is none."""
    if not AS_JSON.match(text):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, list) else None

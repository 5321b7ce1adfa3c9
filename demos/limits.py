"""Limits and labels of a request's fields, declared once: drawn by forms, checked here.

Changes when a request needs a kind of limit that does not exist yet. Knows no task.
A field reads ``name: Annotated[int, Range(1, 8), Label("束宽", "Beams")] = 4``.
"""

import math
import re
from dataclasses import dataclass, fields
from functools import cache
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Any,
    Protocol,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from demos.errors import InvalidRequestError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Advice = tuple[str, str]
"""What to lower where an answer takes too long, in Chinese and in English."""

LATER: Advice = ("请稍后再试，或缩短文字", "try again in a while, or shorten the text")
SHOWN_CHARS = 40  # of a refused value, in its message
LONGEST_WHOLE = 10**30  # a longer one may be too long for repr()
UNUSABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Label:
    """What a field is called for people, with one sentence of help.

    Attributes:
        zh: The Chinese name, as on the page.
        en: The English name, as on the page.
        zh_help: What the field does.
        en_help: The same in English.
    """

    zh: str
    en: str
    zh_help: str = ""
    en_help: str = ""

    def refuse(self, zh: str, en: str) -> InvalidRequestError:
        """Return the error that opens with this field's name."""
        return InvalidRequestError(f"“{self.zh}”{zh}", f"“{self.en}” {en}")


class Limit(Protocol):
    """What a field may hold."""

    @property
    def summary(self) -> str:
        """The limit in a few signs, for help texts, e.g. ``1..8``."""
        ...

    def check(self, label: Label, value: object) -> None:
        """Raise InvalidRequestError, naming the limit and the value received."""
        ...


@dataclass(frozen=True, slots=True)
class Range:
    """An inclusive numeric range; whole numbers only where ``step`` is whole."""

    low: float
    high: float
    step: float = 1

    @property
    def whole(self) -> bool:
        """Whether only whole numbers lie in the range."""
        return float(self.step).is_integer()

    @property
    def summary(self) -> str:
        """Both ends."""
        return f"{_plain(self.low)}..{_plain(self.high)}"

    def check(self, label: Label, value: object) -> None:
        """Refuse what is no number, not finite, not whole, or outside the range."""
        if not _is_number(value, whole=self.whole) or not self._holds(value):
            low, high, got = _plain(self.low), _plain(self.high), shown(value)
            zh, en = ("整数", "whole number") if self.whole else ("数", "number")
            raise label.refuse(
                f"须为 {low} 到 {high} 之间的{zh}，收到 {got}。",
                f"must be a {en} between {low} and {high}, got {got}.",
            )

    def _holds(self, value: Any) -> bool:
        return bool(self.low <= value <= self.high)


@dataclass(frozen=True, slots=True)
class OptionalRange(Range):
    """A range, or None: nothing chosen."""

    def check(self, label: Label, value: object) -> None:
        """Accept None, else check as a range."""
        if value is not None:
            Range.check(self, label, value)


@dataclass(frozen=True, slots=True)
class Length:
    """Allowed number of characters; blanks alone do not reach the lower bound."""

    low: int
    high: int

    @property
    def summary(self) -> str:
        """Both ends, in characters."""
        return f"{self.low}..{self.high} 字 chars"

    def check(self, label: Label, value: object) -> None:
        """Refuse what is no text, too short, too long or not representable."""
        if not isinstance(value, str):
            raise label.refuse(
                f"须为文字，收到 {shown(value)}。", f"must be text, got {shown(value)}."
            )
        if len(value) > self.high or len(value.strip()) < self.low:
            self._refuse_length(label, value)
        check_characters(label, value)

    def _refuse_length(self, label: Label, value: str) -> None:
        blank = bool(value) and not value.strip()
        raise label.refuse(
            f"须为 {self.low} 到 {self.high} 个字符，收到 {len(value)} 个"
            f"{'，全是空白' if blank else ''}。",
            f"must have {self.low} to {self.high} characters, got {len(value)}"
            f"{', all blank' if blank else ''}.",
        )


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of a few fixed words."""

    choices: tuple[str, ...]

    @property
    def summary(self) -> str:
        """Every choice."""
        return "|".join(self.choices)

    def check(self, label: Label, value: object) -> None:
        """Refuse a value that is not among the choices, and list them."""
        if not isinstance(value, str) or value not in self.choices:
            raise label.refuse(
                f"须为{'、'.join(self.choices)}之一，收到 {shown(value)}。",
                f"must be one of {', '.join(self.choices)}, got {shown(value)}.",
            )


@dataclass(frozen=True, slots=True)
class Switch:
    """On or off."""

    @property
    def summary(self) -> str:
        """Both positions."""
        return "true|false"

    def check(self, label: Label, value: object) -> None:
        """Refuse anything but True and False."""
        if not isinstance(value, bool):
            raise label.refuse(
                f"须为 true 或 false，收到 {shown(value)}。",
                f"must be true or false, got {shown(value)}.",
            )


def check(request: "DataclassInstance") -> None:
    """Refuse a request whose values leave their declared limits.

    Raises:
        InvalidRequestError: For the first field that does, in declared order.
    """
    for name in names_of(type(request)):
        label = label_of(type(request), name)
        limit_of(type(request), name).check(label, getattr(request, name))


def names_of(request_type: "type[DataclassInstance]") -> tuple[str, ...]:
    """Return the names of a request's fields, in declared order."""
    return tuple(field.name for field in fields(request_type))


def limit_of(request_type: "type[DataclassInstance]", name: str) -> Limit:
    """Return the limit annotated on a field, for a form to draw."""
    limit, _ = _annotations(request_type)[name]
    return limit


def label_of(request_type: "type[DataclassInstance]", name: str) -> Label:
    """Return the label annotated on a field, for a form to draw."""
    _, label = _annotations(request_type)[name]
    return label


def advice_of(request_type: "type[DataclassInstance]") -> Advice:
    """Return what to lower where an answer takes too long: the request's ``ADVICE``."""
    found: Advice = getattr(request_type, "ADVICE", LATER)
    return found


def type_of(request_type: "type[DataclassInstance]", name: str) -> type[Any]:
    """Return the type of a field's values, e.g. ``int`` where it is ``int | None``."""
    hint: Any = get_type_hints(request_type)[name]
    if isinstance(hint, UnionType):
        (hint,) = (part for part in get_args(hint) if part is not NoneType)
    return cast("type[Any]", get_origin(hint) or hint)


@cache
def _annotations(
    request_type: "type[DataclassInstance]",
) -> dict[str, tuple[Limit, Label]]:
    hints = get_type_hints(request_type, include_extras=True)
    return {name: hints[name].__metadata__ for name in names_of(request_type)}


def check_characters(label: Label, text: str) -> None:
    """Refuse lone surrogates and control characters other than newline and tab."""
    found = UNUSABLE.search(text)
    if found is None:
        return
    code, place = f"U+{ord(found[0]):04X}", found.start() + 1
    lone = found[0] >= "\ud800"
    raise label.refuse(
        f"的第 {place} 个字符 {code} 是{'残缺的代理字符' if lone else '控制字符'}，"
        "请删去（换行和制表符可用）。",
        f"has {'a lone surrogate' if lone else 'a control character'}, {code}, at "
        f"character {place}: remove it (newline and tab are fine).",
    )


def check_words(request: "DataclassInstance", name: str) -> None:
    """Refuse a text without a letter, a character or a digit.

    For fields that a model writes about; out of signs alone it would only invent.

    Raises:
        InvalidRequestError: There is none in the field.
    """
    text = getattr(request, name)
    if not any(map(str.isalnum, text)):
        raise label_of(type(request), name).refuse(
            f"里没有字：须有汉字、字母或数字，收到 {shown(text)}。",
            f"needs words: a character, a letter or a digit, got {shown(text)}.",
        )


def shown(value: object) -> str:
    """Return a refused value as a message shows it: short and printable."""
    if isinstance(value, int) and abs(value) > LONGEST_WHOLE:
        return f"{'-' if value < 0 else ''}{LONGEST_WHOLE:.0e}…"
    unusable = isinstance(value, str) and UNUSABLE.search(value)
    text = ascii(value) if unusable else repr(value)
    return text if len(text) <= SHOWN_CHARS else text[: SHOWN_CHARS - 1] + "…"


def _is_number(value: object, *, whole: bool) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, float) and not whole:
        return math.isfinite(value)
    return isinstance(value, int)


def _plain(bound: float) -> str:
    return str(int(bound)) if float(bound).is_integer() else f"{bound:g}"

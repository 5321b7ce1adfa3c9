"""What was said before: a list of turns, one as JSON, or the lines of a saved one.

Changes when earlier turns may be given in another shape. Knows no model.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

from demos.errors import InvalidRequestError
from demos.limits import Label, Length, OneOf, shown
from model_core.interfaces.dialogue import SPEAKERS, Speaker, Turn

MOST_TURNS = 40  # even: what is kept of a longer conversation opens with the person
TURN_TEXT = Length(1, 2000)
SPEAKER = OneOf(SPEAKERS)
PERSON, MODEL = SPEAKERS
SHAPE = '[{"speaker": "person", "text": …}, {"speaker": "model", "text": …}]'
HISTORY_LABEL = Label(
    "历史",
    "History",
    f"此前的话，最多 {MOST_TURNS} 句，两位轮流",
    f"what was said before, at most {MOST_TURNS} turns, by turns",
)


@dataclass(frozen=True, slots=True)
class History:
    """A limit: turns of two speakers that alternate, the model's the last."""

    @property
    def summary(self) -> str:
        """How many, and of what."""
        return f"0..{MOST_TURNS} × {{speaker, text}}"

    def check(self, label: Label, value: object) -> None:
        """Refuse what cannot be read as earlier turns."""
        self.read(label, value)

    def read(self, label: Label, value: object) -> tuple[Turn, ...]:
        """Return the turns, oldest first; none for None and for an empty text.

        Args:
            label: What the field is called.
            value: A list of turns or of maps with ``speaker`` and ``text`` (more names
                are left alone), one as JSON, or such maps one a line.

        Raises:
            InvalidRequestError: They are no list, too many, a turn is no turn, or the
                speakers do not alternate up to the model's turn, with its number.
        """
        items = _items(label, value)
        if len(items) > MOST_TURNS:
            over = len(items) - MOST_TURNS
            raise label.refuse(
                f"最多 {MOST_TURNS} 句，收到 {len(items)} 句；请去掉最早的 {over} 句。",
                f"may have {MOST_TURNS} turns at most, got {len(items)}: leave out the "
                f"oldest {over}.",
            )
        turns = tuple(
            _turn(label, number, item) for number, item in enumerate(items, 1)
        )
        _check_order(label, turns)
        return turns


def record_of(turn: Turn) -> dict[str, str]:
    """Return a turn as JSON values."""
    return {"speaker": turn.speaker, "text": turn.text}


def _items(label: Label, value: object) -> tuple[object, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        value = _parsed(label, value.strip())
    if not isinstance(value, list | tuple):
        raise _no_list(label, value)
    return tuple(value)


def _parsed(label: Label, text: str) -> object:
    """Return the list that a text spells, as JSON or as JSON lines."""
    if text.startswith("["):
        return _value(label, text, 1)
    if text.startswith("{"):
        lines = enumerate(text.split("\n"), 1)
        return [_value(label, line, number) for number, line in lines if line.strip()]
    if text:
        raise _no_list(label, text)
    return ()


def _value(label: Label, text: str, first_line: int) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _no_json(label, error, first_line) from error


def _no_json(label: Label, error: Exception, first_line: int) -> InvalidRequestError:
    place_zh = place_en = ""
    if isinstance(error, json.JSONDecodeError):
        line, column = first_line + error.lineno - 1, error.colno
        place_zh = f"第 {line} 行第 {column} 个字符处"
        place_en = f" at line {line}, character {column}"
    return label.refuse(
        f"{place_zh}读不成 JSON；请检查引号、逗号和括号，形如 {SHAPE}。",
        f"cannot be read as JSON{place_en}; check the quotes, commas and brackets: it "
        f"looks like {SHAPE}.",
    )


def _no_list(label: Label, value: object) -> InvalidRequestError:
    got = shown(value)
    return label.refuse(
        f"须为 {SHAPE} 这样的列表，收到 {got}。",
        f"must be a list such as {SHAPE}, got {got}.",
    )


def _turn(label: Label, number: int, item: object) -> Turn:
    own = Label(f"{label.zh}第 {number} 句", f"{label.en} turn {number}")
    if isinstance(item, Turn):
        item = record_of(item)
    if not isinstance(item, Mapping) or not {"speaker", "text"} <= item.keys():
        got = shown(item)
        raise own.refuse(
            f"须有 speaker 与 text 两项，收到 {got}。",
            f"must have a speaker and a text, got {got}.",
        )
    whose = Label(f"{own.zh}的说话人", f"{own.en} speaker")
    SPEAKER.check(whose, item["speaker"])
    TURN_TEXT.check(own, item["text"])
    return Turn(cast("Speaker", item["speaker"]), str(item["text"]))


def _check_order(label: Label, turns: tuple[Turn, ...]) -> None:
    for number, (one, following) in enumerate(pairwise(turns), 1):
        if one.speaker == following.speaker:
            raise label.refuse(
                f"第 {number} 句和第 {number + 1} 句都是 {one.speaker} 说的，而 "
                f"{PERSON} 与 {MODEL} 须轮流；请合成一句，或删去一句。",
                f"has turns {number} and {number + 1} both by {one.speaker}, but "
                f"{PERSON} and {MODEL} take turns: join the two, or drop one.",
            )
    if turns and turns[-1].speaker != MODEL:
        raise label.refuse(
            f"的最后一句须是 {MODEL} 说的，因为接下来是 {PERSON} 的“消息”，收到 "
            f"{turns[-1].speaker}；请把这一句放进“消息”（message）。",
            f"must end with a turn of the {MODEL}, as the message is the {PERSON}'s, "
            f"got {turns[-1].speaker}: give that turn as the message.",
        )

"""Labels and the words that stand for them, in every way people give them.

Changes when labels may be written in another way. Knows no pattern and no model.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from demos import limits
from demos.errors import InvalidRequestError
from demos.limits import Label, Length

LABELS_LABEL = Label(
    "标签",
    "Labels",
    "一行一个：标签=词；只写词也可以",
    "one a line: label=word, or the word alone",
)
FEWEST, MOST = 2, 64
LABEL_CHARS, WORD_CHARS = 40, 20
MAX_CHARS = MOST * (LABEL_CHARS + WORD_CHARS + 2)
STRUCTURE = re.compile(r"\s*[\[{]")
# the first that a line has parts it: a colon may belong to the label
PARTINGS = (re.compile("[=＝\t]"), re.compile("[:：]"))
PAIR = ("label", "word")

Pair = tuple[object, object]


@dataclass(frozen=True, slots=True)
class LabelWords:
    """A limit: so many labels, each with a word of its own.

    Attributes:
        low: Fewest labels.
        high: Most labels.
    """

    low: int = FEWEST
    high: int = MOST

    @property
    def summary(self) -> str:
        """How many, and of what."""
        return f"{self.low}..{self.high} × 标签=词 label=word"

    def check(self, label: Label, value: object) -> None:
        """Refuse what cannot be read as labels and words; nothing may come later."""
        if value is not None and value != "":
            self.read(label, value)

    def read(self, label: Label, value: object) -> dict[str, str]:
        """Return the labels' words, in the order given.

        Args:
            label: What the field is called.
            value: A map, a list of words, a list of ``{"label", "word"}``, or any of
                them as JSON, or lines of text.

        Raises:
            InvalidRequestError: It is none of these, a label or word is empty, too
                long or given twice, or there are too few or too many.
        """
        if value is None or value == "":
            raise _missing(label)
        pairs = list(_pairs(label, value))
        if not self.low <= len(pairs) <= self.high:
            raise _number(label, self, len(pairs))
        read = [_checked(label, n, pair) for n, pair in enumerate(pairs, 1)]
        for at, kind in ((0, ("标签", "label")), (1, ("词", "word"))):
            _check_distinct(label, [pair[at] for pair in read], kind)
        return dict(read)


def as_lines(labels: Mapping[str, str]) -> str:
    """Return labels as a person writes them, one a line."""
    return "\n".join(
        word if name == word else f"{name}={word}" for name, word in labels.items()
    )


def _pairs(label: Label, value: object) -> Iterator[Pair]:
    if isinstance(value, str):
        return _pairs_of_text(label, value)
    if isinstance(value, Mapping):
        return iter(value.items())
    if isinstance(value, list | tuple):
        return (_pair_of_item(label, n, item) for n, item in enumerate(value, 1))
    raise _shape(label, value)


def _pairs_of_text(label: Label, text: str) -> Iterator[Pair]:
    if STRUCTURE.match(text):
        try:
            value = json.loads(text, object_pairs_hook=_kept_pairs)
        except (ValueError, RecursionError):
            raise _shape(label, text) from None
        return _pairs(label, value)
    return (_pair_of_line(line) for line in text.splitlines() if line.strip())


class _Pairs(dict[str, object]):
    """A JSON object that forgets no key given twice."""

    def __init__(self, pairs: Sequence[tuple[str, object]]) -> None:
        super().__init__(pairs)
        self._pairs = pairs

    def items(self) -> Sequence[tuple[str, object]]:  # type: ignore[override]
        return self._pairs


def _kept_pairs(pairs: list[tuple[str, object]]) -> _Pairs:
    return _Pairs(pairs)


def _pair_of_line(line: str) -> Pair:
    for parting in PARTINGS:
        found = parting.search(line)
        if found:
            return line[: found.start()].strip(), line[found.end() :].strip()
    return line.strip(), line.strip()


def _pair_of_item(label: Label, number: int, item: object) -> Pair:
    if isinstance(item, Mapping):
        if not set(PAIR) <= item.keys():
            raise _item(label, number, item)
        return item["label"], item["word"]
    return item, item


def _checked(label: Label, number: int, pair: Pair) -> tuple[str, str]:
    name, word = pair
    _check_text(label, number, ("标签", "label"), name, LABEL_CHARS)
    _check_text(label, number, ("词", "word"), word, WORD_CHARS)
    return str(name), str(word).strip()


def _check_text(
    label: Label, number: int, kind: tuple[str, str], value: object, most: int
) -> None:
    if not isinstance(value, str) or not value.strip() or len(value) > most:
        empty = isinstance(value, str) and not value.strip()
        said = limits.shown(value)
        got = ("空的", "nothing") if empty else (f" {said}", said)
        raise label.refuse(
            f"第 {number} 个的{kind[0]}须为 1 到 {most} 个字符的文字，收到{got[0]}。",
            f"number {number}: its {kind[1]} must be text of 1 to {most} characters, "
            f"got {got[1]}.",
        )
    Length(1, most).check(label, value)


def _check_distinct(label: Label, values: Sequence[str], kind: tuple[str, str]) -> None:
    seen: dict[str, int] = {}
    for number, value in enumerate(values, 1):
        if value in seen:
            got = limits.shown(value)
            raise label.refuse(
                f"第 {seen[value]} 个和第 {number} 个的{kind[0]}都是 {got}，"
                "须各不相同，请改掉一个。",
                f"numbers {seen[value]} and {number} have the same {kind[1]}, {got}: "
                "change one of them.",
            )
        seen[value] = number


def _missing(label: Label) -> InvalidRequestError:
    return label.refuse(
        "没有给出：请写至少两个，一行一个，例如 好评=好。",
        "are not given: write two or more, one a line, such as 好评=好.",
    )


def _number(label: Label, limit: LabelWords, got: int) -> InvalidRequestError:
    return label.refuse(
        f"须有 {limit.low} 到 {limit.high} 个，收到 {got} 个。",
        f"must be {limit.low} to {limit.high}, got {got}.",
    )


def _shape(label: Label, value: object) -> InvalidRequestError:
    got = limits.shown(value)
    return label.refuse(
        f'须为 {{"标签": "词"}}、词的列表，或每行一个“标签=词”，收到 {got}。',
        'must be {"label": "word"}, a list of words, or lines of label=word; '
        f"got {got}.",
    )


def _item(label: Label, number: int, item: object) -> InvalidRequestError:
    got = limits.shown(item)
    return label.refuse(
        f"第 {number} 个须有 label 和 word 两项，收到 {got}。",
        f"number {number} must have a label and a word, got {got}.",
    )

"""Labelled examples, and all that one learning depends on: the key of what is learned.

Changes when an example may be written in another way, or when learning depends on
something new. Knows no model.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from demos import limits
from demos.errors import InvalidRequestError
from demos.fewshot.pattern import Pattern
from demos.limits import Label, Length
from model_core.interfaces import Blanked, LearningOptions

EXAMPLES_LABEL = Label(
    "示例",
    "Examples",
    "带标签的文本，先学再答",
    "labelled texts to learn from before the answer",
)
FEWEST, MOST = 2, 2_000
TEXT_CHARS = 2_000
SHOWN_FAULTS = 3
SHOWN_LABELS = 12
TEXT = Length(1, TEXT_CHARS)

Record = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Example:
    """A text, or a pair of texts, with its label."""

    text: str
    label: str
    text_b: str = ""

    @property
    def record(self) -> dict[str, str]:
        """The same as JSON; without a second text where there is none."""
        second = {"text_b": self.text_b} if self.text_b else {}
        return {"text": self.text, **second, "label": self.label}


@dataclass(frozen=True, slots=True)
class Placed:
    """A record and where it stands, for messages.

    Attributes:
        record: With ``text``, ``label`` and perhaps ``text_b``.
        zh: Such as ``第 3 行``.
        en: Such as ``line 3``.
    """

    record: Record
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What every example must fit.

    Attributes:
        labels: Those that are known; None takes any.
        pairs: Whether a second text is needed.
    """

    labels: tuple[str, ...] | None = None
    pairs: bool = False


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is learned: equal lessons on equal weights give equal results.

    Attributes:
        pattern: The sentence with a blank.
        labels: Each label with its word.
        examples: In the order given.
        options: How to learn.
    """

    pattern: Pattern
    labels: tuple[tuple[str, str], ...]
    examples: tuple[Example, ...]
    options: LearningOptions

    @property
    def words(self) -> tuple[str, ...]:
        """The words, in the labels' order."""
        return tuple(word for _, word in self.labels)

    @property
    def sentences(self) -> tuple[Blanked, ...]:
        """Every example with its blank."""
        return tuple(
            self.pattern.blanked(one.text, one.text_b) for one in self.examples
        )

    @property
    def answers(self) -> tuple[int, ...]:
        """Index of every example's word."""
        places = {name: place for place, (name, _) in enumerate(self.labels)}
        return tuple(places[example.label] for example in self.examples)


def read_placed(
    label: Label, placed: Iterable[Placed], wanted: Wanted
) -> tuple[Example, ...]:
    """Return the examples of records.

    Raises:
        InvalidRequestError: Some cannot be used; names the first few by their places.
    """
    examples, faults = [], []
    for one in placed:
        try:
            examples.append(_read(one, wanted))
        except InvalidRequestError as error:
            faults.append(error)
    if faults:
        raise label.refuse(
            "里" + _joined([fault.zh for fault in faults], "；", "另有 {} 处。"),
            "are wrong: "
            + _joined([fault.en for fault in faults], "; ", "and {} more."),
        )
    return tuple(examples)


def check_number(label: Label, got: int, low: int, high: int) -> None:
    """Refuse too few or too many examples."""
    if not low <= got <= high:
        raise label.refuse(
            f"须有 {low} 到 {high} 条，收到 {got} 条。",
            f"must be {low} to {high}, got {got}.",
        )


def listed(labels: Iterable[str], comma: str) -> str:
    """Return labels for a message, the first dozen of many."""
    names = list(labels)
    more = "…" if len(names) > SHOWN_LABELS else ""
    return comma.join(names[:SHOWN_LABELS]) + more


def _read(placed: Placed, wanted: Wanted) -> Example:
    where = Label(placed.zh, placed.en)
    texts = dict(_texts(placed.record, pairs=wanted.pairs))
    for name, value in texts.items():
        if value is None:
            raise _said(placed, f"缺少 {name}", f"has no {name}")
        try:
            TEXT.check(where, value)
        except InvalidRequestError as error:
            raise _said(
                placed,
                f"的 {name} {_tail(error.zh)}",
                f"{name} {_tail(error.en)}",
            ) from error
    label = _label_of(placed, wanted)
    return Example(str(texts["text"]), label, str(texts.get("text_b", "")))


def _texts(record: Record, *, pairs: bool) -> Iterator[tuple[str, object]]:
    yield "text", record.get("text")
    if pairs or record.get("text_b"):
        yield "text_b", record.get("text_b") or None


def _label_of(placed: Placed, wanted: Wanted) -> str:
    label = placed.record.get("label")
    if isinstance(label, int) and not isinstance(label, bool):
        label = str(label)
    if not isinstance(label, str) or not label.strip():
        raise _said(placed, "缺少 label", "has no label")
    if wanted.labels is not None and label not in wanted.labels:
        got = limits.shown(label)
        raise _said(
            placed,
            f"的标签 {got} 不在标签表里（{listed(wanted.labels, '、')}）",
            f"has the label {got}, which is not among {listed(wanted.labels, ', ')}",
        )
    return label


def _said(placed: Placed, zh: str, en: str) -> InvalidRequestError:
    return InvalidRequestError(f"{placed.zh}{zh}", f"{placed.en} {en}")


def _tail(sentence: str) -> str:
    """Return a sentence without the name it opens with and without its stop."""
    _, _, said = sentence.partition("”")
    return said.strip().rstrip("。.")


def _joined(sentences: list[str], comma: str, more: str) -> str:
    shown, rest = sentences[:SHOWN_FAULTS], len(sentences) - SHOWN_FAULTS
    stop = "。" if comma == "；" else "."
    if rest <= 0:
        return comma.join(shown) + stop
    return comma.join([*shown, more.format(rest)])

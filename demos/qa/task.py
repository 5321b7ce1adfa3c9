"""Answer a question from passages: what may be asked, what comes back, mode by mode.

Changes when the question put to the model changes. Knows no page, no file, no network.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

from demos import limits
from demos.limits import Label, Length, OneOf, Range, Switch
from demos.qa.passages import Passages, split
from model_core.interfaces import (
    PassageReader,
    ReadAnswer,
    ReadingFrame,
    ReadingMode,
    ReadingOptions,
)

AUTO = "auto"
NUM_ANSWERS = 4  # the answer and those that came close
MODE_LABEL = Label(
    "读法",
    "Mode",
    "自动由权重决定：生成、一次填空或指读",
    "auto follows the weights: write, fill masks, or point",
)
PASSAGES_LABEL = Label(
    "段落", "Passages", "段与段之间空一行", "a blank line between passages"
)


@dataclass(frozen=True, slots=True)
class QaRequest:
    """A question, the passages to answer it from, and how to read them.

    ``passages`` may be given as a list or as one text with blank lines; ``passage``
    is one more. Both end as the tuple ``passages``.

    Raises:
        InvalidRequestError: A field lies outside its declared limit, or there is no
            passage.
    """

    ALTERNATIVES: ClassVar = frozenset({"passages", "passage"})
    ADVICE: ClassVar = (
        "请减少段落或缩短它们，或不比较读法",
        "give fewer or shorter passages, or do not compare modes",
    )

    question: Annotated[
        str, Length(1, 200), Label("问题", "Question", "问段落里的事", "about the text")
    ]
    passages: Annotated[tuple[str, ...], Passages(), PASSAGES_LABEL] = ()
    mode: Annotated[str, OneOf((AUTO, "seq2seq", "mlm", "span")), MODE_LABEL] = AUTO
    extractive: Annotated[
        bool,
        Switch(),
        Label("只用原文", "Extractive", "答案须出自段落", "only words of the passages"),
    ] = True
    max_answer_tokens: Annotated[
        int,
        Range(1, 128),
        Label("答案最长", "Max answer tokens", "词元数上限", "upper limit, in tokens"),
    ] = 32
    compare: Annotated[
        bool,
        Switch(),
        Label("比较读法", "Compare modes", "几种读法各读一遍", "read in every mode"),
    ] = False
    passage: Annotated[
        str,
        Length(0, 20_000),
        Label("单独一段", "Passage", "只有一段时用它", "where there is only one"),
    ] = ""

    def __post_init__(self) -> None:
        """Check the declared limits, then bring all passages to one place."""
        limits.check(self)
        given = (*split(self.passages), *split((self.passage,) if self.passage else ()))
        Passages().check(PASSAGES_LABEL, given)
        if not given:
            raise PASSAGES_LABEL.refuse(
                "一段也没有；请给出至少一段（passages 或 passage）。",
                "are missing: give at least one (passages or passage).",
            )
        object.__setattr__(self, "passages", given)
        object.__setattr__(self, "passage", "")

    def options(self, mode: ReadingMode) -> ReadingOptions:
        """Return the same settings as the core names them."""
        return ReadingOptions(
            mode=mode,
            extractive=self.extractive,
            max_answer_tokens=self.max_answer_tokens,
            num_answers=NUM_ANSWERS,
        )


@dataclass(frozen=True, slots=True)
class QaResult:
    """The whole result so far.

    Attributes:
        request: What was asked.
        readings: What came of it, one per mode read so far; the first is the answer's,
            and only the last one may still grow.
        num_modes: How many modes are to be read.
    """

    request: QaRequest
    readings: tuple[ReadingFrame, ...]
    num_modes: int

    @property
    def reading(self) -> ReadingFrame:
        """The reading whose answer counts."""
        return self.readings[0]

    @property
    def answer(self) -> ReadAnswer | None:
        """The answer of the mode that counts; None while there is none yet."""
        return best_of(self.reading)

    @property
    def finished(self) -> bool:
        """Whether every mode has come to its end."""
        begun = self.readings
        return len(begun) == self.num_modes and all(one.finished for one in begun)


def answer(request: QaRequest, model: PassageReader) -> Iterator[QaResult]:
    """Yield the whole result so far, mode after mode.

    Raises:
        InvalidRequestError: These weights cannot read in the mode.
        ModelError: The model cannot answer.
    """
    done: tuple[ReadingFrame, ...] = ()
    modes = modes_of(request, model.modes)
    for mode in modes:
        now: tuple[ReadingFrame, ...] = ()
        frames = model.read(request.question, request.passages, request.options(mode))
        for frame in frames:
            now = (placed(frame, request.passages),)
            yield QaResult(request, (*done, *now), len(modes))
        done += now


def follows(request: QaRequest, model: PassageReader) -> bool:
    """Tell whether these weights can read in the mode."""
    return request.mode in (AUTO, *model.modes)


def modes_of(
    request: QaRequest, known: tuple[ReadingMode, ...]
) -> tuple[ReadingMode, ...]:
    """Return the modes to read in, the one that counts first.

    Raises:
        InvalidRequestError: The weights do not know the mode, or know none.
    """
    wanted = [mode for mode in known if request.mode in (AUTO, mode)]
    if not wanted:
        zh, en = "、".join((AUTO, *known)), ", ".join((AUTO, *known))
        raise MODE_LABEL.refuse(
            f"须为所用权重会的读法：{zh}，收到 {request.mode}。",
            f"must be one that these weights can read in: {en}; got {request.mode}.",
        )
    first = wanted[0]
    others = tuple(mode for mode in known if mode != first)
    return (first, *others) if request.compare else (first,)


def best_of(reading: ReadingFrame) -> ReadAnswer | None:
    """Return a reading's own answer, None while there is none yet."""
    return reading.answers[0] if reading.answers else None


def placed(reading: ReadingFrame, passages: tuple[str, ...]) -> ReadingFrame:
    """Return the reading with no place claimed that does not hold its text."""
    answers = tuple(
        one
        if stands_at(passages, one.passage, one.start, one.text)
        else replace(one, passage=-1, start=-1)
        for one in reading.answers
    )
    votes = tuple(
        vote
        if stands_at(passages, vote.passage, vote.start, vote.text)
        else replace(vote, start=-1)
        for vote in reading.votes
    )
    return replace(reading, answers=answers, votes=votes)


def stands_at(passages: tuple[str, ...], passage: int, start: int, text: str) -> bool:
    """Tell whether a passage has a text, not empty, at an offset."""
    if not text or start < 0 or not 0 <= passage < len(passages):
        return False
    return passages[passage].startswith(text, start)

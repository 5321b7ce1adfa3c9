"""A PassageReader that knows its answers: what the tests of qa run on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from model_core.interfaces import (
    ModelError,
    PassageVote,
    ReadAnswer,
    ReadingFrame,
    ReadingMode,
    ReadingOptions,
    WeightsInfo,
)
from tests.fakes import EMBEDDED

SECONDS: dict[ReadingMode, float] = {"seq2seq": 0.6, "mlm": 0.1, "span": 0.05}
NONE = "没有答案"


@dataclass
class FakePassageReader:
    """Looks for the answers it was given; ``seq2seq`` writes one character a step.

    Attributes:
        answers: Texts by question, best first; a question that is not there, or whose
            answers stand in no passage, has no answer.
        modes: What it can read in.
        asked: Every (question, passages, options).
        closed: Runs that have ended, by themselves or by being closed.
    """

    answers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    modes: tuple[ReadingMode, ...] = ("mlm", "seq2seq")
    weights: WeightsInfo = EMBEDDED
    asked: list[tuple[str, tuple[str, ...], ReadingOptions]] = field(
        default_factory=list
    )
    closed: int = 0

    def read(
        self, question: str, passages: Sequence[str], options: ReadingOptions
    ) -> Iterator[ReadingFrame]:
        """Yield one frame a step."""
        self.asked.append((question, tuple(passages), options))
        try:
            if options.mode not in self.modes:
                raise ModelError("unsupported", "不会这种读法。", "No such mode.")
            yield from self._frames(question, passages, options)
        finally:
            self.closed += 1

    def _frames(
        self, question: str, passages: Sequence[str], options: ReadingOptions
    ) -> Iterator[ReadingFrame]:
        texts = self.answers.get(question, ())
        found = [
            ReadAnswer(text, 0.8 / 2**rank, place, passage.find(text))
            for rank, text in enumerate(texts)
            for place, passage in enumerate(passages)
            if text in passage or not options.extractive
        ]
        found.append(ReadAnswer("", 0.9 if not found else 0.1))
        last = len(found[0].text) if options.mode == "seq2seq" else 1
        for step in range(1, max(1, last) + 1):
            whole = step >= last
            cut = found[0].text if whole else found[0].text[:step]
            best = ReadAnswer(cut, *_place(found[0]))
            yield ReadingFrame(
                answers=(best, *found[1 : options.num_answers]),
                votes=tuple(_vote(n, p, texts) for n, p in enumerate(passages)),
                num_steps=step,
                elapsed_seconds=SECONDS[options.mode] * step / max(1, last),
                mode=options.mode,
                weights=self.weights,
                finished=whole,
            )


def _place(one: ReadAnswer) -> tuple[float, int, int]:
    return one.probability, one.passage, one.start


def _vote(number: int, passage: str, texts: tuple[str, ...]) -> PassageVote:
    own = next((text for text in texts if text in passage), "")
    start = passage.find(own) if own else -1
    return PassageVote(number, 0.9 if own else 0.1, own, 0.75 if own else 1.0, start)

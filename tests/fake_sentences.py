"""Stand-ins that judge sentences: what the tests of the sentences tab run on."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from model_core.interfaces import (
    Inspected,
    Judged,
    ModelError,
    Pooling,
    RephraseFrame,
    RephraseOptions,
    Rephrasing,
    SentenceVectors,
    TextPair,
    TokenVerdict,
    WeightsInfo,
)
from tests.fakes import EMBEDDED

WIDTH = 64
PRIME = 31


@dataclass
class FakeSentenceEncoder:
    """A SentenceEncoder that counts characters: sentences of like characters are near.

    Reads the first ``window`` characters. A text in ``failures`` raises its ModelError;
    ``asked`` holds every call's texts.
    """

    weights: WeightsInfo = EMBEDDED
    pooling: Pooling = "mean"
    window: int = 500
    step_seconds: float = 0.0
    failures: dict[str, ModelError] = field(default_factory=dict)
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def encode(self, texts: Sequence[str]) -> SentenceVectors:
        """Return one count per character's place, scaled to length 1."""
        self.asked.append(tuple(texts))
        time.sleep(self.step_seconds)
        for text in texts:
            if text in self.failures:
                raise self.failures[text]
        counts = np.zeros((len(texts), WIDTH), "float32")
        for row, text in enumerate(texts):
            for char in text[: self.window].strip():
                counts[row, ord(char) * PRIME % WIDTH] += 1
        lengths = np.linalg.norm(counts, axis=1, keepdims=True)
        read = tuple(min(len(text), self.window) for text in texts)
        return SentenceVectors(counts / np.where(lengths > 0, lengths, 1), read)


@dataclass
class FakeTextClassifier:
    """A TextClassifier that finds a text good by how many 好 it has.

    With a second text, as many as both have.
    """

    weights: WeightsInfo = EMBEDDED
    labels: tuple[str, ...] = ("差评", "好评")
    window: int = 500
    asked: list[tuple[TextPair, ...]] = field(default_factory=list)

    def classify(self, pairs: Sequence[TextPair]) -> tuple[Judged, ...]:
        """Return a share that grows with every 好."""
        self.asked.append(tuple(pairs))
        return tuple(map(self._judged, pairs))

    def _judged(self, pair: TextPair) -> Judged:
        bad = 0.75 * 0.5 ** f"{pair.text}{pair.text_b}".count("好")
        rest = (1 - bad) / (len(self.labels) - 1)
        return Judged(
            (bad, *[rest] * (len(self.labels) - 1)),
            min(len(pair.text), self.window),
            min(len(pair.text_b), self.window),
        )


@dataclass
class FakeReplacedTokenDetector:
    """A ReplacedTokenDetector that suspects every 错, and a little every 疑."""

    weights: WeightsInfo = EMBEDDED
    window: int = 500

    def inspect(self, texts: Sequence[str]) -> tuple[Inspected, ...]:
        """Return a verdict per character that is no blank."""
        shares = {"错": 0.9, "疑": 0.3}
        return tuple(
            Inspected(
                tuple(
                    TokenVerdict(place, place + 1, shares.get(char, 0.01))
                    for place, char in enumerate(text[: self.window])
                    if not char.isspace()
                ),
                min(len(text), self.window),
            )
            for text in texts
        )


@dataclass
class FakeSentenceRephraser:
    """A SentenceRephraser that puts an ending behind the text, a character a step.

    Says each ending once, the shorter the likelier; a text in ``failures`` raises its
    ModelError. ``closed`` counts the runs that have ended.
    """

    weights: WeightsInfo = EMBEDDED
    endings: tuple[str, ...] = (
        "呢？",
        "吗",
        "可以吗？",
        "啊",
        "好不好呀？",
        "行不行呢",
    )
    window: int = 500
    step_seconds: float = 0.0
    failures: dict[str, ModelError] = field(default_factory=dict)
    asked: list[tuple[str, RephraseOptions]] = field(default_factory=list)
    closed: int = 0

    def rephrase(self, text: str, options: RephraseOptions) -> Iterator[RephraseFrame]:
        """Yield one more character of every sentence per frame, then the ranking."""
        self.asked.append((text, options))
        try:
            if text in self.failures:
                raise self.failures[text]
            yield from self._frames(text, options)
        finally:
            self.closed += 1

    def _frames(self, text: str, options: RephraseOptions) -> Iterator[RephraseFrame]:
        longest = max(map(len, self.endings), default=1)
        for step in range(1, longest + 1):
            time.sleep(self.step_seconds)
            drafts = [Rephrasing(text + one[:step], -1.0) for one in self.endings]
            done = sum(len(one) <= step for one in self.endings)
            yield self._frame(text, options, drafts, done)
        ranked = [
            Rephrasing(text + one, -float(len(one)), 1 - 0.05 * len(one))
            for one in sorted(self.endings, key=len)
        ]
        frame = self._frame(text, options, ranked, len(ranked))
        yield replace(frame, num_distinct=len(ranked), ranked=True)

    def _frame(
        self, text: str, options: RephraseOptions, found: list[Rephrasing], done: int
    ) -> RephraseFrame:
        return RephraseFrame(
            rephrasings=tuple(found[: options.num_return]),
            num_written=done,
            num_samples=len(self.endings),
            num_distinct=0,
            num_chars_read=min(len(text), self.window),
            num_new_tokens=3 * len(found),
            elapsed_seconds=0.01,
            weights=self.weights,
            pooling="linear_pooler",
            seed=7 if options.seed is None else options.seed,
        )

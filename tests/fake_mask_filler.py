"""A MaskFiller without a network: it counts characters, and really learns a copy.

A word scores by how many characters it shares with the sentence; learning adds, for
every character of an example, weight towards the example's word. The copy is another
object: the one that taught it never changes.
"""

import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from model_core.interfaces import (
    Blanked,
    LearningFrame,
    LearningOptions,
    ModelError,
    WeightsInfo,
)
from tests.fakes import EMBEDDED

PRIOR = Counter({(char, word): 2 for word in "好很" for char in "好香净喜"})


@dataclass
class FakeMaskFiller:
    """Scores words by the characters around the blank, learns by counting them.

    ``asked`` records sentences and words, ``lessons`` what was taught; ``closed``
    counts lessons that have ended, by themselves or by being closed. A word in
    ``unknown`` raises ``unsupported``.
    """

    weights: WeightsInfo = EMBEDDED
    votes: Counter[tuple[str, str]] = field(default_factory=PRIOR.copy)
    step_seconds: float = 0.0
    unknown: tuple[str, ...] = ()
    failure: ModelError | None = None
    asked: list[tuple[tuple[Blanked, ...], tuple[str, ...]]] = field(
        default_factory=list
    )
    lessons: list[tuple[tuple[Blanked, ...], tuple[str, ...], tuple[int, ...]]] = field(
        default_factory=list
    )
    closed: int = 0
    is_taught: bool = False

    def log_probs(
        self, sentences: Sequence[Blanked], words: Sequence[str]
    ) -> npt.NDArray[np.float64]:
        """Return -10 plus the votes of the sentence's characters."""
        self.asked.append((tuple(sentences), tuple(words)))
        for word in words:
            if word in self.unknown:
                raise ModelError("unsupported", f"拼不出 {word}。", f"No {word}.")
        return np.array(
            [[self._score(sentence, word) for word in words] for sentence in sentences]
        )

    def learn(
        self,
        sentences: Sequence[Blanked],
        words: Sequence[str],
        answers: Sequence[int],
        options: LearningOptions,
    ) -> Iterator[LearningFrame]:
        """Count one example a step into a copy; the loss falls."""
        self.lessons.append((tuple(sentences), tuple(words), tuple(answers)))
        copy = FakeMaskFiller(
            self.weights,  # by the name of those it was copied from
            self.votes.copy(),
            is_taught=True,
        )
        try:
            if self.failure is not None:
                raise self.failure
            for step in range(1, options.max_steps + 1):
                time.sleep(self.step_seconds)
                place = step % len(sentences)
                copy.count(sentences[place], words[answers[place]])
                last = step == options.max_steps
                losses = tuple(2 / n for n in range(1, step + 1))
                yield LearningFrame(
                    step, options.max_steps, losses, step / 100, copy if last else None
                )
        finally:
            self.closed += 1

    def save(self, folder: str) -> None:
        """Write the votes."""
        votes = {"".join(pair): number for pair, number in self.votes.items()}
        text = json.dumps(votes, ensure_ascii=False)
        (Path(folder) / "votes.json").write_text(text, "utf-8")

    def count(self, sentence: Blanked, word: str) -> None:
        """Let a sentence's characters vote for a word."""
        for char in sentence.before + sentence.after:
            self.votes[char, word] += 1

    def _score(self, sentence: Blanked, word: str) -> float:
        chars = sentence.before + sentence.after
        return sum(self.votes[char, word] for char in chars) / len(chars) - 10

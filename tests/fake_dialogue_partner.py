"""A DialoguePartner that takes up what was said: what the tests of dialogue run on."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from model_core.interfaces import Candidate, ModelError, TokenScore, WeightsInfo
from model_core.interfaces.dialogue import (
    DialogueFrame,
    DialogueOptions,
    Turn,
)
from tests.fakes import EMBEDDED

ENDINGS = ("真的吗？", "我也这么想。", "后来呢？", "慢慢说。", "听着不错。")


@dataclass
class FakeDialoguePartner:
    """Says back the message and one of its endings, a character of each reply a step.

    The ending follows from the seed, the reply's place and how many turns were read.
    Reads the latest turns that have ``window`` characters together. To a message in
    ``silent`` it says nothing; one in ``failures`` raises its ModelError.

    Attributes:
        asked: Every (turns, options).
        closed: Runs that have ended, by themselves or by being closed.
    """

    window: int = 400
    weights: WeightsInfo = EMBEDDED
    step_seconds: float = 0.0
    silent: tuple[str, ...] = ()
    failures: dict[str, ModelError] = field(default_factory=dict)
    asked: list[tuple[tuple[Turn, ...], DialogueOptions]] = field(default_factory=list)
    closed: int = 0

    def reply(
        self, turns: Sequence[Turn], options: DialogueOptions
    ) -> Iterator[DialogueFrame]:
        """Yield one more character of every reply per frame."""
        self.asked.append((tuple(turns), options))
        try:
            message = turns[-1].text
            if message in self.failures:
                raise self.failures[message]
            yield from self._frames(turns, message, options)
        finally:
            self.closed += 1

    def _frames(
        self, turns: Sequence[Turn], message: str, options: DialogueOptions
    ) -> Iterator[DialogueFrame]:
        dropped, seed = self._num_dropped(turns), options.seed
        seed = 7 if seed is None else seed
        read = message[-self.window :]
        endings = [
            ENDINGS[(seed + row + len(turns) - dropped) % len(ENDINGS)]
            for row in range(options.num_return)
        ]
        texts = ["" if message in self.silent else f"{read}？{end}" for end in endings]
        steps = min(options.max_new_tokens, max(map(len, texts)))
        for step in range(steps + 1):  # the first step has no words yet
            time.sleep(self.step_seconds)
            yield DialogueFrame(
                candidates=tuple(_candidate(text, step, steps) for text in texts),
                num_new_tokens=step * len(texts),
                elapsed_seconds=step / 100,
                weights=self.weights,
                seed=seed,
                num_turns_dropped=dropped,
                num_message_chars_dropped=len(message) - len(read),
            )

    def _num_dropped(self, turns: Sequence[Turn]) -> int:
        room, kept = self.window - len(turns[-1].text), 1
        for turn in reversed(turns[:-1]):
            room -= len(turn.text)
            if room < 0:
                break
            kept += 1
        return len(turns) - kept


def _candidate(text: str, step: int, steps: int) -> Candidate:
    said = text[:step]
    tokens = tuple(TokenScore(char, -1.0) for char in said)
    whole = len(text) <= step
    finish = "stop" if whole else "length" if step == steps else ""
    return Candidate(said, -float(len(said)), tokens, finish)

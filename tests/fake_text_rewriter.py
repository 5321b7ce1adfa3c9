"""A TextRewriter behind its Protocol: headlines out of the source's own clauses."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from model_core.interfaces import (
    AttentionPicture,
    Candidate,
    CopiedSpan,
    ModelError,
    RewriteFrame,
    RewriteOptions,
    Rewriting,
    TokenScore,
    WeightsInfo,
)
from tests.fakes import EMBEDDED

SLOWLY = "慢慢写"
"""In a source: a step takes ``SLOW_SECONDS``, so that whoever stops comes in time."""
SLOW_SECONDS = 0.25
CLAUSE = re.compile(r"[^\s，。；：！？、,.;:!?]+")


@dataclass
class FakeRewriter:
    """Writes the source's clauses, one character of every beam a step.

    Reads the first ``window`` characters. Beam ``n`` writes from the n-th clause on,
    each a little less probable than the one before it. A source in ``failures`` raises
    its ModelError. ``closed`` counts the runs that have ended.
    """

    parts: tuple[str, ...] = ("title", "summary")
    can_copy: bool = True
    window: int = 400
    weights: WeightsInfo = EMBEDDED
    step_seconds: float = 0.0
    failures: dict[str, ModelError] = field(default_factory=dict)
    asked: list[tuple[str, RewriteOptions]] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    closed: int = 0

    def rewrite(self, source: str, options: RewriteOptions) -> Iterator[RewriteFrame]:
        """Yield one more character of every target per frame."""
        self.asked.append((source, options))
        try:
            self._check(source, options)
            yield from self._frames(source[: self.window], options)
        finally:
            self.closed += 1

    def rewrite_many(
        self, sources: tuple[str, ...], options: RewriteOptions
    ) -> tuple[RewriteFrame | ModelError, ...]:
        """Return every source's last frame, or its ModelError."""
        self.batches.append(len(sources))
        return tuple(self._last(source, options) for source in sources)

    def _last(self, source: str, options: RewriteOptions) -> RewriteFrame | ModelError:
        try:
            *_, frame = self.rewrite(source, options)
        except ModelError as error:
            return error
        return frame

    def _check(self, source: str, options: RewriteOptions) -> None:
        if source in self.failures:
            raise self.failures[source]
        if options.part not in self.parts:
            raise ModelError("unsupported", "不会写这个。", "Cannot write that.")
        if options.copy and not self.can_copy:
            raise ModelError("unsupported", "没有复制头。", "There is no copy head.")

    def _frames(self, source: str, options: RewriteOptions) -> Iterator[RewriteFrame]:
        found = [match.span() for match in CLAUSE.finditer(source)] or [(0, 1)]
        starts = [start for start, _ in found][: options.num_return]
        texts = [self._target(source, start, options) for start in starts]
        steps = max(map(len, texts))
        for step in range(1, steps + 1):
            time.sleep(SLOW_SECONDS if SLOWLY in source else self.step_seconds)
            rewritings = tuple(
                self._rewriting(text, start, rank, step, options)
                for rank, (text, start) in enumerate(zip(texts, starts, strict=True))
            )
            picture = self._picture(source, texts[0]) if step == steps else None
            yield RewriteFrame(
                rewritings, len(source), step, step / 100, self.weights, picture
            )

    @staticmethod
    def _target(source: str, start: int, options: RewriteOptions) -> str:
        return source[start : start + options.max_new_tokens].replace("\n", "")

    def _rewriting(
        self, text: str, start: int, rank: int, step: int, options: RewriteOptions
    ) -> Rewriting:
        full = len(text) >= options.max_new_tokens
        ending = "" if step < len(text) else "length" if full else "stop"
        text = text[:step]
        tokens = tuple(TokenScore(char, -0.5 - rank / 4) for char in text)
        log_prob = sum(token.log_prob for token in tokens)
        copied = (CopiedSpan(0, len(text), start),) if options.copy else ()
        candidate = Candidate(text, log_prob, tokens, ending)
        score = log_prob / len(text) ** options.length_penalty
        return Rewriting(candidate, score, copied)

    @staticmethod
    def _picture(source: str, target: str) -> AttentionPicture:
        tokens = ("[CLS]", *source, "[SEP]", *target, "[SEP]")
        segments = [0] * (len(source) + 2) + [1] * (len(target) + 1)
        reach = np.cumsum(segments)
        return AttentionPicture(
            tokens, tuple(segments), reach[None, :] <= reach[:, None]
        )

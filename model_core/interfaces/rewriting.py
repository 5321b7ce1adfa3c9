"""The prefix part: read a source freely, then write a target from left to right.

Changes when rewriting a text is asked differently. Plain values and one Protocol.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from model_core.interfaces.generation import Candidate
from model_core.interfaces.models import WeightsInfo


@dataclass(frozen=True, slots=True)
class RewriteOptions:
    """How to rewrite a text.

    Attributes:
        part: One of the rewriter's ``parts``, e.g. ``title`` or ``summary``.
        max_new_tokens: Upper limit of the target, >= 1.
        min_new_tokens: No ending before this many.
        num_beams: Continuations kept in flight, >= 1.
        num_return: Targets returned, 1 to ``num_beams``.
        length_penalty: Exponent of the length that divides a beam's score.
        no_repeat_ngram_size: Forbid a repeated n-gram; 0 is off.
        no_loop_ngram_size: Forbid a repeated n-gram that does not stand in the source;
            0 is off.
        copy: Let the copy head hold the target to n-grams of the source (SPACES).
        sparse_top_k: Only the k best tokens have a probability (sparse softmax); 0 is
            the plain softmax.
    """

    part: str
    max_new_tokens: int = 32
    min_new_tokens: int = 1
    num_beams: int = 4
    num_return: int = 1
    length_penalty: float = 1.0
    no_repeat_ngram_size: int = 0
    no_loop_ngram_size: int = 0
    copy: bool = False
    sparse_top_k: int = 0


@dataclass(frozen=True, slots=True)
class CopiedSpan:
    """A stretch of the target that was taken from the source.

    Attributes:
        start: First character, in the target.
        end: After the last one.
        source_start: Where the same characters stand in the source.
    """

    start: int
    end: int
    source_start: int


@dataclass(frozen=True, slots=True)
class Rewriting:
    """One target so far.

    Attributes:
        candidate: Its text, tokens and log-probability.
        score: What ranks it: log-probability over a power of the length.
        copied: Stretches that the copy head took from the source; empty without it.
    """

    candidate: Candidate
    score: float
    copied: tuple[CopiedSpan, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class AttentionPicture:
    """Who saw whom in one request.

    Attributes:
        tokens: The text of every position, marks as the vocabulary spells them.
        segment_ids: 0 for the source, 1 for the target, one per position.
        mask: bool (length, length): row looks at column.
    """

    tokens: tuple[str, ...]
    segment_ids: tuple[int, ...]
    mask: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class RewriteFrame:
    """The whole result so far: a later frame replaces an earlier one.

    Attributes:
        rewritings: Best first.
        num_source_chars_read: Characters of the source that fitted, from its start.
        num_new_tokens: Tokens of the longest target so far.
        elapsed_seconds: Since the request reached the model.
        weights: Which weights answered.
        attention: The mask of this very request with its best target; only in the
            last frame.
    """

    rewritings: tuple[Rewriting, ...]
    num_source_chars_read: int
    num_new_tokens: int
    elapsed_seconds: float
    weights: WeightsInfo
    attention: AttentionPicture | None = None


class TextRewriter(Protocol):
    """Rewrites a text: the prefix part."""

    @property
    def weights(self) -> WeightsInfo:
        """Which weights answer."""
        ...

    @property
    def parts(self) -> tuple[str, ...]:
        """What these weights were trained to write, e.g. ``title``."""
        ...

    @property
    def can_copy(self) -> bool:
        """Whether there is a copy head."""
        ...

    def rewrite(self, source: str, options: RewriteOptions) -> Iterator[RewriteFrame]:
        """Yield the whole result so far after every decoding step.

        Closing the iterator stops the computation within one step.

        Raises:
            ModelError: ``unsupported`` for a part these weights do not know, or for
                ``copy`` without a copy head.
        """
        ...

    def rewrite_many(
        self, sources: tuple[str, ...], options: RewriteOptions
    ) -> tuple[Any, ...]:
        """Return the last ``RewriteFrame`` of every source, in order.

        Several sources are computed together where that is faster. Every entry is a
        ``RewriteFrame``, or the ModelError that stands in its place.
        """
        ...

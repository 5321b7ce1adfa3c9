"""Copying by tags: each new token is begun, continued or not taken from the source.

Changes when copying follows other rules. Pure functions; knows no network. From
SPACES, Su Jianlin, kexue.fm/archives/8046::

    source   1 2 3 4 2 5
    target   2 5 9 3 4
    tags     B I O B I      a token tagged I goes on with an n-gram of the source
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from model_core.decoding.extractive import Places, Source, occurrences

OUTSIDE, BEGIN, INSIDE = 0, 1, 2
NUM_TAGS = 3

_NOT_COPIED = -1


@dataclass(frozen=True, slots=True, eq=False)
class Copying:
    """One target on its way: its source, and where in it the copied n-gram goes on.

    Attributes:
        source: (length,), ``-1`` where nothing may be copied.
        ways_on: (places,), positions in the source behind the n-gram copied last;
            empty outside of one.
    """

    source: Source
    ways_on: Places

    @classmethod
    def of(cls, source: Source, not_copied: frozenset[int] = frozenset()) -> Self:
        """Begin a target.

        Args:
            source: (length,) token ids.
            not_copied: Tokens of the source that are never copied, such as its marks.
        """
        is_mark = np.isin(source, list(not_copied))
        marked = np.where(is_mark, _NOT_COPIED, source)
        return cls(marked, np.zeros(0, np.intp))

    def tag(self, tag_scores: npt.NDArray[np.floating]) -> int:
        """Return the tag of the next token: the best that is possible here.

        INSIDE is possible only within an n-gram, and becomes BEGIN where that cannot
        go on; nothing but OUTSIDE is possible where the source has nothing to copy.

        Args:
            tag_scores: (3,), probabilities or logits of OUTSIDE, BEGIN and INSIDE.
        """
        if not (self.source >= 0).any():
            return OUTSIDE
        inside_counts = NUM_TAGS if self.ways_on.size else INSIDE
        tag = int(np.argmax(tag_scores[:inside_counts]))
        if tag == INSIDE and not self._continuations.size:
            return BEGIN
        return tag

    def allowed_ids(self, tag: int) -> Source | None:
        """Return the tokens that may follow under a tag, None where all may."""
        if tag == OUTSIDE:
            return None
        if tag == BEGIN:
            return np.unique(self.source[self.source >= 0])
        return np.unique(self._continuations)

    def followed_by(self, token_id: int, tag: int) -> Self:
        """Return the target with one more token."""
        if tag == OUTSIDE:
            ways_on = self.ways_on[:0]
        elif tag == BEGIN:
            ways_on = np.flatnonzero(self.source == token_id) + 1
        else:
            inside = self.ways_on[self.ways_on < len(self.source)]
            ways_on = inside[self.source[inside] == token_id] + 1
        return type(self)(self.source, ways_on)

    @property
    def _continuations(self) -> Source:
        inside = self.source[self.ways_on[self.ways_on < len(self.source)]]
        return inside[inside >= 0]


class CopiedTokens(NamedTuple):
    """A stretch of a target that was copied; half-open, in tokens.

    ``source_start`` is the first place in the source where the same tokens stand.
    """

    start: int
    end: int
    source_start: int


def copied_spans(
    token_ids: Sequence[int], tags: Sequence[int], source: Source
) -> tuple[CopiedTokens, ...]:
    """Return the copied stretches of a target, in order.

    Args:
        token_ids: The target.
        tags: Its tokens' tags; an INSIDE without a beginning is left out.
        source: (length,) token ids.

    Raises:
        ValueError: A stretch that does not occur in the source.
    """
    spans: list[CopiedTokens] = []
    for start in (place for place, tag in enumerate(tags) if tag == BEGIN):
        end = start + 1
        while end < len(tags) and tags[end] == INSIDE:
            end += 1
        found = occurrences(source, token_ids[start:end])
        if not found.size:
            raise ValueError(
                "a copied stretch must occur in the source, got tokens "
                f"{list(token_ids[start:end])} at {start} of the target"
            )
        spans.append(CopiedTokens(start, end, int(found[0])))
    return tuple(spans)

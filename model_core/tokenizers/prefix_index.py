"""Tokens by their first characters; changes with how prefixes are looked up.

For token healing: a prompt cut inside a word is shortened by a token, and only tokens
that start with the removed text may follow (kexue.fm/archives/9762).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

import numpy as np

from model_core.tokenizers.base import IdArray


class PrefixIndex:
    """Texts in order, each with its id.

    Args:
        texts: (id, text) pairs; empty texts are left out.
    """

    def __init__(self, texts: Iterable[tuple[int, str]]) -> None:
        pairs = sorted((text, token_id) for token_id, text in texts if text)
        self._texts = [text for text, _ in pairs]
        self._ids = np.array([token_id for _, token_id in pairs], dtype=np.int32)

    def ids_starting_with(self, prefix: str) -> IdArray:
        """Return the ids whose text starts with a prefix, ascending."""
        size = len(prefix)
        first = bisect_left(self._texts, prefix)
        past = bisect_right(self._texts, prefix, lo=first, key=lambda t: t[:size])
        return np.sort(self._ids[first:past])

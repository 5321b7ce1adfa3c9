"""Which tokens keep an answer a stretch of its source.

Changes when another notion of "taken from the text" is wanted. Knows no network: pure
functions of a source and of what has been generated. The prefix tree over all
n-grams of a source (kexue.fm/archives/7115) is never built: the places where the
generated tokens occur say the same::

    source      3 1 4 1 5 9      generated  1
    occurrences   ^   ^          followers    4 5
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Source = npt.NDArray[np.integer]
Places = npt.NDArray[np.intp]


def occurrences(source: Source, token_ids: Sequence[int]) -> Places:
    """Return where a stretch of tokens begins in a source, ascending.

    Args:
        source: (length,).
        token_ids: The stretch; an empty one begins everywhere, at the end as well.
    """
    starts = np.arange(max(len(source) - len(token_ids) + 1, 0))
    for offset, token_id in enumerate(token_ids):
        starts = starts[source[starts + offset] == token_id]
    return starts


def followers(source: Source, token_ids: Sequence[int]) -> Source:
    """Return the tokens that follow a stretch somewhere in a source, ascending."""
    ends = occurrences(source, token_ids) + len(token_ids)
    return np.unique(source[ends[ends < len(source)]])


def allowed_ids(
    source: Source,
    token_ids: Sequence[int],
    stop_token_id: int,
    *,
    may_be_empty: bool = True,
) -> Source:
    """Return the tokens after which an answer still is a stretch of its source.

    Args:
        source: (length,).
        token_ids: The answer so far; where it is no stretch of the source, it can
            only stop.
        stop_token_id: Ends the answer; always allowed behind a token.
        may_be_empty: Whether it may also stop at once: "no answer".
    """
    following = followers(source, token_ids)
    if not len(token_ids) and not may_be_empty:
        return following
    return np.union1d(following, stop_token_id)


def allowed_mask(
    source: Source, token_ids: Sequence[int], stop_token_id: int, vocab_size: int
) -> npt.NDArray[np.bool_]:
    """Return ``allowed_ids`` as True among all tokens, (vocabulary,)."""
    mask = np.zeros(vocab_size, np.bool_)
    mask[allowed_ids(source, token_ids, stop_token_id)] = True
    return mask

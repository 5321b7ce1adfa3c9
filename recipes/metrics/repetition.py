"""Whether a text runs in circles; changes when a loop is counted otherwise.

Counted are tokens, the unit in which a sample's length is given. Occurrences may
overlap: ``哈`` eight times over has the 4-gram ``哈哈哈哈`` five times.
"""

from collections import Counter
from collections.abc import Sequence

GRAM_TOKENS = 4
MOST_TIMES = 4


def most_repeated(tokens: Sequence[str], size: int = GRAM_TOKENS) -> int:
    """Return how often the most frequent n-gram of a text stands in it.

    Args:
        tokens: (num_tokens,), the texts of the tokens.
        size: Tokens of an n-gram; a shorter text has none, 0 times.
    """
    starts = range(len(tokens) - size + 1)
    counts = Counter(tuple(tokens[i : i + size]) for i in starts)
    return max(counts.values(), default=0)


def is_loop(tokens: Sequence[str]) -> bool:
    """Tell whether a 4-gram stands in a text more than 4 times, the first included."""
    return most_repeated(tokens) > MOST_TIMES

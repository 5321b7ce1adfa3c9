"""Draws tokens: one stream of random numbers per row, one number per token.

Changes when drawing changes. The filters come before and live in logits.py.
"""

import numpy as np

from model_core.decoding.checks import check_seed
from model_core.decoding.logits import FORBIDDEN
from model_core.decoding.stepper import Logits


class Sampler:
    """Draws from filtered logits, repeatably.

    Row i draws from a stream made of the seed and i alone, and takes exactly one
    number from it per token, so that its text depends neither on how many rows stand
    beside it nor on when they finish.
    """

    def __init__(self, seed: int, num_rows: int) -> None:
        """Start the streams.

        Args:
            seed: Any integer >= 0.
            num_rows: How many rows will be drawn.

        Raises:
            ValueError: A negative seed.
        """
        check_seed(seed)
        self._streams = [np.random.default_rng((seed, row)) for row in range(num_rows)]

    def choose(self, row: int, logits: Logits) -> int:
        """Draw the next token of one row.

        Args:
            row: Whose stream to draw from.
            logits: (vocabulary,), after the rules; at least one is not -inf.

        Returns:
            The token's id: the inverse of the cumulative distribution over ids, in
            float64, at one uniform number.
        """
        uniform = self._streams[row].random()
        candidates = np.flatnonzero(logits > FORBIDDEN)
        kept = logits[candidates]
        cumulative = np.exp(kept - kept.max()).cumsum(dtype=np.float64)
        index = np.searchsorted(cumulative, uniform * cumulative[-1], side="right")
        last = np.searchsorted(cumulative, cumulative[-1])
        return int(candidates[min(index, last)])

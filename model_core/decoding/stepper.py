"""The one question that decoding asks of a network, and the arrays it is asked in.

Changes when the cache or the step takes another shape. Knows no framework.
"""

from collections.abc import Sequence
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

Logits = npt.NDArray[np.float32]
TokenIds = npt.NDArray[np.int32]

CacheT = TypeVar("CacheT")


class Stepper(Protocol[CacheT]):
    """Runs a causal network token by token over a cache that only it understands.

    A cache is used up by the call that receives it: only the returned one is valid,
    so that an engine may write into its buffers in place.
    """

    def prefill(
        self, token_ids: TokenIds, lengths: TokenIds, capacity: int
    ) -> tuple[Logits, CacheT]:
        """Read whole prompts at once.

        Args:
            token_ids: (batch, length), right-padded; ids after a row's end are 0.
            lengths: (batch,), number of real tokens per row, >= 1.
            capacity: Positions that the cache must hold per row, >= length.

        Returns:
            Logits (batch, vocabulary) of the token after each row's last real one,
            and the cache.
        """
        ...

    def decode_one_token(
        self, token_ids: TokenIds, positions: TokenIds, cache: CacheT
    ) -> tuple[Logits, CacheT]:
        """Append one token to every row.

        Args:
            token_ids: (batch,), the token to append.
            positions: (batch,), its place: the number of real tokens before it. A
                finished row may repeat its last token at that token's own position.
            cache: From the last call.

        Returns:
            Logits (batch, vocabulary) of the token after it, and the cache.
        """
        ...

    def reorder(self, cache: CacheT, rows: TokenIds) -> CacheT:
        """Build the cache whose row i is row ``rows[i]`` of the old one.

        Args:
            cache: From the last call.
            rows: (new_batch,); a row may occur many times or not at all.
        """
        ...


class JoiningStepper(Stepper[CacheT], Protocol[CacheT]):
    """A stepper whose rows may come from several prefills and leave one by one.

    What a row gets does not depend on the rows beside it.
    """

    def join(self, caches: Sequence[CacheT]) -> CacheT:
        """Build the cache of all rows, in order; the others are used up.

        Args:
            caches: From the last calls, at least one.
        """
        ...

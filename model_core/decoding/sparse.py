"""Sparse softmax: only the k best tokens have a probability at all.

Changes when another sparse distribution is wanted. From SPACES, Su Jianlin,
kexue.fm/archives/8046: as a network was trained, so it is decoded.
"""

from dataclasses import dataclass
from typing import Generic

from model_core.decoding.history import History
from model_core.decoding.logits import TopK
from model_core.decoding.stepper import CacheT, Logits, Stepper, TokenIds

_ANY_PAST = History.of_prompts([[0]])  # TopK reads none


def keep_best(logits: Logits, k: int) -> Logits:
    """Return the logits with all but the k best of each row forbidden.

    Args:
        logits: (batch, vocabulary).
        k: >= 1; of equals, the lower ids.
    """
    return TopK(k)(logits, _ANY_PAST)


@dataclass(frozen=True, slots=True)
class SparseStepper(Generic[CacheT]):
    """A stepper whose network was trained with sparse softmax.

    All tokens but the k best come back forbidden, so that every probability taken
    from its logits is one of the sparse softmax.

    Attributes:
        stepper: The network.
        k: Tokens that keep their logits, >= 1.
    """

    stepper: Stepper[CacheT]
    k: int

    def prefill(
        self, token_ids: TokenIds, lengths: TokenIds, capacity: int
    ) -> tuple[Logits, CacheT]:
        """See ``Stepper.prefill``."""
        logits, cache = self.stepper.prefill(token_ids, lengths, capacity)
        return keep_best(logits, self.k), cache

    def decode_one_token(
        self, token_ids: TokenIds, positions: TokenIds, cache: CacheT
    ) -> tuple[Logits, CacheT]:
        """See ``Stepper.decode_one_token``."""
        logits, cache = self.stepper.decode_one_token(token_ids, positions, cache)
        return keep_best(logits, self.k), cache

    def reorder(self, cache: CacheT, rows: TokenIds) -> CacheT:
        """See ``Stepper.reorder``."""
        return self.stepper.reorder(cache, rows)

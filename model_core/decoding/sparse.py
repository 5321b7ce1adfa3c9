"""Sparse softmax: only the k best tokens have a probability at all.

Changes when another sparse distribution is wanted. From SPACES, Su Jianlin,
kexue.fm/archives/8046: as a network was trained, so it is decoded.
"""

from dataclasses import dataclass
from typing import Generic

import numpy as np
import numpy.typing as npt

from model_core.decoding.history import History
from model_core.decoding.logits import TopK
from model_core.decoding.scoring import log_normalizers
from model_core.decoding.stepper import CacheT, Logits, Stepper, TokenIds

_ANY_PAST = History.of_prompts([[0]])  # TopK reads none


def sparse_softmax(logits: Logits, k: int) -> npt.NDArray[np.float64]:
    """Return softmax over the k best tokens of each row, 0 for all others.

    Args:
        logits: (batch, vocabulary).
        k: >= 1; of equals, the lower ids.

    Returns:
        (batch, vocabulary); exactly k above 0 in each row where at least k logits are
        finite and near enough, summing to one.
    """
    kept = keep_best(logits, k)
    return np.asarray(np.exp(kept - log_normalizers(kept)[:, None]), np.float64)


def keep_best(logits: Logits, k: int) -> Logits:
    """Return the logits with all but the k best of each row forbidden."""
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

"""The rows in flight: logits, cache and history, always of the same rows.

Changes when the loop and the beams must carry more from step to step.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic

import numpy as np
import numpy.typing as npt

from model_core.decoding.history import History
from model_core.decoding.stepper import CacheT, JoiningStepper, Logits, Stepper


@dataclass(frozen=True, slots=True)
class Batch(Generic[CacheT]):
    """What one step hands to the next.

    Attributes:
        logits: (batch, vocabulary) of every row's next token.
        cache: The stepper's; used up by the next call that receives it.
        history: What every row has seen.
    """

    logits: Logits
    cache: CacheT
    history: History


def prefill(
    stepper: Stepper[CacheT], prompts: Sequence[Sequence[int]], max_new_tokens: int
) -> Batch[CacheT]:
    """Read the prompts; equal prompts are read once and their cache is copied.

    Raises:
        ValueError: No prompt, or one without a token.
    """
    keys = [tuple(prompt) for prompt in prompts]
    distinct = tuple(dict.fromkeys(keys))
    history = History.of_prompts(distinct)
    token_ids = history.right_padded
    capacity = token_ids.shape[1] + max_new_tokens
    logits, cache = stepper.prefill(token_ids, history.lengths, capacity)
    rows = np.array([distinct.index(key) for key in keys], np.int32)
    return take(stepper, Batch(logits, cache, history), rows)


def take(
    stepper: Stepper[CacheT], batch: Batch[CacheT], rows: npt.NDArray[np.integer]
) -> Batch[CacheT]:
    """Return the batch whose row i is row ``rows[i]``; free where that is the same."""
    if np.array_equal(rows, np.arange(len(batch.logits))):
        return batch
    cache = stepper.reorder(batch.cache, rows.astype(np.int32))
    return Batch(batch.logits[rows], cache, batch.history.take(rows))


def join(
    stepper: JoiningStepper[CacheT], batches: Sequence[Batch[CacheT]]
) -> Batch[CacheT]:
    """Return the batch of the rows of several, in their order; uses them up."""
    if len(batches) == 1:
        return batches[0]
    return Batch(
        np.concatenate([batch.logits for batch in batches]),
        stepper.join([batch.cache for batch in batches]),
        History.joined([batch.history for batch in batches]),
    )


def advance(
    stepper: Stepper[CacheT],
    batch: Batch[CacheT],
    token_ids: npt.NDArray[np.integer],
    running: npt.NDArray[np.bool_],
) -> Batch[CacheT]:
    """Append one token per row and compute the logits of the next.

    A row that does not run repeats its last token at that token's own position, which
    writes what the cache already holds.

    Args:
        stepper: The network.
        batch: Where the rows stand; its cache is used up.
        token_ids: (batch,); what stands in rows that do not run is ignored.
        running: (batch,), True where the token counts.
    """
    history = batch.history.append(token_ids.astype(np.int32), running)
    logits, cache = stepper.decode_one_token(
        history.last_token_ids, history.lengths - 1, batch.cache
    )
    return Batch(logits, cache, history)

"""bert4keras's way of writing: the whole text is read again for every token.

Changes when that way does. Runs our Keras network without a cache, which is what
bert4keras's ``AutoRegressiveDecoder`` does with its own: https://github.com/bojone/bert4keras
"""

import numpy as np

from benchmarks import ours
from benchmarks.contract import Setup
from benchmarks.ours import load
from benchmarks.shapes import Ints
from model_core.engines.base import Engine, TokenBatch

prepare = ours.prepare
versions = ours.versions


def decoder(setup: Setup) -> "Recomputing":
    """See ``Contender.decoder``."""
    return Recomputing(load(setup, ("language_model",)).engine)


class Recomputing:
    """A ``Decoder`` without a cache.

    Args:
        engine: Reads the text so far; only the last place asks the vocabulary.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def greedy(self, prompts: Ints, num_new: int) -> Ints:
        """See ``Decoder.greedy``."""
        ids = prompts
        for _ in range(num_new):
            batch = TokenBatch.from_rows(list(ids))
            last = np.full((len(ids), 1), ids.shape[1] - 1, "int32")
            logits = self._engine.read(batch, "causal", places=last)["logits"]
            ids = np.concatenate([ids, logits.argmax(-1).astype("int32")], axis=1)
        return ids[:, prompts.shape[1] :]

"""The reference engine: the Keras network itself, compiled by its backend.

Changes when the Keras way of running changes. Knows no family and no task.
"""

from typing import Any

import keras
import numpy as np
from keras import ops

from model_core.engines.backend import active_backend
from model_core.engines.base import Floats, Ints, TokenBatch
from model_core.layers.attention import LayerCache
from model_core.masks import MaskKind
from model_core.models.network import Caches, Network, extend

WITHOUT_POSITIONS = frozenset({"pooled"})  # outputs per text, not per token
CAPACITY_STEP = 64  # caches of nearby sizes share one compiled step


class KerasEngine:
    """Runs a network on the device that the Keras backend chose.

    What is generated is segment 1, where a network knows segments (UniLM).

    Args:
        network: With its weights.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.name = f"keras-{keras.backend.backend()}"
        self.backend = active_backend()
        self.device = self.backend.accelerator() or "cpu"
        self._causal_segments = network.config.type_vocab_size > 1
        self._prefill = self.backend.compile(self._prefill_graph)
        self._decode = self.backend.compile(self._decode_graph)
        self._reorder = self.backend.compile(_take_rows)
        self._read = {
            kind: self.backend.compile(self._reader(kind))
            for kind in ("bidirectional", "causal", "prefix_lm")
        }

    def read(self, batch: TokenBatch, attention: MaskKind) -> dict[str, Floats]:
        """See ``Engine.read``."""
        length = batch.token_ids.shape[1]
        room = self._rounded(length)
        outputs = self._read[attention](
            *(
                tensor(_widen(array, room))
                for array in (batch.token_ids, batch.segment_ids, batch.padding_mask)
            )
        )
        return {
            name: array(value)
            if name in WITHOUT_POSITIONS
            else array(value)[:, :length]
            for name, value in outputs.items()
        }

    def prefill(
        self, token_ids: Ints, lengths: Ints, capacity: int
    ) -> tuple[Floats, Caches]:
        """See ``Stepper.prefill``."""
        length = self._rounded(token_ids.shape[1])
        capacity = max(-(-capacity // CAPACITY_STEP) * CAPACITY_STEP, length)
        logits, seen = self._prefill(tensor(_widen(token_ids, length)), tensor(lengths))
        return array(logits), extend(seen, capacity)

    def decode_one_token(
        self, token_ids: Ints, positions: Ints, cache: Caches
    ) -> tuple[Floats, Caches]:
        """See ``Stepper.decode_one_token``."""
        logits, cache = self._decode(tensor(token_ids), tensor(positions), cache)
        return array(logits), cache

    def reorder(self, cache: Caches, rows: Ints) -> Caches:
        """See ``Stepper.reorder``."""
        reordered: Caches = self._reorder(cache, tensor(rows))
        return reordered

    def _rounded(self, length: int) -> int:
        """Return the length to compute at, so that few shapes are compiled."""
        step = self.backend.length_step
        limit = self.network.config.max_position_embeddings
        return min(-(-length // step) * step, max(limit, length))

    def _prefill_graph(self, token_ids: Any, lengths: Any) -> tuple[Any, Caches]:
        segments = ops.ones_like(token_ids) if self._causal_segments else None
        return self.network.prefill(token_ids, lengths, segment_ids=segments)

    def _decode_graph(
        self, token_ids: Any, positions: Any, caches: Caches
    ) -> tuple[Any, Caches]:
        segments = ops.ones_like(token_ids) if self._causal_segments else None
        return self.network.decode_one_token(token_ids, positions, caches, segments)

    def _reader(self, kind: MaskKind) -> Any:
        def graph(
            token_ids: Any, segment_ids: Any, padding_mask: Any
        ) -> dict[str, Any]:
            outputs: dict[str, Any] = self.network(
                token_ids, segment_ids, padding_mask, attention=kind
            )
            return outputs

        return graph


def tensor(values: Any) -> Any:
    """Return a tensor of the active backend."""
    return ops.convert_to_tensor(values)


def array(values: Any) -> Floats:
    """Return a numpy array of a backend's tensor."""
    converted: Floats = ops.convert_to_numpy(values)
    return converted


def _take_rows(caches: Caches, rows: Any) -> Caches:
    return tuple(
        LayerCache(ops.take(c.keys, rows, axis=0), ops.take(c.values, rows, axis=0))
        for c in caches
    )


def _widen(values: Any, length: int) -> Any:
    return np.pad(values, [(0, 0), (0, length - values.shape[1])])

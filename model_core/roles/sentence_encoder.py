"""Turns sentences into unit vectors.

Changes when a vector is read off hidden states in another way. Our own weights read a
bare sentence, as published ones do: no mark of ours made their vectors better, nor did
taking the mean vector away or whitening (kexue.fm/archives/8069).
"""

from collections.abc import Callable, Sequence

import numpy as np
from keras import ops

from model_core.engines.base import Floats, TokenBatch
from model_core.interfaces import (
    ModelError,
    Pooling,
    SentenceVectors,
    TextPair,
    WeightsInfo,
)
from model_core.models.network import weights_by_name
from model_core.roles.loaded import LoadedModel
from model_core.roles.pair_layout import Laid, PairLayout
from model_core.roles.sentence_batches import in_batches

POOLER = "pooler"
NEEDS_POOLER: tuple[Pooling, ...] = ("pooler", "linear_pooler")
DEFAULT: Pooling = "mean"


class NetworkSentenceEncoder:
    """A ``SentenceEncoder`` over a network that reads both ways.

    Args:
        model: The network and its tokenizer, and how its vectors are pooled.

    Raises:
        ModelError: ``missing_head`` where they are said to be pooled by a pooler that
            the weights have not.
    """

    def __init__(self, model: LoadedModel) -> None:
        self._model = model
        self.pooling: Pooling = model.pooling or DEFAULT
        if self.pooling in NEEDS_POOLER and POOLER not in model.engine.heads:
            raise _no_pooler(model.info.name)
        self._layout = PairLayout(model.tokenizer, model.config)
        self._last = model.config.pooling_place == "last"

    @property
    def weights(self) -> WeightsInfo:
        """Which weights answer."""
        return self._model.info

    def encode(self, texts: Sequence[str]) -> SentenceVectors:
        """See ``SentenceEncoder.encode``."""
        rows = [self._layout.lay_out(TextPair(text)) for text in texts]
        vectors = np.zeros((len(rows), self._model.config.hidden_size), "float32")
        heads = (POOLER,) if self.pooling == "pooler" else ()
        for group, batch in in_batches(rows, self._model.tokenizer.pad_id):
            outputs = self._model.engine.read(batch, "bidirectional", heads)
            pooled = self._pools()[self.pooling](batch, outputs)
            vectors[group] = _unit(pooled, [rows[index] for index in group])
        return SentenceVectors(vectors, tuple(row.num_chars_read for row in rows))

    def _pools(
        self,
    ) -> dict[Pooling, Callable[[TokenBatch, dict[str, Floats]], Floats]]:
        return {
            "mean": _mean,
            "cls": self._cls,
            "pooler": lambda _batch, outputs: outputs["pooled"],
            "linear_pooler": self._linear_pooler,
        }

    def _cls(self, batch: TokenBatch, outputs: dict[str, Floats]) -> Floats:
        lengths = batch.padding_mask.sum(axis=1)
        places = lengths - 1 if self._last else np.zeros_like(lengths)
        states: Floats = outputs["hidden"][np.arange(len(lengths)), places]
        return states

    def _linear_pooler(self, batch: TokenBatch, outputs: dict[str, Floats]) -> Floats:
        weights = weights_by_name(self._model.engine.network)
        kernel, bias = (
            np.asarray(ops.convert_to_numpy(weights[f"{POOLER}/dense/{part}"]))
            for part in ("kernel", "bias")
        )
        pooled: Floats = self._cls(batch, outputs) @ kernel + bias
        return pooled


def _mean(batch: TokenBatch, outputs: dict[str, Floats]) -> Floats:
    """Return the mean over all positions but padding."""
    real = batch.padding_mask[..., None]
    means: Floats = (outputs["hidden"] * real).sum(axis=1) / real.sum(axis=1)
    return means


def _unit(vectors: Floats, rows: Sequence[Laid]) -> Floats:
    """Return vectors of length 1; zeros for a text that has no token of its own."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    spoken = np.asarray([[row.end > row.start] for row in rows])
    made: Floats = vectors * spoken / np.where(lengths > 0, lengths, 1)
    return made.astype("float32")


def _no_pooler(name: str) -> ModelError:
    return ModelError(
        "missing_head",
        f"「{name}」的句向量要用 pooler 层，而这份权重里没有它（pooler.dense）；"
        "请换一组权重。",
        f"Sentence vectors of {name} come from its pooler, which these weights lack "
        "(pooler.dense): choose other weights.",
    )

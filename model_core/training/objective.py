"""Pretraining with mixed masks: one batch holds causal, cloze and prefix rows.

Changes when the pretraining objective changes. Knows no file and no text.
"""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from model_core import masks
from model_core.models.heads import vocabulary_logits
from model_core.models.network import Network

Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class MixedBatch:
    """Rows of packed documents and the places where a loss stands.

    Attributes:
        token_ids: int32 (batch, length).
        segment_ids: int32 (batch, length): 0 reads freely, 1 is causal.
        document_ids: int32 (batch, length); documents do not see each other.
        places: int32 (num_losses,), flat indices into batch x length.
        targets: int32 (num_losses,).
        weights: float32 (num_losses,); 0 where a place only fills up.
    """

    token_ids: Ints
    segment_ids: Ints
    document_ids: Ints
    places: Ints
    targets: Ints
    weights: npt.NDArray[np.float32]

    def inputs(self) -> dict[str, Ints]:
        """Return what the model reads."""
        return {
            "token_ids": self.token_ids,
            "segment_ids": self.segment_ids,
            "document_ids": self.document_ids,
            "places": self.places,
        }


class MixedMaskModel(keras.Model):
    """Scores the vocabulary only where a loss stands.

    The segment ids decide each row's part (UniLM, arXiv 1905.03197): all ones is a
    causal language model, all zeros a cloze, zeros then ones a prefix language model.

    Args:
        network: The network to train, with a ``language_model`` head.
    """

    def __init__(self, network: Network, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.network = network
        self.built = True

    def call(self, inputs: dict[str, Any], training: bool = False) -> Any:  # noqa: FBT001, FBT002
        """Return float32 logits (num_losses, vocabulary)."""
        mask = masks.combine(
            masks.prefix_lm(inputs["segment_ids"]),
            masks.same_document(inputs["document_ids"]),
        )
        hidden, _ = self.network.body(
            inputs["token_ids"],
            mask,
            segment_ids=inputs["segment_ids"],
            training=training,
        )
        flat = ops.reshape(hidden, (-1, self.network.config.hidden_size))
        chosen = ops.take(flat, inputs["places"], axis=0)
        return vocabulary_logits(chosen, self.network.embeddings)


def weighted_cross_entropy(targets: Any, logits: Any) -> Any:
    """Return the negative log-likelihood (num_losses,) in nats."""
    return keras.losses.sparse_categorical_crossentropy(
        targets, logits, from_logits=True
    )

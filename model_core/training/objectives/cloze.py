"""Tokens behind blanks, by whichever vocabulary head the weights have.

Changes when learning from filled blanks changes. Made for few examples and any family:
texts are padded, not packed.
"""

from typing import Any

from keras import ops

from model_core.models.network import VOCABULARY_HEADS, Network
from model_core.training.objectives.base import Objective, cross_entropy


class ClozeObjective(Objective):
    """Cross-entropy at given places of padded texts.

    Inputs:
        token_ids, segment_ids: int (batch, length).
        padding_mask: bool (batch, length).
        places, targets: int (batch, num_places); a place of weight 0 fills up.
    """

    def learn(self, inputs: dict[str, Any], noise: Any, *, training: bool) -> Any:
        """Return the loss of every place in nats, float32 (batch x num_places,)."""
        if noise is not None:
            raise ValueError("the cloze objective knows no adversarial training")
        outputs = self.network(
            inputs["token_ids"],
            inputs["segment_ids"],
            inputs["padding_mask"],
            heads=(vocabulary_head(self.network),),
            places=inputs["places"],
            training=training,
        )
        logits = outputs["logits"]
        flat = ops.reshape(logits, (-1, ops.shape(logits)[-1]))
        return cross_entropy(ops.reshape(inputs["targets"], (-1,)), flat)


def vocabulary_head(network: Network) -> str:
    """Return the head that fills blanks: BERT's own, else the tied embedding."""
    return next(name for name in reversed(VOCABULARY_HEADS) if name in network.heads)

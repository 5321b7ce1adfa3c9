"""Answers in one pass: the tokens behind masks, and the span's start and end.

Changes when reading in one pass is learned differently.
"""

from typing import Any

from keras import ops

from model_core import masks
from model_core.models.heads import HiddenStates, vocabulary_logits
from model_core.training.objectives.base import Objective, cross_entropy

NEVER = -1e9


class ReadingObjective(Objective):
    """Both readings of one input, so that a passage is read once for both.

    Inputs:
        token_ids, document_ids, mark_ids: int (batch, length), packed documents.
        places, targets: int (num_masks,), flat indices of answer masks and their
            tokens.
        document_rows: int (num_documents,), each document's row.
        allowed: bool (num_documents, length), where its span may start or end: the
            passage, and [CLS] for no answer.
        starts, ends: int (num_documents,), positions in the row.
    """

    def learn(self, inputs: dict[str, Any], noise: Any, *, training: bool) -> Any:
        """Return the losses of masks, starts and ends, one after the other, in nats."""
        hidden, residual, _ = self.network.body(
            inputs["token_ids"],
            masks.same_document(inputs["document_ids"]),
            segment_ids=ops.zeros_like(inputs["token_ids"]),
            mark_ids=inputs["mark_ids"],
            noise=noise,
            training=training,
        )
        flat = ops.reshape(hidden, (-1, self.network.config.hidden_size))
        chosen = ops.take(flat, inputs["places"], axis=0)
        logits = vocabulary_logits(chosen, self.network.embeddings)
        losses = [cross_entropy(inputs["targets"], logits)]
        states = HiddenStates(hidden, residual)
        scores = self.network.heads["span"](states, self.network.embeddings)
        for side in ("start", "end"):
            rows = ops.take(scores[f"{side}_logits"], inputs["document_rows"], axis=0)
            rows = ops.where(inputs["allowed"], rows, NEVER)
            losses.append(cross_entropy(inputs[f"{side}s"], rows))
        return ops.concatenate(losses, axis=0)

"""Which clauses of one text belong to its summary.

Changes when extraction is learned differently.
"""

from typing import Any

from keras import ops

from model_core.training.objectives.base import Objective


class ClausesObjective(Objective):
    """Mean-pooled clauses through gated convolutions (kexue.fm/archives/8046).

    Inputs, one text per batch:
        token_ids, mark_ids: int (num_clauses, length).
        padding_mask: bool (num_clauses, length).
        labels: (num_clauses,), 1 for a clause of the summary.
    """

    def learn(self, inputs: dict[str, Any], noise: Any, *, training: bool) -> Any:
        """Return the binary cross-entropy of every clause, float32 (num_clauses,)."""
        real = ops.cast(inputs["padding_mask"], "bool")
        hidden, _, _ = self.network.body(
            inputs["token_ids"],
            real[:, None, :],
            segment_ids=ops.zeros_like(inputs["token_ids"]),
            mark_ids=inputs["mark_ids"],
            noise=noise,
            training=training,
        )
        vectors = mean_of_tokens(hidden, real)
        logits = self.network.apply("clauses", vectors[None])["clause_logits"][0]
        labels = ops.cast(inputs["labels"], "float32")
        return ops.softplus(logits) - labels * logits


def mean_of_tokens(hidden: Any, real: Any) -> Any:
    """Return each text's mean hidden state, float32 (batch, width)."""
    weights = ops.cast(real, "float32")[..., None]
    total = ops.sum(ops.cast(hidden, "float32") * weights, axis=1)
    return total / ops.maximum(ops.sum(weights, axis=1), 1.0)

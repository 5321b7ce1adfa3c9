"""Tokens to predict at chosen places of packed rows: causal, prefix and cloze parts.

Changes when predicting tokens is learned differently. Knows no file and no text.
"""

from typing import Any

from keras import ops

from model_core import masks
from model_core.models.heads import HiddenStates, vocabulary_logits
from model_core.training.objectives.base import Objective, cross_entropy

COPY_WEIGHT = 2.0  # kexue.fm/archives/8046


class WritingObjective(Objective):
    """Scores the vocabulary only where a loss stands.

    The segment ids decide each document's part (UniLM, arXiv 1905.03197): all ones is
    a causal language model, all zeros a cloze, zeros then ones a prefix language model.

    Inputs, those in brackets where a batch has them:
        token_ids, segment_ids, document_ids: int (batch, length).
        [mark_ids]: int (batch, length).
        [condition_ids]: int (batch,).
        places, targets: int (num_items,), flat indices into batch x length and the
            tokens expected there.
        [source_ids]: int (num_sources, source_length), padded with -1; the first
            source is empty. With it [place_sources]: int (num_items,).
        [copy_targets]: int (num_items,), the tag of each target, -1 for none.
    """

    def learn(self, inputs: dict[str, Any], noise: Any, *, training: bool) -> Any:
        """Return the loss of every place in nats, float32 (num_items,)."""
        chosen = self._hidden_at_places(inputs, noise, training=training)
        logits = vocabulary_logits(chosen, self.network.embeddings)
        if "source_ids" in inputs:
            logits = logits + self._prior(inputs)
        losses = self._cross_entropy(inputs["targets"], logits)
        if "copy_targets" in inputs:
            losses = losses + COPY_WEIGHT * self._copy_loss(inputs, chosen)
        return losses

    def _hidden_at_places(
        self, inputs: dict[str, Any], noise: Any, *, training: bool
    ) -> Any:
        mask = masks.combine(
            masks.prefix_lm(inputs["segment_ids"]),
            masks.same_document(inputs["document_ids"]),
        )
        hidden, _, _ = self.network.body(
            inputs["token_ids"],
            mask,
            segment_ids=inputs["segment_ids"],
            mark_ids=inputs.get("mark_ids"),
            condition_ids=inputs.get("condition_ids"),
            noise=noise,
            training=training,
        )
        flat = ops.reshape(hidden, (-1, self.network.config.hidden_size))
        return ops.take(flat, inputs["places"], axis=0)

    def _cross_entropy(self, targets: Any, logits: Any) -> Any:
        if not self.tricks.sparse_top_k:
            return cross_entropy(targets, logits)
        best = ops.top_k(logits, self.tricks.sparse_top_k)[0]
        chosen = ops.take_along_axis(logits, targets[:, None], axis=-1)
        return ops.logsumexp(best, axis=-1) - chosen[:, 0]

    def _prior(self, inputs: dict[str, Any]) -> Any:
        prior = self.network.apply("source_prior", self._occurs(inputs["source_ids"]))
        has_source = ops.cast(ops.greater(inputs["place_sources"], 0), "float32")
        rows = ops.take(prior["prior"], inputs["place_sources"], axis=0)
        return rows * has_source[:, None]

    def _occurs(self, source_ids: Any) -> Any:
        """Return float32 (num_sources, vocabulary), 1 where a token occurs."""
        size = self.network.config.vocab_size
        count = ops.shape(source_ids)[0]
        rows = ops.repeat(ops.arange(count), ops.shape(source_ids)[1])
        ids = ops.reshape(source_ids, (-1,))
        real = ops.cast(ops.greater_equal(ids, 0), "float32")
        places = ops.stack([rows, ops.maximum(ids, 0)], axis=1)
        counts = ops.scatter(places, real, (count, size))
        return ops.minimum(counts, 1.0)

    def _copy_loss(self, inputs: dict[str, Any], chosen: Any) -> Any:
        head = self.network.heads["copy"]
        states = HiddenStates(chosen[None], None)
        scores = head(states, self.network.embeddings)["copy_logits"][0]
        tags = inputs["copy_targets"]
        told = ops.cast(ops.greater_equal(tags, 0), "float32")
        return told * cross_entropy(ops.maximum(tags, 0), scores)

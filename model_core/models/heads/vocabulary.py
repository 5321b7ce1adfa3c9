"""Heads that score the vocabulary. Change when another way of scoring tokens comes."""

from typing import Any

import keras
from keras import ops

from model_core.layers.feed_forward import ACTIVATIONS
from model_core.layers.normalization import LayerNorm
from model_core.models.heads.base import Head, HiddenStates, TokenTable

# 60 % of the tokens of a title stand in its source, which holds 150 of 8,000: log odds
# of 4.4. A little less leaves room for what the network says itself.
FRESH_SCALE = 3.0


def vocabulary_logits(hidden: Any, embeddings: TokenTable) -> Any:
    """Return float32 scores of every token: (..., width) x (vocabulary, width).

    The product is written over two axes: TensorFlow's gradient of an einsum with an
    ellipsis materialises (tokens, vocabulary, width).

    Args:
        hidden: (..., width).
        embeddings: The tied token embedding.

    Returns:
        float32 (..., vocabulary).
    """
    if embeddings.projection is not None:
        back = ops.transpose(ops.cast(embeddings.projection, hidden.dtype))
        hidden = ops.matmul(hidden, back)
    table = ops.cast(embeddings.rows, hidden.dtype)
    rows = ops.reshape(hidden, (-1, table.shape[-1]))
    scores = ops.cast(ops.einsum("td,nd->tn", rows, table), "float32")
    return ops.reshape(scores, (*ops.shape(hidden)[:-1], table.shape[0]))


class LanguageModelHead(Head):
    """Next-token scores: by the tied embedding (GPT2), or by a table of its own."""

    def build(self, input_shape: Any = None) -> None:
        """Create the table and the bias, where the config asks for them."""
        del input_shape
        config = self.config
        self.embeddings, self.bias = (
            self.add_weight(shape=shape, initializer=start, name=name, autocast=False)
            if wanted
            else None
            for name, shape, start, wanted in (
                (
                    "embeddings",
                    (config.vocab_size, config.hidden_size),
                    self.init,
                    not config.tied_head,
                ),
                ("bias", (config.vocab_size,), "zeros", config.head_bias),
            )
        )
        self.built = True

    def call(self, states: HiddenStates, embeddings: TokenTable) -> dict[str, Any]:
        """Return ``logits`` float32 (batch, length, vocabulary)."""
        hidden, scale = states.hidden, self.config.head_scale
        if scale != 1:
            hidden = hidden * ops.cast(scale, hidden.dtype)
        own = self.embeddings
        table = embeddings if own is None else TokenTable(own)
        logits = vocabulary_logits(hidden, table)
        if self.bias is not None:
            logits = logits + ops.cast(self.bias, "float32")
        return {"logits": logits}


class MaskedLanguageModelHead(Head):
    """BERT's cloze head: dense, activation, norm, tied decoder with a bias."""

    def build(self, input_shape: Any = None) -> None:
        """Create transform, norm and bias, where the config asks for them."""
        del input_shape
        self.built = True
        if not self.config.masked_lm_transform:
            return
        width = (None, None, self.config.hidden_size)
        narrow = (None, None, self.config.input_width)
        self.transform = self.dense(self.config.input_width, "transform")
        self.norm = LayerNorm(
            self.config.layer_norm_eps, dtype=self.dtype_policy, name="norm"
        )
        self.transform.build(width)
        self.norm.build(narrow)
        self.bias = self.add_weight(
            shape=(self.config.vocab_size,),
            initializer="zeros",
            name="bias",
            autocast=False,
        )

    def call(self, states: HiddenStates, embeddings: TokenTable) -> dict[str, Any]:
        """Return ``logits`` float32 (batch, length, vocabulary)."""
        if not self.config.masked_lm_transform:
            return {"logits": vocabulary_logits(states.hidden, embeddings)}
        activation = ACTIVATIONS[self.config.hidden_act]
        transformed = self.norm(activation(self.transform(states.hidden)))
        bias = ops.cast(self.bias, "float32")
        return {"logits": vocabulary_logits(transformed, embeddings) + bias}


class SourcePriorHead(Head):
    """A learned leaning of a target towards the tokens of its source.

    Every token's score gains ``scale`` where the token occurs in the source, and
    ``shift`` in any case (kexue.fm/archives/5861). A fresh ``scale`` is no zero: a
    target takes most of its tokens from the few that its source holds.
    """

    def build(self, input_shape: Any = None) -> None:
        """Create one scale and one shift per token."""
        del input_shape
        self.scale, self.shift = (
            self.add_weight(
                shape=(self.config.vocab_size,),
                initializer=keras.initializers.Constant(start),
                name=name,
                autocast=False,
            )
            for name, start in (("scale", FRESH_SCALE), ("shift", 0.0))
        )
        self.built = True

    def call(self, states: HiddenStates, embeddings: TokenTable) -> dict[str, Any]:
        """Return nothing: the prior depends on the source alone, see ``apply``."""
        del states, embeddings
        return {}

    def apply(self, occurs: Any) -> dict[str, Any]:
        """Return ``prior`` float32 (num_sources, vocabulary), added to logits.

        Args:
            occurs: (num_sources, vocabulary), 1 where a token stands in the source.
        """
        scale, shift = ops.cast(self.scale, "float32"), ops.cast(self.shift, "float32")
        return {"prior": ops.cast(occurs, "float32") * scale + shift}

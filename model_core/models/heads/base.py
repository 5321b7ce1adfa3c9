"""What can be read off hidden states: one class per head, one table of them.

Knows the width of the hidden states and the token embedding, never a task.
"""

from typing import Any

import keras
from keras import ops

from model_core.config import TransformerConfig
from model_core.layers.feed_forward import ACTIVATIONS
from model_core.layers.initialization import kernel_initializer
from model_core.layers.normalization import LayerNorm


def vocabulary_logits(hidden: Any, embeddings: Any) -> Any:
    """Return float32 scores of every token: (..., width) x (vocabulary, width).

    The product is written over two axes: TensorFlow's gradient of an einsum with an
    ellipsis materialises (tokens, vocabulary, width).

    Args:
        hidden: (..., width).
        embeddings: (vocabulary, width), the tied token embedding.

    Returns:
        float32 (..., vocabulary).
    """
    table = ops.cast(embeddings, hidden.dtype)
    rows = ops.reshape(hidden, (-1, table.shape[-1]))
    scores = ops.cast(ops.einsum("td,nd->tn", rows, table), "float32")
    return ops.reshape(scores, (*ops.shape(hidden)[:-1], table.shape[0]))


class Head(keras.layers.Layer):
    """Reads named outputs off hidden states."""

    def __init__(self, config: TransformerConfig, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.config = config
        self.init = kernel_initializer(config.initializer_range)

    def build(self, input_shape: Any = None) -> None:
        """Create the head's weights, if it has any."""
        del input_shape
        self.built = True

    def call(self, hidden: Any, embeddings: Any) -> dict[str, Any]:
        """Map hidden states (batch, length, width) to named outputs.

        Args:
            hidden: (batch, length, width).
            embeddings: The token embedding (vocabulary, width).

        Returns:
            Outputs by name.
        """
        del hidden, embeddings
        raise TypeError(f"{type(self).__name__} does not say what it reads")

    def dense(self, units: int, name: str) -> keras.layers.Dense:
        """Return a projection with this head's policy and initialiser."""
        return keras.layers.Dense(
            units, kernel_initializer=self.init, dtype=self.dtype_policy, name=name
        )


class LanguageModelHead(Head):
    """Next-token scores by the tied embedding (GPT2): no weights of its own."""

    def call(self, hidden: Any, embeddings: Any) -> dict[str, Any]:
        """Return ``logits`` float32 (batch, length, vocabulary)."""
        return {"logits": vocabulary_logits(hidden, embeddings)}


class MaskedLanguageModelHead(Head):
    """BERT's cloze head: dense, activation, norm, tied decoder with a bias."""

    def build(self, input_shape: Any = None) -> None:
        """Create transform, norm and bias."""
        del input_shape
        width = (None, None, self.config.hidden_size)
        self.transform = self.dense(self.config.hidden_size, "transform")
        self.norm = LayerNorm(
            self.config.layer_norm_eps, dtype=self.dtype_policy, name="norm"
        )
        self.transform.build(width)
        self.norm.build(width)
        self.bias = self.add_weight(
            shape=(self.config.vocab_size,),
            initializer="zeros",
            name="bias",
            autocast=False,
        )
        self.built = True

    def call(self, hidden: Any, embeddings: Any) -> dict[str, Any]:
        """Return ``logits`` float32 (batch, length, vocabulary)."""
        activation = ACTIVATIONS[self.config.hidden_act]
        transformed = self.norm(activation(self.transform(hidden)))
        bias = ops.cast(self.bias, "float32")
        return {"logits": vocabulary_logits(transformed, embeddings) + bias}


class PoolerHead(Head):
    """BERT's sentence vector: tanh of a projection of the first token."""

    def build(self, input_shape: Any = None) -> None:
        """Create the projection."""
        del input_shape
        self.projection = self.dense(self.config.hidden_size, "dense")
        self.projection.build((None, self.config.hidden_size))
        self.built = True

    def call(self, hidden: Any, embeddings: Any) -> dict[str, Any]:
        """Return ``pooled`` float32 (batch, width)."""
        del embeddings
        pooled = ops.tanh(self.projection(hidden[:, 0]))
        return {"pooled": ops.cast(pooled, "float32")}


class SpanHead(Head):
    """Start and end scores of every position (extractive question answering)."""

    def build(self, input_shape: Any = None) -> None:
        """Create the projection to two scores."""
        del input_shape
        self.projection = self.dense(2, "dense")
        self.projection.build((None, None, self.config.hidden_size))
        self.built = True

    def call(self, hidden: Any, embeddings: Any) -> dict[str, Any]:
        """Return ``start_logits`` and ``end_logits``, float32 (batch, length)."""
        del embeddings
        scores = ops.cast(self.projection(hidden), "float32")
        return {"start_logits": scores[..., 0], "end_logits": scores[..., 1]}


HEADS: dict[str, type[Head]] = {
    "language_model": LanguageModelHead,
    "masked_lm": MaskedLanguageModelHead,
    "pooler": PoolerHead,
    "span": SpanHead,
}

"""Heads that read texts: a vector of the whole, spans, clauses, copied tokens.

Change when another thing is read off positions.
"""

from typing import Any

import keras
from keras import ops

from model_core.layers.feed_forward import ACTIVATIONS
from model_core.layers.normalization import LayerNorm
from model_core.models.heads.base import Head, HiddenStates, TokenTable

DILATIONS = (1, 2, 4, 8, 1, 1)
CONVOLUTION_KERNEL = 3
CLAUSE_SIZE = 128
COPY_TAGS = ("O", "B", "I")


class PoolerHead(Head):
    """BERT's sentence vector: a projection of the first token, usually its tanh."""

    def build(self, input_shape: Any = None) -> None:
        """Create the projection."""
        del input_shape
        self.projection = self.dense(self.config.hidden_size, "dense")
        self.projection.build((None, self.config.hidden_size))
        self.built = True

    def call(self, states: HiddenStates, embeddings: TokenTable) -> dict[str, Any]:
        """Return ``pooled`` float32 (batch, width)."""
        del embeddings
        activation = ACTIVATIONS[self.config.pooler_act]
        pooled = activation(self.projection(states.hidden[:, 0]))
        return {"pooled": ops.cast(pooled, "float32")}


class SpanHead(Head):
    """Start and end scores of every position (extractive question answering)."""

    def build(self, input_shape: Any = None) -> None:
        """Create the projection to two scores."""
        del input_shape
        self.projection = self.dense(2, "dense")
        self.projection.build((None, None, self.config.hidden_size))
        self.built = True

    def call(self, states: HiddenStates, embeddings: TokenTable) -> dict[str, Any]:
        """Return ``start_logits`` and ``end_logits``, float32 (batch, length)."""
        del embeddings
        scores = ops.cast(self.projection(states.hidden), "float32")
        return {"start_logits": scores[..., 0], "end_logits": scores[..., 1]}


class CopyHead(Head):
    """Whether a target token is written freely or copied (SPACES, 8046).

    The tags are those of ``COPY_TAGS``: O written, B the first of a stretch taken from
    the source, I its continuation. A position tags the token that comes after it.
    """

    def build(self, input_shape: Any = None) -> None:
        """Create the projection to three scores."""
        del input_shape
        self.projection = self.dense(len(COPY_TAGS), "dense")
        self.projection.build((None, None, self.config.hidden_size))
        self.built = True

    def call(self, states: HiddenStates, embeddings: TokenTable) -> dict[str, Any]:
        """Return ``copy_logits`` float32 (batch, length, 3)."""
        del embeddings
        return {"copy_logits": ops.cast(self.projection(states.hidden), "float32")}


class GatedConvolution(keras.layers.Layer):
    """``x + alpha * norm(conv(x) * sigmoid(gate(x)))`` along a sequence.

    ``alpha`` starts at zero, so that a fresh stack is no obstacle (bert4keras'
    ResidualGatedConv1D, kexue.fm/archives/8046).

    Args:
        dilation: Steps between what one output sees.
        head: Whose policy and initialiser it takes.
    """

    def __init__(self, dilation: int, *, head: Head, **kwargs: Any) -> None:
        super().__init__(dtype=head.dtype_policy, **kwargs)
        self.convolution = keras.layers.Conv1D(
            2 * CLAUSE_SIZE,
            CONVOLUTION_KERNEL,
            padding="same",
            dilation_rate=dilation,
            kernel_initializer=head.init,
            dtype=head.dtype_policy,
            name="convolution",
        )
        self.norm = LayerNorm(1e-5, dtype=head.dtype_policy, name="norm")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the convolution, its gate, the norm and ``alpha``."""
        self.convolution.build(input_shape)
        self.norm.build(input_shape)
        self.alpha = self.add_weight(
            shape=(1,), initializer="zeros", name="alpha", autocast=False
        )
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Mix (batch, length, CLAUSE_SIZE)."""
        candidate, gate = ops.split(self._convolved(inputs), 2, axis=-1)
        mixed = self.norm(candidate * ops.sigmoid(gate))
        return inputs + ops.cast(self.alpha, mixed.dtype) * mixed

    def _convolved(self, inputs: Any) -> Any:
        """Return the convolution as one product: neighbours laid side by side.

        It is what the layer would compute. Not every backend has a convolution of its
        own, and of so few positions none is faster than a product.
        """
        (dilation,) = self.convolution.dilation_rate
        length = ops.shape(inputs)[1]
        padded = ops.pad(inputs, [[0, 0], [dilation, dilation], [0, 0]])
        seen = [
            padded[:, place * dilation : place * dilation + length]
            for place in range(CONVOLUTION_KERNEL)
        ]
        kernel = ops.reshape(self.convolution.kernel, (-1, 2 * CLAUSE_SIZE))
        kernel, bias = (
            ops.cast(one, inputs.dtype) for one in (kernel, self.convolution.bias)
        )
        return ops.matmul(ops.concatenate(seen, axis=-1), kernel) + bias


class ClauseHead(Head):
    """Which clauses of one text matter: gated convolutions over their vectors.

    Each layer doubles or resets its reach (dilations 1, 2, 4, 8, 1, 1), so that a
    clause is judged among its neighbours (kexue.fm/archives/8046).
    """

    def build(self, input_shape: Any = None) -> None:
        """Create the convolutions with their gates and both projections."""
        del input_shape
        shape = (None, None, CLAUSE_SIZE)
        self.narrow = self.dense(CLAUSE_SIZE, "narrow")
        self.narrow.build((None, None, self.config.hidden_size))
        self.layers = [
            GatedConvolution(dilation, head=self, name=f"layer_{index}")
            for index, dilation in enumerate(DILATIONS)
        ]
        for layer in self.layers:
            layer.build(shape)
        self.projection = self.dense(1, "dense")
        self.projection.build(shape)
        self.built = True

    def call(self, states: HiddenStates, embeddings: TokenTable) -> dict[str, Any]:
        """Return nothing: clauses are judged together, see ``apply``."""
        del states, embeddings
        return {}

    def apply(self, vectors: Any) -> dict[str, Any]:
        """Return ``clause_logits`` float32 (num_texts, num_clauses).

        Args:
            vectors: (num_texts, num_clauses, width), mean hidden states of clauses.
        """
        mixed = self.narrow(ops.cast(vectors, self.compute_dtype))
        for layer in self.layers:
            mixed = layer(mixed)
        scores = self.projection(mixed)[..., 0]
        return {"clause_logits": ops.cast(scores, "float32")}

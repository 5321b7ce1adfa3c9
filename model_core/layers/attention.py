"""Multi-head self-attention over the present tokens or over a cache.

Knows no mask by name: it is handed one.
"""

from typing import Any, NamedTuple

import keras
from keras import ops

from model_core.layers.initialization import kernel_initializer
from model_core.layers.rotary import rotate


class LayerCache(NamedTuple):
    """Keys and values of one layer, each (batch, num_heads, capacity, head_size)."""

    keys: Any
    values: Any


class MultiHeadAttention(keras.layers.Layer):
    """Scaled dot-product attention; softmax in float32 (arXiv 1706.03762).

    Args:
        num_heads: Number of heads.
        key_dim: Width of one head.
        dropout: Rate on the attention probabilities, while training.
        initializer_range: Standard deviation of fresh kernels.
    """

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        *,
        dropout: float = 0.0,
        initializer_range: float = 0.02,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.key_dim = key_dim
        init = kernel_initializer(initializer_range)
        self.query, self.key, self.value, self.projection = (
            keras.layers.Dense(
                num_heads * key_dim,
                kernel_initializer=init,
                dtype=self.dtype_policy,
                name=name,
            )
            for name in ("query", "key", "value", "output")
        )
        self.drop = keras.layers.Dropout(dropout, dtype=self.dtype_policy)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the four projections."""
        for dense in (self.query, self.key, self.value):
            dense.build(input_shape)
        self.projection.build((*input_shape[:-1], self.num_heads * self.key_dim))
        self.built = True

    def call(
        self,
        hidden: Any,
        mask: Any,
        *,
        angles: tuple[Any, Any] | None = None,
        cache: LayerCache | None = None,
        positions: Any = None,
        training: bool = False,
    ) -> tuple[Any, LayerCache]:
        """Mix the positions that the mask allows.

        Args:
            hidden: (batch, length, width).
            mask: bool, broadcasts to (batch, query, key); True may attend.
            angles: Rotary angles of the present tokens, or None.
            cache: Keys and values so far; the present single token is written into
                it at ``positions`` and attends over all of it.
            positions: int (batch,), where to write; only with ``cache``.
            training: Whether dropout acts.

        Returns:
            The mixed (batch, length, width), and the keys and values attended over.
        """
        query, key, value = (
            self._split(dense(hidden)) for dense in (self.query, self.key, self.value)
        )
        if angles is not None:
            query, key = rotate(query, angles), rotate(key, angles)
        seen = LayerCache(key, value)
        if cache is not None:
            seen = write(cache, seen, positions)
        mixed = self._attend(query, seen, mask, training=training)
        return self.projection(self._merge(mixed)), seen

    def _attend(
        self, query: Any, seen: LayerCache, mask: Any, *, training: bool
    ) -> Any:
        scale = ops.cast(self.key_dim**-0.5, query.dtype)
        scores = ops.matmul(query * scale, ops.transpose(seen.keys, (0, 1, 3, 2)))
        scores = ops.where(mask[:, None], ops.cast(scores, "float32"), -1e9)
        weights = ops.cast(ops.softmax(scores, axis=-1), query.dtype)
        return ops.matmul(self.drop(weights, training=training), seen.values)

    def _split(self, x: Any) -> Any:
        batch, length = ops.shape(x)[0], ops.shape(x)[1]
        heads = ops.reshape(x, (batch, length, self.num_heads, self.key_dim))
        return ops.transpose(heads, (0, 2, 1, 3))

    def _merge(self, heads: Any) -> Any:
        batch, length = ops.shape(heads)[0], ops.shape(heads)[2]
        x = ops.transpose(heads, (0, 2, 1, 3))
        return ops.reshape(x, (batch, length, self.num_heads * self.key_dim))


def write(cache: LayerCache, new: LayerCache, positions: Any) -> LayerCache:
    """Put one token per row at that row's position.

    Args:
        cache: Keys and values of capacity ``capacity``.
        new: Keys and values of one token, (batch, num_heads, 1, head_size).
        positions: int (batch,).

    Returns:
        The cache with the new token in it.
    """
    capacity = ops.shape(cache.keys)[2]
    slot = ops.arange(capacity)[None, :] == positions[:, None]
    chosen = slot[:, None, :, None]
    return LayerCache(
        ops.where(chosen, ops.cast(new.keys, cache.keys.dtype), cache.keys),
        ops.where(chosen, ops.cast(new.values, cache.values.dtype), cache.values),
    )

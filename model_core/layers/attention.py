"""Multi-head attention over the present tokens, over a cache, or over a source.

Knows no mask by name: it is handed one.
"""

from typing import Any, NamedTuple

import keras
from keras import ops

from model_core.layers.initialization import kernel_initializer
from model_core.layers.positions import NO_TERMS, PositionTerms
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
        output_dim: Width of the result; None for that of all heads.
        use_bias: Whether the projections have biases.
        scaled: Whether scores are divided by the root of ``key_dim``.
        rotary_style: Which two numbers of a head turn together.
        dropout: Rate on the attention probabilities, while training.
        initializer_range: Standard deviation of fresh kernels.
    """

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        *,
        output_dim: int | None = None,
        use_bias: bool = True,
        scaled: bool = True,
        rotary_style: str = "halves",
        dropout: float = 0.0,
        initializer_range: float = 0.02,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.key_dim = key_dim
        self.scale = key_dim**-0.5 if scaled else 1.0
        self.rotary_style = rotary_style
        self.init = kernel_initializer(initializer_range)
        all_heads = num_heads * key_dim
        self.query, self.key, self.value, self.projection = (
            keras.layers.Dense(
                units,
                use_bias=use_bias,
                kernel_initializer=self.init,
                dtype=self.dtype_policy,
                name=name,
            )
            for name, units in (
                ("query", all_heads),
                ("key", all_heads),
                ("value", all_heads),
                ("output", output_dim or all_heads),
            )
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
        terms: PositionTerms = NO_TERMS,
        cache: LayerCache | None = None,
        positions: Any = None,
        training: bool = False,
    ) -> tuple[Any, LayerCache]:
        """Mix the positions that the mask allows.

        Args:
            hidden: (batch, length, width).
            mask: bool, broadcasts to (batch, query, key); True may attend.
            terms: What positions add.
            cache: Keys and values so far; the present single token is written into
                it at ``positions`` and attends over all of it.
            positions: int (batch,), where to write; only with ``cache``.
            training: Whether dropout acts.

        Returns:
            The mixed (batch, length, width), and the keys and values attended over.
        """
        query = self._split(self.query(hidden))
        key, value = self.keys_and_values(hidden)
        if terms.angles is not None:
            style = self.rotary_style
            query = rotate(query, terms.angles, style)
            key = rotate(key, terms.angles, style)
        seen = LayerCache(key, value)
        if cache is not None:
            seen = write(cache, seen, positions)
        mixed = self.attend(query, seen, mask, terms, training=training)
        return self.projection(self._merge(mixed)), seen

    def keys_and_values(self, hidden: Any) -> LayerCache:
        """Return those of (batch, length, width)."""
        return LayerCache(
            self._split(self.key(hidden)), self._split(self.value(hidden))
        )

    def attend(
        self,
        query: Any,
        seen: LayerCache,
        mask: Any,
        terms: PositionTerms,
        *,
        training: bool,
    ) -> Any:
        """Return the mix for every query, (batch, num_heads, query, head_size)."""
        scores = ops.cast(self.scores(query, seen.keys, terms), "float32")
        if terms.bias is not None:
            scores = scores + terms.bias
        scores = ops.where(mask[:, None], scores, -1e9)
        weights = ops.cast(ops.softmax(scores, axis=-1), query.dtype)
        weights = self.drop(weights, training=training)
        mixed = ops.matmul(weights, seen.values)
        if terms.relations is not None:
            of_values = ops.cast(terms.relations, query.dtype)
            mixed = mixed + _over_keys(weights, of_values)
        return mixed

    def scores(self, query: Any, keys: Any, terms: PositionTerms) -> Any:
        """Return the score of every pair, (batch, num_heads, query, key)."""
        query = query * ops.cast(self.scale, query.dtype)
        scores = ops.matmul(query, ops.transpose(keys, (0, 1, 3, 2)))
        if terms.relations is not None:
            of_keys = ops.cast(terms.relations, query.dtype)
            scores = scores + _of_pairs(query, of_keys)
        return scores

    def _split(self, x: Any) -> Any:
        batch, length = ops.shape(x)[0], ops.shape(x)[1]
        heads = ops.reshape(x, (batch, length, self.num_heads, self.key_dim))
        return ops.transpose(heads, (0, 2, 1, 3))

    def _merge(self, heads: Any) -> Any:
        batch, length = ops.shape(heads)[0], ops.shape(heads)[2]
        x = ops.transpose(heads, (0, 2, 1, 3))
        return ops.reshape(x, (batch, length, self.num_heads * self.key_dim))


class CrossAttention(MultiHeadAttention):
    """Attention of a decoder over what the encoder read."""

    def call(  # type: ignore[override]
        self,
        hidden: Any,
        source: LayerCache,
        mask: Any,
        *,
        terms: PositionTerms = NO_TERMS,
        training: bool = False,
    ) -> Any:
        """Mix the source's positions that the mask allows.

        Args:
            hidden: (batch, length, width), of the decoder.
            source: ``keys_and_values`` of the encoder's states.
            mask: bool, broadcasts to (batch, query, key).
            terms: What positions add to the scores: most decoders add nothing.
            training: Whether dropout acts.

        Returns:
            (batch, length, width).
        """
        query = self._split(self.query(hidden))
        mixed = self.attend(query, source, mask, terms, training=training)
        return self.projection(self._merge(mixed))


class TransferAttention(MultiHeadAttention):
    """XLNet's attention: content, distance and segment score apart.

    ``(q + u) k + (q + v) W r + (q + s) e`` with one learned ``u``, ``v`` and ``s`` per
    head (arXiv 1906.08237; 1901.02860, section 3.3). Content stream only.

    Args:
        segments: Whether pairs of one and of two segments are told apart.
    """

    def __init__(
        self, num_heads: int, key_dim: int, *, segments: bool, **options: Any
    ) -> None:
        super().__init__(num_heads, key_dim, **options)
        self.segments = segments
        self.distance = keras.layers.Dense(
            num_heads * key_dim,
            use_bias=False,
            kernel_initializer=self.init,
            dtype=self.dtype_policy,
            name="distance",
        )

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the projections, biases and segment vectors."""
        super().build(input_shape)
        self.distance.build(input_shape)
        shape = (self.num_heads, self.key_dim)
        self.content_bias, self.distance_bias = (
            self.add_weight(shape=shape, initializer="zeros", name=name)
            for name in ("content_bias", "distance_bias")
        )
        if self.segments:
            self.segment_bias = self.add_weight(
                shape=shape, initializer="zeros", name="segment_bias"
            )
            self.segment_pair = self.add_weight(
                shape=(2, *shape), initializer=self.init, name="segment_pair"
            )

    def scores(self, query: Any, keys: Any, terms: PositionTerms) -> Any:
        """See ``MultiHeadAttention.scores``."""
        if terms.transfer is None:
            raise ValueError("TransferAttention needs terms.transfer, received None")
        waves, rows, apart = terms.transfer
        distances = self.distance(ops.cast(waves, query.dtype)[None])
        of_distances = ops.matmul(
            query + self._bias(self.distance_bias, query),
            ops.transpose(self._split(distances), (0, 1, 3, 2)),
        )
        content = query + self._bias(self.content_bias, query)
        scores = ops.matmul(content, ops.transpose(keys, (0, 1, 3, 2)))
        scores = scores + _picked(of_distances, rows)
        if self.segments and apart is not None:
            both = ops.einsum(
                "bhqd,shd->bhqs",
                query + self._bias(self.segment_bias, query),
                ops.cast(self.segment_pair, query.dtype),
            )
            scores = scores + ops.where(apart[:, None], both[..., 1:2], both[..., 0:1])
        return scores * ops.cast(self.scale, query.dtype)

    def _bias(self, weight: Any, like: Any) -> Any:
        return ops.cast(weight, like.dtype)[None, :, None, :]


def write(cache: LayerCache, new: LayerCache, positions: Any) -> LayerCache:
    """Put one token per row at that row's position.

    Args:
        cache: Keys and values of capacity ``capacity``.
        new: Keys and values of one token, (batch, num_heads, 1, head_size).
        positions: int (batch,).

    Returns:
        The cache with the new token in it.
    """
    put = _PUT.get(keras.backend.backend(), _selected)
    return LayerCache(
        put(cache.keys, ops.cast(new.keys, cache.keys.dtype), positions),
        put(cache.values, ops.cast(new.values, cache.values.dtype), positions),
    )


def _selected(kept: Any, new: Any, positions: Any) -> Any:
    """Choose between old and new everywhere: what every backend can compile."""
    slot = ops.arange(ops.shape(kept)[2])[None, :] == positions[:, None]
    return ops.where(slot[:, None, :, None], new, kept)


def _written(kept: Any, new: Any, positions: Any) -> Any:
    """Write in place, where nobody else has the cache: the rest is not touched."""
    rows = ops.arange(kept.shape[0])
    places = kept.at[rows, :, positions]
    return places.set(new[:, :, 0], unique_indices=True)


_PUT = {"jax": _written}


def _of_pairs(query: Any, vectors: Any) -> Any:
    """Return products (batch, heads, query, key) with one vector per pair.

    Args:
        query: (batch, heads, query, head_size).
        vectors: (1 or batch, query, key, head_size).
    """
    by_place = ops.transpose(query, (0, 2, 1, 3))
    products = ops.matmul(by_place, ops.transpose(vectors, (0, 1, 3, 2)))
    return ops.transpose(products, (0, 2, 1, 3))


def _over_keys(weights: Any, vectors: Any) -> Any:
    """Return sums (batch, heads, query, head_size) of one vector per pair."""
    by_place = ops.transpose(weights, (0, 2, 1, 3))
    return ops.transpose(ops.matmul(by_place, vectors), (0, 2, 1, 3))


def _picked(of_distances: Any, rows: Any) -> Any:
    """Return each pair's column, (batch, heads, query, key).

    Args:
        of_distances: (batch, heads, query, num_distances).
        rows: int (1 or batch, query, key).
    """
    shape = ops.shape(of_distances)
    wanted = ops.broadcast_to(rows[:, None], (*shape[:3], ops.shape(rows)[2]))
    return ops.take_along_axis(of_distances, wanted, axis=3)

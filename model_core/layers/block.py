"""One Transformer block: where norms and residuals stand. Knows no embedding."""

from typing import Any

import keras

from model_core.config import TransformerConfig
from model_core.layers.attention import (
    CrossAttention,
    LayerCache,
    MultiHeadAttention,
    TransferAttention,
)
from model_core.layers.feed_forward import FeedForward
from model_core.layers.normalization import norm_of
from model_core.layers.positions import NO_TERMS, PositionTerms


class TransformerBlock(keras.layers.Layer):
    """Attention and feed-forward, each with its residual.

        post       x -> branch -> + -> norm                 (BERT)
        pre        x -> norm -> branch -> +                 (GPT2)
        sandwich   post, but the attention's norm stands    (GPT2_ML)
                   before the feed-forward's branch only

    A decoder's block reads its source between the two, placed as they are.

    Args:
        config: Sizes and the place of the norms.
        reads_source: Whether it attends to an encoder.
    """

    def __init__(
        self, config: TransformerConfig, *, reads_source: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.placement = config.norm_placement
        self.attention = self._attention(config)
        self.source_attention = (
            CrossAttention(
                config.num_attention_heads,
                config.head_size,
                name="source_attention",
                **self._attention_options(config),
            )
            if reads_source
            else None
        )
        self.feed_forward = FeedForward(
            config.intermediate_size,
            config.hidden_size,
            activation=config.hidden_act,
            gated=config.gated_feed_forward,
            use_bias=config.feed_forward_bias,
            initializer_range=config.initializer_range,
            dtype=self.dtype_policy,
            name="feed_forward",
        )
        self.attention_norm, self.source_norm, self.feed_forward_norm = (
            norm_of(config, dtype=self.dtype_policy, name=name)
            for name in ("attention_norm", "source_norm", "feed_forward_norm")
        )
        self.drop = keras.layers.Dropout(config.dropout, dtype=self.dtype_policy)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build every part: all see (batch, length, width)."""
        parts = [
            self.attention,
            self.feed_forward,
            self.attention_norm,
            self.feed_forward_norm,
        ]
        if self.source_attention is not None:
            parts += [self.source_attention, self.source_norm]
        for part in parts:
            part.build(input_shape)
        self.built = True

    def call(  # noqa: PLR0913 - all that it may read
        self,
        hidden: Any,
        mask: Any,
        *,
        terms: PositionTerms = NO_TERMS,
        cache: LayerCache | None = None,
        positions: Any = None,
        source: LayerCache | None = None,
        source_mask: Any = None,
        source_terms: PositionTerms = NO_TERMS,
        condition: Any = None,
        training: bool = False,
    ) -> tuple[Any, LayerCache]:
        """Transform (batch, length, width); see ``MultiHeadAttention.call``.

        Args:
            hidden: (batch, length, width).
            mask: bool, broadcasts to (batch, query, key).
            terms: What positions add to the scores.
            cache: Keys and values so far, or None.
            positions: int (batch,), where the cache is written.
            source: Keys and values of the encoder's states; see ``read_source``.
            source_mask: bool, broadcasts to (batch, query, source key).
            source_terms: What positions add to the scores of the source.
            condition: (batch, 1, condition_size) shifts the norms; None does not.
            training: Whether dropout acts.
        """
        pre, post = self.placement == "pre", self.placement == "post"
        mixed, seen = self.attention(
            self.attention_norm(hidden, condition) if pre else hidden,
            mask,
            terms=terms,
            cache=cache,
            positions=positions,
            training=training,
        )
        hidden = hidden + self.drop(mixed, training=training)
        if post:
            hidden = self.attention_norm(hidden, condition)
        if self.source_attention is not None:
            asks = self.source_norm(hidden) if pre else hidden
            read = self.source_attention(
                asks, source, source_mask, terms=source_terms, training=training
            )
            hidden = hidden + self.drop(read, training=training)
            hidden = hidden if pre else self.source_norm(hidden)
        narrow = hidden
        if not post:
            norm = self.feed_forward_norm if pre else self.attention_norm
            narrow = norm(hidden, condition)
        hidden = hidden + self.drop(self.feed_forward(narrow), training=training)
        return hidden if pre else self.feed_forward_norm(hidden, condition), seen

    def read_source(self, hidden: Any) -> LayerCache:
        """Return keys and values of the encoder's states (batch, length, width)."""
        if self.source_attention is None:
            raise ValueError("this block reads no source: build it with reads_source")
        seen: LayerCache = self.source_attention.keys_and_values(hidden)
        return seen

    def _attention(self, config: TransformerConfig) -> MultiHeadAttention:
        sizes = (config.num_attention_heads, config.head_size)
        options = self._attention_options(config) | {"name": "attention"}
        if config.position_kind == "transfer":
            return TransferAttention(*sizes, segments=True, **options)
        return MultiHeadAttention(*sizes, rotary_style=config.rotary_style, **options)

    def _attention_options(self, config: TransformerConfig) -> dict[str, Any]:
        return {
            "output_dim": config.hidden_size,
            "use_bias": config.attention_bias,
            "scaled": config.scaled_attention,
            "dropout": config.attention_dropout,
            "initializer_range": config.initializer_range,
            "dtype": self.dtype_policy,
        }

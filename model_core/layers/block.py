"""One Transformer block: where norms and residuals stand. Knows no embedding."""

from typing import Any

import keras

from model_core.config import TransformerConfig
from model_core.layers.attention import LayerCache, MultiHeadAttention
from model_core.layers.feed_forward import FeedForward
from model_core.layers.normalization import LayerNorm


class TransformerBlock(keras.layers.Layer):
    """Attention and feed-forward, each with its residual.

        post   x -> branch -> + -> norm      (BERT)
        pre    x -> norm -> branch -> +      (GPT2)

    Args:
        config: Sizes and the place of the norms.
    """

    def __init__(self, config: TransformerConfig, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        policy = self.dtype_policy
        self.pre_norm = config.norm_placement == "pre"
        self.attention = MultiHeadAttention(
            config.num_attention_heads,
            config.head_size,
            dropout=config.attention_dropout,
            initializer_range=config.initializer_range,
            dtype=policy,
            name="attention",
        )
        self.feed_forward = FeedForward(
            config.intermediate_size,
            config.hidden_size,
            activation=config.hidden_act,
            initializer_range=config.initializer_range,
            dtype=policy,
            name="feed_forward",
        )
        self.attention_norm, self.feed_forward_norm = (
            LayerNorm(
                config.layer_norm_eps,
                condition_size=config.condition_size if config.num_conditions else 0,
                dtype=policy,
                name=name,
            )
            for name in ("attention_norm", "feed_forward_norm")
        )
        self.drop = keras.layers.Dropout(config.dropout, dtype=policy)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build every part: all see (batch, length, width)."""
        for part in (
            self.attention,
            self.feed_forward,
            self.attention_norm,
            self.feed_forward_norm,
        ):
            part.build(input_shape)
        self.built = True

    def call(
        self,
        hidden: Any,
        mask: Any,
        *,
        angles: tuple[Any, Any] | None = None,
        cache: LayerCache | None = None,
        positions: Any = None,
        condition: Any = None,
        training: bool = False,
    ) -> tuple[Any, LayerCache]:
        """Transform (batch, length, width); see ``MultiHeadAttention.call``.

        ``condition`` (batch, 1, condition_size) shifts the norms; None does not.
        """
        source = self.attention_norm(hidden, condition) if self.pre_norm else hidden
        mixed, seen = self.attention(
            source,
            mask,
            angles=angles,
            cache=cache,
            positions=positions,
            training=training,
        )
        hidden = hidden + self.drop(mixed, training=training)
        if self.pre_norm:
            wide = self.feed_forward(self.feed_forward_norm(hidden, condition))
            return hidden + self.drop(wide, training=training), seen
        hidden = self.attention_norm(hidden, condition)
        wide = self.drop(self.feed_forward(hidden), training=training)
        return self.feed_forward_norm(hidden + wide, condition), seen

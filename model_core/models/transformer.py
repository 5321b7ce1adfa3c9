"""The one network: embeddings and blocks as a config says. Knows no head, no task."""

from typing import Any

import keras
from keras import ops

from model_core.config import TransformerConfig
from model_core.layers.attention import LayerCache
from model_core.layers.block import TransformerBlock
from model_core.layers.initialization import kernel_initializer
from model_core.layers.normalization import LayerNorm
from model_core.layers.rotary import rotary_angles


class Transformer(keras.layers.Layer):
    """Token ids and a mask in, hidden states out.

    Args:
        config: Everything that distinguishes one family from another.
    """

    def __init__(self, config: TransformerConfig, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.config = config
        policy = self.dtype_policy
        self.token_embedding = self._table(config.vocab_size, "token_embedding")
        self.position_embedding = (
            self._table(config.max_position_embeddings, "position_embedding")
            if config.position_kind == "learned"
            else None
        )
        self.segment_embedding = (
            self._table(config.type_vocab_size, "segment_embedding")
            if config.type_vocab_size
            else None
        )
        self.mark_embedding = (
            self._table(config.mark_vocab_size, "mark_embedding", zero=True)
            if config.mark_vocab_size
            else None
        )
        self.condition_embedding = (
            keras.layers.Embedding(
                config.num_conditions,
                config.condition_size,
                dtype=policy,
                name="condition_embedding",
            )
            if config.num_conditions
            else None
        )
        self.embedding_norm, self.final_norm = (
            LayerNorm(
                config.layer_norm_eps,
                condition_size=config.condition_size if config.num_conditions else 0,
                dtype=policy,
                name=name,
            )
            if wanted
            else None
            for name, wanted in (
                ("embedding_norm", config.embedding_norm),
                ("final_norm", config.final_norm),
            )
        )
        self.drop = keras.layers.Dropout(config.dropout, dtype=policy)
        self.blocks = [
            TransformerBlock(config, dtype=policy, name=f"block_{layer}")
            for layer in range(config.num_hidden_layers)
        ]

    def build(self, input_shape: Any = None) -> None:
        """Create every weight."""
        del input_shape
        for table in (
            self.token_embedding,
            self.position_embedding,
            self.segment_embedding,
            self.mark_embedding,
            self.condition_embedding,
        ):
            if table is not None:
                table.build((None, None))
        width = (None, None, self.config.hidden_size)
        for part in (self.embedding_norm, *self.blocks, self.final_norm):
            if part is not None:
                part.build(width)
        self.built = True

    def call(  # noqa: PLR0913 - all that a Transformer may read
        self,
        token_ids: Any,
        mask: Any,
        *,
        segment_ids: Any = None,
        mark_ids: Any = None,
        condition_ids: Any = None,
        position_ids: Any = None,
        caches: tuple[LayerCache, ...] | None = None,
        noise: Any = None,
        training: bool = False,
    ) -> tuple[Any, Any, tuple[LayerCache, ...]]:
        """Read the tokens that the mask lets each position see.

        Args:
            token_ids: int (batch, length).
            mask: bool, broadcasts to (batch, query, key); see ``model_core.masks``.
            segment_ids: int (batch, length); zeros where None.
            mark_ids: int (batch, length); 0 says nothing, as does None.
            condition_ids: int (batch,), from 0; None for no condition.
            position_ids: int (batch, length); 0, 1, 2 … where None.
            caches: One per layer; with it ``length`` is 1 and the new token is
                written at ``position_ids``.
            noise: (batch, length, hidden_size), added to the embeddings; None for none.
            training: Whether dropout acts.

        Returns:
            Hidden states (batch, length, hidden_size); the residual stream before the
            last norm, of the same shape; and each layer's keys and values.
        """
        if position_ids is None:
            position_ids = ops.arange(ops.shape(token_ids)[1])[None, :]
        condition = self._condition(condition_ids)
        hidden = self.embed(
            token_ids,
            segment_ids,
            position_ids,
            mark_ids,
            condition=condition,
            training=training,
        )
        if noise is not None:
            hidden = hidden + ops.cast(noise, hidden.dtype)
        angles = self._angles(position_ids)
        slots = position_ids[:, 0] if caches is not None else None
        seen = []
        for layer, block in enumerate(self.blocks):
            hidden, layer_cache = block(
                hidden,
                mask,
                angles=angles,
                cache=caches[layer] if caches is not None else None,
                positions=slots,
                condition=condition,
                training=training,
            )
            seen.append(layer_cache)
        residual = hidden
        if self.final_norm is not None:
            hidden = self.final_norm(hidden, condition)
        return hidden, residual, tuple(seen)

    def embed(
        self,
        token_ids: Any,
        segment_ids: Any,
        position_ids: Any,
        mark_ids: Any = None,
        *,
        condition: Any = None,
        training: bool = False,
    ) -> Any:
        """Sum the embeddings of (batch, length) ids."""
        hidden = self.token_embedding(token_ids)
        if self.position_embedding is not None:
            hidden = hidden + self.position_embedding(position_ids)
        if self.segment_embedding is not None:
            if segment_ids is None:
                segment_ids = ops.zeros_like(token_ids)
            hidden = hidden + self.segment_embedding(segment_ids)
        if self.mark_embedding is not None and mark_ids is not None:
            says = ops.cast(ops.greater(mark_ids, 0), hidden.dtype)[..., None]
            hidden = hidden + self.mark_embedding(mark_ids) * says
        if self.embedding_norm is not None:
            hidden = self.embedding_norm(hidden, condition)
        return self.drop(hidden, training=training)

    def _angles(self, position_ids: Any) -> tuple[Any, Any] | None:
        if self.config.position_kind != "rotary":
            return None
        return rotary_angles(
            position_ids, self.config.head_size, self.config.rotary_base
        )

    def _condition(self, condition_ids: Any) -> Any:
        if condition_ids is None:
            return None
        if self.condition_embedding is None:
            raise ValueError("condition_ids need num_conditions >= 1, received 0")
        return self.condition_embedding(condition_ids)[:, None, :]

    def _table(
        self, rows: int, name: str, *, zero: bool = False
    ) -> keras.layers.Embedding:
        spread = 0.0 if zero else self.config.initializer_range
        return keras.layers.Embedding(
            rows,
            self.config.hidden_size,
            embeddings_initializer=kernel_initializer(spread),
            dtype=self.dtype_policy,
            name=name,
        )

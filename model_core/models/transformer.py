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
        self.embedding_norm, self.final_norm = (
            LayerNorm(config.layer_norm_eps, dtype=policy, name=name)
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
        ):
            if table is not None:
                table.build((None, None))
        width = (None, None, self.config.hidden_size)
        for part in (self.embedding_norm, *self.blocks, self.final_norm):
            if part is not None:
                part.build(width)
        self.built = True

    def call(
        self,
        token_ids: Any,
        mask: Any,
        *,
        segment_ids: Any = None,
        position_ids: Any = None,
        caches: tuple[LayerCache, ...] | None = None,
        training: bool = False,
    ) -> tuple[Any, tuple[LayerCache, ...]]:
        """Read the tokens that the mask lets each position see.

        Args:
            token_ids: int (batch, length).
            mask: bool, broadcasts to (batch, query, key); see ``model_core.masks``.
            segment_ids: int (batch, length); zeros where None.
            position_ids: int (batch, length); 0, 1, 2 … where None.
            caches: One per layer; with it ``length`` is 1 and the new token is
                written at ``position_ids``.
            training: Whether dropout acts.

        Returns:
            Hidden states (batch, length, hidden_size), and each layer's keys and
            values.
        """
        if position_ids is None:
            position_ids = ops.arange(ops.shape(token_ids)[1])[None, :]
        hidden = self.embed(token_ids, segment_ids, position_ids, training=training)
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
                training=training,
            )
            seen.append(layer_cache)
        if self.final_norm is not None:
            hidden = self.final_norm(hidden)
        return hidden, tuple(seen)

    def embed(
        self, token_ids: Any, segment_ids: Any, position_ids: Any, *, training: bool
    ) -> Any:
        """Sum the embeddings of (batch, length) ids."""
        hidden = self.token_embedding(token_ids)
        if self.position_embedding is not None:
            hidden = hidden + self.position_embedding(position_ids)
        if self.segment_embedding is not None:
            if segment_ids is None:
                segment_ids = ops.zeros_like(token_ids)
            hidden = hidden + self.segment_embedding(segment_ids)
        if self.embedding_norm is not None:
            hidden = self.embedding_norm(hidden)
        return self.drop(hidden, training=training)

    def _angles(self, position_ids: Any) -> tuple[Any, Any] | None:
        if self.config.position_kind != "rotary":
            return None
        return rotary_angles(
            position_ids, self.config.head_size, self.config.rotary_base
        )

    def _table(self, rows: int, name: str) -> keras.layers.Embedding:
        return keras.layers.Embedding(
            rows,
            self.config.hidden_size,
            embeddings_initializer=kernel_initializer(self.config.initializer_range),
            dtype=self.dtype_policy,
            name=name,
        )

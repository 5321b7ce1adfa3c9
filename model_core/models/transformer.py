"""The one network: embeddings and blocks as a config says. Knows no head, no task."""

from collections.abc import Iterator, Sequence
from typing import Any

import keras
from keras import ops

from model_core.config import TransformerConfig
from model_core.layers.attention import LayerCache
from model_core.layers.block import TransformerBlock
from model_core.layers.initialization import kernel_initializer
from model_core.layers.normalization import norm_of
from model_core.layers.positions import (
    NO_TERMS,
    PositionTerms,
    TransferTerms,
    bucket_of,
    distances,
    relation_sinusoids,
    sinusoids,
)
from model_core.layers.rotary import rotary_angles


class Transformer(keras.layers.Layer):
    """Token ids and a mask in, hidden states out.

    Args:
        config: Everything that distinguishes one family from another.
        is_decoder: Whether its blocks read the states of an encoder, whose token
            embedding it then shares.
    """

    def __init__(
        self, config: TransformerConfig, *, is_decoder: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.config = config
        self.is_decoder = is_decoder
        policy = self.dtype_policy
        # a decoder's tokens are looked up in its encoder's table, and of one kind
        self.token_embedding = self._input_table(
            config.vocab_size, "token_embedding", width=config.embedding_width
        )
        learned = config.position_kind == "learned"
        self.position_embedding = self._table(
            config.max_position_embeddings * learned, "position_embedding"
        )
        self.segment_embedding = self._input_table(
            config.type_vocab_size, "segment_embedding"
        )
        self.task_embedding = self._input_table(
            config.task_type_vocab_size, "task_embedding"
        )
        self.mark_embedding = self._input_table(
            config.mark_vocab_size, "mark_embedding", zero=True
        )
        self.condition_embedding: Any = (
            keras.layers.Embedding(
                config.num_conditions,
                config.condition_size,
                dtype=policy,
                name="condition_embedding",
            )
            if config.num_conditions and not is_decoder
            else None
        )
        self.position_bias: Any = (
            keras.layers.Embedding(
                config.relative_buckets,
                config.num_attention_heads,
                embeddings_initializer=kernel_initializer(config.initializer_range),
                dtype=policy,
                name="position_bias",
            )
            if config.position_kind == "buckets"
            else None
        )
        self.embedding_norm, self.final_norm = (
            norm_of(config, dtype=policy, name=name) if wanted else None
            for name, wanted in (
                ("embedding_norm", config.embedding_norm),
                ("final_norm", config.final_norm),
            )
        )
        self.embedding_projection = (
            keras.layers.Dense(
                config.hidden_size,
                use_bias=config.embedding_bias,
                kernel_initializer=kernel_initializer(config.initializer_range),
                dtype=policy,
                name="embedding_projection",
            )
            if config.embedding_size and not is_decoder
            else None
        )
        self.drop = keras.layers.Dropout(config.dropout, dtype=policy)
        self.num_layers = (
            config.num_decoder_layers if is_decoder else config.num_hidden_layers
        )
        self.blocks = [
            TransformerBlock(
                config, reads_source=is_decoder, dtype=policy, name=f"block_{index}"
            )
            for index in range(self.num_layers if is_decoder else config.num_blocks)
        ]

    def build(self, input_shape: Any = None) -> None:
        """Create every weight."""
        del input_shape
        for table in (
            self.token_embedding,
            self.position_embedding,
            self.segment_embedding,
            self.task_embedding,
            self.mark_embedding,
            self.condition_embedding,
            self.position_bias,
        ):
            if table is not None:
                table.build((None, None))
        for part, width in (
            (self.embedding_norm, self.config.input_width),
            (self.embedding_projection, self.config.embedding_width),
            *((block, self.config.hidden_size) for block in self.blocks),
            (self.final_norm, self.config.hidden_size),
        ):
            if part is not None:
                part.build((None, None, width))
        self.built = True

    def call(  # noqa: PLR0913 - all that a Transformer may read
        self,
        token_ids: Any,
        mask: Any,
        *,
        token_vectors: Any = None,
        segment_ids: Any = None,
        mark_ids: Any = None,
        condition_ids: Any = None,
        position_ids: Any = None,
        caches: tuple[LayerCache, ...] | None = None,
        sources: Sequence[LayerCache] | None = None,
        source_mask: Any = None,
        noise: Any = None,
        training: bool = False,
    ) -> tuple[Any, Any, tuple[LayerCache, ...]]:
        """Read the tokens that the mask lets each position see.

        Args:
            token_ids: int (batch, length).
            mask: bool, broadcasts to (batch, query, key); see ``model_core.masks``.
            token_vectors: (batch, length, embedding_width), the tokens' embeddings
                where another network holds them; None to look them up.
            segment_ids: int (batch, length); zeros where None.
            mark_ids: int (batch, length); 0 says nothing, as does None.
            condition_ids: int (batch,), from 0; None for no condition.
            position_ids: int (batch, length); 0, 1, 2 … where None.
            caches: One per layer; with it ``length`` is 1 and the new token is
                written at ``position_ids``.
            sources: One per layer; see ``read_source``. Only for a decoder.
            source_mask: bool, broadcasts to (batch, query, source key).
            noise: (batch, length, input_width), added to the embeddings; None for
                none.
            training: Whether dropout acts.

        Returns:
            Hidden states (batch, length, hidden_size); the residual stream before the
            last norm, of the same shape; and each layer's keys and values.
        """
        if position_ids is None:
            position_ids = ops.arange(ops.shape(token_ids)[1])[None, :]
        condition = self._condition(condition_ids)
        if token_vectors is None:
            token_vectors = self.token_embedding(token_ids)
        hidden = self.embed(
            token_vectors,
            segment_ids,
            position_ids,
            mark_ids,
            condition=condition,
            noise=noise,
            training=training,
        )
        keys = (
            position_ids
            if caches is None
            else ops.arange(ops.shape(caches[0].keys)[2])[None, :]
        )
        terms = self._terms(position_ids, keys, None if caches else segment_ids)
        source_terms = self._source_terms(position_ids, sources)
        slots = position_ids[:, 0] if caches is not None else None
        seen = []
        for layer in range(self.num_layers):
            hidden, layer_cache = self._block(layer)(
                hidden,
                mask,
                terms=terms,
                cache=caches[layer] if caches is not None else None,
                positions=slots,
                source=sources[layer] if sources is not None else None,
                source_mask=source_mask,
                source_terms=source_terms,
                condition=condition,
                training=training,
            )
            seen.append(layer_cache)
        residual = hidden
        if self.final_norm is not None:
            hidden = self.final_norm(hidden, condition)
        return hidden, residual, tuple(seen)

    def read_source(self, hidden: Any) -> tuple[LayerCache, ...]:
        """Return every layer's keys and values of an encoder's states.

        Args:
            hidden: (batch, length, hidden_size).
        """
        return tuple(
            self._block(layer).read_source(hidden) for layer in range(self.num_layers)
        )

    def embed(
        self,
        hidden: Any,
        segment_ids: Any,
        position_ids: Any,
        mark_ids: Any = None,
        *,
        condition: Any = None,
        noise: Any = None,
        training: bool = False,
    ) -> Any:
        """Add what positions, segments and marks say to (batch, length) tokens."""
        if self.config.projected_first:
            hidden = self._projected(hidden)
        if self.config.embedding_scale != 1:
            hidden = hidden * ops.cast(self.config.embedding_scale, hidden.dtype)
        for says in (
            *self._of_places(position_ids),
            *self._of_types(segment_ids, ops.shape(hidden)[:2]),
        ):
            hidden = hidden + ops.cast(says, hidden.dtype)
        if self.mark_embedding is not None and mark_ids is not None:
            is_marked = ops.cast(ops.greater(mark_ids, 0), hidden.dtype)[..., None]
            hidden = hidden + self.mark_embedding(mark_ids) * is_marked
        if self.embedding_norm is not None:
            hidden = self.embedding_norm(hidden, condition)
        hidden = self.drop(hidden, training=training)
        if noise is not None:
            hidden = hidden + ops.cast(noise, hidden.dtype)
        return hidden if self.config.projected_first else self._projected(hidden)

    def _projected(self, hidden: Any) -> Any:
        """Widen factorised embeddings; leave the others alone."""
        if self.embedding_projection is None:
            return hidden
        return self.embedding_projection(hidden)

    def _of_places(self, position_ids: Any) -> Iterator[Any]:
        """Yield what is added for where a token stands."""
        if self.position_embedding is not None:
            yield self.position_embedding(position_ids)
        if self.config.position_kind == "sinusoidal":
            yield sinusoids(position_ids, self.config.input_width)

    def _of_types(self, segment_ids: Any, shape: Any) -> Iterator[Any]:
        """Yield what is added for the segment and the task that a token is of."""
        if self.config.segments_are_tokens and segment_ids is not None:
            yield self.token_embedding(segment_ids)
        if self.segment_embedding is not None:
            if segment_ids is None:
                segment_ids = ops.zeros(shape, "int32")
            yield self.segment_embedding(segment_ids)
        if self.task_embedding is not None:
            yield self.task_embedding(ops.zeros((1, 1), "int32"))

    def _block(self, layer: int) -> TransformerBlock:
        return self.blocks[layer if self.is_decoder else self.config.block_of(layer)]

    def _terms(self, queries: Any, keys: Any, segment_ids: Any) -> PositionTerms:
        """Return what positions (batch, query) and (batch, key) add to scores."""
        config = self.config
        if config.position_kind == "rotary":
            angles = rotary_angles(queries, config.head_size, config.rotary_base)
            return PositionTerms(angles=angles)
        if config.position_kind == "relative":
            apart = distances(queries, keys)
            return PositionTerms(
                relations=relation_sinusoids(
                    apart, config.relative_distance, config.head_size
                )
            )
        if config.position_kind == "buckets":
            return PositionTerms(bias=self._bias(distances(queries, keys)))
        if config.position_kind == "transfer":
            return PositionTerms(transfer=self._transfer(queries, keys, segment_ids))
        return PositionTerms()

    def _source_terms(
        self, queries: Any, sources: Sequence[LayerCache] | None
    ) -> PositionTerms:
        """Return what positions (batch, query) add to the scores of a source's."""
        if not sources or not self.config.source_distances:
            return NO_TERMS
        places = ops.arange(ops.shape(sources[0].keys)[2])[None, :]
        return PositionTerms(bias=self._bias(distances(queries, places)))

    def _bias(self, apart: Any) -> Any:
        config = self.config
        buckets = bucket_of(
            apart,
            config.relative_buckets,
            config.relative_distance,
            causal=self.is_decoder,
        )
        scores = ops.cast(self.position_bias(buckets), "float32")
        return ops.transpose(scores, (0, 3, 1, 2))

    def _transfer(self, queries: Any, keys: Any, segment_ids: Any) -> TransferTerms:
        farthest = ops.shape(keys)[1]
        waves = sinusoids(ops.arange(-farthest, farthest + 1), self.config.hidden_size)
        apart: Any = ops.zeros((1, 1, 1), "bool")
        if segment_ids is not None:
            apart = ops.not_equal(segment_ids[:, :, None], segment_ids[:, None, :])
        return TransferTerms(waves, farthest - distances(queries, keys), apart)

    def _condition(self, condition_ids: Any) -> Any:
        if condition_ids is None:
            return None
        if self.condition_embedding is None:
            raise ValueError("condition_ids need num_conditions >= 1, received 0")
        return self.condition_embedding(condition_ids)[:, None, :]

    def _input_table(self, rows: int, name: str, **kind: Any) -> Any:
        """Return an embedding that a decoder has not."""
        return self._table(0 if self.is_decoder else rows, name, **kind)

    def _table(
        self, rows: int, name: str, *, width: int = 0, zero: bool = False
    ) -> Any:
        """Return an embedding, None where the config gives it no rows.

        Args:
            rows: How many.
            name: Of the layer.
            width: Of a row; 0 for that of the sum.
            zero: Whether it starts at zero.
        """
        if not rows:
            return None
        spread = 0.0 if zero else self.config.initializer_range
        return keras.layers.Embedding(
            rows,
            width or self.config.input_width,
            embeddings_initializer=kernel_initializer(spread),
            dtype=self.dtype_policy,
            name=name,
        )

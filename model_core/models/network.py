"""A Transformer with its heads, and the two steps of cached decoding.

The place where a mask kind meets the network. Knows no checkpoint and no tokenizer.
"""

from typing import Any, NamedTuple

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from model_core import masks
from model_core.config import TransformerConfig
from model_core.layers.attention import LayerCache
from model_core.models.heads import HEADS, Head, HiddenStates, TokenTable
from model_core.models.transformer import Transformer

LayerCaches = tuple[LayerCache, ...]


class SourceCaches(NamedTuple):
    """What a decoder keeps of a batch: its own keys and values, and its sources'.

    Attributes:
        own: One per layer, of the tokens written so far.
        sources: One per layer.
        valid: bool (batch, source length), True for a real token.
    """

    own: LayerCaches
    sources: LayerCaches
    valid: Any


Caches = LayerCaches | SourceCaches
VOCABULARY_HEADS = ("language_model", "masked_lm")


class Network(keras.Model):
    """One body, any number of heads.

    Args:
        config: The body.
        heads: Keys of ``model_core.models.heads.HEADS``.
    """

    def __init__(
        self, config: TransformerConfig, heads: tuple[str, ...] = (), **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        unknown = sorted(set(heads) - HEADS.keys())
        if unknown:
            raise ValueError(f"heads must be of {sorted(HEADS)}, received {unknown}")
        self.config = config
        self.body = Transformer(config, dtype=self.dtype_policy, name="body")
        self.decoder = (
            Transformer(
                config, is_decoder=True, dtype=self.dtype_policy, name="decoder"
            )
            if config.num_decoder_layers
            else None
        )
        self.heads: dict[str, Head] = {
            name: HEADS[name](config, dtype=self.dtype_policy, name=name)
            for name in heads
        }
        self.body.build()
        if self.decoder is not None:
            self.decoder.build()
        for head in self.heads.values():
            head.build()
        self.built = True

    @property
    def embeddings(self) -> TokenTable:
        """The token embedding."""
        rows, projection = self.body.token_embedding, self.body.embedding_projection
        if projection is None or not self.config.projected_first:
            return TokenTable(rows.embeddings)
        return TokenTable(rows.embeddings, projection.kernel)

    def call(  # noqa: PLR0913 - all that it may read
        self,
        token_ids: Any,
        segment_ids: Any = None,
        padding_mask: Any = None,
        *,
        mark_ids: Any = None,
        attention: masks.MaskKind = "bidirectional",
        heads: tuple[str, ...] | None = None,
        places: Any = None,
        target_ids: Any = None,
        training: bool = False,
    ) -> dict[str, Any]:
        """Read whole sequences and some heads.

        With a decoder heads read the states of ``target_ids``, which see their past
        and the whole source, and ``hidden`` is theirs.

        Args:
            token_ids: int (batch, length).
            segment_ids: int (batch, length) or None.
            padding_mask: bool (batch, length), True for a real token, or None.
            mark_ids: int (batch, length) or None.
            attention: How positions see each other.
            heads: Which heads to read; None for every one.
            places: int (batch, num_places), the only positions to read heads at; None
                for all of them.
            target_ids: int (batch, target length), or None without a decoder.
            training: Whether dropout acts.

        Returns:
            ``hidden`` float32 (batch, length, hidden_size) and each head's outputs;
            ``num_places`` stands for the length where places are given.
        """
        mask = _full_mask(token_ids, segment_ids, padding_mask, attention)
        hidden, residual, _ = self.body(
            token_ids,
            mask,
            segment_ids=segment_ids,
            mark_ids=mark_ids,
            training=training,
        )
        if target_ids is not None:
            sources = self._sources(hidden, token_ids, padding_mask)
            hidden, residual, _ = self._decoded(target_ids, sources, training=training)
        if places is not None:
            hidden, residual = (
                ops.take_along_axis(states, places[..., None], axis=1)
                for states in (hidden, residual)
            )
        outputs = {"hidden": ops.cast(hidden, "float32")}
        whole = places is None and target_ids is None
        last = last_places(padding_mask) if whole else None
        states = HiddenStates(hidden, residual, last)
        for name in self.heads if heads is None else heads:
            outputs |= self.heads[name](states, self.embeddings)
        return outputs

    def prefill(  # noqa: PLR0913 - all that it may read
        self,
        token_ids: Any,
        lengths: Any,
        *,
        capacity: int | None = None,
        segment_ids: Any = None,
        mark_ids: Any = None,
        condition_ids: Any = None,
        start_ids: Any = None,
        attention: masks.MaskKind = "causal",
        extra_heads: tuple[str, ...] = (),
    ) -> tuple[dict[str, Any], Caches]:
        """Read right-padded prompts into a fresh cache.

        Keys at and beyond a row's length are never attended: decoding writes over
        them before a mask allows them. With a decoder the prompts are its sources.

        Args:
            token_ids: int (batch, length).
            lengths: int (batch,), real tokens per row, >= 1.
            capacity: Positions to reserve, >= length; None leaves no room yet.
            segment_ids: int (batch, length) or None.
            mark_ids: int (batch, length) or None.
            condition_ids: int (batch,) or None.
            start_ids: int (batch, num_started), what a decoder is given to start
                with; None without one.
            attention: How prompt positions see each other.
            extra_heads: Heads to read besides the vocabulary's.

        Returns:
            What the heads say of the next token, ``logits`` float32 (batch,
            vocabulary) among it; and the cache.
        """
        token_ids, lengths = map(ops.convert_to_tensor, (token_ids, lengths))
        length = ops.shape(token_ids)[1]
        valid = ops.arange(length)[None, :] < lengths[:, None]
        mask = _full_mask(token_ids, segment_ids, valid, attention)
        hidden, _, own = self.body(
            token_ids,
            mask,
            segment_ids=segment_ids,
            mark_ids=mark_ids,
            condition_ids=condition_ids,
        )
        seen: Caches = own
        if start_ids is None:
            last = ops.take_along_axis(hidden, (lengths - 1)[:, None, None], axis=1)
        else:
            sources = self._sources(hidden, token_ids, valid)
            hidden, _, own = self._decoded(start_ids, sources)
            seen = sources._replace(own=own)
            last = hidden[:, -1:]
        if capacity is not None:
            seen = extend(seen, capacity)
        return self._of_next_token(last, extra_heads), seen

    def decode_one_token(
        self,
        token_ids: Any,
        positions: Any,
        caches: Caches,
        segment_ids: Any = None,
        *,
        condition_ids: Any = None,
        extra_heads: tuple[str, ...] = (),
    ) -> tuple[dict[str, Any], Caches]:
        """Append one token per row.

        Args:
            token_ids: int (batch,).
            positions: int (batch,), number of tokens before it in its row; a
                decoder's row begins with what it was started with.
            caches: What ``prefill`` or the step before returned.
            segment_ids: int (batch,) or None.
            condition_ids: int (batch,) or None.
            extra_heads: Heads to read besides the vocabulary's.

        Returns:
            What the heads say of the next token, and the cache; see ``prefill``.
        """
        token_ids, positions = map(ops.convert_to_tensor, (token_ids, positions))
        token_ids, position_ids = token_ids[:, None], positions[:, None]
        own = caches.own if isinstance(caches, SourceCaches) else caches
        mask = masks.cached(positions, ops.shape(own[0].keys)[2])
        if isinstance(caches, SourceCaches):
            hidden, _, own = self._decoded(
                token_ids, caches, mask=mask, position_ids=position_ids
            )
            return self._of_next_token(hidden, extra_heads), caches._replace(own=own)
        hidden, _, own = self.body(
            token_ids,
            mask,
            segment_ids=None if segment_ids is None else segment_ids[:, None],
            position_ids=position_ids,
            condition_ids=condition_ids,
            caches=own,
        )
        return self._of_next_token(hidden, extra_heads), own

    def apply(self, head: str, *arrays: Any) -> dict[str, Any]:
        """Ask a head about what it has read already; see the head's ``apply``."""
        outputs: dict[str, Any] = self.heads[head].apply(*arrays)
        return outputs

    def _sources(self, hidden: Any, token_ids: Any, valid: Any) -> SourceCaches:
        """Return what a decoder keeps of the encoder's states."""
        if self.decoder is None:
            raise ValueError("start_ids and target_ids need num_decoder_layers >= 1")
        if valid is None:
            valid = ops.ones_like(token_ids, dtype="bool")
        return SourceCaches((), self.decoder.read_source(hidden), valid)

    def _decoded(
        self,
        target_ids: Any,
        sources: SourceCaches,
        *,
        mask: Any = None,
        position_ids: Any = None,
        training: bool = False,
    ) -> tuple[Any, Any, LayerCaches]:
        """Run the decoder over (batch, target length) tokens."""
        decoder: Any = self.decoder
        if mask is None:
            mask = masks.causal(ops.shape(target_ids)[1])
        decoded: tuple[Any, Any, LayerCaches] = decoder(
            target_ids,
            mask,
            token_vectors=self.body.token_embedding(target_ids),
            position_ids=position_ids,
            caches=sources.own or None,
            sources=sources.sources,
            source_mask=masks.padding(sources.valid),
            training=training,
        )
        return decoded

    def _of_next_token(self, hidden: Any, extra: tuple[str, ...]) -> dict[str, Any]:
        """Return the heads' outputs at (batch, 1, hidden_size), that axis dropped."""
        outputs = self._vocabulary_head()(HiddenStates(hidden, None), self.embeddings)
        for name in extra:
            outputs |= self.heads[name](HiddenStates(hidden, None), self.embeddings)
        return {name: value[:, 0] for name, value in outputs.items()}

    def _vocabulary_head(self) -> Head:
        for name in VOCABULARY_HEADS:
            if name in self.heads:
                return self.heads[name]
        raise ValueError(
            "decoding needs a language_model or masked_lm head, "
            f"this network has {sorted(self.heads)}"
        )


def extend(caches: Caches, capacity: int) -> Caches:
    """Return caches with room for ``capacity`` positions, of a decoder its own."""
    if isinstance(caches, SourceCaches):
        own = _extended(caches.own, capacity)
        return caches._replace(own=own)
    return _extended(caches, capacity)


def _extended(caches: LayerCaches, capacity: int) -> LayerCaches:
    room = [[0, 0], [0, 0], [0, capacity - caches[0].keys.shape[2]], [0, 0]]
    return tuple(
        LayerCache(ops.pad(layer.keys, room), ops.pad(layer.values, room))
        for layer in caches
    )


def last_places(padding_mask: Any) -> Any:
    """Return the place (batch,) of each row's last real token, None without a mask.

    Args:
        padding_mask: bool (batch, length), True for a real token, or None.
    """
    if padding_mask is None:
        return None
    places = ops.arange(ops.shape(padding_mask)[1], dtype="int32")
    return ops.max(ops.where(padding_mask, places[None, :], 0), axis=1)


def take_rows(caches: Caches, rows: Any) -> Caches:
    """Return the caches of some rows of a batch, in the order asked for.

    Args:
        caches: Of a batch.
        rows: int (new_batch,).
    """
    taken: Caches = keras.tree.map_structure(
        lambda kept: ops.take(kept, rows, axis=0), caches
    )
    return taken


def weights_by_name(network: Network) -> dict[str, keras.Variable]:
    """Return every weight under the name that the checkpoint tables use.

    Body weights carry no prefix; a decoder's and a head's carry its name.
    """
    named: dict[str, keras.Variable] = {}
    owners = [(network.body, ""), *_owned_heads(network)]
    if network.decoder is not None:
        owners.append((network.decoder, "decoder/"))
    for owner, prefix in owners:
        for weight in owner.weights:
            if not weight.trainable and "seed_generator" in weight.path:
                continue
            inside = weight.path.split(f"{owner.name}/", 1)[1]
            named[prefix + inside] = weight
    return named


def arrays_by_name(network: Network) -> dict[str, npt.NDArray[Any]]:
    """Return every weight's numbers under its name; see ``weights_by_name``."""
    return {
        name: np.asarray(ops.convert_to_numpy(weight))
        for name, weight in weights_by_name(network).items()
    }


def _owned_heads(network: Network) -> list[tuple[keras.layers.Layer, str]]:
    return [(head, f"{name}/") for name, head in network.heads.items()]


def _full_mask(
    token_ids: Any, segment_ids: Any, padding_mask: Any, attention: masks.MaskKind
) -> Any:
    if segment_ids is None and attention == "prefix_lm":
        raise ValueError("prefix_lm attention needs segment_ids, received None")
    mask = masks.MASKS[attention](token_ids, segment_ids)
    if padding_mask is None:
        return mask
    return masks.combine(mask, masks.padding(padding_mask))

"""A Transformer with its heads, and the two steps of cached decoding.

The place where a mask kind meets the network. Knows no checkpoint and no tokenizer.
"""

from typing import Any

import keras
from keras import ops

from model_core import masks
from model_core.config import TransformerConfig
from model_core.layers.attention import LayerCache
from model_core.models.heads import HEADS, Head, HiddenStates
from model_core.models.transformer import Transformer

Caches = tuple[LayerCache, ...]
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
        self.heads: dict[str, Head] = {
            name: HEADS[name](config, dtype=self.dtype_policy, name=name)
            for name in heads
        }
        self.body.build()
        for head in self.heads.values():
            head.build()
        self.built = True

    @property
    def embeddings(self) -> Any:
        """The token embedding (vocabulary, hidden_size)."""
        return self.body.token_embedding.embeddings

    def call(
        self,
        token_ids: Any,
        segment_ids: Any = None,
        padding_mask: Any = None,
        *,
        mark_ids: Any = None,
        attention: masks.MaskKind = "bidirectional",
        heads: tuple[str, ...] | None = None,
        places: Any = None,
        training: bool = False,
    ) -> dict[str, Any]:
        """Read whole sequences and some heads.

        Args:
            token_ids: int (batch, length).
            segment_ids: int (batch, length) or None.
            padding_mask: bool (batch, length), True for a real token, or None.
            mark_ids: int (batch, length) or None.
            attention: How positions see each other.
            heads: Which heads to read; None for every one.
            places: int (batch, num_places), the only positions to read heads at; None
                for all of them.
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
        if places is not None:
            hidden, residual = (
                ops.take_along_axis(states, places[..., None], axis=1)
                for states in (hidden, residual)
            )
        outputs = {"hidden": ops.cast(hidden, "float32")}
        states = HiddenStates(hidden, residual)
        for name in self.heads if heads is None else heads:
            outputs |= self.heads[name](states, self.embeddings)
        return outputs

    def prefill(
        self,
        token_ids: Any,
        lengths: Any,
        *,
        capacity: int | None = None,
        segment_ids: Any = None,
        mark_ids: Any = None,
        condition_ids: Any = None,
        attention: masks.MaskKind = "causal",
        extra_heads: tuple[str, ...] = (),
    ) -> tuple[dict[str, Any], Caches]:
        """Read right-padded prompts into a fresh cache.

        Keys at and beyond a row's length are never attended: decoding writes over
        them before a mask allows them.

        Args:
            token_ids: int (batch, length).
            lengths: int (batch,), real tokens per row, >= 1.
            capacity: Positions to reserve, >= length; None leaves no room yet.
            segment_ids: int (batch, length) or None.
            mark_ids: int (batch, length) or None.
            condition_ids: int (batch,) or None.
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
        hidden, _, seen = self.body(
            token_ids,
            mask,
            segment_ids=segment_ids,
            mark_ids=mark_ids,
            condition_ids=condition_ids,
        )
        last = ops.take_along_axis(hidden, (lengths - 1)[:, None, None], axis=1)
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
            positions: int (batch,), number of tokens before it in its row.
            caches: What ``prefill`` or the step before returned.
            segment_ids: int (batch,) or None.
            condition_ids: int (batch,) or None.
            extra_heads: Heads to read besides the vocabulary's.

        Returns:
            What the heads say of the next token, and the cache; see ``prefill``.
        """
        token_ids, positions = map(ops.convert_to_tensor, (token_ids, positions))
        mask = masks.cached(positions, ops.shape(caches[0].keys)[2])
        hidden, _, caches = self.body(
            token_ids[:, None],
            mask,
            segment_ids=None if segment_ids is None else segment_ids[:, None],
            position_ids=positions[:, None],
            condition_ids=condition_ids,
            caches=caches,
        )
        return self._of_next_token(hidden, extra_heads), caches

    def apply(self, head: str, *arrays: Any) -> dict[str, Any]:
        """Ask a head about what it has read already; see the head's ``apply``."""
        outputs: dict[str, Any] = self.heads[head].apply(*arrays)
        return outputs

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
    """Return caches with room for ``capacity`` positions."""
    room = [[0, 0], [0, 0], [0, capacity - caches[0].keys.shape[2]], [0, 0]]
    return tuple(
        LayerCache(ops.pad(layer.keys, room), ops.pad(layer.values, room))
        for layer in caches
    )


def weights_by_name(network: Network) -> dict[str, keras.Variable]:
    """Return every weight under the name that the checkpoint tables use.

    Body weights carry no prefix; a head's weights carry the head's name.
    """
    named: dict[str, keras.Variable] = {}
    for owner, prefix in [(network.body, ""), *_owned_heads(network)]:
        for weight in owner.weights:
            if not weight.trainable and "seed_generator" in weight.path:
                continue
            inside = weight.path.split(f"{owner.name}/", 1)[1]
            named[prefix + inside] = weight
    return named


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

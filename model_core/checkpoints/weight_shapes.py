"""Every weight of a network by name, with its shape: what a checkpoint has to fill.

The names of ``model_core.models.network.weights_by_name``, worked out from the config
alone, so that a checkpoint can be judged before any network or framework is loaded; a
test holds the two together. Changes when the network gets a weight.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from model_core.config import TransformerConfig

Shape = tuple[int, ...]
Condition = Callable[[TransformerConfig], bool]


def _always(_: TransformerConfig) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class WeightRow:
    """One weight.

    ``{layer}`` stands for the index of every block, ``{decoder_layer}`` for that of
    every decoder's block.

    Attributes:
        name: As in ``weights_by_name``.
        axes: Fields of the config, or sizes.
        where: Whether a network with this config has it.
    """

    name: str
    axes: tuple[str | int, ...]
    where: Condition = _always

    def expand(self, config: TransformerConfig) -> Iterator[tuple[str, Shape]]:
        """Yield the concrete names with their shape."""
        if not self.where(config):
            return
        shape = tuple(
            a if isinstance(a, int) else getattr(config, a) for a in self.axes
        )
        for place, count in (
            ("layer", config.num_blocks),
            ("decoder_layer", config.num_decoder_layers),
        ):
            if f"{{{place}}}" in self.name:
                for index in range(count):
                    yield self.name.format(**{place: index}), shape
                return
        yield self.name, shape


def _both(one: Condition, other: Condition) -> Condition:
    return lambda config: one(config) and other(config)


def _dense(
    name: str,
    inputs: str | int,
    outputs: str | int,
    where: Condition = _always,
    bias: Condition = _always,
) -> tuple[WeightRow, ...]:
    return (
        WeightRow(f"{name}/kernel", (inputs, outputs), where),
        WeightRow(f"{name}/bias", (outputs,), _both(where, bias)),
    )


def _norm(
    name: str, where: Condition = _always, width: str = "hidden_size"
) -> tuple[WeightRow, ...]:
    return (
        WeightRow(
            f"{name}/gamma",
            (width,),
            _both(where, lambda config: config.norm_kind != "bare_rms"),
        ),
        WeightRow(
            f"{name}/beta",
            (width,),
            _both(where, lambda config: config.norm_kind == "layer"),
        ),
    )


def _plain_norm(name: str, width: str = "hidden_size") -> tuple[WeightRow, ...]:
    """A head's norm, a layer norm whatever the body's are."""
    return tuple(WeightRow(f"{name}/{part}", (width,)) for part in ("gamma", "beta"))


def _conditional_norm(
    name: str, where: Condition = _always, width: str = "hidden_size"
) -> tuple[WeightRow, ...]:
    def conditional(config: TransformerConfig) -> bool:
        is_layer = config.norm_kind == "layer"
        return where(config) and is_layer and config.num_conditions > 0

    return (
        *_norm(name, where, width),
        *_condition_maps(name, "condition_size", conditional, width),
    )


def _condition_maps(
    name: str, condition: str, where: Condition = _always, width: str = "hidden_size"
) -> tuple[WeightRow, ...]:
    return tuple(
        WeightRow(f"{name}/{part}_kernel", (condition, width), where)
        for part in ("gamma", "beta")
    )


def _gated_convolution(name: str, size: int, width: int) -> list[WeightRow]:
    return [
        WeightRow(f"{name}/convolution/kernel", (size, width, 2 * width)),
        WeightRow(f"{name}/convolution/bias", (2 * width,)),
        WeightRow(f"{name}/norm/gamma", (width,)),
        WeightRow(f"{name}/norm/beta", (width,)),
        WeightRow(f"{name}/alpha", (1,)),
    ]


def _global_pointer(name: str, kinds: str | int) -> tuple[WeightRow, ...]:
    return (
        *_dense(f"{name}/sides", "hidden_size", 128),
        *_dense(f"{name}/alone", 128, kinds),
    )


def _has_attention_bias(config: TransformerConfig) -> bool:
    return config.attention_bias


def _has_feed_forward_bias(config: TransformerConfig) -> bool:
    return config.feed_forward_bias


def _is_gated(config: TransformerConfig) -> bool:
    return config.gated_feed_forward


def _has_decoder(config: TransformerConfig) -> bool:
    return config.num_decoder_layers > 0


def _of_kind(kind: str) -> Condition:
    return lambda config: config.position_kind == kind


def _attention(name: str) -> tuple[WeightRow, ...]:
    """Query, key and value, and what all heads become."""
    bias = _has_attention_bias
    return (
        *(
            row
            for part in ("query", "key", "value")
            for row in _dense(f"{name}/{part}", "hidden_size", "heads_size", bias=bias)
        ),
        *_dense(f"{name}/output", "heads_size", "hidden_size", bias=bias),
    )


def _feed_forward(name: str) -> tuple[WeightRow, ...]:
    bias = _has_feed_forward_bias
    wide, narrow = "intermediate_size", "hidden_size"
    return (
        *_dense(f"{name}/inner", narrow, wide, bias=bias),
        *_dense(f"{name}/gate", narrow, wide, _is_gated, bias),
        *_dense(f"{name}/outer", wide, narrow, bias=bias),
    )


def _embeddings(prefix: str, where: Condition) -> tuple[WeightRow, ...]:
    """Positions and the norm: what encoder and decoder have one each of."""
    width = "input_width"
    return (
        WeightRow(
            f"{prefix}position_embedding/embeddings",
            ("max_position_embeddings", width),
            _both(where, _of_kind("learned")),
        ),
        WeightRow(
            f"{prefix}position_bias/embeddings",
            ("relative_buckets", "num_attention_heads"),
            _both(where, _of_kind("buckets")),
        ),
        *_conditional_norm(
            f"{prefix}embedding_norm",
            _both(where, lambda config: config.embedding_norm),
            width,
        ),
        *_conditional_norm(
            f"{prefix}final_norm", _both(where, lambda config: config.final_norm)
        ),
    )


def _table(name: str, rows: str, width: str = "input_width") -> WeightRow:
    """An embedding that is there where it has rows."""
    return WeightRow(
        f"{name}/embeddings", (rows, width), lambda config: getattr(config, rows) > 0
    )


BODY: tuple[WeightRow, ...] = (
    _table("token_embedding", "vocab_size", "embedding_width"),
    _table("segment_embedding", "type_vocab_size"),
    _table("task_embedding", "task_type_vocab_size"),
    _table("mark_embedding", "mark_vocab_size"),
    _table("condition_embedding", "num_conditions", "condition_size"),
    *_embeddings("", _always),
    *_dense(
        "embedding_projection",
        "embedding_width",
        "hidden_size",
        lambda config: config.embedding_size > 0,
        lambda config: config.embedding_bias,
    ),
    *_attention("block_{layer}/attention"),
    *(
        WeightRow(f"block_{{layer}}/attention/{name}", axes, _of_kind("transfer"))
        for name, axes in (
            ("distance/kernel", ("hidden_size", "heads_size")),
            ("content_bias", ("num_attention_heads", "head_size")),
            ("distance_bias", ("num_attention_heads", "head_size")),
            ("segment_bias", ("num_attention_heads", "head_size")),
            ("segment_pair", (2, "num_attention_heads", "head_size")),
        )
    ),
    *_conditional_norm("block_{layer}/attention_norm"),
    *_feed_forward("block_{layer}/feed_forward"),
    *_conditional_norm("block_{layer}/feed_forward_norm"),
    *_embeddings("decoder/", _has_decoder),
    *_attention("decoder/block_{decoder_layer}/attention"),
    *_conditional_norm("decoder/block_{decoder_layer}/attention_norm"),
    *_attention("decoder/block_{decoder_layer}/source_attention"),
    *_conditional_norm("decoder/block_{decoder_layer}/source_norm"),
    *_feed_forward("decoder/block_{decoder_layer}/feed_forward"),
    *_conditional_norm("decoder/block_{decoder_layer}/feed_forward_norm"),
)

HEADS: dict[str, tuple[WeightRow, ...]] = {
    "language_model": (
        WeightRow(
            "language_model/embeddings",
            ("vocab_size", "hidden_size"),
            lambda config: not config.tied_head,
        ),
        WeightRow(
            "language_model/bias", ("vocab_size",), lambda config: config.head_bias
        ),
    ),
    "masked_lm": tuple(
        replace(row, where=lambda config: config.masked_lm_transform)
        for row in (
            *_dense("masked_lm/transform", "hidden_size", "input_width"),
            *_plain_norm("masked_lm/norm", "input_width"),
            WeightRow("masked_lm/bias", ("vocab_size",)),
        )
    ),
    "pooler": _dense("pooler/dense", "hidden_size", "hidden_size"),
    "span": _dense("span/dense", "hidden_size", 2),
    "prompted_span": (
        *_dense("prompted_span/start", "hidden_size", 1),
        *_dense("prompted_span/end", "hidden_size", 1),
    ),
    "classifier": (
        *_dense("classifier/dense", "hidden_size", "hidden_size"),
        *_dense("classifier/output", "hidden_size", "num_labels"),
    ),
    "next_sentence": (
        *_dense("next_sentence/dense", "hidden_size", "hidden_size"),
        *_dense("next_sentence/output", "hidden_size", 2),
    ),
    "replaced": (
        *_dense("replaced/dense", "hidden_size", "hidden_size"),
        *_dense("replaced/output", "hidden_size", 1),
    ),
    "source_prior": (
        WeightRow("source_prior/scale", ("vocab_size",)),
        WeightRow("source_prior/shift", ("vocab_size",)),
    ),
    "copy": _dense("copy/dense", "hidden_size", 3),
    "clauses": (
        *_dense("clauses/narrow", "hidden_size", 128),
        *(
            row
            for layer in range(6)
            for row in _gated_convolution(f"clauses/layer_{layer}", 3, 128)
        ),
        *_dense("clauses/dense", 128, 1),
    ),
    "half_pointer": (
        *_dense("half_pointer/subjects", "hidden_size", 2),
        *_plain_norm("half_pointer/norm"),
        *_condition_maps("half_pointer/norm", "span_size"),
        *_dense("half_pointer/objects", "hidden_size", "num_relation_edges"),
    ),
    "gplinker": (
        *_global_pointer("gplinker/entity", 4),
        *_global_pointer("gplinker/heads", "num_relation_edges"),
        *_global_pointer("gplinker/tails", "num_relation_edges"),
    ),
}


def expected_shapes(
    config: TransformerConfig, heads: tuple[str, ...] = ()
) -> dict[str, Shape]:
    """Return the shape of every weight of a network.

    Args:
        config: The body.
        heads: Keys of ``HEADS``.
    """
    rows = (*BODY, *(row for head in heads for row in HEADS[head]))
    return dict(pair for row in rows for pair in row.expand(config))

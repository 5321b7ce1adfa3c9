"""Every weight of a network by name, with its shape: what a checkpoint has to fill.

The names of ``model_core.models.network.weights_by_name``, worked out from the config
alone, so that a checkpoint can be judged before any network or framework is loaded; a
test holds the two together. Changes when the network gets a weight.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from model_core.config import TransformerConfig

Shape = tuple[int, ...]


def _always(_: TransformerConfig) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class WeightRow:
    """One weight; ``{layer}`` stands for every layer index.

    Attributes:
        name: As in ``weights_by_name``.
        axes: Fields of the config, or sizes.
        where: Whether a network with this config has it.
    """

    name: str
    axes: tuple[str | int, ...]
    where: Callable[[TransformerConfig], bool] = _always

    def expand(self, config: TransformerConfig) -> Iterator[tuple[str, Shape]]:
        """Yield the concrete names with their shape."""
        if not self.where(config):
            return
        shape = tuple(
            a if isinstance(a, int) else getattr(config, a) for a in self.axes
        )
        layers = range(config.num_hidden_layers if "{layer}" in self.name else 1)
        for layer in layers:
            yield self.name.format(layer=layer), shape


def _dense(name: str, inputs: str | int, outputs: str | int) -> tuple[WeightRow, ...]:
    return (
        WeightRow(f"{name}/kernel", (inputs, outputs)),
        WeightRow(f"{name}/bias", (outputs,)),
    )


def _norm(
    name: str, where: Callable[[TransformerConfig], bool] = _always
) -> tuple[WeightRow, ...]:
    return tuple(
        WeightRow(f"{name}/{part}", ("hidden_size",), where)
        for part in ("gamma", "beta")
    )


def _conditional_norm(
    name: str, where: Callable[[TransformerConfig], bool] = _always
) -> tuple[WeightRow, ...]:
    def conditional(config: TransformerConfig) -> bool:
        return where(config) and config.num_conditions > 0

    return (
        *_norm(name, where),
        *_condition_maps(name, "condition_size", conditional),
    )


def _condition_maps(
    name: str, width: str, where: Callable[[TransformerConfig], bool] = _always
) -> tuple[WeightRow, ...]:
    return tuple(
        WeightRow(f"{name}/{part}_kernel", (width, "hidden_size"), where)
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


BODY: tuple[WeightRow, ...] = (
    WeightRow("token_embedding/embeddings", ("vocab_size", "hidden_size")),
    WeightRow(
        "position_embedding/embeddings",
        ("max_position_embeddings", "hidden_size"),
        lambda config: config.position_kind == "learned",
    ),
    WeightRow(
        "segment_embedding/embeddings",
        ("type_vocab_size", "hidden_size"),
        lambda config: config.type_vocab_size > 0,
    ),
    WeightRow(
        "mark_embedding/embeddings",
        ("mark_vocab_size", "hidden_size"),
        lambda config: config.mark_vocab_size > 0,
    ),
    WeightRow(
        "condition_embedding/embeddings",
        ("num_conditions", "condition_size"),
        lambda config: config.num_conditions > 0,
    ),
    *_conditional_norm("embedding_norm", lambda config: config.embedding_norm),
    *_dense("block_{layer}/attention/query", "hidden_size", "hidden_size"),
    *_dense("block_{layer}/attention/key", "hidden_size", "hidden_size"),
    *_dense("block_{layer}/attention/value", "hidden_size", "hidden_size"),
    *_dense("block_{layer}/attention/output", "hidden_size", "hidden_size"),
    *_conditional_norm("block_{layer}/attention_norm"),
    *_dense("block_{layer}/feed_forward/inner", "hidden_size", "intermediate_size"),
    *_dense("block_{layer}/feed_forward/outer", "intermediate_size", "hidden_size"),
    *_conditional_norm("block_{layer}/feed_forward_norm"),
    *_conditional_norm("final_norm", lambda config: config.final_norm),
)

HEADS: dict[str, tuple[WeightRow, ...]] = {
    "language_model": (),
    "masked_lm": (
        *_dense("masked_lm/transform", "hidden_size", "hidden_size"),
        *_norm("masked_lm/norm"),
        WeightRow("masked_lm/bias", ("vocab_size",)),
    ),
    "pooler": _dense("pooler/dense", "hidden_size", "hidden_size"),
    "span": _dense("span/dense", "hidden_size", 2),
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
        *_norm("half_pointer/norm"),
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

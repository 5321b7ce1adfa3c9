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


def _dense(name: str, inputs: str, outputs: str | int) -> tuple[WeightRow, ...]:
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
    *_norm("embedding_norm", lambda config: config.embedding_norm),
    *_dense("block_{layer}/attention/query", "hidden_size", "hidden_size"),
    *_dense("block_{layer}/attention/key", "hidden_size", "hidden_size"),
    *_dense("block_{layer}/attention/value", "hidden_size", "hidden_size"),
    *_dense("block_{layer}/attention/output", "hidden_size", "hidden_size"),
    *_norm("block_{layer}/attention_norm"),
    *_dense("block_{layer}/feed_forward/inner", "hidden_size", "intermediate_size"),
    *_dense("block_{layer}/feed_forward/outer", "intermediate_size", "hidden_size"),
    *_norm("block_{layer}/feed_forward_norm"),
    *_norm("final_norm", lambda config: config.final_norm),
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

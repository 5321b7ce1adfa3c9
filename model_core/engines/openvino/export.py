"""A config becomes OpenVINO's graphs of its network: ``python -m … export``.

Changes when a graph says something else. Runs in a process of its own, whose Keras has
the ``openvino`` backend: there the network's own code builds the graphs. A graph holds
no weight: each is an input under its name, which whoever compiles the graph fills in.
So it is small, the same for all weights of a config, and made without them.

The orders come as JSON on the standard input. What is made goes into the folder given,
``0.xml`` and ``0.bin`` and so on.
"""

import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model_core.config import TransformerConfig

if TYPE_CHECKING:
    from model_core.models.network import Network

BACKEND = "openvino"
SAYS = "says "
"""Stands before the name of an output, which may be that of an input."""
SILENT = ("source_prior", "clauses")
"""Heads that say nothing of states, only what they are asked apart."""
INPUTS = {
    "token_ids": ("i32", 2),
    "mask": ("boolean", 3),
    "segment_ids": ("i32", 2),
    "mark_ids": ("i32", 2),
    "hidden": ("f32", 3),
    "residual": ("f32", 3),
    "last": ("i32", 1),
}
"""What graphs may be given: OpenVINO's name of the element type, and the rank."""


@dataclass(frozen=True, slots=True)
class Order:
    """One graph.

    Attributes:
        config: Of a network without a decoder.
        head: Which one; "" for the body.
    """

    config: TransformerConfig
    head: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"config": self.config.to_dict(), "head": self.head}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Order":
        """Read what ``to_json`` returned."""
        return cls(TransformerConfig.from_dict(values["config"]), values["head"])


def inputs_of(order: Order) -> tuple[str, ...]:
    """Return the names of what a graph is given besides its weights."""
    config = order.config
    if order.head:
        return ("hidden", "residual", "last")
    has_segments = (
        config.type_vocab_size
        or config.segments_are_tokens
        or config.position_kind == "transfer"
    )
    segments = ("segment_ids",) if has_segments else ()
    return (
        "token_ids",
        "mask",
        *segments,
        *(["mark_ids"] * bool(config.mark_vocab_size)),
    )


def graph_of(order: Order) -> Any:
    """Return a graph (an ``openvino.Model``), its results named as outputs are."""
    import openvino  # noqa: PLC0415 - only this process has it
    from keras import ops  # noqa: PLC0415
    from openvino import opset16  # noqa: PLC0415

    from model_core.models.network import Network, weights_by_name  # noqa: PLC0415

    def parameter(name: str, dtype: str, shape: list[int]) -> Any:
        made = opset16.parameter(shape, getattr(openvino.Type, dtype))
        made.set_friendly_name(name)
        return made

    # kernels that start at zero are not written out before inputs replace them
    config = replace(order.config, initializer_range=0.0)
    network = Network(config, (order.head,) if order.head else ())
    given = []
    for name, weight in weights_by_name(network).items():
        given.append(parameter(name, "f32", list(weight.shape)))
        weight.assign(ops.convert_to_tensor(given[-1].output(0)))
    read = {}
    for name in inputs_of(order):
        dtype, rank = INPUTS[name]
        shape = [-1] * rank if dtype != "f32" else [-1, -1, config.hidden_size]
        given.append(parameter(name, dtype, shape))
        read[name] = ops.convert_to_tensor(given[-1].output(0))
    results = []
    for name, value in outputs_of(network, order.head, read).items():
        results.append(opset16.result(value.output))
        results[-1].set_friendly_name(SAYS + name)
    used = [one for one in given if one.output(0).get_target_inputs()]
    return openvino.Model(results, used, order.head or "body")


def outputs_of(network: "Network", head: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """Return what a body or a head says of its inputs, by name."""
    from model_core.models.heads import HiddenStates  # noqa: PLC0415

    if head:
        said: dict[str, Any] = network.heads[head](
            HiddenStates(**inputs), network.embeddings
        )
        return said
    tokens, mask = inputs.pop("token_ids"), inputs.pop("mask")
    hidden, residual, _ = network.body(tokens, mask, **inputs)
    return {"hidden": hidden, "residual": residual}


def write_graphs(orders: list[Order], folder: Path) -> None:
    """Write every graph under its place in the list."""
    import openvino  # noqa: PLC0415

    for index, order in enumerate(orders):
        openvino.serialize(graph_of(order), folder / f"{index}.xml")


if __name__ == "__main__":
    write_graphs(list(map(Order.from_json, json.load(sys.stdin))), Path(sys.argv[1]))

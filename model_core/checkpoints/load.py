"""A checkpoint folder becomes a network: config, plan, then tensor by tensor.

Changes when loading gains a step. Knows no family and no file format.
"""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras

from model_core.checkpoints.adaptation import AS_SAVED, Adaptation
from model_core.checkpoints.errors import CheckpointMismatchError
from model_core.checkpoints.filling import Filling
from model_core.checkpoints.own_weights import open_own
from model_core.checkpoints.reader import formats_in, open_checkpoint
from model_core.checkpoints.survey import Heads, Survey, load_config, survey_tensors
from model_core.checkpoints.weight_map import Array, WeightPlan
from model_core.config import TransformerConfig
from model_core.layers.handover import share, take_over
from model_core.layers.initialization import unfilled
from model_core.models.families import Family
from model_core.models.network import Network, weights_by_name


@dataclass(frozen=True, slots=True)
class LoadedCheckpoint:
    """A network whose every weight came from the checkpoint.

    Attributes:
        network: Ready to call.
        config: Its Transformer.
        family: Its family, which knows the default attention.
        report: What was read, skipped and ignored.
    """

    network: Network
    config: TransformerConfig
    family: Family
    report: Survey


def load_network(
    folder: Path,
    *,
    heads: Heads = "all",
    dtype: str = "float32",
    adaptation: Adaptation = AS_SAVED,
    own_weights: str = "",
    lender: Network | None = None,
) -> LoadedCheckpoint:
    """Load a network with the heads that a caller needs.

    Names and shapes are judged before the network is built. While it is, each tensor
    is copied once, from the mapped file into the memory that its weight takes over:
    no second copy of the whole exists.

    Args:
        folder: Holds a checkpoint as the hub serves it.
        heads: Heads that are needed, or "all" that the checkpoint has.
        dtype: A Keras dtype policy: float32, bfloat16, mixed_bfloat16, float16 …
        adaptation: What the network has otherwise than the file.
        own_weights: A file in the folder that changes some of them for one part.
        lender: The folder's network without these changes: what they leave alone is
            shared with it.

    Raises:
        CheckpointFormatError: A file is truncated, corrupt, hostile or unknown.
        CheckpointMismatchError: Tensors are missing, unused or of another shape.
        MissingHeadError: A needed head is not in the checkpoint.
        UnsupportedModelError: No family here fits the config.
    """
    values = load_config(folder)
    opened = open_own(folder, own_weights) if own_weights else open_checkpoint(folder)
    with opened as reader:
        formats = formats_in(folder)
        report = survey_tensors(values, reader, heads, formats, adaptation)
        if report.plan.differences:
            raise CheckpointMismatchError(str(report.plan.differences))
        policy = keras.DTypePolicy(dtype)
        lent = _lent(report.plan, reader.changed, lender)
        rest = tuple(p for p in report.plan.placements if p.target not in lent)
        own = replace(report.plan, placements=rest)
        filling = Filling(own, reader, policy.variable_dtype)
        with filling.running() as copies, unfilled():
            network = Network(report.config, heads=report.heads, dtype=policy)
            ledger = _Ledger(network)
            for name, variable in lent.items():
                ledger.share(name, variable)
            for name, array in copies():
                ledger.take_over(name, array)
        ledger.check_complete()
    return LoadedCheckpoint(network, report.config, report.family, report)


def _lent(
    plan: WeightPlan, changed: frozenset[str], lender: Network | None
) -> dict[str, keras.Variable]:
    """Return the weights that another network has too, by name."""
    if lender is None:
        return {}
    theirs = weights_by_name(lender)
    untouched = (p.target for p in plan.placements if p.source.name not in changed)
    return {name: theirs[name] for name in untouched if name in theirs}


class _Ledger:
    """Which weights were assigned: none may keep its random start."""

    def __init__(self, network: Network) -> None:
        self._weights = weights_by_name(network)
        self._open = set(self._weights)
        unnamed = _num_scalars(network.trainable_weights) - _num_scalars(
            [w for w in self._weights.values() if w.trainable]
        )
        if unnamed:
            raise CheckpointMismatchError(
                f"the network has {unnamed} trainable numbers without a name"
            )

    def take_over(self, name: str, array: Array) -> None:
        """Make an array the value of one weight."""
        take_over(self._fitting(name, array), array)
        self._open.remove(name)

    def share(self, name: str, variable: keras.Variable) -> None:
        """Make another network's weight one weight's value too."""
        share(self._fitting(name, variable), variable)
        self._open.remove(name)

    def _fitting(self, name: str, given: Array | keras.Variable) -> keras.Variable:
        """Return the weight of a name, which must be of what is given's kind."""
        weight = self._weights[name]
        if tuple(weight.shape) != given.shape or weight.dtype != str(given.dtype):
            raise CheckpointMismatchError(
                f"{name}: expected {weight.dtype} {tuple(weight.shape)}, received "
                f"{given.dtype} {given.shape}"
            )
        return weight

    def check_complete(self) -> None:
        """Raise where a weight was left at its random start."""
        if self._open:
            raise CheckpointMismatchError(
                f"weights were left unfilled: {sorted(self._open)}"
            )


def _num_scalars(weights: list[Any]) -> int:
    return sum(math.prod(weight.shape) for weight in weights)

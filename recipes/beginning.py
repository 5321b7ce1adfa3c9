"""What a new run begins with: the weights of another run, or of an exported folder.

Changes when a run may begin with something else. An exported folder keeps no
optimizer, so a run that begins there warms up again.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from model_core.checkpoints.reader import open_checkpoint
from model_core.models.network import Network, weights_by_name
from model_core.training.lineage import Run, lineage
from model_core.training.snapshot import has_snapshot, load_snapshot

VOCAB = "vocab.txt"
PREFIX = "weights/"


@dataclass(frozen=True, slots=True)
class Beginning:
    """Weights at hand and what they have cost.

    Attributes:
        weights: By name in ``weights_by_name``.
        runs: The runs that the weights went through, the oldest first.
    """

    weights: Mapping[str, np.ndarray]
    runs: list[Run]

    def fill(self, network: Network) -> list[str]:
        """Assign the weights; return the network's names that are not among them."""
        fresh = []
        for name, weight in weights_by_name(network).items():
            if name in self.weights:
                weight.assign(self.weights[name])
            else:
                fresh.append(name)
        return fresh


def read(start: Path, corpus: Path) -> Beginning:
    """Read a run's snapshot or, where there is none, an exported folder.

    Args:
        start: Holds snapshot.json, or what ``export`` writes: config.json,
            model.safetensors and vocab.txt.
        corpus: Holds the vocab.txt that the new run's lessons were encoded with.

    Raises:
        SystemExit: The exported weights were trained with another vocabulary.
    """
    if not has_snapshot(start):
        if (start / VOCAB).read_bytes() != (corpus / VOCAB).read_bytes():
            raise SystemExit(
                f"{start} and {corpus} have different vocabularies: encode the data "
                f"again with --vocabulary {start / VOCAB}"
            )
        return _exported(start)
    arrays, facts = load_snapshot(start)
    weights = {
        name.removeprefix(PREFIX): array
        for name, array in arrays.items()
        if name.startswith(PREFIX)
    }
    return Beginning(weights, lineage(facts))


def _exported(folder: Path) -> Beginning:
    config: dict[str, Any] = json.loads(
        (folder / "config.json").read_text(encoding="utf8")
    )
    with open_checkpoint(folder) as reader:
        weights = {name: reader.read(name) for name in reader.keys()}  # noqa: SIM118
    return Beginning(weights, config["training"]["runs"])

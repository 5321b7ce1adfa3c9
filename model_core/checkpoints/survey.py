"""What a checkpoint folder holds, against what its family asks for.

Works on the config and the tensors' names and shapes and loads no framework: quick
enough to run before anything is built. Changes when a finding about
checkpoints is added.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from model_core.checkpoints.adaptation import AS_SAVED, Adaptation
from model_core.checkpoints.errors import CheckpointFormatError, MissingHeadError
from model_core.checkpoints.json_file import load_object
from model_core.checkpoints.reader import CheckpointReader, formats_in, open_checkpoint
from model_core.checkpoints.tables import TABLES
from model_core.checkpoints.weight_map import (
    Depth,
    NamedTensors,
    WeightPlan,
    plan_weights,
    twin_differences,
)
from model_core.checkpoints.weight_shapes import expected_shapes
from model_core.config import TransformerConfig
from model_core.models.families import Family, family_of

CONFIG_NAMES = ("config.json", "bert_config.json", "hparams.json")
OTHER_CONFIGS = "*config*.json"
"""What configs beside TensorFlow checkpoints are called, ``xlnet_config.json``."""
NO_CONFIGS = frozenset(
    {"tokenizer_config.json", "generation_config.json", "adapter_config.json"}
)
MAX_CONFIG_BYTES = 2**20

Heads = tuple[str, ...] | Literal["all"]


@dataclass(frozen=True, slots=True)
class Survey:
    """The findings about one checkpoint.

    Attributes:
        family: Its family.
        config: Its Transformer.
        layout: Whose naming its tensors follow.
        formats: Every format in the folder; the first is read.
        file_names: The files that are read.
        heads: Heads of the plan.
        incomplete_heads: Missing tensors of heads that are there in part only.
        plan: What goes where.
        dtypes: Element types in the files and how many tensors have each.
        contradictions: Sentences about tensors that stand twice and differ.
    """

    family: Family
    config: TransformerConfig
    layout: str
    formats: tuple[str, ...]
    file_names: tuple[str, ...]
    heads: tuple[str, ...]
    incomplete_heads: Mapping[str, tuple[str, ...]]
    plan: WeightPlan
    dtypes: Mapping[str, int]
    contradictions: tuple[str, ...] = ()

    @property
    def num_parameters(self) -> int:
        """Scalars in all weights of the body and the plan's heads."""
        shapes = expected_shapes(self.config, self.heads)
        return sum(math.prod(shape) for shape in shapes.values())

    @property
    def is_sound(self) -> bool:
        """Whether every tensor has its place."""
        return not (
            self.plan.differences or self.incomplete_heads or self.contradictions
        )


def load_config(folder: Path) -> dict[str, Any]:
    """Return the JSON object of a checkpoint's config.

    Raises:
        CheckpointFormatError: No config, several, or not a JSON object.
    """
    for name in CONFIG_NAMES:
        if (folder / name).is_file():
            return load_object(folder / name, MAX_CONFIG_BYTES)
    others = sorted(p for p in folder.glob(OTHER_CONFIGS) if p.name not in NO_CONFIGS)
    if len(others) == 1:
        return load_object(others[0], MAX_CONFIG_BYTES)
    several = f", not one of {[path.name for path in others]}" if others else ""
    raise CheckpointFormatError(
        f"{folder.name}: has no config; expected {' or '.join(CONFIG_NAMES)}{several}"
    )


def survey_checkpoint(folder: Path, heads: Heads = "all") -> Survey:
    """Judge a checkpoint by its names and shapes, and compare what stands twice.

    Args:
        folder: Holds a checkpoint as the hub serves it.
        heads: Heads that are needed, or "all" that the checkpoint has.

    Raises:
        CheckpointFormatError: A file is truncated, corrupt, hostile or unknown.
        CheckpointMismatchError: The family cannot be read from this layout.
        MissingHeadError: A needed head is not in the checkpoint.
        UnsupportedModelError: No family here fits the config.
    """
    values = load_config(folder)
    with open_checkpoint(folder) as reader:
        survey = survey_tensors(values, reader, heads, formats_in(folder))
        differing = twin_differences(survey.plan, reader.read)
        return replace(survey, contradictions=differing)


def survey_tensors(
    values: Mapping[str, Any],
    reader: CheckpointReader,
    heads: Heads = "all",
    formats: tuple[str, ...] = (),
    adaptation: Adaptation = AS_SAVED,
) -> Survey:
    """Judge open tensors by names and shapes alone; see ``survey_checkpoint``.

    Args:
        values: The JSON object of the config.
        reader: The tensors.
        heads: Heads that are needed, or "all" that the checkpoint has.
        formats: For the report.
        adaptation: What the network to fill has otherwise than the file.

    Raises:
        ValueError: The adaptation does not fit the file; and what
            ``survey_checkpoint`` raises.
    """
    names = reader.keys()
    family = family_of(values, names)
    shapes = {name: reader.shape(name) for name in names}
    table = TABLES[family.name]
    found: list[Survey | MissingHeadError] = []
    for reading in (reader.layout, *table.alternatives.get(reader.layout, ())):
        tensors = NamedTensors(table, reading, shapes)
        try:
            survey = _surveyed(values, reader, family, tensors, heads, adaptation)
        except MissingHeadError as error:
            found.append(error)
            continue
        if not survey.plan.differences:
            return replace(survey, formats=formats)
        found.append(survey)
    if isinstance(found[0], MissingHeadError):
        raise found[0]
    return replace(found[0], formats=formats)


def _surveyed(
    values: Mapping[str, Any],
    reader: CheckpointReader,
    family: Family,
    tensors: NamedTensors,
    heads: Heads,
    adaptation: Adaptation,
) -> Survey:
    saved = _without_zeros(family.config_from_json(values), tensors)
    config = adaptation.config(saved)
    parts = _HeadsInFile(tensors, family, config)
    chosen = parts.chosen(heads)
    plan = plan_weights(
        tensors,
        heads=chosen,
        depth=Depth(
            config.num_blocks, config.num_decoder_layers, saved.num_layer_groups
        ),
        expected_shapes=expected_shapes(config, chosen),
        reshapes=adaptation.reshapes(),
    )
    return Survey(
        family=family,
        config=config,
        layout=reader.layout,
        formats=(),
        file_names=reader.file_names,
        heads=chosen,
        incomplete_heads=parts.incomplete,
        plan=plan,
        dtypes=_counted(reader),
    )


class _HeadsInFile:
    """Which heads of a family a file holds, whole or in part."""

    def __init__(
        self, tensors: NamedTensors, family: Family, config: TransformerConfig
    ) -> None:
        self._known = family.heads
        self._missing: dict[str, tuple[str, ...]] = {}
        self.incomplete: dict[str, tuple[str, ...]] = {}
        for head in family.heads:
            weights = expected_shapes(config, (head,))
            self._missing[head] = tensors.missing_of_head(head, weights)
            if self._missing[head] and tensors.has_part_of_head(head, weights):
                self.incomplete[head] = self._missing[head]

    def chosen(self, heads: Heads) -> tuple[str, ...]:
        """Return the heads to build; raise where one that is needed is not here."""
        available = tuple(head for head in self._known if not self._missing[head])
        if heads == "all":
            return available
        for head in heads:
            if head not in available:
                missing = self._missing.get(head, ())
                raise MissingHeadError(head, missing, ", ".join(available) or "none")
        return heads


def _without_zeros(
    config: TransformerConfig, tensors: NamedTensors
) -> TransformerConfig:
    """Turn weights off that the file leaves out because they are zeros."""
    absent: dict[str, Any] = {
        switch: False
        for source, switch in tensors.table.left_out.items()
        if source not in tensors.by_name
    }
    return replace(config, **absent)


def _counted(reader: CheckpointReader) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name in reader.keys():  # noqa: SIM118 - not a mapping
        dtype = reader.dtype(name)
        counts[dtype] = counts.get(dtype, 0) + 1
    return counts

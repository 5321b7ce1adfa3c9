"""A family's rows run backwards: the network's weights become a published file's.

The rows return views. What a row would return of an empty tensor of the file is
therefore the place where its weight belongs: it is written there, and transposed,
fused or cut as the row reads it. Changes when files are written otherwise than read.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from model_core.checkpoints.errors import CheckpointMismatchError
from model_core.checkpoints.reader import CheckpointReader
from model_core.checkpoints.safetensors_writing import NewTensor
from model_core.checkpoints.spelling import LAYOUT, Spelling
from model_core.checkpoints.survey import Survey
from model_core.checkpoints.weight_map import (
    Array,
    Depth,
    NamedTensors,
    Placement,
    Rule,
    Shape,
    WeightTable,
    concrete_rules,
)
from model_core.checkpoints.weight_shapes import expected_shapes


def published_tensors(
    table: WeightTable, survey: Survey, reader: CheckpointReader
) -> tuple[NewTensor, ...]:
    """Return the tensors of a published file, none of them made yet.

    Args:
        table: The rows to run backwards.
        survey: What is loaded, adapted or not; sound.
        reader: Where it is loaded from.

    Raises:
        CheckpointMismatchError: A row cannot be run backwards.
    """
    expected = expected_shapes(survey.config, survey.heads)
    # whatever the file shared, each block that the network has is written
    depth = Depth(survey.config.num_blocks, survey.config.num_decoder_layers)
    rules = concrete_rules(table, survey.heads, depth, expected)
    by_source: dict[str, list[Rule]] = defaultdict(list)
    for rule in rules:
        by_source[rule.source].append(rule)
    others = _others(table, survey, reader)
    spelling = Spelling(table, {*by_source, *others})
    weights = _Weights(survey, reader, expected)
    tensors = [
        weights.tensor(spelling, source, rows) for source, rows in by_source.items()
    ]
    carry = [
        NewTensor(
            spelling.of(name, is_base=True),
            reader.shape(file_name),
            partial(reader.read, file_name),
        )
        for name, file_name in others.items()
    ]
    return (*tensors, *carry)


def _others(
    table: WeightTable, survey: Survey, reader: CheckpointReader
) -> Mapping[str, str]:
    """Return, by the rules' name, what other readers of such files ask for."""
    if reader.layout != LAYOUT:
        return {}
    shapes = {name: reader.shape(name) for name in survey.plan.ignored}
    here = NamedTensors(table, reader.layout, shapes).by_name
    return {
        name: located.name
        for name, located in here.items()
        if any(re.fullmatch(pattern, name) for pattern in table.carried)
    }


@dataclass(frozen=True)
class _Weights:
    """The network's weights, read from a file of any layout."""

    survey: Survey
    reader: CheckpointReader
    expected: Mapping[str, Shape]

    def tensor(
        self, spelling: Spelling, source: str, rules: Sequence[Rule]
    ) -> NewTensor:
        """Return the tensor that these rows read."""
        name = spelling.of(source)
        places = {p.target: p for p in self.survey.plan.placements}
        rows = [_Row(rule, places[rule.target], spelling, name) for rule in rules]
        shape = self._shape(rows)
        return NewTensor(name, shape, partial(self._made, rows, shape))

    def _shape(self, rows: Sequence["_Row"]) -> Shape:
        wanted = [self.expected[row.rule.target] for row in rows]
        for shape in rows[0].shapes(wanted[0]):
            if [row.view_shape(shape) for row in rows] == wanted:
                return shape
        raise CheckpointMismatchError(
            f"{rows[0].name}: its rows cannot be run backwards to {wanted[0]}"
        )

    def _made(self, rows: Sequence["_Row"], shape: Shape) -> Array:
        weights = [self._read(row.placement) for row in rows]
        made = np.zeros(shape, weights[0].dtype)
        if sum(weight.size for weight in weights) < made.size:
            _begin_with(made, self.reader.read(rows[0].placement.source.name))
        for row, weight in zip(rows, weights, strict=True):
            view = row.view(made)
            if view.size and not np.shares_memory(view, made):
                raise CheckpointMismatchError(f"{row.name}: a row returns a copy")
            view[...] = weight
        return made

    def _read(self, placement: Placement) -> Array:
        array = self.reader.read(placement.source.name)
        if array.dtype.kind != "f":
            raise CheckpointMismatchError(
                f"{placement.source.name}: expected floating-point numbers, received "
                f"{array.dtype}"
            )
        return placement.reshape(placement.source.laid_out(array))


@dataclass(frozen=True)
class _Row:
    """A rule, where its weight comes from, and the name that it goes to."""

    rule: Rule
    placement: Placement
    spelling: Spelling
    name: str

    def view(self, array: Array) -> Array:
        """Return what the row reads of a tensor of the new file."""
        return self.rule.reshape(self.spelling.laid_out(self.name, array))

    def view_shape(self, shape: Shape) -> Shape | None:
        """Return the shape of what it would read, None where it cannot."""
        try:
            return self.view(np.broadcast_to(np.float32(0), shape)).shape
        except (ValueError, IndexError):
            return None

    def shapes(self, wanted: Shape) -> Iterator[Shape]:
        """Yield shapes that the tensor may have: the old one, or with other rows."""
        source = self.placement.source
        laid_out = source.laid_out(np.broadcast_to(np.float32(0), source.shape)).shape
        for shape in (source.shape, laid_out, laid_out[::-1]):
            yield shape
            view = self.view_shape(shape)
            if view is None or len(view) != len(wanted):
                continue
            for axis, size in enumerate(shape):
                longer = size + wanted[0] - view[0]
                yield (*shape[:axis], longer, *shape[axis + 1 :])
        yield wanted


def _begin_with(made: Array, stored: Array) -> None:
    """Take over what no row of the table reads, like the rows of no position."""
    if stored.shape[1:] == made.shape[1:]:
        length = min(len(stored), len(made))
        made[:length] = stored[:length]

"""Move checkpoint tensors into network weights by table, never by code.

A family's table has rules in PyTorch's names, and for every other layout a few
renamings that turn its names into those. Strict both ways: a plan names every tensor
that is missing, unused, without a rule or of another shape. Changes when checkpoints
disagree with networks in a new way. Knows no family, no file format and no framework.
"""

import math
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from model_core.checkpoints.errors import CheckpointMismatchError

Array = npt.NDArray[Any]
Shape = tuple[int, ...]
Reshape = Callable[[Array], Array]

MAX_NAMES_SHOWN = 12
MAX_STACKED = 1024  # blocks that one tensor may hold parts of


def as_is(array: Array) -> Array:
    """Keep the layout of the checkpoint."""
    return array


def transposed(array: Array) -> Array:
    """Turn PyTorch's (out, in) kernel into Keras's (in, out), or back."""
    return array.T


def row_as_vector(array: Array) -> Array:
    """Turn a bias kept as (1, units) into (units,)."""
    return array[0] if array.ndim == 2 and len(array) == 1 else array  # noqa: PLR2004


def without_window(array: Array) -> Array:
    """Turn a convolution's (1, in, out) into the (in, out) that a window of one is."""
    return array[0] if array.ndim == 3 and len(array) == 1 else array  # noqa: PLR2004


def third(index: int) -> Reshape:
    """Cut a fused query-key-value tensor (…, 3 * width) and keep one of them."""

    def cut(array: Array) -> Array:
        width, rest = divmod(array.shape[-1], 3)
        if rest:
            raise ValueError("the last axis is no multiple of 3")
        return array[..., index * width : (index + 1) * width]

    return cut


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of a weight table.

    ``{layer}`` stands for the index of every block, ``{decoder_layer}`` for that of
    every decoder's block, and in a source ``{group}`` for the group of layers that a
    block's weights belong to in the file.

    Attributes:
        target: The network's name.
        source: The checkpoint's name, without the family's prefix.
        reshape: From the checkpoint's layout to the network's; a view, not a copy.
    """

    target: str
    source: str
    reshape: Reshape = as_is

    def expand(self, depth: "Depth") -> "Iterator[Rule]":
        """Yield one concrete rule per block, or itself when it is of none."""
        for name, count in depth.counts.items():
            if f"{{{name}}}" in self.target:
                for index in range(count):
                    yield self._of(**{name: index, "group": depth.group_of(index)})
                return
        yield self

    def _of(self, **places: int) -> "Rule":
        target, source = self.target.format(**places), self.source.format(**places)
        return Rule(target, source, self.reshape)


@dataclass(frozen=True, slots=True)
class Depth:
    """How many blocks a network has, and the file's groups of shared layers.

    Attributes:
        layers: Blocks of the body.
        decoder_layers: Of the decoder.
        groups: Groups of layers in the file; 0 where no layers share weights.
    """

    layers: int
    decoder_layers: int = 0
    groups: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """How often each place of a rule is repeated."""
        return {"layer": self.layers, "decoder_layer": self.decoder_layers}

    def group_of(self, block: int) -> int:
        """Return the file's group of a block: itself, or that of an unshared layer."""
        return block * self.groups // self.layers if self.groups else block


@dataclass(frozen=True, slots=True)
class Renaming:
    """One substitution on the way to the names of the rules.

    Attributes:
        pattern: Regular expression, searched in the name.
        replacement: As in ``re.sub``. Where it says ``{layer}``, the tensor holds that
            part of every block, one after the other along its first axis.
        reshape: Applied to tensors whose name matches.
        unless: Files are not written in this spelling where a name of theirs matches;
            "" for a spelling that is only ever read.
    """

    pattern: str
    replacement: str
    reshape: Reshape = as_is
    unless: str | None = None


@dataclass(frozen=True, slots=True)
class Twin:
    """A tensor that some files hold a second time; both must be equal.

    Attributes:
        name: The second name.
        of: The name that a rule reads.
        head: The head that the equality matters for.
        reason: What it means where they differ.
    """

    name: str
    of: str
    head: str
    reason: str


@dataclass(frozen=True, slots=True)
class WeightTable:
    """A family's rows.

    Attributes:
        body: Rules of the Transformer.
        heads: Rules by head.
        twins: Tensors that may stand twice.
        ignored: Patterns of names that carry no weight of ours (full match).
        carried: Those among them that other readers of such files ask for.
        renamings: By layout; a layout without an entry is not supported.
        alternatives: By layout, further keys of ``renamings``: a file that holds
            another network beside the first is read as the first that fits.
        left_out: Sources that some files leave out because they hold zeros, and the
            switch of the config that turns the weight off.
        hints: By layout, what is worth knowing where a file of it does not fit.
    """

    body: tuple[Rule, ...]
    heads: Mapping[str, tuple[Rule, ...]]
    twins: tuple[Twin, ...] = ()
    ignored: tuple[str, ...] = ()
    carried: tuple[str, ...] = ()
    renamings: Mapping[str, tuple[Renaming, ...]] = field(
        default_factory=lambda: {"pytorch": ()}
    )
    alternatives: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    hints: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Located:
    """A tensor of the file under the name of the rules.

    Attributes:
        name: In the file.
        shape: In the file.
        reshapes: What the renamings ask for, in order.
    """

    name: str
    shape: Shape
    reshapes: tuple[Reshape, ...] = ()

    def laid_out(self, array: Array) -> Array:
        """Apply the renamings' reshapes."""
        for reshape in self.reshapes:
            array = reshape(array)
        return array


@dataclass(frozen=True, slots=True)
class Placement:
    """One tensor of the file, or a part of it, on its way to one weight."""

    target: str
    source: Located
    reshape: Reshape

    def shape(self) -> Shape | None:
        """Return the shape it will have, or None where it cannot be laid out."""
        hollow = np.broadcast_to(np.float32(0), self.source.shape)
        try:
            return self.reshape(self.source.laid_out(hollow)).shape
        except (ValueError, IndexError):
            return None


@dataclass(frozen=True, slots=True)
class Differences:
    """Where checkpoint and network disagree; empty where they do not.

    Attributes:
        missing: Sources that the checkpoint lacks.
        unused: Tensors of the file that no row mentions.
        unfilled: Weights of the network that no row fills.
        misshapen: Sentences, one per weight whose shape differs.
        hint: What a person may have taken the file for; says nothing by itself.
    """

    missing: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    unfilled: tuple[str, ...] = ()
    misshapen: tuple[str, ...] = ()
    hint: str = ""

    def __bool__(self) -> bool:
        return bool(self.missing or self.unused or self.unfilled or self.misshapen)

    def __str__(self) -> str:
        parts = (
            ("checkpoint lacks", self.missing),
            ("checkpoint has unused", self.unused),
            ("model weights without a rule", self.unfilled),
            ("shapes differ:", self.misshapen),
        )
        told = [f"{text} {_listed(names)}" for text, names in parts if names]
        return "; ".join([*told, *([self.hint] if told and self.hint else [])])


@dataclass(frozen=True, slots=True)
class WeightPlan:
    """What goes where, decided by names and shapes alone.

    Attributes:
        placements: One per weight of the network.
        twins: Pairs that must be equal, and why.
        skipped: Tensors of heads that are not built.
        ignored: Tensors that carry no weight of ours.
        differences: Empty where the plan can be carried out.
    """

    placements: tuple[Placement, ...]
    twins: tuple[tuple[Located, Located, Twin], ...]
    skipped: tuple[str, ...]
    ignored: tuple[str, ...]
    differences: Differences


class NamedTensors:
    """A checkpoint's tensors under the names of a table's rules.

    Args:
        table: The family's rows.
        layout: Whose naming the file follows.
        shapes: Shape of every tensor by its name in the file.

    Raises:
        CheckpointMismatchError: The family has no rows for the layout, or two names
            of the file mean the same.
    """

    def __init__(
        self, table: WeightTable, layout: str, shapes: Mapping[str, Shape]
    ) -> None:
        if layout not in table.renamings:
            raise CheckpointMismatchError(
                f"this family is read from the layouts {sorted(table.renamings)}, "
                f"received {layout}"
            )
        self.table = table
        self.hint = table.hints.get(layout, "")
        self.by_name: dict[str, Located] = {}
        for name, shape in shapes.items():
            for canonical, located in _unstacked(
                *renamed(name, shape, table.renamings[layout])
            ):
                self._add(canonical, located)
        self._adopt_lone_twins()

    def _add(self, canonical: str, located: Located) -> None:
        if canonical in self.by_name:
            raise CheckpointMismatchError(
                f"{self.by_name[canonical].name} and {located.name} both mean "
                f"{canonical}"
            )
        self.by_name[canonical] = located

    def missing_of_head(self, head: str, weights: Collection[str]) -> tuple[str, ...]:
        """Return the sources of a head that are not here, sorted.

        Args:
            head: A key of the table's.
            weights: Names of the weights that a network with this head has.
        """
        return tuple(sorted(self._sources(head, weights) - self.by_name.keys()))

    def has_part_of_head(self, head: str, weights: Collection[str]) -> bool:
        """Tell whether some tensor of this head alone is here: heads share poolers."""
        others = {
            rule.source
            for other, rules in self.table.heads.items()
            for rule in rules
            if other != head
        }
        alone = self._sources(head, weights) - others
        return bool(alone & self.by_name.keys())

    def _sources(self, head: str, weights: Collection[str]) -> set[str]:
        return {r.source for r in self.table.heads[head] if r.target in weights}

    def _adopt_lone_twins(self) -> None:
        """A file that drops shared tensors may have kept the second name only."""
        for twin in self.table.twins:
            if twin.of not in self.by_name and twin.name in self.by_name:
                self.by_name[twin.of] = self.by_name.pop(twin.name)


def plan_weights(
    tensors: NamedTensors,
    *,
    heads: tuple[str, ...],
    depth: Depth,
    expected_shapes: Mapping[str, Shape],
    reshapes: Mapping[str, Reshape] = MappingProxyType({}),
) -> WeightPlan:
    """Decide what goes where, or say exactly which names disagree.

    Args:
        tensors: The checkpoint under the rules' names.
        heads: Heads of the network, keys of the table's.
        depth: Blocks of the network.
        expected_shapes: Every weight of the network.
        reshapes: By weight, what is done to it after it is laid out as the network's.
    """
    table, here = tensors.table, tensors.by_name
    rules = concrete_rules(table, heads, depth, expected_shapes)
    wanted = {rule.source for rule in rules}
    twins = tuple(
        t
        for t in table.twins
        if t.head in heads and t.name in here and t.name not in wanted
    )
    rest = here.keys() - wanted - {twin.name for twin in twins}
    skipped = rest & _of_other_heads(table, heads)
    ignored = {name for name in rest if _is_ignored(name, table.ignored)}
    placements = tuple(
        Placement(
            rule.target,
            here[rule.source],
            _then(rule.reshape, reshapes.get(rule.target)),
        )
        for rule in rules
        if rule.source in here
    )
    return WeightPlan(
        placements=placements,
        twins=tuple((here[t.name], here[t.of], t) for t in twins if t.of in here),
        skipped=_file_names(here, skipped),
        ignored=_file_names(here, ignored),
        differences=Differences(
            missing=tuple(sorted(wanted - here.keys())),
            unused=_file_names(here, rest - skipped - ignored),
            unfilled=tuple(sorted(expected_shapes.keys() - {r.target for r in rules})),
            misshapen=tuple(_misshapen(placements, expected_shapes)),
            hint=tensors.hint,
        ),
    )


def carry_out(
    plan: WeightPlan,
    read: Callable[[str], Array],
    assign: Callable[[str, Array], None],
) -> None:
    """Move every tensor, one at a time: no second copy of the whole exists.

    Args:
        plan: What goes where.
        read: Returns a tensor of the file by its name.
        assign: Takes a weight's name and its numbers.

    Raises:
        CheckpointMismatchError: The plan has differences, a twin differs, or a tensor
            holds no floating-point numbers.
    """
    if plan.differences:
        raise CheckpointMismatchError(str(plan.differences))
    contradictions = twin_differences(plan, read)
    if contradictions:
        raise CheckpointMismatchError("; ".join(contradictions))
    by_source: dict[str, list[Placement]] = defaultdict(list)
    for placement in plan.placements:
        by_source[placement.source.name].append(placement)
    for name, placements in by_source.items():
        array = read(name)
        if array.dtype.kind != "f":
            raise CheckpointMismatchError(
                f"{name}: expected floating-point numbers, received {array.dtype}"
            )
        for placement in placements:
            laid_out = placement.source.laid_out(array)
            assign(placement.target, placement.reshape(laid_out))


def twin_differences(plan: WeightPlan, read: Callable[[str], Array]) -> tuple[str, ...]:
    """Return a sentence for each tensor that differs from the one it repeats.

    Args:
        plan: What goes where.
        read: Returns a tensor of the file by its name.
    """
    return tuple(
        f"{second.name} differs from {first.name}: {twin.reason}"
        for second, first, twin in plan.twins
        if not _are_equal(
            second.laid_out(read(second.name)), first.laid_out(read(first.name))
        )
    )


def shares(plan: WeightPlan, count: int) -> tuple[WeightPlan, ...]:
    """Return a plan as several of about the same size, each for one worker.

    Args:
        plan: What goes where.
        count: At most so many; what is read of one tensor stays together.
    """
    sizes: dict[str, int] = {}
    for placement in plan.placements:
        sizes[placement.source.name] = math.prod(placement.source.shape)
    names: list[set[str]] = [set() for _ in range(count)]
    loads = [0] * count
    for name in sorted(sizes, key=lambda each: -sizes[each]):
        least = loads.index(min(loads))
        names[least].add(name)
        loads[least] += sizes[name]
    return tuple(
        replace(
            plan,
            placements=tuple(p for p in plan.placements if p.source.name in chosen),
            twins=() if index else plan.twins,
        )
        for index, chosen in enumerate(names)
    )


def _are_equal(one: Array, other: Array) -> bool:
    """Compare numbers, unless both are the same bytes of one file."""
    here, there = one.__array_interface__, other.__array_interface__
    keys = ("data", "shape", "strides", "typestr")
    if all(here[key] == there[key] for key in keys):
        return True
    return np.array_equal(one, other)


def _then(first: Reshape, second: Reshape | None) -> Reshape:
    if second is None:
        return first
    return lambda array: second(first(array))


def concrete_rules(
    table: WeightTable,
    heads: tuple[str, ...],
    depth: Depth,
    expected_shapes: Collection[str],
) -> tuple[Rule, ...]:
    """Return the rows of a network's own weights: a config may switch some off."""
    rows = (*table.body, *(rule for head in heads for rule in table.heads[head]))
    return tuple(
        rule
        for row in rows
        for rule in row.expand(depth)
        if rule.target in expected_shapes
    )


def renamed(
    name: str, shape: Shape, renamings: tuple[Renaming, ...]
) -> tuple[str, Located]:
    """Return the rules' name of a tensor of a file, and how it gets their layout."""
    canonical = name
    reshapes: list[Reshape] = []
    for row in renamings:
        canonical, times = re.subn(row.pattern, row.replacement, canonical)
        if times and row.reshape is not as_is:
            reshapes.append(row.reshape)
    return canonical, Located(name, shape, tuple(reshapes))


def _unstacked(canonical: str, located: Located) -> Iterator[tuple[str, Located]]:
    """Yield a tensor's parts where it holds one for every block, else itself."""
    place = "{layer}"
    if place not in canonical or not located.shape:
        yield canonical, located
        return
    for layer in range(min(located.shape[0], MAX_STACKED)):
        reshapes = (*located.reshapes, _part(layer))
        yield (
            canonical.replace(place, str(layer)),
            replace(located, reshapes=reshapes),
        )


def _part(index: int) -> Reshape:
    return lambda array: array[index]


def _of_other_heads(table: WeightTable, heads: tuple[str, ...]) -> set[str]:
    others = table.heads.keys() - set(heads)
    return {rule.source for head in others for rule in table.heads[head]} | {
        twin.name for twin in table.twins if twin.head in others
    }


def _is_ignored(name: str, patterns: tuple[str, ...]) -> bool:
    return any(re.fullmatch(pattern, name) for pattern in patterns)


def _file_names(here: Mapping[str, Located], names: set[str]) -> tuple[str, ...]:
    return tuple(sorted({here[name].name for name in names}))


def _misshapen(
    placements: tuple[Placement, ...], expected: Mapping[str, Shape]
) -> Iterator[str]:
    for placement in placements:
        received, wanted = placement.shape(), expected[placement.target]
        if received != wanted:
            yield (
                f"{placement.target}: expected shape {wanted}, got {received} "
                f"({placement.source.name} {placement.source.shape})"
            )


def _listed(names: tuple[str, ...]) -> str:
    more = len(names) - MAX_NAMES_SHOWN
    shown = str(list(names[:MAX_NAMES_SHOWN]))
    return shown if more <= 0 else f"{shown} and {more} more"

"""Passes of several requests as one, and long ones in slices, so that nobody stalls.

Changes when passes share the kernels in another way. What a row gets does not depend on
the rows beside it: the kernels sum in one order whatever the batch.
"""

import ctypes
import math
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from model_core.engines.native.calls import Floats, Ints, Kernels, TokenRows
from model_core.engines.native.structs import Body, Slot
from model_core.engines.together import Together

Outputs = dict[str, Floats]
ROWS_TOGETHER = 64
"""A batch of steps has no more rows; more gain nothing on any processor known."""
TOKENS_TOGETHER = 256
"""Short texts that are read together have no more: of eight texts read at once those of
16 tokens gain four times, of 32 twice, longer ones nothing."""
FEW_ROWS = 8
"""A pass of so few rows is a step, which costs what moving the weights costs."""
ROWS_OF_PASS = 512
"""Tokens that are read together: more of them leave the processor's cache."""
SLICE_OPERATIONS = 4e9
"""Multiplications of one slice: about 50 ms on two cores."""


@dataclass(frozen=True, slots=True, eq=False)
class Pass:
    """One request's pass.

    Attributes:
        rows: Where every row stands.
        hidden: (num_rows, hidden_size), embeddings; hidden states afterwards.
        picked: int (num_picked,), the rows whose heads are read.
        residual: As ``hidden``, takes what ``Kernels.run`` says; None for nothing. All
            passes of a kind want it, or none.
    """

    rows: TokenRows
    hidden: Floats
    picked: Ints
    residual: Floats | None = None

    def part(self, first: int, count: int) -> "Pass":
        """Return some rows of it, views into the same states; none is picked."""
        some = slice(first, first + count)
        return Pass(
            self.rows.part(some),
            self.hidden[some],
            self.picked[:0],
            None if self.residual is None else self.residual[some],
        )


@dataclass(frozen=True, slots=True)
class PassKind:
    """Passes that may run as one.

    Attributes:
        body: Whose layers; the very struct.
        size: Weights that every row is multiplied with.
        read: Reads heads off (num_picked, hidden_size).
        name: Tells it from other readings of the same body.
        most_rows: Rows of a batch of them.
    """

    body: Body
    size: int
    read: Callable[[Floats], Outputs]
    name: Hashable
    most_rows: int = ROWS_TOGETHER

    def __hash__(self) -> int:
        """Return a number of the body's identity and the name."""
        return hash((id(self.body), self.name))

    def __eq__(self, other: object) -> bool:
        """Return whether both have the same body and reading."""
        if not isinstance(other, PassKind):
            return NotImplemented
        return self.body is other.body and self.name == other.name


class Passes:
    """Runs the passes of one network, whoever asks for them.

    Args:
        kernels: That run them.
    """

    def __init__(self, kernels: Kernels) -> None:
        self._kernels = kernels
        self._together: Together[Callable[[], None] | Pass, Outputs] = Together(
            self._run, ROWS_TOGETHER
        )

    def ask(self, kind: PassKind, asked: Pass) -> Outputs:
        """Return the heads' outputs of the picked rows; fills ``hidden`` in place.

        A pass of few rows runs with others that wait. A long one runs in slices of
        layers, and others may run between them.
        """
        num_rows = len(asked.hidden)
        is_short = (
            num_rows <= ROWS_TOGETHER and num_rows * kind.size <= SLICE_OPERATIONS
        )
        if is_short or num_rows <= FEW_ROWS:
            share = num_rows * ROWS_TOGETHER / kind.most_rows
            return self._together.ask(kind, asked, math.ceil(share))
        self.run_slices(kind, asked)
        return kind.read(asked.hidden[asked.picked])

    def run_slices(self, kind: PassKind, asked: Pass) -> None:
        """Run a pass on its own, slice by slice.

        A slice is some layers; or, where one of them takes too long for all rows and
        rows see none behind them, some rows of one layer.

        Args:
            kind: Its body; no head is read.
            asked: The pass.
        """
        layers, num_rows = kind.body.num_layers, len(asked.hidden)
        per_row = max(kind.size / layers, 1)
        per_layer = max(num_rows * per_row, 1)
        step = max(1, min(layers, int(SLICE_OPERATIONS / per_layer)))
        rows = max(FEW_ROWS, int(SLICE_OPERATIONS / per_row))
        whole = num_rows <= rows or not asked.rows.see_only_before
        parts = (
            [asked]
            if whole
            else [asked.part(first, rows) for first in range(0, num_rows, rows)]
        )
        for first in range(0, layers, step):
            bounds = (first, min(first + step, layers))
            for part in parts:

                def run(part: Pass = part, bounds: tuple[int, int] = bounds) -> None:
                    self._kernels.run(
                        kind.body, part.rows, part.hidden, part.residual, bounds
                    )

                self._together.ask(object(), run)

    def _run(
        self, key: Hashable, items: list[Callable[[], None] | Pass]
    ) -> Sequence[Outputs]:
        """Do what was gathered: a slice, or passes of one kind as one."""
        passes = [item for item in items if isinstance(item, Pass)]
        if not isinstance(key, PassKind):
            for item in items:
                if not isinstance(item, Pass):
                    item()
            return [{} for _ in items]
        whole = passes[0] if len(passes) == 1 else joined(passes)
        bounds = (0, key.body.num_layers)
        self._kernels.run(key.body, whole.rows, whole.hidden, whole.residual, bounds)
        outputs = key.read(whole.hidden[whole.picked])
        if len(passes) == 1:
            return [outputs]
        return _parted(passes, whole, outputs)


def tokens_together(size: int) -> int:
    """Return how many tokens of short texts are read at once.

    Args:
        size: Weights that each is multiplied with: a batch takes a slice at most.
    """
    return max(FEW_ROWS, min(TOKENS_TOGETHER, int(SLICE_OPERATIONS / size)))


def few_rows(lengths: Sequence[int]) -> Iterator[slice]:
    """Yield texts that are read in one pass: of so few tokens that a cache holds them.

    Args:
        lengths: Tokens of every text.
    """
    first, total = 0, 0
    for place, length in enumerate(lengths):
        if total and total + length > ROWS_OF_PASS:
            yield slice(first, place)
            first, total = place, 0
        total += length
    yield slice(first, len(lengths))


def joined(passes: Sequence[Pass]) -> Pass:
    """Return several passes as one, rows and slots side by side."""
    rows = [one.rows for one in passes]
    slots = _offsets([len(one.slots) for one in rows])
    counts = [len(one.hidden) for one in passes]
    starts, width = _offsets(counts), passes[0].hidden.shape[1]

    def beside(name: str, shift: Sequence[int] | None = None) -> Ints:
        shifts = shift or [0] * len(rows)
        parts = [
            getattr(one, name) + np.int32(by)
            for one, by in zip(rows, shifts, strict=True)
        ]
        return np.concatenate(parts).astype("int32", copy=False)

    decoder: dict[str, object] = {}
    if rows[0].source_slots is not None:
        tables = [one.source_slots for one in rows if one.source_slots is not None]
        decoder = {
            "source_slot": beside("source_slot", _offsets([len(t) for t in tables])),
            "source_length": beside("source_length"),
            "source_slots": _one_table(tables),
        }
    return Pass(
        TokenRows(
            slot=beside("slot", slots),
            place=beside("place"),
            position=beside("position"),
            limit=beside("limit"),
            shared_slot=beside("shared_slot", slots),
            shared_length=beside("shared_length"),
            slots=_one_table([one.slots for one in rows]),
            **decoder,  # type: ignore[arg-type]
        ),
        np.concatenate([one.hidden for one in passes]),
        np.concatenate(
            [one.picked + by for one, by in zip(passes, starts, strict=True)]
        ),
        None
        if passes[0].residual is None
        else np.empty((sum(counts), width), "float32"),
    )


def _parted(passes: Sequence[Pass], whole: Pass, outputs: Outputs) -> Sequence[Outputs]:
    """Hand states and outputs back to those who asked."""
    results, row, pick = [], 0, 0
    for one in passes:
        mine = slice(row, row + len(one.hidden))
        one.hidden[:] = whole.hidden[mine]
        if one.residual is not None and whole.residual is not None:
            one.residual[:] = whole.residual[mine]
        row = mine.stop
        last = pick + len(one.picked)
        results.append({name: values[pick:last] for name, values in outputs.items()})
        pick = last
    return results


def _offsets(lengths: Sequence[int]) -> list[int]:
    return [sum(lengths[:index]) for index in range(len(lengths))]


def _one_table(tables: Sequence["ctypes.Array[Slot]"]) -> "ctypes.Array[Slot]":
    whole = (Slot * sum(len(table) for table in tables))()
    offset = 0
    for table in tables:
        size = ctypes.sizeof(table)
        ctypes.memmove(ctypes.addressof(whole) + offset, table, size)
        offset += size
    return whole

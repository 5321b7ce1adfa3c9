"""Calls of the kernels with numpy arrays: the only file that hands out addresses.

Changes when the kernels offer another call. One call runs at a time.
"""

import ctypes
from dataclasses import dataclass, fields, replace
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from model_core.engines.native.library import load_kernels, num_threads
from model_core.engines.native.panels import PackedLinear, PackedNorm, address
from model_core.engines.native.structs import (
    ACTIVATIONS,
    Body,
    Pass,
    Rows,
    Slot,
)

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class TokenRows:
    """Where every row of a pass stands; all int32 (num_rows,).

    Attributes:
        slot: Which of ``slots`` its keys and values go to.
        place: Where in it.
        position: In its text.
        limit: It sees the positions before it.
        shared_slot: Which slot holds what it shares with other rows.
        shared_length: How many positions of it, from the first.
        slots: The room of keys and values.
        source_slot: Of ``source_slots``; None without a decoder.
        source_length: Positions of the source; None without a decoder.
        source_slots: What decoders read.
    """

    slot: Ints
    place: Ints
    position: Ints
    limit: Ints
    shared_slot: Ints
    shared_length: Ints
    slots: "ctypes.Array[Slot]"
    source_slot: Ints | None = None
    source_length: Ints | None = None
    source_slots: "ctypes.Array[Slot] | None" = None

    @property
    def see_only_before(self) -> bool:
        """Whether no row sees a position behind its own."""
        return bool((self.limit <= self.position + 1).all())

    def part(self, some: slice) -> "TokenRows":
        """Return some of the rows, views into the same numbers; slots are kept."""
        values: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        cut: dict[str, Any] = {
            name: value[some]
            for name, value in values.items()
            if isinstance(value, np.ndarray)
        }
        return replace(self, **cut)


class Kernels:
    """The compiled kernels and their scratch, for one engine."""

    def __init__(self) -> None:
        self._library = load_kernels()
        self._threads = num_threads()
        self._room = np.zeros(0, "float32")
        self._lock = Lock()

    @property
    def instructions(self) -> str:
        """Name of the instruction set in use."""
        name: bytes = self._library.mp_name()
        return name.decode()

    def linear(
        self, weights: PackedLinear, inputs: Floats, activation: str = "linear"
    ) -> Floats:
        """Return (rows, out) of (rows, in)."""
        inputs = np.ascontiguousarray(inputs, "float32")
        struct = weights.struct
        made = np.empty((len(inputs), struct.num_outputs), "float32")
        with self._lock:
            needed = self._library.mp_linear_room(ctypes.byref(struct), len(inputs))
            room = self._scratch(needed)
            self._library.mp_linear_rows(
                ctypes.byref(struct),
                address(inputs),
                address(made),
                len(inputs),
                ACTIVATIONS[activation],
                room,
                self._threads,
            )
        return made

    def norm(self, norm: PackedNorm, inputs: Floats) -> Floats:
        """Return (rows, width) normalised."""
        inputs = np.ascontiguousarray(inputs, "float32")
        made = np.empty_like(inputs)
        rows, width = inputs.shape
        self._library.mp_norm_rows(
            ctypes.byref(norm.struct),
            address(inputs),
            address(made),
            rows,
            width,
            self._threads,
        )
        return made

    def run(
        self,
        body: Body,
        rows: TokenRows,
        hidden: Floats,
        residual: Floats | None,
        layers: tuple[int, int],
    ) -> None:
        """Run some layers over rows of states, in place.

        Args:
            body: The blocks.
            rows: Where each row stands.
            hidden: (num_rows, hidden_size), embeddings before the first layer, hidden
                states after the last.
            residual: Takes the residual stream before the last norm; None where
                nobody wants it.
            layers: The first, and the one after the last.

        Raises:
            ValueError: A row stands behind what the body's tables know.
        """
        _check_positions(body, rows)
        struct = _rows_struct(rows)
        asked = Pass(
            num_threads=self._threads,
            first_layer=layers[0],
            last_layer=layers[1],
            body=ctypes.pointer(body),
            rows=ctypes.pointer(struct),
            hidden=address(hidden),
            residual=address(residual),
        )
        with self._lock:
            asked.room = self._scratch(self._library.mp_room(ctypes.byref(asked)))
            self._library.mp_run(ctypes.byref(asked))

    def keep_source(
        self,
        body: Body,
        slots: "ctypes.Array[Slot]",
        layer: int,
        key_value: Floats,
        slot: Ints,
        position: Ints,
    ) -> None:
        """Put (rows, 2 * heads) keys and values of a source where its slots keep it."""
        self._library.mp_keep_source(
            ctypes.byref(body),
            ctypes.addressof(slots),
            layer,
            address(key_value),
            address(slot),
            address(position),
            len(slot),
            self._threads,
        )

    def _scratch(self, floats: int) -> int | None:
        if len(self._room) < floats:
            self._room = np.empty(floats + floats // 4, "float32")
        return address(self._room)


def _check_positions(body: Body, rows: TokenRows) -> None:
    farthest = int(rows.position.max())
    if 0 < body.num_positions <= farthest:
        raise ValueError(
            f"every position must be below {body.num_positions}, received {farthest}"
        )


def _rows_struct(rows: TokenRows) -> Rows:
    longest = int(rows.limit.max())
    struct = Rows(
        num_rows=len(rows.slot),
        slot=address(rows.slot),
        place=address(rows.place),
        position=address(rows.position),
        limit=address(rows.limit),
        shared_slot=address(rows.shared_slot),
        shared_length=address(rows.shared_length),
        slots=ctypes.addressof(rows.slots),
    )
    if rows.source_slots is not None:
        lengths: Any = rows.source_length
        struct.source_slot = address(rows.source_slot)
        struct.source_length = address(lengths)
        struct.source_slots = ctypes.addressof(rows.source_slots)
        longest = max(longest, int(lengths.max()))
    struct.longest = longest
    return struct

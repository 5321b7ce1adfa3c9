"""The engine of C kernels: whole passes and steps, no padding computed.

Changes when a question is answered in another way. Knows no family and no task; what
the kernels do not know (rare heads, heads asked twice) the reference engine answers.
"""

from threading import Lock
from typing import Any

import numpy as np

from model_core.engines.base import Floats, Ints, TokenBatch, Writing
from model_core.engines.keras_engine import KerasEngine
from model_core.engines.native.calls import TokenRows
from model_core.engines.native.packed import PackedNetwork
from model_core.engines.native.panels import Precision
from model_core.engines.native.passes import (
    Outputs,
    Pass,
    PassKind,
    few_rows,
    tokens_together,
)
from model_core.engines.native.slots import NumberKind, SequenceSlot, slot_table
from model_core.engines.native.stepper import NativeStepper
from model_core.masks import MaskKind
from model_core.models.network import Network

NAMES: dict[Precision, str] = {
    "float32": "float32",
    "int8": "int8",
    "dynamic": "int8-dynamic",
}

READ_AS: NumberKind = "float32"
"""What is kept of keys and values that are read at once and forgotten: widening halves
would cost more than the room that they save."""


class NativeEngine:
    """Runs a network on the processor with kernels of its own.

    Args:
        network: With its weights; later changes of them are not seen.
        precision: How matrices are multiplied.

    Raises:
        NativeUnavailableError: No kernels here, or the network has what they lack.
    """

    device = "cpu"

    def __init__(self, network: Network, precision: Precision = "float32") -> None:
        self._reference = KerasEngine(network)
        self._packed = PackedNetwork(network, self._reference, precision)
        self.name = f"native-{NAMES[precision]}"
        self.network = network
        self.heads = self._packed.heads
        self._reading = PassKind(
            self._packed.body.struct,
            self._packed.body.num_weights,
            _no_heads,
            "read",
            tokens_together(self._packed.body.num_weights),
        )
        self._steppers: dict[Writing, NativeStepper] = {}
        self._lock = Lock()

    def read(
        self,
        batch: TokenBatch,
        attention: MaskKind,
        heads: tuple[str, ...] | None = None,
        places: Ints | None = None,
    ) -> dict[str, Floats]:
        """See ``Engine.read``."""
        wanted = self.heads if heads is None else heads
        real = batch.padding_mask
        lengths = real.sum(axis=1)
        stands_behind = np.arange(real.shape[1]) >= lengths[:, None]
        if self._packed.decoder is not None or (real & stands_behind).any():
            return self._reference.read(batch, attention, heads, places)
        hidden, residual = self._states(batch, attention, lengths)
        native = tuple(name for name in wanted if self._packed.reader(name))
        foreign = tuple(name for name in wanted if name not in native)
        outputs = self._foreign(foreign, real, hidden, residual, places)
        if places is None:
            return outputs | {
                name: _spread(rows, real)
                for name, rows in self._of_rows(native, hidden).items()
            }
        starts = np.cumsum(lengths) - lengths
        chosen = hidden[(starts[:, None] + places).reshape(-1)]
        return outputs | {
            name: rows.reshape(*places.shape, *rows.shape[1:])
            for name, rows in self._of_rows(native, chosen).items()
        }

    def apply(self, head: str, *arrays: Any) -> dict[str, Floats]:
        """See ``Engine.apply``."""
        return self._reference.apply(head, *arrays)

    def stepper(self, writing: Writing) -> NativeStepper:
        """See ``Engine.stepper``."""
        with self._lock:
            if writing not in self._steppers:
                self._steppers[writing] = NativeStepper(self._packed, writing)
            return self._steppers[writing]

    def _states(
        self, batch: TokenBatch, attention: MaskKind, lengths: Any
    ) -> tuple[Floats, Floats]:
        """Return hidden states and residual of the real tokens, side by side."""
        made = [
            self._states_of(batch.part(texts), attention, lengths[texts])
            for texts in few_rows(lengths.tolist())
        ]
        if len(made) == 1:
            return made[0]
        hidden, residual = zip(*made, strict=True)
        return np.concatenate(hidden), np.concatenate(residual)

    def _states_of(
        self, batch: TokenBatch, attention: MaskKind, lengths: Any
    ) -> tuple[Floats, Floats]:
        packed, real = self._packed, batch.padding_mask
        slot, position = (axis.astype("int32") for axis in np.nonzero(real))
        limit = seen_positions(batch, attention, lengths)[real]
        slots = [
            SequenceSlot.with_room(packed.config, 1, int(length), READ_AS)
            for length in lengths
        ]
        nothing = np.zeros_like(slot)
        rows = TokenRows(
            slot=slot,
            place=position,
            position=position,
            limit=limit.astype("int32"),
            shared_slot=nothing,
            shared_length=nothing,
            slots=slot_table(slots, shares_layers=True),
        )
        hidden = packed.embedding(
            batch.token_ids[real],
            position,
            batch.segment_ids[real],
            None if batch.mark_ids is None else batch.mark_ids[real],
        )
        residual, nothing_picked = np.empty_like(hidden), slot[:0]
        packed.passes.ask(self._reading, Pass(rows, hidden, nothing_picked, residual))
        return hidden, residual

    def _of_rows(self, heads: tuple[str, ...], hidden: Floats) -> Outputs:
        """Return states and what the kernels read off them."""
        outputs: Outputs = {"hidden": hidden}
        for name in heads:
            reader = self._packed.reader(name)
            if reader is not None:
                outputs |= reader(hidden)
        return outputs

    def _foreign(
        self,
        names: tuple[str, ...],
        real: Any,
        hidden: Floats,
        residual: Floats,
        places: Ints | None,
    ) -> Outputs:
        """Return the outputs of the other heads, over padded states."""
        if not names:
            return {}
        states = [_spread(hidden, real), _spread(residual, real)]
        last = None if places is not None else real.sum(axis=1).astype("int32") - 1
        if places is not None:
            states = [
                np.take_along_axis(one, places[..., None], axis=1) for one in states
            ]
        outputs: Outputs = {}
        for name in names:
            outputs |= self._reference.read_head(name, states[0], states[1], last)
        return outputs


class NativeInt8Engine(NativeEngine):
    """The same with int8 matrices: a quarter of the bytes that a step must move."""

    def __init__(self, network: Network) -> None:
        super().__init__(network, "int8")


class NativeDynamicEngine(NativeEngine):
    """The same, its rows rounded to int8 as well: less exact, faster over many rows."""

    def __init__(self, network: Network) -> None:
        super().__init__(network, "dynamic")


def seen_positions(batch: TokenBatch, attention: MaskKind, lengths: Any) -> Any:
    """Return how many positions each token sees, int (batch, length).

    Every mask of ``model_core.masks`` is such a number, where padding stands behind.
    """
    shape = batch.token_ids.shape
    if attention == "causal":
        return np.broadcast_to(np.arange(1, shape[1] + 1), shape)
    whole = np.broadcast_to(np.asarray(lengths)[:, None], shape)
    if attention == "bidirectional":
        return whole
    step = np.cumsum(batch.segment_ids, axis=1)
    seen = [np.searchsorted(row, row, side="right") for row in step]
    return np.minimum(np.asarray(seen), whole)


def _no_heads(_: Floats) -> Outputs:
    """Read nothing: states are what is asked for."""
    return {}


def _spread(rows: Floats, real: Any) -> Floats:
    """Return (batch, length, ...) out of the rows of real tokens, zeros elsewhere."""
    made = np.zeros((*real.shape, *rows.shape[1:]), "float32")
    made[real] = rows
    return made

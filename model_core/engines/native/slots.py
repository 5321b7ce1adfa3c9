"""Room for the keys and values of one sequence. Changes with their layout."""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from model_core.config import TransformerConfig
from model_core.engines.native.panels import address
from model_core.engines.native.structs import PANEL, Slot

Numbers = npt.NDArray[Any]
NumberKind = Literal["float32", "bfloat16"]
NUMPY_TYPES: dict[NumberKind, str] = {"float32": "float32", "bfloat16": "uint16"}


@dataclass(frozen=True, slots=True, eq=False)
class SequenceSlot:
    """Keys and values of one sequence, float32 or bfloat16 (as uint16).

    Attributes:
        keys: (layers, heads, capacity / 16, head_size, 16).
        values: (layers, heads, ceil(head_size / 16), capacity, 16).
    """

    keys: Numbers
    values: Numbers

    @classmethod
    def with_room(
        cls, config: TransformerConfig, layers: int, positions: int, kind: NumberKind
    ) -> Self:
        """Return room for that many positions, or a few more.

        Args:
            config: Its sizes.
            layers: That keep keys and values.
            positions: Tokens of the sequence.
            kind: What is kept of each number.
        """
        panels = max(1, -(-positions // PANEL))
        size, heads = config.head_size, config.num_attention_heads
        groups = -(-size // PANEL)
        return cls(
            np.empty((layers, heads, panels, size, PANEL), NUMPY_TYPES[kind]),
            np.empty((layers, heads, groups, panels * PANEL, PANEL), NUMPY_TYPES[kind]),
        )

    @property
    def capacity(self) -> int:
        """Positions that it holds."""
        return int(self.values.shape[3])

    def copy_from(self, other: "SequenceSlot", positions: int) -> None:
        """Take over the first positions of another slot of the same capacity."""
        panels = -(-positions // PANEL)
        self.keys[:, :, :panels] = other.keys[:, :, :panels]
        self.values[:, :, :, :positions] = other.values[:, :, :, :positions]

    def struct(self, *, shares_layers: bool = False) -> Slot:
        """Return what the kernels are told.

        Args:
            shares_layers: Every layer writes over the one before: enough for a pass
                that nothing follows.
        """
        return Slot(
            keys=address(self.keys),
            values=address(self.values),
            layer_stride_keys=0 if shares_layers else self.keys[0].size,
            layer_stride_values=0 if shares_layers else self.values[0].size,
            capacity=self.capacity,
            is_half=int(self.keys.dtype == NUMPY_TYPES["bfloat16"]),
        )


def slot_table(
    slots: Sequence[SequenceSlot], *, shares_layers: bool = False
) -> "ctypes.Array[Slot]":
    """Return the kernels' table of slots."""
    structs = [slot.struct(shares_layers=shares_layers) for slot in slots]
    return (Slot * len(structs))(*structs)

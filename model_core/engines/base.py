"""What every engine can be asked, in numpy arrays.

Changes when a new question is asked of a network. Knows no framework.
"""

from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from model_core.decoding.stepper import Stepper
from model_core.masks import MaskKind

Ints = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class TokenBatch:
    """Token ids of several texts, right-padded to one length.

    Attributes:
        token_ids: int32 (batch, length).
        segment_ids: int32 (batch, length).
        padding_mask: bool (batch, length), True for a real token.
    """

    token_ids: Ints
    segment_ids: Ints
    padding_mask: Bools

    @classmethod
    def from_rows(
        cls,
        rows: list[list[int]],
        segments: list[list[int]] | None = None,
        pad_id: int = 0,
    ) -> Self:
        """Pad rows of ids to the longest of them.

        Args:
            rows: Token ids of each text, at least one each.
            segments: Segment ids of the same shape; zeros where None.
            pad_id: What fills up.
        """
        length = max(map(len, rows))
        shape = (len(rows), length)
        token_ids = np.full(shape, pad_id, "int32")
        segment_ids = np.zeros(shape, "int32")
        padding_mask = np.zeros(shape, "bool")
        for index, row in enumerate(rows):
            token_ids[index, : len(row)] = row
            padding_mask[index, : len(row)] = True
            if segments is not None:
                segment_ids[index, : len(row)] = segments[index]
        return cls(token_ids, segment_ids, padding_mask)


class Engine(Stepper[Any], Protocol):
    """Runs one network. The stepper half is the causal part with a cache."""

    @property
    def name(self) -> str:
        """Name of the engine, e.g. ``keras-tensorflow``."""
        ...

    @property
    def device(self) -> str:
        """Where it runs: ``cpu``, ``gpu:0``."""
        ...

    def read(self, batch: TokenBatch, attention: MaskKind) -> dict[str, Floats]:
        """Return ``hidden`` and every head's outputs, float32.

        Args:
            batch: Texts of at most the network's positions.
            attention: How positions see each other.
        """
        ...

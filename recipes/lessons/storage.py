"""Rows of different lengths in one file, without objects.

Changes when the layout on disk changes.
"""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Ragged:
    """Rows end to end.

    Attributes:
        values: int32 (total, ...).
        starts: int64 (rows + 1,), where each begins; the end last.
    """

    values: Ints
    starts: npt.NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.starts) - 1

    def __getitem__(self, index: int) -> Ints:
        """Return one row."""
        return self.values[self.starts[index] : self.starts[index + 1]]

    @classmethod
    def of(cls, rows: Iterable[Sequence[int] | Ints], width: int = 0) -> "Ragged":
        """Lay rows end to end.

        Args:
            rows: Each (length,), or (length, width).
            width: Of a row's entries; 0 for plain numbers.
        """
        shape = (-1, width) if width else (-1,)
        arrays = [np.asarray(row, "int32").reshape(shape) for row in rows]
        starts = np.cumsum([0, *map(len, arrays)], dtype="int64")
        empty = np.empty((0, width) if width else (0,), "int32")
        return cls(np.concatenate([empty, *arrays]), starts)


def save(path: Path, columns: dict[str, Ragged]) -> None:
    """Write columns of the same number of rows."""
    arrays: dict[str, Any] = {}
    for name, column in columns.items():
        small = (
            column.values.max(initial=0) < 2**16 and column.values.min(initial=0) >= 0
        )
        arrays[f"{name}/values"] = column.values.astype("uint16" if small else "int32")
        arrays[f"{name}/starts"] = column.starts
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **arrays)


def load(path: Path) -> dict[str, Ragged]:
    """Read what ``save`` wrote."""
    with np.load(path, allow_pickle=False) as arrays:
        names = sorted({key.rsplit("/", 1)[0] for key in arrays.files})
        return {
            name: Ragged(
                arrays[f"{name}/values"].astype("int32"), arrays[f"{name}/starts"]
            )
            for name in names
        }


def without(columns: dict[str, Ragged], numbers: Container[int]) -> dict[str, Ragged]:
    """Return the same columns without some rows, by their numbers."""
    return {
        name: Ragged.of(
            (column[n] for n in range(len(column)) if n not in numbers),
            *column.values.shape[1:],
        )
        for name, column in columns.items()
    }

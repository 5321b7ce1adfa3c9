"""One file of named tensors: the interface, and tensors inside a memory-mapped file.

Changes when a new element type is met. Knows no file format and no weight names.
"""

import math
import mmap
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from model_core.checkpoints.errors import CheckpointFormatError

Array = npt.NDArray[Any]

MAX_RANK = 8
_LFS_POINTER = b"version https://git-lfs"

# Element types by name; bfloat16 is read as its bits and widened to float32.
ELEMENTS: dict[str, np.dtype[Any]] = {
    "float64": np.dtype("<f8"),
    "float32": np.dtype("<f4"),
    "float16": np.dtype("<f2"),
    "bfloat16": np.dtype("<u2"),
    "int64": np.dtype("<i8"),
    "int32": np.dtype("<i4"),
    "int16": np.dtype("<i2"),
    "int8": np.dtype("i1"),
    "uint64": np.dtype("<u8"),
    "uint32": np.dtype("<u4"),
    "uint16": np.dtype("<u2"),
    "uint8": np.dtype("u1"),
    "bool": np.dtype("?"),
}


class TensorFile(ABC):
    """Named tensors, read one at a time.

    Args:
        name: The file's name, for messages.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def keys(self) -> tuple[str, ...]:
        """Return the tensors' names in the file's order."""

    @abstractmethod
    def shape(self, name: str) -> tuple[int, ...]:
        """Return one tensor's shape without reading it."""

    @abstractmethod
    def dtype(self, name: str) -> str:
        """Return one tensor's element type as stored, a key of ``ELEMENTS``."""

    @abstractmethod
    def read(self, name: str) -> Array:
        """Return one tensor; bfloat16 becomes float32. May be a read-only view.

        Raises:
            CheckpointFormatError: The file's bytes do not hold the tensor.
        """

    def forget_pages(self) -> None:
        """Give back the memory that reading took; arrays that were read stay valid."""
        return

    def close(self) -> None:
        """Release the file; arrays that were read stay valid."""
        return


@dataclass(frozen=True, slots=True)
class MappedTensor:
    """Where a tensor lies in a file.

    Attributes:
        dtype: A key of ``ELEMENTS``.
        shape: Sizes of its axes.
        offset_bytes: Of its first element, from the file's start.
        strides: Elements between neighbours on each axis; None for row-major.
    """

    dtype: str
    shape: tuple[int, ...]
    offset_bytes: int
    strides: tuple[int, ...] | None = None

    @property
    def element_bytes(self) -> int:
        """Bytes of one element."""
        return ELEMENTS[self.dtype].itemsize

    @property
    def num_elements(self) -> int:
        """Product of the shape."""
        return math.prod(self.shape)

    @property
    def strides_bytes(self) -> tuple[int, ...]:
        """Bytes between neighbours on each axis."""
        strides = self.strides
        if strides is None:
            strides = row_major_strides(self.shape)
        return tuple(step * self.element_bytes for step in strides)


def row_major_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the strides of a contiguous tensor, in elements."""
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))


def check_shape(shape: object, what: str) -> tuple[int, ...]:
    """Return a shape read from a file as a tuple of sizes.

    Raises:
        CheckpointFormatError: Not a short list of integers >= 0.
    """
    sizes = tuple(shape) if isinstance(shape, list | tuple) else None
    if (
        sizes is None
        or len(sizes) > MAX_RANK
        or not all(type(size) is int and size >= 0 for size in sizes)
    ):
        raise CheckpointFormatError(
            f"{what}: the shape must be at most {MAX_RANK} integers >= 0"
        )
    return sizes


def map_file(path: Path) -> mmap.mmap:
    """Map a file into memory, read-only.

    Raises:
        CheckpointFormatError: Unreadable, empty, or a Git LFS pointer.
    """
    try:
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise CheckpointFormatError(
            f"{path.name}: cannot be read as a weight file ({error}); download it again"
        ) from error
    if mapped[: len(_LFS_POINTER)] == _LFS_POINTER:
        raise CheckpointFormatError(
            f"{path.name}: is a Git LFS pointer, not the weights themselves; "
            "fetch the real file with `git lfs pull`"
        )
    return mapped


class MappedTensorFile(TensorFile):
    """Tensors at known places of a mapped file.

    Args:
        name: The file's name, for messages.
        mapped: The file's bytes.
        tensors: Where each tensor lies, already inside the file.

    Raises:
        CheckpointFormatError: A tensor reaches outside the file.
    """

    def __init__(
        self, name: str, mapped: mmap.mmap, tensors: Mapping[str, MappedTensor]
    ) -> None:
        super().__init__(name)
        self._mapped = mapped
        self._bytes = memoryview(mapped)
        self._tensors = dict(tensors)
        for key, tensor in self._tensors.items():
            _check_inside(f"{name}: {key}", tensor, len(mapped))

    def keys(self) -> tuple[str, ...]:
        """Return the tensors' names in the file's order."""
        return tuple(self._tensors)

    def shape(self, name: str) -> tuple[int, ...]:
        """Return one tensor's shape without reading it."""
        return self._tensors[name].shape

    def dtype(self, name: str) -> str:
        """Return one tensor's element type as stored."""
        return self._tensors[name].dtype

    def read(self, name: str) -> Array:
        """Return a read-only view into the file; bfloat16 is copied to float32."""
        tensor = self._tensors[name]
        if not tensor.num_elements:
            return np.zeros(tensor.shape, ELEMENTS[tensor.dtype])
        stored: Array = np.ndarray(
            tensor.shape,
            ELEMENTS[tensor.dtype],
            buffer=self._bytes,
            offset=tensor.offset_bytes,
            strides=tensor.strides_bytes,
        )
        return widened(stored) if tensor.dtype == "bfloat16" else stored

    def forget_pages(self) -> None:
        """Let go of the file's pages in memory; they come back where they are read."""
        if hasattr(mmap, "MADV_DONTNEED"):  # not on Windows
            self._mapped.madvise(mmap.MADV_DONTNEED)

    def close(self) -> None:
        """Let go of the mapping; it ends with the last array that views it.

        Ending it by force would leave those arrays pointing at nothing.
        """
        self._tensors = {}
        self._bytes = memoryview(b"")


def widened(bits: npt.NDArray[np.uint16]) -> npt.NDArray[np.float32]:
    """Return bfloat16 bits as float32: the upper half of the same number."""
    return (bits.astype(np.uint32) << 16).view(np.float32)


def _check_inside(what: str, tensor: MappedTensor, size_bytes: int) -> None:
    if not tensor.num_elements:
        return
    reach = sum(
        (size - 1) * step
        for size, step in zip(tensor.shape, tensor.strides_bytes, strict=True)
    )
    end = tensor.offset_bytes + reach + tensor.element_bytes
    whole = tensor.num_elements * tensor.element_bytes
    if tensor.offset_bytes < 0 or end > size_bytes or whole > size_bytes:
        raise CheckpointFormatError(
            f"{what}: a tensor of shape {tensor.shape} needs bytes up to {end}, the "
            f"file has {size_bytes}: it is truncated or damaged, download it again"
        )

"""Named tensors written as safetensors, in one file or in shards with an index.

Changes when what we write of that format does. Knows no weight names: tensors are made
one at a time, when it is their turn, so that no second copy of the whole exists.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from model_core.checkpoints.errors import CheckpointMismatchError, NumberTooLargeError
from model_core.checkpoints.safetensors_file import DTYPES, LENGTH_BYTES, METADATA
from model_core.checkpoints.tensor_file import ELEMENTS, Array

WHOLE_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"
ALIGNMENT_BYTES = 8
_CODES = {dtype: code for code, dtype in DTYPES.items()}


@dataclass(frozen=True, slots=True)
class NewTensor:
    """A tensor that will be written.

    Attributes:
        name: In the file.
        shape: In the file.
        make: Returns its numbers, asked once.
    """

    name: str
    shape: tuple[int, ...]
    make: Callable[[], Array]

    def size_bytes(self, dtype: str) -> int:
        """Return what it takes in the file."""
        return int(np.prod(self.shape, dtype=np.int64)) * ELEMENTS[dtype].itemsize


def _as_bfloat16_bits(array: Array) -> Array:
    """Round float32 to bfloat16, to nearest even, and return the bits."""
    bits = np.ascontiguousarray(array, "<f4").view("<u4")
    rounded = bits + 0x7FFF + ((bits >> 16) & 1)
    upper: Array = (rounded >> 16).astype("<u2")
    return upper


STORED: Mapping[str, Callable[[Array], Array]] = {
    "float32": lambda array: np.ascontiguousarray(array, "<f4"),
    "float16": lambda array: np.ascontiguousarray(array, "<f2"),
    "bfloat16": _as_bfloat16_bits,
}
"""How numbers become what lies in a file, by element type."""

_LARGEST: Mapping[str, float] = {
    "float32": float(np.finfo(np.float32).max),
    "float16": float(np.finfo(np.float16).max),
    "bfloat16": float(np.uint32(0x7F7F0000).view(np.float32)),
}


def write_safetensors(
    folder: Path,
    tensors: Sequence[NewTensor],
    *,
    dtype: str,
    max_shard_bytes: int | None = None,
    origin: str = "pt",
) -> tuple[Path, ...]:
    """Write tensors in the order of their names, each file replaced as a whole.

    Args:
        folder: Exists.
        tensors: Every one has a name of its own.
        dtype: A key of ``STORED``, for every tensor.
        max_shard_bytes: Cut into shards with an index where the tensors need more.
        origin: What the file says of its layout; transformers asks for ``pt``.

    Returns:
        The files written, the index last.

    Raises:
        NumberTooLargeError: A number is not finite in ``dtype``.
    """
    ordered = sorted(tensors, key=lambda tensor: tensor.name)
    shards = _shards(ordered, dtype, max_shard_bytes)
    if len(shards) == 1:
        path = folder / WHOLE_FILE
        _write_tensors(path, shards[0], dtype, origin)
        return (path,)
    weight_map: dict[str, str] = {}
    paths = []
    for number, shard in enumerate(shards, start=1):
        path = folder / f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        _write_tensors(path, shard, dtype, origin)
        weight_map |= {tensor.name: path.name for tensor in shard}
        paths.append(path)
    total = sum(tensor.size_bytes(dtype) for tensor in tensors)
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    with replaced(folder / INDEX_FILE) as file:
        file.write(json.dumps(index, indent=1).encode())
    return (*paths, folder / INDEX_FILE)


def check_dtype(dtype: str) -> None:
    """Refuse an element type that is not written here.

    Raises:
        CheckpointMismatchError: With those that are.
    """
    if dtype not in STORED:
        raise CheckpointMismatchError(
            f"dtype must be one of {sorted(STORED)}, received {dtype!r}"
        )


@contextmanager
def replaced(path: Path) -> Iterator[IO[bytes]]:
    """Write beside a file and put it in place when all of it is there."""
    fresh = path.with_name(path.name + ".new")
    try:
        with fresh.open("wb") as file:
            yield file
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _shards(
    tensors: Sequence[NewTensor], dtype: str, max_bytes: int | None
) -> list[list[NewTensor]]:
    """Group tensors in order so that each group stays within the limit."""
    shards: list[list[NewTensor]] = [[]]
    size_bytes = 0
    for tensor in tensors:
        tensor_bytes = tensor.size_bytes(dtype)
        if (
            shards[-1]
            and max_bytes is not None
            and size_bytes + tensor_bytes > max_bytes
        ):
            shards.append([])
            size_bytes = 0
        shards[-1].append(tensor)
        size_bytes += tensor_bytes
    return shards


def _write_tensors(
    path: Path, tensors: Sequence[NewTensor], dtype: str, origin: str
) -> None:
    header: dict[str, Any] = {METADATA: {"format": origin}}
    position = 0
    for tensor in tensors:
        end = position + tensor.size_bytes(dtype)
        header[tensor.name] = {
            "dtype": _CODES[dtype],
            "shape": list(tensor.shape),
            "data_offsets": [position, end],
        }
        position = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % ALIGNMENT_BYTES)
    with replaced(path) as file:
        file.write(len(text).to_bytes(LENGTH_BYTES, "little"))
        file.write(text)
        for tensor in tensors:
            file.write(_stored(tensor, dtype).data)


def _stored(tensor: NewTensor, dtype: str) -> Array:
    array = tensor.make()
    if array.shape != tensor.shape:
        raise CheckpointMismatchError(
            f"{tensor.name}: expected shape {tensor.shape}, got {array.shape}"
        )
    # a NaN makes both of them one, and is no smaller than any number
    low, high = (float(f(array)) if array.size else 0.0 for f in (np.min, np.max))
    if not (low >= -_LARGEST[dtype] and high <= _LARGEST[dtype]):
        raise NumberTooLargeError(tensor.name, dtype)
    return STORED[dtype](array)

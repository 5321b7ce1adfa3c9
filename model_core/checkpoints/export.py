"""Write our own weights as safetensors with their config.

Changes when our file layout does. Knows no framework: numbers come as numpy arrays.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from model_core.checkpoints.errors import CheckpointMismatchError
from model_core.checkpoints.safetensors_file import DTYPES, LENGTH_BYTES
from model_core.checkpoints.tensor_file import ELEMENTS, Array
from model_core.checkpoints.weight_shapes import expected_shapes
from model_core.config import TransformerConfig

MODEL_TYPE = "maskplay"
ALIGNMENT_BYTES = 8
_CODES = {dtype: code for code, dtype in DTYPES.items()}


def _as_bfloat16_bits(array: Array) -> Array:
    """Round float32 to bfloat16, to nearest even, and return the bits."""
    bits = np.ascontiguousarray(array, "<f4").view("<u4")
    rounded = bits + 0x7FFF + ((bits >> 16) & 1)
    upper: Array = (rounded >> 16).astype("<u2")
    return upper


_STORED: Mapping[str, Callable[[Array], Array]] = {
    "float32": lambda array: np.ascontiguousarray(array, "<f4"),
    "float16": lambda array: np.ascontiguousarray(array, "<f2"),
    "bfloat16": _as_bfloat16_bits,
}

_LARGEST: Mapping[str, float] = {
    "float32": float(np.finfo(np.float32).max),
    "float16": float(np.finfo(np.float16).max),
    "bfloat16": float(np.uint32(0x7F7F0000).view(np.float32)),
}


def export_weights(
    weights: Mapping[str, Array],
    config: TransformerConfig,
    folder: Path,
    *,
    heads: tuple[str, ...] = ("language_model",),
    dtype: str = "float16",
    max_shard_bytes: int | None = None,
    facts: Mapping[str, Any] | None = None,
) -> tuple[Path, ...]:
    """Write config.json and model.safetensors, each replaced as a whole.

    Args:
        weights: Every weight of the network by its name in ``weights_by_name``.
        config: The body.
        folder: Made where it does not exist.
        heads: Heads whose weights are given.
        dtype: float32, float16 or bfloat16, for every tensor.
        max_shard_bytes: Cut into shards with an index where the tensors need more.
        facts: More JSON values for config.json.

    Returns:
        The files written.

    Raises:
        CheckpointMismatchError: A weight is missing, too many, of another shape, or
            not finite in ``dtype``.
    """
    if dtype not in _STORED:
        raise CheckpointMismatchError(
            f"dtype must be one of {sorted(_STORED)}, received {dtype!r}"
        )
    _check_complete(weights, config, heads)
    folder.mkdir(parents=True, exist_ok=True)
    shards = _shards(weights, dtype, max_shard_bytes)
    paths = _write_shards(folder, shards, weights, dtype)
    _remove_others(folder, paths)
    values = {"model_type": MODEL_TYPE, **config.to_dict(), **(facts or {})}
    text = json.dumps(values, ensure_ascii=False, indent=2) + "\n"
    with _replaced(folder / "config.json") as file:
        file.write(text.encode())
    return (folder / "config.json", *paths)


def _check_complete(
    weights: Mapping[str, Array], config: TransformerConfig, heads: tuple[str, ...]
) -> None:
    expected = expected_shapes(config, heads)
    received = {name: tuple(array.shape) for name, array in weights.items()}
    if received != expected:
        wrong = sorted(
            name
            for name in expected.keys() | received.keys()
            if expected.get(name) != received.get(name)
        )
        raise CheckpointMismatchError(
            f"weights that are missing, too many or of another shape: {wrong}"
        )


def _shards(
    weights: Mapping[str, Array], dtype: str, max_bytes: int | None
) -> list[list[str]]:
    """Group names in order so that each group stays within the limit."""
    shards: list[list[str]] = [[]]
    size_bytes = 0
    for name in sorted(weights):
        tensor_bytes = weights[name].size * ELEMENTS[dtype].itemsize
        if (
            shards[-1]
            and max_bytes is not None
            and size_bytes + tensor_bytes > max_bytes
        ):
            shards.append([])
            size_bytes = 0
        shards[-1].append(name)
        size_bytes += tensor_bytes
    return shards


def _write_shards(
    folder: Path, shards: list[list[str]], weights: Mapping[str, Array], dtype: str
) -> tuple[Path, ...]:
    if len(shards) == 1:
        path = folder / "model.safetensors"
        _write_tensors(path, shards[0], weights, dtype)
        return (path,)
    weight_map: dict[str, str] = {}
    paths = []
    for number, names in enumerate(shards, start=1):
        path = folder / f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        _write_tensors(path, names, weights, dtype)
        weight_map |= dict.fromkeys(names, path.name)
        paths.append(path)
    index = folder / "model.safetensors.index.json"
    with _replaced(index) as file:
        file.write(json.dumps({"weight_map": weight_map}, indent=1).encode())
    return (*paths, index)


def _write_tensors(
    path: Path, names: list[str], weights: Mapping[str, Array], dtype: str
) -> None:
    header: dict[str, Any] = {"__metadata__": {"format": MODEL_TYPE}}
    position = 0
    for name in names:
        end = position + weights[name].size * ELEMENTS[dtype].itemsize
        header[name] = {
            "dtype": _CODES[dtype],
            "shape": list(weights[name].shape),
            "data_offsets": [position, end],
        }
        position = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % ALIGNMENT_BYTES)
    with _replaced(path) as file:
        file.write(len(text).to_bytes(LENGTH_BYTES, "little"))
        file.write(text)
        for name in names:
            file.write(_stored(name, weights[name], dtype).tobytes())


def _stored(name: str, array: Array, dtype: str) -> Array:
    if not np.isfinite(array).all() or np.abs(array).max(initial=0) > _LARGEST[dtype]:
        raise CheckpointMismatchError(f"{name}: holds numbers that {dtype} cannot hold")
    return _STORED[dtype](array)


@contextmanager
def _replaced(path: Path) -> Iterator[IO[bytes]]:
    """Write beside the file and put it in place when all of it is there."""
    fresh = path.with_name(path.name + ".new")
    try:
        with fresh.open("wb") as file:
            yield file
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _remove_others(folder: Path, paths: tuple[Path, ...]) -> None:
    """An older export in other shards must not be read in place of this one."""
    for path in folder.glob("model*.safetensors*"):
        if path not in paths:
            path.unlink()

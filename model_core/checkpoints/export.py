"""Write our own weights as safetensors with their config.

Changes when our file layout does. Knows no framework: numbers come as numpy arrays.
"""

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from model_core.checkpoints.errors import CheckpointMismatchError
from model_core.checkpoints.safetensors_writing import (
    NewTensor,
    check_dtype,
    replaced,
    write_safetensors,
)
from model_core.checkpoints.tensor_file import Array
from model_core.checkpoints.weight_shapes import expected_shapes
from model_core.config import TransformerConfig

MODEL_TYPE = "maskplay"


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
    check_dtype(dtype)
    _check_complete(weights, config, heads)
    folder.mkdir(parents=True, exist_ok=True)
    tensors = [
        NewTensor(name, array.shape, partial(_itself, array))
        for name, array in weights.items()
    ]
    paths = write_safetensors(
        folder,
        tensors,
        dtype=dtype,
        max_shard_bytes=max_shard_bytes,
        origin=MODEL_TYPE,
    )
    _remove_others(folder, paths)
    values = {"model_type": MODEL_TYPE, **config.to_dict(), **(facts or {})}
    write_config(folder, values)
    return (folder / "config.json", *paths)


def write_config(folder: Path, values: Mapping[str, Any]) -> None:
    """Write config.json, replaced as a whole."""
    text = json.dumps(values, ensure_ascii=False, indent=2) + "\n"
    with replaced(folder / "config.json") as file:
        file.write(text.encode())


def _itself(array: Array) -> Array:
    return array


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


def _remove_others(folder: Path, paths: tuple[Path, ...]) -> None:
    """An older export in other shards must not be read in place of this one."""
    for path in folder.glob("model*.safetensors*"):
        if path not in paths:
            path.unlink()

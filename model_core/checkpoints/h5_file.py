"""tf_model.h5: Keras's HDF5 layout, one group per layer, read with h5py.

Changes when Keras's layout does. Knows no weight names.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from model_core.checkpoints.errors import CheckpointFormatError
from model_core.checkpoints.tensor_file import (
    ELEMENTS,
    Array,
    TensorFile,
    check_shape,
    map_file,
)

TOP_LEVEL = "top_level_model_weights"
# What h5py raises when a file lies.
_H5_ERRORS = (OSError, KeyError, RuntimeError, ValueError, TypeError, AttributeError)


def open_h5(path: Path) -> "H5File":
    """Open the weights that Keras's ``save_weights`` wrote as HDF5.

    Raises:
        CheckpointFormatError: Truncated, or not Keras's layout.
    """
    map_file(path).close()
    try:
        return H5File(path)
    except CheckpointFormatError:
        raise
    except _H5_ERRORS as error:
        raise CheckpointFormatError(
            f"{path.name}: is truncated, damaged or not Keras's HDF5 layout "
            f"({error}); download it again"
        ) from error


class H5File(TensorFile):
    """Tensors by Keras's weight names, e.g. ``model/bert/pooler/dense/kernel:0``.

    Layers that share a weight each write a copy of it, such as an output head and the
    token embedding that it is tied to: copies must hold the same numbers.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path.name)
        self._file = h5py.File(path, "r")
        self._datasets: dict[str, Any] = {}
        self._copies: dict[str, list[Any]] = {}
        try:
            for weight, dataset in _weights(self._file):
                _check_dataset(dataset, f"{self.name}: {weight}")
                self._add(weight, dataset)
        except Exception:
            self.close()
            raise

    def _add(self, weight: str, dataset: Any) -> None:
        first = self._datasets.setdefault(weight, dataset)
        if first is dataset:
            return
        if (first.shape, first.dtype) != (dataset.shape, dataset.dtype):
            raise CheckpointFormatError(
                f"{self.name}: {weight} stands twice, as {first.shape} and as "
                f"{dataset.shape}"
            )
        self._copies.setdefault(weight, []).append(dataset)

    def keys(self) -> tuple[str, ...]:
        """Return the weights' names in the order of the layers."""
        return tuple(self._datasets)

    def shape(self, name: str) -> tuple[int, ...]:
        """Return one tensor's shape without reading it."""
        return check_shape(self._datasets[name].shape, name)

    def dtype(self, name: str) -> str:
        """Return one tensor's element type as stored."""
        return str(self._datasets[name].dtype.name)

    def read(self, name: str) -> Array:
        """Read one tensor.

        Raises:
            CheckpointFormatError: Unreadable, or copies of it differ.
        """
        values = self._read(self._datasets[name], name)
        for copy in self._copies.get(name, ()):
            if values.tobytes() != self._read(copy, name).tobytes():
                raise CheckpointFormatError(
                    f"{self.name}: {name} stands twice with different numbers; "
                    "download it again"
                )
        return values

    def _read(self, dataset: Any, name: str) -> Array:
        try:
            return np.asarray(dataset[()])
        except _H5_ERRORS as error:
            raise CheckpointFormatError(
                f"{self.name}: {name} cannot be read ({error}); download it again"
            ) from error

    def close(self) -> None:
        """Close the file."""
        self._datasets, self._copies = {}, {}
        self._file.close()


def _weights(file: Any) -> Iterator[tuple[str, Any]]:
    root = _member(file, "model_weights") if "model_weights" in file else file
    layers = _names(root, "layer_names")
    # what belongs to the model and to none of its layers
    layers += [TOP_LEVEL] if TOP_LEVEL in root and TOP_LEVEL not in layers else []
    for layer in layers:
        group = _member(root, layer)
        names = _names(group, "weight_names")
        if len(set(names)) < len(names):
            raise CheckpointFormatError(f"{layer}: a weight's name stands twice")
        for weight in names:
            yield weight, _member(group, weight)


def _names(group: Any, attribute: str) -> list[str]:
    """Read a list of names, which Keras cuts in pieces above 64 KiB."""
    if attribute in group.attrs:
        return _texts(group.attrs[attribute])
    pieces: list[str] = []
    number = 0
    while f"{attribute}{number}" in group.attrs:
        pieces += _texts(group.attrs[f"{attribute}{number}"])
        number += 1
    if not number:
        raise CheckpointFormatError(
            f"{group.name}: has no attribute {attribute}: not Keras's HDF5 layout"
        )
    return pieces


def _texts(values: Any) -> list[str]:
    return [v.decode() if isinstance(v, bytes) else str(v) for v in values]


def _member(group: Any, path: str) -> Any:
    """Walk hard links only: a soft or external link may point to another file."""
    node = group
    for part in path.split("/"):
        if not isinstance(node.get(part, getlink=True), h5py.HardLink):
            raise CheckpointFormatError(f"{path}: {part} is missing, or a link")
        node = node[part]
    return node


def _check_dataset(dataset: Any, what: str) -> None:
    """A dataset lies whole in this file, uncompressed: no claim beyond its bytes."""
    if not isinstance(dataset, h5py.Dataset):
        raise CheckpointFormatError(f"{what}: expected a dataset")
    if dataset.dtype.name not in ELEMENTS or dataset.dtype.byteorder == ">":
        raise CheckpointFormatError(
            f"{what}: element type {dataset.dtype} is not one of {sorted(ELEMENTS)}"
        )
    check_shape(dataset.shape, what)
    stored_bytes = dataset.id.get_storage_size()
    if dataset.is_virtual or dataset.external or stored_bytes < dataset.nbytes:
        raise CheckpointFormatError(
            f"{what}: claims {dataset.nbytes} bytes, the file holds {stored_bytes} of "
            "them: damaged, compressed or kept elsewhere"
        )

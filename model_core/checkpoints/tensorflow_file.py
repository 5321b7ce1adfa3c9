"""Original TensorFlow checkpoints: PREFIX.index and PREFIX.data-00000-of-00001.

Changes when tensorflow's reader does. Imports tensorflow only when such a file is
opened. Knows no weight names beyond those of optimisers.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np

from model_core.checkpoints.errors import CheckpointFormatError
from model_core.checkpoints.tensor_file import (
    ELEMENTS,
    Array,
    TensorFile,
    check_shape,
)

# Last parts of names that training leaves behind: optimiser slots and counters.
TRAINING_STATE = frozenset(
    {
        "adam_m",
        "adam_v",
        "Adam",
        "Adam_1",
        "adafactor_m",
        "adafactor_v",
        "adafactor_vc",
        "adafactor_vr",
        "lamb_m",
        "lamb_v",
        "beta1_power",
        "beta2_power",
        "global_step",
        "_CHECKPOINTABLE_OBJECT_GRAPH",
        "bad_steps",
        "good_steps",
        "loss_scale",
    }
)
SLOTS = ("_slot_m", "_slot_v", "_slot_vc", "_slot_vr")
"""What Mesh TensorFlow appends to the names of what its optimiser keeps."""


def open_tensorflow(index: Path) -> "TensorFlowFile":
    """Open the checkpoint whose index file this is.

    Raises:
        CheckpointFormatError: Truncated, or its data files are missing.
    """
    prefix = index.with_suffix("")
    data = sorted(index.parent.glob(f"{_escaped(prefix.name)}.data-*-of-*"))
    if not data:
        raise CheckpointFormatError(
            f"{index.name}: its data is missing; expected "
            f"{prefix.name}.data-00000-of-00001 beside it"
        )
    return TensorFlowFile(prefix, sum(path.stat().st_size for path in data))


class TensorFlowFile(TensorFile):
    """Variables by their graph names, without what an optimiser left.

    Args:
        prefix: Path of the checkpoint without ``.index``.
        data_bytes: Size of its data files.
    """

    def __init__(self, prefix: Path, data_bytes: int) -> None:
        super().__init__(f"{prefix.name}.index")
        try:
            self._reader = _load(str(prefix))
            shapes: dict[str, list[int]] = self._reader.get_variable_to_shape_map()
            self._dtypes = self._reader.get_variable_to_dtype_map()
        except Exception as error:
            raise self._damaged(error) from error
        self._shapes = {
            name: tuple(shapes[name])
            for name in sorted(shapes)
            if not _is_of_training(name)
        }
        self._check_types()
        self._check_sizes(data_bytes)

    def keys(self) -> tuple[str, ...]:
        """Return the variables' names, sorted."""
        return tuple(self._shapes)

    def shape(self, name: str) -> tuple[int, ...]:
        """Return one variable's shape without reading it."""
        return self._shapes[name]

    def dtype(self, name: str) -> str:
        """Return one variable's element type as stored."""
        return str(self._dtypes[name].name)

    def read(self, name: str) -> Array:
        """Read one variable; bfloat16 becomes float32."""
        try:
            value = np.asarray(self._reader.get_tensor(name))
        except Exception as error:
            raise self._damaged(error) from error
        return value.astype(np.float32) if self.dtype(name) == "bfloat16" else value

    def _check_types(self) -> None:
        for name in self._shapes:
            if self.dtype(name) not in ELEMENTS:
                raise CheckpointFormatError(
                    f"{self.name}: {name} has element type {self.dtype(name)}, "
                    f"accepted are {sorted(ELEMENTS)}"
                )

    def _check_sizes(self, data_bytes: int) -> None:
        """No claim beyond the bytes that are here: reading would fill the memory."""
        for name, shape in self._shapes.items():
            check_shape(shape, f"{self.name}: {name}")
            claimed = math.prod(shape) * ELEMENTS[self.dtype(name)].itemsize
            if claimed > data_bytes:
                raise CheckpointFormatError(
                    f"{self.name}: {name} of shape {shape} needs {claimed} bytes, its "
                    f"data has {data_bytes}: truncated or damaged, download it again"
                )

    def _damaged(self, error: Exception) -> CheckpointFormatError:
        return CheckpointFormatError(
            f"{self.name}: is truncated or damaged ({str(error)[:200]}); "
            "download it again"
        )


def _is_of_training(name: str) -> bool:
    last = name.rpartition("/")[2]
    return last in TRAINING_STATE or last.endswith(SLOTS)


def _load(prefix: str) -> Any:
    try:
        from tensorflow.train import load_checkpoint  # noqa: PLC0415
    except ImportError as error:
        raise CheckpointFormatError(
            "an original TensorFlow checkpoint needs tensorflow to be read: "
            "`pip install tensorflow`, or use the safetensors of the same model"
        ) from error
    return load_checkpoint(prefix)


def _escaped(name: str) -> str:
    """A glob pattern that matches the name itself."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)

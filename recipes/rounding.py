"""A checkpoint's kernels in one byte a number: nearly half the file.

Changes when shipped weights are rounded otherwise.
"""

from pathlib import Path

import numpy as np

from model_core.checkpoints.reader import open_checkpoint
from model_core.checkpoints.safetensors_writing import WHOLE_FILE, replaced
from model_core.checkpoints.steps import MATRIX, TABLE, in_steps
from model_core.checkpoints.tensor_file import Array
from recipes.own_weights import check_writer

REST_DTYPE = "float16"


def round_weights(folder: Path) -> Path:
    """Replace a checkpoint's file by one whose kernels are int8 steps.

    Tables stay float16: the kernels round none, and what is read off them is all that
    a network knows of its tokens.

    Args:
        folder: Holds ``model.safetensors``, in whatever numbers.

    Returns:
        The file.

    Raises:
        ImportError: See ``own_weights.check_writer``.
    """
    check_writer()
    from safetensors.numpy import save

    tensors: dict[str, Array] = {}
    with open_checkpoint(folder) as reader:
        for name in reader.keys():  # noqa: SIM118 - not a mapping
            array = np.array(reader.read(name), "float32")
            if array.ndim < MATRIX or name.endswith(TABLE):
                tensors[name] = array.astype(REST_DTYPE)
            else:
                tensors |= in_steps(name, array)
    path = folder / WHOLE_FILE
    with replaced(path) as file:
        file.write(save(tensors, metadata={"format": "maskplay"}))
    return path

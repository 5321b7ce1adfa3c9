"""Whether a tensor's numbers can be weights: one cheap look at each as it is read.

Changes when another kind of number is known to be damage. Knows no file and no name.
"""

import numpy as np

from model_core.checkpoints.errors import CheckpointFormatError
from model_core.checkpoints.tensor_file import Array


def check_finite(array: Array, what: str) -> None:
    """Raise where a floating-point tensor holds NaN or an infinity.

    A sum tells: it is finite only where every number is. One that only grew too large
    is told apart by looking at each.

    Args:
        array: Of any type and shape; other types than floating point are all finite.
        what: File and tensor, for the message.

    Raises:
        CheckpointFormatError: Naming the tensor, and how many of its numbers are none.
    """
    if array.dtype.kind != "f":
        return
    with np.errstate(all="ignore"):
        total = np.sum(array, dtype=np.promote_types(array.dtype, np.float32))
    if np.isfinite(total):
        return
    broken = int(array.size - np.count_nonzero(np.isfinite(array)))
    if broken:
        raise CheckpointFormatError(
            f"{what} holds {broken} numbers that are NaN or infinite, of {array.size}: "
            "the file is damaged or its training went wrong; choose other weights"
        )

"""Rotary positions. Knows no attention: rotates what it is given."""

from typing import Any

import numpy as np
from keras import ops


def rotary_angles(positions: Any, head_size: int, base: float) -> tuple[Any, Any]:
    """Return cosine and sine of each position's angles (arXiv 2104.09864).

    Args:
        positions: int (batch, length).
        head_size: Even width of one head.
        base: Base of the wavelengths.

    Returns:
        Two float32 tensors (batch, 1, length, head_size / 2).
    """
    exponent = np.arange(0, head_size, 2, dtype="float32") / head_size
    frequency = ops.convert_to_tensor(base**-exponent, dtype="float32")
    angle = ops.cast(positions, "float32")[:, None, :, None] * frequency
    return ops.cos(angle), ops.sin(angle)


def rotate(heads: Any, angles: tuple[Any, Any]) -> Any:
    """Turn the two halves of every head by its position's angles.

    Args:
        heads: (batch, num_heads, length, head_size).
        angles: What ``rotary_angles`` returned.

    Returns:
        The same shape and dtype.
    """
    cosine, sine = (ops.cast(angle, heads.dtype) for angle in angles)
    first, second = ops.split(heads, 2, axis=-1)
    return ops.concatenate(
        [first * cosine - second * sine, second * cosine + first * sine], axis=-1
    )

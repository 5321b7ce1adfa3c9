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


def rotate(heads: Any, angles: tuple[Any, Any], style: str = "halves") -> Any:
    """Turn every head by its position's angles, two numbers at a time.

    Args:
        heads: (batch, num_heads, length, head_size).
        angles: What ``rotary_angles`` returned.
        style: ``halves``: a number of the first half and the one at the same place of
            the second turn together; ``neighbours``: two that stand side by side.

    Returns:
        The same shape and dtype.
    """
    cosine, sine = (ops.cast(angle, heads.dtype) for angle in angles)
    if style == "neighbours":
        first, second = heads[..., 0::2], heads[..., 1::2]
    else:
        first, second = ops.split(heads, 2, axis=-1)
    turned = (first * cosine - second * sine, second * cosine + first * sine)
    if style == "halves":
        return ops.concatenate(turned, axis=-1)
    return ops.reshape(ops.stack(turned, axis=-1), ops.shape(heads))

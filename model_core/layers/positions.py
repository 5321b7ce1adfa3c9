"""What positions say to the attention of a pass. Knows no layer and no weight.

Changes when another kind of positions is added to scores.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from keras import ops


class PositionTerms(NamedTuple):
    """Terms of one pass, the same in every block; None where a kind has none.

    Attributes:
        angles: Cosine and sine that turn queries and keys; see ``rotary``.
        bias: float32 (1 or batch, num_heads, query, key), added to scores (T5).
        relations: (1 or batch, query, key, head_size), added to every pair's key and
            value (NEZHA).
        transfer: See ``TransferTerms`` (XLNet).
    """

    angles: tuple[Any, Any] | None = None
    bias: Any = None
    relations: Any = None
    transfer: "TransferTerms | None" = None


class TransferTerms(NamedTuple):
    """What XLNet's attention scores besides keys.

    Attributes:
        sinusoids: float32 (num_distances, hidden_size), one row per distance.
        rows: int (1 or batch, query, key), the row of a pair's distance.
        apart: bool (batch, query, key), True where the segments differ; or None.
    """

    sinusoids: Any
    rows: Any
    apart: Any


NO_TERMS = PositionTerms()


def distances(query_positions: Any, key_positions: Any) -> Any:
    """Return key minus query, int (batch, query, key).

    Args:
        query_positions: int (batch, query).
        key_positions: int (1 or batch, key).
    """
    return key_positions[:, None, :] - query_positions[:, :, None]


def sinusoids(positions: Any, width: int, *, interleaved: bool = False) -> Any:
    """Return sine and cosine of every position (arXiv 1706.03762, section 3.5).

    Args:
        positions: (...,), numbers.
        width: Even.
        interleaved: Sine and cosine by turns (the paper, NEZHA); else first all sines,
            then all cosines (Pegasus, XLNet).

    Returns:
        float32 (..., width).
    """
    exponent = np.arange(0, width, 2, dtype="float32") / width
    frequency = ops.convert_to_tensor(
        np.float32(10_000.0) ** -exponent, dtype="float32"
    )
    angle = ops.cast(positions, "float32")[..., None] * frequency
    waves = (ops.sin(angle), ops.cos(angle))
    if not interleaved:
        return ops.concatenate(waves, axis=-1)
    shape = (*ops.shape(angle)[:-1], width)
    return ops.reshape(ops.stack(waves, axis=-1), shape)


def relation_sinusoids(apart: Any, farthest: int, width: int) -> Any:
    """Return NEZHA's vector of each clipped distance (arXiv 1909.00204).

    Args:
        apart: int (batch, query, key), key minus query.
        farthest: Distances beyond it count as it.
        width: Of a head.

    Returns:
        float32 (batch, query, key, width).
    """
    clipped = ops.clip(apart, -farthest, farthest) + farthest
    return sinusoids(clipped, width, interleaved=True)


def bucket_of(apart: Any, num_buckets: int, farthest: int, *, causal: bool) -> Any:
    """Return T5's bucket of each distance (arXiv 1910.10683, section 2.1).

    Near distances have a bucket each, far ones share logarithmically growing ones.

    Args:
        apart: int (batch, query, key), key minus query.
        num_buckets: Of both directions together.
        farthest: Distances from here on share the last bucket.
        causal: Keys behind the query share the first bucket; else both directions
            have half of the buckets.

    Returns:
        int32 of the same shape.
    """
    first: Any = 0
    if causal:
        far = ops.maximum(-apart, 0)
    else:
        num_buckets //= 2
        first = ops.cast(apart > 0, "int32") * num_buckets
        far = ops.abs(apart)
    near = num_buckets // 2
    growth = (num_buckets - near) / math.log(farthest / near)
    ratio = ops.cast(ops.maximum(far, 1), "float32") / near
    shared = near + ops.cast(ops.log(ratio) * growth, "int32")
    shared = ops.minimum(shared, num_buckets - 1)
    return first + ops.where(far < near, ops.cast(far, "int32"), shared)

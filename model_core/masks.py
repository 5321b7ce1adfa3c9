"""Attention masks: the one place where a task becomes a network.

Every mask is boolean with shape (batch, query, key), or broadcasts to it; True means
"may attend". Rows are queries, columns are keys. After 苏剑林, kexue.fm/archives/6933.
"""

from collections.abc import Callable
from typing import Any, Literal

from keras import ops

Tensor = Any  # keras.ops accepts every backend's tensor type
MaskKind = Literal["bidirectional", "causal", "prefix_lm"]


def bidirectional(token_ids: Tensor) -> Tensor:
    """Every position sees every position: MLM, spans, classification.

        query 0  1 1 1
        query 1  1 1 1
        query 2  1 1 1

    Args:
        token_ids: int (batch, length), for its shape only.

    Returns:
        bool (1, length, length).
    """
    length = ops.shape(token_ids)[1]
    return ops.ones((1, length, length), dtype="bool")


def causal(length: Any) -> Tensor:
    """Each position sees itself and the past.

        query 0  1 0 0
        query 1  1 1 0
        query 2  1 1 1

    Args:
        length: Number of positions.

    Returns:
        bool (1, length, length).
    """
    position = ops.arange(length)
    return (position[None, :] <= position[:, None])[None]


def prefix_lm(segment_ids: Tensor) -> Tensor:
    """Segment 0 sees all of itself; segment 1 is causal and sees segment 0.

    For segment_ids [0, 0, 1, 1] (source of two tokens, target of two):

        query 0  1 1 0 0
        query 1  1 1 0 0
        query 2  1 1 1 0
        query 3  1 1 1 1

    Known as UniLM's sequence-to-sequence mask (arXiv 1905.03197).

    Args:
        segment_ids: int (batch, length), zeros for the source, then ones.

    Returns:
        bool (batch, length, length).
    """
    step = ops.cumsum(ops.cast(segment_ids, "int32"), axis=1)
    return step[:, None, :] <= step[:, :, None]


def padding(valid: Tensor) -> Tensor:
    """No query sees a padded key.

    For valid [1, 1, 0]:

        any query  1 1 0

    Args:
        valid: bool or int (batch, length), True for a real token.

    Returns:
        bool (batch, 1, length).
    """
    return ops.cast(valid, "bool")[:, None, :]


def same_document(document_ids: Tensor) -> Tensor:
    """Texts packed into one row do not see each other.

    For document_ids [7, 7, 8]:

        query 0  1 1 0
        query 1  1 1 0
        query 2  0 0 1

    Args:
        document_ids: int (batch, length).

    Returns:
        bool (batch, length, length).
    """
    return ops.equal(document_ids[:, None, :], document_ids[:, :, None])


def cached(positions: Tensor, capacity: int) -> Tensor:
    """One new query per row over a preallocated cache: it sees keys up to itself.

    For positions [1, 3] and capacity 4:

        row 0  1 1 0 0
        row 1  1 1 1 1

    Args:
        positions: int (batch,), index of each row's new token.
        capacity: Length of the cache.

    Returns:
        bool (batch, 1, capacity).
    """
    slots = ops.arange(capacity, dtype="int32")[None, :]
    return ops.less_equal(slots, ops.expand_dims(positions, 1))[:, None, :]


def combine(first: Tensor, *others: Tensor) -> Tensor:
    """Allow what every mask allows."""
    allowed = first
    for mask in others:
        allowed = ops.logical_and(allowed, mask)
    return allowed


# How a part reads its input: from (token_ids, segment_ids) to a mask.
MASKS: dict[MaskKind, Callable[[Tensor, Tensor], Tensor]] = {
    "bidirectional": lambda token_ids, _: bidirectional(token_ids),
    "causal": lambda token_ids, _: causal(ops.shape(token_ids)[1]),
    "prefix_lm": lambda _, segment_ids: prefix_lm(segment_ids),
}

"""How fresh kernels start. A network that will be filled from a file starts undefined.

Changes when fresh weights begin in another way.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import keras

from model_core.layers.handover import Unfilled

_is_unfilled: ContextVar[bool] = ContextVar("is_unfilled", default=False)


def kernel_initializer(initializer_range: float) -> keras.initializers.Initializer:
    """Return BERT's truncated normal, or zeros for a range of 0."""
    if _is_unfilled.get():
        return Unfilled()
    if initializer_range == 0:
        return keras.initializers.Zeros()
    return keras.initializers.TruncatedNormal(stddev=initializer_range)


@contextmanager
def unfilled() -> Iterator[None]:
    """Let kernels that are made in the block start with undefined numbers.

    Drawing random numbers for every weight, or writing zeros, takes longer than
    reading a checkpoint, only to be written over. Whoever uses this has to fill every
    weight.
    """
    token = _is_unfilled.set(True)
    try:
        yield
    finally:
        _is_unfilled.reset(token)

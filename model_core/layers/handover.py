"""Memory that a backend takes over instead of copying it; changes with the backends.

A network that will be filled from a file needs no numbers to begin with, and a tensor
that was just read needs no second copy to become a weight.
"""

import mmap
from collections.abc import Callable, Mapping
from typing import Any

import keras
import ml_dtypes
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

ALIGNMENT_BYTES = 64
"""Where backends expect a tensor to begin; elsewhere they copy it."""
LARGEST_BLOCK_BYTES = 256 * 2**20


class Arena:
    """Room for many arrays, taken from the system in large blocks.

    Fresh memory costs most when it is touched for the first time. Numpy asks for huge
    pages, which a virtual machine may have to fetch from its host: measured, they took
    three times as long as small ones. A block is given back with the last of its
    arrays.

    Args:
        size_bytes: What the arrays will need together, about.
    """

    def __init__(self, size_bytes: int) -> None:
        self._expected_bytes = size_bytes
        self._room = np.empty(0, np.uint8)

    def array(self, shape: tuple[int, ...], dtype: str) -> Array:
        """Return an array of undefined numbers that every backend can take over.

        Args:
            shape: Sizes of its axes.
            dtype: A backend's name of an element type, ``bfloat16`` included.
        """
        kind = numpy_dtype(dtype)
        size_bytes = int(np.prod(shape, dtype=np.int64)) * kind.itemsize
        start = -self._room.ctypes.data % ALIGNMENT_BYTES
        if start + size_bytes > len(self._room):
            block = mmap.mmap(-1, self._block_bytes(size_bytes))
            self._room = np.frombuffer(block, np.uint8)
            start = -self._room.ctypes.data % ALIGNMENT_BYTES
        end = start + size_bytes
        made = self._room[start:end].view(kind).reshape(shape)
        self._room = self._room[end:]
        return made

    def _block_bytes(self, least: int) -> int:
        wanted = max(least, min(self._expected_bytes, LARGEST_BLOCK_BYTES))
        self._expected_bytes -= wanted
        return wanted + ALIGNMENT_BYTES


def numpy_dtype(dtype: str) -> np.dtype[Any]:
    """Return the element type that a backend names."""
    return np.dtype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)


def take_over(variable: keras.Variable, array: Array) -> None:
    """Make an array the variable's value.

    Args:
        variable: Of the array's shape and element type.
        array: From an ``Arena``; nobody else may write to it from now on.
    """
    _TAKE_OVER[keras.backend.backend()](variable, array)


def share(variable: keras.Variable, other: keras.Variable) -> None:
    """Make a variable's memory the value of another one too.

    Args:
        variable: Of the other's shape and element type. From now on neither may be
            written to in place; to assign a new value is no writing.
        other: Keeps its value.
    """
    _SHARE[keras.backend.backend()](variable, other)


class Unfilled(keras.initializers.Initializer):
    """Starts with undefined numbers: for weights that are all filled from a file."""

    def __call__(self, shape: Any, dtype: Any = None, **_: Any) -> Any:
        """Return a tensor whose memory was not written to."""
        kind = keras.backend.standardize_dtype(dtype)
        return _UNFILLED[keras.backend.backend()](tuple(shape), kind)


def _tensorflow_unfilled(shape: tuple[int, ...], dtype: str) -> Any:
    import tensorflow as tf  # noqa: PLC0415 - only where it is the backend

    return tf.raw_ops.Empty(shape=shape, dtype=tf.as_dtype(dtype))


def _jax_unfilled(shape: tuple[int, ...], dtype: str) -> Any:
    import jax  # noqa: PLC0415

    if jax.default_backend() == "cpu":
        return jax.device_put(Arena(0).array(shape, dtype))
    return jax.numpy.zeros(shape, dtype)


def _torch_unfilled(shape: tuple[int, ...], dtype: str) -> Any:
    import torch  # noqa: PLC0415

    return torch.empty(shape, dtype=getattr(torch, dtype))


def _numpy_unfilled(shape: tuple[int, ...], dtype: str) -> Any:
    return np.empty(shape, numpy_dtype(dtype))


def _tensorflow_take_over(variable: keras.Variable, array: Array) -> None:
    import tensorflow as tf  # noqa: PLC0415

    is_half = array.dtype == ml_dtypes.bfloat16
    capsule = (array.view(np.uint16) if is_half else array).__dlpack__()
    tensor = tf.experimental.dlpack.from_dlpack(capsule)
    variable.assign(tf.bitcast(tensor, tf.bfloat16) if is_half else tensor)


def _jax_take_over(variable: keras.Variable, array: Array) -> None:
    import jax  # noqa: PLC0415

    variable.assign(jax.device_put(array))


def _torch_take_over(variable: keras.Variable, array: Array) -> None:
    import torch  # noqa: PLC0415

    if array.dtype == ml_dtypes.bfloat16:
        tensor = torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    else:
        tensor = torch.from_numpy(array)
    variable.value.data = tensor.to(variable.value.device)


def _numpy_take_over(variable: keras.Variable, array: Array) -> None:
    variable._value = array  # noqa: SLF001 - assign would copy it


def _assigned(variable: keras.Variable, other: keras.Variable) -> None:
    variable.assign(other.value)  # the tensor itself: neither backend copies it


def _torch_share(variable: keras.Variable, other: keras.Variable) -> None:
    variable.value.data = other.value.data


def _numpy_share(variable: keras.Variable, other: keras.Variable) -> None:
    _numpy_take_over(variable, other.value)


_UNFILLED: Mapping[str, Callable[[tuple[int, ...], str], Any]] = {
    "tensorflow": _tensorflow_unfilled,
    "jax": _jax_unfilled,
    "torch": _torch_unfilled,
    "numpy": _numpy_unfilled,
}
_TAKE_OVER: Mapping[str, Callable[[keras.Variable, Array], None]] = {
    "tensorflow": _tensorflow_take_over,
    "jax": _jax_take_over,
    "torch": _torch_take_over,
    "numpy": _numpy_take_over,
}
_SHARE: Mapping[str, Callable[[keras.Variable, keras.Variable], None]] = {
    "tensorflow": _assigned,
    "jax": _assigned,
    "torch": _torch_share,
    "numpy": _numpy_share,
}

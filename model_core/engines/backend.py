"""What differs between Keras backends when a model runs. The only branch on them."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any

import keras

Function = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Backend:
    """One Keras backend.

    Attributes:
        compile: Returns a function of tensors, compiled.
        accelerator: Returns the first accelerator's name, "" without one.
        length_step: Lengths are rounded up to a multiple, where every new shape
            is compiled anew.
    """

    compile: Callable[[Function], Function]
    accelerator: Callable[[], str]
    length_step: int = 1


def _tensorflow_function(function: Function) -> Function:
    """Trace once, at the first call, for tensors of those ranks and any sizes."""
    import tensorflow as tf  # noqa: PLC0415 - only where it is the backend

    # every graph here is traced once; its warning counts those of all together
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    lock = Lock()
    traced: list[Function] = []

    def call(*arguments: Any) -> Any:
        with lock:
            if not traced:
                signature = tf.nest.map_structure(
                    lambda t: tf.TensorSpec([None] * t.shape.rank, t.dtype), arguments
                )
                traced.append(tf.function(function, input_signature=signature))
        return traced[0](*arguments)

    return call


def _tensorflow_accelerator() -> str:
    import tensorflow as tf  # noqa: PLC0415

    return "gpu:0" if tf.config.list_physical_devices("GPU") else ""


def _jax_function(function: Function) -> Function:
    import jax  # noqa: PLC0415

    compiled: Function = jax.jit(function)
    return compiled


def _jax_accelerator() -> str:
    import jax  # noqa: PLC0415

    platform = jax.default_backend()
    return "" if platform == "cpu" else f"{platform}:0"


def _torch_function(function: Function) -> Function:
    import torch  # noqa: PLC0415

    def without_gradients(*arguments: Any) -> Any:
        with torch.inference_mode():
            return function(*arguments)

    return without_gradients


def _torch_accelerator() -> str:
    import torch  # noqa: PLC0415

    return "cuda:0" if torch.cuda.is_available() else ""


def _as_it_is(function: Function) -> Function:
    """Numpy has nothing to compile."""
    return function


def _no_accelerator() -> str:
    return ""


BACKENDS: dict[str, Backend] = {
    "numpy": Backend(_as_it_is, _no_accelerator),
    "tensorflow": Backend(_tensorflow_function, _tensorflow_accelerator),
    "jax": Backend(_jax_function, _jax_accelerator, length_step=64),
    "torch": Backend(_torch_function, _torch_accelerator),
}


def active_backend() -> Backend:
    """Return the backend that Keras was started with.

    Raises:
        ValueError: The backend cannot run this project's models.
    """
    name = keras.backend.backend()
    if name not in BACKENDS:
        raise ValueError(
            f"KERAS_BACKEND must be one of {sorted(BACKENDS)}, received {name!r}"
        )
    return BACKENDS[name]

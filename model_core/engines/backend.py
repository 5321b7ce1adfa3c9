"""What differs between Keras backends when a model runs.

The only branch on them, but for how a layer writes into a cache (layers/attention.py).
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import keras

Function = Callable[..., Any]
Weights = Sequence[keras.Variable]


@dataclass(frozen=True, slots=True)
class Backend:
    """One Keras backend.

    Attributes:
        compile: Returns a function of tensors, compiled; given the weights that it
            reads.
        compile_whole: The same for loops, compiled with what they repeat, once per
            shape; given besides the places of arguments that are used up by a call.
        accelerator: Returns the first accelerator's name, "" without one.
        length_step: Lengths are rounded up to a multiple, where every new shape
            is compiled anew.
        has_loops: Whether ``compile_whole`` really does it.
    """

    compile: Callable[[Function, Weights], Function]
    compile_whole: Callable[[Function, Weights, tuple[int, ...]], Function]
    accelerator: Callable[[], str]
    length_step: int = 1
    has_loops: bool = False


def _tensorflow_function(function: Function, weights: Weights) -> Function:
    """Trace once, at the first call, for tensors of those ranks and any sizes."""
    del weights  # a graph refers to them
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


def _tensorflow_whole(
    function: Function, weights: Weights, used_up: tuple[int, ...]
) -> Function:
    """Trace once per shape, for XLA."""
    import tensorflow as tf  # noqa: PLC0415

    del weights, used_up
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    lock = Lock()
    compiled: Function = tf.function(function, jit_compile=True)

    def call(*arguments: Any) -> Any:
        with lock:  # two threads would trace one shape twice
            return compiled(*arguments)

    return call


def _tensorflow_accelerator() -> str:
    import tensorflow as tf  # noqa: PLC0415

    return "gpu:0" if tf.config.list_physical_devices("GPU") else ""


def _jax_function(function: Function, weights: Weights) -> Function:
    return _jax_whole(function, weights, ())


def _jax_whole(
    function: Function, weights: Weights, used_up: tuple[int, ...]
) -> Function:
    """Compile once per shape, with the weights as arguments.

    A weight that a function merely refers to becomes a constant of the program: it is
    held twice, folded for minutes, and more than 2 GB of them are refused.
    """
    import jax  # noqa: PLC0415

    def of_values(values: list[Any], *arguments: Any) -> Any:
        held = zip(weights, values, strict=True)
        with keras.StatelessScope(state_mapping=held):
            return function(*arguments)

    compiled = jax.jit(of_values, donate_argnums=tuple(1 + at for at in used_up))

    def call(*arguments: Any) -> Any:
        return compiled([weight.value for weight in weights], *arguments)

    return call


def _jax_accelerator() -> str:
    import jax  # noqa: PLC0415

    platform = jax.default_backend()
    return "" if platform == "cpu" else f"{platform}:0"


def _torch_function(function: Function, *_: Any) -> Function:
    import torch  # noqa: PLC0415

    def without_gradients(*arguments: Any) -> Any:
        with torch.inference_mode():
            return function(*arguments)

    return without_gradients


def _torch_accelerator() -> str:
    import torch  # noqa: PLC0415

    return "cuda:0" if torch.cuda.is_available() else ""


def _as_it_is(function: Function, *_: Any) -> Function:
    """Numpy has nothing to compile."""
    return function


def _no_accelerator() -> str:
    return ""


BACKENDS: dict[str, Backend] = {
    "numpy": Backend(_as_it_is, _as_it_is, _no_accelerator),
    "tensorflow": Backend(
        _tensorflow_function,
        _tensorflow_whole,
        _tensorflow_accelerator,
        has_loops=True,
    ),
    "jax": Backend(
        _jax_function, _jax_whole, _jax_accelerator, length_step=64, has_loops=True
    ),
    "torch": Backend(_torch_function, _torch_function, _torch_accelerator),
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

"""Which engine runs a network when nobody asked for one, and when it may begin.

Changes when another engine becomes the best for some machine.
"""

from threading import Lock
from typing import TYPE_CHECKING

import keras

from model_core.engines.backend import active_backend
from model_core.engines.framework import DEFAULT, LIGHT, PLAIN_DTYPE, VARIABLE
from model_core.engines.improving import ImprovingEngine, say_once
from model_core.engines.keras_engine import KerasEngine
from model_core.engines.native import library
from model_core.engines.native.compiler import NativeUnavailableError
from model_core.engines.registry import AUTO

if TYPE_CHECKING:
    from model_core.config import TransformerConfig
    from model_core.engines.base import Engine
    from model_core.engines.native.panels import Precision
    from model_core.models.network import Network


def automatic_engine(network: "Network") -> "Engine":
    """Return the fastest engine for a network on this machine.

    On an accelerator Keras; else the kernels, with int8 weights (see
    ``native_precision``). Where they are still being built, Keras answers until they
    are there; where they cannot be built, it goes on doing so.
    """
    if active_backend().accelerator():
        return KerasEngine(network)
    keras_engine = KerasEngine(network)
    if not library.is_ready():
        return ImprovingEngine(keras_engine, (lambda _: _native(network),), _advice())
    try:
        return _native(network)
    except NativeUnavailableError as error:
        say_once(error, f"{keras_engine.name} answers{_advice()}")
        return keras_engine


def _advice() -> str:
    """Return what helps where Keras answers on a backend that kernels were to spare."""
    if keras.backend.backend() != LIGHT:
        return ""
    return f" (without kernels a start with {VARIABLE}={DEFAULT} answers sooner)"


HALF_DTYPE = "bfloat16"
ON_CARDS = (AUTO, "keras")
"""Engines that a card runs."""


def playing_dtype(dtype: str, engine: str) -> str:
    """Return the Keras dtype policy to play with.

    On an accelerator half the bytes are twice the speed, and bfloat16 has float32's
    range; norms, softmax and what heads say are float32 all the same.

    Args:
        dtype: ``auto``, or what the person wants, which is kept.
        engine: ``auto`` or a name in the engines' registry.
    """
    if dtype != AUTO:
        return dtype
    on_card = engine in ON_CARDS and active_backend().accelerator()
    return HALF_DTYPE if on_card else PLAIN_DTYPE


def exact_engine(network: "Network") -> "Engine":
    """Return the fastest engine that keeps every weight as it is, for now and here.

    The kernels where they are built already and know the network; else Keras.
    """
    if active_backend().accelerator() or not library.is_ready():
        return KerasEngine(network)
    from model_core.engines.native.engine import NativeEngine  # noqa: PLC0415

    try:
        return NativeEngine(network)
    except NativeUnavailableError:
        return KerasEngine(network)


MANY_PRODUCTS = 16_000_000
"""Of an encoder with more for each token, batches take long enough to be felt."""


def native_precision(network: "Network") -> "Precision":
    """Return how the kernels multiply where nobody asked.

    A network that writes has its rows rounded to shorts: a step's time is that of
    moving weights. A large encoder has them rounded to bytes, as dynamic quantisation
    does elsewhere: over whole texts half the instructions are felt, for an error of
    the usual size. Small encoders are quick either way.
    """
    writes = "language_model" in network.heads or network.config.num_decoder_layers
    if writes or products_of_token(network.config) < MANY_PRODUCTS:
        return "int8"
    return "dynamic"


def products_of_token(config: "TransformerConfig") -> int:
    """Return the multiplications by weights that the body does for each token."""
    attention = 4 * config.heads_size
    feed_forward = (2 + config.gated_feed_forward) * config.intermediate_size
    return config.num_hidden_layers * config.hidden_size * (attention + feed_forward)


_building = Lock()


def _native(network: "Network") -> "Engine":
    from model_core.engines.native.engine import NativeEngine  # noqa: PLC0415

    with _building:
        return NativeEngine(network, native_precision(network))

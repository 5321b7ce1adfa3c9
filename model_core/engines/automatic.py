"""Which engine runs a network when nobody asked for one, and when it may begin.

Changes when another engine becomes the best for some machine.
"""

from threading import Lock
from typing import TYPE_CHECKING

from model_core.engines.backend import active_backend
from model_core.engines.framework import AUTO, PLAIN_DTYPE
from model_core.engines.improving import ImprovingEngine, say_once
from model_core.engines.keras_engine import KerasEngine
from model_core.engines.native import library
from model_core.engines.native.compiler import NativeUnavailableError

if TYPE_CHECKING:
    from model_core.engines.base import Engine
    from model_core.models.network import Network


def automatic_engine(network: "Network") -> "Engine":
    """Return the fastest engine for a network on this machine.

    On an accelerator Keras; else the kernels, with the weights as int8. Where they are
    still being built, Keras answers until they are there; where they cannot be built,
    it goes on doing so.
    """
    if active_backend().accelerator():
        return KerasEngine(network)
    keras_engine = KerasEngine(network)
    if not library.is_ready():
        return ImprovingEngine(keras_engine, (lambda _: _native(network),))
    try:
        return _native(network)
    except NativeUnavailableError as error:
        say_once(f"{error}; {keras_engine.name} answers")
        return keras_engine


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


_building = Lock()


def _native(network: "Network") -> "Engine":
    from model_core.engines.native.engine import NativeInt8Engine  # noqa: PLC0415

    with _building:
        return NativeInt8Engine(network)

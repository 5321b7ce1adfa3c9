"""Which engine runs a network when nobody asked for one, and when it may begin.

Changes when another engine becomes the best for some machine.
"""

import logging
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from model_core.engines.backend import active_backend
from model_core.engines.base import Floats, Ints, RichStepper, TokenBatch, Writing
from model_core.engines.keras_engine import KerasEngine
from model_core.engines.native import library
from model_core.engines.native.compiler import NativeUnavailableError
from model_core.masks import MaskKind

if TYPE_CHECKING:
    from model_core.engines.base import Engine
    from model_core.models.network import Network

LOGGER = logging.getLogger(__name__)
_said: set[str] = set()


def automatic_engine(network: "Network") -> "Engine":
    """Return the fastest engine for a network on this machine.

    On an accelerator Keras; else the kernels, with the weights as int8. Where they are
    still being built, Keras answers until they are there; where they cannot be built,
    it goes on doing so.
    """
    if active_backend().accelerator():
        return KerasEngine(network)
    if not library.is_ready():
        return GradualEngine(network)
    try:
        return _native(network)
    except NativeUnavailableError as error:
        _say_once(str(error))
        return KerasEngine(network)


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


class GradualEngine:
    """Keras first, the kernels as soon as they are built.

    A text that was begun by one engine is finished by it: it has its steps.

    Args:
        network: With its weights.
    """

    def __init__(self, network: "Network") -> None:
        self.network = network
        self._current: Engine = KerasEngine(network)
        self.heads = self._current.heads
        self._thread = Thread(target=self._improve, name="kernels", daemon=True)
        self._thread.start()

    @property
    def name(self) -> str:
        """Name of the engine that answers now."""
        return self._current.name

    @property
    def device(self) -> str:
        """Where it runs."""
        return self._current.device

    def wait(self) -> None:
        """Return when no faster engine is to come."""
        self._thread.join()

    def read(
        self,
        batch: TokenBatch,
        attention: MaskKind,
        heads: tuple[str, ...] | None = None,
        places: Ints | None = None,
    ) -> dict[str, Floats]:
        """See ``Engine.read``."""
        return self._current.read(batch, attention, heads, places)

    def apply(self, head: str, *arrays: Any) -> dict[str, Floats]:
        """See ``Engine.apply``."""
        return self._current.apply(head, *arrays)

    def stepper(self, writing: Writing) -> RichStepper:
        """See ``Engine.stepper``."""
        return self._current.stepper(writing)

    def _improve(self) -> None:
        try:
            self._current = _native(self.network)
        except NativeUnavailableError as error:
            _say_once(str(error))


_building = Lock()


def _native(network: "Network") -> "Engine":
    from model_core.engines.native.engine import NativeInt8Engine  # noqa: PLC0415

    with _building:
        return NativeInt8Engine(network)


def _say_once(reason: str) -> None:
    if reason not in _said:
        _said.add(reason)
        LOGGER.warning("the native engine is not used: %s; Keras answers", reason)

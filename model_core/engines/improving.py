"""One engine answers while better ones are made ready, one after the other.

Changes when an engine takes over from another in another way. Knows no engine by name.
"""

import logging
from collections.abc import Callable, Sequence
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from model_core.engines.base import Floats, Ints, RichStepper, TokenBatch, Writing
from model_core.engines.failures import EngineUnavailableError
from model_core.masks import MaskKind

if TYPE_CHECKING:
    from model_core.engines.base import Engine

Improvement = Callable[["Engine"], "Engine"]
"""Makes a better engine, given the one that answers now."""

LOGGER = logging.getLogger(__name__)
_said: set[str] = set()
_saying = Lock()


class ImprovingEngine:
    """The first engine at once, then every better one as soon as it is there.

    One that cannot be had is left out, and why is said once. A text that was begun by
    one engine is finished by it: it has its steps.

    Args:
        first: Answers until another one does.
        improvements: Each takes its time in a thread, in this order.
        advice: Said behind why one cannot be had.
    """

    def __init__(
        self, first: "Engine", improvements: Sequence[Improvement], advice: str = ""
    ) -> None:
        self.network = first.network
        self.heads = first.heads
        self._current = first
        self._advice = advice
        self._thread = Thread(
            target=self._improve,
            args=(tuple(improvements),),
            name="better engines",
            daemon=True,
        )
        self._thread.start()

    @property
    def name(self) -> str:
        """Name of the engine that answers now."""
        return self._current.name

    @property
    def device(self) -> str:
        """Where it runs."""
        return self._current.device

    def wait(self, timeout_seconds: float | None = None) -> bool:
        """Return when no better engine is to come: True; or False before that.

        Args:
            timeout_seconds: How long to wait at most; None for as long as it takes.
        """
        self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

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

    def _improve(self, improvements: tuple[Improvement, ...]) -> None:
        for improved in improvements:
            try:
                self._current = improved(self._current)
            except EngineUnavailableError as error:
                say_once(error, f"{self.name} goes on answering{self._advice}")


def say_once(reason: Exception, outcome: str) -> None:
    """Write a warning into the log unless its reason stands there already.

    Args:
        reason: Why; the same words are the same reason, whatever came of it.
        outcome: What came of it this time.
    """
    key = str(reason)
    with _saying:
        is_new = key not in _said
        _said.add(key)
    if is_new:
        LOGGER.warning("%s; %s", key, outcome)

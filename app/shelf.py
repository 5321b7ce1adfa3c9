"""What the page asks of the shelf of models, as a Protocol, and how a tab waits for it.

Changes when the page asks something new of it. Knows no framework and no gradio.
"""

import time
from collections.abc import Callable, Generator, Iterable
from typing import Any, Protocol, TypeVar

from model_core.interfaces import ModelError, ModelFacts, ModelState, Role

ModelT = TypeVar("ModelT")

POLL_SECONDS = 0.2
PATIENCE_SECONDS = 60.0
EMBEDDED = "embedded"
AUTO = "auto"


class Readiness(Protocol):
    """Whether the embedded model answers, and why not yet."""

    @property
    def ready(self) -> bool:
        """True once it does."""
        ...

    @property
    def zh(self) -> str:
        """One Chinese sentence."""
        ...

    @property
    def en(self) -> str:
        """The same in English."""
        ...


class Card(Protocol):
    """One line of the catalogue."""

    @property
    def name(self) -> str:
        """What ``load`` takes."""
        ...

    @property
    def title(self) -> str:
        """For people."""
        ...


class Shelf(Protocol):
    """Loads once, reports states, hands out Protocols."""

    def start(self) -> None:
        """Begin to load behind the page."""
        ...

    def readiness(self) -> Readiness:
        """Tell whether the embedded model answers."""
        ...

    def states(self) -> tuple[ModelState, ...]:
        """Report every known model."""
        ...

    def cards(self, task: str) -> tuple[Card, ...]:
        """Return the catalogue of one task."""
        ...

    def catalogue(self) -> tuple[ModelFacts, ...]:
        """Return what is known of every card, without asking anybody."""
        ...

    def describe(self, name: str) -> ModelFacts:
        """Return what is known of weights; may ask the hub, and raise ModelError."""
        ...

    def load(self, name: str) -> None:
        """Begin to load; raises ModelError at once for a name that is refused."""
        ...

    def unload(self, name: str) -> None:
        """Release a model."""
        ...

    def model(
        self,
        role: Role[ModelT],
        weights: str = AUTO,
        *,
        timeout_seconds: float = PATIENCE_SECONDS,
    ) -> ModelT:
        """Return weights in a part; ``not_ready`` when it takes too long."""
        ...

    def close(self) -> None:
        """Stop loading and release everything."""
        ...


def await_model(
    shelf: Shelf,
    role: Role[ModelT],
    weights: str,
    *,
    patience_seconds: float = PATIENCE_SECONDS,
) -> Generator[None, None, ModelT]:
    """Return weights in a part, yielding None while they load, so that Stop acts.

    Args:
        shelf: Hands them out.
        role: The part.
        weights: Which ones.
        patience_seconds: Give up after this long.

    Raises:
        ModelError: The weights are refused, failed, cannot play the part, or took
            longer than the patience.
    """
    give_up = time.monotonic() + patience_seconds
    while True:
        try:
            return shelf.model(role, weights, timeout_seconds=POLL_SECONDS)
        except ModelError as error:
            if error.kind != "not_ready" or time.monotonic() > give_up:
                raise
        yield None
        time.sleep(POLL_SECONDS / 4)  # a shelf that refuses at once is not a busy loop


def await_able(
    shelf: Shelf, role: Role[ModelT], weights: str
) -> Generator[None, None, ModelT]:
    """Return weights in a part as await_model does; ``auto`` is any that can play it.

    Raises:
        ModelError: They cannot be had; ``missing_head`` where none that are ready can.
    """
    try:
        return (yield from await_model(shelf, role, weights))
    except ModelError as error:
        left_open = weights == AUTO and error.kind == "missing_head"
        able = able_of(shelf, role) if left_open else []
        if not able:
            raise
    return (yield from await_model(shelf, role, able[0].name))


def await_following(
    shelf: Shelf, role: Role[ModelT], weights: str, num_unmet: Callable[[ModelT], int]
) -> Generator[None, None, ModelT]:
    """Return weights in a part as await_able does, chosen by what is asked of them.

    What ``auto`` means changes for everybody when somebody loads weights: where those
    cannot follow a request, the embedded ones are asked.

    Args:
        shelf: Hands them out.
        role: The part.
        weights: Which ones.
        num_unmet: Of how many requests a model cannot follow what they want.

    Raises:
        ModelError: They cannot be had.
    """
    model = yield from await_able(shelf, role, weights)
    unmet = num_unmet(model) if weights == AUTO else 0
    if not unmet:
        return model
    try:
        embedded = yield from await_model(shelf, role, EMBEDDED)
    except ModelError:
        return model  # which says itself what it lacks
    return embedded if num_unmet(embedded) <= unmet else model


def able_of(shelf: Shelf, role: Role[Any]) -> list[ModelState]:
    """Return the weights that are ready and can play a part.

    Only those are asked: asking others would make them load.
    """
    ready = ready_of(shelf.states())
    return [state for state in ready if _can_play(shelf, role, state.name)]


def ready_of(states: Iterable[ModelState]) -> list[ModelState]:
    """Return the models that answer."""
    return [state for state in states if state.status == "ready"]


def _can_play(shelf: Shelf, role: Role[Any], name: str) -> bool:
    try:
        shelf.model(role, name, timeout_seconds=0)
    except ModelError:
        return False
    return True

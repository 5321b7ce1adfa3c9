"""Long steps beside their runs: in threads of their own, looked at again and again.

Changes when a long step is run differently. Knows no task and no gradio. Gradio closes
a run only between two of its frames, and while it waits for that it hears nobody else's
Stop: a run with a step of seconds shows the frame it has until the step has ended.
"""

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

FrameT = TypeVar("FrameT")
ValueT = TypeVar("ValueT")

LOOK_SECONDS = 0.2


class Aside:
    """A few threads for the long steps of one kind; what exceeds them waits its turn.

    Args:
        name: Of the threads.
        most: How many steps go on at once, those that nobody waits for any more among
            them: a step cannot be ended half-way.
    """

    def __init__(self, name: str, most: int = 1) -> None:
        self._threads = ThreadPoolExecutor(most, thread_name_prefix=name)

    def take(
        self, step: Callable[[], ValueT], frame: FrameT
    ) -> Generator[FrameT, None, ValueT]:
        """Return what a step returns, yielding a frame for as long as it takes.

        Closing gives its turn back; a step that has begun ends unheard.

        Args:
            step: Whatever it raises is raised here.
            frame: The whole result so far.
        """
        job = self._threads.submit(step)
        try:
            while not wait([job], LOOK_SECONDS).done:
                yield frame
            return job.result()
        finally:
            job.cancel()

    def follow(
        self, frames: Generator[FrameT, None, ValueT], frame: FrameT
    ) -> Generator[FrameT, None, ValueT]:
        """Yield what a generator of long steps yields, and return what it returns.

        Closing is as in ``take``; the generator ends with the step it is in.

        Args:
            frames: Whole results so far; shown again while the next is on its way.
            frame: The one before its first.
        """
        while True:
            step = yield from self.take(partial(_step, frames), frame)
            if isinstance(step, _Ended):
                return step.value
            frame = step
            yield frame


@dataclass(frozen=True, slots=True)
class _Ended(Generic[ValueT]):
    """What a generator returned."""

    value: ValueT


def _step(frames: Generator[FrameT, None, ValueT]) -> FrameT | _Ended[ValueT]:
    """Return a generator's next frame, or its end: no future raises StopIteration."""
    try:
        return next(frames)
    except StopIteration as end:
        return _Ended(end.value)

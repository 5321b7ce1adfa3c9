"""What happens around every run: deadline, frame rate, counting, closing.

Changes when another rule holds for all requests. Knows no task, no page, no gradio.
"""

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any, TypeVar

from app.metrics import DeadlineError, Metrics
from demos.errors import DemoError
from demos.limits import LATER, Advice

FrameT = TypeVar("FrameT")
Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class RunLimits:
    """How long one request may compute, and how often it may show a frame."""

    deadline_seconds: float = 120.0
    frames_per_second: float = 15.0


class Runs:
    """Watches the runs of one server."""

    def __init__(self, metrics: Metrics, limits: RunLimits | None = None) -> None:
        self._metrics = metrics
        self._limits = limits or RunLimits()
        self._stopping = threading.Event()
        self._changed = threading.Condition()
        self._active = 0

    @property
    def deadline_seconds(self) -> float:
        """How long one request may compute."""
        return self._limits.deadline_seconds

    def stop(self, patience_seconds: float = 0.0) -> None:
        """End every run at its next frame, refuse new ones, and wait until all ended.

        Args:
            patience_seconds: Give up waiting after this long.
        """
        self._stopping.set()
        with self._changed:
            self._changed.wait_for(lambda: not self._active, patience_seconds)

    def watch(
        self,
        endpoint: str,
        frames: Generator[FrameT, None, None],
        num_tokens: Callable[[FrameT], int],
        *,
        seconds: float | None = None,
        advice: Advice = LATER,
    ) -> Iterator[FrameT]:
        """Yield the frames under the rules that hold for every request.

        Args:
            endpoint: For the counters.
            frames: Whole results so far; closed however this ends.
            num_tokens: How many tokens a frame holds.
            seconds: How long it may compute; None for the limit of a request.
            advice: What to lower where it takes longer.

        Raises:
            DeadlineError: The run computed for as long as one may.
            DemoError: The server is going down.
        """
        with self._metrics.run(endpoint) as run, self._counted(), closing(frames):
            limit = self.deadline_seconds if seconds is None else seconds
            allowed = timely(self._until_stopped(frames), limit, advice)
            for frame in throttled(allowed, 1 / self._limits.frames_per_second):
                run.saw(num_tokens(frame))
                yield frame

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self._count(1)
        try:
            yield
        finally:
            self._count(-1)

    def _count(self, change: int) -> None:
        with self._changed:
            self._active += change
            self._changed.notify_all()

    def _until_stopped(self, frames: Iterator[FrameT]) -> Iterator[FrameT]:
        for frame in frames:
            if self._stopping.is_set():
                raise DemoError(
                    "服务正在关闭，请稍后再来。",
                    "The server is going down: come back in a while.",
                )
            yield frame


def timely(
    frames: Iterator[FrameT], seconds: float, advice: Advice = LATER
) -> Generator[FrameT, None, Any]:
    """Yield the frames for as long as a request may compute; return what they return.

    A whole result that comes late is one all the same.

    Args:
        frames: Whole results so far; one that says ``at_once`` is not the last.
        seconds: How long they may take.
        advice: What to lower where they take longer.

    Raises:
        DeadlineError: More would have followed after that time.
    """
    end, late = monotonic() + seconds, False
    while True:
        try:
            frame = next(frames)
        except StopIteration as ended:
            return ended.value
        if late:
            raise _too_long(seconds, advice)
        yield frame
        late = monotonic() > end
        if late and getattr(frame, "at_once", False):
            raise _too_long(seconds, advice)


def _too_long(seconds: float, advice: Advice) -> DeadlineError:
    zh, en = advice
    return DeadlineError(
        f"超过了每次 {seconds:g} 秒的限时，已停在这里；{zh}。",
        f"Stopped after the limit of {seconds:g} s a request: {en}.",
    )


def throttled(
    frames: Iterator[FrameT], interval_seconds: float, clock: Clock = monotonic
) -> Iterator[FrameT]:
    """Yield the first frame, then at most one an interval, and always the last.

    A frame is a whole result, so a dropped one is harmless; one that says ``at_once``
    stands before a long step and is never dropped.
    """
    due = -float("inf")
    held: list[FrameT] = []
    for frame in frames:
        held = [frame]
        if getattr(frame, "at_once", False) or clock() >= due:
            yield frame
            held, due = [], clock() + interval_seconds
    yield from held

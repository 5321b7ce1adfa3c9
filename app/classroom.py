"""Who may learn now: one at a time, in a thread of its own, with a few in line.

Changes when the server's rules for learning change. Knows no task and no gradio. The
thread keeps a step of any length, even the compiling of the first, away from the page:
whoever looks gets an answer at once, and Stop is heard at once.
"""

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any, Generic, TypeVar

from app.metrics import DeadlineError
from demos.errors import DemoError

FrameT = TypeVar("FrameT")

MOST_WAITING = 3
LOOK_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Waiting:
    """A place in the line.

    Attributes:
        ahead: Lessons that come first; 0 where one's own has begun.
    """

    ahead: int


class Classroom:
    """Gives lessons one after the other.

    Args:
        most_waiting: How many may wait while one learns.
    """

    def __init__(self, most_waiting: int = MOST_WAITING) -> None:
        self.seats = most_waiting + 1
        self._teacher = ThreadPoolExecutor(1, thread_name_prefix="lesson")
        self._line: dict[_Board[Any], Future[None]] = {}
        self._lock = threading.Lock()

    def attend(
        self,
        person: str,
        start: Callable[[], Iterator[FrameT]],
        seconds: float,
    ) -> Generator[FrameT | Waiting, None, None]:
        """Yield one's place in the line, then what the lesson has come to so far.

        Closing ends the lesson after its current step, or gives the place back.

        Args:
            person: Who learns; one lesson each.
            start: Begins the lesson; its frames are whole results, so the newest will
                do. Whatever it raises is raised here.
            seconds: How long it may take.

        Raises:
            DemoError: This person learns already, or the line is full.
            DeadlineError: It took longer.
        """
        board: _Board[FrameT] = _Board(person)
        lesson = self._sit(board, lambda: board.fill(start, seconds))
        try:
            while not lesson.done():
                yield board.look(self._ahead(board))
            lesson.result()
            yield board.look(0)
        finally:
            board.dismissed.set()
            lesson.cancel()

    def _sit(self, board: "_Board[FrameT]", work: Callable[[], None]) -> Future[None]:
        with self._lock:
            others = [other for other in self._line if not other.dismissed.is_set()]
            if board.person in {other.person for other in others}:
                raise _twice()
            if len(self._line) >= self.seats:
                raise _full(self.seats)
            lesson = self._teacher.submit(work)
            self._line[board] = lesson
        lesson.add_done_callback(lambda _: self._leave(board))
        return lesson

    def _leave(self, board: "_Board[FrameT]") -> None:
        with self._lock:
            del self._line[board]

    def _ahead(self, board: "_Board[FrameT]") -> int:
        with self._lock:
            return next((n for n, one in enumerate(self._line) if one is board), 0)


class _Board(Generic[FrameT]):
    """What one lesson shows, written by its thread and read by the person's."""

    def __init__(self, person: str) -> None:
        self.person = person
        self.dismissed = threading.Event()
        self._shown: deque[FrameT] = deque(maxlen=1)
        self._fresh = threading.Event()

    def fill(self, start: Callable[[], Iterator[FrameT]], seconds: float) -> None:
        """Give the lesson until its end, a deadline or a dismissal.

        Whether a frame that came too late was the last is known with the next one: a
        lesson that has ended is not thrown away.
        """
        end, is_late = monotonic() + seconds, False
        with _closed(start()) as frames:
            for frame in frames:
                self._shown.append(frame)
                self._fresh.set()
                if self.dismissed.is_set():
                    return
                if is_late:
                    raise _too_long(seconds)
                is_late = monotonic() > end

    def look(self, ahead: int) -> FrameT | Waiting:
        """Return the newest frame, after a short wait for a fresh one."""
        self._fresh.wait(LOOK_SECONDS)
        self._fresh.clear()
        return self._shown[-1] if self._shown else Waiting(ahead)


@contextmanager
def _closed(frames: Iterator[FrameT]) -> Iterator[Iterator[FrameT]]:
    try:
        yield frames
    finally:
        if isinstance(frames, Generator):
            frames.close()


def _twice() -> DemoError:
    return DemoError(
        "你已有一次学习在进行：等它学完，或先点“停止”。",
        "You are learning already: wait until that ends, or press Stop first.",
    )


def _full(seats: int) -> DemoError:
    return DemoError(
        f"正有 {seats} 个人在学或在等，请过几分钟再试；也可以在终端里学："
        "python -m demos fewshot --examples FILE。",
        f"{seats} people are learning or waiting: try again in a few minutes, or learn "
        "in a terminal: python -m demos fewshot --examples FILE.",
    )


def _too_long(seconds: float) -> DeadlineError:
    return DeadlineError(
        f"学习用了超过 {seconds:g} 秒，已停在这里；请减少示例或步数。",
        f"Learning took more than {seconds:g} s and was stopped: give fewer examples "
        "or steps.",
    )

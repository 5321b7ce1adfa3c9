"""Work asked for at the same time is done at once: nobody waits for a batch to fill.

Changes when requests are gathered in another way. While one batch runs, the requests
that come meanwhile queue up; whoever is first of them runs the next batch, with all of
its kind. Those who were in the batch before are mostly back within a moment: they are
waited for, a few milliseconds at most, and not again once they stayed away. A lone
request never waits.
"""

from collections import deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from threading import Condition, Event
from typing import Generic, TypeVar

PATIENCE_SECONDS = 0.005

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


@dataclass(eq=False, slots=True)
class _Asked(Generic[ItemT, ResultT]):
    key: Hashable
    item: ItemT
    weight: int
    woken: Event = field(default_factory=Event)  # done, or first of the queue
    is_done: bool = False
    result: ResultT | None = None
    error: BaseException | None = None


class Together(Generic[ItemT, ResultT]):
    """Gathers requests of one kind.

    Args:
        run: Does several items of one key; a result for each, in their order.
        most: Weight of a batch; a heavier item runs alone.
        patience_seconds: How long those of the batch before are waited for.
    """

    def __init__(
        self,
        run: Callable[[Hashable, list[ItemT]], Sequence[ResultT]],
        most: int,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._run = run
        self._most = most
        self._patience_seconds = patience_seconds
        self._before: tuple[Hashable, int] = (None, 0)
        self._queue: deque[_Asked[ItemT, ResultT]] = deque()
        self._arrived = Condition()  # only one who gathers waits for it
        self._has_leader = False

    def ask(self, key: Hashable, item: ItemT, weight: int = 1) -> ResultT:
        """Return the result of an item, done together with others of its key.

        Requests are begun in the order in which they came.

        Args:
            key: Items of different keys never run together.
            item: What is to be done.
            weight: How much of ``most`` it takes.

        Raises:
            BaseException: Whatever ``run`` raised for the batch with this item.
        """
        mine: _Asked[ItemT, ResultT] = _Asked(key, item, weight)
        with self._arrived:
            self._queue.append(mine)
            self._arrived.notify()
            leads, self._has_leader = not self._has_leader, True
        if not leads:
            mine.woken.wait()
        if not mine.is_done:
            self._lead(mine)
        if mine.error is not None:
            raise mine.error
        return mine.result  # type: ignore[return-value]  # done without an error

    def _lead(self, mine: _Asked[ItemT, ResultT]) -> None:
        """Run batches until one of them held ``mine``, then let the next one lead."""
        while not mine.is_done:
            with self._arrived:
                self._gather()
                batch = self._next_batch()
            self._do(batch)
        with self._arrived:
            if self._queue:
                self._queue[0].woken.set()
            else:
                self._has_leader = False

    def _gather(self) -> None:
        """Wait a moment for those who ran together with the first in the queue."""
        key, count = self._before
        if key == self._queue[0].key:
            self._arrived.wait_for(
                lambda: len(self._queue) >= count, self._patience_seconds
            )

    def _next_batch(self) -> list[_Asked[ItemT, ResultT]]:
        """Take the first request and all that may run with it."""
        first = self._queue[0]
        batch, left, room = [], deque[_Asked[ItemT, ResultT]](), self._most
        for asked in self._queue:
            fits = asked.weight <= room or asked is first
            if asked.key == first.key and fits:
                batch.append(asked)
                room -= asked.weight
            else:
                left.append(asked)
        self._queue = left
        self._before = first.key, len(batch)
        return batch

    def _do(self, batch: list[_Asked[ItemT, ResultT]]) -> None:
        error: BaseException | None = None
        results: Sequence[ResultT | None] = [None] * len(batch)
        try:
            results = self._run(batch[0].key, [asked.item for asked in batch])
        except BaseException as raised:  # noqa: BLE001 - each asker raises it
            error = raised
        for asked, result in zip(batch, results, strict=True):
            asked.result, asked.error, asked.is_done = result, error, True
            asked.woken.set()

"""Work asked for at the same time is done at once: nobody waits for a batch to fill.

Changes when requests are gathered in another way. While one batch runs, the requests
that come meanwhile queue up; whoever is first of them runs the next batch, with all of
its kind. A lone request runs at once.
"""

from collections import deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from threading import Condition
from typing import Generic, TypeVar

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


@dataclass(eq=False, slots=True)
class _Asked(Generic[ItemT, ResultT]):
    key: Hashable
    item: ItemT
    weight: int
    is_done: bool = False
    result: ResultT | None = None
    error: BaseException | None = None


class Together(Generic[ItemT, ResultT]):
    """Gathers requests of one kind.

    Args:
        run: Does several items of one key; a result for each, in their order.
        most: Weight of a batch; a heavier item runs alone.
    """

    def __init__(
        self, run: Callable[[Hashable, list[ItemT]], Sequence[ResultT]], most: int
    ) -> None:
        self._run = run
        self._most = most
        self._queue: deque[_Asked[ItemT, ResultT]] = deque()
        self._changed = Condition()
        self._is_running = False

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
        with self._changed:
            self._queue.append(mine)
        while batch := self._turn_of(mine):
            self._do(batch)
        if mine.error is not None:
            raise mine.error
        return mine.result  # type: ignore[return-value]  # done without an error

    def _turn_of(self, mine: _Asked[ItemT, ResultT]) -> list[_Asked[ItemT, ResultT]]:
        """Wait for a turn and take a batch; an empty one once ``mine`` is done."""
        with self._changed:
            self._changed.wait_for(lambda: mine.is_done or not self._is_running)
            if mine.is_done:
                return []
            self._is_running = True
            return self._next_batch()

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
        return batch

    def _do(self, batch: list[_Asked[ItemT, ResultT]]) -> None:
        error: BaseException | None = None
        results: Sequence[ResultT | None] = [None] * len(batch)
        try:
            results = self._run(batch[0].key, [asked.item for asked in batch])
        except BaseException as raised:  # noqa: BLE001 - each asker raises it
            error = raised
        with self._changed:
            for asked, result in zip(batch, results, strict=True):
                asked.result, asked.error, asked.is_done = result, error, True
            self._is_running = False
            self._changed.notify_all()

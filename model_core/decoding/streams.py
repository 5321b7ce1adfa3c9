"""Many people's texts, sampled in step on one thread; they join and leave at any step.

Changes when sharing steps between requests takes another form. What a request draws is
sampling.py's business; what its rows get does not depend on who else is in the batch.

A thread per request would step its own rows and wait for the others at every token: ten
of them under one interpreter lock spend more time taking turns than computing.
"""

import math
import threading
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic

import numpy as np

from model_core.decoding.batch import Batch, advance, join, prefill, take
from model_core.decoding.checks import check_prompts
from model_core.decoding.frames import ChosenToken, DecodedRow, DecodingFrame
from model_core.decoding.logits import LogitsRule, lasts, still_needed
from model_core.decoding.loop import SamplingOptions
from model_core.decoding.sampling import Sampler, choose
from model_core.decoding.scoring import (
    chosen_tokens,
    log_normalizers,
    rows_without_numbers,
)
from model_core.decoding.stepper import CacheT, JoiningStepper, Stepper

SMOOTH_STREAMS = 4
"""With more, frames are rarer: making them takes the time that steps need."""
MOST_SPACING_SECONDS = 0.08
"""However many share the steps: with the step behind it nobody's text should be seen
to stall, which begins at about 0.1 s."""
IDLE_SECONDS = 5.0
"""A thread without requests ends after this; the next request starts another."""


@dataclass(eq=False, slots=True)
class _Row:
    """One row in flight.

    Attributes:
        stream: Whose.
        index: Which of its rows.
        rules: Those that can still change something.
        changes_at: With so many new tokens, others can.
    """

    stream: "_Stream"
    index: int
    rules: tuple[LogitsRule, ...]
    changes_at: float = 0

    @property
    def text(self) -> DecodedRow:
        """What stands there so far."""
        return self.stream.rows[self.index]

    def extend(self, token: ChosenToken) -> None:
        """Put a token behind the text."""
        options = self.stream.options
        text = self.text.extended(token, options.stop_token_ids, options.max_new_tokens)
        self.stream.rows[self.index] = text
        if len(text.tokens) >= self.changes_at:
            self.rules = still_needed(self.rules, len(text.tokens))
            self.changes_at = min(map(lasts, self.rules), default=math.inf)


@dataclass(eq=False, slots=True)
class _Stream:
    """One request.

    Attributes:
        options: How to sample.
        sampler: Its random numbers.
        rows: Its texts so far.
        woken: Set when there is something worth looking at.
        due: When the next look is worth it, ``time.monotonic`` seconds.
        is_left: Nobody looks any more.
        error: Ended it.
    """

    options: SamplingOptions
    sampler: Sampler
    rows: list[DecodedRow]
    woken: threading.Event = field(default_factory=threading.Event)
    due: float = 0.0
    is_left: bool = False
    error: BaseException | None = None

    @property
    def is_finished(self) -> bool:
        return all(row.finish for row in self.rows)


class Streams(Generic[CacheT]):
    """Samples for all who ask, over one stepper.

    Args:
        stepper: The network.
        clock: Tells the seconds; for tests.
    """

    def __init__(
        self,
        stepper: JoiningStepper[CacheT],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stepper = stepper
        self._clock = clock
        self._changed = threading.Condition()
        self._arrived: list[tuple[list[_Row], Batch[CacheT]]] = []
        self._is_running = False
        self._num_streams = 0

    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        options: SamplingOptions,
        frame_seconds: float = 0.0,
        reading: Stepper[CacheT] | None = None,
    ) -> Generator[DecodingFrame, None, None]:
        """Yield the whole result so far, every so often; see ``loop.generate``.

        Computes on, up to ``max_new_tokens``, while nobody looks; closing the
        generator ends that within a step.

        Args:
            prompts: One list of token ids per row, each with at least one.
            options: How to sample.
            frame_seconds: Between two frames at least, but for the last; longer where
                many share the steps, up to ``MOST_SPACING_SECONDS``.
            reading: Reads the prompts, into a cache of the steps; the steps' own
                reading where None.

        Raises:
            ValueError: No prompt, or one without a token (at once).
            FloatingPointError: The network's logits are not numbers.
        """
        check_prompts(prompts)
        return self._frames(prompts, options, frame_seconds, reading or self._stepper)

    def _frames(
        self,
        prompts: Sequence[Sequence[int]],
        options: SamplingOptions,
        frame_seconds: float,
        reading: Stepper[CacheT],
    ) -> Generator[DecodingFrame, None, None]:
        count = len(prompts)
        stream = _Stream(options, Sampler(options.seed, count), [DecodedRow()] * count)
        batch = prefill(reading, prompts, options.max_new_tokens)
        rows = [_Row(stream, index, options.rules) for index in range(count)]
        self._add(rows, batch)
        try:
            while True:
                stream.woken.wait()
                stream.woken.clear()
                if stream.error is not None:
                    raise stream.error
                frame = DecodingFrame(tuple(stream.rows))
                spacing = spacing_seconds(frame_seconds, self._num_streams)
                stream.due = self._clock() + spacing
                yield frame
                if frame.is_finished:
                    return
        finally:
            stream.is_left = True

    def _add(self, rows: list[_Row], batch: Batch[CacheT]) -> None:
        with self._changed:
            self._arrived.append((rows, batch))
            self._changed.notify()
            if not self._is_running:
                self._is_running = True
                threading.Thread(target=self._run, name="streams", daemon=True).start()

    def _run(self) -> None:
        """Step as long as anybody is there."""
        rows: list[_Row] = []
        batch: Batch[CacheT] | None = None
        while True:
            arrived = self._next_arrived(wait=not rows)
            if not arrived and not rows:
                return
            there = [] if batch is None else [batch]
            rows = rows + [row for new_rows, _ in arrived for row in new_rows]
            try:
                batch = join(self._stepper, there + [new for _, new in arrived])
                rows, batch = self._step(rows, batch)
            except Exception as error:  # noqa: BLE001 - everyone in the batch raises it
                _fail({row.stream for row in rows}, error)
                rows, batch = [], None

    def _next_arrived(self, *, wait: bool) -> list[tuple[list[_Row], Batch[CacheT]]]:
        """Return who came since; nobody, and the thread ends, after a long wait."""
        with self._changed:
            if wait and not self._arrived:
                self._changed.wait_for(lambda: self._arrived, IDLE_SECONDS)
            arrived, self._arrived = self._arrived, []
            if wait and not arrived:
                self._is_running = False
            return arrived

    def _step(
        self, rows: list[_Row], batch: Batch[CacheT]
    ) -> tuple[list[_Row], Batch[CacheT] | None]:
        """Choose a token for every row that goes on, and read all of them."""
        stays = [not row.stream.is_left and row.stream.error is None for row in rows]
        rows, batch = self._kept(rows, batch, np.array(stays))
        if not rows:
            return [], None
        try:
            tokens = _choices(rows, batch)
        except FloatingPointError as error:
            broken = rows_without_numbers(batch.logits).tolist()
            _fail({rows[row].stream for row in broken}, error)
            return rows, batch
        for row, token in zip(rows, tokens, strict=True):
            row.extend(token)
        streams = {row.stream for row in rows}
        self._num_streams = len(streams)
        _wake(streams, self._clock())
        going = np.array([not row.text.finish for row in rows])
        token_ids = np.array([token.token_id for token in tokens], np.int32)[going]
        rows, batch = self._kept(rows, batch, going)
        if not rows:
            return [], None
        everyone = np.ones(len(rows), np.bool_)
        return rows, advance(self._stepper, batch, token_ids, everyone)

    def _kept(
        self, rows: list[_Row], batch: Batch[CacheT], kept: Any
    ) -> tuple[list[_Row], Batch[CacheT]]:
        if kept.all():
            return rows, batch
        where = np.flatnonzero(kept)
        if not len(where):
            return [], batch
        return [rows[row] for row in where], take(self._stepper, batch, where)


def spacing_seconds(frame_seconds: float, num_streams: int) -> float:
    """Return the time between two frames of a stream.

    Args:
        frame_seconds: What was asked for, which is kept in any case.
        num_streams: How many share the steps.
    """
    crowded = frame_seconds * num_streams / SMOOTH_STREAMS
    return max(frame_seconds, min(crowded, MOST_SPACING_SECONDS))


def _choices(rows: list[_Row], batch: Batch[Any]) -> list[ChosenToken]:
    """Return every row's next token; rows under the same rules are chosen together.

    Raises:
        FloatingPointError: Some rows hold no numbers.
    """
    normalizers = log_normalizers(batch.logits)
    uniforms = np.array([row.stream.sampler.next_number(row.index) for row in rows])
    token_ids = np.empty(len(rows), np.intp)
    for rules, places in _alike(rows):
        if len(places) == len(rows):
            token_ids = choose(rules, batch.logits, batch.history, uniforms)
            break
        history = batch.history.take(np.array(places))
        token_ids[places] = choose(
            rules, batch.logits[places], history, uniforms[places]
        )
    wanted = [row.stream.options.num_alternatives for row in rows]
    return chosen_tokens(batch.logits, normalizers, token_ids, wanted)


def _alike(rows: list[_Row]) -> list[tuple[tuple[LogitsRule, ...], list[int]]]:
    """Return the different rules, each with the rows under them."""
    groups: list[tuple[tuple[LogitsRule, ...], list[int]]] = []
    for place, row in enumerate(rows):
        for rules, places in groups:
            if rules == row.rules:
                places.append(place)
                break
        else:
            groups.append((row.rules, [place]))
    return groups


def _wake(streams: "set[_Stream]", now: float) -> None:
    for stream in streams:
        if now >= stream.due or stream.is_finished:
            stream.woken.set()


def _fail(streams: "set[_Stream]", error: BaseException) -> None:
    for stream in streams:
        stream.error = error
        stream.woken.set()

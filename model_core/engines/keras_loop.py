"""The whole decode loop on the device: many steps of a Keras network in one call.

Changes when the loop itself does. Rules are ``keras_rules.py``'s business, when to ask
for how many steps is ``decoding/chunks.py``'s. One graph per static shape: rows are
rounded up to a power of two, steps are counted at run time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from keras import ops

from model_core.decoding.batch import Batch, take
from model_core.decoding.chunks import Chunk
from model_core.decoding.history import PADDING
from model_core.decoding.loop import SamplingOptions
from model_core.engines.backend import Backend, Weights
from model_core.engines.keras_rules import Key, Past, choose, marked, plan_of
from model_core.models.network import Caches

Step = Callable[[Any, Any, Caches], tuple[dict[str, Any], Caches]]
"""Of token ids (batch,), positions (batch,) and caches."""

LONGEST = 32
"""Steps of a chunk at most: a streaming page is not kept waiting longer than these."""
ROOM_STEP = 64
"""What rows have seen is kept in multiples of it."""
FLIGHT = 0
"""The place of what a chunk uses up among its arguments."""


class Flight(NamedTuple):
    """What stays on the device between two chunks.

    Attributes:
        caches: Without the last token of a row that runs.
        past: With it.
        running: bool (batch,).
    """

    caches: Caches
    past: Past
    running: Any


class Written(NamedTuple):
    """What comes back of a step, (batch, ...), or of a chunk, (steps, batch, ...)."""

    token_ids: Any
    log_probs: Any
    best: Any
    alternative_ids: Any
    alternative_shares: Any


@dataclass(frozen=True, slots=True)
class LoopPlan:
    """A request's rules, on the device.

    Attributes:
        graph: What graphs are compiled for: the rules' key, and how many alternatives.
        numbers: Of the rules.
        stops: bool (vocabulary,).
        max_new_tokens: Of the request.
    """

    graph: tuple[Key, int]
    numbers: tuple[tuple[Any, ...], ...]
    stops: Any
    max_new_tokens: int


class KerasLoop:
    """Steps by itself; see ``decoding.chunks.SelfStepping``.

    Args:
        stepper: Whose caches these are.
        step: Its step, not compiled.
        weights: What the step reads.
        vocab_size: Of its logits.
        backend: Compiles the loop.
        longest: Most steps of a chunk.
    """

    def __init__(
        self,
        stepper: Any,
        step: Step,
        weights: Weights,
        vocab_size: int,
        backend: Backend,
        longest: int = LONGEST,
    ) -> None:
        self.longest = longest
        self._stepper = stepper
        self._step = step
        self._weights = weights
        self._vocab_size = vocab_size
        self._backend = backend
        self._graphs: dict[Any, Any] = {}
        self._lock = Lock()

    def plan(self, options: SamplingOptions) -> LoopPlan | None:
        """See ``SelfStepping.plan``."""
        rules = plan_of(options.rules, self._vocab_size)
        if rules is None:
            return None
        stops = marked(options.stop_token_ids, self._vocab_size)
        return LoopPlan(
            (rules.key, min(options.num_alternatives, self._vocab_size)),
            tuple(tuple(map(_tensor, numbers)) for numbers in rules.numbers),
            _tensor(stops),
            options.max_new_tokens,
        )

    def begin(
        self,
        plan: LoopPlan,
        batch: Batch[Caches],
        running: npt.NDArray[np.bool_],
        uniforms: npt.NDArray[np.float32],
    ) -> tuple[Flight, Written]:
        """See ``SelfStepping.begin``."""
        rows = len(running)
        more = _rounded_rows(rows) - rows
        batch = take(self._stepper, batch, np.pad(np.arange(rows), (0, more)))
        seen = batch.history
        width = -(-(seen.token_ids.shape[1] + plan.max_new_tokens) // ROOM_STEP)
        room = width * ROOM_STEP - seen.token_ids.shape[1]
        ids = np.pad(seen.token_ids, ((0, 0), (0, room)), constant_values=PADDING)
        past = Past(*map(_tensor, (ids, seen.lengths, seen.prompt_lengths)))
        graph = self._graph("first", plan, self._first)
        told, is_running, written = graph(
            _tensor(batch.logits),
            past,
            _tensor(np.pad(running, (0, more))),
            _tensor(_padded(uniforms, 1, rows + more)),
            plan.stops,
            plan.numbers,
        )
        return Flight(batch.cache, told, is_running), written

    def go_on(
        self, plan: LoopPlan, flight: Flight, uniforms: npt.NDArray[np.float32]
    ) -> tuple[Flight, Written]:
        """See ``SelfStepping.go_on``."""
        graph = self._graph("chunk", plan, self._chunk, used_up=(FLIGHT,))
        rows = flight.running.shape[0]
        answered: tuple[Flight, Written] = graph(
            flight,
            _tensor(np.int32(len(uniforms))),
            _tensor(_padded(uniforms, self.longest, rows)),
            plan.stops,
            plan.numbers,
        )
        return answered

    def fetch(self, pending: Written, num_steps: int, num_rows: int) -> Chunk:
        """See ``SelfStepping.fetch``."""
        arrays = map(ops.convert_to_numpy, pending)
        return Chunk(*(part[:num_steps, :num_rows] for part in arrays))

    def _graph(self, name: str, plan: LoopPlan, build: Any, **how: Any) -> Any:
        with self._lock:
            key = (name, plan.graph)
            if key not in self._graphs:
                rules, num_alternatives = plan.graph
                function = partial(build, rules, num_alternatives)
                self._graphs[key] = self._backend.compile_whole(
                    function, self._weights, how.get("used_up", ())
                )
            return self._graphs[key]

    def _first(
        self,
        rules: Key,
        num_alternatives: int,
        logits: Any,
        past: Past,
        running: Any,
        uniforms: Any,
        stops: Any,
        numbers: Sequence[Any],
    ) -> tuple[Past, Any, Written]:
        """Choose without a step; a chunk of one."""
        token_ids = choose(rules, numbers, logits, past, uniforms[0])
        written = _described(logits, token_ids, num_alternatives)
        past, running = _appended(past, running, written, stops)
        return past, running, Written(*(part[None] for part in written))

    def _chunk(
        self,
        rules: Key,
        num_alternatives: int,
        flight: Flight,
        num_steps: Any,
        uniforms: Any,
        stops: Any,
        numbers: Sequence[Any],
    ) -> tuple[Flight, Written]:
        """Step and choose, until enough or until every row has ended."""
        steps = ops.arange(self.longest, dtype="int32")

        def goes_on(step: Any, flight: Flight, _: Written) -> Any:
            return ops.logical_and(step < num_steps, ops.any(flight.running))

        def one_more(step: Any, flight: Flight, made: Written) -> Any:
            caches, past, running = flight
            at = past.lengths - 1
            last = ops.take_along_axis(past.token_ids, at[:, None], axis=1)[:, 0]
            outputs, caches = self._step(last, at, caches)
            logits, drawn = outputs["logits"], ops.take(uniforms, step, axis=0)
            token_ids = choose(rules, numbers, logits, past, drawn)
            new = _described(logits, token_ids, num_alternatives)
            past, running = _appended(past, running, new, stops)
            made = Written(
                *(_put(*two, steps == step) for two in zip(made, new, strict=True))
            )
            return step + 1, Flight(caches, past, running), made

        rows = flight.running.shape[0]
        start = (ops.convert_to_tensor(0, "int32"), flight)
        made = _nothing(self.longest, rows, num_alternatives)
        _, flight, made = ops.while_loop(goes_on, one_more, (*start, made))
        return flight, made


def _described(logits: Any, token_ids: Any, num_alternatives: int) -> Written:
    """Return what the network itself thought of tokens (batch,); see scoring.py."""
    best = ops.max(logits, axis=-1)
    total = ops.sum(ops.exp(logits - best[:, None]), axis=-1)
    normalizers = best + ops.log(total)
    chosen = ops.take_along_axis(logits, token_ids[:, None], axis=-1)[:, 0]
    rows = logits.shape[0]
    ids = ops.zeros((rows, 0), "int32")
    shares = ops.zeros((rows, 0), "float32")
    if num_alternatives:
        values, ids = ops.top_k(logits, num_alternatives)
        ids, shares = ops.cast(ids, "int32"), ops.exp(values - normalizers[:, None])
    return Written(token_ids, chosen - normalizers, best, ids, shares)


def _appended(past: Past, running: Any, new: Written, stops: Any) -> tuple[Past, Any]:
    """Put tokens behind the rows that run, and end those that stop or are no numbers.

    A row that has ended keeps its last token, whose step changes nothing.
    """
    is_number = ops.abs(new.best) < float("inf")
    ends = ops.take(stops, new.token_ids, axis=0)
    running = ops.logical_and(running, ops.logical_and(is_number, ~ends))
    width = past.token_ids.shape[1]
    here = ops.arange(width, dtype="int32")[None] == past.lengths[:, None]
    here = ops.logical_and(here, running[:, None])
    ids = ops.where(here, new.token_ids[:, None], past.token_ids)
    lengths = past.lengths + ops.cast(running, "int32")
    return Past(ids, lengths, past.prompt_lengths), running


def _nothing(steps: int, rows: int, num_alternatives: int) -> Written:
    """Return room for a chunk."""
    plain, wide = (steps, rows), (steps, rows, num_alternatives)
    return Written(
        ops.zeros(plain, "int32"),
        ops.zeros(plain, "float32"),
        ops.zeros(plain, "float32"),
        ops.zeros(wide, "int32"),
        ops.zeros(wide, "float32"),
    )


def _put(room: Any, new: Any, here: Any) -> Any:
    """Return a chunk with a step's (batch, ...) where ``here`` (steps,) is True."""
    here = ops.reshape(here, (-1, *(1 for _ in new.shape)))
    return ops.where(here, new[None], room)


def _padded(
    uniforms: npt.NDArray[np.float32], num_steps: int, rows: int
) -> npt.NDArray[np.float32]:
    room = (num_steps - uniforms.shape[0], rows - uniforms.shape[1])
    return np.pad(uniforms, ((0, room[0]), (0, room[1])))


def _rounded_rows(rows: int) -> int:
    """Return the power of two that has room for the rows."""
    return 1 << (rows - 1).bit_length()


def _tensor(values: Any) -> Any:
    return ops.convert_to_tensor(values)

"""The reference engine: the Keras network itself, compiled by its backend.

Changes when the Keras way of running changes. Knows no family and no task.
"""

from functools import partial
from threading import Lock
from typing import Any

import keras
import numpy as np
from keras import ops

from model_core.engines.backend import active_backend
from model_core.engines.base import Floats, Ints, TokenBatch, Writing
from model_core.engines.keras_loop import KerasLoop
from model_core.masks import MaskKind
from model_core.models.heads import HiddenStates
from model_core.models.network import (
    Caches,
    Network,
    SourceCaches,
    extend,
    take_rows,
)

POSITION_AXES = {  # axes of an output that run over the positions
    "pooled": (),
    "class_logits": (),
    "next_sentence_logits": (),
    "entity_shared": (1, 2),
    "heads_shared": (1, 2),
    "tails_shared": (1, 2),
}
HALF_BYTES = 2
CAPACITY_STEP = 64  # caches of nearby sizes share one compiled step


class KerasEngine:
    """Runs a network on the device that the Keras backend chose.

    What is generated is segment 1, where a network knows segments (UniLM).

    Args:
        network: With its weights.
        whole_loop: Whether its steppers can step by themselves, many tokens in one
            compiled call; None for where that is faster, on an accelerator.
    """

    def __init__(self, network: Network, *, whole_loop: bool | None = None) -> None:
        self.network = network
        self.name = f"keras-{keras.backend.backend()}"
        self.backend = active_backend()
        accelerator = self.backend.accelerator()
        self.device = accelerator or "cpu"
        self.whole_loop = (
            bool(accelerator) and self.backend.has_loops
            if whole_loop is None
            else whole_loop
        )
        self.heads = tuple(network.heads)
        self._graphs: dict[Any, Any] = {}
        self._lock = Lock()

    def read(
        self,
        batch: TokenBatch,
        attention: MaskKind,
        heads: tuple[str, ...] | None = None,
        places: Ints | None = None,
    ) -> dict[str, Floats]:
        """See ``Engine.read``."""
        length = batch.token_ids.shape[1]
        room = self.rounded(length)
        heads = self.heads if heads is None else heads
        inputs: dict[str, Any] = {
            "token_ids": _widen(batch.token_ids, room),
            "segment_ids": _widen(batch.segment_ids, room),
            "padding_mask": _widen(batch.padding_mask, room),
        }
        if batch.mark_ids is not None:
            inputs["mark_ids"] = _widen(batch.mark_ids, room)
        if places is not None:
            inputs["places"] = places
        names = tuple(inputs)
        graph = self._graph(
            ("read", attention, heads, names),
            lambda: self._reader(attention, heads, names),
        )
        outputs = graph(*map(tensor, inputs.values()))
        if places is not None:
            return _arrays(outputs)
        return {
            name: _narrowed(array(value), POSITION_AXES.get(name, (1,)), length)
            for name, value in outputs.items()
        }

    def read_head(
        self, head: str, hidden: Floats, residual: Floats, last: Ints | None = None
    ) -> dict[str, Floats]:
        """Return a head's outputs for states that another engine computed.

        Args:
            head: Of the network.
            hidden: float32 (batch, length, hidden_size).
            residual: The same before the last norm.
            last: int32 (batch,), the place of each row's last token; None where all
                rows are of the whole length.
        """
        if last is None:
            last = np.full(len(hidden), hidden.shape[1] - 1, "int32")
        graph = self._graph(
            ("head", head),
            lambda: (
                lambda *states: self.network.heads[head](
                    HiddenStates(*states), self.network.embeddings
                )
            ),
        )
        return _arrays(graph(tensor(hidden), tensor(residual), tensor(last)))

    def apply(self, head: str, *arrays: Any) -> dict[str, Floats]:
        """See ``Engine.apply``."""
        graph = self._graph(
            ("apply", head), lambda: lambda *given: self.network.apply(head, *given)
        )
        outputs = graph(*map(tensor, arrays))
        return {name: array(value) for name, value in outputs.items()}

    def stepper(self, writing: Writing) -> "KerasStepper":
        """See ``Engine.stepper``."""
        made: KerasStepper = self._graph(
            ("stepper", writing), lambda: KerasStepper(self, writing), compiled=False
        )
        return made

    def compile(self, function: Any) -> Any:
        """Return a function of tensors that reads the network's weights, compiled."""
        return self.backend.compile(function, self.network.variables)

    def rounded(self, length: int) -> int:
        """Return the length to compute at, so that few shapes are compiled."""
        step = self.backend.length_step
        limit = self.network.config.max_position_embeddings
        return min(-(-length // step) * step, max(limit, length))

    def _graph(self, key: Any, build: Any, *, compiled: bool = True) -> Any:
        with self._lock:
            if key not in self._graphs:
                made = build()
                self._graphs[key] = self.compile(made) if compiled else made
            return self._graphs[key]

    def _reader(
        self, kind: MaskKind, heads: tuple[str, ...], names: tuple[str, ...]
    ) -> Any:
        def graph(*inputs: Any) -> dict[str, Any]:
            given = dict(zip(names, inputs, strict=True))
            outputs: dict[str, Any] = self.network(**given, attention=kind, heads=heads)
            return outputs

        return graph


class KerasStepper:
    """Steps of one kind over a Keras network; see ``RichStepper``.

    Args:
        engine: Whose network and backend.
        writing: The kind of steps.

    Attributes:
        itself: The same steps, many in one call; None where the engine has none.
    """

    def __init__(self, engine: KerasEngine, writing: Writing) -> None:
        self.engine = engine
        self.writing = writing
        config = engine.network.config
        self._has_segments = config.type_vocab_size > 1 or config.segments_are_tokens
        self._prefills: dict[tuple[str, ...], Any] = {}
        self._extensions: dict[int, Any] = {}
        self._decode = engine.compile(self._decode_graph)
        self._reorder = engine.backend.compile(take_rows, ())
        self.itself = (
            KerasLoop(
                self,
                self._decode_graph,
                engine.network.variables,
                config.vocab_size,
                engine.backend,
            )
            if engine.whole_loop
            else None
        )

    def prefill(
        self,
        token_ids: Ints,
        lengths: Ints,
        capacity: int,
        mark_ids: Ints | None = None,
        segment_ids: Ints | None = None,
    ) -> tuple[dict[str, Floats], Caches]:
        """See ``RichStepper.prefill``."""
        length = self.engine.rounded(token_ids.shape[1])
        started = len(self.writing.start_ids)
        if started:  # what is written has a cache of its own
            capacity += started - token_ids.shape[1]
        capacity = max(-(-capacity // CAPACITY_STEP) * CAPACITY_STEP, started or length)
        inputs = {"token_ids": _widen(token_ids, length), "lengths": lengths}
        for name, ids in (("mark_ids", mark_ids), ("segment_ids", segment_ids)):
            if ids is not None:
                inputs[name] = _widen(ids, length)
        outputs, seen = self._prefill(tuple(inputs))(*map(tensor, inputs.values()))
        return _arrays(outputs), self._extended(seen, capacity)

    def decode_one_token(
        self, token_ids: Ints, positions: Ints, cache: Caches
    ) -> tuple[dict[str, Floats], Caches]:
        """See ``RichStepper.decode_one_token``."""
        outputs, cache = self._decode(tensor(token_ids), tensor(positions), cache)
        return _arrays(outputs), cache

    def reorder(self, cache: Caches, rows: Ints) -> Caches:
        """See ``RichStepper.reorder``."""
        reordered: Caches = self._reorder(cache, tensor(rows))
        return reordered

    def _extended(self, seen: Caches, capacity: int) -> Caches:
        """Give caches room; in one call where calls of a device are what takes time."""
        if self.itself is None:
            return extend(seen, capacity)
        if capacity not in self._extensions:
            self._extensions[capacity] = self.engine.backend.compile_whole(
                partial(extend, capacity=capacity), (), ()
            )
        extended: Caches = self._extensions[capacity](seen)
        return extended

    def _prefill(self, names: tuple[str, ...]) -> Any:
        """Return the compiled reading of prompts with these inputs."""
        if names not in self._prefills:
            self._prefills[names] = self.engine.compile(
                lambda *inputs: self._read(**dict(zip(names, inputs, strict=True)))
            )
        return self._prefills[names]

    def _read(
        self,
        token_ids: Any,
        lengths: Any,
        mark_ids: Any = None,
        segment_ids: Any = None,
    ) -> tuple[Any, Caches]:
        causal = self.writing.attention == "causal" and not self.writing.start_ids
        if segment_ids is None and self._has_segments:
            like = ops.ones_like if causal else ops.zeros_like
            segment_ids = like(token_ids)
        return self.engine.network.prefill(
            token_ids,
            lengths,
            segment_ids=segment_ids,
            mark_ids=mark_ids,
            condition_ids=self._condition(token_ids),
            start_ids=self._start(token_ids),
            attention="causal" if causal else "bidirectional",
            extra_heads=self.writing.extra_heads,
        )

    def _decode_graph(
        self, token_ids: Any, positions: Any, caches: Caches
    ) -> tuple[Any, Caches]:
        if isinstance(caches, SourceCaches):
            written = positions - ops.sum(ops.cast(caches.valid, "int32"), axis=1)
            positions = written + len(self.writing.start_ids)
        return self.engine.network.decode_one_token(
            token_ids,
            positions,
            caches,
            self._segments(token_ids),
            condition_ids=self._condition(token_ids),
            extra_heads=self.writing.extra_heads,
        )

    def _segments(self, token_ids: Any) -> Any:
        if not self._has_segments:
            return None
        return ops.full_like(token_ids, self.writing.segment)

    def _start(self, token_ids: Any) -> Any:
        if not self.writing.start_ids:
            return None
        start = ops.convert_to_tensor([self.writing.start_ids], dtype="int32")
        return ops.tile(start, (ops.shape(token_ids)[0], 1))

    def _condition(self, token_ids: Any) -> Any:
        if self.writing.condition is None:
            return None
        rows = ops.shape(token_ids)[0]
        return ops.full((rows,), self.writing.condition, dtype="int32")


def tensor(values: Any) -> Any:
    """Return a tensor of the active backend."""
    return ops.convert_to_tensor(values)


def array(values: Any) -> Floats:
    """Return a numpy array of a backend's tensor, half precision widened."""
    converted: Floats = ops.convert_to_numpy(values)
    is_half = converted.dtype.itemsize == HALF_BYTES
    return converted.astype("float32") if is_half else converted


def _arrays(outputs: dict[str, Any]) -> dict[str, Floats]:
    return {name: array(value) for name, value in outputs.items()}


def _narrowed(values: Floats, axes: tuple[int, ...], length: int) -> Floats:
    for axis in axes:
        values = values.take(range(length), axis) if axis > 1 else values[:, :length]
    return values


def _widen(values: Any, length: int) -> Any:
    return np.pad(values, [(0, 0), (0, length - values.shape[1])])

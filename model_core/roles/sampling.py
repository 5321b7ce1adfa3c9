"""Sampling on a loaded model: together with others where its engine can.

Changes when a role's way to an engine's steps does.
"""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from threading import Lock
from typing import Any

from model_core.decoding.chunks import ChunkingStepper, Writer
from model_core.decoding.frames import DecodingFrame
from model_core.decoding.loop import SamplingOptions, generate
from model_core.decoding.stepper import Stepper
from model_core.decoding.streams import Streams
from model_core.engines.base import (
    Engine,
    JoiningRichStepper,
    PlainJoiningStepper,
    PlainStepper,
    RichStepper,
    Writing,
)

FRAME_SECONDS = 1 / 30


class Sampling:
    """Samples with an engine.

    Args:
        engine: Its steps of one kind are shared by all who ask at the same time, where
            it can join them.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._streams: dict[JoiningRichStepper, Streams[Any]] = {}
        self._lock = Lock()

    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        options: SamplingOptions,
        writing: Writing | None = None,
        frame_seconds: float = 0.0,
        read_by: Callable[[RichStepper], Stepper[Any]] = PlainStepper,
    ) -> Iterator[DecodingFrame]:
        """Yield the whole result so far; see ``decoding.loop.generate``.

        The engine is asked for its steps once: one that improves meanwhile does not
        change under a text.

        Args:
            prompts: One list of token ids per row.
            options: How to sample.
            writing: The kind of steps; the plain causal ones where None.
            frame_seconds: Between two frames at least, but for the last.
            read_by: Makes of the steps what reads the prompts.
        """
        stepper = self._engine.stepper(writing or Writing())
        reading = read_by(stepper)
        if isinstance(stepper, JoiningRichStepper):
            shared = self._shared(stepper)
            return shared.generate(prompts, options, frame_seconds, reading)
        if isinstance(stepper, ChunkingStepper) and stepper.itself is not None:
            writer = Writer(PlainStepper(stepper), stepper.itself)
            return spaced(writer.generate(prompts, options, reading), frame_seconds)
        return spaced(generate(reading, prompts, options), frame_seconds)

    def _shared(self, stepper: JoiningRichStepper) -> Streams[Any]:
        with self._lock:
            if stepper not in self._streams:
                self._streams[stepper] = Streams(PlainJoiningStepper(stepper))
            return self._streams[stepper]


def spaced(
    frames: Generator[DecodingFrame, None, None], seconds: float
) -> Generator[DecodingFrame, None, None]:
    """Yield the first frame, the last, and those far enough apart.

    Nobody reads thirty frames a second, and writing one out takes time.
    """
    following = 0.0
    try:
        for frame in frames:
            if time.monotonic() >= following or frame.is_finished:
                yield frame
                following = time.monotonic() + seconds
    finally:
        frames.close()

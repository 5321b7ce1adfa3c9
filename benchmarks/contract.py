"""What a contender is asked to do, the same of ours and of every peer.

Changes when another piece of work is measured. Knows no framework: a peer's interpreter
may hold nothing of this project's requirements but numpy.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from benchmarks.shapes import Ints

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Setup:
    """How a contender runs.

    Attributes:
        source: The folder that transformers wrote.
        made: A folder of the contender's own for what it converts.
        precision: ``float32`` or ``int8``.
        threads: Cores to use.
        engine: Which of our engines; "" for a peer.
    """

    source: Path
    made: Path
    precision: str
    threads: int
    engine: str = ""


class Decoder(Protocol):
    """Continues prompts greedily, whatever it writes."""

    def greedy(self, prompts: Ints, num_new: int) -> Ints:
        """Return the new tokens.

        Args:
            prompts: int32 (batch, length), no padding.
            num_new: Tokens that each row gets; nothing ends it sooner.

        Returns:
            int32 (batch, num_new).
        """
        ...


class Reader(Protocol):
    """Reads texts both ways."""

    def read(self, token_ids: Ints) -> Floats:
        """Return the last hidden states.

        Args:
            token_ids: int32 (batch, length), no padding.

        Returns:
            float32 (batch, length, width).
        """
        ...


class BeamWriter(Protocol):
    """Writes the best target of a beam search behind a source."""

    def write(self, source: Ints, num_beams: int, num_new: int) -> Ints:
        """Return the best target.

        Args:
            source: int32 (1, length).
            num_beams: Continuations in flight.
            num_new: Tokens of the target.

        Returns:
            int32 (1, num_new).
        """
        ...


class Contender(Protocol):
    """A module of ``benchmarks.peers``, or ``benchmarks.ours``.

    A module offers those of ``decoder``, ``reader`` and ``beam_writer`` that its row in
    ``contenders.py`` lists.
    """

    def prepare(self, setup: Setup, part: str) -> None:
        """Convert what the part needs into ``setup.made``, which exists."""
        ...

    def versions(self) -> dict[str, str]:
        """Return the versions of the libraries that answer."""
        ...

    def decoder(self, setup: Setup) -> Decoder:
        """Load the decoder-only network."""
        ...

    def reader(self, setup: Setup) -> Reader:
        """Load the encoder."""
        ...

    def beam_writer(self, setup: Setup) -> BeamWriter:
        """Load the encoder-decoder."""
        ...


class Steps(Protocol):
    """A network that reads prompts and then goes token by token."""

    def read(self, prompts: Ints, num_new: int) -> tuple[Floats, Any]:
        """Return logits (batch, vocabulary) behind the prompts, and a cache."""
        ...

    def step(self, token_ids: Ints, positions: Ints, cache: Any) -> tuple[Floats, Any]:
        """Append a token per row; return the next logits, and the cache."""
        ...


class GreedySteps:
    """A ``Decoder`` out of steps: the best token, then the next step.

    Args:
        steps: The network.
    """

    def __init__(self, steps: Steps) -> None:
        self._steps = steps

    def greedy(self, prompts: Ints, num_new: int) -> Ints:
        """See ``Decoder.greedy``."""
        batch, length = prompts.shape
        logits, cache = self._steps.read(prompts, num_new)
        chosen = np.empty((batch, num_new), "int32")
        chosen[:, 0] = logits.argmax(-1)
        for index in range(1, num_new):
            positions = np.full(batch, length + index - 1, "int32")
            logits, cache = self._steps.step(chosen[:, index - 1], positions, cache)
            chosen[:, index] = logits.argmax(-1)
        return chosen

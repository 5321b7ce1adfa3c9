"""What every engine can be asked, in numpy arrays.

Changes when a new question is asked of a network. Knows no framework.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt

from model_core.masks import MaskKind

Ints = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class TokenBatch:
    """Token ids of several texts, right-padded to one length.

    Attributes:
        token_ids: int32 (batch, length).
        segment_ids: int32 (batch, length).
        padding_mask: bool (batch, length), True for a real token.
        mark_ids: int32 (batch, length), or None where no token is marked.
    """

    token_ids: Ints
    segment_ids: Ints
    padding_mask: Bools
    mark_ids: Ints | None = None

    @classmethod
    def from_rows(
        cls,
        rows: Sequence[Sequence[int] | Ints],
        segments: Sequence[Sequence[int] | Ints] | None = None,
        pad_id: int = 0,
        marks: Sequence[Sequence[int] | Ints] | None = None,
    ) -> Self:
        """Pad rows of ids to the longest of them.

        Args:
            rows: Token ids of each text, at least one each.
            segments: Segment ids of the same shape; zeros where None.
            pad_id: What fills up.
            marks: Mark ids of the same shape; none where None.
        """
        token_ids = padded(rows, pad_id)
        lengths = np.asarray([len(row) for row in rows])
        return cls(
            token_ids,
            np.zeros_like(token_ids) if segments is None else padded(segments),
            np.arange(token_ids.shape[1]) < lengths[:, None],
            None if marks is None else padded(marks),
        )

    def part(self, texts: slice) -> "TokenBatch":
        """Return some of the texts, as long as the longest of all."""
        return TokenBatch(
            self.token_ids[texts],
            self.segment_ids[texts],
            self.padding_mask[texts],
            None if self.mark_ids is None else self.mark_ids[texts],
        )


@dataclass(frozen=True, slots=True)
class Writing:
    """How a stepper reads its prompts and what it says of each next token.

    Attributes:
        attention: ``causal``, or ``prefix_lm``: the prompt is a source that sees all
            of itself.
        extra_heads: Heads to read besides the vocabulary's.
        condition: Shifts the norms; None does not.
        start_ids: What a decoder is given to start with, whose prompts are sources
            that see all of themselves; none for a network without a decoder.
        segment: Of what is written, where a network knows segments; 1 is UniLM's.
    """

    attention: MaskKind = "causal"
    extra_heads: tuple[str, ...] = ()
    condition: int | None = None
    start_ids: tuple[int, ...] = ()
    segment: int = 1


class RichStepper(Protocol):
    """A stepper whose steps say more than logits, over a cache of the engine's."""

    def prefill(
        self,
        token_ids: Ints,
        lengths: Ints,
        capacity: int,
        mark_ids: Ints | None = None,
        segment_ids: Ints | None = None,
    ) -> tuple[dict[str, Floats], Any]:
        """Read prompts; see ``Stepper.prefill``. Outputs by name, (batch, ...).

        Args:
            token_ids: int32 (batch, length), right-padded.
            lengths: int32 (batch,).
            capacity: Positions to reserve.
            mark_ids: int32 (batch, length), or None where no token is marked.
            segment_ids: int32 (batch, length); None for those that the kind of
                writing implies.
        """
        ...

    def decode_one_token(
        self, token_ids: Ints, positions: Ints, cache: Any
    ) -> tuple[dict[str, Floats], Any]:
        """Append one token per row; see ``Stepper.decode_one_token``."""
        ...

    def reorder(self, cache: Any, rows: Ints) -> Any:
        """See ``Stepper.reorder``."""
        ...


@runtime_checkable
class JoiningRichStepper(RichStepper, Protocol):
    """A rich stepper that joins caches; see ``JoiningStepper``."""

    def join(self, caches: Sequence[Any]) -> Any:
        """See ``JoiningStepper.join``."""
        ...


@runtime_checkable
class RichAheadStepper(RichStepper, Protocol):
    """A rich stepper that appends several tokens to a row; see ``AheadStepper``."""

    def decode_tokens(
        self, token_ids: Ints, rows: Ints, positions: Ints, cache: Any
    ) -> tuple[dict[str, Floats], Any]:
        """See ``AheadStepper.decode_tokens``."""
        ...


@dataclass(frozen=True, slots=True)
class PlainStepper:
    """A ``Stepper`` out of a rich one: its logits alone."""

    rich: RichStepper

    def prefill(
        self, token_ids: Ints, lengths: Ints, capacity: int
    ) -> tuple[Floats, Any]:
        """See ``Stepper.prefill``."""
        outputs, cache = self.rich.prefill(token_ids, lengths, capacity)
        return outputs["logits"], cache

    def decode_one_token(
        self, token_ids: Ints, positions: Ints, cache: Any
    ) -> tuple[Floats, Any]:
        """See ``Stepper.decode_one_token``."""
        outputs, cache = self.rich.decode_one_token(token_ids, positions, cache)
        return outputs["logits"], cache

    def reorder(self, cache: Any, rows: Ints) -> Any:
        """See ``Stepper.reorder``."""
        return self.rich.reorder(cache, rows)


def causal_steps(engine: "Engine") -> PlainStepper:
    """Return an engine's plain steps: causal, of segment 1, under no condition."""
    return PlainStepper(engine.stepper(Writing()))


@dataclass(frozen=True, slots=True)
class PlainJoiningStepper(PlainStepper):
    """A ``JoiningStepper`` out of a rich one."""

    rich: JoiningRichStepper

    def join(self, caches: Sequence[Any]) -> Any:
        """See ``JoiningStepper.join``."""
        return self.rich.join(caches)


class Engine(Protocol):
    """Runs one network: reads texts whole, or steps through them with a cache."""

    @property
    def name(self) -> str:
        """Name of the engine, e.g. ``keras-tensorflow``."""
        ...

    @property
    def device(self) -> str:
        """Where it runs: ``cpu``, ``gpu:0``."""
        ...

    @property
    def network(self) -> Any:
        """The Keras network it runs, for those who learn from it."""
        ...

    @property
    def heads(self) -> tuple[str, ...]:
        """Heads of the network."""
        ...

    def read(
        self,
        batch: TokenBatch,
        attention: MaskKind,
        heads: tuple[str, ...] | None = None,
        places: Ints | None = None,
    ) -> dict[str, Floats]:
        """Return ``hidden`` and some heads' outputs, float32.

        Args:
            batch: Texts of at most the network's positions.
            attention: How positions see each other.
            heads: Which; None for every head.
            places: int32 (batch, num_places), the only positions to read at; None for
                all. A vocabulary is wide: a blank's scores are not those of a text.
        """
        ...

    def apply(self, head: str, *arrays: npt.NDArray[Any]) -> dict[str, Floats]:
        """Ask a head about what it has read already; see the head's ``apply``."""
        ...

    def stepper(self, writing: Writing) -> RichStepper:
        """Return the steps of a kind of writing, the same for the same kind."""
        ...


def padded(rows: Sequence[Sequence[int] | Ints], fill: int = 0) -> Ints:
    """Return rows of ids side by side, filled up to the longest, int32."""
    made = np.full((len(rows), max(map(len, rows))), fill, "int32")
    for index, row in enumerate(rows):
        made[index, : len(row)] = row
    return made

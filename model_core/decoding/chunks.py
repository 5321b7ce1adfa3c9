"""Sampling by the chunk: a network that steps by itself writes many tokens at once.

Changes when chunks are asked for otherwise. What a request gets is what ``loop.py``
gives it; rules that only the host can follow are followed there, step by step, until
they rule nothing any more.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from model_core.decoding.batch import Batch
from model_core.decoding.checks import check_prompts
from model_core.decoding.frames import ChosenToken, DecodingFrame
from model_core.decoding.logits import lasts, still_needed
from model_core.decoding.loop import Progress, SamplingOptions, begun, steps
from model_core.decoding.sampling import Sampler
from model_core.decoding.scoring import log_normalizers
from model_core.decoding.stepper import CacheT, Logits, Stepper, TokenIds

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some steps of some rows; what stands behind a row's stop token says nothing.

    Attributes:
        token_ids: int32 (steps, batch).
        log_probs: float32 (steps, batch), before any rule.
        best: float32 (steps, batch), the best logit before any rule.
        alternative_ids: int32 (steps, batch, alternatives), best first.
        alternative_shares: float32 of the same shape, their probabilities.
    """

    token_ids: TokenIds
    log_probs: Logits
    best: Logits
    alternative_ids: TokenIds
    alternative_shares: Logits


class SelfStepping(Protocol[CacheT]):
    """Steps by itself: chooses a token, appends it, goes on.

    A flight is what it keeps between two chunks; used up by the call that receives it.
    A chunk that is asked for may still be computed when the call returns.

    Attributes:
        longest: Most steps of a chunk.
    """

    longest: int

    def plan(self, options: SamplingOptions) -> Any:
        """Return how to follow a request's rules by itself; None where it cannot."""
        ...

    def begin(
        self, plan: Any, batch: Batch[CacheT], running: Bools, uniforms: Logits
    ) -> tuple[Any, Any]:
        """Choose the tokens behind what is read.

        Args:
            plan: Of the request.
            batch: Of the prompts; its cache is used up.
            running: (batch,), False for rows that get no token.
            uniforms: float32 (1, batch), from 0 to 1.

        Returns:
            The flight, and a chunk of one step to ``fetch``.
        """
        ...

    def go_on(self, plan: Any, flight: Any, uniforms: Logits) -> tuple[Any, Any]:
        """Append the last tokens and choose the next, so many times.

        Ends sooner where every row has stopped.

        Args:
            plan: Of the request.
            flight: From the last call.
            uniforms: float32 (steps, batch); ``longest`` steps at most.
        """
        ...

    def fetch(self, pending: Any, num_steps: int, num_rows: int) -> Chunk:
        """Wait for a chunk and return it."""
        ...


@runtime_checkable
class ChunkingStepper(Protocol):
    """A stepper that may be able to step by itself.

    Attributes:
        itself: Does; None where it cannot.
    """

    itself: SelfStepping[Any] | None


@dataclass(frozen=True, slots=True)
class Writer(Generic[CacheT]):
    """What writes by the chunk.

    Attributes:
        stepper: The network.
        itself: The same, stepping by itself.
    """

    stepper: Stepper[CacheT]
    itself: SelfStepping[CacheT]

    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        options: SamplingOptions,
        reading: Stepper[CacheT] | None = None,
    ) -> Generator[DecodingFrame, None, None]:
        """Yield the whole result so far after every chunk; see ``loop.generate``.

        The first chunk is one token, every later one twice as long as the one before.
        The next is under way while a frame is looked at; closing the generator asks
        for no other.

        Args:
            prompts: One list of token ids per row, each with at least one.
            options: How to sample.
            reading: Reads the prompts, into a cache of the steps; the steps' own
                reading where None.

        Raises:
            ValueError: No prompt, or one without a token (at once).
            FloatingPointError: The network's logits are not numbers.
        """
        check_prompts(prompts)
        return self._frames(prompts, options, reading or self.stepper)

    def _frames(
        self,
        prompts: Sequence[Sequence[int]],
        options: SamplingOptions,
        reading: Stepper[CacheT],
    ) -> Generator[DecodingFrame, None, None]:
        progress = begun(reading, prompts, options)
        most, plan = self._beginning(options)
        yield from steps(self.stepper, progress, options, most)
        if not all(row.finish for row in progress.rows):
            yield from self._chunks(progress, options, plan)

    def _beginning(self, options: SamplingOptions) -> tuple[float, Any]:
        """Return how many steps the host must take, and the plan for those behind."""
        ends = {0.0, *(lasts(rule) for rule in options.rules)} - {np.inf}
        for end in sorted(ends):
            rules = still_needed(options.rules, int(end))
            plan = self.itself.plan(_under(options, rules))
            if plan is not None:
                return end, plan
        return np.inf, None

    def _chunks(
        self, progress: Progress[CacheT], options: SamplingOptions, plan: Any
    ) -> Generator[DecodingFrame, None, None]:
        rows, slots = progress.rows, progress.slots.tolist()
        running = np.array([not rows[row].finish for row in slots], np.bool_)
        left = options.max_new_tokens - max(len(rows[row].tokens) for row in slots)
        draw = Draws(progress.sampler, slots)
        flight, pending = self.itself.begin(
            plan, progress.batch, running, draw.next(1, running)
        )
        size = 1
        while True:
            left -= size
            following = min(2 * size, self.itself.longest, left)
            uniforms = draw.next(following, running)  # while the device computes
            chunk = self.itself.fetch(pending, size, len(slots))
            lasting = _lasting(chunk, running, options.stop_token_ids)
            if lasting.any() and following:
                flight, pending = self.itself.go_on(plan, flight, uniforms)
            for slot in np.flatnonzero(running).tolist():
                row = slots[slot]
                rows[row] = rows[row].extended_by(
                    _tokens(chunk, slot), options.stop_token_ids, options.max_new_tokens
                )
            frame = DecodingFrame(tuple(rows))
            yield frame
            if frame.is_finished:
                return
            running, size = lasting, following


@dataclass(frozen=True, slots=True)
class Draws:
    """A request's random numbers, some steps of them at once.

    Attributes:
        sampler: Its streams.
        slots: The row of every row of the batch.
    """

    sampler: Sampler
    slots: list[int]

    def next(self, num_steps: int, running: Bools) -> Logits:
        """Return the next numbers, float32 (steps, batch); 0 for rows that ended."""
        drawn = np.zeros((num_steps, len(self.slots)), np.float32)
        for slot in np.flatnonzero(running).tolist():
            row = self.slots[slot]
            for step in range(num_steps):
                drawn[step, slot] = self.sampler.next_number(row)
        return drawn


def _under(options: SamplingOptions, rules: Any) -> SamplingOptions:
    return SamplingOptions(
        options.max_new_tokens,
        options.stop_token_ids,
        rules,
        options.seed,
        options.num_alternatives,
    )


def _lasting(chunk: Chunk, running: Bools, stop_token_ids: frozenset[int]) -> Bools:
    """Return the rows that go on behind a chunk.

    Raises:
        FloatingPointError: A row that ran met logits that are not numbers.
    """
    stops = np.isin(chunk.token_ids, list(stop_token_ids))
    before: Bools = np.cumsum(stops, axis=0) - stops == 0
    ran = before & running
    if not np.isfinite(chunk.best[ran]).all():
        log_normalizers(chunk.best[ran][:, None])  # says which
    lasting: Bools = running & ~stops.any(axis=0)
    return lasting


def _tokens(chunk: Chunk, slot: int) -> list[ChosenToken]:
    """Return a row's tokens of a chunk, what stands behind a stop among them."""
    ids = chunk.token_ids[:, slot].tolist()
    log_probs = chunk.log_probs[:, slot].tolist()
    if not chunk.alternative_ids.shape[-1]:
        return [ChosenToken(*one) for one in zip(ids, log_probs, strict=True)]
    others = zip(
        chunk.alternative_ids[:, slot].tolist(),
        chunk.alternative_shares[:, slot].tolist(),
        strict=True,
    )
    runners_up = [
        tuple(pair for pair in zip(*both, strict=True) if pair[1] > 0)
        for both in others
    ]
    return [ChosenToken(*one) for one in zip(ids, log_probs, runners_up, strict=True)]

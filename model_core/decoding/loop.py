"""The sampling loop: read the prompts, then choose, yield and decode, step by step.

Changes when the order of a step changes. What is allowed is logits.py's business, how
to draw is sampling.py's.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Generic

import numpy as np
import numpy.typing as npt

from model_core.decoding.batch import Batch, advance, prefill, take
from model_core.decoding.checks import check_counts, check_prompts, check_seed
from model_core.decoding.frames import ChosenToken, DecodedRow, DecodingFrame
from model_core.decoding.logits import LogitsRule
from model_core.decoding.sampling import Sampler, choose
from model_core.decoding.scoring import chosen_tokens, log_normalizers
from model_core.decoding.stepper import CacheT, Stepper, TokenIds


@dataclass(frozen=True, slots=True)
class SamplingOptions:
    """How to sample.

    Attributes:
        max_new_tokens: Most tokens of a continuation, >= 1.
        stop_token_ids: Tokens that end a row.
        rules: Applied in order to the logits of every step; ``TopK(1)`` is greedy.
        seed: >= 0; the same seed gives the same tokens on the same engine.
        num_alternatives: Most probable tokens reported per position.
    """

    max_new_tokens: int
    stop_token_ids: frozenset[int] = frozenset()
    rules: tuple[LogitsRule, ...] = ()
    seed: int = 0
    num_alternatives: int = 0

    def __post_init__(self) -> None:
        check_seed(self.seed)
        check_counts(self.max_new_tokens, self.num_alternatives)


@dataclass(slots=True)
class Progress(Generic[CacheT]):
    """Where a request stands between two steps.

    Attributes:
        rows: Its texts so far.
        slots: The row of each row of the batch; some that are finished have none.
        sampler: Its random numbers.
        batch: What the next step is given.
    """

    rows: list[DecodedRow]
    slots: TokenIds
    sampler: Sampler
    batch: Batch[CacheT]


def generate(
    stepper: Stepper[CacheT],
    prompts: Sequence[Sequence[int]],
    options: SamplingOptions,
) -> Generator[DecodingFrame, None, None]:
    """Yield the whole result so far after every token, computing only on demand.

    The first frame costs one ``prefill``, every later one a ``decode_one_token``;
    closing the generator computes nothing more. Row i depends on its own prompt, the
    seed and i, never on the rows beside it.

    Args:
        stepper: The network.
        prompts: One list of token ids per row, each with at least one; n times the
            same prompt gives n continuations and is read once.
        options: How to sample.

    Raises:
        ValueError: No prompt, or one without a token (at once, not at the first frame).
        FloatingPointError: The network's logits are not numbers.
    """
    check_prompts(prompts)
    return _frames(stepper, prompts, options)


def _frames(
    stepper: Stepper[CacheT],
    prompts: Sequence[Sequence[int]],
    options: SamplingOptions,
) -> Generator[DecodingFrame, None, None]:
    yield from steps(stepper, begun(stepper, prompts, options), options)


def begun(
    stepper: Stepper[CacheT],
    prompts: Sequence[Sequence[int]],
    options: SamplingOptions,
) -> Progress[CacheT]:
    """Return the prompts, read."""
    return Progress(
        rows=[DecodedRow()] * len(prompts),
        slots=np.arange(len(prompts), dtype=np.int32),
        sampler=Sampler(options.seed, len(prompts)),
        batch=prefill(stepper, prompts, options.max_new_tokens),
    )


def steps(
    stepper: Stepper[CacheT],
    progress: Progress[CacheT],
    options: SamplingOptions,
    most: float = np.inf,
) -> Generator[DecodingFrame, None, None]:
    """Yield a frame per step.

    Args:
        stepper: The network.
        progress: Where the rows stand; afterwards where they stand then.
        options: How to sample.
        most: Steps to take.
    """
    rows, num_steps = progress.rows, 0
    while num_steps < most:
        running = _running(rows, progress.slots)
        chosen = _choose(progress, running, options)
        for slot, token in chosen.items():
            row = int(progress.slots[slot])
            rows[row] = rows[row].extended(
                token, options.stop_token_ids, options.max_new_tokens
            )
        frame = DecodingFrame(tuple(rows))
        yield frame
        if frame.is_finished:
            return
        progress.batch, progress.slots = _step(
            stepper, progress.batch, progress.slots, rows
        )
        num_steps += 1


def _running(rows: list[DecodedRow], slots: TokenIds) -> npt.NDArray[np.bool_]:
    return np.array([not rows[row].finish for row in slots], np.bool_)


def _choose(
    progress: Progress[CacheT],
    running: npt.NDArray[np.bool_],
    options: SamplingOptions,
) -> dict[int, ChosenToken]:
    """Draw one token for every slot that runs."""
    batch, slots, sampler = progress.batch, progress.slots, progress.sampler
    where = np.flatnonzero(running)
    if not len(where):
        return {}
    logits = batch.logits[where]
    normalizers = log_normalizers(logits)
    uniforms = np.array([sampler.next_number(row) for row in slots[where].tolist()])
    token_ids = choose(options.rules, logits, batch.history.take(where), uniforms)
    wanted = [options.num_alternatives] * len(where)
    tokens = chosen_tokens(logits, normalizers, token_ids, wanted)
    return dict(zip(where.tolist(), tokens, strict=True))


def _step(
    stepper: Stepper[CacheT],
    batch: Batch[CacheT],
    slots: TokenIds,
    rows: list[DecodedRow],
) -> tuple[Batch[CacheT], TokenIds]:
    """Decode the last tokens; drop finished rows once half of the batch is finished.

    Halving rather than dropping each: copying the cache costs about a step, and an
    engine that compiles per batch size sees few of them.
    """
    running = _running(rows, slots)
    if 2 * np.count_nonzero(running) <= len(slots):
        where = np.flatnonzero(running)
        batch, slots = take(stepper, batch, where), slots[where]
        running = running[where]
    last = [rows[row].tokens[-1].token_id if rows[row].tokens else 0 for row in slots]
    return advance(stepper, batch, np.array(last, np.int32), running), slots

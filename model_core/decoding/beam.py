"""Beam search as a generator: the best continuations so far after every step.

Changes when the search changes. Deterministic: it draws nothing.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from model_core.decoding.batch import Batch, advance, prefill, take
from model_core.decoding.checks import check_counts, check_prompts
from model_core.decoding.frames import DecodedRow, DecodingFrame
from model_core.decoding.logits import LogitsRule, Temperature, apply, best_first
from model_core.decoding.scoring import chosen_token, log_normalizers
from model_core.decoding.stepper import CacheT, Stepper


@dataclass(frozen=True, slots=True)
class BeamOptions:
    """How to search.

    Attributes:
        max_new_tokens: Most tokens of a continuation, >= 1.
        num_beams: Continuations kept in flight, >= 1; 1 is greedy.
        num_return: Continuations in a frame, 1 to ``num_beams``.
        length_penalty: Exponent of the length that divides the log-probability:
            above 0 favours long continuations, 0 and below short ones.
        stop_token_ids: Tokens that end a continuation.
        rules: Applied in order to the logits of every step. A rule may forbid a token
            or lower its logit; one that scales all of them has no meaning here.
        num_alternatives: Most probable tokens reported per position.
    """

    max_new_tokens: int
    num_beams: int
    num_return: int = 1
    length_penalty: float = 1.0
    stop_token_ids: frozenset[int] = frozenset()
    rules: tuple[LogitsRule, ...] = ()
    num_alternatives: int = 0

    def __post_init__(self) -> None:
        check_counts(self.max_new_tokens, self.num_alternatives)
        if self.num_beams < 1:
            raise ValueError(f"num_beams must be >= 1, got {self.num_beams}")
        if not 1 <= self.num_return <= self.num_beams:
            raise ValueError(
                f"num_return must be between 1 and num_beams = {self.num_beams}, "
                f"got {self.num_return}"
            )
        if any(isinstance(rule, Temperature) for rule in self.rules):
            raise ValueError(
                "beam search ranks by the model's own probabilities: rules must not "
                "hold a Temperature; leave it out, or sample instead"
            )

    def score(self, total: float, length: int) -> float:
        """Return ``total / length ** length_penalty``, the longer total is summed."""
        return float(total / length**self.length_penalty)


class _Beam(NamedTuple):
    """A continuation and the sum of its tokens' logits after the rules, normalised.

    ``total`` equals ``row.log_prob`` as long as the rules only forbid; a repetition
    penalty lowers it below.
    """

    row: DecodedRow
    total: float


class _Candidate(NamedTuple):
    total: float
    parent: int
    token_id: int


def beam_search(
    stepper: Stepper[CacheT], prompt: Sequence[int], options: BeamOptions
) -> Generator[DecodingFrame, None, None]:
    """Yield the best continuations so far, finished and running, best first.

    A continuation's score is ``log_prob / length ** length_penalty``; length counts
    the stop token. Rules that only forbid leave ``log_prob`` alone; a repetition
    penalty also lowers what is divided, though not the ``log_prob`` reported.

    Every step ranks all continuations by one token. Those that stop and rank among
    the first ``num_beams`` are finished; the first ``num_beams`` others run on, all
    through one ``decode_one_token``. The search ends when ``num_beams`` continuations
    have finished, at ``max_new_tokens``, or when no running one can reach, by any
    further tokens, a better score than the ``num_return`` best that have finished:
    log-probabilities only fall, so this last way out never changes the result.

    Args:
        stepper: The network.
        prompt: Token ids, at least one.
        options: How to search.

    Raises:
        ValueError: A prompt without a token (at once, not at the first frame).
        FloatingPointError: The network's logits are not numbers.
    """
    check_prompts([prompt])
    return _frames(stepper, prompt, options)


def _frames(
    stepper: Stepper[CacheT], prompt: Sequence[int], options: BeamOptions
) -> Generator[DecodingFrame, None, None]:
    running = [_Beam(DecodedRow(), 0.0)]
    finished: list[_Beam] = []
    batch = prefill(stepper, [prompt], options.max_new_tokens)
    while True:
        candidates, extended = _extend(batch, running, options)
        finished += [beam for beam in extended if beam.row.finish]
        alive = [index for index, beam in enumerate(extended) if not beam.row.finish]
        running = [extended[index] for index in alive]
        is_last = _is_over(running, finished, options)
        yield _frame(finished if is_last else finished + running, options)
        if is_last:
            return
        parents = np.array([candidates[index].parent for index in alive])
        tokens = np.array([candidates[index].token_id for index in alive])
        batch = take(stepper, batch, parents)
        batch = advance(stepper, batch, tokens, np.ones(len(alive), np.bool_))


def _extend(
    batch: Batch[CacheT], beams: list[_Beam], options: BeamOptions
) -> tuple[list[_Candidate], list[_Beam]]:
    """Return the chosen continuations of all beams, best first, and whence they are."""
    normalizers = log_normalizers(batch.logits)
    allowed = apply(options.rules, batch.logits, batch.history)
    candidates: list[_Candidate] = []
    for parent, beam in enumerate(beams):
        best = best_first(
            allowed[parent], options.num_beams + len(options.stop_token_ids)
        )
        steps = allowed[parent, best] - normalizers[parent]
        candidates += [
            _Candidate(beam.total + step, parent, token_id)
            for step, token_id in zip(steps.tolist(), best.tolist(), strict=True)
        ]
    candidates.sort(key=lambda candidate: -candidate.total)
    chosen = _select(candidates, options)
    extended = [
        _extended(batch, beams[candidate.parent], candidate, normalizers, options)
        for candidate in chosen
    ]
    return chosen, extended


def _select(candidates: list[_Candidate], options: BeamOptions) -> list[_Candidate]:
    """Keep the stops among the first ``num_beams`` and the first others, ranked."""
    chosen: list[_Candidate] = []
    places = options.num_beams
    for rank, candidate in enumerate(candidates):
        if candidate.token_id in options.stop_token_ids:
            if rank < options.num_beams:
                chosen.append(candidate)
        elif places:
            chosen.append(candidate)
            places -= 1
    return chosen


def _extended(
    batch: Batch[CacheT],
    beam: _Beam,
    candidate: _Candidate,
    normalizers: npt.NDArray[np.float64],
    options: BeamOptions,
) -> _Beam:
    token = chosen_token(
        batch.logits[candidate.parent],
        float(normalizers[candidate.parent]),
        candidate.token_id,
        options.num_alternatives,
    )
    row = beam.row.extended(token, options.stop_token_ids, options.max_new_tokens)
    score = options.score(candidate.total, row.num_steps)
    return _Beam(replace(row, score=score), candidate.total)


def _is_over(running: list[_Beam], finished: list[_Beam], options: BeamOptions) -> bool:
    if not running or len(finished) >= options.num_beams:
        return True
    if len(finished) < options.num_return:
        return False
    kept = sorted((beam.row.score for beam in finished), reverse=True)
    worst_kept = kept[options.num_return - 1]
    return max(_highest_score(beam, options) for beam in running) <= worst_kept


def _highest_score(beam: _Beam, options: BeamOptions) -> float:
    """Return a score that no continuation of this beam can exceed.

    Totals only fall. Divided by a power of the length above 0 they look best at the
    greatest length, by one below 0 at the next.
    """
    if options.length_penalty >= 0:
        return options.score(beam.total, options.max_new_tokens)
    return options.score(beam.total, beam.row.num_steps + 1)


def _frame(beams: list[_Beam], options: BeamOptions) -> DecodingFrame:
    ranked = sorted((beam.row for beam in beams), key=lambda row: -row.score)
    return DecodingFrame(tuple(ranked[: options.num_return]))

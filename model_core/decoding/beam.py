"""Beam search as a generator: the best continuations so far after every step.

Changes when the search changes. Deterministic: it draws nothing. Several prompts are
searched in step, all their beams through one pass of the network.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import Generic, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from model_core.decoding.batch import Batch, advance, prefill, take
from model_core.decoding.best import best_of_rows
from model_core.decoding.checks import check_counts, check_prompts
from model_core.decoding.frames import DecodedRow, DecodingFrame
from model_core.decoding.logits import FORBIDDEN, LogitsRule, Temperature, apply
from model_core.decoding.ranking import select
from model_core.decoding.scoring import chosen_token, log_normalizers
from model_core.decoding.stepper import CacheT, Logits, Stepper

TagReader = Callable[[CacheT, int], int]
"""From a cache and a row of it to the tag of that row's next token."""


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
        until_sure: Whether ``num_beams`` finished continuations do not end the search
            while a running one could still be the best: for lists, which might stop
            after each of their items.
    """

    max_new_tokens: int
    num_beams: int
    num_return: int = 1
    length_penalty: float = 1.0
    stop_token_ids: frozenset[int] = frozenset()
    rules: tuple[LogitsRule, ...] = ()
    num_alternatives: int = 0
    until_sure: bool = False

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


def _untagged(cache: object, row: int) -> int:
    del cache, row
    return 0


def beam_search(
    stepper: Stepper[CacheT],
    prompt: Sequence[int],
    options: BeamOptions,
    tag_of: TagReader[CacheT] = _untagged,
) -> Generator[DecodingFrame, None, None]:
    """Yield the best continuations so far, finished and running, best first.

    A continuation's score is ``log_prob / length ** length_penalty``; length counts
    the stop token. Rules that only forbid leave ``log_prob`` alone; a repetition
    penalty also lowers what is divided, though not the ``log_prob`` reported.

    Every step ranks all continuations by one token. Those that stop and rank among
    the first ``num_beams`` are finished; the first ``num_beams`` others run on, all
    through one ``decode_one_token``. The search ends when ``num_beams`` continuations
    have finished (not with ``until_sure``), at ``max_new_tokens``, or when no running
    one can reach, by any further tokens, a better score than the ``num_return`` best
    that have finished: log-probabilities only fall, so this last way out never changes
    the result.

    Args:
        stepper: The network.
        prompt: Token ids, at least one.
        options: How to search.
        tag_of: Reads the ``tag`` of every chosen token off a cache that knows it.

    Raises:
        ValueError: A prompt without a token (at once, not at the first frame).
        FloatingPointError: The network's logits are not numbers.
    """
    check_prompts([prompt])
    return (frames[0] for frames in _frames(stepper, [prompt], options, tag_of))


def beam_search_many(
    stepper: Stepper[CacheT],
    prompts: Sequence[Sequence[int]],
    options: BeamOptions,
    tag_of: TagReader[CacheT] = _untagged,
) -> Generator[tuple[DecodingFrame, ...], None, None]:
    """Search several prompts in step; yield a frame per prompt, in their order.

    Every prompt ends with what ``beam_search`` would have found for it alone. One that
    is over repeats its last frame and costs nothing more. Prompts of like length leave
    the least padding.

    Args:
        stepper: The network.
        prompts: Token ids, each at least one.
        options: How to search, the same for all.
        tag_of: As for ``beam_search``.

    Raises:
        ValueError: No prompt, or one without a token (at once).
        FloatingPointError: The network's logits are not numbers.
    """
    check_prompts(prompts)
    return _frames(stepper, prompts, options, tag_of)


class _Beam(NamedTuple):
    """A continuation and the sum of its tokens' logits after the rules, normalised.

    ``total`` equals ``row.log_prob`` as long as the rules only forbid; a repetition
    penalty lowers it below. ``place`` is its row in the batch, or its parent's where
    it has just been chosen.
    """

    row: DecodedRow
    total: float
    place: int


class _Candidate(NamedTuple):
    total: float
    parent: _Beam
    token_id: int


class _Search(NamedTuple):
    """One prompt's; over when nothing runs."""

    running: tuple[_Beam, ...]
    finished: tuple[_Beam, ...] = ()
    frame: DecodingFrame = DecodingFrame(())

    def placed(self, first: int) -> Self:
        """Return the search whose running beams stand in the rows from ``first``."""
        running = tuple(
            beam._replace(place=place) for place, beam in enumerate(self.running, first)
        )
        return self._replace(running=running)


class _Step(NamedTuple, Generic[CacheT]):
    """What the network said of every row's next token."""

    batch: Batch[CacheT]
    normalizers: npt.NDArray[np.float64]
    allowed: Logits
    tag_of: TagReader[CacheT]


def _frames(
    stepper: Stepper[CacheT],
    prompts: Sequence[Sequence[int]],
    options: BeamOptions,
    tag_of: TagReader[CacheT],
) -> Generator[tuple[DecodingFrame, ...], None, None]:
    batch = prefill(stepper, prompts, options.max_new_tokens)
    searches = [
        _Search((_Beam(DecodedRow(), 0.0, place),)) for place in range(len(prompts))
    ]
    while True:
        normalizers = log_normalizers(batch.logits)
        allowed = apply(options.rules, batch.logits, batch.history)
        step = _Step(batch, normalizers, allowed, tag_of)
        searches = [_extended(search, step, options) for search in searches]
        yield tuple(search.frame for search in searches)
        running = [beam for search in searches for beam in search.running]
        if not running:
            return
        batch = _advanced(stepper, batch, running)
        firsts = np.cumsum([0, *(len(search.running) for search in searches)])
        searches = [
            search.placed(int(first))
            for search, first in zip(searches, firsts, strict=False)
        ]


def _advanced(
    stepper: Stepper[CacheT], batch: Batch[CacheT], running: list[_Beam]
) -> Batch[CacheT]:
    batch = take(stepper, batch, np.array([beam.place for beam in running]))
    tokens = np.array([beam.row.tokens[-1].token_id for beam in running])
    return advance(stepper, batch, tokens, np.ones(len(running), np.bool_))


def _extended(search: _Search, step: _Step[CacheT], options: BeamOptions) -> _Search:
    """Return the search one token on; one that is over stays as it is."""
    if not search.running:
        return search
    candidates = select(
        _ranked(search.running, step, options),
        options.num_beams,
        lambda candidate: candidate.token_id in options.stop_token_ids,
    )
    beams = [_beam(candidate, step, options) for candidate in candidates]
    running = tuple(beam for beam in beams if not beam.row.finish)
    finished = (*search.finished, *(beam for beam in beams if beam.row.finish))
    if _is_over(running, finished, options):
        running = ()
    return _Search(running, finished, _frame((*finished, *running), options))


def _ranked(
    beams: tuple[_Beam, ...], step: _Step[CacheT], options: BeamOptions
) -> list[_Candidate]:
    """Return the continuations by one token that may be chosen, best first."""
    count = options.num_beams + len(options.stop_token_ids)
    places = [beam.place for beam in beams]
    best = best_of_rows(step.allowed[places], count)
    log_probs = best.values - step.normalizers[places, None]
    candidates = [
        _Candidate(beam.total + log_prob, beam, token_id)
        for beam, ids, row in zip(
            beams, best.indices.tolist(), log_probs.tolist(), strict=True
        )
        for token_id, log_prob in zip(ids, row, strict=True)
        if log_prob > FORBIDDEN
    ]
    candidates.sort(key=lambda candidate: -candidate.total)
    return candidates


def _beam(candidate: _Candidate, step: _Step[CacheT], options: BeamOptions) -> _Beam:
    parent = candidate.parent
    token = chosen_token(
        step.batch.logits[parent.place],
        float(step.normalizers[parent.place]),
        candidate.token_id,
        options.num_alternatives,
    )
    tag = step.tag_of(step.batch.cache, parent.place)
    row = parent.row.extended(
        replace(token, tag=tag), options.stop_token_ids, options.max_new_tokens
    )
    score = options.score(candidate.total, row.num_steps)
    return _Beam(replace(row, score=score), candidate.total, parent.place)


def _is_over(
    running: tuple[_Beam, ...], finished: tuple[_Beam, ...], options: BeamOptions
) -> bool:
    enough = len(finished) >= options.num_beams and not options.until_sure
    if not running or enough:
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


def _frame(beams: tuple[_Beam, ...], options: BeamOptions) -> DecodingFrame:
    ranked = sorted((beam.row for beam in beams), key=lambda row: -row.score)
    return DecodingFrame(tuple(ranked[: options.num_return]))

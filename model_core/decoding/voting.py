"""Several passages write one answer: their next-token probabilities vote at each step.

Changes when passages vote otherwise. Su Jianlin, kexue.fm/archives/7115: a passage
whose most probable first token is the stop token has no answer and takes no part; the
others vote by sum(p^2) / (sum(p) + 1), per token::

    passage 0   a .8   b .1      a: (.64 + .09) / (1.1 + 1) = .35
    passage 1   a .3   b .6      b: (.01 + .36) / (0.7 + 1) = .22

Extractive reading lets every passage vote for its own n-grams alone. Passages may be
weighed (``VoteOptions.weighed``): one whose first token hardly stops counts for more.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from model_core.decoding.batch import Batch, advance, prefill, take
from model_core.decoding.checks import check_counts, check_prompts
from model_core.decoding.extractive import Source, allowed_mask
from model_core.decoding.logits import best_first
from model_core.decoding.ranking import select
from model_core.decoding.scoring import log_normalizers
from model_core.decoding.stepper import CacheT, Stepper
from model_core.interfaces import Finish

Floats = npt.NDArray[np.float64]
Passages = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class VoteOptions:
    """How to search for an answer.

    Attributes:
        max_new_tokens: Most tokens of an answer, >= 1.
        stop_token_id: Ends an answer; chosen first it says that there is none.
        num_beams: Answers kept in flight, >= 1.
        num_return: Answers in a frame, 1 to ``num_beams``.
        none_above: A passage takes no part where its probability of stopping at once
            is above this, and an answer then never is empty; None: where stopping is
            the most probable first token, as in the source. Many weak answers lose to
            one stop that way, though together they are the likelier.
        weighed: Every probability counts times its passage's share (see
            ``answer_shares``) in the votes.
        own_answers: Also write, in the same passes, what every passage that takes part
            would answer alone (one beam each).
    """

    max_new_tokens: int
    stop_token_id: int
    num_beams: int = 1
    num_return: int = 1
    weighed: bool = False
    own_answers: bool = False
    none_above: float | None = None

    def __post_init__(self) -> None:
        check_counts(self.max_new_tokens, 0)
        if not 1 <= self.num_return <= self.num_beams:
            raise ValueError(
                f"num_return must be between 1 and num_beams = {self.num_beams}, "
                f"got {self.num_return}"
            )


@dataclass(frozen=True, slots=True)
class VotedAnswer:
    """One answer so far.

    Attributes:
        token_ids: Without the stop token; none: "no answer".
        log_prob: Of the votes, each step's made to sum to one over all tokens, so that
            a step without a doubt costs nothing; in nats, with the stop token's.
        own_log_probs: Of the same tokens under each passage alone and unconstrained,
            its share's with them where passages are weighed; -inf for a passage that
            takes no part.
        finish: "" while running, ``stop`` at the stop token, ``length`` at the limit.
    """

    token_ids: tuple[int, ...]
    log_prob: float
    own_log_probs: tuple[float, ...]
    finish: Finish


@dataclass(frozen=True, slots=True)
class VoteFrame:
    """The whole result so far: a later frame replaces an earlier one.

    Attributes:
        answers: Best first, finished and running.
        has_answer: 1 - p(stop) at the first step, per passage.
        own_answers: Per passage; None where it takes no part or was not asked.
        num_steps: Passes through the network so far.
        is_finished: Whether this is the last frame.
    """

    answers: tuple[VotedAnswer, ...]
    has_answer: tuple[float, ...]
    own_answers: tuple[VotedAnswer | None, ...]
    num_steps: int
    is_finished: bool


class _Beam(NamedTuple):
    """An answer; ``own`` holds a log-probability for every passage of its panel.

    Its rows in the batch begin at ``first_row``, or its parent's do where it has just
    been chosen.
    """

    token_ids: tuple[int, ...]
    log_prob: float
    own: Floats
    finish: Finish
    first_row: int


class _Panel(NamedTuple):
    """Passages that write together: a beam takes one row of the batch for each.

    ``shares`` weigh them, (passages,).
    """

    passages: Passages
    shares: Floats
    num_beams: int
    num_return: int
    running: tuple[_Beam, ...]
    finished: tuple[_Beam, ...] = ()

    @property
    def ranked(self) -> list[_Beam]:
        beams = sorted((*self.finished, *self.running), key=lambda b: -b.log_prob)
        return beams[: self.num_return]


class _Candidate(NamedTuple):
    log_prob: float
    parent: _Beam
    token_id: int


class _Reading(NamedTuple):
    """What stays the same from step to step."""

    sources: Sequence[Source] | None
    options: VoteOptions
    has_answer: Floats


def vote(probabilities: Floats) -> Floats:
    """Return sum(p^2) / (sum(p) + 1) over passages.

    Args:
        probabilities: (passages, ...), 0..1.

    Returns:
        (...), below 1. Two passages that agree outweigh one that is as sure.
    """
    total = (probabilities**2).sum(axis=0) / (probabilities.sum(axis=0) + 1)
    return np.asarray(total, np.float64)


def answer_shares(stops: Floats) -> Floats:
    """Return how probable it is that the answer is in each passage, if it is in one.

    Every passage judges itself, with odds of (1 - p) to p; given that exactly one of
    them is right, the odds are its share. A passage alone has 1.

    Args:
        stops: (passages,), each one's probability p that it has no answer, 0..1.

    Returns:
        (passages,), of sum 1.
    """
    certain = np.clip(stops, 1e-6, 1 - 1e-6)
    odds = (1 - certain) / certain
    return np.asarray(odds / odds.sum(), np.float64)


def vote_search(
    stepper: Stepper[CacheT],
    prompts: Sequence[Sequence[int]],
    options: VoteOptions,
    sources: Sequence[Source] | None = None,
) -> Generator[VoteFrame, None, None]:
    """Yield the best answers so far, one frame per pass through the network.

    The first pass reads all prompts; where every passage says that there is no answer
    it is the last one. All passages of all answers in flight share each later pass.

    Args:
        stepper: The network.
        prompts: One per passage: its text, the question and what an answer follows.
        options: How to search.
        sources: One (length,) array of token ids per passage: an answer must be a
            stretch of one of them. What it excludes is 0 in that passage's vote, and
            the rest is not renormalised. None: answers are free.

    Raises:
        ValueError: No prompt, one without a token, or not one source per prompt (at
            once, not at the first frame).
        FloatingPointError: The network's logits are not numbers.
    """
    check_prompts(prompts)
    if sources is not None and len(sources) != len(prompts):
        raise ValueError(
            f"sources must hold one array per prompt ({len(prompts)}), "
            f"got {len(sources)}"
        )
    return _frames(stepper, prompts, options, sources)


def _frames(
    stepper: Stepper[CacheT],
    prompts: Sequence[Sequence[int]],
    options: VoteOptions,
    sources: Sequence[Source] | None,
) -> Generator[VoteFrame, None, None]:
    batch = prefill(stepper, prompts, options.max_new_tokens)
    first = _probabilities(batch)
    taking_part = np.flatnonzero(_has_answer(first, options))
    reading = _Reading(sources, options, 1 - first[:, options.stop_token_id])
    if not taking_part.size:
        yield _without_answer(first, reading)
        return
    panels = _panels(taking_part, reading)
    batch = take(stepper, batch, np.concatenate([p.passages for p in panels]))
    num_steps = 1
    while True:
        probabilities = _probabilities(batch)
        panels = [_stepped(panel, probabilities, reading) for panel in panels]
        yield _frame(panels, reading, num_steps)
        if not any(panel.running for panel in panels):
            return
        batch = _advanced(stepper, batch, panels)
        panels = _placed(panels)
        num_steps += 1


def _probabilities(batch: Batch[CacheT]) -> Floats:
    """Return every row's next-token probabilities, (batch, vocabulary)."""
    normalizers = log_normalizers(batch.logits)
    return np.asarray(np.exp(batch.logits - normalizers[:, None]), np.float64)


def _has_answer(first: Floats, options: VoteOptions) -> npt.NDArray[np.bool_]:
    if options.none_above is None:
        return np.asarray(first.argmax(axis=-1) != options.stop_token_id)
    return np.asarray(first[:, options.stop_token_id] <= options.none_above)


def _panels(taking_part: Passages, reading: _Reading) -> list[_Panel]:
    """Return the panel that votes and, where asked for, one per passage."""
    options = reading.options

    def panel(passages: Passages, num_beams: int, num_return: int) -> _Panel:
        shares = np.ones(len(passages))
        if options.weighed:
            shares = answer_shares(1 - reading.has_answer[passages])
        start = _Beam((), 0.0, np.log(shares), "", 0)
        return _Panel(passages, shares, num_beams, num_return, (start,))

    panels = [panel(taking_part, options.num_beams, options.num_return)]
    if options.own_answers:
        panels += [panel(passage, 1, 1) for passage in taking_part[:, None]]
    return _placed(panels)


def _placed(panels: list[_Panel]) -> list[_Panel]:
    """Number the rows: panel by panel, beam by beam, a row per passage."""
    placed: list[_Panel] = []
    row = 0
    for panel in panels:
        size = len(panel.passages)
        running = tuple(
            beam._replace(first_row=row + size * index)
            for index, beam in enumerate(panel.running)
        )
        placed.append(panel._replace(running=running))
        row += size * len(running)
    return placed


def _advanced(
    stepper: Stepper[CacheT], batch: Batch[CacheT], panels: list[_Panel]
) -> Batch[CacheT]:
    rows: list[int] = []
    tokens: list[int] = []
    for panel in panels:
        size = len(panel.passages)
        for beam in panel.running:
            rows += range(beam.first_row, beam.first_row + size)
            tokens += [beam.token_ids[-1]] * size
    batch = take(stepper, batch, np.array(rows))
    return advance(stepper, batch, np.array(tokens), np.ones(len(rows), np.bool_))


def _stepped(panel: _Panel, probabilities: Floats, reading: _Reading) -> _Panel:
    """Return the panel one token on; one without a running answer stays as it is."""
    stop = reading.options.stop_token_id
    candidates = [
        candidate
        for beam in panel.running
        for candidate in _candidates(panel, beam, probabilities, reading)
    ]
    candidates.sort(key=lambda candidate: -candidate.log_prob)
    chosen = select(candidates, panel.num_beams, lambda c: c.token_id == stop)
    beams = [_extended(panel, c, probabilities, reading.options) for c in chosen]
    finished = (*panel.finished, *(beam for beam in beams if beam.finish))
    running = tuple(beam for beam in beams if not beam.finish)
    if _is_over(panel, running, finished):
        running = ()
    return panel._replace(running=running, finished=finished)


def _candidates(
    panel: _Panel, beam: _Beam, probabilities: Floats, reading: _Reading
) -> list[_Candidate]:
    """Return the most probable next tokens of one answer, as its panel votes."""
    rows = probabilities[_rows(panel, beam)]
    stop = reading.options.stop_token_id
    if not beam.token_ids and reading.options.none_above is not None:
        rows = rows.copy()
        rows[:, stop] = 0
    if reading.sources is not None:
        masks = [
            allowed_mask(reading.sources[i], beam.token_ids, stop, rows.shape[-1])
            for i in panel.passages
        ]
        rows = np.where(masks, rows, 0)
    votes = vote(rows * panel.shares[:, None])
    if not votes.any():  # all that is allowed has underflown
        votes[stop] = 1
    with np.errstate(divide="ignore"):
        log_probs = np.log(votes / votes.sum())
    return [
        _Candidate(beam.log_prob + float(log_probs[token_id]), beam, token_id)
        for token_id in best_first(log_probs, panel.num_beams + 1).tolist()
    ]


def _extended(
    panel: _Panel, candidate: _Candidate, probabilities: Floats, options: VoteOptions
) -> _Beam:
    parent, token_id = candidate.parent, candidate.token_id
    with np.errstate(divide="ignore"):
        steps = np.log(probabilities[_rows(panel, parent), token_id])
    token_ids = (*parent.token_ids, token_id)
    finish: Finish = "length" if len(token_ids) >= options.max_new_tokens else ""
    if token_id == options.stop_token_id:
        token_ids, finish = parent.token_ids, "stop"
    return _Beam(
        token_ids, candidate.log_prob, parent.own + steps, finish, parent.first_row
    )


def _rows(panel: _Panel, beam: _Beam) -> slice:
    return slice(beam.first_row, beam.first_row + len(panel.passages))


def _is_over(
    panel: _Panel, running: tuple[_Beam, ...], finished: tuple[_Beam, ...]
) -> bool:
    """Whether nothing that runs can be returned: log-probabilities only fall."""
    if not running or len(finished) >= panel.num_beams:
        return True
    if len(finished) < panel.num_return:
        return False
    kept = sorted((beam.log_prob for beam in finished), reverse=True)
    best_running = max(beam.log_prob for beam in running)
    return best_running <= kept[panel.num_return - 1]


def _frame(panels: list[_Panel], reading: _Reading, num_steps: int) -> VoteFrame:
    voting, *alone = panels
    num_passages = len(reading.has_answer)
    own: list[VotedAnswer | None] = [None] * num_passages
    for panel in alone:
        own[int(panel.passages[0])] = _answer(panel, panel.ranked[0], num_passages)
    return VoteFrame(
        answers=tuple(_answer(voting, beam, num_passages) for beam in voting.ranked),
        has_answer=tuple(reading.has_answer.tolist()),
        own_answers=tuple(own),
        num_steps=num_steps,
        is_finished=not any(panel.running for panel in panels),
    )


def _answer(panel: _Panel, beam: _Beam, num_passages: int) -> VotedAnswer:
    own = np.full(num_passages, -np.inf)
    own[panel.passages] = beam.own
    return VotedAnswer(beam.token_ids, beam.log_prob, tuple(own.tolist()), beam.finish)


def _without_answer(first: Floats, reading: _Reading) -> VoteFrame:
    """Return the only frame where no passage takes part: all vote for the stop."""
    stop = reading.options.stop_token_id
    votes = vote(first)
    own = tuple(np.log(first[:, stop]).tolist())
    log_prob = float(np.log(votes[stop] / votes.sum()))
    return VoteFrame(
        answers=(VotedAnswer((), log_prob, own, "stop"),),
        has_answer=tuple(reading.has_answer.tolist()),
        own_answers=(None,) * len(first),
        num_steps=1,
        is_finished=True,
    )

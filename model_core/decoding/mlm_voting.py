"""Answers read off masks in one pass: every stretch of a passage is scored exactly.

Changes when answers are read off masks otherwise. Su Jianlin, kexue.fm/archives/7148:
the network gives a distribution per answer position, all at once, and the answer ends
at the stop token. The source reads greedily from the left under the n-gram constraint;
here every stretch is scored, so that no better one is missed. Its score is the
geometric mean of its positions' probabilities, the stop's included: positions do not
know of each other, and their product would favour the shortest answer. A stretch that
cuts a word must be so much the more probable. Passages vote by
sum(v^2) / (sum(v) + 1) per answer, each weighed by how probable it is that the answer
is in it rather than in another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from model_core.decoding.extractive import Source, allowed_mask, occurrences
from model_core.decoding.voting import answer_shares, vote

Floats = npt.NDArray[np.floating]
LogProbs = npt.NDArray[np.float64]
Borders = npt.NDArray[np.bool_]

CUT_COST = 1.0  # nats of a mean log-probability, for either end inside a word


@dataclass(frozen=True, slots=True)
class ReadSpan:
    """One passage's own answer.

    Attributes:
        token_ids: None: the passage says that it has no answer.
        probability: Mean of its tokens' and of the stop behind them, 0..1, less where
            it cuts a word.
    """

    token_ids: tuple[int, ...]
    probability: float


@dataclass(frozen=True, slots=True)
class MaskedAnswer:
    """One answer of all passages.

    Attributes:
        token_ids: None: "no answer".
        vote: sum(v^2) / (sum(v) + 1) over the passages' own probabilities; of "no
            answer" over the plain ones.
        probability: sum(v): how probable the answer is, if one of the passages has it;
            of "no answer" the mean.
        own_probabilities: Per passage, times the passage's share; 0 where the answer
            does not occur in it or it takes no part.
    """

    token_ids: tuple[int, ...]
    vote: float
    probability: float
    own_probabilities: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class MaskedReading:
    """What came of one pass.

    Attributes:
        answers: Highest vote first, at least one.
        has_answer: 1 - p(stop) at the first position, per passage.
        own_answers: Per passage.
    """

    answers: tuple[MaskedAnswer, ...]
    has_answer: tuple[float, ...]
    own_answers: tuple[ReadSpan, ...]


class _Passage(NamedTuple):
    """A passage; ``scores`` are those of its stretches, where it has a source."""

    probabilities: Floats
    source: Source | None
    scores: LogProbs | None


def mlm_vote(
    probabilities: Sequence[Floats],
    stop_token_id: int,
    sources: Sequence[Source] | None = None,
    *,
    borders: Sequence[Borders] | None = None,
    num_return: int = 1,
    num_candidates: int = 5,
    none_above: float | None = None,
) -> MaskedReading:
    """Read the answer off every passage's masks and let the passages vote.

    A passage takes no part where at the first position the stop token beats every
    other it may write. Candidates are the ``num_candidates`` best stretches of every
    other passage, or, without sources, what each reads greedily.

    Args:
        probabilities: (num_masks, vocabulary) per passage.
        stop_token_id: Ends an answer.
        sources: (length,) token ids per passage: answers are stretches of them. None:
            answers are free.
        borders: Where words begin, bool (length,) per source. None: not known.
        num_return: Most answers, >= 1.
        num_candidates: Per passage, >= 1.
        none_above: As for ``VoteOptions``.
    """
    passages = _passages(probabilities, stop_token_id, sources, borders)
    has_answer = tuple(float(1 - p[0, stop_token_id]) for p in probabilities)
    greedy = [_greedy(passage, stop_token_id, none_above) for passage in passages]
    own = [
        _candidates(passage, first, stop_token_id, num_candidates)
        for passage, first in zip(passages, greedy, strict=True)
    ]
    candidates = dict.fromkeys(s.token_ids for spans in own for s in spans)
    if len(candidates) > 1:  # "no answer" only where nobody has another
        candidates.pop((), None)
    shares = np.zeros(len(passages))
    takes_part = [bool(first) or () in candidates for first in greedy]
    stops = np.asarray([p[0, stop_token_id] for p in probabilities], np.float64)
    shares[takes_part] = 1 if () in candidates else answer_shares(stops[takes_part])
    answers = [
        _voted(token_ids, passages, shares, stop_token_id) for token_ids in candidates
    ]
    answers.sort(key=lambda answer: -answer.vote)
    return MaskedReading(
        tuple(answers[:num_return]), has_answer, tuple(spans[0] for spans in own)
    )


def span_log_probs(
    probabilities: Floats,
    source: Source,
    stop_token_id: int,
    borders: Borders | None = None,
) -> LogProbs:
    """Return the mean log-probability per position of every stretch as the answer.

    Args:
        probabilities: (num_masks, vocabulary).
        source: (length,) token ids.
        stop_token_id: Its probability at the position behind the stretch counts; one
            that fills all masks needs none.
        borders: Where words begin, bool (length,): ``CUT_COST`` off for either end
            that is no border. None: everywhere.

    Returns:
        (max_length, length): entry [n - 1, i] is that of ``source[i : i + n]``, -inf
        where it would leave the source.
    """
    num_masks, length = len(probabilities), len(source)
    longest = min(num_masks, length)
    with np.errstate(divide="ignore"):
        of_tokens = np.log(probabilities[:longest, source], dtype=np.float64)
        stops = np.log(probabilities[1:, stop_token_id], dtype=np.float64)
    padded = np.full((longest, length + longest), -np.inf)
    padded[:, :length] = of_tokens
    steps = np.arange(longest)[:, None]
    sums = padded[steps, np.arange(length) + steps].cumsum(axis=0)  # down the diagonals
    judged = np.minimum(steps + 2, num_masks)
    means = (sums + np.append(stops, 0.0)[:longest, None]) / judged
    if borders is not None:
        edges = np.pad(np.append(borders, True), (0, longest))
        ends = edges[steps + 1 + np.arange(length)]
        means -= CUT_COST * ((~borders).astype("float64") + ~ends)
    return np.asarray(means, np.float64)


def best_spans(scores: LogProbs, source: Source, count: int) -> tuple[ReadSpan, ...]:
    """Return the most probable distinct stretches of a source, best first.

    There are fewer than ``count`` where the source has fewer with a probability.

    Args:
        scores: Those of ``span_log_probs``.
        source: (length,) token ids.
        count: Returned at most.
    """
    found: dict[tuple[int, ...], float] = {}
    for place in np.argsort(-scores, axis=None, kind="stable"):
        row, start = divmod(int(place), scores.shape[1])
        score = float(scores[row, start])
        if len(found) == count or score == -np.inf:
            break
        found.setdefault(tuple(source[start : start + row + 1].tolist()), score)
    return tuple(
        ReadSpan(token_ids, float(np.exp(score))) for token_ids, score in found.items()
    )


def greedy_answer(
    probabilities: Floats, source: Source | None, stop_token_id: int
) -> tuple[int, ...]:
    """Return what the masks say from left to right, as the source of the method reads.

    Args:
        probabilities: (num_masks, vocabulary).
        source: (length,) token ids that the answer is a stretch of; None: free.
        stop_token_id: Ends the answer.
    """
    token_ids: tuple[int, ...] = ()
    for position in probabilities:
        allowed = position
        if source is not None:
            mask = allowed_mask(source, token_ids, stop_token_id, len(position))
            allowed = np.where(mask, position, 0)
        token_id = int(allowed.argmax())
        if token_id == stop_token_id:
            break
        token_ids = (*token_ids, token_id)
    return token_ids


def _greedy(
    passage: _Passage, stop_token_id: int, none_above: float | None
) -> tuple[int, ...]:
    """Return a passage's greedy answer, none where it says that it has none."""
    probabilities, source, _ = passage
    if none_above is None:
        return greedy_answer(probabilities, source, stop_token_id)
    if probabilities[0, stop_token_id] > none_above:
        return ()
    begun = np.array(probabilities)
    begun[0, stop_token_id] = -1.0  # below what is forbidden: never chosen first
    return greedy_answer(begun, source, stop_token_id)


def answer_probability(
    probabilities: Floats, token_ids: Sequence[int], stop_token_id: int
) -> float:
    """Return the geometric mean of the tokens' and the stop's probabilities.

    Args:
        probabilities: (num_masks, vocabulary).
        token_ids: At most ``num_masks``.
        stop_token_id: Not asked for where the tokens fill all masks.
    """
    ending = [*token_ids, stop_token_id][: len(probabilities)]
    with np.errstate(divide="ignore"):
        log_probs = np.log(probabilities[np.arange(len(ending)), ending])
    return float(np.exp(log_probs.mean()))


def _passages(
    probabilities: Sequence[Floats],
    stop_token_id: int,
    sources: Sequence[Source] | None,
    borders: Sequence[Borders] | None,
) -> list[_Passage]:
    if not len(probabilities):
        raise ValueError("probabilities must hold at least one passage, got none")
    columns: list[Sequence[npt.NDArray[Any] | None]] = []
    for name, given in (("sources", sources), ("borders", borders)):
        if given is not None and len(given) != len(probabilities):
            raise ValueError(
                f"{name} must hold one array per passage ({len(probabilities)}), "
                f"got {len(given)}"
            )
        columns.append([None] * len(probabilities) if given is None else given)
    return [
        _Passage(
            read,
            source,
            None
            if source is None
            else span_log_probs(read, source, stop_token_id, words),
        )
        for read, source, words in zip(probabilities, *columns, strict=True)
    ]


def _candidates(
    passage: _Passage, greedy: tuple[int, ...], stop_token_id: int, count: int
) -> tuple[ReadSpan, ...]:
    """Return what a passage proposes, its own answer first."""
    probabilities, source, scores = passage
    spans: tuple[ReadSpan, ...] = ()
    if greedy and source is not None and scores is not None:
        spans = best_spans(scores, source, count)
    probability = answer_probability(probabilities, greedy, stop_token_id)
    return spans or (ReadSpan(greedy, probability),)


def _in_passage(
    passage: _Passage, token_ids: tuple[int, ...], stop_token_id: int
) -> float:
    """Return an answer's probability in a passage, 0 where it does not occur."""
    probabilities, source, scores = passage
    if not token_ids or source is None or scores is None:
        return answer_probability(probabilities, token_ids, stop_token_id)
    places = occurrences(source, token_ids)
    if not places.size or len(token_ids) > len(scores):
        return 0.0
    return float(np.exp(scores[len(token_ids) - 1, places].max()))


def _voted(
    token_ids: tuple[int, ...],
    passages: list[_Passage],
    shares: LogProbs,
    stop_token_id: int,
) -> MaskedAnswer:
    own = shares * [_in_passage(one, token_ids, stop_token_id) for one in passages]
    probability = float(own.sum() if token_ids else own.mean())
    return MaskedAnswer(token_ids, float(vote(own)), probability, tuple(own.tolist()))

"""From pointers to spans and triples: half pointers, and GPLinker.

Changes when a pointer head is read otherwise. Pure functions over arrays; a head and a
tail are the first and last token of a span, both inside it.

A triple's probability is the smallest of those it is made of, so that raising the
threshold on triples is raising it on every one of them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Integers = npt.NDArray[np.intp]

NEARLY_NEVER = 1e-9
MAX_TRIPLES = 1000  # of one text; only a network that is unsure of everything has more


class TokenTriple(NamedTuple):
    """A subject, a predicate and an object; tokens of one text, heads and tails."""

    subject_head: int
    subject_tail: int
    predicate: int
    object_head: int
    object_tail: int
    probability: float


@dataclass(frozen=True, slots=True, eq=False)
class Spans:
    """Spans of one text.

    Attributes:
        heads: (num_spans,).
        tails: (num_spans,), each at or behind its head.
        probabilities: (num_spans,), 0..1: the smaller of head's and tail's.
    """

    heads: Integers
    tails: Integers
    probabilities: Floats

    def best(self, count: int) -> "Spans":
        """Return the ``count`` most probable spans, in their order."""
        chosen = np.sort(np.argsort(-self.probabilities, kind="stable")[:count])
        return Spans(self.heads[chosen], self.tails[chosen], self.probabilities[chosen])


def span_candidates(start: Floats, end: Floats, floor: float) -> Spans:
    """Return every span from a start to its nearest end, at any end threshold >= floor.

    Half pointers pair a start with the nearest end above a threshold (Su Jianlin,
    kexue.fm/archives/7161). Which end that is depends on the threshold: behind a start
    these are the ends that are more probable than all between, so that a weak end never
    hides a strong one. Above any threshold t the spans returned hold those of t.

    Args:
        start: (length,), probability that a span begins at a token.
        end: (length,), probability that one ends at it.
        floor: Starts and ends are more probable than this.

    Returns:
        Ordered by head, then tail.
    """
    heads, tails = np.flatnonzero(start > floor), np.flatnonzero(end > floor)
    since = _hidden_before(end[tails])
    reaches = np.append(-1, tails)[since]  # the last tail that is as probable, or -1
    fits = (reaches < heads[:, None]) & (heads[:, None] <= tails)
    head_places, tail_places = np.nonzero(fits)
    heads, tails = heads[head_places], tails[tail_places]
    return Spans(heads, tails, np.minimum(start[heads], end[tails]))


def half_pointer_triples(
    subjects: Spans,
    object_start: Floats,
    object_end: Floats,
    floor: float,
    max_triples: int = MAX_TRIPLES,
) -> tuple[TokenTriple, ...]:
    """Return the triples of all subjects down to a probability, most probable first.

    Args:
        subjects: (num_subjects,) spans.
        object_start: (num_subjects, length, num_predicates), 0..1, given the subject.
        object_end: Of the same shape.
        floor: Every one of the four probabilities is above it.
        max_triples: Returned at most, the best ones.
    """
    triples: list[TokenTriple] = []
    for index in np.flatnonzero(subjects.probabilities > floor).tolist():
        head, tail = int(subjects.heads[index]), int(subjects.tails[index])
        limit = float(subjects.probabilities[index])
        starts, ends = object_start[index], object_end[index]
        seen = (starts > floor).any(axis=0) & (ends > floor).any(axis=0)
        for predicate in np.flatnonzero(seen).tolist():
            objects = span_candidates(starts[:, predicate], ends[:, predicate], floor)
            triples += [
                TokenTriple(head, tail, predicate, *span, min(limit, probability))
                for span, probability in _listed(objects)
            ]
    return _ranked(triples)[:max_triples]


@dataclass(frozen=True, slots=True, eq=False)
class PairParts:
    """Scores of pairs, unadded: ``shared[i, j] + alone[i, 0, k] + alone[j, 1, k]``.

    Few pairs of a text are ever asked for; all of them for all kinds are many.

    Attributes:
        shared: (length, length).
        alone: (length, 2, num_kinds).
    """

    shared: Floats
    alone: Floats

    def at(self, first: Integers, second: Integers) -> Floats:
        """Return the scores (num_kinds, len(first), len(second)) of all these pairs."""
        of_pairs = self.shared[first[:, None], second[None]][..., None]
        scores = of_pairs + self.alone[first, 0][:, None] + self.alone[second, 1][None]
        return np.moveaxis(scores, -1, 0)


def gplinker_triples(
    entities: Floats,
    heads: Floats | PairParts,
    tails: Floats | PairParts,
    floor: float = 0.5,
    max_entities: int = 128,
    max_triples: int = MAX_TRIPLES,
) -> tuple[TokenTriple, ...]:
    """Return the triples whose four scores all exceed a threshold, most probable first.

    GPLinker, Su Jianlin, kexue.fm/archives/8888: (sh, st) is a subject, (oh, ot) an
    object, and predicate p links their heads and their tails. A probability is the
    sigmoid of a score; the threshold 0 of the source is a floor of 0.5.

    Args:
        entities: (2, length, length) scores of subjects and objects by head and tail;
            a tail before its head never counts.
        heads: (num_predicates, length, length) scores by subject and object head, or
            the parts of them.
        tails: (num_predicates, length, length) scores by subject and object tail, or
            the parts of them.
        floor: Probability to exceed, between 0 and 1.
        max_entities: Subjects, and objects, considered: the best ones. Bounds the work
            where a network is unsure of everything.
        max_triples: Returned at most, the best ones.

    Raises:
        ValueError: A floor that is no probability between 0 and 1.
    """
    if not 0 < floor < 1:
        raise ValueError(f"floor must be between 0 and 1, got {floor}")
    threshold = np.log(floor) - np.log1p(-floor)
    subjects = _entities(entities[0], threshold, max_entities)
    objects = _entities(entities[1], threshold, max_entities)
    sh, st, oh, ot = *subjects[:2], *objects[:2]
    linked = np.minimum(_pairs_at(heads, sh, oh), _pairs_at(tails, st, ot))
    of_pairs = np.minimum(subjects[2][:, None], objects[2][None])
    scores = np.minimum(linked, of_pairs)
    found = np.argwhere(scores > threshold)
    best = np.argsort(-scores[tuple(found.T)], kind="stable")[:max_triples]
    found = found[best]
    probabilities = 1 / (1 + np.exp(-scores[tuple(found.T)].astype(np.float64)))
    return tuple(
        TokenTriple(int(sh[s]), int(st[s]), p, int(oh[o]), int(ot[o]), probability)
        for (p, s, o), probability in zip(
            found.tolist(), probabilities.tolist(), strict=True
        )
    )


def _pairs_at(scores: Floats | PairParts, first: Integers, second: Integers) -> Floats:
    if isinstance(scores, PairParts):
        return scores.at(first, second)
    return scores[:, first[:, None], second[None]]


def weighed_triples(
    first: Sequence[TokenTriple],
    second: Sequence[TokenTriple],
    *,
    trust: float,
    faintest: float,
    floor: float,
    max_triples: int = MAX_TRIPLES,
) -> tuple[TokenTriple, ...]:
    """Return what two decoders say together, most probable first.

    The log-odds of a triple are the weighed mean of both: a geometric mean of two
    opinions, as of an ensemble. What one of them does not list has been given at most
    ``faintest`` by it, and is taken to be that.

    Args:
        first: What one decoder lists down to ``faintest``.
        second: What the other does.
        trust: Weight of the first, 0..1.
        faintest: Probability, between 0 and 1.
        floor: Triples are more probable than this.
        max_triples: Returned at most, the best ones.
    """
    mine, other = (
        {one[:5]: one.probability for one in said} for said in (first, second)
    )
    odds = {
        place: trust * _log_odds(mine.get(place, faintest))
        + (1 - trust) * _log_odds(other.get(place, faintest))
        for place in mine | other
    }
    least = _log_odds(floor)
    triples = [
        TokenTriple(*place, 1 / (1 + math.exp(-value)))
        for place, value in odds.items()
        if value > least
    ]
    return _ranked(triples)[:max_triples]


def _log_odds(probability: float) -> float:
    inside = min(max(probability, NEARLY_NEVER), 1 - NEARLY_NEVER)
    return math.log(inside) - math.log1p(-inside)


def _entities(
    scores: Floats, threshold: float, count: int
) -> tuple[Integers, Integers, Floats]:
    """Return heads, tails and scores of the best spans above the threshold."""
    heads, tails = np.nonzero(np.triu(scores > threshold))
    values = scores[heads, tails]
    best = np.argsort(-values, kind="stable")[:count]
    return heads[best], tails[best], values[best]


def _hidden_before(values: Floats) -> Integers:
    """Return 1 + the last earlier place whose value is as large or larger, or 0."""
    as_large = np.tril(values[None, :] >= values[:, None], k=-1)
    places = np.arange(1, len(values) + 1)
    return np.asarray((as_large * places).max(axis=1, initial=0), np.intp)


def _listed(spans: Spans) -> list[tuple[tuple[int, int], float]]:
    pairs = zip(spans.heads.tolist(), spans.tails.tolist(), strict=True)
    return list(zip(pairs, spans.probabilities.tolist(), strict=True))


def _ranked(triples: list[TokenTriple]) -> tuple[TokenTriple, ...]:
    return tuple(sorted(triples, key=lambda triple: -triple.probability))

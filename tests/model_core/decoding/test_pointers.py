from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_core.decoding.pointers import (
    Spans,
    TokenTriple,
    gplinker_triples,
    half_pointer_triples,
    span_candidates,
    weighed_triples,
)

seeds = st.integers(0, 100_000)
floors = st.sampled_from([0.1, 0.3, 0.5, 0.8])
LENGTH, PREDICATES = 6, 3


def draw(seed, *shape):
    """Probabilities with ties."""
    return np.random.default_rng(seed).integers(0, 21, shape) / 20


def nearest_by_hand(start, end, start_threshold, end_threshold):
    """Every start with its nearest end, as half pointers are read at one setting."""
    found = []
    for head in range(len(start)):
        for tail in range(head, len(end)):
            if start[head] > start_threshold and end[tail] > end_threshold:
                found.append((head, tail))
                break
    return tuple(found)


def candidates_by_hand(start, end, floor):
    """What the nearest end gives at every end threshold there can be."""
    found = {
        span
        for threshold in {floor, *end[end >= floor]}
        for span in nearest_by_hand(start, end, floor, threshold)
    }
    return {(h, t): min(start[h], end[t]) for h, t in found}


def as_dict(spans):
    keys = zip(spans.heads.tolist(), spans.tails.tolist(), strict=True)
    return dict(zip(keys, spans.probabilities.tolist(), strict=True))


@settings(deadline=None)
@given(seeds, floors)
def test_candidates_are_the_nearest_ends_at_every_threshold(seed, floor):
    start, end = draw(seed, 2, LENGTH)
    spans = span_candidates(start, end, floor)
    assert as_dict(spans) == candidates_by_hand(start, end, floor)
    order = list(as_dict(spans))
    assert order == sorted(order)


@settings(deadline=None)
@given(seeds, floors)
def test_above_any_threshold_the_candidates_hold_what_is_read_there(seed, threshold):
    start, end = draw(seed, 2, LENGTH)
    spans = as_dict(span_candidates(start, end, 0.05))
    above = {span for span, probability in spans.items() if probability > threshold}
    assert above >= set(nearest_by_hand(start, end, threshold, threshold))


def test_a_weak_end_never_hides_a_strong_one():
    start, end = np.array([[0.9, 0.0, 0.0, 0.0], [0.0, 0.2, 0.95, 0.9]])
    assert as_dict(span_candidates(start, end, 0.1)) == {(0, 1): 0.2, (0, 2): 0.9}


@settings(deadline=None)
@given(seeds, floors)
def test_half_pointer_triples_equal_a_loop_over_everything(seed, floor):
    subjects = span_candidates(*draw(seed, 2, LENGTH), 0.3)
    shape = (len(subjects.heads), LENGTH, PREDICATES)
    starts, ends = draw(seed + 1, 2, *shape)
    expected = {}
    for index, ((sh, st_), of_subject) in enumerate(as_dict(subjects).items()):
        for p in range(PREDICATES):
            objects = candidates_by_hand(starts[index, :, p], ends[index, :, p], floor)
            for (oh, ot), probability in objects.items():
                if of_subject > floor:
                    expected[sh, st_, p, oh, ot] = min(of_subject, probability)
    triples = half_pointer_triples(subjects, starts, ends, floor)
    assert {triple[:5]: triple.probability for triple in triples} == expected
    assert len(triples) == len(expected)
    ranks = [triple.probability for triple in triples]
    assert ranks == sorted(ranks, reverse=True)


PLACES = st.tuples(*[st.integers(0, 2)] * 5)
SAID = st.dictionaries(PLACES, st.floats(0.01, 0.99), max_size=8)


def listed(said):
    return tuple(TokenTriple(*place, p) for place, p in said.items())


@given(SAID, SAID, st.floats(0, 1), floors)
def test_two_decoders_are_weighed_by_their_odds(first, second, trust, floor):
    found = weighed_triples(
        listed(first), listed(second), trust=trust, faintest=0.005, floor=floor
    )
    expected = {}
    for place in first | second:
        one, other = (said.get(place, 0.005) for said in (first, second))
        odds = (one / (1 - one)) ** trust * (other / (1 - other)) ** (1 - trust)
        expected[place] = odds / (1 + odds)
    kept = {one[:5]: one.probability for one in found}
    clear = {p for p, v in expected.items() if abs(v - floor) > 1e-9}
    assert kept.keys() & clear == {p for p in clear if expected[p] > floor}
    assert kept == pytest.approx({place: expected[place] for place in kept})
    assert [*kept.values()] == sorted(kept.values(), reverse=True)


@given(SAID)
def test_two_that_agree_say_what_each_says_and_one_alone_is_believed_less(said):
    both = weighed_triples(
        listed(said), listed(said), trust=0.6, faintest=0.005, floor=0.001
    )
    assert {o[:5]: o.probability for o in both} == pytest.approx(said)
    alone = weighed_triples(listed(said), (), trust=0.6, faintest=0.005, floor=1e-4)
    assert all(one.probability < said[one[:5]] for one in alone)
    assert len(alone) == len(said)


def test_nearly_certain_and_nearly_impossible_are_weighed_without_overflow():
    sure = (TokenTriple(0, 0, 0, 1, 1, 1.0),)
    (one,) = weighed_triples(sure, sure, trust=0.5, faintest=0.005, floor=0.5)
    assert 0.999 < one.probability < 1
    no = (TokenTriple(0, 0, 0, 1, 1, 0.0),)
    assert weighed_triples(no, no, trust=0.5, faintest=0.005, floor=0.01) == ()


def test_without_subjects_there_are_no_triples():
    none = np.zeros(0, np.intp)
    nothing = np.zeros((0, LENGTH, PREDICATES))
    spans = Spans(none, none, np.zeros(0))
    assert half_pointer_triples(spans, nothing, nothing, 0.1) == ()


def gplinker_by_hand(entities, heads, tails, floor):
    found = {}
    places = range(entities.shape[1])
    for sh, st_, oh, ot in product(places, repeat=4):
        for p in range(len(heads)):
            scores = (
                entities[0, sh, st_],
                entities[1, oh, ot],
                heads[p, sh, oh],
                tails[p, st_, ot],
            )
            if sh <= st_ and oh <= ot and min(scores) > np.log(floor / (1 - floor)):
                found[sh, st_, p, oh, ot] = 1 / (1 + np.exp(-min(scores)))
    return found


@settings(deadline=None, max_examples=40)
@given(seeds, floors, st.sampled_from([np.float32, np.float64]))
def test_gplinker_equals_four_loops(seed, floor, dtype):
    rng = np.random.default_rng(seed)
    length = 4
    entities, heads, tails = (
        rng.normal(scale=3, size=(count, length, length)).astype(dtype)
        for count in (2, PREDICATES, PREDICATES)
    )
    triples = gplinker_triples(entities, heads, tails, floor)
    expected = gplinker_by_hand(entities, heads, tails, floor)
    assert {triple[:5]: triple.probability for triple in triples} == pytest.approx(
        expected, abs=1e-6
    )
    assert len(triples) == len(expected)
    ranks = [triple.probability for triple in triples]
    assert ranks == sorted(ranks, reverse=True)
    assert all(probability > floor for probability in ranks)


def test_masked_scores_are_never_found():
    scores = np.full((2, 3, 3), -np.inf, np.float32)
    assert gplinker_triples(scores, scores, scores, 0.1) == ()


def test_of_too_many_entities_the_best_are_considered():
    rng = np.random.default_rng(0)
    entities = rng.normal(size=(2, 60, 60)) + 9
    links = np.full((1, 60, 60), 20.0)
    triples = gplinker_triples(entities, links, links, 0.5, max_entities=3)
    assert len(triples) == 9
    best = np.sort(np.triu(entities[0]), axis=None)[-3:]
    assert {entities[0, t.subject_head, t.subject_tail] for t in triples} == set(best)


def test_of_too_many_triples_the_best_are_returned():
    rng = np.random.default_rng(1)
    scores = rng.normal(size=(2, 4, 4))
    everything = gplinker_triples(scores, scores, scores, 0.2)
    assert (
        gplinker_triples(scores, scores, scores, 0.2, max_triples=5) == (everything[:5])
    )
    subjects = span_candidates(*draw(1, 2, LENGTH), 0.1)
    shape = (len(subjects.heads), LENGTH, PREDICATES)
    starts, ends = draw(2, 2, *shape)
    everything = half_pointer_triples(subjects, starts, ends, 0.1)
    assert half_pointer_triples(subjects, starts, ends, 0.1, 5) == everything[:5]


def test_of_too_many_spans_the_best_stay_in_order():
    spans = span_candidates(*draw(1, 2, LENGTH), 0.1)
    best = spans.best(2)
    kept = sorted(spans.probabilities, reverse=True)[:2]
    assert sorted(best.probabilities, reverse=True) == kept
    assert list(as_dict(best)) == [
        key for key in as_dict(spans) if key in as_dict(best)
    ]


def test_a_triple_names_its_parts():
    scores = np.full((2, 5, 5), -9.0)
    scores[0, 0, 1] = scores[1, 3, 4] = 2.0
    links = np.full((2, 2, 5, 5), -9.0)
    links[0, 1, 0, 3] = links[1, 1, 1, 4] = 1.0
    (triple,) = gplinker_triples(scores, *links)
    assert triple == TokenTriple(0, 1, 1, 3, 4, pytest.approx(1 / (1 + np.exp(-1))))


@pytest.mark.parametrize("floor", [0, 1, -0.5])
def test_a_floor_outside_is_refused(floor):
    scores = np.zeros((2, 2, 2))
    with pytest.raises(ValueError, match=f"floor must be between 0 and 1, got {floor}"):
        gplinker_triples(scores, scores, scores, floor)

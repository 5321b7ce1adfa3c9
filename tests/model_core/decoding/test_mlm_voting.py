import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_core.decoding.extractive import occurrences
from model_core.decoding.mlm_voting import (
    CUT_COST,
    best_spans,
    greedy_answer,
    mlm_vote,
    span_log_probs,
)

STOP = 5
sources = st.lists(st.integers(0, 4), min_size=1, max_size=9).map(np.array)
seeds = st.integers(0, 10_000)


def masks(seed, num_masks=4, num_passages=None, sharpness=2.0):
    shape = (num_passages or 1, num_masks, STOP + 1)
    logits = np.random.default_rng(seed).normal(scale=sharpness, size=shape)
    weights = np.exp(logits)
    probabilities = weights / weights.sum(-1, keepdims=True)
    return list(probabilities) if num_passages else probabilities[0]


def by_hand(probabilities, answer):
    total, judged = 1.0, [*answer, STOP][: len(probabilities)]
    for place, token in enumerate(judged):
        total *= probabilities[place][token]
    return total ** (1 / len(judged))


def all_spans(source, longest):
    return {
        tuple(source[start:end].tolist())
        for start in range(len(source))
        for end in range(start + 1, min(start + longest, len(source)) + 1)
    }


@settings(deadline=None)
@given(seeds, sources)
def test_every_stretch_has_the_mean_of_its_positions(seed, source):
    probabilities = masks(seed)
    scores = span_log_probs(probabilities, source, STOP)
    assert scores.shape == (min(4, len(source)), len(source))
    for row, start in np.ndindex(scores.shape):
        span = source[start : start + row + 1]
        if len(span) <= row:
            assert scores[row, start] == -np.inf
        else:
            assert scores[row, start] == pytest.approx(
                np.log(by_hand(probabilities, span.tolist()))
            )


@settings(deadline=None)
@given(seeds, sources, st.integers(1, 40))
def test_the_best_spans_are_the_best_of_all(seed, source, count):
    probabilities = masks(seed)
    spans = best_spans(span_log_probs(probabilities, source, STOP), source, count)
    expected = sorted(
        ((by_hand(probabilities, span), span) for span in all_spans(source, 4)),
        reverse=True,
    )[:count]
    assert [span.token_ids for span in spans] == [span for _, span in expected]
    assert [span.probability for span in spans] == pytest.approx(
        [probability for probability, _ in expected]
    )


@settings(deadline=None)
@given(seeds, st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=1))
def test_every_word_that_is_cut_costs(seed, marked):
    source, borders = (np.array(column) for column in zip(*marked, strict=True))
    probabilities = masks(seed)
    every = span_log_probs(probabilities, source, STOP)
    whole = span_log_probs(probabilities, source, STOP, borders)
    for row, start in np.ndindex(every.shape):
        end = start + row + 1
        cuts = 1 - borders[start] + (end < len(source) and not borders[end])
        assert whole[row, start] == every[row, start] - CUT_COST * cuts


def test_a_longer_answer_is_not_worse_for_its_length():
    probabilities = np.full((4, STOP + 1), 0.01)
    probabilities[[0, 1, 2], [1, 2, 3]] = 0.6  # surer of every token of 1 2 3
    probabilities[3, STOP] = 0.6
    probabilities[1, STOP] = 0.3  # than of stopping behind 1
    reading = mlm_vote([probabilities], STOP, [np.array([1, 2, 3])])
    assert reading.answers[0].token_ids == (1, 2, 3)
    assert reading.answers[0].probability == pytest.approx(0.6)


def test_passages_propose_whole_words_unless_they_are_sure():
    probabilities = np.full((3, STOP + 1), 0.01)
    probabilities[0, 1] = probabilities[1, STOP] = 0.9
    probabilities[1, 2] = probabilities[2, STOP] = 0.5
    source, borders = np.array([1, 2]), np.array([True, False])
    assert mlm_vote([probabilities], STOP, [source]).answers[0].token_ids == (1,)
    reading = mlm_vote([probabilities], STOP, [source], borders=[borders])
    assert reading.answers[0].token_ids == (1, 2)
    probabilities[1, 2] = probabilities[2, STOP] = 0.02
    reading = mlm_vote([probabilities], STOP, [source], borders=[borders])
    assert reading.answers[0].token_ids == (1,)
    assert reading.answers[0].probability == pytest.approx(0.9 * np.exp(-CUT_COST))


@settings(deadline=None)
@given(seeds, st.none() | sources)
def test_reading_greedily_takes_the_best_allowed_token_at_every_position(seed, source):
    probabilities = masks(seed)
    answer = greedy_answer(probabilities, source, STOP)
    for place in range(min(len(answer) + 1, len(probabilities))):
        allowed = [
            token
            for token in range(STOP)
            if source is None or occurrences(source, [*answer[:place], token]).size
        ]
        best = max([*allowed, STOP], key=lambda token: probabilities[place][token])
        assert best == (*answer, STOP)[place]


@settings(deadline=None)
@given(seeds, st.lists(sources, min_size=3, max_size=3))
def test_the_vote_is_the_formula_over_every_candidate(seed, texts):
    probabilities = masks(seed, num_passages=3)
    reading = mlm_vote(probabilities, STOP, texts, num_return=99, num_candidates=99)
    parts = [
        bool(greedy_answer(p, s, STOP))
        for p, s in zip(probabilities, texts, strict=True)
    ]
    candidates = [
        {()} if not part else all_spans(source, 4)
        for source, part in zip(texts, parts, strict=True)
    ]
    everything = set.union(*candidates)
    odds = [
        part * (1 - p[0, STOP]) / p[0, STOP]
        for p, part in zip(probabilities, parts, strict=True)
    ]
    shares = [one / sum(odds) if any(parts) else 1.0 for one in odds]
    assert {a.token_ids for a in reading.answers} == (everything - {()} or {()})
    for answer in reading.answers:
        own = [
            share * by_hand(p, answer.token_ids)
            if occurrences(source, answer.token_ids).size or not answer.token_ids
            else 0.0
            for p, source, share in zip(probabilities, texts, shares, strict=True)
        ]
        squares, total = sum(v * v for v in own), sum(own)
        assert answer.vote == pytest.approx(squares / (total + 1))
        together = total if answer.token_ids else total / 3
        assert answer.probability == pytest.approx(together)
        assert answer.own_probabilities == pytest.approx(own)
    votes = [answer.vote for answer in reading.answers]
    assert votes == sorted(votes, reverse=True)
    assert reading.has_answer == pytest.approx([1 - p[0, STOP] for p in probabilities])


@settings(deadline=None)
@given(seeds, sources)
def test_one_passage_answers_with_its_best_stretch(seed, source):
    probabilities = masks(seed)
    reading = mlm_vote([probabilities], STOP, [source])
    (own,) = reading.own_answers
    assert reading.answers[0].token_ids == own.token_ids
    assert reading.answers[0].probability == pytest.approx(own.probability)
    if greedy_answer(probabilities, source, STOP):
        scores = span_log_probs(probabilities, source, STOP)
        (best,) = best_spans(scores, source, 1)
        assert own == best
        assert own.probability >= by_hand(
            probabilities, greedy_answer(probabilities, source, STOP)
        ) * (1 - 1e-9)
    else:
        assert own.token_ids == ()
        assert own.probability == pytest.approx(probabilities[0, STOP])


def test_a_passage_that_doubts_to_have_an_answer_counts_for_less():
    doubts, knows = np.full((2, 2, STOP + 1), 0.01)
    doubts[0, [1, STOP]] = 0.5, 0.45
    knows[0, [2, STOP]] = 0.4, 0.1
    doubts[1, STOP] = knows[1, STOP] = 0.9
    sources = [np.array([1]), np.array([2])]
    reading = mlm_vote([doubts, knows], STOP, sources, num_return=2)
    assert [answer.token_ids for answer in reading.answers] == [(2,), (1,)]
    assert reading.answers[0].probability == pytest.approx(
        np.sqrt(0.4 * 0.9) * 9 / (9 + 0.55 / 0.45)
    )


def test_agreement_outweighs_one_that_is_as_sure():
    sure = np.full((2, STOP + 1), 0.02)
    one, other = sure.copy(), sure.copy()
    one[0, 1] = one[1, STOP] = other[0, 2] = other[1, STOP] = 0.9
    source = np.array([1, 2])
    reading = mlm_vote([one, other, other], STOP, [source] * 3, num_return=9)
    assert reading.answers[0].token_ids == (2,)
    assert [span.token_ids for span in reading.own_answers] == [(1,), (2,), (2,)]


def test_free_reading_votes_over_what_is_read_greedily():
    probabilities = masks(11, num_passages=4)
    reading = mlm_vote(probabilities, STOP, num_return=9)
    greedy = {greedy_answer(p, None, STOP) for p in probabilities}
    assert {answer.token_ids for answer in reading.answers} == greedy - {()}


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: mlm_vote([], STOP), "at least one passage, got none"),
        (
            lambda: mlm_vote([masks(0)], STOP, []),
            r"sources must hold one array per passage \(1\), got 0",
        ),
        (
            lambda: mlm_vote([masks(0)], STOP, borders=[]),
            r"borders must hold one array per passage \(1\), got 0",
        ),
    ],
)
def test_what_cannot_be_read_is_refused(ask, message):
    with pytest.raises(ValueError, match=message):
        ask()


def test_many_weak_answers_together_beat_one_stop_below_the_threshold():
    probabilities = np.full((2, 6), 0.14)
    probabilities[0, 5] = 0.3  # the stop is the likeliest first token, yet unlikely
    probabilities[1, 5] = 0.9
    source = np.array([0, 1, 2, 3, 4])
    assert mlm_vote([probabilities], 5, [source]).answers[0].token_ids == ()
    found = mlm_vote([probabilities], 5, [source], none_above=0.5)
    assert len(found.answers[0].token_ids) == 1
    probabilities[0, 5] = 0.6
    found = mlm_vote([probabilities], 5, [source], none_above=0.5)
    assert found.answers[0].token_ids == ()

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_core.decoding.beam import BeamOptions, beam_search
from model_core.decoding.extractive import occurrences
from model_core.decoding.voting import VoteOptions, answer_shares, vote, vote_search
from tests.model_core.decoding.toy_stepper import ToyStepper

PROMPTS = ([3, 1, 2], [0, 3], [2, 2, 1, 0], [1, 3, 3])
STOP = 4
SOURCES = tuple(map(np.array, ([0, 1, 2, 1], [3, 2, 1], [1, 2, 2], [3, 0, 1, 2, 3])))


def toy(seed=0, scale=0.7):
    return ToyStepper(vocab_size=5, seed=seed, scale=scale)


def search(stepper, prompts=PROMPTS, sources=None, **changes):
    options = {"max_new_tokens": 3, "stop_token_id": STOP, **changes}
    return list(vote_search(stepper, prompts, VoteOptions(**options), sources))


def own(stepper, prompt, answer):
    return np.exp(stepper.log_probs_after([*prompt, *answer]))


def taking_part(stepper, prompts):
    return [i for i, p in enumerate(prompts) if own(stepper, p, ()).argmax() != STOP]


def occurs(source, answer):
    return occurrences(source, answer).size > 0


def votes_by_hand(stepper, prompts, passages, answer, sources=None, weighed=False):
    """The formula, token by token and passage by passage."""
    stops = [float(own(stepper, prompts[i], ())[STOP]) for i in passages]
    odds = [(1 - p) / p if weighed else 1.0 for p in stops]
    shares = [one / (sum(odds) if weighed else 1.0) for one in odds]
    votes = []
    for token in range(STOP + 1):
        squares = total = 0.0
        for i, share in zip(passages, shares, strict=True):
            p = float(own(stepper, prompts[i], answer)[token]) * share
            if sources is not None and token != STOP:
                p *= occurs(sources[i], [*answer, token])
            squares, total = squares + p * p, total + p
        votes.append(squares / (total + 1))
    return np.array(votes) / sum(votes)


def all_answers(stepper, prompts, passages, length, sources=None, weighed=False):
    """Every answer with its voted log-probability, best first."""
    found = []
    for size in range(length + 1):
        for answer in product(range(STOP), repeat=size):
            total = 0.0
            for place, token in enumerate((*answer, STOP)[:length]):
                votes = votes_by_hand(
                    stepper, prompts, passages, answer[:place], sources, weighed
                )
                total += np.log(votes[token]) if votes[token] else -np.inf
            if total > -np.inf:
                found.append((total, answer))
    return sorted(found, reverse=True)


def test_the_vote_as_drawn():
    votes = vote(np.array([[0.8, 0.1], [0.3, 0.6]]))
    assert votes == pytest.approx([0.73 / 2.1, 0.37 / 1.7])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_a_vote_is_a_score_below_one_and_agreement_raises_it(probabilities):
    score = float(vote(np.array(probabilities)))
    assert 0 <= score < 1
    twice = float(vote(np.array(probabilities * 2)))
    assert twice >= score


def test_shares_are_the_odds_that_one_passage_alone_has_the_answer():
    stops = np.array([0.2, 0.5, 0.9])
    exactly_one = [
        np.prod([1 - p if i == one else p for i, p in enumerate(stops)])
        for one in range(3)
    ]
    expected = np.array(exactly_one) / sum(exactly_one)
    assert answer_shares(stops) == pytest.approx(expected)
    assert answer_shares(np.array([0.999])) == pytest.approx([1.0])
    certain = answer_shares(np.array([0.0, 1.0]))
    assert certain.sum() == pytest.approx(1)
    assert certain[0] > certain[1] >= 0


@pytest.mark.parametrize("sources", [None, SOURCES], ids=["free", "extractive"])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("weighed", [False, True], ids=["equal", "weighed"])
def test_enough_beams_search_exhaustively(sources, seed, weighed):
    stepper = toy(seed)
    passages = taking_part(stepper, PROMPTS)
    assert passages
    *_, last = search(
        stepper, sources=sources, num_beams=200, num_return=6, weighed=weighed
    )
    expected = all_answers(stepper, PROMPTS, passages, 3, sources, weighed)
    assert np.exp([total for total, _ in expected]).sum() == pytest.approx(1)
    assert [answer.token_ids for answer in last.answers] == [
        answer for _, answer in expected[:6]
    ]
    assert [answer.log_prob for answer in last.answers] == pytest.approx(
        [total for total, _ in expected[:6]], abs=1e-5
    )


def test_passages_whose_first_token_is_the_stop_take_no_part():
    stepper = toy(scale=2.0)
    prompts = [list(p) for p in product(range(STOP), repeat=2)]
    passages = taking_part(stepper, prompts)
    assert 0 < len(passages) < len(prompts)
    *_, last = search(stepper, prompts)
    answer = last.answers[0]
    parts = [i for i, p in enumerate(answer.own_log_probs) if p > -np.inf]
    assert parts == passages
    for i, prompt in enumerate(prompts):
        stop = float(own(stepper, prompt, ())[STOP])
        assert last.has_answer[i] == pytest.approx(1 - stop, abs=1e-6)
    ending = [*answer.token_ids, *[STOP] * (answer.finish == "stop")]
    for i in passages:
        steps = [
            own(stepper, prompts[i], ending[:n])[token]
            for n, token in enumerate(ending)
        ]
        assert answer.own_log_probs[i] == pytest.approx(np.log(steps).sum(), abs=1e-5)
    alone = search(stepper, [prompts[i] for i in passages])[-1]
    assert alone.answers[0].token_ids == answer.token_ids
    assert alone.answers[0].log_prob == pytest.approx(answer.log_prob)


def test_where_no_passage_takes_part_there_is_no_answer_for_one_pass():
    stepper = toy(scale=2.0)
    prompts = [list(p) for p in product(range(STOP), repeat=2)]
    silent = [p for p in prompts if own(stepper, p, ()).argmax() == STOP]
    frames = search(stepper, silent, num_beams=3, num_return=3, own_answers=True)
    assert stepper.count("decode") == 0
    (frame,) = frames
    (answer,) = frame.answers
    assert (answer.token_ids, answer.finish) == ((), "stop")
    everyone = range(len(silent))
    votes = votes_by_hand(stepper, silent, everyone, ())
    assert answer.log_prob == pytest.approx(np.log(votes[STOP]), abs=1e-5)
    assert frame.own_answers == (None,) * len(silent)
    assert frame.is_finished


@pytest.mark.parametrize("seed", range(8))
def test_one_free_passage_and_one_beam_are_greedy(seed):
    prompt = [3, 1, 2]
    frames = search(toy(seed, 2.0), [prompt], max_new_tokens=9)
    one = BeamOptions(9, num_beams=1, stop_token_ids=frozenset({STOP}))
    *_, greedy = beam_search(toy(seed, 2.0), prompt, one)
    answer = frames[-1].answers[0]
    assert answer.token_ids == greedy.rows[0].token_ids
    assert answer.finish == greedy.rows[0].finish
    if greedy.rows[0].token_ids:  # else it has no answer, by the vote's rule
        assert answer.own_log_probs[0] == pytest.approx(greedy.rows[0].log_prob)


@settings(deadline=None, max_examples=30)
@given(
    st.integers(0, 99),
    st.lists(
        st.lists(st.integers(0, 3), min_size=1, max_size=6), min_size=4, max_size=4
    ),
    st.integers(1, 3),
)
def test_extractive_answers_occur_in_a_passage(seed, texts, num_beams):
    sources = [np.array(text) for text in texts]
    frames = search(
        toy(seed),
        sources=sources,
        max_new_tokens=5,
        num_beams=num_beams,
        num_return=num_beams,
        own_answers=True,
    )
    for answer in frames[-1].answers:
        assert any(occurs(source, answer.token_ids) for source in sources)
    for source, answer in zip(sources, frames[-1].own_answers, strict=True):
        assert answer is None or occurs(source, answer.token_ids)


@pytest.mark.parametrize("sources", [None, SOURCES], ids=["free", "extractive"])
@pytest.mark.parametrize("seed", range(4))
def test_own_answers_are_those_of_the_passage_alone(sources, seed):
    together = search(toy(seed), sources=sources, num_beams=2, own_answers=True)[-1]
    plain = search(toy(seed), sources=sources, num_beams=2)[-1]
    assert together.answers == plain.answers
    assert plain.own_answers == (None,) * 4
    for i, prompt in enumerate(PROMPTS):
        own_source = None if sources is None else [sources[i]]
        alone = search(toy(seed), [prompt], own_source)[-1]
        answer = together.own_answers[i]
        if answer is None:
            assert alone.answers[0].token_ids == ()
        else:
            assert answer.token_ids == alone.answers[0].token_ids
            assert answer.own_log_probs[i] == alone.answers[0].own_log_probs[0]


def test_passages_and_beams_share_every_pass():
    stepper = toy()
    num_parts = len(taking_part(stepper, PROMPTS))
    frames = search(stepper, num_beams=2, own_answers=True, max_new_tokens=4)
    assert stepper.calls[0] == ("prefill", 4)
    batches = [size for call, size in stepper.calls if call == "decode"]
    assert batches[0] == num_parts * 2 + num_parts
    assert batches == sorted(batches, reverse=True)
    assert [frame.num_steps for frame in frames] == list(range(1, len(frames) + 1))
    assert len(batches) == frames[-1].num_steps - 1


def test_closing_computes_nothing_more():
    stepper = toy()
    frames = vote_search(stepper, PROMPTS, VoteOptions(9, STOP))
    assert stepper.calls == []
    next(frames)
    calls = list(stepper.calls)
    frames.close()
    assert stepper.calls == calls


def test_finished_answers_stay_and_frames_are_ranked():
    frames = search(toy(3), num_beams=4, num_return=4, max_new_tokens=6)
    for frame in frames:
        log_probs = [answer.log_prob for answer in frame.answers]
        assert log_probs == sorted(log_probs, reverse=True)
    assert frames[-1].is_finished
    assert all(answer.finish for answer in frames[-1].answers)
    assert not any(frame.is_finished for frame in frames[:-1])


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: VoteOptions(0, STOP), "max_new_tokens must be >= 1, got 0"),
        (lambda: VoteOptions(9, STOP, 2, 3), "between 1 and num_beams = 2, got 3"),
        (lambda: vote_search(toy(), [], VoteOptions(9, STOP)), "at least one prompt"),
        (
            lambda: vote_search(toy(), PROMPTS, VoteOptions(9, STOP), SOURCES[:1]),
            r"one array per prompt \(4\), got 1",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_at_once(ask, message):
    with pytest.raises(ValueError, match=message):
        ask()

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_core.decoding.constrained import TreeOptions, look_ahead, tree_search
from model_core.decoding.tree import TokenTree
from tests.model_core.decoding.toy_stepper import ToyStepper

PROMPT = [3, 1, 2]
END = 7  # no row holds it unless it says so

rows_of_tokens = st.lists(
    st.lists(st.integers(0, 6), min_size=1, max_size=5), min_size=1, max_size=12
)


def built(rows):
    token_ids = np.array([token for row in rows for token in row], np.uint16)
    return TokenTree.build(token_ids, np.cumsum([0, *map(len, rows)]))


def toy(seed=0):
    return ToyStepper(vocab_size=8, seed=seed)


def search(rows, stepper=None, question=(), **changes):
    options = {"end_token_id": END, "num_beams": 40, "num_return": 40, **changes}
    return list(
        tree_search(
            stepper or toy(), PROMPT, built(rows), TreeOptions(**options), question
        )
    )


def longest_stretch(rows, way, token, question):
    """The longest part of the question that begins with a token and leads on."""
    stretches = [
        tuple(question[start:end])
        for start in range(len(question))
        for end in range(start + 1, len(question) + 1)
        if question[start] == token
    ]
    ways = {tuple(row[:length]) for row in rows for length in range(len(row) + 1)}
    return max((len(s) for s in stretches if (*way, *s) in ways), default=0)


def brute_force(stepper, rows, question=(), after=0):
    """The log-probability of every distinct row, by the definition."""
    distinct = {tuple(row) for row in rows}
    totals = {}
    for row in distinct:
        total, way = 0.0, ()
        while True:
            nexts = {r[len(way)] for r in distinct if r[: len(way)] == way != r}
            log_probs = stepper.log_probs_after([*PROMPT, *way])
            weights = {}
            for token in nexts:
                stretch = longest_stretch(distinct, way, token, question)
                divisor = 1 + stretch * (way.count(END) >= after)
                weights[token] = np.exp(log_probs[token]) ** (1 / divisor)
            if way in distinct:
                weights["end"] = np.exp(log_probs[END])
            choice = "end" if way == row else row[len(way)]
            total += np.log(weights[choice] / sum(weights.values()))
            if choice == "end":
                break
            way = (*way, choice)
        totals[row] = total
    return totals


@settings(deadline=None, max_examples=60)
@given(rows_of_tokens, st.integers(0, 50))
def test_enough_beams_find_every_row_with_its_probability(rows, seed):
    *_, last = search(rows, toy(seed))
    expected = brute_force(toy(seed), rows)
    assert {end.token_ids: end.log_prob for end in last.ends} == pytest.approx(
        expected, abs=1e-5
    )
    assert sum(np.exp(end.log_prob) for end in last.ends) == pytest.approx(1)
    for end in last.ends:
        assert [tuple(rows[row]) for row in end.rows] == [end.token_ids] * len(end.rows)
    assert sorted(row for end in last.ends for row in end.rows) == list(
        range(len(rows))
    )


@settings(deadline=None, max_examples=60)
@given(rows_of_tokens, st.lists(st.integers(0, 6), max_size=6), st.integers(0, 50))
def test_the_look_ahead_is_the_definition(rows, question, seed):
    *_, last = search(rows, toy(seed), question)
    expected = brute_force(toy(seed), rows, question)
    assert {end.token_ids: end.log_prob for end in last.ends} == pytest.approx(
        expected, abs=1e-5
    )


@pytest.mark.parametrize("after", [0, 1, 2])
def test_the_look_ahead_can_wait_for_marks(after):
    rows = [[1, END, 2, 3], [1, END, 4, 5], [2, 3, END, 5, END, 0], [4, END, 4, END, 1]]
    rows += [[4, END, 4, END, 5], [2, 3, END, 5, END, 2]]
    question = [2, 3, 4, 5]
    *_, last = search(rows, question=question, look_ahead_after=after)
    expected = brute_force(toy(), rows, question, after)
    assert {end.token_ids: end.log_prob for end in last.ends} == pytest.approx(
        expected, abs=1e-5
    )
    everything = [brute_force(toy(), rows, question, n) for n in range(3)]
    assert everything[0] != pytest.approx(everything[1])
    assert everything[1] != pytest.approx(everything[2])


def test_a_name_that_the_question_holds_is_preferred():
    rows = [[1, 2, 3], [1, 4, 5], [6, 2]]
    tree = built(rows)
    assert look_ahead(tree, 0, [0, 1, 2, 3, 1]) == {1: 3}
    assert look_ahead(tree, 0, [4, 5]) == {}
    assert look_ahead(tree, tree.walk([1]), [2, 4, 5]) == {2: 1, 4: 2}
    plain = {end.rows[0]: end.log_prob for end in search(rows)[-1].ends}
    asked = {
        end.rows[0]: end.log_prob for end in search(rows, None, [1, 4, 5])[-1].ends
    }
    assert asked[1] > plain[1]


@settings(deadline=None, max_examples=60)
@given(
    rows_of_tokens,
    st.lists(st.integers(0, 6), max_size=6),
    st.integers(1, 4),
    st.integers(0, 50),
)
def test_every_end_is_a_row_whatever_the_beams(rows, question, num_beams, seed):
    frames = search(
        rows, toy(seed), question, num_beams=num_beams, num_return=num_beams
    )
    *_, last = frames
    truth = brute_force(toy(seed), rows, question)
    assert 1 <= len(last.ends) <= num_beams
    for end in last.ends:
        assert end.log_prob == pytest.approx(truth[end.token_ids], abs=1e-5)
    log_probs = [end.log_prob for end in last.ends]
    assert log_probs == sorted(log_probs, reverse=True)
    assert sum(end.share for end in last.ends) == pytest.approx(1)
    assert [frame.is_finished for frame in frames] == [False] * (len(frames) - 1) + [
        True
    ]


@pytest.mark.parametrize("seed", range(12))
def test_leaving_early_returns_what_patience_would(seed):
    rng = np.random.default_rng(seed)
    rows = [rng.integers(0, 7, rng.integers(1, 6)).tolist() for _ in range(40)]
    expected = sorted(brute_force(toy(seed), rows).values(), reverse=True)
    patient, hasty = ToyStepper(8, seed), ToyStepper(8, seed)
    *_, everything = search(rows, patient)
    *_, first = search(rows, hasty, num_return=1)
    assert first.ends[0].log_prob == pytest.approx(expected[0], abs=1e-5)
    assert first.ends[0].rows == everything.ends[0].rows
    assert first.num_steps <= everything.num_steps


def test_one_beam_takes_the_best_way_at_every_node():
    rows = [[1, 2, 3], [1, 4, 0], [1, 4, 5], [6, 2, 2], [6, 3, 2]]
    *_, last = search(rows, num_beams=1, num_return=1)
    way = ()
    while True:
        nexts = {row[len(way)] for row in rows if tuple(row[: len(way)]) == way}
        log_probs = toy().log_probs_after([*PROMPT, *way])
        way = (*way, max(nexts, key=lambda token: log_probs[token]))
        if list(way) in rows:
            break
    assert last.ends[0].token_ids == way


def test_a_single_row_needs_no_network():
    stepper = toy()
    frames = search([[1, 2, 3], [1, 2, 3]], stepper)
    assert stepper.calls == []
    assert [frame.num_steps for frame in frames] == [0]
    assert frames[0].ends[0].rows == (0, 1)
    assert frames[0].ends[0].log_prob == 0


def test_what_is_forced_to_an_end_is_never_read():
    stepper = toy()
    *_, last = search([[1, 2, 3, 4], [5, 6, 0, 1, 2]], stepper)
    assert stepper.calls == [("prefill", 1)]
    assert last.num_steps == 1
    assert len(last.ends) == 2


def test_what_is_forced_to_a_choice_is_read_all_paths_together():
    stepper = toy()
    rows = [[1, 2, 3, 4], [1, 2, 3, 5], [6, 0, 1], [6, 0, 2]]
    *_, last = search(rows, stepper)
    assert stepper.calls == [("prefill", 1), ("reorder", 2)] + [("decode", 2)] * 3
    assert last.num_steps == 4
    assert len(last.ends) == 4


def test_the_cache_holds_the_prompt_and_the_deepest_row():
    stepper = toy()
    search([[1, 2, 3, 4], [5]], stepper)
    assert stepper.capacity == len(PROMPT) + 4


def test_frames_hold_the_best_ends_so_far():
    rng = np.random.default_rng(1)
    rows = [rng.integers(0, 7, rng.integers(1, 6)).tolist() for _ in range(30)]
    frames = search(rows, num_beams=6, num_return=3)
    best = [frame.ends[0].log_prob for frame in frames if frame.ends]
    assert best == sorted(best)
    assert all(a.num_steps < b.num_steps for a, b in pairwise(frames))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_beams": 0}, "num_beams must be >= 1, got 0"),
        ({"num_return": 9}, "between 1 and num_beams = 4, got 9"),
        ({"look_ahead_after": -1}, "look_ahead_after must be >= 0, got -1"),
    ],
)
def test_what_cannot_be_searched_is_refused_by_name(changes, message):
    with pytest.raises(ValueError, match=message):
        TreeOptions(**{"end_token_id": END, **changes})


def test_an_empty_prompt_is_refused_at_once():
    with pytest.raises(ValueError, match="at least one token id, got none"):
        tree_search(toy(), [], built([[1]]), TreeOptions(END))

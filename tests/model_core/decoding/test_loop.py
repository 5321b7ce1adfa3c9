from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_core.decoding.history import History
from model_core.decoding.logits import (
    ForbiddenTokens,
    MinNewTokens,
    NoRepeatNgram,
    RepetitionPenalty,
    Temperature,
    TopK,
    TopP,
)
from model_core.decoding.loop import SamplingOptions, generate
from tests.model_core.decoding.toy_stepper import ToyStepper

PROMPTS = ([3, 1, 4, 1], [5], [9, 2, 6])
STOPS = frozenset({0, 7})


def toy(**options):
    return ToyStepper(**{"vocab_size": 12, **options})


def options(**changes):
    return SamplingOptions(**{"max_new_tokens": 24, **changes})


def final(prompts, stepper=None, **changes):
    frames = list(generate(stepper or toy(), prompts, options(**changes)))
    return frames[-1].rows


def greedy(stepper, prompt, length):
    seen = list(prompt)
    for _ in range(length):
        seen.append(int(stepper.logits_after(seen).argmax()))
    return tuple(seen[len(prompt) :])


def test_top_1_is_greedy_from_the_whole_sequence():
    rows = final(PROMPTS, rules=(TopK(1),))
    assert [row.token_ids for row in rows] == [greedy(toy(), p, 24) for p in PROMPTS]


def test_the_coldest_temperature_is_greedy():
    rows = final(PROMPTS, rules=(Temperature(1e-9),))
    assert [row.token_ids for row in rows] == [greedy(toy(), p, 24) for p in PROMPTS]


def test_rules_that_are_off_leave_the_text_alone():
    off = (Temperature(1.0), TopP(1.0), TopK(12), RepetitionPenalty(1.0))
    assert final(PROMPTS, rules=off) == final(PROMPTS)


def test_the_same_seed_gives_the_same_text_and_another_seed_another():
    assert final(PROMPTS, seed=3) == final(PROMPTS, seed=3)
    assert final(PROMPTS, seed=3) != final(PROMPTS, seed=4)


def test_candidates_of_one_prompt_differ():
    rows = final([PROMPTS[0]] * 4)
    assert len({row.token_ids for row in rows}) == 4


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000))
def test_a_row_does_not_depend_on_the_rows_beside_it(seed):
    changes = {
        "seed": seed,
        "stop_token_ids": STOPS,
        "rules": (RepetitionPenalty(1.3), NoRepeatNgram(3), TopK(6), TopP(0.9)),
        "num_alternatives": 2,
    }
    together = final(PROMPTS, **changes)
    assert final(PROMPTS[:1], **changes) == together[:1]
    assert final((PROMPTS[2], PROMPTS[1]), **changes)[1] == together[1]
    assert final((PROMPTS[1],) * 2 + PROMPTS[2:] * 4, **changes)[2] == together[2]


def test_a_repeated_prompt_is_read_once():
    stepper = toy()
    frames = generate(stepper, [PROMPTS[0]] * 3 + [PROMPTS[1]], options())
    next(frames)
    assert stepper.calls == [("prefill", 2), ("reorder", 4)]
    stepper = toy()
    next(generate(stepper, PROMPTS, options()))
    assert stepper.calls == [("prefill", 3)]


def test_the_cache_holds_the_longest_prompt_and_all_new_tokens():
    stepper = toy()
    next(generate(stepper, PROMPTS, options(max_new_tokens=5)))
    assert stepper.capacity == 4 + 5


def test_every_frame_is_the_whole_result_so_far_and_costs_one_step():
    stepper = toy()
    frames = []
    for number, frame in enumerate(generate(stepper, PROMPTS, options()), start=1):
        assert [len(row.tokens) for row in frame.rows] == [number] * 3
        assert frame.num_new_tokens == 3 * number
        assert stepper.count("decode") == number - 1
        frames.append(frame)
    for earlier, later in pairwise(frames):
        for one, two in zip(earlier.rows, later.rows, strict=True):
            assert two.tokens[: len(one.tokens)] == one.tokens
    assert [frame.is_finished for frame in frames] == [False] * 23 + [True]


def test_nothing_is_computed_before_the_first_frame_or_after_closing():
    stepper = toy()
    frames = generate(stepper, PROMPTS, options())
    assert stepper.calls == []
    for _ in range(3):
        next(frames)
    calls = list(stepper.calls)
    frames.close()
    assert stepper.calls == calls
    assert calls == [("prefill", 3), ("decode", 3), ("decode", 3)]
    with pytest.raises(StopIteration):
        next(frames)


def test_the_length_limit_is_exact():
    rows = final(PROMPTS, max_new_tokens=7)
    assert [len(row.tokens) for row in rows] == [7] * 3
    assert {row.finish for row in rows} == {"length"}


def test_a_stop_token_ends_its_row_only_and_is_no_text():
    rows = final(PROMPTS * 4, stop_token_ids=STOPS, seed=1)
    assert {row.finish for row in rows} == {"stop", "length"}
    free = final(PROMPTS * 4, seed=1)
    for row, unstopped in zip(rows, free, strict=True):
        assert not STOPS & set(row.token_ids)
        assert unstopped.token_ids[: len(row.tokens)] == row.token_ids
        if row.finish == "stop":
            assert row.stop_token.token_id == unstopped.token_ids[len(row.tokens)]
        else:
            assert row.stop_token is None


def test_a_row_may_stop_before_any_text():
    everything = frozenset(range(12))
    (frame,) = generate(toy(), PROMPTS, options(stop_token_ids=everything))
    assert [row.tokens for row in frame.rows] == [()] * 3
    assert [row.num_steps for row in frame.rows] == [1] * 3


def test_finished_rows_are_dropped_once_they_are_half_of_the_batch():
    stepper = toy()
    sizes = []
    frames = generate(
        stepper, PROMPTS * 4, options(stop_token_ids=STOPS, max_new_tokens=60)
    )
    for frame in frames:
        running = sum(not row.finish for row in frame.rows)
        sizes.append((running, stepper.calls[-1][1]))
    # the next call after a frame computes fewer than two rows per running one
    for (running, _), (_, computed) in pairwise(sizes):
        assert running <= computed < 2 * running
    assert stepper.count("reorder") <= 1 + 4  # the copies, then 12 -> 6 -> 3 -> 1


@pytest.mark.parametrize("minimum", [1, 5, 9])
def test_no_row_stops_before_its_minimum(minimum):
    rows = final(
        PROMPTS * 4,
        rules=(MinNewTokens(minimum, tuple(STOPS)),),
        stop_token_ids=STOPS,
    )
    assert min(len(row.tokens) for row in rows) >= minimum
    assert any(row.finish == "stop" for row in rows)


def test_forbidden_tokens_never_appear():
    rows = final(PROMPTS, rules=(ForbiddenTokens((1, 2, 3)),), max_new_tokens=60)
    assert not {1, 2, 3} & {token for row in rows for token in row.token_ids}


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.integers(0, 29), min_size=1, max_size=12),
    st.integers(2, 4),
    st.integers(0, 999),
)
def test_no_ngram_is_ever_repeated(prompt, size, seed):
    (row,) = final(
        [prompt],
        toy(vocab_size=30, scale=4.0),
        rules=(NoRepeatNgram(size), TopK(5)),
        seed=seed,
        max_new_tokens=28,
    )
    text = (*prompt, *row.token_ids)
    ngrams = [text[i : i + size] for i in range(len(text) - size + 1)]
    first_new = max(len(prompt) - size + 1, 0)
    for place in range(first_new, len(ngrams)):
        assert ngrams[place] not in ngrams[:place]


def test_repetition_penalty_reduces_repetition():
    def num_distinct(*rules):
        rows = final(
            PROMPTS, toy(vocab_size=40), rules=(*rules, TopK(1)), max_new_tokens=40
        )
        return sum(len(set(row.token_ids)) for row in rows)

    assert num_distinct(RepetitionPenalty(1.5)) > num_distinct()


def test_log_probs_are_the_models_own_and_add_up_with_the_stop_token():
    stepper = toy()
    rules = (RepetitionPenalty(1.5), Temperature(0.7), TopK(4))
    rows = final(PROMPTS * 3, stepper, rules=rules, stop_token_ids=STOPS)
    assert any(row.stop_token for row in rows)
    for prompt, row in zip(PROMPTS * 3, rows, strict=True):
        seen, total = list(prompt), 0.0
        chosen = [*row.tokens, *([row.stop_token] if row.stop_token else [])]
        for token in chosen:
            expected = stepper.log_probs_after(seen)[token.token_id]
            assert token.log_prob == pytest.approx(expected, abs=1e-5)
            total += expected
            seen.append(token.token_id)
        assert row.log_prob == pytest.approx(total, abs=1e-4)
        assert row.score == row.log_prob


def test_alternatives_are_the_models_best_tokens_before_any_rule():
    (frame, *_) = generate(
        toy(), PROMPTS, options(num_alternatives=3, rules=(ForbiddenTokens((4,)),))
    )
    for prompt, row in zip(PROMPTS, frame.rows, strict=True):
        log_probs = toy().log_probs_after(prompt)
        best = np.argsort(-log_probs)[:3]
        alternatives = row.tokens[0].alternatives
        assert [token_id for token_id, _ in alternatives] == best.tolist()
        assert [p for _, p in alternatives] == pytest.approx(
            np.exp(log_probs[best]).tolist(), abs=1e-5
        )


def test_logits_that_are_no_numbers_stop_the_loop_with_a_reason():
    stepper = toy()
    stepper._place[:] = np.nan
    with pytest.raises(FloatingPointError, match="run the model in float32"):
        next(generate(stepper, PROMPTS, options()))


def test_history_keeps_what_appending_and_taking_mean():
    history = History.of_prompts([[1, 2, 3], [4]])
    longer = history.append(np.array([8, 9], np.int32), np.array([False, True]))
    longer = longer.append(np.array([7, 6], np.int32), np.array([True, True]))
    assert longer.row(0).tolist() == [1, 2, 3, 7]
    assert longer.row(1).tolist() == [4, 9, 6]
    assert longer.new_tokens(1).tolist() == [9, 6]
    assert longer.num_new_tokens.tolist() == [1, 2]
    assert longer.last_token_ids.tolist() == [7, 6]
    assert longer.take(np.array([1, 1])).row(0).tolist() == [4, 9, 6]
    assert history.row(1).tolist() == [4]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: options(max_new_tokens=0), "max_new_tokens must be >= 1, got 0"),
        (lambda: options(num_alternatives=-1), "num_alternatives must be >= 0, got -1"),
        (lambda: options(seed=-5), "seed must be >= 0, got -5"),
        (lambda: generate(toy(), [], options()), "at least one prompt, got none"),
        (
            lambda: generate(toy(), [[1], []], options()),
            r"at least one token id, got none in rows \[1\]",
        ),
    ],
)
def test_what_cannot_be_followed_is_refused_at_once(build, message):
    with pytest.raises(ValueError, match=message):
        build()

"""Laws of guessing ahead: the same tokens in fewer passes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_core.decoding.ahead import generate_ahead, guesses
from model_core.decoding.logits import (
    MinNewTokens,
    NoRepeatNgram,
    RepetitionPenalty,
    Temperature,
    TopK,
    TopP,
)
from model_core.decoding.loop import SamplingOptions, generate
from tests.model_core.decoding.toy_stepper import ToyStepper

RULES = (
    (),
    (TopK(1),),
    (Temperature(0.4), TopK(5), TopP(0.9)),
    (MinNewTokens(5, (0, 5)), RepetitionPenalty(1.3), TopK(3)),
    (NoRepeatNgram(3, (), new_tokens_only=True), TopK(1)),
)


@settings(max_examples=120, deadline=None)
@given(
    prompt=st.lists(st.integers(0, 5), min_size=1, max_size=20),
    rules=st.sampled_from(RULES),
    seed=st.integers(0, 60),
    length=st.integers(1, 40),
    alternatives=st.integers(0, 2),
    scale=st.sampled_from([0.5, 4.0]),
)
def test_the_text_is_that_of_one_token_at_a_time(
    prompt, rules, seed, length, alternatives, scale
):
    options = SamplingOptions(length, frozenset({0, 5}), rules, seed, alternatives)
    *_, found = generate_ahead(ToyStepper(6, scale=scale), prompt, options)
    *_, expected = generate(ToyStepper(6, scale=scale), [prompt], options)
    assert found == expected


class Copying(ToyStepper):
    """Wants to go on as its prompt did."""

    def logits_after(self, token_ids):
        logits = super().logits_after(token_ids) * 0
        logits[(token_ids[-1] + 1) % self.vocab_size] = 9
        return logits


def test_a_text_that_copies_takes_a_fraction_of_the_passes():
    stepper = Copying(20)
    options = SamplingOptions(30, rules=(TopK(1),))
    *_, frame = generate_ahead(stepper, [*range(20), *range(3)], options)
    assert len(frame.rows[0].tokens) == 30
    assert stepper.count("ahead") <= 30 / 5 + 1


def test_frames_hold_ever_more_of_the_text():
    options = SamplingOptions(12, rules=(TopK(1),))
    frames = list(generate_ahead(Copying(20), [*range(20), *range(3)], options))
    lengths = [len(frame.rows[0].tokens) for frame in frames]
    assert lengths == sorted(set(lengths))
    assert [frame.is_finished for frame in frames] == [False] * (len(frames) - 1) + [
        True
    ]


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ([1, 2, 3, 4, 5, 1, 2], [3, 4, 5, 1]),
        ([1, 2, 9, 1, 2, 8, 1, 2], [8, 1, 2]),  # of equal endings the last
        ([7, 1, 2, 9, 3, 1, 2, 8, 7, 1, 2], [9, 3, 1, 2]),  # a longer one first
        ([1, 2, 3], []),
        ([4], []),
        ([4, 4, 4], [4]),
    ],
)
def test_what_is_guessed(seen, expected):
    assert list(guesses(seen)) == expected

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_core.decoding.beam import BeamOptions, beam_search, beam_search_many
from model_core.decoding.logits import MinNewTokens, NoRepeatNgram, RepetitionPenalty
from tests.model_core.decoding.toy_stepper import ToyStepper

STOP = 4
RULES = (RepetitionPenalty(1.3), NoRepeatNgram(2), MinNewTokens(2, (STOP,)))
prompts_of_tokens = st.lists(
    st.lists(st.integers(0, 6), min_size=1, max_size=6), min_size=1, max_size=5
)


def beams(**changes):
    defaults = {"max_new_tokens": 8, "num_beams": 3, "num_return": 2}
    return BeamOptions(stop_token_ids=frozenset({STOP}), **{**defaults, **changes})


@settings(deadline=None, max_examples=40)
@given(prompts_of_tokens, st.integers(0, 99), st.sampled_from([(), RULES]))
def test_every_prompt_ends_as_it_would_alone(prompts, seed, rules):
    options = beams(rules=rules, num_alternatives=2)
    *_, together = beam_search_many(ToyStepper(7, seed), prompts, options)
    alone = [
        list(beam_search(ToyStepper(7, seed), prompt, options))[-1]
        for prompt in prompts
    ]
    assert list(together) == alone


def test_every_frame_is_that_of_each_prompt_alone_and_the_last_one_stays():
    prompts = [[1, 2], [3], [2, 2, 5, 1]]
    options = beams(num_return=1, length_penalty=0.0, max_new_tokens=12)
    together = list(beam_search_many(ToyStepper(7, 7), prompts, options))
    alone = [list(beam_search(ToyStepper(7, 7), p, options)) for p in prompts]
    assert len({len(frames) for frames in alone}) > 1
    assert len(together) == max(map(len, alone))
    for step, frames in enumerate(together):
        assert list(frames) == [own[min(step, len(own) - 1)] for own in alone]


def test_all_prompts_share_every_pass_and_what_is_over_leaves():
    prompts = [[number] for number in range(7)]
    options = beams(num_return=1, length_penalty=0.0, max_new_tokens=12)
    stepper = ToyStepper(7, 7)
    list(beam_search_many(stepper, prompts, options))
    alone = [ToyStepper(7, 7) for _ in prompts]
    for own, prompt in zip(alone, prompts, strict=True):
        list(beam_search(own, prompt, options))
    assert stepper.count("prefill") == 1
    assert stepper.count("decode") == max(own.count("decode") for own in alone)
    batches = [size for call, size in stepper.calls if call == "decode"]
    assert batches[0] == 3 * 7
    assert batches[-1] < batches[0]


def test_equal_prompts_are_read_once():
    stepper = ToyStepper(7)
    *_, last = beam_search_many(stepper, [[1, 2], [1, 2], [3]], beams())
    assert stepper.calls[0] == ("prefill", 2)
    assert last[0] == last[1]


def test_frames_only_grow():
    frames = list(beam_search_many(ToyStepper(7), [[1], [2]], beams()))
    for earlier, later in pairwise(frames):
        for one, two in zip(earlier, later, strict=True):
            assert two == one or not one.is_finished


def test_no_prompt_is_refused_at_once():
    with pytest.raises(ValueError, match="at least one prompt, got none"):
        beam_search_many(ToyStepper(7), [], beams())
    with pytest.raises(ValueError, match=r"got none in rows \[1\]"):
        beam_search_many(ToyStepper(7), [[1], []], beams())

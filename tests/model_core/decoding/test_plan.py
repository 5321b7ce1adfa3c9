import pytest

from model_core.decoding.logits import (
    AllowedFirst,
    ForbiddenTokens,
    MinNewTokens,
    NoRepeatNgram,
    RepetitionPenalty,
    Temperature,
    TopK,
    TopP,
)
from model_core.decoding.plan import rules_for
from model_core.interfaces import GenerationOptions

EVERYTHING = GenerationOptions(
    min_new_tokens=3,
    temperature=0.8,
    top_k=50,
    top_p=0.9,
    repetition_penalty=1.1,
    no_repeat_ngram_size=4,
)
FIRST = AllowedFirst((5,))
SEARCHED = (
    ForbiddenTokens((0, 1)),
    MinNewTokens(3, (2,)),
    FIRST,
    RepetitionPenalty(1.1, (2,)),
    NoRepeatNgram(4, (2,)),
)


def test_defaults_need_no_rule():
    assert rules_for(GenerationOptions(), stop_token_ids=(2,)) == ()


def test_forbidding_comes_first_and_cutting_the_tail_last():
    rules = rules_for(EVERYTHING, (2,), (0, 1), (FIRST,))
    assert rules == (*SEARCHED, Temperature(0.8), TopK(50), TopP(0.9))


def test_a_search_leaves_the_rules_of_sampling_out():
    searched = GenerationOptions(
        min_new_tokens=3,
        temperature=0.8,
        top_k=50,
        top_p=0.9,
        repetition_penalty=1.1,
        no_repeat_ngram_size=4,
        num_beams=4,
    )
    assert rules_for(searched, (2,), (0, 1), (FIRST,)) == SEARCHED


def test_an_option_out_of_range_is_refused_by_name():
    with pytest.raises(ValueError, match="temperature must be > 0, got 0"):
        rules_for(GenerationOptions(temperature=0), ())

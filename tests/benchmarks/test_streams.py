"""The streams' figures, over streams whose times are known."""

import pytest

from benchmarks.streams import Stream, drawn_prompts, figures_of, followed
from model_core.tokenizers.load import load_tokenizer
from tests.fakes import FakeGenerator
from tests.model_core.tiny_checkpoint import write_checkpoint


def stream(text, seconds):
    return Stream(text, first_seconds=seconds / 4, seconds=seconds, stall_seconds=0.5,
                  num_tokens=8)  # fmt: skip


def test_the_gain_is_of_all_over_one():
    alone = [stream("甲", 2.0), stream("乙", 2.0)]
    told = figures_of(alone, [stream("甲", 3.0), stream("丙", 4.0)], 4.0)
    assert told["tokens_per_second_alone"] == 4.0
    assert told["tokens_per_second"] == 4.0
    assert told["gain"] == 1.0
    assert told["first_token_seconds"] == 1.0
    assert (told["same"], told["tokens"]) == (1, 2)


def test_a_stream_is_followed_to_its_end():
    made = followed(FakeGenerator(), 4, 0, "春")
    assert made.num_tokens == 4
    assert 0 <= made.first_seconds <= made.seconds
    assert len(made.text) >= 1


def test_everyone_has_a_prompt_of_known_characters(tmp_path):
    tokenizer = load_tokenizer(write_checkpoint(tmp_path))
    prompts = drawn_prompts(tokenizer)
    assert len(prompts) == 10
    for prompt in prompts:
        ids = tokenizer.encode(prompt).token_ids
        assert len(prompt) == len(ids) == 16
        assert tokenizer.unk_id not in ids
    assert len(set(prompts)) > 1


def test_a_silent_generator_is_told():
    class Silent:
        def complete(self, prompt, options):
            return iter(())

    with pytest.raises(ValueError, match="春"):
        followed(Silent(), 4, 0, "春")

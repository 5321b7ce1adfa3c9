import itertools
import math
import time

import pytest

from model_core.engines.base import Writing
from model_core.interfaces import GenerationOptions, ModelError
from model_core.roles.loaded import load_model
from model_core.roles.text_generator import NetworkTextGenerator
from tests.model_core.tiny_checkpoint import write_checkpoint

OPTIONS = GenerationOptions(max_new_tokens=8, seed=3)


@pytest.fixture(scope="module", name="generator")
def fixture_generator(tmp_path_factory):
    folder = write_checkpoint(tmp_path_factory.mktemp("tiny"))
    return NetworkTextGenerator(
        load_model(folder, name="tiny", heads=("language_model",), commit="c" * 40)
    )


@pytest.fixture(name="every_frame")
def fixture_every_frame(monkeypatch):
    monkeypatch.setattr(NetworkTextGenerator, "frame_seconds", 0.0)


def last(generator, prompt, **changes):
    *_, frame = generator.complete(prompt, GenerationOptions(**changes))
    return frame


@pytest.mark.usefixtures("every_frame")
def test_every_frame_holds_the_whole_result_so_far(generator):
    texts = [f.candidates[0].text for f in generator.complete("春风", OPTIONS)]
    assert len(texts) >= 2
    assert all(later.startswith(text) for text, later in itertools.pairwise(texts))


def test_frames_come_no_faster_than_they_are_read_and_the_last_one_always(
    generator, monkeypatch
):
    monkeypatch.setattr(NetworkTextGenerator, "frame_seconds", 60.0)
    options = GenerationOptions(max_new_tokens=8, min_new_tokens=8, seed=3)
    frames = list(generator.complete("春风", options))
    assert len(frames) <= 2  # the first and the last; one where that was all too quick
    assert len(frames[-1].candidates[0].tokens) == 8
    monkeypatch.setattr(NetworkTextGenerator, "frame_seconds", 0.0)
    every = list(generator.complete("春风", options))
    lengths = [len(frame.candidates[0].tokens) for frame in every]
    assert lengths == sorted(set(lengths))
    assert every[-1].candidates == frames[-1].candidates


def test_tokens_spell_the_text_and_sum_to_its_log_probability(generator):
    frame = last(generator, "春风", max_new_tokens=8, seed=3, min_new_tokens=8)
    (candidate,) = frame.candidates
    assert candidate.finish == "length"
    assert "".join(token.text for token in candidate.tokens) == candidate.text
    total = sum(token.log_prob for token in candidate.tokens)
    assert math.isclose(candidate.log_prob, total, rel_tol=1e-6)
    for token in candidate.tokens:
        chances = [a.probability for a in token.alternatives]
        assert chances == sorted(chances, reverse=True)
        assert len(chances) == 5


def test_the_same_seed_repeats_and_another_differs(generator):
    texts = [
        last(generator, "明月", max_new_tokens=12, seed=seed).candidates[0].text
        for seed in (5, 5, 6)
    ]
    assert texts[0] == texts[1] != texts[2]


def test_a_drawn_seed_is_reported_and_repeats_the_text(generator):
    first = last(generator, "明月", max_new_tokens=8)
    again = last(generator, "明月", max_new_tokens=8, seed=first.seed)
    assert again.candidates == first.candidates


def test_top_1_is_greedy_is_beam_1(generator):
    greedy = last(generator, "江南", max_new_tokens=8, top_k=1, seed=0)
    other_seed = last(generator, "江南", max_new_tokens=8, top_k=1, seed=9)
    assert greedy.candidates[0].text == other_seed.candidates[0].text


def test_several_beams_come_best_first_and_no_worse_than_greedy(generator):
    greedy = last(generator, "江南", max_new_tokens=6, top_k=1, length_penalty=0.0)
    beams = last(
        generator,
        "江南",
        max_new_tokens=6,
        num_beams=4,
        num_return=3,
        length_penalty=0.0,
    )
    scores = [candidate.log_prob for candidate in beams.candidates]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] >= greedy.candidates[0].log_prob - 1e-4


def test_candidates_share_a_request_but_not_their_draws(generator):
    frame = last(generator, "春", max_new_tokens=12, num_return=4, seed=1)
    assert len({candidate.text for candidate in frame.candidates}) > 1
    alone = last(generator, "春", max_new_tokens=12, num_return=1, seed=1)
    assert alone.candidates[0].text == frame.candidates[0].text


def test_marks_and_unknowns_are_never_written(generator):
    for seed in range(5):
        text = last(generator, "我", max_new_tokens=30, seed=seed).candidates[0].text
        assert "[" not in text


def test_a_style_changes_what_is_written(generator):
    plain, styled = (
        last(generator, "春", max_new_tokens=16, seed=2, style=style)
        for style in ("散文", "词·江南春")
    )
    assert generator.styles == ("散文", "词·江南春")
    scores = [frame.candidates[0].tokens[0].log_prob for frame in (plain, styled)]
    assert abs(scores[0] - scores[1]) > 1e-3


def test_an_unknown_style_lists_those_known(generator):
    with pytest.raises(
        ModelError, match="不认识体裁“俳句”，可选：散文、词·江南春"
    ) as e:
        next(generator.complete("春", GenerationOptions(style="俳句")))
    assert e.value.kind == "unsupported"
    assert "they know: 散文" in e.value.text("en")


def test_a_prompt_of_unknown_characters_is_refused(generator):
    with pytest.raises(ModelError, match="词表里没有开头中的任何一个字"):
        next(generator.complete("😀🎉", OPTIONS))


def test_a_long_prompt_keeps_its_end_and_says_what_was_dropped(generator):
    frame = last(generator, "春风又绿江南岸" * 20, max_new_tokens=8, seed=0)
    # 48 positions, 8 of them for new tokens, 2 for the opening marks
    assert frame.num_prompt_chars_dropped == 140 - 38
    assert frame.candidates[0].finish


def test_more_tokens_than_positions_end_by_length(generator):
    frame = last(generator, "春", max_new_tokens=900, min_new_tokens=900, seed=0)
    assert frame.candidates[0].finish == "length"
    assert len(frame.candidates[0].tokens) == 48 - 3


def test_a_prompt_cut_inside_a_word_can_become_the_word(generator):
    texts = {
        last(generator, "明月Lin", max_new_tokens=1, seed=seed).candidates[0].text
        for seed in range(40)
    }
    assert any(text.startswith("ux") for text in texts)
    assert not any(text.startswith("Lin") for text in texts)


def test_what_is_spelled_again_counts_neither_for_the_least_nor_for_the_most(
    generator,
):
    asked = {"min_new_tokens": 3, "max_new_tokens": 4, "num_return": 40, "seed": 0}
    frame = last(generator, "明月Lin", **asked)
    lengths = {len(candidate.tokens) for candidate in frame.candidates}
    assert lengths <= {1 + 3, 1 + 4}


@pytest.mark.usefixtures("every_frame")
def test_closing_stops_the_computation(generator, monkeypatch):
    stepper = generator._model.engine.stepper(Writing())
    calls = []
    step = stepper.decode_one_token

    def slow(*arguments):
        calls.append(1)
        time.sleep(0.01)
        return step(*arguments)

    monkeypatch.setattr(stepper, "decode_one_token", slow)
    options = GenerationOptions(max_new_tokens=30, min_new_tokens=30, seed=0)
    frames = generator.complete("春", options)
    next(frames)
    next(frames)
    frames.close()
    time.sleep(0.05)
    stopped = len(calls)
    time.sleep(0.1)
    assert 1 <= stopped == len(calls) < 29  # others' rows might share the steps


def test_frames_say_which_weights_answered(generator):
    frame = last(generator, "春", max_new_tokens=2, seed=0)
    assert frame.weights.name == "tiny"
    assert frame.weights.commit == "c" * 40
    assert frame.weights.family == "maskplay"
    assert frame.weights.num_parameters > 1000
    assert frame.weights.size_bytes == 4 * frame.weights.num_parameters

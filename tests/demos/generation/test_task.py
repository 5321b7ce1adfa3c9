"""A generation asks the model once and passes its frames on."""

from dataclasses import fields

import pytest

from demos.errors import InvalidRequestError
from demos.generation.examples import EXAMPLES, caption
from demos.generation.task import GenerationRequest, generate
from demos.limits import label_of
from model_core.interfaces import GenerationOptions, ModelError
from tests.fakes import FakeGenerator


def test_defaults_are_those_of_the_contract():
    request = GenerationRequest("春")
    assert request.options == GenerationOptions(
        max_new_tokens=128,
        min_new_tokens=0,
        temperature=0.8,
        top_k=50,
        top_p=0.9,
        repetition_penalty=1.1,
        no_repeat_ngram_size=4,
        num_return=1,
        seed=None,
        style="",
    )


def test_every_setting_of_a_request_reaches_the_model_under_its_name():
    given = {
        "max_new_tokens": 5,
        "min_new_tokens": 2,
        "temperature": 0.5,
        "top_k": 3,
        "top_p": 0.7,
        "repetition_penalty": 1.5,
        "no_repeat_ngram_size": 4,
        "num_return": 2,
        "seed": 11,
        "style": "散文",
        "condition": "正面",
    }
    assert given.keys() == {f.name for f in fields(GenerationRequest)} - {"prompt"}
    model = FakeGenerator()
    list(generate(GenerationRequest("春", **given), model))
    ((prompt, options),) = model.asked
    assert prompt == "春"
    assert {name: getattr(options, name) for name in given} == given


def test_each_result_is_the_whole_so_far():
    results = list(generate(GenerationRequest("春", max_new_tokens=3), FakeGenerator()))
    texts = [result.candidates[0].text for result in results]
    assert [len(text) for text in texts] == [1, 2, 3]
    assert texts[2].startswith(texts[1])
    assert [result.finished for result in results] == [False, False, True]


def test_speed_counts_every_candidate_and_survives_a_still_clock():
    request = GenerationRequest("春", max_new_tokens=4, num_return=2)
    *_, result = generate(request, FakeGenerator())
    assert result.tokens_per_second == pytest.approx(200)


def test_again_repeats_a_run_that_drew_its_seed():
    first = list(generate(GenerationRequest("春"), FakeGenerator()))[-1]
    assert first.request.seed is None
    assert first.again.seed == first.frame.seed
    second = list(generate(first.again, FakeGenerator()))[-1]
    assert second.candidates == first.candidates


def test_closing_the_results_stops_the_model():
    model = FakeGenerator()
    results = generate(GenerationRequest("春"), model)
    next(results)
    assert model.closed == 0
    results.close()
    assert model.closed == 1


def test_an_unknown_style_is_refused_with_those_accepted():
    request = GenerationRequest("春", style="摇滚")
    with pytest.raises(InvalidRequestError) as caught:
        next(generate(request, FakeGenerator(styles=("散文", "词"))))
    assert caught.value.zh == "“体裁”须为散文、词之一，或留空，收到 '摇滚'。"
    assert "must be one of 散文, 词, or empty, got '摇滚'" in caught.value.en


def test_an_unknown_sentiment_is_refused_with_those_accepted():
    request = GenerationRequest("春", condition="激动")
    with pytest.raises(InvalidRequestError) as caught:
        next(generate(request, FakeGenerator()))
    assert "must be one of 正面, 负面, or empty, got '激动'." in caught.value.en
    with pytest.raises(InvalidRequestError, match="须留空，因为所用权重不分情感"):
        next(generate(request, FakeGenerator(conditions=())))


def test_weights_without_styles_say_so():
    request = GenerationRequest("春", style="散文")
    with pytest.raises(InvalidRequestError, match="所用权重不分体裁"):
        next(generate(request, FakeGenerator(styles=())))


def test_the_models_own_error_passes_through():
    failure = ModelError("busy", "忙。", "Busy.")
    with pytest.raises(ModelError, match=r"忙。 / Busy\."):
        list(generate(GenerationRequest("春"), FakeGenerator(failures={"春": failure})))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("prompt", ""),
        pytest.param("prompt", "春" * 2001, id="long"),
        ("prompt", "\ud800"),
        ("max_new_tokens", 0),
        ("max_new_tokens", 1025),
        ("min_new_tokens", -1),
        ("temperature", 0.04),
        ("temperature", float("nan")),
        ("top_k", 1001),
        ("top_p", 0.0),
        ("repetition_penalty", 0.9),
        ("no_repeat_ngram_size", 11),
        ("num_return", 5),
        ("num_return", True),
        ("seed", -1),
        ("seed", 2**31),
        ("style", "长" * 41),
        ("style", None),
        ("condition", "长" * 41),
        ("condition", 3),
    ],
)
def test_a_field_outside_its_limit_is_refused_by_its_label(field, value):
    label = label_of(GenerationRequest, field)
    with pytest.raises(InvalidRequestError, match=f"“{label.zh}”.* / “{label.en}” "):
        GenerationRequest(**{"prompt": "春", field: value})


def test_the_minimum_may_not_exceed_the_maximum():
    with pytest.raises(InvalidRequestError) as caught:
        GenerationRequest("春", max_new_tokens=4, min_new_tokens=5)
    assert caught.value.zh == "“最少续写”不能多于“最多续写” 4，收到 5。"
    assert "must not exceed “Max new tokens”, 4; got 5" in caught.value.en


def test_examples_cover_prose_novels_verse_and_ci():
    assert len(EXAMPLES) >= 12
    styles = {example.style for example in EXAMPLES}
    assert {
        "散文",
        "小说",
        "五言绝句",
        "七言绝句",
        "五言律诗",
        "七言律诗",
        "词·浣溪沙",
    } <= styles


def test_captions_tell_the_examples_apart():
    captions = [caption(example) for example in EXAMPLES]
    assert len(set(captions)) == len(captions)
    assert all("\n" not in text for text in captions)

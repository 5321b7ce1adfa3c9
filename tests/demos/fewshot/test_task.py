"""A word in a blank becomes a label, in any order of labels; examples teach a copy."""

import importlib
import json
import math
from dataclasses import fields, replace

import pytest

from demos.errors import DemoError, InvalidRequestError
from demos.fewshot.examples import EXAMPLES, caption
from demos.fewshot.learner import Learner, RecentLessons
from demos.fewshot.presets import PRESETS
from demos.fewshot.task import CHUNK, FewshotRequest, classify, classify_many
from demos.limits import label_of
from model_core.interfaces import Blanked, LearningFrame, ModelError
from tests.fake_mask_filler import FakeMaskFiller

LABELS = {"好评": "好", "差评": "差"}
PATTERN = "{text}总的来说，这次体验很____。"
EXAMPLE_LIST = [
    {"text": "慢得离谱", "label": "差评"},
    {"text": "香得离谱", "label": "好评", "id": 3},
    {"text": "慢慢等", "label": "差评"},
]


def asked(text="饭很香", **given):
    return FewshotRequest(
        **{"text": text, "labels": LABELS, "pattern": PATTERN} | given
    )


def last(request, model=None):
    return list(classify(request, model or FakeMaskFiller()))[-1]


def test_the_model_is_asked_once_with_the_sentence_and_the_words():
    model = FakeMaskFiller()
    last(asked(), model)
    sentence = Blanked("饭很香总的来说，这次体验很", "。", "before")
    bare = asked().blank.blanked("")
    assert model.asked == [((sentence, bare), ("好", "差"))]
    assert model.lessons == []


def test_probabilities_sum_to_one_and_the_filled_sentence_holds_the_word():
    result = last(asked())
    assert math.fsum(result.probabilities.values()) == pytest.approx(1, abs=1e-12)
    assert result.label == max(result.probabilities, key=result.probabilities.get)
    assert result.word == LABELS[result.label]
    assert result.filled == f"饭很香总的来说，这次体验很{result.word}。"


@pytest.mark.parametrize("example", EXAMPLES, ids=caption)
def test_the_order_of_labels_changes_nothing(example):
    turned = replace(example, labels=dict(reversed(example.words.items())))
    one, other = last(example), last(turned)
    assert one.label == other.label
    assert one.probabilities == other.probabilities
    assert list(one.probabilities) == list(example.words)
    assert one.filled == other.filled


def test_labels_come_in_any_form():
    forms = (LABELS, "好评=好\n差评=差", '{"好评": "好", "差评": "差"}')
    assert len({last(asked(labels=form)).label for form in forms}) == 1
    assert asked(labels=["体育", "财经"]).words == {"体育": "体育", "财经": "财经"}


def test_words_of_different_lengths_are_compared_and_told():
    result = last(asked(labels={"好": "好", "坏": "非常糟糕"}))
    assert result.mixes_lengths
    assert not last(asked()).mixes_lengths


def test_a_pair_needs_its_second_text():
    pattern = "{text}？____，{text_b}"
    result = last(asked(pattern=pattern, text_b="真香"))
    assert result.filled == f"饭很香？{result.word}，真香"
    for missing in ("", " \n"):
        with pytest.raises(InvalidRequestError) as caught:
            asked(pattern=pattern, text_b=missing)
        assert "（text_b）没有给出" in caught.value.zh
        assert "(text_b) is missing, but the pattern has {text_b}" in caught.value.en


def test_a_second_text_that_plays_no_part_is_not_kept():
    assert asked(text_b="真香") == asked()
    assert asked(text_b="真香").text_b == ""
    with pytest.raises(InvalidRequestError, match="“Second text” must be text"):
        asked(text_b=3)


def test_examples_teach_before_the_answer():
    model = FakeMaskFiller()
    results = list(classify(asked("慢", examples=EXAMPLE_LIST, max_steps=5), model))
    assert [result.finished for result in results] == [False] * 5 + [True]
    assert [result.learning.step for result in results] == [1, 2, 3, 4, 5, 5]
    assert results[0].label == results[0].filled == results[0].word == ""
    assert results[0].probabilities == {}
    assert results[-1].label == "差评"
    ((_, words, answers),) = model.lessons
    assert (words, answers) == (("好", "差"), (1, 0, 1))


def test_learning_never_changes_the_shared_filler():
    model = FakeMaskFiller()
    before = last(asked("慢"), model).log_probs
    learned = last(asked("慢", examples=EXAMPLE_LIST), model)
    assert learned.log_probs != before
    assert last(asked("慢"), model).log_probs == before
    assert model.votes == FakeMaskFiller().votes


def test_no_result_carries_the_copy_with_it():
    for result in classify(asked(examples=EXAMPLE_LIST, max_steps=3), FakeMaskFiller()):
        assert result.learning.learned is None


def test_the_same_examples_are_learned_once_in_a_run():
    model = FakeMaskFiller()
    learner = Learner(model)
    first = list(classify(asked("慢", examples=EXAMPLE_LIST, max_steps=4), learner))
    second = list(classify(asked("香", examples=EXAMPLE_LIST, max_steps=4), learner))
    assert len(model.lessons) == 1
    assert (len(first), len(second)) == (5, 2)
    turned = dict(reversed(LABELS.items()))
    for other in (
        asked(examples=EXAMPLE_LIST[:2], max_steps=4),
        asked(examples=EXAMPLE_LIST, max_steps=5),
        asked(examples=EXAMPLE_LIST, max_steps=4, seed=1),
        asked(examples=EXAMPLE_LIST, max_steps=4, pattern="____。{text}"),
        asked(examples=EXAMPLE_LIST, max_steps=4, labels=turned | {"中评": "中"}),
    ):
        known = len(model.lessons)
        list(classify(other, learner))
        assert len(model.lessons) == known + 1


def test_a_learner_remembers_few_lessons():
    frames = [LearningFrame(1, 1, (), 0.0) for _ in range(3)]
    memory = RecentLessons(2)
    for number, frame in enumerate(frames):
        memory.keep(number, frame)
        memory.recall(0)
    assert [memory.recall(number) for number in range(3)] == [
        frames[0],
        None,
        frames[2],
    ]


def test_closing_ends_the_lesson():
    model = FakeMaskFiller()
    results = classify(asked(examples=EXAMPLE_LIST), model)
    next(results)
    assert model.closed == 0
    results.close()
    assert model.closed == 1


def test_the_learning_rate_fits_the_weights_unless_given():
    small = FakeMaskFiller().weights
    large = replace(small, num_parameters=300_000_000)
    request = asked(examples=EXAMPLE_LIST)
    assert request.lesson(small).options.learning_rate == 1e-4
    assert request.lesson(large).options.learning_rate == 2e-5
    given = replace(request, learning_rate=1e-3, max_seconds=7, seed=5)
    options = given.lesson(large).options
    assert (options.learning_rate, options.max_seconds, options.seed) == (1e-3, 7, 5)


def test_the_models_own_errors_pass_through():
    failure = ModelError("busy", "忙。", "Busy.")
    with pytest.raises(ModelError, match=r"忙。 / Busy\."):
        last(asked(examples=EXAMPLE_LIST), FakeMaskFiller(failure=failure))
    with pytest.raises(ModelError, match="拼不出 差"):
        last(asked(), FakeMaskFiller(unknown=("差",)))


def test_learning_without_a_result_is_told():
    class Silent(FakeMaskFiller):
        def learn(self, *_):
            return iter([LearningFrame(1, 2, (1.0,), 0.1)])

    with pytest.raises(DemoError, match="Learning came to no result"):
        last(asked(examples=EXAMPLE_LIST), Silent())


def test_many_are_answered_together_in_order():
    model = FakeMaskFiller()
    texts = [f"第{n}份饭很香" for n in range(CHUNK + 3)]
    requests = [asked(text) for text in texts]
    requests.insert(5, asked("饭", pattern="____。{text}"))
    results = list(classify_many(requests, model))
    assert [result.request for result in results] == requests
    bare = 1  # the pattern alone goes with each
    asked_together = [len(together) - bare for together, _ in model.asked]
    assert asked_together == [5, 1, CHUNK - 2]
    assert [one.log_probs for one in results] == [
        last(request).log_probs for request in requests
    ]


def test_many_learn_once():
    model = FakeMaskFiller()
    requests = [asked(str(n), examples=EXAMPLE_LIST) for n in range(CHUNK * 2)]
    assert all(result.finished for result in classify_many(requests, model))
    assert len(model.lessons) == 1


def test_of_many_each_gets_its_own_error():
    model = FakeMaskFiller(unknown=("怪",))
    strange = {"甲": "怪", "乙": "好"}
    found = list(classify_many([asked(), asked(labels=strange), asked()], model))
    assert [isinstance(one, ModelError) for one in found] == [False, True, False]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"text": ""}, "“Text” must have 1 to 2000 characters, got 0."),
        ({"text": "长" * 2001}, "got 2001."),
        ({"text": "a\ud800"}, "“Text” has a lone surrogate"),
        ({"text": None}, "“Text” must be text, got None."),
        ({"text_b": 3}, "“Second text” must be text, got 3."),
        ({"text_b": "长" * 2001}, "“Second text” must have 0 to 2000"),
        ({"labels": None}, "“Labels” are not given"),
        ({"labels": {"好评": "好"}}, "“Labels” must be 2 to 64, got 1."),
        ({"labels": "好=好\n好=坏"}, "have the same label"),
        ({"labels": "好=好\n坏=好"}, "have the same word"),
        ({"pattern": "没有空"}, "“Pattern” has no blank"),
        ({"pattern": "__和__"}, "“Pattern” has 2 blanks"),
        ({"pattern": None}, "“Pattern” must be text, got None."),
        ({"pattern": "长" * 501 + "__"}, "“Pattern” must have 0 to 500"),
        ({"examples": "慢\t差评"}, "“Examples” must be a list such as"),
        ({"examples": "慢\t差评\n香\t一般"}, "line 2 has the label '一般'"),
        ({"examples": "慢\n香"}, "line 1 has one cell; give a line each"),
        ({"examples": 3}, "“Examples” must be a list such as"),
        ({"examples": {"text": "a"}}, "“Examples” must be a list such as"),
        ({"examples": EXAMPLE_LIST[:1]}, "“Examples” must be 2 to 2000, got 1."),
        ({"examples": EXAMPLE_LIST * 700}, "“Examples” must be 2 to 2000, got 2100."),
        ({"examples": [3, None]}, "item 1 has no text; item 2 has no text."),
        (
            {"examples": [*EXAMPLE_LIST, {"text": "a", "label": "中评"}]},
            "item 4 has the label '中评', which is not among 好评, 差评.",
        ),
        ({"examples": [{"text": "a"}] * 2}, "item 1 has no label"),
        ({"examples": [{"text": "a", "label": True}] * 2}, "item 1 has no label"),
        ({"examples": [{"text": "", "label": "好评"}] * 2}, "item 1 text must have 1"),
        (
            {"examples": [{"text": "a", "label": "好评"}] * 2, "text_b": "b"}
            | {"pattern": "{text}__{text_b}"},
            "item 1 has no text_b; item 2 has no text_b.",
        ),
        ({"max_steps": 301}, "“Max steps” must be a whole number between 1 and 300"),
        ({"max_seconds": 181}, "“Max seconds” must be a whole number between 5 and"),
        ({"learning_rate": float("nan")}, "“Learning rate” must be a number"),
        ({"learning_rate": 1.0}, "between 0 and 0.01, got 1.0."),
        ({"seed": -1}, "“Seed” must be a whole number"),
        ({"seed": 2**31}, "“Seed” must be a whole number"),
    ],
)
def test_every_bad_field_earns_a_sentence(given, sentence):
    with pytest.raises(InvalidRequestError) as caught:
        asked(**given)
    assert sentence in caught.value.en
    assert caught.value.zh.startswith("“")


def test_every_field_has_a_label_in_both_languages():
    for field in fields(FewshotRequest):
        label = label_of(FewshotRequest, field.name)
        assert label.zh
        assert label.en
        assert bool(label.zh_help) == bool(label.en_help)
    seed = label_of(FewshotRequest, "seed")
    assert "留空为 0" in seed.zh_help
    assert "empty is 0" in seed.en_help


@pytest.mark.parametrize(
    "lines",
    [
        "慢得离谱\t差评\n香得离谱\t好评\n\n慢慢等\t差评\n",
        "label,text\n差评,慢得离谱\n好评,香得离谱\n差评,慢慢等",
        "\n".join(map(json.dumps, EXAMPLE_LIST)),
        json.dumps(EXAMPLE_LIST, indent=1),
    ],
)
def test_examples_may_be_typed_as_lines(lines):
    assert asked(examples=lines) == asked(examples=EXAMPLE_LIST)


@pytest.mark.parametrize("first", ["[哈哈]太好了", "[1]", "[" * 9, '["a"]'])
def test_lines_may_open_with_a_bracket(first):
    request = asked(examples=f"{first}\t好评\n慢\t差评\n")
    assert [one["text"] for one in request.examples] == [first, "慢"]


def test_a_list_that_is_torn_is_told_what_lines_may_be():
    with pytest.raises(InvalidRequestError, match=r"line 1 has one cell; give a line"):
        asked(examples=json.dumps(EXAMPLE_LIST, indent=1)[:-1])


def test_a_request_read_again_is_the_same():
    request = asked(examples=EXAMPLE_LIST)
    again = {field.name: getattr(request, field.name) for field in fields(request)}
    assert FewshotRequest(**again) == request
    assert request.examples[1] == {"text": "香得离谱", "label": "好评"}


def test_presets_play_all_four_parts():
    assert {preset.name for preset in PRESETS} == {
        "sentiment",
        "topics",
        "entailment",
        "similarity",
    }
    assert all(3 <= len(preset.texts) <= 4 for preset in PRESETS)
    captions = [caption(example) for example in EXAMPLES]
    assert len(set(captions)) == len(captions)


def test_the_presets_are_asked_as_the_recipes_train_them():
    trained = importlib.import_module("recipes.patterns").PATTERNS
    fields = ("sentiment", "eprstmt"), ("topics", "tnews")
    fields += (("entailment", "ocnli"), ("similarity", "bustm"))
    plays = {preset.name: preset for preset in PRESETS}
    for name, task in fields:
        assert plays[name].pattern == trained[task].written
        words = trained[task].words.values()
        assert not words or set(words) == set(plays[name].labels.values())

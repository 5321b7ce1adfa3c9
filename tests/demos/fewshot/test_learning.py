"""Learning is measured on lines that did not teach; nothing shared changes."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demos.errors import InvalidRequestError
from demos.fewshot.examples_file import read_examples
from demos.fewshot.learning import MOST_HELD, LearnRequest, learn, split
from demos.fewshot.lesson import Example, Wanted
from demos.fewshot.presets import PRESETS
from model_core.interfaces import ModelError
from tests.fake_mask_filler import FakeMaskFiller

SAMPLES = Path(__file__).resolve().parents[3] / "assets" / "samples"
LABELS = {"好评": "好", "差评": "差"}
GOOD, BAD = "香甜软糯脆鲜", "慢凉硬咸苦糊"
LINES = [
    {"text": char * n, "label": label}
    for label, chars in (("好评", GOOD), ("差评", BAD))
    for char in chars
    for n in (1, 2)
]


def asked(**given):
    known = {
        "labels": LABELS,
        "pattern": "__。{text}",
        "examples": LINES,
        "max_steps": 54,
    }
    return LearnRequest(**known | given)


def examples_of(*labels):
    return [Example(str(n), label) for n, label in enumerate(labels)]


EXAMPLES = st.lists(
    st.builds(
        Example, st.text("甲乙丙丁", min_size=1, max_size=3), st.sampled_from("abc")
    ),
    min_size=1,
    max_size=60,
)


@given(EXAMPLES, st.integers(0, 9))
def test_every_example_teaches_or_measures_and_never_both(examples, seed):
    parts = split(examples, seed)
    assert set(parts.train) | set(parts.held) == set(examples)
    assert not set(parts.train) & set(parts.held)
    assert len(parts.train) + len(parts.held) + parts.num_repeated == len(examples)
    assert split(examples, seed) == parts


@given(EXAMPLES, st.integers(0, 9))
def test_every_label_teaches_and_measures_where_it_can(examples, seed):
    parts = split(examples, seed)
    for label in {example.label for example in examples}:
        own = {example for example in examples if example.label == label}
        held = sum(example.label == label for example in parts.held)
        assert held < len(own)
        assert (held == 0) == (len(own) < 2) == (label in parts.unmeasured)


def test_about_a_quarter_is_held_back_but_never_too_many():
    assert len(split(examples_of(*"ab" * 50), 0).held) == 24
    many = split(examples_of(*"ab" * 1000), 0)
    assert len(many.held) == MOST_HELD


def test_learning_is_measured_before_and_after():
    results = list(learn(asked(), FakeMaskFiller()))
    stages = list(dict.fromkeys(result.stage for result in results))
    assert stages == ["before", "learning", "after", "done"]
    done = results[-1]
    assert done.zero_shot.total == done.few_shot.total == len(done.split.held)
    assert done.few_shot.accuracy > done.zero_shot.accuracy
    assert (done.learning.step, done.learning.num_steps) == (54, 54)
    assert len(done.learning.losses) == 54


def test_only_the_last_result_holds_the_copy():
    *before, done = learn(asked(), FakeMaskFiller())
    assert all(result.learned is None for result in before)
    assert done.learned is not None
    assert done.learning.learned is None


def test_held_back_lines_never_teach():
    model = FakeMaskFiller()
    *_, done = learn(asked(), model)
    ((taught, _, answers),) = model.lessons
    assert len(taught) == len(answers) == len(done.split.train)
    held = {request_sentence(example) for example in done.split.held}
    assert not held & set(taught)


def request_sentence(example):
    return asked().blank.blanked(example.text, example.text_b)


def test_the_shared_filler_answers_as_before():
    model = FakeMaskFiller()
    sentence = asked().blank.blanked("慢凉")
    before = model.log_probs([sentence], ["好", "差"])
    *_, done = learn(asked(), model)
    assert (model.log_probs([sentence], ["好", "差"]) == before).all()
    assert model.votes == FakeMaskFiller().votes
    assert (done.learned.log_probs([sentence], ["好", "差"]) != before).any()


@pytest.mark.parametrize("stop_at", [1, 2, 5, 20])
def test_stop_frees_the_copy_wherever_it_comes(stop_at):
    model = FakeMaskFiller()
    results = learn(asked(), model)
    for _ in range(stop_at):
        next(results)
    results.close()
    assert model.closed == len(model.lessons)


def test_one_example_a_label_all_teach_and_nothing_is_measured():
    *_, done = learn(asked(examples=[LINES[0], LINES[-1]]), FakeMaskFiller())
    assert done.zero_shot is done.few_shot is None
    assert done.split.unmeasured == ("好评", "差评")
    assert done.learned is not None


def test_the_limits_reach_the_model():
    request = asked(max_steps=7, max_seconds=9, learning_rate=1e-3, seed=3)
    options = request.lesson((), FakeMaskFiller().weights).options
    assert (options.max_steps, options.max_seconds) == (7, 9)
    assert (options.learning_rate, options.seed) == (1e-3, 3)


def test_what_fails_while_learning_passes_through():
    failure = ModelError("busy", "忙。", "Busy.")
    with pytest.raises(ModelError, match="Busy"):
        list(learn(asked(), FakeMaskFiller(failure=failure)))


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"examples": None}, "“Examples” must be 2 to 2000 with two labels or more"),
        ({"examples": []}, "got 0."),
        ({"examples": LINES[:1]}, "must be 2 to 2000, got 1."),
        ({"examples": LINES[:4]}, "two labels or more among them, got 4."),
        ({"examples": [*LINES, {"text": "a", "label": "中"}]}, "item 25 has the label"),
        ({"labels": ["好"]}, "“Labels” must be 2 to 64, got 1."),
        ({"pattern": "无"}, "“Pattern” has no blank"),
        ({"max_steps": 0}, "“Max steps” must be a whole number between 1 and 300"),
        ({"max_seconds": 999}, "“Max seconds” must be"),
    ],
)
def test_what_cannot_be_learned_earns_a_sentence(given, sentence):
    with pytest.raises(InvalidRequestError) as caught:
        asked(**given)
    assert sentence in caught.value.en


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_every_presets_sample_lines_can_be_learned(preset):
    text = (SAMPLES / preset.lesson).read_text("utf-8")
    pairs = any(second for _, second in preset.texts)
    examples = read_examples(text, Wanted(tuple(preset.labels), pairs=pairs))
    request = LearnRequest(
        dict(preset.labels), preset.pattern, [one.record for one in examples]
    )
    assert request.split.unmeasured == ()
    assert request.split.num_repeated == 0
    tried = {text for text, _ in preset.texts}
    assert not tried & {example.text for example in examples}


def test_the_learned_copy_can_be_saved(tmp_path):
    *_, done = learn(asked(), FakeMaskFiller())
    done.learned.save(str(tmp_path))
    assert json.loads((tmp_path / "votes.json").read_text("utf-8"))["慢差"]


def test_an_accuracy_by_chance_is_told_by_its_interval():
    *_, done = learn(asked(), FakeMaskFiller())
    low, high = done.few_shot.interval
    assert low < done.few_shot.accuracy <= high + 1e-12
    assert replace(done.few_shot, counts=((0, 0), (0, 0))).accuracy == 0.0

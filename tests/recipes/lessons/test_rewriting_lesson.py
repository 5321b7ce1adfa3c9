"""Titles, summaries and keys as the network will be asked for them."""

import itertools

import numpy as np
import pytest

from recipes.lessons import facts, rewriting
from recipes.lessons.rewriting import Noise
from recipes.lessons.storage import load
from tests.recipes.lessons import toy_data

NO_NOISE = Noise(0.0, 0.0)


def titles(lessons, formats, rng, *, room=200, longest=60, noise=NO_NOISE, count=8):
    made = rewriting.documents(
        lessons / "title.npz", "title", formats, rng,
        room=room, longest_target=longest, noise=noise,
    )  # fmt: skip
    return list(itertools.islice(made, count))


def test_a_title_stands_behind_as_much_of_its_text_as_was_kept(
    lessons, formats, rng, shown, text_of
):
    pairs = {title: text for text, title in toy_data.PAIRS}
    for one in titles(lessons, formats, rng):
        target = text_of(one.targets)
        spelled = shown(one.token_ids).split()
        assert spelled[:2] == ["[CLS]", "[标题]"]
        assert shown(one.targets).endswith(" [SEP]")
        end = len(one.source_ids)
        assert spelled[end - 1] == "[SEP]"
        source = text_of(one.source_ids)
        assert source
        assert pairs[target].startswith(source)
        np.testing.assert_array_equal(one.token_ids[end:], one.targets[:-1])
        assert one.places.tolist() == list(range(end - 1, len(one)))


def test_every_epoch_has_every_example_once(lessons, formats, rng, text_of):
    made = titles(lessons, formats, rng, count=8)
    for epoch in (made[:4], made[4:]):
        assert {text_of(one.targets) for one in epoch} == {
            title for _, title in toy_data.PAIRS
        }


def test_sources_have_different_lengths_and_stay_within_their_room(
    lessons, formats, rng
):
    made = titles(lessons, formats, rng, room=30, count=60)
    sizes = {len(one.source_ids) for one in made}
    assert max(sizes) <= 30
    assert min(sizes) >= int(0.6 * 30)
    assert len(sizes) > 5


def test_a_long_target_is_cut_with_its_tags(lessons, formats, rng):
    for one in titles(lessons, formats, rng, longest=4, count=8):
        assert len(one.targets) == len(one.copy_tags) <= 4


def test_tags_say_what_the_kept_source_holds(lessons, formats, rng, text_of):
    copied = []
    for one in titles(lessons, formats, rng, room=24, count=60):
        source = text_of(one.source_ids)
        assert one.copy_tags[-1] == 0  # the end mark is written
        assert one.copy_tags[0] != 2
        spans = []
        for target, tag in zip(one.targets, one.copy_tags, strict=True):
            if tag == 1:
                spans.append([int(target)])
            elif tag == 2:
                spans[-1].append(int(target))
        for span in map(text_of, spans):
            assert len(span) >= 2
            assert span in source  # where the cut left it
            copied.append(span)
    for part in ("长江", "最大的咸水湖", "《呐喊》"):
        assert any(part in span for span in copied)


def test_a_target_too_long_ends_with_a_sentence_and_is_taught_to_end(
    tmp_path, formats, rng, shown, text_of
):
    pairs = [
        (toy_data.RIVER, "长江流经上海。青海湖很好看。鲁迅"),
        (toy_data.LAKE, "青海湖" * 6),
    ]
    rewriting.encode(pairs, formats, tmp_path / "title.npz", 60)
    ended, cut = sorted(
        titles(tmp_path, formats, rng, longest=16, count=2),
        key=lambda one: len(one.targets),
    )
    assert text_of(ended.targets) == "长江流经上海。青海湖很好看。"
    assert shown(ended.targets).endswith(" [SEP]")
    assert text_of(cut.targets) == "青海湖" * 5 + "青"  # no sentence ends in it
    assert len(cut.targets) == 16


def test_texts_are_cut_and_empty_targets_left_out(tmp_path, formats):
    pairs = [("长江" * 50, "长江有"), ("长江", ""), ("", "长江"), ("长江", "长")]
    rewriting.encode(pairs, formats, tmp_path / "t.npz", 10)
    columns = load(tmp_path / "t.npz")
    assert len(columns["text"]) == 1
    assert len(columns["text"][0]) == len(columns["marks"][0]) == 10


def test_noise_swaps_input_tokens_of_the_target_and_nothing_else(lessons, formats):
    clean, noisy = (
        titles(lessons, formats, np.random.default_rng(3), noise=noise, count=40)
        for noise in (Noise(0.0, 0.5), Noise(1.0, 0.5))
    )
    by_target = {tuple(one.targets.tolist()): one for one in clean}
    changed = total = 0
    for one in noisy:
        end = len(one.source_ids)
        np.testing.assert_array_equal(one.token_ids[:end], one.source_ids)
        own = by_target[tuple(one.targets.tolist())]
        np.testing.assert_array_equal(one.targets, own.targets)
        np.testing.assert_array_equal(one.copy_tags, own.copy_tags)
        inside = one.token_ids[end:]
        changed += int((inside != one.targets[:-1]).sum())
        total += len(inside)
        assert set(inside.tolist()) <= {*one.source_ids.tolist(), *own.targets.tolist()}
    assert changed / total == pytest.approx(0.5, abs=0.12)
    share = Noise(0.3, 1.0)
    made = titles(lessons, formats, np.random.default_rng(1), noise=share, count=300)
    disturbed = [
        (one.token_ids[len(one.source_ids) :] != one.targets[:-1]).any() for one in made
    ]
    assert np.mean(disturbed) == pytest.approx(0.3, abs=0.08)


# Facts


def test_a_question_is_led_to_its_key(lessons, formats, rng, shown, text_of):
    made = facts.documents(
        lessons / "facts.npz", formats, rng, longest=48, noise=NO_NOISE
    )
    asked = {example.question: example.fact for example in toy_data.FACTS}
    seen = set()
    for one in itertools.islice(made, 3):
        spelled = shown(one.token_ids)
        assert spelled.startswith("[CLS] [知识] ")
        question = text_of(one.source_ids)
        fact = asked[question]
        seen.add(question)
        key = shown(one.targets)
        assert key.endswith(" [SEP]")
        parts = key.removesuffix(" [SEP]").split(" [谓语] ")
        meaning = parts[1].split(" [宾语] ")[1:]
        assert parts[0].replace(" ", "") == fact.subject
        assert bool(meaning) == bool(fact.meaning)
        assert not len(one.copy_tags)
    assert seen == set(asked)

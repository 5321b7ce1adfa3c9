"""Questions with a window each: the answer is where the labels say."""

import itertools

import numpy as np
import pytest

from model_core.roles.formats import ANSWER_MASKS
from recipes.lessons import reading
from recipes.lessons.documents import Shape
from recipes.lessons.reading import NONE
from recipes.lessons.storage import load
from recipes.tasks_data import GoldAnswer, QaExample
from tests.model_core.playing_checkpoint import RIVER
from tests.recipes.lessons import toy_data

ROOM = 168
SHAPE = Shape(rows=3, length=300, losses=90, documents=8)
ANSWERS = {one.question: [a.text for a in one.answers] for one in toy_data.QUESTIONS}


def questions(lessons, rng, count, **changes):
    made = reading.asked(lessons / "qa.npz", rng, **{"room": ROOM} | changes)
    return list(itertools.islice(made, count))


def test_a_passage_is_stored_once_and_yes_no_is_left_out(lessons):
    passages = load(lessons / "qa.npz")["passage"]
    rows = load(lessons / "qa-questions.npz")
    assert len(passages) == 4
    assert len(rows["question"]) == len(toy_data.QUESTIONS) - 1
    numbers = [int(rows["place"][n][0]) for n in range(len(rows["place"]))]
    assert numbers == [0, 1, 2, 3, 2, 3]


def test_the_answer_stands_at_its_place_in_the_window(lessons, rng, text_of):
    met = set()
    for one in questions(lessons, rng, 60):
        question = text_of(one.question.token_ids)
        assert len(one.question) + len(one.window) <= ROOM
        assert len(one.window.token_ids) == len(one.window.mark_ids)
        if one.start == NONE:
            assert one.end == NONE
            assert not len(one.answer)
            continue
        assert 0 <= one.start < one.end <= len(one.window)
        assert text_of(one.answer) in ANSWERS[question]
        met.add(question)
    assert met == {question for question, texts in ANSWERS.items() if texts}


def test_windows_move_over_a_long_passage_and_some_miss_the_answer(lessons, text_of):
    alone = {"stranger_share": 0.0}
    made = questions(lessons, np.random.default_rng(1), 400, away_share=0.5, **alone)
    long = [
        one for one in made
        if text_of(one.question.token_ids) == "鲁迅是哪里人？"
        and "青海湖" in text_of(one.window.token_ids)
    ]  # fmt: skip
    with_answer = [one for one in long if one.start != NONE]
    without = [one for one in long if one.start == NONE]
    assert len(without) > 5
    assert len({one.start for one in with_answer}) > 5
    for one in without:
        assert "浙江绍兴" not in text_of(one.window.token_ids)
    never = questions(lessons, np.random.default_rng(1), 100, away_share=0.0, **alone)
    assert all(
        one.start != NONE for one in never if ANSWERS[text_of(one.question.token_ids)]
    )


def test_some_passages_are_those_of_another_question(lessons, text_of):
    rng = np.random.default_rng(1)
    made = questions(lessons, rng, 300, away_share=0.0, stranger_share=0.5)
    known = [one for one in made if ANSWERS[text_of(one.question.token_ids)]]
    without = [one for one in known if one.start == NONE]
    assert 0.2 < len(without) / len(known) < 0.6
    for one in known:
        if one.start != NONE:
            assert text_of(one.answer) in ANSWERS[text_of(one.question.token_ids)]


def test_a_question_without_an_answer_has_none(lessons, rng, text_of):
    for one in questions(lessons, rng, 60):
        if not ANSWERS[text_of(one.question.token_ids)]:
            assert (one.start, one.end) == (NONE, NONE)


def test_an_answer_inside_a_word_takes_the_tokens_it_touches(
    tmp_path, formats, rng, text_of
):
    passage = "a2022 Linux"
    examples = tuple(
        QaExample(passage, "谁？", (GoldAnswer(text, start),), "span")
        for text, start in (("022", 2), ("Linu", 6), ("a", 0))
    )
    reading.encode(examples, formats, tmp_path / "qa.npz")
    rows, piece = load(tmp_path / "qa-questions.npz"), formats.piece(passage)
    for n, example in enumerate(examples):
        _, first, last = (int(v) - 1 for v in rows["place"][n])
        gold = example.answers[0]
        start, end = piece.spans[first][0], piece.spans[last - 1][1]
        assert start <= gold.start
        assert end >= gold.start + len(gold.text)
        assert piece.spans[first][1] > gold.start
        assert piece.spans[last - 1][0] < gold.start + len(gold.text)


# Written


def test_a_written_answer_ends_with_the_end_mark(lessons, formats, rng, shown):
    made = reading.documents(
        iter(questions(lessons, rng, 40)), formats, longest_answer=48
    )
    lengths = set()
    for one in made:
        spelled = shown(one.token_ids)
        assert spelled.startswith("[CLS] [问题] ")
        assert shown(one.targets).endswith("[SEP]")
        np.testing.assert_array_equal(
            one.token_ids[len(one.source_ids) :], one.targets[:-1]
        )
        lengths.add(len(one.targets))
    assert 1 in lengths  # no answer: the end mark at once
    assert max(lengths) == len("六千三百公里") + 1


def test_answers_that_are_too_long_are_left_out(lessons, formats, rng):
    asked = questions(lessons, rng, 40)
    made = list(reading.documents(iter(asked), formats, longest_answer=4))
    assert len(made) == sum(len(one.answer) < 4 for one in asked)
    assert max(len(one.targets) for one in made) <= 4


# In one pass


def test_masks_and_spans_point_at_the_same_answer(lessons, formats, rng, shown):
    asked = questions(lessons, rng, 40)
    made = reading.cloze_documents(iter(asked), formats)
    for one, question in zip(made, asked, strict=True):
        spelled = shown(one.token_ids).split()
        assert spelled[:2] == ["[CLS]", "[答案]"]
        assert spelled[2 : 2 + ANSWER_MASKS] == ["[MASK]"] * ANSWER_MASKS
        assert shown(one.targets).endswith("[SEP]")
        low, high = one.passage
        np.testing.assert_array_equal(
            one.token_ids[low:high], question.window.token_ids
        )
        if question.start == NONE:
            assert (one.start, one.end) == (0, 0)
            assert len(one.targets) == 1
        else:
            assert low <= one.start <= one.end < high
            np.testing.assert_array_equal(
                one.token_ids[one.start : one.end + 1], one.targets[:-1]
            )


def test_a_packed_batch_points_into_its_rows(lessons, formats, rng, text_of, shown):
    asked = reading.asked(lessons / "qa.npz", rng, room=ROOM)
    stream = reading.batches(asked, formats, SHAPE)
    for batch in itertools.islice(stream, 5):
        inputs = batch.inputs
        assert (batch.task, batch.objective) == ("cloze", "reading")
        flat = inputs["token_ids"].reshape(-1)
        masks = SHAPE.documents * ANSWER_MASKS
        weights = batch.weights
        assert len(weights) == masks + 2 * SHAPE.documents
        told = weights[:masks] > 0
        assert set(shown(flat[inputs["places"][told]]).split()) == {"[MASK]"}
        documents = int((weights[masks : masks + SHAPE.documents] > 0).sum())
        assert documents == inputs["document_ids"].max()
        spans = weights[masks:]
        # masks weigh as much as starts and ends together
        assert spans.sum() == pytest.approx(weights[:masks].sum(), rel=1e-5)
        answers = iter(np.split(inputs["targets"][told], _ends(inputs, told, shown)))
        for number in range(SHAPE.documents):
            row, start, end = (
                int(inputs[name][number])
                for name in ("document_rows", "starts", "ends")
            )
            allowed = inputs["allowed"][number]
            assert allowed[start]
            assert allowed[end]
            if number >= documents:
                assert (start, end) == (0, 0)
                continue
            ids = inputs["token_ids"][row]
            mine = inputs["document_ids"][row] == number + 1
            assert set(np.flatnonzero(allowed)) <= set(np.flatnonzero(mine))
            answer = next(answers)[:-1]
            if shown([ids[start]]) == "[CLS]":
                assert start == end
                assert not len(answer)
            else:
                np.testing.assert_array_equal(ids[start : end + 1], answer)


def _ends(inputs, told, shown):
    """Where one document's targets end: behind its end mark."""
    targets = inputs["targets"][told]
    ends = [n + 1 for n, one in enumerate(targets) if shown([one]) == "[SEP]"]
    return ends[:-1]


def test_a_long_answer_fills_all_masks(tmp_path, formats, rng):
    text = RIVER[: ANSWER_MASKS + 4]
    example = QaExample(RIVER, "长江？", (GoldAnswer(text, 0),), "span")
    reading.encode((example,), formats, tmp_path / "qa.npz")
    asked = reading.asked(tmp_path / "qa.npz", rng, room=ROOM)
    one = next(reading.cloze_documents(asked, formats))
    assert len(one.targets) == ANSWER_MASKS
    np.testing.assert_array_equal(
        one.targets, one.token_ids[one.start : one.start + ANSWER_MASKS]
    )
    assert one.end - one.start + 1 == len(text)

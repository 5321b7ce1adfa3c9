"""An answer comes from a passage, at the place it names, or is none at all."""

from dataclasses import replace

import pytest

from demos.errors import InvalidRequestError
from demos.qa.examples import EXAMPLES
from demos.qa.task import NUM_ANSWERS, QaRequest, answer, placed, stands_at
from model_core.interfaces import ModelError, ReadAnswer, ReadingOptions
from tests.fake_passage_reader import FakePassageReader

PASSAGES = ("李白字太白。", "杜甫字子美，李白是他的朋友。")
ASKED = {"谁字子美？": ("杜甫", "李白"), "谁是朋友？": ("李白",)}


def reader(**settings):
    return FakePassageReader(answers=ASKED, **settings)


def ask(question, model=None, **given):
    request = QaRequest(question, PASSAGES, **given)
    return list(answer(request, model or reader()))


def test_an_extractive_answer_stands_in_its_passage_at_its_start():
    for question in ASKED:
        for mode in ("mlm", "seq2seq"):
            for result in ask(question, mode=mode):
                for one in result.reading.answers:
                    if one.text:
                        passage = PASSAGES[one.passage]
                        assert passage[one.start :].startswith(one.text)
                    else:
                        assert (one.passage, one.start) == (-1, -1)


def test_no_answer_is_an_answer_with_its_probability():
    result = ask("谁字乐天？")[-1]
    assert result.answer == ReadAnswer("", 0.9)
    assert result.finished
    assert [vote.has_answer for vote in result.reading.votes] == [0.1, 0.1]


def test_auto_takes_the_models_first_mode_and_every_setting_arrives():
    model = reader()
    ask("谁字子美？", model, extractive=False, max_answer_tokens=5)
    ((question, passages, options),) = model.asked
    assert (question, passages) == ("谁字子美？", PASSAGES)
    assert options == ReadingOptions("mlm", False, 5, NUM_ANSWERS)


def test_a_mode_of_ones_own_goes_before_the_models_choice():
    assert ask("谁字子美？", mode="seq2seq")[-1].reading.mode == "seq2seq"


def test_compare_reads_in_every_mode_one_after_the_other():
    model = reader(modes=("mlm", "seq2seq", "span"))
    results = ask("谁字子美？", model, compare=True, mode="seq2seq")
    last = results[-1]
    assert [one.mode for one in last.readings] == ["seq2seq", "mlm", "span"]
    assert {one.answers[0].text for one in last.readings} == {"杜甫"}
    assert last.answer.text == "杜甫"
    seen = [tuple(one.mode for one in result.readings) for result in results]
    assert seen == sorted(seen, key=len)
    assert all(one.elapsed_seconds > 0 for one in last.readings)
    assert [result.finished for result in results].index(True) == len(results) - 1


def test_compare_with_one_mode_is_one_reading():
    results = ask("谁字子美？", reader(modes=("span",)), compare=True)
    assert len(results[-1].readings) == 1


def test_a_mode_that_the_weights_lack_names_those_they_have():
    with pytest.raises(InvalidRequestError) as caught:
        ask("谁字子美？", reader(modes=("span",)), mode="mlm")
    assert caught.value.zh == "“读法”须为所用权重会的读法：auto、span，收到 mlm。"
    assert "these weights can read in: auto, span; got mlm" in caught.value.en


def test_a_models_refusal_reaches_the_person():
    class Narrow(FakePassageReader):
        def read(self, question, passages, options):
            raise ModelError("unsupported", "问题太长。", "The question is too long.")

    with pytest.raises(ModelError, match="问题太长"):
        ask("谁字子美？", Narrow())


def test_closing_the_results_stops_the_model():
    model = reader()
    results = answer(QaRequest("谁字子美？", PASSAGES, mode="seq2seq"), model)
    next(results)
    assert model.closed == 0
    results.close()
    assert model.closed == 1


def test_a_place_that_does_not_hold_the_text_is_not_claimed():
    frame = ask("谁字子美？")[-1].reading
    wrong = replace(
        frame,
        answers=(ReadAnswer("杜甫", 0.5, 0, 0), ReadAnswer("杜甫", 0.5, 9, 0)),
        votes=tuple(replace(vote, start=vote.start + 1) for vote in frame.votes),
    )
    checked = placed(wrong, PASSAGES)
    assert {(one.passage, one.start) for one in checked.answers} == {(-1, -1)}
    assert [one.text for one in checked.answers] == ["杜甫", "杜甫"]
    assert all(vote.start == -1 for vote in checked.votes)


@pytest.mark.parametrize(
    ("passage", "start", "text", "stands"),
    [
        (0, 0, "李白", True),
        (0, 1, "李白", False),
        (1, 6, "李白", True),
        (0, -1, "。", False),
        (-1, 0, "李白", False),
        (2, 0, "李白", False),
        (0, 0, "", False),
    ],
)
def test_where_a_text_stands(passage, start, text, stands):
    assert stands_at(PASSAGES, passage, start, text) is stands


def test_right_to_left_and_mathematical_text_keep_their_offsets():
    passages = ("عاصمة فرنسا هي باريس.", "若 x² + y² = r²，则轨迹是圆（𝑟 > 0）。")
    model = FakePassageReader(answers={"ما؟": ("باريس",), "轨迹？": ("圆",)})
    for question in model.answers:
        *_, result = answer(QaRequest(question, passages), model)
        one = result.answer
        assert passages[one.passage][one.start :].startswith(one.text)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"question": ""}, "“问题”须为 1 到 200 个字符，收到 0 个"),
        ({"question": "问" * 201}, "“问题”须为 1 到 200 个字符，收到 201 个"),
        ({"mode": "magic"}, "“读法”须为auto、seq2seq、mlm、span之一，收到 'magic'"),
        ({"extractive": 1}, "“只用原文”须为 true 或 false，收到 1"),
        ({"max_answer_tokens": 0}, "“答案最长”须为 1 到 128 之间的整数，收到 0"),
        ({"compare": "yes"}, "“比较读法”须为 true 或 false"),
        ({"passage": 0}, "“单独一段”须为文字，收到 0"),
    ],
)
def test_every_field_is_checked(given, sentence):
    with pytest.raises(InvalidRequestError) as caught:
        QaRequest(**{"question": "谁？", "passages": PASSAGES, **given})
    assert sentence in caught.value.zh


def test_a_request_can_be_made_again_from_itself():
    for request in EXAMPLES:
        assert replace(request, compare=True).passages == request.passages

"""Earlier turns: every shape is read alike, and every refusal says what to do."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demos.dialogue.turns import HISTORY_LABEL, MOST_TURNS, History, record_of
from demos.errors import InvalidRequestError
from model_core.interfaces.dialogue import Turn

ME = {"speaker": "person", "text": "你好"}
IT = {"speaker": "model", "text": "你好呀"}


def read(value):
    return History().read(HISTORY_LABEL, value)


def refusal(value):
    with pytest.raises(InvalidRequestError) as caught:
        read(value)
    return caught.value


@pytest.mark.parametrize(
    "value",
    [
        [ME, IT],
        (ME, IT),
        [Turn("person", "你好"), Turn("model", "你好呀")],
        json.dumps([ME, IT]),
        f"\n {json.dumps([ME, IT], ensure_ascii=False, indent=2)} ",
        f"{json.dumps(ME)}\n\n{json.dumps(IT)}\n",
        [{**ME, "seed": 3}, {**IT, "finish": "stop"}],
    ],
)
def test_every_shape_is_the_same_turns(value):
    assert read(value) == (Turn("person", "你好"), Turn("model", "你好呀"))


@pytest.mark.parametrize("value", [None, "", "  \n", [], (), "[]"])
def test_nothing_said_before_is_no_turns(value):
    assert read(value) == ()


def test_the_model_may_have_spoken_first():
    assert [turn.speaker for turn in read([IT, ME, IT])] == ["model", "person", "model"]


@given(
    number=st.integers(0, MOST_TURNS // 2),
    texts=st.lists(
        st.text('你好 呀\n“\\"{[', min_size=1).filter(str.strip), min_size=1
    ),
)
def test_records_of_turns_are_read_back(number, texts):
    turns = tuple(
        Turn(speaker, texts[place % len(texts)])
        for place in range(number)
        for speaker in ("person", "model")
    )
    records = [record_of(turn) for turn in turns]
    assert read(records) == turns
    assert read(json.dumps(records, ensure_ascii=False)) == turns


@pytest.mark.parametrize(
    ("value", "zh", "en"),
    [
        (3, "须为 [{", "must be a list such as [{"),
        ("你好", "收到 '你好'", "got '你好'"),
        ({"speaker": "person"}, "这样的列表", "a list such as"),
        (
            '[{"speaker": "person",\n "text": ]',
            "第 2 行第 10 个字符处读不成 JSON",
            "at line 2, character 10",
        ),
        (
            '{"speaker": "person", "text": "a"}\n{"speaker"',
            "第 2 行第 11 个字符处读不成 JSON",
            "at line 2, character 11",
        ),
        ("[" * 100_000, "读不成 JSON", "cannot be read as JSON"),
        ([ME, "你好呀"], "“历史第 2 句”须有 speaker 与 text 两项", "“History turn 2”"),
        ([{"speaker": "person"}], "须有 speaker 与 text", "a speaker and a text"),
        (
            [{"speaker": "user", "text": "a"}],
            "“历史第 1 句的说话人”须为person、model之一，收到 'user'",
            "must be one of person, model, got 'user'",
        ),
        ([ME, {**IT, "text": " "}], "收到 1 个，全是空白", "got 1, all blank"),
        ([ME, {**IT, "text": "长" * 2001}], "收到 2001 个", "1 to 2000 characters"),
        ([ME, {**IT, "text": None}], "“历史第 2 句”须为文字", "must be text, got None"),
        ([{**ME, "text": "a\0"}, IT], "U+0000", "a control character"),
        (
            [ME, IT, IT],
            "第 2 句和第 3 句都是 model 说的，而 person 与 model 须轮流",
            "has turns 2 and 3 both by model",
        ),
        (
            [ME, IT, ME],
            "最后一句须是 model 说的，因为接下来是 person 的“消息”，收到 person",
            "must end with a turn of the model",
        ),
        ([ME, IT] * 21, "最多 40 句，收到 42 句；请去掉最早的 2 句", "the oldest 2"),
    ],
)
def test_what_cannot_be_read_is_a_sentence_with_its_place(value, zh, en):
    error = refusal(value)
    assert zh in error.zh
    assert en in error.en


def test_a_refusal_is_short_whatever_was_given():
    error = refusal([{"speaker": "长" * 10_000, "text": "a"}])
    assert len(str(error)) < 400
    assert re.search("“历史第 1 句的说话人”.* / “History turn 1 speaker” ", str(error))

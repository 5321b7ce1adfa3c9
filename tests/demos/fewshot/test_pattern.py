"""A pattern has one blank; texts go in once and stay as they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demos.errors import InvalidRequestError
from demos.fewshot.pattern import read_pattern

TEXTS = st.text(max_size=30)


@pytest.mark.parametrize(
    ("written", "before", "after"),
    [
        ("____满意。{text}", "", "满意。甲"),
        ("{text}总的来说很__。", "甲总的来说很", "。"),
        ("____满意。", "", "满意。甲"),  # without a slot the text follows
        ("{text}？＿＿，{text_b}", "甲？", "，乙"),
        ("_a_{text}__", "_a_甲", ""),  # one underscore is no blank
        ("{text_b}______", "乙", "甲"),
    ],
)
def test_the_blank_parts_the_sentence(written, before, after):
    sentence = read_pattern(written).blanked("甲", "乙")
    assert (sentence.before, sentence.after) == (before, after)


@given(TEXTS, TEXTS)
def test_whatever_a_text_holds_goes_in_once(text, text_b):
    sentence = read_pattern("{text}|__|{text_b}").blanked(text, text_b)
    assert sentence.before == f"{text}|"
    assert sentence.after == f"|{text_b}"


def test_slots_and_blanks_inside_a_text_are_text():
    sentence = read_pattern("{text}____").blanked("{text_b}____{x}", "乙")
    assert (sentence.before, sentence.after) == ("{text_b}____{x}", "")


def test_the_longer_side_gives_way():
    ahead, behind = read_pattern("{text}很__。"), read_pattern("很__。{text}")
    assert ahead.blanked("长" * 9).shorten == "before"
    assert behind.blanked("长" * 9).shorten == "after"
    pair = read_pattern("{text}？__，{text_b}")
    assert pair.blanked("长" * 9, "短").shorten == "before"
    assert pair.blanked("短", "长" * 9).shorten == "after"


def test_it_knows_whether_it_takes_pairs():
    assert read_pattern("{text}？__，{text_b}").takes_pairs
    assert not read_pattern("{text}__").takes_pairs


@pytest.mark.parametrize(
    ("written", "zh", "en"),
    [
        ("", "“句式”里没有空", "has no blank: leave one"),
        ("{text}很_。", "“句式”里没有空", "got '{text}很_。'."),
        ("__和____", "里有 2 个空，只能有一个", "has 2 blanks but may have one"),
        ("____{title}", "只能写 {text} 或 {text_b}", "got '{title}'."),
        ("____{}", "收到 '{}'", "nothing else"),
        ("{text__b}____", "收到 '{text__b}'", "nothing else"),
    ],
)
def test_a_pattern_that_cannot_be_used_earns_a_sentence(written, zh, en):
    with pytest.raises(InvalidRequestError) as caught:
        read_pattern(written)
    assert zh in caught.value.zh
    assert en in caught.value.en

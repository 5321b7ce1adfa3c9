"""Passages come in many shapes, and no offset ever moves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demos.errors import InvalidRequestError
from demos.qa.passages import split
from demos.qa.task import QaRequest


def passages_of(passages=(), **given):
    return QaRequest("谁？", passages, **given).passages


@pytest.mark.parametrize(
    ("given", "parted"),
    [
        (["甲", "乙"], ("甲", "乙")),
        (("甲",), ("甲",)),
        ("甲\n\n乙", ("甲", "乙")),
        ("\n\n甲\n \t\n\n乙\n", ("甲", "乙")),
        ("甲\n乙", ("甲\n乙",)),
        ("甲\r\n\r\n乙", ("甲 ", "乙")),
        (' ["甲", "乙\\n\\n丙"]\n', ("甲", "乙\n\n丙")),
        ("[1] 甲\n\n乙", ("[1] 甲", "乙")),
    ],
)
def test_a_list_or_a_text_with_blank_lines(given, parted):
    assert passages_of(given) == parted


def test_one_passage_alone_and_one_more():
    assert passages_of(passage="甲\n\n乙") == ("甲\n\n乙",)
    assert passages_of(["甲"], passage="乙") == ("甲", "乙")
    assert QaRequest("谁？", passage="甲").passage == ""


@given(st.lists(st.text(alphabet="甲乙 \r\n\t。", min_size=1), max_size=4))
def test_a_list_keeps_every_length_and_every_other_character(texts):
    for before, after in zip(texts, split(texts), strict=True):
        assert len(before) == len(after)
        assert "\r" not in after
        pairs = zip(before, after, strict=True)
        assert all(a == b for a, b in pairs if a not in "\r\n")


@pytest.mark.parametrize(
    ("given", "zh", "en"),
    [
        ((), "“段落”一段也没有；请给出至少一段", "are missing: give at least one"),
        ("  \n\n ", "一段也没有", "give at least one"),
        (["甲", " "], "“段落第 2 段”是空的", "“Passages 2” is empty: write something"),
        (
            ["甲", 3],
            "“段落第 2 段”须为文字，收到 3",
            "“Passages 2” must be text, got 3",
        ),
        (["甲"] * 11, "最多 10 段，收到 11 段", "may be 10 at most, got 11"),
        (["字" * 20_001], "须为 1 到 20000 个字符，收到 20001", "got 20001"),
        (
            ["甲\0"],
            "“段落第 1 段”的第 2 个字符 U+0000 是控制字符",
            "a control character",
        ),
        (
            '["甲", "乙"',
            "开头像 JSON 列表，却读不成",
            "begin like a JSON list but cannot",
        ),
        (
            '["甲", 3]',
            "“段落第 2 段”须为文字，收到 3",
            "“Passages 2” must be text, got 3",
        ),
        ({"a": 1}, "须为列表，或以空行分段的文字，收到 {'a': 1}", "must be a list, or"),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_number(given, zh, en):
    with pytest.raises(InvalidRequestError) as caught:
        passages_of(given)
    assert zh in caught.value.zh
    assert en in caught.value.en


def test_ten_passages_and_one_more_are_eleven():
    with pytest.raises(InvalidRequestError, match="收到 11 段"):
        passages_of(["甲"] * 10, passage="乙")

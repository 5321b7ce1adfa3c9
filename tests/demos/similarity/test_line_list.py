"""Lines that people paste or keep in files: numbers, repeats, blanks, bad bytes."""

import json

import pytest

from demos.errors import InvalidRequestError
from demos.files.reading import decode
from demos.limits import Label
from demos.similarity.line_list import LONGEST_LINE, LineList

LABEL = Label("句子", "Lines")
LINES = LineList(1, 5)
TEXT = "怎么退货\n\n  发票怎么开 \n怎么退货\n运费"


def numbered(value, limit=LINES):
    return [(line.text, line.numbers) for line in limit.read(LABEL, value)]


WANTED = [("怎么退货", (1, 4)), ("发票怎么开", (3,)), ("运费", (5,))]


@pytest.mark.parametrize(
    "value",
    [
        TEXT,
        TEXT.replace("\n", "\r\n"),
        TEXT.replace("\n", "\r"),
        f"\ufeff{TEXT}",
        TEXT.split("\n"),
        tuple(TEXT.split("\n")),
        json.dumps(TEXT.split("\n")),
        decode(TEXT.encode("gbk")),
        decode(TEXT.encode("utf-8-sig")),
    ],
)
def test_repeated_lines_are_one_blank_ones_none_and_all_keep_their_numbers(value):
    assert numbered(value) == WANTED


def test_text_in_brackets_that_is_no_list_is_text():
    assert numbered("[一]\n[二]") == [("[一]", (1,)), ("[二]", (2,))]


@pytest.mark.parametrize(
    ("value", "zh", "en"),
    [
        ("\n \n", "须有 1 到 5 行不空的文字，收到 0 行", "got 0"),
        ([], "收到 0 行", "1 to 5 lines"),
        (
            "甲\n乙\n丙\n\n丁\n戊\n己",
            "最多 5 行（空行不算），到第 7 行",
            "line 7 is past",
        ),
        (["甲", 3], "第 2 行不是文字：3", "line 2 is no text: 3"),
        (f"甲\n{'长' * (LONGEST_LINE + 1)}", "第 2 行有 2001 个字", "at most 2000"),
        ("甲\n\n乙\x00", "第 3 行", "line 3"),
        ("甲\n\udcff", "第 2 行有无法解码的字节", "line 2 has bytes"),
        (7, "须为一行一句的文字", "a sentence a line"),
        (None, "没有给出", "are missing"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_number(value, zh, en):
    with pytest.raises(InvalidRequestError) as caught:
        LINES.read(LABEL, value)
    assert zh in caught.value.zh
    assert en in caught.value.en
    assert "句子" in caught.value.zh


@pytest.mark.parametrize("value", [None, ""])
def test_nothing_given_may_still_come(value):
    LINES.check(LABEL, value)

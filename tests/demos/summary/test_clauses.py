"""A text cut into clauses loses nothing, and every clause is worth reading."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demos.summary.clauses import (
    MAX_CLAUSE_CHARS,
    cut_clauses,
    has_content,
    readable_clauses,
)

MIXED = st.text(
    st.sampled_from("春夏秋冬a1 \n\t。；：，！？”）,.;、…—∑\u0301\U0001f469אב"),
    max_size=300,
)


def texts_of(clauses):
    return [clause.text for clause in clauses]


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("春，夏；秋：冬。", ["春，", "夏；", "秋：", "冬。"]),
        ("好！真的？嗯", ["好！", "真的？", "嗯"]),
        ("标题\n正文。", ["标题\n", "正文。"]),
        ("一。\n\n  二。", ["一。\n\n  ", "二。"]),
        ("他说：“走！”然后走了。", ["他说：", "“走！”", "然后走了。"]),
        ("。。。春", ["。。。春"]),
        ("春。。。——！夏", ["春。。。——！", "夏"]),
        ("圆周率是3.14,不是3,140。", ["圆周率是3.14,不是3,140。"]),
        ("。", ["。"]),
        ("∑∂∇。∀ε>0，∃δ>0", ["∑∂∇。", "∀ε>0，", "∃δ>0"]),
        ("שלום עולם", ["שלום עולם"]),
        ("", []),
    ],
)
def test_cuts_stand_behind_the_marks(text, clauses):
    assert texts_of(cut_clauses(text)) == clauses


@given(MIXED)
def test_joined_the_clauses_are_the_text_and_offsets_slice(text):
    clauses = cut_clauses(text)
    assert "".join(texts_of(clauses)) == text
    assert all(text[one.start : one.end] == one.text for one in clauses)


@given(MIXED)
def test_every_clause_has_content_where_the_text_has_any(text):
    clauses = cut_clauses(text)
    if has_content(text):
        assert all(has_content(one.text) for one in clauses)
    else:
        assert len(clauses) <= 1


def content_length(text):
    places = [n for n, char in enumerate(text) if has_content(char)]
    return places[-1] - places[0] + 1 if places else 0


@given(MIXED, st.integers(1, 200))
def test_no_clause_is_too_long_to_read(text, repeats):
    long = (text.replace("。", "") * repeats)[:2000]
    assert all(
        content_length(one.text) <= MAX_CLAUSE_CHARS for one in cut_clauses(long)
    )


def test_a_long_run_is_cut_where_it_hurts_least():
    words = "word " * 30
    clauses = texts_of(cut_clauses(words))
    assert all(clause.endswith("word ") for clause in clauses)
    assert "".join(clauses) == words
    numbers = "共3,141,592元" * 10
    for clause in texts_of(cut_clauses(numbers)):
        assert not clause.endswith(",")
    assert list(map(len, texts_of(cut_clauses("字" * 130)))) == [64, 64, 2]


@given(MIXED, st.integers(1, 20), st.integers(1, 40))
def test_what_can_be_read_at_once_is_the_end_of_the_text(text, repeats, max_clauses):
    long = text * repeats
    clauses = readable_clauses(long, max_clauses)
    assert len(clauses) <= max_clauses
    if clauses:
        assert "".join(texts_of(clauses)) == long[clauses[0].start :]
        assert all(long[one.start : one.end] == one.text for one in clauses)


def test_a_text_with_too_many_clauses_is_read_by_sentences_before_it_is_cut():
    text = "春天，来了，花也，开了。" * 10
    assert len(cut_clauses(text)) == 40
    assert texts_of(readable_clauses(text, 40))[0] == "春天，"
    assert texts_of(readable_clauses(text, 39)) == ["春天，来了，花也，开了。"] * 10
    last = readable_clauses(text, 3)
    assert (len(last), last[0].start) == (3, len(text) * 7 // 10)


def test_sentences_are_joined_only_as_long_as_they_stay_short():
    text = ("长" * 30 + "，") * 9 + "。"
    joined = readable_clauses(text, 5)
    assert texts_of(joined)[0] == ("长" * 30 + "，") * 2


@pytest.mark.parametrize("char", "春a。，（— \n")
def test_the_longest_text_is_cut_at_once(char):
    text = "春" + char * 19_999
    began = time.perf_counter()
    assert "".join(texts_of(cut_clauses(text))) == text
    assert time.perf_counter() - began < 2  # a cut of quadratic cost takes ten


def test_content_is_letters_numbers_and_symbols():
    assert all(map(has_content, "春a1∑￥"))
    assert not any(map(has_content, "。 \n—（…"))
    assert {unicodedata.category(c)[0] for c in "。 \n—（…"} <= set("PZC")

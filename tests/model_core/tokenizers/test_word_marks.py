"""Marks of words: borders, kinds, what a passage shares with a question."""

import itertools
import threading
import warnings

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from model_core.tokenizers.jieba_words import DICTIONARY
from model_core.tokenizers.word_marks import (
    KINDS,
    NUM_MARKS,
    NUM_WORD_MARKS,
    WORD_MARKS,
    WordMarks,
    kind_of,
    matched,
)


def read(text):
    """Each character's (begins a word, kind's name)."""
    marks = WORD_MARKS.of_text(text)
    return [((m - 1) % 2 == 0, KINDS[(m - 1) // 2]) for m in marks.tolist()]


def words_of(text):
    """The text cut where a word begins."""
    borders = [i for i, (begins, _) in enumerate(read(text)) if begins]
    return [text[a:b] for a, b in itertools.pairwise([*borders, len(text)])]


def test_a_word_begins_once_and_goes_on():
    text = "北京大学位于北京"
    assert words_of(text) == ["北京大学", "位于", "北京"]
    assert WORD_MARKS.of_text("").shape == (0,)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("鲁迅", "person"),
        ("上海", "place"),
        ("北京大学", "institution"),
        ("苹果", "noun"),
        ("吃饭", "verb"),
        ("三百", "number"),
        ("Linux", "latin"),
        ("，", "other"),
    ],
)
def test_a_word_has_the_kind_that_the_dictionary_says(text, kind):
    assert {name for _, name in read(text)} == {kind}


def test_kinds_follow_the_longest_beginning_of_a_tag_that_is_listed():
    names = {
        "nr": "person", "nrt": "person", "nrfg": "person", "ns": "place",
        "nt": "institution", "nz": "name", "n": "noun", "ng": "noun", "vn": "verb",
        "m": "number", "t": "number", "eng": "latin", "e": "other", "x": "other",
        "": "other", "uj": "other",
    }  # fmt: skip
    assert {tag: KINDS[kind_of(tag)] for tag in names} == names


def test_every_mark_has_a_row_of_its_own():
    every = {
        (1 + inside + 2 * kind) + NUM_WORD_MARKS * degree
        for inside in range(2)
        for kind in range(len(KINDS))
        for degree in range(3)
    }
    assert every == set(range(1, NUM_MARKS))


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
@example("")
@example("\n")
@example("\r\n一\r二\n\n三\x0b四\x0c五\x1c六\u2028七\x85八")
@example("😀👨‍👩‍👧‍👦🇨🇳 好")
@example("\x00\x7f\ufeff\u200b \u3000")
@example("ﷺ العربية שלום ∑∫√ 𝒳²")
@example("長" * 60)
@example("a" * 60)
@example("1e-3%$#@!~^&*()")
def test_any_text_gets_a_mark_per_character(text):
    marks = WORD_MARKS.of_text(text)
    assert (marks.dtype, marks.shape) == (np.dtype("int32"), (len(text),))
    assert ((marks >= 1) & (marks <= NUM_WORD_MARKS)).all()
    assert "".join(words_of(text)) == text
    if len(text):
        assert (marks[0] - 1) % 2 == 0  # a text begins with a word
    for before, after in itertools.pairwise(marks):
        if (after - 1) % 2:  # inside: of the kind of the character before it
            assert (before - 1) // 2 == (after - 1) // 2


@given(st.text("长江在上海注入东海鲁迅是人，\n ab1", max_size=40))
def test_words_are_those_that_the_tagger_cuts(text):
    lines = text.splitlines(keepends=True)
    cut = [pair.word for line in lines for pair in WORD_MARKS._tagger.cut(line)]
    assert "".join(cut) == text
    assert words_of(text) == cut


def test_a_line_does_not_depend_on_the_lines_around_it():
    alone = WORD_MARKS.of_text("北京大学")
    among = WORD_MARKS.of_text("南京市\n北京大学\n长江大桥")
    np.testing.assert_array_equal(among[4:8], alone)


def test_tags_are_jiebas():
    WORD_MARKS.load()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import jieba.posseg
    plain = jieba.posseg.POSTokenizer(DICTIONARY.cutter)
    assert WORD_MARKS._tagger.word_tag_tab == plain.word_tag_tab
    text = (
        "鲁迅是浙江绍兴人，2021年写了《呐喊》，GPT2 读过它；小明硕士毕业于中国科学院。"
    )
    assert WORD_MARKS._tagger.lcut(text) == plain.lcut(text)


def test_threads_share_one_dictionary_and_agree():
    marker, text = WordMarks(), "鲁迅是浙江绍兴人，代表作有《呐喊》。"
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(marker.of_text(text)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 4
    for marks in found:
        np.testing.assert_array_equal(marks, WORD_MARKS.of_text(text))
    assert marker._tagger.tokenizer is DICTIONARY.cutter


# What a passage shares with a question


def degrees(passage, question):
    passage, question = (np.array(ids, "int32") for ids in (passage, question))
    word_marks = (np.arange(len(passage)) % NUM_WORD_MARKS + 1).astype("int32")
    marks = matched(word_marks, passage, question)
    assert marks.dtype == np.int32
    np.testing.assert_array_equal((marks - 1) % NUM_WORD_MARKS + 1, word_marks)
    return ((marks - 1) // NUM_WORD_MARKS).tolist()


@pytest.mark.parametrize(
    ("passage", "question", "expected"),
    [
        ([5, 6, 7, 8], [9], [0, 0, 0, 0]),
        ([5, 6, 7, 8], [7], [0, 0, 1, 0]),
        ([5, 6, 7, 8], [8, 6], [0, 1, 0, 1]),
        ([5, 6, 7, 8], [6, 7], [0, 2, 2, 0]),
        ([5, 6, 7, 8], [7, 6], [0, 1, 1, 0]),
        ([6, 7, 7, 6], [6, 7], [2, 2, 1, 1]),
        ([5], [5], [1]),
        ([], [5], []),
        ([5, 6], [], [0, 0]),
    ],
)
def test_degrees_of_a_match(passage, question, expected):
    assert degrees(passage, question) == expected


@given(
    st.lists(st.integers(0, 6), max_size=12), st.lists(st.integers(0, 6), max_size=8)
)
def test_a_match_is_the_definition(passage, question):
    pairs = set(itertools.pairwise(question))
    expected = []
    for place, token in enumerate(passage):
        around = {tuple(passage[i : i + 2]) for i in (place - 1, place) if i >= 0}
        in_pair = any(len(pair) == 2 and pair in pairs for pair in around)
        expected.append(2 if in_pair else int(token in question))
    assert degrees(passage, question) == expected


def test_marks_are_shared_and_cannot_be_written():
    marks = WORD_MARKS.of_text("北京大学在海淀")
    assert WORD_MARKS.of_text("北京大学在海淀") is marks
    with pytest.raises(ValueError, match="read-only"):
        marks[0] = 3

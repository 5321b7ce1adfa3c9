"""Sentences of tokens are those of the text; the best are what a plain count says."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recipes.cutting import CLOSING_MARKS, SENTENCE_MARKS, cut_sentences
from recipes.metrics.rouge import rouge
from recipes.rows import SpecialIds
from recipes.rows.sentences import (
    FEWEST_SENTENCES,
    SHORTEST_SENTENCE,
    SHORTEST_TEXT,
    SUMMARY_ROOM,
    SUMMARY_SHARE,
    TITLE_TOKENS,
    best_sentences,
    gap_sentences,
    rouge_1,
    sentence_starts,
)

CHARACTERS = "\n" + SENTENCE_MARKS + CLOSING_MARKS + "甲乙丙丁戊己庚辛，"
IDS = SpecialIds(
    cls=90,
    sep=91,
    mask=92,
    first_plain=1,
    vocab_size=len(CHARACTERS),
    newline=0,
    sentence_ends=tuple(CHARACTERS.index(c) for c in SENTENCE_MARKS),
    closers=tuple(CHARACTERS.index(c) for c in CLOSING_MARKS),
)
TEXTS = st.text(
    st.sampled_from("甲乙丙丁戊己庚辛，甲乙丙丁戊己。。？\n”"), min_size=1, max_size=110
)


def ids_of(text):
    return np.array([CHARACTERS.index(c) for c in text])


def sentences_of(text):
    starts = [*sentence_starts(ids_of(text), IDS).tolist(), len(text)]
    return [text[a:b] for a, b in pairwise(starts)]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("甲。乙？！丙\n丁", ["甲。", "乙？！", "丙\n", "丁"]),
        ("甲：乙。”丙“丁”戊。", ["甲，乙。”", "丙，丁”戊。"]),
        ("。”甲。", ["。”", "甲。"]),
        ("甲乙", ["甲乙"]),
        ("甲。\n\n乙", ["甲。\n\n", "乙"]),
    ],
)
def test_sentences_end_with_their_marks_and_quotes(text, sentences):
    assert sentences_of(text.replace("：", "，").replace("“", "，")) == sentences


@given(TEXTS)
@settings(deadline=None)
def test_without_quotes_they_are_the_sentences_of_the_text(text):
    plain = text.replace("”", "")
    if plain:
        assert sentences_of(plain) == cut_sentences(plain)
    assert "".join(sentences_of(text)) == text


@given(TEXTS)
@settings(deadline=None)
def test_scores_are_the_rouge_of_each_sentence_against_the_rest(text):
    parts = sentences_of(text)
    scores = rouge_1(ids_of(text), sentence_starts(ids_of(text), IDS), IDS)
    for number, (part, score) in enumerate(zip(parts, scores, strict=True)):
        rest = "".join(parts[:number] + parts[number + 1 :])
        assert score == pytest.approx(rouge(rest, part).rouge_1)


def naive(text, *, is_title, from_start):
    """Choose by Rouge of texts, one sentence after the other."""
    parts = sentences_of(text)
    if len(text) < SHORTEST_TEXT or len(parts) < FEWEST_SENTENCES:
        return []
    scored = {}
    for number, part in enumerate(parts):
        rest = "".join(parts[:number] + parts[number + 1 :])
        if number == 0 and not from_start:
            continue
        if number == len(parts) - 1 and not set(part) & set(SENTENCE_MARKS + "\n"):
            continue
        if len(part.rstrip("\n")) >= SHORTEST_SENTENCE:
            scored[number] = rouge(rest, part).rouge_1
    left = (
        min(TITLE_TOKENS, len(text) // 2) if is_title else int(SUMMARY_ROOM * len(text))
    )
    count = 1 if is_title else max(1, round(SUMMARY_SHARE * len(parts)))
    chosen = []
    for number in sorted(scored, key=lambda n: (-round(scored[n], 9), n)):
        size = len(parts[number].rstrip("\n"))
        if len(chosen) < count and scored[number] > 0 and size <= left:
            chosen.append(number)
            left -= size
    return [parts[n].rstrip("\n") for n in sorted(chosen)]


@given(TEXTS, st.booleans(), st.booleans())
@settings(deadline=None)
def test_a_pseudo_summary_is_what_a_naive_count_chooses(text, is_title, from_start):
    spans = gap_sentences(ids_of(text), IDS, is_title=is_title, from_start=from_start)
    expected = naive(text, is_title=is_title, from_start=from_start)
    assert [text[start:end] for start, end in spans] == expected


def test_the_best_sentence_shares_most_with_the_others():
    text = "甲甲甲甲甲甲。乙丙丁丁丁丁。甲乙丙丁戊己。辛辛辛辛辛辛。"
    ((start, end),) = gap_sentences(ids_of(text), IDS, is_title=True, from_start=True)
    assert text[start:end] == "甲乙丙丁戊己。"


def test_the_best_that_fit_are_taken_in_the_order_of_the_text():
    scores, sizes = np.array([0.2, 0.9, 0.0, 0.5, 0.5]), np.array([3, 8, 1, 4, 4])
    assert best_sentences(scores, sizes, 2, 20) == [1, 3]
    assert best_sentences(scores, sizes, 2, 7) == [0, 3]
    assert best_sentences(scores, sizes, 9, 99) == [0, 1, 3, 4]
    assert best_sentences(scores, sizes, 9, 2) == []

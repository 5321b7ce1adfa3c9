"""What is kept of a text: the best within the budget, in order, found again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demos.summary.clauses import cut_clauses
from demos.summary.ending import MORE, closed, shortened
from demos.summary.extraction import FEW, Extraction, choose
from demos.summary.passages import (
    bare_length,
    cut_spans,
    joined,
    num_shared_chars,
    placed_spans,
)
from model_core.interfaces import CopiedSpan

TEXT = "春天来了，\n花开了。 人们出门，去看花；有人\n画画，有人写诗。"
CLAUSES = cut_clauses(TEXT)
SCORES = st.lists(st.floats(0, 1), min_size=len(CLAUSES), max_size=len(CLAUSES))


def test_those_over_the_threshold_are_kept_in_the_order_of_the_text():
    clauses = cut_clauses("甲，乙，丙，丁。")
    assert choose(clauses, (0.3, 0.1, 0.9, 0.2), 0.2, 400) == (0, 2, 3)


def test_the_best_come_first_into_the_budget_and_smaller_ones_may_pass():
    clauses = cut_clauses("甲甲，乙乙乙乙乙，丙。")
    assert choose(clauses, (0.3, 0.9, 0.5), 0.2, 8) == (1, 2)
    assert choose(clauses, (0.9, 0.8, 0.5), 0.2, 6) == (0, 2)


def test_where_none_reaches_the_threshold_the_best_few_are_kept():
    clauses = cut_clauses("甲，" * 9)
    scores = [n / 100 for n in range(9)]
    assert choose(clauses, scores, 0.2, 400) == tuple(range(9 - FEW, 9))


def test_of_equals_the_earlier_is_kept():
    assert choose(cut_clauses("甲，乙，丙，"), (0.5, 0.5, 0.5), 0.2, 4) == (0, 1)


@given(SCORES, st.floats(0, 1), st.integers(1, 60))
def test_what_is_chosen_fits_or_is_a_single_clause(scores, threshold, max_chars):
    chosen = choose(CLAUSES, scores, threshold, max_chars)
    extraction = Extraction(CLAUSES, tuple(scores), chosen)
    assert chosen
    assert list(chosen) == sorted(set(chosen))
    assert len(chosen) == 1 or len(extraction.passage.text) <= max_chars


@given(SCORES, st.integers(1, 60))
def test_every_stretch_of_a_passage_stands_in_the_text(scores, max_chars):
    chosen = choose(CLAUSES, scores, 0.5, max_chars)
    passage = Extraction(CLAUSES, tuple(scores), chosen).passage
    for span in passage.copied:
        length = span.end - span.start
        there = TEXT[span.source_start : span.source_start + length]
        assert passage.text[span.start : span.end] == there != ""


def test_blanks_around_clauses_go_and_a_blank_parts_what_no_mark_parts():
    clauses = cut_clauses("标题\n\n  正文开始，后面。")
    assert joined(clauses).text == "标题 正文开始，后面。"


def test_pieces_of_one_long_run_stay_joined():
    clauses = cut_clauses("字" * 100)
    assert joined(clauses).text == "字" * 100
    assert sum(map(bare_length, clauses)) >= 100


def test_copies_out_of_a_passage_are_copies_out_of_the_text():
    kept = (CLAUSES[1], CLAUSES[3])
    passage = joined(kept)
    assert passage.text == "花开了。去看花；"
    (first, second) = placed_spans([CopiedSpan(0, 6, 1)], "开了。去看花", passage, TEXT)
    assert (first.start, first.end, first.source_start) == (0, 3, TEXT.index("开了"))
    assert (second.start, second.end, second.source_start) == (3, 6, TEXT.index("去看"))


def test_a_copy_over_clauses_that_touch_stays_whole():
    passage = joined(cut_clauses("甲乙，丙丁。"))
    spans = placed_spans([CopiedSpan(0, 4, 1)], "乙，丙丁", passage, "甲乙，丙丁。")
    assert spans == (CopiedSpan(0, 4, 1),)


def test_characters_that_differ_from_the_text_are_no_copies():
    passage = joined(cut_clauses("ABC好。"))
    spans = placed_spans([CopiedSpan(0, 4, 0)], "aBC好", passage, "ABC好。")
    assert spans == (CopiedSpan(1, 4, 1),)


@given(
    st.lists(
        st.builds(
            CopiedSpan, st.integers(0, 30), st.integers(0, 40), st.integers(-3, 40)
        ),
        max_size=4,
    ),
    st.text("春天来了花开看诗 ", max_size=30),
)
def test_whatever_a_model_claims_only_true_copies_are_shown(spans, target):
    for span in placed_spans(spans, target, joined(CLAUSES), TEXT):
        length = span.end - span.start
        assert length > 0
        there = TEXT[span.source_start : span.source_start + length]
        assert target[span.start : span.end] == there


def test_spans_are_cut_where_their_text_is():
    spans = (CopiedSpan(0, 3, 7), CopiedSpan(3, 6, 20), CopiedSpan(8, 9, 0))
    assert cut_spans(spans, 5) == (CopiedSpan(0, 3, 7), CopiedSpan(3, 5, 20))
    assert num_shared_chars("春夏秋", "春夏…") == 2
    assert num_shared_chars("春夏", "春夏") == 2


@pytest.mark.parametrize(
    ("text", "max_chars", "broken_off", "ended"),
    [
        ("春天来了。", 5, False, "春天来了。"),
        ("春天来了。花开了。", 8, False, "春天来了。"),
        ("春天来了，花开了", 7, False, "春天来了…"),
        ("春天来了花开了", 5, False, "春天来了…"),
        ("春，天来了花开了", 6, False, "春，天来了…"),
        ("春天来了，花开", 20, True, "春天来了…"),
        ("春天来了。", 20, True, "春天来了。"),
        ("春天来了", 20, True, "春天来了…"),
        ("没有句号", 20, False, "没有句号"),
    ],
)
def test_a_text_ends_at_a_clause_and_says_where_there_was_more(
    text, max_chars, broken_off, ended
):
    assert shortened(text, max_chars, broken_off=broken_off) == ended


@given(st.text("春夏，。！", max_size=60), st.integers(1, 40), st.booleans())
def test_no_ending_is_too_long_or_made_up(text, max_chars, broken_off):
    kept = shortened(text, max_chars, broken_off=broken_off)
    assert len(kept) <= max_chars
    assert text.startswith(kept.removesuffix(MORE))


def test_a_last_comma_becomes_a_full_stop():
    assert [closed(text) for text in ("春，", "春：", "春。", "春", "")] == [
        "春。",
        "春。",
        "春。",
        "春",
        "",
    ]

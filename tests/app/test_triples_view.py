"""What is drawn of an extraction: every span in its place, nothing unescaped."""

import csv
import html
import io
import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.tabs import triples_how
from app.tabs import triples_view as view
from app.tabs.triples_view import Mark
from demos.triples.found import ABSENT, ExtractedTriple
from demos.triples.task import TripleRequest, extract
from tests.fake_triple_pointer import FACTS, FakeTriplePointer

TEXT = "《史记》的作者是司马迁，父亲是司马谈。六小龄童在《西游记》里饰演孙悟空。"
MARKS = st.lists(
    st.builds(
        lambda start, size, role, triple: Mark(start, start + size, role, triple),
        st.integers(0, 12),
        st.integers(1, 8),
        st.sampled_from(["subject", "object"]),
        st.integers(0, 3),
    ),
    max_size=8,
)


def result(text=TEXT, facts=FACTS, **asked):
    *_, last = extract(TripleRequest(text, **asked), FakeTriplePointer(facts=facts))
    return last


def shown_text(drawn):
    (body,) = re.findall(
        '<p class="mp-text mp-marked"[^>]*>(.*?)</p>', drawn, re.DOTALL
    )
    return html.unescape(re.sub("<[^>]*>", "", body))


@given(MARKS)
def test_segments_join_to_the_text_and_each_mark_to_its_span(marks):
    text = "天地玄黄宇宙洪荒日月盈昃辰宿列张寒来暑往"
    parts = list(view.segments(text, marks))
    assert "".join(part for part, _ in parts) == text
    for mark in marks:
        own = "".join(part for part, held in parts if mark in held)
        assert own == text[mark.start : mark.end]


def test_without_marks_a_text_is_one_segment():
    assert list(view.segments("天地", ())) == [("天地", ())]


def test_overlapping_and_nested_spans_are_split_where_they_begin_and_end():
    marks = (Mark(0, 4, "subject", 0), Mark(2, 6, "object", 1), Mark(3, 4, "object", 2))
    parts = list(view.segments("甲乙丙丁戊己庚", marks))
    assert [(part, [m.triple for m in held]) for part, held in parts] == [
        ("甲乙", [0]),
        ("丙", [0, 1]),
        ("丁", [0, 1, 2]),
        ("戊己", [1]),
        ("庚", []),
    ]


def test_subjects_and_objects_are_told_apart_by_more_than_colour():
    drawn = view.settle(result())
    assert 'class="mp-mark mp-subject" data-mp-marks="0"' in drawn
    assert 'class="mp-mark mp-subject mp-object" data-mp-marks="0 1"' in drawn
    assert ">主语 subject<" in drawn
    assert ">宾语 object<" in drawn


def test_the_text_stays_as_it_is():
    assert shown_text(view.settle(result())) == TEXT


def test_a_row_names_the_triple_that_its_spans_name():
    drawn = view.settle(result())
    rows = re.findall('<tr tabindex="0" data-mp-triple="([0-9]+)">(.*?)</tr>', drawn)
    assert [int(number) for number, _ in rows] == list(range(len(result().triples)))
    for (_, row), triple in zip(rows, result().triples, strict=True):
        for part in (triple.subject, triple.predicate, triple.object):
            assert f">{part}<" in row
        start, end = triple.subject_span
        assert f"{start}–{end} → " in row
        assert f"{100 * triple.probability:.1f}%" in row


def test_types_that_the_data_names_in_english_have_their_chinese_beside_them():
    one = result().found[0]
    whole = replace(result(), found=(replace(one, object_type="Date"),))
    drawn = view.settle(whole)
    assert "<small>日期 date</small>" in drawn
    assert "<small>Date</small>" not in drawn
    assert "object_type&quot;: &quot;Date" in drawn  # what is saved keeps the name


def test_a_span_that_is_not_in_the_text_has_no_mark_and_no_offset():
    lost = ExtractedTriple("甲", "作者", "乙", ABSENT, ABSENT, 0.9)
    whole = replace(result(), found=(lost,))
    drawn = view.settle(whole)
    assert view.marks_of(whole.triples) == ()
    assert "<small>– → –</small>" in drawn


def test_complex_objects_are_listed_with_their_parts():
    drawn = view.settle(result())
    assert "<em>饰演</em>：" in drawn
    assert "<i>角色</i>=孙悟空" in drawn
    assert "<i>作品</i>=西游记" in drawn
    assert "复合宾语" not in view.settle(result().filtered(0.8))


def test_the_threshold_acts_on_what_is_shown():
    drawn = view.settle(result().filtered(0.95))
    assert drawn.count("<tr tabindex") == 1
    assert "1 条 triples ≥ 0.95" in drawn


def saved_as(drawn, kind):
    (data,) = re.findall(f'data-mp-{kind}="([^"]*)"', drawn)
    return html.unescape(data)


def test_the_downloads_hold_what_is_shown():
    whole = result()
    drawn = view.settle(whole)
    rows = list(csv.DictReader(io.StringIO(saved_as(drawn, "csv"), newline="")))
    saved = json.loads(saved_as(drawn, "record"))
    assert saved_as(drawn, "save") == "maskplay-triples.json"
    assert saved_as(drawn, "name") == "maskplay-triples.csv"
    assert [row["subject"] for row in rows] == [one.subject for one in whole.triples]
    assert saved["text"] == TEXT
    assert saved["threshold"] == 0.5
    assert [one["object"] for one in saved["triples"]] == [r["object"] for r in rows]


def test_copy_takes_a_line_per_triple():
    (copied,) = re.findall('data-mp-text="([^"]*)"', view.settle(result()))
    assert html.unescape(copied).split("\n")[0] == "史记\t作者\t司马迁"
    assert 'data-mp-action="copy"' in view.settle(result())


def test_nothing_found_says_what_to_do():
    nothing = view.settle(result("今天天气很好。"))
    assert "No triple of probability 0.05 or more" in nothing
    few = view.settle(result().filtered(1.0))
    assert "the best has 0.970: lower it" in few
    for drawn in (nothing, few):
        assert "<table" not in drawn
        assert "<svg" not in drawn
        assert "data-mp-save" not in drawn


@pytest.mark.parametrize("text", [TEXT, "今天天气很好。"])
def test_what_was_stopped_says_how_much_was_read_and_what_to_do(text):
    whole = result(text)
    drawn = view.settle(replace(whole, num_windows=5, num_read=0))
    assert "只读了 0 / 5 段" in drawn
    assert "Only 0 of 5 windows were read: press Extract" in drawn
    assert "No triple of probability" not in drawn
    assert "windows were read" not in view.settle(whole)


def test_a_growing_result_shows_how_far_it_is():
    drawn = view.stream(replace(result(), num_windows=4, num_read=1))
    assert '<progress max="4" value="1">' in drawn
    assert "data-mp-save" not in drawn


def test_nothing_yet_and_not_ready_yet_are_said():
    assert "Paste a text" in view.settle(None)
    assert "The model is loading" in view.stream(None)


def test_the_facts_name_weights_decoder_and_windows():
    drawn = view.settle(result())
    for fact in (">embedded<", ">half_pointer<", ">1 / 1<"):
        assert fact in drawn


def test_an_http_client_receives_the_record_and_how_it_was_read():
    answer = view.answer_of(result())
    assert json.loads(json.dumps(answer)) == answer
    assert (answer["decoder"], answer["num_windows"], answer["num_read"]) == (
        "half_pointer",
        1,
        1,
    )


@pytest.mark.parametrize("draw", [view.stream, view.settle])
def test_whatever_is_written_stays_text(draw):
    evil = "<img onerror=x>'\"&"
    facts = ((evil, 0, "<b>{{value}}</b>", 0.9), (evil, 4, "</svg><script>", 0.8))
    text = f"{evil} 与 <b>{{{{value}}}}</b> 及 </svg><script>"
    drawn = draw(result(text, facts=facts))
    for bad in ("<img", "<script", "<b>{", "</svg><"):
        assert bad not in drawn.replace("</svg></div>", "")
    assert "&lt;img onerror=x&gt;" in drawn


@pytest.mark.parametrize(
    "text", ["\u05d0\u05d1 史记 \u05d2 司马迁", "∀x: 史记 ⇒ 司马迁", "史记\n\n司马迁"]
)
def test_any_script_keeps_its_text(text):
    drawn = view.settle(result(text))
    assert shown_text(drawn) == text
    assert 'dir="auto"' in drawn


def test_the_explanation_points_at_its_own_example():
    assert triples_how.pointer_table().count("●") == len(triples_how.POINTERS)
    first, last = triples_how.SUBJECT
    assert triples_how.TEXT[first : last + 1] == "呐喊"
    assert triples_how.span_matrix().count("mp-on") == 2

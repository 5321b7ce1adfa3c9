import html
import json
import math
import re

import pytest

from app import views
from app.views import broken_into_lines, mask_drawing, tint_of, token_span
from model_core.interfaces import Alternative, TokenScore

NASTY = "<script>alert('1')</script>\"&'"


def test_whatever_is_written_stays_text():
    drawn = [
        views.badge(NASTY, title=NASTY),
        views.notice(NASTY),
        views.plain_text(NASTY, NASTY),
        views.scored_text(NASTY, [TokenScore(NASTY, -1.0)]),
        views.mask_drawing([[True]], [NASTY], NASTY),
        views.token_span(TokenScore("a", -1.0, (Alternative(NASTY, 0.5),))),
    ]
    for one in drawn:
        assert "<script" not in one
        assert not re.search(r"=\"[^\"]*'[^\"]*<", one)
        assert html.escape(NASTY, quote=True)[:14] in one or "&lt;script" in one


def test_a_token_carries_its_probability_and_runners_up():
    token = TokenScore("春", math.log(0.5), (Alternative("秋", 0.25),))
    (card,) = re.findall(r'data-mp-token="([^"]*)"', token_span(token))
    text, probability, rivals = json.loads(html.unescape(card))
    assert (text, rivals) == ("春", [["秋", 0.25]])
    assert probability == pytest.approx(0.5)


def test_only_the_first_token_stops_the_tab_key():
    drawn = views.scored_text("", [TokenScore("a", 0.0), TokenScore("b", 0.0)])
    assert re.findall(r'tabindex="(-?\d)"', drawn) == ["0", "-1"]


def test_a_token_without_characters_takes_no_place():
    drawn = views.scored_text("", [TokenScore("", 0.0), TokenScore("a", 0.0)])
    assert re.findall(r'tabindex="(-?\d)"', drawn) == ["0"]


def test_the_less_expected_the_stronger_the_tint():
    tints = [tint_of(p) for p in (1.0, 0.8, 0.6, 0.3, 0.2, 0.05, 0.02, 0.001, 0.0)]
    assert tints == sorted(tints)
    assert (tints[0], tints[-1]) == (0, len(views.TINTS))


def test_a_log_prob_above_zero_by_rounding_is_certain():
    assert "mp-tint-0" in token_span(TokenScore("a", 1e-7))


@pytest.mark.parametrize(
    ("texts", "ends", "broken"),
    [
        ("春风。明月。", "。", "春风。\n明月。"),
        ("春风，明月。", "，。", "春风，\n明月。"),
        ("春风，明月。", "", "春风，明月。"),
        ("春风。\n明月。", "。", "春风。\n明月。"),
        ("", "。", ""),
    ],
)
def test_verse_breaks_after_its_line_ends_and_never_twice(texts, ends, broken):
    assert "".join(broken_into_lines(texts, ends)) == broken


def test_breaking_lines_keeps_one_text_per_token_even_empty_ones():
    tokens = ["春风", "", "。", "明月"]
    assert list(broken_into_lines(tokens, "。")) == ["春风", "", "。\n", "明月"]


def test_a_mask_is_drawn_cell_by_cell():
    drawing = mask_drawing([[True, False], [True, True]], "你好", "因果")
    assert drawing.count('class="mp-on"') == 3
    assert drawing.count('class="mp-off"') == 1
    assert drawing.count("<text") == 4
    assert 'aria-label="因果"' in drawing


def test_a_wide_mask_labels_its_rows_with_the_last_positions():
    drawing = mask_drawing([[True, True, True]], "abc", "x")
    assert re.findall(r"<text[^>]*>(.)</text>", drawing) == ["a", "b", "c", "c"]


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0, "0 B"), (999, "999 B"), (1500, "1.5 KB"), (24_300_000, "24.3 MB")],
)
def test_sizes_are_shown_as_people_read_them(number, shown):
    assert views.size(number) == shown


def test_counts_are_shown_as_people_read_them():
    assert views.count(12_300_000) == "12.3 M"
    assert views.count(1_500_000_000) == "1.5 B"


def test_a_result_holds_its_record_for_the_buttons():
    drawn = views.result({"text": "\"<b>'&"}, views.json_button("a.json"))
    (record,) = re.findall('data-mp-record="([^"]*)"', drawn)
    assert json.loads(html.unescape(record)) == {"text": "\"<b>'&"}
    assert 'data-mp-save="a.json"' in drawn


def test_a_table_is_saved_as_it_is():
    drawn = views.csv_button("a.csv", 'x,"y"\r\n<1>\r\n')
    (table,) = re.findall('data-mp-csv="([^"]*)"', drawn)
    assert html.unescape(table) == 'x,"y"\r\n<1>\r\n'
    assert "&#13;\n" in table  # a browser would read a bare one as \n
    assert 'data-mp-name="a.csv"' in drawn


def test_what_saves_says_so_in_both_languages():
    assert ">下载 Download JSON<" in views.json_button("a.json")
    assert ">下载 Download CSV<" in views.csv_button("a.csv", "")


def test_what_is_too_large_is_said_of_its_own_component():
    drawn = views.too_large("mp-x-upload", 5 << 20, "请拆开。", "split it.")
    assert 'data-mp-upload="mp-x-upload" data-mp-largest="5242880" hidden' in drawn
    assert "这个文件超过 5 MB，没有上传；请拆开。" in drawn
    assert "This file has more than 5 MB and was not sent: split it." in drawn


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        ("一行\n又一行", "一行又一行"),
        ("句号。\n“引号", "句号。“引号"),
        ("English\nlines", "English\nlines"),
        ("中文\nEnglish", "中文\nEnglish"),
        ("一段\n\n又一段", "一段\n\n又一段"),
        ("一段\n- 列表", "一段\n- 列表"),
    ],
)
def test_chinese_lines_flow_on_without_a_gap(text, joined):
    assert views.flowing(text) == joined


def test_facts_and_notes_escape_what_they_show():
    for drawn in (
        views.facts([("<a>", "<b>")]),
        views.note("<a>", "<b>"),
        views.csv_button("<a>", "<b>"),
        views.too_large("<a>", 1, "<b>", "<c>"),
    ):
        assert not re.search("<[abc]>", drawn)

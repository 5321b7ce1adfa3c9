"""An answer is seen: in its passage, with its votes, beside the other modes."""

import csv
import html
import io
import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.tabs import qa_view as view
from demos.qa.record import render_text
from demos.qa.task import QaRequest, answer
from tests.fake_passage_reader import FakePassageReader

PASSAGES = (
    "李白字太白，号青莲居士。",
    "杜甫字子美，李白是他的朋友。",
    "<b>&都江堰</b>",
)
ANSWERS = {"谁？": ("李白", "杜甫"), "都？": ("<b>&都江堰",)}


def results(question="谁？", modes=("mlm", "seq2seq", "span"), **asked):
    reader = FakePassageReader(answers=ANSWERS, modes=modes)
    return list(answer(QaRequest(question, PASSAGES, **asked), reader))


def marks(drawn, kind):
    found = re.findall(f'<mark class="{kind}">(.*?)</mark>', drawn)
    return [html.unescape(text) for text in found]


def test_growing_answers_are_light():
    drawn = view.stream(results(mode="seq2seq")[0])
    assert ">李<" in drawn
    assert "mp-passage" not in drawn
    assert "data-mp-csv" not in drawn


def test_the_answer_is_marked_where_it_stands_and_each_passages_own_too():
    drawn = view.settle(results()[-1])
    assert marks(drawn, "mp-found") == ["李白"]
    assert marks(drawn, "mp-candidate") == ["李白"]  # the second passage's own
    assert "第 1 段第 1 字 passage 1, character 1" in drawn
    assert view.place_of(results()[-1].reading.answers[0]) in render_text(results()[-1])
    assert drawn.count('<article class="mp-passage') == 3
    assert re.findall('mp-rank">(第 [23].*?)<', drawn) == [
        "第 2 段 Passage 2",
        "第 3 段 Passage 3",
    ]
    assert drawn.count("mp-chosen-passage") == 1


def test_every_passage_shows_its_vote():
    drawn = view.settle(results()[-1])
    shares = re.findall(r"has answer</span>.*?<b>(.*?)</b>", drawn)
    assert shares == ["90.0%", "90.0%", "10.0%"]
    assert drawn.count("本段没有答案 none here") == 1


def test_no_answer_is_shown_as_an_answer_with_its_probability():
    drawn = view.settle(results("没？")[-1])
    card, _, rest = drawn.partition("</article>")
    assert "段落里没有答案 No answer in the passages" in card
    assert "90.0%" in card
    assert "mp-without" in card
    assert "<mark" not in rest


def test_modes_stand_side_by_side_with_their_times():
    drawn = view.settle(results(compare=True)[-1])
    assert drawn.count('<div class="mp-mode">') == 3
    for title in view.MODES.values():
        assert f"<h4>{title}</h4>" in drawn
    assert "600 ms · 2 步 steps<" in drawn
    assert "100 ms · 1 步 steps · 快 6.0 倍 faster" in drawn
    assert "几种读法" not in view.settle(results()[-1])


def test_what_stop_cut_off_does_not_look_like_the_answer():
    cut, whole = results(mode="seq2seq")
    assert "停在这里 stopped" in view.settle(cut)
    for drawn in (view.stream(cut), view.settle(whole)):
        assert "stopped" not in drawn
    before = replace(cut, readings=(replace(cut.reading, answers=()),))
    drawn = view.settle(before)
    assert "Stopped before there was an answer: press Answer" in drawn
    assert "Reading…" not in drawn
    assert "Reading…" in view.stream(before)


def test_a_comparison_that_was_stopped_says_so_where_it_was():
    *cut, whole = results(compare=True)
    for result in cut:
        assert not result.finished
        drawn = view.settle(result)
        assert drawn.count("停在这里 stopped") == 1
        assert "in this mode only" not in drawn
    assert "stopped" not in view.settle(whole)
    written = results(modes=("seq2seq",), compare=True)[0]
    assert view.settle(written).count("停在这里 stopped") == 2  # answer and mode


def test_comparing_with_one_mode_says_why_there_is_one():
    drawn = view.settle(results(modes=("span",), compare=True)[-1])
    assert "These weights read in this mode only." in drawn


def test_what_came_close_is_listed_with_its_probability():
    drawn = view.settle(results()[-1])
    others = re.search(r'<ol class="mp-others">(.*?)</ol>', drawn)[1]
    assert "杜甫" in others
    assert "40.0%" in others
    assert "No answer" in others  # no answer competes as well


def test_an_answer_that_is_not_in_a_passage_is_said_to_be_none_of_theirs():
    reader = FakePassageReader(answers={"谁？": ("王维",)})
    *_, result = answer(QaRequest("谁？", PASSAGES, extractive=False), reader)
    drawn = view.settle(result)
    assert "不是原文 not from a passage" in drawn
    assert "<mark" not in drawn


def test_the_downloads_hold_the_request_and_every_answer():
    drawn = view.settle(results(compare=True)[-1])
    record = json.loads(html.unescape(re.search('data-mp-record="(.*?)"', drawn)[1]))
    assert record["passages"] == list(PASSAGES)
    assert (record["answer"], record["mode_asked"]) == ("李白", "auto")
    table = html.unescape(re.search('data-mp-csv="(.*?)"', drawn, re.DOTALL)[1])
    rows = list(csv.DictReader(io.StringIO(table)))
    assert {row["mode"] for row in rows} == {"mlm", "seq2seq", "span"}
    assert (rows[0]["answer"], rows[0]["start"]) == ("李白", "0")


def test_nothing_yet_and_not_ready_yet_are_said():
    assert "Paste passages, ask" in view.settle(None)
    assert "The model is loading" in view.stream(None)


def test_what_a_person_or_a_model_writes_stays_text():
    result = results("都？")[-1]
    for drawn in (view.stream(result), view.settle(result)):
        assert "<b>&都" not in drawn
        assert "&lt;b&gt;&amp;都江堰" in drawn
    assert marks(view.settle(result), "mp-found") == ["<b>&都江堰"]


@given(st.text(max_size=30), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 9))))
def test_marking_never_changes_the_text(text, places):
    spans = [
        (start, min(len(text), start + size), "mp-found")
        for start, size in places
        if start < len(text)
    ]
    drawn = view.highlighted(text, spans)
    assert html.unescape(re.sub("</?mark.*?>", "", drawn)) == html.unescape(
        html.escape(text)
    )


@pytest.mark.parametrize(("seconds", "text"), [(0.0123, "12 ms"), (2.5, "2.50 s")])
def test_times_read_well(seconds, text):
    assert view._seconds(seconds) == text

import html
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from app.tabs import source_view
from app.tabs import summary_view as view
from demos.summary.task import EXTRACT, SummaryRequest, summarize
from model_core.interfaces import CopiedSpan
from tests.fake_summarizer import FakeSummarizer

TEXT = "今天开会，讨论三件事。空调要换新的；预算八万元，没有异议。散会以后，大家回家。"
WORTH = {"讨论": 0.95, "空调": 0.7, "预算": 0.8}
CHOSEN = "讨论三件事。空调要换新的；预算八万元，"
NASTY = "<script>alert('1')</script>\"&'</mark></details>，<b>。"


def results(text=TEXT, model=None, **asked):
    model = model or FakeSummarizer(worth=WORTH)
    return list(summarize(SummaryRequest(text, **asked), model))


class Shown(HTMLParser):
    """What a reader sees within the elements of one class, and that they close."""

    def __init__(self, drawn, kind):
        super().__init__()
        self.kind, self.open, self.texts, self.depth = kind, [], [], 0
        self.feed(drawn)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        if tag in ("path", "line"):
            return
        kinds = (dict(attributes).get("class") or "").split()
        within = self.kind in kinds
        if within and not self.depth:
            self.texts.append("")
        self.depth += within or self.depth > 0
        self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        self.depth -= self.depth > 0

    def handle_data(self, data):
        if self.depth:
            self.texts[-1] += data


def test_the_extraction_is_seen_before_a_word_is_written():
    drawn = view.stream(results()[0])
    assert "分句已打分" in drawn
    assert drawn.count("mp-taken") == 4  # three clauses and their list
    assert "mp-source" not in drawn


def test_growing_frames_are_light():
    drawn = view.stream(results("空" + TEXT * 400)[5])
    assert "mp-copied" not in drawn
    assert "data-mp-record" not in drawn
    assert len(drawn) < 8_000


def test_the_text_is_shown_whole_with_every_clause_in_its_shade():
    drawn = view.settle(results()[-1])
    (shown,) = Shown(drawn, "mp-source-text").texts
    assert shown == TEXT
    assert len(Shown(drawn, "mp-source-text").texts) == 1
    clauses = re.findall(r'mp-heat-(\d)( mp-taken)?" data-mp-clause="(\d)"', drawn)
    assert [place for _, _, place in clauses] == list("0123456")
    assert [int(heat) for heat, taken, _ in clauses if taken] == [9, 7, 8]


def test_copied_stretches_are_marked_and_joined_to_their_clause():
    drawn = view.settle(results()[-1])
    (copied,) = re.findall('<mark class="mp-copied"(.*?)</mark>', drawn, re.S)
    assert 'data-mp-clause="1"' in copied
    hint = html.unescape(re.findall('title="([^"]*)"', copied)[0])
    start = TEXT.index("讨论")
    assert f"原文第 {start + 1}–{start + len(CHOSEN)} 字" in hint
    assert f"…今天开会，【{CHOSEN}】没有异议" in hint
    assert "照抄 copied 100%" in drawn


def test_without_copying_nothing_is_marked():
    drawn = view.settle(results(copy=False)[-1])
    assert "<mark" not in drawn
    assert "照抄" not in drawn


def test_weights_without_a_copy_head_are_told_only_where_copies_were_asked_for():
    model = FakeSummarizer(worth=WORTH, can_copy=False)
    assert "没有复制头" in view.settle(results(model=model)[-1])
    assert "没有复制头" not in view.settle(results(model=model, copy=False)[-1])


def test_overlapping_claims_never_repeat_a_character():
    result = results()[-1]
    start = TEXT.index("讨论")
    spans = (
        CopiedSpan(0, 6, start),
        CopiedSpan(3, 8, start + 3),
        CopiedSpan(8, 9, start + 8),
    )
    drawn = view.settle(replace(result, draft=replace(result.draft, copied=spans)))
    (shown,) = Shown(drawn, "mp-text").texts
    assert shown == CHOSEN


def test_the_counts_say_how_much_went_in_and_came_out():
    drawn = view.settle(results()[-1])
    assert f"text</dt><dd>{len(TEXT)} 字<" in drawn
    assert f"extracted</dt><dd>3 / 7 句 clauses · {len(CHOSEN)} 字<" in drawn
    assert f"summary</dt><dd>{len(CHOSEN)} 字<" in drawn
    assert f"compressed to</dt><dd>{len(CHOSEN) / len(TEXT):.1%}<" in drawn
    assert "rewriting</dt>" in drawn


def test_an_extract_tells_no_time_of_writing():
    drawn = view.settle(results(mode=EXTRACT)[-1])
    assert "rewriting</dt>" not in drawn
    assert "照抄 copied 95%" in drawn  # the last comma became a full stop


def test_the_summary_is_copied_and_the_record_saved():
    result = results()[-1]
    drawn = view.settle(result)
    (copied,) = re.findall('data-mp-text="([^"]*)"', drawn)
    assert html.unescape(copied) == CHOSEN
    (record,) = re.findall('data-mp-record="([^"]*)"', drawn)
    saved = json.loads(html.unescape(record))
    names = SummaryRequest.__slots__
    assert SummaryRequest(**{name: saved[name] for name in names}) == result.request
    assert saved["summary"] == CHOSEN
    assert saved["copied"] == [
        {"start": 0, "end": len(CHOSEN), "source_start": TEXT.index("讨论")}
    ]
    assert 'data-mp-save="maskplay-summary.json"' in drawn


def test_a_text_read_from_its_middle_on_says_so_and_is_still_shown_whole():
    text = ("春天来了，" * 6 + "花开了。") * 580
    drawn = view.settle(results(text, mode=EXTRACT)[-1])
    assert "开头 " in drawn
    assert "were not read." in drawn
    (shown,) = Shown(drawn, "mp-source-text").texts
    assert shown == text
    assert len(Shown(drawn, "mp-skipped").texts) == 1


def test_the_longest_text_stays_light():
    text = ("春天来了，花开了。" * 2223)[:20_000]
    drawn = view.settle(results(text)[-1])
    assert drawn.count("data-mp-clause") <= 256 + 16
    assert len(drawn) < 3 * 20_000 + 60_000


def test_the_profile_has_a_bar_per_clause_and_the_threshold():
    result = results(threshold=0.75)[-1]
    drawn = source_view.profile(result.extraction, 0.75)
    left, kept = re.findall(' d="([^"]*)"', drawn)
    assert (left.count("M"), kept.count("M")) == (5, 2)
    assert 'y1="0.250"' in drawn


@pytest.mark.parametrize(
    ("score", "heat"), [(0, 0), (0.09, 0), (0.1, 1), (0.55, 5), (1, 9), (1.5, 9)]
)
def test_the_better_a_clause_the_stronger_its_shade(score, heat):
    assert source_view.heat_of(score) == heat


def test_the_shades_are_told_in_both_languages():
    drawn = view.settle(results()[-1])
    assert "<span>无关 irrelevant 0</span>" in drawn
    assert "<span>要紧 important 1</span>" in drawn


def test_a_place_belongs_to_the_clause_that_holds_it():
    extraction = results()[0].extraction
    for index, clause in enumerate(extraction.clauses):
        assert source_view.clause_at(extraction, clause.start) == index
        assert source_view.clause_at(extraction, clause.end - 1) == index


def test_nothing_yet_and_not_ready_yet_are_said():
    assert "Paste a text" in view.settle(None)
    assert "The model is loading" in view.stream(None)


@pytest.mark.parametrize("mode", ["full", "extract"])
def test_what_a_person_or_a_model_writes_stays_text(mode):
    model = FakeSummarizer(worth={"script": 0.9, "<b>": 0.8})
    frames = results(NASTY, model, mode=mode)
    for drawn in (*map(view.stream, frames), view.settle(frames[-1])):
        assert "<script" not in drawn
        assert "<b>" not in drawn
        Shown(drawn, "mp-summary")


def test_a_run_that_was_stopped_before_a_word_says_so():
    drawn = view.settle(results()[0])
    assert "nothing was written" in drawn
    assert "停在这里 stopped" in drawn

"""What a classification and a lesson look like; whatever people wrote stays text."""

import html
import json
import re
from dataclasses import replace

import pytest

from app.classroom import Waiting
from app.tabs import fewshot_learning_view as lesson_view
from app.tabs import fewshot_view as view
from app.tabs.fewshot_learning_view import Lesson
from app.tabs.fewshot_view import Answer
from demos.fewshot.learning import LearnRequest, learn
from demos.fewshot.presets import PRESETS
from demos.fewshot.task import FewshotRequest, classify
from tests.fake_mask_filler import FakeMaskFiller

LABELS = {"好评": "好", "差评": "差"}
NASTY = "<b onclick=x>'\"&{{value}}${1}"


def answer(text="饭很香", *, learned=False, **given):
    known = {"labels": LABELS, "pattern": "__。{text}"}
    request = FewshotRequest(text, **known | given)
    return Answer(list(classify(request, FakeMaskFiller()))[-1], learned)


def lessons(labels=LABELS, num=4, **given):
    known = {"labels": labels, "pattern": "__。{text}", "max_steps": 8}
    names = labels if isinstance(labels, list) else list(labels)
    lines = [
        {"text": f"{name}{n}", "label": name} for name in names for n in range(num)
    ]
    request = LearnRequest(**known | {"examples": lines} | given)
    return [
        Lesson(replace(result, learned=None))
        for result in learn(request, FakeMaskFiller())
    ]


def test_the_word_is_marked_in_its_blank():
    drawn = view.settle(answer())
    assert '<mark class="mp-word">好</mark>。饭很香</p>' in drawn
    (copied,) = re.findall('data-mp-text="([^"]*)"', drawn)
    assert html.unescape(copied) == "好。饭很香"


def test_bars_stand_best_first_with_their_words():
    drawn = view.stream(answer())
    assert re.findall("<b>(.*?)<small>(.*?)</small>", drawn) == [
        ("好评", "好"),
        ("差评", "差"),
    ]
    shares = [float(share) for share in re.findall("--share:([0-9.]+)", drawn)]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1, abs=1e-3)
    assert drawn.count("mp-best") == 1


def test_of_many_labels_the_rest_unfolds():
    (topics,) = [play for play in PRESETS if play.name == "topics"]
    drawn = view.stream(answer(labels=dict(topics.labels)))
    first, rest = drawn.split("<details")
    assert first.count("<li") == view.FIRST_LABELS
    assert rest.count("<li") == len(topics.labels) - view.FIRST_LABELS
    assert "另外 7 个标签" in rest
    assert "<small>" not in drawn  # a label that is its own word is not said twice


def test_words_of_different_lengths_are_told_not_refused():
    assert "per token" in view.stream(answer(labels={"好": "好", "坏": "糟糕"}))
    assert "per token" not in view.stream(answer())


def test_a_long_text_shows_both_ends_around_the_word():
    drawn = view.stream(answer("头" + "长" * 1998 + "尾"))
    assert view.ELLIPSIS in drawn
    shown = re.search('<p class="mp-text"[^>]*>(.*?)</p>', drawn)[1]
    assert shown.startswith("<mark")
    assert shown.endswith("尾")
    assert len(shown) < 300


def test_who_answered_is_told():
    assert "学过的权重 learned" in view.stream(answer(learned=True))
    assert "学过的权重 learned" not in view.stream(answer())


def saved_in(drawn):
    (record,) = re.findall('data-mp-record="([^"]*)"', drawn)
    return json.loads(html.unescape(record))


def test_the_download_tells_who_answered():
    mine, theirs = (saved_in(view.settle(answer(learned=one))) for one in (True, False))
    assert (mine["learned"], theirs["learned"]) == (True, False)
    assert mine["weights"] == theirs["weights"]  # the copy has the name of its source


def test_the_downloads_hold_what_was_asked_and_answered():
    drawn = view.settle(answer())
    saved = saved_in(drawn)
    assert saved["labels"] == LABELS
    assert saved["filled"] == "好。饭很香"
    (table,) = re.findall('data-mp-csv="([^"]*)"', drawn)
    header, best, _ = html.unescape(table).splitlines()
    assert header == "label,word,probability"
    assert best.startswith("好评,好,0.")
    assert "data-mp-csv" not in view.stream(answer())


def test_nothing_yet_and_not_ready_yet_are_said():
    assert "press Classify" in view.settle(None)
    assert "The model is loading" in view.stream(None)
    waiting = replace(answer().result, log_probs=())
    assert "The model is loading" in view.stream(Answer(waiting))


def test_whatever_people_write_stays_text():
    labels = {NASTY: "好<i>", "差<script>": "差&"}
    asked = answer(NASTY, labels=labels, pattern=f"__{NASTY.replace('{', '[')}")
    drawn = [view.stream(asked), view.settle(asked)]
    drawn += map(lesson_view.settle, lessons({NASTY: "<u>", "<s>": "差"})[-1:])
    for one in drawn:
        assert not re.search(
            r"<(b onclick|i>|script|u>|s>)", one.replace("<i></i>", "")
        )


def test_the_rules_say_which_goes_first_and_how_much_may_come():
    drawn = lesson_view.rules()
    assert "选了文件就不看贴的" in drawn
    assert "a file goes before what is pasted" in drawn
    assert drawn.count("5,242,880") == 2


def test_a_lesson_on_its_way_shows_where_it_stands():
    stages = {one.result.stage: lesson_view.stream(one) for one in lessons()}
    assert "measuring the original" in stages["before"]
    assert "8 / 8 步 steps" in stages["learning"]
    assert "<polyline" in stages["learning"]
    assert "measuring what was learned" in stages["after"]
    assert "mp-after" not in stages["learning"]


def test_the_comparison_has_both_and_a_guess():
    drawn = lesson_view.settle(lessons()[-1])
    assert re.findall("mp-(before|after|guess)", drawn) == ["before", "after", "guess"]
    assert drawn.count("--low:") == 2
    assert "学完了 done" in drawn
    assert "A line or two" not in drawn
    assert "Measured on 2 only" in drawn


def test_few_labels_are_a_table_and_many_are_told_by_what_is_confused():
    table = lesson_view.settle(lessons()[-1])
    assert table.count("<td") == 4
    many = lesson_view.settle(lessons([str(n) for n in range(9)])[-1])
    assert "<td" not in many
    assert "most frequent" in many


def test_what_must_be_known_is_noted():
    once = lesson_view.settle(lessons(num=1)[-1])
    assert "One example per label" in once
    lines = [{"text": "香", "label": "好评"}] * 3 + [
        {"text": "甜", "label": "好评"},
        {"text": "凉", "label": "差评"},
    ]
    some = lesson_view.settle(lessons(examples=lines)[-1])
    assert "2 repeated ones were left out" in some
    assert "Not measured: 差评." in some


def test_a_lesson_that_was_stopped_says_so():
    stopped = next(one for one in lessons() if one.result.stage == "learning")
    drawn = lesson_view.settle(stopped)
    assert "停在这里 stopped" in drawn
    assert lesson_view.settle(None) == lesson_view.EMPTY
    assert lesson_view.settle(Waiting(2)) == lesson_view.EMPTY


def test_a_place_in_the_line_is_told():
    assert "2 before yours" in lesson_view.stream(Waiting(2))
    assert "Starting" in lesson_view.stream(Waiting(0))
    assert "The model is loading" in lesson_view.stream(None)


@pytest.mark.parametrize("losses", [(), (1.0,), (0.0, 0.0), (2.0, 1.0, 0.5)])
def test_the_curve_stays_within_its_frame(losses):
    drawn = lesson_view.curve(losses, 10)
    assert drawn.count("<circle") == len(losses)
    for x, y in re.findall('cx="([0-9.-]+)" cy="([0-9.-]+)"', drawn):
        assert lesson_view.LEFT <= float(x) <= lesson_view.WIDTH
        assert lesson_view.TOP <= float(y) <= lesson_view.HEIGHT
    assert bool(drawn) == bool(losses)


def test_the_bold_line_is_a_mean_without_bias_at_the_start():
    assert lesson_view.smoothed([3.0, 3.0, 3.0]) == pytest.approx([3.0] * 3)
    assert lesson_view.smoothed([2.0, 0.0])[1] == pytest.approx(0.9 / 1.9 * 2)


def test_the_download_is_a_link_to_this_server_alone(tmp_path):
    path = tmp_path / "<x> 1.zip"
    path.write_bytes(b"abc")
    drawn = lesson_view.download_link(path)
    assert 'href="gradio_api/file=/' in drawn
    assert "<x>" not in drawn
    assert "下载 Download zip · 3 B" in drawn

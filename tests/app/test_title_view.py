import html
import json
import re
from dataclasses import replace

import pytest

from app.tabs import title_view as view
from demos.title.task import TitleRequest, write_titles
from model_core.interfaces import Rewriting
from tests.fake_text_rewriter import FakeRewriter

ARTICLE = "湖边来了候鸟，数量比去年多。孩子们去看，老师讲解。"
NASTY = "<b onclick=x>'\"&{{value}}${1}</b>。"


def results(text=ARTICLE, model=None, **asked):
    asked.setdefault("max_new_tokens", 6)
    request = TitleRequest(text, **asked)
    return list(write_titles(request, model or FakeRewriter()))


def saved(drawn):
    (record,) = re.findall('data-mp-record="([^"]*)"', drawn)
    return json.loads(html.unescape(record))


def test_growing_frames_are_plain_text():
    drawn = view.stream(results()[2])
    assert "data-mp-token" not in drawn
    assert "data-mp-action" not in drawn
    assert 'class="mp-written">湖边来<' in drawn
    assert "mp-streaming" in drawn


def test_every_title_has_its_rank_its_scores_and_a_button():
    drawn = view.settle(results()[-1])
    assert drawn.count("<li") == 3
    assert re.findall('mp-rank">(.*?)<', drawn) == ["其一", "其二", "其三"]
    actions = re.findall('data-mp-action="(.*?)"', drawn)
    assert actions == ["copy"] * 3 + ["copy"]
    assert "log p = -3.00<" in drawn
    assert "<b>61%</b> 每词元 per token" in drawn  # exp(-0.5)
    assert "log p / token = -0.500 nats" in drawn


def test_each_button_copies_its_own_title_and_the_last_one_all():
    copied = re.findall('data-mp-text="([^"]*)"', view.settle(results()[-1]))
    titles = ["湖边来了候鸟", "数量比去年多", "孩子们去看，"]
    assert [html.unescape(one) for one in copied] == [*titles, "\n".join(titles)]


def test_tokens_carry_their_probabilities_where_they_spell_the_title():
    result = results(num_return=1)[-1]
    assert view.settle(result).count("data-mp-token") == 6
    (one,) = result.frame.rewritings
    strange = replace(one.candidate, text="别的")
    frame = replace(result.frame, rewritings=(Rewriting(strange, one.score),))
    drawn = view.settle(replace(result, frame=frame))
    assert "data-mp-token" not in drawn
    assert ">别的<" in drawn


def test_the_download_repeats_the_request_and_holds_the_titles():
    result = results(num_beams=5)[-1]
    drawn = view.settle(result)
    record = saved(drawn)
    names = TitleRequest.__slots__
    again = TitleRequest(**{name: record[name] for name in names})
    assert again.options == result.request.options
    assert record["num_return"] == 3
    title = {"text": "湖边来了候鸟", "log_prob": -3.0, "finish": "length"}
    assert record["titles"][0] == title
    assert 'data-mp-save="maskplay-titles.json"' in drawn


def test_what_was_not_read_is_told_with_the_place_where_reading_stopped():
    result = results(model=FakeRewriter(window=14))[-1]
    for drawn in (view.stream(result), view.settle(result)):
        assert 'role="note"' in drawn
        assert "文章共 25 字，模型的窗口只装得下前 14 字" in drawn
        assert "读到“…来了候鸟，数量比去年多。”为止" in drawn
        assert "Only the first 14 of 25 characters" in drawn
    assert 'role="note"' not in view.settle(results()[-1])


def test_the_facts_name_weights_and_what_was_read():
    drawn = view.stream(results()[-1])
    assert "weights</dt><dd>embedded<" in drawn
    assert "read</dt><dd>25 / 25 字<" in drawn
    assert "beams</dt><dd>4<" in drawn


def test_a_stopped_run_says_so():
    assert "停在这里 stopped" in view.settle(results()[1])
    assert saved(view.settle(results()[1]))["titles"][0]["finish"] == ""
    assert "到上限 length limit" in view.settle(results()[-1])
    assert "写完 finished" in view.settle(results("雨停了。")[-1])


def test_nothing_yet_and_not_ready_yet_are_said():
    assert "Paste an article" in view.settle(None)
    assert "The model is loading" in view.stream(None)


@pytest.mark.parametrize("draw", [view.stream, view.settle])
def test_what_a_person_or_a_model_writes_stays_text(draw):
    result = results(NASTY, FakeRewriter(window=len(NASTY) - 2), max_new_tokens=40)[-1]
    drawn = draw(result)
    assert "<b onclick" not in drawn
    assert "&lt;b" in drawn

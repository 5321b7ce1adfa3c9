"""The title tab and the summary tab: what HTTP clients get, what a click fills in."""

import pytest

from app.shelf import AUTO
from app.tabs import attention_view, summary, title
from demos.summary.examples import EXAMPLES as SUMMARIES
from demos.summary.task import SummaryRequest, summarize
from demos.title.examples import EXAMPLES as TITLES
from demos.title.task import TitleRequest, write_titles
from tests.fake_summarizer import FakeSummarizer
from tests.fake_text_rewriter import FakeRewriter
from tests.fakes import FakeShelf

ARTICLE = "湖边来了候鸟，数量比去年多。孩子们去看，老师讲解。"


@pytest.fixture
def shelf():
    return FakeShelf(
        players={"text_rewriter": FakeRewriter(), "summarizer": FakeSummarizer()}
    )


def answers(question, *values):
    frames = [frame for frame in question.frames(values) if frame is not None]
    return [question.as_json(frame) for frame in frames]


def test_the_title_endpoint_has_the_contracts_names(shelf):
    question = title.question(shelf)
    assert question.name == "title"
    assert question.inputs[:3] == ("text", "num_beams", "num_return")
    *_, answer = answers(question, ARTICLE, 4, 2, 8, 4, 1.0, AUTO)
    named = {"text", "log_prob", "finish"}
    assert [one.keys() for one in answer["titles"]] == [named] * 2
    assert answer["num_chars_read"] == len(ARTICLE)
    assert answer["weights"] == "embedded"


def test_the_summary_endpoint_has_the_contracts_names(shelf):
    question = summary.question(shelf)
    assert question.name == "summarize"
    assert question.inputs[:2] == ("text", "max_chars")
    frames = answers(question, ARTICLE, 150, "full", True, True, 0.2, 3, AUTO)
    assert frames[0]["summary"] == ""
    assert frames[0]["extracted"][0].keys() == {"text", "start", "score"}
    assert frames[-1]["summary"]


@pytest.mark.parametrize("tab", [title, summary])
def test_clients_get_the_same_names_while_the_weights_load(tab, shelf):
    question = tab.question(shelf)
    request = question.request_type(ARTICLE)
    (*_, last) = question.answer(request, AUTO)
    loading = tab.as_json(None)
    assert loading.keys() == tab.as_json(last).keys() - {"text"}
    assert not any(loading.values())


def test_a_click_on_an_example_fills_in_a_request():
    assert title.examples_of()[: len(TITLES)] == TITLES
    assert summary.examples_of()[: len(SUMMARIES)] == SUMMARIES
    assert all(len(one.text) > 90 for one in title.examples_of())
    assert sum(len(one.text) > 1_000 for one in summary.examples_of()) == 2


def test_the_mask_is_that_of_the_request_itself():
    *growing, last = write_titles(TitleRequest(ARTICLE), FakeRewriter())
    assert title.how_drawing(last) == attention_view.drawing(last.frame.attention)
    assert title.how_drawing(growing[0]) != title.how_drawing(last)


def test_a_request_without_a_mask_does_not_show_anothers():
    growing, *_ = write_titles(TitleRequest(ARTICLE), FakeRewriter())
    assert title.how_drawing(growing) == title.first_drawing()
    assert "very request" not in title.first_drawing()
    first, *_ = summarize(SummaryRequest(ARTICLE), FakeSummarizer())
    assert summary.how_drawing(first) == ""


def test_a_summary_shows_the_mask_of_its_rewriting():
    *_, last = summarize(SummaryRequest(ARTICLE), FakeSummarizer())
    picture = last.frame.attention
    assert summary.how_drawing(last) == attention_view.drawing(picture)

from dataclasses import replace
from types import SimpleNamespace

import gradio as gr
import pytest

from app.panel import (
    IDLE_SECONDS,
    TICK_SECONDS,
    build_panel,
    catalogue,
    summary_html,
    table_html,
)
from model_core.interfaces import TEXT_GENERATOR, ModelError, ModelState
from model_core.shelf import ModelShelf, ShelfSettings
from tests.fakes import EMBEDDED, FakeCard, FakeGenerator, FakePlayer, FakeShelf

READY = ModelState("embedded", "内置小模型", "ready", info=EMBEDDED)
DOWN = ModelState("uer/x", "某", "downloading", 250, 1000)
UNKNOWN = ModelState("uer/x", "某", "downloading", 1_500_000)
FAILED = ModelState(
    "uer/x", "某", "failed", failure=ModelError("network", "断了<b>。", "It broke.")
)
ABSENT = ModelState("uer/y", "另", "absent")


def test_the_table_names_the_facts_of_a_ready_model():
    drawn = table_html([READY])
    for fact in ("maskplay", "8.0 M", "32.0 MB", "float32", "keras-tensorflow", "cpu"):
        assert f"<dd>{fact}</dd>" in drawn
    assert "commit" not in drawn  # the embedded weights have none


def test_a_download_moves_and_says_how_far():
    assert 'max="1000" value="250"' in table_html([DOWN])
    assert "250 B / 1.0 KB" in table_html([DOWN])
    assert "25 %" in summary_html([DOWN])


def test_a_download_of_unknown_size_tells_its_bytes():
    assert "<progress" not in table_html([UNKNOWN])
    assert "1.5 MB" in table_html([UNKNOWN])


def test_a_failure_says_why_and_stays_text():
    drawn = table_html([FAILED])
    assert "断了&lt;b&gt;。 It broke." in drawn
    assert "失败 failed" in drawn


def test_the_summary_leaves_out_what_is_absent_or_offline():
    offline = replace(FAILED, failure=ModelError("offline", "离线。", "Offline."))
    assert summary_html([READY, ABSENT, offline]).count("mp-chip ") == 1
    broken = replace(FAILED, failure=ModelError("corrupt", "坏了。", "Damaged."))
    assert "mp-chip mp-failed" in summary_html([READY, broken])
    assert "另" in table_html([READY, ABSENT])


def test_a_hub_that_is_not_there_is_told_without_alarm():
    drawn = summary_html([READY, FAILED])
    assert drawn.count("mp-chip ") == 2
    assert "没连上 not reached" in drawn
    assert "mp-failed" not in drawn
    assert "断了" in table_html([FAILED])  # the panel says why


def test_the_catalogue_names_every_tasks_weights_once():
    class Shelf(FakeShelf):
        def cards(self, task):
            own = {"qa": ("luhua/reader",), "title": ()}.get(task, ())
            return tuple(FakeCard(name, name) for name in ("hfl/rbt3", *own))

    choices = catalogue(Shelf(), ["title", "qa", "fewshot"])
    assert choices == [("hfl/rbt3", "hfl/rbt3"), ("luhua/reader", "luhua/reader")]


class Seat:
    """A page with the panel alone, of one visitor among others."""

    def __init__(self, shelf):
        with gr.Blocks(analytics_enabled=False) as self.page:
            build_panel(self.page, shelf, {}, gr.HTML())
        self.listeners = {fn.api_name: fn for fn in self.page.fns.values()}

    @property
    def timer(self):
        return next(one for one in self.page.blocks.values() if type(one) is gr.Timer)

    def refreshed(self):
        """Return the table, the seconds until the next look, and who answers."""
        _, table, timer, ready = self.listeners["refresh"].fn("")
        return table, timer.value, ready.split("\n")

    def presses(self, button, name, language):
        request = SimpleNamespace(headers={"accept-language": language})
        return self.listeners[button].fn(request, name, "")


def test_an_idle_page_still_looks_what_others_load_and_unload():
    shelf = FakeShelf()
    mine, theirs = Seat(shelf), Seat(shelf)
    assert mine.timer.active
    assert mine.timer.value == IDLE_SECONDS
    for button, ready in (
        ("load", ["embedded", "uer/gpt2-distil"]),
        ("unload", ["embedded"]),
    ):
        theirs.presses(button, "uer/gpt2-distil", "en")
        table, seconds, answering = mine.refreshed()
        assert answering == ready
        assert table.count("mp-state mp-ready") == len(ready)
        assert seconds == IDLE_SECONDS <= 60


def test_a_page_looks_often_while_something_moves():
    class Moving(FakeShelf):
        def states(self):
            return (READY, DOWN)

    assert Seat(Moving()).refreshed()[1] == TICK_SECONDS


@pytest.fixture
def embedded_alone():
    def load(*_):
        return FakePlayer({TEXT_GENERATOR.name: FakeGenerator()})

    settings = ShelfSettings(weights="embedded", rehearse=False)
    shelf = ModelShelf(settings, loader=load)
    yield shelf
    shelf.close()


@pytest.mark.parametrize("name", ["embedded", " embedded", "auto"])
@pytest.mark.parametrize(
    ("language", "sentence"),
    [("zh-CN", "内置模型不能卸下"), ("en", "The embedded model stays")],
)
def test_a_visitor_cannot_unload_what_answers_everybody(
    embedded_alone, name, language, sentence
):
    embedded_alone.model(TEXT_GENERATOR, "embedded")
    with pytest.raises(gr.Error, match=sentence):
        Seat(embedded_alone).presses("unload", name, language)
    assert embedded_alone.readiness().ready

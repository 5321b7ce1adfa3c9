"""What every tab has alike: columns in one order, buttons, examples that fill."""

import asyncio
from dataclasses import dataclass
from typing import Annotated

import gradio as gr
import pytest

from app.controls import control, words_of
from app.metrics import Metrics
from app.page import build_page
from app.runs import Runs
from app.tabs import TABS
from app.tabs.layout import (
    bare_words,
    controls,
    examples_list,
    fill_on_click,
    how_accordion,
    in_columns,
    long_text,
    run_and_stop,
    settings_accordion,
)
from app.wiring import WEIGHTS, Desk, Form, Question
from demos.limits import Label, Length, Range
from tests.fakes import FakeShelf

COLUMNS = ["mp-ask", "mp-answer", "mp-examples", "mp-more"]
TEXT = Label("文", "Text", "帮助", "help")


@dataclass(frozen=True)
class Asked:
    text: Annotated[str, Length(1, 20), TEXT]
    title: Annotated[str, Length(0, 9), Label("题", "Title")] = ""
    amount: Annotated[float, Range(0.5, 9.0, 0.5), Label("量", "Amount")] = 1.5


@pytest.fixture(scope="module")
def page():
    return build_page(FakeShelf(), Desk(Runs(Metrics()), slots=1))


def listener(page, name):
    (found,) = [one for one in page.fns.values() if one.api_name == name]
    return found


def answer(page, name, *values):
    """Return what the page receives from a listener, one value per output."""
    one = listener(page, name)
    return asyncio.run(page.postprocess_data(one, one.fn(*values), None))


def test_the_columns_stand_in_one_order_and_keep_what_was_drawn_in_them():
    with gr.Blocks() as page:
        drawn = in_columns(
            ask=lambda: gr.HTML("a"),
            answer=lambda: (gr.HTML("b"), 2),
            examples=lambda: gr.HTML("c"),
            more=lambda: gr.HTML("d"),
        )
    (row,) = page.children
    assert [column.elem_classes for column in row.children] == [[n] for n in COLUMNS]
    ask, (view, two), examples, more = drawn
    assert two == 2
    held = [column.children for column in row.children]
    assert held == [[ask], [view], [examples], [more]]
    assert [shown.value for (shown,) in held] == list("abcd")


def test_every_tab_has_the_four_columns(page):
    framed = [  # a file has no examples: its row has a class more
        block for block in page.blocks.values() if block.elem_classes == ["mp-columns"]
    ]
    ways = {"dialogue": 0, "qa": 2, "similarity": 5}  # talk goes downwards
    assert len(framed) == sum(ways.get(tab.task, 1) for tab in TABS)
    for row in framed:
        assert [column.elem_classes for column in row.children] == [
            [name] for name in COLUMNS
        ]


def test_no_id_stands_twice_on_the_page(page):
    ids = [block.elem_id for block in page.blocks.values() if block.elem_id]
    assert len(set(ids)) == len(ids)


def test_only_what_can_be_pressed_now_can_be_pressed():
    with gr.Blocks() as page:
        buttons = run_and_stop("mp-here", "做 Do")
    (row,) = page.children
    assert row.children == [buttons.run, buttons.stop]
    assert row.elem_classes == ["mp-row mp-go"]
    assert (buttons.run.value, buttons.run.variant) == ("做 Do", "primary")
    assert (buttons.run.elem_id, buttons.stop.elem_id) == (
        "mp-here-run",
        "mp-here-stop",
    )
    assert (buttons.run.interactive, buttons.stop.interactive) == (True, False)


@pytest.mark.parametrize("part", [how_accordion, settings_accordion])
def test_what_few_will_read_is_folded_at_first(part):
    drawn = part("mp-here")
    assert (drawn.open, drawn.elem_id) == (False, "mp-here")


def test_controls_are_drawn_by_name_in_the_given_order():
    drawn = controls(Asked, ("amount", "title"))
    assert list(drawn) == ["amount", "title"]
    assert [one.label for one in drawn.values()] == ["量 Amount", "题 Title"]


def test_a_long_text_is_never_cut():
    assert control(Asked, "text").max_length == 20
    text = long_text(Asked, "text", lines=7)
    assert (text.max_length, text.lines) == (None, 7)
    assert (text.label, text.info) == ("文 Text", "帮助 · help")
    assert long_text(Asked, "text", info=None).info is None


def test_bare_words_leave_out_nothing_but_the_help():
    assert bare_words(TEXT) == words_of(TEXT) | {"info": None}
    assert words_of(TEXT)["info"]


def test_all_examples_are_seen_at_once():
    names = [f"例 {place}" for place in range(25)]
    drawn = examples_list("mp-here", names)
    assert drawn.samples == [[name] for name in names]
    assert drawn.samples_per_page == len(names)
    assert drawn.elem_id == "mp-here"
    fewer = examples_list("mp-here", names, samples_per_page=30)
    assert fewer.samples_per_page == 30


def form_of(*names):
    """A form with the fields of a request, and a list of examples above it."""
    question = Question("ask", "", Asked, iter, dict, len)
    fields = {name: gr.Textbox(label=name) for name in question.inputs[:-1]}
    form = Form(question, {**fields, WEIGHTS: gr.Dropdown(["auto"])})
    return form, examples_list("mp-here", names)


def test_a_click_fills_in_what_the_example_names_and_nothing_else():
    with gr.Blocks() as page:
        form, examples = form_of("一", "二")
        rows = [{"title": "a", "text": "b"}, {"title": "c", "text": "d"}]
        fill_on_click(form, examples, rows, "ask_example")
    one = listener(page, "ask_example")
    assert [component.label for component in one.outputs] == ["title", "text"]
    assert answer(page, "ask_example", 1) == ["c", "d"]
    assert answer(page, "ask_example", 0) == ["a", "b"]


def test_an_example_may_fill_a_single_input():
    with gr.Blocks() as page:
        form, examples = form_of("一")
        fill_on_click(form, examples, [{"text": "b"}], "ask_example")
    assert answer(page, "ask_example", 0) == ["b"]


def test_filling_waits_for_nobody_and_is_no_endpoint():
    with gr.Blocks() as page:
        form, examples = form_of("一")
        rows = [{"text": "b"}]
        fill_on_click(form, examples, rows, "ask_example", postprocess=False)
    one = listener(page, "ask_example")
    assert (one.queue, one.api_visibility) == (False, "private")
    assert not one.postprocess


def test_an_example_that_fills_what_the_form_lacks_is_refused_at_once():
    with gr.Blocks():
        form, examples = form_of("一")
        with pytest.raises(KeyError, match="colour"):
            fill_on_click(form, examples, [{"colour": "red"}], "ask_example")


FILLING = {
    "generate_example": "mp-examples",
    "title_example": "mp-title-examples",
    "extract_triples_example": "mp-triples-examples",
    "answer_example": "mp-qa-examples",
    "facts_example": "mp-facts-examples",
    "summarize_example": "mp-summary-examples",
}


@pytest.mark.parametrize("name", FILLING)
def test_every_example_of_a_tab_fills_its_form(page, name):
    one = listener(page, name)
    (examples,) = one.inputs
    assert examples.elem_id == FILLING[name]
    for place in range(len(examples.samples)):
        filled = answer(page, name, place)
        assert len(filled) == len(one.outputs)
        assert any(isinstance(value, str) and value for value in filled)

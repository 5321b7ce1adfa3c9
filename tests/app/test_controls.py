import re
from dataclasses import dataclass
from typing import Annotated

import gradio as gr
import pytest

from app.controls import DRAWN, EMPTY_NUMBER, control, offering, words_of
from demos import limits
from demos.dialogue.turns import History
from demos.fewshot.example_list import ExampleList
from demos.fewshot.labels import LabelWords
from demos.fewshot.task import FewshotRequest
from demos.limits import Label, Length, OneOf, OptionalRange, Range, Switch
from demos.qa.passages import Passages
from demos.records import required_of
from demos.tasks import TASKS
from demos.triples.schema import SchemaLimit


@dataclass(frozen=True)
class Everything:
    text: Annotated[str, Length(1, 20), Label("文", "Text", "帮助", "help")]
    amount: Annotated[float, Range(0.5, 9.0, 0.5), Label("量", "Amount")] = 1.5
    few: Annotated[int, Range(1, 4), Label("篇", "Few")] = 2
    seed: Annotated[int | None, OptionalRange(0, 9), Label("种", "Seed")] = None
    kind: Annotated[str, OneOf(("a", "b")), Label("类", "Kind")] = "a"
    on: Annotated[bool, Switch(), Label("开", "On")] = True


@pytest.mark.parametrize(
    ("name", "component", "value"),
    [
        ("text", gr.Textbox, None),
        ("amount", gr.Slider, 1.5),
        ("few", gr.Radio, 2),
        ("seed", gr.Number, EMPTY_NUMBER),  # None would be shown as 0
        ("kind", gr.Dropdown, "a"),
        ("on", gr.Checkbox, True),
    ],
)
def test_every_kind_of_limit_is_drawn_with_its_default(name, component, value):
    drawn = control(Everything, name)
    assert type(drawn) is component
    assert drawn.value == value


def test_limits_labels_and_help_come_from_the_request():
    amount, text = control(Everything, "amount"), control(Everything, "text", lines=3)
    assert (amount.minimum, amount.maximum, amount.step) == (0.5, 9.0, 0.5)
    assert (text.max_length, text.lines) == (20, 3)
    assert (text.label, text.info) == ("文 Text", "帮助 · help")
    assert amount.info is None
    assert control(Everything, "few").choices == [(n, int(n)) for n in "1234"]


SHARED = {
    kind
    for kind in vars(limits).values()
    if isinstance(kind, type) and hasattr(kind, "check") and kind is not limits.Limit
}
# tabs draw their own
STRUCTURES = {SchemaLimit, Passages, ExampleList, History}


def test_every_limit_of_the_demos_but_structures_can_be_drawn():
    used = {
        type(limits.limit_of(task.request_type, name))
        for task in TASKS.values()
        for name in limits.names_of(task.request_type)
    }
    assert SHARED | used == set(DRAWN) | STRUCTURES
    assert set(DRAWN) - SHARED == {LabelWords}
    assert not set(DRAWN) & STRUCTURES


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_every_drawn_default_is_one_that_the_request_takes(task):
    for name in limits.names_of(task.request_type):
        limit = limits.limit_of(task.request_type, name)
        if type(limit) in DRAWN and name not in required_of(task.request_type):
            drawn = control(task.request_type, name)
            empty = drawn.value == EMPTY_NUMBER and isinstance(drawn, gr.Number)
            value = None if empty else drawn.value
            limit.check(limits.label_of(task.request_type, name), value)


# what gradio takes for emphasis, code and links in a help, and cannot be escaped
MARKUP = re.compile(
    r"`[^`]+`|\[[^\]]+\]\(|\*.+?\*|__.+?__|(?<!\w)_.+?_(?!\w)", re.ASCII
)


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_a_help_shows_every_sign_it_holds(task):
    for name in limits.names_of(task.request_type):
        info = words_of(limits.label_of(task.request_type, name))["info"]
        assert not MARKUP.search(info or ""), info


def test_labels_are_drawn_as_lines():
    labels = control(FewshotRequest, "labels")
    assert type(labels) is gr.Textbox
    assert labels.lines > 1


@pytest.mark.parametrize(
    ("chosen", "kept"), [("b", "b"), ("c", "a"), (None, "a"), (["b"], "a"), (3, "a")]
)
def test_what_was_chosen_stays_as_long_as_it_is_offered(chosen, kept):
    update = offering([("甲", "a"), ("乙", "b")], chosen)
    assert update["value"] == kept
    assert update["choices"] == [("甲", "a"), ("乙", "b")]

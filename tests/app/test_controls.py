from dataclasses import dataclass
from typing import Annotated

import gradio as gr
import pytest

from app.controls import DRAWN, control
from demos import limits
from demos.limits import Label, Length, OneOf, OptionalRange, Range, Switch


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
        ("seed", gr.Number, None),
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


def test_every_limit_of_the_demos_but_lists_can_be_drawn():
    kinds = {
        kind
        for kind in vars(limits).values()
        if isinstance(kind, type)
        and hasattr(kind, "check")
        and kind.__name__ != "Limit"
    }
    assert kinds - {limits.Several} == set(DRAWN)

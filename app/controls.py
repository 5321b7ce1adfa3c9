"""Draw inputs from the limits and labels that a request declares.

Changes when a kind of limit gets another component. Knows no task.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.components import Component

from demos.fewshot.labels import LabelWords
from demos.limits import (
    Label,
    Length,
    OneOf,
    OptionalRange,
    Range,
    Switch,
    label_of,
    limit_of,
)

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

FEW = 6
EMPTY_NUMBER = ""


def control(
    request_type: "type[DataclassInstance]", name: str, **shape: Any
) -> Component:
    """Return the component for one field, with its limits, label and default.

    Args:
        request_type: The request that declares the field.
        name: The field.
        shape: Further arguments of the component, e.g. ``lines=4``.
    """
    limit = limit_of(request_type, name)
    (default,) = (field.default for field in fields(request_type) if field.name == name)
    known = {"value": default} if isinstance(default, DRAWN_VALUES) else {}
    words = words_of(label_of(request_type, name))
    return DRAWN[type(limit)](limit, {**words, **known, **shape})


def words_of(label: Label) -> dict[str, str | None]:
    """Return a label and its help as gradio takes them, Chinese before English."""
    helps = [sentence for sentence in (label.zh_help, label.en_help) if sentence]
    return {"label": f"{label.zh} {label.en}", "info": " · ".join(helps) or None}


def offering(choices: Sequence[tuple[str, str]], chosen: object) -> Any:
    """Return the update that offers choices; what was chosen stays, else the first.

    Args:
        choices: Title and value of each.
        chosen: What is chosen now, straight from the visitor.
    """
    kept = chosen if chosen in dict(choices).values() else choices[0][1]
    return gr.update(choices=list(choices), value=kept)


def _slider(limit: Range, shape: dict[str, Any]) -> Component:
    if limit.whole and limit.high - limit.low < FEW:  # a choice rather than an amount
        choices = range(int(limit.low), int(limit.high) + 1)
        return gr.Radio([(str(choice), choice) for choice in choices], **shape)
    return gr.Slider(limit.low, limit.high, step=limit.step, **shape)


def _number(limit: OptionalRange, shape: dict[str, Any]) -> Component:
    number = gr.Number(minimum=limit.low, maximum=limit.high, precision=0, **shape)
    if number.value is None:
        number.value = EMPTY_NUMBER  # gradio's page would turn None into 0
    return number


def _textbox(limit: Length, shape: dict[str, Any]) -> Component:
    return gr.Textbox(max_length=limit.high, **shape)


def _dropdown(limit: OneOf, shape: dict[str, Any]) -> Component:
    return gr.Dropdown(list(limit.choices), **shape)


def _label_words(_limit: LabelWords, shape: dict[str, Any]) -> Component:
    return gr.Textbox(lines=4, **shape)


def _checkbox(_limit: Switch, shape: dict[str, Any]) -> Component:
    return gr.Checkbox(**shape)


DRAWN_VALUES = (str, int, float, bool, type(None))
DRAWN: Mapping[type, Callable[[Any, dict[str, Any]], Component]] = {
    Range: _slider,
    OptionalRange: _number,
    Length: _textbox,
    OneOf: _dropdown,
    Switch: _checkbox,
    LabelWords: _label_words,
}

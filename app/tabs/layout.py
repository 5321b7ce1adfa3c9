"""How every tab is laid out: its columns, buttons, examples and folded parts.

Changes when all tabs are to look different. Knows no task: a tab says what it asks,
shows and offers, and under which ids; it composes these parts from top to bottom.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import gradio as gr
from gradio.components import Component

from app.controls import control, words_of
from app.wiring import Buttons, Form
from demos.limits import Label, label_of

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

AskT = TypeVar("AskT")
AnswerT = TypeVar("AnswerT")
ExamplesT = TypeVar("ExamplesT")
MoreT = TypeVar("MoreT")

# of a listener that computes nothing: it waits for nobody, and is no endpoint
QUICK: Mapping[str, Any] = {
    "queue": False,
    "show_progress": "hidden",
    "api_visibility": "private",
}


def in_columns(
    ask: Callable[[], AskT],
    answer: Callable[[], AnswerT],
    examples: Callable[[], ExamplesT],
    more: Callable[[], MoreT],
) -> tuple[AskT, AnswerT, ExamplesT, MoreT]:
    """Draw a tab's four columns, and return what each of them drew.

    Args:
        ask: Draws the question's side.
        answer: Draws the result's side.
        examples: Draws what can be tried.
        more: Draws what few will change.
    """
    with gr.Row(elem_classes="mp-columns"):
        with gr.Column(elem_classes="mp-ask"):
            asked = ask()
        with gr.Column(elem_classes="mp-answer"):
            answered = answer()
        with gr.Column(elem_classes="mp-examples"):
            tried = examples()
        with gr.Column(elem_classes="mp-more"):
            changed = more()
    return asked, answered, tried, changed


def run_and_stop(prefix: str, label: str) -> Buttons:
    """Draw the row of the two buttons that start and end a run.

    Args:
        prefix: Of the buttons' ids: ``{prefix}-run`` and ``{prefix}-stop``.
        label: What the run does, for people.
    """
    with gr.Row(elem_classes="mp-row mp-go"):
        run = gr.Button(
            label,
            variant="primary",
            scale=3,
            min_width=140,
            elem_id=f"{prefix}-run",
        )
        stop = gr.Button(
            "停止 Stop",
            interactive=False,
            scale=1,
            min_width=96,
            elem_id=f"{prefix}-stop",
        )
    return Buttons(run, stop)


def how_accordion(elem_id: str) -> gr.Accordion:
    """Return the folded part that explains what the network did."""
    return gr.Accordion("怎么做到的 How it works", open=False, elem_id=elem_id)


def settings_accordion(elem_id: str) -> gr.Accordion:
    """Return the folded part of what few will change."""
    return gr.Accordion("参数 Settings", open=False, elem_id=elem_id)


def controls(
    request_type: "type[DataclassInstance]", names: Iterable[str]
) -> dict[str, Component]:
    """Draw one component for each of these fields, with its help, by name."""
    return {name: control(request_type, name) for name in names}


def long_text(
    request_type: "type[DataclassInstance]", name: str, **shape: Any
) -> gr.Textbox:
    """Draw a text that takes any length: what is too long is told, not cut in silence.

    Args:
        request_type: The request that declares the field.
        name: The field.
        shape: Further arguments of the component, e.g. ``lines=4``.
    """
    return gr.Textbox(**{**words_of(label_of(request_type, name)), **shape})


def bare_words(label: Label) -> dict[str, str | None]:
    """Return a label without its help, for where the place explains it."""
    return {**words_of(label), "info": None}


def examples_list(elem_id: str, names: Sequence[str], **shape: Any) -> gr.Dataset:
    """Draw the buttons of the examples, all at once; a click tells which, from 0.

    Args:
        elem_id: Of the list.
        names: What the buttons say.
        shape: Further arguments of the component.
    """
    rows = [[name] for name in names]
    known = {"samples_per_page": len(rows), "label": "例子 Examples", **shape}
    return gr.Dataset(
        components=[gr.Textbox(visible=False)],
        samples=rows,
        type="index",
        elem_id=elem_id,
        **known,
    )


def fill_on_click(
    form: Form,
    examples: gr.Dataset,
    rows: Sequence[Mapping[str, Any]],
    api_name: str,
    **listener: Any,
) -> None:
    """Let a click on an example fill in the form.

    Args:
        form: The form.
        examples: The buttons.
        rows: What each of them fills in, by the input's name; all the same inputs.
        api_name: Of the listener.
        listener: Further arguments of the listener.
    """
    filled = [form.components[name] for name in rows[0]]

    def fill(index: int) -> dict[Component, Any]:
        row = rows[index]
        return {form.components[name]: value for name, value in row.items()}

    examples.click(fill, examples, filled, api_name=api_name, **QUICK, **listener)

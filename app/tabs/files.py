"""The file tab: a file of questions in, a file of answers out, for every task.

Changes when the tab's layout changes. The rules are in app.batch, drawing is in
files_view.
"""

from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component

from app.batch import (
    INPUT_TYPES,
    OUTPUT_TYPES,
    TASK_LABEL,
    TYPE_LABEL,
    FileQuestion,
    option_input,
    options_of,
    seats_for,
)
from app.controls import control, words_of
from app.panel import Panel, ready_of
from app.shelf import AUTO, Shelf
from app.tabs import files_view
from app.wiring import (
    WEIGHTS,
    WEIGHTS_LABEL,
    Buttons,
    Desk,
    Display,
    Form,
    submit,
)
from demos.tasks import TASKS, AnyTask

AUTO_WEIGHTS = ("自动 · auto", AUTO)
LABEL = "文件 Files"
NAME = "files"
PRIVATE = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}


def build(shelf: Shelf, desk: Desk, panel: Panel) -> None:
    """Lay out the tab and join it to the tasks."""
    with gr.Row(elem_classes="mp-columns mp-files"):
        with gr.Column(elem_classes="mp-ask"):
            upload, inputs, buttons = _inputs()
        with gr.Column(elem_classes="mp-answer"):
            view = gr.HTML(files_view.EMPTY, elem_id="mp-files-view")
        with gr.Column(elem_classes="mp-more"):
            options = _options(inputs["task"])
    asked = FileQuestion(
        shelf,
        TASKS,
        Path(upload.GRADIO_CACHE),
        desk.runs.deadline_seconds,
        seats_for(desk.slots),
    )
    form = Form(asked, {"upload": upload, **inputs, **options})
    display = Display(view, gr.State(None), files_view.stream, files_view.settle, {})
    submit(desk, form, buttons, display)
    _join_weights(shelf, panel, form.components[WEIGHTS])


def _inputs() -> tuple[gr.File, dict[str, Component], Buttons]:
    upload = gr.File(
        label="一行一问的文件 A file, one question a line",
        file_types=list(INPUT_TYPES),
        height=150,
        elem_id="mp-files-upload",
    )
    gr.HTML(files_view.rules(TASKS.values()))
    tasks = [(f"{task.label.zh} {task.label.en}", name) for name, task in TASKS.items()]
    task = gr.Dropdown(
        tasks, value=tasks[0][1], visible=len(tasks) > 1, **words_of(TASK_LABEL)
    )
    with gr.Row(elem_classes="mp-row mp-pair"):
        words = {**words_of(TYPE_LABEL), "info": None}
        kinds = [(kind, kind) for kind in OUTPUT_TYPES]
        output_type = gr.Radio(kinds, value=OUTPUT_TYPES[0], min_width=140, **words)
        weights = gr.Dropdown(
            [AUTO_WEIGHTS], value=AUTO, min_width=140, **words_of(WEIGHTS_LABEL)
        )
    with gr.Row(elem_classes="mp-row mp-go"):
        run = gr.Button(
            "开始 Run",
            variant="primary",
            scale=3,
            min_width=140,
            elem_id="mp-files-run",
        )
        stop = gr.Button(
            "停止 Stop",
            interactive=False,
            scale=1,
            min_width=96,
            elem_id="mp-files-stop",
        )
    inputs = {"task": task, "output_type": output_type, WEIGHTS: weights}
    return upload, inputs, Buttons(run, stop)


def _options(chosen: Component) -> dict[str, Component]:
    """Draw every task's options; only those of the chosen one are seen."""
    groups: dict[str, gr.Column] = {}
    options: dict[str, Component] = {}
    for task in TASKS.values():
        with gr.Column(visible=not groups, elem_classes="mp-more") as group:
            options |= _options_of(task)
        groups[task.name] = group
    if len(groups) > 1:
        chosen.input(
            lambda name: [gr.update(visible=name == own) for own in groups],
            chosen,
            list(groups.values()),
            preprocess=False,
            api_name="files_options",
            **PRIVATE,
        )
    return options


def _options_of(task: AnyTask) -> dict[str, Component]:
    with gr.Accordion("每行通用的参数 Settings for every line", open=False):
        gr.HTML(files_view.OWN_FIELDS_FIRST)
        return {
            option_input(task, name): control(task.request_type, name)
            for name in options_of(task)
        }


def _join_weights(shelf: Shelf, panel: Panel, weights: Component) -> None:
    """Offer the weights that are ready."""

    def offer(
        ready: tuple[str, ...], offered: tuple[str, ...], chosen: object
    ) -> tuple[Any, Any]:
        if ready == offered:  # leave a list alone that may be open
            return gr.skip(), gr.skip()
        states = ready_of(shelf.states())
        named = [AUTO_WEIGHTS, *((state.title, state.name) for state in states)]
        kept = chosen if chosen in dict(named).values() else AUTO
        return ready, gr.update(choices=named, value=kept)

    offered = gr.State(())
    for number, refreshed in enumerate(panel.refreshed):
        refreshed.success(
            offer,
            [panel.ready, offered, weights],
            [offered, weights],
            preprocess=False,
            api_name=f"files_offer_{number}",
            **PRIVATE,
        )

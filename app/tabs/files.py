"""The file tab: a file of questions in, a file of answers out, for every task.

Changes when the tab's layout changes. The rules are in app.batch, drawing is in
files_view.
"""

from dataclasses import replace
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
from app.learned import Untaught
from app.panel import Panel
from app.shelf import AUTO, Shelf
from app.tabs import files_view
from app.weights_choice import AUTO_WEIGHTS, offered
from app.wiring import (
    WEIGHTS,
    WEIGHTS_LABEL,
    Buttons,
    Desk,
    Display,
    Form,
    submit,
)
from demos.tasks import FEWSHOT, TASKS, AnyTask

# lessons have their own rules and their own line, on their own tab
TASKS_HERE = {**TASKS, FEWSHOT.name: replace(FEWSHOT, prepare=Untaught)}
FIRST = next(iter(TASKS.values()))
LABEL = "文件 Files"
NAME = "files"
PRIVATE = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}


def build(shelf: Shelf, desk: Desk, panel: Panel) -> None:
    """Lay out the tab and join it to the tasks."""
    with gr.Row(elem_classes="mp-columns mp-files"):
        with gr.Column(elem_classes="mp-ask"):
            upload, rules, inputs, buttons = _inputs()
        with gr.Column(elem_classes="mp-answer"):
            view = gr.HTML(files_view.EMPTY, elem_id="mp-files-view")
        with gr.Column(elem_classes="mp-more"):
            options = _options(inputs["task"], rules)
    asked = FileQuestion(
        shelf,
        TASKS_HERE,
        Path(upload.GRADIO_CACHE),
        desk.runs.deadline_seconds,
        seats_for(desk.slots),
    )
    form = Form(asked, {"upload": upload, **inputs, **options})
    display = Display(view, gr.State(None), files_view.stream, files_view.settle, {})
    submit(desk, form, buttons, display)
    _join_weights(shelf, panel, form)


def _inputs() -> tuple[gr.File, gr.HTML, dict[str, Component], Buttons]:
    tasks = [
        (f"{task.label.zh} {task.label.en}", name) for name, task in TASKS_HERE.items()
    ]
    task = gr.Dropdown(
        tasks, value=FIRST.name, elem_id="mp-files-task", **words_of(TASK_LABEL)
    )
    upload = gr.File(
        label="一行一问的文件 A file, one question a line",
        file_types=list(INPUT_TYPES),
        height=160,
        elem_id=files_view.UPLOAD,
    )
    rules = gr.HTML(files_view.rules(FIRST), elem_id="mp-files-rules")
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
    return upload, rules, inputs, Buttons(run, stop)


def _options(chosen: Component, rules: gr.HTML) -> dict[str, Component]:
    """Draw every task's options; only those of the chosen one are seen."""
    groups: dict[str, gr.Column] = {}
    options: dict[str, Component] = {}
    for task in TASKS_HERE.values():
        with gr.Column(visible=not groups, elem_classes="mp-more") as group:
            options |= _options_of(task)
        groups[task.name] = group

    def choose(name: str) -> list[Any]:
        seen = [gr.update(visible=name == own) for own in groups]
        return [files_view.rules(TASKS_HERE[name]), *seen]

    chosen.input(
        choose, chosen, [rules, *groups.values()], api_name="files_options", **PRIVATE
    )
    return options


def _options_of(task: AnyTask) -> dict[str, Component]:
    with gr.Accordion("每行通用的参数 Settings for every line", open=False):
        gr.HTML(files_view.OWN_FIELDS_FIRST)
        return {
            option_input(task, name): control(task.request_type, name)
            for name in options_of(task)
        }


def _join_weights(shelf: Shelf, panel: Panel, form: Form) -> None:
    """Offer the weights that are ready and can play the chosen task's part."""
    weights, task = form.components[WEIGHTS], form.components["task"]

    def offer(chosen: object, name: object) -> Any:
        known = TASKS_HERE.get(str(name))
        return gr.skip() if known is None else offered(shelf, known.role, chosen)

    panel.follow("files_offer", offer, [weights, task], weights)
    task.input(
        offer,
        [weights, task],
        weights,
        preprocess=False,
        api_name="files_weights",
        **PRIVATE,
    )

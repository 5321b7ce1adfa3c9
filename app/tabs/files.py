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
    seats_for,
)
from app.controls import control, words_of
from app.file_lessons import FileLearner, learn_for_file
from app.file_options import (
    WRITTEN,
    brought_of,
    option_input,
    options_of,
    written_of,
)
from app.panel import Panel
from app.shelf import AUTO, Shelf
from app.tabs import files_view
from app.tabs.layout import QUICK, bare_words, long_text, run_and_stop
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
from demos.limits import label_of, limit_of
from demos.qa.facts_file import KINDS
from demos.tasks import EVERY_TASK, FEWSHOT, AnyTask

# a file has one lesson, with rules of its own
TAUGHT_ONCE = replace(FEWSHOT, prepare=FileLearner, begin=learn_for_file)
TASKS_HERE = {**EVERY_TASK, FEWSHOT.name: TAUGHT_ONCE}
FIRST = next(iter(TASKS_HERE.values()))
LABEL = "文件 Files"
NAME = "files"


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
        kinds = [(kind, kind) for kind in OUTPUT_TYPES]
        output_type = gr.Radio(
            kinds, value=OUTPUT_TYPES[0], min_width=140, **bare_words(TYPE_LABEL)
        )
        weights = gr.Dropdown(
            [AUTO_WEIGHTS], value=AUTO, min_width=140, **words_of(WEIGHTS_LABEL)
        )
    buttons = run_and_stop("mp-files", "开始 Run")
    inputs = {"task": task, "output_type": output_type, WEIGHTS: weights}
    return upload, rules, inputs, buttons


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
        choose, chosen, [rules, *groups.values()], api_name="files_options", **QUICK
    )
    return options


def _options_of(task: AnyTask) -> dict[str, Component]:
    brought, written = brought_of(task), written_of(task)
    needed = bool(brought or written)  # by most files: seen without being looked for
    with gr.Accordion("每行通用的参数 Settings for every line", open=needed):
        gr.HTML(files_view.OWN_FIELDS_FIRST)
        drawn = {name: _brought(task, name) for name in brought}
        for name in options_of(task):
            draw = _written if name in written else _drawn
            drawn[name] = draw(task, name)
    return {option_input(task, name): one for name, one in drawn.items()}


def _drawn(task: AnyTask, name: str) -> Component:
    return control(task.request_type, name)


def _written(task: AnyTask, name: str) -> Component:
    shape = WRITTEN[type(limit_of(task.request_type, name))]
    return long_text(
        task.request_type,
        name,
        lines=2,
        max_lines=8,
        placeholder=shape,
        elem_id=f"mp-files-{task.name}-{name}",
    )


def _brought(task: AnyTask, name: str) -> Component:
    words = words_of(label_of(task.request_type, name))
    return gr.File(
        label=f"{words['label']}：{words['info']}",
        file_types=list(KINDS),
        height=130,
        elem_id=f"mp-files-{task.name}-{name}",
    )


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
        **QUICK,
    )

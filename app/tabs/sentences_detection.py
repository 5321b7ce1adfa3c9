"""The part of the sentences tab that marks replaced tokens.

Changes when its layout or its question changes. Drawing is in sentences_view.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import gradio as gr
from gradio.components import Component

from app import views
from app.controls import control
from app.panel import Panel
from app.shelf import Shelf
from app.tabs import sentences_view as view
from app.tabs.layout import (
    examples_list,
    fill_on_click,
    how_accordion,
    in_columns,
    long_text,
    run_and_stop,
    settings_accordion,
)
from app.tabs.sentences_weights import Part
from app.weights_choice import weights_choice
from app.wiring import WEIGHTS, Buttons, Desk, Display, Form, Question, publish, submit
from demos.judging.detection import DetectionRequest, DetectionResult, detect
from demos.judging.examples import DETECTION_EXAMPLES
from demos.judging.record import detection_record
from model_core.interfaces import REPLACED_TOKEN_DETECTOR

PART = Part(
    "detection",
    REPLACED_TOKEN_DETECTOR,
    "这里要用 ELECTRA 的判别器，内置小模型没有这种头。",
    "This needs ELECTRA's discriminator; the embedded model has no such head.",
)
HOW = """
ELECTRA 训练时有两个网络（arXiv 2003.10555）：生成器把一句话里的一些字挖掉，填上它觉得
像的；判别器逐字判断**哪个字是换过的**。用它读一段话，就给每个字一个“换过”的概率，超过阈值的
标出来。它只学过认生成器换的字，不是校对软件：少见的说法也会被标，像样的错字也会漏。

ELECTRA is trained by two networks: a generator replaces some tokens, and the
discriminator tells, token by token, **which were replaced**. Here it reads your text
and gives every token a probability. It never learned to proofread: rare words are
marked, and plausible mistakes are missed.
"""


def question(shelf: Shelf) -> Question[DetectionRequest, DetectionResult]:
    """Return the part's question: which tokens look replaced."""

    def answer(
        request: DetectionRequest, weights: str
    ) -> Iterator[DetectionResult | None]:
        model = yield from PART.await_able(shelf, weights)
        yield from detect(request, model)

    return Question(
        name="detect",
        description="Mark the tokens of a Chinese text that look replaced (ELECTRA's "
        "discriminator), with character offsets.",
        request_type=DetectionRequest,
        answer=answer,
        as_json=as_json,
        num_tokens=lambda _result: 0,
    )


def as_json(result: DetectionResult | None) -> dict[str, Any]:
    """Return what an HTTP client receives; empty while the weights load."""
    if result is not None:
        return detection_record(result)
    return {
        "text": "",
        "replaced": [],
        "num_tokens": 0,
        "num_chars_read": 0,
        "weights": "",
    }


def build(shelf: Shelf, desk: Desk, panel: Panel) -> None:
    """Lay out the part and join it to the demo."""
    asked = question(shelf)
    PART.follow(shelf, panel)
    (inputs, buttons), shown, examples, settings = in_columns(
        ask=_inputs,
        answer=_output,
        examples=_examples,
        more=partial(_settings, shelf, panel),
    )
    form = Form(asked, {**inputs, **settings})
    display = Display(shown, gr.State(None), view.detect_stream, view.detect_settle, {})
    publish(desk, asked)
    submit(desk, form, buttons, display)
    rows = [{"text": example.text} for example in DETECTION_EXAMPLES]
    fill_on_click(form, examples, rows, "detect_example")


def _inputs() -> tuple[dict[str, Component], Buttons]:
    text = long_text(
        DetectionRequest,
        "text",
        lines=4,
        max_lines=12,
        info=None,
        elem_id="mp-detection-text",
    )
    return {"text": text}, run_and_stop("mp-detection", "检查 Check")


def _output() -> gr.HTML:
    shown = gr.HTML(view.DETECT_EMPTY, elem_id="mp-detection-view")
    with how_accordion("mp-detection-how"):
        gr.Markdown(views.flowing(HOW))
    return shown


def _examples() -> gr.Dataset:
    names = [example.text for example in DETECTION_EXAMPLES]
    return examples_list(
        "mp-detection-examples", names, elem_classes="mp-examples-list"
    )


def _settings(shelf: Shelf, panel: Panel) -> dict[str, Component]:
    with settings_accordion("mp-detection-settings"):
        threshold = control(DetectionRequest, "threshold")
        weights = weights_choice(shelf, panel, PART.role)
    return {"threshold": threshold, WEIGHTS: weights}

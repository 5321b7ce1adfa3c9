"""The part of the sentences tab that compares two sentences.

Changes when its layout or its question changes. Drawing is in sentences_view.
"""

from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from typing import Any

import gradio as gr
from gradio.components import Component

from app import views
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
from demos.similarity.examples import EXAMPLES, caption
from demos.similarity.record import to_record
from demos.similarity.task import SimilarityRequest, SimilarityResult, compare
from model_core.interfaces import SENTENCE_ENCODER

PART = Part(
    "similarity",
    SENTENCE_ENCODER,
    "已载入的权重都不会把句子变成向量。",
    "None of the weights that are loaded turns sentences into vectors.",
)
CAPTION = "双向遮罩：每个字都看得见所有的字 · bidirectional mask: all see all"
TOKENS = ("⊢", *"天气真好", "⊥")  # [CLS] and [SEP]
HOW = """
一句话**双向地**读一遍，把各个词元最后一层的状态平均成一个向量（pooling：mean），
再缩放到长度 1；两句话有多像，就是两个向量夹角的**余弦**：一样的句子是 1。SimBERT 一类的
权重专门为此训练过，用 `[CLS]` 的状态过一层线性变换（linear_pooler，
kexue.fm/archives/7427）。不同权重的余弦不能互相比：有的普遍偏高，看的是**谁比谁更像**。

A sentence is read **in both directions**, the last states of its tokens are averaged
to one vector of length 1, and how alike two sentences are is the **cosine** between
theirs. SimBERT and its kin were trained for this and take the state of `[CLS]` instead.
Cosines of different weights cannot be compared: what counts is which pair is more
alike.
"""


def question(shelf: Shelf) -> Question[SimilarityRequest, SimilarityResult]:
    """Return the part's question: how alike are two sentences."""

    def answer(
        request: SimilarityRequest, weights: str
    ) -> Iterator[SimilarityResult | None]:
        model = yield from PART.await_able(shelf, weights)
        yield from compare(request, model)

    return Question(
        name="similarity",
        description="Tell how alike two Chinese sentences are: the cosine of their "
        "vectors.",
        request_type=SimilarityRequest,
        answer=answer,
        as_json=as_json,
        num_tokens=lambda _result: 0,
    )


def as_json(result: SimilarityResult | None) -> dict[str, Any]:
    """Return what an HTTP client receives; empty while the weights load."""
    if result is not None:
        return to_record(result)
    return {
        "text": "",
        "text_b": "",
        "cosine": 0.0,
        "num_chars_read": 0,
        "num_chars_read_b": 0,
        "pooling": "",
        "weights": "",
    }


def build(shelf: Shelf, desk: Desk, panel: Panel) -> None:
    """Lay out the part and join it to the demo."""
    asked = question(shelf)
    PART.follow(shelf, panel)
    (inputs, buttons), shown, examples, weights = in_columns(
        ask=_inputs,
        answer=_output,
        examples=_examples,
        more=partial(_settings, shelf, panel),
    )
    form = Form(asked, {**inputs, WEIGHTS: weights})
    display = Display(
        shown, gr.State(None), view.compare_stream, view.compare_settle, {}
    )
    publish(desk, asked)
    submit(desk, form, buttons, display)
    fill_on_click(form, examples, list(map(asdict, EXAMPLES)), "similarity_example")


def _inputs() -> tuple[dict[str, Component], Buttons]:
    inputs: dict[str, Component] = {
        name: long_text(
            SimilarityRequest,
            name,
            lines=2,
            max_lines=8,
            info=None,
            elem_id=f"mp-similarity-{name.replace('_', '-')}",
        )
        for name in ("text", "text_b")
    }
    return inputs, run_and_stop("mp-similarity", "比一比 Compare")


def _output() -> gr.HTML:
    shown = gr.HTML(view.COMPARE_EMPTY, elem_id="mp-similarity-view")
    with how_accordion("mp-similarity-how"):
        gr.Markdown(views.flowing(HOW))
        mask = [[True] * len(TOKENS)] * len(TOKENS)
        gr.HTML(views.mask_drawing(mask, TOKENS, CAPTION))
    return shown


def _examples() -> gr.Dataset:
    names = [caption(example) for example in EXAMPLES]
    return examples_list(
        "mp-similarity-examples", names, elem_classes="mp-examples-list"
    )


def _settings(shelf: Shelf, panel: Panel) -> Component:
    with settings_accordion("mp-similarity-settings"):
        weights: Component = weights_choice(shelf, panel, PART.role)
    return weights

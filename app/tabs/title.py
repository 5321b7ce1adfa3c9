"""Tab: headlines for an article.

Changes when the tab's layout or its question changes. Drawing is in title_view, the
picture of the mask in attention_view.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import gradio as gr
import numpy as np
from gradio.components import Component

from app import views
from app.controls import control
from app.panel import Panel
from app.samples import sample
from app.shelf import Shelf, await_model
from app.tabs import attention_view, title_view
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
from app.weights_choice import weights_choice
from app.wiring import WEIGHTS, Buttons, Desk, Display, Form, Question, publish, submit
from demos.limits import label_of
from demos.title.examples import EXAMPLES, SAMPLES, caption
from demos.title.task import FEW, TitleRequest, TitleResult, write_titles
from model_core.interfaces import TEXT_REWRITER, AttentionPicture

SETTINGS = ("max_new_tokens", "min_new_tokens", "length_penalty")
HOW = """
文章和标题排成一行，交给**同一个**网络：`[CLS] 文章 [SEP] 标题 [SEP]`。遮罩把这一行分成
两段：文章（源）里的词元彼此都看得见，像完形填空那样双向地读；标题（标）里的词元看得见
整篇文章和自己之前写下的字，像续写那样从左往右写。这种遮罩叫 UniLM，也叫前缀语言模型
（kexue.fm/archives/6933）。写的时候同时保留几条路（束搜索），每一步都把最有希望的几条接着
写下去，最后按长度折算过的概率排名。

The article and its title stand in one row before **one** network. The mask parts the
row in two: every token of the article sees all of the article, every token of the
title sees the article and the title's own past. Several paths are kept in flight (beam
search) and ranked at the end.

下面画的就是遮罩：起过标题以后，换成**刚才那次请求自己的**遮罩。 Below is the mask;
once a title is written, it is the mask of **that very request**.
"""


def question(shelf: Shelf) -> Question[TitleRequest, TitleResult]:
    """Return the tab's question: write headlines."""

    def answer(request: TitleRequest, weights: str) -> Iterator[TitleResult | None]:
        model = yield from await_model(shelf, TEXT_REWRITER, weights)
        yield from write_titles(request, model)

    return Question(
        name="title",
        description="Write titles for a Chinese article, best first; every frame is "
        "the whole result so far.",
        request_type=TitleRequest,
        answer=answer,
        as_json=as_json,
        num_tokens=lambda result: result.frame.num_new_tokens,
    )


def as_json(result: TitleResult | None) -> dict[str, Any]:
    """Return what an HTTP client receives; empty while the weights load."""
    if result is None:
        return {"titles": [], "num_chars_read": 0, "weights": "", "elapsed_seconds": 0}
    return title_view.answer_of(result)


def prefix_picture(source: Sequence[str], target: Sequence[str]) -> AttentionPicture:
    """Return the mask of a request with these tokens, drawn before there is one."""
    segments = np.array([0] * len(source) + [1] * len(target))
    reach = np.cumsum(segments)  # UniLM: key <= query, where the source stands at 0
    mask = reach[None, :] <= reach[:, None]
    return AttentionPicture((*source, *target), tuple(segments.tolist()), mask)


FIRST_PICTURE = prefix_picture(
    ("[CLS]", *"月球样品回家了", "[SEP]"), (*"取样归来", "[SEP]")
)


@dataclass(frozen=True, slots=True)
class _Output:
    """The components on the result's side."""

    view: gr.HTML
    mask: gr.HTML


def build(shelf: Shelf, desk: Desk, panel: Panel) -> None:
    """Lay out the tab and join it to the demo."""
    asked = question(shelf)
    (inputs, buttons), output, examples, settings = in_columns(
        ask=_inputs,
        answer=_output,
        examples=_examples,
        more=partial(_settings, shelf, panel),
    )
    form = Form(asked, {**inputs, **settings})
    display = Display(
        output.view,
        gr.State(None),
        title_view.stream,
        title_view.settle,
        {output.mask: how_drawing},
    )
    publish(desk, asked)
    submit(desk, form, buttons, display)
    _join(form, examples)


def how_drawing(result: TitleResult) -> str:
    """Return the drawing of a result's own mask; a stopped run has the first one."""
    picture = result.frame.attention
    return first_drawing() if picture is None else attention_view.drawing(picture)


def first_drawing() -> str:
    """Return the drawing that stands there before there is a request."""
    return attention_view.seam(FIRST_PICTURE)


def _inputs() -> tuple[dict[str, Component], Buttons]:
    text = long_text(
        TitleRequest,
        "text",
        lines=9,
        max_lines=18,
        placeholder="把文章贴在这里…… Paste an article here",
        info=None,
        elem_id="mp-title-text",
    )
    with gr.Row(elem_classes="mp-row mp-two"):
        words = bare_words(label_of(TitleRequest, "num_return"))
        num_return = gr.Slider(1, 8, value=FEW, step=1, min_width=140, **words)
        num_beams = control(TitleRequest, "num_beams", info=None, min_width=140)
    buttons = run_and_stop("mp-title", "起标题 Title it")
    inputs = {"text": text, "num_return": num_return, "num_beams": num_beams}
    return inputs, buttons


def _output() -> _Output:
    view = gr.HTML(title_view.EMPTY, elem_id="mp-title-view")
    with how_accordion("mp-title-how"):
        gr.Markdown(views.flowing(HOW))
        mask = gr.HTML(first_drawing(), elem_id="mp-title-mask")
    return _Output(view, mask)


def _examples() -> gr.Dataset:
    names = [*map(caption, EXAMPLES), *SAMPLES.values()]
    return examples_list("mp-title-examples", names, elem_classes="mp-examples-list")


def _settings(shelf: Shelf, panel: Panel) -> dict[str, Component]:
    with settings_accordion("mp-title-settings"):
        settings = controls(TitleRequest, SETTINGS)
        weights = weights_choice(shelf, panel, TEXT_REWRITER)
    return {**settings, WEIGHTS: weights}


def examples_of() -> tuple[TitleRequest, ...]:
    """Return what the example buttons fill in, in their order."""
    return (*EXAMPLES, *(TitleRequest(sample(name)) for name in SAMPLES))


def _join(form: Form, examples: gr.Dataset) -> None:
    rows = [{**asdict(one), "num_return": one.num_titles} for one in examples_of()]
    fill_on_click(form, examples, rows, "title_example")
    num_beams, num_return = (form.components[n] for n in ("num_beams", "num_return"))
    # As many titles as beams at most: the one that was not touched gives way.
    num_beams.input(
        None,
        [num_beams, num_return],
        num_return,
        js="(beams, titles) => Math.min(beams, titles)",
        api_name="title_beams",
        api_visibility="private",
    )
    num_return.input(
        None,
        [num_return, num_beams],
        num_beams,
        js="(titles, beams) => Math.max(titles, beams)",
        api_name="title_titles",
        api_visibility="private",
    )

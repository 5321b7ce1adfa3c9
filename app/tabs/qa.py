"""Tab: answer a question, from passages or from a base of facts.

Changes when the tab's layout or its question changes. Drawing is in qa_view, the base
of facts in tabs.facts.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import gradio as gr
from gradio.components import Component

from app import views
from app.controls import control, words_of
from app.panel import Panel
from app.samples import sample
from app.shelf import Shelf, await_following
from app.tabs import facts, qa_view
from app.tabs.layout import (
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
from demos.qa.examples import EXAMPLES, SAMPLES, caption, requests_of
from demos.qa.record import to_record
from demos.qa.task import AUTO, MODE_LABEL, QaRequest, QaResult, answer, follows
from model_core.interfaces import PASSAGE_READER

MODE_CHOICES = (
    ("自动 auto", AUTO),
    *((title, name) for name, title in qa_view.MODES.items()),
)
SETTINGS = ("extractive", "max_answer_tokens")
TOKENS, SEGMENTS = "段落问题答案", (0, 0, 0, 0, 1, 1)
CAPTION = (
    "前缀遮罩：行看列；段落和问题彼此都看得见，答案只看自己之前的字 · prefix mask: "
    "passage and question see each other, the answer sees them and its own past"
)
HOW = """
**同一个网络，三种读法**，各配一张遮罩：

- **逐字生成 seq2seq**：段落、问题、答案排成一行，答案从左往右写，每一步各段一起投票；
  只许写段落里连着出现的字，所以答案一定出自原文。第一步就说“结束”的段落没有答案，不再投票。
- **一次填空 mlm**：答案的位置先放上一排 `[MASK]`，一遍读完同时填出所有的字，快好几倍。
- **指读 span**：直接指出答案从哪个字起、到哪个字止。

每个词的票数是 Σp² / (Σp + 1)：有把握的段落说话更响（kexue.fm/archives/7115、7148）。
“没有答案”也是一种答案，也有自己的概率。

**One network, three ways of reading.** *seq2seq* writes the answer from left to right
and lets all passages vote at every step; *mlm* fills all positions in a single pass;
*span* points at the first and the last character. A token's vote is Σp² / (Σp + 1), so
a confident passage speaks louder. “No answer” is an answer with a probability.
"""


def question(shelf: Shelf) -> Question[QaRequest, QaResult]:
    """Return the tab's question: answer from passages."""

    def read(request: QaRequest, weights: str) -> Iterator[QaResult | None]:
        model = yield from await_following(
            shelf,
            PASSAGE_READER,
            weights,
            lambda model: not follows(request, model),
        )
        yield from answer(request, model)

    return Question(
        name="answer",
        description="Answer a question from passages; an empty answer says that they "
        "hold none. Every frame is the whole result so far.",
        request_type=QaRequest,
        answer=read,
        as_json=as_json,
        num_tokens=lambda result: sum(one.num_steps for one in result.readings),
    )


def as_json(result: QaResult | None) -> dict[str, Any]:
    """Return what an HTTP client receives; empty while the weights load."""
    if result is None:
        nowhere = {"probability": 0.0, "passage": -1, "start": -1}
        return {"answer": "", **nowhere, "mode": "", "weights": ""}
    return to_record(result)


def build(shelf: Shelf, desk: Desk, panel: Panel) -> None:
    """Lay out the tab and join it to its two demos."""
    with gr.Tabs(elem_classes="mp-inner-tabs", overflow_behavior="wrap"):
        with gr.Tab("读段落 From passages", id="qa-passages"):
            build_passages(shelf, desk, panel)
        with gr.Tab("查图谱 From facts", id="qa-facts"):
            facts.build(shelf, desk, panel)


def build_passages(shelf: Shelf, desk: Desk, panel: Panel) -> None:
    """Lay out the part that reads passages."""
    asked = question(shelf)
    (inputs, buttons), view, examples, settings = in_columns(
        ask=_inputs,
        answer=_output,
        examples=_examples,
        more=partial(_settings, shelf, panel),
    )
    form = Form(asked, {**inputs, **settings, "passage": gr.State("")})
    display = Display(view, gr.State(None), qa_view.stream, qa_view.settle, {})
    publish(desk, asked)
    submit(desk, form, buttons, display)
    _join(form, examples)


def _inputs() -> tuple[dict[str, Component], Buttons]:
    asked = long_text(
        QaRequest,
        "question",
        lines=1,
        max_lines=4,
        info=None,
        placeholder="谁？何时？哪里？ Who, when, where?",
        elem_id="mp-qa-question",
    )
    passages = long_text(
        QaRequest,
        "passages",
        lines=10,
        max_lines=18,
        placeholder="把文字贴在这里，段与段之间空一行…… Paste passages here",
        elem_id="mp-qa-passages",
    )
    compare = control(QaRequest, "compare", elem_id="mp-qa-compare")
    buttons = run_and_stop("mp-qa", "回答 Answer")
    inputs = {"question": asked, "passages": passages, "compare": compare}
    return inputs, buttons


def _output() -> gr.HTML:
    view = gr.HTML(qa_view.EMPTY, elem_id="mp-qa-view")
    with how_accordion("mp-qa-how"):
        gr.Markdown(views.flowing(HOW))
        gr.HTML(views.mask_drawing(prefix_mask(SEGMENTS), TOKENS, CAPTION))
    return view


def prefix_mask(segments: tuple[int, ...]) -> list[list[bool]]:
    """Return the mask of a written answer: the source sees itself, the target its past.

    Args:
        segments: (length,), 0 for the source and 1 for the target.
    """
    reach = [sum(segments[: place + 1]) for place in range(len(segments))]
    return [[key <= query for key in reach] for query in reach]


def _examples() -> gr.Dataset:
    names = [caption(request) for request in examples_of()]
    return examples_list("mp-qa-examples", names, elem_classes="mp-examples-list")


def examples_of() -> tuple[QaRequest, ...]:
    """Return what the example buttons fill in, in their order."""
    long = [request for name in SAMPLES for request in requests_of(sample(name))]
    return (*long, *EXAMPLES)


def _settings(shelf: Shelf, panel: Panel) -> dict[str, Component]:
    with settings_accordion("mp-qa-settings"):
        mode = gr.Radio(list(MODE_CHOICES), value=AUTO, **words_of(MODE_LABEL))
        settings = controls(QaRequest, SETTINGS)
        weights = weights_choice(shelf, panel, PASSAGE_READER)
    return {"mode": mode, **settings, WEIGHTS: weights}


def _join(form: Form, examples: gr.Dataset) -> None:
    rows = [
        {"question": request.question, "passages": "\n\n".join(request.passages)}
        for request in examples_of()
    ]
    fill_on_click(form, examples, rows, "answer_example")

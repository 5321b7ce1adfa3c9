"""Tab: summarise a text, extracting first (SPACES).

Changes when the tab's layout or its question changes. Drawing is in summary_view and
source_view.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import gradio as gr
from gradio.components import Component

from app import views
from app.controls import control
from app.panel import Panel
from app.samples import sample
from app.shelf import Shelf, await_model
from app.tabs import attention_view, summary_view
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
from demos.summary.examples import EXAMPLES, SAMPLES, caption
from demos.summary.task import (
    EXTRACT,
    FULL,
    SummaryRequest,
    SummaryResult,
    summarize,
)
from model_core.interfaces import SUMMARIZER

SETTINGS = ("threshold", "copy", "sparse", "num_beams")
MODES = [("先抽后写 Extract + rewrite", FULL), ("只抽取 Extract only", EXTRACT)]
HOW = r"""
分两步走，叫 SPACES（kexue.fm/archives/8046）。

1. **抽取**：按 `\n。；：，！？` 把文章切成分句（最多 256 句），每句取平均向量，经过膨胀
   门卷积在上下文里比较，给出“属于摘要”的概率。超过阈值的按原来的次序连起来。“只抽取”
   到此为止，几乎立等可取。
2. **改写**：把抽出来的句子当源、摘要当标，用前缀遮罩（UniLM）从左往右写。**复制机制**
   给每个要写的词元标上 B、I、O：标 I 的必须接着原文的片段往下抄，所以数字、名称不容易
   写错；**稀疏 softmax** 只让最好的十个词元有概率，不给胡言乱语留余地。

Extract, then rewrite. Clauses are scored in each other's company by dilated gated
convolutions; those over the threshold are joined. The rewriter reads them under the
prefix mask and writes the summary; the copy head marks tokens that must go on with a
stretch of the text, sparse softmax leaves a probability to the ten best tokens only.

下面是改写时的遮罩，做过一次“先抽后写”才有。 Below is the mask of the rewriting, once
there has been one.
"""


def question(shelf: Shelf) -> Question[SummaryRequest, SummaryResult]:
    """Return the tab's question: summarise a text."""

    def answer(request: SummaryRequest, weights: str) -> Iterator[SummaryResult | None]:
        model = yield from await_model(shelf, SUMMARIZER, weights)
        yield from summarize(request, model)

    return Question(
        name="summarize",
        description="Summarise a Chinese text: clauses are extracted, then rewritten; "
        "every frame is the whole result so far.",
        request_type=SummaryRequest,
        answer=answer,
        as_json=as_json,
        num_tokens=lambda result: result.num_new_tokens,
    )


def as_json(result: SummaryResult | None) -> dict[str, Any]:
    """Return what an HTTP client receives; empty while the weights load."""
    if result is None:
        return {
            "summary": "",
            "finish": "",
            "extracted": [],
            "weights": "",
            "copied": [],
            "num_chars_skipped": 0,
            "elapsed_seconds": 0,
        }
    return summary_view.answer_of(result)


@dataclass(frozen=True, slots=True)
class _Output:
    """The components on the result's side."""

    view: gr.HTML
    shade: gr.Checkbox
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
        summary_view.stream,
        summary_view.settle,
        {output.mask: how_drawing},
    )
    publish(desk, asked)
    submit(desk, form, buttons, display)
    _join(form, examples, output)


def how_drawing(result: SummaryResult) -> str:
    """Return the drawing of the rewriting's own mask; nothing where there was none."""
    picture = result.frame and result.frame.attention
    return attention_view.drawing(picture) if picture else ""


def _inputs() -> tuple[dict[str, Component], Buttons]:
    text = long_text(
        SummaryRequest,
        "text",
        lines=10,
        max_lines=20,
        placeholder="把长文贴在这里，最多两万字…… Paste a long text here",
        info=None,
        elem_id="mp-summary-text",
    )
    with gr.Row(elem_classes="mp-row mp-pair"):
        words = bare_words(label_of(SummaryRequest, "mode"))
        mode = gr.Radio(MODES, value=FULL, min_width=140, **words)
    max_chars = control(SummaryRequest, "max_chars", info=None)
    buttons = run_and_stop("mp-summary", "做摘要 Summarise")
    return {"text": text, "mode": mode, "max_chars": max_chars}, buttons


def _output() -> _Output:
    with gr.Row(elem_classes="mp-row mp-tools"):
        shade = gr.Checkbox(
            value=True,
            label="按得分着色 Shade by score",
            container=False,
            scale=0,
            elem_id="mp-summary-shade",
        )
    view = gr.HTML(summary_view.EMPTY, elem_id="mp-summary-view")
    with how_accordion("mp-summary-how"):
        gr.Markdown(views.flowing(HOW))
        mask = gr.HTML("", elem_id="mp-summary-mask")
    return _Output(view, shade, mask)


def _examples() -> gr.Dataset:
    names = [*map(caption, EXAMPLES), *SAMPLES.values()]
    return examples_list("mp-summary-examples", names)


def _settings(shelf: Shelf, panel: Panel) -> dict[str, Component]:
    with settings_accordion("mp-summary-settings"):
        settings = controls(SummaryRequest, SETTINGS)
        weights = weights_choice(shelf, panel, SUMMARIZER)
    return {**settings, WEIGHTS: weights}


def examples_of() -> tuple[SummaryRequest, ...]:
    """Return what the example buttons fill in, in their order."""
    return (*EXAMPLES, *(SummaryRequest(sample(name)) for name in SAMPLES))


def _join(form: Form, examples: gr.Dataset, output: _Output) -> None:
    rows = [asdict(request) for request in examples_of()]
    fill_on_click(form, examples, rows, "summarize_example")
    output.shade.change(
        None,
        output.shade,
        None,
        js="(on) => { document.body.classList.toggle('mp-unshaded', !on); }",
        api_name="summarize_shade",
        api_visibility="private",
    )

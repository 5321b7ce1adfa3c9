"""Tab: summarise a text, extracting first (SPACES).

Changes when the tab's layout or its question changes. Drawing is in summary_view and
source_view.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from app import views
from app.controls import control, words_of
from app.panel import Panel
from app.samples import sample
from app.shelf import Shelf, await_model
from app.tabs import attention_view, summary_view
from app.weights_choice import weights_choice
from app.wiring import (
    WEIGHTS,
    Buttons,
    Desk,
    Display,
    Form,
    Question,
    publish,
    submit,
)
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

QUICK = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
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
    with gr.Row(elem_classes="mp-columns"):
        with gr.Column(elem_classes="mp-ask"):
            inputs, buttons = _inputs()
        with gr.Column(elem_classes="mp-answer"):
            output = _output()
        with gr.Column(elem_classes="mp-examples"):
            examples = _examples()
        with gr.Column(elem_classes="mp-more"):
            settings = _settings(shelf, panel)
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


def how_drawing(result: SummaryResult) -> Any:
    """Return the drawing of the rewriting's own mask, where there was one."""
    picture = result.frame and result.frame.attention
    return attention_view.drawing(picture) if picture else gr.skip()


def _inputs() -> tuple[dict[str, Component], Buttons]:
    words = {**words_of(label_of(SummaryRequest, "text")), "info": None}
    text = gr.Textbox(  # takes any length: what is too long is told, not cut in silence
        lines=10,
        max_lines=20,
        placeholder="把长文贴在这里，最多两万字…… Paste a long text here",
        elem_id="mp-summary-text",
        **words,
    )
    with gr.Row(elem_classes="mp-row mp-pair"):
        label = {**words_of(label_of(SummaryRequest, "mode")), "info": None}
        mode = gr.Radio(MODES, value=FULL, min_width=140, **label)
    max_chars = control(SummaryRequest, "max_chars", info=None)
    with gr.Row(elem_classes="mp-row mp-go"):
        run = gr.Button(
            "做摘要 Summarise",
            variant="primary",
            scale=3,
            min_width=140,
            elem_id="mp-summary-run",
        )
        stop = gr.Button(
            "停止 Stop",
            interactive=False,
            scale=1,
            min_width=96,
            elem_id="mp-summary-stop",
        )
    return {"text": text, "mode": mode, "max_chars": max_chars}, Buttons(run, stop)


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
    with gr.Accordion("怎么做到的 How it works", open=False, elem_id="mp-summary-how"):
        gr.Markdown(views.flowing(HOW))
        mask = gr.HTML("", elem_id="mp-summary-mask")
    return _Output(view, shade, mask)


def _examples() -> gr.Dataset:
    names = [*SAMPLES.values(), *map(caption, EXAMPLES)]
    return gr.Dataset(
        components=[gr.Textbox(visible=False)],
        samples=[[name] for name in names],
        type="index",
        samples_per_page=len(names),
        label="例子 Examples",
        elem_id="mp-summary-examples",
    )


def _settings(shelf: Shelf, panel: Panel) -> dict[str, Component]:
    with gr.Accordion("参数 Settings", open=False, elem_id="mp-summary-settings"):
        settings = {name: control(SummaryRequest, name) for name in SETTINGS}
        weights = weights_choice(shelf, panel, SUMMARIZER)
    return {**settings, WEIGHTS: weights}


def examples_of() -> tuple[SummaryRequest, ...]:
    """Return what the example buttons fill in, in their order."""
    return (*(SummaryRequest(sample(name)) for name in SAMPLES), *EXAMPLES)


def _join(form: Form, examples: gr.Dataset, output: _Output) -> None:
    requests = examples_of()
    names, filled = form.question.inputs[:-1], form.ordered[:-1]

    def fill(index: int) -> list[Any]:
        return [getattr(requests[index], name) for name in names]

    examples.click(fill, examples, filled, api_name="summarize_example", **QUICK)
    output.shade.change(
        None,
        output.shade,
        None,
        js="(on) => { document.body.classList.toggle('mp-unshaded', !on); }",
        api_name="summarize_shade",
        api_visibility="private",
    )

"""The part of the question answering tab that asks a base of facts.

Changes when its layout or its question changes. Drawing is in facts_view, the rules for
bases are in app.facts_bases.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component

from app import views
from app.controls import control
from app.facts_bases import SAMPLE, BaseQuestion, Bases, Building
from app.panel import Panel
from app.samples import sample
from app.shelf import Shelf, await_model
from app.tabs import facts_view
from app.tabs.layout import (
    QUICK,
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
from demos.qa.examples import FACTS_EXAMPLES, SAMPLE_BASE
from demos.qa.facts import FactsRequest, FactsResult, answer_facts
from demos.qa.facts_file import KINDS
from demos.qa.facts_record import to_record
from model_core.interfaces import FACT_FINDER

HOW = """
问题交给模型，让它写出“主语、谓语、所指”，但每一步只许走**前缀树**里有的下一个词元：树里装着知识库的
所有键，走到头就一定是库里的一条，答案从库里原样取出，**不会编造**。同名的主语由括号里的所指分开。
挑路时往前看：没有岔路的词元不算分（kexue.fm/archives/8802）。树存成几条平铺的数组，一百万个三元组也
只占几百兆内存。

The model writes “subject, predicate, meaning”, and at each step only tokens that stand
in the **prefix tree** of the base may follow: whatever it writes is a key of the base,
and the answer is taken from there as it is, **never made up**. The tree is a few flat
arrays, so a million triples fit.
"""


def question(shelf: Shelf, bases: Bases) -> Question[FactsRequest, FactsResult]:
    """Return the question: answer from a base of facts."""

    def look_up(request: FactsRequest, weights: str) -> Iterator[FactsResult | None]:
        finder = yield from await_model(shelf, FACT_FINDER, weights)
        held = bases.open(request.base)
        tree, facts = yield from bases.tree_of(held, finder, None)
        yield answer_facts(request, finder, held.base, tree, facts)

    return Question(
        name="answer_from_facts",
        description="Answer a question from a base of facts: every answer stands in "
        "the base. An empty base is the sample one.",
        request_type=FactsRequest,
        answer=look_up,
        as_json=as_json,
        num_tokens=lambda _result: 0,
    )


def as_json(result: FactsResult | None) -> dict[str, Any]:
    """Return what an HTTP client receives; empty while the weights load."""
    if result is None:
        return {"matches": [], "elapsed_seconds": 0.0, "weights": "", "base": {}}
    return to_record(result)


def sample_lines() -> list[str]:
    """Return the lines of the base that everyone shares."""
    return sample(SAMPLE_BASE).split("\n")


@dataclass(frozen=True, slots=True)
class _Brought:
    """The components of a visitor's own base.

    Attributes:
        upload: The file.
        base: The id of the base in use, kept on the server.
        buttons: What starts and what ends the building.
        use_sample: Goes back to the sample.
        progress: Shows a base on its way.
        in_use: Shows the base in use.
    """

    upload: gr.File
    base: gr.State
    buttons: Buttons
    use_sample: gr.Button
    progress: gr.HTML
    in_use: gr.HTML


def build(shelf: Shelf, desk: Desk, panel: Panel) -> None:
    """Lay out the part and join it to the demo."""
    bases = Bases(sample_lines)
    (inputs, buttons), view, examples, (brought, settings) = in_columns(
        ask=_inputs,
        answer=_output,
        examples=_examples,
        more=lambda: (_base(bases), _settings(shelf, panel)),
    )
    asked = question(shelf, bases)
    form = Form(asked, {**inputs, **settings, "base": brought.base})
    after = {brought.in_use: lambda result: facts_view.base_card(result.base)}
    shown = gr.State(None)
    display = Display(view, shown, facts_view.stream, facts_view.settle, after)
    publish(desk, asked)
    submit(desk, form, buttons, display)
    rows = [{"question": text} for text in FACTS_EXAMPLES]
    fill_on_click(form, examples, rows, "facts_example")
    own = BaseQuestion(shelf, bases, Path(brought.upload.GRADIO_CACHE))
    _join_base(desk, own, brought, form, shown)


def _inputs() -> tuple[dict[str, Component], Buttons]:
    asked = long_text(
        FactsRequest,
        "question",
        lines=2,
        max_lines=4,
        placeholder="红楼梦的作者是谁？",
        elem_id="mp-facts-question",
    )
    return {"question": asked}, run_and_stop("mp-facts", "查 Look up")


def _output() -> gr.HTML:
    view = gr.HTML(facts_view.EMPTY, elem_id="mp-facts-view")
    with how_accordion("mp-facts-how"):
        gr.Markdown(views.flowing(HOW))
    return view


def _examples() -> gr.Dataset:
    return examples_list(
        "mp-facts-examples", FACTS_EXAMPLES, elem_classes="mp-examples-list"
    )


def _base(bases: Bases) -> _Brought:
    in_use = gr.HTML(facts_view.base_card(None), elem_id="mp-facts-in-use")
    with gr.Accordion(
        "用自己的知识库 Your own base", open=False, elem_id="mp-facts-own"
    ):
        upload = gr.File(
            label="三元组文件 A file of triples",
            file_types=list(KINDS),
            height=130,
            elem_id=facts_view.UPLOAD,
        )
        gr.HTML(facts_view.rules())
        with gr.Row(elem_classes="mp-row mp-go"):
            run = gr.Button(
                "建库 Build",
                variant="primary",
                scale=2,
                min_width=110,
                elem_id="mp-facts-build",
            )
            stop = gr.Button("停止 Stop", interactive=False, scale=1, min_width=90)
        progress = gr.HTML(elem_id="mp-facts-progress")
        use_sample = gr.Button("改用示例库 Use the sample base", size="sm")
    state = gr.State(SAMPLE, delete_callback=bases.drop)
    return _Brought(upload, state, Buttons(run, stop), use_sample, progress, in_use)


def _settings(shelf: Shelf, panel: Panel) -> dict[str, Component]:
    with settings_accordion("mp-facts-settings"):
        num_return = control(FactsRequest, "num_return")
        weights = weights_choice(shelf, panel, FACT_FINDER)
    return {"num_return": num_return, WEIGHTS: weights}


def _join_base(
    desk: Desk, asked: BaseQuestion, brought: _Brought, form: Form, shown: gr.State
) -> None:
    """Join the base's buttons; an answer from another base is not shown again."""
    own = {
        "upload": brought.upload,
        "base": brought.base,
        WEIGHTS: form.components[WEIGHTS],
    }

    def id_of(building: Building) -> Any:
        return building.base_id or gr.skip()

    def in_use(building: Building) -> Any:
        return facts_view.base_card(building.facts) if building.facts else gr.skip()

    def forget(building: Building) -> Any:
        return None if building.base_id else gr.skip()

    last = gr.State(None)  # how the building ended: Stop draws it again

    def use_sample(base_id: str) -> tuple[Any, ...]:
        asked.bases.drop(base_id)
        return SAMPLE, facts_view.base_card(None), None, "", None, None

    display = Display(
        brought.progress,
        last,
        facts_view.build_stream,
        facts_view.build_settle,
        {brought.base: id_of, brought.in_use: in_use, shown: forget},
    )
    submit(desk, Form(asked, own), brought.buttons, display)
    brought.use_sample.click(
        use_sample,
        brought.base,
        [brought.base, brought.in_use, brought.upload, brought.progress, shown, last],
        api_name="facts_use_sample",
        **QUICK,
    )

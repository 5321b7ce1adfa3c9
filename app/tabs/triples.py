"""Tab: who stands in which relation to what.

Changes when the tab's layout or its question changes. Drawing is in triples_view, the
choice of relations in triples_schema, the explanation in triples_how.
"""

import html
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr
from gradio.components import Component

from app import views
from app.controls import control, words_of
from app.language import language_of
from app.panel import Panel
from app.samples import sample
from app.shelf import Shelf, await_following
from app.tabs import triples_how, triples_view
from app.tabs.layout import (
    examples_list,
    fill_on_click,
    how_accordion,
    in_columns,
    long_text,
    run_and_stop,
    settings_accordion,
)
from app.tabs.triples_schema import (
    DECODERS,
    RAW,
    Picker,
    draw_picker,
    join_picker,
)
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
    told,
)
from demos.triples.examples import EXAMPLES, SAMPLES, caption
from demos.triples.schema import line_of
from demos.triples.task import (
    BEST_DECODER,
    DECODER_LABEL,
    TripleRequest,
    TripleResult,
    extract,
    follows,
)
from model_core.interfaces import TRIPLE_POINTER


def question(shelf: Shelf) -> Question[TripleRequest, TripleResult]:
    """Return the tab's question: extract triples."""

    def answer(request: TripleRequest, weights: str) -> Iterator[TripleResult | None]:
        model = yield from await_following(
            shelf,
            TRIPLE_POINTER,
            weights,
            lambda model: not follows(request, model),
        )
        yield from extract(request, model)

    return Question(
        name="extract_triples",
        description="Extract (subject, predicate, object) triples with their character "
        "offsets; every frame is the whole result so far.",
        request_type=TripleRequest,
        answer=answer,
        as_json=as_json,
        num_tokens=lambda _result: 0,
    )


def as_json(result: TripleResult | None) -> dict[str, Any]:
    """Return what an HTTP client receives; empty while the weights load."""
    if result is None:
        return {"triples": [], "complex_objects": [], "weights": ""}
    return triples_view.answer_of(result)


def examples_of() -> tuple[TripleRequest, ...]:
    """Return what the example buttons fill in, in their order."""
    return (*EXAMPLES, *(TripleRequest(sample(name)) for name in SAMPLES))


def values_of(request: TripleRequest) -> dict[str, Any]:
    """Return a request's fields as the form shows them, by name."""
    schema = "\n".join(line_of(relation) for relation in request.schema or ())
    return {
        "text": request.text,
        "schema": schema,
        "threshold": request.threshold,
        "decoder": request.decoder,
    }


@dataclass(frozen=True, slots=True)
class _Input:
    """The components on the person's side."""

    text: Component
    picker: Picker
    buttons: Buttons


def build(shelf: Shelf, desk: Desk, panel: Panel) -> None:
    """Lay out the tab and join it to the demo."""
    asked = question(shelf)
    given, (threshold, view), examples, (decoder, weights) = in_columns(
        ask=_inputs,
        answer=_output,
        examples=_examples,
        more=partial(_settings, shelf, panel),
    )
    form = Form(
        asked,
        {
            "text": given.text,
            "schema": given.picker.schema,
            "threshold": threshold,
            "decoder": decoder,
            WEIGHTS: weights,
        },
    )
    shown = gr.State(None)
    # a run answers under the threshold that it began with: show that one again
    kept = {threshold: lambda result: result.request.threshold}
    display = Display(view, shown, triples_view.stream, triples_view.settle, kept)
    publish(desk, asked)
    submit(desk, form, given.buttons, display)
    rows = [values_of(request) for request in examples_of()]
    fill_on_click(form, examples, rows, "extract_triples_example")
    _join_threshold(threshold, shown, view)
    join_picker(shelf, panel, weights, given.picker, decoder)


def _inputs() -> _Input:
    text = long_text(
        TripleRequest,
        "text",
        lines=8,
        max_lines=18,
        placeholder="《史记》的作者是司马迁……",
        info=None,
        elem_id="mp-triples-text",
    )
    picker = draw_picker()
    buttons = run_and_stop("mp-triples", "抽取 Extract")
    return _Input(text, picker, buttons)


def _output() -> tuple[Component, gr.HTML]:
    threshold = control(TripleRequest, "threshold", elem_id="mp-triples-threshold")
    view = gr.HTML(triples_view.EMPTY, elem_id="mp-triples-view")
    with how_accordion("mp-triples-how"):
        gr.Markdown(views.flowing(triples_how.HALF_POINTER))
        gr.HTML(triples_how.pointer_table())
        gr.Markdown(views.flowing(triples_how.GPLINKER))
        gr.HTML(triples_how.span_matrix())
        gr.Markdown(views.flowing(triples_how.OTHERS))
    return threshold, view


def _examples() -> gr.Dataset:
    names = [*map(caption, EXAMPLES), *SAMPLES.values()]
    return examples_list("mp-triples-examples", names)


def _settings(shelf: Shelf, panel: Panel) -> tuple[gr.Dropdown, gr.Dropdown]:
    with settings_accordion("mp-triples-settings"):
        decoder = gr.Dropdown(
            list(DECODERS), value=BEST_DECODER, **words_of(DECODER_LABEL)
        )
        weights = weights_choice(shelf, panel, TRIPLE_POINTER)
    return decoder, weights


def _join_threshold(threshold: Component, shown: gr.State, view: gr.HTML) -> None:
    """Draw the shown result anew under another threshold; no model is asked."""

    def redraw(request: gr.Request, result: TripleResult | None, least: Any) -> Any:
        if result is None:
            return gr.skip()
        with told(language_of(request.headers.get("accept-language")), html.escape):
            return triples_view.settle(result.filtered(least))

    threshold.input(
        redraw,
        [shown, threshold],
        view,
        trigger_mode="always_last",
        api_name="extract_triples_threshold",
        **RAW,
    )

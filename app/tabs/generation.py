"""Tab: continue a text.

Changes when the tab's layout or its question changes. Drawing is in generation_view.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import gradio as gr
from gradio.components import Component

from app import views
from app.controls import control, offering
from app.panel import Panel
from app.shelf import AUTO, EMBEDDED, Shelf, await_following, ready_of
from app.tabs import generation_view
from app.tabs.layout import (
    QUICK,
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
from demos.generation.examples import EXAMPLES, caption
from demos.generation.task import (
    CONDITION_LABEL,
    STYLE_LABEL,
    GenerationRequest,
    GenerationResult,
    follows,
    generate,
)
from model_core.interfaces import TEXT_GENERATOR, ModelError, TextGenerator

ANY = ("不限 · any", "")
MASK_TEXT = "床前明月光疑是"
CAPTION = "因果遮罩：行看列，填实即看得到 · causal mask: rows look at filled columns"
SETTINGS = (
    "max_new_tokens",
    "min_new_tokens",
    "temperature",
    "top_k",
    "top_p",
    "repetition_penalty",
    "no_repeat_ngram_size",
)
HOW = """
模型从左往右写：每一步只看**已经写下的字**，给出下一个字的概率，抽一个接上，再看下一步。
“只看左边”由一张遮罩规定：格子填实，表示这一行的字看得到那一列的字。
同一个网络换一张遮罩，就能做别的事。

The model writes from left to right: at each step it sees only **what is already
written**, gives every next token a probability, draws one and goes on. The mask below
says so: a filled cell means that the row's character may look at the column's. The same
network plays other parts under other masks.
"""


def question(shelf: Shelf) -> Question[GenerationRequest, GenerationResult]:
    """Return the tab's question: continue a text."""

    def answer(
        request: GenerationRequest, weights: str
    ) -> Iterator[GenerationResult | None]:
        model = yield from await_following(
            shelf,
            TEXT_GENERATOR,
            weights,
            lambda model: not follows(request, model),
        )
        yield from generate(request, model)

    return Question(
        name="generate",
        description="Continue a Chinese text; every frame is the whole result so far.",
        request_type=GenerationRequest,
        answer=answer,
        as_json=as_json,
        num_tokens=lambda result: result.frame.num_new_tokens,
    )


def as_json(result: GenerationResult | None) -> dict[str, Any]:
    """Return what an HTTP client receives; empty while the weights load."""
    if result is None:
        return {"texts": [], "seed": None, "weights": "", "tokens_per_second": 0.0}
    return generation_view.answer_of(result)


def styles_of(shelf: Shelf, weights: object) -> list[tuple[str, str]]:
    """Return the styles that can be asked of these weights now, for a dropdown."""
    return _known(shelf, weights, lambda model: model.styles)


def conditions_of(shelf: Shelf, weights: object) -> list[tuple[str, str]]:
    """Return the sentiments that can be asked of these weights now."""
    return _known(shelf, weights, lambda model: model.conditions)


def _known(
    shelf: Shelf, weights: object, of: Callable[[TextGenerator], tuple[str, ...]]
) -> list[tuple[str, str]]:
    """Return what can be asked of weights; of all that automatic may take.

    Only models that are ready are asked: asking another would make it load.
    """
    ready = {state.name for state in ready_of(shelf.states())}
    known: dict[str, str] = {}
    for name in (EMBEDDED, AUTO) if weights == AUTO else (weights,):
        if isinstance(name, str) and (name in ready or (name == AUTO and ready)):
            with suppress(ModelError):  # it may have left the shelf just now
                model = shelf.model(TEXT_GENERATOR, name, timeout_seconds=0)
                known.update((word, word) for word in of(model))
    return [ANY, *known.items()]


@dataclass(frozen=True, slots=True)
class _Output:
    """The components on the result's side."""

    view: gr.HTML
    tint: gr.Checkbox
    again: gr.Button


def build(shelf: Shelf, desk: Desk, panel: Panel) -> None:
    """Lay out the tab and join it to the demo."""
    asked = question(shelf)
    (inputs, buttons), output, examples, (settings, redraw) = in_columns(
        ask=_inputs,
        answer=_output,
        examples=_examples,
        more=partial(_settings, shelf, panel),
    )
    form = Form(asked, {**inputs, **settings})
    shown = gr.State(None)
    awake = {output.again: lambda _result: gr.update(interactive=True)}
    display = Display(
        output.view, shown, generation_view.stream, generation_view.settle, awake
    )
    publish(desk, asked)
    submit(desk, form, buttons, display)
    _join(form, examples, redraw, output, shown)
    for name, choices_of in (("style", styles_of), ("condition", conditions_of)):
        _join_choices(shelf, panel, form, name, choices_of)


def _inputs() -> tuple[dict[str, Component], Buttons]:
    prompt = long_text(
        GenerationRequest,
        "prompt",
        lines=4,
        max_lines=12,
        info=None,
        placeholder="春风又绿江南岸……",
        autofocus=True,
    )
    with gr.Row(elem_classes="mp-row mp-pair"):
        style, condition = (
            gr.Dropdown([ANY], value="", min_width=110, **bare_words(label))
            for label in (STYLE_LABEL, CONDITION_LABEL)
        )
        num_return = control(GenerationRequest, "num_return", info=None, min_width=140)
    buttons = run_and_stop("mp", "续写 Generate")
    inputs = {
        "prompt": prompt,
        "style": style,
        "condition": condition,
        "num_return": num_return,
    }
    return inputs, buttons


def _output() -> _Output:
    with gr.Row(elem_classes="mp-row mp-tools"):
        tint = gr.Checkbox(label="按概率上色 Tint", container=False, scale=0)
        again = gr.Button(
            "沿用设置与种子 Use again",
            size="sm",
            interactive=False,
            scale=0,
            elem_id="mp-again",
        )
    view = gr.HTML(generation_view.EMPTY, elem_id="mp-view")
    with how_accordion("mp-how"):
        gr.Markdown(views.flowing(HOW))
        gr.HTML(views.mask_drawing(causal_mask(len(MASK_TEXT)), MASK_TEXT, CAPTION))
    return _Output(view, tint, again)


def _examples() -> gr.Dataset:
    return examples_list("mp-examples", [*map(caption, EXAMPLES)])


def _settings(shelf: Shelf, panel: Panel) -> tuple[dict[str, Component], gr.Button]:
    with settings_accordion("mp-settings"):
        settings = controls(GenerationRequest, SETTINGS)
        with gr.Row(elem_classes="mp-row mp-lined"):
            seed = control(GenerationRequest, "seed", scale=3)
            redraw = gr.Button("随机 Random", scale=1, min_width=96)
        weights = weights_choice(shelf, panel, TEXT_GENERATOR)
    return {**settings, "seed": seed, WEIGHTS: weights}, redraw


def causal_mask(length: int) -> list[list[bool]]:
    """Return the mask of the generating network: key <= query."""
    return [[key <= query for key in range(length)] for query in range(length)]


def _join(
    form: Form,
    examples: gr.Dataset,
    redraw: gr.Button,
    output: _Output,
    shown: gr.State,
) -> None:
    rows = [asdict(example) for example in EXAMPLES]
    # a style may not have been offered yet: it is filled in as it is
    fill_on_click(form, examples, rows, "generate_example", postprocess=False)
    names, filled = form.question.inputs[:-1], form.ordered[:-1]

    def use_again(result: GenerationResult | None) -> list[Any]:
        if result is None:
            return [gr.skip() for _ in names]
        return [getattr(result.again, name) for name in names]

    output.again.click(use_again, shown, filled, api_name="generate_again", **QUICK)
    seed = form.components["seed"]
    redraw.click(lambda: None, None, seed, api_name="generate_random_seed", **QUICK)
    output.tint.change(
        None,
        output.tint,
        None,
        js="(on) => { document.body.classList.toggle('mp-tinted', on); }",
        api_name="generate_tint",
        api_visibility="private",
    )


def _join_choices(
    shelf: Shelf,
    panel: Panel,
    form: Form,
    name: str,
    choices_of: Callable[[Shelf, object], list[tuple[str, str]]],
) -> None:
    """Offer what the chosen weights can follow, as long as they are chosen."""
    weights, choice = form.components[WEIGHTS], form.components[name]

    def offer(chosen: object, now: object) -> Any:
        return offering(choices_of(shelf, chosen), now)

    panel.follow(f"generate_{name}_offer", offer, [weights, choice], choice)
    weights.change(
        offer,
        [weights, choice],
        choice,
        preprocess=False,
        api_name=f"generate_{name}s",
        **QUICK,
    )

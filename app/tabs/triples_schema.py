"""What the chosen weights offer: relations to look for, and decoders.

Changes when either is offered differently, or weights come by relations in another way.
Knows no result and no run.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from app import views
from app.controls import offering, words_of
from app.panel import Panel
from app.shelf import AUTO, Shelf, ready_of
from app.tabs.layout import QUICK
from demos.limits import Label
from demos.triples.schema import SCHEMA_LABEL, line_of
from demos.triples.task import BEST_DECODER
from model_core.interfaces import (
    TRIPLE_POINTER,
    ModelError,
    Relation,
    SchemaKind,
    TripleDecoder,
    TriplePointer,
)

RAW = {"preprocess": False, **QUICK}  # a choice may have left its list meanwhile
EXAMPLE = "人物: 出生地, 配偶"
KNOWN_LABEL = Label(
    "认识的关系",
    "Known relations",
    "点选即写入下面",
    "choose some: they are written below",
)


TITLES: Mapping[TripleDecoder, str] = {
    "both": "两种合看 · both",
    "half_pointer": "半指针 · half pointer",
    "gplinker": "GPLinker",
    "prompted": "照提示标出（UIE） · prompted",
    "written": "逐条写出（mREBEL） · written",
}
DECODERS: Sequence[tuple[str, str]] = (
    ("自动 · auto", BEST_DECODER),
    *((TITLES[name], name) for name in ("both", "half_pointer", "gplinker")),
)
"""Those that can be chosen where weights have several."""


@dataclass(frozen=True, slots=True)
class Guide:
    """What a person is told of weights that come by their relations in one way.

    Attributes:
        remark: HTML above the field, "" for none.
        shape: What an empty field shows.
    """

    remark: str
    shape: str


GUIDES: Mapping[SchemaKind, Guide] = {
    "known": Guide("", "图书作品 作者 人物\n人物: 父亲, 母亲"),
    "asked": Guide(
        views.note(
            f"所用权重什么关系都能抽，但抽哪些要由你写出：主语类型: 关系, 关系，例如"
            f"“{EXAMPLE}”。一行一类主语，名称自己定，写得越明白抽得越准。"
            "由页面自动挑权重时可以留空，内置权重就来抽它认识的关系。",
            "These weights follow any relation, so name those to extract: subject "
            f"type: relations, e.g. “{EXAMPLE}”; one type a line, in your own words. "
            "With automatic weights it may stay empty: the embedded ones then extract "
            "the relations that they know.",
        ),
        EXAMPLE,
    ),
    "own": Guide(
        views.note(
            "所用权重用自己的说法给关系起名（多为英文），读到什么就列什么，不必写出。"
            "想少列一些，先抽一次，再把结果里的关系名写在这里，例如"
            "“per: place of birth”。",
            "These weights name relations in words of their own and list what they "
            "find, so nothing need be written. To see fewer, extract once and write "
            "names from the result here, e.g. “per: place of birth”.",
        ),
        "per: place of birth, spouse",
    ),
}


@dataclass(frozen=True, slots=True)
class Picker:
    """The components of the part.

    Attributes:
        part: What folds.
        remark: What the weights want to be told.
        known: The relations that the weights know.
        sample: Writes an example into the field.
        schema: The field.
    """

    part: gr.Accordion
    remark: gr.HTML
    known: gr.Dropdown
    sample: gr.Button
    schema: gr.Textbox


def draw_picker() -> Picker:
    """Lay the part out, as for weights that know their relations."""
    part = gr.Accordion(
        "限定关系 Limit the relations", open=False, elem_id="mp-triples-schema"
    )
    with part:
        remark = gr.HTML(visible=False, elem_id="mp-triples-guide")
        known = gr.Dropdown([], value=[], multiselect=True, **words_of(KNOWN_LABEL))
        schema = gr.Textbox(
            lines=2,
            max_lines=8,
            placeholder=GUIDES["known"].shape,
            **words_of(SCHEMA_LABEL),
        )
        sample = gr.Button(
            f"填入示例 Fill in: {EXAMPLE}",
            size="sm",
            visible=False,
            elem_id="mp-triples-sample",
        )
    return Picker(part, remark, known, sample, schema)


def join_picker(
    shelf: Shelf, panel: Panel, weights: Component, picker: Picker, decoder: Component
) -> None:
    """Follow the chosen weights, and write what is picked as lines."""
    known, schema = picker.known, picker.schema
    drawing = [picker.part, picker.remark, known, picker.sample, schema, decoder]

    def lines(chosen: object) -> list[str]:
        return [line_of(relation) for relation in relations_of(shelf, chosen)]

    def pick(chosen: object, picked: object, text: object) -> str:
        wanted = picked if isinstance(picked, list) else []
        return with_picked(_text(text), list(map(str, wanted)), lines(chosen))

    def follow(chosen: object, text: object) -> list[str]:
        return picked_in(_text(text), lines(chosen))

    def redraw(chosen: object, text: object, way: object) -> list[Any]:
        model = pointer_of(shelf, chosen)
        ways = decoders_of(model)
        return [*drawn(model, _text(text)), offering(ways, way)]

    name = "extract_triples_{}".format
    given = [weights, schema]
    known.input(pick, [weights, known, schema], schema, api_name=name("pick"), **RAW)
    schema.change(
        follow, given, known, trigger_mode="always_last", api_name=name("follow"), **RAW
    )
    picker.sample.click(with_sample, schema, schema, api_name=name("sample"), **RAW)
    asked = [*given, decoder]
    weights.change(redraw, asked, drawing, api_name=name("known"), **RAW)
    panel.follow(name("offer"), redraw, asked, drawing)


def drawn(model: TriplePointer | None, text: str) -> list[Any]:
    """Return the updates of the fields for relations, in their order.

    Args:
        model: Who will be asked; None where nobody is ready.
        text: What stands in the field.
    """
    kind: SchemaKind = "known" if model is None else model.schema_kind
    relations = model.relations if model is not None and kind == "known" else ()
    choices, guide = [choice_of(relation) for relation in relations], GUIDES[kind]
    held = picked_in(text, [line for _, line in choices])
    must = kind == "asked"
    return [
        gr.update(open=True) if must else gr.update(),
        gr.update(value=guide.remark, visible=bool(guide.remark)),
        gr.update(choices=choices, value=held, visible=kind == "known"),
        gr.update(visible=must),
        gr.update(placeholder=guide.shape),
    ]


def decoders_of(model: TriplePointer | None) -> Sequence[tuple[str, str]]:
    """Return the decoders that can be chosen, title and value of each.

    Weights with one way to answer are not asked for it: it is named, and is what
    ``auto`` means.

    Args:
        model: Who will be asked; None where nobody is ready.
    """
    if model is None:
        return DECODERS
    if len(model.decoders) == 1:
        (only,) = model.decoders
        return [(f"{TITLES[only]}：所用权重只有这一种 the only one", BEST_DECODER)]
    return [one for one in DECODERS if one[1] in (BEST_DECODER, *model.decoders)]


def pointer_of(shelf: Shelf, weights: object) -> TriplePointer | None:
    """Return who would answer now; None where nobody would at once.

    Only models that are ready are asked: asking another would make it load.
    """
    ready = {state.name for state in ready_of(shelf.states())}
    if isinstance(weights, str) and (weights in ready or (weights == AUTO and ready)):
        with suppress(ModelError):  # it may have left the shelf just now
            return shelf.model(TRIPLE_POINTER, weights, timeout_seconds=0)
    return None


def relations_of(shelf: Shelf, weights: object) -> tuple[Relation, ...]:
    """Return the relations that can be picked for these weights now."""
    model = pointer_of(shelf, weights)
    known = model is not None and model.schema_kind == "known"
    return model.relations if model is not None and known else ()


def choice_of(relation: Relation) -> tuple[str, str]:
    """Return a relation as a list shows it, and the line that asks for it."""
    shown = f"{relation.subject_type} {relation.predicate} → {relation.object_type}"
    return shown, line_of(relation)


def with_picked(text: str, picked: Sequence[str], known: Sequence[str]) -> str:
    """Return a schema's text that holds, of the known lines, just those picked.

    Lines typed by hand stay, below.
    """
    typed = [line for line in _lines(text) if line not in known]
    return "\n".join(dict.fromkeys([*picked, *typed]))


def picked_in(text: str, known: Sequence[str]) -> list[str]:
    """Return the known lines that a schema's text holds."""
    held = set(_lines(text))
    return [line for line in known if line in held]


def with_sample(text: object) -> str:
    """Return a schema's text that holds the example, what was typed before it."""
    return "\n".join(dict.fromkeys([*_lines(_text(text)), EXAMPLE]))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]

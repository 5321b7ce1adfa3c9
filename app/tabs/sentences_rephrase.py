"""The part of the sentences tab that says a sentence in other words.

Changes when its layout or its question changes. Drawing is in sentences_view.
"""

from typing import Any

import gradio as gr
from gradio.components import Component

from app import views
from app.shelf import Shelf
from app.tabs import sentences_view as view
from app.tabs.layout import long_text, run_and_stop
from app.tabs.sentences_part import Columns, SentencePart
from app.tabs.sentences_weights import Part
from app.wiring import Buttons, Question
from demos.rephrasing.examples import EXAMPLES
from demos.rephrasing.record import to_record
from demos.rephrasing.rephrasing import (
    RephrasingRequest,
    RephrasingResult,
    rephrase,
)
from model_core.interfaces import SENTENCE_REPHRASER

PART = Part(
    "rephrasing",
    SENTENCE_REPHRASER,
    "这里要用 SimBERT 一类学过写相似句的权重，内置小模型没有学过。",
    "This needs weights that learned to write similar sentences, such as SimBERT; the "
    "embedded model did not.",
)
CAPTION = "原句双向，新句从左到右 · the sentence sees itself, the new one the past"
SOURCE, TARGET = ("⊢", *"天气好", "⊥"), tuple("天真好")  # [CLS] and [SEP]
HOW = """
SimBERT（kexue.fm/archives/7427）是**同一个 BERT 学了两件事**：用 UniLM 的前缀遮罩，读完
`[CLS] 原句 [SEP]` 再接着写一句相似的话；用 `[CLS]` 的向量判断两句话有多像。这里先**随机
写出所要的四倍那么多句**（top-k、top-p），扔掉重复的和与原句一样的，再按向量与原句的**余弦**排好，
留下最像的几句。它学的是搜索里的问句，短问句写得最好；余弦高不等于意思不差，用前请看一遍。

SimBERT is **one BERT that learned two things**: behind a prefix mask it reads a
sentence and writes a similar one; the vector of its `[CLS]` says how alike two are.
Four times as many sentences as you want are **drawn**, repeats and the sentence itself
are dropped, the rest ranked by their **cosine** with it. It was trained on questions
typed into a search engine: short ones go best, and what it writes wants a look.
"""


def question(shelf: Shelf) -> Question[RephrasingRequest, RephrasingResult]:
    """Return the part's question: how else can a sentence be said."""
    return Question(
        name="rephrase",
        description="Write sentences that mean the same as a Chinese sentence, ranked "
        "by the cosine of their vectors with it (SimBERT).",
        request_type=RephrasingRequest,
        answer=PART.answering(shelf, rephrase),
        as_json=as_json,
        num_tokens=lambda result: result.frame.num_new_tokens,
    )


def as_json(result: RephrasingResult | None) -> dict[str, Any]:
    """Return what an HTTP client receives; empty while the weights load."""
    if result is not None:
        return to_record(result)
    return {
        "text": "",
        "rephrasings": [],
        "num_samples": 0,
        "num_distinct": 0,
        "num_chars_read": 0,
        "pooling": "",
        "seed": None,
        "weights": "",
    }


def _inputs() -> tuple[dict[str, Component], Buttons]:
    text = long_text(
        RephrasingRequest,
        "text",
        lines=2,
        max_lines=4,
        info=None,
        elem_id="mp-rephrasing-text",
    )
    return {"text": text}, run_and_stop("mp-rephrasing", "换个说法 Rephrase")


def _picture() -> None:
    width, read = len(SOURCE) + len(TARGET), len(SOURCE)
    mask = [
        [key < max(read, query + 1) for key in range(width)] for query in range(width)
    ]
    gr.HTML(views.mask_drawing(mask, (*SOURCE, *TARGET), CAPTION))


build = SentencePart(
    Columns(
        task=PART.task,
        weights=PART,
        empty=view.REPHRASE_EMPTY,
        how=HOW,
        names=[example.text for example in EXAMPLES],
        picture=_picture,
        settings=("num_return", "top_k", "top_p", "seed"),
    ),
    question,
    _inputs,
    view.rephrase_stream,
    view.rephrase_settle,
    [{"text": example.text} for example in EXAMPLES],
).build

"""The part of the sentences tab that compares two sentences.

Changes when its layout or its question changes. Drawing is in sentences_view.
"""

from dataclasses import asdict
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
    return Question(
        name="similarity",
        description="Tell how alike two Chinese sentences are: the cosine of their "
        "vectors.",
        request_type=SimilarityRequest,
        answer=PART.answering(shelf, compare),
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


def _picture() -> None:
    mask = [[True] * len(TOKENS)] * len(TOKENS)
    gr.HTML(views.mask_drawing(mask, TOKENS, CAPTION))


build = SentencePart(
    Columns(
        task=PART.task,
        weights=PART,
        empty=view.COMPARE_EMPTY,
        how=HOW,
        names=[caption(example) for example in EXAMPLES],
        picture=_picture,
    ),
    question,
    _inputs,
    view.compare_stream,
    view.compare_settle,
    list(map(asdict, EXAMPLES)),
).build

"""The part of the sentences tab that asks fine-tuned classifiers.

Changes when its layout or its question changes. Drawing is in sentences_view.
"""

from dataclasses import asdict
from typing import Any

from gradio.components import Component

from app.shelf import Shelf
from app.tabs import sentences_view as view
from app.tabs.layout import long_text, run_and_stop
from app.tabs.sentences_part import Columns, SentencePart
from app.tabs.sentences_weights import Part
from app.wiring import Buttons, Question
from demos.judging.classification import (
    ClassificationRequest,
    ClassificationResult,
    categorize,
)
from demos.judging.examples import CLASSIFICATION_EXAMPLES, caption
from demos.judging.record import classification_record
from model_core.interfaces import TEXT_CLASSIFIER

PART = Part(
    "classification",
    TEXT_CLASSIFIER,
    "这里要用微调好的分类权重，内置小模型没有分类头（想不下载就分类，请用“分类 "
    "Classify”页）。",
    "This needs weights that were fine-tuned to classify; the embedded model has no "
    "such head (to classify without a download, use the Classify tab).",
)
HOW = """
微调好的权重在 `[CLS]` 的状态上接了一层分类头：有哪几类、叫什么，都写在权重自己的配置里
（id2label）。两句一起判别时排成 `[CLS] 第一句 [SEP] 第二句 [SEP]`，段号分开两句。
和“分类”页不同：那里用完形填空，标签由你定；这里标签由训练它的人定。

Fine-tuned weights have a classifier on the state of `[CLS]`; their own config names the
classes. Two texts stand in one row and differ by their segments. Unlike the Classify
tab, where you choose the labels, here whoever trained the weights did.
"""


def question(shelf: Shelf) -> Question[ClassificationRequest, ClassificationResult]:
    """Return the part's question: of which class is a text."""
    return Question(
        name="categorize",
        description="Classify a Chinese text, or a pair, by weights that were "
        "fine-tuned for it; probabilities sum to 1.",
        request_type=ClassificationRequest,
        answer=PART.answering(shelf, categorize),
        as_json=as_json,
        num_tokens=lambda _result: 0,
    )


def as_json(result: ClassificationResult | None) -> dict[str, Any]:
    """Return what an HTTP client receives; empty while the weights load."""
    if result is not None:
        return classification_record(result)
    return {
        "text": "",
        "label": "",
        "probabilities": {},
        "num_chars_read": 0,
        "num_chars_read_b": 0,
        "weights": "",
    }


def _inputs() -> tuple[dict[str, Component], Buttons]:
    text = long_text(
        ClassificationRequest,
        "text",
        lines=3,
        max_lines=10,
        info=None,
        elem_id="mp-classification-text",
    )
    second = long_text(
        ClassificationRequest,
        "text_b",
        lines=1,
        max_lines=6,
        elem_id="mp-classification-text-b",
    )
    buttons = run_and_stop("mp-classification", "判别 Judge")
    return {"text": text, "text_b": second}, buttons


build = SentencePart(
    Columns(
        task=PART.task,
        weights=PART,
        empty=view.CLASSIFY_EMPTY,
        how=HOW,
        names=[caption(example) for example in CLASSIFICATION_EXAMPLES],
    ),
    question,
    _inputs,
    view.classify_stream,
    view.classify_settle,
    list(map(asdict, CLASSIFICATION_EXAMPLES)),
).build

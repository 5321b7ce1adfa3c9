"""The part of the sentences tab that marks replaced tokens.

Changes when its layout or its question changes. Drawing is in sentences_view.
"""

from typing import Any

from gradio.components import Component

from app.shelf import Shelf
from app.tabs import sentences_view as view
from app.tabs.layout import long_text, run_and_stop
from app.tabs.sentences_part import Columns, SentencePart
from app.tabs.sentences_weights import Part
from app.wiring import Buttons, Question
from demos.judging.detection import DetectionRequest, DetectionResult, detect
from demos.judging.examples import DETECTION_EXAMPLES
from demos.judging.record import detection_record
from model_core.interfaces import REPLACED_TOKEN_DETECTOR

PART = Part(
    "detection",
    REPLACED_TOKEN_DETECTOR,
    "这里要用 ELECTRA 的判别器，内置小模型没有这种头。",
    "This needs ELECTRA's discriminator; the embedded model has no such head.",
)
HOW = """
ELECTRA 训练时有两个网络（arXiv 2003.10555）：生成器把一句话里的一些字挖掉，填上它觉得
像的；判别器逐字判断**哪个字是换过的**。用它读一段话，就给每个字一个“换过”的概率，超过阈值的
标出来。它只学过认生成器换的字，不是校对软件：少见的说法也会被标，像样的错字也会漏。

ELECTRA is trained by two networks: a generator replaces some tokens, and the
discriminator tells, token by token, **which were replaced**. Here it reads your text
and gives every token a probability. It never learned to proofread: rare words are
marked, and plausible mistakes are missed.
"""


def question(shelf: Shelf) -> Question[DetectionRequest, DetectionResult]:
    """Return the part's question: which tokens look replaced."""
    return Question(
        name="detect",
        description="Mark the tokens of a Chinese text that look replaced (ELECTRA's "
        "discriminator), with character offsets.",
        request_type=DetectionRequest,
        answer=PART.answering(shelf, detect),
        as_json=as_json,
        num_tokens=lambda _result: 0,
    )


def as_json(result: DetectionResult | None) -> dict[str, Any]:
    """Return what an HTTP client receives; empty while the weights load."""
    if result is not None:
        return detection_record(result)
    return {
        "text": "",
        "replaced": [],
        "num_tokens": 0,
        "num_chars_read": 0,
        "weights": "",
    }


def _inputs() -> tuple[dict[str, Component], Buttons]:
    text = long_text(
        DetectionRequest,
        "text",
        lines=4,
        max_lines=12,
        info=None,
        elem_id="mp-detection-text",
    )
    return {"text": text}, run_and_stop("mp-detection", "检查 Check")


build = SentencePart(
    Columns(
        task=PART.task,
        weights=PART,
        empty=view.DETECT_EMPTY,
        how=HOW,
        names=[example.text for example in DETECTION_EXAMPLES],
        settings=("threshold",),
    ),
    question,
    _inputs,
    view.detect_stream,
    view.detect_settle,
    [{"text": example.text} for example in DETECTION_EXAMPLES],
).build

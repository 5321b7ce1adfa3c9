"""Tab: whole sentences. Compared, searched, rephrased, judged.

Changes when the tab gains or loses a part.
"""

import gradio as gr

from app.panel import Panel
from app.shelf import Shelf
from app.tabs import (
    sentences_classification,
    sentences_detection,
    sentences_nearest,
    sentences_rephrase,
    sentences_similarity,
)
from app.wiring import Desk

PARTS = (
    ("比两句 Compare", "similarity", sentences_similarity.build),
    ("找相近句 Nearest", "nearest", sentences_nearest.build),
    ("相似句 Rephrase", "rephrasing", sentences_rephrase.build),
    ("判类别 Fine-tuned classes", "classification", sentences_classification.build),
    ("找换过的字 Replaced", "detection", sentences_detection.build),
)


def build(shelf: Shelf, desk: Desk, panel: Panel) -> None:
    """Lay out the tab and join its parts to their demos."""
    with gr.Tabs(elem_classes="mp-inner-tabs", overflow_behavior="wrap"):
        for label, name, build_part in PARTS:
            with gr.Tab(label, id=f"sentences-{name}"):
                build_part(shelf, desk, panel)

"""The tabs of the page, in display order: add a demo by adding one line here."""

from collections.abc import Callable
from dataclasses import dataclass

from app.panel import Panel
from app.shelf import Shelf
from app.tabs import (
    dialogue,
    fewshot,
    generation,
    qa,
    sentences,
    summary,
    title,
    triples,
)
from app.wiring import Desk


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab.

    Attributes:
        task: Name of the demo's package, and of its part of the catalogue.
        label: For people.
        build: Lays the tab out and joins it to its demo.
        more: Further parts of the catalogue whose weights it uses.
    """

    task: str
    label: str
    build: Callable[[Shelf, Desk, Panel], None]
    more: tuple[str, ...] = ()


TABS = (
    Tab("generation", "续写 Generation", generation.build),
    Tab("title", "标题 Title", title.build),
    Tab("triples", "三元组 Triples", triples.build),
    Tab("qa", "问答 Q&A", qa.build),
    Tab("fewshot", "分类 Classify", fewshot.build),
    Tab("summary", "摘要 Summary", summary.build),
    Tab(
        "similarity",
        "句子 Sentences",
        sentences.build,
        ("rephrasing", "classification", "detection"),
    ),
    Tab("dialogue", "对话 Chat", dialogue.build),
)

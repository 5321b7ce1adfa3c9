"""The part of the sentences tab that searches a list of lines.

Changes when its layout or its question changes. Drawing is in sentences_view.
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component

from app import views
from app.batch import received
from app.panel import Panel
from app.shelf import Shelf
from app.tabs import sentences_view as view
from app.tabs.layout import fill_on_click, long_text, run_and_stop
from app.tabs.sentences_part import Columns
from app.tabs.sentences_similarity import PART
from app.wiring import (
    WEIGHTS,
    WEIGHTS_LABEL,
    WEIGHTS_LENGTH,
    Buttons,
    Desk,
    Display,
    Form,
    Question,
    publish,
    submit,
)
from demos.errors import FileError
from demos.files.lists import COLUMN, lines_of
from demos.files.reading import FORMATS
from demos.limits import Advice
from demos.similarity.examples import NEAREST_EXAMPLES
from demos.similarity.line_list import MOST_LINES
from demos.similarity.nearest import NearestRequest, NearestResult, search
from demos.similarity.nearest_record import to_record
from demos.similarity.searcher import LineMemory, Searcher

MAX_BYTES = 4 << 20
SECONDS = 600.0  # for a long list and large weights
UPLOAD = "mp-nearest-upload"  # the component that takes a list
HOW = """
每一行都变成一个向量，再和要找的那句比余弦，最像的排在最前；一样像的按行号排。重复的行只算一次，
空行跳过，行号照旧（csv 的列名是第 1 行）。句子按长短一批一批地读，读到哪儿就先给出到
那儿为止最像的几行；同一份名单第二次找就不用再读了。

Every line becomes a vector and is compared with the query; the most alike come first,
equals by their number. Repeated lines count once, blank ones are skipped and still
numbered; a csv's names are line 1. A list that was read already is not read again.
"""
COLUMNS = Columns(
    task="nearest",
    weights=PART,
    empty=view.NEAREST_EMPTY,
    how=HOW,
    names=[example.query for example in NEAREST_EXAMPLES],
    settings=("top_k",),
)


@dataclass(frozen=True, slots=True)
class NearestQuestion:
    """What the form asks: of pasted lines, or of a file.

    Attributes:
        shelf: The models.
        folder: Where uploads arrive.
        memory: Lists that were read already.
    """

    shelf: Shelf
    folder: Path
    memory: LineMemory = field(default_factory=LineMemory)
    name: str = "nearest"
    inputs: tuple[str, ...] = ("query", "lines", "upload", "top_k", WEIGHTS)
    seconds: float | None = SECONDS
    advice: Advice = NearestRequest.ADVICE

    def num_tokens(self, _result: NearestResult) -> int:
        """Return 0: nothing is written."""
        return 0

    def frames(
        self, values: Sequence[Any]
    ) -> Generator[NearestResult | None, None, None]:
        """Check the values, then yield the nearest lines so far.

        Args:
            values: One per input, straight from the visitor.

        Raises:
            DemoError: A value cannot be used, or the file cannot be read.
            ModelError: The weights cannot be had.
        """
        given = dict(zip(self.inputs, values, strict=True))
        WEIGHTS_LENGTH.check(WEIGHTS_LABEL, given[WEIGHTS])
        lines = given["lines"]
        if given["upload"]:
            path = received(self.folder, given["upload"])
            check_size(path.stat().st_size)
            lines = lines_of(path)
        request = NearestRequest(given["query"], lines, given["top_k"])
        yield from answer(self.shelf, self.memory, request, given[WEIGHTS])


def answer(
    shelf: Shelf, memory: LineMemory, request: NearestRequest, weights: str
) -> Iterator[NearestResult | None]:
    """Yield the nearest lines so far, None while the weights load."""
    model = yield from PART.await_able(shelf, weights)
    yield from search(request, Searcher(model, memory))


def check_size(num_bytes: int) -> None:
    """Refuse a list that is too large for a page.

    Raises:
        FileError: It is.
    """
    if num_bytes > MAX_BYTES:
        raise FileError(
            f"文件最大 {MAX_BYTES >> 20} MB；请拆成几份。",
            f"A file may have {MAX_BYTES >> 20} MB: split it.",
        )


def question(
    shelf: Shelf, memory: LineMemory
) -> Question[NearestRequest, NearestResult]:
    """Return the public question: which lines are nearest."""
    return Question(
        name="nearest",
        description="Find the lines of a list that are nearest to a Chinese sentence; "
        "every frame is the whole result so far.",
        request_type=NearestRequest,
        answer=partial(answer, shelf, memory),
        as_json=as_json,
        num_tokens=lambda _result: 0,
        seconds=SECONDS,
    )


def as_json(result: NearestResult | None) -> dict[str, Any]:
    """Return what an HTTP client receives; empty while the weights load."""
    if result is not None:
        return to_record(result)
    return {
        "query": "",
        "nearest": [],
        "num_lines": 0,
        "num_distinct": 0,
        "num_read": 0,
        "num_chars_read": 0,
        "num_cut": 0,
        "pooling": "",
        "weights": "",
    }


def build(shelf: Shelf, desk: Desk, panel: Panel) -> None:
    """Lay out the part and join it to the demo."""
    memory = LineMemory()
    inputs, buttons, shown, examples = COLUMNS.draw(
        shelf, panel, NearestRequest, _inputs
    )
    folder = Path(inputs["upload"].GRADIO_CACHE)
    asked = NearestQuestion(shelf, folder, memory)
    form = Form(asked, inputs)
    display = Display(
        shown, gr.State(None), view.nearest_stream, view.nearest_settle, {}
    )
    publish(desk, question(shelf, memory))
    submit(desk, form, buttons, display)
    rows = [
        {
            "query": one.query,
            "lines": "\n".join(one.lines or ()),
            "upload": None,
            "top_k": one.top_k,
        }
        for one in NEAREST_EXAMPLES
    ]
    fill_on_click(form, examples, rows, "nearest_example")


def _inputs() -> tuple[dict[str, Component], Buttons]:
    query = long_text(
        NearestRequest,
        "query",
        lines=1,
        max_lines=4,
        info=None,
        elem_id="mp-nearest-query",
    )
    lines = long_text(
        NearestRequest,
        "lines",
        lines=8,
        max_lines=14,
        placeholder="一行一句 A sentence a line",
        elem_id="mp-nearest-lines",
    )
    with gr.Accordion("或者用文件 Or a file", open=False, elem_id="mp-nearest-own"):
        upload = gr.File(
            label="名单文件 A file of lines",
            file_types=list(FORMATS),
            height=110,
            elem_id=UPLOAD,
        )
        gr.HTML(rules())
    inputs = {"query": query, "lines": lines, "upload": upload}
    return inputs, run_and_stop("mp-nearest", "找 Search")


def rules() -> str:
    """Draw what a file may be."""
    most = f"{MAX_BYTES >> 20} MB"
    return (
        '<p class="mp-quiet">.txt 一行一句；.csv、.jsonl 要有一列 '
        f"<code>{COLUMN}</code>。"
        f"最多 {MOST_LINES} 行、{most}，UTF-8 或 GBK；选了文件就不看上面贴的。 "
        f".txt: a sentence a line; .csv, .jsonl: a column <code>{COLUMN}</code>; up to "
        f"{MOST_LINES} lines and {most}, UTF-8 or GBK; a file goes before what is "
        "pasted.</p>" + views.too_large(UPLOAD, MAX_BYTES, "请拆成几份。", "split it.")
    )

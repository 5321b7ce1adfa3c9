"""How long each tab takes on the embedded core, and what batches and one pass gain.

Changes when another figure of the plays is measured. Runs the demos' own code over the
embedded weights, once unheard and then several times.
"""

import json
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from demos.fewshot.task import FewshotRequest, classify
from demos.qa.task import QaRequest, answer
from demos.summary.task import EXTRACT, SummaryRequest, summarize
from demos.title.task import TitleRequest, write_titles
from demos.triples.many import extract_many
from demos.triples.task import TripleRequest, extract
from model_core.interfaces import (
    FACT_FINDER,
    MASK_FILLER,
    PASSAGE_READER,
    SUMMARIZER,
    TEXT_REWRITER,
    TRIPLE_POINTER,
    FactKey,
    Player,
)
from recipes.evaluation import load_player

SAMPLES = Path(__file__).resolve().parents[1] / "assets" / "samples"
TEXT_CHARS = 500
BATCH_ITEMS = 64
Row = dict[str, float]


def measure(folder: Path, runs: int) -> dict[str, Row]:
    """Return seconds per tab and the gains of batches and of one pass.

    Args:
        folder: The weights.
        runs: Times that each is measured, after one that is not.
    """
    player: Player = load_player(folder)
    text, passages, question = sample_text(), *sample_question()
    figures = {
        name: timed(runs, partial(ask_once, ask))
        for name, ask in tabs(player, text, passages, question).items()
    }
    figures |= reading(player, passages, question, runs)
    figures["triples: one by one / batch"] = batch_gain(player, text, runs)
    return figures


def tabs(
    player: Player, text: str, passages: tuple[str, ...], question: str
) -> dict[str, Callable[[], Iterator[Any]]]:
    """Return one request per tab, as its example would ask it."""
    labels = {"正面": "好", "负面": "差"}
    pattern = "{text}总的来说，这次体验很____。"
    rewriter, pointer = player.play(TEXT_REWRITER), player.play(TRIPLE_POINTER)
    reader, filler = player.play(PASSAGE_READER), player.play(MASK_FILLER)
    summarizer = player.play(SUMMARIZER)
    return {
        "title": lambda: write_titles(TitleRequest(text), rewriter),
        "triples": lambda: extract(TripleRequest(text), pointer),
        "qa": lambda: answer(QaRequest(question, passages=passages), reader),
        "fewshot": lambda: classify(
            FewshotRequest(text, labels=labels, pattern=pattern), filler
        ),
        "summary": lambda: summarize(SummaryRequest(text), summarizer),
        "summary, extract only": lambda: summarize(
            SummaryRequest(text, mode=EXTRACT), summarizer
        ),
        "facts": lambda: iter([find_fact(player)]),
    }


def find_fact(player: Player) -> Any:
    """Ask the sample base one question, its tree built anew."""
    finder = player.play(FACT_FINDER)
    lines = (SAMPLES / "facts" / "base.tsv").read_text(encoding="utf8").split("\n")
    rows = [line.split("\t") for line in lines if line.count("\t") > 1]
    keys = list({(row[0], row[1]): FactKey(row[0], row[1]) for row in rows}.values())
    return finder.find("红楼梦的作者是谁？", finder.build_tree(keys))


def reading(
    player: Player, passages: tuple[str, ...], question: str, runs: int
) -> dict[str, Row]:
    """Return seconds per mode of reading, and how much faster one pass is."""
    reader = player.play(PASSAGE_READER)
    rows = {}
    for mode in reader.modes:
        request = QaRequest(question, passages=passages, mode=mode)
        rows[f"qa, {mode}"] = timed(
            runs, partial(ask_once, partial(answer, request, reader))
        )
    if {"qa, seq2seq", "qa, mlm"} <= rows.keys():
        rows["qa: seq2seq / mlm"] = ratio(rows["qa, seq2seq"], rows["qa, mlm"])
    return rows


def batch_gain(player: Player, text: str, runs: int) -> Row:
    """Return how many times faster a batch of short texts is than one by one."""
    pointer = player.play(TRIPLE_POINTER)
    sentences = [part + "。" for part in text.split("。") if part]
    requests = [
        TripleRequest(sentences[index % len(sentences)]) for index in range(BATCH_ITEMS)
    ]
    alone = timed(
        runs, lambda: [last(extract(request, pointer)) for request in requests]
    )
    together = timed(runs, lambda: list(extract_many(requests, pointer)))
    return ratio(alone, together)


def sample_text() -> str:
    """Return about 500 characters of a sample."""
    text = (SAMPLES / "triples" / "historians.txt").read_text(encoding="utf8")
    return text[:TEXT_CHARS]


def sample_question() -> tuple[tuple[str, ...], str]:
    """Return the passages of a sample and its first question."""
    sample = json.loads((SAMPLES / "qa" / "silk_road.json").read_text(encoding="utf8"))
    first = sample["questions"][0]
    question = first if isinstance(first, str) else first["question"]
    return tuple(sample["passages"]), question


def timed(runs: int, ask: Callable[[], Any]) -> Row:
    """Return the spread of a call's seconds, its first run left out."""
    ask()
    seconds = []
    for _ in range(runs):
        started = time.perf_counter()
        ask()
        seconds.append(time.perf_counter() - started)
    return {
        "min": min(seconds),
        "median": statistics.median(seconds),
        "max": max(seconds),
    }


def ratio(slow: Row, fast: Row) -> Row:
    """Return how many times longer one takes, by the medians."""
    times = slow["median"] / fast["median"]
    return {"min": times, "median": times, "max": times}


def ask_once(ask: Callable[[], Iterator[Any]]) -> Any:
    """Return the whole result of a request."""
    return last(ask())


def last(frames: Iterator[Any]) -> Any:
    """Return the last of what a task yields."""
    *_, final = frames
    return final

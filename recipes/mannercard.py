"""Manners as rows of the card; changes when the card tells another of them.

Figures come from ``recipes.manners``, words from the file beside the templates.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from recipes.metrics.margins import is_above, margin

WORDS = json.loads(Path(__file__).with_name("modelcard_words.json").read_text("utf8"))
PIECES = ("digits", "numbers", "latin_words", "names")


def manner_rows(manners: Mapping[str, Any], tasks: Mapping[str, Any]) -> Iterator[str]:
    """Yield a row per habit, with what it is to be held against.

    Args:
        manners: What ``recipes.manners.report`` returns.
        tasks: The plays' reports by set: there stands whether questions without an
            answer are told.
    """
    loops, rhyme = manners["loops"], manners["rhyme"]
    yield _row("loops", loops["loops"], f"{loops['samples']} 段 · samples")
    yield _row("loops_full", loops["loops_full"], f"{loops['full']} 段 · samples")
    yield _row("real_loops", loops["real"], f"{loops['samples']} 段 · samples")
    yield _row("rhyme", rhyme["rhyme"], f"{rhyme['poems']} 首 · poems，{_held(rhyme)}")
    yield _row("chance", rhyme["chance"], f"{rhyme['poems']} 首 · poems")
    yield _row("real_rhyme", rhyme["real"], f"{rhyme['real_poems']} 首 · poems")
    numbers = manners.get("numbers", {})
    for name in PIECES:
        if numbers.get(name, {}).get("said"):
            one = numbers[name]
            over = f"{one['said']} 个 of {numbers['summaries']} 篇 · summaries"
            yield _row(name, one["share"], over)
    yield from _no_answer(tasks.get("qa", {}))


def _held(rhyme: Mapping[str, Any]) -> str:
    """Return the error of the rhymes' share, and whether it is above chance."""
    share, poems, chance = rhyme["rhyme"], rhyme["poems"], rhyme["chance"]
    told = "above_chance" if is_above(share, poems, chance) else "not_above_chance"
    return f"±{100 * margin(share, poems):.1f}（95%）：{WORDS['manners'][told]}"


def _no_answer(report: Mapping[str, Any]) -> Iterator[str]:
    for mode, scores in report.get("model", {}).items():
        if "no_answer_f1" in scores:
            over = f"{mode}，{report['examples']} 例 · examples"
            yield _row("no_answer", scores["no_answer_f1"], over)


def _row(name: str, share: float, over: str) -> str:
    return f"| {WORDS['manners'][name]} | {share:.1%} | {over} |\n"

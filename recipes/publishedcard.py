"""Published figures of bigger models beside this one's; changes when another is told.

Figures stand in published.json with where they are from and why they cannot be compared
as they are; none is from memory.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from recipes.curve import Follow, baseline_of, figure_of

WORDS = json.loads(Path(__file__).with_name("modelcard_words.json").read_text("utf8"))
PUBLISHED = json.loads(Path(__file__).with_name("published.json").read_text("utf8"))


def section(scores: Mapping[str, Any]) -> str:
    """Return the card's table; "" where none of its tasks was scored.

    Args:
        scores: What ``scores.json`` holds.
    """
    rows = [row for task in PUBLISHED for row in _rows(task, scores)]
    if not rows:
        return ""
    words = WORDS["published"]
    head = [
        f"### {words['title']}\n",
        *words["about"],
        "",
        f"| {' | '.join(words['columns'])} |",
        "|---" * len(words["columns"]) + "|",
    ]
    return "\n".join([*head, *rows, "\n"])


def _rows(task: Mapping[str, Any], scores: Mapping[str, Any]) -> Iterator[str]:
    """Yield this model's row, its core's where splits were scored, the others below."""
    follow = Follow("", task["at"], task["score"], tuple(task["sources"]))
    ours, plain = figure_of(follow, scores), baseline_of(follow, scores)
    if ours is None:
        return
    words = WORDS["published"]
    size = f"{scores['parameters'] / 1e6:.1f} M {words['parameters']}"
    told = f"**{100 * ours.value:.1f}**（{ours.over}）"
    if plain is not None:
        told += f"，{words['baseline']} {100 * plain.value:.1f}"
    mine = (words["this"], size, told, "", task["unlike"])
    yield f"| {task['task']} | {' | '.join(mine)} |"
    clean = scores.get("splits", {}).get(task["at"], {})
    if clean.get("model"):
        yield f"| | {words['core']} | | {_mean(clean)} | | {words['core_unlike']} |"
    for one in task["models"]:
        size = one["size"] or words["unknown_size"]
        cells = (one["model"], size, one["figure"], one["source"], one["unlike"])
        yield f"| | {' | '.join(cells)} |"


def _mean(clean: Mapping[str, Any]) -> str:
    """Return the mean over splits: learned where it was, the baseline beside it."""
    *_, learned = clean["model"].values()
    figures = [100 * one["accuracy"] for one in (learned, clean["baseline"])]
    word = WORDS["published"]["baseline"]
    over = f"{clean['splits']} × {clean['examples'] // clean['splits']}"
    return f"**{figures[0]:.1f}**（{over}），{word} {figures[1]:.1f}"

"""The check of overlap as a table; changes when it is told otherwise.

Counts come from ``recipes.overlap_check``, words from the file beside the templates.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

WORDS = json.loads(Path(__file__).with_name("modelcard_words.json").read_text("utf8"))
KINDS = ("lm", "train")  # documents of pretraining, lessons of tasks


def section(path: Path) -> str:
    """Return the card's section; "" where no check was noted.

    Args:
        path: What ``overlap_check.noted`` returned, as JSON; it need not be there.
    """
    if not path.exists():
        return ""
    report = json.loads(path.read_text(encoding="utf8"))
    words = WORDS["overlap"]
    about = (line.format(day=report["checked"]) for line in words["about"])
    head = [f"## {words['title']}\n", *about, "", table(report), ""]
    return "\n".join([*head, *words["after"], "\n"])


def table(report: Mapping[str, Any]) -> str:
    """Return the check as a Markdown table, and what of training it touches."""
    words = WORDS["overlap"]
    rows = [_row(name, one) for name, one in report["sets"].items()]
    touched = [
        f"- {name}: {one['touched']} / {one['documents']}{_by_set(one['by_set'])}"
        for name, one in report["sources"].items()
        if one["touched"]
    ]
    head = f"| {' | '.join(words['columns'])} |"
    line = "|---" * len(words["columns"]) + "|"
    return "\n".join([head, line, *rows, "", words["touched"], "", *touched])


def _row(name: str, one: Mapping[str, Any]) -> str:
    kinds = [one[kind] for kind in KINDS]
    cells = [
        *(_part(kind["touched"], one["long"]) for kind in kinds),
        *(f"{kind['share']:.1%}" for kind in kinds),
        *(_part(kind["mostly"], one["short"]) for kind in kinds),
    ]
    return f"| {name} | {one['texts']} | {one['long']} | {' | '.join(cells)} |"


def _by_set(numbers: Mapping[str, int]) -> str:
    return "（" + "，".join(f"{name} {n}" for name, n in numbers.items()) + "）"


def _part(number: int, whole: int) -> str:
    return f"{number} ({number / whole:.1%})" if whole else "–"

"""Scores against tokens as the card tells them; changes when the card tells otherwise.

Figures come from the history, words from the file beside the templates.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from recipes.curve import (
    BITS,
    FOLLOWED,
    Figure,
    Follow,
    Line,
    Release,
    line_of_the_last,
    line_through,
    points,
)

WORDS = json.loads(Path(__file__).with_name("modelcard_words.json").read_text("utf8"))
SECONDS_PER_HOUR = 3600


def section(history: Sequence[Release]) -> str:
    """Return the card's section; "" for fewer than two releases' tokens."""
    tokens = sorted({one.tokens for one in history})
    if len(tokens) < 2:  # noqa: PLR2004 - one point is no curve
        return ""
    words = WORDS["curve"]
    return "\n".join(
        [
            f"## {words['title']}\n",
            *words["about"],
            "",
            f"| {words['figure']} | " + " | ".join(map(_millions, tokens)) + " |",
            "|---" * (len(tokens) + 1) + "|",
            *(_row(one, points(history, one.name), tokens) for one in FOLLOWED),
            "",
            f"**{words['beyond']}**\n",
            *words["beyond_about"],
            "",
            f"| {words['figure']} | {words['slope']} | {words['misses']} "
            f"| {words['must']} | {words['aim']} |",
            "|---|---|---|---|---|",
            *_extrapolations(history),
            "\n",
        ]
    )


def _row(one: Follow, found: Mapping[int, Figure], tokens: Iterable[int]) -> str:
    cells = (_cell(one, found[n]) if n in found else "" for n in tokens)
    return f"| {WORDS['curve']['names'][one.name]} | {' | '.join(cells)} |"


def _cell(one: Follow, figure: Figure) -> str:
    return f"{_told(one, figure.value)}（{figure.over}）"


def _extrapolations(history: Sequence[Release]) -> Iterable[str]:
    hourly = _tokens_per_hour(history)
    for one in FOLLOWED:
        if one.aim is None:
            continue
        latest = [*points(history, one.name).values()][-1:]
        found = points((row for row in history if not row.part), one.name)
        line = line_through(found)
        lines = [line, line_of_the_last(found)] if line else []
        asked = (
            _asked(one, value, lines, latest, hourly) for value in (one.must, one.aim)
        )
        fitted = ["–", "–"]
        if line:
            unit = "" if one.score == BITS else " pt"
            fitted = [
                f"{_told(one, line.slope, signed=True)}{unit}",
                f"{_told(one, line.residual)}{unit}（{line.points}）",
            ]
        name = WORDS["curve"]["names"][one.name]
        yield f"| {name} | {' | '.join([*fitted, *asked])} |"


def _asked(
    one: Follow,
    value: float | None,
    lines: Sequence[Line | None],
    latest: Sequence[Figure],
    hourly: float,
) -> str:
    """Return a target and what each line says that it would take."""
    words = WORDS["curve"]
    if value is None:
        return ""
    told = _told(one, value)
    better = -1 if one.score == BITS else 1
    if latest and (latest[-1].value - value) * better >= 0:
        return f"{told}：{words['reached']}"
    if not lines:
        return f"{told}：{words['too_few']}"
    reached = (_reached(line, value, better, hourly) for line in lines if line)
    return f"{told}：{' / '.join(reached)}"


def _reached(line: Line, value: float, better: int, hourly: float) -> str:
    """Return where a line meets a value, with the hours at a pace."""
    words = WORDS["curve"]
    if line.slope * better <= 0:
        return str(words["wrong_way"])
    tokens = line.tokens_for(value)
    if tokens is None:
        return str(words["too_far"])
    hours = f"，{tokens / hourly:,.0f} h" if hourly else ""
    return f"{_millions(tokens)}{hours}"


def _tokens_per_hour(history: Sequence[Release]) -> float:
    """Return the pace of the release with most tokens, 0 where it is not known."""
    last = max(history, key=lambda one: one.tokens)
    return last.tokens / last.seconds * SECONDS_PER_HOUR if last.seconds else 0.0


def _told(one: Follow, value: float, *, signed: bool = False) -> str:
    """Return bits as they are and shares in percent."""
    sign = "+" if signed else ""
    if one.score == BITS:
        return f"{value:{sign}.3f}"
    return f"{100 * value:{sign}.1f}"


def _millions(tokens: float) -> str:
    return f"{tokens / 1e6:,.1f} M"

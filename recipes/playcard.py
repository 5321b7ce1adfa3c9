"""The plays' part of the model card: what was trained, how well it plays, examples.

Changes when the card tells another thing about the plays; its words are in the template
beside it, its figures come from the run, the recipe and the reports.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from model_core.roles import formats
from model_core.roles.parts import Parts
from recipes import publishedcard
from recipes.metrics.margins import margin
from recipes.showing import RIGHT, WORTH, WRONG, Shown, best, worst
from recipes.told import Told

TEMPLATE = Path(__file__).with_name("modelcard_plays.md")
LONGEST_ASKED, LONGEST_TOLD = 90, 60
SPLITS = ("splits", "splits_shipped")  # in scores, and in the card's words
WHOLE = 10_000  # of the worst nothing is cut
INDENT, SECONDS, ACCURACY = "    ", "seconds", "accuracy"
WORDS = json.loads(Path(__file__).with_name("modelcard_words.json").read_text("utf8"))


def play_sections(parts: Parts, told: Told, scores: Mapping[str, Any]) -> str:
    """Return the plays' sections of the card.

    Args:
        parts: What the checkpoint was trained to play.
        told: How, and what it says to the showcase.
        scores: ``tasks`` holds by set what ``evaluate_tasks.report_of`` returns,
            ``splits`` and ``splits_shipped`` by set what ``splits_scored.score`` does,
            of the core alone and of these weights.
    """
    return TEMPLATE.read_text(encoding="utf8").format(
        parts="、".join(parts.names),
        heads="、".join(told.heads),
        conditions="、".join(parts.conditions),
        formats=drawn_formats(),
        num_relations=len(parts.relations),
        relations="\n".join(_relations(parts)),
        shares="\n".join(_shares(told.shares)),
        options="\n".join(_options(told.options)),
        published=publishedcard.section(scores),
        scores=_scores(scores.get("tasks", {})),
        splits="".join(_splits(scores.get(name, {}), WORDS[name]) for name in SPLITS),
        examples="\n\n".join(
            f"**{WORDS['titles'][name]}**\n\n{_table(rows)}"
            for name, rows in told.examples.items()
        ),
        worst="\n\n".join(
            f"**{WORDS['titles'][name]}**：{_failed(rows)}"
            for name, rows in told.examples.items()
        ),
    )


def failures(answers: Mapping[str, Sequence[Shown]]) -> str:
    """Return the worst and the best of every set, for whoever trained; not to publish.

    Args:
        answers: By set, every example with what was said to it.
    """
    return "\n\n".join(
        f"## {WORDS['titles'][name]}\n\n{_table(worst(rows))}\n\n{_table(best(rows))}"
        for name, rows in answers.items()
    )


def drawn_formats() -> str:
    """Return the drawing of the formats, as their module draws them."""
    lines = (formats.__doc__ or "").split("\n")
    return "\n".join(
        line.removeprefix(INDENT) for line in lines if line.startswith(INDENT)
    )


def cell(text: str, longest: int) -> str:
    """Return a text as it may stand in a table, cut where it is too long."""
    line = " ".join(text.split()).replace("|", "｜").replace("<", "&lt;")
    return line if len(line) <= longest else line[: longest - 2] + "……"


def _relations(parts: Parts) -> Iterable[str]:
    named: dict[str, list[str]] = defaultdict(list)
    for one in parts.relations:
        named[one.subject_type].append(one.predicate)
    return (f"- {kind}：{'、'.join(names)}" for kind, names in named.items())


def _shares(shares: Mapping[str, float]) -> Iterable[str]:
    whole = sum(shares.values())
    taught = {name: share for name, share in shares.items() if share}
    for name, share in sorted(taught.items(), key=lambda item: -item[1]):
        what, mask, why = WORDS["steps"].get(name, ("", "", ""))
        yield f"| `{name}` | {what} | {mask} | {share / whole:.0%} | {why} |"


def _options(options: Mapping[str, float]) -> Iterable[str]:
    return (
        f"| `{name}` | {value:g} | {WORDS['options'].get(name, '')} |"
        for name, value in options.items()
    )


def _scores(reports: Mapping[str, Mapping[str, Any]]) -> str:
    return "\n\n".join(_scored(name, report) for name, report in reports.items())


def _scored(name: str, report: Mapping[str, Any]) -> str:
    """Return one set's table: a row per mode, the baselines below."""
    task, count, names = report["task"], report["examples"], _names(report)
    baselines = WORDS["baselines"]
    rows = [
        _row(f"**{mode}**", scores, names, scores[SECONDS] / count)
        for mode, scores in report["model"].items()
    ]
    if report["baseline"]:
        rows.append(_row(f"基线 {baselines[task]}", report["baseline"], names))
    for other, scores in report["other_baselines"].items():
        rows.append(_row(f"参照 {baselines[other]}", scores, names))
    head = [
        f"### {WORDS['titles'][name]}（{count} 例 · examples）\n",
        "| | " + " | ".join(names) + " | 秒/例 s each |",
        "|---" * (len(names) + 2) + "|",
    ]
    return "\n".join([*head, *rows, *_error(report), *_sources(report)])


def _error(report: Mapping[str, Any]) -> list[str]:
    """Return a line that says how far accuracies on so few examples may be off."""
    told = {
        mode: 100 * margin(scores[ACCURACY], report["examples"])
        for mode, scores in report["model"].items()
        if ACCURACY in scores
    }
    figures = "，".join(f"{mode} ±{points:.1f}" for mode, points in told.items())
    return ["", f"{WORDS['error']}：{figures}"] if told else []


def _splits(reports: Mapping[str, Mapping[str, Any]], words: Mapping[str, Any]) -> str:
    """Return a table of few-shot means over splits; "" where there are none."""
    if not reports:
        return ""
    millions = ", ".join(
        sorted({f"{one['tokens'] / 1e6:.1f} M" for one in reports.values()})
    )
    about = (line.format(tokens=millions) for line in words["about"])
    head = [
        f"### {words['title']}\n",
        *about,
        "",
        f"| {' | '.join(words['columns'])} |",
    ]
    rows = [row for name, one in reports.items() for row in _means(name, one)]
    return "\n".join([*head, "|---" * len(words["columns"]) + "|", *rows, "\n"])


def _means(name: str, report: Mapping[str, Any]) -> Iterable[str]:
    """Yield a row per mode, the baselines below."""
    baselines = WORDS["baselines"]
    rows = {
        **{f"**{mode}**": (one, mode) for mode, one in report["model"].items()},
        f"基线 {baselines['fewshot']}": (report["baseline"], "baseline"),
        **{
            f"参照 {baselines[other]}": (one, other)
            for other, one in report["other_baselines"].items()
        },
    }
    for title, (one, key) in rows.items():
        told = f"{100 * one['accuracy']:.1f} ± {100 * one['spread']:.1f}"
        each = "、".join(f"{100 * share:.1f}" for share in report["by_split"][key])
        over = f"{report['splits']} × {report['examples'] // report['splits']}"
        yield f"| {name} | {title} | {told} | {each} | {over} |"


def _names(report: Mapping[str, Any]) -> list[str]:
    """Return the names of a report's scores, in their order."""
    first = next(iter(report["model"].values()))
    return [name for name in first if name != SECONDS]


def _row(
    title: str,
    scores: Mapping[str, float],
    names: Sequence[str],
    seconds: float | None = None,
) -> str:
    figures = [f"{100 * scores[n]:.1f}" if n in scores else "" for n in names]
    figures.append("" if seconds is None else f"{seconds:.2f}")
    return f"| {title} | {' | '.join(figures)} |"


def _sources(report: Mapping[str, Any]) -> list[str]:
    """Return a line per data set where there are several, on the score that counts."""
    main = WORTH[report["task"]][0]
    told = {
        source: part
        for source, part in report["by_source"].items()
        if main in _names(part)
    }
    lines = [_source(source, part, main) for source, part in told.items()]
    return ["", f"按来源 · by source, {main}:", "", *lines] if len(lines) > 1 else []


def _source(source: str, part: Mapping[str, Any], main: str) -> str:
    scores = {**part["model"], "基线 baseline": part["baseline"]}
    figures = (f"{name} {100 * one[main]:.1f}" for name, one in scores.items() if one)
    return f"- {source}（{part['examples']} 例）：{'，'.join(figures)}"


def _failed(rows: Sequence[Shown]) -> str:
    """Return how many are right, and the worst of the rest uncut."""
    right = sum(one.worth >= RIGHT for one in rows)
    nothing = sum(one.worth <= WRONG for one in rows)
    told = WORDS["failed"].format(examples=len(rows), right=right, nothing=nothing)
    failed = worst(rows)
    return f"{told}\n\n{_table(failed, WHOLE, WHOLE)}" if failed else told


def _table(
    rows: Sequence[Shown], asked: int = LONGEST_ASKED, told: int = LONGEST_TOLD
) -> str:
    head = "| 输入 asked | 标准 gold | 模型 model | 分 score |\n|---|---|---|---|"
    lines = [
        f"| {cell(one.asked, asked)} | {cell(one.gold, told)} "
        f"| {cell(one.said, told)} | {100 * one.worth:.0f} |"
        for one in rows
    ]
    return "\n".join([head, *lines])

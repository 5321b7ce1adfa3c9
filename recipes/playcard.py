"""The plays' part of the model card: what was trained, how well it plays, examples.

Changes when the card tells another thing about the plays; its words are in the template
beside it, its figures come from the run, the recipe and the reports.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model_core.roles import formats
from model_core.roles.parts import Parts
from recipes.showing import WORTH, Shown, best, worst

TEMPLATE = Path(__file__).with_name("modelcard_plays.md")
SCORES_HEADING, EXAMPLES_HEADING = "## 六出戏的分数", "## 例子"
LONGEST_ASKED, LONGEST_TOLD = 90, 60
INDENT, SECONDS = "    ", "seconds"
WORDS = json.loads(Path(__file__).with_name("modelcard_words.json").read_text("utf8"))


@dataclass(frozen=True, slots=True)
class PlayFacts:
    """What the recipe says of itself.

    Attributes:
        parts: What the checkpoint was trained to play.
        heads: Its heads.
        shares: How often each kind of step came.
        options: Of the words beside the template.
    """

    parts: Parts
    heads: Sequence[str]
    shares: Mapping[str, float]
    options: Mapping[str, float]


def play_sections(
    facts: PlayFacts,
    reports: Mapping[str, Mapping[str, Any]],
    examples: Mapping[str, Sequence[Shown]],
) -> str:
    """Return the plays' sections of the card.

    Args:
        facts: Of the recipe.
        reports: By set, what ``evaluate_tasks.report_of`` returns.
        examples: By set, every example of the showcase in order.
    """
    return TEMPLATE.read_text(encoding="utf8").format(
        parts="、".join(facts.parts.names),
        heads="、".join(facts.heads),
        conditions="、".join(facts.parts.conditions),
        formats=drawn_formats(),
        num_relations=len(facts.parts.relations),
        relations="\n".join(_relations(facts.parts)),
        shares="\n".join(_shares(facts.shares)),
        options="\n".join(_options(facts.options)),
        scores=_scores(reports),
        examples="\n\n".join(
            f"**{WORDS['titles'][name]}**\n\n{_table(rows)}"
            for name, rows in examples.items()
        ),
    )


def rescored(plays: str, reports: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the plays' sections with the scores told anew, all else as it was.

    Args:
        plays: What ``play_sections`` returned once.
        reports: By set, as it takes them.
    """
    _, heading, rest = plays.partition(SCORES_HEADING)
    if not heading:
        return plays
    template = TEMPLATE.read_text(encoding="utf8")
    section = template[
        template.index(SCORES_HEADING) : template.index(EXAMPLES_HEADING)
    ]
    told = rest[: rest.index(EXAMPLES_HEADING)]
    return plays.replace(heading + told, section.format(scores=_scores(reports)))


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
    return "\n".join([*head, *rows, *_sources(report)])


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


def _table(rows: Sequence[Shown]) -> str:
    head = "| 输入 asked | 标准 gold | 模型 model | 分 score |\n|---|---|---|---|"
    lines = [
        f"| {cell(one.asked, LONGEST_ASKED)} | {cell(one.gold, LONGEST_TOLD)} "
        f"| {cell(one.said, LONGEST_TOLD)} | {100 * one.worth:.0f} |"
        for one in rows
    ]
    return "\n".join([head, *lines])

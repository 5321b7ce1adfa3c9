"""What a release measures of its checkpoint, beside the card that tells it.

Changes when a release measures another thing. Runs what the page runs.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any

from model_core.checkpoints.survey import load_config, survey_checkpoint
from model_core.interfaces import SUMMARIZER, TEXT_GENERATOR
from model_core.roles.loaded import LoadedModel
from model_core.training.lineage import Run, total
from recipes import curve, evaluation, manners
from recipes.dev_sets import SHOWCASE, SHOWN_SETS, DevSet, Play, answered, files_of
from recipes.evaluate_tasks import Report, evaluate_task, report_of
from recipes.modelcard import SOURCES
from recipes.showing import Shown, mode_shown, shown
from recipes.tasks_data import read, summary_example

logger = logging.getLogger(__name__)
Examples = dict[str, tuple[Shown, ...]]


@dataclass(frozen=True, slots=True)
class Played:
    """How well the plays go, by set.

    Attributes:
        reports: Scores beside baselines.
        answers: Every development example with what was said to it.
    """

    reports: dict[str, Report] = field(default_factory=dict)
    answers: Examples = field(default_factory=dict)


def written(
    model: LoadedModel, corpus: Path, num_chars: int, poems_per_form: int
) -> dict[str, Any]:
    """Return how well the checkpoint writes freely, with its size."""
    bits = {
        name: evaluation.bits_per_character(
            model, corpus / f"{name}-held.jsonl", num_chars
        )
        for name in SOURCES
    }
    return {
        "parameters": survey_checkpoint(model.folder).num_parameters,
        **bits,
        "poems_per_form": poems_per_form,
        "poems_form": evaluation.poems_that_keep_form(model, poems_per_form),
    }


def played(files: Mapping[DevSet, Path], play: Play, limit: int | None) -> Played:
    """Score every set, telling each when it is done: together they take hours.

    Args:
        files: Of the sets.
        play: From a role to the checkpoint's player of it.
        limit: At most so many examples of each.
    """
    made = Played()
    for one, answers in answered(files, play, limit):
        report = report_of(answers)
        made.reports[one.name] = report
        mode = mode_shown(list(answers.answers))
        made.answers[one.name] = shown(answers, mode)
        logger.info("%s %s", one.name, {k: report[k] for k in ("model", "baseline")})
    return made


def rebased(
    reports: Mapping[str, Mapping[str, Any]], files: Mapping[DevSet, Path]
) -> dict[str, Report]:
    """Return reports with the baselines of today; what the model scored stays.

    Args:
        reports: By set, as ``played`` made them.
        files: Of the sets; every report has one.
    """
    known = {one.name: (one.task, path) for one, path in files.items()}
    return {name: _rebased(report, *known[name]) for name, report in reports.items()}


def showcase(play: Play) -> Examples:
    """Return every example of the showcase with what the checkpoint says to it."""
    return {
        one.name: shown(answers, mode_shown(list(answers.answers)))
        for one, answers in answered(files_of(SHOWCASE, SHOWN_SETS), play)
    }


def behaved(
    play: Play, corpus: Path, files: Mapping[DevSet, Path], amount: manners.Amount
) -> Mapping[str, Any]:
    """Return the checkpoint's manners; numbers where it is scored on summaries.

    Args:
        play: From a role to the checkpoint's player of it.
        corpus: Holds the held-back documents.
        files: Of the sets that the checkpoint is scored on.
        amount: Of what is asked.
    """
    writer: Any = play(TEXT_GENERATOR)
    texts = _summarised(files)
    summarizer: Any = play(SUMMARIZER) if texts else None
    return manners.report(writer, summarizer, corpus, texts, amount)


def numbers_kept(play: Play, files: Mapping[DevSet, Path]) -> Mapping[str, Any]:
    """Return what summaries keep of their sources; nothing without a set of such.

    Args:
        play: From a role to the checkpoint's player of it.
        files: Of the sets that are looked at.
    """
    texts = _summarised(files)
    summarizer: Any = play(SUMMARIZER) if texts else None
    return manners.numbers_kept(summarizer, texts) if texts else {}


def followed(
    history: Path, scores: Mapping[str, Any], folder: Path, released: str
) -> tuple[curve.Release, ...]:
    """Return a history of releases with this one.

    Args:
        history: The file of those before it; it need not be there.
        scores: Of this release.
        folder: Its checkpoint, whose config tells what the weights have seen.
        released: The day.
    """
    training = load_config(folder)["training"]
    own = {part: _seen(runs) for part, runs in training.get("own_weights", {}).items()}
    apart = frozenset(training.get("apart", ()))
    rows = curve.releases_of(scores, released, _seen(training["runs"]), own, apart)
    return reduce(curve.joined, rows, curve.read(history))


def _summarised(files: Mapping[DevSet, Path]) -> list[str]:
    of_summaries = [path for one, path in files.items() if one.task == "summary"]
    return [one.text for path in of_summaries for one in read(path, summary_example)]


def _rebased(report: Mapping[str, Any], task: str, path: Path) -> Report:
    fresh: dict[str, Any] = evaluate_task(task, path, limit=report["examples"])
    by_source = {
        source: {**part, "baseline": fresh["by_source"][source]["baseline"]}
        for source, part in report["by_source"].items()
    }
    told = {name: fresh[name] for name in ("baseline", "other_baselines")}
    return {**report, **told, "by_source": by_source}


def _seen(runs: list[Run]) -> curve.Seen:
    whole = total(runs)
    return curve.Seen(whole["tokens"], whole["seconds"])

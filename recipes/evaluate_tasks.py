"""One evaluation: a task's model and its baseline, scored on the same examples.

Changes when the report has another part. What is right is the scores' own matter.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recipes import baselines
from recipes.asking import ASKS, Ask, AskSettings
from recipes.scoring import SCORES
from recipes.task_files import TaskData, load_task_data

Report = dict[str, object]
Asks = Callable[[TaskData], Mapping[str, Ask]]
Guess = Callable[[TaskData], list[Any] | None]


def _taught(guess: Callable[[Any, Any], list[Any]]) -> Guess:
    """Return a baseline that learns: without train examples it guesses nothing."""
    return lambda data: guess(data.train, data.examples) if data.train else None


BASELINES: dict[str, Guess] = {
    "title": lambda data: baselines.first_sentences(data.examples),
    "triples": _taught(baselines.dictionary_triples),
    "qa": lambda data: baselines.likeliest_sentences(data.examples),
    "kgqa": lambda data: baselines.overlapping_facts(data.facts, data.examples),
    "fewshot": lambda data: baselines.commonest_labels(data.examples),
    "summary": _taught(baselines.first_characters),
}
# What else is worth knowing beside the baseline that weights must beat.
OTHER_BASELINES: dict[str, dict[str, Guess]] = {
    "triples": {"remembered_pairs": _taught(baselines.remembered_triples)},
    "fewshot": {"naive_bayes": _taught(baselines.naive_bayes_labels)},
}


@dataclass(frozen=True, slots=True)
class Answered:
    """What was said to a task's examples.

    Attributes:
        data: The examples.
        answers: A prediction per example, by mode.
        seconds: How long all of them took, by mode.
    """

    data: TaskData
    answers: Mapping[str, Sequence[Any]]
    seconds: Mapping[str, float]


def no_model(_: TaskData) -> Mapping[str, Ask]:
    """Ask nobody: only the baseline is scored."""
    return {}


def asks_of(model: object, settings: AskSettings | None = None) -> Asks:
    """Return what puts a task's examples to a model.

    Args:
        model: Plays the task's role (``recipes.asking.ROLES``).
        settings: How it is asked.
    """
    chosen = settings or AskSettings()
    return lambda data: ASKS[data.task](model, data, chosen)


def evaluate_task(
    task: str,
    input_file: Path,
    asks: Asks = no_model,
    *,
    train: Path | None = None,
    limit: int | None = None,
) -> Report:
    """Score a model, in each of its modes, and the task's baseline.

    Args:
        task: One of ``BASELINES``.
        input_file: JSON lines, or ``.xz`` of such.
        asks: Gives, for the task's data, a function per mode that answers examples.
        train: For the baseline; by default the file beside the input.
        limit: At most so many examples, evenly spaced over the file.

    Returns:
        What ``report_of`` returns.

    Raises:
        ValueError: A file cannot be read as the task's.
        FileNotFoundError: One that the task needs is not there.
    """
    return report_of(answer_task(task, input_file, asks, train=train, limit=limit))


def answer_task(
    task: str,
    input_file: Path,
    asks: Asks = no_model,
    *,
    train: Path | None = None,
    limit: int | None = None,
) -> Answered:
    """Let a model answer a task's examples in each of its modes.

    Args and errors: those of ``evaluate_task``.
    """
    return answer(load_task_data(task, input_file, train, limit), asks)


def answer(data: TaskData, asks: Asks = no_model) -> Answered:
    """Let a model answer what was read, in each of its modes."""
    answers: dict[str, list[Any]] = {}
    seconds: dict[str, float] = {}
    for mode, ask in asks(data).items():
        began = time.perf_counter()
        answers[mode] = ask(data.examples)
        seconds[mode] = round(time.perf_counter() - began, 2)
    return Answered(data, answers, seconds)


def report_of(answered: Answered) -> Report:
    """Score answers, and the task's baseline on the same examples.

    Returns:
        ``task``, ``examples`` (their number), ``model`` (mode to scores, and
        ``seconds``), ``baseline`` (scores, None where it lacks what it learns from),
        ``by_source`` (the same per data set; for ``kgqa`` by whether the question names
        the predicate), ``other_baselines``.
    """
    data, answers = answered.data, answered.answers
    guessed = BASELINES[data.task](data)
    report = _scored(data, range(len(data.examples)), answers, guessed)
    for mode, scores in report["model"].items():
        scores["seconds"] = answered.seconds[mode]
    by_source = {
        source: _scored(data, places, answers, guessed)
        for source, places in _by_source(data).items()
    }
    others = {
        name: SCORES[data.task](data.examples, said)
        for name, guess in OTHER_BASELINES.get(data.task, {}).items()
        if (said := guess(data)) is not None
    }
    return {
        "task": data.task,
        **report,
        "by_source": by_source,
        "other_baselines": others,
    }


def _scored(
    data: TaskData,
    places: Sequence[int],
    answered: Mapping[str, Sequence[Any]],
    guessed: Sequence[Any] | None,
) -> dict[str, Any]:
    """Return the scores of some of the examples."""
    examples = [data.examples[i] for i in places]

    def score(predictions: Sequence[Any]) -> dict[str, float]:
        return SCORES[data.task](examples, [predictions[i] for i in places])

    return {
        "examples": len(examples),
        "model": {mode: score(answers) for mode, answers in answered.items()},
        "baseline": None if guessed is None else score(guessed),
    }


def _by_source(data: TaskData) -> dict[str, list[int]]:
    sources: dict[str, list[int]] = {}
    for place, example in enumerate(data.examples):
        if example.source:
            sources.setdefault(example.source, []).append(place)
    return sources

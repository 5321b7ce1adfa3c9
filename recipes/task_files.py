"""Which files belong to a task's evaluation: its train file, its base, its labels.

Changes when a data folder is laid out differently. Knows no score and no model.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recipes.tasks_data import (
    PARSERS,
    ExampleT,
    KgFact,
    LabelWord,
    kg_fact,
    read,
    read_labels,
)

DEV = "dev"


@dataclass(frozen=True, slots=True)
class TaskData:
    """Everything that an evaluation reads.

    Attributes:
        task: Name of the task.
        examples: To be answered, at least one.
        train: What the baseline, or few-shot learning, may learn from.
        facts: The base of ``kgqa``.
        labels: The labels of ``fewshot``, in display order.
        folder: Name of the folder of the examples, e.g. ``eprstmt``.
    """

    task: str
    examples: tuple[Any, ...]
    train: tuple[Any, ...] = ()
    facts: tuple[KgFact, ...] = ()
    labels: tuple[LabelWord, ...] = ()
    folder: str = ""


def find(folder: Path, name: str) -> Path:
    """Return ``name.jsonl`` of a folder, packed or not.

    Raises:
        FileNotFoundError: Neither is there.
    """
    found = _plain_or_xz(folder / f"{name}.jsonl")
    if found is None:
        raise FileNotFoundError(f"expected {name}.jsonl or {name}.jsonl.xz in {folder}")
    return found


def load_task_data(
    task: str, input_file: Path, train: Path | None = None, limit: int | None = None
) -> TaskData:
    """Read a task's files.

    ``dev_3.jsonl`` finds ``train_3.jsonl`` beside it, a file of another name finds
    none; the base and the labels stand there too, plain or ``.xz``.

    Args:
        task: One of ``PARSERS``.
        input_file: The examples to answer.
        train: The train file; by default the one beside a dev file, if any.
        limit: At most so many examples, evenly spaced over the file.

    Raises:
        ValueError: A task or a number that is not known, a file without examples, or
            one that shall be learned from and scored.
        FileNotFoundError: ``kgqa`` without its base, ``fewshot`` without its labels.
    """
    if task not in PARSERS:
        raise ValueError(f"expected a task of {', '.join(PARSERS)}, received {task!r}")
    beside = input_file.parent
    name = input_file.name.removesuffix(".xz")
    if train and train.resolve() == input_file.resolve():
        raise ValueError(f"expected another train file than the examples: {train}")
    if train is None and name.startswith(DEV):
        train = _plain_or_xz(beside / f"train{name.removeprefix(DEV)}")
    facts = find(beside, "triples") if task == "kgqa" else None
    labels = beside / "labels.json"
    examples = evenly_spaced(read(input_file, PARSERS[task]), limit)
    if not examples:
        raise ValueError(f"expected examples in {input_file}, received none")
    return TaskData(
        task,
        examples,
        read(train, PARSERS[task]) if train else (),
        read(facts, kg_fact) if facts else (),
        read_labels(labels) if task == "fewshot" else (),
        beside.name,
    )


def evenly_spaced(items: Sequence[ExampleT], limit: int | None) -> tuple[ExampleT, ...]:
    """Return at most ``limit`` items, spread over all of them, in order.

    Raises:
        ValueError: A limit below 1.
    """
    if limit is not None and limit < 1:
        raise ValueError(f"expected a limit of at least 1, received {limit}")
    if limit is None or limit >= len(items):
        return tuple(items)
    return tuple(items[i * len(items) // limit] for i in range(limit))


def _plain_or_xz(path: Path) -> Path | None:
    packed = path.with_name(path.name + ".xz")
    return next((found for found in (path, packed) if found.is_file()), None)

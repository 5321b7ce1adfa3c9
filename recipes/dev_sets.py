"""What a release is scored on, and the examples that its card shows.

Changes when a set is added. The showcase was written for this project: a card must not
carry texts of the development files, which are not ours to publish.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from model_core.interfaces import Role
from recipes.asking import ROLES, AskSettings
from recipes.evaluate_tasks import Answered, answer_task, asks_of
from recipes.task_files import find

SHOWCASE = Path(__file__).with_name("showcase")
Play = Callable[[Role[Any]], object]


@dataclass(frozen=True, slots=True)
class DevSet:
    """One file of examples.

    Attributes:
        name: In ``scores.json`` and in the card.
        task: One of ``recipes.evaluate_tasks.BASELINES``.
        folder: Below the data folder.
        file: Without its ending.
        learn: Whether few-shot also learns from the train split beside it.
    """

    name: str
    task: str
    folder: str
    file: str = "dev"
    learn: bool = False


FEWSHOT_SETS = ("eprstmt", "tnews", "ocnli", "bustm")
DEV_SETS = (
    *(DevSet(task, task, task) for task in ("title", "triples", "qa", "kgqa")),
    *(
        DevSet(name, "fewshot", f"fewshot/{name}", "dev_0", learn=True)
        for name in FEWSHOT_SETS
    ),
    DevSet("summary", "summary", "summary"),
)
SHOWN_SETS = tuple(
    replace(one, learn=False) for one in DEV_SETS if one.name not in ("ocnli", "bustm")
)


def files_of(data: Path, sets: tuple[DevSet, ...] = DEV_SETS) -> Mapping[DevSet, Path]:
    """Return the file of every set: what is missing is told before hours of work.

    Raises:
        FileNotFoundError: A set has no file.
    """
    return {one: find(data / one.folder, one.file) for one in sets}


def answered(
    files: Mapping[DevSet, Path], play: Play, limit: int | None = None
) -> Iterator[tuple[DevSet, Answered]]:
    """Yield what a checkpoint says to every set.

    Args:
        files: What ``files_of`` returned.
        play: From a role to the checkpoint's player of it.
        limit: At most so many examples of each, evenly spaced.
    """
    for one, path in files.items():
        asks = asks_of(play(ROLES[one.task]), AskSettings(learn=one.learn))
        yield one, answer_task(one.task, path, asks, limit=limit)

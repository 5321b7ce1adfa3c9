"""A lesson in a process of its own: ``python -m model_core.training.lesson FOLDER``.

Changes when the two processes tell each other something else. The folder holds the
weights and ``lesson.json``; every line of the standard output is a JSON object:
``{"ready": true}``, then ``{"loss": nats}`` for every step, then ``{"done": true}``
when the learned weights lie in ``FOLDER/learned``. The process ends when its standard
input does: who asked for the lesson holds the other end.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from model_core.training.cloze_learner import ClozeExample, ClozeLearning

TASK_FILE = "lesson.json"
LEARNED_FOLDER = "learned"
NICENESS = 10
"""The people who ask come first, the one who teaches second."""

Tell = Callable[[dict[str, Any]], None]


def written(
    examples: Sequence["ClozeExample"], how: "ClozeLearning", max_seconds: float
) -> str:
    """Return the text of ``lesson.json``; ``_lesson_of`` reads it."""
    task = {
        "how": asdict(how),
        "max_seconds": max_seconds,
        "examples": [
            {name: array.tolist() for name, array in asdict(one).items()}
            for one in examples
        ],
    }
    return json.dumps(task)


def give(folder: Path, tell: Tell) -> None:
    """Learn what a folder asks for, and leave the weights in it.

    The time to learn begins with the first step: importing takes what it takes.

    Args:
        folder: Weights and task.
        tell: Takes the messages.
    """
    examples, how, max_seconds = _lesson_of((folder / TASK_FILE).read_text("utf8"))
    from model_core.checkpoints.export import export_weights  # noqa: PLC0415
    from model_core.checkpoints.load import load_network  # noqa: PLC0415
    from model_core.models.network import arrays_by_name  # noqa: PLC0415
    from model_core.training.cloze_learner import learn  # noqa: PLC0415

    loaded = load_network(folder)
    network = loaded.network
    tell({"ready": True})
    started = time.monotonic()
    for loss in learn(network, examples, how):
        tell({"loss": loss})
        if time.monotonic() - started > max_seconds:
            break
    export_weights(
        arrays_by_name(network),
        loaded.config,
        folder / LEARNED_FOLDER,
        heads=tuple(network.heads),
        dtype="float32",
    )
    tell({"done": True})


def _lesson_of(text: str) -> tuple[list["ClozeExample"], "ClozeLearning", float]:
    import numpy as np  # noqa: PLC0415 - the framework: after the process is polite

    from model_core.training.cloze_learner import (  # noqa: PLC0415
        ClozeExample,
        ClozeLearning,
    )

    task = json.loads(text)
    examples = [
        ClozeExample(**{name: np.asarray(ids, "int32") for name, ids in one.items()})
        for one in task["examples"]
    ]
    return examples, ClozeLearning(**task["how"]), float(task["max_seconds"])


def _voice() -> Tell:
    """Return what writes messages; whatever else is printed goes to the errors."""
    own = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def tell(message: dict[str, Any]) -> None:
        own.write(json.dumps(message) + "\n")
        own.flush()

    return tell


def _leave_when_nobody_listens() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


def main() -> None:
    """Give the lesson of the folder that the command line names."""
    tell = _voice()
    if hasattr(os, "nice"):  # the threads of the framework inherit it
        os.nice(NICENESS)
    threading.Thread(target=_leave_when_nobody_listens, daemon=True).start()
    give(Path(sys.argv[1]), tell)
    sys.stderr.flush()
    os._exit(0)  # the interpreter's own end waits for the framework's threads


if __name__ == "__main__":
    main()

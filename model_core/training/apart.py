"""Learning beside the serving: in a process of its own where this one cannot learn.

Changes when a lesson is asked for, watched or ended in another way. Messages are JSON
lines and weights safetensors: nothing that is read here can run anything.
"""

import importlib.util
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

import keras

from model_core.checkpoints.export import export_weights
from model_core.checkpoints.load import load_network
from model_core.interfaces import ModelError
from model_core.models.network import Network, arrays_by_name
from model_core.training import gradients, lesson
from model_core.training.cloze_learner import (
    ClozeExample,
    ClozeLearning,
    Taught,
    learn_here,
)

TEACHERS = ("tensorflow", "jax", "torch")
"""Backends with gradients, the first that is installed teaches."""
LOOK_SECONDS = 0.2
ROOT = Path(__file__).resolve().parents[2]
SHOWN_CHARS = 500

LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a lesson's process may be silent, in seconds.

    Attributes:
        start: Until it is ready: a framework is imported.
        step: After the time to learn, until it is done: the last step, and writing.
    """

    start: float = 240.0
    step: float = 60.0


def learn_on_copy(
    network: Network,
    examples: Sequence[ClozeExample],
    how: ClozeLearning,
    max_seconds: float,
) -> Generator[Taught, None, None]:
    """Teach a copy of a network, here or in another process; see ``Taught``.

    Closing the generator ends the lesson at once.

    Args:
        network: Only read.
        examples: At least one.
        how: Rates and sizes.
        max_seconds: When to stop before all steps are made.

    Raises:
        ModelError: Nothing here can learn, or the process ended early.
    """
    if keras.backend.backend() in gradients.BACKENDS:
        return learn_here(network, examples, how, max_seconds)
    return learn_apart(network, examples, how, max_seconds, command_of(teacher()))


def teacher() -> str:
    """Return the backend that other processes learn with.

    Raises:
        ModelError: ``unsupported``; none is installed.
    """
    for name in TEACHERS:
        if importlib.util.find_spec(name) is not None:
            return name
    raise ModelError(
        "unsupported",
        "这里没有能学习的框架；请安装 tensorflow（pip install tensorflow）后重试。"
        "不给示例时照常可用。",
        "No framework that learns is installed here: pip install tensorflow, then try "
        "again. Without examples everything works.",
    )


@dataclass(frozen=True, slots=True)
class Command:
    """How a lesson's process is started; the lesson's folder comes last.

    Attributes:
        words: Program and arguments.
        backend: Its ``KERAS_BACKEND``.
    """

    words: tuple[str, ...]
    backend: str


def command_of(backend: str) -> Command:
    """Return the command of a real lesson."""
    return Command((sys.executable, "-m", lesson.__name__), backend)


def learn_apart(
    network: Network,
    examples: Sequence[ClozeExample],
    how: ClozeLearning,
    max_seconds: float,
    command: Command,
    patience: Patience | None = None,
) -> Generator[Taught, None, None]:
    """Teach in another process; see ``learn_on_copy``.

    While that is busy the same looks come again, a few every second, so that who
    watches can leave.

    Args:
        network: Only read.
        examples: At least one.
        how: Rates and sizes.
        max_seconds: Of learning; starting the process comes on top.
        command: Starts the process.
        patience: With a silent process.
    """
    with TemporaryDirectory(prefix="maskplay-lesson-") as made:
        folder = Path(made)
        heads = tuple(network.heads)
        weights = arrays_by_name(network)
        export_weights(weights, network.config, folder, heads=heads, dtype="float32")
        del weights
        task = lesson.written(examples, how, max_seconds)
        (folder / lesson.TASK_FILE).write_text(task, "utf8")
        losses: tuple[float, ...] = ()
        with _Teacher(command, folder) as there:
            for message in there.messages(max_seconds, patience or Patience()):
                if "loss" in message:
                    losses = (*losses, float(message["loss"]))
                if "done" not in message:
                    yield Taught(losses)
        learned = load_network(
            folder / lesson.LEARNED_FOLDER,
            heads=heads,
            dtype=network.dtype_policy.name,
        )
        yield Taught(losses, learned.network)


class _Teacher:
    """A lesson's process, killed when it is left.

    Args:
        command: Starts it.
        folder: Of the lesson; takes what it complains about.
    """

    def __init__(self, command: Command, folder: Path) -> None:
        self._command = command
        self._folder = folder
        self._heard: SimpleQueue[bytes] = SimpleQueue()

    def __enter__(self) -> Self:
        environment = {
            **os.environ,
            "KERAS_BACKEND": self._command.backend,
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        with (self._folder / "errors.txt").open("wb") as errors:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                [*self._command.words, str(self._folder)],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        threading.Thread(target=self._hear, name="lesson", daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def messages(
        self, max_seconds: float, patience: Patience
    ) -> Generator[dict[str, Any], None, None]:
        """Yield what it says up to ``done``, and ``{}`` where it is silent.

        Raises:
            ModelError: It ended, or was silent for too long.
        """
        deadline = time.monotonic() + patience.start
        while True:
            message = self._next()
            if "ready" in message:
                deadline = time.monotonic() + max_seconds + patience.step
            yield message
            if "done" in message:
                return
            if time.monotonic() > deadline:
                raise self._failure("too slow")

    def _hear(self) -> None:
        pipe = self._process.stdout
        if pipe is not None:
            for line in pipe:
                self._heard.put(line)
        self._heard.put(b"")

    def _next(self) -> dict[str, Any]:
        try:
            line = self._heard.get(timeout=LOOK_SECONDS)
        except Empty:
            return {}
        if not line:
            raise self._failure(f"exit status {self._process.wait()}")
        message: dict[str, Any] = json.loads(line)
        return message

    def _failure(self, reason: str) -> ModelError:
        complaint = (self._folder / "errors.txt").read_text("utf8", "replace")
        LOGGER.warning("a lesson failed (%s): %s", reason, complaint[-SHOWN_CHARS:])
        return ModelError(
            "internal",
            f"学习的进程提前结束了（{reason}），没有学成，详情在日志里；原来的权重照常"
            "可用。请重试，或减少示例、步数。",
            f"The process that learns ended early ({reason}) and nothing was learned; "
            "the log has the details. The weights answer as before: try again, or "
            "give fewer examples or steps.",
        )

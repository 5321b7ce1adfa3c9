"""A visitor's file of questions to a file of answers: checked, bounded, line by line.

Changes when the page's rules for files change. What a line means lies in
``demos.batch``, how files are read and written in ``demos.files``; knows no component
and no single task.
"""

import math
import secrets
import shutil
import threading
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from app.aside import Aside
from app.file_options import brought_of, checked_options, option_input, options_of
from app.metrics import DeadlineError
from app.runs import timely
from app.shelf import Shelf, await_following
from app.wiring import WEIGHTS, WEIGHTS_LABEL, WEIGHTS_LENGTH
from demos.batch import (
    answer_group,
    answer_steps,
    columns_of,
    grouped,
    has_failed,
    num_unmet,
)
from demos.errors import FileError
from demos.files import reading, writing
from demos.files.bases import read_base, sample_base
from demos.files.reading import InputFile, open_input
from demos.files.writing import OutputFile, open_output
from demos.limits import LATER, Advice, Label, OneOf, advice_of
from demos.qa.facts_held import HeldBase
from demos.tasks import AnyTask

MEGABYTE = 1 << 20  # as gradio counts
MAX_BYTES = 5 * MEGABYTE
MAX_LINES = 2_000
PREVIEW_LINES = 20
PORTION_LINES = 8  # answered together: as many as Stop may lose
PORTIONS = 4  # computed at once, those that nobody waits for any more among them
SLOTS_PER_FILE = 6  # one of so many may answer a file
REQUESTS_PER_FILE = 30  # a file may compute for as long as so many requests
KEPT_SECONDS = 3600.0  # how long an output can be downloaded
NAME_CHARS = 80
INPUT_TYPES = tuple(reading.FORMATS)
OUTPUT_TYPES = tuple(kind.removeprefix(".") for kind in writing.FORMATS)
OUTPUT_FOLDER = "answers-"

TASK_LABEL = Label("任务", "Task", "每一行问什么", "what every line asks")
TYPE_LABEL = Label("输出格式", "Output format", "UTF-8", "")

Record = Mapping[str, object]


@dataclass(slots=True, eq=False)
class Batch:
    """One file on its way: the same object in every frame, as the file grows alike.

    Attributes:
        task: What every line asks.
        source: The questions.
        target: The answers so far.
        num_lines: Lines of the source.
        done: Lines answered.
        failed: Lines among them that hold an error.
        preview: The first records.
        beginning: What is done before the first line and how far it is, "" once the
            lines are being answered.
    """

    task: AnyTask
    source: InputFile
    target: OutputFile
    num_lines: int
    done: int = 0
    failed: int = 0
    preview: list[Record] = field(default_factory=list)
    beginning: str = ""

    @property
    def finished(self) -> bool:
        """Whether every line has its answer."""
        return self.done == self.num_lines

    def add(self, record: Record) -> None:
        """Count one answered line."""
        self.done += 1
        self.failed += has_failed(record)
        if len(self.preview) < PREVIEW_LINES:
            self.preview.append(record)


@dataclass(frozen=True, slots=True)
class FileQuestion:
    """What the file tab asks: every line of a file, of one of the tasks.

    Attributes:
        shelf: The models.
        tasks: What can be asked, by name.
        folder: Where uploads arrive and outputs are written.
        line_seconds: How long one line may compute.
        seats: How many files may be on their way at once.
        portions: Threads for lines that are answered together.
    """

    shelf: Shelf
    tasks: Mapping[str, AnyTask]
    folder: Path
    line_seconds: float
    seats: threading.BoundedSemaphore
    portions: Aside = field(default_factory=lambda: Aside("portion", PORTIONS))
    name: str = "files"
    advice: Advice = LATER

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs: what every task can be given once, then ``weights``."""
        options = (
            option_input(task, name)
            for task in self.tasks.values()
            for name in (*options_of(task), *brought_of(task))
        )
        return ("upload", "task", "output_type", *options, WEIGHTS)

    @property
    def seconds(self) -> float:
        """No limit of a single request: a line has one of its own, and the file has."""
        return math.inf

    def num_tokens(self, _batch: Batch) -> int:
        """Return 0: records do not tell."""
        return 0

    def frames(self, values: Sequence[Any]) -> Generator[Batch | None, None, None]:
        """Check the values, then yield the file's state after every step.

        Args:
            values: One per input, straight from the visitor.

        Raises:
            DemoError: The file or an option cannot be used.
            ModelError: The weights cannot be had.
        """
        given = dict(zip(self.inputs, values, strict=True))
        OneOf(tuple(self.tasks)).check(TASK_LABEL, given["task"])
        OneOf(OUTPUT_TYPES).check(TYPE_LABEL, given["output_type"])
        WEIGHTS_LENGTH.check(WEIGHTS_LABEL, given[WEIGHTS])
        task = self.tasks[given["task"]]
        options = checked_options(task, given)
        with self._seat(task):
            sweep(self.folder, KEPT_SECONDS)
            source = received(self.folder, given["upload"])
            options |= self._brought(task, given)
            batch = open_batch(task, source, self.folder, given["output_type"])
            yield batch
            model = yield from await_following(
                self.shelf,
                task.role,
                given[WEIGHTS],
                lambda model: num_unmet(task, batch.source.lines(), options, model),
            )
            player = task.prepare(model)
            yield from self._begun(batch, player, options)
            yield from self._answered(batch, player, options)

    @contextmanager
    def _seat(self, task: AnyTask) -> Iterator[None]:
        """Keep a place for single questions, whoever brings files."""
        if not self.seats.acquire(blocking=False):
            raise FileError(
                f"正有别的文件在作答，请稍后再试，或在终端里做：{command(task)}。",
                "Another file is being answered: try again in a while, or use the "
                f"terminal: {command(task)}.",
            )
        try:
            yield
        finally:
            self.seats.release()

    def _brought(self, task: AnyTask, given: Mapping[str, Any]) -> dict[str, HeldBase]:
        """Return what the files beside the questions hold; the sample without one."""
        claims = {name: given[option_input(task, name)] for name in brought_of(task)}
        return {name: self._base(task, claim) for name, claim in claims.items()}

    def _base(self, task: AnyTask, claim: object) -> HeldBase:
        if not claim:
            return sample_base()
        path = received(self.folder, claim)
        check_size(task, path.stat().st_size)
        return read_base(path, path.name)

    def _begun(
        self, batch: Batch, player: object, options: Mapping[str, object]
    ) -> Iterator[Batch]:
        """Yield the file's state while what comes before its first line is done."""
        with closing(batch.task.begin(options, player)) as steps:
            try:
                for so_far in steps:
                    batch.beginning = so_far
                    yield batch
            finally:
                batch.beginning = ""

    def _answered(
        self, batch: Batch, model: object, options: Mapping[str, object]
    ) -> Iterator[Batch]:
        """Yield the file's state after every step, each record written as it comes."""
        together = batch.task.run_many is not None
        answer = self._portions if together else self._lines
        with batch.target.start(overwrite=False) as output:
            for record in answer(batch, model, options):
                if record is not None:
                    output.write(batch.target.line(record))
                    output.flush()
                    batch.add(record)
                yield batch

    def _lines(
        self, batch: Batch, model: object, options: Mapping[str, object]
    ) -> Iterator[Record | None]:
        """Answer one line after the other; Stop acts at every step."""

        def run(request: Any, model: Any) -> Iterator[Any]:
            frames = batch.task.run(request, model)
            return timely(frames, self.line_seconds, advice_of(type(request)))

        task, end = replace(batch.task, run=run), self._end()
        for line in batch.source.lines():
            check_time(batch, end)
            yield from answer_steps(task, line, model, options)

    def _portions(
        self, batch: Batch, model: object, options: Mapping[str, object]
    ) -> Iterator[Record | None]:
        """Answer several lines at once; Stop waits for none of them."""
        end = self._end()
        for group in grouped(batch.source.lines(), PORTION_LINES):
            check_time(batch, end)
            records = answer_group(batch.task, group, model, options)
            yield from (yield from self.portions.take(partial(list, records), None))

    def _end(self) -> float:
        return time.monotonic() + REQUESTS_PER_FILE * self.line_seconds


def seats_for(slots: int) -> threading.BoundedSemaphore:
    """Return the places for files, which may take an hour: the others are people's."""
    return threading.BoundedSemaphore(max(1, slots // SLOTS_PER_FILE))


def received(folder: Path, claim: object) -> Path:
    """Return the uploaded file that the page's component names.

    Args:
        folder: Where uploads arrive: nothing outside it is ever read.
        claim: The component's value, straight from the visitor.

    Raises:
        FileError: There is none.
    """
    if not claim:
        raise FileError("请先选一个文件。", "Choose a file first.")
    path = claim.get("path") if isinstance(claim, dict) else None
    with suppress(OSError, TypeError, ValueError):
        found = Path(str(path)).resolve()
        if found.is_file() and found.is_relative_to(folder.resolve()):
            return found
    raise FileError(
        "上传的文件已经不在了，请重新选择。",
        "The uploaded file is gone: choose it again.",
    )


def open_batch(task: AnyTask, source: Path, folder: Path, output_type: str) -> Batch:
    """Look at a file of questions and choose the place of its answers.

    Raises:
        FileError: It is too large, no text, empty, or lacks what the task needs.
    """
    check_size(task, source.stat().st_size)
    questions = open_input(source, task.text_field)
    check_text(source)
    num_lines, names = questions.survey(MAX_LINES + 1)
    check_lines(task, num_lines)
    place = folder / f"{OUTPUT_FOLDER}{secrets.token_hex(16)}"
    place.mkdir(parents=True)
    name = f"{source.stem[:NAME_CHARS]}-{task.name}.{output_type}"
    target = open_output(place / name, columns_of(task, names), marked=True)
    return Batch(task, questions, target, num_lines)


def check_size(task: AnyTask, num_bytes: int) -> None:
    """Refuse a file that is too large for a page."""
    if num_bytes > MAX_BYTES:
        got, most = f"{num_bytes / MEGABYTE:.1f} MB", f"{MAX_BYTES // MEGABYTE} MB"
        raise FileError(
            f"网页上的文件最大 {most}，收到 {got}；更大的请在终端里做："
            f"{command(task)}。",
            f"A file on this page may have {most}, got {got}; for larger ones use the "
            f"terminal: {command(task)}.",
        )


def check_text(path: Path) -> None:
    """Refuse what is no text: only a binary file holds a NUL."""
    if b"\0" in path.read_bytes():
        known = "、".join(INPUT_TYPES), ", ".join(INPUT_TYPES)
        raise FileError(
            f"{path.name} 不是文本文件；可用 UTF-8 或 GBK 的 {known[0]}。",
            f"{path.name} is no text file: use {known[1]} in UTF-8 or GBK.",
        )


def check_lines(task: AnyTask, num_lines: int) -> None:
    """Refuse a file without lines, or with too many for a page."""
    if not num_lines:
        raise FileError(
            "文件里没有一行可答；请放入至少一行。",
            "The file has no line to answer: give it at least one.",
        )
    if num_lines > MAX_LINES:
        raise FileError(
            f"网页上的文件最多 {MAX_LINES} 行，这个更多；请在终端里做："
            f"{command(task)}。",
            f"A file on this page may have {MAX_LINES} lines, and this one has more; "
            f"use the terminal: {command(task)}.",
        )


def check_time(batch: Batch, end: float) -> None:
    """Refuse another line when the time of a whole file is up."""
    if time.monotonic() > end:
        raise DeadlineError(
            f"一个文件的限时到了，停在第 {batch.done} 行；已答的可以下载，"
            f"其余可在终端里接着做：{command(batch.task)} --resume。",
            f"The time for one file is up after line {batch.done}; download what is "
            f"there and continue in the terminal: {command(batch.task)} --resume.",
        )


def command(task: AnyTask) -> str:
    """Return what to type in a terminal for a file of any size."""
    return f"python -m demos {task.name} --input FILE --output FILE"


def sweep(folder: Path, seconds: float) -> None:
    """Delete the outputs that nobody has touched for so long."""
    oldest = time.time() - seconds
    for place in folder.glob(f"{OUTPUT_FOLDER}*"):
        with suppress(OSError):
            if max(part.stat().st_mtime for part in (place, *place.iterdir())) < oldest:
                shutil.rmtree(place)

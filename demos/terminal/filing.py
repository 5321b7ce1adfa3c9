"""A file of questions to a file of answers: plan first, then one line after another.

Changes when the rules of a batch's files change.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tqdm import tqdm

from demos.batch import Line, answer_lines, columns_of, echo_of, has_failed
from demos.errors import FileError
from demos.files.reading import InputFile, open_input
from demos.files.writing import OutputFile, check_absent, check_named, open_output
from demos.tasks import AnyTask
from demos.terminal.arguments import Command

SECONDS_BETWEEN_BARS = 0.2
SECONDS_BETWEEN_LOG_LINES = 10.0  # where the bar does not move but is written again


@dataclass(slots=True)
class Progress:
    """How far a batch has come.

    Attributes:
        done: Lines answered, those of earlier runs included.
        failed: Lines among them that hold an error.
        end: Bytes of the output that earlier runs wrote and that are kept.
    """

    done: int = 0
    failed: int = 0
    end: int = 0

    def count(self, record: Mapping[str, object]) -> None:
        """Add one answered line."""
        self.done += 1
        self.failed += has_failed(record)


@dataclass(frozen=True, slots=True)
class Plan:
    """A batch whose files have been looked at.

    Attributes:
        source: The questions.
        target: The answers.
        num_lines: Lines of the source.
        progress: Where to begin; moves on while the batch runs.
        continues: Whether the target is continued.
    """

    source: InputFile
    target: OutputFile
    num_lines: int
    progress: Progress
    continues: bool

    @property
    def finished(self) -> bool:
        """Whether every line has its answer."""
        return self.continues and self.progress.done == self.num_lines


def plan_batch(command: Command, input_path: Path, output_path: Path) -> Plan:
    """Look at both files; write nothing.

    Raises:
        FileError: One of them cannot be used as asked.
    """
    task = command.task
    source = open_input(input_path, task.text_field)
    _check_different(input_path, output_path)
    check_named(output_path)
    continues = command.resume and output_path.exists()
    if not continues and not command.overwrite:
        check_absent(output_path)
    num_lines, names = source.survey()
    target, progress = open_output(output_path, columns_of(task, names)), Progress()
    if continues:
        target, progress = as_begun(task, source, target)
    return Plan(source, target, num_lines, progress, continues)


def as_begun(
    task: AnyTask, source: InputFile, target: OutputFile
) -> tuple[OutputFile, Progress]:
    """Return an interrupted output file as it was begun, and how far it has come.

    It goes on as it was begun, so that its cells are read alike from end to end.

    Raises:
        FileError: One of its lines is no answer to the same line of the source.
    """
    likeliest, *others = target.begun()
    try:
        return likeliest, kept_progress(task, source, likeliest)
    except FileError:
        for other in others:
            with suppress(FileError):
                return other, kept_progress(task, source, other)
        raise


def kept_progress(task: AnyTask, source: InputFile, target: OutputFile) -> Progress:
    """Return how far an interrupted output file has come.

    Raises:
        FileError: One of its lines is no answer to the same line of the source.
    """
    kept = target.kept()
    _, end = next(kept)
    progress = Progress(end=end)
    lines = source.lines()
    for record, end in kept:
        line = next(lines, None)
        if line is None or not _answers(task, target, line, record):
            raise _mismatch(target.path, source.path, progress.done + 1)
        progress.count(record)
        progress.end = end
    return progress


def run_batch(command: Command, plan: Plan, model: object, terminal: IO[str]) -> None:
    """Answer every line that has no answer yet, each written as it comes.

    Args:
        command: Task and options.
        plan: The files; its progress moves on.
        model: What the task's role hands out.
        terminal: Where the progress bar goes.

    Raises:
        FileError: The output cannot be written.
    """
    progress = plan.progress
    records = answer_lines(
        command.task, plan.source.lines(), model, command.options, done=progress.done
    )
    with _open(command, plan) as output, _bar(command, plan, terminal) as bar:
        for record in records:
            output.write(plan.target.line(record))
            output.flush()
            progress.count(record)
            bar.set_postfix({"失败 failed": progress.failed}, refresh=False)
            bar.update()


def _open(command: Command, plan: Plan) -> IO[str]:
    if plan.continues:
        return plan.target.resume(plan.progress.end)
    return plan.target.start(overwrite=command.overwrite)


def _bar(command: Command, plan: Plan, terminal: IO[str]) -> "tqdm[Iterator[object]]":
    pause = SECONDS_BETWEEN_BARS if terminal.isatty() else SECONDS_BETWEEN_LOG_LINES
    return tqdm(
        total=plan.num_lines,
        initial=plan.progress.done,
        desc=command.task.name,
        file=terminal,
        mininterval=pause,
        dynamic_ncols=True,
    )


def _answers(
    task: AnyTask, target: OutputFile, line: Line, record: Mapping[str, object]
) -> bool:
    show = target.format.show
    return all(
        record.get(name) == show(value) or (value in (None, "") and name not in record)
        for name, value in echo_of(task, line).items()
        if name not in task.added_fields
    )


def _check_different(input_path: Path, output_path: Path) -> None:
    if output_path.exists() and output_path.samefile(input_path):
        raise FileError(
            f"输入与输出是同一个文件 {input_path}，请换一个输出文件。",
            f"Input and output are the same file, {input_path}: choose another output.",
        )


def _mismatch(target: Path, source: Path, number: int) -> FileError:
    return FileError(
        f"无法续写 {target}：第 {number} 行不是 {source} 第 {number} 行的答案。",
        f"{target} cannot be resumed: line {number} is no answer to line {number} of "
        f"{source}.",
    )

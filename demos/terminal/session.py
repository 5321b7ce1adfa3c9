"""From arguments to an exit status: the order of things, and what each failure means.

Changes when an exit status is added. Composes nothing: the shelf comes from outside.
"""

import contextlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import IO

from demos.errors import DemoError
from demos.tasks import EVERY_TASK, AnyTask, Shelf
from demos.terminal.answering import build_request, print_answer
from demos.terminal.arguments import Command, Weights, parse
from demos.terminal.filing import Plan, plan_batch, run_batch
from model_core.interfaces import ModelError, ModelState

DONE, SOME_FAILED, REFUSED, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 130, 141
SECONDS_BETWEEN_LOOKS = 2.0
MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Streams:
    """Standard input, output and error."""

    input: IO[bytes] = field(default_factory=lambda: sys.stdin.buffer)
    output: IO[str] = field(default_factory=lambda: sys.stdout)
    error: IO[str] = field(default_factory=lambda: sys.stderr)

    def tell(self, sentence: object) -> None:
        """Write one sentence to the person, apart from the answer."""
        self.error.write(f"{sentence}\n")
        self.error.flush()


def run(
    arguments: Sequence[str],
    open_shelf: Callable[[Weights], Shelf],
    streams: Streams,
    tasks: dict[str, AnyTask] = EVERY_TASK,
) -> int:
    """Do what the arguments ask and return the exit status.

    Args:
        arguments: Without the program's name.
        open_shelf: Builds the shelf that holds the models; called when one is needed.
        streams: Where to read and write.
        tasks: What can be asked.

    Returns:
        0, or 1 where a line failed, 2 where nothing could be done as asked, 130 after
        Ctrl-C, 141 where nobody reads the output any more.
    """
    command = parse(arguments, tasks)
    try:
        return _answer(command, open_shelf, streams)
    except (DemoError, ModelError) as error:
        streams.tell(error)
        return REFUSED
    except BrokenPipeError:
        return PIPE_CLOSED
    except KeyboardInterrupt:
        return INTERRUPTED


def _answer(
    command: Command, open_shelf: Callable[[Weights], Shelf], streams: Streams
) -> int:
    if command.input_path is not None and command.output_path is not None:
        plan = plan_batch(command, command.input_path, command.output_path)
        return _answer_file(command, plan, open_shelf, streams)
    request = build_request(command, streams.input)
    with contextlib.closing(open_shelf(command.weights)) as shelf:
        model = wait_for_model(shelf, command, streams)
        try:
            print_answer(command, request, model, streams.output)
        except ModelError as error:
            streams.tell(error)
            return SOME_FAILED
    return DONE


def _answer_file(
    command: Command,
    plan: Plan,
    open_shelf: Callable[[Weights], Shelf],
    streams: Streams,
) -> int:
    if plan.source.encoding == "gb18030":
        streams.tell(f"{plan.source.path}：按 GB18030 读取。 / Read as GB18030.")
    try:
        if not plan.finished:
            with contextlib.closing(open_shelf(command.weights)) as shelf:
                model = wait_for_model(shelf, command, streams)
                run_batch(command, plan, model, streams.error)
    except KeyboardInterrupt:
        streams.tell(
            f"{_so_far(plan, '已停止', 'Stopped')} --resume 可接着做。 / "
            "Go on with --resume."
        )
        raise
    streams.tell(_so_far(plan, "完成", "Done"))
    return SOME_FAILED if plan.progress.failed else DONE


def _so_far(plan: Plan, zh: str, en: str) -> str:
    done, failed = plan.progress.done, plan.progress.failed
    total, path = plan.num_lines, plan.target.path
    return (
        f"{zh}：{done}/{total} 行已写入 {path}，{failed} 行失败。 / "
        f"{en}: {done} of {total} lines written, {failed} failed."
    )


def wait_for_model(shelf: Shelf, command: Command, streams: Streams) -> object:
    """Return the task's model, telling how far it is while it loads.

    Raises:
        ModelError: It cannot be had.
    """
    name, told = command.weights.name, ""
    while True:
        try:
            return command.task.prepare(
                shelf.model(
                    command.task.role, name, timeout_seconds=SECONDS_BETWEEN_LOOKS
                )
            )
        except ModelError as error:
            if error.kind != "not_ready":
                raise
        if (coming := _coming(shelf)) != told:
            streams.tell(f"等待权重 / Waiting for weights: {coming}")
        told = coming


def _coming(shelf: Shelf) -> str:
    return "; ".join(
        f"{state.title} {state.status} {_megabytes(state)}".rstrip()
        for state in shelf.states()
        if state.status in ("waiting", "downloading", "loading")
    )


def _megabytes(state: ModelState) -> str:
    done, total = state.downloaded_bytes / MEGABYTE, state.total_bytes / MEGABYTE
    return f"{done:.0f} / {total:.0f} MB" if total else ""

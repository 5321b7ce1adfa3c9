"""Many questions, one answer each, in order: values in, values out.

Changes when the meaning of a batch changes. Knows no file: reading and writing lie in
``demos.files``; the terminal and the page's file tab put them around this.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

from demos.errors import DemoError
from demos.limits import names_of
from demos.records import request_from
from demos.tasks import AnyTask
from model_core.interfaces import ModelError

ResultT = TypeVar("ResultT")

ERROR_FIELD = "error"
GROUP_LINES = 32  # lines that a model may answer together


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an input file.

    Attributes:
        fields: Its values by field name, repeated in the output; empty where the line
            could not be read.
        blank: Names of fields that stand for nothing given: a table's empty cells.
        fault: Why it could not be read.
        is_empty: Whether nothing at all stands on it.
    """

    fields: Mapping[str, object] = field(default_factory=dict)
    blank: frozenset[str] = frozenset()
    fault: DemoError | None = None
    is_empty: bool = False

    @property
    def given(self) -> dict[str, object]:
        """The fields that the request is built from."""
        return {n: value for n, value in self.fields.items() if n not in self.blank}


def answer_lines(
    task: AnyTask,
    lines: Iterable[Line],
    model: object,
    options: Mapping[str, object],
    *,
    done: int = 0,
) -> Iterator[dict[str, object]]:
    """Yield one record per line, in order, whatever happens to a line.

    Args:
        task: What is asked.
        lines: The questions.
        model: What the task's role hands out.
        options: Values for the fields that a line does not give itself.
        done: Lines at the start that have their records already. A portion that
            begins among them is computed whole: to the last digit, an answer may
            depend on those beside it.

    Yields:
        The line's own fields and the answer's, or the fields and ``error``.
    """
    if task.run_many is None:
        for line in islice(lines, done, None):
            yield answer_line(task, line, model, options)
        return
    known = done % GROUP_LINES
    for group in grouped(islice(lines, done - known, None), GROUP_LINES):
        yield from islice(answer_group(task, group, model, options), known, None)
        known = 0


def answer_group(
    task: AnyTask, lines: Sequence[Line], model: object, options: Mapping[str, object]
) -> Iterator[dict[str, object]]:
    """Yield one record per line, in order; the model answers all of them together.

    A line that cannot be asked, or whose answer fails, has its own ``error``.
    """
    asked = [_request_of(task, line, options) for line in lines]
    requests = [one for one in asked if not isinstance(one, DemoError)]
    answers = _answers(task, requests, model)
    for line, one in zip(lines, asked, strict=True):
        result = one if isinstance(one, DemoError) else next(answers)
        yield _record_of(task, line, result)


def answer_line(
    task: AnyTask, line: Line, model: object, options: Mapping[str, object]
) -> dict[str, object]:
    """Return the record of one line: see answer_lines."""
    (record,) = filter(None, answer_steps(task, line, model, options))
    return record


def answer_steps(
    task: AnyTask, line: Line, model: object, options: Mapping[str, object]
) -> Iterator[dict[str, object] | None]:
    """Yield None after every step of one line's answer, at last its record.

    For those who may stop between two steps: see answer_lines.
    """
    echo, results = echo_of(task, line), deque[Any](maxlen=1)
    try:
        if line.fault is not None:
            raise line.fault
        request = request_from(task.request_type, line.given, options)
        for result in task.run(request, model):
            results.append(result)
            yield None
        answer = task.to_record(last(results))
    except (DemoError, ModelError) as error:
        yield {**echo, ERROR_FIELD: str(error)}
    else:
        yield {**echo, **{name: answer[name] for name in task.added_fields}}


def num_unmet(
    task: AnyTask, lines: Iterable[Line], options: Mapping[str, object], model: object
) -> int:
    """Return how many lines ask for what a model cannot follow."""
    if task.follows is None:
        return 0
    asked = (_request_of(task, line, options) for line in lines)
    return sum(
        not isinstance(one, DemoError) and not task.follows(one, model) for one in asked
    )


def grouped(lines: Iterable[Line], size: int) -> Iterator[list[Line]]:
    """Yield lines in portions of at most ``size``."""
    waiting = iter(lines)
    while group := list(islice(waiting, size)):
        yield group


def _request_of(
    task: AnyTask, line: Line, options: Mapping[str, object]
) -> object | DemoError:
    try:
        if line.fault is not None:
            raise line.fault
        request: object = request_from(task.request_type, line.given, options)
    except DemoError as error:
        return error
    return request


def _answers(task: AnyTask, requests: Sequence[object], model: object) -> Iterator[Any]:
    """Yield one result or error per request; a failure of all is each one's own."""
    made, run_many = 0, task.run_many
    failure: DemoError | ModelError = no_result()
    try:
        for result in run_many(requests, model) if run_many and requests else ():
            made += 1
            yield result
    except (DemoError, ModelError) as error:
        failure = error
    yield from (failure for _ in requests[made:])


def _record_of(task: AnyTask, line: Line, result: object) -> dict[str, object]:
    echo = echo_of(task, line)
    if isinstance(result, DemoError | ModelError):
        return {**echo, ERROR_FIELD: str(result)}
    answer = task.to_record(result)
    return {**echo, **{name: answer[name] for name in task.added_fields}}


def columns_of(task: AnyTask, names: Iterable[str]) -> tuple[str, ...]:
    """Return all fields that an answer to lines of these fields may have, in order."""
    columns = dict.fromkeys((*names, *task.added_fields))
    columns.pop(ERROR_FIELD, None)
    return (*columns, ERROR_FIELD)


def echo_of(task: AnyTask, line: Line) -> dict[str, object]:
    """Return what an answer repeats of its line: all but earlier answers."""
    answers = {*task.added_fields, ERROR_FIELD} - set(names_of(task.request_type))
    return {name: v for name, v in line.fields.items() if name not in answers}


def has_failed(record: Mapping[str, object]) -> bool:
    """Tell whether a record stands for a line without an answer."""
    return ERROR_FIELD in record


def last(results: Iterable[ResultT]) -> ResultT:
    """Return the last of what a task yields: the whole result.

    Raises:
        DemoError: It yields nothing.
    """
    kept = deque(results, maxlen=1)
    if not kept:
        raise no_result()
    return kept[0]


def no_result() -> DemoError:
    """Return what is said of a model that yields nothing."""
    return DemoError(
        "模型没有给出结果，请重试。", "The model gave no result: try again."
    )

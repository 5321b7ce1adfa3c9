"""One question from a terminal: the answer as text while it grows, or as JSON.

Changes when the way an answer is printed changes.
"""

from collections.abc import Iterable
from typing import IO

from demos.batch import last
from demos.files.reading import decode
from demos.files.writing import to_json
from demos.records import request_from
from demos.tasks import AnyTask
from demos.terminal.arguments import Command

STANDARD_INPUT = "-"


def build_request(command: Command, standard_input: IO[bytes]) -> object:
    """Return the request of a command that has a TEXT.

    Raises:
        InvalidRequestError: A field lies outside its limit.
    """
    text = command.text
    if text == STANDARD_INPUT:
        text = decode(standard_input.read()).removesuffix("\n").removesuffix("\r")
    record = {command.task.text_field: text}
    return request_from(command.task.request_type, record, command.options)


def print_answer(
    command: Command, request: object, model: object, output: IO[str]
) -> None:
    """Ask the model and print its answer.

    Raises:
        DemoError: The request does not suit the model.
        ModelError: The model cannot answer.
    """
    results = command.task.run(request, model)
    if command.as_json:
        output.write(to_json(command.task.to_record(last(results))) + "\n")
    elif output.isatty():
        stream_text(command.task, results, output)
    else:
        output.write(command.task.render_text(last(results)) + "\n")
    output.flush()


def stream_text(task: AnyTask, results: Iterable[object], output: IO[str]) -> None:
    """Print what each result adds to the one before it.

    A result that takes back what was printed waits: the last one is then printed anew.
    """
    printed = text = ""
    for result in results:
        text = task.render_text(result)
        if text.startswith(printed):
            output.write(text[len(printed) :])
            output.flush()
            printed = text
    output.write("\n" if text == printed else f"\n\n{text}\n")

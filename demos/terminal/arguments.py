"""The command line: options drawn from a task's request, and what was asked with them.

Changes when the command line gets an option that belongs to no task.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from demos import limits
from demos.errors import DemoError
from demos.fewshot.example_list import ExampleList
from demos.fewshot.labels import LabelWords
from demos.fewshot.labels_table import labels_of
from demos.files.bases import brought_base
from demos.files.lists import lines_of
from demos.files.reading import FORMATS, TABLE, read_json, read_rows, read_text
from demos.limits import Limit
from demos.qa.facts_held import HeldBase
from demos.records import frozen, value_of
from demos.similarity.line_list import LineList
from demos.tasks import AnyTask

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

# an option that is a list or a map may name such a file
STRUCTURES = (".json", ".jsonl")
TEXTS = (".txt", ".tsv", ".csv")  # read as if its text were typed
TYPED = (dict, list)  # say better than JSON what is wrong, and where
PLAIN: tuple[type, ...] = (str, int, float, bool)
# an option of such a type always names a file; "" is the one that comes along
FILES: Mapping[type, Callable[[str], object]] = {HeldBase: brought_base}
# files that say more than their text does, by an option's limit and their ending
TABLES: Mapping[type[Limit], Mapping[str, Callable[[Path], object]]] = {
    LineList: dict.fromkeys(FORMATS, lines_of),  # as the page reads them
    LabelWords: {TABLE: lambda path: labels_of(read_rows(path))},
    ExampleList: {TABLE: partial(read_text, keep_mark=True)},
}


@dataclass(frozen=True, slots=True)
class Weights:
    """Which model should answer, and on what.

    Attributes:
        name: ``embedded``, ``auto``, a catalogue name, a hub id or a local folder.
        engine: Name of the engine, or ``auto``.
        offline: Never ask the network.
    """

    name: str
    engine: str
    offline: bool


@dataclass(frozen=True, slots=True)
class Command:
    """What was asked on the command line.

    Attributes:
        task: The question.
        options: Values of the request's fields that were given as options.
        weights: Which model should answer.
        text: TEXT, ``-`` for standard input; None in a batch.
        as_json: Print one JSON object instead of text.
        input_path: File of questions; None without a batch.
        output_path: File of answers.
        resume: Continue the output file.
        overwrite: Write over the output file.
    """

    task: AnyTask
    options: dict[str, object]
    weights: Weights
    text: str | None
    as_json: bool
    input_path: Path | None
    output_path: Path | None
    resume: bool
    overwrite: bool


def parse(arguments: Sequence[str], tasks: dict[str, AnyTask]) -> Command:
    """Return the command that the arguments stand for.

    Raises:
        SystemExit: With 0 after ``--help``, with 2 and a sentence for a wrong command.
    """
    parser = build_parser(tasks)
    given = vars(parser.parse_args(arguments))
    task = tasks[given["TASK"]]
    command = Command(
        task=task,
        options={n: given[n] for n in limits.names_of(task.request_type) if n in given},
        weights=Weights(given["weights"], given["engine"], given["offline"]),
        text=given["TEXT"],
        as_json=given["json"],
        input_path=given["input"],
        output_path=given["output"],
        resume=given["resume"],
        overwrite=given["overwrite"],
    )
    for is_wrong, sentence in RULES:
        if is_wrong(command):
            parser.error(sentence)
    return command


def build_parser(tasks: dict[str, AnyTask]) -> argparse.ArgumentParser:
    """Return the parser of ``python -m demos``, one sub-command per task."""
    parser = argparse.ArgumentParser(
        prog="python -m demos",
        description="在终端里或成批地使用各个任务。 Use every task from a terminal.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="TASK", required=True, metavar="TASK")
    for task in tasks.values():
        about = f"{task.label.zh_help} · {task.label.en_help}"
        command = commands.add_parser(
            task.name,
            help=f"{task.label.zh} · {task.label.en}: {about}",
            description=about,
            allow_abbrev=False,
        )
        _add_text_and_files(command, task)
        _add_fields(command, task)
        _add_weights(command)
    return parser


def _add_text_and_files(parser: argparse.ArgumentParser, task: AnyTask) -> None:
    label = limits.label_of(task.request_type, task.text_field)
    parser.add_argument(
        "TEXT",
        nargs="?",
        help=f"{label.zh}（- 为标准输入） · {label.en} (- is standard input)",
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="输出一个 JSON 对象 · print one JSON object",
    )
    files = parser.add_argument_group("成批 · batch")
    for flag, about in (
        ("--input", "问题文件 · questions: .jsonl .csv .txt"),
        ("--output", "答案文件 · answers: .jsonl .csv"),
    ):
        files.add_argument(flag, type=Path, metavar="FILE", help=about)
    choice = files.add_mutually_exclusive_group()
    for flag, about in (
        ("--resume", "接着写中断的答案文件 · continue an interrupted output file"),
        ("--overwrite", "重写已有的答案文件 · write over an existing output file"),
    ):
        choice.add_argument(flag, action="store_true", help=about)


def _add_fields(parser: argparse.ArgumentParser, task: AnyTask) -> None:
    options = parser.add_argument_group("选项 · options")
    for field in fields(task.request_type):
        if field.name == task.text_field:
            continue
        label = limits.label_of(task.request_type, field.name)
        limit = limits.limit_of(task.request_type, field.name)
        kind = limits.type_of(task.request_type, field.name)
        default = "" if field.default in (MISSING, None, "") else f" = {field.default}"
        about = " · ".join(filter(None, (label.zh_help, label.en_help)))
        text = f"{label.zh} · {label.en} [{limit.summary}{default}] {about}"
        options.add_argument(
            f"--{field.name.replace('_', '-')}",
            dest=field.name,
            default="" if kind in FILES else argparse.SUPPRESS,
            type=_reader(task.request_type, field.name),
            metavar="FILE" if kind in FILES else kind.__name__.upper(),
            help=text.strip().replace("%", "%%"),
        )


def _add_weights(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("权重 · weights")
    group.add_argument(
        "--weights",
        default="embedded",
        metavar="NAME",
        help="embedded | auto | 名称、目录或 hub 编号 · name, folder or hub id",
    )
    group.add_argument(
        "--engine", default="auto", metavar="NAME", help="计算引擎 · engine"
    )
    group.add_argument(
        "--offline", action="store_true", help="不使用网络 · never use the network"
    )


def _reader(
    request_type: "type[DataclassInstance]", name: str
) -> Callable[[str], object]:
    def read(text: str) -> object:
        try:
            value = _value(request_type, name, text)
            label = limits.label_of(request_type, name)
            limits.limit_of(request_type, name).check(label, value)
        except DemoError as error:
            raise argparse.ArgumentTypeError(str(error)) from error
        return value

    return read


def _value(request_type: "type[DataclassInstance]", name: str, text: str) -> object:
    kind, path = limits.type_of(request_type, name), Path(text)
    tables = TABLES.get(type(limits.limit_of(request_type, name)), {})
    ending = path.suffix.lower()
    if kind in FILES:
        return FILES[kind](text)
    if ending in tables:
        return tables[ending](path)
    if kind in PLAIN or ending not in (*STRUCTURES, *TEXTS):
        return value_of(request_type, name, text)
    if kind in TYPED or ending not in STRUCTURES:
        return value_of(request_type, name, read_text(path))
    return frozen(read_json(path))


RULES: tuple[tuple[Callable[[Command], bool], str], ...] = (
    (
        lambda c: (c.text is None) == (c.input_path is None),
        "请给出 TEXT 或 --input，二者取一。 / Give either TEXT or --input.",
    ),
    (
        lambda c: (c.input_path is None) != (c.output_path is None),
        "--input 与 --output 须同时给出。 / --input and --output go together.",
    ),
    (
        lambda c: c.as_json and c.input_path is not None,
        "--json 只用于 TEXT，成批时看 --output 的类型。 / "
        "--json is for TEXT; in a batch the name of --output decides.",
    ),
    (
        lambda c: (c.resume or c.overwrite) and c.input_path is None,
        "--resume 与 --overwrite 只用于成批。 / "
        "--resume and --overwrite are for files.",
    ),
)

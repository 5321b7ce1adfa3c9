"""What a form gives once for a whole file of questions: which fields, checked how.

Changes when another kind of field can be given once. Knows no component and no file.
"""

from collections.abc import Mapping
from typing import Any

from app.controls import DRAWN
from demos import limits
from demos.fewshot.example_list import ExampleList
from demos.limits import Limit
from demos.qa.facts_task import BroughtBase
from demos.qa.passages import Passages
from demos.records import required_of, value_of
from demos.similarity.line_list import LineList
from demos.tasks import AnyTask
from demos.triples.schema import SchemaLimit

# written as text, JSON or lines, as a terminal takes them; with what one may look like
WRITTEN: Mapping[type[Limit], str] = {
    SchemaLimit: "图书作品 作者 人物\n人物: 父亲, 母亲",
    Passages: "第一段……\n\n第二段……",
    ExampleList: "味道很好\t好评\n等了太久\t差评",
    LineList: "怎么退货\n快递什么时候到",
}
BROUGHT: tuple[type[Limit], ...] = (BroughtBase,)  # a file beside the questions


def options_of(task: AnyTask) -> tuple[str, ...]:
    """Return the names of the fields that a form can give once for a whole file."""
    kinds = {*DRAWN, *WRITTEN}
    left_out = required_of(task.request_type)
    return tuple(name for name in _of_kinds(task, kinds) if name not in left_out)


def written_of(task: AnyTask) -> tuple[str, ...]:
    """Return the names among them that are lists, written as text."""
    return _of_kinds(task, WRITTEN)


def brought_of(task: AnyTask) -> tuple[str, ...]:
    """Return the names of the fields that a file beside the questions fills."""
    return _of_kinds(task, BROUGHT)


def option_input(task: AnyTask, name: str) -> str:
    """Name the input of one task's option."""
    return f"{task.name}_{name}"


def checked_options(task: AnyTask, given: Mapping[str, Any]) -> dict[str, object]:
    """Return one task's options.

    Args:
        task: What every line asks.
        given: Values by the names of their inputs, straight from the visitor.

    Raises:
        InvalidRequestError: One lies outside its declared limit.
    """
    asked = task.request_type
    options = {name: given[option_input(task, name)] for name in options_of(task)}
    for name in written_of(task):
        text = options[name] or ""  # the page may send null for an empty text
        options[name] = value_of(asked, name, text)
    for name, value in options.items():
        limits.limit_of(asked, name).check(limits.label_of(asked, name), value)
    return options


def _of_kinds(task: AnyTask, kinds: Any) -> tuple[str, ...]:
    asked = task.request_type
    return tuple(
        name
        for name in limits.names_of(asked)
        if type(limits.limit_of(asked, name)) in kinds
    )

"""A field of labelled examples: a list of records, or the lines that people paste.

Changes when examples may be given to a request in another form. Knows no model.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from demos import limits
from demos.errors import InvalidRequestError
from demos.fewshot.examples_file import read_examples
from demos.fewshot.lesson import (
    FEWEST,
    MOST,
    Example,
    Placed,
    Record,
    Wanted,
    check_number,
    read_placed,
)
from demos.limits import Label


@dataclass(frozen=True, slots=True)
class ExampleList:
    """A limit: so many labelled texts, or None for none.

    Attributes:
        low: Fewest.
        high: Most.
    """

    low: int = FEWEST
    high: int = MOST

    @property
    def summary(self) -> str:
        """How many, and of what."""
        return f"{self.low}..{self.high} × {{text, label}}"

    def check(self, label: Label, value: object) -> None:
        """Refuse what cannot be read as labelled texts.

        Lines wait: which cell is the label depends on the labels that are known.
        """
        if not _is_lines(value):
            self.read(label, value)

    def read(
        self, label: Label, value: object, wanted: Wanted | None = None
    ) -> tuple[Example, ...]:
        """Return the examples; none for None and for an empty list.

        Args:
            label: What the field is called.
            value: A list, one as JSON, or lines as ``read_examples`` takes them.
            wanted: What each must fit.

        Raises:
            InvalidRequestError: They are no list, too few, too many, or some cannot be
                used, with their numbers.
        """
        fitting = wanted or Wanted()
        if isinstance(value, str) and _is_lines(value):
            examples = read_examples(value, fitting)
            check_number(label, len(examples), self.low, self.high)
            return examples
        items = _items(label, value)
        if not items:
            return ()
        placed = (
            Placed(record, f"第 {n} 条", f"item {n}")
            for n, record in enumerate(items, 1)
        )
        check_number(label, len(items), self.low, self.high)
        return read_placed(label, placed, fitting)


def _is_lines(value: object) -> bool:
    """Tell whether a value is several lines that spell no list as JSON."""
    if not isinstance(value, str) or "\n" not in value.strip():
        return False
    return not value.lstrip().startswith("[") or not _is_list(value)


def _is_list(text: str) -> bool:
    try:
        return isinstance(json.loads(text), list)
    except (ValueError, RecursionError):
        return False


def _items(label: Label, value: object) -> list[Record]:
    if isinstance(value, str) and value.strip():
        value = _parsed(label, value)
    if value is None or value == "":
        return []
    if not isinstance(value, list | tuple):
        raise _no_list(label, value)
    return list(map(_as_record, value))


def _parsed(label: Label, text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise _no_list(label, text) from None


def _as_record(item: object) -> Record:
    if isinstance(item, Example):
        return item.record
    return item if isinstance(item, Mapping) else {}


def _no_list(label: Label, value: object) -> InvalidRequestError:
    got = limits.shown(value)
    return label.refuse(
        f'须为 [{{"text": …, "label": …}}, …] 这样的列表，或一行一条的“文本<Tab>标签”，'
        f"收到 {got}。",
        f'must be a list such as [{{"text": …, "label": …}}, …], or lines of '
        f"text<Tab>label, got {got}.",
    )

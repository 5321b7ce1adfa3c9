"""Requests out of a record's loose values, and what every answer's record holds.

Changes when a request needs a type of field that does not exist yet, or all answers
another one. What cannot be read is passed on as it is, so that the field's limit
refuses it by name and value.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any, TypeVar

from demos import limits
from demos.errors import InvalidRequestError
from model_core.interfaces import WeightsInfo

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

RequestT = TypeVar("RequestT", bound="DataclassInstance")


def request_from(
    request_type: type[RequestT],
    record: Mapping[str, object],
    options: Mapping[str, object],
) -> RequestT:
    """Build a request: a record's own field goes before an option of that name.

    None means that the field is not given. Fields that the request does not know are
    left alone. Where the request type names ``ALTERNATIVES``, a record that has one of
    them takes no option of the others.

    Raises:
        InvalidRequestError: A field is missing or lies outside its limit.
    """
    known = limits.names_of(request_type)
    given = {
        name: value_of(request_type, name, record[name])
        for name in known
        if record.get(name) is not None
    }
    values = {**_left_open(request_type, options, given), **given}
    for name in required_of(request_type):
        if name not in values:
            raise _missing(request_type, name, record)
    return request_type(**values)


def required_of(request_type: "type[DataclassInstance]") -> tuple[str, ...]:
    """Return the names of the fields that have no default."""
    return tuple(
        field.name
        for field in fields(request_type)
        if field.default is MISSING and field.default_factory is MISSING
    )


def value_of(
    request_type: "type[DataclassInstance]", name: str, value: object
) -> object:
    """Return a loose value as the field's type, or as it is where it is none."""
    kind = limits.type_of(request_type, name)
    if isinstance(value, str):
        return _from_text(kind, value)
    if kind is int and isinstance(value, float) and value.is_integer():
        return int(value)
    return frozen(value)


def frozen(value: object) -> object:
    """Return lists as tuples, all the way down."""
    return tuple(frozen(item) for item in value) if isinstance(value, list) else value


def name_of(weights: WeightsInfo) -> str:
    """Return a name that ``--weights`` accepts, the commit included where known."""
    return f"{weights.name}@{weights.commit}" if weights.commit else weights.name


def _left_open(
    request_type: "type[DataclassInstance]",
    options: Mapping[str, object],
    given: Mapping[str, object],
) -> dict[str, object]:
    """Return the options but those whose alternative is given."""
    alternatives: frozenset[str] = getattr(request_type, "ALTERNATIVES", frozenset())
    closed = alternatives if alternatives & given.keys() else frozenset()
    return {name: value for name, value in options.items() if name not in closed}


def _from_text(kind: type[Any], text: str) -> object:
    try:
        return READERS.get(kind, _structure)(text)
    except (ValueError, OverflowError, RecursionError):
        return text


def _plain_text(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _whole(text: str) -> int:
    number = float(text) if "." in text else int(text)
    if number != int(number):
        raise ValueError(text)
    return int(number)


def _switch(text: str) -> object:
    return {"true": True, "false": False}.get(text.strip().lower(), text)


def _structure(text: str) -> object:
    """Return the list or map that a text spells; a bare number is text like another."""
    value = json.loads(text)
    return frozen(value) if isinstance(value, list | dict) else text


READERS: dict[type[Any], Callable[[str], object]] = {
    str: _plain_text,
    int: _whole,
    float: float,
    bool: _switch,
    dict: _plain_text,  # reads itself: json would forget a key given twice
}


def _missing(
    request_type: "type[DataclassInstance]", name: str, record: Mapping[str, object]
) -> InvalidRequestError:
    label = limits.label_of(request_type, name)
    found = ", ".join(map(str, record)) or "-"
    return label.refuse(
        f"（{name}）没有给出；这一行有：{found}。",
        f"({name}) is missing; this line has: {found}.",
    )

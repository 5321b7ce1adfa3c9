"""Loose values become a request's, or stay as they are for the limit to refuse."""

from dataclasses import dataclass, replace
from typing import Annotated

import pytest

from demos import limits
from demos.errors import InvalidRequestError
from demos.fewshot.labels import LabelWords
from demos.generation.task import GenerationRequest
from demos.limits import Label, Length, Switch
from demos.qa.passages import Passages
from demos.qa.task import QaRequest
from demos.records import name_of, request_from, value_of
from tests.fakes import EMBEDDED


@dataclass(frozen=True, slots=True)
class Question:
    text: Annotated[str, Length(1, 99), Label("文", "Text")]
    strict: Annotated[bool, Switch(), Label("严", "Strict")] = False
    passages: Annotated[tuple[str, ...], Passages(), Label("段", "Passages")] = ()
    words: Annotated[dict[str, str] | None, LabelWords(), Label("词", "Words")] = None

    def __post_init__(self):
        limits.check(self)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("top_k", "7", 7),
        ("top_k", "7.0", 7),
        ("top_k", 7.0, 7),
        ("top_k", 7.5, 7.5),
        ("top_k", "7.5", "7.5"),
        ("top_k", "seven", "seven"),
        pytest.param("top_k", "9" * 5000, "9" * 5000, id="huge"),
        ("top_k", "9.0e999", "9.0e999"),
        ("temperature", "0.5", 0.5),
        ("temperature", "hot", "hot"),
        ("seed", "3", 3),
        ("prompt", "a\r\nb\rc", "a\nb\nc"),
        ("prompt", 3, 3),
    ],
)
def test_values_take_the_fields_type_where_they_can(name, text, value):
    read = value_of(GenerationRequest, name, text)
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "loose", "value"),
    [
        ("strict", "true", True),
        ("strict", "False", False),
        ("strict", "yes", "yes"),
        ("strict", True, True),
        ("passages", '["甲", "乙"]', ("甲", "乙")),
        ("passages", ["甲"], ("甲",)),
        ("passages", "[", "["),
        ("passages", "1949", "1949"),
        ("passages", '"甲"', '"甲"'),
        ("passages", '{"a": 1}', {"a": 1}),
        ("words", '{"a": "b", "a": "c"}', '{"a": "b", "a": "c"}'),
        pytest.param("passages", "[" * 100_000, "[" * 100_000, id="deep"),
    ],
)
def test_switches_and_lists(name, loose, value):
    assert value_of(Question, name, loose) == value


def test_a_record_goes_before_the_options_and_they_before_the_defaults():
    record = {"prompt": "春", "top_k": 1, "id": 5}
    request = request_from(GenerationRequest, record, {"top_k": 2, "top_p": 0.5})
    assert (request.top_k, request.top_p, request.temperature) == (1, 0.5, 0.8)


def test_an_alternative_of_the_records_own_closes_the_options():
    options = {"passages": ("甲", "乙"), "mode": "mlm"}
    alone = request_from(QaRequest, {"question": "谁？", "passage": "丙"}, options)
    assert (alone.passages, alone.mode) == (("丙",), "mlm")
    shared = request_from(QaRequest, {"question": "谁？", "passage": None}, options)
    assert shared.passages == ("甲", "乙")
    both = {"question": "谁？", "passage": "丙", "passages": ["丁"]}
    assert request_from(QaRequest, both, options).passages == ("丁", "丙")


def test_null_is_not_given():
    record = {"prompt": "春", "top_k": None, "seed": None}
    assert request_from(GenerationRequest, record, {"seed": 3}).seed == 3


def test_an_empty_style_overrides_the_options():
    record = {"prompt": "春", "style": ""}
    assert request_from(GenerationRequest, record, {"style": "词"}).style == ""


def test_a_missing_field_is_named_with_those_found():
    with pytest.raises(InvalidRequestError) as caught:
        request_from(GenerationRequest, {"text": "春", "id": 1}, {})
    assert caught.value.zh == "“开头”（prompt）没有给出；这一行有：text, id。"
    assert "(prompt) is missing; this line has: text, id." in caught.value.en


def test_a_value_that_cannot_be_read_is_refused_by_its_limit():
    with pytest.raises(InvalidRequestError, match="got 'many'"):
        request_from(GenerationRequest, {"prompt": "春", "top_k": "many"}, {})


def test_weights_are_named_as_an_option_takes_them_with_their_commit():
    assert name_of(EMBEDDED) == "embedded"
    hub = replace(EMBEDDED, name="owner/name", commit="c" * 40)
    assert name_of(hub) == "owner/name@" + "c" * 40

"""What people script against: names, and what a terminal shows."""

from itertools import pairwise

import pytest

from demos.generation.record import ADDED_FIELDS, render_text, to_record
from demos.generation.task import GenerationRequest, generate
from tests.fakes import FakeGenerator


def results(**settings):
    request = GenerationRequest("春", **{"max_new_tokens": 3, "seed": 0, **settings})
    return list(generate(request, FakeGenerator()))


def test_the_record_has_the_contracts_names():
    assert to_record(results(num_return=2)[-1]) == {
        "prompt": "春",
        "texts": [
            {"text": "床前明", "log_prob": -3.0, "finish": "length"},
            {"text": "前明月", "log_prob": -3.0, "finish": "length"},
        ],
        "seed": 0,
        "weights": "embedded",
    }


def test_added_fields_are_those_that_the_record_adds():
    assert {"prompt", *ADDED_FIELDS} == to_record(results()[-1]).keys()


def test_one_continuation_stands_behind_its_prompt():
    assert render_text(results()[-1]) == "春床前明"


def test_several_continuations_stand_under_their_numbers():
    text = render_text(results(num_return=2)[-1])
    assert text == "【1】\n春床前明\n\n【2】\n春前明月"


@pytest.mark.parametrize("num_return", [1, 2, 4])
def test_every_later_text_extends_the_one_before(num_return):
    texts = [render_text(result) for result in results(num_return=num_return)]
    assert all(b.startswith(a) for a, b in pairwise(texts))

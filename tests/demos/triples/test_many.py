"""Many texts together give what each gives alone, in order, with less padding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demos.errors import InvalidRequestError
from demos.triples.many import PORTION, extract_many
from demos.triples.task import BATCH_WINDOWS, TripleRequest, extract
from model_core.interfaces import ModelError
from tests.fake_triple_pointer import FakeTriplePointer

FACTS = [
    "《史记》的作者是司马迁。",
    "苏轼号东坡居士，父亲是苏洵。",
    "六小龄童在《西游记》里饰演孙悟空。",
]
TEXTS = st.builds(
    lambda fact, before, after: "闲话。" * before + fact + "闲话" * after,
    st.sampled_from(FACTS),
    st.integers(0, 60),
    st.integers(0, 60),
)
REQUESTS = st.builds(
    TripleRequest,
    TEXTS,
    schema=st.sampled_from([None, "父亲", "没有的关系"]),
    threshold=st.sampled_from([0.05, 0.5]),
    decoder=st.sampled_from(["auto", "gplinker"]),
)
BUSY = ModelError("busy", "忙。", "Busy.")


def model(**given):
    return FakeTriplePointer(**{"max_text_chars": 60, **given})


def alone(request, pointer):
    try:
        *_, result = extract(request, pointer)
    except (InvalidRequestError, ModelError) as error:
        return str(error)
    return result


def together(requests, pointer):
    answers = extract_many(requests, pointer)
    return [str(one) if isinstance(one, Exception) else one for one in answers]


@given(st.lists(REQUESTS, max_size=12), st.sampled_from([{}, {"孙悟空": BUSY}]))
def test_together_is_as_each_alone_and_in_order(requests, failures):
    pointer = model(failures=failures)
    expected = [alone(request, pointer) for request in requests]
    assert together(requests, pointer) == expected


@given(st.lists(REQUESTS, max_size=12), st.sampled_from([{}, {"孙悟空": BUSY}]))
def test_relations_that_weights_name_are_told_apart_all_the_same(requests, failures):
    given_ = {"failures": failures, "schema_kind": "own"}
    expected = [alone(request, model(**given_)) for request in requests]
    assert together(requests, model(**given_)) == expected


def test_an_error_stays_on_its_own_item():
    requests = [TripleRequest(fact) for fact in FACTS]
    first, second, third = together(requests, model(failures={"苏轼": BUSY}))
    assert first.triples
    assert second == "忙。 / Busy."
    assert third.triples


def test_a_relation_that_is_unknown_never_reaches_the_model():
    pointer = model()
    bad = TripleRequest("史记", schema="没有的关系")
    (answer,) = extract_many([bad], pointer)
    assert isinstance(answer, InvalidRequestError)
    assert pointer.asked == []


def test_short_texts_share_passes():
    pointer = model()
    requests = [TripleRequest(fact) for fact in FACTS * 16]
    assert all(answer.finished for answer in extract_many(requests, pointer))
    assert len(pointer.asked) == len(requests) / BATCH_WINDOWS


def padding(pointer):
    """Characters that the passes compute, every text as long as its longest."""
    return sum(len(texts) * max(map(len, texts)) for texts, _, _ in pointer.asked)


def test_texts_of_like_length_go_together():
    sizes = [(7 * n) % 60 + 1 for n in range(PORTION)]
    requests = [TripleRequest("字" * size) for size in sizes]
    pointer = model()
    list(extract_many(requests, pointer))
    unsorted = sum(
        len(batch) * max(batch)
        for start in range(0, PORTION, BATCH_WINDOWS)
        for batch in [sizes[start : start + BATCH_WINDOWS]]
    )
    assert sum(sizes) <= padding(pointer) < 1.15 * sum(sizes)
    assert padding(pointer) < 0.7 * unsorted


def test_one_pass_has_one_decoder():
    pointer = model()
    requests = [
        TripleRequest(FACTS[0], decoder=decoder) for decoder in ("auto", "gplinker") * 4
    ]
    answers = list(extract_many(requests, pointer))
    assert [answer.decoder for answer in answers] == ["half_pointer", "gplinker"] * 4
    assert sorted(decoder for _, decoder, _ in pointer.asked) == [
        "gplinker",
        "half_pointer",
    ]


def test_answers_come_portion_by_portion():
    pointer = model()
    answers = extract_many([TripleRequest("史记")] * (PORTION + 1), pointer)
    next(answers)
    assert sum(len(texts) for texts, _, _ in pointer.asked) == PORTION


@pytest.mark.parametrize("requests", [[], ()])
def test_no_text_no_answer(requests):
    assert list(extract_many(requests, model())) == []

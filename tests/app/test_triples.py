"""The triples tab: its question, its schema picker, its examples."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.metrics import Metrics
from app.runs import Runs
from app.tabs import triples
from app.wiring import Desk
from demos.errors import InvalidRequestError
from demos.triples.examples import EXAMPLES, SAMPLES
from demos.triples.schema import SCHEMA_LABEL, line_of, schema_of
from demos.triples.task import TripleRequest
from model_core.interfaces import TRIPLE_POINTER, ModelError
from tests.fake_triple_pointer import RELATIONS, FakeTriplePointer
from tests.fakes import FakeShelf

TEXT = "《史记》的作者是司马迁，父亲是司马谈。"
KNOWN = [line_of(relation) for relation in RELATIONS]
TYPED = st.lists(
    st.sampled_from([*KNOWN, "人物: 配偶", "作曲", "", "  "]), max_size=8
).map("\n".join)


def shelf(pointer=None):
    return FakeShelf(players={TRIPLE_POINTER.name: pointer or FakeTriplePointer()})


def ask(pointer=None, weights="auto", **values):
    question = triples.question(shelf(pointer))
    given = {"schema": "", "threshold": 0.5, "decoder": "auto", **values}
    given = {"text": TEXT, "weights": weights, **given}
    desk = Desk(Runs(Metrics()), slots=1)
    return list(desk.ask(question, [given[name] for name in question.inputs]))


def test_the_endpoints_inputs_are_those_of_the_contract():
    question = triples.question(shelf())
    assert question.name == "extract_triples"
    assert question.inputs == ("text", "schema", "threshold", "decoder", "weights")


def test_a_text_typed_on_the_page_is_answered():
    result = ask(schema="人物: 父亲")[-1]
    assert [one.object for one in result.triples] == ["司马谈"]
    assert triples.as_json(result)["triples"][0]["subject"] == "司马迁"


def test_a_client_may_send_lists():
    result = ask(schema=[["图书作品", "作者", "人物"]])[-1]
    assert [one.object for one in result.triples] == ["司马迁"]


def test_a_client_sees_a_frame_while_the_weights_load():
    assert triples.as_json(None)["triples"] == []


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"text": ""}, "“Text” must have 1 to 20000 characters, got 0."),
        ({"text": "长" * 100_000}, "must have 1 to 20000 characters, got 100000."),
        ({"schema": "父母"}, "'父母' is not among the 6 relations"),
        ({"schema": 5}, "“Relations” cannot be read: 5"),
        ({"threshold": "high"}, "“Threshold” must be a number between 0 and 1"),
        ({"decoder": "crf"}, "“Decoder” must be one of auto, half_pointer, gplinker"),
    ],
)
def test_bad_input_earns_a_sentence(values, sentence):
    with pytest.raises(InvalidRequestError) as caught:
        ask(**values)
    assert sentence in caught.value.en


def test_only_ready_weights_are_asked_for_their_relations():
    assert triples.relations_of(shelf(), "auto") == RELATIONS
    assert triples.relations_of(shelf(), "embedded") == RELATIONS
    for unready in ("uer/gpt2-distil", "nothing", None, ["embedded"]):
        assert triples.relations_of(shelf(), unready) == ()


def test_weights_that_cannot_point_offer_no_relation():
    class Unable(FakeShelf):
        def model(self, role, weights="auto", *, timeout_seconds=60.0):
            raise ModelError("missing_head", "不会。", "Cannot.")

    assert triples.relations_of(Unable(), "embedded") == ()


@given(TYPED, st.lists(st.sampled_from(KNOWN), unique=True))
def test_picking_changes_the_known_lines_and_no_other(text, picked):
    written = triples.with_picked(text, picked, KNOWN)
    assert triples.picked_in(written, KNOWN) == [k for k in KNOWN if k in picked]
    typed = [line.strip() for line in text.split("\n")]
    for line in typed:
        if line and line not in KNOWN:
            assert line in written.split("\n")


@given(TYPED)
def test_picking_what_is_there_keeps_what_is_asked(text):
    again = triples.with_picked(text, triples.picked_in(text, KNOWN), KNOWN)
    asked = schema_of(SCHEMA_LABEL, text)
    assert set(schema_of(SCHEMA_LABEL, again)) == set(asked)


def test_every_offered_relation_is_one_that_can_be_asked_for():
    for relation in RELATIONS:
        shown, line = triples.choice_of(relation)
        assert relation.predicate in shown
        assert schema_of(SCHEMA_LABEL, line) == (
            (relation.subject_type, relation.predicate, relation.object_type),
        )


def test_an_example_fills_the_form_so_that_it_asks_the_same():
    for example in triples.examples_of():
        assert TripleRequest(**triples.values_of(example)) == example


def test_the_samples_are_there_and_long():
    requests = triples.examples_of()
    assert len(requests) == len(EXAMPLES) + len(SAMPLES)
    assert all(len(request.text) > 400 for request in requests[len(EXAMPLES) :])

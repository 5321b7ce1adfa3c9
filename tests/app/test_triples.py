"""The triples tab: its question, its schema picker, its examples."""

import gradio as gr
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.metrics import Metrics
from app.page import build_page
from app.runs import Runs
from app.tabs import triples, triples_schema, triples_view
from app.wiring import Desk
from demos.errors import InvalidRequestError
from demos.triples.examples import EXAMPLES, SAMPLES
from demos.triples.record import render_text
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
        ({"threshold": "high"}, "“Threshold” must be a number between 0.05 and 1"),
        ({"decoder": "crf"}, "“Decoder” must be one of auto, both, half_pointer"),
    ],
)
def test_bad_input_earns_a_sentence(values, sentence):
    with pytest.raises(InvalidRequestError) as caught:
        ask(**values)
    assert sentence in caught.value.en


def test_only_ready_weights_are_asked_for_their_relations():
    assert triples_schema.relations_of(shelf(), "auto") == RELATIONS
    assert triples_schema.relations_of(shelf(), "embedded") == RELATIONS
    for unready in ("uer/gpt2-distil", "nothing", None, ["embedded"]):
        assert triples_schema.relations_of(shelf(), unready) == ()


def test_weights_that_cannot_point_offer_no_relation():
    class Unable(FakeShelf):
        def model(self, role, weights="auto", *, timeout_seconds=60.0):
            raise ModelError("missing_head", "不会。", "Cannot.")

    assert triples_schema.relations_of(Unable(), "embedded") == ()


@given(TYPED, st.lists(st.sampled_from(KNOWN), unique=True))
def test_picking_changes_the_known_lines_and_no_other(text, picked):
    written = triples_schema.with_picked(text, picked, KNOWN)
    assert triples_schema.picked_in(written, KNOWN) == [k for k in KNOWN if k in picked]
    typed = [line.strip() for line in text.split("\n")]
    for line in typed:
        if line and line not in KNOWN:
            assert line in written.split("\n")


@given(TYPED)
def test_picking_what_is_there_keeps_what_is_asked(text):
    again = triples_schema.with_picked(
        text, triples_schema.picked_in(text, KNOWN), KNOWN
    )
    asked = schema_of(SCHEMA_LABEL, text)
    assert set(schema_of(SCHEMA_LABEL, again)) == set(asked)


def test_every_offered_relation_is_one_that_can_be_asked_for():
    for relation in RELATIONS:
        shown, line = triples_schema.choice_of(relation)
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


# Weights that are asked, and weights that name relations themselves

OPEN = FakeTriplePointer(schema_kind="asked", relations=(), decoders=("prompted",))
OWN = FakeTriplePointer(schema_kind="own", decoders=("written",))


def drawn(pointer, text=""):
    part, remark, known, sample, schema = triples_schema.drawn(pointer, text)
    return {
        "open": part.get("open"),
        "remark": remark["value"],
        "told": remark["visible"],
        "known": (known["visible"], len(known["choices"])),
        "sample": sample["visible"],
        "shape": schema["placeholder"],
    }


def test_known_relations_are_offered_and_nothing_is_said():
    said = drawn(FakeTriplePointer())
    assert said["known"] == (True, len(RELATIONS))
    assert not said["told"]
    assert not said["sample"]
    assert said["open"] is None  # as the person left it
    assert drawn(None)["known"] == (True, 0)


def test_open_weights_say_what_to_write_where_it_is_written():
    said = drawn(OPEN)
    assert said["open"] is True
    assert said["known"] == (False, 0)
    assert said["told"]
    assert said["sample"]
    assert "人物: 出生地, 配偶" in said["remark"]
    assert "name those to extract" in said["remark"]
    assert said["shape"] == "人物: 出生地, 配偶"


def test_weights_with_words_of_their_own_say_so():
    said = drawn(OWN)
    assert said["known"] == (False, 0)
    assert said["told"]
    assert not said["sample"]
    assert "自己的说法" in said["remark"]
    assert "words of their own" in said["remark"]
    for line in said["shape"].split("\n"):
        asked = schema_of(SCHEMA_LABEL, line)
        assert asked == (("per", "place of birth", ""), ("per", "spouse", ""))


@pytest.mark.parametrize("pointer", [OPEN, OWN])
def test_only_relations_that_are_known_can_be_picked(pointer):
    assert triples_schema.relations_of(shelf(pointer), "auto") == ()
    assert triples_schema.pointer_of(shelf(pointer), "auto") is pointer


@given(TYPED)
def test_the_sample_is_written_once_and_below_what_is_there(text):
    written = triples_schema.with_sample(text)
    assert triples_schema.with_sample(written) == written
    *before, sample = written.split("\n")
    assert sample == triples_schema.EXAMPLE
    assert [line for line in before if line in text] == before
    assert ("人物", "出生地", "") in schema_of(SCHEMA_LABEL, written)


def test_open_weights_answer_what_is_typed():
    result = ask(OPEN, schema="人物: 父亲, 配偶；图书作品: 作者")[-1]
    assert [(o.subject, o.predicate, o.object) for o in result.triples] == [
        ("史记", "作者", "司马迁"),
        ("司马迁", "父亲", "司马谈"),
    ]


@pytest.mark.parametrize("nothing", ["", None, " \n", []])
def test_open_weights_without_a_relation_say_what_to_do_next(nothing):
    with pytest.raises(InvalidRequestError) as caught:
        ask(OPEN, schema=nothing)
    assert "请写一行，例如“人物: 出生地, 配偶”" in caught.value.zh
    assert "write a line like “人物: 出生地, 配偶”" in caught.value.en
    assert "extract again" in caught.value.en


def test_a_relation_of_no_type_is_refused_with_the_line_to_write():
    with pytest.raises(InvalidRequestError, match="请改成例如“人物: 父亲”"):
        ask(OPEN, schema="父亲")


def test_weights_with_words_of_their_own_need_none_and_keep_those_named():
    everything = ask(OWN)[-1]
    assert {one.predicate for one in everything.triples} == {"作者", "父亲"}
    named = ask(OWN, schema="人物: 父亲")[-1]
    assert [one.predicate for one in named.triples] == ["父亲"]
    assert named.unasked == ("作者",)
    assert triples.as_json(named)["unasked"] == ["作者"]


def test_names_that_such_weights_do_not_use_are_met_with_those_they_do():
    result = ask(OWN, schema="人物: 配偶")[-1]
    assert result.triples == ()
    for drawing in (triples_view.settle(result), render_text(result)):
        assert "作者, 父亲" in drawing
        assert "照抄" in drawing
    assert OWN.relations == RELATIONS  # one request leaves nothing to the next


@pytest.mark.parametrize(("pointer", "kind"), [(OPEN, "asked"), (OWN, "own")])
@pytest.mark.parametrize("name", ["extract_triples_known", "extract_triples_offer"])
def test_the_page_follows_the_weights(pointer, kind, name):
    """Whether others are chosen or the same become ready."""
    page = build_page(shelf(pointer), Desk(Runs(Metrics()), slots=1))
    (one,) = [found for found in page.fns.values() if found.api_name == name]
    part, remark, known, sample, schema, decoder = one.outputs
    assert one.inputs[2:] == [decoder]
    assert part.elem_id == "mp-triples-schema"
    assert (remark.elem_id, sample.elem_id) == ("mp-triples-guide", "mp-triples-sample")
    assert {type(part), type(known), type(schema)} == {
        gr.Accordion,
        gr.Dropdown,
        gr.Textbox,
    }
    updates = one.fn("auto", "", "gplinker")
    assert len(updates) == len(one.outputs)
    assert updates[1]["value"] == triples_schema.GUIDES[kind].remark
    assert updates[4]["placeholder"] == triples_schema.GUIDES[kind].shape
    assert updates[5]["value"] == "auto"  # one way to answer: it is not asked for


@pytest.mark.parametrize("name", ["extract_triples_known", "extract_triples_offer"])
@pytest.mark.parametrize(
    ("decoders", "chosen", "offered"),
    [
        (
            ("half_pointer", "gplinker"),
            "gplinker",
            ["auto", "half_pointer", "gplinker"],
        ),
        (("gplinker", "half_pointer"), "auto", ["auto", "half_pointer", "gplinker"]),
        (("written",), "gplinker", ["auto"]),
        (("prompted",), "half_pointer", ["auto"]),
        (("gplinker",), "half_pointer", ["auto"]),
    ],
)
def test_decoders_that_the_weights_have_not_are_not_offered(
    name, decoders, chosen, offered
):
    pointer = FakeTriplePointer(decoders=decoders)
    page = build_page(shelf(pointer), Desk(Runs(Metrics()), slots=1))
    (one,) = [found for found in page.fns.values() if found.api_name == name]
    told = one.fn("auto", "", chosen)[5]
    assert [value for _, value in told["choices"]] == offered
    assert told["value"] == (chosen if chosen in offered else "auto")
    if len(decoders) == 1:
        assert triples_schema.TITLES[decoders[0]] in told["choices"][0][0]
        assert "只有这一种" in told["choices"][0][0]


def test_the_button_writes_the_example_into_the_field():
    page = build_page(shelf(OPEN), Desk(Runs(Metrics()), slots=1))
    (one,) = [o for o in page.fns.values() if o.api_name == "extract_triples_sample"]
    assert one.inputs == one.outputs
    assert one.fn("") == triples_schema.EXAMPLE
    assert one.fn("图书作品: 作者") == f"图书作品: 作者\n{triples_schema.EXAMPLE}"

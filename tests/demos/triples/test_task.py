"""An extraction reads every window once and keeps what any threshold may show."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demos.errors import InvalidRequestError
from demos.limits import label_of, limit_of
from demos.records import request_from
from demos.triples.examples import EXAMPLES, caption
from demos.triples.found import ExtractedTriple
from demos.triples.task import (
    BATCH_WINDOWS,
    FLOOR,
    WRITTEN_WINDOWS,
    TripleRequest,
    extract,
)
from model_core.interfaces import ModelError, PointedTriple
from tests.fake_triple_pointer import FakeTriplePointer

TEXT = (
    "《史记》的作者是西汉的司马迁，司马迁的父亲是司马谈。"
    "苏轼号东坡居士，父亲是苏洵，母亲是程夫人。"
)
LONG = "此处没有事实，只有一句闲话。" * 40 + TEXT + "后面仍是闲话。" * 80


def last(text=TEXT, model=None, **asked):
    *_, result = extract(TripleRequest(text, **asked), model or FakeTriplePointer())
    return result


def said(result):
    return [(one.subject, one.predicate, one.object) for one in result.triples]


def test_defaults_are_those_of_the_contract():
    request = TripleRequest("史记")
    assert (request.schema, request.threshold, request.decoder) == (None, 0.5, "auto")


def test_triples_come_in_reading_order_with_offsets_and_types():
    first, *_ = last().triples
    assert first == ExtractedTriple(
        "史记", "作者", "司马迁", 1, 11, 0.97, "图书作品", "人物"
    )
    assert said(last()) == [
        ("史记", "作者", "司马迁"),
        ("司马迁", "父亲", "司马谈"),
        ("苏轼", "号", "东坡居士"),
        ("苏轼", "父亲", "苏洵"),
    ]


@pytest.mark.parametrize("most", [40, 64, 256, 5000])
@pytest.mark.parametrize("text", [TEXT, LONG, "\n" + TEXT, TEXT.replace("。", "，")])
def test_offsets_slice_to_their_strings(text, most):
    result = last(text, FakeTriplePointer(max_text_chars=most), threshold=FLOOR)
    assert result.found
    for triple in result.found:
        for span, name in (
            (triple.subject_span, triple.subject),
            (triple.object_span, triple.object),
        ):
            assert text[slice(*span)] == name


def test_the_facts_of_a_long_text_are_those_of_its_short_part():
    model = FakeTriplePointer(max_text_chars=80)
    assert said(last(LONG, model)) == said(last(TEXT))
    assert len(model.asked) > 1
    assert all(len(texts) <= BATCH_WINDOWS for texts, _, _ in model.asked)


def test_each_result_is_the_whole_so_far():
    model = FakeTriplePointer(max_text_chars=50)
    results = list(extract(TripleRequest(LONG + LONG), model))
    assert [result.num_read for result in results] == sorted(
        {result.num_read for result in results}
    )
    assert [result.finished for result in results] == [False] * (len(results) - 1) + [
        True
    ]
    for before, after in pairwise(results):
        assert set(said(before)) <= set(said(after))


def test_closing_the_results_asks_no_more():
    model = FakeTriplePointer(max_text_chars=50)
    results = extract(TripleRequest(LONG), model)
    next(results)
    results.close()
    assert len(model.asked) == 1


def test_weights_that_write_tell_what_they_have_before_a_window_is_done():
    model = FakeTriplePointer(schema_kind="own", num_steps=3)
    results = list(extract(TripleRequest(TEXT), model))
    assert [one.num_read for one in results] == [0, 0, 1]
    assert [one.finished for one in results] == [False, False, True]
    counts = [len(one.found) for one in results]
    assert 0 < counts[0] == counts[1] < counts[2]
    assert results[-1].found == last(model=model).found


def test_closing_the_results_asks_for_no_more_steps():
    model = FakeTriplePointer(schema_kind="own", num_steps=9)
    results = extract(TripleRequest(TEXT), model)
    next(results)
    results.close()
    assert len(model.steps) == 2  # one is told once the next is there


@given(st.floats(FLOOR, 1), st.floats(FLOOR, 1))
def test_a_lower_threshold_shows_at_least_as_much(one, other):
    result, (low, high) = last(), sorted((one, other))
    more, fewer = result.filtered(low), result.filtered(high)
    assert set(fewer.triples) <= set(more.triples)
    assert all(triple.probability >= high for triple in fewer.triples)
    assert more.filtered(high) == fewer
    assert result.filtered(result.request.threshold) == result


def test_moving_the_threshold_asks_no_model():
    model = FakeTriplePointer()
    result = last(model=model, threshold=0.9)
    assert len(said(result.filtered(FLOOR))) > len(said(result))
    assert len(model.asked) == 1
    assert model.asked[0][2] == FLOOR


def test_a_threshold_outside_its_limit_is_refused():
    for least in (2, 0.0, 0.04):
        said = f"“阈值”须为 0.05 到 1 之间的数，收到 {least}"
        with pytest.raises(InvalidRequestError, match=said):
            last().filtered(least)


def test_the_lowest_threshold_lists_whatever_is_kept():
    lowest = limit_of(TripleRequest, "threshold").low
    assert lowest == FLOOR
    result = last(threshold=lowest)
    assert result.triples == result.found


def test_less_than_the_floor_is_never_kept():
    class Careless(FakeTriplePointer):
        def point(self, texts, decoder, *, floor=0.1):
            return tuple((PointedTriple(0, (0, 1), (1, 2), 0.01),) for _ in texts)

    assert last(model=Careless(), threshold=FLOOR).found == ()


def test_a_schema_leaves_out_the_rest():
    assert said(last(schema="人物: 父亲")) == [
        ("司马迁", "父亲", "司马谈"),
        ("苏轼", "父亲", "苏洵"),
    ]


def test_an_unknown_relation_is_refused_before_the_model_is_asked():
    model = FakeTriplePointer()
    with pytest.raises(
        InvalidRequestError, match="'父母' is not among the 6 relations"
    ):
        last(schema="父母", model=model)
    assert model.asked == []


@pytest.mark.parametrize(
    ("asked", "used"),
    [("auto", "half_pointer"), ("half_pointer", "half_pointer"),
     ("gplinker", "gplinker")],
)  # fmt: skip
def test_the_decoder_is_the_weights_best_or_the_one_asked_for(asked, used):
    model = FakeTriplePointer()
    assert last(model=model, decoder=asked).decoder == used
    assert model.asked[0][1] == used


def test_a_decoder_that_the_weights_lack_is_refused():
    model = FakeTriplePointer(decoders=("half_pointer",))
    with pytest.raises(InvalidRequestError, match="no decoder 'gplinker', but half_p"):
        last(model=model, decoder="gplinker")


def test_complex_objects_follow_the_threshold():
    result = last("六小龄童在《西游记》里饰演孙悟空。")
    (joined,) = result.complex_objects
    assert (joined.value.object, joined.slots[0].object) == ("孙悟空", "西游记")
    assert result.filtered(0.8).complex_objects == ()


def test_the_models_own_error_passes_through():
    failure = ModelError("busy", "忙。", "Busy.")
    with pytest.raises(ModelError, match=r"忙。 / Busy\."):
        last(model=FakeTriplePointer(failures={"史记": failure}))


@pytest.mark.parametrize(
    "text",
    [
        "\u200f\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd " * 80,
        "∫₀¹ x² dx = 1/3 ⇒ f′(x) ≥ 0 ∀x∈ℝ " * 60,
        "无标点" * 3000,
        "👩‍👧" * 500,
        "e\u0301" * 500,
        "\n" * 500 + "史记" + "\n" * 500,
        "<script>alert(1)</script>" * 30,
    ],
    ids=["rtl", "math", "no_end", "emoji", "combining", "blank_lines", "markup"],
)
def test_whatever_is_text_is_read(text):
    model = FakeTriplePointer(max_text_chars=64)
    assert last(text, model).finished


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("text", ""),
        ("text", " \n "),
        pytest.param("text", "长" * 20_001, id="long"),
        ("text", "a\x00b"),
        ("text", None),
        ("schema", 3),
        ("schema", "甲 乙 丙 丁"),
        ("threshold", -0.1),
        ("threshold", float("nan")),
        ("threshold", "0.5"),
        ("threshold", True),
        ("decoder", "crf"),
        ("decoder", None),
    ],
)
def test_a_field_outside_its_limit_is_refused_by_its_label(field, value):
    label = label_of(TripleRequest, field)
    with pytest.raises(InvalidRequestError, match=f"“{label.zh}”.* / “{label.en}” "):
        TripleRequest(**{"text": "史记", field: value})


@pytest.mark.parametrize(
    "cell",
    [
        '[["人物", "父亲", ""]]',
        "人物: 父亲",
        '{"人物": ["父亲"]}',
        [["人物", "父亲", ""]],
    ],
)
def test_a_line_of_a_file_brings_its_own_schema(cell):
    request = request_from(TripleRequest, {"text": "史记", "schema": cell}, {})
    assert request.schema == (("人物", "父亲", ""),)


def test_an_empty_schema_asks_for_everything():
    for nothing in (None, "", [], ()):
        assert TripleRequest("史记", schema=nothing) == TripleRequest("史记")


def test_examples_have_captions_that_tell_them_apart():
    captions = [caption(example) for example in EXAMPLES]
    assert len(EXAMPLES) >= 5
    assert len(set(captions)) == len(captions)
    assert all("\n" not in text for text in captions)


# Where relations come from


def test_open_weights_are_told_what_to_look_for_and_refuse_to_guess():
    model = FakeTriplePointer(schema_kind="asked", relations=())
    assert said(last(model=model, schema="人物: 父亲")) == [
        ("司马迁", "父亲", "司马谈"),
        ("苏轼", "父亲", "苏洵"),
    ]
    with pytest.raises(InvalidRequestError, match="write a line like"):
        last(model=model)
    assert len(model.asked) == 1


def test_weights_that_name_relations_need_none_named():
    model = FakeTriplePointer(schema_kind="own")
    assert said(last(model=model)) == said(last())
    result = last(model=model, schema="图书作品: 作者")
    assert said(result) == [("史记", "作者", "司马迁")]
    assert sorted(result.unasked) == ["号", "朝代", "父亲"]
    assert last(model=model).unasked == last().unasked == ()


def test_weights_that_write_read_few_windows_at_a_time():
    model = FakeTriplePointer(schema_kind="own", max_text_chars=50)
    assert said(last(LONG, model)) == said(last(TEXT))
    assert max(len(texts) for texts, _, _ in model.asked) == WRITTEN_WINDOWS

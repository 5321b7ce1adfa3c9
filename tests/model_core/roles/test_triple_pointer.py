"""The pointer: offsets slice to strings, decoders equal their formulas."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from model_core.decoding.pointers import MAX_TRIPLES, TokenTriple
from model_core.interfaces import ModelError
from model_core.roles.triple_pointer import (
    MAX_TEXT_CHARS,
    NetworkTriplePointer,
    is_list,
    shifted,
    sigmoid,
)
from tests.model_core.playing_checkpoint import (
    RELATIONS,
    RIVER,
    TEXTS,
    WRITER,
    load_playing,
)

DECODERS = ("both", "gplinker", "half_pointer")
# random weights are sure of nothing: all they find is unlikely
FLOOR = {"both": 0.1, "gplinker": 0.2, "half_pointer": 0.05}


@pytest.fixture(scope="module", name="pointer")
def fixture_pointer(tmp_path_factory):
    model = load_playing(tmp_path_factory.mktemp("pointer"), spread=0.3, seed=4)
    return NetworkTriplePointer(model)


def point(pointer, texts, decoder, floor=None):
    return pointer.point(texts, decoder, floor=floor or FLOOR[decoder])


def read(pointer, text, head):
    """A text's outputs, alone, at its own positions."""
    formats = pointer._model.formats
    source = formats.pointing(formats.piece(text), MAX_TEXT_CHARS + 3)
    outputs = {name: v[0] for name, v in pointer._read([source], (head,)).items()}
    return source, outputs


def test_weights_say_what_they_know(pointer):
    assert pointer.relations == RELATIONS
    assert pointer.decoders == DECODERS
    assert pointer.max_text_chars == MAX_TEXT_CHARS


@pytest.mark.parametrize("decoder", DECODERS)
def test_offsets_slice_to_strings_and_the_most_probable_comes_first(pointer, decoder):
    for text, triples in zip(TEXTS, point(pointer, TEXTS, decoder), strict=True):
        assert triples
        found = [one.probability for one in triples]
        assert found == sorted(found, reverse=True)
        for one in triples:
            assert FLOOR[decoder] < one.probability <= 1
            assert 0 <= one.relation < len(RELATIONS)
            for start, end in (one.subject, one.object):
                assert 0 <= start < end <= len(text)
                assert text[start:end]
        assert len(set(triples)) == len(triples)


@pytest.mark.parametrize("decoder", DECODERS)
def test_a_shift_moves_probabilities_and_the_floor_alike(pointer, decoder):
    model, floor = pointer._model, FLOOR[decoder]
    parts = replace(model.parts, shifts={decoder: 1.5})
    other = NetworkTriplePointer(replace(model, parts=parts))
    plain = point(pointer, TEXTS, decoder, shifted(floor, -1.5))
    moved = point(other, TEXTS, decoder, floor)
    assert any(moved)
    for before, after in zip(plain, moved, strict=True):
        assert [one.subject for one in before] == [one.subject for one in after]
        assert [shifted(one.probability, 1.5) for one in before] == pytest.approx(
            [one.probability for one in after]
        )
        assert all(floor < one.probability < 1 for one in after)


def test_shifts_are_in_log_odds():
    assert shifted(0.5, np.log(3)) == pytest.approx(0.75)
    assert shifted(shifted(0.2, 4.0), -4.0) == pytest.approx(0.2)
    assert shifted(0.0, 9.0) == 0.0
    assert shifted(1.0, -9.0) == 1.0


@pytest.mark.parametrize("decoder", DECODERS)
def test_offsets_are_those_of_the_typed_text(pointer, decoder):
    text = "\u200b鲁迅 \n Linux是2022年\r\n浙江人"
    (triples,) = point(pointer, [text], decoder, floor=0.01)
    piece = pointer._model.formats.piece(text)
    starts = {start for start, _ in piece.spans}
    ends = {end for _, end in piece.spans}
    assert triples
    for one in triples:
        for start, end in (one.subject, one.object):
            assert start in starts
            assert end in ends


@pytest.mark.parametrize("decoder", DECODERS)
def test_together_is_one_by_one(pointer, decoder):
    texts = [*TEXTS, "", WRITER * 4, "鲁迅", "😀"]
    together = point(pointer, texts, decoder)
    assert len(together) == len(texts)
    for text, triples in zip(texts, together, strict=True):
        (alone,) = point(pointer, [text], decoder)
        near = FLOOR[decoder] + 1e-3
        ours, theirs = (
            {
                (t.relation, t.subject, t.object): t.probability
                for t in found
                if t.probability > near
            }
            for found in (triples, alone)
        )
        assert ours.keys() == theirs.keys()
        for key, probability in ours.items():
            assert probability == pytest.approx(theirs[key], abs=1e-4)


@pytest.mark.parametrize("decoder", DECODERS)
def test_a_higher_floor_keeps_the_same_triples_above_it(pointer, decoder):
    text = RIVER[:5]
    (low,) = point(pointer, [text], decoder)
    assert len(low) < MAX_TRIPLES
    middle = float(np.median([one.probability for one in low])) + 1e-6
    (high,) = point(pointer, [text], decoder, floor=middle)
    kept = {(t.relation, t.subject, t.object) for t in low if t.probability > middle}
    assert {(t.relation, t.subject, t.object) for t in high} == kept
    assert 0 < len(high) < len(low)


def test_gplinker_is_the_formula_over_all_pairs(tmp_path):
    pointer = NetworkTriplePointer(load_playing(tmp_path, spread=0.8, seed=1))
    text, floor = "鲁迅浙江人", 0.6
    source, outputs = read(pointer, text, "gplinker")
    inside = np.arange(source.text_start, source.text_end)
    scores = {}
    for name in ("entity", "heads", "tails"):
        shared = outputs[f"{name}_shared"][np.ix_(inside, inside)].astype("float64")
        alone = outputs[f"{name}_alone"][inside].astype("float64")
        first, second = alone[:, 0].T[:, :, None], alone[:, 1].T[:, None, :]
        scores[name] = shared[None] + first + second
    (found,) = point(pointer, [text], "gplinker", floor=floor)
    threshold, size, expected = np.log(floor / (1 - floor)), len(inside), {}
    spans = [(a, b) for a in range(size) for b in range(a, size)]
    for (sh, st), (oh, ot) in itertools.product(spans, spans):
        for relation in range(len(RELATIONS)):
            least = min(
                scores["entity"][0, sh, st],
                scores["entity"][1, oh, ot],
                scores["heads"][relation, sh, oh],
                scores["tails"][relation, st, ot],
            )
            if least > threshold and (sh, st) != (oh, ot):
                key = (relation, (sh, st + 1), (oh, ot + 1))
                expected[key] = float(sigmoid(np.float64(least)))
    assert 3 < len(expected) < 600
    every = tuple(
        TokenTriple(s, e - 1, relation, first, last - 1, probability)
        for (relation, (s, e), (first, last)), probability in expected.items()
    )
    for one, key in zip(every, tuple(expected), strict=True):
        if is_list(one, every):
            del expected[key]
    ours = {(t.relation, t.subject, t.object): t.probability for t in found}
    assert ours == pytest.approx(expected, rel=1e-3)


def test_half_pointers_read_objects_for_one_subject(pointer):
    """Every triple's edges, asked of the head again for its own subject."""
    source, outputs = read(pointer, WRITER, "half_pointer")
    (found,) = point(pointer, [WRITER], "half_pointer")
    starts = {s[0]: n for n, s in enumerate(source.text.spans)}
    ends = {s[1]: n for n, s in enumerate(source.text.spans)}
    subjects = sigmoid(outputs["subject_logits"]) ** 2
    for one in found[:20]:
        edges = [
            np.array([place[offset] + source.text_start], "int32")
            for place, offset in zip((starts, ends), one.subject, strict=True)
        ]
        objects = pointer._model.engine.apply(
            "half_pointer", outputs["residual"][None], *edges
        )["object_logits"]
        p = sigmoid(objects[0, :, one.relation]) ** 4
        least = min(
            subjects[edges[0][0], 0],
            subjects[edges[1][0], 1],
            p[source.text_start + starts[one.object[0]], 0],
            p[source.text_start + ends[one.object[1]], 1],
        )
        assert one.probability == pytest.approx(float(least), rel=1e-3)


def test_both_weighs_what_each_decoder_lists(pointer):
    linked, pointed, both = (
        {(t.relation, t.subject, t.object): t.probability for t in found}
        for found in (
            *(point(pointer, [WRITER], name, 0.005)[0] for name in DECODERS[1:]),
            point(pointer, [WRITER], "both", 0.02)[0],
        )
    )
    assert both
    for place, probability in both.items():
        one, other = linked.get(place, 0.005), pointed.get(place, 0.005)
        odds = (one / (1 - one)) ** 0.6 * (other / (1 - other)) ** 0.4
        assert probability == pytest.approx(odds / (1 + odds), rel=1e-3)


@pytest.mark.parametrize("decoder", DECODERS)
def test_nothing_is_related_to_itself(pointer, decoder):
    for triples in point(pointer, TEXTS, decoder, floor=0.01):
        assert all(one.subject != one.object for one in triples)


@pytest.mark.parametrize("decoder", DECODERS)
def test_texts_without_a_token_have_no_triple(pointer, decoder):
    assert point(pointer, ["", "\u200b", "\r"], decoder) == ((), (), ())
    assert point(pointer, [], decoder) == ()


def test_a_text_that_is_too_long_is_refused(pointer):
    longest = (RIVER * 10)[:MAX_TEXT_CHARS]
    assert len(point(pointer, [longest], "gplinker")) == 1
    with pytest.raises(ModelError, match="一次最多读 180 个字，收到 181 个") as error:
        point(pointer, [longest + "。"], "gplinker")
    assert error.value.kind == "unsupported"
    assert "At most 180 characters are read at once, got 181" in error.value.en


def test_a_decoder_that_the_weights_lack_is_refused_with_theirs(tmp_path):
    model = load_playing(
        tmp_path, heads=("language_model", "half_pointer"), parts=("pointing",)
    )
    pointer = NetworkTriplePointer(model)
    assert pointer.decoders == ("half_pointer",)
    with pytest.raises(ModelError, match="没有解码方式“gplinker”，有的是：half_"):
        point(pointer, [RIVER], "gplinker")


def test_probabilities_of_any_logit_are_finite():
    logits = np.array([-1e30, -800, 0, 800, 1e30], "float32")
    assert sigmoid(logits).tolist() == [0, 0, 0.5, 1, 1]
    values = np.linspace(-20, 20, 9, dtype="float32")
    np.testing.assert_allclose(
        sigmoid(values), 1 / (1 + np.exp(-values.astype("float64"))), rtol=1e-6
    )


@pytest.mark.parametrize(
    ("places", "odds", "listed"),
    [
        (((3, 4), (6, 7), (3, 7)), (0.9, 0.8, 0.5), [False, False, True]),
        (((3, 4), (6, 7), (3, 7)), (0.9, 0.4, 0.5), [False] * 3),  # the sure one stays
        (((3, 4), (3, 7)), (0.9, 0.5), [False] * 2),  # a longer name of one
        (((3, 5), (4, 7), (3, 7)), (0.9, 0.8, 0.5), [False] * 3),  # they overlap
    ],
)
def test_a_list_of_objects_is_no_object(places, odds, listed):
    triples = tuple(
        TokenTriple(0, 0, 1, head, tail, probability)
        for (head, tail), probability in zip(places, odds, strict=True)
    )
    assert [is_list(one, triples) for one in triples] == listed
    other = triples[0]._replace(subject_head=9, subject_tail=9)
    assert not is_list(triples[-1], (other, *triples[1:]))

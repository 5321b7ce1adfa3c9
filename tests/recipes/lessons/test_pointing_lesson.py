"""Labels of triples slice to the strings that were labelled."""

import itertools

import numpy as np
import pytest

from recipes.lessons import pointing
from recipes.lessons.storage import load
from tests.model_core.playing_checkpoint import RELATIONS
from tests.recipes.lessons import toy_data

ROWS = 3


@pytest.fixture(name="batches")
def fixture_batches(lessons, formats, rng):
    stream = pointing.batches(
        lessons / "triples.npz", len(RELATIONS), formats, rng, rows=ROWS, longest=64
    )
    return list(itertools.islice(stream, 12))


def strings(ids, first, last, text_of):
    return text_of(ids[first : last + 1])


def expected_triples(text):
    example = next(one for one in toy_data.TRIPLES if one.text == text)
    names = [relation.predicate for relation in RELATIONS]
    return {
        (names.index(one.predicate), one.subject, one.object)
        for one in example.triples
        if one.predicate in names
    }


def test_triples_of_unknown_relations_or_without_a_place_are_dropped(lessons):
    triples = load(lessons / "triples.npz")["triples"]
    assert [len(triples[n]) for n in range(len(triples))] == [1, 3, 1, 0, 0]


def test_pairs_of_entities_heads_and_tails_are_the_triples(batches, text_of):
    for batch in batches:
        assert (batch.task, batch.objective) == ("triples", "pointing")
        inputs = batch.inputs
        assert batch.weights.tolist() == [1.0] * (2 * ROWS)
        for row in range(ROWS):
            ids = inputs["token_ids"][row]
            expected = expected_triples(text_of(ids))
            kinds = {"entity": [], "head": [], "tail": []}
            for name, found in kinds.items():
                pairs = inputs[f"{name}_pairs"][row].tolist()
                found += [pair for pair in pairs if pair[0] >= 0]
                assert len(found) == len(set(map(tuple, found)))
            subjects = {
                strings(ids, a, b, text_of) for k, a, b in kinds["entity"] if k == 0
            }
            objects = {
                strings(ids, a, b, text_of) for k, a, b in kinds["entity"] if k == 1
            }
            assert subjects == {subject for _, subject, _ in expected}
            assert objects == {one for _, _, one in expected}
            joined = {
                (relation, strings(ids, sh, st, text_of), strings(ids, oh, ot, text_of))
                for relation, sh, oh in kinds["head"]
                for other, st, ot in kinds["tail"]
                if relation == other
                and strings(ids, sh, st, text_of) in subjects
                and strings(ids, oh, ot, text_of) in objects
            }
            assert joined == expected


def test_half_pointers_label_every_subject_and_the_drawn_ones_objects(batches, text_of):
    drawn = set()
    for batch in batches:
        inputs = batch.inputs
        for row in range(ROWS):
            ids, labels = inputs["token_ids"][row], inputs["subject_labels"][row]
            expected = expected_triples(text_of(ids))
            starts, ends = (np.flatnonzero(labels[:, side]) for side in (0, 1))
            texts = {
                strings(ids, a, b, text_of) for a in starts for b in ends if a <= b
            }
            assert {subject for _, subject, _ in expected} <= texts
            start, end = inputs["starts"][row], inputs["ends"][row]
            objects = inputs["object_labels"][row]
            if not expected:
                assert (start, end) == (0, 0)
                assert not objects.any()
                continue
            assert start in starts
            assert end in ends
            assert start <= end
            subject = strings(ids, start, end, text_of)
            found = {
                (relation, subject, strings(ids, a, b, text_of))
                for relation in range(len(RELATIONS))
                for a in np.flatnonzero(objects[:, relation, 0])
                for b in np.flatnonzero(objects[:, relation, 1])
                if a <= b
            }
            assert found == {one for one in expected if one[1] == subject}
            drawn.add(subject)
    assert {"呐喊", "彷徨", "鲁迅", "长江"} <= drawn


def test_labels_stand_inside_the_text(batches):
    for batch in batches:
        inputs = batch.inputs
        real = inputs["padding_mask"]
        assert inputs["token_ids"].shape[1] % pointing.LENGTH_STEP == 0
        for name in ("subject_labels", "object_labels"):
            assert not inputs[name][~real].any()
        assert (inputs["token_ids"][~real] == 0).all()
        assert not inputs["mark_ids"][~real].any()


def test_every_epoch_has_every_text_that_fits_once(lessons, formats, text_of):
    stream = pointing.batches(
        lessons / "triples.npz", len(RELATIONS), formats, np.random.default_rng(1),
        rows=1, longest=64,
    )  # fmt: skip
    texts = [text_of(next(stream).inputs["token_ids"][0]) for _ in range(5)]
    assert sorted(texts) == sorted(one.text for one in toy_data.TRIPLES)
    short = pointing.batches(
        lessons / "triples.npz", len(RELATIONS), formats, np.random.default_rng(1),
        rows=1, longest=10,
    )  # fmt: skip
    assert {text_of(next(short).inputs["token_ids"][0]) for _ in range(4)} == {"体育"}


def test_fewer_texts_than_a_batch_are_refused(lessons, formats, rng):
    stream = pointing.batches(
        lessons / "triples.npz", len(RELATIONS), formats, rng, rows=6, longest=64
    )
    with pytest.raises(ValueError, match="at least 6 texts of at most 64 tokens"):
        next(stream)


@pytest.mark.parametrize(
    ("words", "text", "near", "expected"),
    [
        ("江", "长江", None, (1, 1)),
        ("长江", "长江长江", None, (0, 1)),
        ("长江", "长江长江", (0, 1), (2, 3)),
        ("长江", "长江", (0, 1), (0, 1)),
        ("江长", "长江长江", (2, 2), (1, 2)),
        ("湖", "长江", None, None),
        ("", "长江", None, None),
        ("in", "Linux", None, None),
    ],
)
def test_a_string_is_found_where_tokens_begin_and_end(
    formats, words, text, near, expected
):
    assert pointing.find(words, text, formats.piece(text).spans, near) == expected

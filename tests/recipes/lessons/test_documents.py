"""Packed rows keep every token, apart from each other, and every loss in its place."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipes.lessons.documents import (
    Hiding,
    Shape,
    collate,
    hidden,
    packed,
    to_document,
)

SHAPE = Shape(rows=3, length=20, losses=60, documents=8)
MASK = 4


def document(number, source, target):
    """A document whose ids tell it from the others."""
    ids = 100 * number + np.arange(source + target)
    marks = np.arange(1, source + 1)
    tags = np.arange(target) % 3
    return to_document(
        ids[:source].astype("int32"), marks, ids[source:], copy_tags=tags
    )


def test_a_document_ends_before_its_end_mark_and_asks_for_it():
    made = to_document(
        np.array([2, 7, 8, 3], "int32"),
        np.array([0, 5, 6, 0]),
        np.array([9, 10, 3], "int32"),
    )
    assert made.token_ids.tolist() == [2, 7, 8, 3, 9, 10]
    assert made.segment_ids.tolist() == [0, 0, 0, 0, 1, 1]
    assert made.mark_ids.tolist() == [0, 5, 6, 0, 0, 0]
    assert made.places.tolist() == [3, 4, 5]
    assert made.targets.tolist() == [9, 10, 3]
    assert made.source_ids.tolist() == [2, 7, 8, 3]
    assert len(made) == 6


def test_no_answer_is_a_target_of_its_end_mark_alone():
    made = to_document(np.array([2, 7, 3], "int32"), np.zeros(3), np.array([3]))
    assert made.token_ids.tolist() == [2, 7, 3]
    assert made.places.tolist() == [2]
    assert made.targets.tolist() == [3]


@given(st.lists(st.integers(1, 25), min_size=30, max_size=60))
def test_rows_hold_every_document_that_fits_once_and_no_row_is_too_long(lengths):
    documents = [np.full(length, number) for number, length in enumerate(lengths)]
    endless = itertools.chain(documents, itertools.repeat(np.full(20, -1)))
    seen = []
    for rows in itertools.islice(packed(endless, SHAPE), 40):
        assert len(rows) == SHAPE.rows
        assert all(sum(map(len, row)) <= SHAPE.length for row in rows)
        assert sum(map(len, rows)) <= SHAPE.documents
        seen += [int(one[0]) for row in rows for one in row if one[0] >= 0]
    fitting = [n for n, length in enumerate(lengths) if length <= SHAPE.length]
    assert sorted(seen) == fitting


def test_rows_are_filled_well():
    rng = np.random.default_rng(0)
    endless = (np.zeros(n) for n in iter(lambda: int(rng.integers(20, 120)), None))
    shape = Shape(rows=8, length=256, losses=0, documents=64)
    filled = [
        sum(len(one) for row in rows for one in row) / (8 * 256)
        for rows in itertools.islice(packed(endless, shape), 20)
    ]
    assert np.mean(filled) > 0.85


def rows_of(*sizes):
    numbers = itertools.count(1)
    return [[document(next(numbers), *size) for size in row] for row in sizes]


def test_every_token_loss_and_source_is_in_the_batch():
    rows = rows_of([(5, 3), (4, 2)], [], [(6, 4)])
    batch = collate("title", rows, SHAPE, with_sources=True)
    inputs = batch.inputs
    assert (batch.task, batch.objective) == ("title", "writing")
    assert batch.num_tokens == 60
    flat = inputs["token_ids"].reshape(-1)
    filled = 0
    for row, documents in enumerate(rows):
        start = 0
        for one in documents:
            inside = (row, slice(start, start + len(one)))
            for name in ("token_ids", "segment_ids", "mark_ids"):
                np.testing.assert_array_equal(inputs[name][inside], getattr(one, name))
            numbers = set(inputs["document_ids"][inside].tolist())
            (number,) = numbers
            count = len(one.places)
            taken = slice(filled, filled + count)
            places = inputs["places"][taken]
            np.testing.assert_array_equal(flat[places], one.token_ids[one.places])
            np.testing.assert_array_equal(inputs["targets"][taken], one.targets)
            np.testing.assert_array_equal(inputs["copy_targets"][taken], one.copy_tags)
            assert set(inputs["place_sources"][taken].tolist()) == numbers
            source = inputs["source_ids"][number]
            np.testing.assert_array_equal(source[source >= 0], one.source_ids)
            filled += count
            start += len(one)
    assert batch.weights.tolist() == [1.0] * filled + [0.0] * (SHAPE.losses - filled)
    assert (inputs["source_ids"][0] == -1).all()
    assert (inputs["copy_targets"][filled:] == -1).all()
    assert (inputs["place_sources"][filled:] == 0).all()


def test_documents_have_numbers_of_their_own_and_what_fills_up_has_none():
    inputs = collate(
        "x", rows_of([(5, 3), (4, 2)], [(3, 2)], []), SHAPE, with_sources=True
    ).inputs
    assert sorted(set(inputs["document_ids"].reshape(-1).tolist())) == [0, 1, 2, 3]
    assert (inputs["token_ids"][inputs["document_ids"] == 0] == 0).all()


def test_too_many_losses_are_left_out():
    shape = Shape(rows=1, length=20, losses=4, documents=2)
    batch = collate("x", rows_of([(3, 3), (3, 3)]), shape, with_sources=True)
    assert batch.weights.tolist() == [1.0] * 4
    assert len(batch.inputs["places"]) == 4
    assert (batch.inputs["token_ids"] > 0).sum() == 10


def test_sources_can_be_left_out():
    made = collate("x", rows_of([(3, 3)], [], []), SHAPE, with_sources=False)
    assert made.inputs.keys() == {
        "token_ids", "segment_ids", "document_ids", "mark_ids", "places", "targets",
    }  # fmt: skip


def test_every_batch_of_a_stream_has_the_same_shapes():
    batches = [
        collate("x", rows, SHAPE, with_sources=True)
        for rows in (rows_of([(3, 3)], [], []), rows_of([(5, 5), (2, 1)], [(9, 9)], []))
    ]
    shapes = [
        {name: (a.shape, a.dtype) for name, a in batch.inputs.items()}
        for batch in batches
    ]
    assert shapes[0] == shapes[1]


# Hiding


def test_hidden_source_tokens_are_asked_for_and_targets_stay():
    one, rng = document(1, 12, 4), np.random.default_rng(0)
    made = hidden(one, Hiding(0.25, MASK, 102), rng)
    assert len(made.hidden_places) == int(0.25 * 10)
    assert (made.hidden_places >= 2).all()  # marks are never hidden
    assert (made.hidden_places < 12).all()
    assert (made.token_ids[made.hidden_places] == MASK).all()
    np.testing.assert_array_equal(
        made.hidden_targets, one.token_ids[made.hidden_places]
    )
    rest = np.setdiff1d(np.arange(len(one)), made.hidden_places)
    np.testing.assert_array_equal(made.token_ids[rest], one.token_ids[rest])
    np.testing.assert_array_equal(made.source_ids, one.source_ids)
    np.testing.assert_array_equal(made.targets, one.targets)


def test_hidden_tokens_weigh_what_they_are_told_and_lean_to_no_source():
    rng = np.random.default_rng(0)
    row = [hidden(document(1, 12, 4), Hiding(0.5, MASK, 0), rng)]
    inputs = collate("x", [row, [], []], SHAPE, with_sources=True, hidden_weight=0.3)
    batch, inputs = inputs, inputs.inputs
    assert batch.weights[:4].tolist() == [1.0] * 4
    assert batch.weights[4:10] == pytest.approx([0.3] * 6)
    assert not batch.weights[10:].any()
    told = slice(4, 10)
    assert (inputs["token_ids"].reshape(-1)[inputs["places"][told]] == MASK).all()
    assert (inputs["copy_targets"][told] == -1).all()
    assert (inputs["place_sources"][told] == 0).all()
    np.testing.assert_array_equal(inputs["targets"][told], row[0].hidden_targets)

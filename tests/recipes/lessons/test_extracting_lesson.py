"""A text's clauses and labels stay together, whatever fills up."""

import itertools

import numpy as np
import pytest

from recipes.lessons import extracting
from tests.recipes.lessons import toy_data


@pytest.fixture(name="batches")
def fixture_batches(lessons, formats, rng):
    stream = extracting.batches(lessons / "extract.npz", formats, rng)
    return list(itertools.islice(stream, 9))


def test_clauses_and_labels_come_back_in_their_order(batches, text_of):
    usable = [
        (clauses[-extracting.MOST_CLAUSES :], labels[-extracting.MOST_CLAUSES :])
        for clauses, labels in toy_data.CLAUSES
        if len(clauses) >= extracting.FEWEST_CLAUSES
    ]
    seen = []
    for batch in batches:
        assert (batch.task, batch.objective) == ("extract", "clauses")
        real = batch.weights > 0
        texts = [text_of(ids) for ids in batch.inputs["token_ids"][real]]
        labels = batch.inputs["labels"][real].tolist()
        index = [clauses for clauses, _ in usable].index(texts)
        assert labels == usable[index][1]
        seen.append(index)
    for epoch in (seen[:3], seen[3:6], seen[6:]):
        assert sorted(epoch) == [0, 1, 2]


def test_sizes_are_steps_and_every_row_can_be_read(batches, shown):
    for batch in batches:
        inputs = batch.inputs
        count, length = inputs["token_ids"].shape
        assert count % extracting.COUNT_STEP == 0
        assert length % extracting.LENGTH_STEP == 0
        assert inputs["padding_mask"].any(axis=1).all()
        filled = batch.weights > 0
        assert not inputs["labels"][~filled].any()
        for row in np.flatnonzero(filled):
            ids = inputs["token_ids"][row][inputs["padding_mask"][row]]
            assert shown(ids[:2]) == "[CLS] [抽取]"
            assert shown(ids[-1:]) == "[SEP]"


def test_texts_without_two_clauses_teach_nothing_and_are_refused(
    tmp_path, formats, rng
):
    extracting.encode([(["长江。"], [1])], formats, tmp_path / "x.npz")
    with pytest.raises(ValueError, match="at least one text of 2 clauses"):
        next(extracting.batches(tmp_path / "x.npz", formats, rng))

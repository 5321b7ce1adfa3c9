"""Rows of short reviews: each of one condition, each text apart from the next."""

import itertools

import numpy as np
import pytest

from recipes.lessons import styled
from recipes.lessons.documents import Shape

SHAPE = Shape(rows=4, length=24, losses=0, documents=0)
TEXTS = (
    ("好看，不错。", 0),
    ("这部电影真好看。", 0),
    ("差。", 1),
    ("这部电影很差，不好看。", 1),
)


@pytest.fixture(name="batches")
def fixture_batches(tmp_path, formats, rng):
    styled.encode(TEXTS, formats, tmp_path / "styled.npz")
    stream = styled.batches(tmp_path / "styled.npz", rng, SHAPE)
    return list(itertools.islice(stream, 6))


def test_a_row_holds_texts_of_its_condition_alone(batches, text_of, shown):
    for batch in batches:
        assert (batch.task, batch.objective) == ("styled", "writing")
        inputs = batch.inputs
        assert sorted(inputs["condition_ids"].tolist()) == [0, 0, 1, 1]
        for row, condition in enumerate(inputs["condition_ids"]):
            known = [text for text, label in TEXTS if label == condition]
            ids, numbers = inputs["token_ids"][row], inputs["document_ids"][row]
            assert numbers[0] == 1
            for number in range(1, numbers.max() + 1):
                text = ids[numbers == number]
                opening = "[CLS] [短文]"
                assert opening.startswith(shown(text[:2]))
                assert any(one.startswith(text_of(text)) for one in known)


def test_every_token_predicts_the_next_of_its_own_text(batches, shown):
    for batch in batches:
        inputs = batch.inputs
        flat = inputs["token_ids"].reshape(-1)
        numbers = inputs["document_ids"].reshape(-1)
        told = batch.weights > 0
        places = inputs["places"][told]
        np.testing.assert_array_equal(inputs["targets"][told], flat[places + 1])
        np.testing.assert_array_equal(numbers[places], numbers[places + 1])
        assert "[CLS]" not in shown(inputs["targets"][told])
        openings = (inputs["token_ids"][:, 1:] == flat[0]).sum()
        assert told.sum() == SHAPE.rows * (SHAPE.length - 1) - openings
        assert (inputs["segment_ids"] == 1).all()

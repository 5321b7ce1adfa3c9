"""Laws of every kind of row: as long as told, its losses where its targets stand."""

import re

import numpy as np
import pytest

from recipes import rows
from recipes.rows import KINDS

WRITTEN = [kind for kind in KINDS if "cloze" not in kind]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("length", [24, 96, 250])
def test_nothing_runs_past_the_row_and_no_place_is_empty(made, kind, length):
    for row, _ in made(KINDS[kind], count=20, length=length):
        assert row.token_ids.shape == row.segment_ids.shape == (length,)
        assert row.token_ids.dtype == row.segment_ids.dtype == np.int32
        assert set(row.segment_ids.tolist()) <= {0, 1}
        assert len(row.places) == len(row.targets) == len(set(row.places.tolist()))
        assert all(0 <= place < length for place in row.places)


@pytest.mark.parametrize("kind", WRITTEN)
def test_a_written_token_is_told_by_the_one_before_it_in_its_document(made, ids, kind):
    for row, _ in made(KINDS[kind], count=20):
        next_ids, next_segments = row.token_ids[1:], row.segment_ids[1:]
        told = np.flatnonzero((next_segments == 1) & (next_ids != ids.cls))
        np.testing.assert_array_equal(row.places, told)
        np.testing.assert_array_equal(row.targets, next_ids[told])


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_numbers_make_the_same_rows(made, kind):
    for (one, _), (other, _) in zip(
        made(KINDS[kind], count=8), made(KINDS[kind], count=8), strict=True
    ):
        for mine, theirs in zip(one, other, strict=True):
            np.testing.assert_array_equal(mine, theirs)


def test_the_drawing_names_every_kind():
    drawn = re.findall(r"^ {4}(\w+)", rows.__doc__, re.MULTILINE)
    assert drawn == list(KINDS)

"""Rows of different lengths come back from disk as they were."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipes.lessons.storage import Ragged, load, save, without

ROWS = st.lists(st.lists(st.integers(-3, 70_000), max_size=6), max_size=6)


@pytest.fixture(scope="module", name="path")
def fixture_path(tmp_path_factory):
    return tmp_path_factory.mktemp("storage") / "deep" / "rows.npz"


@given(ROWS)
def test_rows_come_back_as_they_were(path, rows):
    save(path, {"a": Ragged.of(rows), "b/c": Ragged.of([[1]] * len(rows))})
    back = load(path)
    assert set(back) == {"a", "b/c"}
    assert [back["a"][n].tolist() for n in range(len(back["a"]))] == rows
    assert back["a"].values.dtype == np.int32
    assert len(back["b/c"]) == len(rows)


@pytest.mark.parametrize("largest", [0, 2**16 - 1, 2**16, 2**31 - 1])
def test_numbers_of_any_size_come_back(path, largest):
    save(path, {"a": Ragged.of([[largest, 0], []])})
    assert load(path)["a"][0].tolist() == [largest, 0]


def test_rows_of_rows_keep_their_width(path):
    rows = [[[1, 2, 3], [4, 5, 6]], [], [[7, 8, 9]]]
    save(path, {"triples": Ragged.of(rows, width=3)})
    back = load(path)["triples"]
    assert [back[n].tolist() for n in range(3)] == rows
    assert back[1].shape == (0, 3)


def test_nothing_at_all_is_stored_too(path):
    save(path, {"a": Ragged.of([]), "b": Ragged.of([], width=5)})
    back = load(path)
    assert (len(back["a"]), len(back["b"])) == (0, 0)
    assert back["b"].values.shape == (0, 5)


def test_rows_go_from_every_column_by_number():
    columns = {
        "text": Ragged.of([[1, 2], [], [3], [4, 5]]),
        "triples": Ragged.of([[[1, 2, 3]], [], [[4, 5, 6]], []], width=3),
    }
    left = without(columns, {0, 3})
    assert [left["text"][n].tolist() for n in range(2)] == [[], [3]]
    assert [left["triples"][n].tolist() for n in range(2)] == [[], [[4, 5, 6]]]
    assert len(left["text"]) == len(left["triples"]) == 2
    assert left["triples"][0].shape == (0, 3)

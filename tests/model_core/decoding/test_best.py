"""Laws of finding the best: as a whole sort would, ties and all."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_core.decoding.best import best_of_rows


@settings(max_examples=150, deadline=None)
@given(
    rows=st.integers(1, 5),
    size=st.integers(1, 700),
    k=st.integers(1, 60),
    levels=st.sampled_from([2, 7, 10_000]),
    forbidden=st.sampled_from([0.0, 0.5, 0.99]),
    seed=st.integers(0, 999),
)
def test_the_best_are_those_of_a_stable_sort(rows, size, k, levels, forbidden, seed):
    draw = np.random.default_rng(seed)
    values = draw.integers(0, levels, (rows, size)).astype("float32")
    values[draw.random((rows, size)) < forbidden] = -np.inf
    best = best_of_rows(values, k)
    expected = np.argsort(-values, axis=-1, kind="stable")[:, :k]
    scores = np.take_along_axis(values, expected, axis=-1)
    np.testing.assert_array_equal(best.values, scores)
    real = scores > -np.inf
    np.testing.assert_array_equal(best.indices[real], expected[real])


@pytest.mark.parametrize("k", [1, 5, 50])
def test_a_row_of_one_value_gives_its_first(k):
    best = best_of_rows(np.zeros((2, 8000), "float32"), k)
    assert best.indices.tolist() == [list(range(k))] * 2

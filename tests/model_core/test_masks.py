import re

import numpy as np
import pytest
from keras import ops

from model_core import masks


def drawn(mask):
    """The drawing in a mask's docstring, as nested lists."""
    rows = re.findall(
        r"^\s+(?:query \d|any query|row \d)  ([01 ]+)$", mask.__doc__, re.M
    )
    return [[int(cell) for cell in row.split()] for row in rows]


def seen(mask):
    return ops.convert_to_numpy(mask).astype(int)


@pytest.mark.parametrize(
    ("mask", "argument"),
    [
        (masks.bidirectional, np.zeros((1, 3), "int32")),
        (masks.causal, 3),
        (masks.prefix_lm, np.array([[0, 0, 1, 1]])),
        (masks.padding, np.array([[1, 1, 0]])),
        (masks.same_document, np.array([[7, 7, 8]])),
    ],
)
def test_a_mask_is_what_its_docstring_draws(mask, argument):
    assert seen(mask(argument))[0].tolist() == drawn(mask)


def test_the_cached_mask_is_what_its_docstring_draws():
    allowed = seen(masks.cached(np.array([1, 3]), 4))
    assert allowed[:, 0].tolist() == drawn(masks.cached)


def test_prefix_lm_of_all_target_is_causal():
    ones = np.ones((1, 5), "int32")
    np.testing.assert_array_equal(seen(masks.prefix_lm(ones)), seen(masks.causal(5)))


def test_prefix_lm_of_all_source_is_bidirectional():
    zeros = np.zeros((1, 5), "int32")
    free = seen(masks.bidirectional(zeros))
    np.testing.assert_array_equal(seen(masks.prefix_lm(zeros)), free)


def test_combine_allows_what_every_mask_allows():
    valid = np.array([[True, True, False]])
    both = masks.combine(masks.causal(3), masks.padding(valid))
    assert seen(both)[0].tolist() == [[1, 0, 0], [1, 1, 0], [1, 1, 0]]


def test_every_kind_has_a_mask():
    ids = np.zeros((2, 3), "int32")
    assert {k: seen(m(ids, ids)).shape[1:] for k, m in masks.MASKS.items()} == {
        "bidirectional": (3, 3),
        "causal": (3, 3),
        "prefix_lm": (3, 3),
    }

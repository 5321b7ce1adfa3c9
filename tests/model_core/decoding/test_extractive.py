import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from model_core.decoding.extractive import (
    allowed_ids,
    allowed_mask,
    followers,
    occurrences,
)

STOP = 9
tokens = st.integers(0, 3)
sources = st.lists(tokens, max_size=12)
stretches = st.lists(tokens, max_size=4)


def places(source, stretch):
    return [
        start
        for start in range(len(source) + 1)
        if source[start : start + len(stretch)] == stretch
        and start + len(stretch) <= len(source)
    ]


@given(sources, stretches)
def test_occurrences_are_all_places_of_a_stretch(source, stretch):
    found = occurrences(np.array(source, np.int32), stretch)
    assert found.tolist() == places(source, stretch)


@given(sources, stretches)
def test_followers_keep_the_stretch_in_its_source(source, stretch):
    expected = [t for t in range(5) if places(source, [*stretch, t])]
    assert followers(np.array(source, np.int32), stretch).tolist() == expected


@given(sources, stretches, st.booleans())
def test_an_answer_may_go_on_in_its_source_or_stop(source, answer, may_be_empty):
    array = np.array(source, np.int32)
    allowed = allowed_ids(array, answer, STOP, may_be_empty=may_be_empty).tolist()
    assert (STOP in allowed) == (bool(answer) or may_be_empty)
    assert set(allowed) - {STOP} == {
        t for t in range(5) if places(source, [*answer, t])
    }
    mask = allowed_mask(array, answer, STOP, 10)
    assert set(np.flatnonzero(mask).tolist()) == {*allowed, STOP}


def test_as_drawn():
    source = np.array([3, 1, 4, 1, 5, 9])
    assert occurrences(source, [1]).tolist() == [1, 3]
    assert followers(source, [1]).tolist() == [4, 5]


def test_what_left_its_source_can_only_stop():
    assert allowed_ids(np.array([1, 2]), [2, 1], STOP).tolist() == [STOP]

"""Probabilities sum to 1 in any order; counts add up."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demos.fewshot.scoring import Tally, best_of, probabilities_of, tally

SCORES = st.lists(st.floats(-50, 0), min_size=2, max_size=64)


@given(SCORES)
def test_probabilities_sum_to_one(scores):
    shares = probabilities_of([str(n) for n in range(len(scores))], scores)
    assert math.fsum(shares.values()) == pytest.approx(1.0, abs=1e-12)
    assert all(0 <= share <= 1 for share in shares.values())


@given(SCORES, st.randoms())
def test_no_order_of_labels_changes_anything(scores, draw):
    pairs = [(str(n), score) for n, score in enumerate(scores)]
    shuffled = draw.sample(pairs, len(pairs))
    one, other = (
        probabilities_of(*zip(*order, strict=True)) for order in (pairs, shuffled)
    )
    assert one == other  # to the last bit
    assert best_of(one) == best_of(other)


def test_scores_far_from_zero_are_no_trouble():
    assert probabilities_of("ab", [-1e9, -1e9 + math.log(3)])["b"] == pytest.approx(
        0.75
    )


def test_a_tally_counts_hits_and_confusions():
    counted = tally("甲乙丙", "甲甲乙丙", "甲乙乙乙")
    assert counted.counts == ((1, 1, 0), (0, 1, 0), (0, 1, 0))
    assert (counted.correct, counted.total, counted.accuracy) == (2, 4, 0.5)
    assert counted.majority == 0.5
    assert set(counted.confusions) == {("甲", "乙", 1), ("丙", "乙", 1)}


def test_the_interval_is_wilsons():
    low, high = Tally(("a", "b"), ((8, 2), (0, 0))).interval
    assert (low, high) == (
        pytest.approx(0.4902, abs=1e-3),
        pytest.approx(0.9433, abs=1e-3),
    )
    assert Tally(("a",), ((0,),)).interval == (0.0, 1.0)
    assert Tally(("a",), ((5,),)).interval[1] == 1.0

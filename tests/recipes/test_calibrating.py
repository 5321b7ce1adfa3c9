"""The cut found is the best of all cuts, and the pointer then cuts there."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_core.roles.parts import Parts, load_parts
from recipes import calibrating
from recipes.tasks_data import Triple, TriplesExample
from tests.fake_triple_pointer import FakeTriplePointer

TOLD = st.lists(st.tuples(st.integers(1, 9).map(lambda n: n / 10), st.booleans()))
TEXT = "苏轼号东坡居士，其父苏洵，其母程夫人；司马迁是西汉人。"
GOLD = (Triple("苏轼", "号", "东坡居士"), Triple("司马迁", "朝代", "西汉"))


def f1_at(told, num_gold, threshold):
    kept = [right for probability, right in told if probability >= threshold]
    return 2 * sum(kept) / (len(kept) + num_gold)


@given(TOLD, st.integers(1, 20))
def test_no_other_cut_is_better(told, more):
    num_gold = sum(right for _, right in told) + more
    cut = calibrating.best_cut(told, num_gold)
    best = max([f1_at(told, num_gold, p) for p, _ in told], default=0.0)
    # equal probabilities are cut together by a threshold, one by one by the search
    assert f1_at(told, num_gold, cut) <= best
    if len({p for p, _ in told}) == len(told):
        assert f1_at(told, num_gold, cut) == pytest.approx(best)


def test_where_nothing_is_right_the_cut_stays():
    assert calibrating.best_cut([(0.9, False), (0.2, False)], 3) == 0.5
    assert calibrating.best_cut([], 3) == 0.5


def test_each_decoder_is_shifted_to_its_best_cut():
    pointer = FakeTriplePointer()
    long = TriplesExample("史记" * 200, ())
    found = calibrating.shifts(pointer, [TriplesExample(TEXT, GOLD), long])
    assert found.keys() == set(pointer.decoders)
    # 号 .88 and 朝代 .45 are right, 父亲 .62 and .08 are not: the best cut is at .45
    assert found["half_pointer"] == pytest.approx(math.log(0.55 / 0.45))
    assert found["gplinker"] == pytest.approx(math.log(0.595 / 0.405))


def test_shifts_are_added_to_what_a_checkpoint_says(tmp_path):
    Parts(("pointing",), word_marks=True).save(tmp_path / "parts.json")
    calibrating.write(tmp_path, {"gplinker": 2.5})
    assert load_parts(tmp_path).shifts == {"gplinker": 2.5}
    assert load_parts(tmp_path).word_marks

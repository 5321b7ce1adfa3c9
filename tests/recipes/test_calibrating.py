"""The cut found is the best of all cuts, and the pointer then cuts there."""

import math
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_core.interfaces import PassageVote, ReadAnswer, ReadingFrame
from model_core.roles.parts import Parts, load_parts
from recipes import calibrating
from recipes.tasks_data import GoldAnswer, QaExample, Triple, TriplesExample
from tests.fake_triple_pointer import FakeTriplePointer
from tests.fakes import EMBEDDED

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


# "No answer"

TOLD_NONE = st.lists(
    st.tuples(
        st.integers(-40, 40).map(lambda n: n / 4),
        st.sampled_from([0.0, 1.0]),
        st.integers(0, 10).map(lambda n: n / 10),
    ),
    min_size=1,
    unique_by=lambda row: row[0],
)


@given(TOLD_NONE)
def test_no_other_doubt_scores_better(told):
    cut = calibrating.best_doubt(told)
    every = [-math.inf, *(odds for odds, *_ in told)]
    assert calibrating.score_above(told, cut) == pytest.approx(
        max(calibrating.score_above(told, c) for c in every)
    )


def test_where_saying_nothing_never_helps_it_is_not_said():
    assert (
        calibrating.score_above(
            [(3.0, 0.0, 0.5), (1.0, 0.0, 1.0)],
            calibrating.best_doubt([(3.0, 0.0, 0.5), (1.0, 0.0, 1.0)]),
        )
        == 1.5
    )


class Reader:
    """Doubts answers that stand there, in one mode more than it should."""

    modes = ("span", "mlm")
    doubts: ClassVar = {
        ("span", "写了"): 0.7,
        ("span", "未写"): 0.9,
        ("mlm", "写了"): 0.4,
        ("mlm", "未写"): 0.9,
    }

    def read(self, question, passages, options):
        sure = 1 - self.doubts[options.mode, question]
        answer = ReadAnswer("李春", sure, 0, 0)
        vote = PassageVote(0, sure, "李春", sure, 0)
        yield ReadingFrame((answer,), (vote,), 1, 0.0, options.mode, EMBEDDED)


def test_a_mode_is_shifted_only_where_that_helps():
    passage = "李春建了赵州桥。"
    known = QaExample(passage, "写了", (GoldAnswer("李春", 0),), "span")
    unknown = QaExample(passage, "未写", (), "unanswerable")
    yes = QaExample(passage, "写了", (), "yes_no", "YES")
    found = calibrating.doubts(Reader(), [known, unknown, yes])
    assert found.keys() == {"span"}
    assert math.log(7 / 3) < -found["span"] < math.log(9)


def test_shifts_of_one_kind_leave_those_of_another(tmp_path):
    Parts(("pointing",), shifts={"gplinker": 2.5}).save(tmp_path / "parts.json")
    calibrating.write(tmp_path, {"span": -1.0})
    assert load_parts(tmp_path).shifts == {"gplinker": 2.5, "span": -1.0}

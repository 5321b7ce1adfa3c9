import pytest

from recipes.metrics.accuracy import accuracy, balance
from recipes.metrics.triples import TripleScore, strict_f1

A, B, C = ("史记", "作者", "司马迁"), ("司马迁", "朝代", "西汉"), ("甲", "乙", "丙")


def test_triples_of_all_texts_are_counted_together():
    # right: A and C of 3 predicted, of 4 wanted
    score = strict_f1([[A, B], [C, A]], [[A], [C, B]])
    assert score.precision == pytest.approx(2 / 3)
    assert score.recall == pytest.approx(2 / 4)
    assert score.f1 == pytest.approx(4 / 7)


def test_every_string_must_be_equal():
    for place in range(3):
        near = tuple(s + "们" if i == place else s for i, s in enumerate(A))
        assert strict_f1([[A]], [[near]]).f1 == 0


def test_a_triple_in_another_text_is_wrong_and_a_repeated_one_counts_once():
    assert strict_f1([[A], []], [[], [A]]).f1 == 0
    assert strict_f1([[A, A]], [[A, A, A]]) == TripleScore(1.0, 1.0, 1.0)


def test_nothing_predicted_is_no_division_by_zero():
    assert strict_f1([[A]], [[]]) == strict_f1([[]], [[A]]) == TripleScore(0, 0, 0)


def test_accuracy():
    assert accuracy("abcd", "abxd") == 0.75
    assert balance(0, 0) == 0


def test_accuracy_wants_a_prediction_for_every_value():
    with pytest.raises(ValueError, match="received 1 for 2"):
        accuracy("ab", "a")
    with pytest.raises(ValueError, match="received 0 for 0"):
        accuracy("", "")

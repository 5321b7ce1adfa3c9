from recipes.cutting import cut_clauses
from recipes.labelling import extraction_labels

TEXT = "原告要求还款三万元，被告说没有钱，法院认为合同有效，判决被告还款。"


def labels(summary, **options):
    return extraction_labels(cut_clauses(TEXT), summary, **options)


def test_every_clause_of_the_summary_takes_its_best_clause():
    assert labels("原告要求还款三万元，判决被告还款。") == [1, 0, 0, 1]


def test_the_order_of_the_summary_does_not_matter():
    assert labels("判决被告还款，原告要求还款三万元。") == [1, 0, 0, 1]


def test_two_clauses_may_take_the_same_one():
    assert labels("合同有效，法院认为合同有效。") == [0, 0, 1, 0]


def test_what_matches_nothing_takes_nothing():
    assert labels("春天花会开。") == [0, 0, 0, 0]
    assert labels("") == [0, 0, 0, 0]
    assert extraction_labels([], "春天") == []


def test_a_poor_match_is_left_out_by_the_least_match():
    assert labels("合同", least=0.1) == [0, 0, 1, 0]
    assert labels("合同", least=0.9) == [0, 0, 0, 0]
    assert labels("法院认为合同有效，", least=1.0) == [0, 0, 1, 0]

import pytest

from recipes.metrics.reading import (
    exact_match,
    f1,
    longest_common_run,
    no_answer,
    segments,
)


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("1918年秋", ["1918", "年", "秋"]),
        ("《红楼梦》、OK", ["红", "楼", "梦", "ok"]),
        ("C-170A 机", ["c170a", "机"]),
        ("NaBO·5HO", ["nabo5ho"]),
        ("2014/2015", ["20142015"]),
        ("NT$25,000", ["nt", "$", "25,000"]),
        ("2.38亿", ["2.38", "亿"]),
        ("75%,", ["75", "%", ","]),
        ("Terry A. Gates", ["terry", "a.", "gates"]),
        ("He said so.", ["he", "said", "so", "."]),
        ("it's, don't", ["it", "'s", ",", "do", "n't"]),
        ('the "Yes Man"', ["the", '"', "yes", "man", '"']),
        ("1990–1991", ["1990", "–", "1991"]),
        ("等等……完", ["等", "等", "……", "完"]),
        ("", []),
    ],
)
def test_chinese_is_cut_by_characters_and_the_rest_by_words(text, cut):
    assert segments(text) == cut


@pytest.mark.parametrize(
    ("prediction", "matches"),
    [("红楼梦", 1), ("《红楼梦》。", 1), ("红楼", 0), ("红 楼梦", 0), ("", 0)],
)
def test_exact_match_ignores_listed_marks(prediction, matches):
    assert exact_match(["水浒传", "《红楼梦》"], prediction) == matches


def test_exact_match_ignores_case_but_keeps_the_half_width_comma():
    assert exact_match(["BBC"], "bbc") == 1
    assert exact_match(["1,000"], "1000") == 0


def test_f1_by_hand():
    assert f1(["1918年秋"], "1918年") == pytest.approx(2 * 1 * (2 / 3) / (5 / 3))


def test_f1_goes_by_the_longest_run_not_by_the_subsequence():
    # the run is 甲乙: 2 of 5 and 2 of 4
    assert f1(["甲乙丙丁"], "甲乙和丙丁") == pytest.approx(2 * 0.4 * 0.5 / 0.9)
    assert longest_common_run("abcd", "abxcd") == 2


def test_the_best_answer_counts():
    assert f1(["美国", "英国"], "英国") == 1
    assert f1(["美国"], "英") == f1(["美国"], "") == f1(["，"], "，") == 0


def test_no_answer_by_hand():
    # none: 1, 2, 3; left empty: 2, 3, 4, 5
    none = [True, True, True, False, False, False]
    left = [False, True, True, True, True, False]
    told = no_answer(none, left)
    assert told.precision == pytest.approx(2 / 4)
    assert told.recall == pytest.approx(2 / 3)
    assert told.f1 == pytest.approx(4 / 7)
    assert told.accuracy == pytest.approx(3 / 6)


def test_never_leaving_one_empty_scores_nothing():
    told = no_answer([True, False], [False, False])
    assert (told.precision, told.recall, told.f1, told.accuracy) == (0, 0, 0, 0.5)

from hypothesis import given
from hypothesis import strategies as st

from recipes.cutting import cut_clauses, cut_sentences


def test_sentences_end_at_their_marks():
    assert cut_sentences("甲。乙？！丙\n丁") == ["甲。", "乙？！", "丙\n", "丁"]


def test_a_half_width_stop_ends_a_sentence_only_after_han():
    assert cut_sentences("结束.下一句有3.5度,v1.0版.") == [
        "结束.",
        "下一句有3.5度,v1.0版.",
    ]


def test_clauses_are_those_of_the_page():
    assert cut_clauses("甲乙，丙丁。戊己：庚") == ["甲乙，", "丙丁。", "戊己：", "庚"]


@given(st.text("春a.3。，？\n "))
def test_nothing_is_lost(text):
    assert "".join(cut_sentences(text)) == text
    assert "".join(cut_clauses(text)) == text

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipes.metrics.rouge import Rouge, lcs_length, rouge

TEXTS = st.text("春夏秋a", max_size=12)


def test_a_pair_counted_by_hand():
    # 3 of 3 and of 5 characters; 今天 of {今天, 天好} and of {今天, 天天, 天气, 气好}
    score = rouge("今天天气好", "今天好")
    assert score.rouge_1 == pytest.approx(2 * 1 * 0.6 / 1.6)
    assert score.rouge_2 == pytest.approx(2 * 0.5 * 0.25 / 0.75)
    assert score.rouge_l == pytest.approx(0.75)
    assert score.spaces == pytest.approx(0.2 * 0.75 + 0.4 / 3 + 0.4 * 0.75)


def test_a_repeated_character_counts_as_often_as_the_reference_has_it():
    assert rouge("好好", "好好好好").rouge_1 == pytest.approx(2 / 3)


def test_order_matters_to_bigrams_and_the_subsequence_only():
    score = rouge("春夏秋", "秋夏春")
    assert score == Rouge(1.0, 0.0, pytest.approx(1 / 3))


def test_case_and_white_space_do_not_matter():
    assert rouge("GPT 模型\n", "gpt模 型") == Rouge(1.0, 1.0, 1.0)


def test_a_side_without_characters_scores_nothing():
    assert rouge("", "春") == rouge("春", " ") == rouge("", "") == Rouge(0.0, 0.0, 0.0)


def by_table(first, second):
    row = [0] * (len(second) + 1)
    for one in first:
        before, row = row, [0]
        for place, other in enumerate(second, 1):
            longer = before[place - 1] + 1
            row.append(longer if one == other else max(row[-1], before[place]))
    return row[-1]


@given(TEXTS, TEXTS)
def test_the_bits_count_what_the_table_counts(first, second):
    assert lcs_length(first, second) == by_table(first, second)


@given(TEXTS, TEXTS)
def test_scores_are_symmetric_shares_and_a_text_equals_itself(first, second):
    score = rouge(first, second)
    assert score == rouge(second, first)
    assert all(0 <= s <= 1 for s in (score.rouge_1, score.rouge_2, score.rouge_l))
    assert rouge(first, first).rouge_l == (1.0 if first else 0.0)

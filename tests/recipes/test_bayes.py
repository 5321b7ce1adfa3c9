import numpy as np
import pytest

from recipes import bayes


def test_a_text_counts_each_bigram_once_and_its_ends():
    assert bayes.bigrams("好好好") == {"\n好", "好好", "好\n"}
    assert bayes.bigrams("") == {"\n\n"}


def test_a_score_by_hand():
    texts = ["甲", "乙", "甲"]
    numbers = bayes.number_bigrams(texts)
    table = bayes.tabulate(texts, numbers)
    model = bayes.learn(table, np.array([0, 1, bayes.UNLABELLED]), 2)
    # four bigrams; each label has two once: 2/6 for its own, 1/6 for the other's
    expected = np.log(0.5) + 2 * np.log([2 / 6, 1 / 6])
    np.testing.assert_allclose(model.scores(table)[2], expected)


def test_bigrams_without_a_label_say_nothing():
    numbers = bayes.number_bigrams(["甲", "丙"])
    table = bayes.tabulate(["甲", "丙"], numbers)
    model = bayes.learn(table, np.array([0, bayes.UNLABELLED]), 2)
    assert model.log_probs[:, numbers["\n丙"]].tolist() == [0, 0]


def test_unknown_bigrams_are_left_out():
    table = bayes.tabulate(["丁", ""], bayes.number_bigrams(["甲"]))
    assert (table.num_texts, len(table.rows)) == (2, 0)
    assert table.counts().tolist() == [1, 1]


def test_without_a_label_there_is_nothing_to_learn():
    table = bayes.tabulate(["甲"], bayes.number_bigrams(["甲"]))
    with pytest.raises(ValueError, match="expected labelled texts"):
        bayes.learn(table, np.array([bayes.UNLABELLED]), 2)
